"""`ontology_mapping.json`: which class of a project's ontology a number or a name in the source stands for."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Mapping
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any

from predarrow.classes import ClassNames, TextClasses, from_columns, text_columns
from predarrow.errors import OntologyError
from predarrow.sources import StrPath

if TYPE_CHECKING:
    from predarrow.ontology import Ontology, OntologyObject

FILE_NAME = "ontology_mapping.json"
IMAGE_FILE_NAME = "image_mapping.json"

OntologyMapping = Mapping[str, int]
"""featureNodeHash (or name, where only one class has it) -> number in the source."""

TextMapping = Mapping[str, str]
"""featureNodeHash (or name, where only one class has it) -> class name in the source."""

CategoryMapping = Mapping[str, str | int]
"""featureNodeHash (or name, where only one class has it) -> COCO's category name or id."""

ImageMapping = Mapping[Any, Any]
"""COCO's image id -> id (or title) of a data unit, or that and a frame: `[data_unit, frame]`, `{"data_unit": …,
"frame": …}` or a `FrameIndex`. Ids may be numbers or text, as JSON's keys are."""

CATEGORY_SHAPES = ("bounding_box", "rotatable_bounding_box", "polygon", "bitmask", "skeleton", "point")
"""Shapes of classes that COCO's records can be of."""


def read_mapping(mapping: Mapping[str, Any] | StrPath | None, predictions: StrPath) -> tuple[Mapping[str, Any], str]:
    """Give a mapping of classes and what to call it in errors.

    Args:
        mapping: itself, a JSON file, or None for `ontology_mapping.json` beside the predictions.
        predictions: the folder, or a file in it.

    Raises:
        OntologyError: no such file, one that is no JSON object, or something else.
    """
    if isinstance(mapping, Mapping):
        return mapping, "ontology_mapping"
    path = _beside(predictions, FILE_NAME) if mapping is None else _path(mapping, "ontology_mapping")
    loaded = _read_object(path, "featureNodeHash: value")
    if loaded is None:
        beside = "; put it beside the predictions, or give ontology_mapping= (--class, --ontology-mapping)"
        hint = "" if mapping is not None else beside
        rule = "must be a JSON object of featureNodeHash: value"
        raise OntologyError(f"{path}: {rule}, found no such file{hint}")
    return loaded, str(path)


def read_image_mapping(mapping: ImageMapping | StrPath | None, predictions: StrPath) -> tuple[ImageMapping | None, str]:
    """Give a mapping of images and what to call it in errors; None where none is given, nor lies beside.

    Args:
        mapping: itself, a JSON file, or None for `image_mapping.json` beside the predictions.
        predictions: the folder, or a file in it.

    Raises:
        OntologyError: a file that was named and is not there, one that is no JSON object, or something else.
    """
    if isinstance(mapping, Mapping):
        return mapping, "image_mapping"
    path = _beside(predictions, IMAGE_FILE_NAME) if mapping is None else _path(mapping, "image_mapping")
    loaded = _read_object(path, "image id: data unit")
    if loaded is None and mapping is not None:
        raise OntologyError(f"{path}: must be a JSON object of image id: data unit, found no such file")
    return loaded, str(path)


def _beside(predictions: StrPath, name: str) -> Path:
    folder = Path(predictions)
    return (folder if folder.is_dir() else folder.parent) / name


def _path(mapping: Any, what: str) -> Path:
    if not isinstance(mapping, str | os.PathLike):
        raise OntologyError(f"{what}: must be a mapping or a JSON file, got {type(mapping).__name__}")
    return Path(os.fspath(mapping))


def _read_object(path: Path, content: str) -> dict[str, Any] | None:
    """Give a JSON object, None where there is no such file."""
    try:
        loaded = json.loads(path.read_text("utf-8-sig"), object_pairs_hook=distinct_keys)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OntologyError(f"{path}: must be a file that can be read, got {error.strerror or error}") from None
    except json.JSONDecodeError as error:
        hint = "; JSON has no comments, and its keys stand in double quotes" if "property name" in error.msg else ""
        raise OntologyError(f"{path}: must be a JSON object, got {error}{hint}") from None
    except (ValueError, RecursionError) as error:  # no UTF-8, or a key twice
        raise OntologyError(f"{path}: must be a JSON object, got {error}") from None
    if not isinstance(loaded, dict):
        raise OntologyError(f"{path}: must be a JSON object of {content}, got {type(loaded).__name__}")
    return loaded


