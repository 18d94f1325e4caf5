"""`predarrow show` and `predarrow demo`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from predarrow.cli.output import json_option, progress_bar, set_option, write_result, write_table
from predarrow.cli.tables import batches_of

if TYPE_CHECKING:
    from predarrow.project import Project

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("source", type=_PATH)
@set_option
@click.option("--data-unit", multiple=True, help="Title or id; repeatable.  [default: the first ones]")
@click.option("--frame", type=click.IntRange(0), multiple=True, help="Frame; repeatable.")
@click.option("--class", "class_name", multiple=True, help="Class; repeatable.")
@click.option("--min-confidence", type=float, help="Leave out predictions below.")
@click.option("--images", type=_PATH, help="Folder of images, by title.  [default: as the project knows them]")
@click.option("--limit", type=click.IntRange(1), default=9, show_default=True, help="Images at most.")
@click.option("--output", type=_PATH, default=Path("predarrow-show.png"), show_default=True, help="PNG to write.")
@json_option
def show(
    source: Path,
    set_name: str,
    data_unit: tuple[str, ...],
    frame: tuple[int, ...],
    class_name: tuple[str, ...],
    min_confidence: float | None,
    images: Path | None,
    limit: int,
    output: Path,
    as_json: bool,
) -> None:
    """Draw the predictions of a project, or of a Parquet file, on their images: one in full size, or a sheet.

    \b
    Examples:
      predarrow show project
      predarrow show project --data-unit drive.mp4 --frame 17 --output frame.png
      predarrow show table.parquet --images images --limit 4
    """
    from predarrow.gallery import gallery, images_in_folder, images_of_project, ontology_colours
    from predarrow.project import Project
    from predarrow.show import NO_COLOURS, write_picture

    project = None if source.is_file() else Project(source)
    units = None if project is None else [_id_of(project, text) for text in data_unit]
    batches = batches_of(
        source,
        set_name,
        data_unit=(units if units is not None else list(data_unit)) or None,
        frame=list(frame) or None,
        class_name=list(class_name) or None,
        min_confidence=min_confidence,
    )
    if images is not None or project is None:
        find_image = images_in_folder(images) if images is not None else _no_image
    else:
        find_image = images_of_project(project)
    shown = gallery(
        batches,
        find_image,
        limit=limit,
        title=str if project is None else lambda id_: _title_of(project, id_),
        colours=NO_COLOURS if project is None else ontology_colours(project.ontology),
    )
    write_picture(shown.picture, output)
    n_rows = shown.counts.total()
    line = (
        f"{n_rows:,} predictions in {shown.n_images} {'image' if shown.n_images == 1 else 'images'}, drawn to {output}"
    )
    summary = {"path": str(output), "images": shown.n_images, "predictions": n_rows, "classes": dict(shown.counts)}
    write_result(summary, [line], as_json=as_json)


@click.command()
@click.argument("folder", type=_PATH, default=Path("predarrow-demo"))
@json_option
def demo(folder: Path, as_json: bool) -> None:
    """Make sample masks, import them into a project, and draw them. FOLDER is predarrow-demo by default.

    \b
    Examples:
      predarrow demo
      predarrow demo /tmp/demo --json
    """
    from predarrow.demo import run_demo

    with progress_bar("masks") as progress:
        result = run_demo(folder, progress=progress)
    lines = [
        f"made      {result.n_masks} masks of street scenes in {result.folder / 'predictions'}",
        f"imported  {result.result.rows:,} predictions in {result.seconds:.2f} s into {result.project}",
        f"drew      {result.picture}",
        "",
        *write_table(["class", "predictions"], result.counts.most_common()),
        "",
        f"next: predarrow stats {result.project}",
        f"      predarrow show {result.project} --images {result.folder / 'images'} --data-unit street_0",
    ]
    summary = {
        "folder": str(result.folder),
        "project": str(result.project),
        "picture": str(result.picture),
        "masks": result.n_masks,
        "version": result.result.version,
        "rows": result.result.rows,
        "classes": dict(result.counts),
        "seconds": round(result.seconds, 4),
    }
    write_result(summary, lines, as_json=as_json)


def _no_image(data_unit: str, frame: int) -> None:
    """A Parquet file does not tell where images are."""


def _id_of(project: Project, text: str) -> str:
    """Give the id of a data unit by its id or title."""
    units = project.data_units
    rows = [row] if (row := units.by_id(text)) is not None else units.find(text)
    if len(rows) != 1:
        got = f"the title of {len(rows)}" if rows else "neither"
        raise click.BadParameter(
            f"must be the id or title of one data unit, got {text!r}: {got}", param_hint="--data-unit"
        )
    return units.row(rows[0]).id


def _title_of(project: Project, data_unit: str) -> str:
    row = project.data_units.by_id(data_unit)
    return data_unit if row is None else project.data_units.row(row).title
