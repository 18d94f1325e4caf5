"""Results of Ultralytics' models as prediction rows. They are read by their attributes; nothing is imported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, Literal, NamedTuple, Unpack

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.classes import Classes
from predarrow.models.adapters import InstanceOptions, as_list, check_names, joined, mask_rows, named, per_image
from predarrow.models.arrays import as_array, bad_array
from predarrow.models.detections import from_detections
from predarrow.refusals import shown
from predarrow.report import Report
from predarrow.table import SCHEMA, polygon_array

TOO_FEW_POINTS = "polygon has fewer than 3 points"


def from_ultralytics(
    results: Any,
    image_ids: Any = None,
    *,
    classes: Classes | None = None,
    frames: Any = None,
    report: Report | None = None,
    **options: Unpack[InstanceOptions],
) -> pa.Table:
    """Give the `Results` of an Ultralytics model as prediction rows: boxes, rotated boxes or masks.

    Masks are traced where they have the image's size (`retina_masks=True`). Where they have the network's, the
    polygons are those that Ultralytics drew (`masks.xy`): one ring each, and what asks for the mask is refused.
    Track ids become object ids.

    Args:
        results: one `Results`, or the iterable that `model(...)` or `model.track(...)` gives.
        image_ids: one per image; by default the name of its file (`results.path`).
        classes: names by number; by default the model's own (`results.names`).
        frames: one per image; needed where an image id stands twice, as for a video.
        report: counts what is left out by rule.
        options: see `InstanceOptions`.

    Raises:
        InputError: results of another kind (classification, poses), an image id that stands twice without frames,
            or what `from_detections` and `from_masks` raise.
        TypeError: an option that there is not.
    """
    check_names(options)
    results = [results] if hasattr(results, "orig_shape") else as_list(results, "results", "Results of Ultralytics")
    for i, result in enumerate(results):
        if not hasattr(result, "orig_shape"):
            raise bad_array(f"results[{i}]", "must be Results of Ultralytics", shown(result))
    if image_ids is None:
        image_ids = [_file_name(result, i) for i, result in enumerate(results)]
    ids = per_image(image_ids, len(results), "image_ids")
    if frames is None and len(set(ids)) < len(ids):
        twice = next(key for key in ids if ids.count(key) > 1)
        raise bad_array("frames", "must be given where an image id stands twice, as for a video", f"None and {twice!r}")
    numbers = per_image(0 if frames is None else frames, len(results), "frames", one=True)
    rows = [_of_image(result, f"results[{i}]") for i, result in enumerate(results)]
    tables = []
    for result, found, key, frame in zip(results, rows, ids, numbers, strict=True):
        names = result.names if classes is None else classes
        common = {"classes": names, "object_ids": found.object_ids, "report": report}
        with named(found.where):
            tables.append(_table(result, found, key, frame, common, options))
    return joined(tables, [len(found.labels) for found in rows])


class _Found(NamedTuple):
    """What a model found in one image."""

    where: str
    kind: Literal["boxes", "masks", "obb"]
    scores: npt.NDArray[Any]
    labels: npt.NDArray[np.int64]
    object_ids: npt.NDArray[np.int64] | None


def _of_image(result: Any, where: str) -> _Found:
    there = [
        name for name in ("boxes", "masks", "obb", "keypoints", "probs") if getattr(result, name, None) is not None
    ]
    if "keypoints" in there:
        hint = "from_detections takes the boxes of a pose alone: results.boxes.xyxy, .conf, .cls"
        raise bad_array(where, "must have boxes, masks or obb and no keypoints", f"{', '.join(there)}; {hint}")
    kind: Literal["boxes", "masks", "obb"] = "obb" if "obb" in there else "masks" if "masks" in there else "boxes"
    values = getattr(result, "obb" if kind == "obb" else "boxes", None)
    if values is None:
        raise bad_array(where, "must have boxes, masks or obb", ", ".join(there) or "none")
    ids = None if values.id is None else _whole(values.id, f"{where}.id")
    return _Found(where, kind, as_array(values.conf, f"{where}.conf"), _whole(values.cls, f"{where}.cls"), ids)


def _table(
    result: Any, found: _Found, key: str | int, frame: int, common: dict[str, Any], options: InstanceOptions
) -> pa.Table:
    height, width = (int(side) for side in result.orig_shape)
    given = (found.scores, found.labels, key)
    common = {**common, "frames": frame, "image_sizes": (height, width)}
    if found.kind == "obb":
        turned = as_array(result.obb.xywhr, "obb.xywhr").astype(np.float64).reshape(-1, 5)
        degrees = np.degrees(turned[:, 4])
        return from_detections(turned[:, :4], *given, box_format="cxcywh", rotations=degrees, **common)
    if found.kind == "boxes":
        return from_detections(result.boxes.xyxy, *given, **common)
    masks = as_array(result.masks.data, "masks")
    if masks.shape[1:] != (height, width):
        if options:
            got = f"{masks.shape[2]} x {masks.shape[1]} and {', '.join(options)}; predict with retina_masks=True"
            raise bad_array("masks", f"must be {width} x {height} as the image is", got)
        return _drawn(result.masks.xy, given, common)
    columns = {name: common[name] for name in ("classes", "object_ids", "report")}
    scores, labels, _ = given
    return mask_rows(masks, options, scores=scores, labels=labels, data_unit=key, frame=frame, **columns)


def _drawn(polygons: Any, given: tuple[Any, ...], common: dict[str, Any]) -> pa.Table:
    """Give polygons that Ultralytics drew, of one ring each, with their covers; those without an area are left out."""
    rings = [as_array(ring, "masks.xy").reshape(-1, 2) for ring in polygons]
    kept = [i for i, ring in enumerate(rings) if len(ring) > 2]
    if len(kept) < len(rings) and common["report"] is not None:
        common["report"].skipped[TOO_FEW_POINTS] += len(rings) - len(kept)
    scores, labels, key = given
    ids = common["object_ids"]
    common["object_ids"] = None if ids is None else ids[kept]
    covers = [np.concatenate([rings[i].min(0), rings[i].max(0)]) for i in kept]
    table = from_detections(np.reshape(covers, (-1, 4)), scores[kept], labels[kept], key, **common)
    places = [kept[row] for row in table["row"].to_pylist()]  # a class may be left out
    columns = {"kind": pa.repeat("polygon", len(places)), "polygon": _one_ring([rings[i] for i in places])}
    columns["row"] = pa.array(places, pa.int64())
    for name, column in columns.items():
        at = SCHEMA.get_field_index(name)
        table = table.set_column(at, SCHEMA.field(at), column)
    return table


def _one_ring(rings: Sequence[npt.NDArray[Any]]) -> pa.Array:
    x, y = np.concatenate([np.empty((0, 2), np.float32), *rings]).astype(np.float32).T
    one = np.arange(len(rings) + 1, dtype=np.int32)
    vertices = np.concatenate([[0], np.cumsum([len(ring) for ring in rings])]).astype(np.int32)
    return polygon_array(x, y, vertices, one, one)


def _whole(values: Any, where: str) -> npt.NDArray[np.int64]:
    """Give classes and track ids, which Ultralytics has as floats, as the whole numbers that they are."""
    numbers = as_array(values, where)
    with np.errstate(invalid="ignore"):  # NaN and infinity are told below
        whole = numbers.astype(np.int64)
    if (whole != numbers).any():
        raise bad_array(where, "must be whole numbers", shown(numbers.tolist()))
    return whole


def _file_name(result: Any, i: int) -> str:
    path = getattr(result, "path", None)
    if not path:
        raise bad_array(f"results[{i}].path", "must be there where image_ids are not given", repr(path))
    return PurePath(path).name
