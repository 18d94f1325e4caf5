"""Memory of large arrays that is used again when they are dropped.

The system hands out memory a page at a time, on the first touch, as zeros: for a column that is written once, this
costs more than all the rest (a quarter to five microseconds for 4 KiB, against one for writing them). A loop that
makes a large result, uses it and drops it pays that once, if the next result lies where the last one lay.

A block goes back when the last array, view or Arrow buffer on it is gone. Up to `KEPT` bytes lie idle; `release`
gives them to the system.

Large blocks of the system all begin at the same place of a page, so columns that are written side by side would meet in
the same places of the first cache at every step. Each block here begins some cache lines further on than the one before
(the columns of 1.35 million components of one pixel take 8.5 ms to write, not 17).
"""

from __future__ import annotations

import math
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

FROM = 1 << 20
"""Bytes from which an array is lent; `malloc` keeps smaller ones itself."""
KEPT = 512 << 20
"""Bytes that lie idle at most."""
_MALLOC_LEARNS = (32 << 20) - (1 << 16)  # and what stands before and behind a block
_LINE = 64  # bytes of a cache line, and the alignment that Arrow asks for
_LINES = 64  # in a page
_APART = 11  # lines
_STEPS = 8  # sizes of blocks between two powers of two: results of about the same size fit in each other's
_WAITING = 64  # blocks that come back while somebody else holds the lock

_Block = npt.NDArray[np.uint8]


class _Idle:
    """Blocks that nobody uses, those that came back first in front.

    Nobody waits for the lock: the collector may give a block back while its own thread holds it, and in a forked child
    it may be held for good. Who does not get it leaves the blocks where they are, the last few that came back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._back: deque[_Block] = deque(maxlen=_WAITING)
        self._blocks: list[_Block] = []
        self._bytes = 0

    def give(self, block: _Block) -> None:
        """Take a block back."""
        self._back.append(block)
        with self._if_free() as free:
            if free:
                self._settle()

    def take(self, size: int) -> _Block | None:
        """Give the smallest block of at least `size` bytes, and not twice as many, or None."""
        with self._if_free() as free:
            if not free:
                return None
            self._settle()
            fitting = [(block.size, i) for i, block in enumerate(self._blocks) if size <= block.size <= 2 * size]
            return self._pop(min(fitting)[1]) if fitting else None

    def clear(self) -> int:
        """Drop all blocks and give their bytes."""
        with self._if_free() as free:
            if not free:
                return 0
            self._settle()
            n_bytes = self._bytes
            while self._blocks:
                self._pop(0)
            return n_bytes

    @contextmanager
    def _if_free(self) -> Iterator[bool]:
        free = self._lock.acquire(blocking=False)
        try:
            yield free
        finally:
            if free:
                self._lock.release()

    def _settle(self) -> None:
        while self._back:
            block = self._back.popleft()
            self._blocks.append(block)
            self._bytes += block.size
        while self._bytes > KEPT:
            self._pop(0)

    def _pop(self, i: int) -> _Block:
        block = self._blocks.pop(i)
        self._bytes -= block.size
        return block


_idle = _Idle()
_blocks_made = count()


class _Loan:
    """A block that arrays lie on; it goes back with the last of them."""

    def __init__(self, block: _Block) -> None:
        self._block = block
        self.__array_interface__ = block.__array_interface__

    def __del__(self, ends: Callable[[], bool] = sys.is_finalizing) -> None:
        if not ends() and self._block.size <= KEPT:  # at the interpreter's end names of modules are gone
            _idle.give(self._block)


def empty(shape: int | tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Give a contiguous array with anything in it, as `numpy.empty` does, on memory that was used before if any fits.

    Args:
        shape: of the array; dtype: of its items.
    """
    return _lent(shape, dtype, np.empty)[0]


def zeros(shape: int | tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Give a contiguous array of zeros, as `numpy.zeros` does, on memory that was used before if any fits.

    Args:
        shape: of the array; dtype: of its items.
    """
    array, is_zero = as_it_comes(shape, dtype)
    if not is_zero:
        array.fill(0)
    return array


def as_it_comes(shape: int | tuple[int, ...], dtype: npt.DTypeLike) -> tuple[npt.NDArray[Any], bool]:
    """Give a contiguous array, and whether it is all zeros: memory from the system is, and need not be touched for it.

    Args:
        shape: of the array; dtype: of its items.
    """
    return _lent(shape, dtype, np.zeros)


def release() -> int:
    """Give idle memory back to the system, and say how many bytes.

    Memory of arrays that are in use is not touched.
    """
    return _idle.clear()


@cache
def steady_malloc() -> None:
    """Let `malloc` keep smaller arrays that are freed, too, as it does in most programs before long.

    glibc takes blocks from the system, and gives back what lies idle at its heap's end, by sizes that it learns from
    the largest block freed so far, of up to 32 MiB (mallopt(3), M_MMAP_THRESHOLD). Until a program happens to free one,
    it pays for the same pages again and again: 1,000 of them, 6 % of the time, whenever 7,481 KITTI files were read.
    """
    np.empty(_MALLOC_LEARNS, np.uint8)  # freed untouched


def _lent(
    shape: int | tuple[int, ...], dtype: npt.DTypeLike, make: Callable[..., npt.NDArray[Any]]
) -> tuple[npt.NDArray[Any], bool]:
    """Give a contiguous array, and whether `make` made its memory; it gives its block back at its end."""
    size = np.dtype(dtype).itemsize * (shape if isinstance(shape, int) else math.prod(shape))
    if size < FROM:
        return make(shape, dtype), True
    used = _idle.take(size)
    block = _aligned(make(_room(size), np.uint8)) if used is None else used
    return np.asarray(_Loan(block))[:size].view(dtype).reshape(shape), used is None


def _room(size: int) -> int:
    """Give the bytes to ask the system for: so many steps, and what alignment takes."""
    step = max(1 << size.bit_length() - 1, _STEPS) // _STEPS
    return -(-size // step) * step + _LINES * _LINE


def _aligned(memory: _Block) -> _Block:
    """Leave out what is before the place to begin at, and what would be left behind at another one."""
    begin = -memory.ctypes.data % _LINE + next(_blocks_made) * _APART % (_LINES - 1) * _LINE
    return memory[begin : memory.size - _LINES * _LINE + begin]
