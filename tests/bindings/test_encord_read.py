"""Label rows that the SDK made, and small ones made by hand, against the slow twin; and where they come from."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from predarrow import InputError, Ontology, OntologyError, PredarrowError, read_label_rows
from predarrow.formats.encord import documents
from predarrow.formats.encord.chunk import NO_LABELS, SPACES
from predarrow.report import Code
from predarrow.table import SCHEMA
from tests import encord_rows
from tests.label_rows import as_twin, box_label, group_row, image_row, label, video_row
from tests.naive_label_rows import table_rows

Json = dict[str, Any]

SDK_ROWS: list[Callable[[int], Json]] = [
    encord_rows.image_row,
    encord_rows.group_row,
    encord_rows.video_row,
    encord_rows.audio_row,
    encord_rows.text_row,
]


def read(label_rows: Any, **options: Any) -> pa.Table:
    table = read_label_rows(label_rows, **options).read_all()
    table.validate(full=True)
    assert table.schema == SCHEMA
    return table


@pytest.mark.parametrize("make", SDK_ROWS)
@pytest.mark.parametrize("seed", range(2))
def test_rows_of_the_sdk_are_the_twins(make: Callable[[int], Json], seed: int) -> None:
    label_row = make(seed)
    assert as_twin(read(label_row), label_row) == table_rows(label_row)


@pytest.mark.parametrize("make", SDK_ROWS)
def test_files_and_memory_give_the_same(make: Callable[[int], Json], tmp_path: Path) -> None:
    label_row = make(3)
    before = copy.deepcopy(label_row)
    wanted = rows_of(read(label_row))
    assert label_row == before
    for name, text in (
        ("one.json", json.dumps(label_row)),
        ("list.json", json.dumps([label_row])),
        ("indented.json", json.dumps(label_row, indent=2, ensure_ascii=False)),
        ("bom.json", "\ufeff" + json.dumps(label_row)),
    ):
        file = tmp_path / name
        file.write_text(text, "utf-8")
        assert rows_of(read(file)) == wanted
        assert read(file)["source"].unique().to_pylist() == [str(file)]
    file = tmp_path / "packed.json.gz"
    file.write_bytes(gzip.compress(json.dumps([label_row]).encode()))
    assert rows_of(read(file, workers=1)) == wanted


def rows_of(table: pa.Table) -> list[Json]:
    """Give rows without their source, the attributes read: blanks in them are those of the file."""
    rows: list[Json] = table.drop_columns("source").to_pylist()
    return [row | {"attributes": json.loads(row["attributes"] or "null")} for row in rows]


@pytest.mark.parametrize("make", SDK_ROWS)
def test_an_ontology_tells_names_and_holds_for_all_that_the_sdk_makes(make: Callable[[int], Json]) -> None:
    ontology = Ontology.from_dict(encord_rows.structure())
    label_row = make(4)
    reader = read_label_rows(label_row, ontology=ontology)
    table = reader.read_all()
    names = {item.feature_hash: item.name for item in ontology.objects}
    names |= {item.feature_hash: item.name for item in ontology.classifications}
    assert table["class_name"].to_pylist() == [names[each] for each in table["feature_hash"].to_pylist()]
    assert not reader.report.problems
    assert reader.report.imported == table.num_rows


@pytest.mark.parametrize("make", SDK_ROWS[:3])
def test_keys_that_are_not_known_change_the_way_but_not_the_rows(make: Callable[[int], Json]) -> None:
    label_row = make(5)
    plain = read(label_row)
    for unit in label_row["data_units"].values():
        unit["later"] = {"a": [1]}
        for frame in [unit["labels"]] if "objects" in unit["labels"] else unit["labels"].values():
            frame["mood"] = "good"
            for item in frame["objects"]:
                item["unheard"] = [None, {"x": 0.1}]
    odd = read(label_row)
    assert odd.drop_columns("attributes") == plain.drop_columns("attributes")
    assert as_twin(odd, label_row) == table_rows(label_row)
    objects = [json.loads(text) for text, kind in zip_columns(odd, "attributes", "kind") if kind != "classification"]
    assert all(each["unheard"] == [None, {"x": 0.1}] for each in objects)


def zip_columns(table: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def test_a_platform_export_has_no_branch_and_more_keys(tmp_path: Path) -> None:
    rows = [image_row([box_label()], f"image-{i}", is_valid=True, video_link="x") for i in range(3)]
    for row in rows:
        del row["branch_name"]
    file = tmp_path / "export.json"
    file.write_text(json.dumps(rows))
    table = read(file)
    assert table["data_unit"].to_pylist() == ["image-0", "image-1", "image-2"]
    kept = json.loads(table["attributes"][0].as_py())["encord"]["label_row"]
    assert kept["is_valid"] is True
    assert "branch_name" not in kept


def test_rows_are_sorted_and_numbered_through_their_file(tmp_path: Path) -> None:
    first = image_row([box_label("a"), box_label("b")], "z")
    second = video_row({7: [box_label("a")], 2: [box_label("a"), box_label("b")]}, "a")
    file = tmp_path / "rows.json"
    file.write_text(json.dumps([first, second]))
    table = read(file)
    wanted = [("a", 2, 3, "a"), ("a", 2, 4, "b"), ("a", 7, 2, "a"), ("z", 0, 0, "a"), ("z", 0, 1, "b")]
    assert zip_columns(table, "data_unit", "frame", "row", "object_id") == wanted


def test_folders_are_walked_through_and_each_file_numbers_its_own(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    for name, row in (("b.json", image_row([box_label()], "b")), ("inner/a.json", image_row([box_label()], "a"))):
        (tmp_path / name).write_text(json.dumps(row))
    (tmp_path / ".hidden.json").write_text("{")
    (tmp_path / "notes.txt").write_text("")
    reader = read_label_rows(tmp_path)
    table = reader.read_all()
    assert zip_columns(table, "data_unit", "row") == [("a", 0), ("b", 0)]
    assert reader.report.sources == 2
    assert read([tmp_path / "b.json", tmp_path / "inner"]) == table


def test_numbers_go_on_through_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("predarrow.formats.encord.read._CHUNK_ROWS", 2)
    rows = [image_row([box_label("a", w=0.0), box_label("b")], f"{i:02}") for i in range(7)]
    file = tmp_path / "rows.json"
    file.write_text(json.dumps(rows))
    reader = read_label_rows(file, on_error="skip", workers=2)
    assert reader.read_all()["row"].to_pylist() == list(range(1, 14, 2))
    assert [problem.row for problem in reader.report.problems] == list(range(0, 14, 2))
    assert [problem.pointer.partition(".")[0] for problem in reader.report.problems] == [f"$[{i}]" for i in range(7)]


def test_a_label_rows_own_members_stand_on_its_first_row_alone() -> None:
    rows = [video_row({3: [box_label("a")], 1: [box_label("a"), box_label("b")]}, name) for name in ("v", "w")]
    texts = [json.loads(text or "{}").get("encord", {}) for text in read(rows)["attributes"].to_pylist()]
    assert ["label_row" in each for each in texts] == [True, False, False] * 2
    assert texts[0]["label_row"]["data_units"]["v"]["data_fps"] == 25.0
    assert "labels" not in texts[0]["label_row"]["data_units"]["v"]


def test_a_label_row_without_labels_is_counted() -> None:
    reader = read_label_rows([image_row([]), image_row([box_label()], "other"), video_row({}, "third")])
    assert reader.read_all().num_rows == 1
    assert reader.report.flagged[NO_LABELS] == 2


def test_an_empty_list_gives_an_empty_table() -> None:
    assert read([]).num_rows == 0


def test_labels_of_spaces_are_told() -> None:
    row = image_row([box_label()], spaces={"child": {"space_type": "image", "labels": {"objects": [{}]}}})
    reader = read_label_rows(row)
    kept = json.loads(reader.read_all()["attributes"][0].as_py())["encord"]["label_row"]
    assert kept["spaces"] == row["spaces"]
    assert reader.report.flagged[SPACES] == 1


def test_what_lies_beyond_the_image_is_kept_and_flagged() -> None:
    row = image_row([box_label("a", x=-0.25), box_label("b"), box_label("c", y=0.9, h=0.5)])
    reader = read_label_rows(row)
    table = reader.read_all()
    assert table["bbox"][0].as_py() == {"xmin": -16.0, "ymin": 16.0, "xmax": 0.0, "ymax": 20.0}
    assert reader.report.flagged == {"box beyond the image": 2}


def test_rotated_boxes_are_judged_as_they_lie() -> None:
    inside = {"x": 0.25, "y": 0.0, "w": 0.5, "h": 0.25}
    labels = [
        label("rotatable_bounding_box", {"rotatableBoundingBox": inside | {"theta": theta}}, str(theta))
        for theta in (0, 90)
    ]
    reader = read_label_rows(image_row(labels))
    assert reader.read_all()["rotation"].to_pylist() == [0.0, 90.0]
    assert reader.report.flagged == {"box beyond the image": 1}


def test_scenes_keep_streams_and_need_no_size() -> None:
    cuboid = {"position": [1.0, 2.0, 3.0], "orientation": [0.0, 0.0, np.pi / 2], "size": [4.0, 2.0, 1.0]}
    row = video_row({5: [label("cuboid", {"cuboid": cuboid})]})
    unit = row["data_units"]["video"]
    unit |= {"width": 0, "height": 0, "data_fps": 0}
    unit["labels"]["front#7"] = {"objects": [label("cuboid", {"cuboid": cuboid}, "other")], "classifications": []}
    row["data_type"] = "scene"
    table = read(row)
    assert zip_columns(table, "frame", "stream") == [(5, None), (7, "front")]
    found = table["cuboid"][0].as_py()
    assert (found["length"], found["width"], found["height"]) == (4.0, 2.0, 1.0)
    assert (found["qz"], found["qw"]) == (pytest.approx(0.5**0.5), pytest.approx(0.5**0.5))
    assert table["image_width"].to_pylist() == [None, None]


def test_dicom_frames_keep_their_metadata() -> None:
    row = video_row({5: [box_label()]}, data_type="dicom")
    row["data_units"]["video"]["labels"]["5"]["metadata"] = {"dicom_instance_uid": "1.2.3"}
    kept = json.loads(read(row)["attributes"][0].as_py())["encord"]["label_row"]
    assert kept["data_units"]["video"]["labels"] == {"5": {"metadata": {"dicom_instance_uid": "1.2.3"}}}


def test_groups_have_sizes_of_their_own() -> None:
    row = group_row([[box_label()], [], [box_label()]])
    row["data_units"]["group/2"] |= {"width": 100, "height": 10}
    table = read(row)
    assert zip_columns(table, "data_unit", "frame", "image_width") == [("group", 0, 64), ("group", 2, 100)]


@pytest.mark.parametrize("workers", [1, 2])
def test_two_label_rows_of_one_data_unit_are_not_mixed(workers: int) -> None:
    rows = [image_row([box_label("a")]), image_row([box_label("b")], branch_name="two")]
    reader = read_label_rows(rows, on_error="skip", workers=workers)
    assert reader.read_all()["object_id"].to_pylist() == ["a"]
    assert [problem.code for problem in reader.report.problems] == [Code.DUPLICATE_SOURCE]


def test_progress_counts_label_rows() -> None:
    told: list[tuple[int, int]] = []
    rows = [image_row([box_label()], str(i)) for i in range(5)]
    read(rows, progress=lambda done, total: told.append((done, total)), workers=1)
    assert told[-1] == (5, 5)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[{}", Code.DAMAGED),
        ("", Code.DAMAGED),
        ("3", Code.BAD_VALUE),
        ('"text"', Code.BAD_VALUE),
        ("[3]", Code.BAD_VALUE),
        ("[null]", Code.BAD_VALUE),
        ('{"images": [], "annotations": []}', Code.BAD_VALUE),
        ("[" * 100_000, Code.DAMAGED),
    ],
)
def test_files_that_hold_no_label_rows_are_refused(text: str, code: Code, tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        read(file)
    assert [problem.code for problem in caught.value.problems] == [code]
    assert str(file) in str(caught.value)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.json.gz").write_bytes(gzip.compress(b"[]" * 1000)[:-9])
    (tmp_path / "text.json").write_bytes(b'[{"data_hash": "\xff"}]')
    reader = read_label_rows(tmp_path, on_error="skip")
    assert reader.read_all().num_rows == 0
    assert {problem.code for problem in reader.report.problems} == {Code.DAMAGED, Code.BAD_TEXT}
    with pytest.raises(InputError, match="No such file"):
        read(tmp_path / "none.json")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="at least one file"):
        read_label_rows(tmp_path / "empty")


@pytest.mark.parametrize("given", [3, None, b"rows.json"])
def test_what_is_no_label_row_is_refused(given: Any) -> None:
    with pytest.raises(PredarrowError, match="label_rows: must be"):
        read_label_rows(given)


def test_values_in_memory_that_json_has_not_are_refused() -> None:
    reader = read_label_rows([image_row([box_label()]), image_row([], "b", label_hash=object())], on_error="skip")
    assert reader.read_all().num_rows == 1
    assert "a value of type object" in str(reader.report.problems[0])


def test_numpys_numbers_are_taken() -> None:
    row = image_row(
        [label("bounding_box", {"boundingBox": {"x": np.float64(0.5), "y": np.int64(0), "w": 0.1, "h": 1}})]
    )
    assert read(row)["bbox"][0]["xmin"].as_py() == 32.0


def test_an_ontology_is_given_in_each_of_its_forms(tmp_path: Path) -> None:
    ontology = Ontology.from_classes(["Kirsche"], shape="bounding_box")
    ontology.write(tmp_path / "ontology.json")
    item = box_label() | {"featureHash": ontology.objects[0].feature_hash}
    for given in (ontology, ontology.to_dict(), tmp_path / "ontology.json"):
        assert read(image_row([item]), ontology=given)["class_name"].to_pylist() == ["Kirsche"]
    with pytest.raises(OntologyError):
        read_label_rows(image_row([item]), ontology={"objects": 3})
    with pytest.raises(PredarrowError, match="ontology: must be"):
        read_label_rows(image_row([item]), ontology=3)  # type: ignore[arg-type]  # what it must not be


@pytest.fixture(params=[1, 1 << 60], ids=["scanned", "one by one"])
def least_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("predarrow.formats.encord.scanned.LEAST_BYTES", request.param)
    return int(request.param)


def boxes_of_each_kind() -> list[Json]:
    """Give label rows with boxes alone: of images, groups and videos, with and without each member."""
    spare: list[Json] = [
        {},
        {"name": None, "confidence": None, "createdBy": None},
        {"name": "Größe ✓", "manualAnnotation": False, "lastEditedBy": "b"},
        {"confidence": 7.5, "reviews": [], "isDeleted": None, "manualAnnotation": None},
        {"featureHash": "other", "color": None},
    ]
    labels = [box_label(f"ö {i}", x=0.1 * i, w=1 / (3 + i)) | members for i, members in enumerate(spare)]
    rows = [image_row(labels[:2], "an image"), image_row([], "no label"), group_row([labels[:1], [], labels[2:]])]
    rows.append(video_row({frame: labels[: 1 + frame % 5] for frame in range(9, 30, 2)}))
    for key in ("createdAt", "manualAnnotation", "confidence", "value"):
        for item in rows[0]["data_units"]["an image"]["labels"]["objects"]:
            item.pop(key, None)
    return rows


@pytest.mark.parametrize("indent", [None, 1])
def test_boxes_are_read_the_same_at_once_and_one_by_one(indent: int | None, least_bytes: int, tmp_path: Path) -> None:
    rows = boxes_of_each_kind()
    file = tmp_path / "rows.json"
    file.write_text(json.dumps(rows, indent=indent, ensure_ascii=False), "utf-8")
    table = read(file)
    assert [as_twin(table.filter(pc.equal(table["data_unit"], row["data_hash"])), row) for row in rows[:1]] == [
        table_rows(row) for row in rows[:1]
    ]
    assert rows_of(table) == rows_of(read(rows))
    for row in rows[1:]:
        assert as_twin(read([row]), row) == table_rows(row)


def test_boxes_that_do_not_hold_are_told_the_same(least_bytes: int, tmp_path: Path) -> None:
    ontology = Ontology.from_dict({"objects": [{"featureNodeHash": "class", "name": "K", "shape": "bounding_box"}]})
    labels = [
        box_label("a", w=0.0),
        box_label("a"),
        box_label("b") | {"featureHash": "x"},
        box_label(""),
        box_label("c", x=-1.0),
        box_label("c", x=2.0),
    ]
    rows = [
        image_row(labels, "one"),
        video_row({100: labels[1:2], 5: labels[-1:]}, "two"),
        image_row(labels[1:2], "one"),
    ]
    rows[1]["object_answers"] = {"c": {"objectHash": "c", "objectNumber": 3, "classifications": []}}
    file = tmp_path / "rows.json"
    file.write_text(json.dumps(rows))
    reader = read_label_rows(file, ontology=ontology, on_error="skip")
    table = reader.read_all()
    assert zip_columns(table, "data_unit", "frame", "object_id", "row") == [("one", 0, "c", 4), ("two", 5, "c", 7)]
    told = [(problem.row, problem.code) for problem in reader.report.problems]
    assert told == [
        (0, Code.BAD_BOX),
        (1, Code.BAD_VALUE),
        (2, Code.UNKNOWN_CLASS),
        (3, Code.BAD_VALUE),
        (5, Code.BAD_VALUE),
        (6, Code.FRAME_RANGE),
        (None, Code.DUPLICATE_SOURCE),
    ]
    assert reader.report.flagged["box beyond the image"] == 2
    assert '"object":{"objectNumber":3}' in table["attributes"][1].as_py()


def test_of_a_frame_that_stands_twice_the_later_one_holds(least_bytes: int, tmp_path: Path) -> None:
    text = json.dumps(video_row({3: [box_label("a")], 4: [box_label("b")]}))
    file = tmp_path / "rows.json"
    file.write_text(text.replace('"4": {', '"3": {'))
    assert read(file)["object_id"].to_pylist() == ["b"]


def test_the_scanners_padding_is_there() -> None:
    from predarrow_engine import json_plain

    assert documents.PADDING >= json_plain.PADDING
