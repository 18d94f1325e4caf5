"""How the commands of a format run, and what they tell in the end.

`run_import`, `run_convert` and `run_validate` take the library's function with its arguments (`functools.partial`).
They call it with `progress`, measure, tell, and leave with code 3 where something was refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from predarrow.cli.output import exit_with_rejects, progress_bar, report_as_dict, write_result

if TYPE_CHECKING:
    from predarrow.imports import ImportResult
    from predarrow.reader import PredictionReader
    from predarrow.report import Report

Unit = Literal["masks", "files", "label rows", "MiB"]
"""What progress counts; MiB are those of one file, and then files are not counted in the end."""


def run_import(
    importing: Callable[..., ImportResult], unit: Unit, project: Path, set_name: str, *, as_json: bool
) -> None:
    """Import into a set of a project, and tell its new version."""
    start = time.perf_counter()
    with progress_bar(unit) as progress:
        result = importing(set_name=set_name, progress=progress)
    seconds = time.perf_counter() - start
    told = f"{_read_text(result.rows, result.report, unit)} in {seconds:.1f} s"
    summary = {"version": result.version, "rows": result.rows, "set": set_name}
    last = f"set {set_name!r} of {project} is at version {result.version}"
    write_outcome(summary, result.report, told, last, as_json=as_json)


def run_convert(opening: Callable[..., PredictionReader], unit: Unit, target: Path, *, as_json: bool) -> None:
    """Write what a reader gives as one Parquet file."""
    from predarrow.parquet import write_parquet

    start = time.perf_counter()
    with progress_bar(unit) as progress, opening(progress=progress) as reader:
        n_rows = write_parquet(reader, target)
    seconds = time.perf_counter() - start
    told = f"{_read_text(n_rows, reader.report, unit)} in {seconds:.1f} s"
    summary = {"path": str(target), "rows": n_rows}
    write_outcome(summary, reader.report, told, f"written to {target}", as_json=as_json)


def run_validate(
    opening: Callable[..., PredictionReader], unit: Unit, *, as_json: bool, form: str | None = None
) -> None:
    """Read all that a reader gives, and tell what it refused, and as what it was read, where that is named."""
    with progress_bar(unit) as progress, opening(on_error="skip", progress=progress) as reader:
        for _ in reader:
            pass
    report = reader.report
    told = f"{_read_text(report.imported, report, unit)}, {report.rejected:,} refused"
    if form is None:
        write_outcome({}, report, told, as_json=as_json)
    else:
        write_outcome({"form": form}, report, f"{form}: {told}", as_json=as_json)


def write_outcome(result: Mapping[str, Any], report: Report, told: str, *last: str, as_json: bool) -> None:
    """Tell what a command came to, and leave with code 3 where something was refused.

    Args:
        result: for `--json`, beside the report.
        report: of what was read or written.
        told: the first line for people: how much, and in what time.
        last: the last one: where it is.
        as_json: whether to write JSON instead of lines.
    """
    counts = [f"skipped {count:,}: {rule}" for rule, count in sorted(report.skipped.items())]
    counts += [f"flagged {count:,}: {what}" for what, count in sorted(report.flagged.items())]
    write_result({**result, **report_as_dict(report)}, [told, *counts, *last], as_json=as_json)
    exit_with_rejects(report)


def rows_text(count: int) -> str:
    """Give a number of predictions in words."""
    return "1 prediction" if count == 1 else f"{count:,} predictions"


def files_text(count: int) -> str:
    """Give a number of files in words."""
    return "1 file" if count == 1 else f"{count:,} files"


def _read_text(n_rows: int, report: Report, unit: Unit) -> str:
    return rows_text(n_rows) if unit == "MiB" else f"{rows_text(n_rows)} from {files_text(report.sources)}"
