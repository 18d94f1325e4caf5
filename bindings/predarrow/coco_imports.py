"""Import COCO predictions into a project: match its images and categories, sort, commit once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import index
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.borders import OnOutside
from predarrow.classes import Texts
from predarrow.coco_label_mappings import named_frame
from predarrow.data_units import DataUnit, DataUnits
from predarrow.errors import OntologyError
from predarrow.formats.coco.boxes import BoxUnit
from predarrow.formats.coco.lists import given_categories, given_images, lists_of
from predarrow.formats.coco.names import NO_CATEGORIES, Categories, Choice, Chooser, Images, Told, id_text
from predarrow.formats.coco.read import coco_file, coco_options, coco_parts
from predarrow.imports import ImportResult, commit_reader
from predarrow.mapping import CategoryMapping, ImageMapping, mapped_categories, read_image_mapping, read_mapping
from predarrow.ontology import OntologyObject
from predarrow.options import one_of
from predarrow.ordering import Keyed, keys, sorted_parts
from predarrow.pipeline import Progress
from predarrow.project import Project, opened
from predarrow.project_index import KIND_SHAPES, class_of_kind
from predarrow.reader import OnError, Part, PredictionReader
from predarrow.refusals import shown
from predarrow.report import Code, Report
from predarrow.sources import StrPath

_LAST_FRAME = 2**31 - 1  # that the table can hold


def import_coco_predictions(
    project: Project | StrPath,
    predictions_json: StrPath,
    ontology_mapping: CategoryMapping | StrPath | None = None,
    image_mapping: ImageMapping | StrPath | None = None,
    *,
    categories: Mapping[Any, Any] | StrPath | None = None,
    images: Mapping[Any, Any] | StrPath | None = None,
    set_name: str = "default",
    mode: Literal["overwrite", "append"] = "overwrite",
    on_error: OnError = "raise",
    on_outside: OnOutside = "keep",
    polygons: bool = False,
    box_unit: BoxUnit | None = None,
    default_confidence: float | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> ImportResult:
    """Import a COCO results or annotation file into a project; each record becomes one prediction.

    Rows are those of `read_coco`, with the project's data unit ids, frames, class names, featureNodeHashes and image
    sizes, sorted by data unit, frame and row (within 128 MiB at a time). The set's earlier predictions are replaced in
    one commit; where anything fails nothing is changed.

    A record's class is found by its category's name where it is known, else by its id, and by its kind: where a box
    class and a polygon class are mapped to one category, boxes get the one and masks and polygons the other.

    Args:
        project: a project or its folder.
        predictions_json: the file, .json, .json.gz or .jsonl.
        ontology_mapping: featureNodeHash (or name) -> category name or category id, or a JSON file of that; by default
            `ontology_mapping.json` beside the file.
        image_mapping: image id -> id or title of a data unit, or that and a frame (`[id, frame]`), or a JSON file of
            that; by default `image_mapping.json` beside the file. Without it the file names of the images that the
            file lists, or of `images`, are matched with ids and titles (with or without folder and extension), and
            records of images that are listed with another size than their data unit has are refused.
        categories: an annotation file, its dictionary, or category id -> name (None leaves a category out, counted);
            None takes the file's own.
        images: an annotation file, its dictionary, or image id -> file name; None takes the file's own.
        set_name: the prediction set.
        mode: "append" adds to the set's rows.
        on_error: "raise" commits nothing where a record is refused and raises one error that tells them all;
            "skip" leaves refused records out and tells of them in the report.
        on_outside: of a box that passes its image's border by more than a millionth of the image's width or height:
            "keep" takes it as it is and counts it in `report.flagged`; "clip" cuts it to the image and counts it (one
            that lies wholly outside is refused); "reject" refuses it. Polygons and keypoints are never cut.
        polygons, box_unit, default_confidence, workers, progress: see `read_coco`.

    Raises:
        InputError: a file that cannot be read, or records that do not hold.
        OntologyError: a mapping that does not hold, or no way to match images.
        ProjectError: no project, or a set that cannot be written.
        CommitConflictError: others committed to the set first, again and again.
        PredarrowError: an option that does not hold.
    """
    project = opened(project)
    one_of("on_outside", on_outside, ("keep", "clip", "reject"))
    options = coco_options(polygons, box_unit, default_confidence)
    file = coco_file(predictions_json)
    classes, where = read_mapping(ontology_mapping, predictions_json)
    objects = mapped_categories(classes, project.ontology, where=where)
    mapping, where = read_image_mapping(image_mapping, predictions_json)
    known_images = given_images(images) if mapping is None else None
    known_categories = given_categories(categories)
    is_needed = {"images": mapping is None and known_images is None, "categories": known_categories is None}
    lists = lists_of(file, {name for name, needed in is_needed.items() if needed}, is_read=True)
    if mapping is not None:
        matched = _mapped_images(mapping, project.data_units, where)
    else:
        listed = known_images or lists.images
        if listed is None:
            hint = "put it beside the predictions, or give image_mapping, or images (an annotation file)"
            raise OntologyError(f"{where}: must map image ids to data units, found no such file; {hint}")
        matched = _matched_images(listed, project.data_units)
    known = known_categories or lists.categories or NO_CATEGORIES
    chooser = Chooser(_chosen_by(known, objects))
    options = options._replace(images=matched, categories=known, chooser=chooser, on_outside=on_outside)
    parts = coco_parts(file, lambda: options, workers=workers, progress=progress)
    ordered = sorted_parts(_keyed(parts, project.data_units))
    reader = PredictionReader(ordered, report=Report(sources=1), on_error=on_error)
    return commit_reader(project, reader, str(Path(predictions_json).absolute()), set_name, mode, "import coco")


def _chosen_by(
    categories: Categories, objects: Mapping[str | int, list[OntologyObject]]
) -> Callable[[str, str], Choice]:
    has_names_only = not any(isinstance(value, int) for value in objects)

    def choose(category: str, kind: str) -> Choice:
        name = categories.names.get(category)
        if name is None and category in categories.names:
            return Choice(None)
        called = category if name is None else f"{category} ({name!r})"
        found = (objects.get(name) if name is not None else None) or objects.get(_number(category))
        found = found or objects.get(category)
        if not found:
            hint = "map it to a class, or to None in categories, which leaves it out"
            if name is None and has_names_only:
                hint = "the mapping has names: give categories (an annotation file, or a mapping of ids to names)"
            rule = "must be a category that the mapping names"
            return Choice(None, told=(Code.UNKNOWN_CLASS, f"{rule}, got {called}; {hint}"))
        thing = class_of_kind(found, kind)
        if thing is not None:
            return Choice(thing.name, thing.feature_hash)
        shapes = " or ".join(KIND_SHAPES[kind])
        got = ", ".join(f"{thing.name} ({thing.shape})" for thing in found)
        told = f"must be mapped to a class of shape {shapes}, as the record is of kind {kind}, got {called}: {got}"
        return Choice(None, told=(Code.UNKNOWN_CLASS, told))

    return choose


def _number(category: str) -> int | str:
    return int(category) if category.removeprefix("-").isdecimal() and str(int(category)) == category else category


def _matched_images(listed: Images, units: DataUnits) -> Images:
    """Give images with the data units that their file names tell; a listed size must be that of the data unit."""
    names = listed.data_units.array.to_pylist()
    placed = _placed_images(listed.places, [(_rows_of(name, units), repr(name), None) for name in names], units)
    flaws = dict(placed.flaws)
    is_other = ((listed.sizes != placed.sizes) & (listed.sizes > 0) & (placed.sizes > 0)).any(axis=1)
    for place in np.flatnonzero(is_other).tolist():
        (height, width), got = placed.sizes[place].tolist(), " x ".join(map(str, listed.sizes[place, ::-1].tolist()))
        rule = f"must be of an image of {width} x {height} pixels as its data unit is"
        flaws.setdefault(place, (Code.SIZE_MISMATCH, f"{rule}, got {names[place]!r} of {got}"))
    return placed._replace(sizes=np.where(placed.sizes > 0, placed.sizes, listed.sizes), flaws=flaws)


def _mapped_images(mapping: ImageMapping, units: DataUnits, where: str) -> Images:
    """Give images of a mapping.

    Raises:
        OntologyError: a key that is no id or stands twice, or a value that names no data unit and frame.
    """
    places: dict[str, int] = {}
    answers = []
    for key, value in mapping.items():
        text = id_text(key)
        if text is None or text in places:
            rule = "must be an image's id, a whole number or text, each once"
            raise OntologyError(f"{where}: {shown(key)}: {rule}, got {shown(key)}")
        places[text] = len(places)
        name, frame = _target(value, f"{where}: {key}")
        answers.append((_rows_of(name, units), repr(name), frame))
    return _placed_images(places, answers, units)


def _target(value: Any, where: str) -> tuple[str, int | None]:
    """Give the data unit and the frame that a mapping's value names."""
    name, frame = named_frame(value) or (value, None)
    try:
        frame = None if frame is None or isinstance(frame, bool) else index(frame)
    except TypeError:
        name = None
    if not isinstance(name, str):
        rule = 'must be the id of a data unit, or [id, frame], or {"data_unit": id, "frame": number}'
        raise OntologyError(f"{where}: {rule}, got {shown(value)}")
    return name, frame


