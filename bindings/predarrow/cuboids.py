"""Cuboids from one convention and form of rotation to another: arrays and Arrow columns."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow.boxes import floats, is_arrow
from predarrow.errors import InputError, PredarrowError
from predarrow.report import Code, Problem
from predarrow_engine import cuboids as engine
from predarrow_engine.rotations import Order

CuboidConvention = Literal["openlabel", "kognic", "encord", "kitti"]
CuboidRotation = Literal["quaternion", "euler", "yaw"]
EulerOrder = Literal["zyx", "xyz"]

UNIT_NOISE = 1e-4
"""How far a quaternion's length may be from 1: some write their numbers with a few digits only."""

_ANGLES = {"quaternion": ("qx", "qy", "qz", "qw"), "euler": ("rx", "ry", "rz"), "yaw": ("yaw",)}
_LEAN_NOISE = 1e-9  # radians; of quaternions in double precision that came through a few turns

Floats = npt.NDArray[np.float64]
Places = Callable[[int], int | None]
"""A row's place among all that were given; None where it is the only one."""


def convert_cuboids(
    cuboids: Any,
    source: CuboidConvention,
    target: CuboidConvention,
    *,
    source_rotation: CuboidRotation = "quaternion",
    target_rotation: CuboidRotation = "quaternion",
    euler_order: EulerOrder = "zyx",
    normalise: bool = False,
) -> Any:
    """Give cuboids in another convention, with another form of rotation, in the form in which they came.

    A cuboid is x, y, z, its rotation, and width, length and height, in metres and radians. Conventions:

    - "openlabel": ISO 8855, x forward, y left, z up, zero heading along +x. Width, length and height are the file's
      sx, sy and sz as they stand, along own x, y and z, so that "width" is the size along the heading.
    - "kognic": Kognic's OpenLABEL, zero heading along +y: width along own x, length along own y.
    - "encord": Encord's scenes: length along own x, width along own y.
    - "kitti": the rectified camera's frame, x right, y down, z forward; (x, y, z) is the middle of the bottom face, the
      yaw is rotation_y. Between it and the others the axes are renamed about a shared origin; where a lidar stands
      beside the camera, its calibration is the caller's to apply.

    Rotations: "quaternion" (qx, qy, qz, qw), "euler" (rx, ry, rz) and "yaw", which turns about the frame's vertical
    alone: z, in "kitti" y. Positive turns are right-handed.

    Args:
        cuboids: (n, 10), (n, 9) or (n, 7) numbers as the source's rotation asks, or one cuboid of as many: NumPy,
            anything with DLPack or `__array__`, lists. Or an Arrow struct column, or chunks of it, with fields x, y, z,
            those of the rotation, width, length, height, as a table's cuboid column; null cuboids stay null.
        source, target: conventions.
        source_rotation, target_rotation: forms of rotation.
        euler_order: "zyx" turns about z, then the new y, then the new x (ISO 8855's yaw, pitch, roll; the same as about
            the fixed x, y and z); "xyz" about x, then the new y, then the new z (Encord's).
        normalise: bring quaternions that are not of length 1 (within 1e-4) to it, rather than refuse them. Those that
            are keep their digits.

    Returns:
        A new float64 array of as many dimensions, or a column of the same form. Other numbers than quaternions are
        computed and not judged: NaN stays NaN, a negative width stays negative.

    Raises:
        InputError: arrays or columns of another form; quaternions that are not of length 1; cuboids that lean where
            only a yaw is asked for; each with its place, such as `cuboids[17]`.
        PredarrowError: no such convention, rotation or order.

    >>> convert_cuboids([4, 2, 1, 0, 1.8, 4.2, 1.5], "kognic", "openlabel",
    ...                 source_rotation="yaw", target_rotation="yaw").round(3).tolist()
    [4.0, 2.0, 1.0, 1.571, 4.2, 1.8, 1.5]
    """
    _check_options(source, target, source_rotation, target_rotation, euler_order)
    given, wanted = (_Form(source, source_rotation, euler_order), _Form(target, target_rotation, euler_order))

    def convert(rows: Floats, places: Places) -> Floats:
        return _converted(rows, given, wanted, normalise, places)

    if is_arrow(cuboids):
        from predarrow.cuboid_columns import convert_column

        return convert_column(cuboids, given.fields, wanted.fields, convert)
    rows = _rows(cuboids, given)
    return convert(rows, int) if rows.ndim == 2 else convert(rows[np.newaxis], lambda row: None)[0]


