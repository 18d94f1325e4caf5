"""Rules that boxes, polygons and masks of objects must keep, many at a time."""

from __future__ import annotations

from functools import reduce

import numpy as np
import numpy.typing as npt

from predarrow.borders import NOISE
from predarrow.objects import fields
from predarrow.objects.shapes import POINTER
from predarrow.project_index import UNKNOWN, ProjectIndex
from predarrow.refusals import Refusals
from predarrow.report import Code, Report

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def check_class(kind: str, where: Bools, classes: Ints, index: ProjectIndex, refusals: Refusals) -> None:
    """Refuse rows of a kind whose class has a shape that does not fit it."""
    misfits = where & ~index.fits(kind)[classes] & (classes != UNKNOWN)
    refusals.add(misfits, Code.UNKNOWN_CLASS, "object.feature_hash", lambda row: index.no_fit(int(classes[row]), kind))


def check_box_numbers(values: Floats, refusals: Refusals) -> None:
    """Refuse numbers that are not finite, negative sizes and angles that are none.

    Args:
        values: (n, 5) x, y, w, h and theta.
        refusals: of as many rows.
    """
    is_finite = np.isfinite(values)
    w, h, theta = values.T[2:]
    rules = [
        *((name, ~is_finite[:, i], "must be a finite number") for i, name in enumerate(fields.BOX_FIELDS)),
        ("w", w < 0, "must be at least 0"),
        ("h", h < 0, "must be at least 0"),
        ("theta", (theta < 0) | (theta > 360), "must be 0 to 360 degrees"),
    ]
    for name, where, rule in rules:
        given = values[:, fields.BOX_FIELDS.index(name)]
        _refuse(where, f"{POINTER}.{name}", rule, given, refusals)


def check_size_known(is_relative: Bools, sizes: Ints, refusals: Refusals) -> None:
    """Refuse relative values on images whose size, (n, 2), is 0: not known."""
    hint = 'give the data unit its width and height, or give pixels (unit="pixel")'
    is_unknown = is_relative & (sizes == 0).any(1) & ~refusals.bad
    refusals.add(
        is_unknown, Code.SIZE_UNKNOWN, POINTER, lambda row: f"relative values need the image's size, got none; {hint}"
    )


def check_relative_boxes(values: Floats, is_relative: Bools, refusals: Refusals) -> None:
    """Refuse relative boxes that do not lie in the image; of a rotated box only the centre must."""
    x, y, w, h, theta = values.T
    straight, turned = is_relative & (theta == 0), is_relative & (theta != 0)
    hint = 'BoundingBox(..., unit="pixel")'
    with np.errstate(invalid="ignore", over="ignore"):
        for name, size, start, length in (("x", "w", x, w), ("y", "h", y, h)):
            ends = np.stack([start, start + length], 1)
            centre = np.stack([start + length / 2] * 2, 1)
            check_relative(straight, f"{name} and {name} + {size}", ends, hint, refusals)
            check_relative(turned, f"{name} + {size} / 2", centre, hint, refusals)


def check_relative(where: Bools, what: str, values: Floats, hint: str, refusals: Refusals) -> None:
    """Refuse relative values outside [0, 1] by more than float noise.

    Args:
        where: (n,) rows that are relative.
        what: names the values in errors.
        values: (n, m) of each row.
        hint: how pixels are given.
        refusals: of as many rows.
    """
    low, high = (reduce(pick, values.T) for pick in (np.minimum, np.maximum))  # a tenth of the time of `.min(1)`

    def words(row: int) -> str:
        got = f"{low[row]}" if low[row] == high[row] else f"{low[row]} to {high[row]}"
        return f"{what} must lie in 0 to 1 (relative), got {got}; give pixels with {hint}"

    refusals.add(where & ((low < -NOISE) | (high > 1 + NOISE)), Code.BAD_VALUE, POINTER, words)


def check_corners(corners: Floats, refusals: Refusals) -> None:
    """Refuse boxes, (4, n), that no longer are finite once they are corners in pixels."""
    refusals.add(
        np.any(~np.isfinite(corners), axis=0),
        Code.BAD_BOX,
        POINTER,
        lambda row: f"corners must be finite, got {corners[:, row].tolist()}",
    )


def flag_outside(what: str, corners: Floats, sizes: Ints, refusals: Refusals, left_out: Bools, report: Report) -> None:
    """Count what lies beyond its image by more than float noise, as the report's flag; images without a size have none.

    Args:
        what: kind of thing, for the flag.
        corners: (4, n) pixels.
        sizes: (n, 2) height and width, 0 where unknown.
        refusals: of as many rows; those that were refused are not counted.
        left_out: (n,) rows to leave out.
        report: is told.
    """
    from predarrow_engine.boxes import OUTSIDE, judge

    known = np.where(sizes > 0, sizes, np.inf)
    n_outside = np.count_nonzero((judge(corners, known) == OUTSIDE) & ~refusals.bad & ~left_out)
    if n_outside:
        report.flagged[f"{what} beyond the image"] += int(n_outside)


def _refuse(where: Bools, pointer: str, rule: str, given: Floats, refusals: Refusals) -> None:
    refusals.add(where, Code.BAD_VALUE, pointer, lambda row: f"{rule}, got {given[row]}")
