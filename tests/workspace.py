"""A tracer's scratch arrays, as kernels see them."""

from __future__ import annotations

import numba

from predarrow_engine.runs import Runs
from predarrow_engine.workspace import Work, Workspace, cut_up

_cut_up = numba.njit(lambda memory, rows: cut_up(memory, rows))


def arrays_of(workspace: Workspace, runs: Runs) -> Work:
    """Give the arrays that lie in a workspace, after its runs of an image."""
    work: Work = _cut_up(workspace.memory, runs.rows)
    return work
