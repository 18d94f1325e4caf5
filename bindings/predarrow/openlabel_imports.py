"""Import OpenLABEL predictions into a project: match its data units and classes, sort, commit once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from predarrow.errors import OntologyError, PredarrowError
from predarrow.imports import ImportResult, commit_reader
from predarrow.mapping import mapped_categories, read_mapping
from predarrow.pipeline import Progress
from predarrow.project import Project, opened
from predarrow.project_index import KIND_SHAPES, class_of_kind
from predarrow.reader import OnError, PredictionReader
from predarrow.report import Code
from predarrow.sources import StrPath

if TYPE_CHECKING:
    from predarrow.data_units import DataUnit, DataUnits
    from predarrow.formats.openlabel.document import Document, FileFrame
    from predarrow.formats.openlabel.places import Classes, ClassOf, Place
    from predarrow.formats.openlabel.rules import Dialect
    from predarrow.ontology import Ontology, OntologyObject

_SHAPES = (
    "bounding_box",
    "rotatable_bounding_box",
    "polygon",
    "polyline",
    "bitmask",
    "point",
    "skeleton",
    "cuboid",
)
"""Shapes of classes that OpenLABEL's geometries can be of."""


def import_openlabel_predictions(
    project: Project | StrPath,
    path: StrPath,
    ontology_mapping: Mapping[str, str] | StrPath | None = None,
    *,
    dialect: Dialect = "kognic",
    mixed: bool = False,
    set_name: str = "default",
    mode: Literal["overwrite", "append"] = "overwrite",
    on_error: OnError = "raise",
    workers: int | None = None,
    progress: Progress | None = None,
) -> ImportResult:
    """Import OpenLABEL files into a project; each geometry on a frame becomes one prediction.

    Rows are those of `read_openlabel`, with the project's data unit ids, class names and featureNodeHashes. A file
    belongs to the data unit whose id is its name (that of its metadata, else of the file without extension), else to
    the one with that title; its frames are the data unit's. Where there is none, each frame belongs to the data unit
    whose id or title is the frame's external_id, as its only frame. The set's earlier predictions are replaced in one
    commit; where anything fails nothing is changed.

    Args:
        project: a project or its folder.
        path: a .json or .json.gz file, or a folder of them.
        ontology_mapping: featureNodeHash (or name) -> type of the file's objects, or a JSON file of that; by default
            `ontology_mapping.json` beside the files. One type may stand for classes of several shapes: boxes get the
            one, polygons the other.
        dialect, mixed: see `read_openlabel`.
        set_name: the prediction set.
        mode: "append" adds to the set's rows.
        on_error: "raise" commits nothing where a geometry is refused and raises one error that tells them all;
            "skip" leaves refused geometries out and tells of them in the report.
        workers, progress: see `read_openlabel`.

    Raises:
        InputError: files that cannot be read, or geometries, classes, data units or frames that do not hold.
        OntologyError: a mapping that does not hold.
        ProjectError: no project, or a set that cannot be written.
        CommitConflictError: others committed to the set first, again and again.
        PredarrowError: an option that does not hold.
    """
    from predarrow.formats.openlabel.read import openlabel_parts

    project = opened(project)
    if not isinstance(path, str | os.PathLike):
        raise PredarrowError(f"path: must be the path of a file or a folder, got {type(path).__name__}")
    mapping, where = read_mapping(ontology_mapping, path)
    units = project.data_units
    find = _chooser(_mapped(mapping, project.ontology, where))

    def match(document: Document, frame: FileFrame, external_id: str | None) -> Place:
        return _place(document, frame, external_id, units)

    parts = openlabel_parts(path, dialect, match, find, mixed=mixed, workers=workers, progress=progress)
    reader = PredictionReader(parts, on_error=on_error)
    return commit_reader(project, reader, str(Path(path).absolute()), set_name, mode, "import openlabel")


def _mapped(mapping: Mapping[str, Any], ontology: Ontology, where: str) -> dict[str | int, list[OntologyObject]]:
    found = mapped_categories(mapping, ontology, where=where, shapes=_SHAPES)
    for value, things in found.items():
        if not isinstance(value, str):
            rule = "must be a type of the file's objects, which are text"
            raise OntologyError(f"{where}: {things[0].name}: {rule}, got {value}")
    return found


def _chooser(mapped: Mapping[str | int, list[OntologyObject]]) -> Classes:
    from predarrow.formats.flaws import Flaw
    from predarrow.formats.openlabel.places import ClassOf

    def choose(type_: str, kind: str) -> ClassOf:
        found = mapped.get(type_, [])
        if not found:
            rule = "must be of a class whose type the mapping names"
            raise Flaw(Code.UNKNOWN_CLASS, "", rule, type_)
        thing = class_of_kind(found, kind)
        if thing is not None:
            return ClassOf(thing.name, thing.feature_hash)
        shapes = " or ".join(KIND_SHAPES[kind])
        rule = f"{type_!r} must be mapped to a class of shape {shapes}, as the geometry is of kind {kind}"
        raise Flaw(Code.UNKNOWN_CLASS, "", rule, told=", ".join(f"{thing.name} ({thing.shape})" for thing in found))

    return choose


def _place(document: Document, frame: FileFrame, external_id: str | None, units: DataUnits) -> Place:
    """Give the data unit of a frame: the file's, else its own.

    Raises:
        Flaw: there is none, or it does not have the frame.
    """
    from predarrow.formats.flaws import Flaw
    from predarrow.formats.openlabel.places import Place

    unit, number = _named(document.name, units), frame.number
    if unit is None and external_id is not None:
        unit, number = _named(external_id, units), 0
    if unit is None:
        rule = "must be of a data unit of the project, by the file's name or the frame's external_id"
        named = f"{document.name!r} and {external_id!r}" if external_id is not None else repr(document.name)
        raise Flaw(Code.UNKNOWN_DATA_UNIT, "", rule, told=named)
    n_frames = 1 if unit.n_frames is None and unit.kind == "image" else unit.n_frames
    if n_frames is not None and number >= n_frames:
        rule = f"must be of a frame of {unit.title!r}, which are 0 to {n_frames - 1}"
        raise Flaw(Code.FRAME_RANGE, "", rule, number)
    size = (unit.height, unit.width) if unit.height and unit.width else None
    return Place(unit.id, number, size)


def _named(name: str, units: DataUnits) -> DataUnit | None:
    """Give the data unit of an id, else of a title.

    Raises:
        Flaw: several have the title.
    """
    from predarrow.formats.flaws import Flaw

    row = units.by_id(name)
    rows = units.find(name) if row is None else [row]
    if len(rows) > 1:
        rule = "must be the title of one data unit"
        raise Flaw(Code.AMBIGUOUS_DATA_UNIT, "", rule, told=f"{name!r}, which {len(rows)} have")
    return units.row(rows[0]) if rows else None
