"""Geometries of one type as a batch of the prediction table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from predarrow.buffers import numbers_array, text_array
from predarrow.classes import Texts
from predarrow.formats.flaws import Flaw
from predarrow.formats.json_text import string_text
from predarrow.formats.openlabel.document import Document
from predarrow.formats.openlabel.geometries import Given
from predarrow.formats.openlabel.places import ClassOf, Place
from predarrow.formats.openlabel.shapes import Ints, Shaped
from predarrow.table import bbox_array, record_batch

T = TypeVar("T")


@dataclass(slots=True)
class Piece:
    """The rows of geometries of one type."""

    given: Given
    shaped: Shaped
    rows: Ints
    """Those of `shaped` that are taken"""
    classes: list[ClassOf]
    chosen: Ints
    """Each row's among `classes`, of all rows of `shaped`"""

    @property
    def n(self) -> int:
        """How many rows are taken."""
        return int(self.rows.size)

    @property
    def numbers(self) -> Ints:
        """(n,) the number of each row's geometry in its file."""
        return self.given.refusals.rows[self.shaped.owner[self.rows]]

    @property
    def owners(self) -> list[int]:
        """(n,) each row's geometry."""
        owners: list[int] = self.shaped.owner[self.rows].tolist()
        return owners

    def without_refused(self) -> Piece:
        """Give it without the rows of refused geometries."""
        bad = self.given.refusals.bad
        return Piece(self.given, self.shaped, np.flatnonzero(~bad[self.shaped.owner]), self.classes, self.chosen)


def piece_of(given: Given, shaped: Shaped, document: Document, class_of: Callable[[str, str], ClassOf | Flaw]) -> Piece:
    """Give rows with their classes; those whose class is none are refused."""
    uids, objects = given.group.uids, document.objects
    owners = shaped.owner.tolist()
    names = shaped.class_names or [objects[uids[owner]].type for owner in owners]
    kinds = [shaped.kinds] * len(names) if isinstance(shaped.kinds, str) else shaped.kinds
    pairs = list(zip(names, kinds, strict=True))
    codes = {pair: code for code, pair in enumerate(dict.fromkeys(pairs))}
    found = [class_of(*pair) for pair in codes]
    chosen = np.fromiter(map(codes.__getitem__, pairs), np.int64, len(pairs))
    for code, each in enumerate(found):
        if isinstance(each, Flaw):
            for row in np.flatnonzero(chosen == code).tolist():
                if not given.refusals.bad[owners[row]]:
                    given.refusals.add_flaw(owners[row], each)
    classes = [ClassOf("", None) if isinstance(each, Flaw) else each for each in found]
    return Piece(given, shaped, np.arange(len(owners)), classes, chosen)


def batch_of(
    piece: Piece, source: str, places: Mapping[int, Place], sizes: Mapping[str, tuple[int, int]]
) -> pa.RecordBatch:
    """Give rows as a batch, without attributes.

    Args:
        piece: with at least one row.
        source: the file.
        places: of frames, by their place in the chunk.
        sizes: height and width of images, by stream.
    """
    given, shaped, owners = piece.given, piece.shaped, piece.owners
    streams = _of(given.streams, owners)
    chosen = None if piece.n == shaped.owner.size else numbers_array(piece.rows)
    columns = {name: _taken(column, chosen) for name, column in shaped.columns.items()}
    if shaped.kinds != "cuboid":
        columns["bbox"] = bbox_array(np.ascontiguousarray(shaped.corners[:, piece.rows]))
    kinds = shaped.kinds if isinstance(shaped.kinds, str) else [shaped.kinds[row] for row in piece.rows.tolist()]
    columns |= {
        **_placed(_of(given.group.frames, owners), streams, places, sizes if shaped.kinds != "cuboid" else {}),
        "object_id": text_array(_of(given.group.uids, owners)),
        "class_name": Texts([each.name for each in piece.classes]).take(piece.chosen[piece.rows]),
        "kind": kinds if isinstance(kinds, str) else text_array(kinds),
        "confidence": np.array(given.confidences, np.float64)[shaped.owner[piece.rows]],
        "stream": streams[0] if len(set(streams)) == 1 else text_array(streams),
        "source": source,
        "row": piece.numbers,
    }
    if any(each.feature_hash is not None for each in piece.classes):
        columns["feature_hash"] = Texts([each.feature_hash for each in piece.classes]).take(piece.chosen[piece.rows])
    if "mask" in columns:
        height, width, _ = columns["mask"].flatten()
        columns |= {"image_height": height, "image_width": width}
    if shaped.kinds == "cuboid":
        columns |= {"image_height": None, "image_width": None}
    return record_batch(piece.n, columns)


def _of(values: Sequence[T], owners: list[int]) -> Sequence[T]:
    return values if owners == list(range(len(values))) else [values[owner] for owner in owners]


def _taken(column: Any, chosen: pa.Array | None) -> Any:
    if chosen is None:
        return column
    return column[np.from_dlpack(chosen)] if isinstance(column, np.ndarray) else column.take(chosen)


def _placed(
    frames: Sequence[int],
    streams: Sequence[str | None],
    places: Mapping[int, Place],
    sizes: Mapping[str, tuple[int, int]],
) -> dict[str, Any]:
    """Give the columns that frames and streams tell."""
    used = {frame: places[frame] for frame in dict.fromkeys(frames)}
    numbers = {frame: place.frame for frame, place in used.items()}
    units = {frame: place.data_unit for frame, place in used.items()}
    is_one = len(set(units.values())) == 1
    columns: dict[str, Any] = {
        "data_unit": units[frames[0]] if is_one else text_array([units[frame] for frame in frames]),
        "frame": np.fromiter(map(numbers.__getitem__, frames), np.int32, len(frames)),
    }
    if not sizes and all(place.size is None for place in used.values()):
        return columns
    known = [used[frame].size or sizes.get(stream or "") for frame, stream in zip(frames, streams, strict=True)]
    is_known = np.array([size is not None for size in known])
    sides = np.array([size or (0, 0) for size in known], np.int32)
    for axis, name in enumerate(("image_height", "image_width")):
        columns[name] = numbers_array(np.ascontiguousarray(sides[:, axis]), is_valid=is_known)
    return columns


def heads_of(piece: Piece) -> list[str]:
    """Give the beginning of each row's attributes, without an end."""
    items, kept = piece.given.items, piece.given.kept
    if not kept:
        return ['{"name":' + string_text(items[owner].name) for owner in piece.owners]
    return ['{"name":' + string_text(items[owner].name) + kept.get(owner, "") for owner in piece.owners]


def inner_of(piece: Piece) -> dict[int, str]:
    """Give members of the attribute "openlabel" of rows, by their places among those that are taken."""
    inner, more = piece.shaped.inner, piece.given.more
    if not inner and not more:
        return {}
    result = {}
    for place, (row, owner) in enumerate(zip(piece.rows.tolist(), piece.owners, strict=True)):
        text = inner.get(row, "")
        if owner in more:
            text = f'"geometry":{more[owner]}{"," if text else ""}{text}'
        if text:
            result[place] = text
    return result
