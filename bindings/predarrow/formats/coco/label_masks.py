"""Run lengths of one annotation of a COCO data set: as a mask, and as a polygon along pixel edges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from predarrow.formats.coco.checks import segmentation_flaw
from predarrow.formats.coco.label_checks import BadLabel, is_side
from predarrow.formats.coco.masks import flaw_words
from predarrow.refusals import shown
from predarrow.report import Code

if TYPE_CHECKING:
    from predarrow_engine.rle_text import RunLengths


def mask_columns(segmentation: Mapping[str, Any]) -> dict[str, Any]:
    """Give run lengths as the mask column's value.

    Raises:
        BadLabel: they do not hold.
    """
    return _mask(segmentation)[0]


def traced_columns(segmentation: Mapping[str, Any]) -> dict[str, Any]:
    """Give run lengths as a polygon along pixel edges, holes and parts kept, and as the mask that they are.

    Raises:
        BadLabel: they do not hold, or have no pixel.
    """
    from predarrow_engine.instances import ROW_LIMIT
    from predarrow_engine.rle_shapes import RunLengthTracer

    columns, runs = _mask(segmentation)
    size = [columns["mask"]["height"], columns["mask"]["width"]]
    if max(size) > ROW_LIMIT:
        rule = f"height and width must be at most {ROW_LIMIT} to become a polygon"
        raise BadLabel(Code.TOO_LARGE, ".segmentation.size", f"{rule}, got {size}")
    found = RunLengthTracer().trace_counts(runs.counts, runs.offsets, np.array([size], np.int64))
    if not found.area[0]:
        raise BadLabel(Code.BAD_VALUE, ".segmentation", "must have a pixel inside to become a polygon, got none")
    xy = [{"x": x, "y": y} for x, y in zip(found.x.tolist(), found.y.tolist(), strict=True)]
    rings = [xy[slice(*found.ring_offsets[i : i + 2].tolist())] for i in range(len(found.ring_offsets) - 1)]
    parts = [rings[slice(*found.part_offsets[i : i + 2].tolist())] for i in range(len(found.part_offsets) - 1)]
    return columns | {"polygon": parts}


def further_members(record: Mapping[str, Any]) -> dict[str, Any]:
    """Give what run lengths have beside size and counts, under `segmentation`, as `read_coco` keeps it."""
    segmentation = record.get("segmentation")
    if not isinstance(segmentation, Mapping):
        return {}
    further = {key: value for key, value in segmentation.items() if key not in ("size", "counts")}
    return {"segmentation": further} if further else {}


def _mask(segmentation: Mapping[str, Any]) -> tuple[dict[str, Any], RunLengths]:
    from predarrow_engine.rle_text import from_counts, from_strings, to_strings

    size, counts = segmentation.get("size"), segmentation.get("counts")
    if not isinstance(size, list | tuple) or len(size) != 2 or not all(map(is_side, size)):
        raise BadLabel(Code.BAD_VALUE, ".segmentation.size", f"must be height and width, got {shown(size)}")
    sizes, text = np.array([size], np.int64), None
    if isinstance(counts, str | bytes):
        text = counts if isinstance(counts, bytes) else counts.encode("utf-8", "surrogatepass")
        runs = from_strings(np.frombuffer(text, np.uint8), np.array([0, len(text)]), sizes)
    elif isinstance(counts, list) and all(type(run) is int and -(2**63) <= run < 2**63 for run in counts):
        runs = from_counts(np.array(counts, np.int64), np.array([0, len(counts)]), sizes)
    else:
        pointer, message = segmentation_flaw({"size": list(size), "counts": counts})
        raise BadLabel(Code.BAD_VALUE, f".segmentation{pointer}", message)
    if flaw := int(runs.flaw[0]):
        where, message = flaw_words(flaw, int(runs.place[0]), int(runs.total[0]), list(size), text)
        raise BadLabel(Code.BAD_VALUE, where, message)
    strings, _ = to_strings(runs.counts, runs.offsets)
    return {"mask": {"height": size[0], "width": size[1], "counts": strings.tobytes()}}, runs
