"""Rows of the table as label rows need them: where each stands, what it is of, and whether it can be written at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.formats.encord.write_classes import Features, features_of
from predarrow.formats.encord.write_headers import NO_BRANCH, BadHeader, Header, Makers, read_header
from predarrow.formats.encord.write_ids import object_ids
from predarrow.formats.encord.write_notes import Notes, notes_of
from predarrow.ontology import Ontology
from predarrow.refusals import Refusals
from predarrow.report import Code

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NO_CONFIDENCE = "confidence written as 1.0, which Encord takes where none is told"
SPANS = ("audio", "time_range", "text")


@dataclass
class Rows:
    """Rows of whole label rows, by label row and frame."""

    columns: dict[str, pa.Array]
    owner: Ints
    """(n,) number of the label row, ascending."""
    frame: Ints
    """(n,) ascending in each label row."""
    lane: Ints
    """(n,) a number for each stream of a scene, ascending in each frame; 0 elsewhere"""
    notes: Notes
    features: Features
    ids: pa.StringArray
    """(n,) without nulls."""
    code: Ints
    """(n,) a number for each object id"""
    sizes: npt.NDArray[np.float64]
    """(n, 2) height and width of each row's image, 0 where unknown"""
    headers: Sequence[Header | None]
    """Of each label row; None of those that are refused."""

    def __len__(self) -> int:
        return len(self.owner)

    def take(self, chosen: Bools | Ints) -> Rows:
        """Give the rows that are chosen, by a mask or by their places."""
        if chosen.dtype == np.bool_ and chosen.all():
            return self
        places: Ints = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen.astype(np.int64)
        taken = pa.array(places)
        columns = {name: column.take(taken) for name, column in self.columns.items()}
        features = self.features._replace(chosen=self.features.chosen[places])
        ids, code, notes = self.ids.take(taken), self.code[places], self.notes.take(places)
        owner, frame, lane = (each[places] for each in (self.owner, self.frame, self.lane))
        return Rows(columns, owner, frame, lane, notes, features, ids, code, self.sizes[places], self.headers)

    def slice(self, begin: int, end: int) -> Rows:
        """Give rows that stand together, without a copy."""
        columns = {name: column.slice(begin, end - begin) for name, column in self.columns.items()}
        part = slice(begin, end)
        notes = self.notes.slice(begin, end)
        features = self.features._replace(chosen=self.features.chosen[part])
        ids, code = self.ids.slice(begin, end - begin), self.code[part]
        owner, frame, lane = (each[part] for each in (self.owner, self.frame, self.lane))
        return Rows(columns, owner, frame, lane, notes, features, ids, code, self.sizes[part], self.headers)

    @property
    def shapes(self) -> list[str]:
        """The shapes of the rows' classes, each once."""
        return list(dict.fromkeys(feature.shape for feature in self.features.found))

    def are(self, *shapes: str) -> Bools:
        """Tell which rows are of classes of these shapes, (n,); those without a class are of none."""
        found: Bools = np.array([*(feature.shape in shapes for feature in self.features.found), False])
        return found[self.features.chosen]

    @property
    def is_global(self) -> Bools:
        """(n,) whether a row answers a classification of the whole data unit."""
        answers: Bools = np.array([*(feature.is_global for feature in self.features.found), False])
        return answers[self.features.chosen]

    @property
    def confidence(self) -> npt.NDArray[np.float64]:
        """(n,) 1 where there is none."""
        values: npt.NDArray[np.float64] = self.columns["confidence"].fill_null(1.0).to_numpy()
        return values


class Gatherer:
    """Batches of whole label rows -> rows.

    Args:
        ontology: that label rows refer to.
        makers: give headers where the table has none.
    """

    def __init__(self, ontology: Ontology, makers: Makers) -> None:
        self._ontology = ontology
        self._makers = makers
        self._seen: set[str] = set()

    def rows(self, batch: pa.RecordBatch, refusals: Refusals, flags: Counter[str]) -> Rows:
        """Give the rows of a batch with its columns in the order of label row and frame.

        Args:
            batch: of `write_chunks.chunks_of`.
            refusals: of as many rows; told of those whose class, attributes or data unit do not hold.
            flags: told of what is left out.
        """
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        units = columns["data_unit"]
        is_new = np.ones(len(units), np.bool_)
        is_new[1:] = pc.not_equal(units[1:], units[:-1]).to_numpy(zero_copy_only=False)
        owner = np.cumsum(is_new) - 1
        frame = columns["frame"].to_numpy().astype(np.int64)
        if not ((np.diff(frame) >= 0) | is_new[1:]).all():
            order = np.lexsort((frame, owner))
            columns = {name: column.take(pa.array(order)) for name, column in columns.items()}
            frame = frame[order]
            refusals.rows = refusals.rows[order]
        refusals.add(frame < 0, Code.FRAME_RANGE, "frame", lambda row: f"must be at least 0, got {frame[row]}")
        notes = notes_of(columns["attributes"], refusals, flags)
        features = features_of(columns, self._ontology, refusals)
        row = columns["row"].to_numpy(zero_copy_only=False)
        if columns["row"].null_count:
            row = np.arange(len(owner)) - np.flatnonzero(is_new)[owner]
        ids = object_ids(columns["object_id"], columns["data_unit"], owner, frame, row.astype(np.int64))
        code = ids.dictionary_encode().indices.to_numpy().astype(np.int64)
        sizes = np.stack([_side(columns[name]) for name in ("image_height", "image_width")], 1)
        lane = np.zeros(len(owner), np.int64)
        rows = Rows(columns, owner, frame, lane, notes, features, ids, code, sizes, ())
        rows.headers = self._headers(rows, columns["data_unit"].filter(pa.array(is_new)).to_pylist(), refusals, flags)
        _place(rows, refusals)
        return _in_lanes(rows, refusals)

    def _headers(self, rows: Rows, units: list[str], refusals: Refusals, flags: Counter[str]) -> list[Header | None]:
        kept = _kept_headers(rows, refusals)
        first = np.searchsorted(rows.owner, np.arange(len(units) + 1))
        result: list[Header | None] = []
        for number, unit in enumerate(units):
            begin, end = int(first[number]), int(first[number + 1])
            try:
                if unit in self._seen:
                    hint = 'sort the table by ("data_unit", "frame", "row")'
                    raise BadHeader(f"rows of a data unit must stand together, got {unit!r} again; {hint}")
                self._seen.add(unit)
                own = kept.get(number)
                header = self._made(rows, unit, begin, end) if own is None else read_header(*own)
            except BadHeader as error:
                _refuse(range(begin, end), refusals, str(error))
                result.append(None)
                continue
            flags[NO_BRANCH] += not header.has_branch
            result.append(header)
        return result

    def _made(self, rows: Rows, unit: str, begin: int, end: int) -> Header:
        sizes = rows.sizes[begin:end]
        known = sizes[(sizes > 0).all(axis=1)][:1].astype(np.int64).tolist()
        chosen = {rows.features.found[place].shape for place in set(rows.features.chosen[begin:end].tolist()) - {-1}}
        return self._makers.header(
            unit,
            is_moving=bool(rows.frame[end - 1] > 0),
            size=(known[0][0], known[0][1]) if known else None,
            span_shapes=frozenset(chosen.intersection(SPANS)),
        )


