"""Label masks, where each pixel value is a class: every connected component becomes one prediction."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, cast

import numpy.typing as npt
import pyarrow as pa

from predarrow.classes import Classes, ClassNames, class_names
from predarrow.errors import InputError, PredarrowError
from predarrow.formats.mask_table import MAX_CLASSES, MaskImage, part, soft_map, too_many_classes
from predarrow.formats.png import MAX_PIXELS, ColourMap, PngDecoder
from predarrow.pipeline import Progress, Spares, run, worker_count
from predarrow.reader import OnError, Part, PredictionReader
from predarrow.report import Code, Problem, Report
from predarrow.sources import (
    PNG_FILE_NAME_REGEX,
    Found,
    Source,
    StrPath,
    chunked,
    find_sources,
    read_bytes,
)
from predarrow.table import SCHEMA

if TYPE_CHECKING:
    from predarrow_engine.trace import Tracer

_FLUSH_VERTICES = 1 << 22  # 32 MB of them: outlines of one chunk are cut into batches here


class TraceOptions(TypedDict, total=False):
    """Which components are traced, and how."""

    background: int | None
    """Value that is no class (default 0), None where every value is one."""
    void: Sequence[int]
    """Further values that are no class, such as 255 for "ignore"."""
    outline: Literal["edge", "center"]
    """"edge" (default) follows pixel edges: a polygon's area is its number of pixels. "center" gives the
    vertices of `cv2.findContours`, through pixel centres."""
    holes: Literal["keep", "fill"]
    """"keep" (default) gives them as rings; "fill" leaves them out, with what lies in them."""
    connectivity: Literal[4, 8]
    """8 (default) joins pixels that touch at a corner."""
    min_area: int
    """Components of fewer pixels are left out (default 0: none)."""
    encord_active: bool
    """Leave out what Encord Active leaves out: under 3 contour points or a contour area under 4."""
    approximation: Literal["simple", "none"]
    """Of "center": OpenCV's CHAIN_APPROX_SIMPLE (default) or CHAIN_APPROX_NONE."""


class MaskOptions(TraceOptions, total=False):
    """How a mask becomes predictions."""

    simplify: float | None
    """Tolerance in pixels of a Douglas-Peucker simplification (default None: vertices are exact)."""
    max_classes: int
    """Distinct values that a mask may have (default 4096): beyond, it is a soft map and refused."""


class MaskFileOptions(MaskOptions, total=False):
    """How a mask file becomes predictions."""

    rgb: Literal["panoptic"] | ColourMap | None
    """How an RGB file becomes values; None (default) refuses it. See `read_png`."""
    max_pixels: int
    """Larger images are refused before memory is taken for them."""


PRESETS: Mapping[str, TraceOptions] = {
    "voc": {"background": 0, "void": (255,)},
    "cityscapes": {"background": 0},  # labelIds: 0 is "unlabeled"
    "cityscapes_train": {"background": None, "void": (255,)},  # labelTrainIds: 0 is "road"
    "ade20k": {"background": 0},  # SceneParsing: 1..150
    "coco_stuff": {"background": None, "void": (255,)},  # 0 is "person"
    "camvid": {"background": None, "void": (11,)},  # 0 is "sky"
}
"""Values of well-known data sets that are no class: `read_masks(path, **PRESETS["voc"])`."""


