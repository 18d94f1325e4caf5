"""Numbers of COCO's run lengths, many at a time, at raw addresses, as LLVM intermediate code.

Nothing here checks an address: the callers (`rle_*.py`, `coco_shapes.py`) know that it lies inside their arrays. Each
function has a plain twin in the tests. The code is portable, see `_simd.py`, but for steps that have two forms.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

from predarrow_engine._jit import Index
from predarrow_engine._simd import has_compress

BLOCK = 64
"""Bytes that `read_block` looks at, and numbers that it writes."""
LANES = 16
"""Numbers in a vector."""
LEAST_HEIGHT, PIXEL_LIMIT = 16, 2**24 - 1
"""Of masks that `cover_runs` takes: below, rows would not be exact in 32-bit floats."""

_I16, _I32, _I64 = ir.IntType(16), ir.IntType(32), ir.IntType(64)
_BYTES = ir.VectorType(ir.IntType(8), BLOCK)
_INTS = ir.VectorType(_I32, LANES)
_PAIRS = ir.VectorType(_I32, 2 * LANES)
_FLOATS = ir.VectorType(ir.FloatType(), LANES)


def _every(value: int) -> Any:
    return ir.Constant(_INTS, [value] * LANES)


def _spread(builder: Any, value: Any) -> Any:
    """Give a number in all lanes."""
    kind = ir.VectorType(value.type, LANES)
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(_I32, 0))
    return _pick(builder, one, one, [0] * LANES)


def _pick(builder: Any, first: Any, second: Any, lanes: list[int]) -> Any:
    return builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(_I32, len(lanes)), lanes))


def _pointer(builder: Any, address: Any, index: Any, kind: Any) -> Any:
    """Point to the 32-bit number with an index."""
    return builder.inttoptr(builder.add(address, builder.shl(index, ir.Constant(_I64, 2))), kind.as_pointer())


def _call(builder: Any, name: str, result: Any, *values: Any) -> Any:
    function_type = ir.FunctionType(result, [value.type for value in values])
    function = get_or_insert_function(builder.module, function_type, name)  # type: ignore[no-untyped-call]  # Numba's
    return builder.call(function, values)


def _binary(builder: Any, name: str, first: Any, second: Any) -> Any:
    return _call(builder, f"llvm.{name}.v{LANES}i32", _INTS, first, second)


def _reduce(builder: Any, name: str, value: Any) -> Any:
    return builder.zext(_call(builder, f"llvm.vector.reduce.{name}.v{LANES}i32", _I32, value), _I64)


def _steps(builder: Any, end: Any, step: int) -> Any:
    """Loop from 0 to end."""
    return cgutils.for_range_slice(builder, ir.Constant(_I64, 0), end, ir.Constant(_I64, step), _I64)


def _read_block(typingctx: Any, place: Any, ends: Any, target: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _put_numbers(builder, _compressed if has_compress(context) else _one_by_one, *args)
        return context.get_dummy_value()

    return types.void(types.int64, types.uint64, types.int64), codegen


read_block = cast(Callable[[Index, np.uint64, Index], None], intrinsic(_read_block))
"""Write, as int32, the numbers whose last characters are marked among 64 bytes; what follows them, up to 64, is any.