def _side(column: pa.Array) -> npt.NDArray[np.float64]:
    side: npt.NDArray[np.float64] = column.fill_null(0).to_numpy().astype(np.float64)
    return side


def _kept_headers(rows: Rows, refusals: Refusals) -> dict[int, tuple[bytes, bool]]:
    """Give what attributes kept of label rows, as `read_header` takes it, by number; those of several are refused."""
    result: dict[int, tuple[bytes, bool]] = {}
    for row in np.flatnonzero(rows.notes.has("label_row")).tolist():
        encord = rows.notes.of(row).item.encord
        owner = int(rows.owner[row])
        kept = (b"", False) if encord is None else (bytes(encord.label_row), encord.portable)
        if result.setdefault(owner, kept)[0] != kept[0]:
            first, last = np.searchsorted(rows.owner, [owner, owner + 1]).tolist()
            hint = "write branches apart"
            _refuse(range(first, last), refusals, f"must be of one label row, got rows of several; {hint}")
    return result


def _refuse(places: range, refusals: Refusals, message: str) -> None:
    for row in places:
        if not refusals.bad[row]:
            refusals.add_one(row, Code.BAD_TABLE, "data_unit", message)


def _place(rows: Rows, refusals: Refusals) -> None:
    """Find each row's image, and its size; rows that have none, or one of another size, are refused."""
    is_image = np.array([header is not None and header.is_image for header in rows.headers])
    last = np.array([-1 if each is None or each.n_frames is None else each.n_frames - 1 for each in rows.headers])
    keys, sizes = [], []
    for owner, header in enumerate(rows.headers):
        for unit in () if header is None else header.units:
            keys.append(owner << 32 | unit.frame)
            sizes.append(unit.size or (0, 0))
    order = np.argsort(np.array(keys, np.int64), kind="stable")
    ordered = np.append(np.array(keys, np.int64)[order], np.iinfo(np.int64).max)
    wanted = rows.owner << 32 | np.where(is_image[rows.owner], rows.frame, 0)
    at = np.searchsorted(ordered, wanted)
    is_there = ordered[at] == wanted
    everywhere = rows.is_global
    no_frame = ~is_there & ~everywhere & ~refusals.bad
    refusals.add(no_frame, Code.FRAME_RANGE, "frame", lambda row: f"must be that of an image, got {rows.frame[row]}")
    end = last[rows.owner]
    is_late = (end >= 0) & (rows.frame > end)
    refusals.add(
        is_late,
        Code.FRAME_RANGE,
        "frame",
        lambda row: f"must be at most {end[row]} in the video, got {rows.frame[row]}",
    )
    own = np.array([*(sizes[place] for place in order.tolist()), (0, 0)], np.float64)[np.where(is_there, at, -1)]
    differs: Bools = (rows.sizes > 0).all(axis=1) & (own > 0).all(axis=1) & (rows.sizes != own).any(axis=1)

    def words(row: int) -> str:
        height, width = own[row].astype(np.int64).tolist()
        got = "{} x {}".format(*rows.sizes[row].astype(np.int64).tolist())
        return f"must be {height} x {width} (height x width) as the data unit is, got {got}"

    refusals.add(differs, Code.SIZE_MISMATCH, "image_height", words)
    is_known = np.asarray((rows.sizes > 0).all(axis=1))
    rows.sizes = np.where(is_known[:, None], rows.sizes, own)


def _in_lanes(rows: Rows, refusals: Refusals) -> Rows:
    """Give rows of scenes by stream in each frame: their frames are named by both."""
    in_scene = np.array([header is not None and header.data_type == "scene" for header in rows.headers])[rows.owner]
    if not in_scene.any():
        return rows
    streams = rows.columns["stream"].dictionary_encode().indices.fill_null(-1).to_numpy()
    rows.lane = np.where(in_scene, streams.astype(np.int64) + 1, 0)
    order = np.lexsort((rows.lane, rows.frame, rows.owner))
    refusals.rows, refusals.bad = refusals.rows[order], refusals.bad[order]
    return rows.take(order)
