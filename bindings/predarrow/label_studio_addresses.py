"""Which data unit of a project the address of a Label Studio task is of.

id or title as it is         images/a.png
name at the address's end    https://host/bucket/images/My%20car.png?sig=1   My car.png
local file                   /data/local-files/?d=images/My%20car.png         My car.png
upload                       /data/upload/3/1f0c2ab9-My_car.png               1f0c2ab9-My_car.png, My_car.png
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from predarrow.data_units import DataUnit, DataUnits
from predarrow.refusals import shown
from predarrow.report import Code

_UPLOAD = re.compile(r"[0-9a-f]{8}-(?=.)")
"""What Label Studio puts in front of an uploaded file's name: the first digits of a UUID."""


_HINT = (
    "; predictions alone, and tasks without an address, tell a task's number only: take tasks, "
    "GET /api/tasks?project=…&fields=all"
)
_DEPTH = 16  # folders above a name that an id or title may have


class Found(NamedTuple):
    """What an address came to."""

    unit: DataUnit | None
    flaw: tuple[Code, str] | None
    """Code and words where there is none"""


class Addresses(dict[str, Found]):
    """Data units by address, looked up once each."""

    def __init__(self, units: DataUnits) -> None:
        super().__init__()
        self._units = units

    def __missing__(self, address: str) -> Found:
        found = self[address] = self._find(address)
        return found

    def _find(self, address: str) -> Found:
        rule = "must be of a data unit of the project, whose id or title the address is or ends in"
        for name in names_of(address):
            row = self._units.by_id(name)
            rows = self._rows(name) if row is None else [row]
            if len(rows) == 1:
                return Found(self._units.row(rows[0]), None)
            if rows:
                return Found(None, (Code.AMBIGUOUS_DATA_UNIT, f"{rule}, got {name!r}, which {len(rows)} have"))
        hint = _HINT if address.isdecimal() else ""
        return Found(None, (Code.UNKNOWN_DATA_UNIT, f"{rule}, got {shown(address)}{hint}"))

    def _rows(self, title: str) -> list[int]:
        """Give the data units of a title, with or without extension; a number, which may be a task's, is no 7.png."""
        rows = self._units.find(title)
        return [row for row in rows if self._units.row(row).title == title] if title.isdecimal() else rows


class Sizes(Mapping[str, tuple[int, int]]):
    """Height and width of the images that the project knows, by address."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses

    def __getitem__(self, address: str) -> tuple[int, int]:
        unit = self._addresses[address].unit
        if unit is None or not unit.height or not unit.width:
            raise KeyError(address)
        return unit.height, unit.width

    def __bool__(self) -> bool:
        return True  # though none was looked up yet

    def __iter__(self) -> Iterator[str]:
        return (address for address in list(self._addresses) if address in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def names_of(address: str) -> list[str]:
    """Give the ids and titles that an address may stand for, the longest first."""
    names = [address]
    try:
        parts = urlsplit(address)
        local = parse_qs(parts.query).get("d", [])
    except ValueError:  # what begins like an address with brackets and is none
        return names
    for path in (*local[-1:], unquote(parts.path), *([] if parts.scheme else [address])):
        pieces = path.strip("/").split("/")
        names += ["/".join(pieces[first:]) for first in range(max(len(pieces) - _DEPTH, 0), len(pieces))]
        names.append(_UPLOAD.sub("", pieces[-1], count=1))
    return [name for name in dict.fromkeys(names) if name]
