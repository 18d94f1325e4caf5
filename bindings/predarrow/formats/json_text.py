"""Values as JSON text, as files of every format have it."""

from __future__ import annotations

import json
from typing import Any


def json_text(value: Any) -> str:
    """Give a value as JSON text.

    Raises:
        ValueError: a number that is not finite, half a character.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text.encode()
    return text
