"""Sets of a project as label rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from predarrow import (
    BoundingBox,
    DataUnits,
    InputError,
    Ontology,
    Polygon,
    Project,
    export_label_rows,
    import_label_rows,
)
from tests import encord_rows

Row = dict[str, Any]

ROWS = (encord_rows.image_row, encord_rows.group_row, encord_rows.video_row)


def project_of(path: Path, rows: list[Row]) -> Project:
    kinds = {"image": ("image", 1), "img_group": ("image_group", 3), "video": ("video", encord_rows.N_FRAMES)}
    columns = {
        "id": [row["data_hash"] for row in rows] + ["new", "clip"],
        "title": [row["data_title"] for row in rows] + ["New.png", "Clip.mp4"],
        "kind": [kinds[row["data_type"]][0] for row in rows] + ["image", "video"],
        "n_frames": [kinds[row["data_type"]][1] for row in rows] + [1, 400],
        "width": [None for _ in rows] + [64, 64],
        "height": [None for _ in rows] + [37, 37],
    }
    ontology = Ontology.from_dict(encord_rows.structure())
    return Project.create(path / "project", ontology=ontology, data_units=DataUnits.from_table(columns))


def exported(project: Project, path: Path, **options: Any) -> dict[str, Row]:
    export_label_rows(project, path / "rows.json", overwrite=True, **options)
    rows: list[Row] = json.loads((path / "rows.json").read_text("utf-8"))
    return {row["data_hash"]: row for row in rows}


def test_what_was_imported_is_exported_as_it_was(tmp_path: Path) -> None:
    rows = [make(seed) for seed in range(2) for make in ROWS]
    project = project_of(tmp_path, rows)
    for row in rows:  # each commit on its own: the set's rows are not in order
        import_label_rows(project, row, mode="append")
    back = exported(project, tmp_path)
    wanted = {row["data_hash"]: encord_rows.comparable(row) for row in rows}
    assert {key: encord_rows.comparable(row) for key, row in back.items()} == wanted


def test_what_was_authored_is_taken_by_the_sdk(tmp_path: Path) -> None:
    project = project_of(tmp_path, [])
    with project.bundle() as bundle:
        image, clip = bundle.label_row("New.png"), bundle.label_row("Clip.mp4")
        answers = {"Ripe": "Yes", "How": "very"}
        one = image.add_object("Box", BoundingBox(0.1, 0.2, 0.3, 0.4), confidence=0.5, answers=answers)
        image.add_classification("Many types of fruit?", ["Apple", "Kiwi"])
        ring = [(0.1, 0.1), (0.5, 0.1), (0.3, 0.7)]
        two = clip.add_object("Area", Polygon([[ring]]), frames=[103, 104, 107])
        clip.add_object("Box", BoundingBox(0.0, 0.0, 0.5, 0.5), frames=[7, 9], answers={"Pose": "Up"})
        clip.add_classification("Said", "gut", frames=range(193, 198))
    rows = exported(project, tmp_path)
    made = {key: encord_rows.rewritten(row) for key, row in rows.items()}
    (label,) = made["new"]["data_units"]["new"]["labels"]["objects"]
    assert label["boundingBox"] == {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}
    assert (label["objectHash"], label["confidence"], label["name"]) == (one, 0.5, "Box")
    assert made["new"]["object_answers"] == rows["new"]["object_answers"]
    (apples,) = made["new"]["classification_answers"].values()
    assert [option["name"] for option in apples["classifications"][0]["answers"]] == ["Apple", "Kiwi"]
    labels = made["clip"]["data_units"]["clip"]["labels"]
    assert list(labels) == ["7", "9", "103", "104", "107"]
    assert {label["objectHash"] for name in ("103", "104", "107") for label in labels[name]["objects"]} == {two}
    assert labels["103"]["objects"][0]["polygons"] == [[[0.1, 0.1, 0.5, 0.1, 0.3, 0.7]]]
    (actions,) = made["clip"]["object_actions"].values()
    assert actions["actions"][0]["range"] == [[7, 7], [9, 9]]
    (said,) = made["clip"]["classification_answers"].values()
    assert said["range"] == [[193, 197]]
    assert made["clip"]["data_units"]["clip"]["width"] == 64


def test_sets_of_which_a_row_does_not_hold_are_refused(tmp_path: Path) -> None:
    project = project_of(tmp_path, [])
    with project.bundle("boxes") as bundle:
        bundle.label_row("New.png").add_object("Box", BoundingBox(0.1, 0.2, 0.3, 0.4))
    project.ontology = Ontology.from_classes(["Box"])
    with pytest.raises(InputError, match="feature_hash"):
        export_label_rows(project, tmp_path / "none.json", set_name="boxes")
    assert not (tmp_path / "none.json").exists()
