"""What is timed of ours: the calls that a user makes, on one thread."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy.typing as npt
import pyarrow as pa

import predarrow
from predarrow.formats.png import PngDecoder
from predarrow_engine.outlines import Outlines
from predarrow_engine.trace import Tracer

Mask = npt.NDArray[Any]


def tracer() -> Callable[[Mask], Outlines]:
    """Give a function that traces one mask into flat columns, in a workspace that is kept between calls."""
    kept = Tracer()

    def run(mask: Mask) -> Outlines:
        kept.add(mask)
        return kept.take()

    return run


def decoder() -> Callable[[Path], Mask]:
    """Give a function that reads and decodes one PNG file, in a workspace that is kept between calls."""
    kept = PngDecoder()

    def run(path: Path) -> Mask:
        return kept.decode(path.read_bytes(), str(path))

    return run


def read(folder: Path) -> pa.Table:
    """Read a folder of PNG masks into the prediction table."""
    return predarrow.read_masks(folder, workers=1).read_all()


def read_as_encord_active(folder: Path) -> pa.Table:
    """Read a folder of PNG masks, with Encord Active's rule for which contours count."""
    return predarrow.read_masks(folder, workers=1, encord_active=True).read_all()
