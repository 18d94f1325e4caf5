"""Quaternions, Euler angles and yaws against SciPy's Rotation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from predarrow_engine import rotations
from predarrow_engine.rotations import Axis, Floats, Order

NEAR = 1e-14
QUARTER = math.pi / 2
angles = st.one_of(
    st.sampled_from([0.0, QUARTER, -QUARTER, math.pi, -math.pi, 1e-9, QUARTER - 1e-9]), st.floats(-math.pi, math.pi)
)


def scipy_turns(euler: Floats, order: Order) -> Rotation:
    """In capitals SciPy turns about the new axes, as the orders here do."""
    return Rotation.from_euler(order.upper(), euler[:, ::-1] if order == Order.ZYX else euler)


@settings(max_examples=300)
@given(euler=st.tuples(angles, angles, angles), order=st.sampled_from(list(Order)))
def test_euler_angles_agree_with_scipy(euler: tuple[float, float, float], order: Order) -> None:
    given = np.array([euler])
    quaternions = rotations.from_euler(given, order)
    expected = scipy_turns(given, order)
    np.testing.assert_allclose(Rotation.from_quat(quaternions).as_matrix(), expected.as_matrix(), rtol=0, atol=NEAR)
    assert rotations.norms(quaternions)[0] == pytest.approx(1, abs=NEAR)
    back = rotations.to_euler(quaternions, order)
    assert abs(back[0, 1]) <= QUARTER + NEAR
    assert (np.abs(back) <= math.pi + NEAR).all()
    np.testing.assert_allclose(scipy_turns(back, order).as_matrix(), expected.as_matrix(), rtol=0, atol=NEAR)


@pytest.mark.parametrize("order", list(Order))
def test_euler_angles_come_back(order: Order) -> None:
    random = np.random.default_rng(0)
    euler = random.uniform(-1, 1, (5000, 3)) * [math.pi, QUARTER - 0.01, math.pi]
    back = rotations.to_euler(rotations.from_euler(euler, order), order)
    np.testing.assert_allclose(back, euler, rtol=0, atol=1e-13)
    turns = scipy_turns(euler, order)
    peer = turns.as_euler("ZYX")[:, ::-1] if order == Order.ZYX else turns.as_euler("XYZ")
    np.testing.assert_allclose(back, peer, rtol=0, atol=1e-13)


def test_the_orders_differ_and_are_named_by_what_turns_first() -> None:
    quarter_turns = [[QUARTER, 0.0, QUARTER]]
    zyx, xyz = (Rotation.from_quat(rotations.from_euler(quarter_turns, order)) for order in (Order.ZYX, Order.XYZ))
    np.testing.assert_allclose(zyx.apply([1, 0, 0])[0], [0, 1, 0], atol=NEAR)  # about x: stays; then about z: to y
    np.testing.assert_allclose(xyz.apply([1, 0, 0])[0], [0, 0, 1], atol=NEAR)  # about z: to y; then about x: to z


def test_yaws_are_exact_in_euler_angles() -> None:
    yaw = np.linspace(-3, 3, 101)
    for order in Order:
        euler = rotations.to_euler(rotations.from_yaw(yaw, Axis.Z), order)
        np.testing.assert_array_equal(euler[:, :2], 0)
        np.testing.assert_allclose(euler[:, 2], yaw, rtol=0, atol=1e-15)


@pytest.mark.parametrize("axis", list(Axis))
def test_yaw_and_lean(axis: Axis) -> None:
    random = np.random.default_rng(1)
    yaw, lean, towards = random.uniform(-math.pi, math.pi, 500), random.uniform(0, 3, 500), random.uniform(0, 6, 500)
    # a lean is a turn about a level axis, here x that is itself turned by `towards`
    across = Rotation.from_euler(axis.value, towards[:, np.newaxis])
    leaning = across * Rotation.from_euler("x", lean[:, np.newaxis]) * across.inv()
    tilted = leaning * Rotation.from_euler(axis.value, yaw[:, np.newaxis])
    got_yaw, got_lean = rotations.to_yaw(tilted.as_quat(), axis)
    np.testing.assert_allclose(got_lean, lean, rtol=0, atol=1e-13)
    np.testing.assert_allclose(np.remainder(got_yaw - yaw + 1, 2 * math.pi), 1, rtol=0, atol=1e-12)
    assert (np.abs(got_yaw) <= math.pi).all()


@settings(max_examples=200)
@given(turn=st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda turn: max(map(abs, turn)) > 1e-3))
def test_the_negative_of_a_quaternion_is_the_same(turn: tuple[float, float, float, float]) -> None:
    both = np.array([turn, [-number for number in turn]])
    for order in Order:
        one, other = scipy_turns(rotations.to_euler(both, order), order).as_matrix()
        np.testing.assert_allclose(one, other, rtol=0, atol=NEAR)
        np.testing.assert_allclose(one, Rotation.from_quat(turn).as_matrix(), rtol=0, atol=NEAR)
    yaw, lean = rotations.to_yaw(both, Axis.Z)
    assert math.cos(yaw[0] - yaw[1]) == pytest.approx(1)
    assert lean[0] == lean[1]


def test_lengths() -> None:
    rows = np.array([[0, 0, 0, 0], [0, 3, 0, 4], [1e200, 0, 1e200, 0], [1e-200, 0, 0, 0], [math.nan, 0, 0, 1]])
    np.testing.assert_allclose(rotations.norms(rows), np.array([0, 5, math.sqrt(2) * 1e200, 1e-200, math.nan]))
    normal = rotations.normalised(rows)
    half = math.sqrt(0.5)
    np.testing.assert_allclose(normal[1:4], np.array([[0, 0.6, 0, 0.8], [half, 0, half, 0], [1, 0, 0, 0]]))
    assert np.isnan(normal[0]).all()
    assert np.isnan(normal[4]).all()
    assert np.isnan(rotations.normalised([[math.inf, 0, 0, 1]])).any()


def test_angles_that_are_none() -> None:
    for bad in (math.nan, math.inf):
        assert np.isnan(rotations.from_euler([[0.0, bad, 0.0]], Order.ZYX)).all()
        assert np.isnan(rotations.from_yaw([bad], Axis.Y)[0, [1, 3]]).all()


def test_none_and_wrong_shapes() -> None:
    assert rotations.from_euler(np.empty((0, 3)), Order.XYZ).shape == (0, 4)
    assert rotations.to_euler(np.empty((0, 4)), Order.XYZ).shape == (0, 3)
    with pytest.raises(ValueError, match=r"shape \(n, 4\), got \(4,\)"):
        rotations.norms([0.0, 0.0, 0.0, 1.0])
    with pytest.raises(ValueError, match=r"shape \(n, 3\), got \(1, 4\)"):
        rotations.from_euler([[0.0, 0.0, 0.0, 1.0]], Order.ZYX)
    with pytest.raises(ValueError, match="yxz"):
        rotations.from_euler([[0.0, 0.0, 0.0]], "yxz")  # type: ignore[arg-type]  # what a careless caller does
