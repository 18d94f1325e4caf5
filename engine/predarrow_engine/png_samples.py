"""PNG's rebuilt rows turned into values: packed samples spread, colours packed and looked up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import kernel
from predarrow_engine.png import DONE, UNFIT


@kernel
def unpack(
    rows: npt.NDArray[np.uint8], origin: int, row_bytes: int, bits: int, width: int, samples: npt.NDArray[np.uint8]
) -> int:
    """Spread packed samples, the leftmost in a byte's high bits, to one byte each; values are not scaled.

    Args:
        rows: uint8, packed rows of `row_bytes` from `origin` on.
        origin: offset in `rows` of the first row.
        row_bytes: bytes of a row, ceil(width * bits / 8).
        bits: 1, 2 or 4 bits a sample.
        width: samples of a row.
        samples: (n_rows * width,) uint8, filled; its size says how many rows there are.

    Returns:
        `DONE`, or `UNFIT`.
    """
    if width < 1 or (bits != 1 and bits != 2 and bits != 4):
        return UNFIT
    per_byte = 8 // bits
    n_rows = samples.size // width
    if origin < 0 or row_bytes * per_byte < width or origin + n_rows * row_bytes > rows.size:
        return UNFIT
    mask = (1 << bits) - 1
    whole = width // per_byte
    for y in range(n_rows):
        row = rows[origin + y * row_bytes : origin + (y + 1) * row_bytes]
        line = samples[y * width : (y + 1) * width]
        for i in range(whole):
            for k in range(per_byte):
                line[i * per_byte + k] = row[i] >> (8 - bits * (k + 1)) & mask
        for x in range(whole * per_byte, width):
            line[x] = row[whole] >> (8 - bits * (x % per_byte + 1)) & mask
    return DONE


@kernel
def pack_colours(rgb: npt.NDArray[np.uint8], ids: npt.NDArray[np.uint32]) -> int:
    """Write R + 256 G + 65536 B for each pixel, COCO panoptic's ids.

    Args:
        rgb: (3 * n_pixels,) uint8.
        ids: (n_pixels,) uint32, filled.

    Returns:
        `DONE`, or `UNFIT`.
    """
    if rgb.size < 3 * ids.size:
        return UNFIT
    lanes = ids.view(np.uint8)  # byte by byte LLVM makes vectors of it: a third of the time of shifts
    for i in range(ids.size):
        for k in range(3):
            lanes[4 * i + k] = rgb[3 * i + k]
        lanes[4 * i + 3] = 0
    return DONE


@kernel
def map_colours(ids: npt.NDArray[np.uint32], colours: npt.NDArray[np.uint32], values: npt.NDArray[np.uint32]) -> int:
    """Replace each packed colour by its value, in place.

    Neighbours mostly have the same colour, so the search runs only where it changes.

    Args:
        ids: (n_pixels,) uint32, R + 256 G + 65536 B.
        colours: (n_colours,) uint32, at least one, sorted.
        values: (n_colours,) uint32.

    Returns:
        `DONE`, `UNFIT`, or the index of the first pixel whose colour is not among `colours`.
    """
    if colours.size < 1 or colours.size != values.size:
        return UNFIT
    colour = colours[0]
    value = values[0]
    for i in range(ids.size):
        if ids[i] != colour:
            colour = ids[i]
            k = np.searchsorted(colours, colour)
            if k == colours.size or colours[k] != colour:
                return i
            value = values[k]
        ids[i] = value
    return DONE
