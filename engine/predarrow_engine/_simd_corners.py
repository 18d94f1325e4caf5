"""Vertical edges -> vertices, four edges at a time, as LLVM intermediate code.

Nothing here checks an address: the caller (`columns.py`) knows that what is looked at and written lies inside its
arrays. The function has a plain twin in the tests. The code is portable, see `_simd.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

EDGES = 4
"""Edges that one step takes; it looks at the one behind them, too.

A Voronoi image takes 0.16 ms instead of 0.40 one by one. Eight are a little quicker where rings are long (argmax 0.13
ms, not 0.16), but slower where they are short (noise 8.4 ms, not 6.8).
"""

_I32, _I64 = ir.IntType(32), ir.IntType(64)
_LONGS, _INTS = ir.VectorType(_I64, EDGES), ir.VectorType(_I32, EDGES)
_FLOATS = ir.VectorType(ir.FloatType(), EDGES)
_TWICE = ir.Constant(ir.VectorType(_I32, 2 * EDGES), [lane // 2 for lane in range(2 * EDGES)])


def _write_corners(typingctx: Any, edges: Any, edge: Any, x: Any, y: Any, vertex: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        edges, edge, x, y, vertex = args
        one = ir.Constant(_I64, 1)

        def corners(first: Any) -> Any:
            address = builder.add(edges, builder.shl(first, ir.Constant(_I64, 3)))
            return builder.load(builder.inttoptr(address, _LONGS.as_pointer()), align=8)

        def store(numbers: Any, target: Any, at: Any) -> None:
            floats = builder.sitofp(builder.trunc(numbers, _INTS), _FLOATS)
            twice = builder.shuffle_vector(floats, floats, _TWICE)
            address = builder.add(target, builder.shl(at, ir.Constant(_I64, 2)))
            builder.store(twice, builder.inttoptr(address, twice.type.as_pointer()), align=4)

        store(corners(edge), x, vertex)
        levels = builder.lshr(corners(builder.add(edge, one)), ir.Constant(_LONGS, [32] * EDGES))
        store(levels, y, builder.add(vertex, one))
        return context.get_dummy_value()

    return types.void(types.int64, types.uint64, types.int64, types.int64, types.uint64), codegen


write_corners = cast(Callable[[int, np.uint64, int, int, np.uint64], None], intrinsic(_write_corners))
"""Write the x of EDGES edges and the y of as many from the second on, each twice.

Takes the addresses of y << 32 | x of each edge, the first edge, and the addresses of x and y, as float32, and the first
vertex. x goes to 2 * EDGES vertices from there on, y to as many after it.
"""
