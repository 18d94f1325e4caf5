"""Frame objects as rows of the prediction table."""

from __future__ import annotations

from collections import Counter
from itertools import compress
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from predarrow.buffers import numbers_array, text_array
from predarrow.classes import Texts
from predarrow.formats.encord import wire
from predarrow.formats.encord.answers import ObjectAnswers
from predarrow.formats.encord.attributes import Members, member
from predarrow.formats.encord.codec import any_of
from predarrow.formats.encord.columns import Bools, Floats
from predarrow.formats.encord.geometry import Geometry
from predarrow.formats.encord.labels import FrameLabels, check_identities, check_joints, classes_of
from predarrow.formats.encord.rules import Rules
from predarrow.formats.json_text import json_text
from predarrow.report import Code
from predarrow.table import record_batch

ODD_CONFIDENCE = "confidence beyond 0 to 1"

_AROUND_BOX = b'"coordinates":{"boundingBox":', b"}"
_RARE = ("isDeleted", "reviews")


class ObjectRows:
    """Objects on their way to rows; those that do not hold are refused.

    Args:
        labels: at least one.
        rules: what their ontology says.
        flagged: counts what is odd about those that are left.
    """

    def __init__(self, labels: FrameLabels, rules: Rules, flagged: Counter[str]) -> None:
        self.labels = labels
        self._refusals = labels.refusals
        self._flagged = flagged
        self._classes = classes_of(labels, rules)
        check_identities(labels, self._classes)
        check_joints(labels, rules)
        self._geometry = Geometry(labels)
        self._confidence = self._confidences()
        self.members = Members(*labels.facts.bases)
        self._answers = ObjectAnswers(labels, rules, self.members, flagged)
        self._answers.add()
        self._add_rare()
        self._add_kept()

    def _confidences(self) -> Floats:
        values = self.labels.facts.confidences
        self._refusals.add(
            ~np.isfinite(values),
            Code.BAD_NUMBER,
            ".confidence",
            lambda row: f"must be a finite number, got {values[row]}",
        )
        return values

    def _add_rare(self) -> None:
        """Add members that few objects have."""
        labels = self.labels
        if labels.scanned is not None:  # boxes that have none
            return
        for name in _RARE:
            values = list(map(attrgetter(name), labels.objects))
            if values.count(None) < labels.n:
                for row, value in enumerate(values):
                    if value is not None and value != []:
                        self._add(row, name, value)
        for row, extra in labels.extras.items():
            for name, value in extra.members.items():
                self._add(row, name, value)

    def _add(self, row: int, name: str, value: Any) -> None:
        try:
            self.members.add(row, member(name, value))
        except (ValueError, TypeError) as error:
            if not self._refusals.bad[row]:
                rule = f"must be JSON of finite numbers and whole characters: {error}"
                self._refusals.add_one(row, Code.BAD_VALUE, f".{name}", rule)

    def _add_kept(self) -> None:
        """Add geometry as it stands where the columns do not give it back, and what they have no place for."""
        labels, geometry = self.labels, self._geometry
        extras = {row: extra.coordinates for row, extra in labels.extras.items() if extra.coordinates is not None}
        is_exact = geometry.is_exact
        is_exact[list(extras)] = False
        kept = ~is_exact & ~self._refusals.bad
        if labels.scanned is not None:
            if kept.any():
                self.members.set_common_column(kept, labels.scanned.texts, *_AROUND_BOX)
            return
        objects = labels.objects if kept.all() else list(compress(labels.objects, kept.tolist()))
        if set(labels.facts.types) == {wire.BoxObject} and wire.is_json(
            objects[0].boundingBox if objects else wire.ABSENT
        ):
            texts = list(map(attrgetter("boundingBox"), objects))
            self.members.set_common(kept, texts, *_AROUND_BOX)
        else:
            rows = np.flatnonzero(kept).tolist()
            others = [_geometry(item, extras.get(row)) for row, item in zip(rows, objects, strict=True)]
            self.members.set_common(kept, others, b'"coordinates":')
        for row, texts in geometry.kept.items():
            for text in texts:
                self.members.add_encord(row, text)
        names = self._classes.names.array.to_pylist()
        if wire.SkeletonObject in set(labels.facts.types):
            for row, item in enumerate(labels.objects):
                name = item.name
                if type(item) is wire.SkeletonObject and name and name != names[int(self._classes.chosen[row])]:
                    self.members.add_encord(row, member("name", name))
        if wire.CuboidObject in set(labels.facts.types):
            for row, type_ in enumerate(labels.facts.types):
                if type_ is wire.CuboidObject:
                    self.members.add(row, member("convention", "encord"))

    def finish(self) -> None:
        """Count what is odd, and add what objects have once to the first of their rows; nothing is refused after."""
        keep = ~self._refusals.bad
        self._geometry.count_flags(keep, self._flagged)
        confidence = self._confidence[keep]
        if count := int(((confidence < 0) | (confidence > 1)).sum()):
            self._flagged[ODD_CONFIDENCE] += count
        self._answers.add_firsts()

    def batch(self) -> pa.RecordBatch:
        """Give the rows that are left, in the order in which they are written."""
        labels, classes = self.labels, self._classes
        keep: Bools = ~self._refusals.bad
        columns: dict[str, Any] = {
            **self._geometry.columns,
            "frame": labels.frame,
            "object_id": labels.facts.ids,
            "class_name": classes.names.take(classes.chosen),
            "feature_hash": classes.hashes.take(classes.chosen),
            "confidence": self._confidence,
            "attributes": self.members.column(),
            "row": labels.number,
            "data_unit": Texts([place.data_unit for place in labels.places]).take(labels.owner),
            "source": Texts([place.row.source for place in labels.places]).take(labels.owner),
            **size_columns(labels.sizes),
        }
        if labels.streams is not None:
            columns["stream"] = text_array(labels.streams)
        whole = record_batch(labels.n, columns)
        return whole if keep.all() else whole.take(numbers_array(np.flatnonzero(keep)))


_encode = msgspec.json.Encoder().encode


def _geometry(item: wire.FrameObject, extra: dict[str, Any] | None) -> bytes:
    """Give an object's geometry as it stands."""
    if extra is not None:
        return json_bytes(extra)
    if type(item) is wire.BoxObject:
        raw = item.boundingBox
        box = raw if wire.is_json(raw) else json_bytes(any_of(raw))
        return b'{"boundingBox":%b}' % box
    given = [(key, getattr(item, key)) for key in item.keys]
    parts = [b'"%b":%b' % (key.encode(), _encode(value)) for key, value in given if value is not None]
    return b"{%b}" % b",".join(parts)


def json_bytes(value: Any) -> bytes:
    """Give a value as JSON."""
    return json_text(value).encode()


def size_columns(sizes: Floats) -> dict[str, pa.Array]:
    """Give (n, 2) height and width as columns, null where they are 0."""
    names = ("image_height", "image_width")
    sides = {name: np.ascontiguousarray(sizes[:, axis]) for axis, name in enumerate(names)}
    return {name: numbers_array(side.astype(np.int32), is_valid=side > 0) for name, side in sides.items()}
