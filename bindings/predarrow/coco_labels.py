"""Import the annotations of a COCO data set into a project as labels, as Encord's `import_coco_labels` does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa

from predarrow.coco_label_files import listed_records, read_labels, records_by_id, refused
from predarrow.coco_label_mappings import FrameIndex, key_of, matched, named_frame
from predarrow.errors import OntologyError, PredarrowError
from predarrow.formats.coco.boxes import RELATIVE, look_relative
from predarrow.formats.coco.label_checks import BadLabel
from predarrow.formats.coco.label_rows import SHAPES, label_row
from predarrow.formats.coco.names import is_utf8, side_of
from predarrow.imports import ImportResult, commit_reader
from predarrow.ontology import OntologyObject
from predarrow.ordering import Keyed, sorted_parts
from predarrow.project import Project, opened
from predarrow.project_index import ProjectIndex
from predarrow.reader import OnError, PredictionReader
from predarrow.refusals import shown
from predarrow.report import Code, Problem, Report
from predarrow.sources import StrPath
from predarrow.table import SCHEMA
from predarrow.tables.door import table_parts
from predarrow.tables.form import Batches

_BATCH_ROWS = 4096

_MEMBERS = {
    "column bbox": ".bbox",
    "column polygon": ".segmentation",
    "column mask": ".segmentation",
    "column keypoints": ".keypoints",
    "column data_unit": ".image_id",
    "column frame": ".image_id",
    "column image_height": ".image_id",
    "column image_width": ".image_id",
    "column kind": ".category_id",
    "column feature_hash": ".category_id",
}
"""What a table's column is in an annotation."""


def import_coco_labels(
    project: Project | StrPath,
    labels: Mapping[str, Any] | StrPath,
    category_id_to_feature_hash: Mapping[Any, str | None],
    image_id_to_frame_index: Mapping[Any, Any],
    *,
    confidence_field_name: str | None = None,
    set_name: str = "labels",
    mode: Literal["overwrite", "append"] = "overwrite",
    on_error: OnError = "raise",
) -> ImportResult:
    """Import the annotations of a COCO data set into a project, each as one row of a set of labels.

    The shape of an annotation's class says what of it is taken: boxes (rotated by `attributes.rotation` where they can
    be), polygons (several are parts of one label; one flat list is taken; without any the box's corners are), run
    lengths as masks, or as polygons along pixel edges with their holes, keypoints. Ids, area, iscrowd, attributes and
    unknown members are kept in `attributes`; `attributes.encord_track_uuid`, `track_id` or `instance_id` is the id of
    the object, so that a track stays one. What a class of that shape has no place for is told in `report.flagged`. The
    caller's labels are not changed. Ids match as numbers and as texts, as JSON's keys are texts.

    Args:
        project: a project or its folder.
        labels: the data set with annotations, categories and images (`info` is not needed), or its file (.json or
            .json.gz), which is read as a whole. Boxes that all look relative (0 to 1) are refused.
        category_id_to_feature_hash: featureNodeHash of the ontology by category id; None leaves the category out.
        image_id_to_frame_index: data unit and frame by image id, as `FrameIndex` (Encord's own is taken, too), a pair,
            or {"data_unit": …, "frame": …}; None leaves the image out.
        confidence_field_name: member that holds the confidence; without it labels have none.
        set_name: the set.
        mode: "append" adds to the set's rows.
        on_error: "raise" commits nothing where an annotation is refused and raises one error that tells them all;
            "skip" leaves refused annotations out and tells of them in the report.

    Raises:
        InputError: labels that do not hold, each with its place: `labels.json: $.annotations[12].bbox[2]: must …`.
        OntologyError: a featureNodeHash that the ontology does not have, or of a shape that COCO has nothing for.
        ProjectError: no project, or a set that cannot be written.
        CommitConflictError: others committed to the set first, again and again.
        PredarrowError: an option that does not hold.
    """
    project = opened(project)
    field: object = confidence_field_name
    if field is not None and not isinstance(field, str):
        raise PredarrowError(f"confidence_field_name: must be the name of a member or None, got {shown(field)}")
    data, where = read_labels(labels)
    classes = _classes(project, category_id_to_feature_hash)
    frames = matched(image_id_to_frame_index, "image_id_to_frame_index")
    rows = _LabelRows(data, where, classes, frames, confidence_field_name)
    parts = sorted_parts(rows.parts(ProjectIndex(project)))
    reader = PredictionReader(parts, report=Report(sources=1), on_error=on_error)
    return commit_reader(project, reader, where, set_name, mode, "import coco labels")


