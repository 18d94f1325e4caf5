from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from predarrow.errors import InputError
from predarrow.formats.masks import read_masks
from predarrow.import_objects import import_predictions
from predarrow.ordering import WINDOW_BYTES
from predarrow.project import Project
from predarrow.project_index import KIND_SHAPES
from predarrow.report import EMPTY_MASK, Code
from predarrow.table import SCHEMA
from predarrow.tables.checks import HOLDERS
from predarrow.tables.door import BATCH_ROWS
from predarrow_engine.rle import encode
from tests.mask_files import write_mask
from tests.object_project import box, object_project, rows, thing


def rle(mask: npt.NDArray[Any]) -> bytes:
    """Give a mask as COCO's compressed run lengths."""
    return encode(mask != 0).counts.tobytes()


BOX = {"xmin": 10.0, "ymin": 20.0, "xmax": 30.0, "ymax": 40.0}
RING = [{"x": 0.0, "y": 0.0}, {"x": 5.0, "y": 0.0}, {"x": 5.0, "y": 7.0}]
ROW: dict[str, Any] = {"data_unit": "u1", "frame": 0, "class_name": "a box", "kind": "bbox", "bbox": BOX}
POLYGON: dict[str, Any] = {
    "data_unit": "u1",
    "frame": 0,
    "feature_hash": "area",
    "kind": "polygon",
    "polygon": [[RING]],
}
MASK: dict[str, Any] = {
    "data_unit": "u1",
    "frame": 0,
    "feature_hash": "bits",
    "kind": "bitmask",
    "mask": {"height": 100, "width": 200, "counts": rle(np.eye(100, 200))},
    "bbox": BOX,
}


class Capsules:
    """Gives a table by Arrow's C stream only."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)


class ArrayCapsules:
    """Gives a batch by Arrow's C array only."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch

    def __arrow_c_array__(self, requested_schema: object = None) -> Any:
        return self._batch.__arrow_c_array__(requested_schema)


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Project:
    return object_project(tmp_path / "project")


def _nullable(field: pa.Field) -> pa.Field:
    return field if field.name == "polygon" else field.with_nullable(True)


LOOSE = pa.schema([_nullable(field) for field in SCHEMA])
"""The table's schema, with nulls where a test wants them."""


def _table(*given: dict[str, Any], only: bool = False) -> pa.Table:
    """Give rows as a table, perhaps with those columns only that they name."""
    table = pa.Table.from_pylist(list(given), LOOSE)
    names = {name for row in given for name in row}
    return table.select([name for name in LOOSE.names if name in names]) if only else table


def _filled(project: Project) -> pa.Table:
    """Give what is stored of objects of every kind."""
    mask = np.eye(100, 200, dtype=np.uint8)
    objects = [
        box(track_id="t"),
        box([0.25, 0.5, 0.5, 0.25, 30], "turned"),
        thing("mask", mask, "bits"),
        thing("polygon", [[0, 0], [1, 0], [1, 1]], unit="u2", frame=3),
    ]
    import_predictions(project, objects)
    return project.scan().read_all()


def _forms(table: pa.Table) -> Iterator[Any]:
    batches = table.combine_chunks().to_batches()
    yield table
    yield batches[0]
    yield pa.RecordBatchReader.from_batches(table.schema, iter(batches))
    yield Capsules(table)
    yield ArrayCapsules(batches[0])
    yield table.select(table.column_names[::-1])
    yield pa.concat_tables([table.slice(0, 1), table.slice(1)])


def test_every_arrow_form_gives_the_same_rows(project: Project) -> None:
    table = _filled(project)
    for form in _forms(table):
        result = import_predictions(project, form)
        assert (result.rows, result.report.sources) == (4, 4)
        assert project.scan().read_all().equals(table)


def _large(type_: pa.DataType) -> pa.DataType:
    """Give a type as other libraries have it."""
    if pa.types.is_list(type_):
        return pa.large_list(_large(type_.value_type))
    if pa.types.is_struct(type_):
        return pa.struct([(field.name, _large(field.type)) for field in type_])
    larger = {pa.string(): pa.large_string(), pa.binary(): pa.large_binary(), pa.int32(): pa.int64()}
    return larger.get(type_, type_)


