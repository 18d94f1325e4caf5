"""Noise linked eight steps at a time against one step at a time, in memory that ends where both must stop."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine import link_noise
from predarrow_engine._simd_link import REACH
from predarrow_engine.link import Links, link
from predarrow_engine.runs import Runs
from predarrow_engine.workspace import Workspace
from tests.guarded import guarded

_is_noise = numba.njit(lambda runs, links: link_noise.is_noise(runs, links))


def at_the_end(n: int, dtype: type[np.unsignedinteger[Any]], value: int) -> npt.NDArray[Any]:
    values = np.full(n, value, dtype)
    return guarded(values.view(np.uint8)).view(dtype)


def linked(runs: Runs, room: int, rubbish: int) -> tuple[bool, list[npt.NDArray[Any]]]:
    """Give whether the runs are taken for noise, and all that says how they hang together."""
    n = int(runs.rows[-1])
    packed, label = (at_the_end(n + room, kind, 2**31) for kind in (np.uint64, np.uint32))
    packed[:n], label[:n] = runs.packed[:n], runs.label[:n]
    successor, head, tops = (at_the_end(size * (n + room), np.uint32, rubbish) for size in (2, 1, 2))
    links = Links(successor, head, tops, at_the_end(2 * (n + room), np.uint64, rubbish))
    within = Runs(packed, runs.xy, label, runs.rows)
    n_tops, n_contacts = link(within, False, links)
    real = np.delete(np.arange(n), runs.rows[1:] - 1)
    heads = links.head[real]
    found = [heads, links.successor[heads], links.successor[2 * real + 1]]
    return _is_noise(within, links), [*found, links.tops[:n_tops], links.contacts[:n_contacts]]


def check(image: npt.NDArray[np.uint8], rubbish: int) -> None:
    runs = Workspace().scan(image)
    is_noise, found = linked(runs, REACH, rubbish)
    one_by_one, wanted = linked(runs, 1, 0)
    assert is_noise
    assert not one_by_one
    for some, others in zip(found, wanted, strict=True):
        assert np.array_equal(some, others)


@pytest.mark.parametrize("classes", [3, 4, 19, 256])
@pytest.mark.parametrize("shape", [(1, 40), (40, 1), (30, 2), (20, 9), (20, 17), (31, 130), (5, 2000)])
def test_noise_is_linked_as_step_by_step(classes: int, shape: tuple[int, int]) -> None:
    check(np.random.default_rng((classes, *shape)).integers(0, classes, shape).astype(np.uint8), classes * 10**6)


@settings(max_examples=200)
@given(st.data())
def test_so_are_rows_of_which_some_are_alike(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 12)), data.draw(st.integers(4, 40))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    rows = [(np.arange(width) + rng.integers(0, 4)) % 3, rng.integers(0, 4, width), np.arange(width) % 2]
    image = np.array([rows[i] for i in rng.integers(0, 3, height)], np.uint8)
    image[-1] = np.arange(width) % 5  # so that most pixels begin a run, in narrow images too
    few = rng.random(image.shape) < data.draw(st.sampled_from([0, 0.02, 0.1]))
    image[few] = rng.integers(0, 3, np.count_nonzero(few))
    runs = Workspace().scan(image)
    if 8 * int(runs.rows[-1]) > 5 * image.size:
        check(image, 2**32 - 1)


def test_ordinary_masks_are_no_noise() -> None:
    runs = Workspace().scan(np.repeat(np.arange(40, dtype=np.uint8)[None], 30, 0).repeat(2, 1))
    assert not linked(runs, REACH, 0)[0]
