"""Time ours and the peers in turns and write the report: `python -m benchmarks.report --help`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks import coco_measures, encord_measures, measures, timing
from benchmarks.comparison import Comparison, Contender
from benchmarks.comparisons import COMPARISONS
from benchmarks.digests import differences
from benchmarks.markdown import markdown, write_between_markers

README = Path(__file__).parents[1] / "README.md"
MEASURES: dict[str, Callable[[], list[measures.Measure]]] = {
    "memory": measures.memory,
    "start-up": measures.start_up,
    "overhead": measures.overhead,
    "threads": measures.threads,
    "project": measures.project,
    "kitti-parse": measures.kitti_parse,
    "collector": measures.collector,
    "coco-memory": coco_measures.memory,
    "authoring": encord_measures.authoring,
}


class Line(NamedTuple):
    """One peer in one comparison."""

    comparison: str
    data: str
    n: int
    unit: str
    """What there are n of."""
    rounds: int
    ours_ms: float
    """Milliseconds a unit, median."""
    peer: str
    peer_ms: float
    ratio: float
    """How many times as long as ours the peer took."""
    low: float
    high: float
    target: float | None
    note: str

    @property
    def reached(self) -> bool | None:
        """Whether the target is met; None without one."""
        return None if self.target is None else self.ratio >= self.target


def compare(comparison: Comparison, *, quick: bool) -> list[Line]:
    """Time one comparison.

    Raises:
        ValueError: results of ours and a peer differ where they can be compared (looked at on small images).
    """
    check(comparison)
    n = max(1, comparison.data.n // 4) if quick else comparison.data.n
    with tempfile.TemporaryDirectory() as folder:
        items = comparison.data.items(n, 1, Path(folder))
        peers = {peer.name: _over(peer, items) for peer in comparison.peers}
        rounds, budget = (min(comparison.rounds, 3), 5.0) if quick else (comparison.rounds, 12.0)
        seconds = timing.beside(_over(comparison.ours, items), peers, rounds=rounds, budget=budget)
    return [_line(comparison, n, peer, seconds[peer.name]) for peer in comparison.peers]


def _over(contender: Contender, items: Sequence[Any]) -> Callable[[], object]:
    return lambda: [contender.run(item) for item in items]


def _line(comparison: Comparison, n: int, peer: Contender, rounds: Sequence[tuple[float, float]]) -> Line:
    theirs, mine = zip(*rounds, strict=True)
    ratio = timing.ratio(theirs, mine)
    return Line(
        comparison=comparison.name,
        data=comparison.data.text,
        n=n,
        unit=comparison.data.unit,
        rounds=len(rounds),
        ours_ms=median(mine) / n * 1e3,
        peer=peer.name,
        peer_ms=median(theirs) / n * 1e3,
        ratio=ratio.median,
        low=ratio.low,
        high=ratio.high,
        target=peer.target,
        note=peer.note,
    )


def check(comparison: Comparison, *, n: int = 3, shrink: int = 8) -> None:
    """Hold the results of ours and every comparable peer against each other, on small images.

    Raises:
        ValueError: they differ.
    """
    with tempfile.TemporaryDirectory() as folder:
        for item in comparison.data.items(n, shrink, Path(folder)):
            mine = _digest(comparison.ours, item)
            for peer in comparison.peers:
                theirs = _digest(peer, item)
                if mine is None or theirs is None:
                    continue
                if found := differences(mine, theirs):
                    raise ValueError(f"{comparison.name}: {peer.name}: {'; '.join(found)}")


def _digest(contender: Contender, item: Any) -> dict[str, list[Any]] | None:
    result = contender.run(item)
    return None if contender.digest is None else contender.digest(result)


def _refuse_slow_opencv(parser: argparse.ArgumentParser) -> None:
    """Refuse the OpenCV that label-studio-sdk pins: comparing with a scalar takes 4.12 twenty times as long as 4.14."""
    found = version("opencv-python-headless")
    if tuple(map(int, found.split(".")[:2])) < (4, 14):
        hint = "pip install --no-deps -U opencv-python-headless"
        parser.error(f"OpenCV {found} is far slower than later ones, which would flatter us; {hint}")


def _in_processes(names: Sequence[str], *, quick: bool) -> tuple[list[Line], list[measures.Measure]]:
    """Run each benchmark in a process of its own.

    What ran before in a process sets how malloc gets its memory: OpenCV's loop over Voronoi cells took 2,220 ms an
    image after `trace-argmax`, and 770 alone.
    """
    lines: list[Line] = []
    figures: list[measures.Measure] = []
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for name in names:
            print(f"{name} ...", file=sys.stderr, flush=True)
            if name in MEASURES:
                figures += pool.submit(MEASURES[name]).result()
            else:
                lines += pool.submit(_compare_by_name, name, quick).result()
    return lines, figures


def _compare_by_name(name: str, quick: bool) -> list[Line]:  # a comparison itself cannot be pickled
    return compare(next(c for c in COMPARISONS if c.name == name), quick=quick)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code: 0, whatever the clocks say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("--only", metavar="NAME", action="append", help="a comparison or measure; may be repeated")
    parser.add_argument("--quick", action="store_true", help="a quarter of the data, three rounds")
    parser.add_argument("--write-readme", action="store_true", help="put the tables between the README's markers")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every figure as JSON")
    options = parser.parse_args(arguments)
    _refuse_slow_opencv(parser)
    names = [c.name for c in COMPARISONS] + list(MEASURES)
    chosen = options.only or names
    if unknown := sorted(set(chosen) - set(names)):
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(names)}")
    lines, figures = _in_processes([name for name in names if name in chosen], quick=options.quick)
    text = markdown(lines, figures)
    print(text)
    if options.json:
        content = {"comparisons": [line._asdict() for line in lines], "measures": [f._asdict() for f in figures]}
        options.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    if options.write_readme:
        write_between_markers(README, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
