"""Prediction tables as Label Studio's tasks with predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple

from predarrow.formats.label_studio.config import LabelingConfig
from predarrow.pipeline import Progress
from predarrow.reader import OnError
from predarrow.report import Report
from predarrow.sources import StrPath

MaskForm = Literal["brush", "bitmask"]
Holes = Literal["refuse", "brush", "bitmask"]
OnOutside = Literal["refuse", "clip"]


class LabelStudioWriteResult(NamedTuple):
    """What was written."""

    tasks: int
    rows: int
    report: Report
    """Rows that were refused, and in `flagged` what is odd about those that were written."""
    paths: list[Path]
    """Files of tasks: the one that was asked for, or `<stem>-00001.json` and so on."""
    config: Path | None
    """The labelling config that was made, `<stem>.xml`; None where one was given."""


def write_label_studio(
    table: Any,
    path: StrPath,
    *,
    config: LabelingConfig | StrPath | None = None,
    data_key: str | None = None,
    url: str = "{data_unit}",
    model_version: str | None = None,
    masks: MaskForm = "brush",
    holes: Holes = "refuse",
    on_outside: OnOutside = "refuse",
    max_bytes: int | None = 200_000_000,
    overwrite: bool = False,
    on_error: OnError = "raise",
    progress: Progress | None = None,
) -> LabelStudioWriteResult:
    """Write predictions as Label Studio's tasks, a JSON list that its import takes, with a labelling config for them.

    There is one task a data unit, and one prediction in it for each `model_version`. A row is one region, or one answer
    for the whole task. Percentages are the shortest decimals that read back as the same pixels. Rows that
    `read_label_studio` read come back as they were.

    Args:
        table: predictions with `__arrow_c_stream__` in the prediction table's schema, the rows of a data unit one after
            the other.
        path: file to write; gzip where its name ends in .gz.
        config: the labelling config, its XML or a file: rows go to its controls by geometry and label, and one whose
            label it lacks is refused. None makes one that fits, and writes it as `<stem>.xml`.
        data_key: member of the task's `data` for the address; by default the one that the config's object shows.
        url: address of a data unit. "{data_unit}" alone is the data unit as it is; with text around it, the data
            unit is percent-encoded.
        model_version: of rows that do not tell one themselves, in `attributes`.
        masks: "brush" writes masks as run lengths, "bitmask" as PNG images.
        holes: polygons of several rings, which Label Studio has none of: "refuse" them, or write the mask that they
            are as "brush" or "bitmask".
        on_outside: boxes, polygons, ellipses and points beyond the image: "refuse" them, or "clip" those that
            are not rotated at its border.
        max_bytes: of a file, before it is packed; where all tasks take more, they become files `<stem>-00001.json` and
            so on. None for one file.
        overwrite: replace the files.
        on_error: "raise" writes nothing where a row cannot be held and raises one error that tells them all;
            "skip" leaves such rows out and tells of them in the report.
        progress: called with the number of rows done, and of all rows where the table tells it, else 0.

    Raises:
        InputError: a row that Label Studio cannot hold: in an image of unknown size, beyond the image, with a
            confidence beyond 0 to 1, of a label that the config lacks, of a kind that it has no control for; rows in
            another order; a table without the columns; a config that does not hold.
        OutputError: a file exists, or cannot be written.
        PredarrowError: an option that does not hold.
    """
    raise AssertionError
