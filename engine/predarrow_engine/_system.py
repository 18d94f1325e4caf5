"""Calls of the system that kernels make themselves: from Python each takes 0.3 us more, and the GIL.

They work on descriptors and raw addresses, and nothing here checks these: the caller (`small_files.py`) knows that an
address lies inside its array. The symbols are the C library's, found by name when a kernel is compiled or loaded.
They are those of a 64-bit Linux or macOS, where `off_t`, `size_t` and pointers are 64 bits wide.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from numba.core import types

_NUMBER, _WIDE = types.int32, types.int64


def _external(name: str, *kinds: types.Type) -> types.ExternalFunction:
    """Give a function of the C library by the types of its result and its arguments."""
    return types.ExternalFunction(name, kinds[0](*kinds[1:]))


# `openat` takes a variable number of arguments. Those that have names are passed as in any other function, on macOS's
# ARM too, and the one that has none is looked at only where a file is made.
open_at = cast(Callable[[int, int, int], int], _external("openat", _NUMBER, _NUMBER, _WIDE, _NUMBER))
"""Open a file, by a folder's descriptor, the address of a path with a NUL behind it, and flags.

Gives a descriptor, -1 where it cannot.
"""
read = cast(Callable[[int, int, int], int], _external("read", _WIDE, _NUMBER, _WIDE, _WIDE))
"""Read from a descriptor to an address, up to so many bytes; give how many, -1 where it cannot."""
seek = cast(Callable[[int, int, int], int], _external("lseek", _WIDE, _NUMBER, _WIDE, _NUMBER))
"""Move a descriptor by so many bytes from a place (`os.SEEK_…`) and give where it is then, -1 where it has no place."""
close = cast(Callable[[int], int], _external("close", _NUMBER, _NUMBER))
"""Close a descriptor."""
