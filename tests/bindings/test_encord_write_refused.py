"""Rows that are not written as label rows, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from predarrow.errors import InputError, PredarrowError
from predarrow.formats.encord.write import write_label_rows
from predarrow.report import Code
from tests.encord_tables import BOX, ONTOLOGY, RING, Row, answer, box, objects_of, table_of, write


def refused(table: Any, path: Path, **options: Any) -> list[tuple[Code, str, str]]:
    """Give what is refused; both ways of telling must agree."""
    with pytest.raises(InputError) as error:
        write_label_rows(table, path / "none.json", ontology=ONTOLOGY, **options)
    assert not list(path.glob("*none*"))
    _, result = write(table, path, on_error="skip", **options)
    assert result.report.problems == list(error.value.problems)
    assert result.rows + len(result.report.problems) == table.num_rows
    return [(problem.code, problem.pointer, problem.message) for problem in error.value.problems]


def skeleton(*names: str) -> Row:
    points = [{"name": name, "x": 1.0, "y": 1.0, "visibility": 2} for name in names]
    return box(class_name="Triangle", kind="skeleton", keypoints=points)


_CONVERT = "predarrow.geometry."
_UNFIT: list[tuple[Row, Code, str, str]] = [
    (box(class_name="Bax"), Code.UNKNOWN_CLASS, "class_name", "did you mean 'Box'"),
    (box(feature_hash="boundin"), Code.UNKNOWN_CLASS, "feature_hash", "'boundin'"),
    (answer(class_name="Box"), Code.UNKNOWN_CLASS, "class_name", "no classification has the name 'Box'"),
    (box(kind="blob"), Code.CANNOT_HOLD, "kind", "got 'blob'"),
    (box(kind="rotated_bbox", rotation=3.0), Code.CANNOT_HOLD, "kind", "rotatable_bounding_box"),
    (box(rotation=3.0), Code.CANNOT_HOLD, "rotation", "got 3.0 degrees"),
    (box(kind="polygon", polygon=[[RING]]), Code.CANNOT_HOLD, "kind", _CONVERT + "covers"),
    (box(class_name="Berry", kind="polygon", polygon=[[RING]]), Code.CANNOT_HOLD, "kind", _CONVERT + "to_masks"),
    (box(class_name="Area"), Code.CANNOT_HOLD, "kind", _CONVERT + "to_polygons"),
    (box(bbox=None), Code.CANNOT_HOLD, "bbox", "got null"),
    (box(bbox=BOX | {"xmax": 8.0}), Code.BAD_BOX, "bbox", "[8.0, 3.5, 8.0, 30.0]"),
    (box(bbox=BOX | {"ymin": float("nan")}), Code.BAD_BOX, "bbox", "nan"),
    (box(confidence=float("inf")), Code.BAD_NUMBER, "confidence", "got inf"),
    (box(object_id=""), Code.BAD_VALUE, "object_id", "must not be empty"),
    (
        box(attributes={"answers": [{"featureHash": "attr_Weight", "answers": "3"}]}),
        *(Code.BAD_ANSWER, "attributes.answers[0].answers", "must be a finite number, got '3'"),
    ),
    (
        box(attributes={"answers": [{"featureHash": "attr_Ripe", "answers": []}]}),
        *(Code.BAD_ANSWER, "attributes.answers[0].answers", "must be a list of one option, got 0 options"),
    ),
    (
        box(attributes={"answers": [{"featureHash": "attr_Ripe", "answers": [{"featureHash": "opt_Up"}]}]}),
        *(Code.BAD_ANSWER, "attributes.answers[0].answers[0].featureHash", "an option of 'Ripe', got 'opt_Up'"),
    ),
    (
        box(attributes={"dynamic": [{"featureHash": "attr_Weight", "answers": 3}]}),
        *(Code.BAD_ANSWER, "attributes.dynamic[0].featureHash", "a dynamic attribute of 'Box', got 'attr_Weight'"),
    ),
    (
        answer(attributes={"answers": [{"featureHash": "attr_Count", "answers": 3}]}),
        *(Code.BAD_ANSWER, "attributes.answers[0].featureHash", "of 'Said', got 'attr_Count'"),
    ),
    (skeleton("top", "left"), Code.BAD_VALUE, "keypoints", "template, top, left, right, got top, left"),
    (skeleton("top", "left", "left"), Code.BAD_VALUE, "keypoints", "got top, left, left"),
    (box(frame=-1), Code.FRAME_RANGE, "frame", "got -1"),
    (box(image_height=None), Code.SIZE_UNKNOWN, "image_height", "data_units"),
    (box(attributes="[1]"), Code.BAD_TABLE, "attributes", "got '[1]'"),
    (box(attributes={"answers": 3}), Code.BAD_TABLE, "attributes", "answers"),
    (box(attributes={"answers": [{"featureHash": 3, "answers": 1}]}), Code.BAD_TABLE, "attributes", "featureHash"),
    (box(attributes={"dynamic": [{}]}), Code.BAD_TABLE, "attributes", "featureHash"),
    (box(attributes={"encord": {"object": []}}), Code.BAD_TABLE, "attributes", "encord.object"),
    (answer(attributes={"global": True}), Code.CANNOT_HOLD, "attributes", "is not global"),
    (answer(class_name="Usable", frame=3), Code.FRAME_RANGE, "frame", "must be 0"),
    (box(class_name="Noise", kind="span", attributes={"ranges": [[3, 1]]}), Code.CANNOT_HOLD, "attributes", "ranges"),
    (box(attributes={"encord": {"coordinates": {}, "more": 1}}), Code.BAD_TABLE, "attributes", "more"),
    (box(class_name="Area", kind="polygon", polygon=[[RING[:2]]]), Code.BAD_VALUE, "polygon", "at least 3 vertices"),
    (box(class_name="Area", kind="polygon", polygon=[]), Code.BAD_VALUE, "polygon", "parts of rings"),
    (box(class_name="Branch", kind="polyline", polygon=[[RING], [RING]]), Code.BAD_VALUE, "polygon", "one part"),
    (box(class_name="Pedicel", kind="keypoints", keypoints=[]), Code.BAD_VALUE, "keypoints", "one point"),
    (
        box(class_name="Triangle", kind="skeleton", keypoints=[{"name": None, "x": 1.0, "y": 1.0, "visibility": 2}]),
        *(Code.BAD_VALUE, "keypoints", "points with names"),
    ),
    (
        box(class_name="Berry", kind="bitmask", mask={"height": 37, "width": 64, "counts": b"!"}),
        *(Code.BAD_VALUE, "mask", "run lengths"),
    ),
    (
        box(class_name="Berry", kind="bitmask", mask={"height": 5, "width": 7, "counts": b"S1"}),
        *(Code.SIZE_MISMATCH, "mask", "got 5 x 7"),
    ),
    (box(class_name="Crate", kind="cuboid_2d", polygon=[[RING]]), Code.CANNOT_HOLD, "attributes", "back face"),
    (box(class_name="Noise", kind="span"), Code.CANNOT_HOLD, "attributes", "must have ranges"),
    (
        box(class_name="Branch", kind="polyline", polygon=[[RING]], attributes={"encord": {"z": [1.0]}}),
        *(Code.BAD_TABLE, "attributes", "as many as there are points"),
    ),
]


@pytest.mark.parametrize(("row", "code", "pointer", "words"), _UNFIT)
def test_rows_that_no_label_row_holds_are_refused(
    row: Row, code: Code, pointer: str, words: str, tmp_path: Path
) -> None:
    (told,) = refused(table_of(row), tmp_path)
    assert told[:2] == (code, pointer)
    assert words in told[2]


def test_skeletons_of_the_template_are_written_beside_others(tmp_path: Path) -> None:
    wanted = ["top", "left", "right"]
    table = table_of(skeleton("top"), skeleton(*wanted), box(), skeleton(*wanted[::-1]), skeleton(*wanted, "top"))
    rule = "must have the points of the class's template, top, left, right, got "
    got = ["top", "top, left, right, top"]
    assert refused(table, tmp_path) == [(Code.BAD_VALUE, "keypoints", rule + names) for names in got]


def test_rows_beside_those_refused_are_written(tmp_path: Path) -> None:
    table = table_of(
        box(object_id="a"), box(class_name="Bax"), box(data_unit="v", frame=3, bbox=None), box(data_unit="w")
    )
    rows, result = write(table, tmp_path, on_error="skip")
    assert [row["data_hash"] for row in rows] == ["unit", "w"]
    assert [label["objectHash"] for label in objects_of(rows[0])] == ["a"]
    assert (result.label_rows, result.rows, result.report.sources) == (2, 2, 2)
    assert [problem.source for problem in result.report.problems] == ["predictions[1]", "predictions[2]"]


def _told(value: int) -> Row:
    return {"answers": [{"featureHash": "attr_Weight", "answers": value}]}


_TOGETHER: list[tuple[list[Row], Code, str, str]] = [
    ([box(object_id="a"), box(object_id="a")], Code.BAD_VALUE, "object_id", "'a' a second time"),
    (
        [box(object_id="a"), box(object_id="a", frame=1, class_name="Other type of fruit")],
        *(Code.BAD_VALUE, "feature_hash", "'Other type of fruit' after 'Box' for 'a'"),
    ),
    ([answer(), answer()], Code.BAD_VALUE, "class_name", "'Said' a second time"),
    (
        [answer(class_name="Usable", object_id="a"), answer(class_name="Usable", object_id="b")],
        *(Code.BAD_VALUE, "class_name", "'Usable' a second time"),
    ),
    (
        [box(object_id="a", attributes=_told(1)), box(object_id="a", frame=1, attributes=_told(2))],
        *(Code.BAD_VALUE, "attributes", "the same static answers"),
    ),
    (
        [box(), box(data_unit="other"), box(object_id="b")],
        *(Code.BAD_TABLE, "data_unit", "'unit' again; sort the table"),
    ),
    ([box(), box(image_width=65)], Code.SIZE_MISMATCH, "image_height", "must be 37 x 64 (height x width)"),
]


@pytest.mark.parametrize(("rows", "code", "pointer", "words"), _TOGETHER)
def test_rows_that_do_not_hold_together_are_refused(
    rows: list[Row], code: Code, pointer: str, words: str, tmp_path: Path
) -> None:
    (told,) = refused(table_of(*rows), tmp_path)
    assert told[:2] == (code, pointer)
    assert words in told[2]


def test_rows_of_two_label_rows_of_one_data_unit_are_refused(tmp_path: Path) -> None:
    def kept(branch: str) -> Row:
        unit = {"data_type": "image/png", "data_sequence": 0, "width": 64, "height": 37}
        return {"encord": {"label_row": {"branch_name": branch, "data_type": "image", "data_units": {"unit": unit}}}}

    told = refused(table_of(box(attributes=kept("main")), box(attributes=kept("other"))), tmp_path)
    assert [code for code, _, _ in told] == [Code.BAD_TABLE] * 2
    assert "write branches apart" in told[0][2]


_DATA_UNITS: list[tuple[Row, Row, Code, str]] = [
    ({"id": ["a"]}, box(), Code.BAD_TABLE, "must be the id of one of data_units, got 'unit'"),
    ({"id": ["unit"], "kind": ["hologram"]}, box(), Code.BAD_TABLE, "got 'hologram'"),
    ({"id": ["unit"], "kind": ["img_group"]}, box(), Code.BAD_TABLE, "the columns group and sequence"),
    ({"id": ["unit"]}, box(frame=2), Code.FRAME_RANGE, "must be that of an image, got 2"),
    ({"id": ["unit"], "kind": ["video"], "n_frames": [2]}, box(frame=2), Code.FRAME_RANGE, "at most 1 in the video"),
    ({"id": ["unit"], "width": [64], "height": [36]}, box(), Code.SIZE_MISMATCH, "must be 36 x 64"),
    ({"id": ["unit"], "kind": ["audio"]}, box(), Code.CANNOT_HOLD, "must lie on ranges"),
    (
        {"id": ["unit"], "kind": ["video"]},
        box(class_name="Noise", kind="span", attributes={"ranges": [[0, 9]]}),
        *(Code.CANNOT_HOLD, "must be an object of a frame"),
    ),
]


@pytest.mark.parametrize(("units", "row", "code", "words"), _DATA_UNITS)
def test_rows_that_are_not_of_their_data_unit_are_refused(
    units: Row, row: Row, code: Code, words: str, tmp_path: Path
) -> None:
    (told,) = refused(table_of(row), tmp_path, data_units=pa.table(units))
    assert told[0] == code
    assert words in told[2]


_ODD_ROWS: list[Any] = [
    *(1, {}, {"data_type": "image", "data_units": {}}, {"data_type": 3, "data_units": {"a": {}}}),
    {"data_type": "image", "data_units": {"a": {"data_sequence": "x"}}},
    {"data_type": "image", "data_units": {"a": {"labels": []}}},
]


@pytest.mark.parametrize("raw", _ODD_ROWS)
def test_kept_label_rows_that_do_not_hold_are_refused(raw: Any, tmp_path: Path) -> None:
    (told,) = refused(table_of(box(attributes={"encord": {"label_row": raw}})), tmp_path)
    assert told[:2] == (Code.BAD_TABLE, "data_unit")


def test_options_that_do_not_hold_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PredarrowError, match="on_error"):
        write_label_rows(table_of(box()), tmp_path / "a.json", ontology=ONTOLOGY, on_error="ignore")  # type: ignore[arg-type]  # on purpose
    with pytest.raises(PredarrowError, match="ontology: must be an Ontology, got dict"):
        write_label_rows(table_of(box()), tmp_path / "a.json", ontology={})  # type: ignore[arg-type]  # on purpose
    with pytest.raises(InputError, match="column"):
        write_label_rows(pa.table({"data_unit": ["a"]}), tmp_path / "a.json", ontology=ONTOLOGY)
    assert not list(tmp_path.iterdir())
