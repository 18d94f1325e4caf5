"""Memory of large arrays is used again when nobody holds it, and never before."""

from __future__ import annotations

import gc
import multiprocessing
import os
import platform
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predarrow_engine import memory

_N = memory.FROM // 4


def _address(array: npt.NDArray[Any]) -> int:
    return int(array.ctypes.data)


@pytest.fixture(autouse=True)
def nothing_idle() -> Iterator[None]:
    gc.collect()
    memory.release()
    yield
    memory.release()


@pytest.mark.parametrize("shape", [(3,), 0, (0, 5), (_N,), (4, _N), (2, 3, _N)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64, np.int32, bool])
def test_arrays_are_as_numpys(shape: int | tuple[int, ...], dtype: type) -> None:
    for make, twin in ((memory.empty, np.empty), (memory.zeros, np.zeros)):
        array = make(shape, dtype)
        expected: npt.NDArray[Any] = twin(shape, dtype)
        assert (array.shape, array.dtype, array.strides) == (expected.shape, expected.dtype, expected.strides)
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.flags.aligned
        if array.nbytes >= memory.FROM:
            assert _address(array) % 64 == 0


def test_memory_that_was_dropped_is_used_again() -> None:
    array = memory.empty(_N, np.float32)
    before = _address(array)
    del array
    again = memory.empty((2, _N // 2), np.int32)
    assert _address(again) == before


def test_small_arrays_are_not_lent() -> None:
    assert memory.empty(memory.FROM - 1, np.uint8).base is None
    del_at_once = memory.zeros(memory.FROM - 1, np.uint8)
    del del_at_once
    assert memory.release() == 0


def test_zeros_are_zeros_on_used_memory() -> None:
    array = memory.empty(_N, np.float32)
    array.fill(7)
    before = _address(array)
    del array
    again = memory.zeros(_N, np.float32)
    assert _address(again) == before
    assert not again.any()


def test_as_it_comes_tells_what_is_zero() -> None:
    array, is_zero = memory.as_it_comes(_N, np.float32)
    assert is_zero
    assert not array.any()
    array.fill(1)
    del array
    array, is_zero = memory.as_it_comes(_N, np.float32)
    assert not is_zero
    assert array.all()
    small, is_zero = memory.as_it_comes(3, np.float32)
    assert is_zero
    assert not small.any()


def test_views_and_arrow_hold_memory() -> None:
    array = memory.empty((2, _N), np.float32)
    before = _address(array)
    holders: list[object] = [
        array[1, 5:7],
        array.reshape(-1).view(np.uint8)[:1],
        pa.array(array[0], pa.float32()),
        array.data,
        pa.py_buffer(array[1]).slice(8),
    ]
    del array
    while holders:
        assert _address(memory.empty((2, _N), np.float32)) != before
        holders.pop()
        memory.release()
    memory.release()


def test_arrow_arrays_keep_their_values_while_memory_goes_round() -> None:
    columns = []
    for i in range(20):
        array = memory.empty(_N, np.float32)
        array.fill(i)
        columns.append(pa.Array.from_buffers(pa.float32(), _N, [None, pa.py_buffer(array)]))
        del array
        if i % 3 == 2:
            columns.pop(0)
    for column in columns:
        values = column.to_numpy()
        assert (values == values[0]).all()
    assert len({column.to_numpy()[0] for column in columns}) == len(columns)


def test_block_fits_what_is_at_least_half_as_large() -> None:
    array = memory.empty(4 * _N, np.float32)
    before = _address(array)
    del array
    assert _address(memory.empty(_N, np.float32)) != before
    assert _address(memory.empty(5 * _N, np.float32)) != before
    assert _address(memory.empty(3 * _N, np.float32)) == before


def test_no_more_lies_idle_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "KEPT", 5 * memory.FROM)
    arrays = [memory.empty(memory.FROM, np.uint8) for _ in range(8)]
    too_large = memory.empty(6 * memory.FROM, np.uint8)
    del arrays, too_large
    assert 4 * memory.FROM <= memory.release() <= 5 * memory.FROM


def test_release_leaves_what_is_in_use() -> None:
    array = memory.zeros(_N, np.float32)
    array.fill(3)
    idle = memory.empty(_N, np.float32)
    del idle
    assert memory.release() >= 4 * _N
    assert memory.release() == 0
    assert (array == 3).all()


def test_arrays_in_cycles_give_memory_back() -> None:
    cycle: list[object] = [memory.empty(_N, np.float32)]
    cycle.append(cycle)
    del cycle
    gc.collect()
    assert memory.release() >= 4 * _N


def test_collector_may_run_while_memory_is_asked_for() -> None:
    """A block that comes back while its own thread holds the lock is put aside, and nothing waits for it."""
    array = memory.empty(_N, np.float32)
    with memory._idle._lock:
        del array
        assert memory.empty(_N, np.float32).size == _N
        assert memory.release() == 0
    assert memory.release() >= 4 * _N


@given(st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=30))
def test_no_two_live_arrays_share_memory(steps: list[tuple[int, bool]]) -> None:
    live = []
    for number, (size, drop) in enumerate(steps):
        array = memory.empty(size * memory.FROM, np.uint8)
        array.fill(number)
        live.append((number, array))
        if drop:
            live.pop(0)
    assert all((array == number).all() for number, array in live)


def test_threads_never_share_memory() -> None:
    wrong: list[int] = []

    def work(number: int) -> None:
        for _ in range(50):
            array = memory.empty(memory.FROM, np.uint8)
            array.fill(number)
            if not (array == number).all():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def _in_child(answers: multiprocessing.SimpleQueue[bool]) -> None:
    answers.put(memory.empty(_N, np.float32).size == _N)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
def test_forked_child_does_not_wait_for_a_lock_of_its_parent() -> None:
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.SimpleQueue[bool] = context.SimpleQueue()
    with memory._idle._lock:
        child = context.Process(target=_in_child, args=(answers,))
        child.start()
    child.join(60)
    alive = child.is_alive()
    child.kill()
    assert not alive
    assert answers.get()


_FAULTS = """
import resource
import numpy as np
from predarrow_engine import memory

memory.steady_malloc()

def faults():
    for array in [np.empty(900_000, np.uint8) for _ in range(5)]:
        array.fill(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

first = [faults() for _ in range(3)][-1]
print([faults() for _ in range(20)][-1] - first)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other libraries keep memory by rules of their own")
def test_malloc_keeps_what_is_freed() -> None:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("MALLOC_")}
    run = subprocess.run([sys.executable, "-c", _FAULTS], capture_output=True, text=True, check=True, env=environment)
    assert int(run.stdout) < 1000  # each of the 20 times costs as many without


def test_nothing_is_said_of_arrays_that_live_to_the_end() -> None:
    code = "import threading; from predarrow_engine import memory; threading.held = memory.empty(1 << 21, 'u1')"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stderr == ""
