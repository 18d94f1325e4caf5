"""Types of results: which geometry they have, and the member of `value` that is the control's own."""

from __future__ import annotations

from collections.abc import Collection, Mapping

BOX = "box"
ELLIPSE = "ellipse"
POLYGON = "polygon"
KEYPOINT = "keypoint"
BRUSH = "brush"
BITMASK = "bitmask"
VECTOR = "vector"
SEQUENCE = "sequence"
SPAN = "span"
RANGES = "ranges"
CONTROL = "control"

SHAPES: Mapping[str, str] = {
    "rectangle": BOX,
    "rectanglelabels": BOX,
    "ocrlabels": BOX,
    "ellipse": ELLIPSE,
    "ellipselabels": ELLIPSE,
    "polygon": POLYGON,
    "polygonlabels": POLYGON,
    "keypoint": KEYPOINT,
    "keypointlabels": KEYPOINT,
    "brush": BRUSH,
    "brushlabels": BRUSH,
    "magicwand": BRUSH,
    "bitmask": BITMASK,
    "bitmasklabels": BITMASK,
    "vector": VECTOR,
    "vectorlabels": VECTOR,
    "videorectangle": SEQUENCE,
    "hypertextlabels": SPAN,
    "paragraphlabels": SPAN,
    "timeserieslabels": SPAN,
    "timelinelabels": RANGES,
}
"""Geometry of the types that have one of their own. `labels` go with any."""

LABELS = "labels"

CONTROLS: Mapping[str, str] = {
    "choices": "choices",
    "taxonomy": "taxonomy",
    "rating": "rating",
    "number": "number",
    "datetime": "datetime",
    "textarea": "text",
    "pairwise": "selected",
    "ranker": "ranker",
}
"""The member of `value` that is the control's own, which is the attribute's name, too."""

CHAT = "chatmessage"
"""A control whose whole `value` is its own."""

ON_IMAGES = frozenset({BOX, ELLIPSE, POLYGON, KEYPOINT, BRUSH, BITMASK, VECTOR, SEQUENCE})
"""Geometries whose images must have a size."""

_SIGNS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"sequence"}), SEQUENCE),
    (frozenset({"rle"}), BRUSH),
    (frozenset({"imageDataURL"}), BITMASK),
    (frozenset({"vertices"}), VECTOR),
    (frozenset({"points"}), POLYGON),
    (frozenset({"x", "y", "radiusX", "radiusY"}), ELLIPSE),
    (frozenset({"x", "y", "width", "height"}), BOX),
    (frozenset({"x", "y"}), KEYPOINT),
    (frozenset({"start", "end"}), SPAN),
    (frozenset({"ranges"}), RANGES),
)


def shape_of(type_: str, members: Collection[str]) -> str:
    """Give the geometry that a value with these members has; `CONTROL` where there is none."""
    known = SHAPES.get(type_)
    if known is not None:
        return known
    return next((shape for signs, shape in _SIGNS if signs.issubset(members)), CONTROL)


def labels_member(type_: str) -> str:
    """Give the member of `value` that has the labels: the type itself, `labels` of those that have none."""
    return type_ if type_.endswith(LABELS) else LABELS


def own_member(type_: str) -> str:
    """Give the member of `value` that is the control's own: what it labels, chooses or writes."""
    return CONTROLS.get(type_) or labels_member(type_)


def attribute_of(type_: str) -> str:
    """Give the attribute that holds a control's own member."""
    return CONTROLS.get(type_, LABELS)
