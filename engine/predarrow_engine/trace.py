"""Label images -> outlines of every component of every class, in one pass over the pixels.

    scan (runs.py) -> link (link.py) -> walk (walk.py) -> cut and join (parts.py) -> columns (columns.py)

or, for OpenCV's contours through pixel centres, center.py in place of the last two. The cost follows the length of
the boundaries; the number of classes does not appear.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from predarrow_engine._simd import LANES
from predarrow_engine.cast import label_image
from predarrow_engine.columns import Order
from predarrow_engine.components import Options, judge_whole, number_four_connected, trace_runs
from predarrow_engine.link import Links
from predarrow_engine.outlines import OutlineBuilder, Outlines, Sizes
from predarrow_engine.png_trace import MORE_ROOM, MORE_RUNS, Canvas, Streams, trace_streams
from predarrow_engine.runs import Runs, scan
from predarrow_engine.walk import Rings

_RUN_LIMIT = 2**29  # edges are numbered in 32 bits, and there are at most four a run
_PIXELS_A_RUN = 64  # to begin with: a street has 100, noise 1
_SLACK = 8  # runs that kernels may look at or write behind the last one
_JUDGE_LATER = np.empty(0, np.bool_)
_ZERO = np.zeros(1, np.uint32)


class _Workspace:
    """Scratch arrays for n runs, used again from image to image; pages that are not touched cost no memory."""

    def __init__(self) -> None:
        self.rows = np.empty(0, np.int64)
        self.block = np.empty(0, np.int32)
        self.changed = np.empty(0, np.uint64)
        self._allocate(4096)

    def _allocate(self, n: int) -> None:
        self._ready: dict[tuple[int, int], Runs] = {}
        self.packed = np.empty(n, np.uint64)
        self.label = np.empty(n, np.uint32)
        self.links = Links(
            successor=np.empty(2 * n, np.uint32),
            head=np.empty(n, np.uint32),
            tops=np.empty(2 * n, np.uint32),
            contacts=np.empty(2 * n, np.uint64),
        )
        self.rings = Rings(
            edges=np.empty(4 * n, np.uint64),
            edge_ring=np.empty(2 * n, np.int32),
            ring_begin=np.empty(3 * n, np.int32),
            ring_end=np.empty(3 * n, np.int32),
            ring_part=np.empty(3 * n, np.int32),
            part_ring=np.empty(3 * n, np.int32),
            first_run=np.empty(n, np.int32),
            area=np.empty(n, np.int64),
            xmin=np.empty(n, np.int32),
            xmax=np.empty(n, np.int32),
            ymax=np.empty(n, np.int32),
        )
        self.order = Order(
            parent=np.empty(3 * n, np.int32),
            joined=np.empty(3 * n, np.int32),
            next_part=np.empty(3 * n, np.int32),
            next_ring=np.empty(3 * n, np.int32),
            group_first=np.empty(n, np.int32),
            ring_order=np.empty(3 * n, np.int32),
        )

    def runs(self, height: int, width: int) -> Runs:
        """Give room for the runs of an image of a size; `grow` where it turns out too small."""
        if ready := self._ready.get((height, width)):
            return ready
        if self.rows.size < height + 1:
            self.rows = np.empty(height + 1, np.int64)
        n_blocks = width // LANES + 2
        if self.block.size < n_blocks:
            self.block = np.empty(n_blocks, np.int32)
            self.changed = np.empty(n_blocks, np.uint64)
        wanted = max(width + _SLACK, height * width // _PIXELS_A_RUN)
        if self.packed.size < wanted:
            self._allocate(2 * wanted)
        packed = self.packed[:_RUN_LIMIT]
        runs = Runs(packed, packed.view(np.int32).reshape(-1, 2), self.label, self.rows[: height + 1])
        self._ready = {(height, width): runs}  # images mostly have the same size as the one before
        return runs

    def grow(self) -> None:
        """Take room for twice as many runs.

        Raises:
            ValueError: there is room for as many as can be numbered.
        """
        if self.packed.size >= _RUN_LIMIT:
            raise ValueError(f"a label image has at most {_RUN_LIMIT} runs, got more; trace it in tiles")
        self._allocate(2 * self.packed.size)

    def scan(self, image: npt.NDArray[np.unsignedinteger]) -> Runs:
        """Give the runs of an image, valid until the next one."""
        while True:
            runs = self.runs(*image.shape)
            if scan(image, runs, self.block, self.changed) >= 0:
                return runs
            self.grow()


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
        self._options = Options(
            outline == "center", connectivity == 8, holes == "fill", approximation == "none", encord_active, min_area
        )
        left_out = [*void] if background is None else [background, *void]
        self._left_out = np.array([value & 0xFFFFFFFF for value in left_out], np.uint32)
        self._work = _Workspace()
        self._out = OutlineBuilder()

    @property
    def n_vertices(self) -> int:
        """How many vertices have come together since the last `take`."""
        return self._out.sizes.vertices

    @property
    def room(self) -> int:
        """How many runs the workspace has room for: a run takes up to 250 bytes."""
        return self._work.packed.size

    def add(self, labels: npt.ArrayLike) -> int:
        """Trace one image and give its number of components.

        Args:
            labels: (height, width) bool or integers of up to 32 bits; see `cast.label_image`.

        Raises:
            ValueError: not such an array; more than 2**29 runs; more than 2**31 - 1 vertices since `take`.
        """
        image, signed = label_image(labels)
        before = self._out.sizes.components
        if image.size:
            self._trace(self._work.scan(image), image.shape[1], signed)
        self._out.image_offsets.append(self._out.sizes.components)
        return self._out.sizes.components - before

    @property
    def takes_streams(self) -> bool:
        """Whether `add_streams` can be used: not with options that look at whole components beforehand."""
        options = self._options
        return (options.eight or not (options.center or options.fill)) and (options.fill or not options.encord_active)

    def add_streams(self, streams: Streams, canvas: Canvas, first: int, limit: int) -> int:
        """Unpack and trace PNG streams of 8-bit masks: the same as `add` of each image, in few calls.

        Args:
            streams: of images of one size; canvas: memory for one.
            first: the stream to begin with.
            limit: no further stream is begun once `n_vertices` is above it.

        Returns:
            The stream that comes next. Where `limit` is not the reason it cannot be traced: it is damaged, or
            `add` of its image raises an error.
        """
        work, out = self._work, self._out
        ends = np.empty(len(streams.places), np.int64)
        done = first
        while True:
            runs = work.runs(*canvas.samples.shape)
            workspace = (runs, (work.block, work.changed), work.links, work.rings, work.order)
            begin = done
            done, state, used, needed = trace_streams(
                streams, canvas, *workspace, self._left_out, self._options, out.columns, out.sizes, begin, limit, ends
            )
            out.sizes = Sizes(*used)
            out.image_offsets.extend(ends[begin:done].tolist())
            try:
                if state == MORE_RUNS:
                    work.grow()
                elif state == MORE_ROOM:
                    out.reserve(Sizes(*needed))
                else:
                    return done
            except ValueError:
                return done

    def take(self) -> Outlines:
        """Give the outlines of all images since the last call, as owned arrays."""
        return self._out.take()

    def _trace(self, runs: Runs, width: int, signed: bool) -> None:
        work, options, left_out, out = self._work, self._options, self._left_out, self._out
        linked = runs
        keep: npt.NDArray[np.bool_] = _JUDGE_LATER
        if options.encord_active and not options.fill:  # the rule reads whole 8-connected outlines
            keep = judge_whole(runs, work.links, work.rings, left_out, options)
        if not options.eight and (options.center or options.fill):  # OpenCV's contour of each component alone
            linked = runs._replace(label=number_four_connected(runs, work.links, work.rings, left_out))
            left_out = _ZERO
        workspace = (runs, linked, work.links, work.rings, work.order)
        there_is_room = False
        while not there_is_room:  # twice at most, and only where the buffers grow
            there_is_room, sizes = trace_runs(
                *workspace, left_out, keep, options, width, signed, out.columns, out.sizes
            )
            if not there_is_room:
                out.reserve(Sizes(*sizes))
        out.sizes = Sizes(*sizes)


def _check(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} is one of {', '.join(map(repr, allowed))}, got {value!r}")
