from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest

from predarrow.data_units import DataUnits
from predarrow.errors import InputError, OntologyError, OutputError, PredarrowError, ProjectError
from predarrow.export_rows import stem, unique_title
from predarrow.exports import export_kitti_predictions
from predarrow.formats.kitti.read import read_kitti
from predarrow.imports import ImportResult, import_kitti_predictions
from predarrow.ontology import Ontology
from predarrow.project import Project
from predarrow.report import Code
from predarrow.table import BBOX
from tests.kitti_files import DONTCARE, SEED, TRACKING_DONTCARE, kitti_project, write, write_mapping
from tests.mask_files import hashes, unit
from tests.mask_files import mask_project as project_of
from tests.project_data import batch

_TAIL = "0 0 0 0 0 0 0"


def _line(*corners: float, name: str = "car", score: str = " 0.5") -> str:
    return f"{name} 0 0 0 {' '.join(map(str, corners))} {_TAIL}{score}"


def _prepared(tmp_path: Path, **files: str) -> tuple[Project, Path]:
    """A project, and files of these names (the seed's by default) with a mapping beside them."""
    project = kitti_project(tmp_path / "project")
    folder = tmp_path / "predictions"
    for name, text in (files or {"example_image": SEED}).items():
        write(folder / f"{name}.txt", text)
    write_mapping(folder, project)
    return project, folder


def _rows(project: Project, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in project.scan(columns=list(columns)).read_all().to_pylist()]


def _corners(project: Project) -> list[list[float]]:
    return [list(row[0].values()) for row in _rows(project, "bbox")]


def test_the_seeds_folder(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path)
    for frame in (0, 1):
        write(folder / f"example_video__{frame}.csv", SEED)
    result = import_kitti_predictions(project, folder)
    assert result == ImportResult(0, result.report, 9)
    keys = _rows(project, "data_unit", "frame")
    assert keys == [("u1", 0)] * 3 + [("u2", 0)] * 3 + [("u2", 1)] * 3
    known = hashes(project)
    rows = _rows(project, "class_name", "feature_hash", "confidence", "kind", "image_width", "image_height")
    assert rows[:3] == [
        ("car", known["car"], 97.85, "bbox", 1242, 375),
        ("cyclist", known["cyclist"], 32.65, "bbox", 1242, 375),
        ("pedestrian", known["pedestrian"], 3.183, "bbox", 1242, 375),
    ]
    assert _corners(project)[0] == [587.01, 173.33, 614.12, 200.12]
    assert result.report.flagged == {}
    (version,) = project.history().to_pylist()
    assert (version["operation"], version["rows"]) == ("import kitti", 9)
    assert import_kitti_predictions(str(project.path), str(folder), mode="append").rows == 9
    assert len(_rows(project, "row")) == 18


def test_mapping_to_other_names(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path, example_image=_line(1, 2, 3, 4, name="Person sitting"))
    by_name = {"pedestrian": "Person sitting"}
    for mapping in (by_name, {hashes(project)["pedestrian"]: "Person sitting"}):
        import_kitti_predictions(project, folder, mapping)
        assert _rows(project, "class_name") == [("pedestrian",)]
    (folder / "ontology_mapping.json").write_text(json.dumps(by_name))
    assert import_kitti_predictions(project, folder).rows == 1
    (folder / "ontology_mapping.json").unlink()
    with pytest.raises(OntologyError, match="found no such file; put it beside"):
        import_kitti_predictions(project, folder)


def test_what_is_missing_is_told_first(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path)
    with pytest.raises(InputError, match="missing: must be a folder or a file, found nothing there"):
        import_kitti_predictions(project, tmp_path / "missing")
    with pytest.raises(OntologyError, match=r"m\.json: must be a JSON object of featureNodeHash: value, found no such"):
        import_kitti_predictions(project, folder, tmp_path / "m.json")


@pytest.mark.parametrize(
    ("mapping", "text"),
    [
        ({"nobody": "car"}, r"nobody: must be the featureNodeHash .*valid ones: \w+=* \(pedestrian\)"),
        ({"car": "Car", "cyclist": "Car"}, "a value must stand for one class, got Car for cyclist and car"),
        ({"car": 1}, "must be a class name in the files, got 1"),
        ({"car": ""}, "must be a class name in the files, got ''"),
        ({"car": None}, "must be a class name in the files, got None"),
        ({}, "at least one class"),
        ([("car", "Car")], "ontology_mapping: must be a mapping or a JSON file, got list"),
        (b"mapping.json", "ontology_mapping: must be a mapping or a JSON file, got bytes"),
    ],
)
def test_a_mapping_must_hold(tmp_path: Path, mapping: Any, text: str) -> None:
    project, folder = _prepared(tmp_path)
    with pytest.raises(OntologyError, match=text):
        import_kitti_predictions(project, folder, mapping)
    assert project.sets() == []


