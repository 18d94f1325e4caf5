"""`predarrow import coco`, `convert coco` and `validate coco`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from predarrow.cli.file_options import (
    FILE,
    PATH,
    append_option,
    on_error_option,
    on_outside_option,
    refuse_second_mapping,
    target_argument,
    together,
    workers_option,
)
from predarrow.cli.outcome import run_convert, run_import, run_validate
from predarrow.cli.output import json_option, set_option

_read_options = together(
    click.option("--categories", type=FILE, help="Annotation file with categories.  [default: the file's own]"),
    click.option("--images", type=FILE, help="Annotation file with images.  [default: the file's own]"),
    click.option("--polygons", is_flag=True, help="Outline run-length masks, too."),
    click.option(
        "--box-unit",
        type=click.Choice(["pixel", "relative", "percent"]),
        help="Unit of boxes.  [default: pixel, and relative ones are refused]",
    ),
    click.option("--default-confidence", type=float, metavar="NUMBER", help="Of records without a score."),
    workers_option,
)


@click.command("coco")
@click.argument("project", type=PATH)
@click.argument("predictions", type=FILE)
@set_option
@append_option
@click.option("--ontology-mapping", type=FILE, help="JSON of featureNodeHash: category.  [default: beside the file]")
@click.option("--image-mapping", type=FILE, help="JSON of image id: data unit.  [default: beside the file]")
@click.option(
    "--class", "classes", multiple=True, metavar="COCO=NAME", help="Mapping by a category's name or id; repeatable."
)
@on_outside_option
@_read_options
@on_error_option
@json_option
def import_coco(
    project: Path,
    predictions: Path,
    set_name: str,
    ontology_mapping: Path | None,
    image_mapping: Path | None,
    classes: tuple[str, ...],
    as_json: bool,
    **arguments: Any,
) -> None:
    """Import a COCO results or annotation file into PROJECT.

    Every record becomes one prediction. What the set held before is replaced in one commit; if anything fails,
    nothing changes.

    \b
    Examples:
      predarrow import coco project predictions.json
      predarrow import coco project results.json --categories instances_val.json --images instances_val.json
      predarrow import coco project results.json --class 1=person --class 3=car --set model-b --on-error skip
    """
    from predarrow.coco_imports import import_coco_predictions

    mapping = _mapping(ontology_mapping, classes)
    run = partial(import_coco_predictions, project, predictions, mapping, image_mapping, **arguments)
    run_import(run, "MiB", project, set_name, as_json=as_json)


@click.command("coco")
@click.argument("source", type=FILE)
@target_argument
@_read_options
@on_error_option
@json_option
def convert_coco(source: Path, target: Path, as_json: bool, **arguments: Any) -> None:
    """Convert a COCO results or annotation file into TARGET, one Parquet file.

    \b
    Examples:
      predarrow convert coco instances_val.json labels.parquet
      predarrow convert coco results.json.gz results.parquet --categories instances_val.json --polygons
      predarrow convert coco results.jsonl results.parquet --on-error skip
    """
    from predarrow.formats.coco.read import read_coco

    run_convert(partial(read_coco, source, **arguments), "MiB", target, as_json=as_json)


@click.command("coco")
@click.argument("source", type=FILE)
@_read_options
@json_option
def validate_coco(source: Path, as_json: bool, **arguments: Any) -> None:
    """Read a COCO file and tell which records do not hold, and why. Nothing is written.

    Exit code 0 where everything holds, 3 where something was refused.

    \b
    Examples:
      predarrow validate coco results.json
      predarrow validate coco results.json --images instances_val.json --json
    """
    from predarrow.formats.coco.read import read_coco

    run_validate(partial(read_coco, source, **arguments), "MiB", as_json=as_json)


def _mapping(path: Path | None, classes: tuple[str, ...]) -> dict[str, str | int] | Path | None:
    """Give the mapping that an import was given; a whole number is a category's id, everything else a name.

    Raises:
        click.UsageError: both ways, or classes that are no pairs, or name a class twice.
    """
    if not classes:
        return path
    refuse_second_mapping(path)
    mapping: dict[str, str | int] = {}
    for text in classes:
        category, is_pair, name = text.partition("=")
        if not (is_pair and category and name) or name in mapping:
            rule = "must be COCO=NAME, each class of the ontology once"
            raise click.BadParameter(f"{rule}, got {text!r}", param_hint="--class")
        mapping[name] = int(category) if category.isdecimal() else category
    return mapping
