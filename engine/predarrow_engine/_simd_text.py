"""Bytes and words of text at raw addresses, and the wide arithmetic of exact numbers, as LLVM intermediate code.

Nothing here checks an address: the callers (`numbers.py`, `kitti.py`) know that it lies inside their arrays. Each
function has a plain twin in the tests. The code is portable, see `_simd.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

BLOCK = 64
"""Bytes that `below` looks at."""

_I1 = ir.IntType(1)
_I8 = ir.IntType(8)
_I64 = ir.IntType(64)
_I128 = ir.IntType(128)


def _load(builder: Any, address: Any, kind: Any) -> Any:
    return builder.load(builder.inttoptr(address, kind.as_pointer()), align=1)


def _load_byte(typingctx: Any, address: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.zext(_load(builder, args[0], _I8), _I64)

    return types.int64(types.int64), codegen


load_byte = cast(Callable[[int], int], intrinsic(_load_byte))
"""The byte at an address."""


def _load_word(typingctx: Any, address: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _load(builder, args[0], _I64)

    return types.uint64(types.int64), codegen


load_word = cast(Callable[[int], np.uint64], intrinsic(_load_word))
"""The 8 bytes at an address, the first one lowest."""


def _load_int(typingctx: Any, address: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _load(builder, args[0], _I64)

    return types.int64(types.int64), codegen


load_int = cast(Callable[[int], int], intrinsic(_load_int))
"""The int64 at an address."""


def _store(typingctx: Any, address: Any, value: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[1], builder.inttoptr(args[0], args[1].type.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, value), codegen


store = cast(Callable[[int, float | np.generic], None], intrinsic(_store))
"""Write a number to an address, in as many bytes as its type has."""


def _below(typingctx: Any, address: Any, limit: Any) -> Any:
    lanes = ir.VectorType(_I8, BLOCK)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        narrow = builder.trunc(args[1], _I8)
        limits = builder.insert_element(ir.Constant(lanes, ir.Undefined), narrow, ir.Constant(_I64, 0))
        every = ir.Constant(ir.VectorType(ir.IntType(32), BLOCK), None)
        limits = builder.shuffle_vector(limits, limits, every)
        return builder.bitcast(builder.icmp_unsigned("<", _load(builder, args[0], lanes), limits), _I64)

    return types.uint64(types.int64, types.int64), codegen


below = cast(Callable[[int, int], np.uint64], intrinsic(_below))
"""Bit i is set where byte i at an address is less than the limit, for 64 bytes."""


def _first_byte(typingctx: Any, bits: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.lshr(builder.cttz(args[0], ir.Constant(_I1, 0)), ir.Constant(_I64, 3))

    return types.int64(types.uint64), codegen


first_byte = cast(Callable[[np.uint64], int], intrinsic(_first_byte))
"""Index of the lowest byte of a uint64 that is not 0; 8 where none is."""


def _first_bit(typingctx: Any, bits: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(_I1, 0))

    return types.int64(types.uint64), codegen


first_bit = cast(Callable[[np.uint64], int], intrinsic(_first_bit))
"""Index of the lowest set bit of a uint64; 64 where none is."""


def _high_product(typingctx: Any, first: Any, second: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        product = builder.mul(builder.zext(args[0], _I128), builder.zext(args[1], _I128))
        return builder.trunc(builder.lshr(product, ir.Constant(_I128, 64)), _I64)

    return types.uint64(types.uint64, types.uint64), codegen


high_product = cast(Callable[[np.uint64, np.uint64], np.uint64], intrinsic(_high_product))
"""The upper 64 bits of the product of two uint64."""


def _leading_zeros(typingctx: Any, bits: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctlz(args[0], ir.Constant(_I1, 0))

    return types.uint64(types.uint64), codegen


leading_zeros = cast(Callable[[np.uint64], np.uint64], intrinsic(_leading_zeros))
"""How many bits above the highest set one of a uint64 are 0; 64 where none is set."""


def _as_float(typingctx: Any, bits: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.uint64), codegen


as_float = cast(Callable[[np.uint64], float], intrinsic(_as_float))
"""The float64 with these 64 bits."""
