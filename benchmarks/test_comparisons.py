"""Every comparison under pytest-benchmark, one group each: `pytest benchmarks`.

For regressions of single contenders (`--benchmark-compare`). Ratios for the README come from
`benchmarks/report.py`, which takes turns; nothing here fails on a time.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.comparison import Comparison, Contender
from benchmarks.comparisons import COMPARISONS

CASES = [
    pytest.param(
        comparison,
        contender,
        id=f"{comparison.name}-{contender.name}",
        marks=pytest.mark.benchmark(group=comparison.name),
    )
    for comparison in COMPARISONS
    for contender in (comparison.ours, *comparison.peers)
]


@pytest.mark.parametrize(("comparison", "contender"), CASES)
def test_comparison(benchmark: BenchmarkFixture, tmp_path: Path, comparison: Comparison, contender: Contender) -> None:
    items = comparison.data.items(max(1, comparison.data.n // 4), 1, tmp_path)
    results = benchmark.pedantic(  # type: ignore[no-untyped-call]  # the one method that it does not type
        lambda: [contender.run(item) for item in items], rounds=3, warmup_rounds=1
    )
    assert len(results) == len(items)
