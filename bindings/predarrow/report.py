"""What an import read, left out and refused.

Codes are stable: scripts may test them. A problem's text is `source: pointer: message`, where the message
says the rule and the value that was met.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa

EMPTY_MASK = "mask without a pixel"
"""What a report calls masks that are left out because nothing is inside them."""


class Code(StrEnum):
    """Why something was refused."""

    NOT_PNG = "not_png"
    """The file does not begin with a PNG signature."""
    DAMAGED = "damaged"
    """The file breaks off, or a length, checksum or stream in it is wrong."""
    UNSUPPORTED = "unsupported"
    """A kind of file that is valid but cannot be read without being guessed (RGB, alpha)."""
    TOO_LARGE = "too_large"
    """The header promises more pixels than `max_pixels`."""
    TOO_MANY_CLASSES = "too_many_classes"
    """More distinct pixel values than `max_classes`: a soft map rather than a label mask."""
    UNKNOWN_CLASS = "unknown_class"
    """A class or pixel value that the mapping does not name."""
    UNKNOWN_DATA_UNIT = "unknown_data_unit"
    """No data unit of the project has this title or id."""
    AMBIGUOUS_DATA_UNIT = "ambiguous_data_unit"
    """More than one data unit of the project has this title."""
    DUPLICATE_SOURCE = "duplicate_source"
    """Two files speak for the same data unit and frame."""
    FRAME_RANGE = "frame_range"
    """The frame is not one of the data unit's frames."""
    SIZE_MISMATCH = "size_mismatch"
    """The mask's size is not the data unit's."""
    UNREADABLE = "unreadable"
    """The operating system would not give the file's bytes."""
    BAD_TABLE = "bad_table"
    """A table that lacks a column, or has a value that its column does not allow."""
    FIELD_COUNT = "field_count"
    """A line without the number of fields that its format, or the rest of its file, has."""
    COLUMN_ORDER = "column_order"
    """Columns in another format's order, which would have to be guessed."""
    BAD_NUMBER = "bad_number"
    """A field that must be a number, and is none or is not finite."""
    BAD_ARRAY = "bad_array"
    """An array, or a list in its place, of another shape or type than is asked for."""
    BAD_TEXT = "bad_text"
    """A quote that is not closed, or bytes that are no UTF-8."""
    BAD_BOX = "bad_box"
    """A box with a corner that is not finite, or whose right or bottom lies before its left or top."""
    OUTSIDE_IMAGE = "outside_image"
    """A box beyond the image, where that is asked to be refused, or wholly so where it would be clipped."""
    FRAME_CONFLICT = "frame_conflict"
    """Both the file's name and its rows tell a frame."""
    CANNOT_HOLD = "cannot_hold"
    """A row with something that the format it should be written in has no place for."""
    BAD_VALUE = "bad_value"
    """A field of an object that has another type, shape or range than it must have."""
    BAD_ANSWER = "bad_answer"
    """An answer of a kind that its attribute does not take, or to an attribute or option that the ontology lacks."""
    TOO_MANY_FRAMES = "too_many_frames"
    """Ranges of more frames in one label row than are made rows of."""
    SIZE_UNKNOWN = "size_unknown"
    """Relative coordinates on an image whose size is not known."""
    UNKNOWN_OBJECT = "unknown_object"
    """An object on a frame that the file's list of objects does not have."""
    NO_STREAM = "no_stream"
    """A geometry that does not tell its stream, where its format asks for it."""
    UNKNOWN_STREAM = "unknown_stream"
    """A stream that the file's list of streams does not have."""
    WRONG_STREAM = "wrong_stream"
    """A geometry in a stream of a type that it cannot be in: a cuboid in a camera, a box in a lidar."""
    BAD_CONFIDENCE = "bad_confidence"
    """A confidence that is no number, beyond its format's range, or told twice."""
    MIXED_GEOMETRIES = "mixed_geometries"
    """A geometry of another type than the file's first, where its format takes one."""
    DUPLICATE_GEOMETRY = "duplicate_geometry"
    """A second geometry of an object on a frame, where its format takes one."""
    STATIC_GEOMETRY = "static_geometry"
    """A geometry on no frame, where its format asks for one."""
    BAD_SIZE = "bad_size"
    """A width, length or height of 0 or below."""
    BAD_ROTATION = "bad_rotation"
    """A quaternion whose length is not 1."""
    BAD_CONFIG = "bad_config"
    """A labelling config that is no XML, or names a tag that it lacks or has twice."""
    UNKNOWN_CONTROL = "unknown_control"
    """A result of a control, or on an object, that the labelling config lacks."""
    WRONG_CONTROL = "wrong_control"
    """A result whose type or object is not its control's."""
    DUPLICATE_ID = "duplicate_id"
    """Two regions with one id, of which Label Studio keeps one."""
    BAD_RELATION = "bad_relation"
    """A relation without direction, or between regions that are not there."""
    INVISIBLE_MASK = "invisible_mask"
    """A mask of values 0 and 1, where 255 is what can be seen."""
    MISSING_DATA = "missing_data"
    """A task whose data lack what the labelling config shows."""
    NO_SOURCES = "no_sources"
    """Nothing to read: no file under the path has a name that the pattern matches."""


