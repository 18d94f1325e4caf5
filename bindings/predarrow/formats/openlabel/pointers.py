"""JSON pointers (RFC 6901): places in OpenLABEL files."""

from __future__ import annotations


def pointer(*keys: str | int) -> str:
    """Give keys and places in lists as a JSON pointer."""
    return "".join(f"/{str(key).replace('~', '~0').replace('/', '~1')}" for key in keys)
