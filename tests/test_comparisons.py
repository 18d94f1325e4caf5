"""Every line of the benchmarks' table holds: ours and the peers agree on small images."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import data, markdown, report
from benchmarks.comparison import Comparison
from benchmarks.comparisons import COMPARISONS
from benchmarks.digests import Digest, differences
from benchmarks.measures import Measure
from benchmarks.timing import beside, in_turns, memory_growth, ratio


@pytest.mark.parametrize("comparison", COMPARISONS, ids=lambda comparison: comparison.name)
def test_ours_agrees_with_the_peers(comparison: Comparison) -> None:
    report.check(comparison)


def test_differing_results_are_named() -> None:
    one: Digest = {"count": [2], "areas": [(1, 4), (2, 9)]}
    assert differences(one, {"areas": [(2, 9), (1, 4)]}) == []
    assert differences(one, {"areas": [(1, 4), (2, 8)]}) == ["areas: only here [(2, 9)], only there [(2, 8)]"]
    with pytest.raises(ValueError, match="nothing to compare"):
        differences(one, {"boxes": []})


def test_images_are_different_and_the_same_every_time() -> None:
    one, other = data.street(2, 128, 256), data.street(2, 128, 256)
    assert (one[0] != one[1]).any()
    assert all((a == b).all() for a, b in zip(one, other, strict=True))


def test_street_scenes_have_the_statistics_of_cityscapes() -> None:
    import cc3d
    import numpy as np

    for mask in data.street(3):
        n_components = cc3d.connected_components(mask.astype(np.uint16) + 1, connectivity=8).max()
        assert 100 <= n_components <= 220
        assert 18 <= len(np.unique(mask)) <= 23
        assert 10 <= (mask[:, 1:] != mask[:, :-1]).sum() / mask.shape[0] <= 20
        assert 5 <= (mask[1:] != mask[:-1]).sum() / mask.shape[1] <= 10


def test_contenders_take_turns_and_the_first_round_is_not_counted() -> None:
    calls: list[str] = []
    seconds = in_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=4, budget=60)
    assert "".join(calls) == "abbaabbaab"
    assert [len(taken) for taken in seconds.values()] == [4, 4]


def test_ours_is_timed_beside_each_peer_in_front_and_behind() -> None:
    calls: list[str] = []
    peers = {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}
    seconds = beside(lambda: calls.append("o"), peers, rounds=2, budget=60)
    assert " ".join(map("".join, zip(calls[::2], calls[1::2], strict=True))) == "oa ob bo ao oa ob"
    assert {name: [len(pair) for pair in pairs] for name, pairs in seconds.items()} == {"a": [2, 2], "b": [2, 2]}


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's peak of resident memory")
def test_memory_growth_is_the_peak_beyond_what_was_there() -> None:
    before = "kept = b'x' * (32 << 20)\npassing = b'x' * (128 << 20)\ndel passing\n"
    grown = memory_growth(before, "more = b'x' * (16 << 20)\npassing = b'x' * (32 << 20)\ndel passing\n")
    assert 40 < grown < 64  # 48, as exactly as the kernel counts


def test_ratio_is_of_medians() -> None:
    assert ratio([4.0, 6.0, 20.0], [2.0, 2.0, 2.0]).median == 3.0


def test_report_shows_what_loses_and_what_misses_its_target() -> None:
    line = report.Line("trace-x", "x", 4, "images", 3, 2.0, "peer", 1.0, 0.5, 0.4, 0.6, 30, "labels only")
    text = markdown.markdown([line], [Measure("memory", "400 MB", "< 300 MB", False)])
    assert "peer (labels only) | 1 | **0.5** (0.4 to 0.6) | 30 ✗ |" in text
    assert "| memory | 400 MB | < 300 MB ✗ |" in text


def test_report_is_written_between_the_markers_only(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"head\n{markdown.BEGIN}\nold\n{markdown.END}\ntail\n", encoding="utf-8")
    markdown.write_between_markers(page, "new")
    assert page.read_text(encoding="utf-8") == f"head\n{markdown.BEGIN}\nnew\n{markdown.END}\ntail\n"
    page.write_text("no markers", encoding="utf-8")
    with pytest.raises(ValueError, match="needs the lines"):
        markdown.write_between_markers(page, "new")
