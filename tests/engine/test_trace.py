"""Traced outlines against slow twins, OpenCV, SciPy, cc3d, GDAL and shapely."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Literal

import cc3d
import cv2
import numpy as np
import numpy.typing as npt
import pytest
import rasterio.features
import scipy.ndimage
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine import memory
from predarrow_engine.outlines import Outlines
from predarrow_engine.trace import Tracer
from tests.images import SEED_DRAWING, SPECIAL, Image, label_images, stripes, voronoi
from tests.naive_trace import Region, as_lists, as_regions, fill, opencv_contours, regions, with_sorted_holes

DTYPES = (np.bool_, np.uint8, np.uint16, np.int32, np.uint32, np.int64)
special = pytest.mark.parametrize("name", SPECIAL)


def trace(image: Image, **options: Any) -> Outlines:
    tracer = Tracer(**options)
    tracer.add(image)
    return tracer.take()


def as_shapely(outlines: Outlines) -> npt.NDArray[np.object_]:
    components = as_lists(outlines)
    return np.array(
        [shapely.MultiPolygon([(part[0], part[1:]) for part in component]) for component in components], object
    )


def check_edges(image: Image, connectivity: Literal[4, 8]) -> None:
    outlines = trace(image, connectivity=connectivity)
    assert as_regions(outlines) == regions(image, connectivity)
    polygons = as_shapely(outlines)
    assert shapely.is_valid(polygons).all()
    assert np.array_equal(shapely.area(polygons), outlines.area)
    assert np.array_equal(shapely.bounds(polygons).T.reshape(4, -1), outlines.bbox)


def check_centers(image: Image) -> None:
    for approximation, method in (("simple", cv2.CHAIN_APPROX_SIMPLE), ("none", cv2.CHAIN_APPROX_NONE)):
        ours = as_lists(trace(image, outline="center", approximation=approximation))
        assert with_sorted_holes(ours) == opencv_contours(image, method)
    ours = as_lists(trace(image, outline="center", holes="fill"))
    assert ours == opencv_contours(image, cv2.CHAIN_APPROX_SIMPLE, cv2.RETR_EXTERNAL)


@special
@pytest.mark.parametrize("connectivity", [8, 4])
def test_edge_outlines_are_valid_and_cover_the_pixels(name: str, connectivity: Literal[4, 8]) -> None:
    check_edges(SPECIAL[name](), connectivity)


@special
def test_center_outlines_are_opencvs(name: str) -> None:
    check_centers(SPECIAL[name]())


@given(label_images())
@settings(max_examples=300)
def test_random_images(image: Image) -> None:
    check_edges(image, 8)
    check_edges(image, 4)
    check_centers(image)


@pytest.mark.parametrize(("classes", "connectivity"), [(2, 8), (2, 4), (19, 8)])
def test_more_runs_than_are_fetched_ahead(classes: int, connectivity: Literal[4, 8]) -> None:
    check_edges(np.random.default_rng(classes).integers(0, classes, (120, 300)).astype(np.uint8), connectivity)


@pytest.mark.parametrize("connectivity", [8, 4])
def test_rows_that_are_alike(connectivity: Literal[4, 8]) -> None:
    for seed in range(5):
        check_edges(stripes(seed), connectivity)
        check_edges(stripes(seed).T, connectivity)
        check_centers(stripes(seed))


@pytest.mark.slow
@given(label_images(max_side=70, classes=3))
@settings(max_examples=20_000)
def test_many_random_images(image: Image) -> None:
    outlines = trace(image)
    assert shapely.is_valid(as_shapely(outlines)).all()
    check_centers(image)


@special
@pytest.mark.parametrize("connectivity", [8, 4])
def test_filled_outlines_are_single_rings_around_what_is_not_swallowed(name: str, connectivity: Literal[4, 8]) -> None:
    image = SPECIAL[name]()
    outlines = trace(image, holes="fill", connectivity=connectivity)
    polygons = as_shapely(outlines)
    assert shapely.is_valid(polygons).all()
    assert all(len(part) == 1 for component in as_lists(outlines) for part in component)
    kept = as_shapely(trace(image, connectivity=connectivity))
    covered = [shapely.union_all(polygons[outlines.value == value]) for value in np.unique(outlines.value)]
    for value, cover in zip(np.unique(outlines.value), covered, strict=True):
        every = shapely.union_all(kept[trace(image, connectivity=connectivity).value == value])
        assert cover.covers(every)
        assert shapely.get_num_interior_rings(shapely.get_parts(cover)).sum() == 0 or connectivity == 8


@given(label_images(max_side=14, classes=3), st.sampled_from([8, 4]))
@settings(max_examples=150)
def test_filled_outlines_are_scipys_of_each_component_alone(image: Image, connectivity: Literal[4, 8]) -> None:
    check_filled(image, connectivity)


def test_a_hole_that_closes_at_a_corner_swallows_what_lies_in_it() -> None:
    ring = np.ones((6, 7), np.uint8)
    ring[1:5, 1:6] = 0
    ring[0, 6] = 0
    ring[3, 3] = 1
    check_filled(ring, 4)
    assert trace(ring, holes="fill", connectivity=4).area.tolist() == trace(ring, holes="fill").area.tolist()


def check_filled(image: Image, connectivity: Literal[4, 8]) -> None:
    """Hold filled components to those of each class that lie in no other one, filled."""
    outlines = trace(image, holes="fill", connectivity=connectivity)
    expected = []
    for value in np.unique(image[image != 0]):
        labels, n = scipy.ndimage.label(image == value, np.ones((3, 3)) if connectivity == 8 else None)
        filled = [scipy.ndimage.binary_fill_holes(labels == k + 1) for k in range(n)]
        for k, cover in enumerate(filled):
            first = int(np.flatnonzero(labels == k + 1)[0])
            if not any(other.flat[first] for i, other in enumerate(filled) if i != k):
                expected.append((first, int(value), cover.tolist()))
    height, width = image.shape
    components = zip(outlines.first.tolist(), outlines.value.tolist(), as_lists(outlines), strict=True)
    assert [(first, value, fill(part, (height, width)).tolist()) for first, value, part in components] == sorted(
        expected
    )


@special
def test_center_outlines_of_4_connected_components_are_opencvs_of_each_alone(name: str) -> None:
    image = SPECIAL[name]()
    ours = trace(image, outline="center", connectivity=4)
    for component, first, value in zip(
        with_sorted_holes(as_lists(ours)), ours.first.tolist(), ours.value.tolist(), strict=True
    ):
        labels, _ = scipy.ndimage.label(image == value)
        alone = (labels == labels.flat[first]).astype(np.uint8)
        assert [component] == opencv_contours(alone, cv2.CHAIN_APPROX_SIMPLE)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_gives_the_same(dtype: npt.DTypeLike) -> None:
    image = voronoi(40, 150, 30, 2, 5)
    assert_equal(trace(image.astype(dtype)), trace(image))


def test_values_beyond_16_bits_and_below_zero() -> None:
    image = np.array([[-1, 70_000, 0], [-1, -1, 2**31 - 1]], np.int32)
    assert trace(image).value.tolist() == [-1, 70_000, 2**31 - 1]
    assert trace(image, void=(-1,)).value.tolist() == [70_000, 2**31 - 1]
    assert trace(np.array([[2**32 - 1]], np.uint32)).value.tolist() == [2**32 - 1]


@pytest.mark.parametrize("order", ["fortran", "strided", "big-endian", "read-only", "int8"])
def test_any_memory_layout(order: str) -> None:
    image = voronoi(40, 150, 30, 5, 5)
    other = {
        "fortran": np.asfortranarray(image),
        "strided": image.repeat(2, 1)[:, ::2],
        "big-endian": image.astype(">u2"),
        "read-only": np.frombuffer(image.tobytes(), np.uint8).reshape(image.shape),
        "int8": image.astype(np.int8),
    }[order]
    assert_equal(trace(other), trace(image))


@pytest.mark.parametrize("image", [np.zeros((2, 3, 1), np.uint8), np.zeros((2, 2)), np.full((1, 1), 2**40)])
def test_what_is_no_label_image_is_refused(image: Image) -> None:
    with pytest.raises(ValueError, match=r"label (image|values)"):
        trace(image)


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
def test_no_pixels(shape: tuple[int, int]) -> None:
    assert trace(np.zeros(shape, np.uint8)).value.size == 0


def test_the_seed_drawing_is_three_objects() -> None:
    assert as_regions(trace(SEED_DRAWING)) == [
        Region(21, 1, 7, (2.0, 1.0, 6.0, 3.0)),
        Region(50, 2, 12, (12.0, 2.0, 16.0, 6.0)),
        Region(80, 1, 9, (4.0, 4.0, 7.0, 7.0)),
    ]


def test_encord_active_keeps_two_of_them_and_swallows_islands() -> None:
    assert trace(SEED_DRAWING, encord_active=True).area.tolist() == [12, 9]
    ring = np.pad(np.pad(np.ones((4, 4), np.uint8), 2), 2, constant_values=1)
    assert len(trace(ring).value) == 2
    assert len(trace(ring, encord_active=True).value) == 1


@given(label_images(max_side=16, classes=3))
@settings(max_examples=100)
def test_encord_active_is_opencv_with_its_two_conditions(image: Image) -> None:
    expected = [
        component
        for component in opencv_contours(image, cv2.CHAIN_APPROX_SIMPLE, cv2.RETR_EXTERNAL)
        if len(component[0][0]) >= 3 and cv2.contourArea(np.array(component[0][0], np.float32)) >= 4
    ]
    for options in ({"outline": "center", "holes": "fill"}, {"outline": "edge"}, {"outline": "edge", "holes": "fill"}):
        outlines = trace(image, encord_active=True, **options)
        firsts = [int(c[0][0][0][1]) * image.shape[1] + int(c[0][0][0][0]) for c in expected]
        assert outlines.first.tolist() == firsts
        if options["outline"] == "center":
            assert as_lists(outlines) == expected


def test_min_area_background_and_void() -> None:
    image = voronoi(40, 150, 30, 5, 5)
    everything = regions(image, 8, ())
    assert as_regions(trace(image, background=None)) == everything
    assert as_regions(trace(image, background=2, void=(4, 1))) == [r for r in everything if r.value in (0, 3)]
    assert as_regions(trace(image, background=None, min_area=60)) == [r for r in everything if r.area >= 60]


def test_images_come_together_in_one_take() -> None:
    images = [SPECIAL[name]() for name in SPECIAL]
    tracer = Tracer()
    counts = [tracer.add(image) for image in images]
    together = tracer.take()
    assert np.diff(together.image_offsets).tolist() == counts
    apart = [trace(image) for image in images]
    assert as_lists(together) == [component for outlines in apart for component in as_lists(outlines)]
    assert as_regions(together) == [region for outlines in apart for region in as_regions(outlines)]
    assert_equal(tracer.take(), Tracer().take())


def test_what_was_taken_stays_as_it_was() -> None:
    noise = np.random.default_rng(8).integers(0, 19, (400, 500)).astype(np.uint8)  # columns of more than a megabyte
    images = [voronoi(40, 150, 30, 5, 1), noise, noise.T, noise[:7], noise, noise[:, :9], voronoi(40, 150, 30, 5, 2)]
    tracer = Tracer()
    taken = []
    for image in images:
        tracer.add(image)
        taken.append(tracer.take())
    for image, outlines in zip(images, taken, strict=True):
        assert_equal(outlines, trace(image))


def test_memory_that_was_used_before_gives_the_same() -> None:
    noise = np.random.default_rng(9).integers(0, 19, (400, 500)).astype(np.uint8)
    memory.release()
    tracer = Tracer()
    tracer.add(noise)
    wanted = deepcopy(tracer.take())
    for _ in range(3):
        dirty = [memory.empty(1 << size, np.uint8) for size in (20, 21, 22, 23, 24)]
        for array in dirty:
            array.fill(0xA5)
        del dirty, array
        tracer.add(noise)
        assert_equal(tracer.take(), wanted)


def test_components_are_scipys_and_cc3ds_and_areas_are_gdals() -> None:
    image = voronoi(60, 200, 80, 6, 9)
    neighbours: list[tuple[Literal[4, 8], npt.NDArray[np.float64] | None]] = [(8, np.ones((3, 3))), (4, None)]
    for connectivity, structure in neighbours:
        outlines = trace(image, connectivity=connectivity)
        count = sum(scipy.ndimage.label(image == value, structure)[1] for value in range(1, 6))
        assert len(outlines.value) == count == cc3d.connected_components(image, connectivity=connectivity).max()
        shapes = rasterio.features.shapes(image, mask=image > 0, connectivity=connectivity)
        areas = sorted((int(value), shapely.geometry.shape(polygon).area) for polygon, value in shapes)
        assert sorted(zip(outlines.value.tolist(), outlines.area.tolist(), strict=True)) == areas


@pytest.mark.parametrize(
    "options",
    [
        {"outline": "corner"},
        {"connectivity": 6},
        {"holes": None},
        {"approximation": "l1"},
        {"encord_active": True, "connectivity": 4},
    ],
)
def test_options_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="got"):
        Tracer(**options)


def test_an_image_wider_than_the_workspace() -> None:
    image = np.tile(np.array([[1, 2]], np.uint8), (2, 50_000))
    assert len(trace(image).value) == 100_000


def assert_equal(a: Outlines, b: Outlines) -> None:
    for name in Outlines._fields:
        left, right = getattr(a, name), getattr(b, name)
        assert left.dtype == right.dtype, name
        assert np.array_equal(left, right), name
