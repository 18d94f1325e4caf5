from __future__ import annotations

import pytest

from predarrow.data_units import DataUnits
from predarrow.label_studio_addresses import Addresses, Sizes, names_of
from predarrow.report import Code

UNITS = DataUnits.from_table(
    {
        "id": ["u1", "u2", "u3", "u4", "s3://bucket/d.png", "left/e.png", "right/e.png", "f#1%20.png", "12"],
        "title": ["a.png", "My car.png", "c.png", "c.png", "d.png", "e.png", "e.png", "f.png", "7.png"],
        "width": [10, 20, None, 5, 40, None, None, None, None],
        "height": [30, 40, None, None, 80, None, None, None, None],
    }
)


@pytest.mark.parametrize(
    ("address", "id_"),
    [
        ("u1", "u1"),
        ("a.png", "u1"),
        ("a", "u1"),  # as everywhere, a title without its extension
        ("https://host/images/a.png", "u1"),
        ("https://host/images/a.png?X-Sig=1/2#part", "u1"),
        ("s3://bucket/a.png", "u1"),
        ("s3://bucket/d.png", "s3://bucket/d.png"),
        ("images/a.png", "u1"),
        ("/data/upload/3/1f0c2ab9-a.png", "u1"),
        ("upload/3/1f0c2ab9-My%20car.png", "u2"),
        ("/data/local-files/?d=folder/My%20car.png", "u2"),
        ("/data/local-files/?d=a.png", "u1"),
        ("https://host/My%20car.png", "u2"),
        ("C:/images/a.png", "u1"),
        ("https://host/data/left/e.png", "left/e.png"),
        ("/data/local-files/?d=set/right%2Fe.png", "right/e.png"),
        ("images/f#1%20.png", "f#1%20.png"),
        ("12", "12"),
        ("https://host/7.png", "12"),
    ],
)
def test_found(address: str, id_: str) -> None:
    found = Addresses(UNITS)[address]
    assert found.unit is not None
    assert (found.unit.id, found.flaw) == (id_, None)


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("c.png", Code.AMBIGUOUS_DATA_UNIT),
        ("https://host/c.png", Code.AMBIGUOUS_DATA_UNIT),
        ("https://host/middle/e.png", Code.AMBIGUOUS_DATA_UNIT),
        ("https://host/b.png?sig=1/a.png", Code.UNKNOWN_DATA_UNIT),
        ("/".join("x" * 2000), Code.UNKNOWN_DATA_UNIT),
        ("b.png", Code.UNKNOWN_DATA_UNIT),
        ("", Code.UNKNOWN_DATA_UNIT),
        ("7", Code.UNKNOWN_DATA_UNIT),  # a task's number
        ("https://host/", Code.UNKNOWN_DATA_UNIT),
        ("https://[", Code.UNKNOWN_DATA_UNIT),
        ("https://host/1F0C2AB9-a.png", Code.UNKNOWN_DATA_UNIT),  # hexadecimal digits of another's name
        ("https://host/1f0c2ab-a.png", Code.UNKNOWN_DATA_UNIT),
        ("https://host/?a=a.png", Code.UNKNOWN_DATA_UNIT),
        ("x" * 5000, Code.UNKNOWN_DATA_UNIT),
    ],
)
def test_not_found(address: str, code: Code) -> None:
    found = Addresses(UNITS)[address]
    assert found.unit is None
    assert found.flaw is not None
    assert found.flaw[0] == code
    assert len(found.flaw[1]) < 300
    assert ("GET /api/tasks" in found.flaw[1]) == (address == "7")


def test_the_likeliest_name_comes_first() -> None:
    upload = "/data/upload/3/1f0c2ab9-a%20b.png"
    ends = [f"{folders}1f0c2ab9-a b.png" for folders in ("data/upload/3/", "upload/3/", "3/", "")]
    assert names_of(upload)[:6] == [upload, *ends, "a b.png"]
    units = DataUnits.from_table({"id": ["1", "2"], "title": ["a.png", "1f0c2ab9-a.png"]})
    found = Addresses(units)["/data/upload/3/1f0c2ab9-a.png"].unit
    assert found is not None
    assert found.id == "2"


def test_sizes() -> None:
    sizes = Sizes(Addresses(UNITS))
    assert sizes["https://host/a.png"] == (30, 10)
    assert sizes.get("My car.png") == (40, 20)
    assert [sizes.get(address) for address in ("c.png", "b.png")] == [None, None]
    assert dict(sizes) == {"https://host/a.png": (30, 10), "My car.png": (40, 20)}
    assert len(sizes) == 2
