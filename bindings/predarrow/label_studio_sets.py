"""Prediction sets by model version: rows that wait on disk until all are read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import IO, Any, Literal

import msgspec
import numpy as np
import pyarrow as pa

from predarrow.buffers import numbers_array
from predarrow.errors import PredarrowError
from predarrow.formats.write_file import spooled
from predarrow.imports import commit_reader
from predarrow.project import Project
from predarrow.reader import Part, PredictionReader
from predarrow.report import Report
from predarrow.table import SCHEMA

NO_VERSION = "default"
"""The set of rows without a model version."""

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST = 100


class _Versioned(msgspec.Struct):
    """What of a row's attributes is looked at."""

    model_version: Any = None


_decode = msgspec.json.Decoder(_Versioned).decode


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

    def add(self, batch: pa.RecordBatch) -> None:
        """Take in rows."""
        attributes = batch.column("attributes").to_pylist()
        names = [None if text is None else _text(_decode(text).model_version) for text in attributes]
        places = {name: place for place, name in enumerate(dict.fromkeys(names))}
        codes = np.array([places[name] for name in names], np.int64)
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
