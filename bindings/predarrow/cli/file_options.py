"""Options of every command that reads files, and what it tells in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from predarrow.cli.output import exit_with_rejects, report_as_dict, write_result

if TYPE_CHECKING:
    from predarrow.report import Report

F = TypeVar("F", bound=Callable[..., Any])
V = TypeVar("V", int, str)


def on_error_option(command: F) -> F:
    """Add `--on-error`."""
    return click.option(
        "--on-error",
        type=click.Choice(["raise", "skip"]),
        default="raise",
        show_default=True,
        help="Stop and change nothing, or leave out what is refused (exit code 3).",
    )(command)


def search_options(command: F) -> F:
    """Add `--file-name-regex` and `--workers`."""
    command = click.option("--workers", type=click.IntRange(1), help=_WORKERS)(command)
    return click.option("--file-name-regex", help=_REGEX)(command)


def file_options(command: F) -> F:
    """Add the options; they arrive as keyword arguments, see `reading`."""
    command = click.option("--workers", type=click.IntRange(1), help=_WORKERS)(command)
    return click.option("--file-name-regex", help=_REGEX)(on_error_option(command))


def reading(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Give those that were given, as the library's arguments."""
    given = {name: arguments[name] for name in ("on_error", "workers") if name in arguments}
    if arguments["file_name_regex"] is not None:
        given["file_name_regex"] = arguments["file_name_regex"]
    return given


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
    if path is not None:
        raise click.UsageError("--class and --ontology-mapping are two ways to say the same: give one")
    mapping: dict[str, V] = {}
    for value, name in classes.items():
        if name is None or name in mapping:
            rule = f"must name one class of the ontology for each {what}, each class once"
            raise click.BadParameter(f"{rule}, got {value}={name or ''}", param_hint="--class")
        mapping[name] = value
    return mapping


def write_outcome(result: Mapping[str, Any], report: Report, told: str, last: str, *, as_json: bool) -> None:
    """Tell what a command came to, and leave with code 3 where something was refused.

    Args:
        result: for `--json`, beside the report.
        report: of what was read or written.
        told: the first line for people: how much, and in what time.
        last: the last one: where it is.
        as_json: whether to write JSON instead of lines.
    """
    write_result({**result, **report_as_dict(report)}, [told, *report_lines(report), last], as_json=as_json)
    exit_with_rejects(report)


def report_lines(report: Report) -> list[str]:
    """Give a report's counts of what was left out and flagged, as lines."""
    lines = [f"skipped {count:,}: {rule}" for rule, count in sorted(report.skipped.items())]
    return lines + [f"flagged {count:,}: {what}" for what, count in sorted(report.flagged.items())]


def rows_text(count: int) -> str:
    """Give a number of predictions in words."""
    return "1 prediction" if count == 1 else f"{count:,} predictions"


def files_text(count: int) -> str:
    """Give a number of files in words."""
    return "1 file" if count == 1 else f"{count:,} files"


_WORKERS = "Threads.  [default: PREDARROW_NUM_THREADS, or the cores]"
_REGEX = "Pattern with the groups data_unit_title and perhaps frame."
