from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from predarrow.errors import InputError, OutputError, PredarrowError
from predarrow.formats.kitti.read import read_kitti
from predarrow.formats.kitti.write import write_kitti
from predarrow.report import Code
from predarrow.table import SCHEMA
from tests.kitti_files import DONTCARE, LABEL, RESULT, SEED, TRACKING_DONTCARE, write

_KITTI = '{"convention":"kitti"}'
_BOX = {"xmin": 1.0, "ymin": 2.0, "xmax": 3.0, "ymax": 4.0}
_CUBOID = {"x": 1, "y": 2, "z": 3, "qx": 0, "qy": 0, "qz": 0, "qw": 1, "width": 4, "length": 5, "height": 6}


def _table(*rows: dict[str, Any]) -> pa.Table:
    plain = {"data_unit": "a", "frame": 0, "class_name": "Car", "kind": "bbox", "bbox": _BOX}
    return pa.Table.from_pylist([plain | row for row in rows], SCHEMA)


def _texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in sorted(folder.iterdir())}


def _comparable(table: pa.Table) -> list[dict[str, Any]]:
    """Rows with their attributes as values, without the names of files."""
    rows = table.drop_columns(["source"]).to_pylist()
    return [row | {"attributes": _values(row["attributes"])} for row in rows]


def _values(attributes: str) -> dict[str, Any]:
    values = json.loads(attributes, parse_int=float)
    return {key: float(value) if value in ("inf", "-inf", "nan") else value for key, value in values.items()}


@pytest.mark.parametrize(
    "text",
    [
        *(SEED, LABEL, f"{RESULT}\n{RESULT.replace('Car', 'Van')}", f"{DONTCARE} .5\n{RESULT}"),
        *(f'"traffic light" {LABEL[4:]}', f'"it\'s" {LABEL[4:]}', f"'\"' {LABEL[4:]}", f'"a,b" {LABEL[4:]}'),
        *(f"1 {LABEL[4:]}", f"NA {LABEL[4:]}", f'"\ufeffCar" {LABEL[4:]}', f"Straße {RESULT[4:]}"),
        "Car nan 1e400 -inf 1 2 3 4 0 0 0 0 0 0 0",
        f"Car {'9' * 400} {'-' + '8' * 330} 12345678901234567891 1 2 3 4 0 0 0 0 0 0 0",
        "Car 0.1 3 7 1e-300 2 1e300 1e+301 1.1 0 0.3 .1 -.2 5. 1e5 -3",
        "Car -1 -1 -10 1 2 3 4 -1 -1 -1 0 0 0 0",
        "Car 0 0 0 1 2 3 4 0 0 0 -1000 -1000 -1000 -10",
        "Car 0 0 0 1 2 3 4 0 0 0 0 0 0 3",
        f"{TRACKING_DONTCARE[5:]} 0.3",
    ],
)
def test_what_was_read_is_written_and_read_again(tmp_path: Path, text: str) -> None:
    first = read_kitti(write(tmp_path / "in" / "a.txt", text), keep_dontcare=True).read_all()
    result = write_kitti(first, tmp_path / "out")
    again = read_kitti(tmp_path / "out", keep_dontcare=True).read_all()
    assert repr(_comparable(again)) == repr(_comparable(first))
    assert (result.files, result.rows) == (1, first.num_rows)
    assert result.report.flagged == {}
    write_kitti(again, tmp_path / "again")
    assert _texts(tmp_path / "again") == _texts(tmp_path / "out")


_FINITE = st.floats(allow_nan=False, allow_infinity=False)
_NUMBER = st.floats() | st.sampled_from([0.0, -1.0, -10.0, -1000.0])
_SOLID = st.lists(st.sampled_from([0.0, -1.0, -1000.0, -10.0]) | _FINITE, min_size=7, max_size=7)
_NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n\"'"), min_size=1, max_size=6)


@st.composite
def _lines(draw: st.DrawFn) -> str:
    left, right = sorted([draw(_FINITE), draw(_FINITE)])
    top, bottom = sorted([draw(_FINITE), draw(_FINITE)])
    numbers = [*draw(st.lists(_NUMBER, min_size=3, max_size=3)), left, top, right, bottom, *draw(_SOLID), draw(_FINITE)]
    return " ".join([f'"{draw(_NAMES)}"', *map(repr, numbers)])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_lines(), min_size=1, max_size=4))
