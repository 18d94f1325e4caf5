"""Slow twin of Label Studio's brushes, with bits as text, written to be read."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine import brush_read

SIZES = (3, 4, 8, 16)


class Chunk(NamedTuple):
    """A repeated value, or values one by one."""

    which: int
    """0 to 3: the size of the length"""
    length: int
    values: tuple[int, ...]
    """one for a chunk that repeats, else as many as the length says"""
    repeats: bool


def to_bytes(bits: str) -> bytes:
    """Give bits, highest first, as bytes, with zeros up to the next one."""
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))


def pack(chunks: Sequence[Chunk], number: int, word_size: int = 8, sizes: Sequence[int] = SIZES) -> bytes:
    """Give the bytes of a header and chunks, whatever they hold."""
    bits = f"{number:032b}{word_size - 1:05b}" + "".join(f"{size - 1:04b}" for size in sizes)
    for chunk in chunks:
        bits += f"{chunk.repeats:b}{chunk.which:02b}{chunk.length - 1:0{sizes[chunk.which]}b}"
        bits += "".join(f"{value:0{word_size}b}" for value in chunk.values)
    return to_bytes(bits)


def encode(mask: npt.NDArray[Any]) -> bytes:
    """Give the bytes of a mask: 255 where it is not 0, in four channels."""
    chunks = []
    for value, run in itertools.groupby(np.repeat((mask != 0).ravel(), 4).tolist()):
        length = len(list(run))
        pieces = [2**16] * ((length - 1) // 2**16)
        rest = length - sum(pieces)
        which = 3 if pieces else next(at for at, size in enumerate(SIZES) if rest <= 2**size)
        chunks += [Chunk(3, piece, (255 * value,), True) for piece in pieces]
        chunks.append(Chunk(which, rest, (255 * value,), True))
    data = pack(chunks, 4 * mask.size)
    bits = 53 + sum(3 + SIZES[chunk.which] + 8 for chunk in chunks)
    return data if bits % 8 else data + b"\0"


class Unpacked(NamedTuple):
    """What bytes turned out to be."""

    values: list[int]
    flaw: int
    place: int
    spare: int


def unpack(data: bytes, n_pixels: int) -> Unpacked:
    """Give the values of a brush of so many pixels, or what is wrong with it."""
    bits = "".join(f"{byte:08b}" for byte in data)
    if len(bits) < 53:
        return Unpacked([], brush_read.NO_HEADER, 0, 0)
    number, word_size = int(bits[:32], 2), int(bits[32:37], 2) + 1
    sizes = [int(bits[at : at + 4], 2) + 1 for at in range(37, 53, 4)]
    if number != 4 * n_pixels:
        return Unpacked([], brush_read.WRONG_NUMBER, 0, 0)
    if word_size > 8:
        return Unpacked([], brush_read.WORD_SIZE, 0, 0)
    at = 53
    values: list[int] = []
    while len(values) < number:
        begin, at = at, at + 3
        size = sizes[int(bits[begin + 1 : at].ljust(2, "0"), 2)]
        length = int(bits[at : at + size].ljust(size, "0"), 2) + 1
        at += size
        repeats = bits[begin : begin + 1] == "1"
        end = at + word_size * (1 if repeats else length)
        if end > len(bits):
            return Unpacked([], brush_read.TRUNCATED, begin // 8, 0)
        if len(values) + length > number:
            return Unpacked([], brush_read.OVERRUN, begin // 8, 0)
        words = [int(bits[word : word + word_size], 2) for word in range(at, end, word_size)]
        values += words * length if repeats else words
        at = end
    rest = data[-(-at // 8) :]
    return Unpacked(values, brush_read.OK, 0, len(rest) - rest.startswith(b"\0"))


def decode(data: bytes, height: int, width: int, threshold: int = 128) -> npt.NDArray[np.bool_]:
    """Give the mask of a brush without a flaw: pixels whose alpha is at least the threshold."""
    alpha = np.array(unpack(data, height * width).values[3::4], np.int64)
    return alpha.reshape(height, width) >= threshold
