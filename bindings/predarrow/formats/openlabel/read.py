"""OpenLABEL files: every geometry on a frame becomes one prediction.

What is read, and what becomes of odd input, stands in `predarrow.formats.openlabel`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from predarrow.formats.json_files import find_files, read_files
from predarrow.formats.openlabel.document import read_document
from predarrow.formats.openlabel.places import Classes, Match, as_it_is, own_class
from predarrow.formats.openlabel.rows import converted
from predarrow.formats.openlabel.rules import DIALECTS, Dialect
from predarrow.options import one_of
from predarrow.ordering import sorted_by_name
from predarrow.pipeline import Progress
from predarrow.reader import OnError, Part, PredictionReader
from predarrow.sources import StrPath


def read_openlabel(
    path: StrPath | Sequence[StrPath],
    *,
    dialect: Dialect = "kognic",
    mixed: bool = False,
    on_error: OnError = "raise",
    workers: int | None = None,
    progress: Progress | None = None,
) -> PredictionReader:
    """Give the predictions of OpenLABEL files, one row for each geometry on a frame.

    data_unit is the name that the file's metadata tell, else the file's name without extension; frame the frame's key;
    object_id the object's uid, class_name its type. Flat coordinates are pixels, boxes corners; cuboids stand as in the
    file, their convention in `attributes`. stream is the text attribute `stream`, else the geometry's
    coordinate_system. confidence is num `confidence`, else `score` or a vec of one number, else that of the
    object's data on the frame, else 1. What columns do not
    hold stands in `attributes`, so that `write_openlabel` gives the files back. row is the geometry's number in its
    file. Rows are sorted by (data_unit, frame, row) within 128 MiB at a time.

    Args:
        path: a .json or .json.gz file, a folder of them (walked through) or several.
        dialect: "kognic" refuses what Kognic does not take as predictions (a geometry without a stream of the file, or
            in one of another type; geometries of two types in a file, at the root, or two cuboids of an object on a
            frame) and takes cuboids to look along their +y; "asam" takes all that the standard does, cuboids to look
            along their +x.
        mixed: take geometries of several types in a file, which Kognic's first page on predictions forbids and its
            later one does not; "asam" always does.
        on_error: "raise" raises one error in the end that tells all refused geometries; "skip" leaves each refused
            geometry out (a file only where it does not hold as a whole) and tells of it in the reader's `report`.
        workers: threads; None takes PREDARROW_NUM_THREADS, else the cores. Results do not depend on it.
        progress: called with the number of files done and of all files.

    Raises:
        InputError: nothing to read; further problems are raised when the reader is read.
        PredarrowError: an option that does not hold.
    """
    parts = openlabel_parts(path, dialect, as_it_is, own_class, mixed=mixed, workers=workers, progress=progress)
    return PredictionReader(parts, on_error=on_error)


def openlabel_parts(
    path: StrPath | Sequence[StrPath],
    dialect: Dialect,
    match: Match,
    classes: Classes,
    *,
    mixed: bool,
    workers: int | None,
    progress: Progress | None,
) -> Iterator[Part]:
    """Give OpenLABEL files as parts of a reader, sorted within 128 MiB.

    Args:
        path, dialect, mixed, workers, progress: see `read_openlabel`.
        match: tells where frames belong.
        classes: tells what classes are.

    Raises:
        InputError: nothing to read.
        PredarrowError: an option that does not hold.
    """
    one_of("dialect", dialect, DIALECTS)

    def read(file: str) -> Part:
        return converted(read_document(file), dialect, match, classes, mixed=mixed)

    return sorted_by_name(read_files(find_files(path), read, workers=workers, progress=progress))