def read_masks(
    path: StrPath | Sequence[StrPath],
    *,
    classes: Classes | None = None,
    workers: int | None = None,
    on_error: OnError = "raise",
    file_name_regex: str = PNG_FILE_NAME_REGEX,
    progress: Progress | None = None,
    **options: Unpack[MaskFileOptions],
) -> PredictionReader:
    """Give the predictions of PNG label masks, one for each connected component.

    data_unit and frame come from the file's name, `<title>[__<frame>].png` (files of one title in different
    folders share them: `source` tells them apart); kind is polygon, confidence 1.0, row the component's place
    in its file (in the order of first pixels). Rows are sorted by (data_unit, frame, row).

    Args:
        path: a folder (walked through), one file, or several.
        classes: class names by pixel value, as a mapping or a sequence; None for a name leaves the class out
            (counted in the report); a value without a name is a problem of its file. Without `classes` the
            name is the value as text.
        workers: threads; None takes PREDARROW_NUM_THREADS, else the cores. Results do not depend on it.
        on_error: "raise" raises one error in the end that tells all refused files; "skip" leaves each refused
            file out whole and tells of it in the reader's `report`.
        file_name_regex: pattern with the group data_unit_title and perhaps frame.
        progress: called with the number of files done and of all files.
        options: see `MaskFileOptions`.

    Raises:
        InputError: nothing to read; further problems are raised when the reader is read.
        PredarrowError: an option that does not hold.
    """
    names = None if classes is None else class_names(classes)
    found = find_sources(path, file_name_regex)
    return read_found(found, names, workers=workers, on_error=on_error, progress=progress, options=options)


def read_found(
    found: Found,
    names: ClassNames | None,
    *,
    workers: int | None,
    on_error: OnError,
    progress: Progress | None,
    options: MaskFileOptions,
) -> PredictionReader:
    """Give the predictions of files that are found, and perhaps resolved, already; see `read_masks`."""
    report = Report(sources=len(found.problems), problems=list(found.problems))
    report.skipped.update(found.skipped)
    parts = run(
        chunked(found.sources),
        _MaskFiles(names, options),
        workers=worker_count(workers),
        total=len(found.sources),
        progress=progress,
    )
    return PredictionReader(parts, report=report, on_error=on_error)


def from_label_mask(
    mask: npt.ArrayLike,
    *,
    data_unit: str = "",
    frame: int = 0,
    classes: Classes | None = None,
    **options: Unpack[MaskOptions],
) -> pa.Table:
    """Give the predictions of one label mask in memory, one for each connected component.

    Args:
        mask: (height, width) integers of up to 32 bits, or booleans.
        data_unit: of every row.
        frame: of every row.
        classes: as in `read_masks`.
        options: see `MaskOptions`.

    Raises:
        InputError: not such an array, a value that `classes` does not name, too many values.
        PredarrowError: an option that does not hold.

    >>> import numpy as np
    >>> from_label_mask(np.eye(2, dtype=np.uint8), classes=["", "line"])["class_name"].to_pylist()
    ['line']
    >>> from_label_mask(np.eye(2, dtype=np.uint8), connectivity=4).num_rows
    2
    >>> from_label_mask(np.zeros((0, 5), np.uint8)).num_rows
    0
    """
    import numpy as np

    names = None if classes is None else class_names(classes)
    max_classes = options.get("max_classes", MAX_CLASSES)
    labels = np.asarray(mask)
    if labels.ndim != 2 or labels.dtype.kind not in "uib":
        message = f"must be whole numbers of shape (height, width), got {labels.dtype} of shape {labels.shape}"
        raise InputError([Problem("mask", None, "", Code.UNSUPPORTED, message)])
    if soft_map(labels, _n_left_out(options), max_classes):
        raise InputError([too_many_classes("mask", None, max_classes)])
    key = repr(options) if options else ""
    tracer = _KEPT.tracer if _KEPT.key == key else _new_tracer(options)
    _KEPT.key = None  # an interrupted tracer holds half a mask: it is kept only once it is empty again
    try:
        tracer.add(labels)
    except ValueError as error:
        raise InputError([Problem("mask", None, "", Code.TOO_LARGE, str(error))]) from None
    outlines = tracer.take()
    _KEPT.key, _KEPT.tracer = key, tracer
    if (tolerance := options.get("simplify")) is not None:
        outlines = _simplify(outlines, tolerance)
    height, width = labels.shape
    result = part(outlines, [MaskImage(data_unit, frame, height, width)], names, max_classes)
    if result.report.problems:
        raise InputError(result.report.problems)
    return pa.Table.from_batches(result.batches, SCHEMA)


class _Kept(threading.local):
    """The tracer that a thread used last: its workspace is warm."""

    key: str | None = None
    tracer: Any = None


_KEPT = _Kept()


