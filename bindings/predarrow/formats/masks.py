"""Label masks, where each pixel value is a class: every connected component becomes one prediction."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Unpack

import pyarrow as pa

from predarrow.classes import Classes, ClassNames, class_names
from predarrow.errors import InputError
from predarrow.formats.mask_files import MaskFiles
from predarrow.formats.mask_options import (
    PRESETS,
    MaskFileOptions,
    MaskOptions,
    TraceOptions,
    left_out,
    n_left_out,
    new_tracer,
    simplified,
)
from predarrow.formats.mask_table import MAX_CLASSES, MaskImage, batches_of, judge, soft_map, too_many_classes
from predarrow.models.arrays import as_array, frame_numbers, texts
from predarrow.pipeline import Progress, run, worker_count
from predarrow.reader import OnError, PredictionReader
from predarrow.report import Code, Problem, Report
from predarrow.sources import PNG_FILE_NAME_REGEX, Found, StrPath, chunked, find_sources
from predarrow.table import SCHEMA

__all__ = [
    "PRESETS",
    "MaskFileOptions",
    "MaskOptions",
    "TraceOptions",
    "from_label_mask",
    "read_found",
    "read_masks",
]


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
        MaskFiles(names, options),
        workers=worker_count(workers),
        total=len(found.sources),
        progress=progress,
    )
    return PredictionReader(parts, report=report, on_error=on_error)


def from_label_mask(
    mask: Any,
    *,
    data_unit: str | int = "",
    frame: int = 0,
    classes: Classes | None = None,
    **options: Unpack[MaskOptions],
) -> pa.Table:
    """Give the predictions of one label mask in memory, one for each connected component.

    Args:
        mask: (height, width) integers of up to 32 bits, or booleans, in an array of any library (NumPy, torch, JAX,
            anything with DLPack or `__array__`, lists); it is not changed.
        data_unit: text or number of the image.
        frame: of a video; 0 for a single image.
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
    names = None if classes is None else class_names(classes)
    title, number = texts(data_unit, 1, "data_unit"), frame_numbers(frame, 1, "frame")
    if not isinstance(title, str) or not isinstance(number, int):
        name, got = ("frame", frame) if isinstance(title, str) else ("data_unit", data_unit)
        raise InputError([Problem(name, None, "", Code.BAD_ARRAY, f"must be one for the mask, got {got!r}")])
    max_classes = options.get("max_classes", MAX_CLASSES)
    labels = as_array(mask, "mask")
    if labels.ndim != 2 or labels.dtype.kind not in "uib":
        message = f"must be whole numbers of shape (height, width), got {labels.dtype} of shape {labels.shape}"
        raise InputError([Problem("mask", None, "", Code.UNSUPPORTED, message)])
    # The values are told beside the options: NumPy leaves most of a long array out of its repr.
    key = repr((options, left_out(options))) if options else ""
    tracer = _KEPT.tracer if _KEPT.key == key else new_tracer(options)
    if soft_map(labels, n_left_out(options), max_classes):
        raise InputError([too_many_classes("mask", None, max_classes)])
    _KEPT.key = None  # an interrupted tracer holds half a mask: it is kept only once it is empty again
    try:
        tracer.add(labels)
    except ValueError as error:
        raise InputError([Problem("mask", None, "", Code.TOO_LARGE, str(error))]) from None
    outlines = tracer.take()
    _KEPT.tracer, _KEPT.key = tracer, key
    if (tolerance := options.get("simplify")) is not None:
        outlines = simplified(outlines, tolerance)
    height, width = labels.shape
    images = [MaskImage(title, number, height, width)]
    judged = judge(outlines, images, names, max_classes)
    if judged.problems:
        raise InputError(judged.problems)
    return pa.Table.from_batches(batches_of(outlines, images, names, judged), SCHEMA)


class _Kept(threading.local):
    """The tracer that a thread used last: its workspace is warm."""

    key: str | None = None
    tracer: Any = None


_KEPT = _Kept()
