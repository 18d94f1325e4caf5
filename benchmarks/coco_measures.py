"""How much memory reading COCO takes."""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path

import predarrow
from benchmarks import coco_data, timing
from benchmarks.coco_comparisons import N_IMAGES, N_POLYGONS
from benchmarks.measures import Measure

_MIB = 1 << 20
_A_FEW = 10
"""What two measurements of the same may differ by, MB."""


def memory() -> list[Measure]:
    """Peak memory of annotations with polygons, in a table and in batches, and of boxes in a table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ((large, _),) = coco_data.polygons(N_POLYGONS, folder, N_IMAGES)
        ((small, _),) = coco_data.polygons(N_POLYGONS // 3, folder, N_IMAGES)
        predarrow.read_coco(small, workers=1).read_all()  # compiles here, and not where memory is measured
        return [*_whole(large), *_in_batches(small, large), _boxes(folder)]


def _whole(path: Path) -> list[Measure]:
    size = path.stat().st_size / _MIB
    whole = timing.peak_memory(f"import predarrow\nkept = {_read(path)}.read_all()\n")
    text, share = f"{whole:.0f} MB ({whole / size:.2f} x the file)", whole / size
    name = f"memory, COCO annotations of {size:.0f} MB with polygons, to a table"
    found = [Measure(name, text, "≤ 1.5 x the file", share <= 1.5)]
    if find_spec("hotcoco"):
        theirs = timing.peak_memory(f"from hotcoco import COCO\nkept = COCO({str(path)!r})\n")
        found.append(Measure("  the same, hotcoco's COCO", f"{theirs:.0f} MB ({theirs / size:.2f} x the file)"))
    return found


def _in_batches(small: Path, large: Path) -> list[Measure]:
    few, many = (timing.peak_memory(f"import predarrow\nfor batch in {_read(path)}: pass\n") for path in (small, large))
    target, is_reached = f"≤ {_A_FEW} MB more than a third", many - few <= _A_FEW
    return [
        Measure("  the same, in batches", f"{many:.0f} MB", target, is_reached),
        Measure("  a third of them, on the same images, in batches", f"{few:.0f} MB"),
    ]


def _boxes(folder: Path) -> Measure:
    """Peak of what reading a million boxes takes, beyond what reading a few has left."""
    few, many = folder / "few", folder / "many"
    few.mkdir()
    many.mkdir()
    ((warm, _),), ((path, _),) = (coco_data.boxes(n, place, "short") for n, place in ((1000, few), (1_000_000, many)))
    extra = timing.memory_growth(f"import predarrow\n{_read(warm)}.read_all()\n", f"kept = {_read(path)}.read_all()\n")
    size = predarrow.read_coco(path).read_all().get_total_buffer_size() / _MIB
    text = f"{extra:.0f} MB ({extra / size:.2f} x the table)"
    name = "memory, 1,000,000 boxes of COCO results to a table, beyond what the process has"
    return Measure(name, text, "< 2 x the table", extra < 2 * size)


def _read(path: Path) -> str:
    return f"predarrow.read_coco({str(path)!r}, workers=1)"
