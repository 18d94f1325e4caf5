"""Texts of run lengths are copied as they stand in JSON, less the first of two backslashes, within their room."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import example, given
from hypothesis import strategies as st

from predarrow_engine._jit import kernel
from predarrow_engine._simd_text import BLOCK
from predarrow_engine.coco_runs import MARGIN, copy_runs
from predarrow_engine.json_scan import INCOMPLETE, ROOM
from tests.guarded import guarded


@kernel
def _copy(data: npt.NDArray[np.uint8], target: npt.NDArray[np.uint8], room: int) -> tuple[int, int]:
    return copy_runs(data.ctypes.data, 0, data.size, target.ctypes.data, room)


def _naive(text: bytes) -> tuple[int, bytes]:
    """Give where the text ends, and what it is."""
    at, copied = 0, bytearray()
    while at < len(text):
        if text[at] == ord('"'):
            return at, bytes(copied)
        if text[at] == ord("\\"):
            at += 1
            if text[at : at + 1] != b"\\":
                return INCOMPLETE, b""
        elif not 48 <= text[at] < 112:
            return INCOMPLETE, b""
        copied.append(text[at])
        at += 1
    return INCOMPLETE, b""


@given(
    text=st.one_of(
        st.text('0o\\"', max_size=3 * BLOCK),
        st.lists(st.sampled_from(["\\\\", "0", "12345678", "Zo" * 20, "\\\\" * 40]), max_size=20).map("".join),
    ),
    behind=st.sampled_from(['"', '"}', '",' + " " * BLOCK, "", "p" * BLOCK, "/", "\x00", "\xff"]),
    room=st.one_of(st.integers(-9, 5 * BLOCK), st.just(4096)),
)
@example(text="0" * BLOCK, behind='"', room=BLOCK - 1)
@example(text="0" * BLOCK, behind='"' + " " * BLOCK, room=BLOCK)
def test_texts_are_copied(text: str, behind: str, room: int) -> None:
    data = np.frombuffer((text + behind).encode("latin1"), np.uint8)
    target = guarded(np.full(max(room + MARGIN, 0), 0xEE, np.uint8))
    at, n = _copy(guarded(data), target, room)
    expected, copied = _naive(data.tobytes())
    if at == ROOM:
        assert room < min(len(text), len(copied) or len(text))
    else:
        assert (at, n, target[:n].tobytes()) == (expected, len(copied), copied)
        assert n <= max(room, 0) + BLOCK
