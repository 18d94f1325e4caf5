"""Bitmasks -> PNG images in base64; rows that were read of one image become that image again."""

from __future__ import annotations

import base64
import binascii
from itertools import chain, count
from typing import Any

import numpy as np
import numpy.typing as npt

from predarrow.errors import InputError
from predarrow.formats.openlabel.write_geometry import Mask
from predarrow.formats.png import PngDecoder
from predarrow.formats.png_write import grey_png

_INSIDE = 255
MOST_VALUE = 2**16 - 1
"""The largest value of a pixel of a grey PNG."""


class Image:
    """The rows of one image.

    Args:
        kept: its `val`, where that was kept.
        backgrounds: values of pixels that are in no row.
    """

    def __init__(self, kept: Any, backgrounds: frozenset[int]) -> None:
        self._kept = kept
        self._backgrounds = backgrounds
        self._masks: dict[int, Mask] = {}

    def takes(self, value: int, mask: Mask) -> bool:
        """Tell whether a mask can be of this image: of its size, and a value that is not there yet."""
        sizes = {(other.height, other.width) for other in self._masks.values()}
        return value not in self._masks and sizes <= {(mask.height, mask.width)}

    def add(self, value: int | None, mask: Mask) -> None:
        """Take a mask and the value of its pixels; None for what readers take for inside."""
        self._masks[_INSIDE if value is None else value] = mask

    def text(self) -> str:
        """Give `val`: as it was kept where its values are the masks, else a grey PNG of them."""
        values = _values(self._kept) if isinstance(self._kept, str) else None
        first = next(iter(self._masks.values()))
        if values is not None and values.shape == (first.height, first.width):
            others = {int(value) for value in np.unique(values)} - self._masks.keys()
            fill = next(iter(others), 0)
            inside = np.where(np.isin(values, list(others)), fill, values)
            if others <= self._backgrounds and np.array_equal(self._painted(fill), inside):
                return str(self._kept)
        free = (value for value in chain(sorted(self._backgrounds), count()) if value not in self._masks)
        return base64.b64encode(grey_png(self._painted(next(free)))).decode()

    def _painted(self, fill: int) -> npt.NDArray[Any]:
        from predarrow_engine.rle_decode import decode

        first = next(iter(self._masks.values()))
        dtype = np.uint8 if max(fill, *self._masks) < 256 else np.uint16
        pixels = np.full((first.height, first.width), fill, dtype)
        for value, mask in self._masks.items():
            inside = decode(mask.counts, np.array([0, len(mask.counts)]), mask.height, mask.width)[0]
            pixels[inside.view(np.bool_)] = value
        return pixels


def _values(text: str) -> npt.NDArray[Any] | None:
    """Give the values of an image, None of what is none."""
    try:
        return PngDecoder().decode(base64.b64decode(text), "image")
    except (InputError, binascii.Error, ValueError):
        return None
