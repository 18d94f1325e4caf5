"""Clocks: contenders in turns in one process, and whole processes on their own."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median, quantiles
from typing import NamedTuple


class Ratio(NamedTuple):
    """How many times as long one contender took as another."""

    median: float
    """Of the medians of all rounds."""
    low: float
    """Lower quartile of the rounds' own ratios."""
    high: float
    """Upper quartile."""


def in_turns(contenders: Mapping[str, Callable[[], object]], *, rounds: int, budget: float) -> dict[str, list[float]]:
    """Time each contender once a round, and give the seconds by name.

    The first round warms everything and is not counted. The order rotates, so that nobody always follows the
    same neighbour's cache. What a contender returns is freed off the clock.

    Args:
        contenders: what to run, by name.
        rounds: rounds at most; three of them are run, if there are as many, whatever the budget.
        budget: seconds after which no further round is begun.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for turn, names in _rounds(list(contenders), rounds, budget):
        for name in names:
            taken = _clock(contenders[name])
            if turn > 0:
                seconds[name].append(taken)
    return seconds


def beside(
    ours: Callable[[], object], peers: Mapping[str, Callable[[], object]], *, rounds: int, budget: float
) -> dict[str, list[tuple[float, float]]]:
    """Time each peer once a round and ours beside each of them, in turns in front of it and behind it.

    Slow peers leave few rounds: ours is quick, and its median wants more than these. Warming, order, `rounds` and
    `budget` are those of `in_turns`.

    Returns:
        By peer, for each round its seconds and the median of ours in that round.
    """
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in peers}
    for turn, names in _rounds(list(peers), rounds, budget):
        theirs: dict[str, float] = {}
        mine: list[float] = []
        for name in names:
            if turn % 2 == 0:
                mine.append(_clock(ours))
            theirs[name] = _clock(peers[name])
            if turn % 2 == 1:
                mine.append(_clock(ours))
        for name, taken in theirs.items() if turn > 0 else ():
            seconds[name].append((taken, median(mine)))
    return seconds


def _rounds(names: list[str], rounds: int, budget: float) -> Iterator[tuple[int, list[str]]]:
    """Give the number and the order of each round, from 0, which warms, as `in_turns` tells."""
    begin = time.perf_counter()
    for turn in range(rounds + 1):
        if turn > 3 and time.perf_counter() - begin > budget:
            break
        yield turn, names[turn % len(names) :] + names[: turn % len(names)]


def _clock(run: Callable[[], object]) -> float:
    gc.collect()
    begin = time.perf_counter()
    kept = run()
    taken = time.perf_counter() - begin
    del kept
    return taken


def ratio(slower: Sequence[float], faster: Sequence[float]) -> Ratio:
    """Compare the seconds of two contenders, round by round."""
    each = [a / b for a, b in zip(slower, faster, strict=True)]
    low, _, high = quantiles(each, n=4, method="inclusive") if len(each) > 1 else each * 3
    return Ratio(median(slower) / median(faster), low, high)


def process(*command: str, **environment: str) -> tuple[float, str]:
    """Run a command to its end, and give its seconds and what it printed.

    Raises:
        RuntimeError: the command failed; its output is in the message.
    """
    begin = time.perf_counter()
    done = subprocess.run(
        command,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | environment,
    )
    seconds = time.perf_counter() - begin
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}")
    return seconds, done.stdout


def python(code: str, **environment: str) -> float:
    """Seconds that a new interpreter takes to start, run `code` and end."""
    return process(sys.executable, "-c", code, **environment)[0]


# Read by the process itself: what a parent is told (ru_maxrss) includes the parent's own memory.
_PRINT_PEAK = """
print([line for line in open("/proc/self/status") if line.startswith("VmHWM")][0].split()[1])
"""


# "5" makes the resident set that there is the largest one so far.
_RESET_PEAK = """
open("/proc/self/clear_refs", "w").write("5")
print([line for line in open("/proc/self/status") if line.startswith("VmRSS")][0].split()[1])
"""


def memory_growth(prepare: str, code: str, **environment: str) -> float:
    """Memory that `code` takes at its peak beyond what `prepare` left, in units of 2**20 bytes (Linux only).

    What `code` keeps is counted. Both run in one new interpreter.
    """
    _, printed = process(sys.executable, "-c", prepare + _RESET_PEAK + code + _PRINT_PEAK, **environment)
    before, after = map(int, printed.split()[-2:])
    return (after - before) / 1024


def peak_memory(code: str, **environment: str) -> float:
    """Largest resident set, in units of 2**20 bytes, of a new interpreter that runs `code` (Linux only)."""
    _, printed = process(sys.executable, "-c", code + _PRINT_PEAK, **environment)
    return int(printed.split()[-1]) / 1024
