"""The column of COCO's batches that is kept from one to the next."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from predarrow.formats.coco.rows import _SourceColumn


@given(st.lists(st.tuples(st.integers(0, 3000), st.sampled_from(["a", "b.json", "", "é/ü.json"])), max_size=8))
def test_batches_of_any_lengths_have_their_own_source(asked: list[tuple[int, str]]) -> None:
    column = _SourceColumn()
    for n, source in asked:
        rows = column.rows(n, source)
        rows.validate(full=True)
        assert rows.to_pylist() == [source] * n


def test_a_shorter_batch_takes_the_longer_ones_memory() -> None:
    column = _SourceColumn()
    longer = column.rows(2000, "a")
    assert column.rows(600, "a").buffers()[2].address == longer.buffers()[2].address
    assert column.rows(2000, "a").buffers()[2].address == longer.buffers()[2].address
