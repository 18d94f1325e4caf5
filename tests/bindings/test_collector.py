"""Batches of a loop, collected."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from predarrow import (
    Collector,
    DataUnits,
    InputError,
    Ontology,
    PredarrowError,
    Project,
    from_detections,
    from_label_mask,
    from_masks,
)
from predarrow.errors import OutputError
from predarrow.table import SCHEMA

NAMES = ["person", "car"]


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let temporary files lie in a folder of the test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def step(k: int) -> tuple[Any, ...]:
    """Give the boxes, scores, labels and ids of two images."""
    return (
        [np.array([[0, 0, k, k + 1]], np.float32), np.array([[1, 1, 2, 2], [3, 3, 4, 4]], np.float32)],
        [np.array([0.5]), np.array([0.25, k])],
        [np.array([1]), np.array([0, 1])],
        [f"a{k}", f"b{k}"],
    )


def collected(n_steps: int, **options: Any) -> Collector:
    collector = Collector(classes=NAMES, **options)
    for k in range(n_steps):
        collector.add(*step(k))
    return collector


def wanted(n_steps: int) -> pa.Table:
    columns = [step(k) for k in range(n_steps)]
    return from_detections(*([entry for column in columns for entry in column[i]] for i in range(4)), classes=NAMES)


def test_the_steps_are_one_table() -> None:
    for n_steps in (0, 1, 3, 200):
        collector = collected(n_steps)
        table = collector.table()
        table.validate(full=True)
        assert table.schema.equals(SCHEMA, check_metadata=True)
        assert len(collector) == table.num_rows == 3 * n_steps
        if n_steps:
            assert table.equals(wanted(n_steps))
        assert pa.table(collector).equals(table)
        assert collector.table().equals(table)


def test_options_of_steps() -> None:
    collector = Collector(box_format="xywh", box_unit="relative")
    collector.add([[0, 0.5, 0.5, 0.25]], None, "car", "x", image_sizes=(100, 200), frames=4, object_ids=["p"])
    (row,) = collector.table().to_pylist()
    assert row["bbox"] == {"xmin": 0, "ymin": 50, "xmax": 100, "ymax": 75}
    assert (row["frame"], row["object_id"], row["image_width"], row["confidence"]) == (4, "p", 200, None)


def test_what_was_taken_may_be_used_again() -> None:
    boxes, scores, labels = np.array([[0.0, 0, 1, 1]]), np.array([0.5]), np.array([1])
    frames = np.array([3], np.int32)
    collector = Collector(classes=NAMES)
    collector.add(boxes, scores, labels, ["x"], frames=frames)
    before = collector.table().to_pylist()
    for array in (boxes, scores, labels, frames):
        array[...] = 0
    assert collector.table().to_pylist() == before


def test_tables_of_any_kind() -> None:
    mask = np.eye(4, dtype=np.uint8)
    tables = [
        from_label_mask(mask, data_unit="x"),
        from_masks(np.stack([mask, 1 - mask]), data_unit="x", form="rle"),
        from_detections([[0, 0, 1, 1]], None, "car", "x"),
        from_label_mask(mask * 0),
    ]
    collector = Collector()
    for table in tables:
        collector.add_table(table)
    found = collector.table()
    found.validate(full=True)
    assert found["row"].to_pylist() == [0, 1, 2, 3]
    assert found.drop_columns("row").equals(pa.concat_tables(tables).drop_columns("row"))
    nulls = tables[2].set_column(SCHEMA.get_field_index("row"), SCHEMA.field("row"), pa.nulls(1, pa.int64()))
    collector.add_table(nulls)
    collector.add_table(tables[2].to_batches()[0])
    assert collector.table()["row"].to_pylist() == [0, 1, 2, 3, None, 4]
    larger = tables[2].set_column(0, "data_unit", pa.array(["x"], pa.large_string()))
    for bad, text in (
        (pa.table({"x": [1]}), "must have the schema of a prediction table, got the columns x$"),
        (larger, "data_unit: string not null>, got .*data_unit: large_string>; cast it with"),
        ([tables[2]], "must be a pyarrow.Table or RecordBatch, got list$"),
    ):
        with pytest.raises(PredarrowError, match="^table: .*" + text):
            collector.add_table(bad)
    assert len(collector) == 6


def test_a_step_that_is_refused_leaves_nothing() -> None:
    collector = collected(2)
    with pytest.raises(InputError, match=r"boxes\[0\]"):
        collector.add([[3, 3, 1, 1]], [0.5], [1], "x")
    with pytest.raises(InputError, match=r"labels\[0\]"):
        collector.add([[1, 1, 2, 2]], [0.5], [7], "x")
    assert collector.table().equals(wanted(2))


def test_report() -> None:
    collector = Collector(classes={0: None, 1: "car"})
    collector.add(*step(5))
    assert collector.report.imported == len(collector) == 2
    assert collector.report.skipped == {"class is mapped to None": 1}
    collector.clear()
    assert len(collector) == 0
    assert not collector.report.skipped
    assert collector.table().num_rows == 0


def mapped(temporary: Path) -> set[str]:
    """Give the temporary files that this process has mapped."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return {line.partition("/")[2] for line in lines if str(temporary) in line}


def test_memory_is_bounded(temporary: Path) -> None:
    collector = collected(300, memory_limit=5000)
    assert len(mapped(temporary)) > 3
    table = collector.table()
    assert table.equals(wanted(300))
    assert collector.table().equals(table)
    collector.add(*step(300))
    assert collector.table().equals(wanted(301))
    del collector
    assert table.equals(wanted(300))  # it shares what is mapped
    del table
    assert mapped(temporary) == set()


