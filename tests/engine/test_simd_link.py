"""Pairs of runs linked eight at a time against one by one, in memory that ends where they must stop."""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
import pytest

from predarrow_engine._simd_link import PAIRS, REACH, link_alike
from predarrow_engine.link import link
from predarrow_engine.runs import Runs
from predarrow_engine.workspace import Workspace
from tests.guarded import guarded
from tests.images import stripes
from tests.workspace import arrays_of

WIDTH = 10_000


class Arrays(NamedTuple):
    packed: npt.NDArray[np.uint64]
    label: npt.NDArray[np.uint32]
    successor: npt.NDArray[np.uint32]
    head: npt.NDArray[np.uint32]


@numba.njit
def _link_alike(arrays: Arrays, upper: np.uint64, lower: np.uint64) -> Any:
    packed, label, successor, head = arrays
    return link_alike(
        packed.ctypes.data,
        label.ctypes.data,
        successor.ctypes.data,
        head.ctypes.data,
        np.uint64(upper),
        np.uint64(lower),
    )


def at_the_end(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return guarded(np.frombuffer(values.tobytes(), np.uint8)).view(values.dtype)


def two_rows(rng: np.random.Generator, lower: int) -> Arrays:
    """Give two rows that are much alike, the second from run `lower` on; the first may end before it can be left."""
    n = lower + REACH
    xs = np.sort(rng.choice(WIDTH // 50, n, replace=False)) * rng.integers(1, 50)
    label = rng.integers(0, 3, n).astype(np.uint32)
    shared = min(lower, REACH)
    xs[lower : lower + shared] = xs[:shared] + rng.integers(-1, 2, shared) * (rng.random(shared) < 0.5)
    label[lower : lower + shared] = np.where(rng.random(shared) < 0.03, 7, label[:shared])
    packed = xs.astype(np.uint64) | np.uint64(rng.integers(1, 2**20)) << np.uint64(32)
    successor = rng.integers(0, 2**32, 2 * n).astype(np.uint32)
    head = rng.integers(0, 2 * n, n).astype(np.uint32)
    return Arrays(packed, label, successor, head)


def one_by_one(arrays: Arrays, upper: int, lower: int) -> tuple[int, Arrays]:
    packed, label, successor, head = arrays
    x = packed.astype(np.int64) & 0xFFFFFFFF
    successor, head = successor.copy(), head.copy()
    for k in range(PAIRS):
        u, low = upper + k, lower + k
        if label[u + 1] != label[low + 1] or max(x[u + 1], x[low + 1]) >= min(x[u + 2], x[low + 2]):
            return k, Arrays(packed, label, successor, head)
        straight = x[u + 1] == x[low + 1]
        successor[2 * low + 1] = successor[2 * u + 1] if straight else 2 * u + 1
        head[low + 1] = head[u + 1] if straight else 2 * low + 2
    return PAIRS, Arrays(packed, label, successor, head)


def test_pairs_are_linked_as_one_by_one_and_nothing_else_is_written() -> None:
    rng = np.random.default_rng(3)
    steps = set()
    for _ in range(2000):
        lower = int(rng.integers(1, 2 * REACH))
        arrays = two_rows(rng, lower)
        kept = Arrays(*(at_the_end(array) for array in arrays))
        n, wanted = one_by_one(arrays, 0, lower)
        assert _link_alike(kept, np.uint64(0), np.uint64(lower)) == n
        steps.add(n)
        done = lower + n
        assert np.array_equal(
            kept.successor[2 * lower + 1 : 2 * done : 2], wanted.successor[2 * lower + 1 : 2 * done : 2]
        )
        assert np.array_equal(kept.head[lower : done + 1], wanted.head[lower : done + 1])
        for i in (0, 1):
            assert np.array_equal(kept[i], arrays[i])
        assert np.array_equal(kept.successor[: 2 * lower], arrays.successor[: 2 * lower])
        assert np.array_equal(kept.successor[2 * (lower + PAIRS) :], arrays.successor[2 * (lower + PAIRS) :])
        assert np.array_equal(kept.head[: lower + 1], arrays.head[: lower + 1])
        assert np.array_equal(kept.head[lower + 1 + PAIRS :], arrays.head[lower + 1 + PAIRS :])
    assert steps == set(range(PAIRS + 1))


@pytest.mark.parametrize("eight", [False, True])
def test_no_link_reads_or_writes_behind_its_arrays(eight: bool) -> None:
    for seed in range(30):
        workspace = Workspace()
        work = arrays_of(workspace, workspace.scan(stripes(seed)))
        runs = work.runs
        n = int(runs.rows[-1])
        tops, contacts = link(runs, eight, work.links)
        short = Runs(at_the_end(runs.packed[: n + 1]), runs.xy, at_the_end(runs.label[: n + 1]), runs.rows)
        successor = at_the_end(np.zeros(2 * n, np.uint32))
        head = at_the_end(np.zeros(n, np.uint32))
        links = work.links._replace(successor=successor, head=head, tops=np.zeros_like(work.links.tops))
        assert link(short, eight, links) == (tops, contacts)
        real = np.delete(np.arange(n), runs.rows[1:] - 1)
        heads = work.links.head[real]
        assert np.array_equal(head[real], heads)
        for nodes in (heads, 2 * real + 1):
            assert np.array_equal(successor[nodes], work.links.successor[nodes])
        assert np.array_equal(links.tops[:tops], work.links.tops[:tops])
