"""OpenLABEL files into a project: data units, frames, classes, one commit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from predarrow import (
    DataUnits,
    InputError,
    Ontology,
    OntologyError,
    PredarrowError,
    Project,
    read_openlabel,
    write_openlabel,
)
from predarrow import import_openlabel_predictions as import_openlabel
from predarrow.report import Code
from tests.openlabel_documents import UID, box, cuboid, document, geometry, objects, one

Json = dict[str, Any]

ONTOLOGY = Ontology.from_dict(
    {
        "objects": [
            {"id": "1", "name": "Car", "shape": "bounding_box", "featureNodeHash": "boxhash"},
            {"id": "2", "name": "Car 3D", "shape": "cuboid", "featureNodeHash": "cuboidhash"},
            {"id": "3", "name": "Road", "shape": "polygon", "featureNodeHash": "polyhash"},
        ],
        "classifications": [],
    }
)
MAPPING = {"boxhash": "PassengerCar", "cuboidhash": "PassengerCar", "polyhash": "Road"}


def project_of(path: Path, *units: Json) -> Project:
    names = ("id", "title", "kind", "width", "height", "n_frames")
    columns = {name: [unit.get(name) for unit in units] for name in names}
    return Project.create(path / "project", ontology=ONTOLOGY, data_units=DataUnits.from_table(columns))


def video(id_: str, title: str, n_frames: int = 2) -> Json:
    return {"id": id_, "title": title, "kind": "video", "width": 64, "height": 32, "n_frames": n_frames}


def image(id_: str, title: str) -> Json:
    return {"id": id_, "title": title, "kind": "image", "width": 64, "height": 32}


def file_of(folder: Path, given: Json, name: str = "scene.json") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(json.dumps(given))
    return path


def test_boxes_come_into_a_project(tmp_path: Path) -> None:
    project = project_of(tmp_path, video("id of it", "scene"))
    frames = {"1": {"objects": objects(bbox=[box()])}, "0": {"objects": objects(bbox=[box(), box()])}}
    path = file_of(tmp_path / "in", document(frames))
    result = import_openlabel(project, path, MAPPING)
    assert result.rows == 3
    found = project.scan().read_all()
    assert found["data_unit"].to_pylist() == ["id of it"] * 3
    assert found["frame"].to_pylist() == [0, 0, 1]
    assert found["row"].to_pylist() == [0, 1, 2]
    assert set(found["class_name"].to_pylist()) == {"Car"}
    assert set(found["feature_hash"].to_pylist()) == {"boxhash"}
    assert set(found["image_width"].to_pylist()) == {64}
    assert "import openlabel" in str(project.history().to_pylist())


def test_one_type_stands_for_classes_of_several_shapes(tmp_path: Path) -> None:
    project = project_of(tmp_path, video("a", "scene"))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "ontology_mapping.json").write_text(json.dumps(MAPPING))
    path = file_of(tmp_path / "in", one(bbox=[box()], cuboid=[cuboid()]))
    import_openlabel(project, path, dialect="asam")
    found = project.scan().read_all()
    assert found["class_name"].to_pylist() == ["Car", "Car 3D"]


def test_files_of_boxes_and_cuboids(tmp_path: Path) -> None:
    """Kognic's later page allows both in one prediction; cuboids then still look along their +y."""
    project = project_of(tmp_path, video("a", "scene"))
    given = one(bbox=[box()], cuboid=[cuboid()])
    path = file_of(tmp_path / "in", given)
    with pytest.raises(InputError, match=r"of one type, bbox as its first, got cuboid; mixed=True") as caught:
        import_openlabel(project, path, MAPPING)
    assert [problem.code for problem in caught.value.problems] == [Code.MIXED_GEOMETRIES]
    import_openlabel(project, path, MAPPING, mixed=True)
    found = project.scan().read_all()
    assert found["kind"].to_pylist() == ["bbox", "cuboid"]
    assert json.loads(found["attributes"][1].as_py())["convention"] == "kognic"
    read = read_openlabel(path, mixed=True).read_all()
    with pytest.raises(InputError, match=r"of one type, bbox as its first, got cuboid; mixed=True"):
        write_openlabel(read, tmp_path / "scene.json")
    write_openlabel(read, tmp_path / "scene.json", mixed=True)
    assert json.loads((tmp_path / "scene.json").read_text()) == given


def test_frames_are_found_by_their_external_ids(tmp_path: Path) -> None:
    project = project_of(tmp_path, image("1", "b.png"), image("a.png", "x"))
    frames = {
        str(key): {"objects": objects(bbox=[box()]), "frame_properties": {"timestamp": 0, "external_id": name}}
        for key, name in enumerate(["a.png", "b.png"])
    }
    import_openlabel(project, file_of(tmp_path / "in", document(frames)), MAPPING)
    found = project.scan().read_all()
    assert sorted(zip(found["data_unit"].to_pylist(), found["frame"].to_pylist(), strict=True)) == [
        ("1", 0),
        ("a.png", 0),
    ]


@pytest.mark.parametrize(
    ("units", "given", "code"),
    [
        ([video("a", "other")], one(bbox=[box()]), Code.UNKNOWN_DATA_UNIT),
        ([video("a", "scene"), video("b", "scene")], one(bbox=[box()]), Code.AMBIGUOUS_DATA_UNIT),
        ([video("a", "scene")], document({"2": {"objects": objects(bbox=[box()])}}), Code.FRAME_RANGE),
        (
            [video("a", "scene")],
            one(poly2d=[geometry([0, 0, 1, 0, 1, 1], mode="MODE_POLY2D_ABSOLUTE", closed=True)]),
            Code.UNKNOWN_CLASS,
        ),
        (
            [video("a", "scene")],
            document(objects={UID: {"name": "", "type": "Bus"}}),
            Code.UNKNOWN_CLASS,
        ),
    ],
)
def test_what_does_not_fit_the_project_is_refused(tmp_path: Path, units: list[Json], given: Json, code: Code) -> None:
    project = project_of(tmp_path, *units)
    path = file_of(tmp_path / "in", given)
    with pytest.raises(InputError) as error:
        import_openlabel(project, path, MAPPING)
    assert [problem.code for problem in error.value.problems] == [code]
    result = import_openlabel(project, path, MAPPING, on_error="skip")
    assert result.rows == 0
    assert [problem.code for problem in result.report.problems] == [code]


def test_mappings_and_paths_that_do_not_hold(tmp_path: Path) -> None:
    project = project_of(tmp_path, video("a", "scene"))
    path = file_of(tmp_path / "in", document())
    with pytest.raises(OntologyError, match="found no such file"):
        import_openlabel(project, path)
    with pytest.raises(OntologyError, match="which are text"):
        import_openlabel(project, path, {"boxhash": 5})  # type: ignore[dict-item]  # what is refused
    with pytest.raises(PredarrowError, match="path of a file"):
        import_openlabel(project, 5, MAPPING)  # type: ignore[arg-type]  # what is refused
