"""What Label Studio's editor made of results, against what was sent."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

_FROM_MEDIA = frozenset({"framesCount", "duration", "time"})
"""Members of videos that the editor takes from the file that it opened."""

_ADDED: dict[str, Any] = {"origin": "prediction", "closed": True}
"""Members that the editor adds, and with which value."""


def differences(sent: list[dict[str, Any]], got: list[dict[str, Any]]) -> list[str]:
    """Tell where results differ in meaning; [] where they do not.

    The editor may give them in another order, name those without an id, name the origin, say that a polygon is closed,
    quote the text of a span, and take sizes and times from the media. Masks are compared by their pixels: it packs PNGs
    anew, and run lengths without the byte that Label Studio's own encoder in Python sometimes adds.
    """
    sent = [_named_alike(result, got) for result in sent]
    ours, theirs = ({_name(result): result for result in results} for results in (sent, got))
    told = [f"{name}: lost" for name in ours.keys() - theirs.keys()]
    told += [f"{name}: made up" for name in theirs.keys() - ours.keys()]
    if len(ours) != len(sent) or len(theirs) != len(got):
        told.append("two results of one name")
    for name in ours.keys() & theirs.keys():
        told += _unlike(ours[name], theirs[name], str(name))
    return sorted(told)


def _named_alike(result: dict[str, Any], got: list[dict[str, Any]]) -> dict[str, Any]:
    """Give a result without an id that of the only one of its control."""
    if "id" in result or "from_name" not in result:
        return result
    alike = [other.get("id") for other in got if other.get("from_name") == result["from_name"]]
    return {"id": alike[0], **result} if len(alike) == 1 else result


def _name(result: dict[str, Any]) -> tuple[str | None, ...]:
    names = ("from_id", "to_id") if result.get("type") == "relation" else ("id", "from_name", "type")
    return tuple(result.get(name) for name in names)


def _unlike(sent: Any, got: Any, place: str) -> list[str]:
    if isinstance(sent, dict) and isinstance(got, dict):
        told = [f"{place}.{key}: lost" for key in sent.keys() - got.keys() if not _may_lose(key, sent)]
        added = (key for key in got.keys() - sent.keys() if not _may_add(key, got[key], sent))
        told += [f"{place}.{key}: made up, {got[key]!r}" for key in added]
        for key in sent.keys() & got.keys():
            told += _unlike_member(key, sent[key], got[key], f"{place}.{key}")
        return told
    if isinstance(sent, list) and isinstance(got, list) and len(sent) == len(got):
        pairs = zip(sent, got, strict=True)
        return [words for i, (ours, theirs) in enumerate(pairs) for words in _unlike(ours, theirs, f"{place}[{i}]")]
    return [] if sent == got and isinstance(sent, bool) == isinstance(got, bool) else [f"{place}: {sent!r} -> {got!r}"]


def _unlike_member(key: str, sent: Any, got: Any, place: str) -> list[str]:
    if key in _FROM_MEDIA:
        return []
    if key in _PIXELS:
        pixels = _PIXELS[key]
        is_same = sent == got or np.array_equal(pixels(sent), pixels(got))
        return [] if is_same else [f"{place}: other pixels"]
    return _unlike(sent, got, place)


def _may_lose(key: str, sent: dict[str, Any]) -> bool:
    """Tell whether it is the size of a video's frames, which the editor takes from the media, as of images."""
    return key in ("original_width", "original_height") and sent.get("type") == "videorectangle"


def _may_add(key: str, value: Any, sent: dict[str, Any]) -> bool:
    is_quoted = key == "text" and "start" in sent
    return key == "original_length" or is_quoted or (key in _ADDED and _ADDED[key] == value)


def _opaque(address: str) -> Any:
    """Give where the alpha of a PNG in a data URL is at least half."""
    packed = np.frombuffer(base64.b64decode(address.partition(",")[2]), np.uint8)
    picture = cv2.imdecode(packed, cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return picture[..., 3] >= 128


def _colours(run_lengths: list[int]) -> Any:
    """Give the bytes of a brush's RGBA image, by Label Studio's own decoder."""
    from label_studio_sdk.converter.brush import decode_rle

    return decode_rle(run_lengths)


_PIXELS: dict[str, Callable[[Any], Any]] = {"imageDataURL": _opaque, "rle": _colours}
"""What tells the pixels of a mask, by the member that holds it."""
