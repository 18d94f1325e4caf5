"""Where the rows of a frame belong, and what a file's classes are in the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from predarrow.formats.openlabel.document import Document, FileFrame


class Place(NamedTuple):
    """Where the rows of a frame belong."""

    data_unit: str
    frame: int
    size: tuple[int, int] | None = None
    """Height and width of its images, where they are known otherwise than from the file"""


Match = Callable[[Document, FileFrame, str | None], Place]
"""Tells where a frame's rows belong, from the file, the frame and its external_id, or raises a `Flaw`."""


class ClassOf(NamedTuple):
    """What a class of the file is in the table."""

    name: str
    feature_hash: str | None


Classes = Callable[[str, str], ClassOf]
"""Gives the class of a type and a kind, or raises a `Flaw`."""


def as_it_is(document: Document, frame: FileFrame, _: str | None) -> Place:
    """Place a frame's rows by the file's own name."""
    return Place(document.name, frame.number)


def own_class(type_: str, _: str) -> ClassOf:
    """Give the class that the file names."""
    return ClassOf(type_, None)
