"""The tree of commands, and what becomes of their errors.

A further format adds its commands to the groups below, in a module of its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from predarrow import __version__
from predarrow.cli import (
    coco,
    coco_export,
    encord,
    encord_export,
    kitti,
    label_studio,
    label_studio_export,
    label_studio_push,
    masks,
    openlabel,
    openlabel_export,
    pictures,
    projects,
)
from predarrow.cli.output import CONFLICT, FAILED, INTERRUPTED
from predarrow.cli.stats import stats

_WIDTH = {"max_content_width": 110, "help_option_names": ["-h", "--help"]}


@click.group(context_settings=_WIDTH)
@click.version_option(__version__, prog_name="predarrow", message="%(prog)s %(version)s")
def app() -> None:
    """Predictions from models and labelling tools into columnar tables.

    \b
    Try it:      predarrow demo
    A project:   predarrow init project --images images --classes road,car
                 predarrow import masks project predictions --class 1=road --class 2=car
                 predarrow show project
    No project:  predarrow convert masks predictions table.parquet
                 predarrow validate kitti labels

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 finished but something was refused, 4 another process
    committed first.
    """


@app.group("import")
def import_group() -> None:
    """Import predictions into a project, in one commit."""


@app.group("convert")
def convert_group() -> None:
    """Convert files into one Parquet file, without a project."""


@app.group("export")
def export_group() -> None:
    """Write a project's predictions as files of a format."""


@app.group("validate")
def validate_group() -> None:
    """Read files, tell what is wrong with them, and change nothing."""


@app.group("push")
def push_group() -> None:
    """Send predictions to the server of a labelling tool."""


import_group.add_command(masks.import_masks)
import_group.add_command(kitti.import_kitti)
import_group.add_command(coco.import_coco)
import_group.add_command(encord.import_encord)
import_group.add_command(openlabel.import_openlabel)
import_group.add_command(label_studio.import_label_studio)
convert_group.add_command(masks.convert_masks)
convert_group.add_command(kitti.convert_kitti)
convert_group.add_command(coco.convert_coco)
convert_group.add_command(encord.convert_encord)
convert_group.add_command(openlabel.convert_openlabel)
convert_group.add_command(label_studio.convert_label_studio)
export_group.add_command(kitti.export_kitti)
export_group.add_command(coco_export.export_coco)
export_group.add_command(encord_export.export_encord)
export_group.add_command(openlabel_export.export_openlabel)
export_group.add_command(label_studio_export.export_label_studio)
validate_group.add_command(kitti.validate_kitti)
validate_group.add_command(coco.validate_coco)
validate_group.add_command(encord.validate_encord)
validate_group.add_command(openlabel.validate_openlabel)
validate_group.add_command(label_studio.validate_label_studio)
push_group.add_command(label_studio_push.push_label_studio)
for command in (
    projects.init,
    stats,
    projects.history,
    projects.restore,
    projects.vacuum,
    pictures.show,
    pictures.demo,
):
    app.add_command(command)


def run(arguments: Sequence[str]) -> int:
    """Run one command and give its exit code; errors become a line on stderr."""
    from predarrow.errors import CommitConflictError, PredarrowError

    try:
        result = app.main(list(arguments), prog_name="predarrow", standalone_mode=False)
        return result if isinstance(result, int) else 0  # click gives an exit's code back here
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted: nothing was committed", err=True)
        return INTERRUPTED
    except CommitConflictError as error:
        click.echo(f"error: {error}", err=True)
        return CONFLICT
    except PredarrowError as error:
        click.echo(f"error: {error}", err=True)
        return FAILED
    except BrokenPipeError:  # `predarrow history … | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (OSError, MemoryError) as error:
        click.echo(f"error: {error or 'out of memory'}", err=True)
        return FAILED
