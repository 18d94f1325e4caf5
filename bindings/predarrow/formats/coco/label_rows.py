"""One annotation of a COCO data set as one row, by the shape of its class in the ontology.

bounding_box             bbox
rotatable_bounding_box   bbox, with attributes.rotation (Encord's place for it) or rotation, degrees
polygon                  segmentation: lists of coordinates, one flat list, or run lengths; else the box's corners
bitmask                  segmentation: run lengths, compressed or not
point, skeleton          keypoints
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from predarrow.formats.coco.label_checks import BadLabel, json_of, number_of
from predarrow.formats.coco.label_masks import further_members, mask_columns, traced_columns
from predarrow.formats.coco.names import is_utf8
from predarrow.refusals import shown
from predarrow.report import Code

_NO_SEGMENTATION = "polygon made of its box, as there is no segmentation"
_LEFT_OUT = "{} left out: its class is a {}"
_TAKEN = ("image_id", "category_id", "bbox", "segmentation", "keypoints")


class Label(NamedTuple):
    """Columns of one row, and what the report is to be told."""

    columns: dict[str, Any]
    flags: list[str]


def label_row(record: Mapping[str, Any], shape: str, names: Sequence[str], confidence_field: str | None) -> Label:
    """Give the row of an annotation, without its data unit and class.

    Args:
        record: the annotation; it is not changed.
        shape: of its class, one of `SHAPES`.
        names: of its category's keypoints, if any.
        confidence_field: name of the member that is its confidence.

    Raises:
        BadLabel: it does not hold.
    """
    columns, flags = SHAPES[shape](record, names)
    flags += [_LEFT_OUT.format(key, shape) for key in ("segmentation", "keypoints") if _is_lost(record, key, columns)]
    left_out = {*_TAKEN, *([confidence_field] if confidence_field else [])}
    if confidence_field is not None and record.get(confidence_field) is not None:
        columns["confidence"] = number_of(record[confidence_field], f".{confidence_field}")
    kept = {key: value for key, value in record.items() if key not in left_out}
    if "mask" in columns:
        kept |= further_members(record)
    columns["attributes"] = json_of(kept) if kept else None
    columns["object_id"] = _track(record)
    return Label(columns, flags)


def _is_lost(record: Mapping[str, Any], key: str, columns: Mapping[str, Any]) -> bool:
    is_used = {"segmentation": {"polygon", "mask"}, "keypoints": {"keypoints"}}[key] & columns.keys()
    return bool(record.get(key)) and not is_used


def _box(record: Mapping[str, Any], names: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    return {"kind": "bbox", "bbox": _corners(record)}, []


def _rotated(record: Mapping[str, Any], names: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    attributes = record.get("attributes")
    nested = attributes.get("rotation") if isinstance(attributes, Mapping) else None
    value, pointer = (record.get("rotation"), ".rotation") if nested is None else (nested, ".attributes.rotation")
    rotation = 0.0 if value is None else number_of(value, pointer)
    return {"kind": "rotated_bbox", "bbox": _corners(record), "rotation": rotation}, []


def _polygon(record: Mapping[str, Any], names: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    segmentation = record.get("segmentation")
    columns: dict[str, Any] = {"kind": "polygon"}
    if record.get("bbox") is not None:
        columns["bbox"] = _corners(record)
    if isinstance(segmentation, Mapping):
        return columns | traced_columns(segmentation), []
    if segmentation is None or segmentation == []:
        box = _corners(record)
        xmin, ymin, xmax, ymax = (box[side] for side in ("xmin", "ymin", "xmax", "ymax"))
        ring = [{"x": x, "y": y} for x, y in ((xmin, ymin), (xmin, ymax), (xmax, ymax), (xmax, ymin))]
        return columns | {"polygon": [[ring]]}, [_NO_SEGMENTATION]
    return columns | {"polygon": [[ring] for ring in _rings(segmentation)]}, []


def _mask(record: Mapping[str, Any], names: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    segmentation = record.get("segmentation")
    if not isinstance(segmentation, Mapping):
        rule = "must be run lengths, {size, counts}, for a bitmask"
        hint = "map the category to a class of shape polygon"
        raise BadLabel(Code.BAD_VALUE, ".segmentation", f"{rule}, got {shown(segmentation)}; {hint}")
    columns: dict[str, Any] = {"kind": "bitmask"} | mask_columns(segmentation)
    if record.get("bbox") is not None:
        columns["bbox"] = _corners(record)
    return columns, []


def _keypoints(record: Mapping[str, Any], names: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    values = record.get("keypoints")
    if not isinstance(values, list) or not values or len(values) % 3:
        raise BadLabel(Code.BAD_VALUE, ".keypoints", f"must be x, y, visibility of each point, got {shown(values)}")
    points = []
    for i in range(0, len(values), 3):
        x, y, visibility = (number_of(values[k], f".keypoints[{k}]") for k in range(i, i + 3))
        if visibility not in (0, 1, 2):
            raise BadLabel(Code.BAD_VALUE, f".keypoints[{i + 2}]", f"must be 0, 1 or 2, got {visibility}")
        name = names[i // 3] if 3 * len(names) == len(values) else None
        points.append({"name": name, "x": x, "y": y, "visibility": int(visibility)})
    columns: dict[str, Any] = {"kind": "keypoints", "keypoints": points}
    if record.get("bbox") is not None:
        columns["bbox"] = _corners(record)
    return columns, []


SHAPES: Mapping[str, Callable[[Mapping[str, Any], Sequence[str]], tuple[dict[str, Any], list[str]]]] = {
    "bounding_box": _box,
    "rotatable_bounding_box": _rotated,
    "polygon": _polygon,
    "bitmask": _mask,
    "point": _keypoints,
    "skeleton": _keypoints,
}
"""How an annotation is read, by the shape of its class."""


def _corners(record: Mapping[str, Any]) -> dict[str, float]:
    values = record.get("bbox")
    if not isinstance(values, list | tuple) or len(values) != 4:
        raise BadLabel(Code.BAD_BOX, ".bbox", f"must be x, y, width and height, got {shown(values)}")
    x, y, width, height = (number_of(value, f".bbox[{i}]") for i, value in enumerate(values))
    for i, size in ((2, width), (3, height)):
        if size < 0:
            raise BadLabel(Code.BAD_BOX, f".bbox[{i}]", f"must be at least 0, got {size}")
    return {"xmin": x, "ymin": y, "xmax": x + width, "ymax": y + height}


def _rings(segmentation: Any) -> list[list[dict[str, float]]]:
    """Rings of lists of coordinates, or of one flat list; a first vertex that is repeated at the end is left out."""
    if not isinstance(segmentation, list):
        rule = "must be lists of coordinates or run lengths"
        raise BadLabel(Code.BAD_VALUE, ".segmentation", f"{rule}, got {shown(segmentation)}")
    is_flat = not isinstance(segmentation[0], list)
    rings = []
    for i, values in enumerate([segmentation] if is_flat else segmentation):
        pointer = ".segmentation" if is_flat else f".segmentation[{i}]"
        if not isinstance(values, list) or len(values) < 6 or len(values) % 2:
            rule = "must be x and y of at least 3 vertices"
            got = f"{len(values)} numbers" if isinstance(values, list) else shown(values)
            raise BadLabel(Code.BAD_VALUE, pointer, f"{rule}, got {got}")
        numbers = [number_of(value, f"{pointer}[{k}]") for k, value in enumerate(values)]
        ring = [{"x": numbers[k], "y": numbers[k + 1]} for k in range(0, len(numbers), 2)]
        rings.append(ring[:-1] if len(ring) > 3 and ring[0] == ring[-1] else ring)
    return rings


def _track(record: Mapping[str, Any]) -> str | None:
    """Id of the object that an annotation is of: Encord's own, a track's, or YouTube-VIS's."""
    attributes = record.get("attributes")
    nested = attributes if isinstance(attributes, Mapping) else {}
    places = [(nested, ".attributes", "encord_track_uuid"), (nested, ".attributes", "track_id")]
    for members, pointer, name in [*places, (record, "", "track_id"), (record, "", "instance_id")]:
        value = members.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            if not is_utf8(str(value)):
                rule = "must be text that UTF-8 can hold"
                raise BadLabel(Code.BAD_TEXT, f"{pointer}.{name}", f"{rule}, got {shown(value)}")
            return str(value)
    return None
