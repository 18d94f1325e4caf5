"""Words of a stream of bits at raw addresses, as LLVM intermediate code: the highest bit of the first byte comes first.

Nothing here checks an address: the callers (`brush_write.py`, `brush_read.py`) know that it lies inside their arrays.
Each function has a plain twin in the tests. The code is portable, see `_simd.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

_I64 = ir.IntType(64)


def _load_bits(typingctx: Any, address: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bswap(builder.load(builder.inttoptr(args[0], _I64.as_pointer()), align=1))

    return types.uint64(types.int64), codegen


load_bits = cast(Callable[[int], np.uint64], intrinsic(_load_bits))
"""The 8 bytes at an address, the first one highest."""


def _store_bits(typingctx: Any, address: Any, bits: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(builder.bswap(args[1]), builder.inttoptr(args[0], _I64.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.uint64), codegen


store_bits = cast(Callable[[int, np.uint64], None], intrinsic(_store_bits))
"""Write 8 bytes to an address, the highest one first."""
