"""Numbers that are written as OpenLABEL: they read back as the same columns."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from predarrow.formats.openlabel.write_numbers import centres, radians_of
from predarrow_engine.boxes import Layout, to_corners

SIZES = st.floats(0.01, 1e5)
PLACES = st.floats(-1e5, 1e5)


@given(st.lists(st.tuples(PLACES, PLACES, SIZES, SIZES), min_size=1, max_size=8))
def test_boxes_give_their_corners_back(boxes: list[tuple[float, float, float, float]]) -> None:
    corners = to_corners(np.array(boxes), Layout.OPENLABEL)
    (x, width), (y, height) = centres(corners[0], corners[2]), centres(corners[1], corners[3])
    again = to_corners(np.ascontiguousarray(np.stack([x, y, width, height], 1)), Layout.OPENLABEL)
    assert again.tolist() == corners.tolist()


@given(st.lists(st.tuples(*[st.integers(0, 400_000)] * 2), min_size=1, max_size=8))
def test_plain_boxes_come_back_as_they_were(boxes: list[tuple[int, int]]) -> None:
    centre, size = (np.array(column) / 100 for column in zip(*boxes, strict=True))
    found = centres(centre - 0.5 * size, centre + 0.5 * size)
    np.testing.assert_array_equal(found, (centre, size))


@given(st.lists(st.integers(-31_415, 31_415), min_size=1, max_size=8))
def test_plain_angles_come_back_as_they_were(angles: list[int]) -> None:
    radians = np.array(angles) / 10_000
    assert radians_of(np.degrees(radians)).tolist() == radians.tolist()
