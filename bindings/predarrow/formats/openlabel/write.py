"""Prediction tables as OpenLABEL files: one for each data unit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from predarrow.errors import InputError, PredarrowError
from predarrow.formats.openlabel.rules import DIALECTS, Dialect
from predarrow.formats.openlabel.write_document import Document
from predarrow.formats.openlabel.write_frame import Frame, is_uid
from predarrow.formats.openlabel.write_rows import Row, rows_of
from predarrow.formats.openlabel.write_rules import FileRules
from predarrow.formats.staging import explained, staged
from predarrow.formats.write_file import Sink, new_file
from predarrow.reader import OnError
from predarrow.report import Code, Problem, Report
from predarrow.sources import StrPath

_IS_FILE = re.compile(r"(.+)\.json(\.gz)?", re.IGNORECASE)
_NO_FILE_NAME = re.compile(r"[^\w.()+=,@-]+")
_LONGEST = 100


class OpenLabelWriteResult(NamedTuple):
    """What was written."""

    files: int
    rows: int
    report: Report
    """Rows that were refused, and in `flagged` what was left out of those that were written."""


def write_openlabel(
    table: Any,
    path: StrPath,
    *,
    dialect: Dialect = "kognic",
    mixed: bool = False,
    overwrite: bool = False,
    on_error: OnError = "raise",
) -> OpenLabelWriteResult:
    """Write predictions as OpenLABEL 1.0.0, one file for each data unit.

    Each row becomes a geometry on its frame: `bbox` (centre and size), `rbbox`, `poly2d` (one for each ring; those of a
    polygon with several are joined by `polygon_id`, holes told by `is_hole`), `point2d`, `image` (a PNG in base64) or
    `cuboid`. Class and id of its object stand in `objects`, its confidence and stream among its attributes. What
    `read_openlabel` read comes back as it was: what was kept in `attributes`, and numbers where the columns still have
    them. Other numbers are the shortest decimals that read back as the same columns. Streams that nothing tells the
    type of are cameras, those with cuboids alone lidars.

    An object without an id gets a UUID that follows from its place; one whose id is neither a whole number nor a UUID a
    UUID that follows from that, and the id for its name, which the report tells. Memory holds a frame and what is told
    of objects. Files appear when all of them are whole.

    Args:
        table: predictions with `__arrow_c_stream__` in the prediction table's schema, the rows of a data unit's frame
            one after the other.
        path: where it ends in .json or .json.gz the file, for rows of one data unit; else the folder for
            `<data_unit>.json`, new or empty unless `overwrite`. A data unit whose name is not the file's stands in
            `metadata`.
        dialect: "kognic" refuses what Kognic would: no stream, geometries of two types in a file, a flat one in a
            lidar's stream or a cuboid in a camera's, two cuboids of an object on a frame, and takes cuboids of the
            convention "kognic"; "asam" refuses what the standard does, and takes those of the convention "openlabel".
        mixed: write geometries of several types to a file, whatever the dialect.
        overwrite: replace the file, or files of the same name in the folder.
        on_error: "raise" writes nothing where a row cannot be held and raises one error that tells them all; "skip"
            leaves such rows out and tells of them in the report.

    Raises:
        InputError: a row that OpenLABEL cannot hold: a confidence beyond 0 to 1, a kind without a geometry, a cuboid in
            another convention, objects of two classes; rows in another order; a table without the columns.
        OutputError: the file exists or the folder is not empty, or cannot be written to.
        PredarrowError: an option that does not hold.
    """
    if on_error not in ("raise", "skip"):
        raise PredarrowError(f'on_error: must be "raise" or "skip", got {on_error!r}')
    if dialect not in DIALECTS:
        raise PredarrowError(f"dialect: must be one of {', '.join(DIALECTS)}, got {dialect!r}")
    report = Report()
    target = Path(path)
    name = _IS_FILE.fullmatch(target.name)
    with _one_file(target, name[1], overwrite) if name else _folder(target, overwrite) as files:
        writer = _Writer(files, dialect, report, mixed=mixed)
        for row in rows_of(table, report):
            writer.add(row)
        writer.finish()
        if report.problems:
            report.problems.sort(key=lambda problem: problem.row or 0)
            if on_error == "raise":
                raise InputError(report.problems)
    return OpenLabelWriteResult(report.sources, report.imported, report)


class _Files(Protocol):
    """Where documents go."""

    def begin(self, data_unit: str, rules: FileRules) -> Document | None:
        """Give a new file's document; None where there can be no further one."""


