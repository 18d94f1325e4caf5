"""Masks as Label Studio has them: a brush's run lengths, or an image behind a data URL.

The image has one bit a pixel: black, and transparent outside. A browser draws it as it draws the editor's own, which
has 32 bits, and takes a hundredth of the time to write.

Source: PNG specification, third edition, sections 11.2.2 (palette) and 11.3.1.1 (its transparency).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.formats.label_studio.data_urls import png_url
from predarrow.formats.png_write import mask_png

Ints = npt.NDArray[np.int64]


def brush_text(column: pa.StructArray) -> pa.StringArray:
    """Give masks, all of which hold, as JSON lists of a brush's bytes."""
    from predarrow_engine.brush import encode
    from predarrow_engine.brush_text import to_texts

    found = encode(*_counts(column))
    letters, offsets = to_texts(found.values, found.offsets)
    return _text_column(letters, offsets)


def bitmask_text(column: pa.StructArray) -> pa.StringArray:
    """Give masks, all of which hold, as data URLs of PNG images."""
    from predarrow_engine.rle_decode import decode
    from predarrow_engine.rle_text import from_strings

    counts, offsets, sizes = _counts(column)
    texts = []
    for row, (height, width) in enumerate(sizes.tolist()):
        runs = from_strings(counts, offsets[row : row + 2], sizes[row : row + 1])
        mask = decode(runs.counts, runs.offsets, height, width)[0]
        texts.append(png_url(mask_png(mask)))
    return pa.array(texts, pa.string())


def _counts(column: pa.StructArray) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32], Ints]:
    """Give the bytes of masks' run lengths, (n + 1,) where they begin, and (n, 2) height and width."""
    height, width, counts = column.flatten()
    sizes = np.stack([side.to_numpy(zero_copy_only=False) for side in (height, width)], 1).astype(np.int64)
    _, offsets, data = counts.buffers()
    letters = np.frombuffer(data, np.uint8) if data is not None and data.size else np.empty(0, np.uint8)
    return letters, np.frombuffer(offsets, np.int32, len(counts) + 1, 4 * counts.offset), np.ascontiguousarray(sizes)


def _text_column(letters: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> pa.StringArray:
    data = [None, pa.py_buffer(offsets), pa.py_buffer(letters)]
    return pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, data).cast(pa.string())
