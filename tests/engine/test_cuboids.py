"""Conventions of cuboids against what they mean in space, and numbers that were worked out by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from predarrow_engine import cuboids
from predarrow_engine.cuboids import Convention
from predarrow_engine.rotations import Floats, Order
from tests.naive_cuboids import CONVENTIONS, corners, kitti_corners, solid

SEED = (2.079312801361084, -18.919870376586914, 0.3359137773513794)
SEED_TURN = (-0.002808041640852679, 0.022641949116037438, 0.06772797660868829, 0.9974429197838155)
SEED_SIZE = (1.767102435869269, 4.099334155319101, 1.3691029802958168)
PAIRS = list(itertools.permutations(CONVENTIONS, 2))
NEAR = 1e-13


def some_cuboids(n: int, seed: int = 0) -> Floats:
    random = np.random.default_rng(seed)
    turns = Rotation.random(n, random_state=seed).as_quat()
    return np.hstack([random.normal(0, 50, (n, 3)), turns, random.uniform(0.1, 9, (n, 3))])


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_the_same_solid_in_every_convention(source: str, target: str) -> None:
    rows = some_cuboids(200)
    converted = cuboids.convert(rows, cuboids.conversion(source, target))
    for before, after in zip(rows, converted, strict=True):
        was, now = solid(before, source), solid(after, target)
        np.testing.assert_allclose(now.centre, was.centre, rtol=0, atol=NEAR * 200)
        np.testing.assert_allclose(now.half_axes, was.half_axes, rtol=0, atol=NEAR * 10)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_there_and_back(source: str, target: str) -> None:
    rows = some_cuboids(2000, 1)
    there = cuboids.convert(rows, cuboids.conversion(source, target))
    back = cuboids.convert(there, cuboids.conversion(target, source))
    np.testing.assert_allclose(back[:, 3:7], rows[:, 3:7], rtol=0, atol=2 * np.spacing(1.0))
    assert (np.abs(back[:, :3] - rows[:, :3]) <= 2 * np.spacing(np.abs(rows).max(axis=1, keepdims=True))).all()
    np.testing.assert_array_equal(back[:, 7:], rows[:, 7:])
    np.testing.assert_allclose(cuboids.norms(there), cuboids.norms(rows), rtol=0, atol=4 * np.spacing(1.0))


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_nothing_to_convert(convention: str) -> None:
    rows = some_cuboids(20)
    np.testing.assert_array_equal(cuboids.convert(rows, cuboids.conversion(convention, convention)), rows)


def test_chains_meet() -> None:
    rows = some_cuboids(50)
    by_way = cuboids.convert(rows, cuboids.conversion("kognic", "openlabel"))
    by_way = cuboids.convert(by_way, cuboids.conversion("openlabel", "kitti"))
    np.testing.assert_allclose(
        by_way, cuboids.convert(rows, cuboids.conversion("kognic", "kitti")), rtol=0, atol=NEAR * 100
    )


def test_the_published_turn_of_kognic() -> None:
    """Their own example, yaw 7.77 degrees, and the published turn: +90 degrees about own z, sx and sy exchanged."""
    row = np.array([[*SEED, *SEED_TURN, *SEED_SIZE]])
    (iso,) = cuboids.convert(row, cuboids.conversion("kognic", "openlabel"))
    expected = Rotation.from_quat(SEED_TURN) * Rotation.from_euler("z", 90, degrees=True)
    np.testing.assert_allclose(iso[3:7], expected.as_quat(), rtol=0, atol=1e-15)
    assert iso[:3].tolist() == list(SEED)
    assert iso[7:].tolist() == [SEED_SIZE[1], SEED_SIZE[0], SEED_SIZE[2]]
    yaws = [math.degrees(cuboids.to_euler(rows)[0, 5]) for rows in (row, iso[np.newaxis])]
    assert yaws == pytest.approx([7.766, 97.772], abs=1e-3)


def test_a_car_straight_ahead_of_the_camera() -> None:
    """10 m ahead, 1 m to the left, its floor 1.5 m below, heading away: KITTI's rotation_y is -90 degrees."""
    row = [[10.0, 1.0, -0.75, 0.0, 4.0, 2.0, 1.5]]
    iso = cuboids.from_yaw(row, "openlabel")
    kitti, lean = cuboids.to_yaw(cuboids.convert(iso, cuboids.conversion("openlabel", "kitti")), "kitti")
    assert kitti[0] == pytest.approx([-1.0, 1.5, 10.0, -math.pi / 2, 2.0, 4.0, 1.5], abs=1e-15)
    assert lean.tolist() == [0.0]


