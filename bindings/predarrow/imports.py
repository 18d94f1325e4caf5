"""Import predictions into a project: read, match to its classes and data units, commit once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, NamedTuple, Unpack

from predarrow.formats.masks import MaskFileOptions, read_found
from predarrow.mapping import OntologyMapping, mapped_classes, read_mapping
from predarrow.pipeline import Progress
from predarrow.project import Project
from predarrow.reader import OnError
from predarrow.report import Report
from predarrow.resolve import DataUnitFunction, resolve
from predarrow.sources import PNG_FILE_NAME_REGEX, Found, StrPath, find_sources

MASK_SHAPES = ("polygon", "bitmask")


class ImportResult(NamedTuple):
    """What an import came to."""

    version: int
    """Of the prediction set."""
    report: Report
    rows: int
    """Predictions imported."""


def import_mask_predictions(
    project: Project | StrPath,
    predictions_dir: StrPath,
    ontology_mapping: OntologyMapping | StrPath | None = None,
    file_name_regex: str = PNG_FILE_NAME_REGEX,
    file_path_to_data_unit_func: DataUnitFunction | None = None,
    *,
    set_name: str = "default",
    mode: Literal["overwrite", "append"] = "overwrite",
    on_error: OnError = "raise",
    workers: int | None = None,
    progress: Progress | None = None,
    **options: Unpack[MaskFileOptions],
) -> ImportResult:
    """Import PNG label masks into a project; each connected component becomes one prediction of confidence 1.

    Files are `<data_unit_title>[__<frame>].png`, the title with or without its extension, in the folder or below.
    The set's earlier predictions are replaced in one commit; where anything fails nothing is changed.

    Args:
        project: a project or its folder.
        predictions_dir: folder of the masks, or one mask.
        ontology_mapping: featureNodeHash (or name) -> pixel value, or a JSON file of that; by default
            `ontology_mapping.json` beside the masks.
        file_name_regex: pattern with the group data_unit_title and perhaps frame; other files are left out.
        file_path_to_data_unit_func: gives a file's data unit id and frame; its title is then not looked at.
        set_name: the prediction set.
        mode: "append" adds to the set's rows.
        on_error: "raise" commits nothing where a file is refused and raises one error that tells them all;
            "skip" leaves refused files out whole and tells of them in the report.
        workers: threads; None takes PREDARROW_NUM_THREADS, else the cores.
        progress: called with the number of files done and of all files.
        options: see `MaskFileOptions`.

    Raises:
        InputError: masks that cannot be read, or whose data unit, frame, size or pixel values do not match.
        OntologyError: a mapping that does not hold.
        ProjectError: no project, or a set that cannot be written.
        CommitConflictError: others committed to the set first, again and again.
        PredarrowError: an option that does not hold.
    """
    if not isinstance(project, Project):
        project = Project(os.fspath(project))
    mapping, where = read_mapping(ontology_mapping, predictions_dir)
    background = options.get("background", 0)
    left_out = [*options.get("void", ()), *([] if background is None else [background])]
    names = mapped_classes(mapping, project.ontology, shapes=MASK_SHAPES, where=where, left_out=left_out)
    found = _match(project, predictions_dir, file_name_regex, file_path_to_data_unit_func)
    with read_found(found, names, workers=workers, on_error=on_error, progress=progress, options=options) as reader:
        version = project.commit(
            reader,
            set_name=set_name,
            mode=mode,
            report=reader.report,
            operation="import masks",
            details={"source": str(Path(predictions_dir).absolute())},
        )
    return ImportResult(version, reader.report, reader.report.imported)


def _match(
    project: Project, predictions_dir: StrPath, file_name_regex: str, function: DataUnitFunction | None
) -> Found:
    found = find_sources(predictions_dir, file_name_regex)
    return resolve(found, project.data_units, file_name_regex, function)
