from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow.errors import InputError, OntologyError, PredarrowError
from predarrow.formats.kitti.read import read_kitti
from predarrow.report import Code
from predarrow.table import SCHEMA
from tests.corpus import corpus_path
from tests.kitti_files import DONTCARE, LABEL, RESULT, SEED, TRACKING_DONTCARE, write

Row = dict[str, Any]


def _read(path: Path, **options: Any) -> list[Row]:
    table = read_kitti(path, **options).read_all()
    assert table.schema.equals(SCHEMA, check_metadata=True)
    table.validate(full=True)
    rows: list[Row] = table.to_pylist()
    return rows


def _one(tmp_path: Path, line: str, **options: Any) -> Row:
    (row,) = _read(write(tmp_path / "a.txt", line), **options)
    return row


def test_the_seeds_lines(tmp_path: Path) -> None:
    rows = _read(write(tmp_path / "example_image.txt", SEED))
    assert [(row["class_name"], row["confidence"]) for row in rows] == [
        ("car", 97.85),
        ("cyclist", 32.65),
        ("pedestrian", 3.183),
    ]
    assert rows[0] == {
        **dict.fromkeys(SCHEMA.names),
        "data_unit": "example_image",
        "frame": 0,
        "class_name": "car",
        "kind": "bbox",
        "confidence": 97.85,
        "bbox": {"xmin": 587.01, "ymin": 173.33, "xmax": 614.12, "ymax": 200.12},
        "attributes": '{"alpha":0.00,"convention":"kitti","occluded":0,"rotation_y":0.00,"truncated":0.00}',
        "source": str(tmp_path / "example_image.txt"),
        "row": 0,
    }


def test_the_3d_box_stands_beside_the_box(tmp_path: Path) -> None:
    row = _one(tmp_path, LABEL)
    assert row["kind"] == "bbox"
    assert row["confidence"] is None
    half = -1.56 / 2
    assert row["cuboid"] == {
        "x": 0.47,
        "y": 1.49,
        "z": 69.44,
        "width": 2.63,
        "length": 12.34,
        "height": 2.85,
        "qx": 0.0,
        "qy": math.sin(half),
        "qz": 0.0,
        "qw": math.cos(half),
    }
    assert json.loads(row["attributes"]) == {
        "truncated": 0.25,
        "occluded": 1,
        "alpha": -1.57,
        "rotation_y": -1.56,
        "convention": "kitti",
    }


@pytest.mark.parametrize(
    ("solid", "told"),
    [
        ("0 0 0 0 0 0 0", None),
        ("0.00 -0.0 0 0 0 0 0.00", None),
        ("-1 -1 -1 -1000 -1000 -1000 -10", None),
        ("-1000 -1000 -1000 -10 -1 -1 -1", ([-1000, -1000, -1000], [-10, -1, -1])),
        ("-1 -1 -1 0 0 0 0", ([-1, -1, -1], [0, 0, 0])),
        ("0 0 0 1.5 2 30 -1", ([0, 0, 0], [1.5, 2, 30])),
    ],
)
def test_no_3d_box_is_null_and_its_numbers_are_not_lost(tmp_path: Path, solid: str, told: Any) -> None:
    row = _one(tmp_path, f"Car 0 0 0 1 2 3 4 {solid} .5")
    assert row["cuboid"] is None
    attributes = json.loads(row["attributes"])
    found = (attributes["dimensions"], attributes["location"]) if "dimensions" in attributes else None
    assert found == told
    assert list(attributes) == sorted(attributes)


def test_rows_with_and_without_a_3d_box(tmp_path: Path) -> None:
    lines = [RESULT, "Car 0 0 0 1 2 3 4 0 0 0 0 0 0 0 1", RESULT.replace("12.34", "0"), RESULT]
    rows = _read(write(tmp_path / "a.txt", "\n".join(lines)))
    assert [row["cuboid"] and row["cuboid"]["length"] for row in rows] == [12.34, None, 0.0, 12.34]


# formats.md has these as what parsers were seen to get wrong; each has its stated result here.

