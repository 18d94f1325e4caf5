"""What the tests of crashes and races run in processes of their own."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import deltalake.transaction
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from predarrow import parquet, parts
from predarrow.errors import CommitConflictError, ProjectError
from predarrow.project import Project
from tests.project_data import stream

N_BATCHES = 8


def die(*args: Any, **kwargs: Any) -> None:
    """End this process as `kill -9` does, whatever it is called with."""
    os.kill(os.getpid(), signal.SIGKILL)


def killed_import(path: str, moment: str) -> None:
    """Import the class `new` and die: at a batch (a number), before a rename, before or after the commit."""
    parts.FILE_BYTES = 1  # a file for each row group
    parquet.ROW_GROUP_ROWS = 100
    with pytest.MonkeyPatch.context() as patch:
        if moment == "before rename":
            patch.setattr(Path, "replace", die)
        for owner, name in (
            (DeltaTable, "create_write_transaction"),
            (deltalake.transaction, "create_table_with_add_actions"),
        ):
            if moment == "before commit":
                patch.setattr(owner, name, die)
            elif moment == "after commit":
                patch.setattr(owner, name, _and_die(getattr(owner, name)))
        at_batch = int(moment) if moment.isdigit() else N_BATCHES
        Project(path).commit(_dying_stream(at_batch), operation="new")


def _and_die(commit: Callable[..., None]) -> Callable[..., None]:
    def both(*args: Any, **kwargs: Any) -> None:
        commit(*args, **kwargs)
        die()

    return both


def _dying_stream(at_batch: int) -> Iterator[pa.RecordBatch]:
    for index, batch in enumerate(stream(N_BATCHES, "new")):
        if index == at_batch:
            die()
        yield batch


def endless_imports(path: str) -> None:
    """Import again and again, alternately 1 and 2 times `N_BATCHES` batches, until killed."""
    project = Project(path)
    while True:
        project.commit(stream(N_BATCHES, "one"))
        project.commit(stream(2 * N_BATCHES, "two"))


def racing_imports(path: str, class_name: str, n_imports: int, mode: Any, barrier: Barrier, results: Any) -> None:
    """Import the same class several times, together with other processes; report versions and conflicts."""
    project = Project(path)
    barrier.wait()
    for _ in range(n_imports):
        try:
            results.put((class_name, project.commit(stream(3, class_name), mode=mode)))
        except CommitConflictError:
            results.put((class_name, None))


def import_with_small_files_only(path: str, limit: int, results: Any) -> None:
    """Import on a system that refuses files beyond a limit, as a full disk does; report the error."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        Project(path).commit(stream(2000, "new"))
    except ProjectError as error:
        results.put(str(error))
    else:
        results.put(None)
