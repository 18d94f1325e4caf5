"""Runs that begin within 64 pixels, written many at a time, as LLVM intermediate code.

Nothing here checks an address: the caller (`runs.py`) knows that it lies inside its arrays. There are two forms of one
step, which the tests hold against plain Python.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

from predarrow_engine._jit import Index
from predarrow_engine._simd import LANES, has_compress

TURN = 8
"""Runs that are written at once."""

_I1, _I8, _I32, _I64 = map(ir.IntType, (1, 8, 32, 64))
_BYTES, _SOME = ir.VectorType(_I8, LANES), ir.VectorType(_I8, TURN)
_INTS, _LONGS = ir.VectorType(_I32, TURN), ir.VectorType(_I64, TURN)


def _put_runs(typingctx: Any, marked: Any, pixels: Any, first: Any, packed: Any, label: Any, like: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        form = _compressed if has_compress(context) else _one_by_one
        form(builder, ir.IntType(like.bitwidth), *args[:-1])
        return context.get_dummy_value()

    return types.void(types.uint64, types.int64, types.uint64, types.int64, types.int64, like), codegen


put_runs = cast(
    Callable[[np.uint64, Index, np.uint64, Index, Index, np.unsignedinteger[Any]], None], intrinsic(_put_runs)
)
"""Write, for each set bit, the lowest one first, `first` plus its index as uint64, and the pixel there as uint32.

Args: the bits, of which one is set at least; address of 64 pixels; first; addresses of the first number of each kind;
any pixel, which tells their type when the kernel is compiled. Up to 7 numbers behind the last one are any.
"""


def _at(builder: Any, address: Any, index: Any, kind: Any, width: int) -> Any:
    """Point to a number, or to lanes, behind so many numbers of that width."""
    offset = builder.mul(index, ir.Constant(_I64, width // 8))
    return builder.inttoptr(builder.add(address, offset), kind.as_pointer())


def _compressed(builder: Any, pixel: Any, marked: Any, pixels: Any, first: Any, packed: Any, label: Any) -> None:
    function_type = ir.FunctionType(_BYTES, [_BYTES, _BYTES, ir.VectorType(_I1, LANES)])
    compress = get_or_insert_function(  # type: ignore[no-untyped-call]  # Numba's own
        builder.module, function_type, f"llvm.x86.avx512.mask.compress.v{LANES}i8"
    )
    mask, nothing = builder.bitcast(marked, ir.VectorType(_I1, LANES)), ir.Constant(_BYTES, None)
    kept = [builder.call(compress, [ir.Constant(_BYTES, list(range(LANES))), nothing, mask])]
    if pixel.width == _I8.width:
        block = builder.load(builder.inttoptr(pixels, _BYTES.as_pointer()), align=1)
        kept.append(builder.call(compress, [block, nothing, mask]))
    one = builder.insert_element(ir.Constant(_LONGS, ir.Undefined), first, ir.Constant(_I32, 0))
    firsts = builder.shuffle_vector(one, one, ir.Constant(_INTS, None))

    def write(at: Any, places: Any, labels: Any = None) -> None:
        numbers = builder.add(builder.zext(places, _LONGS), firsts)
        builder.store(numbers, _at(builder, packed, at, _LONGS, 64), align=8)
        if labels is None:
            labels = _look_up(builder, pixel, pixels, places)
        labels = labels if pixel.width == _I32.width else builder.zext(labels, _INTS)
        builder.store(labels, _at(builder, label, at, _INTS, 32), align=4)

    lowest = ir.Constant(_INTS, list(range(TURN)))
    write(ir.Constant(_I64, 0), *(builder.shuffle_vector(some, some, lowest) for some in kept))
    n, turn = builder.ctpop(marked), ir.Constant(_I64, TURN)
    with builder.if_then(builder.icmp_unsigned(">", n, turn), likely=False):
        rooms = [cgutils.alloca_once_value(builder, some) for some in kept]  # type: ignore[no-untyped-call]  # Numba's
        bytes_ = [builder.ptrtoint(room, _I64) for room in rooms]
        with cgutils.for_range_slice(builder, turn, n, turn, _I64) as (at, _):
            write(at, *(builder.load(_at(builder, some, at, _SOME, 8), align=1) for some in bytes_))


def _look_up(builder: Any, pixel: Any, pixels: Any, places: Any) -> Any:
    """Give pixels one by one: no slower for uint16 than to choose among all 64 by one instruction."""
    found: Any = ir.Constant(ir.VectorType(pixel, TURN), ir.Undefined)
    for lane in (ir.Constant(_I32, lane) for lane in range(TURN)):
        place = builder.zext(builder.extract_element(places, lane), _I64)
        value = builder.load(_at(builder, pixels, place, pixel, pixel.width), align=1)
        found = builder.insert_element(found, value, lane)
    return found


def _one_by_one(builder: Any, pixel: Any, marked: Any, pixels: Any, first: Any, packed: Any, label: Any) -> None:
    """Do as `_compressed` does, on any machine.

    Four a turn, needed or not: how often a loop of ones turns is mispredicted (argmax 260 us, not 330).
    """
    rest = cgutils.alloca_once_value(builder, marked)  # type: ignore[no-untyped-call]  # Numba's own
    zero, last = ir.Constant(_I64, 0), ir.Constant(_I64, LANES - 1)
    with cgutils.for_range_slice(builder, zero, builder.ctpop(marked), ir.Constant(_I64, 4), _I64) as (at, _):
        left = builder.load(rest)
        for lane in range(4):
            index = builder.add(at, ir.Constant(_I64, lane))
            place = builder.and_(builder.cttz(left, ir.Constant(_I1, 0)), last)
            builder.store(builder.add(first, place), _at(builder, packed, index, _I64, 64), align=8)
            value = builder.load(_at(builder, pixels, place, pixel, pixel.width), align=1)
            value = value if pixel.width == _I32.width else builder.zext(value, _I32)
            builder.store(value, _at(builder, label, index, _I32, 32), align=4)
            left = builder.and_(left, builder.sub(left, ir.Constant(_I64, 1)))
        builder.store(left, rest)
