"""The one table of comparisons: what is timed, on which data, against whom, and how results are held equal.

`tests/test_comparisons.py` runs every line once on small data and demands agreement; `benchmarks/test_*.py`
hands the same lines to pytest-benchmark; `benchmarks/report.py` times them in turns and writes the README.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks import data, digests, ours, peers
from benchmarks.digests import Digest
from benchmarks.peer_encord_active import import_folder

Mask = npt.NDArray[Any]


@dataclass(frozen=True)
class Data:
    """Images of one kind, and the form in which contenders get them."""

    text: str
    make: Callable[[int, int], list[Mask]]
    """Takes the number of images and a divisor of their sides (1: full size)."""
    n: int
    """Images in one round of a full report."""
    form: Literal["array", "file", "folder"] = "array"
    palette: bool = False

    def items(self, n: int, shrink: int, folder: Path) -> list[Any]:
        """Give what contenders take one by one: arrays, paths of PNG files, or the folder that holds them."""
        masks = self.make(n, shrink)
        if self.form == "array":
            return masks
        paths = [_write(folder / f"{k:06d}.png", mask, self.palette) for k, mask in enumerate(masks)]
        return paths if self.form == "file" else [folder]


def _write(path: Path, mask: Mask, palette: bool) -> Path:
    image = Image.fromarray(mask)
    if palette:
        image.putpalette(np.random.default_rng(0).integers(0, 256, 768).astype(np.uint8).tobytes())
    image.save(path)
    return path


@dataclass(frozen=True)
class Contender:
    """One way to do the work."""

    name: str
    run: Callable[[Any], Any]
    """Takes one item of the data."""
    digest: Callable[[Any], Digest] | None = None
    """What of its result can be held against another's; None: not comparable, `note` says why."""
    target: float | None = None
    """How many times as long as ours it should take."""
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    """Ours against the peers on one kind of data."""

    name: str
    data: Data
    ours: Contender
    peers: Sequence[Contender]


def _trace(
    name: str,
    source: Data,
    *,
    floodfill: float | None = None,
    cc3d: float | None = None,
    **loops: float | None,
) -> Comparison:
    """One line on tracing. `loops` names further peers to time (tuned, equal, naive, gdal) and their targets."""
    by_class = {
        "tuned": Contender("per-class loop, cv2.compare", peers.compare_loop, digests.of_contours),
        "equal": Contender("per-class loop, NumPy ==", peers.tuned_loop, digests.of_contours),
        "naive": Contender("per-class loop, np.unique", peers.naive_loop, digests.of_contours),
        "gdal": Contender("rasterio.features.shapes", peers.gdal_shapes, digests.of_geojson),
    }
    others = [
        Contender("findContours FLOODFILL", peers.floodfill, None, floodfill, "not equivalent: rings without class"),
        Contender("cc3d", peers.cc3d_labels, digests.of_labels, cc3d, "labels only, no outlines"),
    ]
    timed = [Contender(peer.name, peer.run, peer.digest, loops[key]) for key, peer in by_class.items() if key in loops]
    return Comparison(
        f"trace-{name}", source, Contender("predarrow", ours.tracer(), digests.of_outlines), timed + others
    )


def _decode(name: str, source: Data, *, imread: float | None = None, pillow: float | None = None) -> Comparison:
    expands = "expands the palette to colours" if source.palette else ""
    libraries = [
        Contender("cv2.imread", peers.imread, None if expands else digests.of_pixels, imread, expands),
        Contender("Pillow", peers.pillow, digests.of_pixels, pillow),
    ]
    if find_spec("imagecodecs"):
        digest = None if expands else digests.of_pixels
        libraries.append(Contender("imagecodecs", peers.imagecodecs, digest, None, expands))
    return Comparison(f"decode-{name}", source, Contender("predarrow", ours.decoder(), digests.of_pixels), libraries)


def _files(name: str, source: Data, **targets: float | None) -> Comparison:
    """One line on files to columns. `targets` names the peers to time: naive, tuned, floodfill."""
    known = {
        "naive": Contender("Pillow + per-class loop", peers.per_file(peers.pillow, peers.naive_loop), digests.of_files),
        "tuned": Contender("imread + tuned loop", peers.per_file(peers.imread, peers.tuned_loop), digests.of_files),
        "floodfill": Contender(
            "imread + FLOODFILL",
            peers.per_file(peers.imread, peers.floodfill),
            note="not equivalent: rings without class",
        ),
    }
    timed = [Contender(p.name, p.run, p.digest, targets[k], p.note) for k, p in known.items() if k in targets]
    return Comparison(f"files-{name}", source, Contender("predarrow", ours.read, digests.of_table), timed)


