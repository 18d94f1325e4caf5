"""Controls of Label Studio, each with a result that its own check and its editor take."""

from __future__ import annotations

import copy
from typing import Any
from xml.sax.saxutils import quoteattr

STROKE = [0, 0, 0, 12, 57, 27, 252, 96, 19, 255, 128]
"""A brush of height 1 and width 3: 0, 255, 255."""
PNG_URL = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAABCAYAAAAb4BS0AAAADklEQVR4nGNggID/IAwABgcB/92I3Z4AAAAASUVORK5CYII="
)

_BOX = {"x": 10.5, "y": 20, "width": 30.25, "height": 5, "rotation": 0}
_VERTICES = [{"id": "a", "x": 1.5, "y": 2}, {"id": "b", "x": 3, "y": 4.5, "prevPointId": "a", "isBezier": False}]
_ENTRY = {"frame": 1, "time": 0.04, "enabled": True, **_BOX}

SHAPES: dict[str, dict[str, Any]] = {
    "Rectangle": _BOX,
    "Polygon": {"points": [[1, 2], [30.5, 4], [5, 60]], "closed": True},
    "Ellipse": {"x": 50, "y": 40, "radiusX": 10, "radiusY": 5.5, "rotation": 30},
    "KeyPoint": {"x": 50, "y": 40, "width": 0.5},
    "Brush": {"format": "rle", "rle": STROKE},
    "Bitmask": {"imageDataURL": PNG_URL},
    "Vector": {"vertices": _VERTICES, "closed": False},
}
"""Values of bare geometries on an image."""

ON_OTHERS: dict[str, tuple[str, str | None, dict[str, Any]]] = {
    "MagicWand": ("Image", None, SHAPES["Brush"]),
    "OcrLabels": ("Image", "ocrlabels", {**_BOX, "ocrtext": "one", "pageIndex": 0}),
    "VideoRectangle": ("Video", None, {"framesCount": 10, "duration": 0.4, "sequence": [_ENTRY]}),
    "VideoVector": ("Video", None, {"sequence": [{"frame": 3, "vertices": _VERTICES}]}),
    "VideoVectorLabels": ("Video", "labels", {"sequence": [{"frame": 3, "vertices": _VERTICES}]}),
    "TimelineLabels": ("Video", "timelinelabels", {"ranges": [{"start": 1, "end": 5}]}),
    "Labels": ("Text", "labels", {"start": 0, "end": 3, "text": "Ann"}),
    "HyperTextLabels": (
        "HyperText",
        "hypertextlabels",
        {"start": "/p[1]/text()[1]", "end": "/p[1]/text()[1]", "startOffset": 0, "endOffset": 4},
    ),
    "ParagraphLabels": ("Paragraphs", "paragraphlabels", {"start": "0", "end": "1", "startOffset": 0, "endOffset": 4}),
    "TimeSeriesLabels": ("TimeSeries", "timeserieslabels", {"start": 1, "end": 2.5, "instant": False}),
    "Taxonomy": ("Image", "taxonomy", {}),
    "Choices": ("Image", "choices", {}),
    "TextArea": ("Image", None, {"text": ["one", "two"]}),
    "Rating": ("Image", None, {"rating": 4}),
    "Number": ("Image", None, {"number": 0.5}),
    "DateTime": ("Image", None, {"datetime": "2024-01-01T00:00:00Z"}),
    "Pairwise": ("Text", None, {"selected": "left"}),
    "Ranker": ("List", None, {"ranker": {"best": ["1", "2"], "rest": []}}),
}
"""Object, key of the labels, and value of the other controls."""

TAGS = (*SHAPES, *(f"{tag}Labels" for tag in SHAPES), *ON_OTHERS, "Chat")
"""Every control that there is a sample of."""


def element_of(tag: str, name: str, labels: list[str]) -> str:
    """Give a control on the object of `object_of`, as XML."""
    if tag == "Chat":
        return f'<Chat name="{name}" value="$chat"/>'
    child = "Choice" if tag in ("Choices", "Taxonomy") else "Label"
    bare = tag in SHAPES or (tag in ON_OTHERS and ON_OTHERS[tag][1] is None)
    children = "" if bare else "".join(f"<{child} value={quoteattr(label, _ESCAPES)}/>" for label in labels)
    return f'<{tag} name="{name}" toName="{object_of(tag).lower()}">{children}</{tag}>'


_ESCAPES = {"\n": "&#10;", "\t": "&#9;", "\r": "&#13;"}


def object_of(tag: str) -> str:
    """Give the tag of the object that a control is on."""
    return ON_OTHERS[tag][0] if tag in ON_OTHERS else "Image"


def config_of(tags: list[str], labels: list[str]) -> str:
    """Give a config of controls named c0, c1, … with the same labels."""
    controls = [element_of(tag, f"c{number}", labels) for number, tag in enumerate(tags)]
    objects = dict.fromkeys(object_of(tag) for tag in tags if tag != "Chat")
    shown = [f'<{each} name="{each.lower()}" value="${each.lower()}"/>' for each in objects]
    return "<View>" + "".join([*shown, *controls]) + "</View>"


def result_of(tag: str, name: str, labels: list[str]) -> dict[str, Any]:
    """Give a result of a control."""
    if tag == "Chat":
        value: dict[str, Any] = {"chatmessage": {"role": "user", "content": "Hello", "createdAt": 5}}
        return {"id": f"r-{name}", "from_name": name, "to_name": name, "type": "chatmessage", "value": value}
    bare = tag.removesuffix("Labels")
    if tag in ON_OTHERS:
        shown, key, value = ON_OTHERS[tag]
    else:
        shown, key, value = "Image", None if tag in SHAPES else tag.lower(), SHAPES[bare]
    value = copy.deepcopy(value)
    if key is not None:
        value[key] = [labels[:1]] if key == "taxonomy" else labels[:1]
    result = {"id": f"r-{name}", "from_name": name, "to_name": shown.lower(), "type": tag.lower(), "value": value}
    return {**result, "original_width": 3, "original_height": 1} if shown == "Image" else result


def data_of(tags: list[str]) -> dict[str, Any]:
    """Give a task's data for a config."""
    return {each: "Ann met Bob" for tag in tags for each in (object_of(tag).lower(), "chat")}
