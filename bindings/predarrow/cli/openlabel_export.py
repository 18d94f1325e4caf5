"""`predarrow export openlabel`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from predarrow.cli.file_options import PATH, on_error_option, version_option
from predarrow.cli.openlabel import dialect_option, mixed_option
from predarrow.cli.outcome import files_text, rows_text, write_outcome
from predarrow.cli.output import json_option, set_option


@click.command("openlabel")
@click.argument("project", type=PATH)
@click.argument("target", type=PATH)
@set_option
@version_option
@dialect_option
@mixed_option
@click.option("--overwrite", is_flag=True, help="Replace the file, or files of the same name in the folder.")
@on_error_option
@json_option
def export_openlabel(project: Path, target: Path, set_name: str, as_json: bool, **arguments: Any) -> None:
    """Write a prediction set of PROJECT as OpenLABEL to TARGET, a folder with one file for each data unit.

    TARGET is one file where its name ends in .json or .json.gz, for a set of one data unit. A title's extension is left
    out where the rest names one data unit only. What OpenLABEL cannot hold is refused.

    \b
    Examples:
      predarrow export openlabel project results
      predarrow export openlabel project results --set model-b --version 3 --on-error skip
      predarrow export openlabel project scene.json --overwrite
    """
    from predarrow.exports import export_openlabel_predictions

    start = time.perf_counter()
    result = export_openlabel_predictions(project, target, set_name=set_name, **arguments)
    seconds = time.perf_counter() - start
    told = f"{rows_text(result.rows)} in {files_text(result.files)} in {seconds:.1f} s"
    summary = {"path": str(target), "files": result.files, "rows": result.rows}
    write_outcome(summary, result.report, told, f"written to {target}", as_json=as_json)