def _rows_of(name: str, units: DataUnits) -> list[int]:
    """Give the data units of an id or title; of a path where it is none, those of its last part."""
    row = units.by_id(name)
    if row is not None:
        return [row]
    return units.find(name) or units.find(PurePosixPath(name).name)


def _placed_images(
    places: Mapping[str, int], answers: Iterable[tuple[list[int], str, int | None]], units: DataUnits
) -> Images:
    ids: list[str] = []
    frames: list[int] = []
    sizes: list[tuple[int, int]] = []
    flaws: dict[int, Told] = {}
    for place, (rows, name, frame) in enumerate(answers):
        unit = units.row(rows[0]) if len(rows) == 1 else None
        told = _flaw(unit, len(rows), name, frame)
        if told is not None:
            flaws[place] = told
        is_good = unit is not None and told is None
        ids.append(unit.id if unit is not None else "")
        frames.append((frame or 0) if is_good else 0)
        sizes.append((unit.height or 0, unit.width or 0) if unit is not None else (0, 0))
    rule = "must be the id of an image that the mapping or the list of images has"
    sides = np.array(sizes, np.int32).reshape(-1, 2)
    return Images(places, Texts(ids), np.array(frames, np.int32), sides, flaws, rule)


def _flaw(unit: DataUnit | None, n_found: int, name: str, frame: int | None) -> Told | None:
    """Word why an image's records are refused."""
    if unit is None:
        if n_found:
            hint = "tell them apart with image_mapping"
            return (
                Code.AMBIGUOUS_DATA_UNIT,
                f"must be the title of one data unit, got {name}, which {n_found} have; {hint}",
            )
        return Code.UNKNOWN_DATA_UNIT, f"must be of a data unit of the project, got {name}; map it with image_mapping"
    n_frames = 1 if unit.n_frames is None and unit.kind == "image" else unit.n_frames
    if frame is None:
        if n_frames is None or n_frames <= 1:
            return None
        rule = f"must be of one of the {n_frames} frames of {unit.title!r}"
        return Code.FRAME_RANGE, f"{rule}, got none; map the image to [data unit, frame] with image_mapping"
    if 0 <= frame < (n_frames or _LAST_FRAME + 1):
        return None
    last = _LAST_FRAME if n_frames is None else n_frames - 1
    return Code.FRAME_RANGE, f"must be of a frame of {unit.title!r}, which are 0 to {last}, got {frame}"


def _keyed(parts: Iterable[Part], units: DataUnits) -> Iterator[tuple[list[Keyed], Report]]:
    """Give parts with the place of each row in the table's order."""
    ids = pa.array(sorted(units.table["id"].to_pylist()), pa.string())
    for part in parts:
        keyed = []
        for batch in part.batches:
            ranks = pc.index_in(batch.column("data_unit"), value_set=ids).to_numpy().astype(np.int64)
            keyed.append(Keyed(batch, keys(ranks, batch.column("frame").to_numpy().astype(np.int64))))
        yield keyed, part.report
