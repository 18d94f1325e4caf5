"""The classes that a project's predictions belong to, in Encord's ontology structure.

The JSON is that of Encord's `OntologyStructure`: `{"objects": [...], "classifications": [...]}`, where each
object has a `name`, a `shape` and a `featureNodeHash`, the key that mappings and predictions refer to. It is
kept as it came, so that what this package does not know (attributes, skeleton templates, later additions)
survives.
"""

from __future__ import annotations

import base64
import copy
import difflib
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from predarrow.errors import OntologyError

SHAPES = (
    "bounding_box",
    "rotatable_bounding_box",
    "polygon",
    "polyline",
    "point",
    "skeleton",
    "bitmask",
    "cuboid",
    "cuboid_2d",
    "circle",
    "ellipse",
)
"""Encord's names for the geometries of objects in images, videos and scenes."""

# Kelly's colours of maximum contrast, without white and black: neighbours in an overlay stay apart.
_COLORS = (
    *("#F3C300", "#875692", "#F38400", "#A1CAF1", "#BE0032", "#C2B280", "#848482", "#008856", "#E68FAC", "#0067A5"),
    *("#F99379", "#604E97", "#F6A600", "#B3446C", "#DCD300", "#882D17", "#8DB600", "#654522", "#E25822", "#2B3D26"),
)


class OntologyObject(NamedTuple):
    """A class of objects."""

    feature_hash: str
    """Its `featureNodeHash`."""
    name: str
    shape: str
    """One of `SHAPES`, or a shape that Encord added later."""


