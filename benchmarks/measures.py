"""What no peer is needed for: memory, start-up, threads, and the way into a project."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

import predarrow
from benchmarks import data, mask_comparisons, ours, prediction_data, timing
from benchmarks.comparison import Data
from predarrow.data_units import DataUnits
from predarrow.ontology import Ontology
from predarrow.project import Project
from predarrow_engine.kitti import parse


class Measure(NamedTuple):
    """One figure of the report."""

    name: str
    value: str
    target: str = ""
    reached: bool | None = None
    """Whether the target is met; None without one."""


@contextmanager
def _folder(source: Data, n: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source.items(n, 1, folder)
        yield folder


def memory() -> list[Measure]:
    """Peak resident memory of whole processes: Encord Active's workload, and few files against many."""
    read = "import predarrow\nfor batch in predarrow.read_masks({!r}, workers=1): pass\n"
    peer = f"import sys; sys.path.insert(0, {str(Path.cwd())!r})\nfrom pathlib import Path\n"
    peer += "from benchmarks.peer_encord_active import import_folder\nkept = import_folder(Path({!r}))\n"
    with _folder(mask_comparisons.ENCORD_ACTIVE, 50) as folder:
        table = f"import predarrow\nkept = predarrow.read_masks({str(folder)!r}, workers=1).read_all()\n"
        mine, theirs = timing.peak_memory(table), timing.peak_memory(peer.format(str(folder)))
    few, many = (_peak_of_links(read, n) for n in (1_000, 20_000))
    return [
        Measure("memory, 50 masks of Encord Active's workload", f"{mine:.0f} MB", "< 300 MB", mine < 300),
        Measure("  the same, Encord Active's algorithm", f"{theirs:.0f} MB"),
        Measure("memory, 1,000 palette masks of 480x854, in batches", f"{few:.0f} MB"),
        Measure("  the same, 20,000 masks", f"{many:.0f} MB", "no more than 1,000 need", many < few * 1.1),
    ]


def _peak_of_links(code: str, n: int) -> float:
    """Peak memory of `code` on a folder of n names for 100 files."""
    with _folder(mask_comparisons.DAVIS_FOLDER, 100) as folder:
        originals = sorted(folder.glob("*.png"))
        for k in range(len(originals), n):
            os.link(originals[k % len(originals)], folder / f"{k:06d}.png")
        return timing.peak_memory(code.format(str(folder)))


def start_up() -> list[Measure]:
    """Import, command line, first call of a fresh installation and of a new process."""
    trace = "import numpy, predarrow; predarrow.from_label_mask(numpy.eye(9, dtype='u1'))"
    with tempfile.TemporaryDirectory() as name:
        caches = {"PREDARROW_CACHE_DIR": name, "NUMBA_CACHE_DIR": f"{name}/kernels"}
        cold = timing.python(trace, **caches)
        warm = median(timing.python(trace, **caches) for _ in range(5))
    bare = median(timing.python("pass") for _ in range(9))
    imported = (median(timing.python("import predarrow") for _ in range(9)) - bare) * 1000
    command = str(Path(sys.executable).with_name("predarrow"))
    help_seconds = median(timing.process(command, "--help")[0] for _ in range(9))
    return [
        Measure("`import predarrow`, beyond Python itself", f"{imported:.0f} ms", "< 50 ms", imported < 50),
        Measure("`predarrow --help`", f"{help_seconds * 1000:.0f} ms", "< 200 ms", help_seconds < 0.2),
        Measure("first `from_label_mask` of a fresh installation (compiles)", f"{cold:.1f} s"),
        Measure("first `from_label_mask` of a new process (compiles nothing)", f"{warm:.2f} s"),
    ]


