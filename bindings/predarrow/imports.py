"""Import predictions into a project: read, match to its classes and data units, commit once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, NamedTuple, Unpack

from predarrow.borders import OnOutside
from predarrow.errors import PredarrowError
from predarrow.formats.kitti import read as kitti
from predarrow.formats.mask_options import left_out
from predarrow.formats.masks import MaskFileOptions, read_found
from predarrow.mapping import OntologyMapping, TextMapping, mapped_classes, mapped_texts, read_mapping
from predarrow.pipeline import Progress
from predarrow.project import Project, opened
from predarrow.reader import OnError, PredictionReader
from predarrow.report import Report
from predarrow.resolve import DataUnitFunction, resolve
from predarrow.sources import KITTI_FILE_NAME_REGEX, PNG_FILE_NAME_REGEX, StrPath, find_sources

MASK_SHAPES = ("polygon", "bitmask")
BOX_SHAPES = ("bounding_box", "rotatable_bounding_box")


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
    project = opened(project)
    _check_path(predictions_dir)
    found = find_sources(predictions_dir, file_name_regex)
    mapping, where = read_mapping(ontology_mapping, predictions_dir)
    names = mapped_classes(mapping, project.ontology, shapes=MASK_SHAPES, where=where, left_out=left_out(options))
    found = resolve(found, project.data_units, file_name_regex, file_path_to_data_unit_func)
    reader = read_found(found, names, workers=workers, on_error=on_error, progress=progress, options=options)
    return commit_reader(project, reader, str(Path(predictions_dir).absolute()), set_name, mode, "import masks")


def import_kitti_predictions(
    project: Project | StrPath,
    predictions_dir: StrPath,
    ontology_mapping: TextMapping | StrPath | None = None,
    file_name_regex: str = KITTI_FILE_NAME_REGEX,
    file_path_to_data_unit_func: DataUnitFunction | None = None,
    *,
    set_name: str = "default",
    mode: Literal["overwrite", "append"] = "overwrite",
    on_error: OnError = "raise",
    on_outside: OnOutside = "keep",
    default_confidence: float | None = None,
    keep_dontcare: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> ImportResult:
    """Import KITTI label, result or tracking files into a project; each line becomes one prediction.

    Files are `<data_unit_title>[__<frame>].txt` or `.csv`, the title with or without its extension, in the folder or
    below; a tracking file without a frame in its name speaks for all frames of its video. The set's earlier
    predictions are replaced in one commit; where anything fails nothing is changed. Rows are those of `read_kitti`,
    with the project's data unit ids, class names, featureNodeHashes and image sizes.

    Args:
        project: a project or its folder.
        predictions_dir: folder of the files, or one file.
        ontology_mapping: featureNodeHash (or name) of a bounding box class -> KITTI class name, or a JSON file of
            that; by default `ontology_mapping.json` beside the files.
        file_name_regex: pattern with the group data_unit_title and perhaps frame; other files are left out.
        file_path_to_data_unit_func: gives a file's data unit id and frame; its title is then not looked at.
        set_name: the prediction set.
        mode: "append" adds to the set's rows.
        on_error: "raise" commits nothing where a record is refused and raises one error that tells them all;
            "skip" leaves refused records out and tells of them in the report.
        on_outside: of a box that passes its image's border by more than a millionth of the image's width or height:
            "keep" takes it as it is and counts it in `report.flagged`; "clip" cuts it to the image and counts it (one
            that lies wholly outside is refused); "reject" refuses it. Images of unknown size hold every box.
        default_confidence: of rows without a score; None leaves it null.
        keep_dontcare: import regions of the class DontCare, which the mapping must name, instead of skipping them.
        workers: threads; None takes PREDARROW_NUM_THREADS, else the cores.
        progress: called with the number of files done and of all files.

    Raises:
        InputError: files that cannot be read, or records whose numbers, data unit, frame or class do not hold.
        OntologyError: a mapping that does not hold.
        ProjectError: no project, or a set that cannot be written.
        CommitConflictError: others committed to the set first, again and again.
        PredarrowError: an option that does not hold.
    """
    project = opened(project)
    _check_path(predictions_dir)
    if on_outside not in ("keep", "clip", "reject"):
        raise PredarrowError(f'on_outside: must be "keep", "clip" or "reject", got {on_outside!r}')
    options = kitti.kitti_options(file_name_regex, default_confidence, keep_dontcare)._replace(on_outside=on_outside)
    found = find_sources(predictions_dir, file_name_regex, suffixes=kitti.SUFFIXES)
    mapping, where = read_mapping(ontology_mapping, predictions_dir)
    names = mapped_texts(mapping, project.ontology, shapes=BOX_SHAPES, where=where)
    found = resolve(found, project.data_units, file_name_regex, file_path_to_data_unit_func, frames_in_rows=True)
    reader = kitti.read_found(found, names, options, workers=workers, on_error=on_error, progress=progress)
    return commit_reader(project, reader, str(Path(predictions_dir).absolute()), set_name, mode, "import kitti")


def _check_path(predictions_dir: object) -> None:
    if not isinstance(predictions_dir, str | os.PathLike):
        got = type(predictions_dir).__name__
        raise PredarrowError(f"predictions_dir: must be the path of a folder or a file, got {got}")


def commit_reader(
    project: Project,
    reader: PredictionReader,
    source: str,
    set_name: str,
    mode: Literal["overwrite", "append"],
    operation: str,
) -> ImportResult:
    """Commit what a reader gives, closing it whatever happens; source and operation are for the history."""
    with reader:
        version = project.commit(
            reader,
            set_name=set_name,
            mode=mode,
            report=reader.report,
            operation=operation,
            details={"source": source},
        )
    return ImportResult(version, reader.report, reader.report.imported)
