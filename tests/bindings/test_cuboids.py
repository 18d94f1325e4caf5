"""Cuboids of arrays and of Arrow columns, from one convention and rotation to another, and what is refused."""

from __future__ import annotations

import doctest
import itertools
import math
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pytest
from scipy.spatial.transform import Rotation

import predarrow.cuboids
from predarrow import Code, InputError, PredarrowError, convert_cuboids
from predarrow.cuboids import UNIT_NOISE, CuboidConvention, CuboidRotation, EulerOrder
from predarrow.formats.encord.columns import cuboid_column
from predarrow.table import CUBOID
from predarrow_engine.cuboids import Convention
from predarrow_engine.rotations import Order
from tests.naive_cuboids import Floats, solid

NAMES = [field.name for field in CUBOID]
TURNS: list[CuboidRotation] = ["quaternion", "euler", "yaw"]
EVERY: list[CuboidConvention] = ["openlabel", "kognic", "encord", "kitti"]
LEVEL = (0.0, 0.0, math.sin(0.4), math.cos(0.4))
CAR = [4.0, 2.0, 1.0, *LEVEL, 1.8, 4.2, 1.5]


def some_cuboids(n: int, seed: int = 0) -> Floats:
    random = np.random.default_rng(seed)
    turns = Rotation.random(n, random_state=seed).as_quat()
    return np.hstack([random.normal(0, 50, (n, 3)), turns, random.uniform(0.1, 9, (n, 3))])


def column_of(rows: Any, type_: pa.DataType = CUBOID) -> pa.Array:
    names = [field.name for field in type_]
    return pa.array([None if row is None else dict(zip(names, row, strict=True)) for row in rows], type_)


def rows_of(column: pa.Array | pa.ChunkedArray) -> list[list[float] | None]:
    return [None if row is None else list(row.values()) for row in column.to_pylist()]


def test_examples_of_the_documents() -> None:
    assert doctest.testmod(predarrow.cuboids).attempted == 1
    assert doctest.testmod(predarrow.cuboids).failed == 0


def test_names_are_the_engines() -> None:
    assert list(get_args(CuboidConvention)) == list(Convention)
    assert list(get_args(EulerOrder)) == list(Order)


@pytest.mark.parametrize(("source", "target"), list(itertools.permutations(EVERY, 2)))
def test_the_same_solid(source: CuboidConvention, target: CuboidConvention) -> None:
    rows = some_cuboids(20)
    converted = convert_cuboids(rows, source, target)
    for before, after in zip(rows, converted, strict=True):
        was, now = solid(before, source), solid(after, target)
        np.testing.assert_allclose(now.centre, was.centre, atol=1e-11)
        np.testing.assert_allclose(now.half_axes, was.half_axes, atol=1e-12)
    np.testing.assert_array_equal(convert_cuboids(rows[0], source, target), converted[0])
    np.testing.assert_allclose(convert_cuboids(converted, target, source), rows, atol=1e-12)


@pytest.mark.parametrize("order", ["zyx", "xyz"])
@pytest.mark.parametrize("convention", EVERY)
def test_forms_of_rotation(convention: CuboidConvention, order: EulerOrder) -> None:
    rows = some_cuboids(20)
    nine = convert_cuboids(rows, convention, convention, target_rotation="euler", euler_order=order)
    assert nine.shape == (20, 9)
    angles = nine[:, 5:2:-1] if order == "zyx" else nine[:, 3:6]
    expected = Rotation.from_quat(rows[:, 3:7]).as_matrix()
    np.testing.assert_allclose(Rotation.from_euler(order.upper(), angles).as_matrix(), expected, atol=1e-13)
    ten = convert_cuboids(nine, convention, convention, source_rotation="euler", euler_order=order)
    np.testing.assert_allclose(Rotation.from_quat(ten[:, 3:7]).as_matrix(), expected, atol=1e-13)
    same: Any = {"source_rotation": "euler", "target_rotation": "euler", "euler_order": order}
    np.testing.assert_array_equal(convert_cuboids(nine, convention, convention, **same), nine)


def test_rotation_y_of_kitti() -> None:
    """A car 10 m ahead of the camera that drives away."""
    ahead = [10.0, 1.0, -0.75, 0.0, 4.0, 2.0, 1.5]
    kitti = convert_cuboids(ahead, "openlabel", "kitti", source_rotation="yaw", target_rotation="yaw")
    assert kitti.tolist() == pytest.approx([-1, 1.5, 10, -math.pi / 2, 2, 4, 1.5])


