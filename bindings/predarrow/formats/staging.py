"""Folders of files that appear all or none."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from predarrow.errors import OutputError


@contextmanager
def staged(folder: Path, overwrite: bool) -> Iterator[Path]:
    """Give a hidden folder inside `folder`; its files move there when the block ends well, else nothing is left.

    Raises:
        OutputError: the folder has files and `overwrite` is false, or cannot be written to.
    """
    staging = folder / f".predarrow-{uuid.uuid4().hex[:8]}.tmp"
    made: list[Path] = []
    done = False
    try:
        with explained(folder):
            made = [path for path in (folder, *folder.parents) if not path.exists()]
            if not made and not overwrite and any(folder.iterdir()):
                hint = "overwrite=True (--overwrite) replaces files of the same name"
                raise OutputError(f"{folder}: must be a new or empty folder, got one with files; {hint}")
            folder.mkdir(parents=True, exist_ok=True)
            staging.mkdir()
        yield staging
        with explained(folder):
            _move(staging, folder)
        done = True
    finally:
        shutil.rmtree(staging if done or not made else folder, ignore_errors=True)
        for parent in [] if done else made[1:]:
            with suppress(OSError):
                parent.rmdir()


def _move(staging: Path, folder: Path) -> None:
    """Move files, none where one of them cannot be."""
    files = sorted(staging.iterdir())
    for file in files:
        if (folder / file.name).is_dir():
            raise OutputError(f"{folder / file.name}: must be a file, to be replaced, got a folder")
    for file in files:
        file.replace(folder / file.name)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Word the operating system's errors; the path is the one that was asked for, not a temporary name beside it."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
