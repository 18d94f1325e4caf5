"""What all commands share: results on stdout, progress on stderr, `--json` and `--set`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from predarrow.pipeline import Progress
    from predarrow.report import Report

DONE, FAILED, USAGE, REJECTS, CONFLICT, INTERRUPTED = 0, 1, 2, 3, 4, 130

_PATIENCE = 1.0  # seconds without a bar

json_option = click.option("--json", "as_json", is_flag=True, help="Write the result as one JSON object.")
set_option = click.option("--set", "set_name", default="default", show_default=True, help="Prediction set.")


def write_result(result: dict[str, Any], lines: Sequence[str], *, as_json: bool) -> None:
    """Write a command's result to stdout: as JSON, or as lines for people."""
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False, default=str))
    else:
        for line in lines:
            click.echo(line)


def write_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Give a table as lines: text to the left, numbers to the right."""
    cells = [list(header), *[[_cell(value) for value in row] for row in rows]]
    widths = [max(len(line[column]) for line in cells) for column in range(len(header))]
    is_number = [
        bool(rows) and all(isinstance(row[column], int | float) for row in rows) for column in range(len(header))
    ]
    return [
        "  ".join(
            text.rjust(width) if number else text.ljust(width)
            for text, width, number in zip(line, widths, is_number, strict=True)
        ).rstrip()
        for line in cells
    ]


def report_as_dict(report: Report) -> dict[str, Any]:
    """Give a report's counts and problems for `--json`."""
    problems = [{**problem._asdict(), "code": problem.code.value} for problem in report.problems]
    return {**report.counts(), "problems": problems}


def exit_with_rejects(report: Report) -> None:
    """Tell of refused sources on stderr and leave with code 3; do nothing where there are none."""
    if report.problems:
        for problem in report.problems[:10]:
            click.echo(f"refused: {problem}", err=True)
        if report.rejected > 10:
            click.echo(f"… and {report.rejected - 10} more", err=True)
        raise click.exceptions.Exit(REJECTS)


@contextmanager
def progress_bar(what: str) -> Iterator[Progress]:
    """Give a progress callback that draws a bar on stderr, where that is a terminal and the job takes over a second."""
    if not sys.stderr.isatty():
        yield _no_progress
        return
    start = time.monotonic()
    bar: Any = None
    task: Any = None

    def show(done: int, total: int) -> None:
        nonlocal bar, task
        if bar is None:
            if time.monotonic() - start < _PATIENCE:
                return
            bar, task = _new_bar(what, total)
        bar.update(task, completed=done)

    try:
        yield show
    finally:
        if bar is not None:
            bar.stop()


def _no_progress(done: int, total: int) -> None:
    """Stderr is a file or a pipe."""


def _new_bar(what: str, total: int) -> tuple[Any, Any]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(what, total=total, rate="")
    bar.start()
    return _Rated(bar), task


class _Rated:
    """A bar that shows files per second since it began."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._first: tuple[float, int] | None = None
        self.stop = bar.stop

    def update(self, task: Any, *, completed: int) -> None:
        now = time.monotonic()
        self._first = self._first or (now, completed)
        seconds, done = now - self._first[0], completed - self._first[1]
        self._bar.update(task, completed=completed, rate=f"{done / seconds:,.0f}/s" if seconds > 0.2 else "")


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return "" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)
