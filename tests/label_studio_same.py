"""Label Studio's tasks compared as JSON data."""

from __future__ import annotations

import json
from typing import Any


def with_rows(entries: list[Any]) -> list[Any]:
    """Give the tasks, or predictions that stand alone, that have a region."""
    found = []
    for entry in entries:
        lists = [entry[name] for name in ("predictions", "annotations", "completions") if entry.get(name)]
        results = [each.get("result") or [] for one in lists for each in one] or [entry.get("result", [])]
        if any(each["type"] != "relation" for one in results for each in one):
            found.append(entry)
    return found


def check_same(one: Any, other: Any) -> None:
    """Fail where two values differ; the order of members does not count."""
    assert json.dumps(_plain(one), sort_keys=True, indent=1) == json.dumps(_plain(other), sort_keys=True, indent=1)


def _plain(value: Any) -> Any:
    """Give numbers as floats: to JSON 1 is 1.0, and 0.0 is -0.0."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return float(value) + 0.0 if isinstance(value, int | float) and not isinstance(value, bool) else value
