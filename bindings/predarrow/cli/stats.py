"""`predarrow stats`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from predarrow.cli.contents import Form, head_of, json_contents, table_kind
from predarrow.cli.file_options import PATH, version_option
from predarrow.cli.outcome import Unit, write_outcome
from predarrow.cli.output import json_option, progress_bar, set_option, write_result, write_table
from predarrow.cli.tables import batches_of

if TYPE_CHECKING:
    from predarrow.reader import PredictionReader
    from predarrow.statistics import Counted


@click.command()
@click.argument("source", type=PATH)
@set_option
@version_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["coco", "encord"]),
    help="What a JSON file holds.  [default: told by its first keys]",
)
@json_option
def stats(source: Path, set_name: str, version: int | None, form: str | None, as_json: bool) -> None:
    """Count predictions and images by class: of a project, or of a file, without a project.

    SOURCE is a project, a Parquet or Arrow file with a prediction table, a COCO file (results or annotations), or a
    file of Encord's label rows (with --format encord a folder of them, too). Records that do not hold are left out and
    told (exit code 3). COCO is read in blocks and label rows file by file, so that memory does not follow their number.

    \b
    Examples:
      predarrow stats project
      predarrow stats project --set model-b --json
      predarrow stats table.parquet
      predarrow stats instances_val.json
      predarrow stats label_rows --format encord
    """
    from predarrow.statistics import COLUMNS, count_predictions

    if form is not None or source.is_file():
        _refuse_project_options()
    form = form or _form_of(source)
    if form is None:
        summary, lines = _told(count_predictions(batches_of(source, set_name, version, COLUMNS)))
        write_result(summary, lines, as_json=as_json)
        return
    opening, unit = _reader_of(form)
    with progress_bar(unit) as progress, opening(source, on_error="skip", progress=progress) as reader:
        summary, lines = _told(count_predictions(reader))
    write_outcome(summary, reader.report, *lines, as_json=as_json)


def _form_of(source: Path) -> Form | None:
    """Give the form of a JSON file; None of a project and of a prediction table.

    Raises:
        InputError: a file that cannot be read.
        PredarrowError: a file without predictions, or one that does not tell what it holds.
    """
    from predarrow.errors import PredarrowError

    if source.is_dir():
        if not (source / "project.json").exists():
            rule = "is no project: project.json is missing; of a folder of label rows say --format encord"
            raise PredarrowError(f"{source}: {rule}")
        return None
    head = head_of(source)
    if table_kind(head) is not None:
        return None
    contents = json_contents(source, head)
    if contents is None:
        rule = "must be a project, a Parquet or Arrow file, COCO, or Encord's label rows"
        raise PredarrowError(f"{source}: {rule}, got another kind of file")
    if len(contents.forms) != 1:
        rule = "must tell by its first keys whether it is COCO or Encord's label rows"
        raise PredarrowError(f"{source}: {rule}, got {contents.told}; if it is one of them, name it with --format")
    (form,) = contents.forms
    if form == "ontology":
        rule = "must hold predictions, got an ontology; `predarrow validate encord` tells what stands in it"
        raise PredarrowError(f"{source}: {rule}")
    return form


def _refuse_project_options() -> None:
    context = click.get_current_context()
    for name, option in (("set_name", "--set"), ("version", "--version")):
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise click.UsageError(f"{option} is of a project, not of a file")


def _reader_of(form: str) -> tuple[Callable[..., PredictionReader], Unit]:
    if form == "coco":
        from predarrow.formats.coco.read import read_coco

        return read_coco, "MiB"
    from predarrow.formats.encord.read import read_label_rows

    return read_label_rows, "label rows"


def _told(counted: Counted) -> tuple[dict[str, Any], list[str]]:
    rows = [(line.name, line.predictions, line.images, line.mean_confidence) for line in counted.classes]
    lines = [f"{counted.predictions:,} predictions in {counted.images:,} images"]
    if rows:
        lines += write_table(["class", "predictions", "images", "mean confidence"], rows)
    summary = {
        "predictions": counted.predictions,
        "images": counted.images,
        "classes": [line._asdict() for line in counted.classes],
    }
    return summary, lines
