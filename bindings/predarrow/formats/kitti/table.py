"""Parsed KITTI records as prediction batches; records that do not hold are refused one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.borders import FLAGS, OnOutside, borders_of
from predarrow.buffers import bools_of, numbers_array
from predarrow.classes import LEFT_OUT, TextClasses, Texts
from predarrow.formats.kitti.columns import attribute_column, box_column, cuboid_column, has_cuboid
from predarrow.formats.kitti.problems import (
    KittiText,
    box_problem,
    class_problem,
    first_layouts,
    line_problem,
    number_problem,
    outside_problem,
)
from predarrow.reader import Part
from predarrow.report import Code, Problem, Report
from predarrow.resolve import frame_missing, frame_outside
from predarrow.sources import PlainSources, Source
from predarrow.table import record_batch

if TYPE_CHECKING:
    from predarrow_engine.kitti import KittiRows

TRACKING = 2
"""The first layout whose rows tell a frame and a track id."""

_BATCH_ROWS = 1 << 20
_BATCH_TEXT = 1 << 30  # bytes of a text column, whose offsets have 32 bits
_NO_TRACK = -1
_TRUNCATED, _OCCLUDED = 0, 1
"""Numbers of a record whose memory rows use for something else: no column has them."""

_N = TypeVar("_N", bound=np.generic)


class KittiOptions(NamedTuple):
    """How records become rows."""

    default_confidence: float | None = None
    keep_dontcare: bool = False
    frame_in_name: bool = True
    """False where the pattern of file names has no group for the frame."""
    on_outside: OnOutside | None = None
    """None does not look whether boxes lie in their images."""


class Begun(NamedTuple):
    """What came before a text in its file, where that is read piece by piece."""

    layout: int
    lines: int
    rows: int
    shared: Mapping[str, pa.Array]
    """Columns that are the same in all rows, of which each piece takes a slice: a long path takes longer to write than
    the boxes."""


def part(
    rows: KittiRows,
    text: KittiText,
    sources: Sequence[Source],
    names: TextClasses | None,
    options: KittiOptions,
    begun: Begun | None = None,
) -> Part:
    """Give parsed records as batches, and a problem for each that is refused.

    Args:
        rows: records of `sources`, in their order.
        text: what they were parsed from.
        sources: one for each file of `text`.
        names: class names by KITTI's; None takes KITTI's own.
        options: how records become rows.
        begun: None where `text` is all of its files.
    """
    table = _Table(rows, text, sources, options, begun)
    table.refuse_lines()
    table.leave_out_dontcare()
    table.refuse_frames()
    table.refuse_numbers()
    table.choose_classes(names)
    if options.on_outside is not None:
        table.judge_borders(options.on_outside)
    table.problems.sort(key=lambda pair: pair[0])
    table.report.problems.extend(problem for _, problem in table.problems)
    return Part(list(table.batches()), table.report)


class _SourceColumns(NamedTuple):
    """The fields of several `Source`s, each as a column."""

    path: Sequence[str]
    data_unit: Sequence[str]
    frame: Sequence[int | None]
    height: Sequence[int | None]
    width: Sequence[int | None]
    n_frames: Sequence[int | None]


def _columns_of(sources: Sequence[Source]) -> _SourceColumns:
    if isinstance(sources, PlainSources):
        return _SourceColumns(sources.path, sources.data_unit, *[(None,) * len(sources)] * 4)
    return _SourceColumns(*(zip(*sources, strict=True) if sources else [()] * len(Source._fields)))


class _Table:
    """Records of a chunk on their way to rows: each step strikes some from `keep` and tells why."""

    def __init__(
        self,
        rows: KittiRows,
        text: KittiText,
        sources: Sequence[Source],
        options: KittiOptions,
        begun: Begun | None,
    ) -> None:
        self.rows = rows if begun is None else rows._replace(line=rows.line + np.int32(begun.lines))
        self.text = text
        self.sources = sources
        self.columns = _columns_of(sources)
        self.options = options
        self.report = Report(sources=len(sources) if begun is None else 0)
        self.layout = None if begun is None else begun.layout
        self.shared: Mapping[str, pa.Array] = {} if begun is None else begun.shared
        self.problems: list[tuple[int, Problem]] = []
        self.keep = rows.code == 0
        self.numbers = rows.numbers
        self.first = np.searchsorted(rows.file, np.arange(len(sources), dtype=np.int32)) - (begun.rows if begun else 0)
        self.tracking = rows.layout >= TRACKING
        self.scored = (rows.layout & 1).view(np.bool_)  # layouts with a score are odd
        self.names: Texts
        self.paths: Texts
        self.data_units: Texts
        self.feature_hashes: Texts | None = None
        self.places: npt.NDArray[np.int64]

    def refuse_lines(self) -> None:
        """Lines that could not be parsed."""
        refused = np.flatnonzero(~self.keep).tolist()
        if refused:
            layouts = first_layouts(self.rows, len(self.sources), self.layout)
        for record in refused:
            self._refuse(record, *line_problem(self.rows, self.text, record, layouts))

    def leave_out_dontcare(self) -> None:
        """Regions that KITTI marks as unlabelled are no predictions."""
        if not self.options.keep_dontcare and self.rows.dont_care.any():
            self._leave_out(self.rows.dont_care, "DontCare")

    def refuse_frames(self) -> None:
        """Frames stand in the file's name or in its rows, and must be the data unit's."""
        columns = self.columns
        has_tracking = bool(self.tracking.any())
        if not has_tracking and columns.n_frames.count(None) == len(self.sources):
            return
        is_tracking, is_object = np.zeros((2, len(self.sources)), np.bool_)
        is_tracking[self.rows.file[self.tracking]] = True
        is_object[self.rows.file[(self.rows.code == 0) & ~self.tracking]] = True
        for place in np.flatnonzero(is_tracking | is_object).tolist():  # without a record no frame is missing
            if problem := self._frame_problem(self.sources[place], bool(is_tracking[place])):
                self.problems.append((int(self.first[place]), problem))
                self.keep &= self.rows.file != place
        if has_tracking:
            self._refuse_row_frames()

    def _frame_problem(self, source: Source, is_tracking: bool) -> Problem | None:
        if is_tracking:
            if source.frame is None or not self.options.frame_in_name:
                return None
            rule = "a frame must stand in the file's name or in its rows"
            message = f"{rule}, got {source.frame} in the name and one in each row; leave one of them out"
            return Problem(source.path, None, "", Code.FRAME_CONFLICT, message)
        if source.frame is not None or source.n_frames is None or source.n_frames <= 1:
            return None
        message = frame_missing(source.data_unit, source.n_frames)
        return Problem(source.path, None, "data unit", Code.FRAME_RANGE, message)

    def _refuse_row_frames(self) -> None:
        n_frames = np.array([-1 if n is None else n for n in self.columns.n_frames], np.int64)[self.rows.file]
        outside = self.tracking & (n_frames >= 0) & (self.rows.frame >= n_frames)
        for record in np.flatnonzero(outside & self.keep).tolist():
            source = self.sources[self.rows.file[record]]
            message = frame_outside(source.data_unit, source.n_frames, int(self.rows.frame[record]))
            self._refuse(record, Code.FRAME_RANGE, "frame", message)

    def refuse_numbers(self) -> None:
        """Box, 3-D box and score must be finite, the box's corners in order."""
        left, top, right, bottom = self.numbers[3:7]
        ordered = (left <= right) & (top <= bottom)
        finite = np.isfinite(self.numbers[3:])
        has_finite_score = np.isfinite(self.rows.score) | ~self.scored
        if ordered.all() and finite.all() and has_finite_score.all():  # 2 ns a record; which ones are not, 10
            return
        finite = finite.all(axis=0) & has_finite_score
        for record in np.flatnonzero(self.keep & ~(finite & ordered)).tolist():
            problem = box_problem if finite[record] else number_problem
            self._refuse(record, *problem(self.rows, record))

    def choose_classes(self, names: TextClasses | None) -> None:
        """Take each record's name as it is, or as the mapping tells."""
        known = self.rows.names
        texts = [_decoded(name) for name in known]
        if names is None:
            self.names = Texts(texts)
            chosen: npt.NDArray[np.int64] = np.arange(len(texts))
        else:
            self.names, self.feature_hashes = names.names, names.feature_hashes
            chosen = names.positions([text or "" for text in texts])
        chosen[[place for place, text in enumerate(texts) if text is None]] = -1
        if not chosen.size:
            return
        is_known = chosen.min() >= 0
        if names is None and is_known:
            self.places = self.rows.name.astype(np.int64)
        else:
            self.places = chosen.take(self.rows.name)  # a refused record's name is -1, which takes any
        if not is_known:
            for record in np.flatnonzero((self.places < 0) & self.keep).tolist():
                self._refuse(record, *class_problem(known[self.rows.name[record]]))
        if names is not None and names.names.array.null_count:
            is_null = bools_of(names.names.array.is_null())
            self._leave_out(is_null[self.places], LEFT_OUT)

    def judge_borders(self, on_outside: OnOutside) -> None:
        """Boxes beyond their image are flagged, clipped or refused; images of unknown size hold every box."""
        sides = [[size or 0 for size in column] for column in (self.columns.width, self.columns.height)]
        borders = borders_of(np.array(sides)[:, self.rows.file])
        corners = self.numbers[3:7]
        outside = borders.are_passed(corners) & self.keep
        refused = outside
        if on_outside == "clip":
            refused = outside & borders.are_missed(corners)
            self.numbers = self.numbers.copy()
            self.numbers[3:7] = np.where(outside, borders.clipped(corners), corners)
        if on_outside != "keep":
            for record in np.flatnonzero(refused).tolist():
                source = self.sources[self.rows.file[record]]
                self._refuse(record, *outside_problem(self.rows, record, source, on_outside))
        if n_flagged := int(np.count_nonzero(outside & self.keep)):
            self.report.flagged[FLAGS[on_outside]] += n_flagged

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Give the records that are left, in the table's order, in batches of a bounded size."""
        chosen = np.flatnonzero(self.keep)
        if self.tracking.any():
            chosen = chosen[np.lexsort((self.rows.frame[chosen], self.rows.file[chosen]))]
        longest = self.names.longest
        if len(self.sources) == 1:
            longest = max(longest, *(4 * len(texts[0]) for texts in self.columns[:2]))
        else:
            self.paths, self.data_units = Texts(self.columns.path), Texts(self.columns.data_unit)
            longest = max(longest, self.paths.longest, self.data_units.longest)
        n_rows = min(_BATCH_ROWS, max(_BATCH_TEXT // (longest + 1), 1))
        for start in range(0, chosen.size, n_rows):
            yield self._batch(chosen[start : start + n_rows])

    def _batch(self, chosen: npt.NDArray[np.int64]) -> pa.RecordBatch:
        is_all = chosen.size == self.keep.size and not self.tracking.any()

        def of(values: npt.NDArray[_N]) -> npt.NDArray[_N]:
            return values if is_all else values.take(chosen, axis=-1)

        numbers, name = self.numbers if is_all else _taken(self.numbers, chosen), of(self.places)
        given = has_cuboid(numbers)
        columns: dict[str, Any] = {
            "class_name": self.names.take(name),
            "kind": "bbox",
            "bbox": box_column(numbers),
            "attributes": attribute_column(self.text, self.rows, chosen, numbers, given),
            **self._file_columns(chosen, of(self.rows.file), numbers[_TRUNCATED].view(np.int64)),
            **self._confidence(of(self.scored), of(self.rows.score), numbers[_OCCLUDED]),
        }
        if self.feature_hashes is not None:
            columns["feature_hash"] = self.feature_hashes.take(name)
        if given.any():
            columns["cuboid"] = cuboid_column(numbers, given)
        tracking = of(self.tracking)
        if tracking.any():
            columns["frame"] = np.where(tracking, of(self.rows.frame), columns["frame"])
            columns["object_id"] = _track_ids(of(self.rows.track), tracking)
        return record_batch(chosen.size, columns)

    def _file_columns(
        self, chosen: npt.NDArray[np.int64], files: npt.NDArray[np.int32], row: npt.NDArray[np.int64]
    ) -> dict[str, Any]:
        """Columns that are the same in all rows of a file, and each row's place in its file, written to `row`."""
        paths, data_units, frames, heights, widths, _ = self.columns
        n_files = len(paths)
        if n_files == 1:
            size = {"image_height": heights[0], "image_width": widths[0]}
            one = {"data_unit": data_units[0], "source": paths[0], "frame": frames[0] or 0}
            shared = {name: column[: chosen.size] for name, column in self.shared.items() if len(column) >= chosen.size}
            return {**one, **shared, **size, "row": np.subtract(chosen, self.first[0], out=row)}
        file = files.astype(np.int64)
        columns: dict[str, Any] = {"data_unit": self.data_units.take(file), "source": self.paths.take(file)}
        columns["row"] = np.subtract(chosen, self.first.take(file), out=row)
        columns["frame"] = 0
        if frames.count(None) < n_files:
            columns["frame"] = np.array([frame or 0 for frame in frames], np.int32)[file]
        for name, sizes in (("image_height", heights), ("image_width", widths)):
            if sizes.count(None) < n_files:
                known = np.array([-1 if size is None else size for size in sizes], np.int32)[file]
                columns[name] = numbers_array(known, is_valid=known >= 0)
        return columns

    def _confidence(
        self, scored: npt.NDArray[np.bool_], score: npt.NDArray[np.float64], kept: npt.NDArray[np.float64]
    ) -> dict[str, Any]:
        """Scores, written to `kept`."""
        default = self.options.default_confidence
        if not scored.any():
            return {} if default is None else {"confidence": default}
        if default is None:
            kept[:] = score
            return {"confidence": numbers_array(kept, is_valid=scored)}
        return {"confidence": np.where(scored, score, default)}

    def _refuse(self, record: int, code: Code, place: str, message: str) -> None:
        self.keep[record] = False
        file = int(self.rows.file[record])
        pointer = f"line {self.rows.line[record]}" + (place and f", {place}")
        row = record - int(self.first[file])
        self.problems.append((record, Problem(self.sources[file].path, row, pointer, code, message)))

    def _leave_out(self, which: npt.NDArray[np.bool_], rule: str) -> None:
        which = which & self.keep
        if n_left_out := int(np.count_nonzero(which)):
            self.report.skipped[rule] += n_left_out
            self.keep &= ~which


def _taken(numbers: npt.NDArray[np.float64], chosen: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    from predarrow_engine import memory

    out = memory.empty((len(numbers), chosen.size), np.float64)
    return numbers.take(chosen, axis=1, out=out, mode="clip")  # all are there, and "raise" would copy them once more


def _decoded(name: bytes) -> str | None:
    try:
        return None if b"\0" in name else name.decode()
    except UnicodeDecodeError:
        return None


def _track_ids(track: npt.NDArray[np.int64], tracking: npt.NDArray[np.bool_]) -> pa.Array:
    """Track ids as text; null where there is none, or KITTI's -1 for none."""
    return numbers_array(track, is_valid=tracking & (track != _NO_TRACK)).cast(pa.string())
