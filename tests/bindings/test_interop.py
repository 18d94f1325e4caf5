from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import shapely

from predarrow import from_label_mask, to_shapely
from predarrow.table import polygon_array
from tests.images import SPECIAL


@pytest.mark.parametrize("name", SPECIAL)
def test_shapely_agrees_on_areas_boxes_and_validity(name: str) -> None:
    mask = SPECIAL[name]()
    table = from_label_mask(mask)
    polygons = to_shapely(table)
    assert shapely.is_valid(polygons).all()
    assert shapely.area(polygons).sum() == np.count_nonzero(mask)
    boxes = [list(box.values()) for box in table["bbox"].to_pylist()]
    assert shapely.bounds(polygons).reshape(-1, 4).tolist() == boxes
    assert [polygon.area for polygon in to_shapely(table.slice(1))] == shapely.area(polygons[1:]).tolist()


def test_rows_without_a_polygon_and_chunks() -> None:
    table = from_label_mask(SPECIAL["seed drawing"]())
    column = table.schema.get_field_index("polygon")
    without = table.set_column(column, "polygon", pa.nulls(3, table["polygon"].type))
    polygons = to_shapely(pa.concat_tables([table, without, table]))
    assert [None if polygon is None else polygon.area for polygon in polygons] == [7, 12, 9, None, None, None, 7, 12, 9]


def test_empty_rings_stay_empty() -> None:
    f, i = np.float32, np.int32
    polygon = polygon_array(np.zeros(0, f), np.zeros(0, f), np.zeros(1, i), np.zeros(1, i), np.zeros(2, i))
    table = from_label_mask(np.ones((1, 1), np.uint8))
    table = table.set_column(table.schema.get_field_index("polygon"), "polygon", polygon)
    assert to_shapely(table)[0].is_empty