def test_columns() -> None:
    rows = some_cuboids(5)
    column = column_of([rows[0], None, *rows[1:]])
    converted = convert_cuboids(column, "kognic", "openlabel")
    assert converted.type == CUBOID
    converted.validate(full=True)
    expected = convert_cuboids(rows, "kognic", "openlabel").tolist()
    assert rows_of(converted) == [expected[0], None, *expected[1:]]
    assert rows_of(convert_cuboids(column.slice(1, 3), "kognic", "openlabel")) == [None, *expected[1:3]]
    chunks = pa.chunked_array([column.slice(0, 2), column.slice(2, 0), column.slice(2)])
    in_chunks = convert_cuboids(chunks, "kognic", "openlabel")
    assert [len(chunk) for chunk in in_chunks.chunks] == [2, 0, 4]
    assert rows_of(in_chunks) == rows_of(converted)
    assert convert_cuboids(pa.chunked_array([], CUBOID), "kognic", "kitti").type == CUBOID
    assert rows_of(convert_cuboids(pa.nulls(3, CUBOID), "kognic", "kitti")) == [None] * 3
    table = pa.table({"cuboid": column})
    assert rows_of(convert_cuboids(table["cuboid"], "kognic", "openlabel")) == rows_of(converted)


def test_columns_of_angles() -> None:
    column = column_of([CAR, None])
    for turn in TURNS:
        there = convert_cuboids(column, "kognic", "openlabel", target_rotation=turn)
        fields = [field.name for field in there.type]
        assert fields[3:-3] == {"quaternion": NAMES[3:7], "euler": ["rx", "ry", "rz"], "yaw": ["yaw"]}[turn]
        back = convert_cuboids(there, "openlabel", "kognic", source_rotation=turn)
        assert back.type == CUBOID
        assert back[0].as_py() == pytest.approx(column[0].as_py())
        assert back[1].as_py() is None


def test_fields_in_another_order_and_of_other_types() -> None:
    type_ = pa.struct([(name, pa.float32()) for name in reversed(NAMES)])
    column = column_of([[1, 4, 2, 1, 0, 0, 0, 3, 2, 1]], type_)  # height, length, width …
    (row,) = rows_of(convert_cuboids(column, "openlabel", "encord"))
    assert row == [1, 2, 3, 0, 0, 0, 1, 4, 2, 1]
    whole = column_of([[1, 2, 3, 0, 0, 0, 1, 2, 4, 1]], pa.struct([(name, pa.int32()) for name in NAMES]))
    assert rows_of(convert_cuboids(whole, "openlabel", "encord")) == [[1, 2, 3, 0, 0, 0, 1, 4, 2, 1]]


@pytest.mark.parametrize("dtype", [np.float32, np.int64, ">f8"])
def test_arrays_of_other_types(dtype: str) -> None:
    rows = np.array([[1, 2, 3, 0, 0, 0, 1, 2, 4, 1]], dtype)
    converted = convert_cuboids(rows, "openlabel", "encord")
    assert converted.dtype == np.float64
    assert converted.tolist() == [[1, 2, 3, 0, 0, 0, 1, 4, 2, 1]]
    assert rows.tolist() == [[1, 2, 3, 0, 0, 0, 1, 2, 4, 1]]


def test_nothing_to_do_is_a_copy() -> None:
    rows = some_cuboids(3)
    for turn in TURNS:
        given = rows[:, : {"quaternion": 10, "euler": 9, "yaw": 7}[turn]]
        copied = convert_cuboids(given, "kitti", "kitti", source_rotation=turn, target_rotation=turn)
        np.testing.assert_array_equal(copied, given)
        assert not np.may_share_memory(copied, given)
    assert convert_cuboids(np.empty((0, 10)), "kitti", "kognic").shape == (0, 10)


def test_quaternions_of_other_lengths() -> None:
    rows = np.array([CAR, CAR, CAR])
    rows[1, 3:7] *= 3
    rows[2, 3:7] *= 1 + UNIT_NOISE / 2
    with pytest.raises(
        InputError, match=r"cuboids\[1\]: quaternion must have length 1, got 3\.0\d* of .*normalise"
    ) as it:
        convert_cuboids(rows, "kognic", "openlabel")
    assert [(problem.row, problem.code) for problem in it.value.problems] == [(1, Code.BAD_ROTATION)]
    straight = convert_cuboids(rows, "kognic", "kognic", normalise=True)
    np.testing.assert_allclose(straight[1], CAR, rtol=1e-15)
    np.testing.assert_array_equal(straight[[0, 2]], rows[[0, 2]])
    assert rows[1, 6] == 3 * LEVEL[3]


