"""What label rows say of themselves and their data units: as it was read, or made of what is known of a data unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct

from predarrow.data_units import DataUnit, DataUnits
from predarrow.formats.encord.rows import SPAN_TYPES
from predarrow.formats.encord.wire import ABSENT
from predarrow.formats.json_text import json_text

NO_BRANCH = "label row without branch_name written with main, as Encord's SDK asks for one"

_IMAGES = frozenset({"image", "img_group"})
_KINDS = {"image_group": "img_group", "group": "img_group", "sequence": "video", "image_sequence": "video"}
_DATA_TYPES = (*("image", "img_group", "video", "dicom", "nifti", "pdf", "scene"), *sorted(SPAN_TYPES))
_ZERO = "00000000-0000-0000-0000-000000000000"
_MEDIA = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".webp": "image/webp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mov": "video/quicktime",
    ".avi": "video/x-msvideo",
    ".mkv": "video/x-matroska",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".txt": "text/plain",
    ".html": "text/html",
    ".pdf": "application/pdf",
    ".dcm": "application/dicom",
}
_LAST_FRAME = 2**31 - 1


class BadHeader(Exception):
    """Why a label row cannot be written; never leaves the writer."""


class Unit(NamedTuple):
    """A data unit of a label row."""

    key: str
    text: str
    """Its members but the labels, as JSON without braces."""
    frame: int
    """Of an image in its group, 0 of others."""
    size: tuple[int, int] | None
    """Height and width where they are known."""
    others: dict[str, Raw]
    """What else `labels` has, by its keys: of images as it stands, of others by frame."""


class Header(NamedTuple):
    """A label row without its labels."""

    text: str
    """Its members as JSON without braces."""
    data_type: str
    units: Sequence[Unit]
    n_frames: int | None
    """Frames of a video, where they are known."""
    is_made: bool
    """Whether it was made here rather than read."""
    is_portable: bool
    """Whether it has what older SDKs ask for."""
    has_branch: bool
    """Whether the row came with a branch, which Encord's SDK asks for; platform exports have none."""

    @property
    def is_image(self) -> bool:
        """Whether labels stand in images rather than by frames."""
        return self.data_type in _IMAGES

    @property
    def is_span(self) -> bool:
        """Whether objects lie on ranges."""
        return self.data_type in SPAN_TYPES


class _Row(Struct, gc=False):
    """What is needed of a kept label row; other members are passed over."""

    data_type: str
    data_units: Raw
    branch_name: Raw = ABSENT


class _Unit(Struct, gc=False):
    """What is needed of a kept data unit; other members are passed over."""

    width: Any = None
    height: Any = None
    data_sequence: Any = 0
    data_fps: Any = None
    data_duration: Any = None
    labels: dict[str, Raw] | None = None


_row = msgspec.json.Decoder(_Row).decode
_unit = msgspec.json.Decoder(_Unit).decode
_members = msgspec.json.Decoder(dict[str, Raw]).decode


def read_header(kept: bytes, is_portable: bool) -> Header:
    """Give the header that the table kept of a label row, which may have had what older SDKs ask for.

    Raises:
        BadHeader: it is none.
    """
    try:
        row = _row(kept)
        units = [_read_unit(key, bytes(raw), row.data_type) for key, raw in _members(row.data_units).items()]
    except msgspec.DecodeError as error:
        raise BadHeader(f"must be a label row without its labels, got {error}") from None
    if not units:
        raise BadHeader("must have data_units, got none")
    text = _without(kept, "data_units", bytes(row.data_units))
    has_branch = row.branch_name is not ABSENT
    if not has_branch:
        text = f'{text},"branch_name":"main"'
    n_frames = units[0][1] if row.data_type == "video" else None
    return Header(text, row.data_type, [unit for unit, _ in units], n_frames, False, is_portable, has_branch)


def _read_unit(key: str, raw: bytes, data_type: str) -> tuple[Unit, int | None]:
    """Give a data unit, and its number of frames where it is a video that tells them."""
    given = _unit(raw)
    text = raw[1:-1].decode() if given.labels is None else _without(raw, "labels", b"")
    frame = 0
    if data_type in _IMAGES:
        try:
            frame = int(given.data_sequence)
        except (TypeError, ValueError):
            got = f"must be a whole number, got {given.data_sequence!r}"
            raise BadHeader(f"data_units.{key}.data_sequence {got}") from None
    height, width = (_side(side) for side in (given.height, given.width))
    size = (height, width) if height and width else None
    return Unit(key, text, frame, size, given.labels or {}), _n_frames(given.data_fps, given.data_duration)


