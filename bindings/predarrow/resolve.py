"""Match found files to a project's data units: title or id, frame, size."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from predarrow.report import Code, Problem
from predarrow.sources import PNG_FILE_NAME_REGEX, Found, Source, sort_key

if TYPE_CHECKING:
    from predarrow.data_units import DataUnit, DataUnits

DataUnitFunction = Callable[[Path], tuple[str, int | None]]
"""Path of a file -> id of its data unit and frame (None where it has one frame only)."""


def resolve(
    found: Found,
    data_units: DataUnits,
    file_name_regex: str = PNG_FILE_NAME_REGEX,
    file_path_to_data_unit_func: DataUnitFunction | None = None,
) -> Found:
    """Give the files with their data units' ids, frames and sizes, and a problem for each that has none.

    A title matches with or without its extension. With the standard pattern a data unit whose own title
    ends in `__<digits>` is found as well, where no other has the shorter title.

    Args:
        found: files by title, from `find_sources`.
        data_units: those of the project.
        file_name_regex: the pattern that `found` was made with.
        file_path_to_data_unit_func: asked for the data unit's id and the frame instead of the title.
    """
    resolver = _Resolver(data_units, is_standard=file_name_regex == PNG_FILE_NAME_REGEX)
    sources: list[Source] = []
    problems = list(found.problems)
    for source in found.sources:
        if file_path_to_data_unit_func is None:
            answer = resolver.by_title(source)
        else:
            data_unit, frame = file_path_to_data_unit_func(Path(source.path))
            answer = resolver.by_id(Source(source.path, data_unit, frame))
        if isinstance(answer, Problem):
            problems.append(answer)
        else:
            sources.append(answer)
    sources.sort(key=sort_key)
    return Found(list(_singles(sources, problems)), problems, found.skipped)


class _Resolver:
    def __init__(self, data_units: DataUnits, *, is_standard: bool) -> None:
        self._data_units = data_units
        self._is_standard = is_standard
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
            ids = ", ".join(self._data_units.row(row).id for row in rows[:3])
            message = (
                f"must be the title of one data unit, got {source.data_unit!r}, which {len(rows)} have ({ids}"
                f"{', …' if len(rows) > 3 else ''}); tell them apart with file_path_to_data_unit_func"
            )
            return _problem(source, Code.AMBIGUOUS_DATA_UNIT, message)
        return _placed(source, frame, self._data_units.row(rows[0]))

    def by_id(self, source: Source) -> Source | Problem:
        row = self._data_units.by_id(source.data_unit)
        if row is None:
            message = f"must be the id of a data unit of the project, got {source.data_unit!r}"
            return _problem(source, Code.UNKNOWN_DATA_UNIT, message)
        return _placed(source, source.frame, self._data_units.row(row))


def _placed(source: Source, frame: int | None, unit: DataUnit) -> Source | Problem:
    n_frames = 1 if unit.n_frames is None and unit.kind == "image" else unit.n_frames
    if frame is None and n_frames is not None and n_frames > 1:
        message = f"must name one of the {n_frames} frames of {unit.title!r}, got none; write <title>__<frame>"
        return _problem(source, Code.FRAME_RANGE, message)
    frame = frame or 0
    if frame < 0 or (n_frames is not None and frame >= n_frames):
        until = "" if n_frames is None else f" to {n_frames - 1}"
        message = f"must be a frame of {unit.title!r}, which are 0{until}, got {frame}"
        return _problem(source, Code.FRAME_RANGE, message)
    return Source(source.path, unit.id, frame, unit.height, unit.width)


def _singles(sources: Iterable[Source], problems: list[Problem]) -> Iterable[Source]:
    """Leave out every file that is not the only one for its data unit and frame."""
    for (data_unit, frame), group in groupby(sources, key=lambda source: (source.data_unit, source.frame)):
        files = list(group)
        if len(files) == 1:
            yield files[0]
            continue
        for file, other in zip(files, files[1:] + files[:1], strict=True):
            message = f"must be the only file for data unit {data_unit} frame {frame}, got {other.path} as well"
            problems.append(_problem(file, Code.DUPLICATE_SOURCE, message))


def _problem(source: Source, code: Code, message: str) -> Problem:
    return Problem(source.path, None, "data unit", code, message)
