"""Pairs of runs linked eight at a time against one by one, in memory that ends where they must stop."""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
import pytest

from predarrow_engine import _simd_link as simd
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
    head = (2 * rng.integers(0, lower, n)).astype(np.uint32)
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
        successor[head[u + 1]] = 2 * low + 2
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
        assert np.array_equal(kept.successor[: 2 * lower], wanted.successor[: 2 * lower])
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


class Noise(NamedTuple):
    packed: npt.NDArray[np.uint64]
    label: npt.NDArray[np.uint32]
    successor: npt.NDArray[np.uint32]
    head: npt.NDArray[np.uint32]
    tops: npt.NDArray[np.uint32]
    contacts: npt.NDArray[np.uint64]


@pytest.fixture(params=["compressed", "one by one"])
def link_level(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give the function, compiled in one of its forms."""
    if request.param == "one by one":
        monkeypatch.setattr(simd, "has_compress", lambda _: False)

    @numba.njit
    def call(
        noise: Noise, lower: np.uint64, pending: np.uint64, n_tops: np.uint64, n_contacts: np.uint64, width: np.uint32
    ) -> Any:
        return simd.link_level(
            noise.packed.ctypes.data,
            noise.label.ctypes.data,
            noise.successor.ctypes.data,
            noise.head.ctypes.data,
            noise.tops.ctypes.data,
            noise.contacts.ctypes.data,
            np.uint64(0),
            lower,
            pending,
            n_tops,
            n_contacts,
            width,
        )

    return call


def step_by_step(noise: Noise, lower: int, pending: int, width: int) -> tuple[list[int], list[int], list[int]]:
    """Write what follows right edges, and heads; give what comes behind the steps, and the tops and contacts."""
    _, label, successor, head, _, _ = noise
    x = noise.packed.astype(np.int64) & 0xFFFFFFFF
    tops: list[int] = []
    contacts: list[int] = []
    n = 0
    while n < PAIRS and x[n + 1] == x[lower + n + 1] != width:
        low = lower + n
        right = successor[2 * n + 1]
        if label[n] != label[low]:
            right = 2 * low if n else pending
            if right % 2 == 0:
                tops.append(low)
            if label[n] == label[low + 1]:
                contacts.append(n << 32 | low + 1)
            if label[n + 1] == label[low]:
                contacts.append((n + 1) << 32 | low)
        successor[2 * low + 1] = right
        head[low + 1] = head[n + 1] if label[n + 1] == label[low + 1] else 2 * (low + 1)
        n += 1
    ends = (x[n + 1], x[lower + n + 1])
    free = int(n > 0 and label[0] != label[lower])
    return [n, int(n < PAIRS and ends[0] < ends[1]), int(n < PAIRS and ends[0] > ends[1]), free], tops, contacts


def test_runs_that_end_level_are_linked_as_step_by_step_and_nothing_else_is_written(link_level: Any) -> None:
    rng = np.random.default_rng(8)
    lengths = set()
    for _ in range(1500):
        lower = int(rng.integers(REACH, 2 * REACH))
        n = lower + REACH
        x = np.concatenate([np.arange(lower), np.arange(REACH)])
        later = int(rng.integers(1, 2 * REACH))
        x[later:lower] += int(rng.integers(0, 2))
        x[lower + later :] += int(rng.integers(0, 2))
        width = int(rng.integers(1, 3 * REACH))
        n_tops, n_contacts = (int(some) for some in rng.integers(0, 5, 2))
        given = Noise(
            x.astype(np.uint64) | np.uint64(rng.integers(1, 2**20)) << np.uint64(32),
            rng.integers(0, int(rng.integers(2, 20)), n).astype(np.uint32),
            rng.integers(0, 2**32, 2 * n).astype(np.uint32),
            rng.integers(0, 2**32, n).astype(np.uint32),
            rng.integers(0, 2**32, n_tops + PAIRS).astype(np.uint32),
            rng.integers(0, 2**62, n_contacts + 2 * PAIRS).astype(np.uint64),
        )
        kept = Noise._make(at_the_end(array) for array in given)
        wanted = given._replace(successor=given.successor.copy(), head=given.head.copy())
        pending = int(rng.choice([2 * lower, 2 * int(rng.integers(0, lower)) + 1]))
        behind, tops, contacts = step_by_step(wanted, lower, pending, width)
        found = link_level(kept, *np.array([lower, pending, n_tops, n_contacts], np.uint64), np.uint32(width))
        assert found == (*behind, n_tops + len(tops), n_contacts + len(contacts))
        lengths.add(behind[0])
        done = lower + behind[0]
        behind_all = lower + PAIRS
        for array, other, end, void in (
            (kept.successor[1::2], wanted.successor[1::2], done, behind_all),
            (kept.successor[::2], wanted.successor[::2], lower, behind_all),
            (kept.head, wanted.head, done + 1, behind_all + 1),
        ):
            assert np.array_equal(array[:end], other[:end])
            assert np.array_equal(array[void:], other[void:])
        assert kept.tops[: n_tops + len(tops)].tolist() == [*given.tops[:n_tops], *tops]
        assert kept.contacts[: n_contacts + len(contacts)].tolist() == [*given.contacts[:n_contacts], *contacts]
        assert np.array_equal(kept.packed, given.packed)
        assert np.array_equal(kept.label, given.label)
    assert lengths == set(range(PAIRS + 1))
