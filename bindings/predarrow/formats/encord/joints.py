"""Points and skeletons as keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from predarrow.buffers import offsets_of
from predarrow.formats.encord import wire
from predarrow.formats.encord.columns import Floats, Shaped
from predarrow.formats.encord.flaws import PartRefusals
from predarrow.formats.encord.points import in_order, solid_points
from predarrow.formats.flaws import Flaw
from predarrow.formats.geometry_columns import cover, keypoint_column
from predarrow.formats.json_text import json_text
from predarrow.report import Code

VISIBILITIES = {"invisible": 0, "occluded": 1, "visible": 2, "selfOccluded": 3}
"""Encord's words, and the table's numbers."""

_UNKNOWN = -1
_FLAGS = ("invisible", "occluded", "selfOccluded", "visible")  # the SDK takes the first that is set


def point_objects(objects: Sequence[wire.PointObject], sizes: Floats, refusals: PartRefusals) -> Shaped:
    """Give points as one keypoint each, without a name; z of those in scenes is kept."""
    gathered = _Points()
    for row, item in enumerate(objects):
        try:
            if list(item.point) != ["0"]:
                raise Flaw(Code.BAD_VALUE, ".point", 'must have one point, with the key "0"', sorted(item.point))
            values, height, _ = solid_points(item.point, ".point")
            if height and not np.isfinite(height[0]):
                raise Flaw(Code.BAD_NUMBER, ".point.0.z", "must be a finite number", height[0])
        except Flaw as flaw:
            refusals.add_flaw(row, flaw)
            values, height = [0.5, 0.5], []
        gathered.add([None], values, [VISIBILITIES["visible"]], True)
        if height:
            gathered.kept[row] = [f'"z":{json_text(height)}']
    return gathered.shaped(sizes, refusals, ".point.")


def skeletons(objects: Sequence[wire.SkeletonObject], sizes: Floats, refusals: PartRefusals) -> Shaped:
    """Give skeletons as keypoints; what else their points have is kept."""
    gathered = _Points()
    texts: dict[tuple[Any, ...], str] = {}
    for row, item in enumerate(objects):
        try:
            joints, is_plain = in_order(item.skeleton, ".skeleton")
            if not joints:
                raise Flaw(Code.BAD_VALUE, ".skeleton", "must have points", told="none")
            visibility = [_visibility(joint, place) for place, joint in enumerate(joints)]
        except Flaw as flaw:
            refusals.add_flaw(row, flaw)
            gathered.add([], [], [], True)
            continue
        values = [value for joint in joints for value in (joint.x, joint.y)]
        gathered.add([joint.name for joint in joints], values, visibility, is_plain)
        others = tuple([(joint.color, joint.featureHash, joint.value) for joint in joints])
        if others not in texts:
            texts[others] = _others(others)
        if texts[others]:
            gathered.kept[row] = [texts[others]]
    return gathered.shaped(sizes, refusals, ".skeleton.")


def _others(points: tuple[tuple[str | None, str | None, str | None], ...]) -> str:
    names = ("color", "featureHash", "value")
    rest = [{name: text for name, text in zip(names, point, strict=True) if text is not None} for point in points]
    return f'"points":{json_text(rest)}' if any(rest) else ""


def _visibility(joint: wire.Joint, place: int) -> int:
    for flag in _FLAGS:
        if getattr(joint, flag):
            return VISIBILITIES[flag]
    if joint.visibility is None:
        return _UNKNOWN
    if joint.visibility not in VISIBILITIES:
        rule = f"must be one of {', '.join(VISIBILITIES)}"
        raise Flaw(Code.BAD_VALUE, f".skeleton.{place}.visibility", rule, joint.visibility)
    return VISIBILITIES[joint.visibility]


class _Points:
    """Points of many objects, one after the other."""

    def __init__(self) -> None:
        self._names: list[str | None] = []
        self._values: list[float] = []
        self._visibility: list[int] = []
        self._counts: list[int] = []
        self._is_plain: list[bool] = []
        self.kept: dict[int, list[str]] = {}
        """By row, members of the attribute "encord"."""

    def add(
        self, names: Sequence[str | None], values: Sequence[float], visibility: Sequence[int], is_plain: bool
    ) -> None:
        self._names += names
        self._values += values
        self._visibility += visibility
        self._counts.append(len(names))
        self._is_plain.append(is_plain)

    def shaped(self, sizes: Floats, refusals: PartRefusals, pointer: str) -> Shaped:
        from predarrow_engine.relative import shortest, to_pixels

        counts = np.array(self._counts, np.int64)
        owner = np.repeat(np.arange(counts.size), counts)
        first = offsets_of(counts)
        is_exact = np.array(self._is_plain, np.bool_)
        values = np.array(self._values, np.float64).reshape(-1, 2)
        axes = []
        for axis, name in enumerate("xy"):
            relative = np.ascontiguousarray(values[:, axis])
            scale = np.ascontiguousarray(sizes[:, 1 - axis][owner])
            with np.errstate(over="ignore", invalid="ignore"):
                pixels = to_pixels(relative, scale).astype(np.float32)
            for place in np.flatnonzero(~np.isfinite(pixels)).tolist():
                row = int(owner[place])
                if not refusals.bad[row]:
                    rule = "must be a finite number, in pixels of 32 bits, too"
                    where = f"{pointer}{place - first[row]}.{name}"
                    refusals.add_one(row, Code.BAD_NUMBER, where, f"{rule}, got {relative[place]}")
            is_exact[owner[shortest(pixels, scale) != relative]] = False
            axes.append(pixels)
        column = keypoint_column(self._names, axes[0], axes[1], self._visibility, counts)
        return Shaped({"keypoints": column}, cover(axes[0], axes[1], first), is_exact, self.kept)
