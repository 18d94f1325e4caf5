"""Arrays that end where readable memory ends: one byte further kills the process.

Kernels that work on raw addresses are beyond NUMBA_BOUNDSCHECK, and a read past an array mostly goes unseen.
"""

from __future__ import annotations

import ctypes
import mmap

import numpy as np
import numpy.typing as npt
import pytest


def guarded(content: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Give a copy of bytes whose last one lies directly before a page that may not be touched."""
    if not hasattr(mmap, "PROT_READ"):
        pytest.skip("no memory protection on this system")
    pages = -(-max(content.size, 1) // mmap.PAGESIZE)
    block = mmap.mmap(-1, (pages + 1) * mmap.PAGESIZE)
    whole = np.frombuffer(block, np.uint8)
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    protect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    no_access = 0
    if protect(whole.ctypes.data + pages * mmap.PAGESIZE, mmap.PAGESIZE, no_access):
        raise OSError(ctypes.get_errno(), "mprotect")
    end = pages * mmap.PAGESIZE
    kept = whole[end - content.size : end]
    kept[:] = content
    return kept
