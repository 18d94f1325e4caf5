"""Which records of COCO files are taken as all written alike."""

from __future__ import annotations

from typing import Any

import pytest

from predarrow.formats.coco.file import CocoFile
from predarrow.formats.coco.plain import plain_part
from predarrow.reader import Part


def sizes_taken(monkeypatch: pytest.MonkeyPatch, block_bytes: int) -> list[int]:
    """Let `read_coco` read blocks of this size; give the list that the number of records of each plain one goes to."""
    monkeypatch.setattr(CocoFile.scan, "__defaults__", (block_bytes,))
    found: list[int] = []

    def counted(records: Any, *rest: Any) -> Part | None:
        found.append(records.image_id.size)
        return plain_part(records, *rest)

    monkeypatch.setattr("predarrow.formats.coco.read.plain_part", counted)
    return found
