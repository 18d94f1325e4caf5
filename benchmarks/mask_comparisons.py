"""Comparisons on masks: tracing, decoding, and files to columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks import data, digests, ours, peers
from benchmarks.comparison import Comparison, Contender, Data
from benchmarks.peer_encord_active import import_folder

Mask = npt.NDArray[Any]


Make = Callable[[int, int], list[Mask]]
"""Takes the number of images and a divisor of their sides (1: full size)."""


def _write(path: Path, mask: Mask, palette: bool) -> Path:
    image = Image.fromarray(mask)
    if palette:
        image.putpalette(np.random.default_rng(0).integers(0, 256, 768).astype(np.uint8).tobytes())
    image.save(path)
    return path


def _arrays(text: str, make: Make, n: int) -> Data:
    return Data(text, n, lambda n, shrink, _: make(n, shrink))


def _pngs(text: str, make: Make, n: int, *, palette: bool = False) -> Data:
    def items(n: int, shrink: int, folder: Path) -> list[Path]:
        return [_write(folder / f"{k:06d}.png", mask, palette) for k, mask in enumerate(make(n, shrink))]

    return Data(text, n, items)


def _folder(text: str, make: Make, n: int, *, palette: bool = False) -> Data:
    def items(n: int, shrink: int, folder: Path) -> list[Path]:
        for k, mask in enumerate(make(n, shrink)):
            _write(folder / f"{k:06d}.png", mask, palette)
        return [folder]

    return Data(text, n, items)


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


def _decode(
    name: str, source: Data, *, imread: float | None = None, pillow: float | None = None, palette: bool = False
) -> Comparison:
    expands = "expands the palette to colours" if palette else ""
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

STREET = _arrays("street scenes 1024x2048, uint8", _street, 16)
STREET_FILES = _pngs("street scenes 1024x2048, 8-bit PNG", _street, 16)
STREET_FOLDER = _folder("64 street scenes 1024x2048, 8-bit PNG", _street, 64)
INSTANCES = _arrays("street scenes 1024x2048, uint16 instances", _instances, 16)
INSTANCE_FILES = _pngs("street scenes 1024x2048, 16-bit PNG", _instances, 16)
INSTANCE_FOLDER = _folder("64 street scenes 1024x2048, 16-bit PNG", _instances, 64)
DAVIS_FILES = _pngs("video objects 480x854, palette PNG", _davis, 60, palette=True)
DAVIS_FOLDER = _folder("400 video frames 480x854, palette PNG", _davis, 400, palette=True)
ENCORD_ACTIVE = _folder("50 masks 1024x1024, 8 classes, 100 blobs each", _encord_active, 50)
ARGMAX = _arrays("argmax of 19 scores 1024x2048", _sized(data.argmax), 8)
VORONOI = _arrays("Voronoi cells 4096x4096, 100 classes", _voronoi, 2)
BLOBS = _arrays("8,000 blobs 4096x4096, 199 classes", _blobs(200), 2)
MANY_CLASSES = _arrays("8,000 blobs 4096x4096, 2,999 classes, uint16", _blobs(3000), 2)
NOISE = _arrays("noise of 19 classes 1024x2048", _sized(data.noise), 2)
SALTED = _arrays("street scenes 1024x2048, 1 % of the pixels random", _sized(data.salted), 8)
EMPTY = _arrays("nothing but background 1024x2048", _sized(data.empty), 8)

MASKS: Sequence[Comparison] = (
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
    _decode("palette", DAVIS_FILES, palette=True),
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
