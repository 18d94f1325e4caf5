"""Predictions as Python objects, spelled as Encord Active's are.

Objects only hold what they are given and never change it. Values are checked where predictions are imported, many
at a time, so that an error can name the place of the bad one: `predictions[17]: object.data.w: must …`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, TypeAlias

from predarrow.errors import PredarrowError

Unit: TypeAlias = Literal["relative", "pixel"]
"""Relative: x is a share of the image's width and y of its height. Pixel: from the image's top-left corner.
x to the right, y down in both."""


class Format(StrEnum):
    """What an object's data is; its text may be given as well."""

    BOUNDING_BOX = "bounding-box"
    POLYGON = "polygon"
    MASK = "mask"


@dataclass(frozen=True, slots=True, init=False)
class BoundingBox:
    """A box, perhaps rotated.

    Attributes:
        x, y: top-left corner, of a rotated box before it is rotated.
        w, h: width and height, at least 0.
        theta: degrees clockwise about the box's centre, 0 to 360, measured in pixels.
        unit: "relative" (values in [0, 1]; of a rotated box its centre) or "pixel".
    """

    x: float
    y: float
    w: float
    h: float
    theta: float = 0.0
    unit: Unit = "relative"

    def __init__(self, x: float, y: float, w: float, h: float, theta: float = 0.0, unit: Unit = "relative") -> None:
        _SET_X(self, x)
        _SET_Y(self, y)
        _SET_W(self, w)
        _SET_H(self, h)
        _SET_THETA(self, theta)
        _SET_UNIT(self, unit)


# The slots' own setters: 0.4 us a box, where a frozen dataclass's constructor takes 0.75.
_SET_X, _SET_Y, _SET_W, _SET_H, _SET_THETA, _SET_UNIT = (
    getattr(BoundingBox, name).__set__ for name in BoundingBox.__slots__
)


@dataclass(frozen=True, slots=True, eq=False)
class Polygon:
    """A polygon with a unit of its own, perhaps of several parts and with holes.

    Attributes:
        points: (n, 2) x and y of one ring, or parts -> rings -> (n, 2), where a part's first ring is its outline and
            the others are its holes. A ring has 3 points or more and need not repeat its first one at the end.
        unit: "relative" (values in [0, 1]) or "pixel".
    """

    points: Any
    unit: Unit = "relative"


@dataclass(frozen=True, slots=True, eq=False)
class ObjectDetection:
    """An object of a class.

    Attributes:
        format: says how `data` is read; see `Format`.
        data: as objects, lists, arrays (anything with `__array__`), or JSON text of these:

            - "bounding-box": `BoundingBox`, a mapping of its fields, or `x, y, w, h[, theta]` (relative)
            - "polygon": `Polygon`, or its points (relative); also a mask, as Encord's importers have it, of any
              width but 2. Whole numbers or bools of shape (n, 2) in an array are refused: they could be either.
            - "mask": (height, width) bools or 0 and 1, of the image's size
        feature_hash: featureNodeHash of the class in the project's ontology.
        track_id: one object over frames has one; kept as text.
    """

    format: Format | str
    data: BoundingBox | Polygon | Mapping[str, Any] | Sequence[Any] | str | Any
    feature_hash: str
    track_id: str | int | None = None


@dataclass(frozen=True, slots=True)
class FrameClassification:
    """An answer to a question of the ontology about a whole frame, by their featureNodeHashes.

    Attributes:
        feature_hash: of the classification.
        attribute_hash: of its attribute, the question; a radio or a checklist.
        option_hash: of the attribute's option, the answer.
    """

    feature_hash: str
    attribute_hash: str
    option_hash: str


@dataclass(frozen=True, slots=True, eq=False, init=False)
class Prediction:
    """One object, or one classification, on one frame of a data unit.

    Attributes:
        data_unit: id of the project's data unit, or its title where one data unit has that. Encord's name for it,
            `data_hash`, may be given instead.
        frame: 0-based; None where the data unit has one frame only.
        confidence: any finite number, kept in the source's scale; None where there is none.
        object: the object; either this or `classification`.
        classification: the classification.

    Raises:
        PredarrowError: not exactly one of object and classification, or not one of data_unit and data_hash.
    """

    data_unit: str
    frame: int | None
    confidence: float | None
    object: ObjectDetection | None
    classification: FrameClassification | None

    def __init__(
        self,
        data_unit: str | None = None,
        frame: int | None = 0,
        confidence: float | None = None,
        object: ObjectDetection | None = None,  # noqa: A002 - Encord's name
        classification: FrameClassification | None = None,
        *,
        data_hash: str | None = None,
    ) -> None:
        if (object is None) == (classification is None):
            got = "neither" if object is None else "both"
            raise PredarrowError(f"Prediction: must have either an object or a classification, got {got}")
        if (data_unit is None) == (data_hash is None):
            got = "neither" if data_unit is None else "both"
            raise PredarrowError(f"Prediction: must have either data_unit or data_hash, got {got}")
        _SET_DATA_UNIT(self, data_hash if data_unit is None else data_unit)
        _SET_FRAME(self, frame)
        _SET_CONFIDENCE(self, confidence)
        _SET_OBJECT(self, object)
        _SET_CLASSIFICATION(self, classification)


# The slots' own setters: 0.6 us an object, where a frozen dataclass's constructor takes 0.8.
_SET_DATA_UNIT, _SET_FRAME, _SET_CONFIDENCE, _SET_OBJECT, _SET_CLASSIFICATION = (
    getattr(Prediction, name).__set__ for name in Prediction.__slots__
)