def _side(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else 0


def _without(raw: bytes, name: str, value: bytes) -> str:
    """Give an object's members but one as they stand, without braces.

    Args:
        raw: JSON.
        name: of the member that is left out.
        value: of it, where it may be the last one: there the text is cut.
    """
    end = b',"%b":%b}' % (name.encode(), value)
    if value and raw.endswith(end):
        return raw[1 : -len(end)].decode()
    members = _members(raw)
    members.pop(name, None)
    return _member_text(members)


def _member_text(members: dict[str, Raw]) -> str:
    """Give members as they stand, without braces."""
    return b",".join([b"%b:%b" % (_key(name), raw) for name, raw in members.items()]).decode()


@lru_cache(maxsize=256)  # the same in every label row
def _key(name: str) -> bytes:
    return json_text(name).encode()


def _n_frames(fps: Any, duration: Any) -> int | None:
    for value in (fps, duration):
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < math.inf:
            return None
    return math.ceil(fps * duration) if fps * duration <= _LAST_FRAME else None


class Makers:
    """Headers of data units whose predictions came with none.

    Args:
        known: what is known of data units; without it what the rows tell decides.
    """

    def __init__(self, known: DataUnits | None) -> None:
        self._known = known
        self._groups: dict[str, list[DataUnit]] = {}
        for row in range(0 if known is None else len(known)):
            unit = known.row(row) if known is not None else None
            if unit is not None and unit.group is not None:
                self._groups.setdefault(unit.group, []).append(unit)

    def header(
        self, data_unit: str, *, is_moving: bool, size: tuple[int, int] | None, span_shapes: frozenset[str]
    ) -> Header:
        """Give a header.

        Args:
            data_unit: which becomes the data hash.
            is_moving: whether there are rows on other frames than 0.
            size: height and width of the first row's image that tells them.
            span_shapes: shapes of the classes of spans among the rows.

        Raises:
            BadHeader: a data unit that is not among those known, of a kind that label rows do not have, or a group
                whose images are not known.
        """
        unit = self._unit(data_unit, is_moving, size, span_shapes)
        data_type = _KINDS.get(unit.kind, unit.kind)
        if data_type not in _DATA_TYPES:
            rule = f"must be of a kind that label rows have, one of {', '.join(_DATA_TYPES)}"
            raise BadHeader(f"{rule}, got {unit.kind!r}")
        if data_type == "img_group":
            units = self._images(unit)
        else:
            units = [_made_unit(unit, data_type, 0, size)]
        text = json_text(_row_members(unit, data_type))[1:-1]
        n_frames = unit.n_frames if data_type == "video" else None
        return Header(text, data_type, units, n_frames, True, True, True)

    def _unit(
        self, data_unit: str, is_moving: bool, size: tuple[int, int] | None, span_shapes: frozenset[str]
    ) -> DataUnit:
        if self._known is not None:
            row = self._known.by_id(data_unit)
            if row is None:
                raise BadHeader(f"must be the id of one of data_units, got {data_unit!r}")
            return self._known.row(row)
        kind = _kind_of_spans(span_shapes) if span_shapes else "video" if is_moving else "image"
        title = PurePosixPath(data_unit).name or data_unit
        width, height = (None, None) if size is None else (size[1], size[0])
        return DataUnit(data_unit, title, kind, width, height, None, None, None, None, None)

    def _images(self, unit: DataUnit) -> list[Unit]:
        images = self._groups.get(unit.id, [])
        if not images:
            hint = "give data_units the columns group and sequence"
            raise BadHeader(f"must have the images of the group {unit.id!r} in data_units, got none; {hint}")
        frames = [image.sequence for image in images]
        if None in frames or len(set(frames)) < len(frames):
            raise BadHeader(f"must have images each of a sequence of its own in {unit.id!r}, got {frames}")
        return [_made_unit(image, "img_group", image.sequence or 0, None) for image in images]


def _kind_of_spans(shapes: frozenset[str]) -> str:
    kinds = {"audio": "audio", "time_range": "time_series", "text": "plain_text"}
    if len(shapes) > 1:
        raise BadHeader(f"must have spans of one shape, got {', '.join(sorted(shapes))}")
    return kinds[next(iter(shapes))]


def _row_members(unit: DataUnit, data_type: str) -> dict[str, Any]:
    return {
        "label_hash": _ZERO,
        "branch_name": "main",
        "created_at": None,
        "last_edited_at": None,
        "data_hash": unit.id,
        "dataset_hash": _ZERO,
        "dataset_title": "",
        "data_title": unit.title,
        "data_type": data_type,
        "annotation_task_status": "QUEUED",
        "is_shadow_data": False,
        "label_status": "LABEL_IN_PROGRESS",
        "spaces": {},
    }


def _made_unit(unit: DataUnit, data_type: str, frame: int, size: tuple[int, int] | None) -> Unit:
    own = (unit.height, unit.width) if unit.height and unit.width else size
    suffix = PurePosixPath(unit.uri or unit.title).suffix.lower()
    members: dict[str, Any] = {
        "data_hash": unit.id,
        "data_title": unit.title,
        "data_link": unit.uri or "",
        "data_type": _MEDIA.get(suffix, "application/octet-stream"),
        "data_sequence": str(frame) if data_type == "img_group" else 0,
    }
    if data_type not in SPAN_TYPES:
        members |= {"width": own[1] if own else 0, "height": own[0] if own else 0}
    if data_type == "audio":
        members |= dict.fromkeys(("audio_codec", "audio_sample_rate", "audio_bit_depth", "audio_num_channels"))
    if data_type == "video" and unit.fps:
        members["data_fps"] = unit.fps
        if unit.n_frames:
            members["data_duration"] = _duration(unit.n_frames, unit.fps)
    return Unit(unit.id, json_text(members)[1:-1], frame, own, {})


def _duration(n_frames: int, fps: float) -> float:
    """Give seconds from which the SDK reckons the very number of frames."""
    exact = n_frames / fps
    return exact if math.ceil(fps * exact) == n_frames else (n_frames - 0.5) / fps
