"""Image and category ids of COCO files that are written: told by the caller, or given by a rule.

The rule looks at the first name. Where it is a whole number as COCO's own ids are ("42", not "042"), every name must
be one and is its own id. Where it is not, names get running numbers from 1 in the order they come in. So ids never
clash, and a stream need not be read twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.errors import PredarrowError
from predarrow.refusals import Refusals, shown
from predarrow.report import Code

ImageIds: TypeAlias = Mapping[Any, int]
"""Data unit, or (data unit, frame) -> image id. A data unit alone stands for its frame 0."""

_WHOLE = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_MISSING = -1


class Image(NamedTuple):
    """What an image id stands for."""

    data_unit: str
    frame: int


class ImageNumbers:
    """Ids of images.

    Args:
        given: ids by data unit or by (data unit, frame); None for the rule.

    Raises:
        PredarrowError: keys or ids that are none, or an id that stands twice.
    """

    def __init__(self, given: ImageIds | None) -> None:
        self._given = None if given is None else _checked(given, "image_ids", is_unique=True)
        self._is_whole: bool | None = None
        self.ids: dict[Image, int] = {}
        """of the images met so far"""

    def of(self, units: pa.StringArray, frames: pa.Int32Array, refusals: Refusals) -> npt.NDArray[np.int64]:
        """Give each row's image id; rows without one are refused.

        Args:
            units, frames: (n,) without nulls.
            refusals: of as many rows.
        """
        encoded = units.dictionary_encode()
        names = encoded.dictionary.to_pylist()
        keys = encoded.indices.to_numpy().astype(np.int64) << 32 | frames.to_numpy()
        distinct, first, place = np.unique(keys, return_index=True, return_inverse=True)
        ids = np.empty(len(distinct), np.int64)
        for number in np.argsort(first).tolist():  # in the order they come in
            image = Image(names[distinct[number] >> 32], int(distinct[number] & 0xFFFFFFFF))
            ids[number] = self._id(image)
            if ids[number] == _MISSING:
                code, message = self._why(image)
                refusals.add(place == number, code, "data_unit", message)
        return ids[place]

    def _id(self, image: Image) -> int:
        if image not in self.ids:
            number = self._new(image)
            if number == _MISSING:
                return _MISSING
            self.ids[image] = number
        return self.ids[image]

    def _new(self, image: Image) -> int:
        if self._given is not None:
            number = self._given.get(tuple(image), _MISSING)
            return self._given.get(image.data_unit, _MISSING) if number == _MISSING and not image.frame else number
        if self._is_whole is None:
            self._is_whole = bool(_WHOLE.fullmatch(image.data_unit))
        if not self._is_whole:
            return len(self.ids) + 1
        return int(image.data_unit) if _WHOLE.fullmatch(image.data_unit) and not image.frame else _MISSING

    def _why(self, image: Image) -> tuple[Code, str]:
        if self._given is not None:
            return Code.UNKNOWN_DATA_UNIT, f"must have an id in image_ids, got {image.data_unit!r} frame {image.frame}"
        rule = "must be a whole number and frame 0, as the first data unit is its own image id"
        got = f"{image.data_unit!r} frame {image.frame}"
        return Code.CANNOT_HOLD, f"{rule}, got {got}; give image_ids"


class CategoryNumbers:
    """Ids of categories.

    Args:
        given: ids by class name; None for the rule.
        is_unique: whether two names may not share an id.

    Raises:
        PredarrowError: keys or ids that are none, or an id that stands twice and may not.
    """

    def __init__(self, given: Mapping[str, int] | None, *, is_unique: bool) -> None:
        self._given = None if given is None else _checked(given, "category_ids", is_unique=is_unique)
        self._is_whole: bool | None = None
        self.ids: dict[str, int] = {} if given is None else dict(given)
        """of the classes met so far, and of those that were given"""

    def of(self, names: pa.StringArray, refusals: Refusals) -> npt.NDArray[np.int64]:
        """Give each row's category id; rows without one are refused."""
        encoded = names.dictionary_encode()
        places = encoded.indices.to_numpy()
        ids: npt.NDArray[np.int64] = np.empty(len(encoded.dictionary), np.int64)
        for number, name in enumerate(encoded.dictionary.to_pylist()):
            ids[number] = self._id(name)
            if ids[number] == _MISSING:
                rule = "must be a whole number, as the first class name is its own category id"
                message = f"{rule}, got {name!r}; give category_ids"
                if self._given is not None:
                    message = f"must have an id in category_ids, got {name!r}"
                refusals.add(places == number, Code.UNKNOWN_CLASS, "class_name", message)
        of_row: npt.NDArray[np.int64] = ids[places]
        return of_row

    def _id(self, name: str) -> int:
        if name in self.ids:
            return self.ids[name]
        if self._given is not None:
            return _MISSING
        if self._is_whole is None:
            self._is_whole = bool(_WHOLE.fullmatch(name))
        if self._is_whole and not _WHOLE.fullmatch(name):
            return _MISSING
        self.ids[name] = int(name) if self._is_whole else len(self.ids) + 1
        return self.ids[name]


def _checked(given: Mapping[Any, Any], where: str, *, is_unique: bool) -> dict[Any, int]:
    if not isinstance(given, Mapping):
        raise PredarrowError(f"{where}: must be a mapping of names to ids, got {type(given).__name__}")
    by_id: dict[int, Any] = {}
    for key, number in given.items():
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 2**63:
            raise PredarrowError(f"{where}: {key}: must be a whole number of at least 0, got {shown(number)}")
        if is_unique and number in by_id:
            raise PredarrowError(f"{where}: {key}: an id must stand once, got {number} for {by_id[number]!r} as well")
        by_id[number] = key
    return {tuple(key) if isinstance(key, tuple) else key: number for key, number in given.items()}
