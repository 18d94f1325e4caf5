"""Slow twin of the run lengths, written to be read."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine import rle_text


def counts(mask: npt.NDArray[Any]) -> list[int]:
    """Give the lengths of the runs down the columns: zeros first, then ones, and so on."""
    lengths = [0]
    value = False
    for inside in (mask.T != 0).ravel().tolist():
        if inside != value:
            lengths.append(0)
            value = inside
        lengths[-1] += 1
    return lengths


def to_string(lengths: list[int]) -> bytes:
    """Give COCO's compressed string of run lengths: from the fourth on, each less the one two before it."""
    characters = []
    for i, length in enumerate(lengths):
        value = length - lengths[i - 2] if i > 2 else length
        while True:
            bits, value = value & 0x1F, value >> 5  # two's complement: the sign goes on for ever
            is_last = value == (-1 if bits & 0x10 else 0)
            characters.append(48 + bits + (0 if is_last else 0x20))
            if is_last:
                break
    return bytes(characters)


def from_string(string: bytes) -> list[int]:
    """Give the run lengths of COCO's compressed string."""
    lengths: list[int] = []
    value = shift = 0
    for character in string:
        bits = character - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            value -= (bits & 0x10) << (shift - 4)
            lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
            value = shift = 0
    return lengths


class Read(NamedTuple):
    """What a string turned out to be: see `rle_text.RunLengths`."""

    lengths: list[int]
    flaw: int
    place: int
    total: int


def read(string: bytes, height: int, width: int) -> Read:
    """Give the run lengths of a string, or what is wrong with it."""
    lengths: list[int] = []
    over = None
    begin = 0
    while begin < len(string):
        end = begin
        while end < len(string) and 48 <= string[end] < 112 and (string[end] - 48) & 0x20 and end - begin < 12:
            end += 1
        if end == len(string):
            return Read(lengths, rle_text.TRUNCATED, begin, sum(lengths))
        if not 48 <= string[end] < 112:
            return Read(lengths, rle_text.BAD_CHARACTER, end, sum(lengths))
        if end - begin == 12:
            return Read(lengths, rle_text.LONG_NUMBER, begin, sum(lengths))
        value = from_string(string[begin : end + 1])[0] + (lengths[-2] if len(lengths) > 2 else 0)
        if value < 0:
            return Read(lengths, rle_text.NEGATIVE_COUNT, begin, sum(lengths))
        lengths.append(value)
        if sum(lengths) > height * width and over is None:
            over = begin
        if value > rle_text.PIXEL_LIMIT:
            break
        begin = end + 1
    if sum(lengths) != height * width:
        return Read(lengths, rle_text.WRONG_SUM, len(string) if over is None else over, sum(lengths))
    return Read(lengths, rle_text.OK, 0, sum(lengths))


def decode(string: bytes, height: int, width: int) -> npt.NDArray[np.bool_]:
    """Give the mask of COCO's compressed string."""
    lengths = from_string(string)
    values = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    return values.reshape(width, height).T


def bbox(mask: npt.NDArray[Any]) -> list[float]:
    """Give xmin, ymin, xmax, ymax of the pixels that are not 0; NaN where there are none."""
    y, x = np.nonzero(mask)
    if not x.size:
        return [float("nan")] * 4
    return [float(x.min()), float(y.min()), float(x.max() + 1), float(y.max() + 1)]
