"""What Label Studio's control tags make: one table for reading, writing and checking.

A tag's type is its name in lower case; results carry it. The labels of a result stand in its value under `label_key`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Shape = Literal[
    "rectangle",
    "polygon",
    "ellipse",
    "keypoint",
    "brush",
    "bitmask",
    "vector",
    "ocr",
    "videorectangle",
    "videovector",
    "span",
    "textspan",
    "timespan",
    "timeline",
]


class Tag(NamedTuple):
    """What a control tag makes."""

    name: str
    """As configs spell it"""
    shape: Shape | None
    """Of its regions; None where its results are a value for the task, or for a region of another control"""
    label_key: str | None
    """Member of `value` that holds its labels or its answer; None where it has neither"""
    is_answer: bool = False
    """Whether it is a value rather than a region"""


def _shaped(name: str, shape: Shape, label_key: str | None = None) -> tuple[Tag, Tag]:
    """Give the bare tag of a shape and the one with labels."""
    label_key = label_key or f"{name.lower()}labels"
    return Tag(name, shape, None), Tag(f"{name}Labels", shape, label_key)


_TAGS = (
    *_shaped("Rectangle", "rectangle"),
    *_shaped("Polygon", "polygon"),
    *_shaped("Ellipse", "ellipse"),
    *_shaped("KeyPoint", "keypoint"),
    *_shaped("Brush", "brush"),
    *_shaped("Bitmask", "bitmask"),
    *_shaped("Vector", "vector"),
    *_shaped("VideoVector", "videovector", "labels"),
    Tag("MagicWand", "brush", None),
    Tag("OcrLabels", "ocr", "ocrlabels"),
    Tag("VideoRectangle", "videorectangle", "labels"),
    Tag("Labels", "span", "labels"),
    Tag("HyperTextLabels", "textspan", "hypertextlabels"),
    Tag("ParagraphLabels", "textspan", "paragraphlabels"),
    Tag("TimeSeriesLabels", "timespan", "timeserieslabels"),
    Tag("TimelineLabels", "timeline", "timelinelabels"),
    Tag("Choices", None, "choices", is_answer=True),
    Tag("Taxonomy", None, "taxonomy", is_answer=True),
    Tag("TextArea", None, "text", is_answer=True),
    Tag("Rating", None, "rating", is_answer=True),
    Tag("Number", None, "number", is_answer=True),
    Tag("DateTime", None, "datetime", is_answer=True),
    Tag("Pairwise", None, "selected", is_answer=True),
    Tag("Ranker", None, "ranker", is_answer=True),
    Tag("ChatMessage", None, "chatmessage", is_answer=True),
    Tag("ReactCode", None, "reactcode", is_answer=True),
)

TAGS: Mapping[str, Tag] = {tag.name.lower(): tag for tag in _TAGS}
"""Control tags by type."""