def test_only_boxes_are_classes_of_kitti(tmp_path: Path) -> None:
    structure = Ontology.from_classes(["turned", "area"], shape="rotatable_bounding_box").to_dict()
    structure["objects"][1]["shape"] = "polygon"
    project, folder = _prepared(tmp_path, example_image=_line(1, 2, 3, 4))
    Ontology.from_dict(structure).write(project.path / "ontology.json")
    project = Project(project.path)
    assert import_kitti_predictions(project, folder, {"turned": "car"}).rows == 1
    area = project.ontology.objects[1].feature_hash
    with pytest.raises(OntologyError, match="shape bounding_box or rotatable_bounding_box, got polygon"):
        import_kitti_predictions(project, folder, {area: "car"})


def test_refused_records_refuse_the_import(tmp_path: Path) -> None:
    lines = [_line(1, 2, 3, 4), _line(1, 2, 3, 4, name="Tram"), _line(9, 2, 3, 4), DONTCARE + " 1"]
    project, folder = _prepared(tmp_path, example_image="\n".join(lines), stranger=SEED, example_video=SEED)
    write(folder / "example_video__5.txt", SEED)
    with pytest.raises(InputError) as caught:
        import_kitti_predictions(project, folder)
    codes = sorted(problem.code for problem in caught.value.problems)
    assert codes == [Code.BAD_BOX, *[Code.FRAME_RANGE] * 2, Code.UNKNOWN_CLASS, Code.UNKNOWN_DATA_UNIT]
    assert project.sets() == []
    result = import_kitti_predictions(project, folder, on_error="skip")
    assert (result.rows, result.report.rejected, result.report.skipped) == (1, 5, {"DontCare": 1})
    told = {problem.code: str(problem) for problem in result.report.problems}
    assert "line 2, class: must be a class that the mapping names, got 'Tram'" in told[Code.UNKNOWN_CLASS]
    assert project.report("default", 0).num_rows == 5


def test_dontcare_may_be_a_class(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path, example_image=DONTCARE)
    with pytest.raises(InputError, match="got 'DontCare'"):
        import_kitti_predictions(project, folder, keep_dontcare=True)
    mapping = {"car": "DontCare"}
    result = import_kitti_predictions(project, folder, mapping, keep_dontcare=True, default_confidence=0.25)
    assert _rows(project, "class_name", "confidence") == [("car", 0.25)]
    assert import_kitti_predictions(project, folder, mapping).rows == 0
    assert result.rows == 1


def test_data_units_by_a_function_and_a_pattern(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path, f1=SEED, f2=SEED, other=SEED)
    import_kitti_predictions(
        project,
        folder,
        file_name_regex=r"(?P<data_unit_title>f\d)\.txt",
        file_path_to_data_unit_func=lambda path: ("u2", int(path.stem[-1])),
    )
    assert sorted(set(_rows(project, "data_unit", "frame"))) == [("u2", 1), ("u2", 2)]


# Tracking files


def _tracks(*frames: int) -> str:
    return "\n".join(f"{frame} 7 {_line(1, 2, 3, 4)}" for frame in frames)


def test_a_tracking_file_speaks_for_all_frames(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path, example_video=_tracks(4, 0, 1), example_image=_tracks(0))
    import_kitti_predictions(project, folder)
    rows = _rows(project, "data_unit", "frame", "object_id", "row", "image_width")
    assert rows == [("u1", 0, "7", 0, 1242), ("u2", 0, "7", 1, 1242), ("u2", 1, "7", 2, 1242), ("u2", 4, "7", 0, 1242)]


def test_frames_of_rows_must_be_the_data_units(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path, example_video=_tracks(0, 5), example_image=_tracks(1))
    result = import_kitti_predictions(project, folder, on_error="skip")
    assert _rows(project, "data_unit", "frame") == [("u2", 0)]
    assert [(p.code, p.row, p.pointer) for p in result.report.problems] == [
        (Code.FRAME_RANGE, 0, "line 1, frame"),
        (Code.FRAME_RANGE, 1, "line 2, frame"),
    ]
    assert "0 to 4, got 5" in result.report.problems[1].message


def test_a_data_unit_has_one_file_for_all_frames_or_one_for_each(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path, example_video=_tracks(0, 1), example_video__1=SEED)
    with pytest.raises(InputError, match="must be the only file for data unit u2, got") as caught:
        import_kitti_predictions(project, folder)
    assert [problem.code for problem in caught.value.problems] == [Code.DUPLICATE_SOURCE] * 2
    (folder / "example_video.txt").unlink()
    write(folder / "sub" / "example_video__1.csv", SEED)
    with pytest.raises(InputError, match="must be the only file for data unit u2 frame 1"):
        import_kitti_predictions(project, folder)


