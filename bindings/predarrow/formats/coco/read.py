"""Reading COCO results and annotation files; what odd records come to stands in the package's documentation."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from predarrow.errors import InputError, PredarrowError
from predarrow.formats.coco.boxes import BoxUnit, relative_boxes
from predarrow.formats.coco.checks import Block
from predarrow.formats.coco.file import CocoFile, Scanned, value_of
from predarrow.formats.coco.lists import given_categories, given_images, lists_of
from predarrow.formats.coco.names import Chooser, is_utf8
from predarrow.formats.coco.plain import moved, plain_part
from predarrow.formats.coco.plain_results import Plain
from predarrow.formats.coco.rows import CocoOptions
from predarrow.formats.coco.table import part
from predarrow.options import one_of
from predarrow.pipeline import Made, Progress, run, worker_count
from predarrow.reader import OnError, Part, PredictionReader
from predarrow.refusals import shown
from predarrow.report import Code, Problem, Report
from predarrow.sources import StrPath

if TYPE_CHECKING:
    from predarrow_engine.coco_plain import PlainRecords
    from predarrow_engine.coco_plain_shapes import PlainShapes

_OTHER_FORMATS = {
    "segments_info": "panoptic segments stand in PNG files; read those with read_masks",
    "caption": "captions are no predictions of objects",
    "segmentations": "masks of all frames of a video are not read; give each frame a record of its own",
    "rbox": "boxes with an angle are not read; give their corners as segmentation",
}
"""Keys of records of other formats than boxes, segmentations and keypoints."""
_MIB = 1 << 20


def read_coco(
    path: StrPath,
    *,
    categories: Mapping[Any, Any] | StrPath | None = None,
    images: Mapping[Any, Any] | StrPath | None = None,
    workers: int | None = None,
    on_error: OnError = "raise",
    polygons: bool = False,
    box_unit: BoxUnit | None = None,
    default_confidence: float | None = None,
    progress: Progress | None = None,
) -> PredictionReader:
    """Give the predictions of a COCO file, one for each result or annotation, in the file's order.

    data_unit is the file_name of the image where the file (or `images`) lists images, else the image's id as text;
    class_name is the category's name where it is known, else its id as text; confidence the score. kind is what the
    record has: keypoints, else bitmask (run lengths, exactly, in `mask`, as COCO's canonical text), else polygon
    (each ring a part), else bbox; further shapes of the same record are kept in their columns. bbox has the file's
    corners in pixels, else the cover of the shape. id, area, iscrowd and unknown keys stand in `attributes`, as JSON,
    digit by digit. row is the record's place in the file. Records that are odd: see this module's documentation.
    The file is read in blocks of 4 to 8 MiB, so that memory does not follow its size.

    Args:
        path: .json, .json.gz, or .jsonl with one record on each line.
        categories: an annotation file, its dictionary, or a mapping of category id to name (None leaves a category
            out, counted in the report); None takes the file's own.
        images: an annotation file, its dictionary, or a mapping of image id to file name; None takes the file's own.
        workers: threads; None takes PREDARROW_NUM_THREADS, else the cores. Results do not depend on it.
        on_error: "raise" raises one error in the end that tells all refused records; "skip" leaves each refused
            record out and tells of it in the reader's `report`.
        polygons: give `polygon` for run lengths, too: their outline along pixel edges, with holes.
        box_unit: "pixel", "relative" (0 to 1) or "percent" of the image's size; None is pixels, and a file of which
            all boxes look relative is refused.
        default_confidence: of records without a score; None leaves it null.
        progress: called with the MiB read and of the whole file.

    Raises:
        InputError: no such file, or categories or images that do not hold; further problems are raised when the
            reader is read.
        PredarrowError: an option that does not hold.
    """
    file = coco_file(path)
    options = coco_options(polygons, box_unit, default_confidence)
    known_images, known_categories = given_images(images), given_categories(categories)

    def complete() -> CocoOptions:
        given = {"images": known_images, "categories": known_categories}
        lists = lists_of(file, {name for name, known in given.items() if known is None}, is_read=True)
        chosen = known_categories or lists.categories
        completed = options._replace(images=known_images or lists.images)
        return completed if chosen is None else completed._replace(categories=chosen, chooser=Chooser(chosen.choose))

    parts = coco_parts(file, complete, workers=workers, progress=progress)
    return PredictionReader(parts, report=Report(sources=1), on_error=on_error)


def coco_file(path: StrPath) -> CocoFile:
    """Give the file to read.

    Raises:
        InputError: it cannot be read.
        PredarrowError: no path.
    """
    if not isinstance(path, str | os.PathLike):
        raise PredarrowError(f"path: must be a file, got {shown(path)}")
    name = str(os.fspath(path))
    if "\0" in name or not is_utf8(name):
        raise PredarrowError(f"path: must be a name that UTF-8 can hold, without NUL, got {shown(name)}")
    return CocoFile(name)


def coco_options(polygons: bool, box_unit: BoxUnit | None, default_confidence: float | None) -> CocoOptions:
    """Give options for reading that are checked.

    Raises:
        PredarrowError: a unit or a confidence that does not hold.
    """
    if box_unit is not None:
        one_of("box_unit", box_unit, ("pixel", "relative", "percent"))
    if default_confidence is not None:
        is_number = isinstance(default_confidence, int | float) and not isinstance(default_confidence, bool)
        if not is_number or not np.isfinite(default_confidence):
            got = shown(default_confidence)
            raise PredarrowError(f"default_confidence: must be a finite number or None, got {got}")
        default_confidence = float(default_confidence)
    return CocoOptions(polygons=bool(polygons), box_unit=box_unit, default_confidence=default_confidence)


def coco_parts(
    file: CocoFile, complete: Callable[[], CocoOptions], *, workers: int | None, progress: Progress | None
) -> Iterator[Part]:
    """Give the predictions of a file, block by block.

    Args:
        file: to read.
        complete: gives how records become rows, once reading begins; its `InputError`s are problems of the file.
        workers, progress: see `read_coco`.

    Raises:
        PredarrowError: `workers` is no number of threads.
    """
    return _parts(file, complete, worker_count(workers), progress)


def _parts(
    file: CocoFile, complete: Callable[[], CocoOptions], workers: int, progress: Progress | None
) -> Iterator[Part]:
    try:
        options = complete()
    except InputError as error:
        yield Part([], Report(problems=list(error.problems)))
        return

    def function(chunk: Sequence[Block]) -> Part:
        (block,) = chunk
        return part(block, options)

    done = _Done()
    for result in run(_pieces(file, options, workers, done), function, workers=workers):
        yield result
        if progress is not None:
            progress(done.read // _MIB, -(-file.size // _MIB))


class _Done:
    read = 0
    """Bytes of the file that are read."""


def _pieces(file: CocoFile, options: CocoOptions, workers: int, done: _Done) -> Iterator[list[Block] | Made[Part]]:
    """Give blocks of records, plain ones as rows; at last a problem where the file as a whole does not hold."""
    from predarrow_engine.coco_columns import ANNOTATIONS

    def finish(records: PlainRecords | PlainShapes) -> Part | None:
        is_pixel = options.box_unit in (None, "pixel")
        return plain_part(records, options, file.path) if is_pixel else None

    first = 0
    is_judged = options.box_unit is not None
    has_list = not file.is_dictionary
    lists: set[str] = set()
    try:
        for scanned in file.scan((ANNOTATIONS,), workers=workers, finish=finish):
            done.read = scanned.read
            if isinstance(scanned, Plain):
                yield Made(moved(scanned.result, first))
                first += scanned.n
                continue
            has_list = has_list or _has_annotations(scanned)
            records = scanned.block.records
            block = Block(scanned.data, records, file.path, first, _pointer(file, scanned))
            if not is_judged and (problem := relative_boxes(block)) is not None:
                yield _refused(problem)
                return
            if (stop := _stop(block, scanned, lists)) is not None:
                if stop.n_records:
                    yield [block._replace(n_records=stop.n_records)]
                yield _refused(stop.problem)
                return
            is_judged = is_judged or bool(records.bbox.n_values.any())
            if records.kind.size:
                yield [block]
            first += records.kind.size
    except InputError as error:
        yield _refused(*error.problems)
        return
    if not has_list:
        rule = 'must be a list of results, or an object with a list "annotations"'
        yield _refused(Problem(file.path, None, "$", Code.BAD_VALUE, f"{rule}, got an object without one"))


def _refused(*problems: Problem) -> Made[Part]:
    return Made(Part([], Report(problems=list(problems))))


def _has_annotations(scanned: Scanned) -> bool:
    from predarrow_engine.coco_columns import LIST

    keys = [value_of(scanned.data, start, end) for start, end, _, kind in scanned.block.top.tolist() if kind == LIST]
    return "annotations" in keys


class _Stop(NamedTuple):
    """Why a file is not read on."""

    n_records: int
    """Records of the block in front: they are read, whatever the blocks."""
    problem: Problem


def _stop(block: Block, scanned: Scanned, lists: set[str]) -> _Stop | None:
    """Give what stands first in a block of what no file may have.

    Args:
        block, scanned: what was read.
        lists: met so far.
    """
    stops = [stop for stop in (_list_again(block, scanned, lists), _other_format(block)) if stop is not None]
    return min(stops, key=lambda stop: stop.n_records, default=None)


def _list_again(block: Block, scanned: Scanned, seen: set[str]) -> _Stop | None:
    """Word that the file has another list of one kind: of images and categories only the first was looked for."""
    for start, end in scanned.block.top[:, :2].tolist():
        key = value_of(scanned.data, start, end)
        if key in seen:
            problem = Problem(block.source, None, f"$.{key}", Code.BAD_VALUE, "must stand once, got it twice")
            return _Stop(int(np.searchsorted(block.records.span[:, 0], start)), problem)
        if key in ("annotations", "images", "categories"):
            seen.add(key)
    return None


def _pointer(file: CocoFile, scanned: Scanned) -> Callable[[int], str]:
    """Give a function that tells a record's place: `$[12]`, `$[3][0]`, `$.annotations[12]`, `line 13: $`."""
    records = scanned.block.records

    def pointer(record: int) -> str:
        if file.is_lines:
            return f"line {file.line_of(scanned.offset + int(records.span[record, 0]))}: $"
        top = "$.annotations" if file.is_dictionary else "$"
        outer, inner = records.position[record].tolist()
        return f"{top}[{outer - 1}][{inner}]" if outer else f"{top}[{inner}]"

    return pointer


def _other_format(block: Block) -> _Stop | None:
    """Word that a record without a shape is of another format."""
    from predarrow_engine.coco_columns import MISSING, NO_SEGMENTATION

    records = block.records
    bare = (records.bbox.kind == MISSING) & (records.keypoints.kind == MISSING) & (records.kind == 0)
    bare &= records.segmentation.kind == NO_SEGMENTATION
    for row in np.flatnonzero(bare).tolist():
        spans = records.others.spans[slice(*records.others.offsets[row : row + 2].tolist())]
        for start, end in spans[:, :2].tolist():
            if (key := value_of(block.data, start, end)) in _OTHER_FORMATS:
                rule = f"must be a box, a segmentation or keypoints, got {key}"
                place = block.pointer(row)
                problem = Problem(block.source, None, place, Code.UNSUPPORTED, f"{rule}: {_OTHER_FORMATS[key]}")
                return _Stop(row, problem)
    return None