@settings(max_examples=200)
@given(
    location=st.tuples(*[st.floats(-80, 80)] * 3),
    sizes=st.tuples(*[st.floats(0.1, 20)] * 3),
    rotation_y=st.floats(-math.pi, math.pi),
)
def test_corners_as_kitti_draws_them(
    location: tuple[float, float, float], sizes: tuple[float, float, float], rotation_y: float
) -> None:
    width, length, height = sizes
    row = [*location, rotation_y, width, length, height]
    iso = cuboids.convert(cuboids.from_yaw([row], "kitti"), cuboids.conversion("kitti", "openlabel"))
    drawn = kitti_corners(np.array(location), width, length, height, rotation_y)
    expected = np.column_stack([drawn[:, 2], -drawn[:, 0], -drawn[:, 1]])
    got = corners(solid(iso[0], "openlabel"))
    apart = np.linalg.norm(got[:, np.newaxis] - expected, axis=2)
    assert apart.min(axis=0).max() < 1e-12
    assert apart.min(axis=1).max() < 1e-12
    assert iso[0, [3, 4]].tolist() == [0, 0]  # upright: no noise about the other axes
    heading = math.remainder(cuboids.to_yaw(iso, "openlabel")[0][0, 3] - (-rotation_y - math.pi / 2), 2 * math.pi)
    assert heading == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("yaw", [0.0, 0.3, -2.0, math.pi, -math.pi])
def test_yaws_come_back(convention: str, yaw: float) -> None:
    row = [1.0, 2.0, 3.0, yaw, 4.0, 5.0, 6.0]
    turned, lean = cuboids.to_yaw(cuboids.from_yaw([row], convention), convention)
    assert turned[0] == pytest.approx(row, abs=1e-15)
    assert lean.tolist() == [0.0]
    axis = "y" if convention == "kitti" else "z"
    np.testing.assert_allclose(
        cuboids.from_yaw([row], convention)[0, 3:7], Rotation.from_euler(axis, yaw).as_quat(), rtol=0, atol=1e-15
    )


@pytest.mark.parametrize("order", list(Order))
def test_nine_numbers(order: Order) -> None:
    rows = some_cuboids(100)
    nine = cuboids.to_euler(rows, order)
    np.testing.assert_array_equal(nine[:, [0, 1, 2, 6, 7, 8]], rows[:, [0, 1, 2, 7, 8, 9]])
    ten = cuboids.from_euler(nine, order)
    together = np.abs((ten[:, 3:7] * rows[:, 3:7]).sum(axis=1))
    np.testing.assert_allclose(together, 1, rtol=0, atol=1e-14)


def test_quaternions_of_other_lengths() -> None:
    rows = some_cuboids(50)
    longer = rows.copy()
    longer[:, 3:7] *= 7.5
    np.testing.assert_allclose(cuboids.norms(longer), 7.5, rtol=1e-15)
    np.testing.assert_allclose(cuboids.normalised(longer), rows, rtol=0, atol=1e-15 * 200)
    how = cuboids.conversion("openlabel", "kitti")
    kept = [0, 1, 2, 7, 8, 9]
    np.testing.assert_allclose(
        cuboids.convert(longer, how)[:, kept], cuboids.convert(rows, how)[:, kept], rtol=0, atol=NEAR * 100
    )


def test_numbers_that_are_none() -> None:
    nan = math.nan
    rows = [
        [1.0, nan, 3.0, 0.0, 0.0, 0.0, 1.0, 4.0, 5.0, 6.0],
        [1.0, 2.0, 3.0, 0.0, 0.0, nan, 1.0, -4.0, 0.0, math.inf],
    ]
    out = cuboids.convert(rows, cuboids.conversion("kognic", "openlabel"))
    np.testing.assert_array_equal(out[:, [0, 1, 2, 7, 8, 9]], [[1, nan, 3, 5, 4, 6], [1, 2, 3, 0, -4, math.inf]])
    assert np.isnan(out[1, 3:7]).any()


def test_input_stays_and_none_is_nothing() -> None:
    rows = some_cuboids(10)
    kept = rows.copy()
    rows.flags.writeable = False
    how = cuboids.conversion("kitti", "kognic")
    strided = np.asfortranarray(rows)
    np.testing.assert_array_equal(cuboids.convert(strided, how), cuboids.convert(rows, how))
    np.testing.assert_array_equal(rows, kept)
    assert cuboids.convert(np.empty((0, 10)), how).shape == (0, 10)
    assert cuboids.from_euler(np.empty((0, 9))).shape == (0, 10)


def test_wrong_shapes_and_names() -> None:
    with pytest.raises(ValueError, match=r"shape \(n, 10\), got \(10,\)"):
        cuboids.convert(np.zeros(10), cuboids.conversion("kitti", "kognic"))
    with pytest.raises(ValueError, match=r"shape \(n, 9\), got \(1, 10\)"):
        cuboids.from_euler(np.zeros((1, 10)))
    with pytest.raises(ValueError, match=r"shape \(n, 7\), got \(1, 10\)"):
        cuboids.from_yaw(np.zeros((1, 10)), "kitti")
    with pytest.raises(ValueError, match="nuscenes"):
        cuboids.conversion("nuscenes", "kitti")
    assert [str(name) for name in Convention] == list(CONVENTIONS)
