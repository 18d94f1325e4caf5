"""JSON texts in two, as `json_tails` has them, by Python's own JSON."""

from __future__ import annotations

import json


def naive_part(text: str) -> tuple[str, str]:
    """Give an object without "encord" where that is its last member and has "coordinates", an object, alone; and that.

    The texts are those of compact JSON, each key once.
    """
    whole = json.loads(text)
    last = next(reversed(whole), None) if isinstance(whole, dict) else None
    kept = whole.get("encord") if last == "encord" else None
    if not isinstance(kept, dict) or list(kept) != ["coordinates"] or not isinstance(kept["coordinates"], dict):
        return text, ""
    del whole["encord"]
    return _text(whole), _text(kept["coordinates"])


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
