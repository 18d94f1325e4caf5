"""Pairs of runs that neighbouring rows have alike, linked eight at a time, as LLVM intermediate code.

Nothing here checks an address: the caller (`link.py`) knows that what is looked at lies inside its arrays. The function
has a plain twin in the tests. The code is portable, see `_simd.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

PAIRS = 8
"""Pairs that one step looks at: 16 are no quicker."""
REACH = PAIRS + 2
"""Runs from the first one on that it may look at or write."""

_I32, _I64 = ir.IntType(32), ir.IntType(64)
_ONE = ir.Constant(_I64, 1)
_INTS, _LONGS = ir.VectorType(_I32, PAIRS), ir.VectorType(_I64, PAIRS)


def _link_alike(typingctx: Any, packed: Any, label: Any, successor: Any, head: Any, upper: Any, lower: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        packed, label, successor, head, upper, lower = args

        def xs(run: Any, ahead: int) -> Any:
            return builder.trunc(builder.load(_pointer(builder, packed, run, ahead, _LONGS), align=8), _INTS)

        def ints(address: Any, run: Any) -> Any:
            return builder.load(_pointer(builder, address, run, 1, _INTS), align=4)

        upper_ends, lower_ends = xs(upper, 1), xs(lower, 1)
        last = _choose(builder, ">", upper_ends, lower_ends)
        next_ends = _choose(builder, "<", xs(upper, 2), xs(lower, 2))
        same_labels = builder.icmp_unsigned("==", ints(label, upper), ints(label, lower))
        alike = builder.and_(same_labels, builder.icmp_unsigned("<", last, next_ends))
        others = builder.zext(builder.not_(builder.bitcast(alike, ir.IntType(PAIRS))), _I64)
        n_alike = builder.cttz(builder.or_(others, ir.Constant(_I64, 1 << PAIRS)), ir.Constant(ir.IntType(1), 1))

        straight = builder.icmp_unsigned("==", upper_ends, lower_ends)
        above = builder.load(_pointer(builder, successor, upper, 0, _LONGS), align=4)
        right = _count(builder, builder.add(builder.shl(upper, _ONE), _ONE), _LONGS)
        right = builder.shl(right, ir.Constant(_LONGS, [32] * PAIRS))
        target = _pointer(builder, successor, lower, 0, _LONGS)
        builder.store(builder.select(straight, above, right), target, align=4)
        left = _count(builder, builder.trunc(builder.shl(builder.add(lower, _ONE), _ONE), _I32), _INTS)
        heads = builder.select(straight, ints(head, upper), left)
        builder.store(heads, _pointer(builder, head, lower, 1, _INTS), align=4)
        return n_alike

    return types.uint64(*[types.int64] * 4, types.uint64, types.uint64), codegen


def _pointer(builder: Any, address: Any, run: Any, ahead: int, kind: Any) -> Any:
    """Point to what an array of lanes of this kind has for a run so many further on."""
    offset = builder.mul(builder.add(run, ir.Constant(_I64, ahead)), ir.Constant(_I64, kind.element.width // 8))
    return builder.inttoptr(builder.add(address, offset), kind.as_pointer())


def _choose(builder: Any, relation: str, first: Any, second: Any) -> Any:
    return builder.select(builder.icmp_unsigned(relation, first, second), first, second)


def _count(builder: Any, start: Any, kind: Any) -> Any:
    """Give start, start + 2, ...: nodes of one side of runs."""
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), start, ir.Constant(_I32, 0))
    every = builder.shuffle_vector(one, one, ir.Constant(_INTS, [0] * PAIRS))
    return builder.add(every, ir.Constant(kind, list(range(0, 2 * PAIRS, 2))))


link_alike = cast(Callable[[int, int, int, int, np.uint64, np.uint64], np.uint64], intrinsic(_link_alike))
"""Number of steps, up to PAIRS, in which runs of two rows end alike; their right edges and heads are written.

Takes the addresses of `Runs.packed` and `label` and of `Links.successor` and `head`, and the numbers of an upper and a
lower run of one label. Step k is alike where the runs behind upper + k and lower + k have one label, too, and begin
before either of them ends. Then `successor` of lower + k's right edge and `head` of lower + k + 1 are written as `link`
says; the successor of each of these heads is left to the caller. What it writes for later steps, and for left edges of
lower runs, means nothing. Looks at REACH runs of each row, and writes some of the lower ones.
"""
