"""`predarrow export coco`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from predarrow.cli.file_options import PATH, on_error_option, read_json, version_option
from predarrow.cli.outcome import rows_text, write_outcome
from predarrow.cli.output import json_option, set_option


@click.command("coco")
@click.argument("project", type=PATH)
@click.argument("target", type=PATH)
@set_option
@version_option
@click.option(
    "--as",
    "form",
    type=click.Choice(["results", "annotations", "panoptic"]),
    default="results",
    show_default=True,
    help="A list of results, a data set with images and categories, or a folder of PNG files with their JSON.",
)
@click.option(
    "--overlap",
    type=click.Choice(["refuse", "confidence"]),
    default="refuse",
    show_default=True,
    help="Panoptic rows on pixels of another: refuse them, or give the pixels to the row of the higher confidence.",
)
@click.option("--image-ids", type=PATH, help="JSON of title: image id.  [default: the titles, or 1, 2, ...]")
@click.option("--category-ids", type=PATH, help="JSON of class name: category id.  [default: the names, or 1, 2, ...]")
@click.option("--overwrite", is_flag=True, help="Replace the file, or files of the same name.")
@on_error_option
@json_option
def export_coco(
    project: Path,
    target: Path,
    set_name: str,
    version: int | None,
    form: Any,
    overlap: Any,
    image_ids: Path | None,
    category_ids: Path | None,
    overwrite: bool,
    on_error: Any,
    as_json: bool,
) -> None:
    """Write a prediction set of PROJECT as COCO to TARGET, gzip where its name ends in .gz.

    Results are JSON Lines where it ends in .jsonl.

    Titles and class names that are whole numbers are their own ids; others get running numbers from 1. What COCO
    cannot hold is refused; what it has no place for is told.

    \b
    Examples:
      predarrow export coco project results.json --image-ids image_ids.json
      predarrow export coco project labels.json.gz --set labels --as annotations
      predarrow export coco project panoptic --as panoptic --overlap confidence --json
    """
    from predarrow.exports import export_coco_predictions

    start = time.perf_counter()
    result = export_coco_predictions(
        project,
        target,
        form=form,
        overlap=overlap,
        set_name=set_name,
        version=version,
        image_ids=_ids(image_ids, "--image-ids"),
        category_ids=_ids(category_ids, "--category-ids"),
        overwrite=overwrite,
        on_error=on_error,
    )
    seconds = time.perf_counter() - start
    told = f"{rows_text(result.rows)} of {len(result.image_ids):,} images in {seconds:.1f} s"
    summary = {"path": str(target), "rows": result.rows, "images": len(result.image_ids)}
    write_outcome(
        summary | {"category_ids": result.category_ids}, result.report, told, f"written to {target}", as_json=as_json
    )


def _ids(path: Path | None, option: str) -> dict[str, int] | None:
    if path is None:
        return None
    loaded = read_json(path, option)
    if not isinstance(loaded, dict):
        rule = "must be a JSON object of name: id"
        raise click.BadParameter(f"{path}: {rule}, got a {type(loaded).__name__}", param_hint=option)
    return loaded
