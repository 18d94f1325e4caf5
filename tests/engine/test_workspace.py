"""Scratch memory that kernels cut up: every byte belongs to one array."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
import pytest

from predarrow_engine import workspace as engine
from predarrow_engine.workspace import Workspace
from tests.workspace import arrays_of


@pytest.mark.parametrize("shape", [(1, 1), (3, 5000), (2000, 3001)])
def test_arrays_lie_side_by_side_and_fill_the_memory(shape: tuple[int, int]) -> None:
    workspace = Workspace()
    runs = workspace.runs(*shape)
    work = arrays_of(workspace, runs)
    arrays: list[npt.NDArray[Any]] = [work.runs.packed, work.runs.label, *work.links, *work.rings, *work.order]
    begins = [array.__array_interface__["data"][0] for array in arrays]
    ends = [begin + array.nbytes for begin, array in zip(begins, arrays, strict=True)]
    assert begins == [workspace.memory.__array_interface__["data"][0], *ends[:-1]]
    assert ends[-1] == begins[0] + workspace.memory.nbytes
    assert workspace.memory.nbytes == engine.RUN_BYTES * workspace.room
    assert runs.packed.size == workspace.room >= shape[1]
    seen: list[npt.NDArray[Any]] = [*runs]
    cut: list[npt.NDArray[Any]] = [*work.runs]
    assert [array.__array_interface__ for array in seen] == [array.__array_interface__ for array in cut]


def test_each_array_has_the_room_that_its_description_tells() -> None:
    workspace = Workspace()
    work = arrays_of(workspace, workspace.runs(10, 10))
    n = workspace.room
    assert {len(array) for array in work.runs[:3]} == {n}
    assert [len(array) for array in work.links] == [2 * n, n, 2 * n, 2 * n]
    assert [len(array) for array in work.rings] == [4 * n, 2 * n, *[3 * n] * 4, *[n] * 8]
    assert [len(array) for array in work.order] == [*[3 * n] * 4, n]


def test_room_doubles_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "RUN_LIMIT", 12_000)
    workspace = Workspace()
    first = workspace.room
    workspace.grow()
    assert 2 * first <= workspace.room < 12_000
    workspace.grow()
    assert workspace.room == 12_000
    with pytest.raises(ValueError, match="at most 12000 runs"):
        workspace.grow()
