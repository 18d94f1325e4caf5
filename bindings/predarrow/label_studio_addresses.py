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
        row = self._units.by_id(address)
        if row is not None:
            return Found(self._units.row(row), None)
        for name in names_of(address):
            rows = self._units.find(name)
            if len(rows) == 1:
                return Found(self._units.row(rows[0]), None)
            if rows:
                rule = "must be of one data unit of the project, by its id, its title, or the name at its end"
                return Found(None, (Code.AMBIGUOUS_DATA_UNIT, f"{rule}, got {name!r}, which {len(rows)} have"))
        rule = "must be of a data unit of the project, by its id, its title, or the name at its end"
        return Found(None, (Code.UNKNOWN_DATA_UNIT, f"{rule}, got {shown(address)}"))


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
    """Give the titles that an address may stand for, the likeliest first."""
    names = [address]
    try:
        parts = urlsplit(address)
        local = parse_qs(parts.query).get("d", [])
    except ValueError:  # what begins like an address with brackets and is none
        return names
    for path in (*local[-1:], unquote(parts.path)):
        last = path.rstrip("/").rpartition("/")[2]
        names += [last, _UPLOAD.sub("", last, count=1)]
    return [name for name in dict.fromkeys(names) if name]