def test_forms_of_other_libraries_that_lose_nothing(project: Project) -> None:
    table = _filled(project)
    for type_of in (_large, lambda t: pa.string_view() if t == pa.string() else t):
        larger = table.cast(pa.schema([(field.name, type_of(field.type)) for field in table.schema]))
        import_predictions(project, larger)
        assert project.scan().read_all().equals(table)
    encoded = table.set_column(4, "class_name", pc.dictionary_encode(table["class_name"]))
    import_predictions(project, encoded.set_column(2, "object_id", pa.array(["t"] + [None] * 3).dictionary_encode()))
    assert project.scan().read_all().equals(table)


def test_columns_that_may_be_null_may_be_left_out(project: Project) -> None:
    import_predictions(project, _table(ROW | {"data_unit": "image.jpg"}, ROW | {"data_unit": "image"}, only=True))
    wanted = ROW | {"feature_hash": "box", "image_height": 100, "image_width": 200}
    assert rows(project) == [wanted, wanted]


def test_class_and_hash_fill_one_another(project: Project) -> None:
    given = [
        ROW,
        ROW | {"class_name": None, "feature_hash": "turned"},
        ROW | {"feature_hash": "box"},
        ROW | {"class_name": "both"},
        POLYGON | {"feature_hash": None, "class_name": "both"},
        POLYGON | {"feature_hash": "weather", "kind": "classification", "polygon": None},
    ]
    import_predictions(project, _table(*given))
    found = [(row["feature_hash"], row["class_name"]) for row in rows(project)]
    assert found == [
        ("box", "a box"),
        ("turned", "a turned"),
        ("box", "a box"),
        ("both-b", "both"),
        ("both-p", "both"),
        ("weather", "Does it rain?"),
    ]


def test_a_polygons_cover_is_filled_in(project: Project) -> None:
    two = [[RING], [[{"x": v["x"] + 20, "y": v["y"] + 3} for v in RING]]]
    given = [POLYGON, MASK, POLYGON | {"polygon": two}, POLYGON | {"bbox": BOX}]
    import_predictions(project, _table(*given))
    covers = [[*row["bbox"].values()] for row in rows(project)]
    assert covers == [[0, 0, 5, 7], [10, 20, 30, 40], [0, 0, 25, 10], [10, 20, 30, 40]]
    assert rows(project)[2]["polygon"] == two


def test_a_masks_cover_is_filled_in(project: Project) -> None:
    mask = np.zeros((100, 200))
    mask[20:23, 7:11] = 1
    given = [MASK, POLYGON, _mask(counts=rle(mask)) | {"bbox": None}, _mask(counts=rle(0 * mask)), ROW]
    result = import_predictions(project, _table(*given))
    assert (result.rows, result.report.skipped) == (4, {EMPTY_MASK: 1})
    covers = [[*row["bbox"].values()] for row in rows(project)]
    assert covers == [[10, 20, 30, 40], [0, 0, 5, 7], [7, 20, 11, 23], [10, 20, 30, 40]]
    import_predictions(project, _table(*given).slice(2, 1))
    assert [[*row["bbox"].values()] for row in rows(project)] == [[7, 20, 11, 23]]


def test_rows_come_out_in_the_tables_order(project: Project) -> None:
    given = [
        ROW | {"data_unit": "u2", "frame": 5, "row": 1},
        ROW | {"data_unit": "u2", "frame": 5, "row": 0},
        ROW | {"data_unit": "u2", "frame": 2},
        ROW | {"row": 9, "object_id": "a"},
        ROW | {"row": 9, "object_id": "b"},
    ]
    import_predictions(project, _table(*given))
    found = [tuple(row.values()) for row in rows(project, "data_unit", "frame", "row", "object_id")]
    assert found == [
        ("u1", 0, 9, "a"),
        ("u1", 0, 9, "b"),
        ("u2", 2, None, None),
        ("u2", 5, 0, None),
        ("u2", 5, 1, None),
    ]


