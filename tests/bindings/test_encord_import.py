"""Label rows into a project: data units, classes, one commit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from predarrow import DataUnits, InputError, Ontology, Project, ProjectError, import_label_rows, read_label_rows
from predarrow.report import Code
from tests import encord_rows
from tests.label_rows import box_label, image_row, video_row

Json = dict[str, Any]

CHERRIES = Ontology.from_classes(["Kirsche"], shape="bounding_box")
FEATURE = CHERRIES.objects[0].feature_hash


def project_of(path: Path, units: list[Json], ontology: Ontology = CHERRIES) -> Project:
    names = ("id", "title", "kind", "width", "height", "n_frames")
    columns = {name: [unit.get(name) for unit in units] for name in names}
    return Project.create(path / "project", ontology=ontology, data_units=DataUnits.from_table(columns))


def image(id_: str, title: str = "", **more: Any) -> Json:
    return {"id": id_, "title": title or id_, "kind": "image", "width": 64, "height": 32} | more


def cherry(object_hash: str = "a", **given: float) -> Json:
    return box_label(object_hash, **given) | {"featureHash": FEATURE, "name": "cherry"}


def labels_of(project: Project, set_name: str = "labels") -> pa.Table:
    return project.scan(set_name).read_all()


def test_rows_of_the_sdk_come_into_a_project_as_they_are_read(tmp_path: Path) -> None:
    rows = [encord_rows.video_row(1), encord_rows.image_row(1), encord_rows.group_row(1)]
    places = [("video", 400), ("image", None), ("image_group", 3)]
    units = [
        {"id": row["data_hash"], "title": row["data_title"], "kind": kind, "n_frames": n_frames}
        for row, (kind, n_frames) in zip(rows, places, strict=True)
    ]
    ontology = Ontology.from_dict(encord_rows.structure())
    file = tmp_path / "export.json"
    file.write_text(json.dumps(rows))
    project = project_of(tmp_path, units, ontology)
    result = import_label_rows(project, file)
    wanted = read_label_rows(file, ontology=ontology).read_all()
    assert labels_of(project).to_pylist() == wanted.to_pylist()
    assert result.rows == wanted.num_rows
    assert "import label rows" in str(project.history("labels").to_pylist())


def test_data_units_are_found_by_id_then_by_title(tmp_path: Path) -> None:
    project = project_of(tmp_path, [image("one", "x.png"), image("two", "two.png"), image("three", "one")])
    rows = [image_row([cherry()], "other", data_title="two.png"), image_row([cherry()], "one")]
    result = import_label_rows(tmp_path / "project", rows)
    table = labels_of(project)
    assert table["data_unit"].to_pylist() == ["one", "two"]
    assert table["class_name"].to_pylist() == ["Kirsche", "Kirsche"]
    assert table["row"].to_pylist() == [1, 0]
    assert result.report.imported == 2


def test_sizes_that_rows_do_not_tell_are_the_projects(tmp_path: Path) -> None:
    row = image_row([cherry(x=0.5)], "one")
    del row["data_units"]["one"]["width"]
    project = project_of(tmp_path, [image("one", width=200, height=100)])
    import_label_rows(project, row)
    assert labels_of(project)["bbox"][0]["xmin"].as_py() == 100.0


PROBLEMS: list[tuple[Json, Code, str]] = [
    (image_row([cherry()], "none"), Code.UNKNOWN_DATA_UNIT, "got data_hash 'none', data_title 'none.png'"),
    (image_row([cherry()], "none", data_title="same"), Code.AMBIGUOUS_DATA_UNIT, "which 2 have"),
    (video_row({0: [cherry()], 7: [cherry()]}, "short"), Code.FRAME_RANGE, "which are 0 to 4, got 7"),
    (image_row([cherry(), box_label("b")], "one"), Code.UNKNOWN_CLASS, "one of the ontology's objects, got 'class'"),
    (image_row([cherry()], "large"), Code.SIZE_MISMATCH, "must be 100 x 200 (height x width) as the data unit 'large'"),
]


@pytest.mark.parametrize(("row", "code", "words"), PROBLEMS)
def test_labels_that_do_not_match_are_refused(row: Json, code: Code, words: str, tmp_path: Path) -> None:
    units = [image("one"), image("large", width=200, height=100), image("s1", "same"), image("s2", "same")]
    units.append(image("short", kind="video", n_frames=5))
    project = project_of(tmp_path, units)
    good = image_row([cherry("good")], "one") if row["data_hash"] != "one" else image_row([cherry("good")], "s1")
    with pytest.raises(InputError) as caught:
        import_label_rows(project, [good, row])
    assert [problem.code for problem in caught.value.problems] == [code]
    assert words in str(caught.value)
    with pytest.raises(ProjectError):
        labels_of(project)
    result = import_label_rows(project, [good, row], on_error="skip")
    assert result.report.rejected == 1
    assert labels_of(project).num_rows == result.rows >= 1


def test_another_import_replaces_the_set_or_adds_to_it(tmp_path: Path) -> None:
    project = project_of(tmp_path, [image("one"), image("two")])
    import_label_rows(project, image_row([cherry("a")], "one"), set_name="gold")
    import_label_rows(project, image_row([cherry("b")], "two"), set_name="gold", mode="append")
    assert sorted(labels_of(project, "gold")["object_id"].to_pylist()) == ["a", "b"]
    import_label_rows(project, image_row([cherry("c")], "two"), set_name="gold", workers=1)
    assert labels_of(project, "gold")["object_id"].to_pylist() == ["c"]
