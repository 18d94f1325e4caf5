"""`predarrow import label-studio`, `convert label-studio` and `validate label-studio`."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import click

from predarrow.cli.file_options import (
    FILE,
    PATH,
    Option,
    append_option,
    given_mapping,
    on_error_option,
    target_argument,
    together,
    workers_option,
)
from predarrow.cli.outcome import files_text, rows_text, run_convert, write_outcome
from predarrow.cli.output import json_option, progress_bar

config_option = click.option("--config", type=FILE, help="Labelling configuration of the project, XML.")
data_key_option = click.option(
    "--data-key", help="Member of a task's data that tells its media.  [default: the configuration's, or the only text]"
)
threshold_option = click.option(
    "--threshold",
    type=click.IntRange(1, 255),
    default=128,
    show_default=True,
    help="The least alpha of a mask's pixels, where they have several.",
)


def what_option(default: str) -> Option:
    """Give the option `--what` with its default."""
    return click.option(
        "--what",
        type=click.Choice(["predictions", "annotations", "all"]),
        default=default,
        show_default=True,
        help="Which lists of the tasks become predictions.",
    )


_read_options = together(config_option, data_key_option, threshold_option, workers_option)


@click.command("label-studio")
@click.argument("project", type=PATH)
@click.argument("tasks", type=PATH)
@click.option("--set", "set_name", help="Prediction set.  [default: one for each model_version]")
@append_option
@click.option("--ontology-mapping", type=FILE, help="JSON of featureNodeHash: label.  [default: beside the files]")
@click.option(
    "--class",
    "classes",
    multiple=True,
    metavar="LABEL=NAME",
    help="Mapping by label, =NAME of those without; repeatable.",
)
@what_option("predictions")
@_read_options
@on_error_option
@json_option
def import_label_studio(
    project: Path,
    tasks: Path,
    ontology_mapping: Path | None,
    classes: tuple[str, ...],
    as_json: bool,
    **arguments: Any,
) -> None:
    """Import Label Studio's tasks, a .json, .json.gz or .jsonl file or a folder of them, into PROJECT.

    Every region, and every answer about a whole image, becomes one prediction. A task is of the data unit whose id or
    title is its media's address, or the longest end of it. Each model_version becomes a set of that name.
    What these sets held before is replaced; if anything is refused, nothing changes.

    \b
    Examples:
      predarrow import label-studio project tasks.json --class Car=car --class Pedestrian=person
      predarrow import label-studio project export.json --what annotations --set labels
      predarrow import label-studio project tasks --config config.xml --on-error skip --json
    """
    from predarrow.label_studio_imports import import_label_studio_predictions

    mapping = given_mapping(ontology_mapping, _parsed(classes), "label")
    start = time.perf_counter()
    with progress_bar("files") as progress:
        result = import_label_studio_predictions(project, tasks, mapping, progress=progress, **arguments)
    seconds = time.perf_counter() - start
    told = f"{rows_text(result.rows)} from {files_text(result.report.sources)} in {seconds:.1f} s"
    versions = [f"set {name!r} of {project} is at version {number}" for name, number in result.versions.items()]
    summary = {"sets": result.versions, "rows": result.rows}
    write_outcome(
        summary, result.report, told, *(versions or ["no predictions, so no set was changed"]), as_json=as_json
    )


@click.command("label-studio")
@click.argument("source", type=PATH)
@target_argument
@what_option("all")
@_read_options
@on_error_option
@json_option
def convert_label_studio(source: Path, target: Path, as_json: bool, **arguments: Any) -> None:
    """Convert Label Studio's tasks (a .json, .json.gz or .jsonl file, or a folder of them) into TARGET, Parquet.

    \b
    Examples:
      predarrow convert label-studio tasks.json tasks.parquet
      predarrow convert label-studio export.json labels.parquet --what annotations --on-error skip
    """
    from predarrow.formats.label_studio.read import read_label_studio

    run_convert(partial(read_label_studio, source, **arguments), "files", target, as_json=as_json)


@click.command("label-studio")
@click.argument("source", type=PATH)
@config_option
@json_option
def validate_label_studio(source: Path, config: Path | None, as_json: bool) -> None:
    """Check Label Studio's tasks, by a configuration where it is given, beyond what Label Studio itself checks.

    What the server stores and the editor cannot open is refused too: keypoints without width, numbers as text, ids
    that are none, masks of another size. Nothing is written. Exit code 0 where everything holds, 3 where something
    was refused.

    \b
    Examples:
      predarrow validate label-studio tasks.json --config config.xml
      predarrow validate label-studio tasks --json
    """
    from predarrow.formats.label_studio.check import check_label_studio

    with progress_bar("files") as progress:
        report = check_label_studio(source, config, progress=progress)
    results = "1 result" if report.imported == 1 else f"{report.imported:,} results"
    told = f"{results} from {files_text(report.sources)}, {report.rejected:,} refused"
    write_outcome({}, report, told, as_json=as_json)


def _parsed(texts: tuple[str, ...]) -> dict[str, str | None] | None:
    """Give the ontology's names by label from `Car=car`; none give None. A label may have "=", a name not.

    Raises:
        click.BadParameter: no pair, or a label that is there twice.
    """
    classes: dict[str, str | None] = {}
    for text in texts:
        label, is_pair, name = text.rpartition("=")
        if not is_pair or label in classes:
            raise click.BadParameter(f"must be LABEL=NAME, each label once, got {text!r}", param_hint="--class")
        classes[label] = name or None
    return classes or None