def test_any_numbers_come_back_equal(tmp_path: Path, lines: list[str]) -> None:
    text = "\n".join(lines)
    first = read_kitti(write(tmp_path / "in" / "a.txt", text), keep_dontcare=True).read_all()
    write_kitti(first, tmp_path / "out", overwrite=True)
    again = read_kitti(tmp_path / "out", keep_dontcare=True).read_all()
    assert repr(_comparable(again)) == repr(_comparable(first))


def test_rows_of_other_sources(tmp_path: Path) -> None:
    write_kitti(_table({"confidence": 0.1}, {"confidence": 97.85, "class_name": "traffic light"}), tmp_path)
    assert _texts(tmp_path) == {
        "a.txt": "Car -1 -1 -10 1.0 2.0 3.0 4.0 -1.0 -1.0 -1.0 -1000.0 -1000.0 -1000.0 -10 0.1\n"
        '"traffic light" -1 -1 -10 1.0 2.0 3.0 4.0 -1.0 -1.0 -1.0 -1000.0 -1000.0 -1000.0 -10 97.85\n'
    }


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        ([("a", 0)], ["a.txt"]),
        ([("a", 3)], ["a__3.txt"]),
        ([("a", 0), ("a", 1), ("b", 0)], ["a__0.txt", "a__1.txt", "b.txt"]),
        ([("a__7", 0)], ["a__7__0.txt"]),
        ([("__7", 0)], ["__7__0.txt"]),
        ([("a.jpg", 0), ("a.txt", 0)], ["a.jpg.txt", "a.txt.txt"]),
        ([("a b", 2), ("ü", 0)], ["a b__2.txt", "ü.txt"]),
        ([("v__-1", 0), ("v__٣", 0)], ["v__-1.txt", "v__٣__0.txt"]),
    ],
)
def test_names_tell_data_unit_and_frame(tmp_path: Path, keys: list[tuple[str, int]], names: list[str]) -> None:
    table = _table(*[{"data_unit": unit, "frame": frame} for unit, frame in keys])
    result = write_kitti(table, tmp_path / "new" / "folder")
    assert sorted(_texts(tmp_path / "new" / "folder")) == sorted(names)
    assert result.files == len(names)
    again = read_kitti(tmp_path / "new" / "folder").read_all()
    assert list(zip(again["data_unit"].to_pylist(), again["frame"].to_pylist(), strict=True)) == sorted(keys)


@pytest.mark.parametrize(
    ("row", "code", "told"),
    [
        ({"bbox": None, "kind": "polygon"}, Code.CANNOT_HOLD, "row 1, bbox: must have a box.*got a polygon without"),
        ({"bbox": _BOX | {"xmax": None}}, Code.CANNOT_HOLD, "four corners"),
        ({"bbox": _BOX | {"xmax": math.inf}}, Code.BAD_BOX, "finite and in order"),
        ({"bbox": _BOX | {"xmax": 0.5}}, Code.BAD_BOX, "finite and in order"),
        ({"rotation": 30.0, "kind": "rotated_bbox"}, Code.CANNOT_HOLD, "must not be rotated.*got 30.0"),
        ({"class_name": ""}, Code.CANNOT_HOLD, "not empty"),
        ({"class_name": "a\nb"}, Code.CANNOT_HOLD, "one line"),
        ({"class_name": "a\0b"}, Code.CANNOT_HOLD, "without NUL"),
        ({"class_name": "a\" '"}, Code.CANNOT_HOLD, "both kinds of quotes"),
        ({"confidence": math.nan}, Code.BAD_NUMBER, "confidence: must be finite"),
        ({"frame": -1}, Code.FRAME_RANGE, "at least 0"),
        ({"cuboid": _CUBOID}, Code.CANNOT_HOLD, "cuboid: must be in KITTI's convention"),
        ({"cuboid": _CUBOID | {"qx": 0.5}, "attributes": _KITTI}, Code.CANNOT_HOLD, "about the y axis only"),
        ({"cuboid": _CUBOID | {"x": None}, "attributes": _KITTI}, Code.BAD_NUMBER, "ten finite numbers"),
        ({"cuboid": _CUBOID | {"x": math.nan}, "attributes": _KITTI}, Code.BAD_NUMBER, "ten finite numbers"),
        ({"attributes": "{"}, Code.BAD_TABLE, "must be JSON"),
        ({"attributes": "[]"}, Code.BAD_TABLE, "must be a JSON object, got list"),
        ({"attributes": "[" * 100_000}, Code.BAD_TABLE, "must be JSON"),
        ({"data_unit": "a/b"}, Code.CANNOT_HOLD, "a name that a file can have.*got 'a/b'"),
        ({"data_unit": "../b"}, Code.CANNOT_HOLD, "a name that a file can have"),
        ({"data_unit": "a\\b"}, Code.CANNOT_HOLD, "a name that a file can have"),
        ({"data_unit": ".a"}, Code.CANNOT_HOLD, "not beginning with a dot"),
        ({"data_unit": ""}, Code.CANNOT_HOLD, "a name that a file can have"),
        ({"data_unit": "a\nb"}, Code.CANNOT_HOLD, "a name that a file can have"),
        ({"data_unit": "a\0"}, Code.CANNOT_HOLD, "a name that a file can have"),
    ],
)
def test_what_kitti_cannot_hold(tmp_path: Path, row: dict[str, Any], code: Code, told: str) -> None:
    table = _table({"data_unit": "first"}, row, {"data_unit": "last"})
    folder = tmp_path / "out"
    with pytest.raises(InputError, match=told) as caught:
        write_kitti(table, folder)
    (problem,) = caught.value.problems
    assert (problem.code, problem.source, problem.row) == (code, "table", 1)
    assert not folder.exists()
    result = write_kitti(table, folder, on_error="skip")
    assert sorted(_texts(folder)) == ["first.txt", "last.txt"]
    assert (result.files, result.rows, result.report.rejected) == (2, 2, 1)


