"""Label images -> outlines of every component of every class, in one pass over the pixels.

    scan (runs.py) -> link (link.py) -> walk (walk.py) -> valid parts (parts.py) -> columns (columns.py)

or, for OpenCV's contours through pixel centres, center.py in place of the last two. The cost follows the length of
the boundaries; the number of classes does not appear.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine.cast import label_image
from predarrow_engine.center import center_bound, mark_encord_active, write_center_rings
from predarrow_engine.columns import (
    edge_bound,
    number_groups,
    order_rings,
    shift_offsets,
    write_components,
    write_edge_rings,
)
from predarrow_engine.link import link
from predarrow_engine.outlines import OutlineBuilder, Outlines
from predarrow_engine.parts import cut, join, number_runs
from predarrow_engine._simd import LANES
from predarrow_engine.runs import scan
from predarrow_engine.walk import mark_swallowed, walk

_RUN_LIMIT = 2**29  # edges are numbered in 32 bits, and there are at most four a run


class _Workspace:
    """Scratch arrays for n runs, used again from image to image; pages that are not touched cost no memory."""

    def __init__(self) -> None:
        self.rows = np.empty(0, np.int64)
        self.block = np.empty(0, np.int32)
        self.changed = np.empty(0, np.uint64)
        self._allocate(4096)

    def _allocate(self, n: int) -> None:
        self.capacity = n
        self.packed = np.empty(n, np.uint64)
        self.xy = self.packed.view(np.int32).reshape(n, 2)  # little-endian: x is the low half
        self.label = np.empty(n, np.uint32)
        self.successor = np.empty(2 * n, np.uint32)
        self.head = np.empty(n, np.uint32)
        self.tops = np.empty(2 * n, np.uint32)
        self.contacts = np.empty((2 * n, 2), np.uint32)
        self.owner = np.empty(n + 1, np.uint32)
        self.edges = np.empty((4 * n, 2), np.int32)  # twice: rings that are cut are written again
        self.ring_edges = np.empty((3 * n, 2), np.int32)
        self.ring_part = np.empty(3 * n, np.int32)
        self.origin = np.empty((n, 2), np.int32)
        self.area = np.empty(n, np.int64)
        self.box = np.empty((n, 4), np.int32)

    def scan(self, image: npt.NDArray[np.unsignedinteger]) -> int:
        """Fill the runs of an image and give their number."""
        height, width = image.shape
        if self.rows.size < height + 1:
            self.rows = np.empty(height + 1, np.int64)
        if self.capacity < width + 8:  # one row, with room to spare
            self._allocate(2 * (width + 8))
        n_blocks = width // LANES + 1
        if self.block.size < n_blocks:
            self.block = np.empty(n_blocks, np.int32)
            self.changed = np.empty(n_blocks, np.uint64)
        while (n_runs := scan(image, self.packed, self.label, self.rows, self.block, self.changed)) < 0:
            self._allocate(2 * self.capacity)
        if n_runs > _RUN_LIMIT:
            raise ValueError(f"a label image has at most {_RUN_LIMIT} runs, got {n_runs}; trace it in tiles")
        return n_runs


class Tracer:
    """Traces label images one after the other; `take` gives what has come together.

    Holds the workspace, so keep one for each thread and use it again.

    Args:
        outline: "edge" follows pixel edges: a polygon's area is its number of pixels, every polygon is valid by
            OGC's rules (a component that touches itself at a corner gets several parts). "center" gives the
            vertices of `cv2.findContours`, through pixel centres.
        connectivity: 8 joins pixels that touch at a corner, 4 does not.
        holes: "keep" gives them as rings, "fill" leaves them out, together with components of the same value
            that lie in them (RETR_EXTERNAL).
        min_area: components of fewer pixels are left out.
        encord_active: leave out what Encord Active's mask importer leaves out (fewer than three contour points
            or a contour area below 4); asks for connectivity 8.
        approximation: of "center": "simple" (CHAIN_APPROX_SIMPLE) or "none" (CHAIN_APPROX_NONE).
        background: value that is not traced, or None.
        void: further values that are not traced.

    Raises:
        ValueError: an option that is none of the above.
    """

    def __init__(
        self,
        *,
        outline: Literal["edge", "center"] = "edge",
        connectivity: Literal[4, 8] = 8,
        holes: Literal["keep", "fill"] = "keep",
        min_area: int = 0,
        encord_active: bool = False,
        approximation: Literal["simple", "none"] = "simple",
        background: int | None = 0,
        void: Sequence[int] = (),
    ) -> None:
        _check("outline", outline, ("edge", "center"))
        _check("connectivity", connectivity, (8, 4))
        _check("holes", holes, ("keep", "fill"))
        _check("approximation", approximation, ("simple", "none"))
        if encord_active and connectivity != 8:
            raise ValueError("encord_active asks for connectivity 8, got 4")
        self._center = outline == "center"
        self._eight = connectivity == 8
        self._fill = holes == "fill"
        self._every = approximation == "none"
        self._min_area = min_area
        self._encord_active = encord_active
        left_out = [*void] if background is None else [background, *void]
        self._left_out = np.array([value & 0xFFFFFFFF for value in left_out], np.uint32)
        self._work = _Workspace()
        self._out = OutlineBuilder()

    @property
    def n_vertices(self) -> int:
        """How many vertices have come together since the last `take`."""
        return self._out.x.size

    def add(self, labels: npt.ArrayLike) -> int:
        """Trace one image and give its number of components.

        Args:
            labels: (height, width) bool or integers of up to 32 bits; see `cast.label_image`.

        Raises:
            ValueError: not such an array; more than 2**29 runs; more than 2**31 - 1 vertices since `take`.
        """
        image, signed = label_image(labels)
        n_groups = 0
        if image.size:
            n_runs = self._work.scan(image)
            n_groups = self._trace(image.shape, n_runs, signed)
        self._out.image_offsets.extend(1)[0] = self._out.value.size
        return n_groups

    def take(self) -> Outlines:
        """Give the outlines of all images since the last call, as owned arrays."""
        return self._out.take()

    def _trace(self, shape: tuple[int, int], n_runs: int, signed: bool) -> int:
        """Trace the runs in the workspace, append what the options keep, give how many components that is."""
        work = self._work
        keep = None
        label, left_out = work.label, self._left_out
        if self._encord_active and not self._fill:  # its rule reads whole 8-connected outlines
            keep = self._kept(self._link_and_walk(shape, n_runs, label, left_out, eight=True))
        if self._center and not self._eight:  # OpenCV's contour of each 4-connected component alone
            walked = self._link_and_walk(shape, n_runs, label, left_out, eight=False)
            label, left_out = np.empty(n_runs, np.uint32), np.zeros(1, np.uint32)
            number_runs(work.head, work.owner, work.ring_part, work.rows[: shape[0] + 1], label)
        # An edge outline whose holes are kept is 4-connected parts: these stay valid where corners touch.
        eight = self._center or (self._eight and self._fill)
        walked = self._link_and_walk(shape, n_runs, label, left_out, eight)
        if keep is None:
            keep = self._kept(walked)
        is_outline = np.zeros(walked.n_rings, np.bool_)
        is_outline[work.origin[: walked.n_components, 1]] = True
        parts = self._parts(walked, shape[0])
        if self._fill:
            work.ring_part[: walked.n_rings][~is_outline] = -1
        group, first = self._groups(parts.parent, keep)
        rings = self._order(parts, group, first.size)
        self._write_rings(rings, is_outline)
        self._write_components(shape[1], signed, first)
        return first.size

    def _link_and_walk(
        self,
        shape: tuple[int, int],
        n_runs: int,
        label: npt.NDArray[np.uint32],
        left_out: npt.NDArray[np.uint32],
        eight: bool,
    ) -> _Walked:
        work = self._work
        rows = work.rows[: shape[0] + 1]
        n_tops, n_contacts = link(
            work.xy, label, rows, eight, work.successor, work.head, work.tops, work.contacts
        )
        n_rings, n_components, n_edges = walk(
            work.xy,
            label,
            n_runs,
            work.tops[:n_tops],
            left_out,
            work.successor,
            work.head,
            work.owner,
            work.edges,
            work.ring_edges,
            work.ring_part,
            work.origin,
            work.area,
            work.box,
        )
        return _Walked(n_rings, n_components, n_edges, n_contacts)

    def _kept(self, walked: _Walked) -> npt.NDArray[np.bool_]:
        """Give which of the components in the workspace the options keep, areas aside."""
        work = self._work
        keep = np.ones(walked.n_components, np.bool_)
        if self._fill or self._encord_active:
            mark_swallowed(
                work.xy, work.label, work.successor, work.owner, work.ring_part, work.origin, keep.size, keep
            )
        if self._encord_active:
            bound = center_bound(work.edges, work.ring_edges[: walked.n_rings], False)
            x, y = np.empty((2, bound), np.float32)
            mark_encord_active(work.edges, work.ring_edges, work.origin, keep.size, x, y, keep)
        return keep

    def _parts(self, walked: _Walked, height: int) -> _Parts:
        """Cut what touches itself and join what touches, where outlines follow edges."""
        work = self._work
        n_components = walked.n_components
        parent = np.arange(n_components, dtype=np.int32)
        if self._center or not walked.n_contacts:
            return _Parts(walked.n_rings, parent, parent.copy())
        pinched = np.zeros(n_components, np.bool_)
        corners = np.empty(walked.n_contacts, np.uint64)
        n_corners = join(
            work.xy,
            work.contacts,
            walked.n_contacts,
            work.head,
            work.owner,
            work.ring_part,
            self._eight,
            parent,
            pinched,
            corners,
        )
        if not n_corners:
            return _Parts(walked.n_rings, parent, np.arange(n_components, dtype=np.int32))
        component = np.empty(n_components + n_corners, np.int32)
        component[:n_components] = np.arange(n_components)
        table = np.zeros(1 << (2 * n_corners).bit_length(), np.uint64)
        n_rings, n_parts = cut(
            corners[:n_corners],
            pinched,
            self._fill,
            work.origin,
            work.edges,
            walked.n_edges,
            work.ring_edges,
            work.ring_part,
            walked.n_rings,
            component,
            n_components,
            np.zeros(height + 1, np.bool_),
            table,
            np.full((table.size, 2), -1, np.int64),
            np.empty(walked.n_edges, np.int32),
        )
        return _Parts(n_rings, parent, component[:n_parts])

    def _groups(
        self, parent: npt.NDArray[np.int32], keep: npt.NDArray[np.bool_]
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Give the output number of each component (-1: none) and the first component of each number."""
        group = np.empty(parent.size, np.int32)
        first = np.empty(parent.size, np.int32)
        n_groups = number_groups(parent, self._work.area, self._work.box, keep, self._min_area, group, first)
        return group, first[:n_groups]

    def _order(self, parts: _Parts, group: npt.NDArray[np.int32], n_groups: int) -> npt.NDArray[np.int32]:
        """Append part and component offsets and give the rings in their order."""
        out = self._out
        n_parts = parts.component.size
        part_start = np.zeros(n_groups + 1, np.int32)
        ring_start = np.zeros(n_parts + 1, np.int32)
        ring_order = np.empty(parts.n_rings, np.int32)
        n_ordered = order_rings(
            self._work.ring_part,
            parts.n_rings,
            group[parts.component],
            part_start,
            np.empty(n_parts, np.int32),
            np.empty(n_parts, np.int32),
            ring_start,
            ring_order,
        )
        shift_offsets(part_start, out.part_offsets.size - 1, out.component_offsets.extend(n_groups))
        shift_offsets(ring_start, out.ring_offsets.size - 1, out.part_offsets.extend(n_ordered))
        return ring_order[: ring_start[-1]]

    def _write_rings(self, rings: npt.NDArray[np.int32], is_outline: npt.NDArray[np.bool_]) -> None:
        work, out = self._work, self._out
        if self._center:
            bound = center_bound(work.edges, work.ring_edges[: is_outline.size], self._every)
        else:
            bound = edge_bound(work.ring_edges, rings)
        n_vertices = out.x.size
        if n_vertices + bound >= 2**31:
            raise ValueError(f"outlines hold less than 2**31 vertices, got {n_vertices} and up to {bound} more")
        out.x.reserve(bound)
        out.y.reserve(bound)
        offsets = out.ring_offsets.extend(rings.size)
        x, y = out.x.data, out.y.data
        if self._center:
            n_vertices = write_center_rings(
                work.edges, work.ring_edges, rings, is_outline, self._every, x, y, n_vertices, offsets
            )
        else:
            n_vertices = write_edge_rings(work.edges, work.ring_edges, rings, x, y, n_vertices, offsets)
        out.x.size = out.y.size = n_vertices

    def _write_components(self, width: int, signed: bool, first: npt.NDArray[np.int32]) -> None:
        work, out = self._work, self._out
        write_components(
            work.packed,
            work.label,
            width,
            signed,
            work.origin,
            work.area,
            work.box,
            first,
            out.value.extend(first.size),
            out.area.extend(first.size),
            out.bbox.extend(first.size),
            out.first.extend(first.size),
        )


class _Walked(NamedTuple):
    n_rings: int
    n_components: int
    n_edges: int
    n_contacts: int


class _Parts(NamedTuple):
    n_rings: int
    parent: npt.NDArray[np.int32]
    """(n_components,) an earlier component that each one belongs to, or itself"""
    component: npt.NDArray[np.int32]
    """(n_parts,) component of each part"""


def _check(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} is one of {', '.join(map(repr, allowed))}, got {value!r}")
