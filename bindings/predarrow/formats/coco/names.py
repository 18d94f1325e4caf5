"""What COCO's image and category ids stand for: lists of images and categories, given by hand or found in a file.

Ids are compared as text: 42, 42.0 and "42" are one id, "042" is another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow.classes import Texts
from predarrow.errors import InputError
from predarrow.refusals import shown
from predarrow.report import Code, Problem

_LARGEST_SIDE = 2**31 - 1
_TEXT_RULE = "must be text that UTF-8 can hold"
_NAME_HINT = "give the names with images, a mapping of ids to names, or a file with a list of images"

Told = tuple[Code, str]
"""Why something is refused, and the words for it."""


class Numbers(NamedTuple):
    """Ids that are numbers: found as such, without a text of each."""

    ascending: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]
    """(n,) place of each in the columns"""

    def find(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Give the places of ids, -1 for one that there is not."""
        if not self.ascending.size:
            return np.full(numbers.size, -1)
        at = np.minimum(np.searchsorted(self.ascending, numbers), self.ascending.size - 1)
        return np.where(self.ascending[at] == numbers, self.places[at], -1)


class Images(NamedTuple):
    """Images by id, as columns."""

    places: Mapping[str, int]
    """Place in the columns by the id as text."""
    data_units: Texts
    """(n_images,)"""
    frames: npt.NDArray[np.int32]
    """(n_images,)"""
    sizes: npt.NDArray[np.int32]
    """(n_images, 2) height and width in pixels, 0 where unknown"""
    flaws: Mapping[int, Told]
    """Images that no record may be of, by place."""
    rule: str
    """What an id must be that is in none of the places."""
    numbers: Numbers | None = None
    """The ids, where all of them are numbers."""


class Choice(NamedTuple):
    """The class of a category's rows of one kind."""

    name: str | None
    """None leaves the rows out."""
    feature_hash: str | None = None
    is_listed: bool = True
    """False where the category has no name of its own, and is called by its id."""
    told: Told | None = None
    """Why the rows are refused."""


ChooseClass = Callable[[str, str], Choice]
"""Category's id as text and kind of the row -> its class."""


class Classes(NamedTuple):
    """The classes of m categories, each of one kind."""

    names: Texts
    """(m,)"""
    feature_hashes: Texts | None
    """(m,) None without an ontology"""
    are_left_out: npt.NDArray[np.bool_]
    are_unlisted: npt.NDArray[np.bool_]
    told: Mapping[int, Told]
    """Those that no row may be of, by place."""


class Chooser:
    """Classes of blocks of rows; those of the last block are kept, as the next one mostly has the same."""

    def __init__(self, choose: ChooseClass) -> None:
        self._choose = choose
        self._last: tuple[Sequence[tuple[str, str]], Classes] | None = None

    def classes(self, categories: Sequence[tuple[str, str]]) -> Classes:
        """Give the classes of categories, by id and kind."""
        last = self._last
        if last is not None and last[0] == categories:
            return last[1]
        choices = [self._choose(*category) for category in categories]
        hashes = [choice.feature_hash for choice in choices]
        found = Classes(
            Texts([choice.name for choice in choices]),
            Texts(hashes) if any(text is not None for text in hashes) else None,
            np.array([choice.name is None and choice.told is None for choice in choices], np.bool_),
            np.array([not choice.is_listed for choice in choices], np.bool_),
            {place: choice.told for place, choice in enumerate(choices) if choice.told is not None},
        )
        self._last = categories, found
        return found


class Categories(NamedTuple):
    """Categories by id."""

    names: Mapping[str, str | None]
    """By the id as text; None leaves a category out."""
    keypoints: Mapping[str, Sequence[str]]
    """Names of keypoints by the category's id."""

    def choose(self, category: str, kind: str) -> Choice:
        """Give a category's name, its id where it has none."""
        if category in self.names:
            return Choice(self.names[category])
        return Choice(category, is_listed=not self.names)


NO_CATEGORIES = Categories({}, {})


