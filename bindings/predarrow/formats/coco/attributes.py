"""What of a COCO record has no column of its own, as JSON: id, area, iscrowd and unknown keys, digit by digit.

Members of run lengths beside `size` and `counts` stand under `segmentation`.
"""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.buffers import text_array, validity
from predarrow.formats.coco.checks import Block

_NAMES = ('"id"', '"area"', '"iscrowd"', '"keypoints"')


def attribute_column(
    block: Block, chosen: npt.NDArray[np.int64], keeps_points: npt.NDArray[np.bool_] | None
) -> pa.Array | None:
    """Give the attributes of chosen records as JSON texts, null where there are none; None for none at all.

    Args:
        block: the records.
        chosen: (m,) those to give.
        keeps_points: (n,) records whose keypoints are kept as they stand, too; None for none.
    """
    from predarrow_engine.json_members import objects

    records = block.records
    has_further = records.segmentation.has_further[chosen]
    is_plain = not any(column.kind.any() for column in (records.id, records.area, records.iscrowd))
    if not has_further.any() and is_plain and keeps_points is None and not records.others.spans.size:
        return None
    points = np.zeros_like(records.id.span)
    if keeps_points is not None:
        points[keeps_points] = records.keypoints.span[keeps_points]
    fields = np.stack([records.id.span, records.area.span, records.iscrowd.span, points], axis=1)
    name_offsets = np.cumsum([0, *map(len, _NAMES)])
    offsets, texts = objects(
        block.data.array,
        np.frombuffer("".join(_NAMES).encode(), np.uint8),
        name_offsets,
        fields,
        records.others.offsets,
        records.others.spans,
        chosen,
    )
    bits = validity(np.diff(offsets) > 0)
    column = pa.StringArray.from_buffers(chosen.size, pa.py_buffer(offsets), pa.py_buffer(texts), bits)
    return _with_further(column, block, chosen, has_further) if has_further.any() else column


def _with_further(
    column: pa.StringArray, block: Block, chosen: npt.NDArray[np.int64], has_further: npt.NDArray[np.bool_]
) -> pa.StringArray:
    """Add the members of run lengths that are neither `size` nor `counts`; hardly any file has them."""
    texts = column.to_pylist()
    spans = block.records.segmentation.span
    for place in np.flatnonzero(has_further).tolist():
        members = json.loads(block.data[slice(*spans[chosen[place]].tolist())])
        further = {key: value for key, value in members.items() if key not in ("size", "counts")}
        own = "{}" if texts[place] is None else texts[place]
        comma = "" if own == "{}" else ","
        texts[place] = f'{own[:-1]}{comma}"segmentation":{json.dumps(further)}}}'
    return text_array(texts)
