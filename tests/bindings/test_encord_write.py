"""What is written of tables as label rows; without Encord's SDK."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from predarrow.errors import InputError, OutputError
from predarrow.formats import write_chunks
from predarrow.formats.encord import write_documents
from predarrow.formats.encord.write import write_label_rows
from predarrow.ontology import Ontology
from tests.encord_tables import ONTOLOGY, RING, Row, answer, box, objects_of, table_of, write


def test_files_are_lists_gzip_where_the_name_says_so(tmp_path: Path) -> None:
    plain, packed = tmp_path / "rows.json", tmp_path / "rows.json.gz"
    for path in (plain, packed):
        write_label_rows(table_of(box(), box(data_unit="b")), path, ontology=ONTOLOGY)
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    assert [row["data_hash"] for row in json.loads(plain.read_bytes())] == ["unit", "b"]
    with pytest.raises(OutputError, match="overwrite=True"):
        write_label_rows(table_of(box()), plain, ontology=ONTOLOGY)


def test_a_table_without_rows_is_an_empty_list(tmp_path: Path) -> None:
    rows, result = write(table_of(), tmp_path)
    assert (rows, result.label_rows, result.rows) == ([], 0, 0)


def test_objects_without_an_id_get_one_that_stays(tmp_path: Path) -> None:
    table = table_of(*(box() for _ in range(300)), box(data_unit="v", frame=7), box(data_unit="v", frame=8))
    rows, _ = write(table, tmp_path)
    ids = [label["objectHash"] for label in objects_of(rows[0])]
    assert len(set(ids)) == 300
    assert {len(each) for each in ids} == {8}
    (other,) = write(table.slice(300), tmp_path)[0]
    assert other["object_answers"] == rows[1]["object_answers"]
    assert other["object_answers"].keys() == {objects_of(other, f)[0]["objectHash"] for f in (7, 8)}


def test_objects_at_the_same_place_of_several_sources_get_ids_of_their_own(tmp_path: Path) -> None:
    (row,), _ = write(table_of(*(box(row=0) for _ in range(5))), tmp_path)
    assert len(row["object_answers"]) == 5


def test_confidence_is_one_where_none_is_told(tmp_path: Path) -> None:
    (row,), result = write(table_of(box(confidence=0.125), box()), tmp_path)
    assert [label["confidence"] for label in objects_of(row)] == [0.125, 1.0]
    assert result.report.flagged == {"confidence written as 1.0, which Encord takes where none is told": 1}


def test_attributes_that_encord_does_not_know_are_members(tmp_path: Path) -> None:
    known: Row = {"createdAt": "2024-01-02", "createdBy": None, "manualAnnotation": False, "isDeleted": True}
    more: Row = {"reviews": [{}], "truncated": 0.5, "global": 3, "ä\n": ["x"], "ranges": [[1]], "convention": "mine"}
    taken = {"name": "x", "boundingBox": 1, "confidence": 3, "lastEditedAt": 3, "lastEditedBy": False}
    (row,), result = write(table_of(box(attributes=known | more | taken)), tmp_path)
    (label,) = objects_of(row)
    assert {name: label[name] for name in (known | more)} == known | more
    assert (label["name"], label["confidence"]) == ("Box", 1.0)
    assert result.report.flagged["attribute left out that has the name of one of Encord's own members"] == 5
    assert not label.keys() & {"lastEditedAt", "lastEditedBy"}


def test_columns_that_were_changed_win_over_kept_coordinates(tmp_path: Path) -> None:
    kept = {"boundingBox": {"x": 0.12300000000000001, "y": 0.5, "w": 0.1, "h": 0.25, "odd": 1}}
    left, right = kept["boundingBox"]["x"] * 64, kept["boundingBox"]["x"] * 64 + 0.1 * 64
    same = {"xmin": left, "ymin": 18.5, "xmax": right, "ymax": 18.5 + 0.25 * 37}
    attributes = {"encord": {"coordinates": kept}}
    changed = box(bbox=same | {"ymax": 30.0}, attributes=attributes)
    (row,), _ = write(table_of(box(bbox=same, attributes=attributes), changed), tmp_path)
    first, second = (label["boundingBox"] for label in objects_of(row))
    assert first == kept["boundingBox"]
    assert second["y"] * 37 + second["h"] * 37 == 30.0
    assert second.keys() == {"x", "y", "w", "h"}


def test_the_front_face_of_a_changed_cuboid_is_that_of_the_columns(tmp_path: Path) -> None:
    kept = {"cuboid_2d": {"front": [0.0] * 6, "vanishingPoint": {"x": 0.5, "y": 0.5}, "scaleRatio": 0.25}}
    row = box(class_name="Crate", kind="cuboid_2d", polygon=[[RING]], attributes={"encord": {"coordinates": kept}})
    (written,), _ = write(table_of(row), tmp_path)
    found = objects_of(written)[0]["cuboid_2d"]
    assert found["front"] == [value for point in RING for value in (point["x"] / 64, point["y"] / 37)]
    assert (found["vanishingPoint"], found["scaleRatio"]) == ({"x": 0.5, "y": 0.5}, 0.25)


def test_cuboids_of_scenes_come_from_their_quaternions(tmp_path: Path) -> None:
    ontology = Ontology.from_classes(["Car"], shape="cuboid")
    half = 0.5**0.5
    cuboid = {"x": 1.0, "y": 2.0, "z": 3.0, "qx": 0.0, "qy": 0.0, "qz": half, "qw": half}
    cuboid |= {"width": 2.0, "length": 4.0, "height": 1.5}
    made = {"class_name": "Car", "kind": "cuboid", "cuboid": cuboid, "attributes": {"convention": "encord"}}
    units = pa.table({"id": ["unit"], "kind": ["scene"]})
    (row,), _ = write(table_of(made), tmp_path, ontology=ontology, data_units=units)
    found = objects_of(row, 0)[0]["cuboid"]
    assert (found["position"], found["size"]) == ([1.0, 2.0, 3.0], [4.0, 2.0, 1.5])
    assert found["orientation"] == pytest.approx([0.0, 0.0, np.pi / 2])
    with pytest.raises(InputError, match="convention"):
        write(table_of(made | {"attributes": None}), tmp_path, ontology=ontology, data_units=units)


def test_points_of_scenes_keep_their_height(tmp_path: Path) -> None:
    line = box(class_name="Branch", kind="polyline", polygon=[[RING]], attributes={"encord": {"z": [1.0, -2.5, 0.25]}})
    point = box(class_name="Pedicel", kind="keypoints", keypoints=[{"x": 16.0, "y": 18.5}])
    (row,), _ = write(table_of(line, box(class_name="Branch", kind="polyline", polygon=[[RING]]), point), tmp_path)
    high, flat, single = objects_of(row)
    assert [each["z"] for each in high["polyline"].values()] == [1.0, -2.5, 0.25]
    assert [each.keys() for each in flat["polyline"].values()] == [{"x", "y"}] * 3
    assert single["point"] == {"0": {"x": 0.25, "y": 0.5}}


def test_dynamic_answers_become_ranges(tmp_path: Path) -> None:
    first, second = ({"featureHash": "attr_Remark", "answers": word} for word in "ab")
    frames = {1: [first], 2: [first], 3: [second], 4: [], 5: [first, {"featureHash": "attr_Speed", "answers": 1}]}
    rows = [box(frame=frame, object_id="x", attributes={"dynamic": told}) for frame, told in frames.items()]
    (row,), _ = write(table_of(*rows), tmp_path)
    actions = row["object_actions"]["x"]["actions"]
    assert [(action["answers"], action["range"]) for action in actions] == [
        ("a", [[1, 2], [5, 5]]),
        ("b", [[3, 3]]),
        (1, [[5, 5]]),
    ]
    assert all(action["dynamic"] and action["shouldPropagate"] is False for action in actions)
    assert len({action["trackHash"] for action in actions}) == 3


def test_kept_actions_hold_until_the_answers_change(tmp_path: Path) -> None:
    answers = {"featureHash": "attr_Remark", "answers": "a"}
    action = answers | {"range": [[1, 9]], "dynamic": True, "trackHash": "t"}
    kept = {"encord": {"object": {"objectNumber": 3, "object_actions": {"actions": [action]}}}, "dynamic": [answers]}
    (row,), _ = write(table_of(box(frame=2, object_id="x", attributes=kept)), tmp_path)
    assert row["object_actions"]["x"]["actions"][0]["range"] == [[1, 9]]
    assert row["object_answers"]["x"]["objectNumber"] == 3
    changed = kept | {"dynamic": [answers | {"answers": "b"}]}
    (row,), _ = write(table_of(box(frame=2, object_id="x", attributes=changed)), tmp_path)
    assert [(each["answers"], each["range"]) for each in row["object_actions"]["x"]["actions"]] == [("b", [[2, 2]])]


def test_classifications_of_several_confidences_are_several(tmp_path: Path) -> None:
    told = [(3, 0.5), (4, 0.5), (5, 0.75), (20, 0.5), (21, None)]
    rows = [answer(frame=frame, object_id="a", confidence=score) for frame, score in told]
    (row,), result = write(table_of(*rows), tmp_path)
    entries = row["classification_answers"]
    assert [(entry["range"], entry["confidence"]) for entry in entries.values()] == [
        ([[3, 4], [20, 20]], 0.5),
        ([[5, 5]], 0.75),
        ([[21, 21]], 1.0),
    ]
    assert len(entries) == 3
    assert next(iter(entries)) == "a"
    assert all(entry["classificationHash"] == key for key, entry in entries.items())
    on_frames = {frame: labels["classifications"] for frame, labels in row["data_units"]["unit"]["labels"].items()}
    assert {frame: label["confidence"] for frame, (label,) in on_frames.items()} == {
        "3": 0.5,
        "4": 0.5,
        "5": 0.75,
        "20": 0.5,
        "21": 1.0,
    }
    what = "classification written as several, as Encord has one confidence and one answer for all of its frames"
    assert result.report.flagged[what] == 2


def test_spans_are_answers_with_ranges(tmp_path: Path) -> None:
    noise = box(class_name="Noise", kind="span", object_id="n", bbox=None, attributes={"ranges": [[0, 9], [20, 30]]})
    (row,), _ = write(table_of(noise | {"confidence": 0.5}), tmp_path)
    assert row["data_type"] == "audio"
    entry = row["object_answers"]["n"]
    assert (entry["range"], entry["shape"], entry["confidence"]) == ([[0, 9], [20, 30]], "audio", 0.5)
    place = {"start": {"xpath": "/html", "offset": 1}, "end": {"xpath": "/html", "offset": 4}}
    html = box(class_name="Note", kind="span", object_id="h", bbox=None, attributes={"ranges": [place]})
    (row,), _ = write(table_of(html), tmp_path)
    assert row["data_type"] == "plain_text"
    assert (row["object_answers"]["h"]["range_html"], row["object_answers"]["h"]["range"]) == ([place], [])


def test_frames_keep_what_else_they_had(tmp_path: Path) -> None:
    unit = {"data_type": "application/dicom", "data_sequence": 0, "width": 64, "height": 37}
    unit["labels"] = {"3": {"metadata": {"file_uri": "a"}}, "4": {"metadata": {"file_uri": "b"}}, "5": {}}
    given = {"data_hash": "unit", "data_type": "dicom", "branch_name": "main", "data_units": {"unit": unit}}
    (row,), _ = write(table_of(box(frame=3, attributes={"encord": {"label_row": given}})), tmp_path)
    labels = row["data_units"]["unit"]["labels"]
    assert labels["3"]["metadata"] == {"file_uri": "a"}
    assert len(labels["3"]["objects"]) == 1
    assert labels["4"] == {"objects": [], "classifications": [], "metadata": {"file_uri": "b"}}
    assert labels["5"] == {"objects": [], "classifications": []}


def test_frames_of_scenes_are_named_by_their_streams(tmp_path: Path) -> None:
    units = pa.table({"id": ["unit"], "kind": ["scene"]})
    rows = [box(frame=2, stream="front", object_id="a"), box(frame=2, stream='l"eft', object_id="a"), box(frame=2)]
    (row,), _ = write(table_of(*rows), tmp_path, data_units=units)
    labels = row["data_units"]["unit"]["labels"]
    assert {name: len(frame["objects"]) for name, frame in labels.items()} == {"2": 1, "front#2": 1, 'l"eft#2': 1}


def test_frames_come_in_order_whatever_that_of_the_rows(tmp_path: Path) -> None:
    (row,), _ = write(table_of(*(box(frame=frame, object_id="a") for frame in (7, 3, 20))), tmp_path)
    assert list(row["data_units"]["unit"]["labels"]) == ["3", "7", "20"]


def test_what_a_row_has_no_place_for_is_told(tmp_path: Path) -> None:
    row = box(stream="front", keypoints=[{"x": 1.0, "y": 1.0}], cuboid={"x": 1.0})
    _, result = write(table_of(row), tmp_path)
    assert set(result.report.flagged) >= {
        "stream left out: label rows have no camera or lidar id",
        "keypoints left out of objects of another shape",
        "cuboid left out of objects of another shape",
    }


def test_pieces_of_any_size_give_the_same_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for unit in range(12):
        for frame in range(int(rng.integers(1, 4))):
            rows += [box(data_unit=f"u{unit:02}", frame=frame) for _ in range(int(rng.integers(0, 6)))]
            rows += [answer(data_unit=f"u{unit:02}", frame=frame, object_id="c")]
    table = table_of(*rows)
    whole, _ = write(table, tmp_path)
    monkeypatch.setattr(write_chunks, "CHUNK_ROWS", 7)
    monkeypatch.setattr(write_documents, "_BLOCK_ROWS", 3)
    for parts in (table, pa.Table.from_batches(table.to_batches(max_chunksize=4)), iter_table(table, 1)):
        assert write(parts, tmp_path)[0] == whole


def iter_table(table: pa.Table, size: int) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(table.schema, iter(table.to_batches(max_chunksize=size)))
