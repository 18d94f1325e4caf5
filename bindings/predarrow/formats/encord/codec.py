"""Label rows and frames as they are written, and the two codings that they are read from.

Each is read in one step where all its keys are known, as nearly always; else level by level (`rows`, `frames`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import msgspec
from msgspec import Raw, Struct

from predarrow.formats.encord.wire import ABSENT, AnyObject, is_json
from predarrow.formats.flaws import Flaw
from predarrow.formats.json_text import json_text
from predarrow.report import Code

Entries = dict[str, dict[str, Any]]


class Frame(Struct, forbid_unknown_fields=True, gc=False):
    """The labels of one image or frame."""

    objects: list[AnyObject] = []
    classifications: list[Any] = []
    metadata: Raw = ABSENT


class Unit(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What data units of every kind have."""

    data_hash: Raw = ABSENT
    data_title: Raw = ABSENT
    data_link: Raw = ABSENT
    data_type: Raw = ABSENT
    data_sequence: Raw = ABSENT
    width: Raw = ABSENT
    height: Raw = ABSENT
    data_duration: Raw = ABSENT
    data_fps: Raw = ABSENT
    audio_codec: Raw = ABSENT
    audio_sample_rate: Raw = ABSENT
    audio_bit_depth: Raw = ABSENT
    audio_num_channels: Raw = ABSENT
    labels: Raw = ABSENT


class TypedRow(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A label row; the last of its own members are those of the platform's export."""

    data_hash: str
    data_type: str
    data_units: dict[str, Unit]
    data_title: Raw = ABSENT
    label_hash: Raw = ABSENT
    branch_name: Raw = ABSENT
    created_at: Raw = ABSENT
    last_edited_at: Raw = ABSENT
    dataset_hash: Raw = ABSENT
    dataset_title: Raw = ABSENT
    annotation_task_status: Raw = ABSENT
    is_shadow_data: Raw = ABSENT
    label_status: Raw = ABSENT
    spaces: Raw = ABSENT
    is_image_sequence: Raw = ABSENT
    video_link: Raw = ABSENT
    is_valid: Raw = ABSENT
    object_answers: Entries = {}
    classification_answers: Entries = {}
    object_actions: Entries = {}


class Codec:
    """How parts of label rows are read, one coding for all of them.

    Args:
        package: `msgspec.json` or `msgspec.msgpack`.
        text: gives a part that is carried unread as JSON text.
    """

    def __init__(self, package: ModuleType, text: Callable[[Raw], str]) -> None:
        decoder = package.Decoder
        self.text = text
        self._any: Callable[[Raw], Any] = decoder().decode
        self.rows: Callable[[bytes | memoryview], list[Raw]] = decoder(list[Raw]).decode
        self.typed_rows: Callable[[bytes | memoryview], list[TypedRow]] = decoder(list[TypedRow]).decode
        self.typed_row: Callable[[Raw], TypedRow] = decoder(TypedRow).decode
        self.row: Callable[[Raw], dict[str, Raw]] = decoder(dict[str, Raw]).decode
        self.units: Callable[[Raw], dict[str, dict[str, Raw]]] = decoder(dict[str, dict[str, Raw]]).decode
        self.frame: Callable[[Raw], Frame | None] = decoder(Frame | None).decode
        self.frames: Callable[[Raw], dict[str, Frame] | None] = decoder(dict[str, Frame] | None).decode
        self.entries: Callable[[Raw], Entries] = decoder(Entries).decode

    def any(self, raw: Raw) -> Any:
        """Give a part as plain values.

        Raises:
            Flaw: a number of more digits than Python takes.
        """
        try:
            return self._any(raw)
        except msgspec.DecodeError:  # 1e999, which is infinite to Python
            if not is_json(raw):
                raise
            return _parsed(raw)


def _parsed(raw: Raw) -> Any:
    try:
        return json.loads(bytes(raw))
    except (ValueError, RecursionError) as error:  # a number of thousands of digits
        raise Flaw(Code.DAMAGED, "", f"must be JSON that can be read: {error}", told="other") from None


def any_of(raw: Raw) -> Any:
    """Give a value that is JSON or MessagePack."""
    if not is_json(raw):
        return MESSAGE_PACK.any(raw)
    try:
        return JSON.any(raw)
    except Flaw:
        if len(raw) > 1:
            raise
        return MESSAGE_PACK.any(raw)


def _json_text(raw: Raw) -> str:
    data = bytes(raw)
    return (msgspec.json.format(data, indent=-1) if b"\n" in data else data).decode()


def _msgpack_text(raw: Raw) -> str:
    return json_text(msgspec.msgpack.decode(raw))


JSON = Codec(msgspec.json, _json_text)
MESSAGE_PACK = Codec(msgspec.msgpack, _msgpack_text)
