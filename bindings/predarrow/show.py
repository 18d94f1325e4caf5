"""Predictions drawn on their image: filled polygons with holes, outlines, labels, a legend; several on one sheet.

Pictures are (height, width, 3) uint8 in OpenCV's order of colours (blue, green, red). A class has the
same colour in every picture: its ontology's, else one from its name.
"""

from __future__ import annotations

import colorsys
import uuid
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.errors import PredarrowError

Image = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]
"""Blue, green, red."""
Colours = Mapping[str, Colour]
NO_COLOURS: Colours = MappingProxyType({})

_FILL = 0.42  # opacity
_SHIFT = 4  # OpenCV draws in 1/16 pixels
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_BACKGROUND: Colour = (46, 42, 40)
_PAPER: Colour = (28, 25, 24)
_INK: Colour = (235, 232, 230)
_MARGIN = 12
_LABELS = 60  # of one picture: more hide what they name
_SMALLEST_PICTURE = 480  # a mask of a few pixels is drawn in large ones


class _Shape(NamedTuple):
    """One prediction, in the picture's pixels."""

    label: str
    colour: Colour
    box: tuple[float, float, float, float]
    parts: list[list[npt.NDArray[np.int32]]]
    """Parts, their rings, (n, 1, 2) fixed-point vertices."""


def draw(
    rows: pa.Table,
    image: Image | None = None,
    *,
    long_side: int = 1280,
    labels: bool = True,
    colours: Colours = NO_COLOURS,
) -> Image:
    """Give one image's predictions drawn on it.

    Args:
        rows: predictions of one image, in the table's schema: polygons, else boxes.
        image: (height, width, 3) blue, green, red; None for a plain ground of the size that the rows name.
        long_side: the picture's larger side at most; small images are drawn enlarged, up to 480 pixels.
        labels: write class and confidence where there is room.
        colours: of classes, by name.

    Raises:
        PredarrowError: no image, and rows that do not tell its size.
    """
    canvas = _canvas(rows, image, long_side)
    shapes = sorted(_shapes(rows, canvas.shape[1], canvas.shape[0], colours), key=lambda shape: -_area(shape.box))
    filled = canvas.copy()
    for shape in shapes:
        for part in shape.parts:  # one call for all rings of a part: even-odd, so that holes stay open
            cv2.fillPoly(filled, part, shape.colour, cv2.LINE_AA, _SHIFT)
    canvas = cv2.addWeighted(filled, _FILL, canvas, 1 - _FILL, 0).astype(np.uint8)
    for shape in shapes:
        for part in shape.parts:
            cv2.polylines(canvas, part, True, shape.colour, 1, cv2.LINE_AA, _SHIFT)
    if labels:
        _write_labels(canvas, shapes)
    return canvas


def contact_sheet(
    pictures: Sequence[tuple[str, Image]],
    counts: Counter[str] | None = None,
    *,
    columns: int | None = None,
    colours: Colours = NO_COLOURS,
) -> Image:
    """Give titled pictures side by side, with a legend of the classes below.

    Args:
        pictures: titles and pictures.
        counts: predictions by class name, for the legend.
        columns: pictures in a row; by default about as many as rows.
        colours: of classes, by name.

    Raises:
        PredarrowError: no picture.
    """
    if not pictures:
        raise PredarrowError("a contact sheet needs at least one picture, got none")
    columns = columns or int(np.ceil(np.sqrt(len(pictures))))
    titled = [_titled(title, picture) for title, picture in pictures]
    strips = []
    for start in range(0, len(titled), columns):
        strip = titled[start : start + columns]
        height = max(picture.shape[0] for picture in strip)
        strips.append(np.hstack([_padded(picture, height, picture.shape[1] + _MARGIN) for picture in strip]))
    width = max(max(strip.shape[1] for strip in strips) + _MARGIN, _SMALLEST_PICTURE)
    rows = [_shifted(_padded(strip, strip.shape[0] + _MARGIN, width - _MARGIN)) for strip in strips]
    if counts:
        rows.append(_legend(counts, width, colours))
    return np.vstack([_padded(row, row.shape[0], width) for row in rows])


