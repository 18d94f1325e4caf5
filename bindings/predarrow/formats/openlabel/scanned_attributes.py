"""The attributes of scanned rows, put together without a text for each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    from predarrow_engine.openlabel_frames import Frames
    from predarrow_engine.openlabel_objects import Found, Objects
    from predarrow_engine.openlabel_texts import Rows


class First(NamedTuple):
    """The attributes of a file's first row, to which the file's own are added in the end."""

    begin: str
    inner: str
    """Members of the attribute `openlabel`"""


def rows_of(
    data: npt.NDArray[np.uint8],
    scanned: Frames,
    found: Found,
    lost: npt.NDArray[np.bool_],
    members: Iterable[tuple[int, int, str]],
    convention: str | None,
) -> Rows:
    """Give what attributes are made of.

    Args:
        data: what was scanned.
        scanned, found: what was found.
        lost: (n,) rows whose `val` the columns do not give back.
        members: row, column of `Rows.extra`, and text; each of them once.
        convention: of cuboids.
    """
    from predarrow_engine.openlabel_geometry import NAME, VAL
    from predarrow_engine.openlabel_texts import Rows

    text = bytearray("" if convention is None else f',"convention":"{convention}"', "utf-8")
    named = np.array([0, len(text)])
    extra = np.zeros((lost.size, 3, 2), np.int64)
    for row, column, member in members:
        begin = len(text)
        text += member.encode()
        extra[row, column] = begin, len(text)
    return Rows(
        data=data,
        names=scanned.spans[:, NAME],
        vals=np.where(lost[:, None], scanned.spans[:, VAL], 0),
        objects=np.where(found.is_first, found.objects, -1),
        text=np.frombuffer(bytes(text), np.uint8),
        extra=extra,
        convention=named,
    )


def attributes(rows: Rows, objects: Objects) -> pa.StringArray:
    """Give the column."""
    from predarrow_engine.openlabel_texts import texts

    offsets, data = texts(rows, objects)
    return pa.StringArray.from_buffers(len(rows.names), pa.py_buffer(offsets), pa.py_buffer(data))


def first_of(rows: Rows, objects: Objects) -> First:
    """Give the first row's attributes in two parts."""
    from predarrow_engine.openlabel_texts import BEGIN, FRAME, GEOMETRY

    extra = np.zeros((1, 3, 2), np.int64)
    extra[0, BEGIN] = rows.extra[0, BEGIN]
    nothing = np.zeros((1, 2), np.int64)
    alone = rows._replace(names=rows.names[:1], vals=nothing, objects=rows.objects[:1], extra=extra)
    geometry, frame = (_text(rows.text, rows.extra[0, column]) for column in (GEOMETRY, FRAME))
    val = _text(rows.data, rows.vals[0])
    members = geometry, f'"val":{val}' if val else "", frame
    return First(attributes(alone, objects)[0].as_py()[:-1], ",".join(member for member in members if member))


def _text(data: npt.NDArray[np.uint8], span: npt.NDArray[np.int64]) -> str:
    return data[slice(*span.tolist())].tobytes().decode()
