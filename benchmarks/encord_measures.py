"""How the time of labelling follows the number of frames."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

from benchmarks import encord_data, timing
from benchmarks.encord_comparisons import authored, authored_as_arrays
from benchmarks.measures import Measure


def authoring(n: int = 5000) -> list[Measure]:
    """Twice as many frames, box by box; and all boxes in one call."""
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / kind for kind in ("once", "twice")]
        for folder in folders:
            folder.mkdir()
        (once,), (twice,) = (encord_data.tracks(n * (k + 1), folder) for k, folder in enumerate(folders))
        seconds = timing.in_turns(
            {
                "once": lambda: authored(once),
                "twice": lambda: authored(twice),
                "arrays": lambda: authored_as_arrays(once),
            },
            rounds=3,
            budget=10,
        )
    growth = timing.ratio(seconds["twice"], seconds["once"])
    text = f"x{growth.median:.2f} ({growth.low:.2f} to {growth.high:.2f})"
    what = f"20 objects on {n:,} frames"
    return [
        Measure(f"labelling {what}, against twice as many frames", text, "≤ 2.2 (linear)", growth.median <= 2.2),
        Measure(f"labelling {what} with one call of `add_boxes`", f"{median(seconds['arrays']) * 1e3:.0f} ms"),
    ]
