"""Options of every command that reads files, and words for how many it read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from predarrow.report import Report

F = TypeVar("F", bound=Callable[..., Any])


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


def report_lines(report: Report) -> list[str]:
    """Give a report's counts of what was left out and flagged, as lines."""
    lines = [f"skipped {count:,}: {rule}" for rule, count in sorted(report.skipped.items())]
    return lines + [f"flagged {count:,}: {what}" for what, count in sorted(report.flagged.items())]


def files_text(count: int) -> str:
    """Give a number of files in words."""
    return "1 file" if count == 1 else f"{count:,} files"


_WORKERS = "Threads.  [default: PREDARROW_NUM_THREADS, or the cores]"
_REGEX = "Pattern with the groups data_unit_title and perhaps frame."