def overhead() -> list[Measure]:
    """What `from_label_mask` adds to its kernel, on one object in 64x64."""
    mask = data.blobs(1, 64, 64, count=1, classes=2)[0]
    trace = ours.tracer()

    def repeated(run: Callable[[], object]) -> Callable[[], object]:
        return lambda: [run() for _ in range(200)]

    seconds = timing.in_turns(
        {
            "table": repeated(lambda: predarrow.from_label_mask(mask)),
            "kernel": repeated(lambda: trace(mask)),
        },
        rounds=15,
        budget=10,
    )
    added = (median(seconds["table"]) - median(seconds["kernel"])) / 200 * 1e6
    return [Measure("`from_label_mask` beyond its kernel", f"{added:.0f} µs", "≤ 50 µs", added <= 50)]


def threads(n: int = 64) -> list[Measure]:
    """Two threads against one, files to columns."""
    with _folder(mask_comparisons.STREET_FOLDER, n) as folder:
        seconds = timing.in_turns(
            {
                "one": lambda: predarrow.read_masks(folder, workers=1).read_all(),
                "two": lambda: predarrow.read_masks(folder, workers=2).read_all(),
            },
            rounds=9,
            budget=30,
        )
    gain = timing.ratio(seconds["one"], seconds["two"])
    text = f"x{gain.median:.2f} ({gain.low:.2f} to {gain.high:.2f})"
    return [Measure("two threads against one, street PNG to columns", text, "≥ 1.7", gain.median >= 1.7)]


def collector() -> list[Measure]:
    """What a `Collector` adds to a loop of 20 ms a step, with batches of 8 images of 100 boxes."""
    steps = 100
    batch = prediction_data.detections(8, 100)

    def run() -> object:
        collected = predarrow.Collector()
        for _ in range(steps):
            collected.add(**batch)
        return collected

    seconds = timing.in_turns({"collect": run}, rounds=15, budget=10)
    added = median(seconds["collect"]) / steps
    share = added / 0.02
    text = f"{share:.1%} ({added * 1e6:.0f} µs)"
    return [Measure("`Collector` in a loop of 20 ms a step, 8 images of 100 boxes each", text, "< 2 %", share < 0.02)]


def kitti_parse() -> list[Measure]:
    """The kernel alone on the lines of 7,481 files, as a prototype was measured on."""
    with tempfile.TemporaryDirectory() as name:
        (folder,) = prediction_data.kitti_folder(7481, Path(name))
        texts = [path.read_bytes() for path in sorted(folder.iterdir())]
    data, offsets = np.frombuffer(b"".join(texts), np.uint8), np.cumsum([0, *map(len, texts)])
    seconds = timing.in_turns({"parse": lambda: parse(data, offsets)}, rounds=25, budget=10)
    taken = median(seconds["parse"]) * 1e3
    lines = f"{data.tobytes().count(10):,}"
    what = f"KITTI: {lines} lines of 7,481 files in memory, parsed"
    return [Measure(what, f"{taken:.1f} ms", "≤ 4.9 ms", taken <= 4.9)]


def _project(path: Path, masks: Path) -> tuple[Project, dict[str, int]]:
    """Give a project with one data unit per mask, and the mapping from its classes to pixel values."""
    values = range(1, 34)
    ontology = Ontology.from_classes([f"class {value}" for value in values])
    data_units = DataUnits.from_table({"id": [file.stem for file in sorted(masks.glob("*.png"))]})
    mapping = {entry.feature_hash: value for entry, value in zip(ontology.objects, values, strict=True)}
    return Project.create(path, ontology=ontology, data_units=data_units), mapping


def project(n: int = 64) -> list[Measure]:
    """Into a project (matched, written as Parquet, committed) against into columns only."""
    with _folder(mask_comparisons.STREET_FOLDER, n) as folder, tempfile.TemporaryDirectory() as name:
        target, mapping = _project(Path(name) / "project", folder)
        seconds = timing.in_turns(
            {
                "columns": lambda: ours.read(folder),
                "project": lambda: predarrow.import_mask_predictions(target, folder, mapping, workers=1),
            },
            rounds=9,
            budget=30,
        )
    cost = timing.ratio(seconds["project"], seconds["columns"])
    text = f"x{cost.median:.2f} ({cost.low:.2f} to {cost.high:.2f})"
    return [Measure("into a project against into columns, street PNG", text, "≤ 2", cost.median <= 2)]
