"""Runs that are components by themselves against SciPy's components, and the order of all beside them."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from predarrow_engine.link import link
from predarrow_engine.lone import find_lone
from predarrow_engine.trace import Tracer
from predarrow_engine.workspace import Workspace
from tests.workspace import arrays_of

Corner = tuple[int, int]


def lone_runs(image: npt.NDArray[np.uint8], eight: bool, left_out: list[int], min_area: int) -> tuple[set[Corner], int]:
    """Give where components of one run begin, but for those left out, and how many runs are components at all."""
    found: set[Corner] = set()
    n = 0
    shape = np.ones((3, 3), int) if eight else None
    for value in np.unique(image):
        labels, _ = ndimage.label(image == value, shape)
        for component, box in enumerate(ndimage.find_objects(labels), 1):
            if box[0].stop - box[0].start == 1:
                n += 1
                if value not in left_out and np.count_nonzero(labels == component) >= min_area:
                    found.add((box[0].start, box[1].start))
    return found, n


@pytest.mark.parametrize("eight", [True, False])
@pytest.mark.parametrize("min_area", [0, 2])
@pytest.mark.parametrize("seed", range(8))
def test_components_of_one_run_are_found_in_order(seed: int, min_area: int, eight: bool) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 2 + 3 * (seed % 3), (int(rng.integers(1, 12)), int(rng.integers(1, 90)))).astype(np.uint8)
    workspace = Workspace()
    runs, links, rings, _ = arrays_of(workspace, workspace.scan(image))
    n_tops, n_contacts = link(runs, False, links)
    tops = links.tops[:n_tops].tolist()
    left_out = np.array([0, 3], np.uint32)
    joining = n_contacts if eight else 0
    n_lone, n_others = find_lone(runs, left_out, links, n_tops, joining, min_area, rings)

    lone = rings.lone[:n_lone].tolist()
    wanted, n_single = lone_runs(image, eight, [0, 3], min_area)
    assert lone == sorted(lone)
    assert [(y, x) for x, y in runs.xy[lone].tolist()] == sorted(wanted)
    others = links.tops[:n_others]
    assert n_others == n_tops - n_single
    assert set(others.tolist()) <= set(tops) - set(lone)
    starts = links.successor[2 * others + 1] == 2 * others  # the others are a hole's, or a further one of their ring
    assert np.all(np.diff(others[starts].astype(np.int64)) > 0)
    assert rings.top_lone[:n_others][starts].tolist() == np.searchsorted(lone, others[starts]).tolist()


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("min_area", [0, 1, 2, 3])
@pytest.mark.parametrize("n_values", [2, 3, 20])
def test_lone_runs_stand_among_the_others_as_if_these_were_walked(
    n_values: int, min_area: int, connectivity: Literal[4, 8]
) -> None:
    rng = np.random.default_rng(n_values)
    for _ in range(10):
        image = rng.integers(0, n_values, (int(rng.integers(1, 40)), int(rng.integers(1, 150)))).astype(np.uint16)
        tracer = Tracer(connectivity=connectivity, min_area=min_area, void=[1])
        tracer.add(image)
        got = tracer.take()
        # Twice as high, nothing is one run any more: components, parts and rings are the same, and in the same order.
        tracer = Tracer(connectivity=connectivity, min_area=2 * min_area, void=[1])
        tracer.add(image.repeat(2, axis=0))
        tall = tracer.take()
        assert np.array_equal(got.x, tall.x)
        assert np.array_equal(got.y, tall.y / 2)
        assert np.array_equal(got.bbox * [[1], [2], [1], [2]], tall.bbox)
        assert np.array_equal(got.area * 2, tall.area)
        width = image.shape[1]
        assert np.array_equal(got.first // width * 2 * width + got.first % width, tall.first)
        for name in ("value", "ring_offsets", "part_offsets", "component_offsets", "image_offsets"):
            assert np.array_equal(getattr(got, name), getattr(tall, name)), name
