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

from predarrow_engine.cast import label_image
from predarrow_engine.components import judge_whole, number_four_connected, trace_runs
from predarrow_engine.outlines import Options, OutlineBuilder, Outlines, Sizes
from predarrow_engine.png_trace import MORE_ROOM, MORE_RUNS, Canvas, Streams, trace_streams
from predarrow_engine.runs import Runs
from predarrow_engine.workspace import Workspace

_JUDGE_LATER: npt.NDArray[np.bool_] = np.empty(0, np.bool_)
_OWN_LABELS: npt.NDArray[np.uint32] = np.empty(0, np.uint32)
_ZERO = np.zeros(1, np.uint32)


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
        self._work = Workspace()
        self._out = OutlineBuilder()

    @property
    def n_vertices(self) -> int:
        """How many vertices have come together since the last `take`."""
        return self._out.sizes.vertices

    @property
    def room(self) -> int:
        """How many runs the workspace has room for: a run takes up to 250 bytes."""
        return self._work.room

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
            workspace = (work.memory, runs.rows, self._left_out, self._options)
            begin = done
            done, state, used, needed = trace_streams(
                streams, canvas, *workspace, out.columns, out.sizes, begin, limit, ends
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
        options, left_out, out = self._options, self._left_out, self._out
        workspace = (self._work.memory, runs.rows)
        labels, keep = _OWN_LABELS, _JUDGE_LATER
        if options.encord_active and not options.fill:  # the rule reads whole 8-connected outlines
            keep = judge_whole(*workspace, left_out, options)
        if not options.eight and (options.center or options.fill):  # OpenCV's contour of each component alone
            labels = number_four_connected(*workspace, left_out)
            left_out = _ZERO
        there_is_room = False
        while not there_is_room:  # twice at most, and only where the buffers grow
            there_is_room, sizes = trace_runs(
                *workspace, labels, left_out, keep, options, width, signed, out.columns, out.sizes
            )
            if not there_is_room:
                out.reserve(Sizes(*sizes))
        out.sizes = Sizes(*sizes)


def _check(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} is one of {', '.join(map(repr, allowed))}, got {value!r}")