def _sized(make: Callable[..., list[Mask]], height: int = 1024, width: int = 2048) -> Callable[[int, int], list[Mask]]:
    return lambda n, shrink: make(n, height // shrink, width // shrink)


def _blobs(classes: int) -> Callable[[int, int], list[Mask]]:
    return lambda n, shrink: data.blobs(n, 4096 // shrink, 4096 // shrink, count=8000 // shrink**2, classes=classes)


def _voronoi(n: int, shrink: int) -> list[Mask]:
    return data.voronoi(n, 4096 // shrink, 4096 // shrink, sites=3000 // shrink**2, classes=100)


_street = _sized(data.street)
_instances = _sized(partial(data.street, instances=True))
_davis = _sized(data.davis, 480, 854)
_encord_active = _sized(data.encord_active, 1024, 1024)

STREET = Data("street scenes 1024x2048, uint8", _street, 16)
STREET_FILES = Data("street scenes 1024x2048, 8-bit PNG", _street, 16, "file")
STREET_FOLDER = Data("64 street scenes 1024x2048, 8-bit PNG", _street, 64, "folder")
INSTANCES = Data("street scenes 1024x2048, uint16 instances", _instances, 16)
INSTANCE_FILES = Data("street scenes 1024x2048, 16-bit PNG", _instances, 16, "file")
INSTANCE_FOLDER = Data("64 street scenes 1024x2048, 16-bit PNG", _instances, 64, "folder")
DAVIS_FILES = Data("video objects 480x854, palette PNG", _davis, 60, "file", palette=True)
DAVIS_FOLDER = Data("400 video frames 480x854, palette PNG", _davis, 400, "folder", palette=True)
ENCORD_ACTIVE = Data("50 masks 1024x1024, 8 classes, 100 blobs each", _encord_active, 50, "folder")
ARGMAX = Data("argmax of 19 scores 1024x2048", _sized(data.argmax), 8)
VORONOI = Data("Voronoi cells 4096x4096, 100 classes", _voronoi, 2)
BLOBS = Data("8,000 blobs 4096x4096, 199 classes", _blobs(200), 2)
MANY_CLASSES = Data("8,000 blobs 4096x4096, 2,999 classes, uint16", _blobs(3000), 2)
NOISE = Data("noise of 19 classes 1024x2048", _sized(data.noise), 2)
SALTED = Data("street scenes 1024x2048, 1 % of the pixels random", _sized(data.salted), 8)
EMPTY = Data("nothing but background 1024x2048", _sized(data.empty), 8)

COMPARISONS: Sequence[Comparison] = (
    _trace("street", STREET, tuned=30, equal=None, naive=60, gdal=80, floodfill=8, cc3d=1),
    _trace("street-u16", INSTANCES, equal=None, naive=None, gdal=None),
    _trace("argmax", ARGMAX, tuned=None, naive=None, gdal=None),
    _trace("voronoi", VORONOI, tuned=150, gdal=None),
    _trace("blobs", BLOBS, tuned=150, gdal=None),
    _trace("many-classes", MANY_CLASSES, gdal=None),  # a per-class loop takes half a minute an image here
    _trace("noise", NOISE, tuned=25, naive=None),
    _trace("salted", SALTED, tuned=None, naive=None),
    _trace("empty", EMPTY, tuned=None, naive=None),
    _decode("street", STREET_FILES, imread=12, pillow=12),
    _decode("street-u16", INSTANCE_FILES, imread=10, pillow=10),
    _decode("palette", DAVIS_FILES),
    _files("street", STREET_FOLDER, naive=35, tuned=15, floodfill=10),
    _files("street-u16", INSTANCE_FOLDER, naive=None, tuned=None, floodfill=None),
    _files("palette", DAVIS_FOLDER, naive=30),
    Comparison(
        "files-encord-active",
        ENCORD_ACTIVE,
        Contender("predarrow", ours.read_as_encord_active, digests.of_table_values),
        (Contender("Encord Active's algorithm", import_folder, digests.of_mask_predictions, 100),),
    ),
)
