"""`predarrow import masks` and `predarrow convert masks`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from predarrow.cli.file_options import PATH, append_option, given_mapping, target_argument
from predarrow.cli.mask_options import given_mask_options, mask_options, parse_classes
from predarrow.cli.outcome import run_convert, run_import
from predarrow.cli.output import json_option, set_option

_CLASS_HELP = "Name of a pixel value (empty to leave it out), or a JSON file of value: name; repeatable."


@click.command("masks")
@click.argument("project", type=PATH)
@click.argument("predictions", type=PATH)
@set_option
@append_option
@click.option("--ontology-mapping", type=PATH, help="JSON of featureNodeHash: value.  [default: beside the masks]")
@click.option("--class", "classes", multiple=True, metavar="VALUE=NAME", help="Mapping by a class's name; repeatable.")
@mask_options
@json_option
def import_masks(
    project: Path,
    predictions: Path,
    set_name: str,
    ontology_mapping: Path | None,
    classes: tuple[str, ...],
    as_json: bool,
    **arguments: Any,
) -> None:
    """Import a folder of PNG label masks, <title>[__<frame>].png, into PROJECT.

    Every connected component of every class becomes one prediction. What the set held before is replaced in
    one commit; if anything fails, nothing changes.

    \b
    Examples:
      predarrow import masks project predictions
      predarrow import masks project predictions --class 1=road --class 2=car --void 255
      predarrow import masks project predictions --set model-b --on-error skip --json
    """
    from predarrow.imports import import_mask_predictions

    options = given_mask_options(arguments)
    mapping = given_mapping(ontology_mapping, parse_classes(classes), "value")
    run = partial(import_mask_predictions, project, predictions, mapping, **options)
    run_import(run, "masks", project, set_name, as_json=as_json)


@click.command("masks")
@click.argument("source", type=PATH)
@target_argument
@click.option("--class", "classes", multiple=True, metavar="VALUE=NAME", help=_CLASS_HELP)
@mask_options
@json_option
def convert_masks(source: Path, target: Path, classes: tuple[str, ...], as_json: bool, **arguments: Any) -> None:
    """Convert a folder of PNG label masks (or one) into TARGET, one Parquet file.

    \b
    Examples:
      predarrow convert masks predictions table.parquet
      predarrow convert masks SegmentationClass voc.parquet --preset voc --class classes.json
      predarrow convert masks mask.png one.parquet --outline center --holes fill
    """
    from predarrow.formats.masks import read_masks

    options = given_mask_options(arguments)
    opening = partial(read_masks, source, classes=parse_classes(classes), **options)
    run_convert(opening, "masks", target, as_json=as_json)
