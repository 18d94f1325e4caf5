"""Many boxes at once: arrays that were given, checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from predarrow.labels.shapes import Floats, is_relative, numbers
from predarrow.objects.shapes import ShapeError
from predarrow.refusals import shown


class BoxColumns(NamedTuple):
    """n boxes."""

    boxes: Floats
    """(n, 5) x, y, w, h and theta"""
    confidences: Floats
    """(n,)"""
    object_ids: list[str] | None
    """n, or None"""
    relative: bool


def box_columns(boxes: Any, confidences: Any, object_ids: Any, unit: Any) -> BoxColumns:
    """Give boxes and what goes with each of them.

    Raises:
        ShapeError: an array of another shape, length or type, or a value that does not hold.
    """
    values = numbers(boxes, "boxes")
    if values.ndim != 2 or values.shape[1] not in (4, 5):
        raise ShapeError("boxes", f"must be (n, 4) x, y, w, h or (n, 5) with theta, got shape {values.shape}")
    n = len(values)
    rows = np.zeros((n, 5))
    rows[:, : values.shape[1]] = values
    scores = numbers(confidences, "confidences")
    if scores.shape not in ((), (n,)):
        raise ShapeError("confidences", f"must be one number or {n}, as there are boxes, got shape {scores.shape}")
    scores = np.ascontiguousarray(np.broadcast_to(scores, n))
    if (wrong := ~((scores >= 0) & (scores <= 1))).any():
        first = int(np.argmax(wrong))
        raise ShapeError(f"confidences[{first}]", f"must be 0 to 1, got {scores[first]}")
    return BoxColumns(rows, scores, None if object_ids is None else _ids(object_ids, n), is_relative(unit))


def checked_id(given: Any, pointer: str) -> str:
    """Give an object's id as text, a whole number's too.

    Raises:
        ShapeError: neither, or text that UTF-8 cannot hold.
    """
    text = str(given) if isinstance(given, str | int | np.integer) and not isinstance(given, bool) else ""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = ""
    if not text:
        raise ShapeError(pointer, f"must be text that is not empty, or a whole number, got {shown(given)}")
    return text


def _ids(given: Any, n: int) -> list[str]:
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise ShapeError("object_ids", f"must be {n} ids, got {shown(given)}")
    listed = given.tolist() if isinstance(given, np.ndarray) else list(given)
    if len(listed) != n:
        raise ShapeError("object_ids", f"must be {n} ids, as there are boxes, got {len(listed)}")
    texts = {key: checked_id(key, "object_ids") for key in dict.fromkeys(listed)}
    return [texts[key] for key in listed]