def test_what_lies_beyond_its_image_is_flagged(project: Project) -> None:
    beyond = {"xmin": -5.0, "ymin": 0.0, "xmax": 10.0, "ymax": 300.0}
    noise = {"xmin": -1e-9, "ymin": 0.0, "xmax": 200 + 1e-9, "ymax": 100.0}
    unsized = ROW | {"data_unit": "u3", "bbox": beyond}
    turned = ROW | {"kind": "rotated_bbox", "class_name": "a turned", "rotation": 45.0, "bbox": beyond}
    result = import_predictions(project, _table(ROW | {"bbox": beyond}, ROW | {"bbox": noise}, unsized, turned))
    assert (result.rows, result.report.flagged) == (4, {"box beyond the image": 1})
    assert rows(project)[0]["bbox"] == beyond


def test_a_reader_of_files_may_be_given(project: Project, tmp_path: Path) -> None:
    write_mask(tmp_path / "masks" / "film__3.png", np.ones((50, 100), np.uint8))
    classes = {1: "a area"}
    assert import_predictions(project, read_masks(tmp_path / "masks", classes=classes)).rows == 1
    (row,) = rows(project)
    assert (row["data_unit"], row["frame"], row["feature_hash"]) == ("u2", 3, "area")
    write_mask(tmp_path / "masks" / "film__4.png", np.full((50, 100), 7, np.uint8))
    with pytest.raises(InputError, match=r"film__4\.png"):
        import_predictions(project, read_masks(tmp_path / "masks", classes=classes))
    assert len(rows(project)) == 1


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (_table(ROW, only=True).drop_columns("frame"), "column frame: must be there, .*; it is 0 for single images"),
        (_table(ROW, only=True).drop_columns("class_name"), "column class_name: must be there, or feature_hash"),
        (
            _table(ROW).append_column("score", [[1.0]]),
            "column score: must be a column of the prediction table; drop it",
        ),
        (_table(ROW).rename_columns({"class_name": "Classname"}), r"column Classname: .* did you mean 'class_name'\?"),
        (_table(ROW).append_column("kind", [["bbox"]]), "column kind: must stand once, got it 2 times"),
        (_table(ROW).set_column(1, "frame", [[2**40]]), "column frame: must be int32: .*1099511627776"),
        (_table(ROW).set_column(6, "confidence", [["0.5"]]), "column confidence: must be double, got string"),
        (_table(ROW).set_column(7, "bbox", [[[1.0, 2.0, 3.0, 4.0]]]), "column bbox: must be struct<xmin: double"),
        (
            _table(ROW).set_column(7, "bbox", [[{"xmin": 1.0, "ymin": 2.0, "ymax": 4.0, "xmax": 3.0}]]),
            "column bbox: must be struct<xmin: double",
        ),
        (_table(ROW).replace_schema_metadata({"predarrow.schema_version": "2"}), "schema version must be 1, got 2"),
        (pa.chunked_array([[1, 2]]), "must be a table or record batches"),
    ],
)
def test_a_schema_must_hold(project: Project, table: Any, text: str) -> None:
    for on_error in ("raise", "skip"):
        with pytest.raises(InputError, match=f"^predictions: {text}") as caught:
            import_predictions(project, table, on_error=on_error)
        assert caught.value.problems[0].code == Code.BAD_TABLE
    assert project.sets() == []


def _box(**sides: float | None) -> dict[str, Any]:
    return ROW | {"bbox": BOX | sides}


def _polygon(*parts: Any) -> dict[str, Any]:
    return POLYGON | {"polygon": list(parts)}


def _mask(**fields: Any) -> dict[str, Any]:
    return MASK | {"mask": MASK["mask"] | fields}