_BOX = "0 0 0 1 2 3 4 0 0 0 0 0 0 0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Car {_BOX} .5\r\nVan {_BOX} .25\r\n", [("Car", 0.5), ("Van", 0.25)]),
        (f"Car {_BOX} .5\rVan {_BOX} .25\r", [("Car", 0.5), ("Van", 0.25)]),
        ("Car 0 0 0 1e0 20e-1 +3 .4E1 0 0 0 0 0 0 0 5e-1", [("Car", 0.5)]),
        (f"Car {_BOX} .5 \nVan {_BOX} .25\t\n", [("Car", 0.5), ("Van", 0.25)]),
        (f"Car {_BOX} \n", [("Car", None)]),
        (f"  Car  {_BOX}   .5\n", [("Car", 0.5)]),
        (f"Car\t{_BOX}\t.5\n".replace(" ", "\t"), [("Car", 0.5)]),
        (f"\ufeffCar {_BOX} .5\n", [("Car", 0.5)]),
        ("", []),
        ("\n", []),
        ("\r\n \t\r\n", []),
        (f"\n\nCar {_BOX} .5", [("Car", 0.5)]),
        (f"traffic light {_BOX} .5", [("traffic light", 0.5)]),
        (f"bicycle with space {_BOX}", [("bicycle with space", None)]),
        (f'"traffic light" {_BOX} .5', [("traffic light", 0.5)]),
        (f"'traffic light' {_BOX}", [("traffic light", None)]),
        (f"NA {_BOX} .5", [("NA", 0.5)]),
        (f"1 {_BOX}", [("1", None)]),
        (f"1 {_BOX} .5", [("1", 0.5)]),
        (f"null {_BOX} .5", [("null", 0.5)]),
        (f"Car {_BOX} .5".replace(" ", ","), [("Car", 0.5)]),
        (f"Car {_BOX} .5".replace(" ", ", "), [("Car", 0.5)]),
        (f"traffic light,{_BOX.replace(' ', ',')},.5", [("traffic light", 0.5)]),
        (f"Straße {_BOX} .5", [("Straße", 0.5)]),
    ],
)
@pytest.mark.parametrize("suffix", [".txt", ".csv"])
def test_odd_input_that_is_read(tmp_path: Path, text: str, expected: list[Any], suffix: str) -> None:
    rows = _read(write(tmp_path / f"a{suffix}", text))
    assert [(row["class_name"], row["confidence"]) for row in rows] == expected
    corners = [list(row["bbox"].values()) for row in rows]
    assert corners == [[1.0, 2.0, 3.0, 4.0]] * len(rows)


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        (f"Car {_BOX} .5\nCar {_BOX}", Code.FIELD_COUNT, "line 2: must have 16 fields .* got 15: 'Car 0 0 0 1 2"),
        (f"Car {_BOX}\nCar {_BOX} .5", Code.FIELD_COUNT, "line 2: must have 15 fields .* got 16: 'Car 0 0 0 1 2"),
        ("Car 0 0 0 587,01 1,5 600,0 20,5 0 0 0 0 0 0 0 1", Code.BAD_NUMBER, "left: .*got '587,01'; write a point"),
        ("1,2,613.2,173.3,633.6,198.8,13.4,1.5,1.6,3.9,4.9,1.5,29.6,1.5,1.4", Code.COLUMN_ORDER, "AB3DMOT"),
        ("image/1.png 2 0.99 389 181 424 202", Code.FIELD_COUNT, "got 7: 'image/1.png 2 0.99 389 181 424 202'$"),
        ("1, 3,794.2,247.5,71.2,174.8,-1,-1,-1,-1", Code.FIELD_COUNT, "got 10: '1,3,794.2,247.5,71.2,174.8,"),
        ("Car", Code.FIELD_COUNT, "got 1: 'Car'$"),
        (RESULT.replace(" ", ";"), Code.FIELD_COUNT, "got 1: '" + RESULT.replace(" ", ";")[:39] + "…'$"),
        (f"Car {_BOX} x", Code.BAD_NUMBER, "line 1, score: must be a number, got 'x'"),
        ("Car 0 0 0 1 2 3 - 0 0 0 0 0 0 0", Code.BAD_NUMBER, "line 1, bottom: must be a number, got '-'"),
        (f"\n0 1 Car {_BOX} x", Code.BAD_NUMBER, "line 2, score"),
        (f'"Car {_BOX} 1', Code.BAD_TEXT, "quoted name must end"),
        (f'"" {_BOX} 1', Code.BAD_TEXT, "empty"),
        (
            f"-1 0 Car {_BOX} 1",
            Code.FRAME_RANGE,
            "line 1, frame: must be a whole number from 0 to 2147483647, got '-1'",
        ),
        (f"{2**31} 0 Car {_BOX} 1", Code.FRAME_RANGE, "got '2147483648'"),
        (f"\ufeff  0.5 0 Car {_BOX} 1", Code.FRAME_RANGE, "line 1, frame: .* got '0.5'"),
        (
            f"0 {2**53} Car {_BOX}",
            Code.BAD_NUMBER,
            r"line 1, track id: .* less than 2\*\*53 in size, got '9007199254740992'",
        ),
        (f"0,1.5,Car,{_BOX.replace(' ', ',')}", Code.BAD_NUMBER, "line 1, track id: .* got '1.5'"),
        (f"Car {_BOX} 1 2", Code.FIELD_COUNT, "got 17: 'Car .* 1 2'; write a class name of several words in quotes$"),
        (f"Car,{_BOX.replace(' ', ',')},1,", Code.FIELD_COUNT, "got 17: 'Car,0,.*,1,'$"),
        (f"Ca\0r {_BOX} 1", Code.BAD_TEXT, r"line 1, class: must be text, got 'Ca\\x00r'; it has NUL"),
        (f"Car {_BOX} 1\0", Code.BAD_NUMBER, "line 1, score: .*; it has NUL bytes, as UTF-16 and damaged files do"),
        (f"Van {_BOX} 1\n\0\0\0", Code.FIELD_COUNT, r"line 2: .* got 1: '\\x00\\x00\\x00'; it has NUL bytes"),
        ("Car 0 0 0 inf 2 3 4 0 0 0 0 0 0 0", Code.BAD_BOX, "left: must be finite, got inf"),
        ("Car 0 0 0 1 nan 3 4 0 0 0 0 0 0 0", Code.BAD_BOX, "top: must be finite, got nan"),
        ("Car 0 0 0 1 2 1e999 4 0 0 0 0 0 0 0", Code.BAD_BOX, "right: must be finite, got inf"),
        ("Car 0 0 0 1 2 3 4 1 1 1 nan 0 0 0", Code.BAD_NUMBER, "x: must be finite"),
        (f"Car {_BOX} nan", Code.BAD_NUMBER, "score: must be finite, got nan"),
        ("Car 0 0 0 3 2 1 4 0 0 0 0 0 0 0", Code.BAD_BOX, "box: right must not be less .* left 3.0"),
        ("Car 0 0 0 1 4 3 2 0 0 0 0 0 0 0", Code.BAD_BOX, "bottom 2.0; x, y, width and height"),
    ],
)
def test_odd_input_that_is_refused(tmp_path: Path, text: str, code: Code, told: str) -> None:
    path = write(tmp_path / "a.txt", text)
    with pytest.raises(InputError) as caught:
        read_kitti(path).read_all()
    (problem,) = caught.value.problems
    assert (problem.code, problem.source) == (code, str(path))
    assert re.search(told, str(problem)), str(problem)
    assert str(problem).startswith(f"{path}: line ")
    assert "\n" not in str(problem)
    assert len(_read(path, on_error="skip")) == text.count("\nCar") + text.count("Van")


