"""Files of JSON: one, several, or those of a folder."""

from __future__ import annotations

import os
from collections.abc import Sequence

from predarrow.errors import InputError
from predarrow.report import Code, Problem
from predarrow.sources import StrPath

_SUFFIXES = (".json", ".json.gz")


def find_files(path: StrPath | Sequence[StrPath], suffixes: tuple[str, ...] = _SUFFIXES) -> list[str]:
    """Give JSON files: one, several, or those in a folder and below, by path.

    Args:
        path: files, taken whatever their names are, and folders.
        suffixes: of the files in folders, in small letters.

    Raises:
        InputError: nothing there, or no such file.
    """
    if not isinstance(path, str | os.PathLike):
        return [file for each in path for file in find_files(each, suffixes)]
    root = os.fspath(path)
    if not os.path.isdir(root):  # noqa: PTH112 - as `sources` has it
        return [root]
    found: list[str] = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        plain = (name for name in names if name.lower().endswith(suffixes) and not name.startswith("."))
        found += [os.path.join(folder, name) for name in plain]  # noqa: PTH118
    if not found:
        rule = f"must hold at least one file that ends in {' or '.join(suffixes)}, got none"
        raise InputError([Problem(root, None, "", Code.NO_SOURCES, rule)])
    return sorted(found)
