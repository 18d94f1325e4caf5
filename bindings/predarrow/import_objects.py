"""Import predictions that are in memory: objects, or tables of any Arrow library."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from predarrow.errors import PredarrowError
from predarrow.imports import ImportResult, commit_reader
from predarrow.objects.batches import object_parts
from predarrow.ordering import Keyed, sorted_parts
from predarrow.project import Project, opened
from predarrow.project_index import ProjectIndex
from predarrow.reader import OnError, PredictionReader
from predarrow.refusals import shown
from predarrow.report import Report
from predarrow.sources import StrPath
from predarrow.tables.door import table_parts
from predarrow.tables.form import as_batches

if TYPE_CHECKING:
    from predarrow.objects.predictions import Prediction


def import_predictions(
    project: Project | StrPath,
    predictions: Iterable[Prediction] | Any,
    *,
    set_name: str = "default",
    mode: Literal["overwrite", "append"] = "overwrite",
    on_error: OnError = "raise",
) -> ImportResult:
    """Import `Prediction` objects, or a table of predictions, into a project.

    Objects may come from a generator and may be of all kinds at once; they are read some thousands at a time and
    never kept. Each becomes one row, whose `row` is its place in the input. Coordinates become pixels, relative ones
    by the size of their data unit. Values are never changed: what lies beyond its image in pixels is kept and counted
    in the report (`flagged`), and masks without a pixel are left out by rule and counted (`skipped`).

    A table has the columns of `predarrow.SCHEMA`, in any order and in any form that loses nothing (large or
    dictionary strings, 64-bit frames). Columns that may be null may be left out; `data_unit` may be an id or a title;
    of `feature_hash` and `class_name` one is enough; `image_height`, `image_width` and the `bbox` of polygons and masks
    are filled in where they are null.

    The set's earlier predictions are replaced in one commit, by nothing where the input is empty. Where anything
    fails nothing is changed, and what a generator raises comes out as it is. Rows are sorted by data unit, frame and
    row, within 128 MiB (some 600,000 boxes) at a time where the input is not sorted.

    Args:
        project: a project or its folder.
        predictions: an iterable of `Prediction`s, or anything that speaks Arrow's C stream or C array interface: a
            `pyarrow.Table`, a record batch or a reader of those, a `PredictionReader`, a data frame.
        set_name: the prediction set.
        mode: "append" adds to the set's rows.
        on_error: "raise" stops where the first predictions are refused, commits nothing, and tells those of the same
            batch; "skip" leaves refused predictions out and tells of them in the report.

    Raises:
        InputError: predictions that do not hold, each with its place: `predictions[17]: object.data.w: must …`.
        ProjectError: no project, or a set that cannot be written.
        CommitConflictError: others committed to the set first, again and again.
        PredarrowError: neither objects nor a table, or an option that does not hold.
    """
    project = opened(project)
    batches = as_batches(predictions)
    if batches is None and (not isinstance(predictions, Iterable) or isinstance(predictions, str | bytes | Mapping)):
        rule = "must be an iterable of Prediction objects or an Arrow table"
        raise PredarrowError(f"predictions: {rule}, got {shown(predictions)}{_hint(predictions)}")
    index = ProjectIndex(project)
    parts = object_parts(predictions, index) if batches is None else table_parts(batches, index)
    if on_error == "raise":
        parts = _until_refused(parts)
    parts = chain(parts, _left_out_before(predictions, on_error))
    reader = PredictionReader(sorted_parts(parts), on_error=on_error)
    source = "objects" if batches is None else "table"
    return commit_reader(project, reader, source, set_name, mode, "import predictions")


def _left_out_before(predictions: Any, on_error: OnError) -> Iterator[tuple[list[Keyed], Report]]:
    """Tell, once all is read, what a reader or collector left out by rule, and refused where that may be."""
    report = getattr(predictions, "report", None)
    if isinstance(report, Report):
        yield [], Report(skipped=report.skipped.copy(), problems=report.problems[:] if on_error == "skip" else [])


def _hint(predictions: Any) -> str:
    if isinstance(predictions, str | bytes | os.PathLike):
        return "; read the file first, as with pyarrow.parquet.read_table"
    return "; collect() it first" if hasattr(predictions, "collect") else ""


def _until_refused(parts: Iterable[tuple[list[Keyed], Report]]) -> Iterator[tuple[list[Keyed], Report]]:
    """Stop behind the first refusal: nothing will be committed, and a generator may be a model at work."""
    for part in parts:
        yield part
        if part[1].problems:
            return
