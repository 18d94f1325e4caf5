"""Options that the commands of several formats have, and what they say."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click

Option = Callable[[Callable[..., Any]], Callable[..., Any]]
V = TypeVar("V", int, str)

PATH = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, dir_okay=False)


def _other_than_source(context: click.Context, parameter: click.Parameter, target: Path) -> Path:
    """Refuse a target that is the source, or one of its files: it would be replaced by what was read from it."""
    source: Path = context.params["source"]
    is_same = False
    with suppress(OSError, RuntimeError):  # one of them is not there or not to be seen, or links lead in a circle
        is_same = target.samefile(source)
        file = target.resolve()
        is_same |= file.suffix != ".parquet" and source.resolve() in file.parents
    if is_same:
        raise click.BadParameter(f"must be another file than SOURCE, got {target}", context, parameter)
    return target


target_argument = click.argument("target", type=FILE, callback=_other_than_source)
"""File to convert to; stands behind the argument "source"."""


def together(*options: Option) -> Option:
    """Give one decorator that adds options; `--help` tells them in this order."""
    return lambda command: reduce(lambda decorated, option: option(decorated), reversed(options), command)


append_option = click.option(
    "--append",
    "mode",
    is_flag=True,
    callback=lambda context, parameter, is_given: "append" if is_given else "overwrite",
    help="Add to the set instead of replacing it.",
)
on_error_option = click.option(
    "--on-error",
    type=click.Choice(["raise", "skip"]),
    default="raise",
    show_default=True,
    help="Stop and change nothing, or leave out what is refused (exit code 3).",
)
on_outside_option = click.option(
    "--on-outside",
    type=click.Choice(["keep", "clip", "reject"]),
    default="keep",
    show_default=True,
    help="Boxes beyond their image.",
)
regex_option = click.option("--file-name-regex", help="Pattern with the groups data_unit_title and perhaps frame.")
version_option = click.option("--version", type=int, help="Version of the set.  [default: the last one]")
workers_option = click.option(
    "--workers", type=click.IntRange(1), help="Threads.  [default: PREDARROW_NUM_THREADS, or the cores]"
)
file_options = together(regex_option, on_error_option, workers_option)


def given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Give the options that were given, as the library's arguments; its own defaults stand for the others.

    Of one that was not, click gives None, of a flag False, and of one that may be repeated ().
    """
    return {
        name: value for name, value in arguments.items() if value is not None and value is not False and value != ()
    }


def given_mapping(path: Path | None, classes: Mapping[V, str | None] | None, what: str) -> dict[str, V] | Path | None:
    """Give the mapping of classes that an import was given, as the library takes it.

    Args:
        path: `--ontology-mapping`.
        classes: `--class`, the ontology's name by what stands in the files.
        what: what to call that in errors.

    Raises:
        click.UsageError: both, or names that are no mapping to one class each.
    """
    if classes is None:
        return path
    refuse_second_mapping(path)
    mapping: dict[str, V] = {}
    for value, name in classes.items():
        if name is None or name in mapping:
            rule = f"must name one class of the ontology for each {what}, each class once"
            raise click.BadParameter(f"{rule}, got {value}={name or ''}", param_hint="--class")
        mapping[name] = value
    return mapping


def refuse_second(classes: Mapping[V, str | None], key: V) -> None:
    """Refuse a class that `--class` names a second time.

    Raises:
        click.BadParameter: it was named before.
    """
    if key in classes:
        raise click.BadParameter(f"must name each class once, got {key} twice", param_hint="--class")


def refuse_second_mapping(path: Path | None) -> None:
    """Refuse `--ontology-mapping` beside `--class`.

    Raises:
        click.UsageError: it was given.
    """
    if path is not None:
        raise click.UsageError("--class and --ontology-mapping are two ways to say the same: give one")


def read_json(path: Path, option: str, rule: str = "must be a JSON object") -> Any:
    """Give what an option's JSON file holds; the caller checks that the rule holds.

    Raises:
        click.BadParameter: a file that cannot be read, is no JSON, or has a key twice.
    """
    from predarrow.mapping import distinct_keys

    try:
        return json.loads(path.read_text("utf-8-sig"), object_pairs_hook=distinct_keys)
    except (OSError, ValueError, RecursionError) as error:
        raise click.BadParameter(f"{path}: {rule}, got {error}", param_hint=option) from None
