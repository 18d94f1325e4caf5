"""Vector instructions and raw addresses that Numba does not offer, as LLVM intermediate code.

The only place, with `_simd_png.py`, where a kernel can leave the bounds of an array: a caller passes
addresses that it has checked. Each has a plain twin in the tests. The code is portable (LLVM lowers a
64-lane compare to whatever the machine has) and can be kept in the kernel cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

LANES = 64
"""Items that one step looks at."""

_I64 = ir.IntType(64)


def has_compress(context: Any) -> bool:
    """Tell whether the processor that code is made for picks bytes by a mask (AVX-512 VBMI2)."""
    return "+avx512vbmi2" in context.codegen().magic_tuple()[2]


def _count_trailing_zeros(typingctx: Any, bits: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), codegen


count_trailing_zeros = cast(Callable[[np.uint64], np.uint64], intrinsic(_count_trailing_zeros))
"""Index of the lowest set bit of a uint64, 64 where none is set."""


def _changes(typingctx: Any, address: Any, like: Any) -> Any:
    vector = ir.VectorType(ir.IntType(like.bitwidth), LANES)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        here = builder.inttoptr(args[0], vector.as_pointer())
        following = builder.add(args[0], ir.Constant(_I64, like.bitwidth // 8))
        there = builder.inttoptr(following, vector.as_pointer())
        differs = builder.icmp_unsigned("!=", builder.load(here, align=1), builder.load(there, align=1))
        return builder.bitcast(differs, _I64)

    return types.uint64(types.int64, like), codegen


changes = cast(Callable[[int, np.unsignedinteger[Any]], np.uint64], intrinsic(_changes))
"""Bit i is set where item i differs from item i + 1, for 64 items at an address.

The second argument, any item, tells their type when the kernel is compiled (an array's `itemsize` is looked up
at every turn: 130 us instead of 92 us a street). It reads 65 items.
"""


def _prefetching(locality: int) -> Any:
    def fetch(typingctx: Any, address: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            i32, pointer = ir.IntType(32), ir.IntType(8).as_pointer()
            kind = ir.FunctionType(ir.VoidType(), [pointer, i32, i32, i32])
            function = builder.module.declare_intrinsic("llvm.prefetch", [pointer], kind)
            read, near, data = (ir.Constant(i32, number) for number in (0, locality, 1))
            builder.call(function, [builder.inttoptr(args[0], pointer), read, near, data])
            return context.get_dummy_value()

        return types.void(types.int64), codegen

    return intrinsic(fetch)


prefetch = cast(Callable[[int | np.integer[Any]], None], _prefetching(2))
"""Ask for the cache line of an address, which need not be valid, to be in the second level soon. Changes nothing."""
prefetch_near = cast(Callable[[int | np.integer[Any]], None], _prefetching(3))
"""The same for the first level."""
