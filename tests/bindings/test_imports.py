from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from predarrow.errors import InputError, OntologyError, ProjectError
from predarrow.imports import ImportResult, import_mask_predictions
from predarrow.ontology import Ontology
from predarrow.project import Project
from predarrow.report import Code
from tests.images import SEED_DRAWING
from tests.mask_files import hashes, mask_project, noise, unit, write_mapping, write_mask


def _prepared(tmp_path: Path, *names: str) -> tuple[Project, Path]:
    """A project, and masks with the seed's drawing and a mapping beside them."""
    project = mask_project(tmp_path / "project")
    folder = tmp_path / "predictions"
    for name in names or ("image.png", "video__0.png", "deeper/video__3.png"):
        write_mask(folder / name)
    write_mapping(folder, project)
    return project, folder


def _rows(project: Project, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in project.scan(columns=list(columns)).read_all().to_pylist()]


def test_seeds_folder(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path)
    result = import_mask_predictions(project, folder)
    assert result == ImportResult(0, result.report, 9)
    keys = [(u, f) for u, f in _rows(project, "data_unit", "frame")]
    assert keys == [("u1", 0)] * 3 + [("u2", 0)] * 3 + [("u2", 3)] * 3
    assert [row[0] for row in _rows(project, "class_name")] == ["pedestrian", "cyclist", "pedestrian"] * 3
    known = hashes(project)
    for name, feature_hash, confidence, kind in _rows(project, "class_name", "feature_hash", "confidence", "kind"):
        assert (known[name], 1.0, "polygon") == (feature_hash, confidence, kind)
    assert (result.report.sources, result.report.imported, result.report.rejected) == (3, 9, 0)
    (version,) = project.history().to_pylist()
    assert (version["operation"], version["rows"]) == ("import masks", 9)


def test_a_project_may_be_named_by_its_folder(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path)
    assert import_mask_predictions(str(project.path), str(folder)).rows == 9
    with pytest.raises(ProjectError):
        import_mask_predictions(tmp_path / "nothing", folder)


def test_earlier_predictions_are_replaced_and_kept_in_history(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path)
    import_mask_predictions(project, folder)
    import_mask_predictions(project, folder / "image.png")
    assert len(_rows(project, "row")) == 3
    import_mask_predictions(project, folder / "deeper", folder / "ontology_mapping.json", mode="append")
    assert len(_rows(project, "row")) == 6
    project.restore(0)
    assert len(_rows(project, "row")) == 9
    import_mask_predictions(project, folder, set_name="model-b")
    assert project.sets() == ["default", "model-b"]


def test_mapping_given_in_python(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path, "image.png")
    (folder / "ontology_mapping.json").unlink()
    known = hashes(project)
    by_hash = {known["cyclist"]: 1, known["pedestrian"]: 2}
    numpys: Any = {"cyclist": np.uint8(1), "pedestrian": np.int64(2)}
    for mapping in (by_hash, {"cyclist": 1, "pedestrian": 2}, numpys):
        import_mask_predictions(project, folder, mapping)
        assert [row[0] for row in _rows(project, "class_name")] == ["cyclist", "pedestrian", "cyclist"]
    with pytest.raises(OntologyError, match=r"found no such file; put it beside"):
        import_mask_predictions(project, folder)


@pytest.mark.parametrize(
    ("mapping", "text"),
    [
        ({"nobody": 1}, r"nobody: must be the featureNodeHash .*valid ones: \w+=* \(pedestrian\), \w+=* \(cyclist\)"),
        ({"pedestrian": 1, "cyclist": 1}, "a value must stand for one class, got 1 for cyclist and pedestrian"),
        ({"pedestrian": "1"}, "must be a whole number of at least 0, got '1'"),
        ({"pedestrian": True}, "must be a whole number"),
        ({"pedestrian": 1.0}, "must be a whole number"),
        ({"pedestrian": -1}, "must be a whole number"),
        ({"pedestrian": 0}, "0 is background or void"),
        ({}, "at least one class"),
    ],
)
def test_a_mapping_must_hold(tmp_path: Path, mapping: dict[str, Any], text: str) -> None:
    project, folder = _prepared(tmp_path)
    with pytest.raises(OntologyError, match=text):
        import_mask_predictions(project, folder, mapping)
    (folder / "ontology_mapping.json").write_text(json.dumps(mapping))
    with pytest.raises(OntologyError, match=r"ontology_mapping\.json: .*"):
        import_mask_predictions(project, folder)
    assert project.sets() == []


