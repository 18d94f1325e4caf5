"""Label Studio's rows among a project's data units and classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.buffers import numbers_array, text_array
from predarrow.errors import OntologyError
from predarrow.label_studio_addresses import Addresses, Found, Sizes
from predarrow.mapping import mapped_categories
from predarrow.ontology import Ontology
from predarrow.ordering import Keyed, keys
from predarrow.project import Project
from predarrow.project_index import KIND_SHAPES, class_of_kind
from predarrow.refusals import Refusals
from predarrow.report import Code, Problem, Report
from predarrow.table import SCHEMA

Ints = npt.NDArray[np.int64]

_SHAPES = tuple(dict.fromkeys(shape for shapes in KIND_SHAPES.values() for shape in shapes))
_NO_LABEL = "\0"  # what a mapping to an empty label, which it may not have, is told as
_LAST_FRAME = 2**31 - 1  # that the table can hold


class _Class(NamedTuple):
    """What a label of a kind is in the project."""

    name: str
    feature_hash: str | None
    flaw: str | None = None


class Placing:
    """Places rows that came from Label Studio in a project.

    Args:
        project: has the data units and classes.
        mapping: featureNodeHash (or name) -> label, or name of the control of answers.
        where: what to call the mapping in errors.

    Raises:
        OntologyError: a mapping that does not hold.
    """

    def __init__(self, project: Project, mapping: Mapping[str, Any], where: str) -> None:
        self._addresses = Addresses(project.data_units)
        self.sizes = Sizes(self._addresses)
        """(height, width) by the address of a task's media"""
        ids = sorted(project.data_units.table["id"].to_pylist())
        self._ranks = {id_: rank for rank, id_ in enumerate(ids)}
        self._classes = _Classes(mapping, project.ontology, where)

    def place(self, batch: pa.RecordBatch) -> tuple[list[Keyed], Report]:
        """Give the rows that have a place, and a report of those that have none."""
        refusals = Refusals(np.arange(batch.num_rows, dtype=np.int64))
        address_codes, addresses = _encoded(batch.column("data_unit"))
        founds = [self._addresses[address] for address in addresses]
        self._check_units(batch, founds, address_codes, refusals)
        class_codes, classes = self._classes.of(batch)

        def no_class(row: int) -> str:
            return str(classes[class_codes[row]].flaw)

        unknown = np.array([each.flaw is not None for each in classes], np.bool_)[class_codes]
        refusals.add(unknown, Code.UNKNOWN_CLASS, "label", no_class)
        columns = dict(zip(SCHEMA.names, batch.columns, strict=True))
        columns["data_unit"] = _taken([each.unit.id if each.unit else "" for each in founds], address_codes)
        columns["class_name"] = _taken([each.name for each in classes], class_codes)
        columns["feature_hash"] = _taken([each.feature_hash for each in classes], class_codes)
        columns |= _with_sizes(batch, founds, address_codes)
        placed = pa.RecordBatch.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)
        ranks = np.array([self._ranks[each.unit.id] if each.unit else -1 for each in founds], np.int64)[address_codes]
        order = keys(ranks, np.from_dlpack(batch.column("frame")).astype(np.int64))
        report = Report(problems=_told(refusals, batch))
        if refusals.bad.any():
            placed, order = placed.filter(numbers_array(~refusals.bad)), order[~refusals.bad]
        return [Keyed(placed, order)], report

    @staticmethod
    def _check_units(batch: pa.RecordBatch, founds: list[Found], codes: Ints, refusals: Refusals) -> None:
        """Refuse rows without a data unit, and those with a frame or a size that is not its own."""
        for place, found in enumerate(founds):
            if found.flaw is not None:
                refusals.add(codes == place, found.flaw[0], "data", found.flaw[1])
        frames = np.from_dlpack(batch.column("frame")).astype(np.int64)
        last = np.array([_last_frame(found) for found in founds], np.int64)[codes]

        def outside(row: int) -> str:
            unit = founds[codes[row]].unit
            title = unit.title if unit else ""
            return f"must be a frame of {title!r}, which are 1 to {last[row] + 1}, got {frames[row] + 1}"

        refusals.add(frames > last, Code.FRAME_RANGE, "frame", outside)
        given, own = _sizes_of(batch), _unit_sizes(founds)[codes]

        def other(row: int) -> str:
            (height, width), (own_height, own_width) = given[row], own[row]
            turned = (height, width) == (own_width, own_height)
            hint = "; is the image turned by its EXIF orientation?" if turned else ""
            rule = f"must be {own_width} x {own_height} (width x height) as the data unit is"
            return f"{rule}, got {width} x {height}{hint}"

        differs = ((given != own) & (given > 0) & (own > 0)).any(axis=1)
        refusals.add(differs, Code.SIZE_MISMATCH, "original_width", other)


