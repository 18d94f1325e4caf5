"""Export a project's sets to Label Studio: several sets become several predictions of a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from predarrow.label_studio_set_rows import rows_of_sets
from predarrow.pipeline import Progress
from predarrow.project import Project, opened
from predarrow.reader import OnError
from predarrow.sources import StrPath

if TYPE_CHECKING:
    from predarrow.formats.label_studio.config import LabelingConfig
    from predarrow.formats.label_studio.write import LabelStudioWriteResult


def export_label_studio_predictions(
    project: Project | StrPath,
    path: StrPath,
    *,
    sets: str | Sequence[str] | None = None,
    config: LabelingConfig | StrPath | None = None,
    data_key: str | None = None,
    url: str = "{data_unit}",
    masks: Literal["brush", "bitmask"] = "brush",
    holes: Literal["refuse", "brush", "bitmask"] = "refuse",
    on_outside: Literal["refuse", "clip"] = "refuse",
    max_bytes: int | None = 200_000_000,
    overwrite: bool = False,
    on_error: OnError = "raise",
    progress: Progress | None = None,
) -> LabelStudioWriteResult:
    """Write sets of a project as Label Studio's tasks, one for each data unit, that can be imported again.

    Each set becomes one prediction of the task, whose model_version is the set's name; rows that came with a
    model_version keep it. Data units are named by their titles, those that share one by their ids; see
    `write_label_studio` for what is written. Tasks come in the order of data unit ids. Rows are read as streams; only
    a set whose images do not stand together (rows were appended to it) is sorted in memory first.

    Args:
        project: a project or its folder.
        path: file to write, see `write_label_studio`.
        sets: name or names of prediction sets; None for all of the project.
        config, data_key, url, masks, holes, on_outside, max_bytes: see `write_label_studio`.
        overwrite: replace the files.
        on_error: "raise" writes nothing where a row cannot be held; "skip" leaves such rows out and tells of them
            in the report.
        progress: called with the number of rows done and of all rows.

    Raises:
        InputError: a row that Label Studio cannot hold.
        OutputError: a file exists, or cannot be written to.
        ProjectError: no such project or set.
        PredarrowError: an option that does not hold, or a project without sets.
    """
    from predarrow.formats.label_studio.write import write_label_studio

    of_sets = rows_of_sets(opened(project), sets)
    return write_label_studio(
        of_sets.rows,
        path,
        model_version=of_sets.model_version,
        config=config,
        data_key=data_key,
        url=url,
        masks=masks,
        holes=holes,
        on_outside=on_outside,
        max_bytes=max_bytes,
        on_error=on_error,
        overwrite=overwrite,
        progress=of_sets.progress(progress),
    )
