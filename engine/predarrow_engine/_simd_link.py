"""Pairs of runs of neighbouring rows linked eight at a time, as LLVM intermediate code.

Nothing here checks an address: the caller (`link.py`) knows that what is looked at lies inside its arrays. The function
has a plain twin in the tests. The code is portable, see `_simd.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

from predarrow_engine._simd import has_compress

PAIRS = 8
"""Pairs that one step looks at: 16 are no quicker."""
REACH = PAIRS + 2
"""Runs from the first one on that it may look at or write."""

_I32, _I64 = ir.IntType(32), ir.IntType(64)
_ONE = ir.Constant(_I64, 1)
_FIRST = ir.Constant(_I32, 0)
_INTS, _LONGS = ir.VectorType(_I32, PAIRS), ir.VectorType(_I64, PAIRS)
_HALF = ir.Constant(_LONGS, [32] * PAIRS)


def _link_alike(typingctx: Any, packed: Any, label: Any, successor: Any, head: Any, upper: Any, lower: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        packed, label, successor, head, upper, lower = args
        upper_ends, lower_ends = _xs(builder, packed, upper, 1), _xs(builder, packed, lower, 1)
        last = _choose(builder, ">", upper_ends, lower_ends)
        next_ends = _choose(builder, "<", _xs(builder, packed, upper, 2), _xs(builder, packed, lower, 2))
        same_labels = builder.icmp_unsigned("==", _ints(builder, label, upper, 1), _ints(builder, label, lower, 1))
        n_alike = _leading(builder, builder.and_(same_labels, builder.icmp_unsigned("<", last, next_ends)))

        straight = builder.icmp_unsigned("==", upper_ends, lower_ends)
        above = builder.load(_pointer(builder, successor, upper, 0, _LONGS), align=4)
        right = _count(builder, builder.add(builder.shl(upper, _ONE), _ONE), _LONGS)
        _put_right(builder, successor, lower, builder.select(straight, above, builder.shl(right, _HALF)))
        heads, left = _ints(builder, head, upper, 1), _left_behind(builder, lower)
        _put_heads(builder, head, lower, builder.select(straight, heads, left))
        _follow(builder, successor, heads, lower, n_alike)
        return n_alike

    return types.uint64(*[types.int64] * 4, types.uint64, types.uint64), codegen


def _follow(builder: Any, successor: Any, heads: Any, lower: Any, n: Any) -> Any:
    """Write the left edges behind lower as successors of n heads; others become the lower run's own, which is void.

    In a loop of n turns, how many these are is mispredicted: argmax 0.72 ms, not 0.66. Where it goes on straight, the
    chain's end writes it again: to leave these out takes more (street 81 us, not 69).
    """
    counted = builder.icmp_unsigned("<", ir.Constant(_LONGS, list(range(PAIRS))), _spread(builder, n))
    nodes = builder.select(counted, heads, _spread(builder, builder.trunc(builder.shl(lower, _ONE), _I32)))
    for lane in range(PAIRS):
        node = builder.zext(builder.extract_element(nodes, ir.Constant(_I32, lane)), _I64)
        left = builder.shl(builder.add(lower, ir.Constant(_I64, lane + 1)), _ONE)
        builder.store(builder.trunc(left, _I32), _pointer(builder, successor, node, 0, _I32), align=4)


def _link_level(
    typingctx: Any,
    packed: Any,
    label: Any,
    successor: Any,
    head: Any,
    tops: Any,
    contacts: Any,
    upper: Any,
    lower: Any,
    pending: Any,
    n_tops: Any,
    n_contacts: Any,
    width: Any,
) -> Any:
    result = types.UniTuple(types.uint64, 6)  # type: ignore[no-untyped-call]  # Numba's own

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        packed, label, successor, head, tops, contacts, upper, lower, pending, n_tops, n_contacts, width = args
        ends = _xs(builder, packed, upper, 1), _xs(builder, packed, lower, 1)
        going_on = builder.icmp_unsigned("!=", ends[0], _spread(builder, width))
        n = _leading(builder, builder.and_(builder.icmp_unsigned("==", *ends), going_on))
        first_apart = (_bits(builder, builder.icmp_unsigned(than, *ends)) for than in ("<", ">"))
        up, down = (builder.and_(builder.lshr(bits, n), _ONE) for bits in first_apart)

        above, below = _ints(builder, label, upper, 0), _ints(builder, label, lower, 0)
        same = builder.icmp_unsigned("==", above, below)
        copied = builder.load(_pointer(builder, successor, upper, 0, _LONGS), align=4)
        left = builder.insert_element(_count(builder, builder.shl(lower, _ONE), _LONGS), pending, _FIRST)
        _put_right(builder, successor, lower, builder.select(same, copied, builder.shl(left, _HALF)))
        above_next, below_next = _ints(builder, label, upper, 1), _ints(builder, label, lower, 1)
        same_next = builder.icmp_unsigned("==", above_next, below_next)
        heads = builder.select(same_next, _ints(builder, head, upper, 1), _left_behind(builder, lower))
        _put_heads(builder, head, lower, heads)

        free = builder.and_(builder.not_(_bits(builder, same)), builder.sub(builder.shl(_ONE, n), _ONE))
        is_top = builder.and_(free, builder.not_(builder.and_(pending, _ONE)))
        place = _pointer(builder, tops, n_tops, 0, _INTS)
        n_tops = builder.add(n_tops, _list(context, builder, _counted(builder, lower), is_top, place))
        corners = (builder.icmp_unsigned("==", *pair) for pair in ((above, below_next), (above_next, below)))
        meets = [builder.and_(free, _bits(builder, corner)) for corner in corners]
        n_contacts = _list_contacts(context, builder, upper, lower, meets, contacts, n_contacts)
        return context.make_tuple(builder, result, [n, up, down, builder.and_(free, _ONE), n_tops, n_contacts])

    return result(*[types.int64] * 6, *[types.uint64] * 5, types.uint32), codegen


def _list_contacts(context: Any, builder: Any, upper: Any, lower: Any, meets: Any, contacts: Any, n: Any) -> Any:
    """Write step by step whether the upper run meets the next lower one, then whether the next upper one the lower."""
    bits = builder.or_(meets[0], builder.shl(meets[1], ir.Constant(_I64, 32)))
    for distance, kept in ((4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        bits = builder.or_(bits, builder.shl(bits, ir.Constant(_I64, distance)))
        bits = builder.and_(bits, ir.Constant(_I64, kept << 32 | kept))
    bits = builder.or_(bits, builder.lshr(bits, ir.Constant(_I64, 31)))
    first = _spread(builder, builder.or_(builder.shl(upper, ir.Constant(_I64, 32)), lower))
    for half in (0, 1):
        steps = [(item // 2, item % 2) for item in range(half * PAIRS, (half + 1) * PAIRS)]
        pairs = builder.add(first, ir.Constant(_LONGS, [step + side << 32 | step + 1 - side for step, side in steps]))
        marked = builder.and_(builder.lshr(bits, ir.Constant(_I64, half * PAIRS)), ir.Constant(_I64, 2**PAIRS - 1))
        n = builder.add(n, _list(context, builder, pairs, marked, _pointer(builder, contacts, n, 0, _LONGS)))
    return n


def _list(context: Any, builder: Any, values: Any, marked: Any, place: Any) -> Any:
    """Write those of 8 values that are marked one behind the other, up to 8 in all, and give how many they are."""
    kind = values.type
    if has_compress(context):
        mask = builder.bitcast(builder.trunc(marked, ir.IntType(PAIRS)), ir.VectorType(ir.IntType(1), PAIRS))
        name = f"llvm.x86.avx512.mask.compress.v{PAIRS}i{kind.element.width}"
        compress = get_or_insert_function(  # type: ignore[no-untyped-call]  # Numba's own
            builder.module, ir.FunctionType(kind, [kind, kind, mask.type]), name
        )
        values = builder.call(compress, [values, ir.Constant(kind, None), mask])
        builder.store(values, place, align=kind.element.width // 8)
        return builder.ctpop(marked)
    one_by_one = builder.bitcast(place, kind.element.as_pointer())
    n: Any = ir.Constant(_I64, 0)
    for lane in range(PAIRS):
        builder.store(builder.extract_element(values, ir.Constant(_I32, lane)), builder.gep(one_by_one, [n]))
        n = builder.add(n, builder.and_(builder.lshr(marked, ir.Constant(_I64, lane)), _ONE))
    return n


def _xs(builder: Any, packed: Any, run: Any, ahead: int) -> Any:
    """Load the x where runs begin."""
    return builder.trunc(builder.load(_pointer(builder, packed, run, ahead, _LONGS), align=8), _INTS)


def _ints(builder: Any, address: Any, run: Any, ahead: int) -> Any:
    return builder.load(_pointer(builder, address, run, ahead, _INTS), align=4)


def _left_behind(builder: Any, run: Any) -> Any:
    """Give the left edges of the runs behind one."""
    return _count(builder, builder.trunc(builder.shl(builder.add(run, _ONE), _ONE), _I32), _INTS)


def _counted(builder: Any, run: Any) -> Any:
    """Give a run and those behind it."""
    return builder.add(_spread(builder, builder.trunc(run, _I32)), ir.Constant(_INTS, list(range(PAIRS))))


def _put_right(builder: Any, successor: Any, run: Any, nodes: Any) -> None:
    """Write the successors of runs' right edges: the high half of each pair."""
    builder.store(nodes, _pointer(builder, successor, run, 0, _LONGS), align=4)


