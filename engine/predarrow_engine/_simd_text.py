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
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

BLOCK = 64
"""Bytes that `below` and `equal` look at."""

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


def _load_short(typingctx: Any, address: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.sext(_load(builder, args[0], ir.IntType(32)), _I64)

    return types.int64(types.int64), codegen


load_short = cast(Callable[[int], int], intrinsic(_load_short))
"""The int32 at an address."""


def _load_float(typingctx: Any, address: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _load(builder, args[0], ir.DoubleType())

    return types.float64(types.int64), codegen


load_float = cast(Callable[[int], float], intrinsic(_load_float))
"""The float64 at an address."""


def _load_single(typingctx: Any, address: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _load(builder, args[0], ir.FloatType())

    return types.float32(types.int64), codegen


load_single = cast(Callable[[int], float], intrinsic(_load_single))
"""The float32 at an address."""


def _store(typingctx: Any, address: Any, value: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[1], builder.inttoptr(args[0], args[1].type.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, value), codegen


store = cast(Callable[[int, float | np.generic], None], intrinsic(_store))
"""Write a number to an address, in as many bytes as its type has."""


def _prefetch(typingctx: Any, address: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind, number = _I8.as_pointer(), ir.IntType(32)
        fetch_type = ir.FunctionType(ir.VoidType(), [kind, number, number, number])
        fetch = get_or_insert_function(  # type: ignore[no-untyped-call]  # Numba's own
            builder.module, fetch_type, "llvm.prefetch.p0i8"
        )
        flags = [ir.Constant(number, flag) for flag in (0, 3, 1)]  # to be read, kept, data
        builder.call(fetch, [builder.inttoptr(args[0], kind), *flags])
        return context.get_dummy_value()

    return types.void(types.int64), codegen


prefetch = cast(Callable[[int], None], intrinsic(_prefetch))
"""Begin to load the cache line at an address, which may be any."""


def _copy_block(typingctx: Any, target: Any, source: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = _load(builder, args[1], ir.VectorType(_I8, BLOCK))
        builder.store(value, builder.inttoptr(args[0], value.type.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


copy_block = cast(Callable[[int, int], None], intrinsic(_copy_block))
"""Copy 64 bytes to the first address from the second."""


def _compare(operator: str) -> Callable[..., Any]:
    lanes = ir.VectorType(_I8, BLOCK)

    def compare(typingctx: Any, address: Any, byte: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            narrow = builder.trunc(args[1], _I8)
            every = builder.insert_element(ir.Constant(lanes, ir.Undefined), narrow, ir.Constant(_I64, 0))
            first = ir.Constant(ir.VectorType(ir.IntType(32), BLOCK), None)
            every = builder.shuffle_vector(every, every, first)
            return builder.bitcast(builder.icmp_unsigned(operator, _load(builder, args[0], lanes), every), _I64)

        return types.uint64(types.int64, types.int64), codegen

    return compare


below = cast(Callable[[int, int], np.uint64], intrinsic(_compare("<")))
"""Bit i is set where byte i at an address is less than the limit, for 64 bytes."""
equal = cast(Callable[[int, int], np.uint64], intrinsic(_compare("==")))
"""Bit i is set where byte i at an address is the given one, for 64 bytes."""


def _unequal(typingctx: Any, first: Any, second: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        one, other = (_load(builder, address, ir.VectorType(_I8, BLOCK)) for address in args)
        return builder.bitcast(builder.icmp_unsigned("!=", one, other), _I64)

    return types.uint64(types.int64, types.int64), codegen


unequal = cast(Callable[[int, int], np.uint64], intrinsic(_unequal))
"""Bit i is set where byte i at one address is not byte i at the other, for 64 bytes."""


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


def _count_bits(typingctx: Any, bits: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.int64(types.uint64), codegen


count_bits = cast(Callable[[np.uint64], int], intrinsic(_count_bits))
"""How many bits of a uint64 are set."""


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


LANES = 8
"""Texts that `short_numbers` reads."""


def _short_numbers(typingctx: Any, address: Any, ends: Any, out: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        length, words = _eight_texts(builder, args[0], args[1], ir.Constant(_I64, 1))
        value, good = _eight_values(builder, length, words)
        target = builder.inttoptr(args[2], value.type.as_pointer())
        builder.store(value, target, align=1)
        return builder.zext(builder.bitcast(good, _I8), _I64)

    return types.uint64(types.int64, types.int64, types.int64), codegen


short_numbers = cast(Callable[[int, int, int], np.uint64], intrinsic(_short_numbers))
"""Write the values of eight texts, and give a word whose bit i is set where text i is a number of up to 8 bytes.

Text i begins one byte after ends[i] and ends before ends[i + 1], `ends` being the address of nine int64. A number is
digits, perhaps with a dot, perhaps after a minus; all else gives some value and no bit. What it does to a text stands
in `numbers.short_number`. Reads 8 bytes from each beginning on, writes eight float64 to `out`.
"""


def _short_points(typingctx: Any, address: Any, ends: Any, gap: Any, x: Any, y: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        length, words = _eight_texts(builder, *args[:3])
        digits, bits, is_negative, has_dot, good = _eight_decimals(builder, length, words)
        good = builder.and_(good, _are_strict(builder, words, bits, is_negative, has_dot))
        lanes, narrow = ir.VectorType(ir.FloatType(), LANES), ir.VectorType(ir.IntType(32), LANES)
        whole = builder.sitofp(builder.trunc(_eight_digits(builder, digits), narrow), lanes)
        value = builder.fdiv(whole, _power(builder, builder.trunc(bits, narrow), lanes))
        value = builder.select(is_negative, builder.fneg(value), value)
        for first, target in enumerate(args[3:]):
            every_other = ir.Constant(ir.VectorType(ir.IntType(32), LANES // 2), list(range(first, LANES, 2)))
            half = builder.shuffle_vector(value, value, every_other)
            builder.store(half, builder.inttoptr(target, half.type.as_pointer()), align=1)
        return builder.zext(builder.bitcast(good, _I8), _I64)

    return types.uint64(*[types.int64] * 5), codegen


short_points = cast(Callable[[int, int, int, int, int], np.uint64], intrinsic(_short_points))
"""Write the values of eight texts that begin `gap` bytes after ends[i], as float32: those with even places to `x`, the
others to `y`; give a word as `short_numbers` does.

Numbers are those of JSON here: no zero before another digit, digits on both sides of a dot. A division of 32-bit floats
gives what one of 64-bit floats comes to as float32: with a dot there are up to 7 digits, which both hold, as they do
powers of ten, and 53 bits are at least twice 24 and two more (S. Figueroa, When is double rounding innocuous?, 1995).
"""


def _are_strict(builder: Any, words: Any, bits: Any, is_negative: Any, has_dot: Any) -> Any:
    """Tell which texts begin and end with a digit, behind a minus perhaps, and not with a zero before another one."""
    every = _every
    words = builder.select(is_negative, builder.lshr(words, every(8)), words)
    words = builder.xor(words, every(0x3030))
    first, second = builder.and_(words, every(0xFF)), builder.and_(words, every(0xFF00))
    is_digit = builder.icmp_unsigned("<", first, every(10))
    is_before = builder.icmp_unsigned("<", second, every(10 << 8))
    is_zero = builder.icmp_unsigned("==", first, every(0))
    is_last = builder.and_(has_dot, builder.icmp_unsigned("==", bits, every(0)))
    odd = builder.or_(builder.and_(is_zero, is_before), is_last)
    return builder.and_(is_digit, builder.not_(odd))


def _every(value: int) -> Any:
    return ir.Constant(ir.VectorType(_I64, LANES), [value] * LANES)


def _eight_texts(builder: Any, address: Any, ends: Any, gap: Any) -> tuple[Any, Any]:
    """Give lengths and first words of eight texts."""
    lanes = ir.VectorType(_I64, LANES)
    gaps = builder.insert_element(ir.Constant(lanes, ir.Undefined), gap, ir.Constant(_I64, 0))
    gaps = builder.shuffle_vector(gaps, gaps, ir.Constant(ir.VectorType(ir.IntType(32), LANES), None))
    start = builder.add(_load(builder, ends, lanes), gaps)
    address = builder.add(address, gap)
    length = builder.sub(_load(builder, builder.add(ends, ir.Constant(_I64, 8)), lanes), start)
    words = ir.Constant(lanes, ir.Undefined)
    for lane in range(LANES):
        at = builder.add(_load(builder, builder.add(ends, ir.Constant(_I64, 8 * lane)), _I64), address)
        words = builder.insert_element(words, _load(builder, at, _I64), ir.Constant(_I64, lane))
    return length, words


def _eight_values(builder: Any, length: Any, words: Any) -> tuple[Any, Any]:
    """Give the values of eight texts, and which of them are short numbers."""
    digits, bits, is_negative, has_dot, good = _eight_decimals(builder, length, words)
    n_others = builder.add(builder.zext(is_negative, words.type), builder.zext(has_dot, words.type))
    good = builder.and_(good, builder.icmp_signed(">", length, n_others))
    lanes = ir.VectorType(ir.DoubleType(), LANES)
    value = builder.fdiv(builder.sitofp(_eight_digits(builder, digits), lanes), _power(builder, bits, lanes))
    return builder.select(is_negative, builder.fneg(value), value), good


def _eight_decimals(builder: Any, length: Any, words: Any) -> tuple[Any, Any, Any, Any, Any]:
    """Take eight texts to pieces.

    Gives the digits of each, eight times how many stand behind the dot, which are negative, which have a dot, and
    which of them are up to eight bytes of digits, perhaps with one dot, perhaps after a minus.
    """
    every, zero, wide = _every, _every(0), words.type
    is_negative = builder.icmp_unsigned("==", builder.and_(words, every(0xFF)), every(0x2D))
    words = builder.xor(words, every(0x3030303030303030))
    words = builder.select(is_negative, builder.and_(words, every(~0xFF)), words)  # a leading zero instead
    shift = builder.and_(builder.sub(every(64), builder.shl(length, every(3))), every(63))
    words = builder.shl(words, shift)  # the last digit in the top byte
    tops = every(0x8080808080808080)
    carried = builder.add(builder.and_(words, every(0x7F7F7F7F7F7F7F7F)), every(0x7676767676767676))
    others = builder.and_(builder.or_(carried, words), tops)
    dot = builder.lshr(others, every(7))
    before = builder.sub(dot, every(1))
    dot_byte = builder.mul(dot, every(0xFF))
    after = builder.xor(builder.or_(before, dot_byte), every(-1))
    has_dot = builder.icmp_unsigned("!=", others, zero)
    moved = builder.shl(builder.and_(words, before), builder.select(has_dot, every(8), zero))
    digits = builder.or_(moved, builder.and_(words, after))
    count_type = ir.FunctionType(wide, [wide])
    count = get_or_insert_function(  # type: ignore[no-untyped-call]  # Numba's own
        builder.module, count_type, f"llvm.ctpop.v{LANES}i64"
    )
    bits = builder.call(count, [after])  # eight for each digit after the dot
    good = builder.icmp_unsigned("<=", length, every(8))
    good = builder.and_(good, builder.icmp_unsigned("==", builder.and_(words, dot_byte), builder.mul(dot, every(0x1E))))
    one = builder.icmp_unsigned("==", builder.and_(others, builder.sub(others, every(1))), zero)
    return digits, bits, is_negative, has_dot, builder.and_(good, one)


def _eight_digits(builder: Any, words: Any) -> Any:
    """Give the number of eight digits in each lane, as `numbers.eight_digits` does."""
    for mask, factor, shift in (
        (0x0F0F0F0F0F0F0F0F, 2561, 8),
        (0x00FF00FF00FF00FF, 6553601, 16),
        (0x0000FFFF0000FFFF, 42949672960001, 32),
    ):
        words = builder.lshr(builder.mul(builder.and_(words, _every(mask)), _every(factor)), _every(shift))
    return words


def _power(builder: Any, bits: Any, kind: Any) -> Any:
    """Give 10 to the power of an eighth of bits, which is 0 to 7, as floats of this kind."""
    power = ir.Constant(kind, [1.0] * LANES)
    for bit, factor in ((8, 10.0), (16, 100.0), (32, 10000.0)):
        chosen = builder.and_(bits, ir.Constant(bits.type, [bit] * LANES))
        is_set = builder.icmp_unsigned("!=", chosen, ir.Constant(bits.type, [0] * LANES))
        power = builder.select(is_set, builder.fmul(power, ir.Constant(kind, [factor] * LANES)), power)
    return power
