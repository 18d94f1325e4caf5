"""`predarrow import encord`, `convert encord` and `validate encord`: label rows, and ontologies."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from predarrow.cli.contents import head_of, json_contents
from predarrow.cli.file_options import FILE, PATH, append_option, on_error_option, target_argument, workers_option
from predarrow.cli.outcome import run_convert, run_import, run_validate, write_outcome
from predarrow.cli.output import json_option, write_table

_set_option = click.option("--set", "set_name", default="labels", show_default=True, help="Set to import into.")
_ontology_option = click.option(
    "--ontology", type=FILE, help="JSON of Encord's ontology structure, which classes, shapes and answers must be of."
)


@click.command("encord")
@click.argument("project", type=PATH)
@click.argument("label_rows", type=PATH)
@_set_option
@append_option
@workers_option
@on_error_option
@json_option
def import_encord(project: Path, label_rows: Path, set_name: str, as_json: bool, **arguments: Any) -> None:
    """Import Encord's label rows, a .json or .json.gz file or a folder of them, into PROJECT.

    Each object on a frame, and each classification on a frame, becomes one row. A label row is of the data unit whose
    id is its data_hash, else of the one whose title is its data_title; classes are the project's. What the set held
    before is replaced in one commit; if anything fails, nothing changes.

    \b
    Examples:
      predarrow import encord project label_rows.json
      predarrow import encord project label_rows --set reviewed --append
      predarrow import encord project label_rows --on-error skip --json
    """
    from predarrow.encord_imports import import_label_rows

    run = partial(import_label_rows, project, label_rows, **arguments)
    run_import(run, "label rows", project, set_name, as_json=as_json)


@click.command("encord")
@click.argument("source", type=PATH)
@target_argument
@_ontology_option
@workers_option
@on_error_option
@json_option
def convert_encord(source: Path, target: Path, as_json: bool, **arguments: Any) -> None:
    """Convert Encord's label rows (a .json or .json.gz file, or a folder of them) into TARGET, one Parquet file.

    \b
    Examples:
      predarrow convert encord label_rows.json labels.parquet
      predarrow convert encord label_rows labels.parquet --ontology ontology.json --on-error skip
    """
    from predarrow.formats.encord.read import read_label_rows

    run_convert(partial(read_label_rows, source, **arguments), "label rows", target, as_json=as_json)


@click.command("encord")
@click.argument("source", type=PATH)
@_ontology_option
@workers_option
@json_option
def validate_encord(source: Path, ontology: Path | None, workers: int | None, as_json: bool) -> None:
    """Read Encord's label rows, or an ontology, and tell what does not hold, and why. Nothing is written.

    The first keys of a file tell which of the two it is; a folder is one of label rows. Exit code 0 where everything
    holds, 3 where something was refused.

    \b
    Examples:
      predarrow validate encord label_rows.json
      predarrow validate encord label_rows --ontology ontology.json --json
      predarrow validate encord ontology.json
    """
    from predarrow.formats.encord.read import read_label_rows

    if _is_ontology(source):
        if ontology is not None:
            raise click.UsageError(f"--ontology is for label rows, and {source} is an ontology itself")
        _validate_ontology(source, as_json=as_json)
        return
    opening = partial(read_label_rows, source, ontology=ontology, workers=workers)
    run_validate(opening, "label rows", as_json=as_json, form="label rows")


def _is_ontology(source: Path) -> bool:
    if source.is_dir():
        return False
    contents = json_contents(source, head_of(source))
    return contents is not None and contents.forms == ("ontology",)


def _validate_ontology(source: Path, *, as_json: bool) -> None:
    from predarrow.errors import OntologyError
    from predarrow.ontology import Ontology
    from predarrow.report import Code, Problem, Report

    report = Report(sources=1)
    counts: dict[str, int] = {}
    rows: list[tuple[str, str, str]] = []
    try:
        ontology = Ontology.read(source)
    except OntologyError as error:
        message = str(error).removeprefix(f"{source}: ")
        report.problems.append(Problem(str(source), None, "", Code.BAD_VALUE, message))
    else:
        objects, classifications, templates = ontology.objects, ontology.classifications, ontology.templates
        counts = {"classes": len(objects), "classifications": len(classifications), "templates": len(templates)}
        rows += [(node.feature_hash, node.name, node.shape) for node in objects]
        rows += [(node.feature_hash, node.name, "classification") for node in classifications]
    told = ", ".join(f"{what} {count}" for what, count in counts.items()) or "refused"
    lines = write_table(["featureNodeHash", "name", "shape"], rows) if rows else []
    write_outcome({"form": "ontology", **counts}, report, f"ontology: {told}", *lines, as_json=as_json)
