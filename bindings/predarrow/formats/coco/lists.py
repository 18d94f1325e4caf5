"""The lists of images and categories of a COCO file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Set
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow.errors import InputError, PredarrowError
from predarrow.formats.coco.file import CocoFile, Scanned, texts_of, value_of
from predarrow.formats.coco.names import (
    Categories,
    Images,
    categories_of_names,
    images_of_names,
    listed_categories,
    listed_images,
    numbered_images,
)
from predarrow.formats.coco.text import BlockText
from predarrow.refusals import shown
from predarrow.report import Code, Problem
from predarrow.sources import StrPath

if TYPE_CHECKING:
    from predarrow_engine.coco import CocoImages

_BOTH = frozenset(("images", "categories"))
_TAILS = (1 << 16, 1 << 22)
"""Bytes at the end of a file that are looked at for them."""
_IMAGE = ("id", "file_name", "height", "width")


class Lists(NamedTuple):
    """What a file lists; None for a list that is not there."""

    images: Images | None
    categories: Categories | None


def lists_of(file: CocoFile, needed: Set[str] = _BOTH, *, is_read: bool = False) -> Lists:
    """Give the images and categories of an annotation file; of a list of results there are none.

    Args:
        file: to scan, in full or in part.
        needed: "images", "categories" or both; what is not needed does not have to hold, and may be left out.
        is_read: the file is read in full afterwards, so that its annotations need not be gone through. Another list
            of images or categories among them is to be found then.

    Raises:
        InputError: no JSON, or an image or category that does not hold.
    """
    from predarrow_engine.coco_columns import CATEGORIES, IMAGES, LIST

    if not file.is_dictionary or not needed:
        return Lists(None, None)
    try:
        plain = _plain_lists(file, is_read)
    except InputError:  # the careful way tells what is wrong, and where
        plain = None
    if plain is not None:
        return plain
    kinds: dict[str, int] = {}
    images: list[dict[str, Any]] = []
    categories: list[Any] = []
    for scanned in file.scan((IMAGES, CATEGORIES)):
        data, block = scanned.data, scanned.block
        for start, end, _, kind in block.top.tolist():
            kinds[value_of(data, start, end)] = kind
        if "images" in needed:
            images.extend(_image_rows(scanned, block.images, len(images), file.path))
        categories += [value_of(data, start, end) for what, start, end in block.objects.tolist() if what == CATEGORIES]
    kinds = {name: kind for name, kind in kinds.items() if name in needed}
    for name, kind in kinds.items():
        if kind != LIST:
            raise _refused(file.path, f"$.{name}", "must be a list")
    return Lists(
        listed_images(images, file.path) if "images" in kinds else None,
        listed_categories(_objects(categories, file.path), file.path) if "categories" in kinds else None,
    )


def _plain_lists(file: CocoFile, is_read: bool) -> Lists | None:
    """Give lists whose images all have a whole number as id, a file_name, and both sides or none; None for others.

    Annotations are not looked at: they are when they are read.
    """
    from predarrow_engine.coco_columns import ANNOTATIONS, CATEGORIES, IMAGES

    found = _PlainLists()
    for scanned in file.scan((IMAGES, CATEGORIES), skimmed=(ANNOTATIONS,)):
        if not found.add(scanned):
            return None
        if is_read and "annotations" in found.keys and found.last not in _BOTH:
            is_read, missing = False, _BOTH - found.keys
            tail = _tail(file, missing) if missing else None
            if tail is not None and not found.add(tail):
                return None
            if not missing or tail is not None:
                break
    images = numbered_images(found.ids, found.names, np.concatenate(found.sizes))
    if images is None or not found.keys >= _BOTH:
        return None
    return Lists(images, listed_categories(_objects(found.categories, file.path), file.path))


class _PlainLists:
    """What stands in pieces of a file."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        """Lists at the top."""
        self.last = ""
        """What was met last at the top; a list of that name may go on."""
        self.ids: list[int] = []
        self.names: list[str] = []
        self.sizes: list[npt.NDArray[np.int64]] = [np.zeros((0, 2), np.int64)]
        self.categories: list[Any] = []

    def add(self, scanned: Scanned) -> bool:
        """Take what a piece has; False where that needs a careful look."""
        from predarrow_engine.coco_columns import CATEGORIES, LIST

        data, block = scanned.data, scanned.block
        top = [(value_of(data, start, end), kind) for start, end, _, kind in block.top.tolist()]
        keys = [key for key, kind in top if kind == LIST]
        if top:
            self.last = top[-1][0]
        if not _is_plain(block.images) or not self.keys.isdisjoint(keys):
            return False
        self.keys.update(keys)
        self.ids += block.images.id.value.tolist()
        self.names += texts_of(data, block.images.file_name.span)
        self.sizes.append(np.stack([block.images.height.value, block.images.width.value], 1))
        objects = block.objects.tolist()
        self.categories += [value_of(data, start, end) for what, start, end in objects if what == CATEGORIES]
        return True


def _tail(file: CocoFile, missing: Set[str]) -> Scanned | None:
    """Give the end of a file from the first of the missing lists on; None where they are not found there.

    A quote behind a blank or a comma begins a string, if what follows is such a key: no string ends there. And where
    all behind it is JSON and closes one object that it does not open, that is the one at the top.
    """
    from predarrow_engine.coco import CocoScanner, Gap
    from predarrow_engine.coco_columns import CATEGORIES, IMAGES, UNREAD
    from predarrow_engine.coco_document import FIRST_KEY

    for size in _TAILS:
        data = file.end(size)
        begin = min(data.rfind(f'"{key}"'.encode()) for key in missing)
        if begin > 0:
            break
    else:
        return None
    before, data = data[begin - 1 : begin], data[begin:]
    scanner = CocoScanner(wanted=(IMAGES, CATEGORIES)).at(Gap(FIRST_KEY, UNREAD))
    text = np.frombuffer(data, np.uint8)
    block = scanner.scan(text, last=True)
    if block.code or before not in b", \t\r\n":
        return None
    return Scanned(BlockText(text), block, file.size - len(data), file.size)


def _is_plain(images: CocoImages) -> bool:
    from predarrow_engine.coco_columns import INT, MISSING, STRING

    is_number, is_name = images.id.kind == INT, images.file_name.kind == STRING
    sides = [(side.kind == INT) & (side.value > 0) for side in (images.height, images.width)]
    has_none = (images.height.kind == MISSING) & (images.width.kind == MISSING)
    return bool(((images.kind == 0) & is_number & is_name & (np.logical_and(*sides) | has_none)).all())


def given_images(images: Mapping[Any, Any] | StrPath | None) -> Images | None:
    """Give images of an annotation file, of its dictionary, or of a mapping from id to file name.

    Raises:
        InputError: a file without images, or images that do not hold.
        PredarrowError: something else.
    """
    if images is None:
        return None
    if isinstance(images, Mapping):
        if isinstance(images.get("images"), list):
            return listed_images(_objects(images["images"], "images", "images"), "images")
        return images_of_names(images)
    found = lists_of(_annotation_file(images, "images")).images
    if found is None:
        raise _refused(os.fspath(images), "$", 'must be an object with a list "images"')
    return found


def given_categories(categories: Mapping[Any, Any] | StrPath | None) -> Categories | None:
    """Give categories of an annotation file, of its dictionary, or of a mapping from id to name.

    Raises:
        InputError: a file without categories, or categories that do not hold.
        PredarrowError: something else.
    """
    if categories is None:
        return None
    if isinstance(categories, Mapping):
        if isinstance(categories.get("categories"), list):
            return listed_categories(_objects(categories["categories"], "categories"), "categories")
        return categories_of_names(categories)
    found = lists_of(_annotation_file(categories, "categories")).categories
    if found is None:
        raise _refused(os.fspath(categories), "$", 'must be an object with a list "categories"')
    return found


def _annotation_file(path: Any, what: str) -> CocoFile:
    if not isinstance(path, str | os.PathLike):
        rule = "must be an annotation file, its dictionary, or a mapping of ids to names"
        raise PredarrowError(f"{what}: {rule}, got {shown(path)}")
    return CocoFile(str(os.fspath(path)))


def _image_rows(scanned: Scanned, images: CocoImages, first: int, source: str) -> Iterator[dict[str, Any]]:
    """Give id, file_name, height and width of images."""
    for row in images.kind.nonzero()[0].tolist()[:1]:
        raise _refused(source, f"$.images[{first + row}]", "must be an object")
    spans = [getattr(images, name).span.tolist() for name in _IMAGE]
    data = scanned.data
    for values in zip(*spans, strict=True):
        yield {name: value_of(data, *span) for name, span in zip(_IMAGE, values, strict=True)}


def _objects(rows: list[Any], source: str, name: str = "categories") -> list[Mapping[str, Any]]:
    for row, value in enumerate(rows):
        if not isinstance(value, Mapping):
            raise _refused(source, f"$.{name}[{row}]", f"must be an object, got {shown(value)}")
    return rows


def _refused(source: str, pointer: str, message: str) -> InputError:
    return InputError([Problem(source, None, pointer, Code.BAD_VALUE, message)])
