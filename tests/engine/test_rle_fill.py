"""Run lengths of polygons against the painter of masks."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine.raster import rasterize
from predarrow_engine.rle_fill import SIDE_LIMIT, from_outlines
from predarrow_engine.trace import Tracer
from tests.images import SPECIAL
from tests.naive_geometry import decoded

Ring = list[tuple[float, float]]

_ONE = np.array([0, 1], np.int32)


def _offsets(lengths: list[int]) -> npt.NDArray[np.int32]:
    return np.cumsum([0, *lengths], dtype=np.int32)


def _masks(rows: list[list[list[Ring]]], sizes: list[tuple[int, int]]) -> list[npt.NDArray[np.bool_] | None]:
    """Give each row's mask, None for one without counts."""
    parts = [part for row in rows for part in row]
    rings = [ring for part in parts for ring in part]
    xy = np.array([point for ring in rings for point in ring], np.float64).reshape(-1, 2)
    counts, offsets = from_outlines(
        xy[:, 0],
        xy[:, 1],
        _offsets(list(map(len, rings))),
        _offsets(list(map(len, parts))),
        _offsets(list(map(len, rows))),
        np.array(sizes, np.int64).reshape(-1, 2),
    )
    found = [counts[begin:end].tolist() for begin, end in itertools.pairwise(offsets)]
    assert all(run > 0 for runs in found for run in runs[1:])
    return [decoded(runs, *size) if runs else None for runs, size in zip(found, sizes, strict=True)]


def _painted(rings: list[Ring], height: int, width: int) -> npt.NDArray[np.bool_]:
    xy = np.array([point for ring in rings for point in ring], np.float32).reshape(-1, 2)
    mask = np.zeros((height, width), np.uint8)
    x, y = (np.ascontiguousarray(axis) for axis in xy.T)
    rasterize(x, y, _offsets(list(map(len, rings))), _offsets([len(rings)]), _ONE, np.ones(1, np.int64), mask)
    is_inside: npt.NDArray[np.bool_] = mask != 0
    return is_inside


_coordinates = st.one_of(st.integers(-8, 40).map(lambda k: k / 4), st.integers(-3072, 12288).map(lambda k: k / 1024))
_rings = st.lists(st.tuples(_coordinates, _coordinates), min_size=1, max_size=7)


@settings(max_examples=200)
@given(st.lists(_rings, min_size=1, max_size=3), st.integers(1, 9), st.integers(1, 9))
def test_as_painted(rings: list[Ring], height: int, width: int) -> None:
    (found,) = _masks([[rings]], [(height, width)])
    assert found is not None
    np.testing.assert_array_equal(found, _painted(rings, height, width))


@settings(max_examples=100)
@given(st.lists(st.lists(_rings, min_size=1, max_size=2), max_size=3), st.integers(1, 9), st.integers(1, 9))
def test_parts_are_put_together(parts: list[list[Ring]], height: int, width: int) -> None:
    before, found, after = _masks([[], parts, parts[:1]], [(1, 1), (height, width), (height, width)])
    assert before is None
    assert (found is None, after is None) == (not parts, not parts)
    for mask, own in ((found, parts), (after, parts[:1])):
        if mask is not None:
            np.testing.assert_array_equal(mask, np.any([_painted(rings, height, width) for rings in own], axis=0))


@pytest.mark.parametrize("name", SPECIAL)
def test_edge_outlines_give_their_mask_back(name: str) -> None:
    image = SPECIAL[name]()
    tracer = Tracer()
    tracer.add(image)
    found = tracer.take()
    sizes = np.repeat([image.shape], len(found.value), axis=0)
    counts, offsets = from_outlines(*found[:5], sizes)
    painted = np.zeros_like(image)
    for row, value in enumerate(found.value.tolist()):
        runs = counts[offsets[row] : offsets[row + 1]].tolist()
        assert sum(runs[1::2]) == found.area[row]
        painted[decoded(runs, *image.shape)] = value
    np.testing.assert_array_equal(painted, image)


def test_slices_of_rows() -> None:
    square: Ring = [(0, 0), (2, 0), (2, 2), (0, 2)]
    x, y = np.array(2 * square, np.float64).T
    y[4:] += 1
    offsets = np.array([0, 1, 2], np.int32)
    counts, runs = from_outlines(x, y, 4 * offsets, offsets, offsets[1:], np.array([[3, 3]]))
    assert counts.tolist() == [1, 2, 1, 2, 3]
    assert runs.tolist() == [0, 5]


def test_what_cannot_be_filled_is_refused() -> None:
    x = np.array([0.0, np.nan, 1.0])
    with pytest.raises(ValueError, match="finite"):
        from_outlines(x, x, 3 * _ONE, _ONE, _ONE, np.array([[3, 3]]))
    for size in ([0, 3], [3, -1], [SIDE_LIMIT + 1, 1], [SIDE_LIMIT, SIDE_LIMIT]):
        with pytest.raises(ValueError, match="sides"):
            from_outlines(np.zeros(3), np.zeros(3), 3 * _ONE, _ONE, _ONE, np.array([size]))