def test_an_object_file_of_a_video_needs_a_frame(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path, example_video=SEED)
    with pytest.raises(InputError, match="must name one of the 5 frames of 'u2', got none; write <title>__<frame>"):
        import_kitti_predictions(project, folder)


@pytest.mark.parametrize("text", ["", "\n", TRACKING_DONTCARE])
def test_a_video_in_which_nothing_was_found(tmp_path: Path, text: str) -> None:
    project, folder = _prepared(tmp_path, example_video=text)
    result = import_kitti_predictions(project, folder)
    assert (result.rows, result.report.rejected) == (0, 0)


def test_a_line_of_a_video_that_is_refused_is_the_only_problem(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path, example_video="0 7 car 1")
    result = import_kitti_predictions(project, folder, on_error="skip")
    assert [problem.code for problem in result.report.problems] == [Code.FIELD_COUNT]


# Boxes beyond the image, which is 1242 x 375

_INSIDE = (0, 0, 1242, 375)
_NOISE = (-0.0001, -0.0001, 1242.001, 375.0003)
_BEYOND = (-5, 10, 1250, 400)
_OUTSIDE = (1300, 10, 1400, 20)


def _bordering(tmp_path: Path) -> tuple[Project, Path]:
    lines = [_line(*corners) for corners in (_INSIDE, _NOISE, _BEYOND, _OUTSIDE)]
    return _prepared(tmp_path, example_image="\n".join(lines))


def test_boxes_beyond_the_image_are_kept_and_flagged(tmp_path: Path) -> None:
    project, folder = _bordering(tmp_path)
    result = import_kitti_predictions(project, folder)
    assert _corners(project) == [[*map(float, box)] for box in (_INSIDE, _NOISE, _BEYOND, _OUTSIDE)]
    assert result.report.flagged == {"box beyond the image": 2}
    assert "flagged 2: box beyond the image" in str(result.report)


def test_boxes_beyond_the_image_are_clipped(tmp_path: Path) -> None:
    project, folder = _bordering(tmp_path)
    result = import_kitti_predictions(project, folder, on_outside="clip", on_error="skip")
    assert _corners(project) == [[0, 0, 1242, 375], [*_NOISE], [0, 10, 1242, 375]]  # float noise is not outside
    assert result.report.flagged == {"box clipped to the image": 1}
    (problem,) = result.report.problems
    assert (problem.code, problem.row) == (Code.OUTSIDE_IMAGE, 3)
    assert "must overlap the image, 1242 x 375 pixels" in problem.message
    assert "got left 1300.0, top 10.0, right 1400.0, bottom 20.0" in problem.message


def test_boxes_beyond_the_image_are_refused(tmp_path: Path) -> None:
    project, folder = _bordering(tmp_path)
    with pytest.raises(InputError, match="line 3, box: must lie in the image, 1242 x 375 pixels, got left -5"):
        import_kitti_predictions(project, folder, on_outside="reject")
    result = import_kitti_predictions(project, folder, on_outside="reject", on_error="skip")
    assert [problem.row for problem in result.report.problems] == [2, 3]
    assert (result.rows, result.report.flagged) == (2, {})
    with pytest.raises(PredarrowError, match="on_outside"):
        import_kitti_predictions(project, folder, on_outside="crop")  # type: ignore[arg-type]  # what is tested


def test_images_of_unknown_size_hold_every_box(tmp_path: Path) -> None:
    project = project_of(tmp_path / "p", unit("u1", "a.jpg", size=None))
    Ontology.from_classes(["car"], shape="bounding_box").write(project.path / "ontology.json")
    folder = write(tmp_path / "in" / "a.txt", _line(*_BEYOND)).parent
    result = import_kitti_predictions(Project(project.path), folder, {"car": "car"}, on_outside="clip")
    assert _corners(project) == [[*map(float, _BEYOND)]]
    assert result.report.flagged == {}


# Export