@pytest.mark.parametrize("turn", [(0.0,) * 4, (math.nan, 0, 0, 1), (math.inf, 0, 0, 1)])
def test_quaternions_without_a_direction(turn: tuple[float, ...]) -> None:
    row = [0, 0, 0, *turn, 1, 1, 1]
    for normalise in (False, True):
        with pytest.raises(InputError, match=r"^cuboids: quaternion must have"):
            convert_cuboids(row, "kitti", "kitti", normalise=normalise)


def test_numbers_are_not_judged() -> None:
    row = [math.nan, 1, 2, *LEVEL, -1, 0, math.inf]
    np.testing.assert_array_equal(
        convert_cuboids(row, "openlabel", "encord"), [math.nan, 1, 2, *LEVEL, 0, -1, math.inf]
    )
    lost = convert_cuboids([0, 0, 0, math.nan, 1, 2, 3], "openlabel", "kognic", source_rotation="yaw")
    np.testing.assert_array_equal(np.isnan(lost), [False] * 3 + [True] * 4 + [False] * 3)


def test_cuboids_that_lean_have_no_yaw() -> None:
    lean = [0, 0, 0, math.sin(0.05), 0, 0, math.cos(0.05), 1, 1, 1]
    column = column_of([None, CAR, lean])
    with pytest.raises(InputError, match=r"^cuboids\[2\]: must turn about z only .* leans by 5\.7\d*°; .*euler") as it:
        convert_cuboids(column, "openlabel", "kognic", target_rotation="yaw")
    assert it.value.problems[0].row == 2
    with pytest.raises(InputError, match="must turn about y only"):
        convert_cuboids(lean, "openlabel", "kitti", target_rotation="yaw")


def test_columns_that_are_none() -> None:
    partly = column_of([CAR, [*CAR[:3], None, *CAR[4:]]])
    with pytest.raises(InputError, match=r"^cuboids\[3\]: qx must be a number, got null"):
        convert_cuboids(pa.chunked_array([partly.slice(0, 1), column_of([CAR]), partly]), "kognic", "kitti")
    with pytest.raises(InputError, match=r"must be a struct with the fields x, y, z, rx, ry, rz, width"):
        convert_cuboids(partly, "kognic", "kitti", source_rotation="euler")
    with pytest.raises(InputError, match=r"must be a struct with the fields .* got double"):
        convert_cuboids(pa.array([1.0]), "kognic", "kitti")
    texts = pa.array([dict.fromkeys(NAMES, "1")])
    with pytest.raises(InputError, match="x must be floats or integers, got string"):
        convert_cuboids(texts, "kognic", "kitti")


def test_arrays_that_are_none() -> None:
    for shape in ((9,), (2, 9), (1, 1, 10), ()):
        with pytest.raises(InputError, match=r"must have shape \(n, 10\) or \(10,\)"):
            convert_cuboids(np.zeros(shape), "kognic", "kitti")
    with pytest.raises(InputError, match=r"must have shape \(n, 7\) or \(7,\) with a rotation as yaw, got \(10,\)"):
        convert_cuboids(CAR, "kognic", "kitti", source_rotation="yaw")
    with pytest.raises(InputError, match="cuboids: must be"):
        convert_cuboids(["a"] * 10, "kognic", "kitti")


@pytest.mark.parametrize("option", ["source", "target", "source_rotation", "target_rotation", "euler_order"])
def test_options_that_are_none(option: str) -> None:
    options: dict[str, Any] = {"source": "kognic", "target": "kitti"}
    with pytest.raises(PredarrowError, match=f"^{option}: must be one of .*, got 'nuscenes'"):
        convert_cuboids(CAR, **(options | {option: "nuscenes"}))


def test_what_label_rows_give() -> None:
    """Encord's Euler angles are "xyz", and its length is along own x."""
    position, orientation, size = [[1.0, 2.0, 3.0]], [[0.1, -0.2, 2.5]], [[4.0, 2.0, 1.5]]
    column = cuboid_column(*(np.array(values) for values in (position, orientation, size)))
    nine = convert_cuboids(column, "encord", "openlabel", target_rotation="euler", euler_order="xyz")
    assert rows_of(nine)[0] == pytest.approx([*position[0], *orientation[0], *size[0]], abs=1e-15)
