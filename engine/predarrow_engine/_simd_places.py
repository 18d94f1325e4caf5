"""Places of set bits, many at a time, as LLVM intermediate code.

Nothing here checks an address: the caller (`kitti_plain.py`) knows that it lies inside its array. There are two forms
of one step, which the tests hold against plain Python.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

from predarrow_engine._simd import has_compress

BITS = 64
LANES = 16
"""Places that are written at once."""

_I1, _I8, _I32, _I64 = map(ir.IntType, (1, 8, 32, 64))
_BYTES, _PLACES = ir.VectorType(_I8, BITS), ir.VectorType(_I64, LANES)


def _put_places(typingctx: Any, bits: Any, first: Any, target: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        (_compressed if has_compress(context) else _one_by_one)(builder, *args)
        return context.get_dummy_value()

    return types.void(types.uint64, types.int64, types.int64), codegen


put_places = cast(Callable[[np.uint64, int, int], None], intrinsic(_put_places))
"""Write `first` plus the index of each set bit to the address `target`, as int64, the lowest one first.

Written are at least 16 numbers, and 64 where more bits are set; those behind the last one are any.
"""


def _pointer(builder: Any, address: Any, index: Any, kind: Any) -> Any:
    return builder.inttoptr(builder.add(address, builder.shl(index, ir.Constant(_I64, 3))), kind.as_pointer())


def _compressed(builder: Any, bits: Any, first: Any, target: Any) -> None:
    function_type = ir.FunctionType(_BYTES, [_BYTES, _BYTES, ir.VectorType(_I1, BITS)])
    compress = get_or_insert_function(  # type: ignore[no-untyped-call]  # Numba's own
        builder.module, function_type, f"llvm.x86.avx512.mask.compress.v{BITS}i8"
    )
    every = ir.Constant(_BYTES, list(range(BITS)))
    mask = builder.bitcast(bits, ir.VectorType(_I1, BITS))
    places = builder.call(compress, [every, ir.Constant(_BYTES, None), mask])
    lanes = ir.VectorType(_I32, LANES)
    firsts = builder.insert_element(ir.Constant(_PLACES, ir.Undefined), first, ir.Constant(_I32, 0))
    firsts = builder.shuffle_vector(firsts, firsts, ir.Constant(lanes, None))

    def write(at: int) -> None:
        some = builder.shuffle_vector(places, places, ir.Constant(lanes, list(range(at, at + LANES))))
        numbers = builder.add(builder.zext(some, _PLACES), firsts)
        builder.store(numbers, _pointer(builder, target, ir.Constant(_I64, at), _PLACES), align=1)

    write(0)
    with builder.if_then(builder.icmp_unsigned(">", builder.ctpop(bits), ir.Constant(_I64, LANES)), likely=False):
        for at in range(LANES, BITS, LANES):
            write(at)


def _one_by_one(builder: Any, bits: Any, first: Any, target: Any) -> None:
    """Do as `_compressed` does, on any machine; eight numbers a turn."""
    rest = cgutils.alloca_once_value(builder, bits)  # type: ignore[no-untyped-call]  # Numba's own
    zero, turn = ir.Constant(_I64, 0), ir.Constant(_I64, 8)
    with cgutils.for_range_slice(builder, zero, builder.ctpop(bits), turn, _I64) as (at, _):
        left = builder.load(rest)
        for lane in range(8):
            place = builder.add(first, builder.cttz(left, ir.Constant(_I1, 0)))  # 64 where none is left
            builder.store(place, _pointer(builder, target, builder.add(at, ir.Constant(_I64, lane)), _I64), align=1)
            left = builder.and_(left, builder.sub(left, ir.Constant(_I64, 1)))
        builder.store(left, rest)