def test_inf_and_nan_where_they_are_no_coordinates(tmp_path: Path) -> None:
    row = _one(tmp_path, "Car inf 0 NaN 1 2 3 4 0 0 0 0 0 0 0")
    assert json.loads(row["attributes"]) == {
        "truncated": "inf",
        "occluded": 0,
        "alpha": "nan",
        "rotation_y": 0,
        "convention": "kitti",
    }


def test_utf_16(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", f"Car {_BOX} .5\r\n".encode("utf-16"))
    with pytest.raises(InputError, match=r"line 1, truncated: .*; it has NUL bytes, as UTF-16 and damaged files do"):
        read_kitti(path).read_all()


def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", b"Stra\xdfe " + _BOX.encode() + b"\nCar " + _BOX.encode())
    assert len(_read(path, classes={"": "nameless", "Car": "car"}, on_error="skip")) == 1
    with pytest.raises(InputError, match=r"line 1, class: must be UTF-8, got 'Stra\\\\xdfe'; save the file"):
        read_kitti(path).read_all()
    assert [row["class_name"] for row in _read(path, on_error="skip")] == ["Car"]


def test_boxes_without_a_size_are_kept(tmp_path: Path) -> None:
    assert _one(tmp_path, "Car 0 0 0 1 2 1 2 0 0 0 0 0 0 0")["bbox"]["xmax"] == 1.0


@pytest.mark.parametrize("line", [DONTCARE, TRACKING_DONTCARE])
def test_dontcare_is_skipped_and_counted(tmp_path: Path, line: str) -> None:
    path = write(
        tmp_path / "a.txt", f"{line}\n{line.replace('DontCare', 'dontcare')}\n{line.replace('DontCare', 'Car')}"
    )
    reader = read_kitti(path)
    table = reader.read_all()
    assert table["class_name"].to_pylist() == ["Car"]
    assert table["row"].to_pylist() == [2]
    assert reader.report.skipped == {"DontCare": 2}
    assert "skipped 2 by rule: DontCare" in str(reader.report)
    kept = _read(path, keep_dontcare=True)
    assert [row["class_name"] for row in kept] == ["DontCare", "dontcare", "Car"]
    assert [row["object_id"] for row in kept] == [None] * 3
    assert [row["cuboid"] for row in kept] == [None] * 3


_ODD_LINES = (DONTCARE + " 0.1", "Car 1 2", RESULT.replace("156.4", "nan"), RESULT.replace("599.41", "700"), "", "'x")


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from(["Car", "Van", "Tram of wood"]), st.integers(-99, 99)), min_size=1, max_size=9),
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(_ODD_LINES)), min_size=1, max_size=4),
    st.sampled_from([None, {"Car": "car", "Van": None, "Tram of wood": "tram", "Cat": None}]),
    st.sampled_from([None, 0.25]),
)
def test_rows_are_the_same_among_lines_that_are_left_out(
    tmp_path_factory: pytest.TempPathFactory,
    given_lines: list[tuple[str, int]],
    odd: list[tuple[int, str]],
    classes: dict[str, str | None] | None,
    confidence: float | None,
) -> None:
    folder = tmp_path_factory.mktemp("lines")
    lines = [RESULT.replace("Car", name).replace("69.44", f"{number / 4}") for name, number in given_lines]
    mixed = list(lines)
    for place, line in odd:
        mixed.insert(place, line)
    found = []
    for content in (lines, mixed):
        path = write(folder / "a.txt", "\n".join([RESULT, *content]) + "\n")  # the first line tells the layout
        rows = _read(path, on_error="skip", classes=classes, default_confidence=confidence)
        found.append([{name: value for name, value in row.items() if name != "row"} for row in rows])
    assert found[0] == found[1]
    assert len(found[0]) == 1 + sum(classes is None or name != "Van" for name, _ in given_lines)


