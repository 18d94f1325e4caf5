"""Types of results: which geometry they have, and the member of `value` that is the control's own."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from predarrow.formats.label_studio.tags import TAGS, Shape

BOX: Shape = "rectangle"
ELLIPSE: Shape = "ellipse"
POLYGON: Shape = "polygon"
KEYPOINT: Shape = "keypoint"
BRUSH: Shape = "brush"
BITMASK: Shape = "bitmask"
VECTOR: Shape = "vector"
SEQUENCE: Shape = "videorectangle"
SPAN: Shape = "span"
RANGES: Shape = "timeline"
CONTROL = "control"

LABELS = "labels"
CHAT = "chatmessage"
"""A control whose whole `value` is its own."""

_ALIKE: Mapping[str, Shape] = {"ocr": BOX, "textspan": SPAN, "timespan": SPAN}
_UNREAD = ("videovector", "reactcode")  # that no column or attribute has

SHAPES: Mapping[str, str] = {
    type_: _ALIKE.get(tag.shape, tag.shape)
    for type_, tag in TAGS.items()
    if tag.shape is not None and tag.shape not in _UNREAD and type_ != LABELS
}
"""Geometry of the types that have one of their own. `labels` go with any."""

CONTROLS: Mapping[str, str] = {
    type_: tag.label_key
    for type_, tag in TAGS.items()
    if tag.is_answer and tag.label_key is not None and type_ not in (CHAT, *_UNREAD)
}
"""The member of `value` that is the control's own, which is the attribute's name, too."""

ANSWERS: Mapping[str, str] = {attribute: type_ for type_, attribute in CONTROLS.items()} | {CHAT: CHAT}
"""Types of controls by the attribute that holds what they say."""

SHARED: Mapping[str, str] = {
    "readonly": "readonly",
    "hidden": "hidden",
    "parentID": "parent",
    "meta": "meta",
    "item_index": "item_index",
}
"""Members of results that belong to their region, and what attributes call them."""

ON_IMAGES = frozenset({BOX, ELLIPSE, POLYGON, KEYPOINT, BRUSH, BITMASK, VECTOR, SEQUENCE})
"""Geometries whose images must have a size."""

OF_KIND: Mapping[str, Shape] = {
    "bbox": BOX,
    "rotated_bbox": BOX,
    "ellipse": ELLIPSE,
    "circle": ELLIPSE,
    "polygon": POLYGON,
    "polyline": VECTOR,
    "keypoints": KEYPOINT,
    "bitmask": BRUSH,
}
"""What rows of a kind are by themselves."""

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
