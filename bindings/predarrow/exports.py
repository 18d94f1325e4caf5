"""Export a project's predictions: scan, name data units by their titles, write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from predarrow.errors import PredarrowError
from predarrow.export_rows import set_rows, stem, titled, unique_title
from predarrow.formats.coco.annotations import write_coco_annotations
from predarrow.formats.coco.panoptic import Overlap, write_coco_panoptic
from predarrow.formats.coco.write import CocoWriteResult, write_coco_results
from predarrow.formats.coco.write_ids import ImageIds
from predarrow.formats.coco.write_rows import COLUMNS as COCO_COLUMNS
from predarrow.formats.encord.write import LabelRowWriteResult, write_label_rows
from predarrow.formats.kitti.write import COLUMNS, WriteResult, write_kitti
from predarrow.formats.openlabel.rules import Dialect
from predarrow.formats.openlabel.write import OpenLabelWriteResult, write_openlabel
from predarrow.formats.openlabel.write_rows import COLUMNS as OPENLABEL_COLUMNS
from predarrow.formats.write_chunks import COLUMNS as LABEL_ROW_COLUMNS
from predarrow.project import Project, opened
from predarrow.reader import OnError
from predarrow.sources import StrPath

CocoForm = Literal["results", "annotations", "panoptic"]


def export_kitti_predictions(
    project: Project | StrPath,
    folder: StrPath,
    *,
    set_name: str = "default",
    version: int | None = None,
    overwrite: bool = False,
    on_error: OnError = "raise",
) -> WriteResult:
    """Write a prediction set as KITTI object results, `<title>[__<frame>].txt`, that can be imported again.

    The title is written without its extension where no other data unit has that for a title; data units that share
    one are named by their ids. See `write_kitti` for what a file holds. Rows are read as a stream; only a set whose
    images do not stand together (rows were appended to it) is sorted in memory first, without its polygons and masks.

    Args:
        project: a project or its folder.
        folder: new or empty, unless `overwrite`.
        set_name: the prediction set.
        version: the last one by default.
        overwrite: replace files of the same name; others in the folder stay.
        on_error: "raise" writes nothing where a row cannot be held; "skip" leaves such rows out and tells of them
            in the report.

    Raises:
        InputError: a row that KITTI cannot hold.
        OutputError: the folder is not empty, or cannot be written to.
        ProjectError: no such project, set or version.
    """
    project = opened(project)
    rows = set_rows(project, set_name, version, COLUMNS)
    named = titled(rows, project.data_units, stem)
    return write_kitti(named, folder, overwrite=overwrite, on_error=on_error)


def export_coco_predictions(
    project: Project | StrPath,
    path: StrPath,
    *,
    form: CocoForm = "results",
    overlap: Overlap = "refuse",
    set_name: str = "default",
    version: int | None = None,
    image_ids: ImageIds | None = None,
    category_ids: Mapping[str, int] | None = None,
    overwrite: bool = False,
    on_error: OnError = "raise",
) -> CocoWriteResult:
    """Write a set of a project as COCO: results, a data set of annotations, or panoptic segmentations.

    Data units are named by their titles, those that share one by their ids. See `write_coco_results`,
    `write_coco_annotations` and `write_coco_panoptic` for what is written. Rows are read as a stream; only a set whose
    images do not stand together (rows were appended to it) is sorted in memory first.

    Args:
        project: a project or its folder.
        path: file to write, gzip where its name ends in .gz; of panoptic segmentations the folder.
        form: "results", "annotations" or "panoptic".
        overlap: of panoptic segmentations; see `write_coco_panoptic`. Other forms have no pixels to share.
        set_name: the prediction set.
        version: the last one by default.
        image_ids: id by title, or by (title, frame); see `write_coco_results` for what stands in its place.
        category_ids: id by class name.
        overwrite: replace the file, or files of the same name in the folder.
        on_error: "raise" writes nothing where a row cannot be held; "skip" leaves such rows out and tells of them
            in the report.

    Raises:
        InputError: a row that COCO cannot hold.
        OutputError: the file exists or the folder is not empty, or cannot be written to.
        ProjectError: no such project, set or version.
        PredarrowError: an option that does not hold.
    """
    if form not in _COCO_WRITERS:
        raise PredarrowError(f'form: must be "results", "annotations" or "panoptic", got {form!r}')
    if form != "panoptic" and overlap != "refuse":
        raise PredarrowError(f'overlap: must be "refuse" but for panoptic segmentations, got {overlap!r} of {form}')
    project = opened(project)
    rows = set_rows(project, set_name, version, COCO_COLUMNS)
    named = titled(rows, project.data_units, unique_title)
    own = {"overlap": overlap} if form == "panoptic" else {}
    return _COCO_WRITERS[form](
        named, path, image_ids=image_ids, category_ids=category_ids, overwrite=overwrite, on_error=on_error, **own
    )


_COCO_WRITERS: Mapping[str, Callable[..., CocoWriteResult]] = {
    "results": write_coco_results,
    "annotations": write_coco_annotations,
    "panoptic": write_coco_panoptic,
}


def export_label_rows(
    project: Project | StrPath,
    path: StrPath,
    *,
    set_name: str = "labels",
    version: int | None = None,
    portable: bool = False,
    overwrite: bool = False,
    on_error: OnError = "raise",
) -> LabelRowWriteResult:
    """Write a set of a project as Encord's label rows: a JSON list that its SDK takes, and `import_label_rows`.

    See `write_label_rows` for what is written. Label rows are as they came where they were imported; others are made of
    the project's data units. Rows are read as a stream; only a set whose data units do not stand together (rows were
    appended to it) is sorted in memory first.

    Args:
        project: a project or its folder.
        path: file to write, gzip where its name ends in .gz.
        set_name: the set of labels or predictions.
        version: the last one by default.
        portable: write what older SDKs ask for in label rows that were imported, too.
        overwrite: replace the file.
        on_error: "raise" writes nothing where a row cannot be held; "skip" leaves such rows out and tells of them
            in the report.

    Raises:
        InputError: a row that a label row cannot hold.
        OutputError: the file exists, or cannot be written to.
        ProjectError: no such project, set or version.
        PredarrowError: an option that does not hold.
    """
    project = opened(project)
    rows = set_rows(project, set_name, version, LABEL_ROW_COLUMNS)
    return write_label_rows(
        rows,
        path,
        ontology=project.ontology,
        data_units=project.data_units,
        portable=portable,
        overwrite=overwrite,
        on_error=on_error,
    )


def export_openlabel_predictions(
    project: Project | StrPath,
    path: StrPath,
    *,
    set_name: str = "default",
    version: int | None = None,
    dialect: Dialect = "kognic",
    mixed: bool = False,
    overwrite: bool = False,
    on_error: OnError = "raise",
) -> OpenLabelWriteResult:
    """Write a prediction set as OpenLABEL, one file for each data unit, that can be imported again.

    Data units are named by their titles, without extension where no other data unit has that for a title, those that
    share one by their ids. See `write_openlabel` for what is written. Rows are read as a stream; only a set whose
    images do not stand together (rows were appended to it) is sorted in memory first.

    Args:
        project: a project or its folder.
        path: where it ends in .json or .json.gz the file, for a set of one data unit; else the folder for
            `<title>.json`, new or empty unless `overwrite`.
        set_name: the prediction set.
        version: the last one by default.
        dialect: "kognic" or "asam", see `write_openlabel`.
        mixed: see `write_openlabel`.
        overwrite: replace the file, or files of the same name in the folder.
        on_error: "raise" writes nothing where a row cannot be held; "skip" leaves such rows out and tells of them
            in the report.

    Raises:
        InputError: a row that OpenLABEL cannot hold.
        OutputError: the file exists or the folder is not empty, or cannot be written to.
        ProjectError: no such project, set or version.
        PredarrowError: an option that does not hold.
    """
    project = opened(project)
    rows = set_rows(project, set_name, version, OPENLABEL_COLUMNS)
    named = titled(rows, project.data_units, stem)
    return write_openlabel(named, path, dialect=dialect, mixed=mixed, overwrite=overwrite, on_error=on_error)
