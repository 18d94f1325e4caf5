"""A labelling config that fits a table."""

from __future__ import annotations

import colorsys
import re
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from predarrow.errors import InputError
from predarrow.formats.given_table import given_batches
from predarrow.formats.label_studio.fitting import Fitting
from predarrow.formats.label_studio.fitting_wants import IMAGE, SOURCE, Want, Wants
from predarrow.formats.label_studio.tags import TAGS
from predarrow.options import one_of
from predarrow.refusals import shown
from predarrow.report import Code, Problem

_Tree = dict[str, "_Tree"]

MASKS = ("brush", "bitmask")
HOLES = ("refuse", "brush", "bitmask")

_STARS = 5
_FILLED: Mapping[str, tuple[str, ...]] = {"labels": ("unlabelled",), "choices": ("none",)}
"""A label of tags that Label Studio wants one of, where rows have none"""
_SCENES = {"Chat": "messages", "List": "items", "Paragraphs": "dialogue", "HyperText": "html"}
"""Members of the data that objects show, where it is not their own name"""
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_SPECIAL = re.compile('[&<>"\t\n\r]')
_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def label_config(
    table: Any,
    *,
    data_key: str | None = None,
    masks: Literal["brush", "bitmask"] = "brush",
    holes: Literal["refuse", "brush", "bitmask"] = "refuse",
) -> str:
    """Give a labelling config, as XML, that the rows of a table fit into; `write_label_studio` writes it beside tasks.

    There is one control for each geometry, with the classes of its rows as labels: RectangleLabels, PolygonLabels,
    EllipseLabels, KeyPointLabels, VectorLabels (polylines), BrushLabels or BitmaskLabels, Labels (spans), and without
    labels for rows of no class. (Labels and Choices must have one: there it is "unlabelled" and "none".) Boxes get a
    VideoRectangle with Labels where a data unit has a frame after its first. Answers in `attributes` get their own
    controls, per region where they are of regions. Rows that `read_label_studio` read get the controls and objects
    that they name. A label's colour follows from its name alone.

    Rows must be on images, videos, texts or sounds alone, as Label Studio wants all that the config shows in every
    task. Kinds that it has no control for, and geometries other than boxes on frames of a video, are left out.

    Args:
        table: predictions with `__arrow_c_stream__` in the prediction table's schema, the rows of a data unit one after
            the other.
        data_key: member of the tasks' data that the objects show; by default "image", "video", "text", … or what the
            tasks have that rows were read from.
        masks: controls of masks: "brush" or "bitmask".
        holes: controls of polygons of several rings: "brush" or "bitmask"; "refuse" leaves these out.

    Raises:
        InputError: a table without the columns, a class that XML cannot hold, or rows that no config can be made for.
        PredarrowError: an option that does not hold.
    """
    one_of("masks", masks, MASKS)
    one_of("holes", holes, HOLES)
    fitting = Fitting(masks, holes)
    for batch in given_batches(table):
        fitting.add(batch)
    return config_text(fitting.finish(), data_key)


def config_text(wants: Wants, data_key: str | None = None) -> str:
    """Give the XML of a config.

    Args:
        wants: what it must have.
        data_key: see `label_config`.

    Raises:
        InputError: a name that XML cannot hold, or that a control and an object share.
    """
    controls, objects = wants.controls, wants.shown()
    body = []
    has_bitmasks = any(want.type.startswith("bitmask") for want in controls.values())
    for name, tag in objects.items():
        variable = data_key or wants.variables.get(name) or _SCENES.get(tag, tag.lower())
        sharp = {"smoothing": "false"} if tag == IMAGE and has_bitmasks else {}
        body.append(_element(tag, {"name": name, "value": f"${variable}", **sharp}))
    body += [_control(name, want) for name, want in controls.items() if want.type != "chatmessage"]
    lines = [f"  {line}" for text in body for line in text.split("\n")]
    return "\n".join(["<View>", *lines, "</View>", ""])


def _control(name: str, want: Want) -> str:
    tag = TAGS[want.type]
    attributes = {"name": name, "toName": ",".join(want.to_name)}
    if want.is_per_region:
        attributes["perRegion"] = "true"
    if want.type == "textarea":
        attributes["editable"] = "true"
    if want.type == "rating":
        attributes["maxRating"] = str(max(_STARS, want.most))
    if want.type == "choices" and want.most > 1:
        attributes["choice"] = "multiple"
    return _element(tag.name, attributes, _children(name, want))


def _children(name: str, want: Want) -> list[str]:
    if want.type == "taxonomy":
        return _branches(_tree(want.paths))
    labels = want.labels or _FILLED.get(want.type, ())
    if want.type == "choices":
        return [_element("Choice", {"value": label}) for label in labels]
    if want.type == "ranker":
        return [_element("Bucket", {"name": bucket}) for bucket in labels if bucket != name]
    return [_element("Label", {"value": label, "background": colour_of(label)}) for label in labels]


def _tree(paths: Iterable[tuple[str, ...]]) -> _Tree:
    """Give paths as choices with the choices below them."""
    root: _Tree = {}
    for path in paths:
        here = root
        for name in path:
            here = here.setdefault(name, {})
    return root


def _branches(tree: _Tree) -> list[str]:
    return [_element("Choice", {"value": name}, _branches(below)) for name, below in tree.items()]


def _element(tag: str, attributes: dict[str, str], children: Iterable[str] = ()) -> str:
    head = f"<{tag}" + "".join(f' {name}="{_escaped(value)}"' for name, value in attributes.items())
    lines = [f"  {line}" for child in children for line in child.split("\n")]
    return "\n".join([f"{head}>", *lines, f"</{tag}>"]) if lines else f"{head}/>"


def _escaped(text: str) -> str:
    """Give a text as an attribute's value.

    Raises:
        InputError: it has a character that XML cannot hold.
    """
    if _FORBIDDEN.search(text):
        rule = f"names must be of characters that XML can hold, got {shown(text)}"
        raise InputError([Problem(SOURCE, None, "", Code.BAD_TEXT, rule)])
    return _SPECIAL.sub(lambda match: _ESCAPES[match.group()], text)


def colour_of(label: str) -> str:
    """Give the colour of a label, `#rrggbb`: its hue follows from the name's CRC-32, so it is the same everywhere."""
    hue = zlib.crc32(label.encode()) / 2**32
    red, green, blue = colorsys.hls_to_rgb(hue, 0.5, 0.8)
    return f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"
