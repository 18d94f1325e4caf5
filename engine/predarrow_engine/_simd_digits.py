"""Digits of long numbers at raw addresses, 32 bytes at a time, as LLVM intermediate code.

Nothing here checks an address: the caller (`coco_plain.py`) knows that it lies inside its array. Each function has a
plain twin in the tests. The code is portable, see `_simd.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

WIDTH = 32
"""Bytes that are looked at."""

_I8, _I32, _I64 = (ir.IntType(bits) for bits in (8, 32, 64))
_BYTES = ir.VectorType(_I8, WIDTH)


def _constant(kind: Any, values: Sequence[int]) -> Any:
    return ir.Constant(ir.VectorType(kind, len(values)), values)


def _load(builder: Any, address: Any) -> Any:
    return builder.load(builder.inttoptr(address, _BYTES.as_pointer()), align=1)


def _not_digits(typingctx: Any, address: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        values = builder.sub(_load(builder, args[0]), _constant(_I8, [48] * WIDTH))
        bits = builder.icmp_unsigned(">", values, _constant(_I8, [9] * WIDTH))
        return builder.zext(builder.bitcast(bits, _I32), _I64)

    return types.uint64(types.int64), codegen


not_digits = cast(Callable[[int], np.uint64], intrinsic(_not_digits))
"""Bit i is set where byte i at an address is no digit, for 32 bytes."""


def _digits_before(typingctx: Any, end: Any, n: Any, n_after: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        here, before = (_load(builder, builder.sub(args[0], ir.Constant(_I64, WIDTH + more))) for more in (0, 1))
        from_end = _constant(_I8, [*range(WIDTH - 1, -1, -1)])
        is_digit, is_after = (builder.icmp_unsigned("<", from_end, _spread(builder, count)) for count in args[1:])
        text = builder.select(is_after, here, before)  # the dot is left out
        values = builder.sub(text, _constant(_I8, [48] * WIDTH))
        values = builder.select(is_digit, values, _constant(_I8, [0] * WIDTH))
        for bits, factor in ((16, 10), (32, 100), (64, 10_000)):
            values = _joined(builder, values, bits, factor)
        eights = [builder.extract_element(values, ir.Constant(_I64, lane)) for lane in (1, 2, 3)]
        upper = builder.add(builder.mul(eights[0], ir.Constant(_I64, 10**8)), eights[1])
        return builder.add(builder.mul(upper, ir.Constant(_I64, 10**8)), eights[2])

    return types.uint64(types.int64, types.int64, types.int64), codegen


digits_before = cast(Callable[[int, int, int], np.uint64], intrinsic(_digits_before))
"""The number of n digits, 1 to 19, that end before an address, a dot in front of the last n_after of them left out.

Without a dot n_after is n or more. It reads 33 bytes in front of the address.
"""


def _spread(builder: Any, count: Any) -> Any:
    """Give a number, less than 256, in each byte."""
    one = builder.insert_element(ir.Constant(_BYTES, ir.Undefined), builder.trunc(count, _I8), ir.Constant(_I64, 0))
    return builder.shuffle_vector(one, one, _constant(_I32, [0] * WIDTH))


def _joined(builder: Any, values: Any, bits: int, factor: int) -> Any:
    """Make one number, `bits` wide, of each two: the first one times a factor, and the second one."""
    kind, n = ir.IntType(bits), 8 * WIDTH // bits
    values = builder.bitcast(values, ir.VectorType(kind, n))
    first = builder.and_(values, _constant(kind, [2 ** (bits // 2) - 1] * n))
    second = builder.lshr(values, _constant(kind, [bits // 2] * n))
    return builder.add(builder.mul(first, _constant(kind, [factor] * n)), second)