class Problem(NamedTuple):
    """One refused file or record."""

    source: str
    row: int | None
    """0-based record in the source; None where the whole source is refused."""
    pointer: str
    """Place inside the source (`byte 33`, `$[12].bbox`, `value 7`); empty for the whole."""
    code: Code
    message: str
    """Rule and value that was met, with a hint where there is a way out."""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.source, self.pointer, self.message) if part)


@dataclass(slots=True)
class Report:
    """Counts of one import, and every problem in it. Grows while the import runs."""

    sources: int = 0
    """Files (or other sources) read, refused ones included."""
    imported: int = 0
    """Rows that reached the table."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Records left out by rule, by the rule's name."""
    flagged: Counter[str] = field(default_factory=Counter)
    """Records that were taken though they are odd, by what is odd about them."""
    problems: list[Problem] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        """How many sources or records were refused."""
        return len(self.problems)

    def add(self, other: Report) -> None:
        """Add another report's counts and problems to this one."""
        self.sources += other.sources
        self.imported += other.imported
        self.skipped.update(other.skipped)
        self.flagged.update(other.flagged)
        self.problems.extend(other.problems)

    def counts(self) -> dict[str, int | dict[str, int]]:
        """Give how many were read, imported, left out, taken though odd, and refused."""
        return {
            "sources": self.sources,
            "imported": self.imported,
            "skipped": dict(self.skipped),
            "flagged": dict(self.flagged),
            "rejected": self.rejected,
        }

    def table(self) -> pa.Table:
        """Problems as a table: source, row, pointer, code, message."""
        return problem_table(self.problems)

    def __str__(self) -> str:
        lines = [f"read {self.sources} sources, imported {self.imported} predictions, refused {self.rejected}"]
        lines += [f"  skipped {count} by rule: {rule}" for rule, count in sorted(self.skipped.items())]
        lines += [f"  flagged {count}: {what}" for what, count in sorted(self.flagged.items())]
        by_code = Counter(problem.code for problem in self.problems)
        for code, count in sorted(by_code.items()):
            first = next(problem for problem in self.problems if problem.code == code)
            lines.append(f"  {count} x {code.value}, first: {first}")
        return "\n".join(lines)


def problem_table(problems: Sequence[Problem] | Iterable[Problem]) -> pa.Table:
    """Give problems as a table with the columns source, row, pointer, code and message."""
    import pyarrow as pa

    schema = pa.schema(
        [
            ("source", pa.string()),
            ("row", pa.int64()),
            ("pointer", pa.string()),
            ("code", pa.string()),
            ("message", pa.string()),
        ]
    )
    rows = [(p.source, p.row, p.pointer, p.code.value, p.message) for p in problems]
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema)
