"""`predarrow push label-studio`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from predarrow.cli.file_options import FILE, PATH
from predarrow.cli.outcome import rows_text, write_outcome
from predarrow.cli.output import json_option, progress_bar


@click.command("label-studio")
@click.argument("tasks", type=PATH)
@click.option("--url", required=True, help="Address of the server.")
@click.option(
    "--token",
    envvar="LABEL_STUDIO_API_KEY",
    show_envvar=True,
    help="Of a user of the server; in the variable no other user of this machine can see it.",
)
@click.option("--project", "project_id", type=click.IntRange(1), help="Number of the project to send to.")
@click.option("--title", help="Make a project of this title, with --config.")
@click.option("--config", type=FILE, help="Labelling configuration of the project to make, XML.")
@click.option("--batch-tasks", type=click.IntRange(1), default=500, show_default=True, help="Most tasks in a request.")
@click.option(
    "--batch-bytes", type=click.IntRange(1), default=20_000_000, show_default=True, help="Most bytes in a request."
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=600.0,
    show_default=True,
    help="Seconds for an answer.",
)
@json_option
def push_label_studio(tasks: Path, as_json: bool, **arguments: Any) -> None:
    """Send TASKS, a file or folder of Label Studio's tasks with predictions, to a server.

    All tasks are checked first; nothing is sent where one does not hold. A journal beside them, <name>.pushed, tells
    what was sent: run the same command again after an error, and only the rest is sent. Needs label-studio-sdk:
    pip install "predarrow[label-studio]".

    \b
    Examples:
      LABEL_STUDIO_API_KEY=… predarrow push label-studio tasks.json --url http://localhost:8080 --project 7
      predarrow push label-studio tasks.json --url https://labels.example.com --title Cars --config tasks.xml
    """
    from predarrow.label_studio_push import push_label_studio as push

    start = time.perf_counter()
    with progress_bar("tasks") as progress:
        result = push(tasks, progress=progress, **arguments)
    seconds = time.perf_counter() - start
    sent = "1 task" if result.tasks == 1 else f"{result.tasks:,} tasks"
    told = f"{sent} with {rows_text(result.predictions)} sent in {seconds:.1f} s"
    last = [f"{result.done_before:,} sent before"] if result.done_before else []
    place = f"project {result.project_id} of {arguments['url']}"
    summary = result._asdict()
    summary.pop("report")
    write_outcome(summary, result.report, told, *last, f"in {place}", as_json=as_json)