def write_picture(picture: Image, path: str | Path) -> None:
    """Write a picture as PNG; a file has its name once it is whole.

    Raises:
        PredarrowError: the file cannot be written.
    """
    is_encoded, data = cv2.imencode(".png", picture)
    if not is_encoded:
        raise PredarrowError(f"{path}: a picture of shape {picture.shape} cannot be written as PNG")
    try:
        _write_whole(Path(path), data.tobytes())
    except OSError as error:
        raise PredarrowError(f"{path}: must be a file that can be written, got {error.strerror or error}") from None


def _write_whole(path: Path, data: bytes) -> None:
    if path.exists() and not path.is_file():  # renamed over, a pipe would be a file from then on
        path.write_bytes(data)
        return
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        with suppress(OSError):  # it has its name, or there is no such folder
            temporary.unlink()


def class_colour(name: str, colours: Colours = NO_COLOURS) -> Colour:
    """Give the colour of a class: the one among `colours`, else one made of its name."""
    if name in colours:
        return colours[name]
    digest = zlib.crc32(name.encode()) * 0x9E3779B1 & 0xFFFFFFFF  # crc32 alone puts similar names side by side
    hue, saturation, value = (digest >> 16) / 65536, 0.55 + (digest & 255) / 640, 0.8 + (digest >> 8 & 255) / 1280
    red, green, blue = (round(255 * channel) for channel in colorsys.hsv_to_rgb(hue, saturation, value))
    return blue, green, red


