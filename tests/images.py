"""Label images that have broken tracers, and a strategy for random ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

Image = npt.NDArray[Any]


def spiral(size: int) -> Image:
    """A line of ones, one pixel wide, winding inwards with a gap of one pixel."""
    image = np.zeros((size, size), np.uint8)
    top, left, bottom, right = 0, 0, size - 1, size - 1
    while top <= bottom and left <= right:
        image[top, max(left - 2, 0) : right + 1] = 1
        image[top : bottom + 1, right] = 1
        image[bottom, left : right + 1] = 1
        image[top + 2 : bottom + 1, left] = 1
        top, left, bottom, right = top + 2, left + 2, bottom - 2, right - 2
    return image


def voronoi(height: int, width: int, sites: int, classes: int, seed: int) -> Image:
    """Cells of random sites, each with a random class from 0 on."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    sy, sx = rng.integers(0, height, sites), rng.integers(0, width, sites)
    nearest = ((y[..., None] - sy) ** 2 + (x[..., None] - sx) ** 2).argmin(-1)
    cells: Image = rng.integers(0, classes, sites).astype(np.uint8)[nearest]
    return cells


def stripes(seed: int) -> Image:
    """Upright stripes whose borders wander, so that neighbouring rows are alike but for a few pixels."""
    rng = np.random.default_rng(seed)
    borders = np.cumsum(rng.integers(3, 12, 40)) + rng.integers(-1, 2, (30, 1)) * (rng.random((30, 40)) < 0.6)
    image: Image = ((np.arange(400)[None, :, None] >= borders[:, None, :]).sum(2) % 5).astype(np.uint8)
    image.ravel()[rng.integers(0, image.size, 20)] = rng.integers(0, 5, 20)
    return image


def _noise(height: int, width: int, classes: int, seed: int) -> Image:
    return np.random.default_rng(seed).integers(0, classes, (height, width)).astype(np.uint8)


_DRAWING = """
0000000000000000000
0011100000000000000
0011110000002222000
0000000000002222000
0000111000002200000
0000111000002200000
0000111000000000000
0000000000000000000
"""

SEED_DRAWING: Image = np.array([[int(c) for c in line] for line in _DRAWING.split()], np.uint8)
"""The drawing that the import of masks is specified by: three objects, two of class 1 and one of class 2."""

SPECIAL: dict[str, Callable[[], Image]] = {
    "seed drawing": lambda: SEED_DRAWING,
    "one pixel": lambda: np.ones((1, 1), np.uint8),
    "empty": lambda: np.zeros((5, 7), np.uint8),
    "full": lambda: np.full((5, 7), 3, np.uint8),
    "row": lambda: np.array([[1, 1, 0, 2, 2, 1, 1, 0, 0, 3]], np.uint8),
    "column": lambda: np.array([[1, 1, 0, 2, 2, 1, 1, 0, 0, 3]], np.uint8).T,
    "checkerboard": lambda: (np.indices((9, 11)).sum(0) % 2).astype(np.uint8),
    "two-class checkerboard": lambda: (np.indices((9, 11)).sum(0) % 2 + 1).astype(np.uint8),
    "diagonal": lambda: np.eye(9, dtype=np.uint8),
    "diamond": lambda: np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.uint8),
    "hole touching the outside": lambda: np.array([[1, 1, 0], [1, 0, 1], [1, 1, 1]], np.uint8),
    "two holes touching": lambda: np.array([[1, 1, 1, 1], [1, 0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 1]], np.uint8),
    "island in a hole": lambda: np.pad(np.pad(np.ones((1, 1), np.uint8), 1), 1, constant_values=1),
    "islands in islands": lambda: np.pad(
        np.pad(np.pad(np.pad(np.ones((1, 1), np.uint8), 1), 1, constant_values=1), 1), 1, constant_values=1
    ),
    "island touching its hole": lambda: np.array(
        [[1, 1, 1, 1, 1], [1, 0, 0, 0, 1], [1, 0, 1, 0, 1], [1, 0, 0, 1, 1], [1, 1, 1, 1, 1]], np.uint8
    ),
    "comb": lambda: np.vstack([np.tile([1, 0], 9), np.ones(18)]).astype(np.uint8),
    "spiral": lambda: spiral(23),
    "voronoi": lambda: voronoi(40, 150, 30, 5, 1),
    "noise of 2": lambda: _noise(40, 150, 2, 2),
    "noise of 3": lambda: _noise(64, 64, 3, 3),
    "noise of 19": lambda: _noise(30, 130, 19, 4),
    "exactly one block": lambda: _noise(6, 64, 2, 5),
    "a block and one": lambda: _noise(6, 65, 2, 6),
    "a block and two": lambda: _noise(6, 66, 2, 7),
    "two blocks and one": lambda: _noise(6, 129, 3, 8),
}


def label_images(max_side: int = 24, classes: int = 4) -> st.SearchStrategy[Image]:
    """Give small label images, plain ones and ones of 2 x 2 blocks (longer straight edges)."""
    sides = st.integers(1, max_side)
    plain = st.tuples(sides, sides).flatmap(
        lambda shape: hnp.arrays(np.uint8, shape, elements=st.integers(0, classes - 1))
    )
    return st.one_of(plain, plain.map(lambda image: image.repeat(2, 0).repeat(2, 1)))
