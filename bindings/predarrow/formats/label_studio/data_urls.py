"""PNG files in data URLs, as bitmasks have them."""

from __future__ import annotations

import base64
import binascii

from predarrow.formats.flaws import Flaw
from predarrow.report import Code

PREFIX = "data:image/png;base64,"


def png_bytes(url: str, place: str) -> bytes:
    """Give the bytes of the file.

    Args:
        url: the text.
        place: its pointer.

    Raises:
        Flaw: it is no data URL of a PNG file, or no base64.
    """
    if not url.startswith(PREFIX):
        raise Flaw(Code.NOT_PNG, place, f"must begin with {PREFIX!r}", url[:40])
    try:
        return base64.b64decode(url[len(PREFIX) :], validate=True)
    except (binascii.Error, ValueError) as error:
        rule = f"must be base64 behind its comma ({error})"
        raise Flaw(Code.DAMAGED, place, rule, url[len(PREFIX) : len(PREFIX) + 40]) from None


def png_url(data: bytes) -> str:
    """Give the data URL of a PNG file."""
    return PREFIX + base64.b64encode(data).decode()
