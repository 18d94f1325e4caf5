"""All cuboids of a table in one convention."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from predarrow import SCHEMA, Code, InputError, PredarrowError, convert_cuboids, convert_table_cuboids, read_kitti
from predarrow.formats.kitti.write import write_kitti
from predarrow.table import CUBOID

NAMES = [field.name for field in CUBOID]
CAR = [4.0, 2.0, 1.0, 0.0, 0.0, math.sin(0.4), math.cos(0.4), 1.8, 4.2, 1.5]
KITTI = """\
Car 0 0 -10 10 20 50 60 1.5 1.8 4.2 -3 1.6 20 0.7 0.9
Van 0.1 1 -10 10 20 50 60 -1 -1 -1 -1000 -1000 -1000 -10 0.8
"""


def a_table(*attributes: str | None, cuboid: list[float] = CAR) -> pa.Table:
    n = len(attributes)
    columns: dict[str, Any] = {
        "data_unit": ["a"] * n,
        "frame": [0] * n,
        "class_name": ["Car"] * n,
        "kind": ["cuboid"] * n,
        "cuboid": [dict(zip(NAMES, cuboid, strict=True))] * n,
        "attributes": list(attributes),
    }
    return pa.table({name: pa.array(values, SCHEMA.field(name).type) for name, values in columns.items()})


def cuboids_of(table: pa.Table) -> list[list[float] | None]:
    return [None if row is None else list(row.values()) for row in table["cuboid"].to_pylist()]


def test_each_row_from_its_own_convention() -> None:
    table = a_table('{"convention":"kognic"}', '{"a":1.50,"convention":"openlabel"}', '{"convention": "encord"}', None)
    table = pa.concat_tables([table.slice(0, 1), table.slice(1, 0), table.slice(1)])
    converted = convert_table_cuboids(table, "openlabel", source="kitti")
    converted.validate(full=True)
    sources: list[Any] = ["kognic", "openlabel", "encord", "kitti"]
    assert cuboids_of(converted) == [convert_cuboids(CAR, source, "openlabel").tolist() for source in sources]
    told = '{"convention":"openlabel"}'
    assert converted["attributes"].to_pylist() == [told, '{"a":1.50,"convention":"openlabel"}', told, told]
    for name in ("data_unit", "frame", "kind"):
        assert converted[name].equals(table[name])


def test_other_attributes_stay_as_they_are_written() -> None:
    text = '{"name":"\\u00e4","convention":"kitti","n":[1.0,1e2,0.10],"o":{"convention":"kitti"}}'
    (got,) = convert_table_cuboids(a_table(text), "kognic")["attributes"].to_pylist()
    assert got == text.replace('"kitti","n"', '"kognic","n"')


def test_files_of_kitti_come_back(tmp_path: Path) -> None:
    (tmp_path / "000001.txt").write_text(KITTI)
    table = read_kitti(tmp_path).read_all()
    iso = convert_table_cuboids(read_kitti(tmp_path), "openlabel")
    assert iso.schema == table.schema
    car, no_van = cuboids_of(iso)
    assert no_van is None
    expected = [20, 3, -0.85, -0.7 - math.pi / 2, 4.2, 1.8, 1.5]
    yaw = convert_cuboids(car, "openlabel", "openlabel", target_rotation="yaw")
    np.testing.assert_allclose(yaw, expected, rtol=1e-14)
    conventions = [json.loads(text)["convention"] for text in iso["attributes"].to_pylist()]
    assert conventions == ["openlabel", "kitti"]
    with pytest.raises(InputError, match="must be in KITTI's convention"):
        write_kitti(iso, tmp_path / "iso")
    back = convert_table_cuboids(iso, "kitti")
    assert back.drop_columns("cuboid") == table.drop_columns("cuboid")
    write_kitti(back, tmp_path / "out")
    again, line = ((folder / "000001.txt").read_text().split() for folder in (tmp_path / "out", tmp_path))
    assert [again[0], again[16]] == [line[0], line[16]]
    numbers = np.array([[float(word) for word in words[1:16] + words[17:]] for words in (again, line)])
    np.testing.assert_allclose(numbers[0], numbers[1], rtol=0, atol=1e-14)


def test_nothing_to_do() -> None:
    table = a_table('{ "convention" : "kognic" }')
    assert convert_table_cuboids(table, "kognic") == table
    empty = convert_table_cuboids(pa.RecordBatchReader.from_batches(SCHEMA, []), "kognic")
    assert empty.schema == SCHEMA
    bare = convert_table_cuboids(a_table(None).drop_columns("attributes"), "kognic", source="kognic")
    assert bare["attributes"].to_pylist() == ['{"convention":"kognic"}']


def test_conventions_that_are_not_known() -> None:
    table = a_table(
        '{"convention":"kitti"}',
        "{}",
        None,
        '{"convention":"nuscenes"}',
        '{"convention":7}',
        "[]",
        "{",
        '{"convention":"encord"}',
    )
    with pytest.raises(InputError, match=r"^predictions\[1\]: column attributes: must tell .* got none; source=") as it:
        convert_table_cuboids(table, "openlabel")
    told = [(problem.row, problem.code) for problem in it.value.problems]
    values = [(row, Code.BAD_VALUE) for row in (1, 2, 3, 4)]
    assert told == [*values, (5, Code.BAD_TABLE), (6, Code.BAD_TABLE)]
    assert "convention must be one of openlabel, kognic, encord, kitti, got 'nuscenes'" in str(it.value)


def test_quaternions_of_other_lengths() -> None:
    odd = [*CAR[:3], 0.0, 0.0, 0.0, 5.0, *CAR[7:]]
    table = pa.concat_tables([a_table('{"convention":"kitti"}'), a_table('{"convention":"kognic"}', cuboid=odd)])
    with pytest.raises(InputError, match=r"^cuboids\[1\]: quaternion must have length 1, got 5\.0") as it:
        convert_table_cuboids(table, "openlabel")
    assert [problem.row for problem in it.value.problems] == [1]
    assert cuboids_of(convert_table_cuboids(table, "openlabel", normalise=True))[1] is not None


def test_tables_and_options_that_are_none() -> None:
    with pytest.raises(InputError, match="must have one column cuboid"):
        convert_table_cuboids(a_table(None).drop_columns("cuboid"), "kitti")
    twice = a_table(None).append_column("attributes", pa.array(["{}"]))
    with pytest.raises(InputError, match="must have one column attributes"):
        convert_table_cuboids(twice, "kitti")
    with pytest.raises(InputError, match="must speak Arrow's stream interface"):
        convert_table_cuboids([CAR], "kitti")
    wrong: Any = "nuscenes"
    with pytest.raises(PredarrowError, match=r"^target: must be one of"):
        convert_table_cuboids(a_table(None), wrong)
    with pytest.raises(PredarrowError, match=r"^source: must be one of"):
        convert_table_cuboids(a_table(None), "kitti", source=wrong)
