"""An ordered, bounded map over chunks in threads.

Kernels, zlib and file reads let go of the GIL, so threads share one memory and still use every core. At most
`workers + 2` chunks are started and not yet handed out, whatever the data's size.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from predarrow.errors import PredarrowError
from predarrow.options import whole_number

T = TypeVar("T")
R = TypeVar("R")

Progress = Callable[[int, int], None]
"""Called with the number of sources done and of all sources, after each chunk, in the caller's thread."""

_AHEAD = 2


@dataclass(frozen=True)
class Made(Generic[R]):
    """A chunk of one source, of which the result is there already."""

    result: R


@dataclass
class _Begun(Generic[T, R]):
    """A chunk that a thread works on, or soon will."""

    chunk: Sequence[T]
    future: Future[R]


def run(
    chunks: Iterable[Sequence[T] | Made[R]],
    function: Callable[[Sequence[T]], R],
    *,
    workers: int,
    total: int = 0,
    progress: Progress | None = None,
) -> Iterator[R]:
    """Yield `function(chunk)` for every chunk, or what it was made into, in the chunks' order.

    An exception in a chunk comes out at that chunk's place; chunks that wait are then dropped and those that
    run are waited for. The same happens on Ctrl-C and when the iterator is closed.

    Args:
        chunks: read as they are needed, in the caller's thread.
        function: called in `workers` - 1 threads of a pool, and in the caller's while the next result is not there.
        workers: number of threads, at least 1.
        total: number of sources in all chunks, for `progress`.
        progress: told after each chunk.
    """
    done = 0
    for size, result in _inline(chunks, function) if workers == 1 else _threaded(chunks, function, workers):
        done += size
        if progress is not None:
            progress(done, total)
        yield result


def worker_count(workers: int | None) -> int:
    """Give the number of threads: the argument, else PREDARROW_NUM_THREADS, else the cores we may use.

    Raises:
        PredarrowError: less than 1, or not a number.
    """
    if workers is None:
        text = os.environ.get("PREDARROW_NUM_THREADS", "")
        if not text:
            return _cores()
        if not text.isdecimal() or int(text) < 1:
            raise PredarrowError(f"PREDARROW_NUM_THREADS: must be a whole number of at least 1, got {text!r}")
        return int(text)
    return whole_number("workers", workers, 1)


class Spares(Generic[T]):
    """Workspaces that are lent to one chunk at a time and used again, by later calls too: their memory is warm.

    Those of one kind are kept, the kind asked for last, and no more than there are cores.

    Args:
        is_small: whether a workspace may be kept: one that met a huge image should not stay.
    """

    def __init__(self, is_small: Callable[[T], bool]) -> None:
        self._is_small = is_small
        self._lock = threading.Lock()
        self._kind: Hashable = None
        self._idle: list[T] = []

    @contextmanager
    def lend(self, kind: Hashable, make: Callable[[], T]) -> Iterator[T]:
        """Give a workspace of this kind, made where none is idle; one that is left by an exception is dropped."""
        with self._lock:
            if kind != self._kind:
                self._kind, self._idle = kind, []
            workspace = self._idle.pop() if self._idle else None
        if workspace is None:
            workspace = make()
        yield workspace
        with self._lock:
            if kind == self._kind and len(self._idle) < _cores() and self._is_small(workspace):
                self._idle.append(workspace)


def _inline(chunks: Iterable[Sequence[T] | Made[R]], function: Callable[[Sequence[T]], R]) -> Iterator[tuple[int, R]]:
    for chunk in chunks:
        yield (1, chunk.result) if isinstance(chunk, Made) else (len(chunk), function(chunk))


def _threaded(
    chunks: Iterable[Sequence[T] | Made[R]], function: Callable[[Sequence[T]], R], workers: int
) -> Iterator[tuple[int, R]]:
    waiting: deque[Made[R] | _Begun[T, R]] = deque()
    rest = iter(chunks)
    # The caller's thread is one of the workers. Where it only waited beside them, three threads shared two cores: one
    # that had the GIL lost its core to a kernel of another, and boxes took 100 ms of two threads where this takes 76.
    pool = ThreadPoolExecutor(workers - 1, thread_name_prefix="predarrow")
    try:
        while True:
            # What is made comes out at once if nothing waits in front of it: the next chunks may take long to come.
            while not _is_made(waiting) and len(waiting) < workers + _AHEAD and (chunk := next(rest, None)) is not None:
                waiting.append(chunk if isinstance(chunk, Made) else _Begun(chunk, pool.submit(function, chunk)))
            if not waiting:
                return
            first = waiting[0]
            if isinstance(first, Made):
                waiting.popleft()
                yield 1, first.result
            elif first.future.done() or not _help(waiting, function):
                waiting.popleft()
                yield len(first.chunk), first.future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _help(waiting: Iterable[Made[R] | _Begun[T, R]], function: Callable[[Sequence[T]], R]) -> bool:
    """Do the first chunk that no thread of the pool works on, in this one; tell whether there is any."""
    for work in waiting:
        if isinstance(work, _Begun) and work.future.cancel():
            work.future = Future()
            try:
                work.future.set_result(function(work.chunk))
            except Exception as error:  # raised at the chunk's place, as one of a pool's thread is
                work.future.set_exception(error)
            return True
    return False


def _is_made(waiting: deque[Made[R] | _Begun[T, R]]) -> bool:
    """Tell whether the result of the first chunk was there before it."""
    return bool(waiting) and isinstance(waiting[0], Made)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # a container's or taskset's share, where the system tells it
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
