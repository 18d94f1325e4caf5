"""Painted polygons against the mask that they came from, a slow twin and GDAL."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest
import rasterio.features
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine.outlines import Outlines
from predarrow_engine.raster import rasterize
from predarrow_engine.trace import Tracer
from tests.images import SPECIAL, Image, label_images
from tests.naive_trace import fill


def repainted(image: Image, **options: Any) -> npt.NDArray[np.generic]:
    tracer = Tracer(**options)
    tracer.add(image)
    mask = np.zeros_like(image)
    paint(tracer.take(), mask)
    return mask


def paint(outlines: Outlines, mask: Image) -> None:
    rasterize(
        outlines.x,
        outlines.y,
        outlines.ring_offsets,
        outlines.part_offsets,
        outlines.component_offsets,
        outlines.value,
        mask,
    )


def one_ring(points: list[tuple[float, float]]) -> Outlines:
    x, y = np.array(points, np.float32).T
    one = np.array([0, 1], np.int32)
    return Outlines(
        x=np.ascontiguousarray(x),
        y=np.ascontiguousarray(y),
        ring_offsets=np.array([0, len(points)], np.int32),
        part_offsets=one,
        component_offsets=one,
        value=np.ones(1, np.int64),
        area=np.zeros(1, np.int64),
        bbox=np.zeros((4, 1)),
        first=np.zeros(1, np.int64),
        image_offsets=one.astype(np.int64),
    )


@pytest.mark.parametrize("name", SPECIAL)
@pytest.mark.parametrize("connectivity", [8, 4])
def test_edge_outlines_give_back_the_mask(name: str, connectivity: Literal[4, 8]) -> None:
    image = SPECIAL[name]()
    assert np.array_equal(repainted(image, connectivity=connectivity), image)


@given(label_images())
@settings(max_examples=200)
def test_random_masks_come_back(image: Image) -> None:
    assert np.array_equal(repainted(image), image)


@given(st.lists(st.tuples(st.floats(-5, 15, width=32), st.floats(-5, 15, width=32)), min_size=3, max_size=9))
@settings(max_examples=200)
def test_any_ring_is_filled_as_the_slow_twin_does(points: list[tuple[float, float]]) -> None:
    mask = np.zeros((9, 11), np.uint8)
    paint(one_ring(points), mask)
    assert np.array_equal(mask.astype(bool), fill([[[list(point) for point in points]]], mask.shape))


def test_a_circle_is_gdals() -> None:
    circle = shapely.Point(40.3, 35.1).buffer(30.2)
    mask = np.zeros((80, 90), np.uint8)
    paint(one_ring(list(circle.exterior.coords)[:-1]), mask)
    assert np.array_equal(mask, rasterio.features.rasterize([circle], mask.shape))


@pytest.mark.parametrize("far", [1e6, 1e30])
def test_what_lies_outside_is_cut_off(far: float) -> None:
    mask = np.zeros((4, 5), np.uint8)
    paint(one_ring([(-far, -far), (-far, far), (far, far), (far, -far)]), mask)
    assert mask.all()
    paint(one_ring([(far, far), (far, 2 * far), (2 * far, 2 * far)]), mask * 0)


def test_no_rows_and_no_components() -> None:
    paint(one_ring([(0, 0), (0, 1), (1, 1)]), np.zeros((0, 5), np.uint8))
    assert not repainted(np.zeros((3, 4), np.uint8)).any()