class _Form(NamedTuple):
    """What a cuboid's numbers are."""

    convention: CuboidConvention
    rotation: CuboidRotation
    order: EulerOrder

    @property
    def fields(self) -> tuple[str, ...]:
        return ("x", "y", "z", *_ANGLES[self.rotation], "width", "length", "height")


def _check_options(source: str, target: str, source_rotation: str, target_rotation: str, euler_order: str) -> None:
    for name, value, known in (
        ("source", source, list(engine.Convention)),
        ("target", target, list(engine.Convention)),
        ("source_rotation", source_rotation, list(_ANGLES)),
        ("target_rotation", target_rotation, list(_ANGLES)),
        ("euler_order", euler_order, list(Order)),
    ):
        if value not in known:
            raise PredarrowError(f"{name}: must be one of {', '.join(known)}, got {value!r}")


def _rows(cuboids: Any, form: _Form) -> Floats:
    from predarrow.models.arrays import as_array

    rows = floats(np.asarray(as_array(cuboids, "cuboids")), "cuboids").astype(np.float64, copy=False)
    n = len(form.fields)
    if rows.ndim not in (1, 2) or rows.shape[-1] != n:
        rule = f"must have shape (n, {n}) or ({n},) with a rotation as {form.rotation}"
        raise InputError([Problem("cuboids", None, "", Code.BAD_ARRAY, f"{rule}, got {rows.shape}")])
    return rows


def _converted(given_rows: Floats, given: _Form, wanted: _Form, normalise: bool, places: Places) -> Floats:
    rows = _unit(given_rows, normalise, places) if given.rotation == "quaternion" else given_rows
    if given == wanted:
        return rows.copy() if rows is given_rows else rows
    if given.rotation == "euler":
        rows = engine.from_euler(rows, Order(given.order))
    elif given.rotation == "yaw":
        rows = engine.from_yaw(rows, given.convention)
    if given.convention != wanted.convention:
        rows = engine.convert(rows, engine.conversion(given.convention, wanted.convention))
    if wanted.rotation == "euler":
        return engine.to_euler(rows, Order(wanted.order))
    return rows if wanted.rotation == "quaternion" else _upright(rows, wanted, places)


def _unit(rows: Floats, normalise: bool, places: Places) -> Floats:
    """Give cuboids whose quaternions are of length 1.

    Raises:
        InputError: other quaternions that are not to be, or cannot be, normalised.
    """
    lengths = engine.norms(rows)
    odd = ~(np.abs(lengths - 1) <= UNIT_NOISE)
    if not odd.any():
        return rows
    bad = odd & ~(np.isfinite(lengths) & (lengths > 0)) if normalise else odd
    if bad.any():
        hint = "" if normalise else "; normalise=True makes it so, where its direction is known"
        rule = "must have a length that can be normalised" if normalise else "must have length 1"

        def words(row: int) -> str:
            return f"quaternion {rule}, got {lengths[row]} of {rows[row, 3:7].tolist()}{hint}"

        _refuse(bad, places, Code.BAD_ROTATION, words)
    result = rows.copy()
    result[odd] = engine.normalised(rows[odd])
    return result


def _upright(rows: Floats, wanted: _Form, places: Places) -> Floats:
    """Give cuboids with yaws.

    Raises:
        InputError: cuboids that lean.
    """
    turned, leans = engine.to_yaw(rows, wanted.convention)
    rule = f"must turn about {engine.vertical(wanted.convention)} only to have a yaw"
    hint = 'target_rotation="euler" holds the lean, too'

    def words(row: int) -> str:
        return f"{rule}, got one that leans by {math.degrees(leans[row])}°; {hint}"

    _refuse(leans > _LEAN_NOISE, places, Code.CANNOT_HOLD, words)
    return turned


def _refuse(bad: npt.NDArray[np.bool_], places: Places, code: Code, words: Callable[[int], str]) -> None:
    if bad.any():
        raise InputError([_problem(places(row), code, words(row)) for row in np.flatnonzero(bad).tolist()])


def _problem(row: int | None, code: Code, message: str) -> Problem:
    return Problem("cuboids" if row is None else f"cuboids[{row}]", row, "", code, message)
