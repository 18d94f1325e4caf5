"""`predarrow export label-studio`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from predarrow.cli.file_options import FILE, PATH, on_error_option
from predarrow.cli.label_studio import config_option, data_key_option
from predarrow.cli.outcome import files_text, rows_text, write_outcome
from predarrow.cli.output import json_option, progress_bar


@click.command("label-studio")
@click.argument("project", type=PATH)
@click.argument("target", type=FILE)
@click.option("--set", "sets", multiple=True, help="Prediction set; repeatable.  [default: all of the project]")
@config_option
@data_key_option
@click.option(
    "--url", default="{data_unit}", show_default=True, help="Address of a data unit; {data_unit} is its title."
)
@click.option(
    "--masks", type=click.Choice(["brush", "bitmask"]), default="brush", show_default=True, help="How masks are held."
)
@click.option(
    "--holes",
    type=click.Choice(["refuse", "brush", "bitmask"]),
    default="refuse",
    show_default=True,
    help="Polygons of several rings, which Label Studio has none of.",
)
@click.option(
    "--on-outside",
    type=click.Choice(["refuse", "clip"]),
    default="refuse",
    show_default=True,
    help="Boxes, polygons and points beyond their image.",
)
@click.option(
    "--max-bytes", type=click.IntRange(1), default=200_000_000, show_default=True, help="Of a file; more make several."
)
@click.option("--overwrite", is_flag=True, help="Replace the files.")
@on_error_option
@json_option
def export_label_studio(project: Path, target: Path, sets: tuple[str, ...], as_json: bool, **arguments: Any) -> None:
    """Write prediction sets of PROJECT as Label Studio's tasks to TARGET, gzip where its name ends in .gz.

    Each data unit becomes a task and each set a prediction of it, whose model_version is the set's name. Without
    --config a labelling configuration that fits is written beside, as <name>.xml. What Label Studio cannot hold is
    refused.

    \b
    Examples:
      predarrow export label-studio project tasks.json --url "https://host/images/{data_unit}"
      predarrow export label-studio project tasks.json --set model-a --set model-b --config config.xml
      predarrow export label-studio project tasks.json.gz --holes brush --on-outside clip --on-error skip --json
    """
    from predarrow.label_studio_exports import export_label_studio_predictions

    start = time.perf_counter()
    with progress_bar("predictions") as progress:
        result = export_label_studio_predictions(project, target, sets=sets or None, progress=progress, **arguments)
    seconds = time.perf_counter() - start
    tasks = "1 task" if result.tasks == 1 else f"{result.tasks:,} tasks"
    told = f"{rows_text(result.rows)} in {tasks} in {files_text(len(result.paths))} in {seconds:.1f} s"
    last = [f"written to {path}" for path in result.paths]
    if result.config is not None:
        last.append(f"labelling configuration in {result.config}")
    summary = {
        "paths": [str(path) for path in result.paths],
        "config": None if result.config is None else str(result.config),
        "tasks": result.tasks,
        "rows": result.rows,
    }
    write_outcome(summary, result.report, told, *last, as_json=as_json)
