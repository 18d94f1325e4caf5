"""Which images of a prediction set are shown, and from where their pixels come."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.errors import PredarrowError
from predarrow.show import NO_COLOURS, Colour, Colours, Image, contact_sheet, draw

if TYPE_CHECKING:
    from predarrow.ontology import Ontology
    from predarrow.project import Project

FindImage = Callable[[str, int], Path | None]
"""Data unit and frame -> the file of its pixels, None where there is none."""

_COLOUR = re.compile(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")
_IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


class Gallery(NamedTuple):
    """A picture of the first images of a prediction set."""

    picture: Image
    n_images: int
    counts: Counter[str]
    """Predictions shown, by class name."""


def gallery(
    batches: Iterable[pa.RecordBatch],
    find_image: FindImage,
    *,
    limit: int = 9,
    title: Callable[[str], str] = str,
    colours: Colours = NO_COLOURS,
) -> Gallery:
    """Give the first images that have predictions, drawn: one alone in full size, several as a sheet.

    Args:
        batches: predictions in the table's schema and order; no more are read than needed.
        find_image: where an image's pixels are.
        limit: number of images at most.
        title: what to call a data unit.
        colours: of classes, by name.

    Raises:
        PredarrowError: no predictions, or an image whose size is not known.
    """
    counts: Counter[str] = Counter()
    shown = list(_first_images(batches, limit))
    if not shown:
        raise PredarrowError("nothing to draw: no prediction is there, or none that the filters let through")
    long_side = 1280 if len(shown) == 1 else 640
    pictures = []
    for data_unit, frame, rows in shown:
        path = find_image(data_unit, frame)
        image = None if path is None else _read_image(path, rows)
        picture = draw(rows, image, long_side=long_side, colours=colours)
        pictures.append((_caption(title(data_unit), frame, rows.num_rows), picture))
        counts.update(rows["class_name"].to_pylist())
    return Gallery(contact_sheet(pictures, counts, colours=colours), len(pictures), counts)


def ontology_colours(ontology: Ontology) -> dict[str, Colour]:
    """Give the colours of an ontology's classes; those without a colour (`#rrggbb`) are left out."""
    colours: dict[str, Colour] = {}
    for thing in ontology.to_dict().get("objects", []):
        if match := _COLOUR.fullmatch(str(thing.get("color", ""))):
            red, green, blue = (int(channel, 16) for channel in match.groups())
            colours[thing["name"]] = blue, green, red
    return colours


def images_of_project(project: Project) -> FindImage:
    """Give a function that finds the pixels of a project's images by the `uri` of their data units."""

    def find(data_unit: str, frame: int) -> Path | None:
        row = project.data_units.by_id(data_unit)
        if row is None:
            return None
        unit = project.data_units.row(row)
        if unit.kind != "image" or frame != 0 or not unit.uri:
            return None
        path = project.path / unit.uri  # an absolute uri stays itself
        return path if path.is_file() else None

    return find


def images_in_folder(folder: Path) -> FindImage:
    """Give a function that finds images by title: `<title>[__<frame>]` with or without an image's suffix.

    Raises:
        PredarrowError: no such folder.
    """
    if not folder.is_dir():
        raise PredarrowError(f"{folder}: must be a folder of images, got {'a file' if folder.exists() else 'nothing'}")

    def find(data_unit: str, frame: int) -> Path | None:
        stems = [f"{data_unit}__{frame}", data_unit] if frame == 0 else [f"{data_unit}__{frame}"]
        candidates = (folder / f"{stem}{suffix}" for stem in stems for suffix in ("", *_IMAGE_SUFFIXES))
        return next((path for path in candidates if path.is_file()), None)

    return find


def _first_images(batches: Iterable[pa.RecordBatch], limit: int) -> Iterator[tuple[str, int, pa.Table]]:
    """Data unit, frame and rows of the first images. Rows of one image lie side by side."""
    held: list[pa.RecordBatch] = []
    key: tuple[str, int] | None = None
    given = 0
    for batch in batches:
        for image, rows in _runs(batch):
            if image != key and held and key is not None:
                yield *key, pa.Table.from_batches(held)
                held = []
                given += 1
                if given == limit:
                    return
            key = image
            held.append(rows)
    if held and key is not None:
        yield *key, pa.Table.from_batches(held)


def _runs(batch: pa.RecordBatch) -> Iterator[tuple[tuple[str, int], pa.RecordBatch]]:
    if not batch.num_rows:
        return
    units, frames = batch["data_unit"], batch["frame"]
    differs = pc.or_(pc.not_equal(units[1:], units[:-1]), pc.not_equal(frames[1:], frames[:-1]))
    starts = [0, *(np.flatnonzero(np.asarray(differs)) + 1).tolist(), batch.num_rows]
    for start, stop in pairwise(starts):
        yield (units[start].as_py(), frames[start].as_py()), batch.slice(start, stop - start)


def _read_image(path: Path, rows: pa.Table) -> Image | None:
    """Give the pixels as they are stored, or as EXIF turns them where only that has the size that the rows name."""
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None:
        return None
    size = (rows["image_height"][0].as_py(), rows["image_width"][0].as_py())
    if pixels.shape[:2] != size:
        turned = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if turned is not None and turned.shape[:2] == size:
            pixels = turned
    return np.asarray(pixels, np.uint8)


def _caption(title: str, frame: int, n_rows: int) -> str:
    of_frame = f"  frame {frame}" if frame else ""
    return f"{title}{of_frame}  ({n_rows})"
