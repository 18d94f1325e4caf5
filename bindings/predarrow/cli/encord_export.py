"""`predarrow export encord`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from predarrow.cli.file_options import FILE, PATH, on_error_option, version_option
from predarrow.cli.outcome import rows_text, write_outcome
from predarrow.cli.output import json_option

if TYPE_CHECKING:
    from predarrow.project import Project


@click.command("encord")
@click.argument("project", type=PATH)
@click.argument("target", type=FILE)
@click.option("--set", "set_name", help="Set to export.  [default: labels where there is one, else default]")
@version_option
@click.option("--portable", is_flag=True, help="Write what SDKs before 0.1.211 ask for in imported label rows, too.")
@click.option("--overwrite", is_flag=True, help="Replace the file.")
@on_error_option
@json_option
def export_encord(
    project: Path,
    target: Path,
    set_name: str | None,
    version: int | None,
    portable: bool,
    overwrite: bool,
    on_error: Any,
    as_json: bool,
) -> None:
    """Write a set of PROJECT as Encord's label rows to TARGET, a JSON list, gzip where its name ends in .gz.

    Label rows that were imported come back as they were where nothing was changed; others are made of the project's
    data units. What a label row cannot hold is refused.

    \b
    Examples:
      predarrow export encord project label_rows.json
      predarrow export encord project label_rows.json.gz --set model-b --overwrite
      predarrow export encord project label_rows.json --portable --on-error skip --json
    """
    from predarrow.exports import export_label_rows
    from predarrow.project import Project

    start = time.perf_counter()
    opened = Project(project)
    name = set_name or _default_set(opened)
    result = export_label_rows(
        opened, target, set_name=name, version=version, portable=portable, overwrite=overwrite, on_error=on_error
    )
    seconds = time.perf_counter() - start
    label_rows = "1 label row" if result.label_rows == 1 else f"{result.label_rows:,} label rows"
    told = f"{rows_text(result.rows)} of set {name!r} in {label_rows} in {seconds:.1f} s"
    summary = {"path": str(target), "set": name, "rows": result.rows, "label_rows": result.label_rows}
    write_outcome(summary, result.report, told, f"written to {target}", as_json=as_json)


def _default_set(project: Project) -> str:
    return "labels" if "labels" in project.sets() else "default"
