"""Run lengths of polygons and boxes, bit by bit those of pycocotools."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as peer

from predarrow_engine.rle_polygons import BAD_COORDINATE, COORDINATE_LIMIT, from_boxes, from_polygons
from predarrow_engine.rle_text import OK, TOO_LARGE, to_strings

Points = list[tuple[float, float]]
Size = tuple[int, int]


def draw(polygons: list[Points], size: Size) -> list[bytes]:
    xy = np.array([point for polygon in polygons for point in polygon], np.float64).reshape(-1, 2)
    runs = from_polygons(xy, np.cumsum([0, *map(len, polygons)]), np.array([size] * len(polygons)).reshape(-1, 2))
    assert not runs.flaw.any()
    assert runs.total.tolist() == [size[0] * size[1]] * len(polygons)
    return strings(*to_strings(runs.counts, runs.offsets))


def strings(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int32]) -> list[bytes]:
    return [data[a:b].tobytes() for a, b in zip(offsets[:-1], offsets[1:], strict=True)]  # noqa: RUF007


def check(polygons: list[Points], size: Size) -> None:
    theirs = [peer.frPyObjects([[c for point in polygon for c in point]], *size)[0]["counts"] for polygon in polygons]
    assert draw(polygons, size) == theirs


coordinates = st.one_of(
    st.integers(-5, 25).map(float), st.integers(-20, 100).map(lambda n: n / 4), st.floats(-10, 30), st.floats(-400, 400)
)
polygons = st.lists(st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=9), max_size=4)


@settings(max_examples=500)
@given(polygons, st.tuples(st.integers(1, 20), st.integers(1, 20)))
def test_any_polygons(polygons: list[Points], size: Size) -> None:
    check(polygons, size)


def random_polygons(n: int, seed: int) -> None:
    """Steep and flat edges, whose quotients are rounded, at many places."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        size = (int(rng.integers(1, 500)), int(rng.integers(1, 500)))
        scale = 10.0 ** rng.integers(0, 4)
        found = [(rng.normal(size[1] / 2, scale, k), rng.normal(size[0] / 2, scale, k)) for k in rng.integers(3, 30, 5)]
        check([list(zip(x.tolist(), y.tolist(), strict=True)) for x, y in found], size)


def test_random_polygons() -> None:
    random_polygons(200, 1)


@pytest.mark.slow
def test_many_random_polygons() -> None:
    random_polygons(50_000, 2)


@settings(max_examples=200)
@given(st.lists(st.tuples(*[coordinates] * 4), max_size=5), st.tuples(st.integers(1, 20), st.integers(1, 20)))
def test_boxes(boxes: list[tuple[float, float, float, float]], size: Size) -> None:
    xywh = np.array(boxes, np.float64).reshape(-1, 4)
    runs = from_boxes(xywh, np.array([size] * len(boxes)).reshape(-1, 2))
    theirs = [found["counts"] for found in peer.frPyObjects(xywh, *size)] if boxes else []
    assert strings(*to_strings(runs.counts, runs.offsets)) == theirs


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, float(COORDINATE_LIMIT), -1e300])
def test_coordinates_that_are_none(bad: float) -> None:
    xy = np.array([(0, 0), (4, 0), (4, 4), (1, 1), (2, bad), (bad, 3), (0, 0), (4, 0), (4, 4)], np.float64)
    sizes = np.array([[5, 5], [5, 5], [2**20, 2**20]])
    runs = from_polygons(xy, np.array([0, 3, 6, 9], np.int32), sizes)
    assert runs.flaw.tolist() == [OK, BAD_COORDINATE, TOO_LARGE]
    assert runs.place.tolist() == [0, 1, 0]
    assert runs.offsets[1:].tolist() == [runs.counts.size] * 3


def test_polygons_far_away_and_without_vertices() -> None:
    far = float(COORDINATE_LIMIT - 1)
    assert draw([[(-far, -far), (far, -far), (far, far), (-far, far)], []], (3, 4)) == [b"0<", b"<"]
    assert draw([[(1.0, 1.0)], [(0.0, 0.0), (3.0, 3.0)]], (3, 0)) == [b"0", b"0"]