def test_a_score_in_some_rows_of_an_image(tmp_path: Path) -> None:
    table = _table({"confidence": 1.0}, {}, {"data_unit": "b"}, {"data_unit": "c", "confidence": 2.0})
    with pytest.raises(InputError, match=r"row 0, confidence: must be given in all rows .* got 1 of 2 in a\.txt"):
        write_kitti(table, tmp_path / "out")
    write_kitti(table, tmp_path / "out", on_error="skip")
    assert {name: len(text.split()) for name, text in _texts(tmp_path / "out").items()} == {"b.txt": 15, "c.txt": 16}


def test_images_must_stand_together(tmp_path: Path) -> None:
    table = _table({}, {"data_unit": "b"}, {"class_name": "Van"})
    with pytest.raises(InputError, match=r"row 2, data_unit: rows of an image must stand together.*sort the table"):
        write_kitti(table, tmp_path / "out")
    write_kitti(table.sort_by([("data_unit", "ascending")]), tmp_path / "out")
    assert len(_texts(tmp_path / "out")["a.txt"].splitlines()) == 2


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    table = _table(
        {"object_id": "7", "attributes": '{"occluded": true}'},
        {"attributes": '{"convention":"kitti","truncated":0.5,"crowd":true,"alpha":null}'},
        {"attributes": '{"convention":null,"crowd":null}'},
        {"object_id": "8", "stream": "image_2", "bbox": None},
        {"object_id": "9", "stream": "image_2", "data_unit": "no/name"},
    )
    result = write_kitti(table, tmp_path / "out", on_error="skip")
    assert result.report.flagged == {
        "object_id left out: object results have no track id": 1,
        "attributes left out that KITTI has no field for": 2,
    }
    lines = [line.split()[1:4] for line in _texts(tmp_path / "out")["a.txt"].splitlines()]
    assert lines == [["-1", "-1", "-10"], ["0.5", "-1", "-10"], ["-1", "-1", "-10"]]


@pytest.mark.parametrize(
    "row",
    [
        {"stream": "image_2"},
        {"attributes": '{"convention":"kitti","truncated":"far"}'},
        {"attributes": '{"convention":"kitti","occluded":true}'},
        {"attributes": '{"convention":"kitti","dimensions":[1,2],"location":[1,2,3]}'},
        {"attributes": '{"convention":"kitti","location":[1,2,3]}'},
        {"attributes": '{"convention":"openlabel"}'},
    ],
)
def test_no_value_is_left_out_untold(tmp_path: Path, row: dict[str, Any]) -> None:
    flagged = write_kitti(_table(row), tmp_path / "out").report.flagged
    (what,) = flagged
    assert what.startswith(next(iter(row)))
    assert "left out" in what


