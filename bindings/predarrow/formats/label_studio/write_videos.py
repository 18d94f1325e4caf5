"""Boxes of an object on the frames of a video -> the entries of a sequence.

A box is shown on its frame and, unless `enabled` is false, on those after it, moved towards the next one. Rows are
boxes on single frames, so it is false where the next frame has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from predarrow.formats.json_text import json_text, members_text
from predarrow.formats.label_studio.write_attributes import Members, texts_of
from predarrow.formats.label_studio.write_forms import Form, FormResult
from predarrow.formats.label_studio.write_rows import Rows


@dataclass(frozen=True, slots=True)
class Unit:
    """An element of `result`."""

    at: int | None
    """Its place, where it is told"""
    is_first: bool
    """Whether it is the first of its region"""
    result: int | None = None
    """Its number among the results of all rows; None for a sequence"""
    head: str = ""
    """What stands in front of the entries of a sequence"""
    rows: Sequence[int] = ()
    entries: Sequence[str] = ()
    """Members of entries that are not geometry, each behind a comma"""
    tail: str = ""


def sequence_units(rows: Rows, found: Sequence[int], first: int, frame_rate: float) -> Iterator[Unit]:
    """Give the results of a region that has boxes on frames.

    Args:
        rows: of a batch.
        found: those of the region, by frame.
        first: the number of the first result of the first of them.
        frame_rate: frames a second.
    """
    form = rows.forms[rows.form[found[0]]]
    forms = [rows.forms[rows.form[row]] for row in found]
    scores = [rows.columns["confidence"][row].as_py() for row in found]
    is_one = form.is_made and len(set(scores)) == 1
    entries = _made_entries(rows, found, frame_rate) if form.is_made else [each.entry for each in forms]
    for place, (each, score) in enumerate(zip(forms, scores, strict=True)):
        if score is not None and (each.scores_entry or (form.is_made and not is_one)):
            entries[place] += f',"score":{json_text(score)}'
    has_score = scores[0] is not None and (is_one or not form.is_made)
    told = json_text(scores[0]) if has_score else None
    for place, result in enumerate(form.results):
        if not result.has_geometry:
            yield Unit(result.at, place == 0, result=first + place)
            continue
        head, tail = _around(rows, found, form, result, told, frame_rate)
        yield Unit(result.at, place == 0, head=head, rows=found, entries=entries, tail=tail)


def _around(
    rows: Rows, found: Sequence[int], form: Form, result: FormResult, score: str | None, frame_rate: float
) -> tuple[str, str]:
    """Give what stands in front of and behind the entries."""
    row = found[0]
    object_id = rows.columns["object_id"][row].as_py()
    head = f'"id":{json_text(object_id)},' if result.has_id and object_id is not None else ""
    for has_side, name, side in (
        (result.has_width, "original_width", rows.sizes[row, 1]),
        (result.has_height, "original_height", rows.sizes[row, 0]),
    ):
        head += f'"{name}":{int(side)},' if has_side and side > 0 else ""
    inside = [text for text in (result.tail, members_text(_sequence_members(rows, found, form, frame_rate))) if text]
    value_score = f',"score":{score}' if score is not None and result.scores_value else ""
    own_score = f',"score":{score}' if score is not None and result.has_score else ""
    others = None if rows.notes.others is None else rows.notes.others[row].as_py()
    meta = f',"meta":{others}' if others is not None and result.has_meta else ""
    opened = f'{{{head}{result.head},"value":{{{",".join(inside)}{"," if inside else ""}"sequence":['
    return opened, f"]{value_score}}}{own_score}{meta}}}"


def _sequence_members(rows: Rows, found: Sequence[int], form: Form, frame_rate: float) -> Members:
    kept = rows.notes.of(found[0]).kept
    if not form.is_made:
        return {} if kept is None or kept.sequence is None else texts_of(kept.sequence)
    unit = rows.unit == rows.unit[found[0]]
    n_frames = int(_frames(rows)[unit].max()) + 1
    return {"framesCount": str(n_frames), "duration": json_text(n_frames / frame_rate)}


def _made_entries(rows: Rows, found: Sequence[int], frame_rate: float) -> list[str]:
    """Give when entries are, and whether their box goes on being shown."""
    frames = _frames(rows)[list(found)]
    goes_on = np.append(np.diff(frames) == 1, False)
    return [
        f',"enabled":{json_text(shown)},"time":{json_text((frame + 1) / frame_rate)}'
        for frame, shown in zip(frames.tolist(), goes_on.tolist(), strict=True)
    ]


def _frames(rows: Rows) -> npt.NDArray[np.int32]:
    frames: npt.NDArray[np.int32] = rows.columns["frame"].to_numpy()
    return frames
