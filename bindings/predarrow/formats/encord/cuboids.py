"""Cuboids of scenes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from predarrow.formats.encord import wire
from predarrow.formats.encord.columns import Floats, Shaped, cuboid_column
from predarrow.formats.encord.flaws import PartRefusals
from predarrow.report import Code


def cuboids(objects: Sequence[wire.CuboidObject], sizes: Floats, refusals: PartRefusals) -> Shaped:
    """Give cuboids of scenes; their angles stay as they are written."""
    given = [item.cuboid for item in objects]
    position, orientation, size = (
        np.array([getattr(cuboid, name) for cuboid in given], np.float64).reshape(-1, 3)
        for name in ("position", "orientation", "size")
    )
    for name, values in (("position", position), ("orientation", orientation), ("size", size)):
        wrong = np.asarray(~np.isfinite(values).all(axis=1))
        refusals.add(wrong, Code.BAD_NUMBER, f".cuboid.{name}", _listed("must be three finite numbers", values))
    refusals.add(
        np.asarray(~(size > 0).all(axis=1)), Code.BAD_BOX, ".cuboid.size", _listed("must be greater than 0", size)
    )
    nothing = np.full((4, len(given)), np.nan)
    with np.errstate(invalid="ignore"):
        column = cuboid_column(position, orientation, size)
    return Shaped({"cuboid": column}, nothing, np.zeros(len(given), np.bool_))


def _listed(rule: str, values: Floats) -> Callable[[int], str]:
    return lambda row: f"{rule}, got {values[row].tolist()}"
