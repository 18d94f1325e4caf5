"""Prediction sets by model version: rows that wait on disk until all are read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import IO, Any, Literal

import numpy as np
import pyarrow as pa
from msgspec import UNSET, Raw

from predarrow.buffers import numbers_array, text_array
from predarrow.errors import PredarrowError
from predarrow.formats.write_file import spooled
from predarrow.imports import commit_reader
from predarrow.label_studio_kept import attributes_of, with_task
from predarrow.project import Project
from predarrow.reader import Part, PredictionReader
from predarrow.report import Report
from predarrow.table import SCHEMA

NO_VERSION = "default"
"""The set of rows without a model version."""

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST = 100
_ATTRIBUTES = SCHEMA.get_field_index("attributes")


def set_name_of(version: str | None) -> str:
    """Give the name of a model version's set."""
    if version is None:
        return NO_VERSION
    name = _NOT_IN_NAMES.sub("_", version)[:_LONGEST]
    return name if name[:1].isascii() and name[:1].isalnum() else f"v{name}"[:_LONGEST]


def commit_by_version(
    project: Project,
    reader: PredictionReader,
    source: str,
    mode: Literal["overwrite", "append"],
    operation: str,
) -> dict[str, int]:
    """Commit rows to the sets of their model versions, once all are read; give each set's version.

    Raises:
        PredarrowError: two model versions whose sets would have one name.
    """
    with ExitStack() as files:
        spool = _Spool(project, files)
        for batch in reader:
            spool.add(batch)
        told = reader.report
        told.flagged.update(spool.flags)
        versions = {}
        for name in sorted(spool.sets):
            report = replace(told, imported=0)
            parts = (Part([batch], Report()) for batch in spool.batches(name))
            rows = PredictionReader(parts, report=report, on_error="skip")
            versions[name] = commit_reader(project, rows, source, name, mode, operation).version
        return versions


class _Tasks:
    """Tasks of rows, so that each set tells them: they stand on the first row of all sets."""

    def __init__(self) -> None:
        self._unit: str | None = None
        self._n_tasks = 0
        self._current: dict[tuple[str | None, int | None], tuple[int, Raw]] = {}
        """By its file and its number there, which rows of tasks with sequences tell"""
        self._told: set[tuple[str | None, int]] = set()

    def told(
        self, units: list[str], sources: list[str | None], texts: list[str | None]
    ) -> tuple[list[str | None], bool]:
        """Give model versions, and whether attributes were changed: those of the first row of a task in a set."""
        versions = []
        has_changed = False
        for row, (unit, source, text) in enumerate(zip(units, sources, texts, strict=True)):
            attributes = attributes_of(text)
            version = _text(attributes.model_version)
            versions.append(version)
            if unit != self._unit:
                self._unit, self._current, self._told = unit, {}, set()
            at, task = attributes.label_studio.at, attributes.label_studio.task
            place = source, None if at is None else at.task
            if task is not UNSET:
                self._n_tasks += 1
                self._current[place] = self._n_tasks, task
            elif text is not None and place in self._current:
                number, raw = self._current[place]
                if (version, number) not in self._told:
                    texts[row] = with_task(text, raw)
                    has_changed = True
            if place in self._current:
                self._told.add((version, self._current[place][0]))
        return versions, has_changed


def _text(version: Any) -> str | None:
    """Give a model version as text, which it is but in odd files."""
    return version if version is None or isinstance(version, str) else json.dumps(version)


class _Spool:
    """Rows of each set in a nameless file of the project's folder."""

    def __init__(self, project: Project, files: ExitStack) -> None:
        self._project = project
        self._files = files
        self._named: dict[str, str | None] = {}
        self.sets: dict[str, tuple[IO[bytes], pa.RecordBatchStreamWriter]] = {}
        self.flags: dict[str, int] = {}
        self._tasks = _Tasks()

    def add(self, batch: pa.RecordBatch) -> None:
        """Take in rows."""
        texts: list[str | None] = batch.column("attributes").to_pylist()
        units, sources = (batch.column(name).to_pylist() for name in ("data_unit", "source"))
        versions, has_changed = self._tasks.told(units, sources, texts)
        if has_changed:
            batch = batch.set_column(_ATTRIBUTES, SCHEMA.field("attributes"), text_array(texts))
        places = {version: place for place, version in enumerate(dict.fromkeys(versions))}
        codes = np.array([places[version] for version in versions], np.int64)
        for version, place in places.items():
            rows = batch if len(places) == 1 else batch.filter(numbers_array(codes == place))
            self._writer(version, rows.num_rows).write_batch(rows)

    def batches(self, name: str) -> Iterator[pa.RecordBatch]:
        """Give a set's rows back."""
        file, writer = self.sets[name]
        writer.close()
        file.seek(0)
        yield from pa.ipc.open_stream(file)

    def _writer(self, version: str | None, n_rows: int) -> pa.RecordBatchStreamWriter:
        name = set_name_of(version)
        if self._named.setdefault(name, version) != version:
            got = f"{version!r} and {self._named[name]!r} for the set {name!r}"
            raise PredarrowError(f"model_version: must each give a set of its own, got {got}; give set_name")
        if name not in self.sets:
            file = self._files.enter_context(spooled(self._project.path / "predictions" / name))
            self.sets[name] = file, pa.ipc.new_stream(file, SCHEMA)
        if version is not None and name != version:
            what = f"model version {version!r}, which became the set {name!r}"
            self.flags[what] = self.flags.get(what, 0) + n_rows
        return self.sets[name][1]