A number's characters are 48 to 111, all but the last one 80 at least, and in front of it is one below; of more than 4,
the last 4 are read. Looked at are 3 bytes before the block, and one behind it.
"""


def _read_short(typingctx: Any, place: Any, ends: Any, target: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if has_compress(context):
            _put_short(builder, *args)
        else:
            _put_numbers(builder, _one_by_one, *args)
        return context.get_dummy_value()

    return types.void(types.int64, types.uint64, types.int64), codegen


read_short = cast(Callable[[Index, np.uint64, Index], None], intrinsic(_read_short))
"""Do as `read_block` does where no number has more than 2 characters; 0.45 of the time, as they fit 16 bits."""


def _put_numbers(builder: Any, words: Callable[..., list[Any]], place: Any, ends: Any, target: Any) -> None:
    for at, some in enumerate(words(builder, place, ends, target)):
        numbers = _numbers(builder, some)
        builder.store(numbers, _pointer(builder, target, ir.Constant(_I64, at * LANES), _INTS), align=4)


def _put_short(builder: Any, place: Any, ends: Any, target: Any) -> None:
    first, last = _planes(builder, place, ends, (1, 0))
    half = BLOCK // 2
    kind = ir.VectorType(_I16, half)

    def every(value: int) -> Any:
        return ir.Constant(kind, [value] * half)

    for at in (0, half):
        one, two = (
            builder.zext(_pick(builder, plane, plane, list(range(at, at + half))), kind) for plane in (last, first)
        )
        high = builder.shl(builder.add(one, every(0x10)), every(11))  # the sign goes to the top, 0x20 out of the word
        low = builder.shl(builder.and_(builder.add(two, every(0x10)), every(0x1F)), every(6))
        both = builder.ashr(builder.or_(high, low), every(6))
        numbers = builder.select(
            builder.icmp_unsigned("<", two, every(80)), builder.ashr(high, every(11)), both
        )  # a byte below ends the number before
        wide = ir.VectorType(_I32, half)
        builder.store(builder.sext(numbers, wide), _pointer(builder, target, ir.Constant(_I64, at), wide), align=4)


def _planes(builder: Any, place: Any, ends: Any, distances: tuple[int, ...]) -> list[Any]:
    """Give, for each distance, the bytes so far before those that are marked."""
    mask = builder.bitcast(ends, ir.VectorType(ir.IntType(1), BLOCK))
    name = f"llvm.x86.avx512.mask.compress.v{BLOCK}i8"
    planes = []
    for distance in distances:
        before = builder.inttoptr(builder.sub(place, ir.Constant(_I64, distance)), _BYTES.as_pointer())
        planes.append(_call(builder, name, _BYTES, builder.load(before, align=1), ir.Constant(_BYTES, None), mask))
    return planes


def _compressed(builder: Any, place: Any, ends: Any, target: Any) -> list[Any]:
    """Give the 4 bytes up to each byte that is marked, 16 words in each of 4 vectors: a third of the time."""
    planes = _planes(builder, place, ends, (3, 2, 1, 0))
    in_turn = [lane // 2 + (BLOCK if lane & 1 else 0) for lane in range(2 * BLOCK)]
    pairs = ir.VectorType(ir.IntType(16), BLOCK)
    low, high = (builder.bitcast(_pick(builder, planes[at], planes[at + 1], in_turn), pairs) for at in (0, 2))
    words = builder.bitcast(_pick(builder, low, high, in_turn), ir.VectorType(_I32, BLOCK))
    return [_pick(builder, words, words, list(range(at, at + LANES))) for at in range(0, BLOCK, LANES)]


def _one_by_one(builder: Any, place: Any, ends: Any, target: Any) -> list[Any]:
    """Do as `_compressed` does, on any machine; eight words a turn."""
    rest = cgutils.alloca_once_value(builder, ends)  # type: ignore[no-untyped-call]  # Numba's own
    first = builder.sub(place, ir.Constant(_I64, 3))
    with _steps(builder, builder.ctpop(ends), 8) as (at, _):
        bits = builder.load(rest)
        for lane in range(8):
            lowest = builder.cttz(bits, ir.Constant(ir.IntType(1), 0))  # 64 where none is left
            word = builder.load(builder.inttoptr(builder.add(first, lowest), _I32.as_pointer()), align=1)
            builder.store(word, _pointer(builder, target, builder.add(at, ir.Constant(_I64, lane)), _I32), align=4)
            bits = builder.and_(bits, builder.sub(bits, ir.Constant(_I64, 1)))
        builder.store(bits, rest)
    places = [_pointer(builder, target, ir.Constant(_I64, at), _INTS) for at in range(0, BLOCK, LANES)]
    return [builder.load(place, align=4) for place in places]


def _numbers(builder: Any, words: Any) -> Any:
    """Give the numbers of words of 4 characters, the last one highest."""
    every = _every
    words = builder.add(words, every(0x10101010))  # 0x20 where more follow, no more carries
    pairs = builder.and_(builder.lshr(words, every(3)), every(0x03E003E0))
    pairs = builder.or_(builder.and_(words, every(0x001F001F)), pairs)
    low = builder.and_(builder.shl(pairs, every(12)), every(0x003FF000))
    bits = builder.or_(low, builder.and_(builder.shl(pairs, every(6)), every(0xFFC00000)))
    unused = every(12)
    for byte in range(3):  # the nearest to the end counts most
        ends = builder.icmp_unsigned("==", builder.and_(words, every(0x20 << (8 * byte))), every(0))
        unused = builder.select(ends, every(17 + 5 * byte), unused)
    return builder.ashr(bits, unused)


def _keep_marked(typingctx: Any, target: Any, source: Any, marked: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        target, source, marked = args
        if has_compress(context):
            (kept,) = _planes(builder, source, marked, (0,))
            builder.store(kept, builder.inttoptr(target, _BYTES.as_pointer()), align=1)
        else:
            _keep_one_by_one(builder, target, source, marked)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.uint64), codegen


keep_marked = cast(Callable[[Index, Index, np.uint64], None], intrinsic(_keep_marked))
"""Write, of 64 bytes at the second address, those that are marked to the first; what follows them, up to 64, is any.

