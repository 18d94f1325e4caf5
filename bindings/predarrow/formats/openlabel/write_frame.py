"""Rows of one frame -> the frame as OpenLABEL has it."""

from __future__ import annotations

import re
import uuid

from predarrow.formats.openlabel.attributes import DEFAULT_CONFIDENCE, is_number, object_confidence
from predarrow.formats.openlabel.write_attributes import Members
from predarrow.formats.openlabel.write_document import Document, merged
from predarrow.formats.openlabel.write_images import Image
from predarrow.formats.openlabel.write_members import Geometry, geometries_of
from predarrow.formats.openlabel.write_rows import Row
from predarrow.formats.openlabel.write_rules import Refusal

_UID = re.compile(r"-?[0-9]+|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_IDS = uuid.UUID("4a4f8f4c-2f2e-5d7c-9e4e-0b6a3b1d7f10")
"""Namespace of the uids of objects that have no id, or one that OpenLABEL does not allow."""


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
        refusal = document.rules.refusal(row, uid)
        if refusal is not None:
            return refusal
        document.add_object(uid, row)
        geometries = self._new_geometries(row, uid, document)
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
        kept: Members = frame.get("objects") or {}
        objects: Members = {}  # in the order of the rows, which readers number them by
        for uid, data in self._objects.items():
            known = kept.get(uid) or {}
            objects[uid] = {**known, "object_data": merged(data, known.get("object_data") or {})}
        objects |= {uid: item for uid, item in kept.items() if uid not in objects}
        return {**frame, "objects": objects} if objects else frame

    def _default_confidence(self, uid: str) -> float:
        """Give the confidence that readers take for an object's geometries that tell none."""
        kept = ((self._kept or {}).get("objects") or {}).get(uid) or {}
        found = object_confidence(kept.get("object_data") or {})
        return float(found[1]) if found is not None and is_number(found[1]) else DEFAULT_CONFIDENCE

    def _paint(self) -> None:
        """Give images their value, now that all their rows are known."""
        for image, members in self._painted:
            members["val"] = image.text()
        self._painted.clear()
        self._images.clear()

    def _new_geometries(self, row: Row, uid: str, document: Document) -> list[Geometry]:
        """Give the geometries of a row; none where it is a further one of an image."""
        mask, default = row.shapes[0].mask, self._default_confidence(uid)
        if mask is None:
            return geometries_of(row, f"{uid}-{self._n_rows - 1}", default)
        kept = row.item.openlabel
        key = uid, row.item.name, kept.root
        known = self._images.get(key)
        if kept.value is not None and kept.val is None and known is not None and known[0].takes(kept.value, mask):
            known[0].add(kept.value, mask)
            return []
        geometries = geometries_of(row, "", default)
        image = Image(kept.val, document.backgrounds)
        image.add(kept.value, mask)
        self._painted.append((image, geometries[0].members))
        if kept.value is not None:
            self._images[key] = self._painted[-1]
        return geometries