def test_a_score_that_is_missing(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", LABEL)
    write(tmp_path / "b.txt", RESULT)
    assert [row["confidence"] for row in _read(tmp_path)] == [None, 0.5]
    assert [row["confidence"] for row in _read(tmp_path, default_confidence=1)] == [1.0, 0.5]
    (only,) = _read(tmp_path / "a.txt", default_confidence=0.25)
    assert only["confidence"] == 0.25
    for wrong in (math.nan, math.inf, "1"):
        with pytest.raises(PredarrowError, match="default_confidence"):
            read_kitti(tmp_path, default_confidence=wrong)  # type: ignore[arg-type]  # that is what is tested


# Tracking


def test_tracking_rows_tell_their_frame_and_object(tmp_path: Path) -> None:
    lines = [f"{frame} {track} {RESULT}" for frame, track in ((2, 7), (0, 7), (0, 3), (2, 1), (0, -1))]
    write(tmp_path / "0000.txt", "\n".join(lines))
    write(tmp_path / "1111.txt", f"4 9 {LABEL}")
    rows = _read(tmp_path)
    assert [(row["data_unit"], row["frame"], row["object_id"], row["row"]) for row in rows] == [
        ("0000", 0, "7", 1),
        ("0000", 0, "3", 2),
        ("0000", 0, None, 4),
        ("0000", 2, "7", 0),
        ("0000", 2, "1", 3),
        ("1111", 4, "9", 0),
    ]
    assert [row["confidence"] for row in rows] == [0.5] * 5 + [None]
    assert {row["cuboid"]["z"] for row in rows} == {69.44}


def test_a_frame_in_the_name_and_in_the_rows(tmp_path: Path) -> None:
    write(tmp_path / "v__3.txt", f"4 9 {LABEL}\n5 9 {LABEL}")
    write(tmp_path / "w.txt", LABEL)
    reader = read_kitti(tmp_path, on_error="skip")
    assert reader.read_all()["data_unit"].to_pylist() == ["w"]
    (problem,) = reader.report.problems
    assert (problem.code, problem.row) == (Code.FRAME_CONFLICT, None)
    assert "got 3 in the name and one in each row" in problem.message
    pattern = r"(?P<data_unit_title>.*)\.txt"
    assert [(r["data_unit"], r["frame"]) for r in _read(tmp_path, file_name_regex=pattern)] == [
        ("v__3", 4),
        ("v__3", 5),
        ("w", 0),
    ]


def test_layouts_may_differ_between_files_only(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", f"{LABEL}\n4 9 {LABEL}\n{LABEL}")
    with pytest.raises(InputError, match=r"line 2: must have 15 fields \(label\) as the lines before have, got 17"):
        read_kitti(tmp_path).read_all()
    assert [row["row"] for row in _read(tmp_path, on_error="skip")] == [0, 2]


# Classes


def test_classes_are_mapped_and_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", f"Car {_BOX}\nMisc {_BOX}\nVan {_BOX}\nCar {_BOX}\n{DONTCARE}")
    reader = read_kitti(path, classes={"Car": "car", "Van": "car", "Misc": None})
    table = reader.read_all()
    assert table["class_name"].to_pylist() == ["car"] * 3
    assert table["row"].to_pylist() == [0, 2, 3]
    assert reader.report.skipped == {"class is mapped to None": 1, "DontCare": 1}
    with pytest.raises(InputError) as caught:
        read_kitti(path, classes={"Car": "car"}).read_all()
    told = [(problem.code, problem.row) for problem in caught.value.problems]
    assert told == [(Code.UNKNOWN_CLASS, 1), (Code.UNKNOWN_CLASS, 2)]
    assert "line 2, class: must be a class that the mapping names, got 'Misc'" in str(caught.value)
    assert "leave it out: with read_kitti by None, with `predarrow convert` by NAME=" in str(caught.value)


@pytest.mark.parametrize("classes", [["Car"], {1: "car"}, {"Car": 1}])
def test_classes_must_be_text(tmp_path: Path, classes: Any) -> None:
    with pytest.raises(OntologyError, match="classes: "):
        read_kitti(write(tmp_path / "a.txt", LABEL), classes=classes)


def test_no_rows_with_a_mapping(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "")
    assert _read(tmp_path, classes={"Car": "car"}) == _read(tmp_path, classes={}) == []
    write(tmp_path / "a.txt", "Car 1")
    assert _read(tmp_path, classes={"Car": None}, on_error="skip") == []


# Real files


def _split(path: Path) -> list[tuple[str, float | None, list[float]]]:
    """The slow twin: Python's own split and float, for files without quotes and commas."""
    rows = []
    for line in path.read_text("utf-8").splitlines():
        words = line.split()
        n_numbers = 15 if len(words) > 15 and _is_number(words[-15]) else 14
        numbers = [float(word) for word in words[-n_numbers:]]
        rows.append((" ".join(words[:-n_numbers]), numbers[14] if n_numbers == 15 else None, numbers[:14]))
    return rows


def _is_number(word: str) -> bool:
    return re.fullmatch(r"[-+.\deE]+", word) is not None


@pytest.mark.parametrize("folder", ["object_gt", "datumaro"])
def test_real_files(folder: str) -> None:
    root = corpus_path("kitti", folder)
    reader = read_kitti(root, keep_dontcare=True)
    table = reader.read_all()
    rows: dict[str, list[Row]] = {}
    for row in table.to_pylist():
        rows.setdefault(row["source"], []).append(row)
    for path in sorted(root.glob("*.txt")):
        expected = _split(path)
        found = rows.get(str(path), [])
        assert [(row["class_name"], row["confidence"]) for row in found] == [line[:2] for line in expected]
        boxes = np.array([list(row["bbox"].values()) for row in found]).reshape(-1, 4)
        assert (boxes == np.array([line[2][3:7] for line in expected]).reshape(-1, 4)).all()
    assert table.num_rows > 0
    assert reader.report.problems == []


def test_real_files_of_other_formats_are_refused() -> None:
    with pytest.raises(InputError, match="got 7"):
        read_kitti(corpus_path("kitti", "other", "frustum_rgb_detection_val.txt")).read_all()
