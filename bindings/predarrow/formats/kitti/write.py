"""Prediction tables as KITTI files: `<data_unit>[__<frame>].txt`, one for each image, one line a prediction."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from predarrow.errors import InputError, PredarrowError
from predarrow.formats.given_table import given_batches, given_columns
from predarrow.formats.kitti.lines import BadRow, Line, kitti_line
from predarrow.formats.staging import explained, staged
from predarrow.reader import OnError
from predarrow.report import Code, Problem, Report
from predarrow.sources import KITTI_FILE_NAME_REGEX, StrPath, split_name

_NEEDED = ("data_unit", "frame", "class_name", "bbox")
_LEAVES = ("data_unit", "frame", "object_id", "class_name", "kind", "confidence", "rotation", "stream", "attributes")
_STRUCTS = ("bbox", "cuboid")

COLUMNS = (*_LEAVES, *_STRUCTS)
"""Columns of the table that are looked at."""

_PATTERN = re.compile(KITTI_FILE_NAME_REGEX)
_ENDS_AS_A_FRAME = re.compile(r"__\d+\Z")


class WriteResult(NamedTuple):
    """What was written."""

    files: int
    rows: int
    report: Report
    """Rows that were refused, and in `flagged` what was left out of those that were written."""


def write_kitti(table: Any, folder: StrPath, *, overwrite: bool = False, on_error: OnError = "raise") -> WriteResult:
    """Write predictions as KITTI object results, one file for each data unit and frame.

    A file is `<data_unit>.txt`, and `<data_unit>__<frame>.txt` where the frame is not 0, the data unit has several
    frames in the table, or its name ends as if in a frame. A line has 16 fields, 15 in a file whose rows have no
    confidence. Numbers are the shortest decimals that read back equal, so that `read_kitti` of the folder gives the
    same boxes, names, confidences and attributes. The 3-D box comes from `cuboid`, truncated, occluded, alpha and
    rotation_y from attributes that `read_kitti` made; KITTI's own -1, -1000 and -10 stand where there is none.
    Of masks and polygons the box is written, which the report tells in `flagged`, as it does of track ids, streams and
    other attributes. Memory holds a batch and one image's lines. Files appear when all of them are whole.

    Args:
        table: predictions with `__arrow_c_stream__` in the prediction table's schema, the rows of a data unit's frame
            one after the other, its frames in ascending order.
        folder: new or empty, unless `overwrite`.
        overwrite: replace files of the same name; others in the folder stay.
        on_error: "raise" writes nothing where a row cannot be held and raises one error that tells them all;
            "skip" leaves such rows out and tells of them in the report.

    Raises:
        InputError: a row that KITTI cannot hold: without a box, rotated, a 3-D box in another convention, a data unit
            that is no file name; rows in another order; a table without the columns.
        OutputError: the folder is not empty, or cannot be written to.
        PredarrowError: an option that does not hold.
    """
    if on_error not in ("raise", "skip"):
        raise PredarrowError(f'on_error: must be "raise" or "skip", got {on_error!r}')
    with staged(Path(folder), overwrite) as staging:
        writer = _Writer(staging)
        for batch in given_batches(table):
            writer.add(batch)
        writer.finish()
        report = writer.report
        if report.problems and on_error == "raise":
            raise InputError(report.problems)
    return WriteResult(len(writer.files), report.imported, report)


class _Image(NamedTuple):
    """Lines of one file to be, gathered until the next image begins."""

    data_unit: str
    frame: int
    lines: list[Line]
    first_row: int


class _Writer:
    """Rows -> files in the staging folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._image: _Image | None = None
        self._is_sequence = False
        self._rows = 0
        self.files: set[str] = set()
        self.report = Report()

    def add(self, batch: pa.RecordBatch) -> None:
        """Take in the rows of a batch."""
        columns = _columns(batch)
        for row in zip(*columns, strict=True):
            image = self._image
            if image is None or image.data_unit != row[0] or image.frame != row[1]:
                image = self._begin(row[0], row[1])
            try:
                image.lines.append(kitti_line(row))
            except BadRow as why:
                self._refuse(self._rows, why.code, why.column, why.message)
            self._rows += 1

    def finish(self) -> None:
        """Write the last image."""
        if self._image is not None:
            self._write(self._image, self._is_sequence)
            self._image = None

    def _begin(self, data_unit: str, frame: int) -> _Image:
        last = self._image
        continues = last is not None and last.data_unit == data_unit
        if last is not None:
            self._write(last, self._is_sequence or continues)
        self._is_sequence = continues
        self._image = _Image(data_unit, frame, [], self._rows)
        return self._image

    def _write(self, image: _Image, is_sequence: bool) -> None:
        self.report.sources += 1
        name = self._name(image, is_sequence) if image.lines else None
        if name is None:
            return
        scored = [line.score is not None for line in image.lines]
        if any(scored) and not all(scored):
            rule = "must be given in all rows of an image or in none"
            got = f"{sum(scored)} of {len(scored)} in {name}"
            self._refuse(image.first_row, Code.CANNOT_HOLD, "confidence", f"{rule}, got {got}")
            return
        lines = [line.text if line.score is None else f"{line.text} {line.score}" for line in image.lines]
        with explained(self._folder):
            (self._folder / name).write_bytes("\n".join([*lines, ""]).encode())
        self.files.add(name)
        self.report.imported += len(image.lines)
        for line in image.lines:
            self.report.flagged.update(line.left_out)

    def _name(self, image: _Image, is_sequence: bool) -> str | None:
        title, frame = image.data_unit, image.frame
        digits = str(frame) if frame or is_sequence or _ENDS_AS_A_FRAME.search(title) else None
        name = f"{title}.txt" if digits is None else f"{title}__{digits}.txt"
        is_name = split_name(name, _PATTERN) == (title, digits) and not set(title) & {"/", "\\", "\0"}
        if not is_name or not title or title[0] == ".":
            rule = "must be a name that a file can have, without separators and not beginning with a dot"
            self._refuse(image.first_row, Code.CANNOT_HOLD, "data_unit", f"{rule}, got {title!r} frame {frame}")
            return None
        if name in self.files:
            rule = "rows of an image must stand together"
            hint = 'sort the table by ("data_unit", "frame", "row")'
            self._refuse(image.first_row, Code.DUPLICATE_SOURCE, "data_unit", f"{rule}, got {name} again; {hint}")
            return None
        return name

    def _refuse(self, row: int, code: Code, column: str, message: str) -> None:
        self.report.problems.append(Problem("table", row, f"row {row}, {column}", code, message))


def _columns(batch: pa.RecordBatch) -> list[list[Any]]:
    """Columns as lists in the order of `kitti_line`'s row."""
    columns = given_columns(batch, COLUMNS, _NEEDED)
    leaves = [columns[name].to_pylist() for name in _LEAVES]
    return leaves + [field.to_pylist() for name in _STRUCTS for field in columns[name].flatten()]
