"""`predarrow import openlabel`, `convert openlabel` and `validate openlabel`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from predarrow.cli.file_options import (
    FILE,
    PATH,
    append_option,
    given_mapping,
    on_error_option,
    target_argument,
    together,
    workers_option,
)
from predarrow.cli.outcome import run_convert, run_import, run_validate
from predarrow.cli.output import json_option, set_option

dialect_option = click.option(
    "--dialect",
    type=click.Choice(["kognic", "asam"]),
    default="kognic",
    show_default=True,
    help="Whose rules hold: Kognic's, or those of the standard alone. Cuboids look along their +y, or their +x.",
)
mixed_option = click.option("--mixed", is_flag=True, help="Let a file have geometries of several types, as asam does.")
_read_options = together(dialect_option, mixed_option, workers_option)


@click.command("openlabel")
@click.argument("project", type=PATH)
@click.argument("predictions", type=PATH)
@set_option
@append_option
@click.option("--ontology-mapping", type=FILE, help="JSON of featureNodeHash: type.  [default: beside the files]")
@click.option("--class", "classes", multiple=True, metavar="TYPE=NAME", help="Mapping by an object's type; repeatable.")
@_read_options
@on_error_option
@json_option
def import_openlabel(
    project: Path,
    predictions: Path,
    set_name: str,
    ontology_mapping: Path | None,
    classes: tuple[str, ...],
    as_json: bool,
    **arguments: Any,
) -> None:
    """Import OpenLABEL files, a .json or .json.gz file or a folder of them, into PROJECT.

    Every geometry on a frame becomes one prediction. A file is of the data unit that its metadata or its name tell,
    else each frame of the one that is its external_id. What the set held before is replaced in one commit; if anything
    fails, nothing changes.

    \b
    Examples:
      predarrow import openlabel project predictions.json
      predarrow import openlabel project predictions --class PassengerCar=car --class Pedestrian=person
      predarrow import openlabel project labels --dialect asam --set model-b --on-error skip --json
    """
    from predarrow.openlabel_imports import import_openlabel_predictions

    mapping = given_mapping(ontology_mapping, _parsed(classes), "OpenLABEL type")
    run = partial(import_openlabel_predictions, project, predictions, mapping, **arguments)
    run_import(run, "files", project, set_name, as_json=as_json)


@click.command("openlabel")
@click.argument("source", type=PATH)
@target_argument
@_read_options
@on_error_option
@json_option
def convert_openlabel(source: Path, target: Path, as_json: bool, **arguments: Any) -> None:
    """Convert OpenLABEL files (a .json or .json.gz file, or a folder of them) into TARGET, one Parquet file.

    \b
    Examples:
      predarrow convert openlabel scene.json scene.parquet
      predarrow convert openlabel labels labels.parquet --dialect asam --on-error skip
    """
    from predarrow.formats.openlabel.read import read_openlabel

    run_convert(partial(read_openlabel, source, **arguments), "files", target, as_json=as_json)


@click.command("openlabel")
@click.argument("source", type=PATH)
@_read_options
@json_option
def validate_openlabel(source: Path, as_json: bool, **arguments: Any) -> None:
    """Read OpenLABEL files and tell what does not hold, and why, beyond what schemas see. Nothing is written.

    Exit code 0 where everything holds, 3 where something was refused.

    \b
    Examples:
      predarrow validate openlabel predictions.json
      predarrow validate openlabel labels --dialect asam --json
    """
    from predarrow.formats.openlabel.read import read_openlabel

    run_validate(partial(read_openlabel, source, **arguments), "files", as_json=as_json)


def _parsed(texts: tuple[str, ...]) -> dict[str, str | None] | None:
    """Give the ontology's names by type from `PassengerCar=car`; none give None.

    Raises:
        click.BadParameter: no pair, or a type that is there twice.
    """
    classes: dict[str, str | None] = {}
    for text in texts:
        type_, is_pair, name = text.partition("=")
        if not (is_pair and type_) or type_ in classes:
            raise click.BadParameter(f"must be TYPE=NAME, each type once, got {text!r}", param_hint="--class")
        classes[type_] = name or None
    return classes or None
