"""Columns of the prediction table -> columns of JSON text, without a Python object for each value.

Numbers are the shortest decimals that read back equal: those of 64-bit floats are `decimals`', all others Arrow's
conversion to text, which gives the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.buffers import flat_text, text_array
from predarrow.formats.json_text import json_text

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

_ESCAPED = np.zeros(256, np.bool_)
_ESCAPED[[*range(32), ord('"'), ord("\\")]] = True
_FEW_DECIMALS = 6
_MOST_DECIMALS = 22  # whose power of ten a float64 still has exactly


def text_of(numbers: pa.Array | npt.NDArray[np.number]) -> pa.StringArray:
    """Give numbers, all of them finite, as JSON has them; null where there is none.

    64-bit floats take 35 to 40 ns each where Arrow takes 60 to 140 for the same text.
    """
    array = pa.array(numbers) if isinstance(numbers, np.ndarray) else numbers
    if array.type != pa.float64() or array.null_count:
        return pc.cast(array, pa.string())
    from predarrow_engine.decimals import texts

    offsets, data = texts(array.to_numpy())
    return pa.StringArray.from_buffers(len(array), pa.py_buffer(offsets), pa.py_buffer(data))


def joined(*pieces: pa.StringArray | str) -> pa.StringArray:
    """Give texts one after the other, row by row; none of them is null."""
    return pc.binary_join_element_wise(*pieces, "")


def quoted(texts: pa.StringArray) -> pa.StringArray:
    """Give texts, none of them null, as JSON strings."""
    return joined(*quoted_pieces(texts))


def quoted_pieces(texts: pa.StringArray) -> list[str | pa.StringArray]:
    """Give what texts, none of them null, are as JSON strings, piece by piece."""
    letters, offsets = flat_text(texts)
    if _ESCAPED[letters[offsets[0] : offsets[-1]]].any():
        return [text_array([json_text(text) for text in texts.to_pylist()])]
    return ['"', texts, '"']


def where(chosen: Bools, texts: pa.StringArray) -> pa.StringArray:
    """Give texts in the rows that are chosen, and empty ones in the others.

    Args:
        chosen: (n,)
        texts: as many as rows are chosen.
    """
    empty = pa.repeat(pa.scalar("", pa.string()), len(chosen))
    return pc.replace_with_mask(empty, pa.array(chosen), texts) if len(texts) else empty


def listed(texts: pa.StringArray, offsets: npt.NDArray[np.int32]) -> pa.StringArray:
    """Give JSON lists of texts.

    Args:
        texts: flat items.
        offsets: (n + 1,) first item of each list.
    """
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), texts)
    return joined("[", pc.binary_join(lists, ","), "]")


def box_text(left: Floats, top: Floats, width: Floats, height: Floats) -> pa.StringArray:
    """Give boxes as [x, y, width, height]."""
    x, y, w, h = (text_of(values) for values in (left, top, width, height))
    return joined("[", x, ",", y, ",", w, ",", h, "]")


def polygon_text(column: pa.ListArray) -> pa.StringArray:
    """Give polygons, none of them null and each part of one ring, as [[x, y, x, y, ...], ...]."""
    parts = column.flatten()
    vertices = parts.flatten().flatten()
    xy = np.stack([vertices.field(axis).to_numpy() for axis in ("x", "y")], 1)
    rings = listed(text_of(xy.ravel()), 2 * _offsets(parts.flatten()))
    return listed(rings, _offsets(column))


def mask_text(column: pa.StructArray, further: pa.StringArray | str = "") -> pa.StringArray:
    """Give run lengths that were found to hold, none of them null, as {"size": [height, width], "counts": text}.

    Args:
        column: (n,) masks.
        further: (n,) what stands behind `counts`, beginning with a comma.
    """
    height, width, counts = column.flatten()
    escaped = pc.replace_substring(counts.cast(pa.string()), "\\", "\\\\")
    return joined('{"size":[', text_of(height), ",", text_of(width), '],"counts":"', escaped, '"', further, "}")


def keypoint_text(column: pa.ListArray) -> pa.StringArray:
    """Give keypoints, nothing in them null but the names, as [x, y, visibility, ...]."""
    points = column.flatten()
    x, y, visibility = (text_of(points.field(name)) for name in ("x", "y", "visibility"))
    return listed(joined(x, ",", y, ",", visibility), _offsets(column))


def sizes_between(low: Floats, high: Floats) -> tuple[Floats, Bools]:
    """Give the width of each box that it was most likely read from, and whether `low + width` is `high`.

    COCO has a width where the table has a right side: of 258.15 and 299.44 the difference is 41.28999999999996, but
    41.29 gives the same right side, and is what was read. So of all widths that give it, that of the fewest decimals
    is taken; where these are more than six, a 32-bit float, as models give them, before it. Where no width gives the
    right side, it is the difference.
    """
    size = high - low
    is_found = np.zeros(len(size), np.bool_)
    left = np.arange(len(size))
    with np.errstate(over="ignore", invalid="ignore"):
        for candidate in _CANDIDATES:
            widths = candidate(high[left] - low[left])
            fits = (low[left] + widths == high[left]) & (widths >= 0)
            size[left[fits]] = widths[fits]
            is_found[left[fits]] = True
            left = left[~fits]
            if not left.size:
                break
    return size, is_found


def _rounded(decimals: int, values: Floats) -> Floats:
    scale = 10.0**decimals
    return np.rint(values * scale) / scale


_CANDIDATES: tuple[Callable[[Floats], Floats], ...] = (
    *(partial(_rounded, decimals) for decimals in range(_FEW_DECIMALS + 1)),
    lambda values: values.astype(np.float32).astype(np.float64),
    *(partial(_rounded, decimals) for decimals in range(_FEW_DECIMALS + 1, _MOST_DECIMALS + 1)),
    lambda values: values,
    lambda values: np.nextafter(values, -np.inf),
    lambda values: np.nextafter(values, np.inf),
)


def _offsets(lists: pa.ListArray) -> npt.NDArray[np.int32]:
    """(n + 1,) offsets that begin with 0, of lists none of which is null."""
    offsets: npt.NDArray[np.int32] = lists.offsets.to_numpy()
    begin: npt.NDArray[np.int32] = offsets - offsets[0]
    return begin
