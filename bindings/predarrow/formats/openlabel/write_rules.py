"""Which rows a file cannot hold beside those that are in it: what a dialect asks of streams, types and objects."""

from __future__ import annotations

from typing import Any, NamedTuple

from predarrow.formats.openlabel.rules import CONVENTIONS, Dialect
from predarrow.formats.openlabel.write_images import MOST_VALUE
from predarrow.formats.openlabel.write_rows import Row
from predarrow.refusals import shown
from predarrow.report import Code

_HINT = 'dialect="asam" (--dialect asam) writes it'
_MIXED_HINT = "mixed=True (--mixed) writes it"
_CONVERT = "predarrow.convert_table_cuboids gives a table in another"


class Refusal(NamedTuple):
    """Why a row cannot be held."""

    code: Code
    column: str
    message: str


class FileRules:
    """The rules of one file, and what was seen of it.

    Args:
        dialect: "kognic" or "asam", see `predarrow.formats.openlabel`.
        mixed: whether geometries of several types may stand in the file, whatever the dialect.
    """

    def __init__(self, dialect: Dialect, *, mixed: bool = False) -> None:
        self._dialect = dialect
        self._is_mixed = mixed
        self._classes: dict[str, str] = {}
        self._first_type: str | None = None
        self._frame: int | None = None
        self._cuboids: set[str] = set()
        self._told: dict[str, Any] | None = None
        self.streams: dict[str, str] = {}
        """Types of streams that are in `told` not"""

    def tell_streams(self, streams: dict[str, Any]) -> None:
        """Take the streams that were kept of the file, where they are the first."""
        if self._told is None:
            self._told = streams

    def refusal(self, row: Row, uid: str) -> Refusal | None:
        """Give why a row cannot be held; else it is counted in."""
        refusal = self._of_class(row, uid) or self._of_values(row)
        if refusal is None and self._dialect == "kognic":
            refusal = self._of_geometry(row, uid) or self._of_stream(row)
        if refusal is None:
            self._count(row, uid)
        return refusal

    def _of_class(self, row: Row, uid: str) -> Refusal | None:
        known = self._classes.get(uid, row.class_name)
        if known == row.class_name or row.item.openlabel.value is not None:  # an image's values are classes themselves
            return None
        rule = "must be the same in all rows of an object"
        return Refusal(Code.CANNOT_HOLD, "class_name", f"{rule}, got {shown(row.class_name)} after {shown(known)}")

    def _of_values(self, row: Row) -> Refusal | None:
        value, wanted = row.item.openlabel.value, CONVENTIONS[self._dialect]
        if value is not None and not 0 <= value <= MOST_VALUE:
            rule = f"value of pixels must be from 0 to {MOST_VALUE}"
            return Refusal(Code.BAD_VALUE, "attributes", f"{rule}, got {value}")
        if row.shapes[0].type == "cuboid" and row.item.convention != wanted:
            rule = f'convention must be "{wanted}" for cuboids of the dialect "{self._dialect}"'
            return Refusal(Code.CANNOT_HOLD, "attributes", f"{rule}, got {shown(row.item.convention)}; {_CONVERT}")
        return None

    def _of_geometry(self, row: Row, uid: str) -> Refusal | None:
        type_ = row.shapes[0].type
        if row.item.openlabel.root:
            return Refusal(
                Code.STATIC_GEOMETRY, "attributes", f"must stand under a frame, got one at the root; {_HINT}"
            )
        if not self._is_mixed and type_ != (self._first_type or type_):
            rule = f"a file must have geometries of one type, {self._first_type} as its first"
            return Refusal(Code.MIXED_GEOMETRIES, "kind", f"{rule}, got {type_}; {_MIXED_HINT}")
        if type_ == "cuboid" and self._frame == row.frame and uid in self._cuboids:
            rule = "an object must have one cuboid on a frame"
            return Refusal(Code.DUPLICATE_GEOMETRY, "object_id", f"{rule}, got a second one of {uid}; {_HINT}")
        return None

    def _of_stream(self, row: Row) -> Refusal | None:
        if row.stream is None:
            return Refusal(Code.NO_STREAM, "stream", f"must be given, got null; {_HINT}")
        is_solid = row.shapes[0].type == "cuboid"
        told = (self._told or {}).get(row.stream)
        known = told.get("type") if isinstance(told, dict) else self.streams.get(row.stream)
        if known is not None and (known == "camera") == is_solid:
            rule = "flat geometries must be in a camera's stream, cuboids in another's"
            return Refusal(Code.WRONG_STREAM, "stream", f"{rule}, got {shown(row.stream)} of type {known}; {_HINT}")
        return None

    def _count(self, row: Row, uid: str) -> None:
        type_ = row.shapes[0].type
        if row.item.openlabel.value is None:
            self._classes.setdefault(uid, row.class_name)
        self._first_type = self._first_type or type_
        if self._frame != row.frame:
            self._frame = row.frame
            self._cuboids.clear()
        if type_ == "cuboid":
            self._cuboids.add(uid)
        if row.stream is not None and row.stream not in (self._told or {}):
            self._count_stream(row, row.stream, is_flat=type_ != "cuboid")

    def _count_stream(self, row: Row, stream: str, *, is_flat: bool) -> None:
        """Take a stream that the file does not tell the type of, unless the file came without it."""
        is_as_read = self._told is not None and row.item.name is not None
        if not is_as_read and (is_flat or stream not in self.streams):
            self.streams[stream] = "camera" if is_flat else "lidar"