class Ontology:
    """The classes of a project. Immutable; equal where the JSON is."""

    __slots__ = ("_structure", "objects")

    objects: tuple[OntologyObject, ...]
    """Classes of objects, in the ontology's order."""

    def __init__(self, structure: Mapping[str, Any], *, where: str = "ontology") -> None:
        self._structure = copy.deepcopy(dict(structure))
        self.objects = _objects(self._structure, where)

    @classmethod
    def from_dict(cls, structure: Mapping[str, Any]) -> Ontology:
        """Give the ontology of Encord's structure, `{"objects": [...], "classifications": [...]}`.

        Raises:
            OntologyError: an object without featureNodeHash, name or shape, or a hash that stands twice.
        """
        if not isinstance(structure, Mapping):
            raise OntologyError(f"ontology: $: must be an object, got {type(structure).__name__}")
        return cls(structure)

    @classmethod
    def read(cls, path: str | Path) -> Ontology:
        """Give the ontology of a JSON file in Encord's structure.

        Raises:
            OntologyError: the file cannot be read, is no JSON, or does not hold (see `from_dict`).
        """
        try:
            structure = json.loads(Path(path).read_text("utf-8-sig"))
        except OSError as error:
            raise OntologyError(f"{path}: cannot be read: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise OntologyError(f"{path}: byte {error.start}: must be UTF-8") from error
        except json.JSONDecodeError as error:
            raise OntologyError(f"{path}: line {error.lineno} column {error.colno}: {error.msg}") from error
        if not isinstance(structure, dict):
            raise OntologyError(f"{path}: $: must be an object, got {type(structure).__name__}")
        return cls(structure, where=str(path))

    @classmethod
    def from_classes(cls, names: Sequence[str], *, shape: str = "polygon") -> Ontology:
        """Give an ontology with one object class per name.

        A class's featureNodeHash depends on its name and shape only, so that two projects with the same
        classes have the same hashes.

        Args:
            names: class names, each once.
            shape: one of `SHAPES`, for every class.

        Raises:
            OntologyError: a name that is empty or stands twice, or an unknown shape.
        """
        if isinstance(names, str):
            raise OntologyError(f"classes: must be a list of names, got the text {names!r}")
        if shape not in SHAPES:
            raise OntologyError(f"shape: must be one of {', '.join(SHAPES)}, got {shape!r}{_hint(shape, SHAPES)}")
        objects = [
            {
                "id": str(number),
                "name": name,
                "color": _COLORS[(number - 1) % len(_COLORS)],
                "shape": shape,
                "featureNodeHash": _stable_hash(name, shape),
            }
            for number, name in enumerate(names, 1)
        ]
        if repeated := _first_repeated(names):
            raise OntologyError(f"classes: each name must stand once, got {repeated!r} twice")
        return cls({"objects": objects, "classifications": []}, where="classes")

    def to_dict(self) -> dict[str, Any]:
        """Give the structure as it came, as a copy."""
        return copy.deepcopy(self._structure)

    def write(self, path: str | Path) -> None:
        """Write the structure as JSON."""
        Path(path).write_text(json.dumps(self._structure, ensure_ascii=False, indent=2) + "\n", "utf-8")

    def object_by_hash(self, feature_hash: str) -> OntologyObject:
        """Give the class with this featureNodeHash.

        Raises:
            OntologyError: no class has it.
        """
        return self._one("featureNodeHash", feature_hash, lambda found: found.feature_hash)

    def object_by_name(self, name: str, *, shape: str | None = None) -> OntologyObject:
        """Give the class with this name.

        Args:
            name: the class's name, as the ontology writes it.
            shape: needed where a box class and a polygon class, say, share the name.

        Raises:
            OntologyError: no class, or more than one, has it.
        """
        return self._one("name", name, lambda found: found.name, shape)

    def _one(
        self, what: str, value: str, key: Callable[[OntologyObject], str], shape: str | None = None
    ) -> OntologyObject:
        found = [item for item in self.objects if key(item) == value and shape in (None, item.shape)]
        if len(found) == 1:
            return found[0]
        of_shape = "" if shape is None else f" and shape {shape!r}"
        if found:
            have = ", ".join(f"{item.feature_hash} ({item.shape})" for item in found)
            raise OntologyError(f"ontology: {len(found)} objects have the {what} {value!r}{of_shape}: {have}")
        known = [key(item) for item in self.objects if shape in (None, item.shape)]
        raise OntologyError(f"ontology: no object has the {what} {value!r}{of_shape}{_hint(value, known)}")

    def __eq__(self, other: object) -> bool:
        """Tell whether the JSON is the same."""
        return isinstance(other, Ontology) and self._structure == other._structure

    def __hash__(self) -> int:
        """Follow `__eq__`."""
        return hash(self.objects)

    def __repr__(self) -> str:
        """Name the first classes."""
        return f"<Ontology of {len(self.objects)} objects: {_listed([item.name for item in self.objects])}>"


def _objects(structure: Mapping[str, Any], where: str) -> tuple[OntologyObject, ...]:
    nodes = structure.get("objects")
    if not isinstance(nodes, list):
        got = f"the keys {_listed([str(key) for key in structure])}" if nodes is None else type(nodes).__name__
        raise OntologyError(f"{where}: $.objects: must be a list of object classes, got {got}")
    if not isinstance(structure.get("classifications", []), list):
        raise OntologyError(f"{where}: $.classifications: must be a list")
    objects = tuple(_object(node, f"{where}: $.objects[{index}]") for index, node in enumerate(nodes))
    if repeated := _first_repeated([item.feature_hash for item in objects]):
        raise OntologyError(f"{where}: $.objects: each featureNodeHash must stand once, got {repeated!r} twice")
    return objects


def _object(node: Any, where: str) -> OntologyObject:
    if not isinstance(node, Mapping):
        raise OntologyError(f"{where}: must be an object, got {type(node).__name__}")
    for key in ("featureNodeHash", "name", "shape"):
        value = node.get(key)
        if not isinstance(value, str) or not value:
            raise OntologyError(f"{where}.{key}: must be a text that is not empty, got {value!r}")
    return OntologyObject(node["featureNodeHash"], node["name"], node["shape"])


def _stable_hash(name: str, shape: str) -> str:
    digest = hashlib.sha256(f"{shape}\0{name}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:6]).decode()  # 8 characters, as Encord's


def _first_repeated(values: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None


def _hint(value: str, known: Sequence[str]) -> str:
    if close := difflib.get_close_matches(value, known, n=1):
        return f"; did you mean {close[0]!r}?"
    return f"; there are {_listed(known)}" if known else "; there are none"


def _listed(values: Sequence[str], limit: int = 10) -> str:
    more = f", … ({len(values)} in all)" if len(values) > limit else ""
    return ", ".join(values[:limit]) + more