def _classes(project: Project, mapping: Mapping[Any, str | None]) -> dict[str, OntologyObject | None]:
    """Class by category id."""
    where = "category_id_to_feature_hash"
    classes: dict[str, OntologyObject | None] = {}
    for key, feature_hash in matched(mapping, where).items():
        if feature_hash is None:
            classes[key] = None
            continue
        if not isinstance(feature_hash, str):
            rule = "must be a featureNodeHash or None"
            raise OntologyError(f"{where}: {key}: {rule}, got {shown(feature_hash)}")
        try:
            thing = project.ontology.object_by_hash(feature_hash)
        except OntologyError as error:
            raise OntologyError(f"{where}: {key}: {error}") from None
        if thing.shape not in SHAPES:
            rule = f"must be of shape {', '.join(SHAPES)}"
            raise OntologyError(f"{where}: {key}: {rule}, got {thing.name!r} of shape {thing.shape}")
        classes[key] = thing
    return classes


class _Image(NamedTuple):
    height: int | None
    width: int | None


class _LabelRows:
    """Annotations -> rows, checked against the project as those of any table are."""

    def __init__(
        self,
        data: Mapping[str, Any],
        where: str,
        classes: Mapping[str, OntologyObject | None],
        frames: Mapping[str, Any],
        confidence_field: str | None,
    ) -> None:
        self._where, self._classes, self._frames, self._field = where, classes, frames, confidence_field
        self._annotations = listed_records(data, "annotations", where)
        _refuse_relative(self._annotations, where)
        categories = records_by_id(data, "categories", where) if "categories" in data else {}
        self._names = {key: _names(item, place, where) for key, (place, item) in categories.items()}
        images = records_by_id(data, "images", where) if "images" in data else {}
        self._images = {key: _image(item, place, where) for key, (place, item) in images.items()}
        self._places: list[int] = []
        self._told = Report()

    def parts(self, index: ProjectIndex) -> Iterator[tuple[list[Keyed], Report]]:
        """Give rows with their keys and what is to be reported of them."""
        for keyed, report in table_parts(Batches(SCHEMA, self._batches()), index):
            report.sources = 0
            report.problems = [self._placed(problem) for problem in report.problems]
            yield keyed, self._with_told(report)
        yield [], self._with_told(Report())

    def _with_told(self, report: Report) -> Report:
        report.add(self._told)
        report.problems.sort(key=lambda problem: problem.row or 0)
        self._told = Report()
        return report

    def _placed(self, problem: Problem) -> Problem:
        place = self._places[problem.row or 0]
        member = f".{self._field}" if problem.pointer == "column confidence" else _MEMBERS.get(problem.pointer, "")
        return problem._replace(source=self._where, row=place, pointer=f"$.annotations[{place}]{member}")

    def _batches(self) -> Iterator[pa.RecordBatch]:
        rows: list[dict[str, Any]] = []
        for place, record in enumerate(self._annotations):
            try:
                row = self._row(record)
            except BadLabel as why:
                pointer = f"$.annotations[{place}]{why.pointer}"
                self._told.problems.append(Problem(self._where, place, pointer, why.code, why.message))
                continue
            if row is not None:
                rows.append(row | {"source": self._where, "row": place})
                self._places.append(place)
            if len(rows) == _BATCH_ROWS:
                yield pa.RecordBatch.from_pylist(rows, SCHEMA)
                rows = []
        if rows:
            yield pa.RecordBatch.from_pylist(rows, SCHEMA)

    def _row(self, record: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give an annotation's row, None where its category or image is left out on purpose."""
        category = _id(record, "category_id")
        image = _id(record, "image_id")
        if category not in self._classes:
            rule = "must be in category_id_to_feature_hash"
            raise BadLabel(Code.UNKNOWN_CLASS, ".category_id", f"{rule}, got {shown(record['category_id'])}")
        if image not in self._frames:
            rule = "must be in image_id_to_frame_index"
            raise BadLabel(Code.UNKNOWN_DATA_UNIT, ".image_id", f"{rule}, got {shown(record['image_id'])}")
        thing, target = self._classes[category], self._frames[image]
        if thing is None or target is None:
            self._told.skipped["category or image that the mapping leaves out"] += 1
            return None
        data_unit, frame = _frame_index(target)
        label = label_row(record, thing.shape, self._names.get(category, ()), self._field)
        self._told.flagged.update(label.flags)
        height, width = self._images.get(image, _Image(None, None))
        sizes = {"image_height": height, "image_width": width}
        return {"data_unit": data_unit, "frame": frame, "feature_hash": thing.feature_hash} | sizes | label.columns


def _id(record: Mapping[str, Any], member: str) -> str:
    value = record.get(member)
    is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not (is_whole or isinstance(value, str)):
        raise BadLabel(Code.BAD_VALUE, f".{member}", f"must be a whole number or a text, got {shown(value)}")
    return key_of(value)


def _frame_index(target: Any) -> FrameIndex:
    data_unit, frame = named_frame(target) or (None, None)
    if not isinstance(data_unit, str) or isinstance(frame, bool) or not isinstance(frame, int):
        rule = "must be a FrameIndex(data_unit, frame) in image_id_to_frame_index"
        raise BadLabel(Code.UNKNOWN_DATA_UNIT, ".image_id", f"{rule}, got {shown(target)}")
    if not is_utf8(data_unit):
        rule = "must be the id or title of a data unit of the project"
        raise BadLabel(Code.UNKNOWN_DATA_UNIT, ".image_id", f"{rule}, got {shown(data_unit)}")
    if not 0 <= frame < 2**31:
        raise BadLabel(Code.FRAME_RANGE, ".image_id", f"must be of a frame from 0 to {2**31 - 1}, got {frame}")
    return FrameIndex(data_unit, frame)


def _refuse_relative(annotations: list[Mapping[str, Any]], where: str) -> None:
    """Refuse boxes that are all written in parts of their images, as `read_coco` does.

    Raises:
        InputError: they look so.
    """
    boxes = [box for box in (record.get("bbox") for record in annotations) if _is_box(box)]
    if look_relative(np.array(boxes, np.float64).reshape(-1, 4)):
        hint = "multiply them by the images' width and height"
        raise refused("$.annotations", Code.BAD_BOX, f"{RELATIVE}; {hint}", where)


def _is_box(value: Any) -> bool:
    """Tell whether a value is four numbers, of those that 64-bit floats hold."""
    is_list = isinstance(value, list | tuple) and len(value) == 4
    return is_list and all(type(side) is float or (type(side) is int and abs(side) < 2**63) for side in value)


def _names(category: Mapping[str, Any], place: int, where: str) -> tuple[str, ...]:
    """Names of a category's keypoints; Encord writes a text there, which names none."""
    value = category.get("keypoints")
    if not value or isinstance(value, str):
        return ()
    if not isinstance(value, list) or not all(isinstance(name, str) and is_utf8(name) for name in value):
        message = f"must be a list of names, got {shown(value)}"
        raise refused(f"$.categories[{place}].keypoints", Code.BAD_VALUE, message, where)
    return tuple(value)


def _image(image: Mapping[str, Any], place: int, where: str) -> _Image:
    sides = [image.get("height"), image.get("width")]
    height, width = map(side_of, sides)
    if height is None or width is None:
        rule = "must be whole numbers of at least 1 pixel, or not be there"
        raise refused(f"$.images[{place}]: height and width", Code.BAD_VALUE, f"{rule}, got {sides}", where)
    return _Image(height or None, width or None)