class _Classes:
    """Classes by label and kind, looked up once each."""

    def __init__(self, mapping: Mapping[str, Any], ontology: Ontology, where: str) -> None:
        self._answers, objects = _answers(mapping, ontology, where)
        told = {key: _NO_LABEL if label == "" else label for key, label in objects.items()}
        self._objects = mapped_categories(told, ontology, where=where, shapes=_SHAPES) if told else {}
        self._known: dict[tuple[str, str], _Class] = {}

    def of(self, batch: pa.RecordBatch) -> tuple[Ints, list[_Class]]:
        """Give the class of each row, as its place among those that come."""
        label_codes, labels = _encoded(batch.column("class_name"))
        kind_codes, kinds = _encoded(batch.column("kind"))
        n_kinds = max(len(kinds), 1)
        pairs, codes = np.unique(label_codes * n_kinds + kind_codes, return_inverse=True)
        return codes.astype(np.int64), [self._one(labels[pair // n_kinds], kinds[pair % n_kinds]) for pair in pairs]

    def _one(self, label: str, kind: str) -> _Class:
        if (label, kind) not in self._known:
            self._known[label, kind] = self._answer(label) if kind == "classification" else self._object(label, kind)
        return self._known[label, kind]

    def _answer(self, control: str) -> _Class:
        found = self._answers.get(control)
        if found is None:
            rule = "must be the answer of a control whose name the mapping has, or a classification of the ontology"
            return _Class("", None, f"{rule}, got {control!r}")
        return _Class(*found)

    def _object(self, label: str, kind: str) -> _Class:
        found = self._objects.get(label or _NO_LABEL, [])
        if not found:
            got = repr(label) if label else "a region without a label, for which a class is mapped to an empty one"
            return _Class("", None, f"must be of a class whose label the mapping names, got {got}")
        thing = class_of_kind(found, kind)
        if thing is not None:
            return _Class(thing.name, thing.feature_hash)
        shapes = " or ".join(KIND_SHAPES[kind])
        rule = f"{label!r} must be mapped to a class of shape {shapes}, as the region is of kind {kind}"
        return _Class("", None, f"{rule}, got " + ", ".join(f"{thing.name} ({thing.shape})" for thing in found))


def _answers(
    mapping: Mapping[str, Any], ontology: Ontology, where: str
) -> tuple[dict[str, tuple[str, str]], dict[str, Any]]:
    """Give name and featureNodeHash of classifications by control, and what of the mapping is of objects.

    Raises:
        OntologyError: a control that stands for two classifications, or a name that is no text.
    """
    names = [each.name for each in ontology.classifications]
    taken = {key for each in ontology.objects for key in (each.name, each.feature_hash)}
    found: dict[str, tuple[str, str]] = {}
    objects = dict(mapping)
    for each in ontology.classifications:
        is_told = each.name not in taken and names.count(each.name) == 1
        for key in (each.feature_hash, *([each.name] if is_told else [])):
            if key in objects:
                control = objects.pop(key)
                if not isinstance(control, str) or found.setdefault(control, (each.name, each.feature_hash))[1] != (
                    each.feature_hash
                ):
                    rule = "must be the name of a control, each for one classification"
                    raise OntologyError(f"{where}: {key}: {rule}, got {control!r}")
    for each in ontology.classifications:
        if names.count(each.name) == 1:
            found.setdefault(each.name, (each.name, each.feature_hash))
    return found, objects


def _last_frame(found: Found) -> int:
    unit = found.unit
    if unit is None:
        return _LAST_FRAME
    n_frames = 1 if unit.n_frames is None and unit.kind == "image" else unit.n_frames
    return _LAST_FRAME if n_frames is None else n_frames - 1


def _unit_sizes(founds: list[Found]) -> Ints:
    """(n, 2) height and width, 0 where they are not known."""
    sizes = [(each.unit.height or 0, each.unit.width or 0) if each.unit else (0, 0) for each in founds]
    return np.array(sizes, np.int64).reshape(-1, 2)


def _sizes_of(batch: pa.RecordBatch) -> Ints:
    """(n, 2) height and width, 0 for null."""
    columns = (batch.column(name).fill_null(0) for name in ("image_height", "image_width"))
    return np.stack([np.from_dlpack(column).astype(np.int64) for column in columns], axis=1)


def _with_sizes(batch: pa.RecordBatch, founds: list[Found], codes: Ints) -> dict[str, pa.Array]:
    """Give the columns of sizes, the data units' where rows tell none."""
    sizes = _sizes_of(batch)
    sizes = np.where(sizes > 0, sizes, _unit_sizes(founds)[codes])
    names = ("image_height", "image_width")
    return {
        name: numbers_array(values.astype(np.int32), is_valid=values > 0)
        for name, values in zip(names, sizes.T, strict=True)
    }


def _encoded(column: pa.Array) -> tuple[Ints, list[str]]:
    encoded = column.dictionary_encode()
    return np.from_dlpack(encoded.indices).astype(np.int64), encoded.dictionary.to_pylist()


def _taken(texts: list[str | None] | list[str], codes: Ints) -> pa.Array:
    return text_array(texts).take(numbers_array(codes))


def _told(refusals: Refusals, batch: pa.RecordBatch) -> list[Problem]:
    """Give problems with the source and the number of their regions there."""
    if not refusals.problems:
        return []
    sources, numbers = batch.column("source"), batch.column("row")
    told = []
    for problem in sorted(refusals.problems, key=lambda each: each.row or 0):
        place = problem.row or 0
        number = numbers[place].as_py()
        where = f"region {number}, {problem.pointer}"
        told.append(problem._replace(source=sources[place].as_py(), row=number, pointer=where))
    return told