def mapped_classes(
    mapping: Mapping[str, Any], ontology: Ontology, *, shapes: Collection[str], where: str, left_out: Collection[int]
) -> ClassNames:
    """Give names and featureNodeHashes by number.

    Args:
        mapping: featureNodeHash, or the name of one class, to number.
        ontology: has these classes.
        shapes: those that a class may have.
        where: what to call the mapping in errors.
        left_out: numbers that are no class (background, void).

    Raises:
        OntologyError: an unknown class or one of another shape, a number that is none, stands twice or is
            left out.
    """
    chosen = _chosen(mapping, ontology, shapes, where, _is_number, "must be a whole number of at least 0")
    rows = {index(value): row for value, row in chosen.items()}  # NumPy's numbers as well
    for value, (key, thing) in rows.items():
        if value in left_out:
            raise OntologyError(f"{where}: {key}: {value} is background or void, so {thing.name} would never be found")
    return from_columns([(value, thing.name, thing.feature_hash) for value, (_, thing) in rows.items()])


def mapped_texts(mapping: Mapping[str, Any], ontology: Ontology, *, shapes: Collection[str], where: str) -> TextClasses:
    """Give names and featureNodeHashes by the source's class name.

    Args:
        mapping: featureNodeHash, or the name of one class, to the source's class name.
        ontology: has these classes.
        shapes: those that a class may have.
        where: what to call the mapping in errors.

    Raises:
        OntologyError: an unknown class or one of another shape, a value that is no text or stands twice.
    """
    rows = _chosen(mapping, ontology, shapes, where, _is_text, "must be a class name in the files")
    return text_columns([(value, thing.name, thing.feature_hash) for value, (_, thing) in rows.items()])


def mapped_categories(
    mapping: Mapping[str, Any], ontology: Ontology, *, where: str, shapes: Collection[str] = CATEGORY_SHAPES
) -> dict[str | int, list[OntologyObject]]:
    """Give classes by the source's category name (text) or id (number); several where their shapes differ.

    Args:
        mapping: featureNodeHash, or the name of one class, to category name or id.
        ontology: has these classes.
        where: what to call the mapping in errors.
        shapes: those that a class may have.

    Raises:
        OntologyError: an unknown class or one of another shape, a value that is neither text nor whole number, or
            that stands for two classes of one shape.
    """
    if not mapping:
        raise OntologyError(f"{where}: must name at least one class, got none; {_valid(ontology, shapes)}")
    rows: dict[str | int, list[OntologyObject]] = {}
    for key, value in mapping.items():
        thing = _find(key, ontology, shapes, where)
        if not _is_text(value) and (not isinstance(value, int) or isinstance(value, bool)):
            raise OntologyError(f"{where}: {key}: must be a category's name or id, got {value!r}")
        others = rows.setdefault(value, [])
        if same := next((other for other in others if other.shape == thing.shape), None):
            rule = "a category must stand for one class of a shape"
            raise OntologyError(f"{where}: {key}: {rule}, got {value!r} for {same.name} and {thing.name}")
        others.append(thing)
    return rows


def _chosen(
    mapping: Mapping[str, Any],
    ontology: Ontology,
    shapes: Collection[str],
    where: str,
    is_value: Callable[[Any], bool],
    rule: str,
) -> dict[Any, tuple[str, OntologyObject]]:
    """Key and class by value."""
    if not mapping:
        raise OntologyError(f"{where}: must name at least one class, got none; {_valid(ontology, shapes)}")
    rows: dict[Any, tuple[str, OntologyObject]] = {}
    for key, value in mapping.items():
        thing = _find(key, ontology, shapes, where)
        if not is_value(value):
            raise OntologyError(f"{where}: {key}: {rule}, got {value!r}")
        if value in rows:
            got = f"{thing.name} and {rows[value][1].name}"
            raise OntologyError(f"{where}: {key}: a value must stand for one class, got {value} for {got}")
        rows[value] = key, thing
    return rows


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and index(value) >= 0
    except TypeError:
        return False


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _find(key: str, ontology: Ontology, shapes: Collection[str], where: str) -> OntologyObject:
    found = [thing for thing in ontology.objects if thing.feature_hash == key]
    found = found or [thing for thing in ontology.objects if thing.name == key and thing.shape in shapes]
    if len(found) != 1:
        got = f"the name of {len(found)} classes" if found else "neither"
        rule = "must be the featureNodeHash of an object of the ontology, or the name of one"
        raise OntologyError(f"{where}: {key}: {rule}, got {got}; {_valid(ontology, shapes)}")
    if found[0].shape not in shapes:
        rule = f"must be an object of shape {' or '.join(sorted(shapes))}"
        raise OntologyError(f"{where}: {key}: {rule}, got {found[0].shape}; {_valid(ontology, shapes)}")
    return found[0]


def _valid(ontology: Ontology, shapes: Collection[str]) -> str:
    valid = [f"{thing.feature_hash} ({thing.name})" for thing in ontology.objects if thing.shape in shapes]
    return f"valid ones: {', '.join(valid)}" if valid else "the ontology has no object of such a shape"


def distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Give a JSON object, as `json.loads` asks for one (`object_pairs_hook`), which would keep the last of two.

    Raises:
        ValueError: a key that stands twice.
    """
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"the key {key!r} twice")
        result[key] = value
    return result