BAD: list[tuple[dict[str, Any], Code, str]] = [
    (ROW | {"data_unit": None}, Code.BAD_TABLE, "column data_unit: must not be null"),
    (ROW | {"data_unit": "nobody"}, Code.UNKNOWN_DATA_UNIT, "column data_unit: must be the id or title .*'nobody'"),
    (ROW | {"data_unit": "twin"}, Code.AMBIGUOUS_DATA_UNIT, r"give the id \(u4, u5\)"),
    (ROW | {"frame": None}, Code.BAD_TABLE, "column frame: must not be null"),
    (ROW | {"frame": 1}, Code.FRAME_RANGE, "column frame: must be a frame of 'image.jpg', which are 0 to 0, got 1"),
    (ROW | {"kind": None}, Code.BAD_TABLE, "column kind: must not be null"),
    (ROW | {"kind": "boxes"}, Code.UNKNOWN_CLASS, "column kind: must be one of bbox, .* got 'boxes'"),
    (ROW | {"class_name": None}, Code.UNKNOWN_CLASS, "column class_name: must be given where feature_hash is null"),
    (ROW | {"class_name": "a bax"}, Code.UNKNOWN_CLASS, r"column class_name: .* got 'a bax'; did you mean 'a box'\?"),
    (ROW | {"class_name": "tree"}, Code.UNKNOWN_CLASS, "column class_name: .* got 'tree'; valid ones: a box, a turned"),
    (ROW | {"feature_hash": "b"}, Code.UNKNOWN_CLASS, "column feature_hash: must be the featureNodeHash .* got 'b'"),
    (
        ROW | {"feature_hash": "turned"},
        Code.UNKNOWN_CLASS,
        "must be 'a turned', the name of turned, or null, got 'a box'",
    ),
    (ROW | {"class_name": "a area"}, Code.UNKNOWN_CLASS, "column kind: .* for a bbox, got 'a area' of shape polygon"),
    (POLYGON | {"feature_hash": "box"}, Code.UNKNOWN_CLASS, "shape polygon or bitmask for a polygon, got 'a box'"),
    (ROW | {"confidence": math.nan}, Code.BAD_TABLE, "column confidence: must be a finite number or null, got nan"),
    (ROW | {"rotation": math.inf}, Code.BAD_TABLE, "column rotation: must be a finite number or null, got inf"),
    (ROW | {"row": -1}, Code.BAD_TABLE, "column row: must be at least 0 or null, got -1"),
    (ROW | {"keypoints": [{"x": 0.0}, {"x": math.nan}]}, Code.BAD_TABLE, "column keypoints: numbers must be finite"),
    (ROW | {"cuboid": {"x": 1.0, "qw": math.inf}}, Code.BAD_TABLE, "column cuboid: numbers must be finite or null"),
    (ROW | {"attributes": '{"a": 1'}, Code.BAD_TABLE, """column attributes: must be a JSON object or null, got '{"a"""),
    (ROW | {"attributes": "[1]"}, Code.BAD_TABLE, r"column attributes: .* got '\[1\]'"),
    (ROW | {"bbox": None}, Code.BAD_TABLE, "column bbox: must not be null for a bbox"),
    (ROW | {"kind": "rotated_bbox", "class_name": "a turned"}, Code.BAD_TABLE, "column rotation: must not be null"),
    (_box(xmax=math.nan), Code.BAD_BOX, r"column bbox: must be finite, .* got \[10.0, 20.0, nan, 40.0\]"),
    (_box(xmax=None), Code.BAD_BOX, "column bbox: must be finite"),
    (_box(xmax=9.0), Code.BAD_BOX, "right and bottom not before left and top"),
    (_box(ymin=-math.inf), Code.BAD_BOX, "column bbox: must be finite"),
    (POLYGON | {"polygon": None}, Code.BAD_TABLE, "column polygon: must not be null for a polygon"),
    (_polygon(), Code.BAD_TABLE, "column polygon: must have parts of rings, .* got no part in one"),
    (_polygon([RING], []), Code.BAD_TABLE, "got no ring in one"),
    (_polygon([RING], None), Code.BAD_TABLE, "got no ring in one"),
    (_polygon([RING, None]), Code.BAD_TABLE, "each ring must have at least 3 vertices"),
    (_polygon([RING, RING[:2]]), Code.BAD_TABLE, "each ring must have at least 3 vertices"),
    (_polygon([[*RING, {"x": math.nan, "y": 0.0}]]), Code.BAD_TABLE, "vertices must be finite"),
    (MASK | {"mask": None}, Code.BAD_TABLE, "column mask: must not be null for a bitmask"),
    (_mask(height=None), Code.BAD_TABLE, "column mask: height, width and counts must not be null"),
    (_mask(counts=None), Code.BAD_TABLE, "column mask: height, width and counts must not be null"),
    (_mask(counts=b"0"), Code.BAD_TABLE, "counts must be COCO's .* of 200 x 100 pixels, got b'0'"),
    (_mask(counts=b"\xff"), Code.BAD_TABLE, r"counts must be .* got b'\\xff'"),
    (_mask(height=7), Code.SIZE_MISMATCH, "column mask: must be 200 x 100 pixels as its data unit is, got 200 x 7"),
    (MASK | {"data_unit": "u3"} | _mask(width=0) | {"data_unit": "u3"}, Code.SIZE_MISMATCH, "got 0 x 100"),
    (ROW | {"image_height": 101}, Code.SIZE_MISMATCH, "column image_height: must be 100 .* got 101"),
    (ROW | {"data_unit": "u3", "image_width": 0}, Code.SIZE_MISMATCH, "column image_width: .* at least 1 .* got 0"),
    (
        POLYGON | {"kind": "classification", "feature_hash": "rain?"},
        Code.UNKNOWN_CLASS,
        r"column feature_hash: .* got 'rain\?'; valid ones: weather",
    ),
]


