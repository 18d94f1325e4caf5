"""Vector instructions of the PNG filters and of inflating, as LLVM intermediate code on raw addresses.

Every function works on 64 bytes at the addresses that it is given and checks nothing: the callers (`png.py`,
`inflate.py`) know that they lie inside their arrays. Each has a plain twin in the tests. The code is portable: LLVM
lowers 64 lanes to whatever the machine has, and to bytes where it has nothing.

A pixel is 1, 2 or 3 bytes, held in an integer with its first byte in memory in the lowest bits. "Swapped"
functions exchange the two bytes of each pair of their filtered operand: PNG stores 16-bit samples with the
high byte first, and the filters treat bytes one by one, so a pair may be exchanged before it is unfiltered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic as _numba_intrinsic

BLOCK = 64
"""Bytes that each vector function reads or writes."""
SUMMED = 16 * BLOCK
"""Bytes that `adler_sums` reads."""

_I8 = ir.IntType(8)
_I16 = ir.IntType(16)
_I32 = ir.IntType(32)
_I64 = ir.IntType(64)
_BYTES = ir.VectorType(_I8, BLOCK)
_QUARTER = BLOCK // 4


def intrinsic(function: Callable[..., Any]) -> Any:
    """Make a function an intrinsic; Numba types the result as if it took `typingctx` from its caller."""
    return _numba_intrinsic(function)


def _load(builder: Any, address: Any, kind: Any = _BYTES) -> Any:
    return builder.load(builder.inttoptr(address, kind.as_pointer()), align=1)


def _store(builder: Any, address: Any, value: Any) -> None:
    builder.store(value, builder.inttoptr(address, value.type.as_pointer()), align=1)


def _shuffle(builder: Any, first: Any, second: Any, lanes: list[int]) -> Any:
    mask = ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes)
    return builder.shuffle_vector(first, second, mask)


def _swap(builder: Any, value: Any) -> Any:
    return _shuffle(builder, value, value, [lane ^ 1 for lane in range(value.type.count)])


@intrinsic
def load_u8(typingctx: Any, address: Any) -> Any:
    """Give the byte at an address as int64."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.zext(_load(builder, args[0], _I8), _I64)

    return types.int64(types.int64), codegen


@intrinsic
def store_u8(typingctx: Any, address: Any, value: Any) -> Any:
    """Write the low 8 bits of an int64 to an address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _store(builder, args[0], builder.trunc(args[1], _I8))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


@intrinsic
def load_u64(typingctx: Any, address: Any) -> Any:
    """Give the 8 bytes at an address as uint64, the first byte lowest."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _load(builder, args[0], _I64)

    return types.uint64(types.int64), codegen


@intrinsic
def first_set(typingctx: Any, bits: Any) -> Any:
    """Give the index of the lowest set bit of a uint64 as int64, 64 where none is set."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), codegen


@intrinsic
def nonzero(typingctx: Any, address: Any) -> Any:
    """Give a uint64 whose bit i is set where byte i is not 0."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = _load(builder, args[0])
        return builder.bitcast(builder.icmp_unsigned("!=", value, ir.Constant(_BYTES, None)), _I64)

    return types.uint64(types.int64), codegen


@intrinsic
def differs(typingctx: Any, first: Any, second: Any) -> Any:
    """Give a uint64 whose bit i is set where byte i is not the same at both addresses."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        first, second = (_load(builder, address) for address in args)
        return builder.bitcast(builder.icmp_unsigned("!=", first, second), _I64)

    return types.uint64(types.int64, types.int64), codegen


def _copy(swapped: bool) -> Any:
    @intrinsic
    def copy(typingctx: Any, target: Any, source: Any) -> Any:
        """Copy a block from source to target."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            value = _load(builder, args[1])
            _store(builder, args[0], _swap(builder, value) if swapped else value)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    return copy


def _add(swapped: bool) -> Any:
    @intrinsic
    def add(typingctx: Any, target: Any, filtered: Any, above: Any) -> Any:
        """Write filtered + above, byte by byte modulo 256."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            value = _load(builder, args[1])
            value = _swap(builder, value) if swapped else value
            _store(builder, args[0], builder.add(value, _load(builder, args[2])))
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64), codegen

    return add


def _fill(width: int) -> Any:
    pattern = [lane % width for lane in range(BLOCK)]

    @intrinsic
    def fill(typingctx: Any, target: Any, pixel: Any) -> Any:
        """Write one pixel over and over; where it has 3 bytes, the block ends with a third of one."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            lanes = builder.bitcast(args[1], ir.VectorType(_I8, 8))
            _store(builder, args[0], _shuffle(builder, lanes, lanes, pattern))
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    return fill


