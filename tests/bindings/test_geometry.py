"""Any geometry as polygons, masks and covers, against Shapely and one another."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings

from predarrow.errors import InputError, PredarrowError
from predarrow.formats.masks import from_label_mask
from predarrow.geometry import covers, to_masks, to_polygons
from predarrow.interop import to_shapely
from predarrow.painting import to_label_mask
from predarrow.project_index import KIND_SHAPES
from predarrow.report import EMPTY_MASK, Code
from predarrow.table import SCHEMA
from predarrow_engine.rle import encode
from tests.images import label_images
from tests.naive_geometry import decoded, ellipse_mask
from tests.naive_rle import from_string

HEIGHT, WIDTH = 60, 80
_LOOSE = pa.schema([field if field.name == "polygon" else field.with_nullable(True) for field in SCHEMA])


def _row(kind: str, **columns: Any) -> dict[str, Any]:
    base = {"data_unit": "u", "frame": 0, "class_name": "1", "image_height": HEIGHT, "image_width": WIDTH}
    return base | {"kind": kind} | columns


def _box(xmin: float, ymin: float, xmax: float, ymax: float) -> dict[str, float]:
    return {"xmin": xmin, "ymin": ymin, "xmax": xmax, "ymax": ymax}


def _ring(*points: tuple[float, float]) -> list[dict[str, float]]:
    return [{"x": x, "y": y} for x, y in points]


def _mask(mask: npt.NDArray[Any]) -> dict[str, Any]:
    return {"height": mask.shape[0], "width": mask.shape[1], "counts": encode(mask).counts.tobytes()}


def _table(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), _LOOSE)


BLOB = np.zeros((HEIGHT, WIDTH), np.uint8)
BLOB[10:30, 20:50] = 1
BLOB[15:20, 25:30] = 0
BLOB[40:45, 5:9] = 1
SQUARE = _ring((2, 3), (12, 3), (12, 13), (2, 13))
HOLE = _ring((4, 5), (6, 5), (6, 7), (4, 7))
LINE = _ring((1, 2), (9, 4))
POINTS = [{"name": None, "x": 7.0, "y": 8.0, "visibility": 2}, {"name": None, "x": 0.0, "y": 0.0, "visibility": 0}]

ROWS = {
    "bbox": _row("bbox", bbox=_box(1.25, 2, 11, 7.5)),
    "rotated_bbox": _row("rotated_bbox", bbox=_box(20, 20, 40, 30), rotation=30.0),
    "polygon": _row("polygon", polygon=[[SQUARE, HOLE], [_ring((20, 20), (30, 20), (30, 30))]]),
    "ellipse": _row("ellipse", bbox=_box(10, 20, 50, 40), rotation=200.0),
    "circle": _row("circle", bbox=_box(30, 10, 70, 50)),
    "bitmask": _row("bitmask", mask=_mask(BLOB)),
    "cuboid_2d": _row("cuboid_2d", polygon=[[SQUARE]]),
    "polyline": _row("polyline", polygon=[[LINE]]),
    "keypoints": _row("keypoints", keypoints=POINTS),
    "skeleton": _row("skeleton", keypoints=POINTS),
    "cuboid": _row("cuboid", cuboid={"x": 1.0}),
    "classification": _row("classification"),
    "span": _row("span", attributes='{"ranges": [[0, 1]]}'),
}
AREAS = ("bbox", "rotated_bbox", "polygon", "ellipse", "circle", "bitmask", "cuboid_2d")
TABLE = _table(*ROWS.values())


def _ellipse(box: dict[str, float], degrees: float) -> shapely.Polygon:
    """Give an ellipse of many vertices."""
    circle = shapely.Point(0, 0).buffer(1, quad_segs=500)
    half = (box["xmax"] - box["xmin"]) / 2, (box["ymax"] - box["ymin"]) / 2
    turned = shapely.affinity.rotate(shapely.affinity.scale(circle, *half, origin=(0, 0)), degrees, origin=(0, 0))
    return shapely.affinity.translate(turned, (box["xmin"] + box["xmax"]) / 2, (box["ymin"] + box["ymax"]) / 2)


def _true_shape(row: dict[str, Any]) -> Any:
    """Give what a row means, by Shapely."""
    box, degrees = row.get("bbox", {}), row.get("rotation", 0.0)
    if row["kind"] in ("bbox", "rotated_bbox"):
        return shapely.affinity.rotate(shapely.box(*box.values()), degrees, origin="center")
    if row["kind"] in ("ellipse", "circle"):
        return _ellipse(box, degrees)
    if row["kind"] == "bitmask":
        return shapely.union_all([shapely.box(x, y, x + 1, y + 1) for y, x in np.argwhere(BLOB).tolist()])
    parts = [[[(v["x"], v["y"]) for v in ring] for ring in part] for part in row["polygon"]]
    return shapely.MultiPolygon([(part[0], part[1:]) for part in parts])


def _shapes(column: pa.ChunkedArray, table: pa.Table) -> list[Any]:
    place = SCHEMA.names.index("polygon")
    found: list[Any] = list(to_shapely(table.set_column(place, "polygon", column)))
    return found


def test_polygons_of_every_kind() -> None:
    rows = [ROWS[kind] for kind in AREAS]
    table = _table(*rows)
    found = to_polygons(table, tolerance=0.1)
    assert found.lost == {"cuboid_2d without its depth": 1}
    for row, shape in zip(rows, _shapes(found.column, table), strict=True):
        true = _true_shape(row)
        assert shape.is_valid
        assert shape.area == pytest.approx(true.area, rel=5e-3)
        distance = 0.1 if row["kind"] in ("ellipse", "circle") else 0.0
        assert shapely.hausdorff_distance(shape.boundary, true.boundary) <= distance + 1e-4
        assert shape.symmetric_difference(true).area <= distance * true.length + 1e-3


def test_what_has_no_area_is_null_and_told() -> None:
    told = {"cuboid_2d without its depth": 1}
    for convert, what in ((to_polygons, "polygon"), (to_masks, "mask")):
        found = convert(TABLE)
        others = [kind for kind in ROWS if kind not in AREAS]
        assert found.lost == told | {f"{kind} has no {what}": 1 for kind in others}
        assert found.column.is_valid().to_pylist() == [kind in AREAS for kind in ROWS]
    boxed = covers(TABLE)
    assert boxed.lost == {f"{kind} has no box": 1 for kind in ("cuboid", "classification", "span")}


def test_every_kind_is_thought_of() -> None:
    assert set(ROWS) == set(KIND_SHAPES)


def _decode(mask: dict[str, Any]) -> npt.NDArray[np.bool_]:
    return decoded(from_string(mask["counts"]), mask["height"], mask["width"])


def test_masks_of_every_kind() -> None:
    rows = [ROWS[kind] for kind in AREAS]
    for row, mask in zip(rows, to_masks(_table(*rows)).column.to_pylist(), strict=True):
        true = _true_shape(row)
        assert (mask["height"], mask["width"]) == (HEIGHT, WIDTH)
        expected = np.zeros((HEIGHT, WIDTH), np.bool_)
        x, y = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
        expected = shapely.contains_xy(true, x, y)
        unsure = shapely.distance(shapely.points(x, y), true.boundary) < 1e-3
        np.testing.assert_array_equal(_decode(mask) | unsure, expected | unsure)


def test_an_ellipse_is_filled_exactly() -> None:
    mask = to_masks(_table(ROWS["ellipse"])).column[0].as_py()
    np.testing.assert_array_equal(_decode(mask), ellipse_mask((30, 30, 20, 10), 200, HEIGHT, WIDTH))


@settings(max_examples=50)
@given(label_images(max_side=20))
def test_a_mask_becomes_polygons_and_the_same_mask_again(image: npt.NDArray[Any]) -> None:
    traced = from_label_mask(image.astype(np.int64) % 2**31, data_unit="u")
    masks = to_masks(traced).column
    painted = np.zeros(image.shape, np.int64)
    for name, mask in zip(traced["class_name"].to_pylist(), masks.to_pylist(), strict=True):
        painted[_decode(mask)] = int(name)
    np.testing.assert_array_equal(painted, image.astype(np.int64) % 2**31)
    place = SCHEMA.names.index("mask")
    kinds = pa.array(["bitmask"] * traced.num_rows, pa.string())
    bits = traced.set_column(place, SCHEMA.field("mask"), masks).set_column(SCHEMA.names.index("kind"), "kind", kinds)
    outlines = to_polygons(bits).column
    again = to_masks(traced.set_column(SCHEMA.names.index("polygon"), SCHEMA.field("polygon"), outlines))
    assert again.column.combine_chunks().equals(masks.combine_chunks())


def test_covers_of_every_kind() -> None:
    found = dict(zip(ROWS, covers(TABLE).column.to_pylist(), strict=True))
    for kind in AREAS:
        np.testing.assert_allclose(list(found[kind].values()), _true_shape(ROWS[kind]).bounds, atol=1e-3)
    assert found["bbox"] == ROWS["bbox"]["bbox"]
    assert list(found["polyline"].values()) == [1, 2, 9, 4]
    assert list(found["keypoints"].values()) == list(found["skeleton"].values()) == [7, 8, 7, 8]
    assert found["cuboid"] is found["classification"] is found["span"] is None


def test_batches_and_slices_are_rows_like_others() -> None:
    shuffled = TABLE.take([12, 3, 0, 5, 8, 1, 3, 2, 6, 4, 7, 0, 9])
    pieces = pa.Table.from_batches([*shuffled.to_batches(max_chunksize=3), *TABLE.slice(2, 5).to_batches()])
    for convert in (to_polygons, to_masks, covers):
        whole = convert(TABLE).column.to_pylist()
        places = [12, 3, 0, 5, 8, 1, 3, 2, 6, 4, 7, 0, 9, 2, 3, 4, 5, 6]
        assert convert(pieces).column.to_pylist() == [whole[place] for place in places]
        assert convert(pieces).column.num_chunks == pieces["kind"].num_chunks
        assert len(convert(TABLE.slice(0, 0)).column) == 0
        assert convert(TABLE.to_batches()[0]).column.to_pylist() == whole


def test_what_is_missing_is_null_and_told() -> None:
    rows = [_row("bbox"), _row("bitmask"), _row("polygon"), ROWS["bbox"]]
    for convert in (to_polygons, to_masks, covers):
        found = convert(_table(*rows))
        assert found.lost == {
            "bbox without its bbox": 1,
            "bitmask without its mask": 1,
            "polygon without its polygon": 1,
        }
        assert found.column.is_valid().to_pylist() == [False, False, False, True]


def test_a_mask_needs_the_images_size() -> None:
    rows = [ROWS[kind] | {"image_width": None} for kind in AREAS]
    found = to_masks(_table(*rows, ROWS["bbox"]))
    assert found.column.is_valid().to_pylist() == [kind == "bitmask" for kind in AREAS] + [True]
    lost = {f"{kind} in an image of unknown size": 1 for kind in AREAS if kind != "bitmask"}
    assert found.lost == lost | {"cuboid_2d without its depth": 1}


def test_masks_without_a_pixel_are_told() -> None:
    tiny, none = _row("bbox", bbox=_box(1.6, 1.6, 2.4, 2.4)), _row("bitmask", mask=_mask(0 * BLOB))
    found = to_masks(_table(tiny, none))
    assert found.lost == {EMPTY_MASK: 2}
    assert [_decode(mask).any() for mask in found.column.to_pylist()] == [False, False]
    for convert in (to_polygons, covers):
        assert convert(_table(none)).column.to_pylist() == [None]
        assert convert(_table(none)).lost == {EMPTY_MASK: 1}


def test_what_lies_beyond_the_image_is_cut_off() -> None:
    far = _row("bbox", bbox=_box(-100, -5, 3, 4))
    mask = _decode(to_masks(_table(far)).column[0].as_py())
    assert mask[:4, :3].all()
    assert mask.sum() == 12


def test_polygons_are_filled_as_they_are_painted() -> None:
    table = _table(ROWS["polygon"])
    mask = _decode(to_masks(table).column[0].as_py())
    np.testing.assert_array_equal(mask, to_label_mask(table) == 1)


def test_the_tolerance_sets_the_number_of_vertices() -> None:
    counts = [
        len(to_polygons(_table(ROWS["circle"]), tolerance=tolerance).column[0].as_py()[0][0])
        for tolerance in (20, 1, 0.25, 0.01)
    ]
    assert counts == [4, 8, 15, 71]


@pytest.mark.parametrize("tolerance", [0, -1.0, math.nan, math.inf, "1", None])
def test_a_tolerance_must_be_positive(tolerance: Any) -> None:
    with pytest.raises(PredarrowError, match="tolerance: must be a positive number of pixels, got"):
        to_polygons(TABLE, tolerance=tolerance)


BAD = [
    (_row("bbox", bbox=_box(1, 2, math.nan, 4)), Code.BAD_BOX, "column bbox: must be finite"),
    (_row("bbox", bbox=_box(1, 2, 0, 4)), Code.BAD_BOX, "right and bottom not before left and top"),
    (_row("ellipse", bbox=_box(1, 2, 3, 4), rotation=math.inf), Code.BAD_NUMBER, "column rotation: must be finite"),
    (_row("polygon", polygon=[[_ring((1, math.nan), (1, 2))]]), Code.BAD_NUMBER, "column polygon: vertices"),
    (_row("bitmask", mask={"height": 3, "width": 3, "counts": b"0"}), Code.BAD_TABLE, "column mask: must have height"),
    (_row("bitmask", mask={"height": 0, "width": 3, "counts": b""}), Code.BAD_TABLE, "column mask: must have height"),
    (_row("bitmask", mask={"height": 2**25, "width": 1, "counts": b"0"}), Code.TOO_LARGE, "column mask: height"),
]


@pytest.mark.parametrize(("bad", "code", "text"), BAD)
def test_bad_geometries_are_refused_by_their_row(bad: dict[str, Any], code: Code, text: str) -> None:
    for convert in (to_polygons, to_masks, covers):
        with pytest.raises(InputError, match=text) as caught:
            convert(_table(ROWS["bbox"], ROWS["polygon"], bad))
        assert [(found.row, found.code) for found in caught.value.problems] == [(2, code)]


def test_images_too_large_for_a_mask_are_refused() -> None:
    for height, width in ((2**25, 1), (2**17, 2**17)):
        huge = ROWS["circle"] | {"image_height": height, "image_width": width}
        with pytest.raises(InputError, match=r"at most 16777216 pixels a side, and 4294967295 in all, got"):
            to_masks(_table(huge))


def test_too_many_vertices_are_refused() -> None:
    with pytest.raises(InputError, match="give a larger tolerance"):
        to_polygons(_table(_row("circle", bbox=_box(0, 0, 1e12, 1e12))), tolerance=1e-8)


def test_something_else_than_a_table_is_refused() -> None:
    with pytest.raises(InputError, match="must speak Arrow's stream interface"):
        to_polygons([1, 2])
    with pytest.raises(InputError, match="must have one column kind"):
        to_masks(TABLE.drop_columns("kind"))