Up to 64 bytes behind those are looked at there.
"""


def _keep_one_by_one(builder: Any, target: Any, source: Any, marked: Any) -> None:
    """Copy all bytes, and move those behind one that is not marked up, the last such one first."""
    one, top = ir.Constant(_I64, 1), ir.Constant(_I64, BLOCK - 1)
    builder.store(
        builder.load(builder.inttoptr(source, _BYTES.as_pointer()), align=1),
        builder.inttoptr(target, _BYTES.as_pointer()),
        align=1,
    )
    rest = cgutils.alloca_once_value(builder, builder.not_(marked))  # type: ignore[no-untyped-call]  # Numba's own
    with _steps(builder, builder.ctpop(builder.not_(marked)), 1):
        bits = builder.load(rest)
        last = builder.sub(top, builder.ctlz(bits, ir.Constant(ir.IntType(1), 0)))
        place = builder.add(target, last)
        behind = builder.load(builder.inttoptr(builder.add(place, one), _BYTES.as_pointer()), align=1)
        builder.store(behind, builder.inttoptr(place, _BYTES.as_pointer()), align=1)
        builder.store(builder.xor(bits, builder.shl(one, last)), rest)


def _sums_from_left(builder: Any, values: Any, least: int) -> Any:
    """Add to each lane all those before it that are a multiple of `least`, a power of 2, away."""
    distance = least
    while distance < LANES:
        moved = [LANES if lane < distance else lane - distance for lane in range(LANES)]
        values = builder.add(values, _pick(builder, values, _every(0), moved))
        distance *= 2
    return values


def _add_up(typingctx: Any, numbers: Any, n: Any) -> Any:
    result = types.UniTuple(types.int64, 2)  # type: ignore[no-untyped-call]  # Numba's own

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address, n = args
        before, bits, total = (
            cgutils.alloca_once_value(builder, _every(0))  # type: ignore[no-untyped-call]  # Numba's own
            for _ in range(3)
        )

        def step(at: Any, left: Any) -> None:
            place = _pointer(builder, address, at, _INTS)
            values = _sums_from_left(builder, builder.load(place, align=4), 2)
            last = _pick(builder, values, values, [LANES - 2, LANES - 1] * (LANES // 2))
            values = builder.add(values, builder.load(before))
            builder.store(builder.add(builder.load(before), last), before)
            builder.store(values, place, align=4)
            if left is not None:
                is_one = builder.icmp_signed("<", ir.Constant(_INTS, list(range(LANES))), _spread(builder, left))
                values = builder.select(is_one, values, _every(0))
            builder.store(builder.or_(builder.load(bits), values), bits)
            builder.store(builder.add(builder.load(total), values), total)

        with _steps(builder, builder.sub(n, ir.Constant(_I64, LANES)), LANES) as (at, _):
            step(at, None)
        at = builder.and_(builder.sub(n, ir.Constant(_I64, 1)), ir.Constant(_I64, -LANES))
        step(at, builder.trunc(builder.sub(n, at), _I32))
        found = [_reduce(builder, name, builder.load(kept)) for name, kept in (("or", bits), ("add", total))]
        return context.make_tuple(builder, result, found)

    return result(types.int64, types.int64), codegen


add_up = cast(Callable[[Index, Index], tuple[int, int]], intrinsic(_add_up))
"""Make n int32 at an address, at least one, each less the one two before it, what they stand for.

Gives their bitwise or, which has the bit of 2**31 where one is below 0, and their sum, less all 2**32 in it. A number
is to be from -2**31 to 2**31 after each step. Up to 15 numbers behind the last one are written to.
"""


class Covered(NamedTuple):
    """What runs cover."""

    area: int
    """pixels inside"""
    top: int
    """first row with one"""
    bottom: int
    """one behind the last row with one"""
    shortest: int
    """run inside"""
    last: int
    """one behind the last pixel inside, down the columns"""


def _cover_runs(typingctx: Any, counts: Any, n: Any, first: Any, height: Any) -> Any:
    result = types.UniTuple(types.int64, len(Covered._fields))  # type: ignore[no-untyped-call]  # Numba's own

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address, n, first, height = args
        cover = _Cover(builder, builder.trunc(first, _I32), builder.trunc(height, _I32))
        with _steps(builder, builder.sub(n, ir.Constant(_I64, 2 * LANES)), 2 * LANES) as (at, _):
            cover.add(builder.load(_pointer(builder, address, at, _PAIRS), align=4), None)
        at = builder.and_(builder.sub(n, ir.Constant(_I64, 1)), ir.Constant(_I64, -2 * LANES))
        left = builder.trunc(builder.sub(n, at), _I32)
        cover.add(builder.load(_pointer(builder, address, at, _PAIRS), align=4), left)
        return context.make_tuple(builder, result, cover.result())

    return result(types.int64, types.int64, types.int64, types.int64), codegen


cover_runs = cast(Callable[[Index, Index, Index, Index], Covered], intrinsic(_cover_runs))
"""Give what n runs of a mask, at least one, inside and outside in turn, cover; nothing else of it is inside.

