"""The labels of one data unit, added one by one or as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

from predarrow.errors import InputError, PredarrowError
from predarrow.labels.arrays import box_columns, checked_id
from predarrow.labels.frames import FrameError, frames_of
from predarrow.labels.notes import Entries, classification_answers, geometry_note, joined
from predarrow.labels.sheet import NONE, Sheet, Target, pack
from predarrow.objects.predictions import BoundingBox, Unit
from predarrow.objects.shapes import ShapeError
from predarrow.ontology.answers import encoded
from predarrow.refusals import shown
from predarrow.report import Code, Problem

if TYPE_CHECKING:
    from predarrow.data_units import DataUnit
    from predarrow.imports import ImportResult
    from predarrow.labels.bundle import Bundle

_Frames = int | npt.NDArray[np.int64]
_Note = dict[str, Any]
_A_BOX = BoundingBox(0.0, 0.0, 0.0, 0.0)


class LabelRow:
    """The labels of one data unit, as Encord's label row; made by `Project.label_row` and `Bundle.label_row`.

    What is cheap to see is refused at once, the rest when the labels are saved; nothing of a refused call is kept.
    """

    __slots__ = ("_bundle", "_last", "_objects", "_place", "_sheet", "data_unit")

    def __init__(self, bundle: Bundle, place: int, unit: DataUnit, last: int) -> None:
        self.data_unit = unit
        """What is labelled."""
        self._bundle = bundle
        self._place = place
        self._last = last
        self._sheet = bundle.sheet
        self._objects: dict[str, int] = {}

    def add_object(
        self,
        feature: Any,
        geometry: Any,
        *,
        frames: Any = 0,
        object_id: str | None = None,
        confidence: float = 1.0,
        answers: Mapping[str, Any] | None = None,
    ) -> str:
        """Add an object on one frame or several, and give its id.

        The same id on other frames, with other geometries, is a track.

        Args:
            feature: name or featureNodeHash of a class, or the class.
            geometry: `BoundingBox`, `Polygon`, `Polyline`, `Point`, `Skeleton`, `Bitmask`, `Ellipse`, `Circle`,
                `Cuboid` or `Cuboid2D`, as the shape of the class asks, or Encord's coordinates. Relative ones lie in
                the image; sides are greater than 0, and the angle of a box may be any.
            frames: a frame, a `range`, or any sequence of frames; 0 is the only one of an image.
            object_id: of an object that was added before, or the id of a new one; None makes up a new one.
            confidence: 0 to 1.
            answers: options (label, value or hash; a list of them for a checklist), texts and numbers by the name or
                hash of an attribute, nested ones beside their parents. Those of dynamic attributes hold on these
                frames, the others for the object.

        Raises:
            OntologyError: no such class, attribute or option, or a geometry of another shape than the class's.
            InputError: a geometry, frame, confidence or id that does not hold.
        """
        sheet = self._bundle.sheet
        if sheet is not self._sheet:
            self._begin(sheet)
        target = sheet.targets.get((feature, type(geometry))) if type(feature) is str else None
        if target is None:
            target = sheet.target(feature, geometry)
        if type(frames) is not int or not 0 <= frames <= self._last:
            frames = self._frames(frames)
        if type(confidence) is not float or not 0 <= confidence <= 1:
            confidence = self._confidence(confidence)
        known = self._objects.get(object_id) if type(object_id) is str else None
        if known is None:
            object_id = self._free_id(object_id)
            known = self._objects.get(object_id)
        assert object_id is not None
        if known is not None and sheet.object_features[known] != target.place:
            self._refuse_class(object_id, target)
        static, note = self._answers(target, answers, known) if answers else (None, None)
        place = len(sheet.object_ids) if known is None else known
        if type(frames) is int and not target.is_noted:
            try:
                shape = target.add(geometry)
            except ShapeError as error:
                self._refuse_shape(target, error)
            number = sheet.n_labels
            sheet.n_labels = number + 1
            at = NONE if note is None else sheet.note(note)
            target.group.rows += pack(number, self._place, frames, place, at, shape, confidence)
        else:
            self._add_on(frames, target, geometry, place, note or {}, confidence)
        if known is None:
            self._objects[object_id] = sheet.new_object(object_id, target.place)
        if static:
            sheet.answers[place] = static
        return object_id

    def add_boxes(
        self,
        feature: Any,
        boxes: Any,
        *,
        frames: Any = 0,
        object_ids: Sequence[str] | None = None,
        confidences: Any = 1.0,
        unit: Unit = "relative",
    ) -> list[str]:
        """Add many boxes of a class in one step, and give the id of each one's object.

        Args:
            feature: name or featureNodeHash of a class of boxes, or the class.
            boxes: (n, 4) x, y, w and h, or (n, 5) with theta, as `BoundingBox` has them.
            frames: one frame for all of them, or n frames.
            object_ids: n ids, that of a track as often as it has boxes; None makes each box an object of its own.
            confidences: 0 to 1, one for all or n.
            unit: "relative" or "pixel".

        Raises:
            OntologyError: no such class, or none of boxes.
            InputError: an array of another shape or length, or a frame, confidence or id that does not hold.
        """
        sheet = self._begin(self._bundle.sheet)
        target = sheet.target(feature, _A_BOX)
        try:
            given = box_columns(boxes, confidences, object_ids, unit)
        except ShapeError as error:
            self._refuse(error.pointer, str(error))
        n = len(given.boxes)
        if not n:
            return []
        placed = self._frames(frames)
        if not isinstance(placed, int) and len(placed) != n:
            self._refuse("frames", f"must be one frame or {n}, as there are boxes, got {len(placed)}")
        ids = self._objects_of(target, given.object_ids or self._free_ids(n))
        places = np.fromiter(map(self._objects.__getitem__, ids), np.int64, n)
        shapes = sheet.add_boxes(target, given.boxes, given.relative)
        sheet.add_labels(target.group, (self._place, placed, places, NONE, shapes), given.confidences)
        return ids

    def add_classification(self, feature: Any, answers: Any, *, frames: Any = 0, confidence: float = 1.0) -> str:
        """Add a classification of one frame or several, and give its id.

        Args:
            feature: name or featureNodeHash of a classification, or the classification. One that is global is of the
                whole data unit.
            answers: an option (label, value or hash), a list of options for a checklist, a text or a number; or a
                mapping of these by the names or hashes of the attribute and of those that are nested in it.
            frames: as of `add_object`; left out for a global classification.
            confidence: 0 to 1.

        Raises:
            OntologyError: no such classification, attribute or option.
            InputError: a frame or confidence that does not hold.
        """
        sheet = self._begin(self._bundle.sheet)
        found = sheet.classification(feature)
        entries = classification_answers(found, answers)
        placed = self._frames(frames)
        confidence = self._confidence(confidence)
        if found.is_global and not (isinstance(placed, int) and placed == 0):
            self._refuse(
                "frames", f"must be left out for the global classification {found.name!r}, got {shown(frames)}"
            )
        object_id = self._free_id(None)
        place = self._objects[object_id] = sheet.new_object(object_id, sheet.feature(found.feature_hash, found.name))
        sheet.answers[place] = entries
        note = sheet.note({"global": True} if found.is_global else {})
        n = 1 if isinstance(placed, int) else len(placed)
        columns = (self._place, placed, place, note, NONE)
        sheet.add_labels(sheet.classifications, columns, np.full(n, confidence))
        return object_id

    def save(self) -> ImportResult:
        """Save what was added since the last time, in one atomic commit; the row may be added to and saved again.

        Raises:
            InputError: labels that do not hold, each with its place; nothing is committed, and all are kept.
            ProjectError: the set cannot be written.
            CommitConflictError: others committed to the set first, again and again.
            PredarrowError: the row belongs to a bundle, which saves it.
        """
        if self._bundle.is_shared:
            rule = "is saved by its bundle, when the `with` block ends"
            raise PredarrowError(f"{self._name}: {rule}; leave save() out, or make the row with project.label_row")
        return self._bundle.save()

    def __len__(self) -> int:
        """Number of objects and classifications since the last save."""
        return len(self._objects) if self._sheet is self._bundle.sheet else 0

    @property
    def _name(self) -> str:
        return f"label row {self.data_unit.title!r}"

    def _begin(self, sheet: Sheet) -> Sheet:
        if sheet is not self._sheet:  # the last one was saved: ids that are given again are those of its objects
            self._sheet, self._objects = sheet, {}
        return sheet

    def _frames(self, frames: Any) -> _Frames:
        try:
            return frames_of(frames, self._last)
        except FrameError as error:
            self._refuse("frames", str(error), Code.FRAME_RANGE)

    def _confidence(self, confidence: Any) -> float:
        is_number = isinstance(confidence, int | float | np.number) and not isinstance(confidence, bool)
        if not is_number or not 0 <= confidence <= 1:
            self._refuse("confidence", f"must be 0 to 1, got {shown(confidence)}")
        return float(confidence)

    def _free_id(self, object_id: Any) -> str:
        if object_id is None:
            new = self._sheet.new_id()
            while new in self._objects:
                new = self._sheet.new_id()
            return new
        try:
            return checked_id(object_id, "object_id")
        except ShapeError as error:
            self._refuse(error.pointer, str(error))

    def _free_ids(self, n: int) -> list[str]:
        ids = self._sheet.new_ids(n)
        while len(distinct := set(ids)) < n or not distinct.isdisjoint(self._objects):
            ids = self._sheet.new_ids(n)
        return ids

    def _objects_of(self, target: Target, ids: list[str]) -> list[str]:
        """Make objects of the ids that have none, and give the ids."""
        distinct = dict.fromkeys(ids)
        known = distinct.keys() & self._objects.keys()
        for object_id in distinct if known else ():
            if object_id in known and self._sheet.object_features[self._objects[object_id]] != target.place:
                self._refuse_class(object_id, target)
        new = [object_id for object_id in distinct if object_id not in known] if known else list(distinct)
        self._objects |= zip(new, self._sheet.new_objects(new, target.place), strict=True)
        return ids

    def _answers(
        self, target: Target, answers: Mapping[str, Any], known: int | None
    ) -> tuple[Entries | None, _Note | None]:
        static, dynamic = encoded(target.feature, answers)
        before = [] if known is None else self._sheet.answers.get(known, [])
        return joined(target.feature, before, static) if static else None, {"dynamic": dynamic} if dynamic else None

    def _add_on(
        self, frames: _Frames, target: Target, geometry: Any, place: int, note: _Note, confidence: float
    ) -> None:
        """Add one geometry on several frames, or one that has a note of its own.

        Images of a group may differ in size, so that each has a shape of its own there.
        """
        every = np.atleast_1d(np.asarray(frames, np.int64))
        parts = list(every[:, None]) if self._bundle.is_group(self._place) else [every]
        notes = [note] * len(parts)
        if target.is_noted:
            notes = [note | self._geometry_note(target, geometry, int(part[0])) for part in parts]
        for part, one in zip(parts, notes, strict=True):
            try:
                shape = target.add(geometry)
            except ShapeError as error:
                self._refuse_shape(target, error)
            columns = (self._place, part, place, self._sheet.note(one), shape)
            self._sheet.add_labels(target.group, columns, np.full(len(part), confidence))

    def _geometry_note(self, target: Target, geometry: Any, frame: int) -> _Note:
        height, width = self._bundle.size(self._place, frame)
        try:
            return geometry_note(geometry if target.convert is None else target.convert(geometry), height, width)
        except ShapeError as error:
            self._refuse_shape(target, error)

    def _refuse_shape(self, target: Target, error: ShapeError) -> NoReturn:
        self._refuse(": ".join(part for part in (target.feature.name, error.pointer) if part), str(error))

    def _refuse_class(self, object_id: str, target: Target) -> NoReturn:
        names = [name for _, name in self._sheet.features]
        has = names[self._sheet.object_features[self._objects[object_id]]]
        self._refuse("object_id", f"must be of a {target.feature.name!r}, got {object_id!r}, which is a {has!r}")

    def _refuse(self, pointer: str, message: str, code: Code = Code.BAD_VALUE) -> NoReturn:
        raise InputError([Problem(self._name, None, pointer, code, message)])
