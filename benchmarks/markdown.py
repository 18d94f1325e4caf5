"""The report as Markdown: hardware, versions, and a table of ratios that shows losing cases as such."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.data import SEED

if TYPE_CHECKING:
    from benchmarks.measures import Measure
    from benchmarks.report import Line

BEGIN, END = "<!-- benchmarks:begin -->", "<!-- benchmarks:end -->"
_PACKAGES = (
    "predarrow",
    "numba",
    "numpy",
    "pyarrow",
    "zlib-ng",
    "opencv-python-headless",
    "connected-components-3d",
    "rasterio",
    "pillow",
    "imagecodecs",
    "pycocotools",
    "pandas",
    "msgspec",
    "duckdb",
    "hotcoco",
    "encord",
    "kognic-openlabel",
    "label-studio-sdk",
    "torchvision",
)


def markdown(lines: Sequence[Line], measures: Sequence[Measure]) -> str:
    """Give the whole report."""
    blocks = [_heading()]
    if lines:
        blocks.append(_comparison_table(lines))
    if measures:
        blocks.append(_measure_table(measures))
    return "\n\n".join(blocks)


def _heading() -> str:
    return (
        f"Measured on {datetime.date.today().isoformat()} on {_processor()}, {os.cpu_count()} cores, "
        f"{platform.system()}, Python {platform.python_version()}; {', '.join(_versions())}. One thread where "
        f"nothing else is said; data made in `benchmarks/` with seed {SEED}, all different; ours and the peers in "
        "turns in one warm process, a new one for each comparison. A ratio says how many times as long as ours a peer "
        "took: of the medians, then the quartiles of the rounds, in each the median of ours. **Below 1 ours is "
        "slower.** ✗ marks a target that is not reached."
    )


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _versions() -> list[str]:
    found: list[str] = []
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:  # an optional peer, left out of the comparisons too
            continue
    return found


def _comparison_table(lines: Sequence[Line]) -> str:
    rows = [
        "| what, on what | ours, ms each | peer | its ms | ratio (quartiles) | target |",
        "|---|---:|---|---:|---:|---:|",
    ]
    for _, group in groupby(lines, key=lambda line: line.comparison):
        for k, line in enumerate(group):
            first = k == 0
            what = f"`{line.comparison}` {line.data} ({line.n:,} {line.unit})" if first else ""
            ours = f"{line.ours_ms:.3g}" if first else ""
            peer = line.peer + (f" ({line.note})" if line.note else "")
            ratio = f"{line.ratio:.3g}" if line.ratio >= 1 else f"**{line.ratio:.2g}**"
            target = "" if line.target is None else f"{line.target:g}{_mark(line.reached)}"
            rows.append(
                f"| {what} | {ours} | {peer} | {line.peer_ms:.3g} "
                f"| {ratio} ({line.low:.3g} to {line.high:.3g}) | {target} |"
            )
    return "\n".join(rows)


def _measure_table(measures: Sequence[Measure]) -> str:
    rows = ["| figure | measured | target |", "|---|---:|---:|"]
    rows += [f"| {m.name} | {m.value} | {m.target}{_mark(m.reached)} |" for m in measures]
    return "\n".join(rows)


def _mark(reached: bool | None) -> str:
    return " ✗" if reached is False else ""


def write_between_markers(path: Path, text: str) -> None:
    """Replace what stands between the markers of a Markdown file.

    Raises:
        ValueError: the file does not hold both markers, in this order.
    """
    old = path.read_text(encoding="utf-8")
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path}: needs the lines {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
