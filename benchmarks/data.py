"""Seeded label masks, each call giving many different images of one kind.

Many, because a kernel that meets one small image again and again is flattered by the branch predictor (a
factor of 2.5 was measured). Every generator takes the number of images, their size and a seed, and gives a
list of (height, width) uint8 or uint16 arrays in which 0 is the background.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[Any]
SEED = 20240229

# Cityscapes' label ids, by the role that they play in a street.
_ROAD, _SIDEWALK, _BUILDING, _WALL, _FENCE, _POLE, _LIGHT, _SIGN = 7, 8, 11, 12, 13, 17, 19, 20
_VEGETATION, _TERRAIN, _SKY, _PERSON, _RIDER, _CAR, _TRUCK, _BUS, _BICYCLE = (
    21,
    22,
    23,
    24,
    25,
    26,
    27,
    28,
    33,
)
_EGO, _STATIC, _DYNAMIC, _GROUND, _MOTORCYCLE = 1, 4, 5, 6, 32
_FIRST_THING = _PERSON


def street(n: int, height: int = 1024, width: int = 2048, *, instances: bool = False, seed: int = SEED) -> list[Mask]:
    """Street scenes with the statistics of Cityscapes' gtFine labelIds.

    About 20 classes and 100 to 220 8-connected components in 2 Mpx, drawn far to near like the annotators'
    polygons: a few large areas, vegetation with ragged borders, many small poles, signs, cars and persons. The
    class changes 15 times a row and 8 times a column (Frankfurt's first frame, scaled down: 10 and 7.5).

    Args:
        n: number of images.
        height, width: pixels.
        instances: uint16 class * 1000 + k for things (gtFine instanceIds) rather than uint8 class ids.
        seed: of the random numbers.
    """
    return [_Street(np.random.default_rng((seed, k)), height, width, instances).draw() for k in range(n)]


class _Street:
    """One scene, painted layer over layer. Lengths are given in shares of the image's height."""

    def __init__(self, rng: np.random.Generator, height: int, width: int, instances: bool) -> None:
        self.rng, self.height, self.width, self.instances = rng, height, width, instances
        self.mask: Mask = np.zeros((height, width), np.uint16 if instances else np.uint8)
        self.horizon = height * rng.uniform(0.38, 0.48)
        self.n_things = 0

    def draw(self) -> Mask:
        self._backdrop()
        self._ground()
        for label, count in ((_POLE, 14), (_SIGN, 10), (_LIGHT, 5), (_FENCE, 3), (_WALL, 2), (_STATIC, 5)):
            self._furniture(label, int(self.rng.integers(count // 2, count + 1)))
        things = (
            (_CAR, 12),
            (_PERSON, 12),
            (_BICYCLE, 6),
            (_RIDER, 4),
            (_TRUCK, 2),
            (_BUS, 2),
            (_MOTORCYCLE, 3),
        )
        for label, count in things:
            for _ in range(int(self.rng.integers(count // 2, count + 1))):
                self._thing(label)
        bonnet = _ragged(self.rng, self.width / 2, self.height * 1.02, self.width * 0.35, self.height * 0.1, 40, 0.04)
        cv2.fillPoly(self.mask, [bonnet], _EGO)
        return self.mask

    def _backdrop(self) -> None:
        rng, horizon = self.rng, int(self.horizon)
        self.mask[:horizon] = _SKY
        left = 0
        while left < self.width:
            right = left + int(self.height * rng.uniform(0.15, 0.6))
            if rng.random() < 0.85:
                roof = int(horizon * rng.uniform(-0.3, 0.6))
                corners = [
                    (left, horizon),
                    (left, roof),
                    (right, roof + int(rng.uniform(-40, 40))),
                    (right, horizon),
                ]
                cv2.fillPoly(self.mask, [np.array(corners, np.int32)], _BUILDING)
            left = right
        trees = _smooth_noise(rng, self.height, self.width, cell=self.height / 3, detail=self.height / 60)
        depth = np.linspace(1.1, -0.4, horizon, dtype=np.float32)[:, None]
        self.mask[:horizon][trees[:horizon] > depth.clip(0.5)] = _VEGETATION

    def _ground(self) -> None:
        rng, horizon = self.rng, int(self.horizon)
        self.mask[horizon:] = _ROAD
        verge = _smooth_noise(rng, self.height, self.width, cell=self.height / 3, detail=self.height / 50)
        for side in (0, self.width):
            far = side + (1 if side == 0 else -1) * self.width * rng.uniform(0.15, 0.4)
            corners = [(side, horizon), (far, horizon), (side, self.height * rng.uniform(0.75, 0.95))]
            cv2.fillPoly(self.mask, [np.array(corners, np.int32)], _SIDEWALK)
        grass = (verge > 0.9) & (self.mask == _SIDEWALK)
        self.mask[grass] = _TERRAIN
        for label in (_GROUND, _DYNAMIC):
            for _ in range(3):
                x, y = rng.uniform(0, self.width), rng.uniform(self.horizon, self.height)
                cv2.fillPoly(
                    self.mask,
                    [_ragged(self.rng, x, y, self.height * 0.06, self.height * 0.015, 24, 0.2)],
                    label,
                )

    def _furniture(self, label: int, count: int) -> None:
        rng, h = self.rng, self.height
        for _ in range(count):
            near = rng.uniform(0.3, 1.0) ** 3
            x, foot = rng.uniform(0, self.width), self.horizon + 0.2 * h * near
            if label == _POLE:
                top, half = foot - h * (0.05 + 0.4 * near), max(1.0, 0.006 * h * near)
                corners = [(x - half, foot), (x - half, top), (x + half, top + 2), (x + half, foot)]
                cv2.fillPoly(self.mask, [np.array(corners, np.int32)], label)
                continue
            if label in (_SIGN, _LIGHT):
                y, rx, ry = foot - h * (0.08 + 0.3 * near), 0.018 * h * near + 1, 0.022 * h * near + 1
            else:
                y, rx, ry = foot, 0.12 * h * near + 2, 0.04 * h * near + 2
            cv2.fillPoly(self.mask, [_ragged(self.rng, x, y, rx, ry, 14, 0.1)], label)

    def _thing(self, label: int) -> None:
        rng, h = self.rng, self.height
        near = rng.uniform(0.25, 1.0) ** 3
        wide, tall = {_CAR: (0.16, 0.09), _TRUCK: (0.2, 0.2), _BUS: (0.25, 0.18)}.get(label, (0.035, 0.13))
        rx, ry = wide * h * near + 1, tall * h * near + 1
        x, y = rng.uniform(0, self.width), self.horizon + 0.35 * h * near - ry * 0.5
        self.n_things += 1
        value = label * 1000 + self.n_things if self.instances else label
        cv2.fillPoly(self.mask, [_ragged(self.rng, x, y, rx, ry, 48, 0.07)], value)
        if label == _BICYCLE or rng.random() < 0.25:  # what is seen through spokes and windows
            cv2.fillPoly(self.mask, [_ragged(self.rng, x, y, rx * 0.35, ry * 0.3, 16, 0.1)], _BUILDING)


def _ragged(
    rng: np.random.Generator, x: float, y: float, rx: float, ry: float, corners: int, noise: float
) -> npt.NDArray[np.int32]:
    """Polygon of `corners` vertices around (x, y) whose radius wanders by about `noise`."""
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radius = 1 + np.convolve(rng.normal(0, noise * 2, corners + 2), (0.25, 0.5, 0.25), "valid")
    radius += rng.normal(0, noise / 2, corners)
    xy = np.stack([x + rx * radius * np.cos(angle), y + ry * radius * np.sin(angle)], axis=1)
    ring: npt.NDArray[np.int32] = np.rint(xy).astype(np.int32)
    return ring


def _smooth_noise(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    cell: float,
    detail: float,
    detail_weight: float = 0.1,
) -> npt.NDArray[np.float32]:
    """(height, width) field of deviation about 1: hills of `cell` pixels, ragged at `detail` pixels."""
    field = np.zeros((height, width), np.float32)
    for size, weight in ((cell, 1.6), (cell / 3, 0.5), (detail, detail_weight)):
        grid = rng.normal(0, weight, (int(height / size) + 3, int(width / size) + 3)).astype(np.float32)
        hills: npt.NDArray[Any] = cv2.resize(grid, (width, height), interpolation=cv2.INTER_LINEAR)
        field += hills
    return field


def salted(n: int, height: int = 1024, width: int = 2048, *, share: float = 0.01, seed: int = SEED) -> list[Mask]:
    """Street scenes in which a share of the pixels has another, random class."""
    masks = street(n, height, width, seed=seed)
    for k, mask in enumerate(masks):
        rng = np.random.default_rng((seed, k, 1))
        where = rng.integers(0, mask.size, int(mask.size * share))
        mask.ravel()[where] = rng.integers(0, 34, where.size)
    return masks


def davis(n: int, height: int = 480, width: int = 854, *, seed: int = SEED) -> list[Mask]:
    """Video objects as in DAVIS: one to five ragged objects, indices 1 to 5, most of it background."""
    masks: list[Mask] = []
    for k in range(n):
        rng = np.random.default_rng((seed, k))
        mask = np.zeros((height, width), np.uint8)
        for value in range(1, int(rng.integers(1, 6)) + 1):
            x, y = rng.uniform(0.15, 0.85, 2) * (width, height)
            rx, ry = rng.uniform(0.05, 0.25, 2) * height
            cv2.fillPoly(mask, [_ragged(rng, x, y, rx, ry, 160, 0.06)], value)
        masks.append(mask)
    return masks


def voronoi(n: int, height: int, width: int, *, sites: int, classes: int, seed: int = SEED) -> list[Mask]:
    """Cells around random sites, each of a random class in 0..classes-1."""
    masks: list[Mask] = []
    for k in range(n):
        rng = np.random.default_rng((seed, k))
        sources = np.full((height, width), 255, np.uint8)
        sources[rng.integers(0, height, sites), rng.integers(0, width, sites)] = 0
        _, nearest = cv2.distanceTransformWithLabels(sources, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        dtype = np.uint8 if classes <= 256 else np.uint16
        masks.append(rng.integers(0, classes, sites + 1).astype(dtype)[nearest])
    return masks


def blobs(n: int, height: int, width: int, *, count: int, classes: int, seed: int = SEED) -> list[Mask]:
    """`count` ellipses that do not touch, of classes 1..classes-1, on background.

    One stands in each cell of a grid, so that every one is a component of its own.
    """
    columns = max(1, round((count * width / height) ** 0.5))
    rows = -(-count // columns)
    cell_w, cell_h = width / columns, height / rows
    masks: list[Mask] = []
    for k in range(n):
        rng = np.random.default_rng((seed, k))
        mask = np.zeros((height, width), np.uint8 if classes <= 256 else np.uint16)
        for cell in rng.permutation(rows * columns)[:count]:
            row, column = divmod(int(cell), columns)
            rx, ry = rng.uniform(0.15, 0.35, 2) * (cell_w, cell_h)
            x, y = (column + rng.uniform(0.4, 0.6)) * cell_w, (row + rng.uniform(0.4, 0.6)) * cell_h
            value = int(rng.integers(1, classes))
            cv2.ellipse(mask, (int(x), int(y)), (int(rx), int(ry)), float(rng.uniform(-20, 20)), 0, 360, value, -1)
        masks.append(mask)
    return masks


def argmax(n: int, height: int = 1024, width: int = 2048, *, classes: int = 19, seed: int = SEED) -> list[Mask]:
    """Class of the highest of `classes` smooth scores, as a segmentation network puts them out."""
    masks: list[Mask] = []
    for k in range(n):
        rng = np.random.default_rng((seed, k))
        best = np.full((height, width), -np.inf, np.float32)
        mask = np.zeros((height, width), np.uint8)
        for value in range(classes):
            score = _smooth_noise(rng, height, width, cell=height / 5, detail=4, detail_weight=0.22)
            mask[score > best] = value
            np.maximum(best, score, out=best)
        masks.append(mask)
    return masks


def noise(n: int, height: int = 1024, width: int = 2048, *, classes: int = 19, seed: int = SEED) -> list[Mask]:
    """Every pixel of a random class: the worst case, 1.7 million components in 2 Mpx."""
    return [np.random.default_rng((seed, k)).integers(0, classes, (height, width)).astype(np.uint8) for k in range(n)]


def empty(n: int, height: int = 1024, width: int = 2048) -> list[Mask]:
    """Nothing but background."""
    return [np.zeros((height, width), np.uint8) for _ in range(n)]


def encord_active(n: int, height: int = 1024, width: int = 1024, *, seed: int = SEED) -> list[Mask]:
    """Workload on which Encord Active's importer was measured: 100 blobs of 8 classes a mask."""
    return blobs(n, height, width, count=100, classes=9, seed=seed)