def id_text(value: Any) -> str | None:
    """Give an id as text, None for what is no id: neither a whole number nor text."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def listed_images(rows: Iterable[Mapping[str, Any]], source: str) -> Images:
    """Give COCO's list of images: file_name is the data unit, height and width the size.

    Args:
        rows: the objects under "images".
        source: the file, for errors.

    Raises:
        InputError: an image without id or file_name, a size that is none, or an id that stands for two images.
    """
    names: list[str] = []
    sizes: list[tuple[int, int]] = []
    places: dict[str, int] = {}
    problems: list[Problem] = []
    for row, image in enumerate(rows):
        key, name = id_text(image.get("id")), image.get("file_name")
        size = side_of(image.get("height")), side_of(image.get("width"))
        if key is None:
            problems.append(_problem(source, f"$.images[{row}].id", "must be a whole number or text", image.get("id")))
        elif not isinstance(name, str) or not name:
            problem = _problem(source, f"$.images[{row}].file_name", "must be text that is not empty", name)
            problems.append(problem._replace(message=f"{problem.message}; {_NAME_HINT}"))
        elif not is_utf8(name):
            problems.append(_problem(source, f"$.images[{row}].file_name", _TEXT_RULE, name))
        elif None in size:
            got = [image.get("height"), image.get("width")]
            rule = "must be whole numbers of at least 1 pixel, or not be there"
            problems.append(_problem(source, f"$.images[{row}]: height and width", rule, got))
        elif key in places and (names[places[key]], sizes[places[key]]) != (name, size):
            problems.append(_problem(source, f"$.images[{row}].id", "must stand for one image", image["id"]))
        else:
            places[key] = len(names)
            names.append(name)
            sizes.append((size[0] or 0, size[1] or 0))
    if problems:
        raise InputError(problems)
    return _images(places, names, np.array(sizes).reshape(-1, 2))


def numbered_images(ids: list[int], names: list[str], sizes: npt.NDArray[np.int64]) -> Images | None:
    """Give what `listed_images` gives, many times as fast; None where that has to look at each image.

    Args:
        ids, names: of the images.
        sizes: (n, 2) height and width, 0 where unknown.
    """
    places = {str(number): place for place, number in enumerate(ids)}
    is_plain = len(places) == len(ids) and all(names) and is_utf8("".join(names))
    if not is_plain or (sizes > _LARGEST_SIDE).any():
        return None
    numbers = np.array(ids, np.int64)
    order = np.argsort(numbers)
    return _images(places, names, sizes)._replace(numbers=Numbers(numbers[order], order))


def images_of_names(names: Mapping[Any, Any]) -> Images:
    """Give images of a mapping from id to file name.

    Raises:
        InputError: an id or a name that is none, or an id that stands twice: 1 and "1" are one.
    """
    places: dict[str, int] = {}
    for key, name in names.items():
        text = id_text(key)
        if text is None or not isinstance(name, str) or not name or not is_utf8(name):
            rule = "must map an image's id (a whole number or text) to its file name"
            raise InputError([Problem("images", None, shown(key), Code.BAD_VALUE, f"{rule}, got {shown(name)}")])
        if text in places:
            raise _stands_twice("images", key)
        places[text] = len(places)
    return _images(places, list(names.values()), np.zeros((len(names), 2), np.int64))


def _images(places: Mapping[str, int], names: list[str], sizes: npt.NDArray[np.int64]) -> Images:
    frames = np.zeros(len(names), np.int32)
    rule = "must be the id of an image that is listed"
    return Images(places, Texts(names), frames, sizes.astype(np.int32), {}, rule)


def listed_categories(rows: Iterable[Mapping[str, Any]], source: str) -> Categories:
    """Give COCO's list of categories. Names may repeat, ids may not.

    Args:
        rows: the objects under "categories".
        source: the file, for errors.

    Raises:
        InputError: a category without id or name, or an id that stands for two categories.
    """
    names: dict[str, str | None] = {}
    keypoints: dict[str, list[str]] = {}
    problems: list[Problem] = []
    for row, category in enumerate(rows):
        pointer = f"$.categories[{row}]"
        key, name, points = id_text(category.get("id")), category.get("name"), category.get("keypoints")
        if key is None:
            problems.append(_problem(source, f"{pointer}.id", "must be a whole number or text", category.get("id")))
        elif not isinstance(name, str):
            problems.append(_problem(source, f"{pointer}.name", "must be text", name))
        elif not is_utf8(name):
            problems.append(_problem(source, f"{pointer}.name", _TEXT_RULE, name))
        elif points and not (isinstance(points, list) and all(map(_is_name, points))):
            problems.append(_problem(source, f"{pointer}.keypoints", "must be a list of names", points))
        elif names.get(key, name) != name:
            problems.append(_problem(source, f"{pointer}.id", "must stand for one category", category["id"]))
        else:
            names[key] = name
            if points:
                keypoints[key] = points
    if problems:
        raise InputError(problems)
    return Categories(names, keypoints)


def categories_of_names(names: Mapping[Any, Any]) -> Categories:
    """Give categories of a mapping from id to name; None leaves a category out.

    Raises:
        InputError: an id or a name that is none, or an id that stands twice: 1 and "1" are one.
    """
    result: dict[str, str | None] = {}
    for key, name in names.items():
        text = id_text(key)
        if text is None or not (name is None or _is_name(name)):
            rule = "must map a category's id (a whole number or text) to its name or None"
            raise InputError([Problem("categories", None, shown(key), Code.BAD_VALUE, f"{rule}, got {shown(name)}")])
        if text in result:
            raise _stands_twice("categories", key)
        result[text] = name
    return Categories(result, {})


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and is_utf8(value)


def is_utf8(text: str) -> bool:
    """Tell whether UTF-8 can hold a text: JSON can escape half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def side_of(value: Any) -> int | None:
    """Give a side in pixels, 0 where there is none, None for what is no side."""
    if value is None:
        return 0
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    is_side = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _LARGEST_SIDE
    return value if is_side else None


def _stands_twice(source: str, key: Any) -> InputError:
    return InputError(
        [Problem(source, None, shown(key), Code.BAD_VALUE, f"an id must stand once, got {shown(key)} again")]
    )


def _problem(source: str, pointer: str, rule: str, got: Any) -> Problem:
    return Problem(source, None, pointer, Code.BAD_VALUE, f"{rule}, got {'nothing' if got is None else shown(got)}")