def _prefix_sum(width: int, swapped: bool) -> Any:
    quarter = ir.VectorType(_I8, _QUARTER)
    zero = ir.Constant(quarter, None)
    last = [_QUARTER - width + lane % width for lane in range(_QUARTER)]

    @intrinsic
    def prefix_sum(typingctx: Any, target: Any, filtered: Any, left: Any) -> Any:
        """Write the running sum of pixels that follows `left`, byte by byte modulo 256; give its last pixel.

        Four sums of 16 bytes run side by side (log steps of a shift and an add, which stay inside 16 bytes
        because wider shuffles are slow before AVX-512), then each takes the last pixel of the one before.
        """

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            lanes = builder.bitcast(args[2], ir.VectorType(_I8, 8))
            carry = _shuffle(builder, lanes, lanes, [lane % width for lane in range(_QUARTER)])
            for start in range(0, BLOCK, _QUARTER):
                at = ir.Constant(_I64, start)
                value = _load(builder, builder.add(args[1], at), quarter)
                value = _swap(builder, value) if swapped else value
                shift = width
                while shift < _QUARTER:
                    moved = [lane + _QUARTER - shift for lane in range(_QUARTER)]
                    value = builder.add(value, _shuffle(builder, zero, value, moved))
                    shift *= 2
                _store(builder, builder.add(args[0], at), builder.add(value, carry))
                carry = builder.add(carry, _shuffle(builder, value, value, last))
            whole = builder.bitcast(carry, ir.IntType(8 * _QUARTER))
            pixel = builder.trunc(whole, ir.IntType(8 * width))
            return builder.zext(pixel, _I64)

        return types.int64(types.int64, types.int64, types.int64), codegen

    return prefix_sum


def _total(builder: Any, value: Any) -> Any:
    """Add the lanes of a vector of 32 bits; give 64 bits."""
    while (n := value.type.count) > 1:
        low, high = (_shuffle(builder, value, value, list(range(k, k + n // 2))) for k in (0, n // 2))
        value = builder.add(low, high)
    return builder.zext(builder.extract_element(value, ir.Constant(_I32, 0)), _I64)


@intrinsic
def adler_sums(typingctx: Any, address: Any) -> Any:
    """Give two sums over `SUMMED` bytes b[i]: of b[i] in the low 32 bits, of (SUMMED - i) * b[i] in the high ones.

    Each of 64 lanes adds up its column in 16 bits, and adds up these sums from block to block: no multiplication
    but at the end. With n blocks these are at most 255 * n * (n - 1) / 2, so 23 blocks would fit.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        narrow, wide = (ir.VectorType(kind, BLOCK) for kind in (_I16, _I32))
        column: Any = ir.Constant(narrow, None)
        before: Any = ir.Constant(narrow, None)
        for start in range(0, SUMMED, BLOCK):
            before = builder.add(before, column)
            value = _load(builder, builder.add(args[0], ir.Constant(_I64, start)))
            column = builder.add(column, builder.zext(value, narrow))
        column, before = (builder.zext(sums, wide) for sums in (column, before))
        weights = ir.Constant(wide, [BLOCK - lane for lane in range(BLOCK)])
        blocks = builder.mul(before, ir.Constant(wide, [BLOCK] * BLOCK))
        weighted = _total(builder, builder.add(blocks, builder.mul(column, weights)))
        return builder.or_(_total(builder, column), builder.shl(weighted, ir.Constant(_I64, 32)))

    return types.uint64(types.int64), codegen


copy = _copy(swapped=False)
copy_swapped = _copy(swapped=True)
add = _add(swapped=False)
add_swapped = _add(swapped=True)
fill_1 = _fill(1)
fill_2 = _fill(2)
fill_3 = _fill(3)
prefix_sum_1 = _prefix_sum(1, swapped=False)
prefix_sum_2_swapped = _prefix_sum(2, swapped=True)
