from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from predarrow.formats.kitti.columns import cuboid_column

Floats = npt.NDArray[np.float64]


def _angles(kind: str) -> Floats:
    rng = np.random.default_rng(5)
    angles: Floats = rng.uniform(-np.pi, np.pi, 20_000)
    if kind == "all steps":
        angles = np.arange(-1000, 1001).repeat(3) / 100
    elif kind == "all small steps":
        angles = np.arange(-31_416, 31_417) / 10_000
    elif kind.endswith("decimals"):
        angles = np.round(angles, int(kind[0]))
    angles[:2] = -0.0, 0.0
    if kind == "2 decimals, one more":
        angles = np.round(angles, 2)
        angles[-1] = 0.123
    if kind == "one is huge":
        angles = np.round(angles, 2)
        angles[-1] = 1.7e308
    return angles


@pytest.mark.parametrize(
    "kind",
    ["all steps", "all small steps", "2 decimals", "4 decimals", "6 decimals", "2 decimals, one more", "one is huge"],
)
@pytest.mark.parametrize("n", [0, 1, 4095, 4096, None])
def test_quaternions_are_those_of_sine_and_cosine_to_the_last_bit(kind: str, n: int | None) -> None:
    angles = _angles(kind)[:n] if n != 1 else _angles(kind)[-1:]
    numbers = np.zeros((14, angles.size))
    numbers[13] = angles
    column = cuboid_column(numbers, np.ones(angles.size, np.bool_))
    for name, expected in (("qy", np.sin(angles / 2)), ("qw", np.cos(angles / 2))):
        got = column.field(name).to_numpy()
        assert np.array_equal(got.view(np.int64), expected.view(np.int64))