def test_exported_files_are_those_that_were_imported(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path)
    for frame in (1, 0):
        write(folder / f"example_video__{frame}.txt", SEED)
    import_kitti_predictions(project, folder)
    result = export_kitti_predictions(project, tmp_path / "out")
    assert (result.files, result.rows, result.report.flagged) == (3, 9, {})
    names = ["example_image.txt", "example_video__0.txt", "example_video__1.txt"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    columns = ["data_unit", "frame", "class_name", "bbox", "confidence", "row"]
    first, again = (read_kitti(path).read_all().select(columns) for path in (folder, tmp_path / "out"))
    assert first.equals(again)
    import_kitti_predictions(project, tmp_path / "out", folder / "ontology_mapping.json", set_name="again")
    assert project.scan("again", columns=columns).read_all().equals(project.scan(columns=columns).read_all())


def test_a_set_out_of_order_is_exported_too(tmp_path: Path) -> None:
    project, folder = _prepared(tmp_path)
    write(folder / "example_video__1.txt", SEED)
    import_kitti_predictions(project, folder)
    import_kitti_predictions(project, folder / "example_image.txt", mode="append")
    result = export_kitti_predictions(str(project.path), tmp_path / "out")
    assert (result.files, result.rows) == (2, 9)
    assert len((tmp_path / "out" / "example_image.txt").read_text().splitlines()) == 6
    earlier = export_kitti_predictions(project, tmp_path / "earlier", version=0)
    assert earlier.rows == 6


def test_titles_that_share_a_stem_keep_their_extension(tmp_path: Path) -> None:
    project = project_of(tmp_path / "p", unit("u1", "twin.jpg"), unit("u2", "twin.png"), unit("u3", "x.y.jpg"))
    boxes = pa.array([{"xmin": 0, "ymin": 0, "xmax": 1, "ymax": 1}] * 3, BBOX)
    project.commit([batch(3, data_unit=unit_id, bbox=boxes) for unit_id in ("u2", "u3", "unknown")])
    result = export_kitti_predictions(project, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["twin.png.txt", "unknown.txt", "x.y.txt"]
    assert result.report.flagged == {"polygon left out: only its box is written": 9}
    with pytest.raises(OutputError, match="new or empty folder"):
        export_kitti_predictions(project, tmp_path / "out")
    assert export_kitti_predictions(project, tmp_path / "out", overwrite=True).rows == 9
    with pytest.raises(ProjectError, match="no prediction set"):
        export_kitti_predictions(project, tmp_path / "none", set_name="none")


def test_data_units_of_one_title_have_files_of_their_own(tmp_path: Path) -> None:
    project = project_of(tmp_path / "p", unit("u1", "a.jpg"), unit("u2", "a.jpg"), unit("s/a.jpg", "a.jpg"))
    boxes = pa.array([{"xmin": 0, "ymin": 0, "xmax": 1, "ymax": 1}], BBOX)
    project.commit([batch(1, data_unit=unit_id, bbox=boxes) for unit_id in ("u1", "u2")])
    assert export_kitti_predictions(project, tmp_path / "out").files == 2
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["u1.txt", "u2.txt"]
    project.commit([batch(1, data_unit=unit_id, bbox=boxes) for unit_id in ("s/a.jpg", "u1")])
    with pytest.raises(InputError, match=r"must be a name that a file can have, without separators .* got 's/a.jpg'"):
        export_kitti_predictions(project, tmp_path / "again")
    assert export_kitti_predictions(project, tmp_path / "again", on_error="skip").files == 1


@pytest.mark.parametrize(
    ("titles", "stems", "names"),
    [
        (["a.jpg", "b.jpg"], ["a", "b"], ["a.jpg", "b.jpg"]),
        (["a.jpg", "a.jpg"], ["u0", "u1"], ["u0", "u1"]),
        (["a.jpg", "a.jpg", "u1"], ["u0", "u1", "u2"], ["u0", "u1", "u2"]),
        (["a.jpg", "a.jpg", "u1.jpg"], ["u0", "u1", "u1.jpg"], ["u0", "u1", "u1.jpg"]),
        (["u1", "u0"], ["u0", "u1"], ["u0", "u1"]),
        (["u0", "u2.png", "c"], ["u0", "u2.png", "c"], ["u0", "u2.png", "c"]),
        (["a.jpg", "a.jpg.png", "a"], ["a.jpg", "a.jpg.png", "a"], ["a.jpg", "a.jpg.png", "a"]),
    ],
)
def test_no_two_data_units_have_one_name(titles: list[str], stems: list[str], names: list[str]) -> None:
    units = DataUnits.from_table({"id": [f"u{i}" for i in range(len(titles))], "title": titles})
    assert [stem(row, units) for row in range(len(units))] == stems
    assert [unique_title(row, units) for row in range(len(units))] == names


def test_a_list_of_paths_is_no_folder(tmp_path: Path) -> None:
    project = kitti_project(tmp_path / "project")
    with pytest.raises(PredarrowError, match="predictions_dir: must be the path of a folder or a file, got list"):
        import_kitti_predictions(project, cast(Path, [tmp_path]), {"Car": "Car"})
