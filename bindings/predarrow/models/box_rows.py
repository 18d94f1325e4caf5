"""Boxes of one image or of many as rows, and what belongs to them, row by row or image by image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.models.arrays import (
    arrow,
    as_array,
    as_column,
    bad_array,
    frame_numbers,
    scalar,
    shape,
    texts,
    whole_numbers,
)

_SIZE_LIMIT = 2**31


class BoxRows:
    """Boxes as rows, and which image each is of, where they were given image by image."""

    def __init__(self, boxes: Any) -> None:
        """Take (n, 4) boxes, or a list of them per image."""
        self._counts: list[int] | None = None
        if _is_batch(boxes):
            parts = [_boxes(part, f"boxes[{i}]") for i, part in enumerate(boxes)]
            self._counts = [len(part) for part in parts]
            self.boxes = np.concatenate(parts)
        else:
            self.boxes = _boxes(boxes, "boxes")
        self.n = len(self.boxes)

    def place(self, where: str, row: int) -> str:
        """Give the place of a row's value as the caller wrote it: `boxes[17]`, `boxes[3][17]`."""
        for image, count in enumerate(self._counts or ()):
            if row < count:
                return f"{where}[{image}][{row}]"
            row -= count
        return f"{where}[{row}]"

    def joined(self, values: Any, where: str) -> Any:
        """Give what was given per image as one list or array; anything else as it is."""
        if self._counts is None or values is None or scalar(values) is not None:
            return values
        parts = [_part(part, f"{where}[{i}]") for i, part in enumerate(self._entries(values, where))]
        for i, (part, count) in enumerate(zip(parts, self._counts, strict=True)):
            got = part.shape if isinstance(part, np.ndarray) else (len(part),)
            if got != (count,):
                raise bad_array(
                    f"{where}[{i}]", f"must have shape ({count},), one value for each box of its image", got
                )
        filled = [part for part in parts if len(part)]
        if all(isinstance(part, (list, tuple)) for part in filled):
            return [value for part in filled for value in part]
        return np.concatenate([as_array(part, where) for part in filled])

    def per_image(self, ids: Any, where: str) -> str | pa.Array:
        """Give the text of each row's image."""
        if self._counts is None:
            return texts(ids, self.n, where)
        entries = self._entries(ids, where)
        if all(isinstance(entry, str) for entry in entries):
            with suppress(UnicodeEncodeError):
                return _repeated(entries, self._counts)
        return _repeated(as_column(texts(entries, len(self._counts), where), where).to_pylist(), self._counts)

    def frames(self, frames: Any) -> int | pa.Array:
        """Give the frame of each row."""
        if self._counts is not None and scalar(frames) is None:
            frames = whole_numbers(self._entries(frames, "frames"), len(self._counts), "frames")[self._image_of()]
        numbers = frame_numbers(frames, self.n, "frames")
        return numbers if isinstance(numbers, int) else arrow(numbers)

    def sizes(self, sizes: Any, ids: Any) -> npt.NDArray[np.int64] | None:
        """Give height and width of all rows' image (2,), or of each row's (n, 2)."""
        if sizes is None:
            return None
        n = self.n if self._counts is None else len(self._counts)
        if isinstance(sizes, Mapping):
            keys = as_column([ids] if scalar(ids) is not None else ids, "image_ids").to_pylist()
            sizes = [_size_of(sizes, key) for key in keys]
            sizes = sizes[0] if scalar(ids) is not None else sizes
        values = as_array(sizes, "image_sizes")
        if values.size == 0 and n == 0:
            return np.zeros((0, 2), np.int64)
        if values.shape not in ((2,), (n, 2)):
            raise bad_array("image_sizes", f"must be (height, width), or have shape ({n}, 2)", shape(values))
        with np.errstate(invalid="ignore"):  # NaN is told below
            whole = values.astype(np.int64) if values.dtype.kind in "iuf" else np.zeros((2,), np.int64)
        if not ((whole == values) & (whole > 0) & (whole < _SIZE_LIMIT)).all():
            raise bad_array("image_sizes", "must be whole numbers of pixels of at least 1", values.tolist())
        return whole if whole.ndim == 1 or self._counts is None else whole[self._image_of()]

    def _entries(self, values: Any, where: str) -> Any:
        n = len(self._counts or ())
        if not hasattr(values, "__len__") or isinstance(values, str) or len(values) != n:
            got = len(values) if hasattr(values, "__len__") and not isinstance(values, str) else repr(values)
            raise bad_array(where, f"must have {n} entries, one for each image of boxes", got)
        return values

    def _image_of(self) -> npt.NDArray[np.int64]:
        counts = self._counts or []
        return np.repeat(np.arange(len(counts)), counts)


def _repeated(entries: Sequence[str], counts: Sequence[int]) -> pa.Array:
    """Give each text as often as counted; from buffers, at a third of the time of Arrow's calls for few images."""
    encoded = [entry.encode() for entry in entries]
    offsets = np.zeros(sum(counts) + 1, np.int32)
    np.cumsum(np.repeat([len(text) for text in encoded], counts), out=offsets[1:])
    data = b"".join([text * count for text, count in zip(encoded, counts, strict=True)])
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data))


def _is_batch(boxes: Any) -> bool:
    """Whether boxes are a list of (n, 4) rather than of n boxes: its entries have rows, or none has anything."""
    if not isinstance(boxes, (list, tuple)) or not boxes:
        return False
    shapes = [_shape(entry) for entry in boxes]
    return any(len(shape) == 2 for shape in shapes) or all(shape == (0,) for shape in shapes)


def _shape(entry: Any) -> tuple[int, ...]:
    if isinstance(entry, (list, tuple)):
        return (len(entry), *(_shape(entry[0]) if entry else ()))
    if isinstance(entry, (int, float)):
        return ()
    return tuple(entry.shape) if hasattr(entry, "shape") else as_array(entry, "boxes").shape


def _part(values: Any, where: str) -> Any:
    """Give one image's values as a list or an array."""
    if isinstance(values, (list, tuple, np.ndarray)):
        return values
    if hasattr(values, "__arrow_c_stream__") or isinstance(values, pa.Array):
        return as_column(values, where).to_pylist()
    return as_array(values, where)


def _boxes(boxes: Any, where: str) -> npt.NDArray[np.float32] | npt.NDArray[np.float64]:
    array = as_array(boxes, where)
    if array.size == 0 and array.ndim <= 2:
        return np.empty((0, 4), np.float32)
    if array.ndim != 2 or array.shape[1] != 4:
        hint = "; give a batch as list(boxes)" if array.ndim == 3 and where == "boxes" else ""
        raise bad_array(where, "must have shape (n, 4)", f"{shape(array)}{hint}")
    if array.dtype in (np.float32, np.float64):
        return array
    if array.dtype.kind not in "fiu":
        raise bad_array(where, "must be numbers", array.dtype)
    return array.astype(np.float64)


def _size_of(sizes: Mapping[Any, Any], key: Any) -> Any:
    found = sizes.get(key, sizes.get(str(key)))
    if found is None:
        raise bad_array("image_sizes", "must have the size of every image", f"none of {key!r}")
    return found