Args: address of the runs, uint32; n; the pixels before the first of them; the mask's height of at least LEAST_HEIGHT.
All are PIXEL_LIMIT at most. Where the shortest run is 0, top, bottom and last mean nothing. Up to 31 numbers behind
the last one are looked at.
"""


class _Cover:
    """Code that adds 16 runs inside, and 16 outside, at a time to what is known of those before."""

    def __init__(self, builder: Any, first: Any, height: Any) -> None:
        self.builder = builder
        self.height = _spread(builder, height)
        # A little less than 1 / height: what it gives is the column, or the one before, never the one behind.
        inverse = builder.fdiv(ir.Constant(ir.FloatType(), 1.0), builder.sitofp(height, ir.FloatType()))
        self.inverse = _spread(builder, builder.fmul(inverse, ir.Constant(ir.FloatType(), 1 - 2.0**-22)))
        zeros, ones = _every(0), _every(-1)
        starts = {"area": zeros, "top": ones, "bottom": zeros, "shortest": ones, "last": zeros}
        starts["place"] = _spread(builder, first)
        self.kept = {
            name: cgutils.alloca_once_value(builder, value)  # type: ignore[no-untyped-call]  # Numba's own
            for name, value in starts.items()
        }

    def add(self, pairs: Any, left: Any) -> None:
        """Add 16 pairs, of the last of which there are only so many numbers."""
        builder, zeros, ones = self.builder, _every(0), _every(-1)
        inside, outside = (_pick(builder, pairs, pairs, list(range(lane, 2 * LANES, 2))) for lane in (0, 1))
        is_run = None
        if left is not None:
            is_run, is_gap = (
                builder.icmp_signed("<", ir.Constant(_INTS, list(range(lane, 2 * LANES, 2))), _spread(builder, left))
                for lane in (0, 1)
            )
            inside, outside = builder.select(is_run, inside, zeros), builder.select(is_gap, outside, zeros)
        stop = builder.sub(self._ends(builder.add(inside, outside)), outside)
        top, bottom = self._rows(builder.sub(stop, inside), inside)
        self._keep("umin", "top", top, is_run, ones)
        self._keep("umax", "bottom", bottom, is_run, zeros)
        self._keep("umin", "shortest", inside, is_run, ones)
        self._keep("add", "area", inside, None, zeros)
        if is_run is not None:
            self._keep("umax", "last", stop, is_run, zeros)

    def result(self) -> list[Any]:
        """Give the members of `Covered`."""
        how = {"area": "add", "top": "umin", "bottom": "umax", "shortest": "umin", "last": "umax"}
        return [_reduce(self.builder, by, self.builder.load(self.kept[name])) for name, by in how.items()]

    def _ends(self, lengths: Any) -> Any:
        """Give the places where pairs of runs end."""
        builder = self.builder
        before = builder.load(self.kept["place"])
        ends = _sums_from_left(builder, lengths, 1)
        builder.store(builder.add(before, _pick(builder, ends, ends, [LANES - 1] * LANES)), self.kept["place"])
        return builder.add(ends, before)

    def _rows(self, start: Any, length: Any) -> tuple[Any, Any]:
        """Give the first row of runs, and one behind the last."""
        builder, height = self.builder, self.height
        column = builder.fptosi(builder.fmul(builder.sitofp(start, _FLOATS), self.inverse), _INTS)
        row = builder.sub(start, builder.mul(column, height))
        row = _binary(builder, "umin", row, builder.sub(row, height))
        end = builder.add(row, length)
        goes_on = builder.icmp_signed(">", end, height)  # at the top of the next column
        return builder.select(goes_on, _every(0), row), _binary(builder, "umin", end, height)

    def _keep(self, operation: str, name: str, values: Any, where: Any, nothing: Any) -> None:
        builder = self.builder
        if where is not None:
            values = builder.select(where, values, nothing)
        before = builder.load(self.kept[name])
        after = builder.add(before, values) if operation == "add" else _binary(builder, operation, before, values)
        builder.store(after, self.kept[name])
