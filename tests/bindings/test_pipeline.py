from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predarrow import pipeline
from predarrow.errors import PredarrowError
from predarrow.pipeline import Made, Spares, run, worker_count


def _chunks(n: int) -> Iterator[list[int]]:
    for number in range(n):
        yield [number]


def _slow_square(chunk: Sequence[int]) -> int:
    time.sleep(0.001 * (chunk[0] * 7 % 5))  # later chunks are often done first
    return chunk[0] ** 2


@given(st.integers(0, 40), st.integers(1, 6))
def test_results_come_in_order(n: int, workers: int) -> None:
    assert list(run(_chunks(n), lambda chunk: chunk[0] ** 2, workers=workers)) == [i**2 for i in range(n)]


def test_results_come_in_order_when_chunks_do_not() -> None:
    assert list(run(_chunks(60), _slow_square, workers=4)) == [i**2 for i in range(60)]


def test_at_most_workers_and_two_are_in_flight() -> None:
    made = 0

    def chunks() -> Iterator[list[int]]:
        nonlocal made
        for number in range(200):
            made += 1
            yield [number]

    for given_out, _ in enumerate(run(chunks(), _slow_square, workers=3), 1):
        assert made - (given_out - 1) <= 3 + 2
    assert made == 200


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 4))
def test_what_is_made_comes_at_its_place(are_made: list[bool], workers: int) -> None:
    chunks = [Made(number) if is_made else [number] for number, is_made in enumerate(are_made)]
    calls: list[int] = []
    results = run(chunks, _slow_square, workers=workers, total=9, progress=lambda done, total: calls.append(done))
    assert list(results) == [number if is_made else number**2 for number, is_made in enumerate(are_made)]
    assert calls == list(range(1, len(are_made) + 1))


def test_what_is_made_does_not_wait_for_what_follows() -> None:
    taken: list[int] = []

    def chunks() -> Iterator[Made[int]]:
        for number in range(9):
            taken.append(number)
            yield Made(number)

    for number in run(chunks(), _slow_square, workers=3):
        assert taken[-1] == number


def test_one_worker_needs_no_thread() -> None:
    threads = set(run(_chunks(5), lambda chunk: threading.get_ident(), workers=1))
    assert threads == {threading.get_ident()}
    _no_thread_is_left()


def test_the_callers_thread_is_one_of_the_workers() -> None:
    both = threading.Barrier(2, timeout=30)  # which nobody passes alone

    def meet(chunk: Sequence[int]) -> int:
        both.wait()
        return threading.get_ident()

    threads = set(run(_chunks(50), meet, workers=2))
    assert len(threads) == 2
    assert threading.get_ident() in threads


def _second_fails_first(error: BaseException) -> Iterator[int]:
    """Give a run whose first chunk ends in the pool's thread after the second has failed in the caller's."""
    is_begun, has_failed = threading.Event(), threading.Event()

    def chunks() -> Iterator[list[int]]:
        yield [0]
        assert is_begun.wait(30)
        yield [1]

    def function(chunk: Sequence[int]) -> int:
        if chunk[0] == 1:
            has_failed.set()
            raise error
        is_begun.set()
        assert has_failed.wait(30)
        return chunk[0]

    return run(chunks(), function, workers=2)


def test_an_error_in_the_callers_thread_waits_for_its_place() -> None:
    results = _second_fails_first(ValueError("one"))
    assert next(results) == 0
    with pytest.raises(ValueError, match="one"):
        next(results)
    _no_thread_is_left()


def test_an_interrupt_in_the_callers_thread_comes_out_at_once() -> None:
    results = _second_fails_first(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        next(results)
    _no_thread_is_left()


@pytest.mark.parametrize("workers", [1, 3])
def test_an_error_comes_out_at_its_place_and_stops_the_rest(workers: int) -> None:
    started: list[int] = []

    def fail_at_5(chunk: Sequence[int]) -> int:
        started.append(chunk[0])
        if chunk[0] == 5:
            raise ValueError("five")
        return chunk[0]

    results = run(_chunks(1000), fail_at_5, workers=workers)
    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="five"):
        next(results)
    assert max(started) <= 5 + workers + 2
    _no_thread_is_left()


def test_closing_stops_the_rest() -> None:
    started: list[int] = []

    def note(chunk: Sequence[int]) -> int:
        started.append(chunk[0])
        return chunk[0]

    results = run(_chunks(1000), note, workers=2)
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]  # a generator behind its interface
    assert max(started) <= 2 + 2
    _no_thread_is_left()


def test_progress_counts_sources() -> None:
    calls: list[tuple[int, int]] = []
    chunks = [[1, 2, 3], [4], [5, 6]]
    list(run(chunks, len, workers=2, total=6, progress=lambda done, total: calls.append((done, total))))
    assert calls == [(3, 6), (4, 6), (6, 6)]


def test_a_workspace_is_lent_to_one_at_a_time_and_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "_cores", lambda: 3)  # as many are kept
    spares: Spares[list[int]] = Spares(lambda workspace: True)
    made: list[list[int]] = []

    def make() -> list[int]:
        made.append([])
        return made[-1]

    def use(chunk: Sequence[int]) -> bool:
        with spares.lend("kind", make) as workspace:
            workspace.append(threading.get_ident())
            alone = len(workspace) == 1
            time.sleep(0.001)
            workspace.clear()
        return alone

    assert all(run(_chunks(50), use, workers=3))
    assert len(made) <= 3
    with spares.lend("kind", make) as workspace:
        assert workspace in made


def test_workspaces_of_another_kind_too_large_or_left_by_an_error_are_dropped() -> None:
    spares: Spares[list[int]] = Spares(lambda workspace: len(workspace) < 3)
    first: list[int] = []
    with spares.lend("a", lambda: first):
        pass
    with spares.lend("a", list) as workspace:
        assert workspace is first
        workspace.extend([1, 2, 3])
    with spares.lend("a", list) as workspace:
        assert workspace is not first
    failed: list[int] = []
    with pytest.raises(ZeroDivisionError), spares.lend("a", lambda: failed):
        1 / 0  # noqa: B018 - the way out of the block is what matters
    with spares.lend("a", list) as workspace:
        assert workspace is not failed
        second = workspace
    with spares.lend("b", list), spares.lend("a", list) as workspace:
        assert workspace is not second


def test_number_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREDARROW_NUM_THREADS", raising=False)
    assert worker_count(None) >= 1
    monkeypatch.setenv("PREDARROW_NUM_THREADS", "7")
    assert worker_count(None) == 7
    assert worker_count(2) == 2
    for text in ("0", "-1", "many", "1.5"):
        monkeypatch.setenv("PREDARROW_NUM_THREADS", text)
        with pytest.raises(PredarrowError, match="PREDARROW_NUM_THREADS"):
            worker_count(None)
    with pytest.raises(PredarrowError, match="at least 1, got 0"):
        worker_count(0)


def _no_thread_is_left() -> None:
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("predarrow")]
