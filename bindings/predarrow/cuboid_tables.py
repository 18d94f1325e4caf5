"""All cuboids of a prediction table in one convention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, get_args

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.buffers import bools_of, numbers_array, text_array
from predarrow.cuboids import CuboidConvention, convert_cuboids
from predarrow.errors import InputError, PredarrowError
from predarrow.formats.given_table import given_batches, given_columns
from predarrow.refusals import Refusals, shown
from predarrow.report import Code
from predarrow.table import CUBOID, SCHEMA

_KEY = "convention"
_KNOWN: tuple[CuboidConvention, ...] = get_args(CuboidConvention)
_COLUMNS = ("cuboid", "attributes")
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode  # other members stay as they are written


def convert_table_cuboids(
    table: Any, target: CuboidConvention, *, source: CuboidConvention | None = None, normalise: bool = False
) -> pa.Table:
    """Give a prediction table with all its cuboids in one convention, and their attributes that tell it.

    The convention of a cuboid is what its attributes tell, `{"convention": "kitti"}`, as readers write it. It is
    replaced there; other attributes stay as they are, so that what a format keeps is there when the cuboids come back.
    Rows without a cuboid, and those in the target's convention, stay as they are. See `convert_cuboids`.

    Args:
        table: predictions with `__arrow_c_stream__` or `__arrow_c_array__`, with the prediction table's columns cuboid
            and attributes; it is held in memory.
        target: convention of the result.
        source: that of cuboids whose attributes tell none; None refuses them.
        normalise: see `convert_cuboids`.

    Raises:
        InputError: no such table; a cuboid that tells no convention or an unknown one, whose attributes are no JSON
            object, or whose quaternion is not of length 1; each with its row.
        PredarrowError: no such convention.
    """
    for name, value in (("target", target), ("source", target if source is None else source)):
        if value not in _KNOWN:
            raise PredarrowError(f"{name}: must be one of {', '.join(_KNOWN)}, got {value!r}")
    given = pa.Table.from_batches(batches) if (batches := list(given_batches(table))) else SCHEMA.empty_table()
    whole = _whole(given)
    columns = given_columns(whole, _COLUMNS, ("cuboid", *whole.schema.names))
    cuboids, texts = columns["cuboid"], columns["attributes"].to_pylist()
    refusals = Refusals(np.arange(given.num_rows))
    is_given = bools_of(cuboids.is_valid())
    told = [_told(row, texts, source, refusals) if is_given[row] else None for row in range(given.num_rows)]
    problems = refusals.problems
    for convention in sorted({each.convention for each in told if each is not None} - {target}):
        chosen = numbers_array(np.array([each is not None and each.convention == convention for each in told]))
        part = pc.if_else(chosen, cuboids, pa.scalar(None, CUBOID))
        try:
            converted = convert_cuboids(part, convention, target, normalise=normalise)
        except InputError as error:
            problems.extend(error.problems)
        else:
            cuboids = pc.if_else(chosen, converted, cuboids)
    if problems:
        raise InputError(sorted(problems, key=lambda problem: problem.row or 0))
    renamed = [text if each is None else _renamed(each, text, target) for each, text in zip(told, texts, strict=True)]
    return _with(_with(given, "cuboid", cuboids), "attributes", text_array(renamed))


class _Told(NamedTuple):
    """What the attributes of a cuboid tell."""

    convention: CuboidConvention
    members: dict[str, msgspec.Raw]


def _told(row: int, texts: Sequence[str | None], source: CuboidConvention | None, refusals: Refusals) -> _Told | None:
    place = "column attributes"
    try:
        members = _decode(texts[row] or "{}")
        named = msgspec.json.decode(members[_KEY]) if _KEY in members else source
    except (msgspec.DecodeError, RecursionError) as error:
        refusals.add_one(row, Code.BAD_TABLE, place, f"must be a JSON object, got {shown(texts[row])} ({error})")
        return None
    if named in _KNOWN:
        return _Told(named, members)
    if named is None:
        hint = "source= tells it of all that do not"
        refusals.add_one(row, Code.BAD_VALUE, place, f"must tell a cuboid's {_KEY}, got none; {hint}")
    else:
        rule = f"{_KEY} must be one of {', '.join(_KNOWN)}"
        refusals.add_one(row, Code.BAD_VALUE, place, f"{rule}, got {shown(named)}")
    return None


def _renamed(told: _Told, text: str | None, target: CuboidConvention) -> str | None:
    if told.convention == target and _KEY in told.members:
        return text
    return msgspec.json.encode(told.members | {_KEY: target}).decode()


def _whole(table: pa.Table) -> pa.RecordBatch:
    """Give the columns that are looked at as one batch."""
    places = [place for place, name in enumerate(table.column_names) if name in _COLUMNS]
    arrays = [table.column(place).combine_chunks() for place in places]
    return pa.RecordBatch.from_arrays(arrays, [table.column_names[place] for place in places])


def _with(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    place = table.schema.get_field_index(name)
    if place < 0:
        return table.append_column(SCHEMA.field(name), column)
    return table.set_column(place, SCHEMA.field(name), column)