@pytest.mark.parametrize(("bad", "code", "text"), BAD)
def test_a_bad_row_is_named_by_its_place(project: Project, bad: dict[str, Any], code: Code, text: str) -> None:
    table = _table(ROW, POLYGON, bad, MASK)
    with pytest.raises(InputError, match=r"^predictions\[2\]: .*" + text) as caught:
        import_predictions(project, table)
    (found,) = caught.value.problems
    assert (found.row, found.code) == (2, code)
    assert project.sets() == []
    result = import_predictions(project, table, on_error="skip")
    assert (result.rows, result.report.rejected, result.report.sources) == (3, 1, 4)
    assert [row["kind"] for row in rows(project)] == ["bbox", "polygon", "bitmask"]


def test_bad_rows_of_later_batches_have_their_place(project: Project) -> None:
    n = 2 * BATCH_ROWS + 10
    table = _table(ROW).take(np.zeros(n, np.int64))
    confidence = np.zeros(n)
    confidence[[3, n - 1]] = math.nan
    table = table.set_column(6, "confidence", pa.array(confidence))
    with pytest.raises(InputError) as caught:
        import_predictions(project, table.combine_chunks())
    assert [problem.row for problem in caught.value.problems] == [3]  # reading ends with the first batch
    result = import_predictions(project, table.combine_chunks(), on_error="skip")
    assert [problem.row for problem in result.report.problems] == [3, n - 1]
    assert result.rows == n - 2


def test_a_slice_knows_its_own_polygons(project: Project) -> None:
    moved = [[{"x": v["x"] + i, "y": v["y"]} for v in RING] for i in range(9)]
    table = _table(*[POLYGON | {"polygon": [[ring]]} for ring in moved])
    import_predictions(project, table.slice(3, 4))
    assert [row["bbox"]["xmin"] for row in rows(project)] == [3, 4, 5, 6]
    assert [row["polygon"][0][0][0]["x"] for row in rows(project)] == [3, 4, 5, 6]


def test_a_line_may_have_one_vertex(project: Project) -> None:
    line = POLYGON | {"kind": "polyline", "feature_hash": "line", "polygon": [[RING[:2]]]}
    import_predictions(project, _table(line, POLYGON))
    assert [row["bbox"]["ymax"] for row in rows(project)] == [0, 7]
    import_predictions(project, _table(line | {"polygon": [[RING[:1]]]}))
    with pytest.raises(InputError, match="each ring must have at least 1 vertex"):
        import_predictions(project, _table(line | {"polygon": [[[]]]}))


def test_a_foreign_stream_that_breaks_changes_nothing(project: Project) -> None:
    import_predictions(project, _table(ROW))

    def broken() -> Iterator[pa.RecordBatch]:
        yield from _table(ROW, ROW).to_batches()
        raise ZeroDivisionError("broken")

    with pytest.raises(ZeroDivisionError):
        import_predictions(project, pa.RecordBatchReader.from_batches(LOOSE, broken()))
    assert len(rows(project)) == 1


def test_kinds_and_windows_are_what_the_documents_say() -> None:
    assert set(HOLDERS) <= set(KIND_SHAPES)
    assert WINDOW_BYTES == 128 << 20