def _canvas(rows: pa.Table, image: Image | None, long_side: int) -> Image:
    if image is None:
        height, width = (_first(rows[name]) for name in ("image_height", "image_width"))
        if not height or not width:
            raise PredarrowError("the rows do not tell the image's size, so there must be an image to draw on")
        scale = _scale(height, width, long_side)
        shape = (max(1, round(height * scale)), max(1, round(width * scale)), 3)
        return np.broadcast_to(np.array(_BACKGROUND, np.uint8), shape).copy()
    image_height, image_width = image.shape[:2]
    scale = _scale(image_height, image_width, long_side)
    size = (max(1, round(image_width * scale)), max(1, round(image_height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    return np.ascontiguousarray(cv2.resize(image, size, interpolation=how), np.uint8)


def _scale(height: int, width: int, long_side: int) -> float:
    longest = max(height, width)
    if longest > long_side:
        return long_side / longest
    return max(1, min(_SMALLEST_PICTURE, long_side) // longest)


def _first(column: pa.ChunkedArray) -> int | None:
    known = column.drop_null()
    return int(known[0].as_py()) if len(known) else None


def _shapes(rows: pa.Table, width: int, height: int, colours: Colours) -> Iterator[_Shape]:
    """Predictions scaled to a picture of this size."""
    scale = np.array(
        [width / (_first(rows["image_width"]) or width), height / (_first(rows["image_height"]) or height)]
    )
    names = rows["class_name"].to_pylist()
    confidences = rows["confidence"].to_pylist()
    boxes = rows["bbox"].to_pylist()
    polygons = _polygons(rows["polygon"], scale)
    for name, confidence, box, parts in zip(names, confidences, boxes, polygons, strict=True):
        label = name if confidence is None else f"{name} {confidence:.2f}"
        if box is not None:
            corners = np.array([[box["xmin"], box["ymin"]], [box["xmax"], box["ymax"]]]) * scale
            if not parts:
                (left, top), (right, bottom) = corners
                parts = [[_fixed(np.array([[left, top], [right, top], [right, bottom], [left, bottom]]))]]
            yield _Shape(label, class_colour(name, colours), tuple(corners.reshape(-1)), parts)


def _polygons(column: pa.ChunkedArray, scale: npt.NDArray[np.float64]) -> Iterator[list[list[npt.NDArray[np.int32]]]]:
    for chunk in column.chunks:
        of_row, of_part, of_ring = chunk.offsets, chunk.values.offsets, chunk.values.values.offsets
        rows, parts, rings = (offsets.to_numpy() for offsets in (of_row, of_part, of_ring))
        first, last = (int(rings[parts[row]]) for row in (rows[0], rows[-1]))  # a slice shares all vertices
        vertices = chunk.values.values.values.slice(first, last - first)
        xy = _fixed(np.stack([np.asarray(vertices.field(axis)) for axis in (0, 1)], axis=1) * scale)
        rings = rings - first
        for row in range(len(chunk)):
            yield [
                [xy[rings[ring] : rings[ring + 1]] for ring in range(parts[part], parts[part + 1])]
                for part in range(rows[row], rows[row + 1])
            ]


def _fixed(xy: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Corner-based pixels as OpenCV's fixed-point numbers, whose whole values are pixel centres."""
    return np.rint((xy - 0.5) * (1 << _SHIFT)).astype(np.int32)[:, None, :]


def _write_labels(canvas: Image, shapes: Iterable[_Shape]) -> None:
    placed: list[tuple[int, int, int, int]] = []
    for shape in shapes:
        left, top, right, bottom = (round(edge) for edge in shape.box)
        width, height = _text_size(shape.label)
        if right - left < width // 2 or bottom - top < height or len(placed) >= _LABELS:
            continue
        x = max(0, min(left, canvas.shape[1] - width))
        for y in (top, top - height, bottom - height, (top + bottom - height) // 2):
            box = (x, y, x + width, y + height)
            if 0 <= y <= canvas.shape[0] - height and not any(_overlap(box, other) for other in placed):
                placed.append(box)
                _write_label(canvas, shape.label, x, y, shape.colour)
                break


def _write_label(canvas: Image, text: str, x: int, y: int, colour: Colour) -> None:
    width, height = _text_size(text)
    cv2.rectangle(canvas, (x, y), (x + width - 1, y + height - 1), colour, cv2.FILLED)
    blue, green, red = colour
    is_light = 0.114 * blue + 0.587 * green + 0.299 * red > 140
    _write(canvas, text, x + 3, y, (0, 0, 0) if is_light else (255, 255, 255))


def _text_size(text: str, scale: float = 0.4) -> tuple[int, int]:
    (width, height), base = cv2.getTextSize(_ascii(text), _FONT, scale, 1)
    return width + 6, height + base + 2


def _write(canvas: Image, text: str, x: int, y: int, colour: Colour, scale: float = 0.4) -> None:
    """Write text whose top left corner is x, y."""
    (_, height), _ = cv2.getTextSize(_ascii(text), _FONT, scale, 1)
    cv2.putText(canvas, _ascii(text), (x, y + height + 2), _FONT, scale, colour, 1, cv2.LINE_AA)


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()  # OpenCV's fonts have no other letters


def _titled(title: str, picture: Image) -> Image:
    strip = np.broadcast_to(np.array(_PAPER, np.uint8), (24, picture.shape[1], 3)).copy()
    _write(strip, title, 0, 3, _INK, 0.45)
    return np.vstack([strip, picture])


def _legend(counts: Counter[str], width: int, colours: Colours) -> Image:
    lines: list[list[tuple[str, str]]] = [[]]
    x = _MARGIN
    for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        text = f"{name} ({count})"
        entry = 24 + _text_size(text, 0.45)[0] + _MARGIN
        if x + entry > width and lines[-1]:
            lines.append([])
            x = _MARGIN
        lines[-1].append((name, text))
        x += entry
    canvas = np.broadcast_to(np.array(_PAPER, np.uint8), (24 * len(lines) + _MARGIN, width, 3)).copy()
    for number, line in enumerate(lines):
        x = _MARGIN
        for name, text in line:
            y = 24 * number
            cv2.rectangle(canvas, (x, y + 3), (x + 15, y + 16), class_colour(name, colours), cv2.FILLED)
            _write(canvas, text, x + 22, y + 2, _INK, 0.45)
            x += 24 + _text_size(text, 0.45)[0] + _MARGIN
    return canvas


def _padded(picture: Image, height: int, width: int) -> Image:
    below, right = max(0, height - picture.shape[0]), max(0, width - picture.shape[1])
    padded = cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_CONSTANT, value=_PAPER)
    return np.asarray(padded, np.uint8)


def _shifted(picture: Image) -> Image:
    moved = cv2.copyMakeBorder(picture, 0, 0, _MARGIN, 0, cv2.BORDER_CONSTANT, value=_PAPER)
    return np.asarray(moved, np.uint8)


def _area(box: tuple[float, float, float, float]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