def test_polygons_are_written_as_their_boxes(tmp_path: Path) -> None:
    result = write_kitti(_table({"kind": "polygon"}, {"kind": "bitmask"}, {"kind": None}), tmp_path / "out")
    assert result.report.flagged == {
        "polygon left out: only its box is written": 1,
        "bitmask left out: only its box is written": 1,
    }
    assert read_kitti(tmp_path / "out").read_all()["bbox"].to_pylist() == [_BOX] * 3


def test_rotation_y_follows_the_cuboid(tmp_path: Path) -> None:
    turned = _CUBOID | {"qy": math.sin(0.4), "qw": math.cos(0.4)}
    rows = [
        {"cuboid": turned, "attributes": '{"convention":"kitti","rotation_y":0.8}'},
        {"cuboid": turned, "attributes": '{"convention":"kitti","rotation_y":-1.5}'},
        {"cuboid": turned, "attributes": _KITTI},
        {"cuboid": turned | {"qy": -turned["qy"], "qw": -turned["qw"]}, "attributes": _KITTI},
    ]
    write_kitti(_table(*rows), tmp_path / "out")
    lines = [[float(word) for word in line.split()[8:]] for line in _texts(tmp_path / "out")["a.txt"].splitlines()]
    assert lines[0] == [6, 4, 5, 1, 2, 3, 0.8]
    for line in lines[1:]:
        assert line == pytest.approx([6, 4, 5, 1, 2, 3, 0.8])


def test_any_stream_of_arrow_is_a_table(tmp_path: Path) -> None:
    full = _table({}, {"data_unit": "b"})
    least = full.select(["bbox", "class_name", "frame", "data_unit"])
    large = least.set_column(1, "class_name", least["class_name"].cast(pa.large_string()))
    batch = full.to_batches()[0]
    tables: list[Any] = [full, full.to_reader(), batch, least, large, full.to_batches(1)[0]]
    for number, table in enumerate(tables[:5]):
        assert write_kitti(table, tmp_path / str(number)).rows == 2
    assert write_kitti(SCHEMA.empty_table(), tmp_path / "empty").files == 0
    assert _texts(tmp_path / "empty") == {}


def test_a_readers_own_error_comes_through(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.txt", f"{LABEL}\nCar 1")
    with pytest.raises(InputError, match=r"a\.txt: line 2"):
        write_kitti(read_kitti(tmp_path / "in"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError):
        write_kitti(read_kitti(tmp_path / "in"), tmp_path / "out" / "below" / "it")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (7, "must speak Arrow's stream interface, got int"),
        (pa.table({"a": [1]}), "must have one column data_unit, got a"),
        (_table({}).drop_columns(["bbox"]), "must have one column bbox"),
        (_table({}).set_column(1, "frame", pa.array(["x"])), "must have the prediction table's types"),
        (_table({}).set_column(0, "data_unit", pa.nulls(1, pa.string())), "column data_unit must not be null"),
    ],
)
def test_what_is_no_prediction_table(tmp_path: Path, table: Any, told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        write_kitti(table, tmp_path / "out")
    assert caught.value.problems[0].code is Code.BAD_TABLE


def test_a_folder_with_files_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "mine")
    write(tmp_path / "z.txt", "mine too")
    with pytest.raises(OutputError, match="must be a new or empty folder"):
        write_kitti(_table({}), tmp_path)
    with pytest.raises(InputError):
        write_kitti(_table({}, {"bbox": None}), tmp_path, overwrite=True)
    assert _texts(tmp_path) == {"a.txt": "mine", "z.txt": "mine too"}
    write_kitti(_table({}), tmp_path, overwrite=True)
    assert _texts(tmp_path)["a.txt"].startswith("Car ")
    assert _texts(tmp_path)["z.txt"] == "mine too"
    (tmp_path / "b.txt").mkdir()
    with pytest.raises(OutputError, match=r"b\.txt: must be a file, to be replaced, got a folder"):
        write_kitti(_table({"data_unit": "a", "class_name": "Van"}, {"data_unit": "b"}), tmp_path, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.txt", "z.txt"]
    assert (tmp_path / "a.txt").read_text().startswith("Car ")
    with pytest.raises(OutputError, match="cannot be written"):
        write_kitti(_table({}), tmp_path / "a.txt", overwrite=True)
    with pytest.raises(OutputError, match="cannot be written"):
        write_kitti(_table({"data_unit": "x" * 300}), tmp_path / "long")
    with pytest.raises(PredarrowError, match="on_error"):
        write_kitti(_table({}), tmp_path / "o", on_error="ignore")  # type: ignore[arg-type]  # that is what is tested
