"""Rows of one frame -> the frame as OpenLABEL has it."""

from __future__ import annotations

import re
import uuid
from typing import NamedTuple

from predarrow.formats.openlabel.write_attributes import Members
from predarrow.formats.openlabel.write_document import Document, merged
from predarrow.formats.openlabel.write_images import MOST_VALUE, Image
from predarrow.formats.openlabel.write_members import Geometry, geometries_of
from predarrow.formats.openlabel.write_rows import Row
from predarrow.refusals import shown
from predarrow.report import Code

_UID = re.compile(r"-?[0-9]+|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_IDS = uuid.UUID("4a4f8f4c-2f2e-5d7c-9e4e-0b6a3b1d7f10")
"""Namespace of the uids of objects that have no id, or one that OpenLABEL does not allow."""


class Refusal(NamedTuple):
    """Why a row cannot be held."""

    code: Code
    column: str
    message: str


def is_uid(text: str) -> bool:
    """Tell whether OpenLABEL allows this as an object's uid: a whole number or a UUID."""
    return _UID.fullmatch(text) is not None


def uid_of(row: Row, place: int) -> str:
    """Give the uid of a row's object: its id where OpenLABEL allows it, else the UUID that follows from it.

    Args:
        row: of the table.
        place: of the row on its frame, which an object without an id has for one.
    """
    if row.object_id is not None and is_uid(row.object_id):
        return row.object_id
    told = f"frame {row.frame} row {place}" if row.object_id is None else f"object {row.object_id}"
    return str(uuid.uuid5(_IDS, f"{row.data_unit}\n{told}"))


class Frame:
    """What a frame holds, gathered until the next one begins."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._n_rows = 0
        self._kept: Members | None = None
        self._objects: dict[str, Members] = {}
        self._images: dict[tuple[str, str | None, bool], tuple[Image, Members]] = {}
        self._painted: list[tuple[Image, Members]] = []

    def add(self, row: Row, document: Document) -> Refusal | None:
        """Take a row, and tell the document of its object, stream and what was kept; give why it cannot be held."""
        uid = uid_of(row, self._n_rows)
        self._n_rows += 1
        kept = row.item.openlabel
        if kept.file is not None:
            document.keep_file(kept.file)
        if kept.frame is not None and self._kept is None:
            self._kept = kept.frame
        if row.item.object is not None:
            document.keep_object(uid, row.item.object)
        if not row.shapes:
            return None
        refusal = _refusal(row, document.class_of(uid, row.class_name), document.convention)
        if refusal is not None:
            return refusal
        document.add_object(uid, row)
        document.add_stream(row)
        geometries = self._new_geometries(row, uid, document.backgrounds)
        if kept.root:
            document.add_static(uid, geometries)
        else:
            data = self._objects.setdefault(uid, {})
            for geometry in geometries:
                data.setdefault(geometry.type, []).append(geometry.members)
        return None

    def members(self) -> Members | None:
        """Give the frame as it is written; None where nothing stands in it."""
        self._paint()
        if self._kept is None and not self._objects:
            return None
        frame = dict(self._kept or {})
        objects: Members = dict(frame.get("objects") or {})
        for uid, data in self._objects.items():
            known = objects.get(uid) or {}
            objects[uid] = {**known, "object_data": merged(known.get("object_data") or {}, data)}
        return {**frame, "objects": objects} if objects else frame

    def _paint(self) -> None:
        """Give images their value, now that all their rows are known."""
        for image, members in self._painted:
            members["val"] = image.text()
        self._painted.clear()
        self._images.clear()

    def _new_geometries(self, row: Row, uid: str, backgrounds: frozenset[int]) -> list[Geometry]:
        """Give the geometries of a row; none where it is a further one of an image."""
        mask = row.shapes[0].mask
        if mask is None:
            return geometries_of(row, f"{uid}-{self._n_rows - 1}")
        kept = row.item.openlabel
        key = uid, row.item.name, kept.root
        known = self._images.get(key)
        if kept.value is not None and kept.val is None and known is not None and known[0].takes(kept.value, mask):
            known[0].add(kept.value, mask)
            return []
        geometries = geometries_of(row, "")
        image = Image(kept.val, backgrounds)
        image.add(kept.value, mask)
        self._painted.append((image, geometries[0].members))
        if kept.value is not None:
            self._images[key] = self._painted[-1]
        return geometries


def _refusal(row: Row, known: str, convention: str | None) -> Refusal | None:
    """Give why a row cannot be held that is in order by itself."""
    value = row.item.openlabel.value
    if known != row.class_name and value is None:  # an image's values are classes of their own
        rule = "must be the same in all rows of an object"
        return Refusal(Code.CANNOT_HOLD, "class_name", f"{rule}, got {shown(row.class_name)} after {shown(known)}")
    if value is not None and not 0 <= value <= MOST_VALUE:
        return Refusal(Code.BAD_VALUE, "attributes", f"value of pixels must be from 0 to {MOST_VALUE}, got {value}")
    if row.shapes[0].type == "cuboid" and row.item.convention != (convention or row.item.convention):
        rule = "cuboids of a file must be in one convention"
        hint = "predarrow.convert_cuboids gives them"
        got = f"{shown(row.item.convention)} after {shown(convention)}"
        return Refusal(Code.CANNOT_HOLD, "attributes", f"{rule}, got {got}; {hint}")
    return None
