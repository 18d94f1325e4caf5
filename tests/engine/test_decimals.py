from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine import decimals
from tests import naive_decimals

SEED = 20240229
N = 200_000


def texts(values: npt.NDArray[np.float64]) -> list[str]:
    offsets, data = decimals.texts(values)
    whole = data.tobytes().decode()
    assert offsets[-1] == len(whole)
    return [whole[begin:end] for begin, end in pairwise(offsets.tolist())]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-100.0, "-100"),
        (0.1, "0.1"),
        (0.30000000000000004, "0.30000000000000004"),
        (1e-6, "0.000001"),
        (9.5e-7, "9.5e-7"),
        (1e-7, "1e-7"),
        (9999999999.5, "9999999999.5"),
        (1e10, "1e+10"),
        (12345678901.5, "1.23456789015e+10"),
        (5e-324, "5e-324"),
        (2.2250738585072014e-308, "2.2250738585072014e-308"),
        (-1.7976931348623157e308, "-1.7976931348623157e+308"),
        (9007199254740993.0, "9.007199254740992e+15"),
        (2.0**-1074 * 3, "1.5e-323"),
        (1e23, "1e+23"),
        (9.5367431640625e-07, "9.5367431640625e-7"),
    ],
)
def test_numbers_are_written_as_arrow_writes_them(value: float, wanted: str) -> None:
    assert texts(np.array([value])) == [wanted]
    assert naive_decimals.text(value) == wanted
    assert pc.cast(pa.array([value]), pa.string()).to_pylist() == [wanted]


@settings(max_examples=300)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20))
def test_any_numbers(values: list[float]) -> None:
    found = texts(np.array(values, np.float64))
    assert found == [naive_decimals.text(value) for value in values]
    assert [float(text).hex() for text in found] == [value.hex() for value in values]


def of_any_bits(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    return rng.integers(0, 2**64, N, dtype=np.uint64).view(np.float64)


def of_any_exponent(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Few digits, and what is next to them: where the shortest decimal is hardest to tell."""
    whole, exponents = rng.integers(1, 10 ** rng.integers(1, 18, N)), rng.integers(-340, 308, N)
    near = np.array([float(f"{m}e{e}") for m, e in zip(whole.tolist(), exponents.tolist(), strict=True)])
    return np.where(rng.random(N) < 0.5, near, np.nextafter(near, -np.inf))


def powers_of_two(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Their lower neighbours are half as far."""
    powers = np.ldexp(1.0, np.arange(-1074, 1024))
    return np.concatenate([powers, -powers, np.nextafter(powers, 0), np.nextafter(powers, np.inf)])


def subnormal(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    return (rng.integers(0, 2**52, N, dtype=np.uint64) >> rng.integers(0, 52, N, dtype=np.uint64)).view(np.float64)


def relative(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    values = rng.random(N)
    return np.where(rng.random(N) < 0.5, values, values.round(4))


def pixels(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    values = rng.random(N) * 4096 - 100
    return np.where(rng.random(N) < 0.5, values, values.round(2))


@pytest.mark.parametrize("kind", [of_any_bits, of_any_exponent, powers_of_two, subnormal, relative, pixels])
def test_a_million_numbers(kind: object) -> None:
    assert callable(kind)
    values: npt.NDArray[np.float64] = kind(np.random.default_rng(SEED))
    values = values[np.isfinite(values)]
    assert values.size > 4000
    assert texts(values) == [naive_decimals.text(value) for value in values.tolist()]


def test_more_bytes_than_a_column_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decimals, "STRING_LIMIT", 6)
    assert texts(np.array([0.25, 10.0])) == ["0.25", "10"]
    with pytest.raises(ValueError, match="at most 6 bytes, got 7"):
        decimals.texts(np.array([0.25, 100.0]))