class _OneFile:
    def __init__(self, sink: Sink, stem: str) -> None:
        self._sink = sink
        self._stem = stem
        self._is_begun = False

    def begin(self, data_unit: str, rules: FileRules) -> Document | None:
        if self._is_begun:
            return None
        self._is_begun = True
        return Document(self._sink, None if data_unit == self._stem else data_unit, rules)

    def finish(self) -> None:
        if not self._is_begun:
            Document(self._sink, None, FileRules("asam")).finish()


@contextmanager
def _one_file(path: Path, stem: str, overwrite: bool) -> Iterator[_Files]:
    with new_file(path, overwrite=overwrite) as sink:
        file = _OneFile(sink, stem)
        yield file
        file.finish()


class _Folder:
    def __init__(self, folder: Path, files: ExitStack) -> None:
        self._folder = folder
        self._files = files
        self._stems: set[str] = set()

    def begin(self, data_unit: str, rules: FileRules) -> Document:
        self._files.close()
        stem = self._stem(data_unit)
        sink = self._files.enter_context((self._folder / f"{stem}.json").open("wb"))
        return Document(sink, None if data_unit == stem else data_unit, rules)

    def _stem(self, data_unit: str) -> str:
        """Give a name that a file can have, and none has yet where letters' case does not count."""
        plain = _NO_FILE_NAME.sub("_", data_unit)[:_LONGEST].strip("_.") or "data_unit"
        stem, n = plain, 1
        while stem.lower() in self._stems:
            n += 1
            stem = f"{plain}-{n}"
        self._stems.add(stem.lower())
        return stem


@contextmanager
def _folder(path: Path, overwrite: bool) -> Iterator[_Files]:
    with staged(path, overwrite) as folder, explained(path), ExitStack() as files:
        yield _Folder(folder, files)
        files.close()


class _Writer:
    """Rows -> documents."""

    def __init__(self, files: _Files, dialect: Dialect, report: Report, *, mixed: bool) -> None:
        self._files = files
        self._dialect: Dialect = dialect
        self._is_mixed = mixed
        self._report = report
        self._document: Document | None = None
        self._frame: Frame | None = None
        self._data_unit: str | None = None
        self._units: set[str] = set()
        self._frames: set[int] = set()

    def add(self, row: Row) -> None:
        """Take in a row."""
        if row.data_unit != self._data_unit:
            self._begin(row)
        if self._frame is None or self._frame.number != row.frame:
            self._next_frame(row)
        if self._document is None or self._frame is None:
            self._refuse_place(row)
            return
        flaw = self._frame.add(row, self._document)
        if flaw is not None:
            self._refuse(row, *flaw)
        elif row.shapes:
            self._report.imported += 1
            if row.object_id is not None and not is_uid(row.object_id):
                self._report.flagged["object id that is no uid, written as the object's name"] += 1

    def finish(self) -> None:
        """Write the last document's rest."""
        if self._document is not None:
            self._write_frame()
            self._document.finish()
            self._report.sources += 1
        self._document = self._frame = None

    def _begin(self, row: Row) -> None:
        self.finish()
        self._data_unit = row.data_unit
        self._frames.clear()
        rules = FileRules(self._dialect, mixed=self._is_mixed)
        self._document = None if row.data_unit in self._units else self._files.begin(row.data_unit, rules)
        self._units.add(row.data_unit)

    def _next_frame(self, row: Row) -> None:
        self._write_frame()
        self._frame = None if row.frame in self._frames else Frame(row.frame)
        self._frames.add(row.frame)

    def _write_frame(self) -> None:
        members = None if self._frame is None else self._frame.members()
        if members is not None and self._frame is not None and self._document is not None:
            self._document.write_frame(self._frame.number, members)

    def _refuse_place(self, row: Row) -> None:
        if self._document is None and len(self._units) > 1 and isinstance(self._files, _OneFile):
            rule = "must be the same in all rows, as a file holds one data unit"
            hint = "give a folder, a path that does not end in .json"
            self._refuse(row, Code.CANNOT_HOLD, "data_unit", f"{rule}, got {row.data_unit!r}; {hint}")
            return
        rule = 'rows of a data unit\'s frame must stand together; sort the table by ("data_unit", "frame", "row")'
        self._refuse(row, Code.DUPLICATE_SOURCE, "data_unit", f"{rule}, got {row.data_unit!r} frame {row.frame} again")

    def _refuse(self, row: Row, code: Code, pointer: str, message: str) -> None:
        where = f"row {row.number}, {pointer}"
        if row.shapes:  # else refused before
            self._report.problems.append(Problem("table", row.number, where, code, message))