def test_clear_gives_files_back(temporary: Path) -> None:
    collector = collected(100, memory_limit=0)
    assert mapped(temporary)
    collector.clear()
    assert mapped(temporary) == set()
    collector.add(*step(0))
    assert collector.table().equals(wanted(1))


def test_files_have_no_name_and_are_not_open(temporary: Path) -> None:
    # A process that is killed, or a worker that ends by os._exit, removes nothing.
    n_open = len(list(Path("/proc/self/fd").iterdir()))
    collector = collected(100, memory_limit=0)
    assert list(temporary.iterdir()) == []
    assert len(list(Path("/proc/self/fd").iterdir())) == n_open
    first, second = collector.batches(), collector.batches()  # at once: each reads for itself
    assert [one.equals(other) for one, other in zip(first, second, strict=True)].count(True) >= 100


def test_a_disk_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    collector = Collector(memory_limit=0)
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with pytest.raises(OutputError, match="/nowhere: cannot be written"):
        collector.add(*step(0))
    assert len(collector) == collector.table().num_rows == 3


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"memory_limit": -1}, "memory_limit: must be a number of bytes of at least 0, got -1"),
        ({"memory_limit": "1 GB"}, "memory_limit: must be a number of bytes of at least 0, got '1 GB'"),
        ({"memory_limit": float("nan")}, "memory_limit: must be a number"),
        ({"box_format": "yxyx"}, "box_format: must be one of 'xyxy', 'xywh', 'cxcywh', got 'yxyx'"),
        ({"box_unit": "inch"}, "box_unit: must be one of 'pixel', 'percent', 'relative', got 'inch'"),
        ({"classes": "car"}, "classes: must be a list of names"),
    ],
)
def test_options_are_checked_before_the_loop(options: dict[str, Any], text: str) -> None:
    with pytest.raises(PredarrowError, match=f"^{text}"):
        Collector(**options)


def test_no_thread_is_started() -> None:
    before = threading.active_count()
    collected(50, memory_limit=1000).table()
    assert threading.active_count() == before


def test_pickle() -> None:
    for n_steps in (0, 3):
        copy = pickle.loads(pickle.dumps(collected(n_steps)))
        copy.add(*step(n_steps))
        assert copy.table().equals(wanted(n_steps + 1))
    with pytest.raises(PredarrowError, match="cannot be pickled"):
        pickle.dumps(collected(100, memory_limit=0))


def _add_and_send(collector: Collector, connection: Any) -> None:
    for k in range(100, 200):
        collector.add(*step(k))
    connection.send(len(collector))
    connection.send(collector.table().to_pylist()[-1]["data_unit"])
    connection.close()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers(method: str, temporary: Path) -> None:
    collector = collected(100, memory_limit=2000 if method == "fork" else 1 << 28)
    assert bool(mapped(temporary)) == (method == "fork")
    context: Any = multiprocessing.get_context(method)
    receiver, sender = context.Pipe(duplex=False)
    worker = context.Process(target=_add_and_send, args=(collector, sender))
    worker.start()
    assert receiver.recv() == 600
    assert receiver.recv() == "b199"
    worker.join()
    assert worker.exitcode == 0
    assert list(temporary.iterdir()) == []
    assert collector.table().equals(wanted(100))


def test_a_fork_that_forgets_leaves_its_parent_what_it_has() -> None:
    collector = collected(50, memory_limit=0)
    child = os.fork()
    if child == 0:
        try:
            collector.clear()
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert collector.table().equals(wanted(50))


def test_a_fork_has_what_its_parent_forgets() -> None:
    collector = collected(50, memory_limit=0)
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.read(receiver, 1)  # until the parent forgot
            code = 0 if collector.table().equals(wanted(50)) else 2
        finally:
            os._exit(code)
    collector.clear()
    os.write(sender, b".")
    assert os.waitpid(child, 0)[1] == 0


def new_project(path: Path) -> Project:
    units = DataUnits.from_table({"id": ["a0", "b0", "a1", "b1"], "width": [64] * 4, "height": [48] * 4})
    return Project.create(path, ontology=Ontology.from_classes(NAMES, shape="bounding_box"), data_units=units)


def test_commit(tmp_path: Path) -> None:
    project = new_project(tmp_path / "project")
    for limit in (1 << 28, 0):
        collector = collected(2, memory_limit=limit)
        result = collector.commit(project, set_name="epoch")
        assert result.rows == result.report.imported == 6
        table = project.scan("epoch").read_all()
        keys = [(row["data_unit"], row["row"], row["class_name"]) for row in table.to_pylist()]
        assert keys == [
            ("a0", 0, "car"),
            ("a1", 3, "car"),
            ("b0", 1, "person"),
            ("b0", 2, "car"),
            ("b1", 4, "person"),
            ("b1", 5, "car"),
        ]
        assert table["feature_hash"].null_count == 0
        assert set(table["image_width"].to_pylist()) == {64}
    assert project.history("epoch").num_rows == 2


def test_commit_tells_what_was_left_out(tmp_path: Path) -> None:
    collector = Collector(classes={0: None, 1: "car"})
    collector.add(*step(1))
    result = collector.commit(new_project(tmp_path / "project"))
    assert (result.rows, result.report.skipped.total()) == (2, 1)
    with pytest.raises(InputError, match="data_unit"):
        collected(3).commit(tmp_path / "project")
