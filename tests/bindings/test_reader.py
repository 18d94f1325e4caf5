from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from predarrow.errors import InputError, PredarrowError
from predarrow.reader import OnError, Part, PredictionReader
from predarrow.report import Code, Problem, Report
from predarrow.table import SCHEMA
from tests.project_data import batch

PROBLEM = Problem("a.png", None, "", Code.DAMAGED, "broken")


def _batch(rows: int) -> pa.RecordBatch:
    return batch(rows)


def _reader(*problems_at: int, on_error: OnError = "raise", parts: int = 4) -> PredictionReader:
    def make() -> Iterator[Part]:
        for number in range(parts):
            report = Report(sources=1, problems=[PROBLEM] if number in problems_at else [])
            yield Part([_batch(number)], report)

    return PredictionReader(make(), on_error=on_error)


def test_batches_and_report() -> None:
    reader = _reader()
    assert [rows.num_rows for rows in reader] == [0, 1, 2, 3]
    assert (reader.report.sources, reader.report.imported, reader.report.rejected) == (4, 6, 0)


def test_read_all_has_the_schema_even_when_empty() -> None:
    assert _reader().read_all().num_rows == 6
    table = PredictionReader(iter(())).read_all()
    assert table.schema.equals(SCHEMA, check_metadata=True)
    assert table.num_rows == 0


def test_raise_hands_out_nothing_after_a_problem_but_looks_at_everything() -> None:
    reader = _reader(2)
    handed_out: list[int] = []

    def read() -> None:
        handed_out.extend(rows.num_rows for rows in reader)

    with pytest.raises(InputError, match=r"a\.png: broken"):
        read()
    assert handed_out == [0, 1]
    assert reader.report.sources == 4


def test_raise_tells_ten_and_counts_the_rest() -> None:
    with pytest.raises(InputError) as caught:
        _reader(*range(13), parts=13).read_all()
    assert len(caught.value.problems) == 13
    assert str(caught.value).splitlines()[-1] == "… and 3 more"
    assert len(str(caught.value).splitlines()) == 11


def test_problems_known_beforehand_raise_too() -> None:
    reader = PredictionReader(iter([Part([_batch(2)], Report(sources=1))]), report=Report(problems=[PROBLEM]))
    with pytest.raises(InputError):
        reader.read_all()
    assert reader.report.imported == 0


def test_skip_hands_out_the_rest() -> None:
    reader = _reader(2, on_error="skip")
    assert reader.read_all().num_rows == 6
    assert reader.report.problems == [PROBLEM]


def test_a_reader_is_read_once() -> None:
    reader = _reader()
    reader.read_all()
    with pytest.raises(PredarrowError, match="read once"):
        reader.read_all()


def test_arrow_stream() -> None:
    assert pa.table(_reader()).num_rows == 6
    assert pa.RecordBatchReader.from_stream(_reader()).read_all().schema.equals(SCHEMA)
    with pytest.raises(Exception, match="broken"):
        pa.table(_reader(3))


def test_close_ends_the_work() -> None:
    closed = []

    def parts() -> Iterator[Part]:
        try:
            while True:
                yield Part([_batch(1)], Report())
        finally:
            closed.append(True)

    with PredictionReader(parts()) as reader:
        next(iter(reader))
    assert closed == [True]
    with PredictionReader(parts()) as untouched:
        pass
    with pytest.raises(PredarrowError, match="read once"):
        untouched.read_all()


def test_on_error_must_hold() -> None:
    with pytest.raises(PredarrowError, match='must be "raise" or "skip"'):
        PredictionReader(iter(()), on_error="ignore")  # type: ignore[arg-type]  # what is tested
