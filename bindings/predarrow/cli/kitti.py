"""`predarrow import kitti`, `convert kitti`, `export kitti` and `validate kitti`."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import click

from predarrow.cli.file_options import (
    PATH,
    append_option,
    file_options,
    given,
    given_mapping,
    on_error_option,
    on_outside_option,
    read_json,
    refuse_second,
    regex_option,
    target_argument,
    together,
    version_option,
    workers_option,
)
from predarrow.cli.outcome import files_text, rows_text, run_convert, run_import, run_validate, write_outcome
from predarrow.cli.output import json_option, set_option

_CLASS_HELP = "Class in the files and the name to give (empty to leave it out), or a JSON file of them; repeatable."
_row_options = together(
    click.option("--default-confidence", type=float, metavar="NUMBER", help="Of rows without a score."),
    click.option("--keep-dontcare", is_flag=True, help="Keep regions of the class DontCare."),
)


@click.command("kitti")
@click.argument("project", type=PATH)
@click.argument("predictions", type=PATH)
@set_option
@append_option
@click.option("--ontology-mapping", type=PATH, help="JSON of featureNodeHash: class.  [default: beside the files]")
@click.option("--class", "classes", multiple=True, metavar="KITTI=NAME", help="Mapping by a class's name; repeatable.")
@on_outside_option
@_row_options
@file_options
@json_option
def import_kitti(
    project: Path,
    predictions: Path,
    set_name: str,
    ontology_mapping: Path | None,
    classes: tuple[str, ...],
    as_json: bool,
    **arguments: Any,
) -> None:
    """Import a folder of KITTI files, <title>[__<frame>].txt or .csv, into PROJECT.

    Every line becomes one prediction. What the set held before is replaced in one commit; if anything fails,
    nothing changes.

    \b
    Examples:
      predarrow import kitti project predictions
      predarrow import kitti project predictions --class Car=car --class Pedestrian=person
      predarrow import kitti project predictions --set model-b --on-error skip --on-outside clip --json
    """
    from predarrow.imports import import_kitti_predictions

    mapping = given_mapping(ontology_mapping, parse_classes(classes), "KITTI class")
    run = partial(import_kitti_predictions, project, predictions, mapping, **given(arguments))
    run_import(run, "files", project, set_name, as_json=as_json)


@click.command("kitti")
@click.argument("source", type=PATH)
@target_argument
@click.option("--class", "classes", multiple=True, metavar="KITTI=NAME", help=_CLASS_HELP)
@_row_options
@file_options
@json_option
def convert_kitti(source: Path, target: Path, classes: tuple[str, ...], as_json: bool, **arguments: Any) -> None:
    """Convert a folder of KITTI files (or one) into TARGET, one Parquet file.

    \b
    Examples:
      predarrow convert kitti label_2 labels.parquet
      predarrow convert kitti results results.parquet --class Car=car --class Misc= --on-error skip
      predarrow convert kitti 0000.txt tracks.parquet --keep-dontcare
    """
    from predarrow.formats.kitti.read import read_kitti

    opening = partial(read_kitti, source, classes=parse_classes(classes), **given(arguments))
    run_convert(opening, "files", target, as_json=as_json)


@click.command("kitti")
@click.argument("project", type=PATH)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@set_option
@version_option
@click.option("--overwrite", is_flag=True, help="Replace files of the same name.")
@on_error_option
@json_option
def export_kitti(
    project: Path, folder: Path, set_name: str, version: int | None, overwrite: bool, on_error: Any, as_json: bool
) -> None:
    """Write a prediction set of PROJECT into FOLDER, one KITTI file for each image, <title>[__<frame>].txt.

    A title's extension is left out where the rest names one data unit only; images that share a title are named by
    their ids. What KITTI cannot hold is refused; masks and polygons are written as their boxes, which is told.

    \b
    Examples:
      predarrow export kitti project results
      predarrow export kitti project results --set model-b --version 3 --on-error skip
    """
    from predarrow.exports import export_kitti_predictions

    start = time.perf_counter()
    result = export_kitti_predictions(
        project, folder, set_name=set_name, version=version, overwrite=overwrite, on_error=on_error
    )
    seconds = time.perf_counter() - start
    told = f"{rows_text(result.rows)} in {files_text(result.files)} in {seconds:.1f} s"
    summary = {"path": str(folder), "files": result.files, "rows": result.rows}
    write_outcome(summary, result.report, told, f"written to {folder}", as_json=as_json)


@click.command("kitti")
@click.argument("source", type=PATH)
@click.option("--class", "classes", multiple=True, metavar="KITTI=NAME", help=_CLASS_HELP)
@regex_option
@workers_option
@json_option
def validate_kitti(source: Path, classes: tuple[str, ...], as_json: bool, **arguments: Any) -> None:
    """Read all KITTI files in SOURCE and tell which lines do not hold, and why. Nothing is written.

    Exit code 0 where everything holds, 3 where something was refused.

    \b
    Examples:
      predarrow validate kitti label_2
      predarrow validate kitti results --class Car=car --class Cyclist=cyclist --json
    """
    from predarrow.formats.kitti.read import read_kitti

    opening = partial(read_kitti, source, classes=parse_classes(classes), **given(arguments))
    run_validate(opening, "files", as_json=as_json)


def parse_classes(texts: tuple[str, ...]) -> dict[str, str | None] | None:
    """Give names by KITTI class from `Car=car` (repeatable) or the path of a JSON object; none give None.

    Raises:
        click.BadParameter: neither, or a class twice.
    """
    classes: dict[str, str | None] = {}
    for text in texts:
        key, is_pair, name = text.partition("=")
        if is_pair and key:
            refuse_second(classes, key)
            classes[key] = name or None
        elif not is_pair and Path(text).is_file():
            classes.update(_read_classes(Path(text)))
        else:
            raise click.BadParameter(f"must be KITTI=NAME or a JSON file, got {text!r}", param_hint="--class")
    return classes if texts else None


def _read_classes(path: Path) -> dict[str, str | None]:
    loaded = read_json(path, "--class")
    if not isinstance(loaded, dict) or not all(name is None or isinstance(name, str) for name in loaded.values()):
        raise click.BadParameter(f"{path}: must be a JSON object of class: name or null", param_hint="--class")
    return loaded
