"""Import Label Studio's predictions into a project: match its data units and classes, sort, commit."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from predarrow.errors import PredarrowError
from predarrow.imports import commit_reader
from predarrow.mapping import read_mapping
from predarrow.options import one_of
from predarrow.ordering import Keyed, sorted_parts
from predarrow.pipeline import Progress
from predarrow.project import Project, opened
from predarrow.reader import OnError, PredictionReader
from predarrow.report import Report
from predarrow.sources import StrPath

if TYPE_CHECKING:
    from predarrow.formats.label_studio.config import LabelingConfig
    from predarrow.label_studio_places import Placing

_OPERATION = "import label studio"


class LabelStudioImportResult(NamedTuple):
    """What an import of Label Studio's tasks came to."""

    versions: dict[str, int]
    """Version of each prediction set that was committed, by name."""
    report: Report
    rows: int
    """Predictions imported, of all sets."""


def import_label_studio_predictions(
    project: Project | StrPath,
    path: StrPath,
    ontology_mapping: Mapping[str, str] | StrPath | None = None,
    *,
    config: LabelingConfig | StrPath | None = None,
    data_key: str | None = None,
    what: Literal["all", "predictions", "annotations"] = "predictions",
    threshold: int = 128,
    set_name: str | None = None,
    mode: Literal["overwrite", "append"] = "overwrite",
    on_error: OnError = "raise",
    workers: int | None = None,
    progress: Progress | None = None,
) -> LabelStudioImportResult:
    """Import Label Studio's tasks into a project; each region and each answer becomes one prediction.

    Rows are those of `read_label_studio`, with the project's data unit ids, class names and featureNodeHashes. A task
    belongs to the data unit whose id or title is its media's address, else to the one whose id or title is the longest
    end of the address: percent-decoded, of a local file (`?d=folder/name`) that of the path there, and of an upload
    also without the eight hexadecimal digits and "-" that Label Studio puts in front of names. An answer about the
    whole image is of the classification with its control's name. Regions that do not tell the image's size take the
    data unit's; one that tells another is refused.

    Rows are sorted by data unit, frame and row, within 128 MiB at a time. Nothing is committed before all is read;
    then each set is one commit that replaces its earlier predictions.

    Args:
        project: a project or its folder.
        path: see `read_label_studio`.
        ontology_mapping: featureNodeHash (or name) -> label of the regions ("" of those without), or name of the
            control of answers, or a JSON file of that; by default `ontology_mapping.json` beside the files. One label
            may stand for classes of several shapes: boxes get the one, polygons the other.
        config, data_key, threshold: see `read_label_studio`.
        what: "predictions", "annotations" or "all".
        set_name: the prediction set; None makes each model_version a set of its own, "default" of those without one.
            A character that a set's name cannot have becomes "_", which the report tells.
        mode: "append" adds to the sets' rows.
        on_error: "raise" commits nothing where a region is refused and raises one error that tells them all; "skip"
            leaves refused regions out and tells of them in the report.
        workers, progress: see `read_label_studio`.

    Raises:
        InputError: files that cannot be read, or regions, classes, data units or frames that do not hold.
        OntologyError: a mapping that does not hold.
        ProjectError: no project, or a set that cannot be written; sets before it are committed.
        CommitConflictError: others committed to a set first, again and again; sets before it are committed.
        PredarrowError: an option that does not hold, or two model versions whose sets would have one name.
    """
    from predarrow.formats.label_studio.read import read_label_studio
    from predarrow.label_studio_places import Placing

    project = opened(project)
    if not isinstance(path, str | os.PathLike):
        raise PredarrowError(f"path: must be the path of a file or a folder, got {type(path).__name__}")
    one_of("mode", mode, ("overwrite", "append"))
    placing = Placing(project, *read_mapping(ontology_mapping, path))
    tasks = read_label_studio(
        path,
        config=config,
        data_key=data_key,
        what=what,
        image_sizes=placing.sizes,
        threshold=threshold,
        on_error="skip",
        workers=workers,
        progress=progress,
    )
    reader = PredictionReader(sorted_parts(_placed(tasks, placing)), on_error=on_error)
    source = str(Path(path).absolute())
    if set_name is not None:
        done = commit_reader(project, reader, source, set_name, mode, _OPERATION)
        return LabelStudioImportResult({set_name: done.version}, done.report, done.rows)
    from predarrow.label_studio_sets import commit_by_version

    with reader:
        versions = commit_by_version(project, reader, source, mode, _OPERATION)
    return LabelStudioImportResult(versions, reader.report, reader.report.imported)


def _placed(tasks: PredictionReader, placing: Placing) -> Iterator[tuple[list[Keyed], Report]]:
    """Give rows with the project's data units and classes, and in the end what was told while they were read."""
    with closing(tasks):
        for batch in tasks:
            yield placing.place(batch)
    told = tasks.report
    yield [], Report(told.sources, 0, told.skipped, told.flagged, told.problems)