@pytest.mark.parametrize("text", ["[1]", "{", '{"a": 1, "a": 2}', "\udcff", "[" * 100_000])
def test_a_mapping_file_must_be_an_object(tmp_path: Path, text: str) -> None:
    project, folder = _prepared(tmp_path)
    (folder / "ontology_mapping.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(OntologyError, match=r"ontology_mapping\.json: must be a JSON object"):
        import_mask_predictions(project, folder)


def test_only_polygons_and_bitmasks_are_classes_of_masks(tmp_path: Path) -> None:
    structure = Ontology.from_classes(["box", "area"]).to_dict()
    structure["objects"][0]["shape"] = "bounding_box"
    structure["objects"][1]["shape"] = "bitmask"
    project, folder = _prepared(tmp_path, "image.png")
    Ontology.from_dict(structure).write(project.path / "ontology.json")
    project = Project(project.path)
    box, area = (thing.feature_hash for thing in project.ontology.objects)
    assert import_mask_predictions(project, folder, {area: 1}, void=[2]).rows == 2
    with pytest.raises(OntologyError, match=r"shape bitmask or polygon, got bounding_box; valid ones: \w+=* \(area\)"):
        import_mask_predictions(project, folder, {box: 1})


def test_a_refused_file_refuses_the_import(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path)
    import_mask_predictions(project, folder)
    before = project.scan().read_all()
    odd = SEED_DRAWING.copy()
    odd[0, 0] = 7
    write_mask(folder / "video__1.png", odd)
    write_mask(folder / "video__2.png", SEED_DRAWING[:, :-1])
    write_mask(folder / "stranger.png")
    (folder / "video__4.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InputError) as caught:
        import_mask_predictions(project, folder)
    assert {(Path(p.source).name, p.code) for p in caught.value.problems} == {
        ("video__1.png", Code.UNKNOWN_CLASS),
        ("video__2.png", Code.SIZE_MISMATCH),
        ("stranger.png", Code.UNKNOWN_DATA_UNIT),
        ("video__4.png", Code.DAMAGED),
    }
    assert "must be 19 x 8 pixels as its data unit is, got 18 x 8" in str(caught.value)
    assert project.scan().read_all().equals(before)
    assert project.history().num_rows == 1

    result = import_mask_predictions(project, folder, on_error="skip")
    assert (result.rows, result.report.rejected, result.report.sources) == (9, 4, 7)
    assert project.report("default", result.version).num_rows == 4
    assert project.scan().read_all().drop_columns("source").equals(before.drop_columns("source"))


def test_a_size_that_the_project_does_not_know_is_not_checked(tmp_path: Path) -> None:
    project = mask_project(tmp_path / "project", unit("u1", "image.jpg", size=None))
    write_mask(tmp_path / "masks" / "image.png", noise(10, 20, 3, 0))
    write_mapping(tmp_path / "masks", project)
    result = import_mask_predictions(project, tmp_path / "masks")
    assert set(_rows(project, "image_height", "image_width")) == {(10, 20)}
    assert result.rows > 10


def test_own_function_and_pattern(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path, "run-1.png", "run-2.png", "other.png")
    import_mask_predictions(
        project,
        folder,
        file_name_regex=r"(?P<data_unit_title>run-\d)\.png",
        file_path_to_data_unit_func=lambda path: ("u2", int(path.stem[-1])),
    )
    assert sorted(set(_rows(project, "data_unit", "frame"))) == [("u2", 1), ("u2", 2)]


def test_masks_without_objects_empty_the_set(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path, "image.png")
    import_mask_predictions(project, folder)
    write_mask(folder / "image.png", np.zeros((8, 19), np.uint8))
    assert import_mask_predictions(project, folder).rows == 0
    assert project.scan().read_all().num_rows == 0


# What Encord Active's importer was measured to get wrong (importers.py at its last public commit, 5e724ce5).


def test_b1_masks_are_imported_at_all(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path, "image.png")
    assert import_mask_predictions(project, folder).rows == 3


def test_b1_a_folder_without_masks_is_told_and_changes_nothing(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path, "image.png")
    import_mask_predictions(project, folder)
    (folder / "image.png").rename(folder / "image.tiff")
    with pytest.raises(InputError, match="at least one file"):
        import_mask_predictions(project, folder, on_error="skip")
    assert len(_rows(project, "row")) == 3


def test_b2_a_name_without_frame(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path, "image.png")
    import_mask_predictions(project, folder)
    assert set(_rows(project, "frame")) == {(0,)}


def test_b3_the_frame_is_carried(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path, "video__0.png", "video__2.png", "video__4.png")
    import_mask_predictions(project, folder)
    assert sorted(set(_rows(project, "frame"))) == [(0,), (2,), (4,)]


def test_b4_values_are_numbers_in_json_and_in_python(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path, "image.png")
    from_file = import_mask_predictions(project, folder)
    mapping = json.loads((folder / "ontology_mapping.json").read_text())
    assert from_file.rows == import_mask_predictions(project, folder, mapping).rows == 3


def test_b7_an_error_in_the_middle_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, folder = _prepared(tmp_path, "image.png", *[f"video__{frame}.png" for frame in range(5)])
    import_mask_predictions(project, folder / "image.png")
    monkeypatch.setattr("predarrow.sources.CHUNK_FILES", 1)
    calls = 0

    def fail(done: int, total: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        import_mask_predictions(project, folder, progress=fail)
    assert len(_rows(project, "row")) == 3
    assert project.history().num_rows == 1
