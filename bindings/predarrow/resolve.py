"""Match found files to a project's data units: title or id, frame, size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any

from predarrow.errors import PredarrowError
from predarrow.report import Code, Problem
from predarrow.sources import PNG_FILE_NAME_REGEX, STANDARD_SUFFIXES, Found, Source, sort_key

if TYPE_CHECKING:
    from predarrow.data_units import DataUnit, DataUnits

DataUnitFunction = Callable[[Path], tuple[str, int | None]]
"""Path of a file -> id of its data unit and frame (None where it has one frame only)."""

_LAST_FRAME = 2**31 - 1  # that the table can hold


def resolve(
    found: Found,
    data_units: DataUnits,
    file_name_regex: str = PNG_FILE_NAME_REGEX,
    file_path_to_data_unit_func: DataUnitFunction | None = None,
    *,
    frames_in_rows: bool = False,
) -> Found:
    """Give the files with their data units' ids, frames and sizes, and a problem for each that has none.

    A title matches with or without its extension. With the standard pattern a data unit whose own title
    ends in `__<digits>` is found as well, where no other has the shorter title.

    Args:
        found: files by title, from `find_sources`.
        data_units: those of the project.
        file_name_regex: the pattern that `found` was made with.
        file_path_to_data_unit_func: asked for the data unit's id and the frame instead of the title.
        frames_in_rows: a file whose name tells no frame may tell one in each row: it keeps the frame None, and
            must be the only file of its data unit.

    Raises:
        PredarrowError: file_path_to_data_unit_func cannot be called.
    """
    given: object = file_path_to_data_unit_func
    if given is not None and not callable(given):
        raise PredarrowError(f"file_path_to_data_unit_func: must be a function of a path, or None, got {given!r}")
    resolver = _Resolver(data_units, file_name_regex in STANDARD_SUFFIXES, frames_in_rows)
    sources: list[Source] = []
    problems = list(found.problems)
    for source in found.sources:
        if file_path_to_data_unit_func is None:
            answer = resolver.by_title(source)
        else:
            answer = resolver.by_answer(source, file_path_to_data_unit_func(Path(source.path)))
        if isinstance(answer, Problem):
            problems.append(answer)
        else:
            sources.append(answer)
    sources.sort(key=sort_key)
    return Found(list(_singles(sources, problems)), problems, found.skipped)


class _Resolver:
    def __init__(self, data_units: DataUnits, is_standard: bool, frames_in_rows: bool) -> None:
        self._data_units = data_units
        self._is_standard = is_standard
        self._frames_in_rows = frames_in_rows
        self._title = ""
        self._rows: list[int] = []

    def by_title(self, source: Source) -> Source | Problem:
        if source.data_unit != self._title:  # files come sorted by title: a video's frames ask once
            self._title, self._rows = source.data_unit, self._data_units.find(source.data_unit)
        rows, frame = self._rows, source.frame
        if not rows and self._is_standard and frame is not None:
            rows, frame = self._data_units.find(Path(source.path).stem), None
        if not rows:
            message = f"must be the title of a data unit of the project, got {source.data_unit!r}"
            return _problem(source, Code.UNKNOWN_DATA_UNIT, message)
        if len(rows) > 1:
            message = ambiguous(source.data_unit, [self._data_units.row(row) for row in rows])
            return _problem(source, Code.AMBIGUOUS_DATA_UNIT, message)
        return self._placed(source, frame, self._data_units.row(rows[0]))

    def by_answer(self, source: Source, answer: Any) -> Source | Problem:
        """What a `DataUnitFunction` gave for a file."""
        try:
            data_unit, frame = answer
            frame = None if frame is None else index(frame)
        except (TypeError, ValueError):
            rule = "file_path_to_data_unit_func must give an id and a frame (a whole number or None)"
            return _problem(source, Code.UNKNOWN_DATA_UNIT, f"{rule}, got {answer!r}")
        row = self._data_units.by_id(data_unit) if isinstance(data_unit, str) else None
        if row is None:
            message = f"must be the id of a data unit of the project, got {data_unit!r}"
            return _problem(source, Code.UNKNOWN_DATA_UNIT, message)
        return self._placed(source, frame, self._data_units.row(row))

    def _placed(self, source: Source, frame: int | None, unit: DataUnit) -> Source | Problem:
        n_frames = 1 if unit.n_frames is None and unit.kind == "image" else unit.n_frames
        if frame is None and not self._frames_in_rows:
            if n_frames is not None and n_frames > 1:
                return _problem(source, Code.FRAME_RANGE, frame_missing(unit.title, n_frames))
            frame = 0
        if frame is not None and not 0 <= frame < (n_frames or _LAST_FRAME + 1):
            return _problem(source, Code.FRAME_RANGE, frame_outside(unit.title, n_frames, frame))
        return Source(source.path, unit.id, frame, unit.height, unit.width, n_frames)


def ambiguous(title: str, units: Sequence[DataUnit]) -> str:
    """Word that a file's title is that of several data units."""
    ids = ", ".join(unit.id for unit in units[:3])
    titles = {unit.title for unit in units}
    if len(titles) == len(units):  # they differ in their extensions, which the file's name may tell
        hint = f"write the whole title in the file's name: {' or '.join(sorted(titles)[:3])}"
    else:
        hint = "tell them apart with file_path_to_data_unit_func"
    many = f"which {len(units)} have ({ids}{', …' if len(units) > 3 else ''})"
    return f"must be the title of one data unit, got {title!r}, {many}; {hint}"


def frame_missing(title: str, n_frames: int) -> str:
    """Word that a file tells no frame where its data unit has several."""
    return f"must name one of the {n_frames} frames of {title!r}, got none; write <title>__<frame>"


def frame_outside(title: str, n_frames: int | None, frame: int) -> str:
    """Word that a frame is not one of a data unit's."""
    last = _LAST_FRAME if n_frames is None else n_frames - 1
    return f"must be a frame of {title!r}, which are 0 to {last}, got {frame}"


def _singles(sources: Sequence[Source], problems: list[Problem]) -> Iterable[Source]:
    """Leave out every file that is not the only one for its data unit and frame."""
    whole = {source.data_unit for source in sources if source.frame is None}  # its rows may tell any frame

    def place(source: Source) -> tuple[str, int | None]:
        return source.data_unit, None if source.data_unit in whole else source.frame

    for (data_unit, frame), group in groupby(sources, key=place):
        files = list(group)
        if len(files) == 1:
            yield files[0]
            continue
        for file, other in zip(files, files[1:] + files[:1], strict=True):
            what = data_unit if frame is None else f"{data_unit} frame {frame}"
            message = f"must be the only file for data unit {what}, got {other.path} as well"
            problems.append(_problem(file, Code.DUPLICATE_SOURCE, message))


def _problem(source: Source, code: Code, message: str) -> Problem:
    return Problem(source.path, None, "data unit", code, message)
