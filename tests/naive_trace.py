"""Slow twins of the trace kernels, written to be read."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from predarrow_engine.outlines import Outlines

Image = npt.NDArray[Any]
Ring = list[list[float]]
Component = list[list[Ring]]
"""Parts, each its outline followed by its holes."""


class Region(NamedTuple):
    """A component: everything that does not depend on how its outline is drawn."""

    first: int
    value: int
    area: int
    bbox: tuple[float, float, float, float]


def as_lists(outlines: Outlines) -> list[Component]:
    """Give the outlines as nested lists."""
    x, y = outlines.x.tolist(), outlines.y.tolist()
    rings = [
        [[x[k], y[k]] for k in range(a, b)]
        for a, b in zip(outlines.ring_offsets[:-1], outlines.ring_offsets[1:], strict=True)
    ]
    parts = [rings[a:b] for a, b in zip(outlines.part_offsets[:-1], outlines.part_offsets[1:], strict=True)]
    return [parts[a:b] for a, b in zip(outlines.component_offsets[:-1], outlines.component_offsets[1:], strict=True)]


def as_regions(outlines: Outlines) -> list[Region]:
    """Give what the outlines say of each component besides its vertices."""
    boxes = outlines.bbox.T.tolist()
    return [
        Region(first, value, area, tuple(box))
        for first, value, area, box in zip(
            outlines.first.tolist(), outlines.value.tolist(), outlines.area.tolist(), boxes, strict=True
        )
    ]


def regions(image: Image, connectivity: int, left_out: tuple[int, ...] = (0,)) -> list[Region]:
    """Find components by flooding from each pixel in raster order."""
    height, width = image.shape
    steps = [(0, 1), (1, 0), (0, -1), (-1, 0)]
    if connectivity == 8:
        steps += [(1, 1), (1, -1), (-1, 1), (-1, -1)]
    seen = np.isin(image, left_out)
    found = []
    for start in range(image.size):
        y, x = divmod(start, width)
        if seen[y, x]:
            continue
        seen[y, x] = True
        pixels = [(y, x)]
        for y, x in pixels:  # grows while it is walked
            for dy, dx in steps:
                ny, nx = y + dy, x + dx
                if 0 <= ny < height and 0 <= nx < width and not seen[ny, nx] and image[ny, nx] == image[y, x]:
                    seen[ny, nx] = True
                    pixels.append((ny, nx))
        ys, xs = zip(*pixels, strict=True)
        box = (float(min(xs)), float(min(ys)), float(max(xs) + 1), float(max(ys) + 1))
        found.append(Region(start, int(image.flat[start]), len(pixels), box))
    return found


def opencv_contours(image: Image, method: int, mode: int = cv2.RETR_CCOMP) -> list[Component]:
    """Find contours class by class with OpenCV, ordered by their first pixel."""
    found = []
    for value in np.unique(image):
        if value == 0:
            continue
        contours, hierarchy = cv2.findContours((image == value).astype(np.uint8), mode, method)
        for i, contour in enumerate(contours):
            _, _, child, parent = hierarchy[0][i]
            if parent != -1:
                continue
            holes = []
            while child != -1:
                holes.append(contours[child][:, 0].astype(float).tolist())
                child = hierarchy[0][child][0]
            outline = contour[:, 0].astype(float).tolist()
            found.append((outline[0][1], outline[0][0], [[outline, *sorted(holes)]]))
    return [component for _, _, component in sorted(found, key=lambda item: item[:2])]


def with_sorted_holes(components: list[Component]) -> list[Component]:
    """Give the same components with each part's holes in an order that does not depend on the tracer."""
    return [[[part[0], *sorted(part[1:])] for part in component] for component in components]


def fill(component: Component, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Fill a component's rings by the even-odd rule, asked at every pixel's centre."""
    inside = np.zeros(shape, np.bool_)
    for row in range(shape[0]):
        for column in range(shape[1]):
            px, py = column + 0.5, row + 0.5
            crossings = 0
            for ring in (ring for part in component for ring in part):
                for (x0, y0), (x1, y1) in zip(ring, ring[1:] + ring[:1], strict=True):
                    if (y0 <= py) != (y1 <= py) and x0 + (py - y0) * (x1 - x0) / (y1 - y0) <= px:
                        crossings += 1
            inside[row, column] = crossings % 2 == 1
    return inside
