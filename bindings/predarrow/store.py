"""One prediction set: a Delta Lake table whose Parquet files are written here and adopted in one commit.

A run writes its part files under names of its own (`part-<run>-<number>.parquet`); until the commit nobody
looks at them, and what a killed run leaves is cleared by `vacuum`. The commit is Delta's: version n of the
log is created by whoever comes first, so that a version is either there as a whole or not at all. Delta's own
writer is not used for the data: it needs four times the memory and does not split floats' bytes.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import re
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import pyarrow as pa

from predarrow.errors import CommitConflictError, OutputError, ProjectError
from predarrow.parts import Part, parts_of, write_parts
from predarrow.table import SCHEMA

if TYPE_CHECKING:
    from deltalake import CommitProperties, DeltaTable
    from deltalake.transaction import AddAction

ATTEMPTS = 8

_OWN_FILE = re.compile(r"\.?part-(?P<run>[0-9a-f]{32})-\d{5}\.parquet(\.[0-9a-f]{8}\.tmp)?")
_KEEP_HOURS = 168.0

_Stamp = tuple[int, int, int]

_delta_process: int | None = None  # whose Delta runs here: it panics, or hangs, in a fork of that process


class Commit(NamedTuple):
    """One version of a prediction set."""

    version: int
    time: int
    """Milliseconds since 1970, UTC."""
    operation: str
    rows: int | None
    """Rows of the set in this version; None where another tool made it."""
    details: dict[str, str]
    run: str | None


class PredictionSet:
    """A prediction set in a folder of its own, which need not be there before the first commit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._snapshot: tuple[int, list[Part]] | None = None
        self._left: list[tuple[DeltaTable, _Stamp]] = []  # see `_leave`

    def exists(self) -> bool:
        """Tell whether anything was committed."""
        return self._log_file(0).exists() or any((self.folder / "_delta_log").glob("*.json"))

    def commit(
        self,
        batches: Iterable[pa.RecordBatch],
        *,
        mode: Literal["overwrite", "append"],
        operation: str,
        details: Mapping[str, str],
        base: int | None = None,
    ) -> int:
        """Write the batches and make them, in one commit, the set's rows or additional rows of it.

        Whatever ends it before the commit (the iterable raises, Ctrl-C, a full disk) leaves the set as it
        was and removes the files; after a kill they wait for `vacuum`. `base` is `Project.commit`'s.

        Returns:
            The new version.

        Raises:
            ProjectError: the files cannot be written, or this process is a fork of one that used Delta.
            CommitConflictError: others committed first in each of `ATTEMPTS` attempts, or since `base`.
        """
        _check_process(self.folder)
        run = uuid.uuid4().hex
        try:
            _make_folder(self.folder)
            # While the batches are made: Delta takes 50 ms to load, and 0.25 ms to read each version of a log.
            with ThreadPoolExecutor(1, thread_name_prefix="predarrow-log") as thread:
                begun = thread.submit(self._begin)
                actions = write_parts(batches, self.folder, run)
            opened = begun.result() if begun.exception() is None else None  # or it is opened, and told, then
            return self._retried(lambda: self._commit_once(actions, mode, operation, details, run, base, opened))
        except OutputError as error:
            self._discard(run)
            raise ProjectError(str(error)) from error
        except BaseException:
            self._discard(run)
            raise

    def _begin(self) -> DeltaTable | None:
        """Load Delta, and open the set where there is one."""
        from deltalake.transaction import AddAction  # noqa: F401 - imported for those who need it next

        return self._last()

    def _commit_once(
        self,
        actions: list[AddAction],
        mode: Literal["overwrite", "append"],
        operation: str,
        details: Mapping[str, str],
        run: str,
        base: int | None,
        opened: DeltaTable | None,
    ) -> int:
        from deltalake import Schema
        from deltalake.transaction import create_table_with_add_actions

        table = (self._open() if opened is None else self._brought_up(opened)) if self.exists() else None
        last = -1 if table is None else table.version()
        if base not in (None, last):
            raise CommitConflictError(f"{self.folder}: must be at version {base}, got {last}; others committed first")
        if lost := [action.path for action in actions if not (self.folder / action.path).exists()]:
            raise ProjectError(f"{self.folder / lost[0]}: was removed before the commit; import again")
        rows = sum(json.loads(action.stats)["numRecords"] for action in actions)
        schema = Schema.from_arrow(SCHEMA)
        if table is None:
            _enter_delta(self.folder)
            create_table_with_add_actions(
                str(self.folder),
                schema,
                actions,
                configuration={"delta.enableExpiredLogCleanup": "false"},  # history is kept
                commit_properties=_properties(operation, rows, details, run),
            )
            return 0
        if mode == "append":
            rows += sum(part.rows for part in parts_of(table, self.folder))
        properties = _properties(operation, rows, details, run)
        table.create_write_transaction([*actions], mode, schema, commit_properties=properties)
        self._leave(table)
        return last + 1

    def _retried(self, attempt: Any) -> int:
        from deltalake.exceptions import CommitFailedError, DeltaError

        for number in range(ATTEMPTS):
            existed = self.exists()
            try:
                with self._locked():
                    return int(attempt())
            except CommitFailedError:
                pass
            except DeltaError as error:
                if existed or not self.exists():  # otherwise another process made the set's first commit
                    raise ProjectError(f"{self.folder}: cannot be committed to: {_reason(error)}") from error
            except OSError as error:
                raise ProjectError(f"{self.folder}: cannot be committed to: {_reason(error)}") from error
            time.sleep(random.uniform(0.5, 1.5) * 0.02 * 2**number)
        raise CommitConflictError(
            f"{self.folder}: other processes committed first in each of {ATTEMPTS} attempts; import again"
        )

    def _discard(self, run: str) -> None:
        """Remove a run's files, unless it was interrupted just after its commit."""
        with suppress(ProjectError, OSError):
            if self.exists() and any(commit.run == run for commit in self.commits()):
                return
            for path in self.folder.glob(f"*part-{run}-*"):
                path.unlink(missing_ok=True)

    def restore(self, version: int) -> int:
        """Make an earlier version's rows the set's rows again, as a new version, and give that.

        Raises:
            ProjectError: no such version, or its files were removed by `vacuum`.
            CommitConflictError: others committed first in each of `ATTEMPTS` attempts.
        """

        def attempt() -> int:
            table = self._open()
            current = table.version()
            parts = self.parts(version)
            if version == current:
                return current
            rows = sum(part.rows for part in parts)
            properties = _properties("restore", rows, {"version": str(version)}, None)
            table.restore(version, commit_properties=properties)
            return current + 1

        return self._retried(attempt)

    def parts(self, version: int | None = None) -> list[Part]:
        """Give the files of a version, of the last one by default.

        Raises:
            ProjectError: no such version, or its files were removed by `vacuum`.
        """
        if version is None and self._snapshot is not None and self._is_current(self._snapshot[0]):
            return self._snapshot[1]
        table = self._open(version)
        parts = parts_of(table, self.folder)
        if lost := [part.path.name for part in parts if not part.path.exists()]:
            raise ProjectError(
                f"{self.folder}: version {table.version()} cannot be read any more: {len(lost)} of its "
                f"{len(parts)} files are gone ({lost[0]}), removed by vacuum or by hand"
            )
        if version is None:
            self._snapshot = table.version(), parts
        return parts

    def last_version(self) -> int:
        """Give the number of the last version, -1 where nothing was committed."""
        if (table := self._last()) is None:
            return -1
        self._leave(table)
        return table.version()

    def _last(self) -> DeltaTable | None:
        """Give the set at its last version, from what was left before that if there is; None where it has none."""
        from deltalake.exceptions import DeltaError

        _check_process(self.folder)
        with suppress(IndexError, DeltaError, OSError):  # or it is opened, and told, below
            table, stamp = self._left.pop()  # two threads must not share one
            if self._stamp(table.version()) == stamp:
                return self._brought_up(table)
        return self._open() if self.exists() else None

    def _leave(self, table: DeltaTable) -> None:
        """Keep an opened table for the next one who asks: at version 40, a commit then takes half the time."""
        if stamp := self._stamp(table.version()):
            self._left = [(table, stamp)]

    def _is_current(self, version: int) -> bool:
        return self._log_file(version).exists() and not self._log_file(version + 1).exists()

    def _stamp(self, version: int) -> _Stamp | None:
        """Tell a version from that of another set that came into the folder's place; None where it is not there."""
        with suppress(OSError):
            found = self._log_file(version).stat()
            return found.st_ino, found.st_mtime_ns, found.st_size
        return None

    def _log_file(self, version: int) -> Path:
        return self.folder / "_delta_log" / f"{version:020d}.json"

    def _open(self, version: int | None = None) -> DeltaTable:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError

        if not self.exists():
            raise ProjectError(f"{self.folder}: no predictions were committed to this set")
        _enter_delta(self.folder)
        try:
            table = DeltaTable(str(self.folder), version=version)
        except (DeltaError, OSError, OverflowError) as error:
            if version is None:
                raise ProjectError(f"{self.folder}: cannot be opened: {_reason(error)}") from error
            last = self._open().version()
            raise ProjectError(f"{self.folder}: version must be 0 to {last}, got {version}") from error
        return self._checked(table)

    def _brought_up(self, table: DeltaTable) -> DeltaTable:
        """Give an opened table at its last version."""
        if self._is_current(table.version()):
            return table
        table.update_incremental()
        return self._checked(table)

    def _checked(self, table: DeltaTable) -> DeltaTable:
        if (reader := table.protocol().min_reader_version) > 1:
            raise ProjectError(f"{self.folder}: Delta reader version {reader} was set by another tool; 1 is read")
        return table

    def commits(self) -> list[Commit]:
        """Give all versions, the last one first."""
        return [
            Commit(
                version=entry["version"],
                time=entry.get("timestamp", 0),
                operation=entry.get("predarrow.operation", entry["operation"].lower()),
                rows=entry.get("predarrow.rows"),
                details=entry.get("predarrow.details", {}),
                run=entry.get("predarrow.run"),
            )
            for entry in self._open().history()
        ]

    def vacuum(
        self, *, keep_versions: int | None, keep_hours: float | None, orphan_hours: float, dry_run: bool
    ) -> list[str]:
        """Remove the files that only versions need that are not kept, and those of runs that were killed.

        See `Project.vacuum`.
        """
        try:
            with self._locked():
                removed = list(self._unneeded(keep_versions, keep_hours, orphan_hours))
                for path in () if dry_run else removed:
                    path.unlink()
        except OSError as error:
            raise ProjectError(f"{self.folder}: cannot be cleared: {error}") from error
        return [path.name for path in removed]

    def _unneeded(self, keep_versions: int | None, keep_hours: float | None, orphan_hours: float) -> Iterator[Path]:
        now = time.time()
        kept = self._kept_files(keep_versions, keep_hours, now)
        runs = {commit.run for commit in self.commits()} if self.exists() else set()
        orphans: dict[str, list[Path]] = {}
        for path in sorted(self.folder.iterdir()):
            found = _OWN_FILE.fullmatch(path.name)
            if found is None or path.name in kept:
                continue
            if found["run"] in runs:
                yield path
            else:
                orphans.setdefault(found["run"], []).append(path)
        for paths in orphans.values():
            if max(path.stat().st_mtime for path in paths) <= now - orphan_hours * 3600:
                yield from paths  # a run that is at work has a young file

    def _kept_files(self, keep_versions: int | None, keep_hours: float | None, now: float) -> set[str]:
        if not self.exists():
            return set()
        if keep_versions is None and keep_hours is None:
            keep_hours = _KEEP_HOURS
        commits = self.commits()
        kept = {commit.version for commit in commits[: max(keep_versions or 0, 1)]}
        if keep_hours is not None:
            since = (now - keep_hours * 3600) * 1000
            kept |= {older.version for newer, older in pairwise(commits) if newer.time >= since}
        tables = (self._open(version) for version in kept)
        return {part.path.name for table in tables for part in parts_of(table, self.folder)}

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep vacuum from removing the files that a commit or a restore is about to adopt."""
        descriptor = os.open(self.folder / "_lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _properties(operation: str, rows: int, details: Mapping[str, str], run: str | None) -> CommitProperties:
    from deltalake import CommitProperties

    metadata = {
        "predarrow.operation": operation,
        "predarrow.rows": rows,
        "predarrow.details": dict(details),
        "predarrow.run": run,
    }
    # No retries inside: a commit that was rebased would have another version and other rows than it says.
    return CommitProperties(custom_metadata=metadata, max_commit_retries=0)


def _enter_delta(folder: Path) -> None:
    """Remember that this process uses Delta from now on.

    Raises:
        ProjectError: see `_check_process`.
    """
    global _delta_process
    _check_process(folder)
    _delta_process = os.getpid()


def _check_process(folder: Path) -> None:
    """Refuse to use Delta in a fork of a process that used it.

    Raises:
        ProjectError: this is such a fork.
    """
    if _delta_process not in (None, os.getpid()):
        rule = "must not be used in a fork of a process that has used a project"
        hint = 'start workers with multiprocessing\'s "spawn" or "forkserver", or commit and read in the parent'
        raise ProjectError(f"{folder}: {rule}, got process {os.getpid()}, a fork of {_delta_process}; {hint}")


def _reason(error: Exception) -> str:
    """Give what an error and its causes say, in one line; a stack without names follows in Delta's."""
    return re.sub(r"\n\s*↳ *", ": ", str(error)).split("\n")[0] or type(error).__name__


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProjectError(f"{folder}: cannot be created: {error.strerror or error}") from error
