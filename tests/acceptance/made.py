"""Tables that never were Label Studio's: answers, scanned words, spans of text, boxes in videos, two models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from predarrow.table import SCHEMA
from tests.acceptance.told import VIDEO, VIDEO_SIZES

_IMAGE = "/static/samples/sample.jpg"
_SIZE = {"image_height": 403, "image_width": 600}


@dataclass(frozen=True)
class Made:
    """A table of one data unit.

    Attributes:
        rows: of the table.
        config: XML; None for the one that is made.
    """

    rows: list[dict[str, Any]]
    config: str | None = None

    def table(self) -> pa.Table:
        """Give the prediction table."""
        return pa.Table.from_pylist([{"row": i, **row} for i, row in enumerate(self.rows)], schema=SCHEMA)


def _row(data_unit: str, kind: str, class_name: str, **columns: Any) -> dict[str, Any]:
    attributes = columns.pop("attributes", None)
    if attributes is not None:
        columns["attributes"] = json.dumps(attributes)
    return {"data_unit": data_unit, "frame": 0, "kind": kind, "class_name": class_name, **columns}


def _answer(control: str, **attributes: Any) -> dict[str, Any]:
    return _row(_IMAGE, "classification", control, attributes=attributes)


def _box(left: float, top: float, right: float, bottom: float) -> dict[str, float]:
    return {"xmin": left, "ymin": top, "xmax": right, "ymax": bottom}


def _moving(frame: int, left: float) -> dict[str, Any]:
    box = _box(left, 72.0, left + 128.0, 144.0)
    height, width = VIDEO_SIZES[VIDEO]
    size = {"image_height": height, "image_width": width}
    return {**_row(VIDEO, "bbox", "opossum", object_id="o1", confidence=0.5, bbox=box, **size), "frame": frame}


_SENTENCE = "Ann of Örebro wrote to ACME & Sons."

MADE: Mapping[str, Made] = {
    "answers": Made(
        [
            _answer("sky", choices=["clear & bright"]),
            _answer("place", taxonomy=[["land", "road"], ["sea"]]),
            _answer("stars", rating=4),
            _answer("count", number=2.5),
            _answer("caption", text=['said "<hello>"']),
            _answer("when", datetime="2024-02-29"),
        ],
    ),
    "words": Made(
        [
            _row(
                _IMAGE,
                "bbox",
                "word",
                object_id="w1",
                confidence=0.25,
                bbox=_box(60, 80.6, 240, 161.2),
                attributes={"text": ["Gate 7 → B"]},
                **_SIZE,
            )
        ],
    ),
    "models": Made(
        [
            _row(_IMAGE, "bbox", "plane", object_id=f"p{i}", bbox=_box(60 * i, 80.6, 240, 161.2), confidence=0.5,
                 attributes={"model_version": model}, **_SIZE)
            for i, model in enumerate(["one", "one", "two"])
        ],
    ),
    "sentence": Made(
        [
            _row(_SENTENCE, "span", label, object_id=label, confidence=0.5, attributes={"ranges": [[start, end]]})
            for start, end, label in ((0, 3, "PER"), (23, 34, "ORG"))
        ],
        config='<View><Text name="text" value="$text"/><Labels name="label" toName="text"><Label value="PER"/>'
        '<Label value="ORG"/></Labels></View>',
    ),
    "moving": Made([_moving(frame, 64.0 + 2 * frame) for frame in (0, 9, 24)]),
    "parts": Made(
        [
            _row(VIDEO, "span", "walks", object_id="s1", attributes={"ranges": [[3, 40]]}),
        ],
        config='<View><Video name="video" value="$video"/><TimelineLabels name="part" toName="video">'
        '<Label value="walks"/></TimelineLabels></View>',
    ),
}  # fmt: skip
"""By what they are about."""