_SPARES: Spares[tuple[PngDecoder, Tracer]] = Spares(lambda pair: max(pair[0].room, 128 * pair[1].room) <= 1 << 25)
"""Kept between calls, up to 32 MB for the image and 64 MB for the tracer: a quarter of the time of few files."""


class _MaskFiles:
    """Chunks of files -> batches and problems. Called in many threads, each chunk with a decoder and tracer."""

    def __init__(self, names: ClassNames | None, options: MaskFileOptions) -> None:
        self._names = names
        self._options = options
        self._max_classes = options.get("max_classes", MAX_CLASSES)
        self._n_left_out = _n_left_out(options)
        self._kind = repr(sorted(options.items()))
        with _SPARES.lend(self._kind, self._make_state):
            pass  # options that do not hold are told now

    def _make_state(self) -> tuple[PngDecoder, Tracer]:
        rgb, max_pixels = self._options.get("rgb"), self._options.get("max_pixels", MAX_PIXELS)
        return PngDecoder(rgb=rgb, max_pixels=max_pixels), _new_tracer(self._options)

    def __call__(self, chunk: Sequence[Source]) -> Part:
        total = Part([], Report(sources=len(chunk)))
        with _SPARES.lend(self._kind, self._make_state) as (decoder, tracer):
            for result in self._parts(chunk, decoder, tracer, total.report.problems):
                total.batches.extend(result.batches)
                total.report.add(result.report)
        return total

    def _parts(
        self, chunk: Sequence[Source], decoder: PngDecoder, tracer: Tracer, problems: list[Problem]
    ) -> Iterator[Part]:
        images: list[MaskImage] = []
        for source in chunk:
            try:
                labels = decoder.decode(read_bytes(source.path), source.path)
                height, width = labels.shape
                if (source.height or height) != height or (source.width or width) != width:
                    problems.append(_wrong_size(source, height, width))
                elif labels.dtype.itemsize > 1 and soft_map(labels, self._n_left_out, self._max_classes):
                    problems.append(too_many_classes(source.path, None, self._max_classes))
                else:
                    tracer.add(labels)
                    images.append(MaskImage(source.data_unit, source.frame or 0, height, width, source.path))
            except InputError as error:
                problems.extend(error.problems)
            except OSError as error:
                message = f"must be a file that can be read, got {error.strerror or error}"
                problems.append(Problem(source.path, None, "", Code.UNREADABLE, message))
            except ValueError as error:  # the tracer's: more runs than its numbers can count
                problems.append(Problem(source.path, None, "", Code.TOO_LARGE, str(error)))
            if tracer.n_vertices > _FLUSH_VERTICES:
                yield self._part(tracer, images)
                images = []
        if images:
            yield self._part(tracer, images)

    def _part(self, tracer: Tracer, images: list[MaskImage]) -> Part:
        outlines = tracer.take()
        if (tolerance := self._options.get("simplify")) is not None:
            outlines = _simplify(outlines, tolerance)
        return part(outlines, images, self._names, self._max_classes)


_TRACER_OPTIONS = TraceOptions.__annotations__.keys()


def _new_tracer(options: TraceOptions) -> Tracer:
    from predarrow_engine.trace import Tracer

    if unknown := options.keys() - MaskFileOptions.__annotations__.keys():
        raise TypeError(f"no such option: {', '.join(sorted(unknown))}")
    try:
        return Tracer(**cast(TraceOptions, {name: value for name, value in options.items() if name in _TRACER_OPTIONS}))
    except ValueError as error:
        raise PredarrowError(str(error)) from None


def _simplify(outlines: Any, tolerance: float) -> Any:
    from predarrow_engine.simplify import simplify

    try:
        return simplify(outlines, tolerance)
    except ValueError as error:
        raise PredarrowError(f"simplify: {error}") from None


def _n_left_out(options: TraceOptions) -> int:
    return 1 + len(options.get("void", ()))


def _wrong_size(source: Source, height: int, width: int) -> Problem:
    message = f"must be {source.width} x {source.height} pixels as its data unit is, got {width} x {height}"
    return Problem(source.path, None, "", Code.SIZE_MISMATCH, message)
