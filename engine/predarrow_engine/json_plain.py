"""Steps through JSON whose form is known: -1 where it has another, and somebody else has to read it.

BLOCK bytes that may be read must follow what is gone through; whether blanks and commas are JSON's is seen to.
"""

from __future__ import annotations

from predarrow_engine._jit import helper
from predarrow_engine._simd_text import BLOCK, load_byte
from predarrow_engine.json_scan import (
    CLOSE_LIST,
    CLOSE_OBJECT,
    COMMA,
    QUOTE,
    after_blanks,
    after_colon,
    constants,
    text_run,
)

PADDING = 2 * BLOCK
"""Bytes that must follow what is gone through."""

LIST_END, OBJECT_END = constants(CLOSE_LIST, CLOSE_OBJECT + 1, CLOSE_OBJECT - CLOSE_LIST)


@helper
def skip(address: int, at: int, end: int) -> int:
    """Give the first byte from `at` on that is no blank; `end` where there is none."""
    return after_blanks(address, at, end)


@helper
def colon(address: int, at: int, end: int, slots: int) -> int:
    """Give where the value begins whose key ends at `at`, which may be negative."""
    return after_colon(address, at, end, slots)


@helper
def after_item(address: int, at: int, end: int, close: int) -> int:
    """Give the next item behind a comma, or the closing bracket; -1 where neither follows."""
    at = skip(address, at, end)
    if at >= end:
        return -1
    byte = load_byte(address + at)
    if byte == close:
        return at
    if byte != COMMA:
        return -1
    at = skip(address, at + 1, end)
    return -1 if at >= end or load_byte(address + at) == close else at


@helper
def after_plain(address: int, at: int, end: int, slots: int) -> int:
    """Give the end of the string whose opening quote stands before `at`; -1 where it has an escape."""
    while at < end:
        n = text_run(address, at, slots)
        at += n
        if n < BLOCK:
            break
    return at + 1 if at < end and load_byte(address + at) == QUOTE else -1