def _put_heads(builder: Any, head: Any, run: Any, heads: Any) -> None:
    builder.store(heads, _pointer(builder, head, run, 1, _INTS), align=4)


def _bits(builder: Any, lanes: Any) -> Any:
    return builder.zext(builder.bitcast(lanes, ir.IntType(PAIRS)), _I64)


def _leading(builder: Any, lanes: Any) -> Any:
    """Give the number of lanes that are set before the first one that is not."""
    others = builder.zext(builder.not_(builder.bitcast(lanes, ir.IntType(PAIRS))), _I64)
    return builder.cttz(builder.or_(others, ir.Constant(_I64, 1 << PAIRS)), ir.Constant(ir.IntType(1), 1))


def _spread(builder: Any, value: Any) -> Any:
    """Give a number in all lanes."""
    one = builder.insert_element(ir.Constant(ir.VectorType(value.type, PAIRS), ir.Undefined), value, _FIRST)
    return builder.shuffle_vector(one, one, ir.Constant(_INTS, [0] * PAIRS))


def _pointer(builder: Any, address: Any, run: Any, ahead: int, kind: Any) -> Any:
    """Point to what an array of numbers, or lanes, of this kind has for a run so many further on."""
    width = kind.element.width if isinstance(kind, ir.VectorType) else kind.width
    offset = builder.mul(builder.add(run, ir.Constant(_I64, ahead)), ir.Constant(_I64, width // 8))
    return builder.inttoptr(builder.add(address, offset), kind.as_pointer())


def _choose(builder: Any, relation: str, first: Any, second: Any) -> Any:
    return builder.select(builder.icmp_unsigned(relation, first, second), first, second)


def _count(builder: Any, start: Any, kind: Any) -> Any:
    """Give start, start + 2, ...: nodes of one side of runs."""
    return builder.add(_spread(builder, start), ir.Constant(kind, list(range(0, 2 * PAIRS, 2))))


link_alike = cast(Callable[[int, int, int, int, np.uint64, np.uint64], np.uint64], intrinsic(_link_alike))
"""Number of steps, up to PAIRS, in which runs of two rows end alike; what follows which edge there is written.

Takes the addresses of `Runs.packed` and `label` and of `Links.successor` and `head`, and the numbers of an upper and a
lower run of one label. Step k is alike where the runs behind upper + k and lower + k have one label, too, and begin
before either of them ends. Then `head` of lower + k + 1, its left edge as successor of the `head` of upper + k + 1, and
the successor of lower + k's right edge are written as `link` says. What it writes for later steps, and as successors of
left edges of lower runs, means nothing. Looks at REACH runs of each row, and writes some of the lower ones.
"""
link_level = cast(
    Callable[
        [int, int, int, int, int, int, np.uint64, np.uint64, np.uint64, np.uint64, np.uint64, np.uint32],
        tuple[np.uint64, np.uint64, np.uint64, np.uint64, np.uint64, np.uint64],
    ],
    intrinsic(_link_level),
)
"""Take the steps, up to PAIRS, in which an upper and a lower run end at the same x, short of the rows' end.

Args: addresses of `Runs.packed` and `label`, and of `Links.successor`, `head`, `tops` and `contacts`; an upper and a
lower run; what is to follow the lower one's right edge (`pending` in `link.py`); the number of tops, and of contacts,
so far; the width of the rows.

Gives how many steps they are; 1 where the upper run behind them ends before the lower one, else 0; the same of the
lower one; 1 where there is a step and its two labels differ; the number of tops, and of contacts. What follows the
lower runs' right edges, and the heads behind them, are written as `link` says. What follows the upper runs' heads is
not: that is to be each one's right edge before, and the caller's where the first one's open node is not its head.
What is written for later steps, as successors of lower runs' left edges, and behind the last top and contact, means
nothing. Looks at REACH runs of each row, and writes some of the lower ones, up to 8 tops and 16 contacts.
"""
