"""`predarrow init`, `history`, `restore` and `vacuum`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from predarrow.cli.output import json_option, set_option, write_result, write_table

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("project", type=_PATH)
@click.option("--images", type=_PATH, help="Folder of images: each becomes a data unit.")
@click.option("--data-units", type=_PATH, help="CSV or Parquet table of data units: id, title, width, height, …")
@click.option("--classes", metavar="NAME,NAME,…", help="Names of the classes.")
@click.option("--ontology", type=_PATH, help="JSON file with Encord's ontology structure.")
@click.option("--shape", default="polygon", show_default=True, help="Geometry of --classes.")
@click.option("--name", help="Name of the project.  [default: the folder's]")
@json_option
def init(
    project: Path,
    images: Path | None,
    data_units: Path | None,
    classes: str | None,
    ontology: Path | None,
    shape: str,
    name: str | None,
    as_json: bool,
) -> None:
    """Make a new PROJECT folder.

    \b
    Examples:
      predarrow init project --images images --classes road,car,pedestrian
      predarrow init project --data-units units.csv --ontology ontology.json
    """
    from predarrow.data_units import DataUnits
    from predarrow.ontology import Ontology
    from predarrow.project import Project

    if (images is None) == (data_units is None):
        raise click.UsageError("give either --images or --data-units")
    if (classes is None) == (ontology is None):
        raise click.UsageError("give either --classes or --ontology")
    if ontology is not None:
        structure = Ontology.read(ontology)
    else:
        names = [text.strip() for text in (classes or "").split(",") if text.strip()]
        if not names:
            raise click.BadParameter(f"must name at least one class, got {classes!r}", param_hint="--classes")
        structure = Ontology.from_classes(names, shape=shape)
    units = DataUnits.scan_folder(images) if images is not None else DataUnits.read(data_units or Path())
    made = Project.create(project, ontology=structure, data_units=units, name=name)
    hashes = {thing.feature_hash: thing.name for thing in structure.objects}
    told = f"{len(units):,} data units, {len(hashes)} classes"
    if structure.classifications:
        told += f", {len(structure.classifications)} classifications"
    lines = [f"project {made.name!r} at {project}: {told}"]
    lines += write_table(["featureNodeHash", "class", "shape"], [node[:3] for node in structure.objects])
    summary = {"path": str(project), "name": made.name, "data_units": len(units), "classes": hashes}
    write_result(summary, lines, as_json=as_json)


@click.command()
@click.argument("project", type=_PATH)
@set_option
@json_option
def history(project: Path, set_name: str, as_json: bool) -> None:
    """List the versions of a prediction set, the last one first.

    \b
    Examples:
      predarrow history project
      predarrow history project --set model-b --json
    """
    from predarrow.project import Project

    versions = Project(project).history(set_name).to_pylist()
    rows: list[tuple[Any, ...]] = [
        (str(line["version"]), f"{line['time']:%Y-%m-%d %H:%M:%S}", line["operation"], line["rows"], line["details"])
        for line in versions
    ]
    lines = write_table(["version", "time (UTC)", "operation", "rows", "details"], rows)
    write_result({"set": set_name, "versions": versions}, lines, as_json=as_json)


@click.command()
@click.argument("project", type=_PATH)
@click.argument("version", type=click.IntRange(0))
@set_option
@json_option
def restore(project: Path, version: int, set_name: str, as_json: bool) -> None:
    """Make an earlier VERSION of a prediction set the current one; history is kept.

    \b
    Examples:
      predarrow restore project 3
      predarrow restore project 0 --set model-b
    """
    from predarrow.project import Project

    made = Project(project).restore(version, set_name)
    line = f"set {set_name!r} of {project} is at version {made}, with the rows of version {version}"
    write_result({"set": set_name, "version": made, "restored": version}, [line], as_json=as_json)


@click.command()
@click.argument("project", type=_PATH)
@set_option
@click.option("--keep-versions", type=click.IntRange(1), help="Keep that many of the last versions.")
@click.option("--keep-hours", type=click.FloatRange(0), help="Keep versions of that time.  [default: a week]")
@click.option("--dry-run", is_flag=True, help="Only tell what would be removed.")
@json_option
def vacuum(
    project: Path, set_name: str, keep_versions: int | None, keep_hours: float | None, dry_run: bool, as_json: bool
) -> None:
    """Remove files that only old versions need; those versions can no longer be restored.

    \b
    Examples:
      predarrow vacuum project --keep-versions 3
      predarrow vacuum project --keep-hours 24 --dry-run
    """
    from predarrow.project import Project

    removed = Project(project).vacuum(set_name, keep_versions=keep_versions, keep_hours=keep_hours, dry_run=dry_run)
    line = f"{'would remove' if dry_run else 'removed'} {len(removed):,} files"
    write_result({"set": set_name, "files": removed, "dry_run": dry_run}, [line], as_json=as_json)
