"""The ontology of a project: Encord's structure JSON, kept as it came, and its nodes."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from predarrow.errors import OntologyError, OutputError
from predarrow.ontology.build import object_class
from predarrow.ontology.checks import one_of, some
from predarrow.ontology.compose import structure_json
from predarrow.ontology.lookup import Entry, Lookup
from predarrow.ontology.nodes import (
    SHAPES,
    Attribute,
    Classification,
    OntologyObject,
    Option,
    Owner,
    SkeletonTemplate,
    attributes_of,
    every_attribute,
)
from predarrow.ontology.parse import parsed

_HASH = "featureNodeHash"


class Ontology:
    """The classes of a project. Immutable; equal where the JSON is."""

    __slots__ = (
        "_attributes",
        "_by_key",
        "_classification_names",
        "_classifications",
        "_names",
        "_objects",
        "_options",
        "_structure",
        "_templates",
        "classifications",
        "objects",
        "templates",
    )

    objects: tuple[OntologyObject, ...]
    """Classes of objects, in the ontology's order."""
    classifications: tuple[Classification, ...]
    """Classifications, in the ontology's order."""
    templates: tuple[SkeletonTemplate, ...]
    """Skeleton templates, in the ontology's order."""

    def __init__(self, structure: Mapping[str, Any], *, where: str = "ontology") -> None:
        try:
            self._structure: dict[str, Any] = copy.deepcopy(dict(structure))
        except RecursionError:  # JSON may be as deep as that under a key that is not known here
            raise OntologyError(f"{where}: $: must not be nested hundreds of levels deep") from None
        self.objects, self.classifications, self.templates = parsed(self._structure, where)
        self._index()

    @classmethod
    def from_dict(cls, structure: Mapping[str, Any]) -> Ontology:
        """Give the ontology of Encord's structure, `{"objects": [...], "classifications": [...]}`.

        Raises:
            OntologyError: a node that does not hold: a field that is missing or of another type, a hash that stands
                twice where it is looked up by, attributes nested too deeply (see `predarrow.ontology.parse`).
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
        except RecursionError:
            raise OntologyError(f"{path}: $: must not be nested hundreds of levels deep") from None
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
        one_of(shape, SHAPES, "shape")
        objects = [object_class(name, shape) for name in names]
        if repeated := next((name for name, count in Counter(names).items() if count > 1), None):
            raise OntologyError(f"classes: each name must stand once, got {repeated!r} twice")
        return cls(structure_json(objects), where="classes")

    @classmethod
    def build(
        cls,
        objects: Sequence[OntologyObject] = (),
        classifications: Sequence[Classification] = (),
        templates: Mapping[str, SkeletonTemplate] | None = None,
    ) -> Ontology:
        """Give the ontology of nodes made in code.

            Ontology.build(
                [object_class("Cherry", "bounding_box", [radio("Ripe?", ["yes", "no"], dynamic=True)]),
                 object_class("Strawberry", "skeleton")],
                [classification(radio("Fruit?", ["apple", option("other", [text("Which?")])]))],
                {"Strawberry": skeleton_template("Triangle", {"a": (0, 1), "b": (1, 0)}, [("a", "b")])},
            )

        Hashes that are not given depend on names alone, so that the same nodes have the same hashes everywhere. The
        JSON is what Encord's SDK writes for the same structure.

        Args:
            objects: see `object_class`.
            classifications: see `classification`.
            templates: skeleton templates by the name of their class, see `skeleton_template`.

        Raises:
            OntologyError: a node that does not hold, or a template without a class of shape skeleton.
        """
        return cls(structure_json(objects, classifications, templates))

    def to_dict(self) -> dict[str, Any]:
        """Give the structure as it came, as a copy."""
        return copy.deepcopy(self._structure)

    def write(self, path: str | Path) -> None:
        """Write the structure as JSON.

        Raises:
            OutputError: the file cannot be written.
        """
        try:
            data = json.dumps(self._structure, ensure_ascii=False, indent=2).encode()
        except UnicodeEncodeError:  # half of a surrogate pair under a key that is not known here: escaped, as it came
            data = json.dumps(self._structure, indent=2).encode()
        try:
            Path(path).write_bytes(data + b"\n")
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error

    def object_by_hash(self, feature_hash: str) -> OntologyObject:
        """Give the class with this featureNodeHash.

        Raises:
            OntologyError: no class has it.
        """
        return self._objects.one(feature_hash)

    def object_by_name(self, name: str, *, shape: str | None = None) -> OntologyObject:
        """Give the class with this name.

        Args:
            name: the class's name, as the ontology writes it.
            shape: needed where a box class and a polygon class, say, share the name.

        Raises:
            OntologyError: no class, or more than one, has it.
        """
        return self._names.one(name, shape, "" if shape is None else f" and shape {shape!r}")

    def classification_by_hash(self, feature_hash: str) -> Classification:
        """Give the classification with this featureNodeHash (its root attribute has another).

        Raises:
            OntologyError: no classification has it.
        """
        return self._classifications.one(feature_hash)

    def classification_by_name(self, name: str) -> Classification:
        """Give the classification whose root attribute has this name.

        Raises:
            OntologyError: no classification, or more than one, has it.
        """
        return self._classification_names.one(name)

    def template_by_hash(self, feature_hash: str) -> SkeletonTemplate:
        """Give the skeleton template of the class with this featureNodeHash.

        Raises:
            OntologyError: no template has it.
        """
        return self._templates.one(feature_hash)

    def attribute_by_hash(self, feature_hash: str, *, owner: Owner | None = None) -> Attribute:
        """Give the attribute with this featureNodeHash, at any depth.

        Args:
            feature_hash: the attribute's.
            owner: the class or classification that it stands under; needed where two that differ share the hash.

        Raises:
            OntologyError: no attribute, or several that differ, have it.
        """
        return self._attributes.one(feature_hash, *_below(owner))

    def option_by_hash(self, feature_hash: str, *, owner: Owner | None = None) -> Option:
        """Give the option with this featureNodeHash, at any depth.

        Args:
            feature_hash: the option's.
            owner: the class or classification that it stands under; needed where two options that differ share the
                hash.

        Raises:
            OntologyError: no option, or several that differ, have it.
        """
        return self._options.one(feature_hash, *_below(owner))

    def owners_of(self, attribute_hash: str) -> tuple[Owner, ...]:
        """Give the classes and classifications that an attribute with this featureNodeHash stands under.

        Raises:
            OntologyError: no attribute has it.
        """
        return tuple(self._by_key[entry.group] for entry in self._attributes.every(attribute_hash))

    def _index(self) -> None:
        owners: list[Owner] = [*self.objects, *self.classifications]
        self._by_key = {_key(owner): owner for owner in owners}
        objects, classifications = ("object", "objects"), ("classification", "classifications")
        shapes = [(item, f"{item.feature_hash} ({item.shape})") for item in self.objects]
        self._objects = Lookup(objects, _HASH, (Entry(i.feature_hash, i, told, i.shape) for i, told in shapes))
        self._names = Lookup(objects, "name", (Entry(i.name, i, told, i.shape) for i, told in shapes))
        roots = self.classifications
        self._classifications = Lookup(classifications, _HASH, (Entry(i.feature_hash, i, i.name) for i in roots))
        self._classification_names = Lookup(classifications, "name", (Entry(i.name, i, i.feature_hash) for i in roots))
        named = (Entry(node.feature_hash, node, node.name) for node in self.templates if node.feature_hash)
        self._templates = Lookup(("skeleton template", "skeleton templates"), "feature_node_hash", named)
        self._attributes = Lookup(("attribute", "attributes"), _HASH, self._attribute_entries())
        self._options = Lookup(("option", "options"), _HASH, self._option_entries())

    def _attribute_entries(self) -> Iterator[Entry[Attribute]]:
        for key, owner in self._by_key.items():
            for attribute, _, _ in every_attribute(attributes_of(owner)):
                yield Entry(attribute.feature_hash, attribute, f"{attribute.name!r} of {owner.name!r}", key)

    def _option_entries(self) -> Iterator[Entry[Option]]:
        for key, owner in self._by_key.items():
            for attribute, _, _ in every_attribute(attributes_of(owner)):
                for option in attribute.options:
                    told = f"{option.label!r} of {attribute.name!r} of {owner.name!r}"
                    yield Entry(option.feature_hash, option, told, key)

    def __eq__(self, other: object) -> bool:
        """Tell whether the JSON is the same."""
        return isinstance(other, Ontology) and self._structure == other._structure

    def __hash__(self) -> int:
        """Follow `__eq__`."""
        return hash((self.objects, self.classifications))

    def __repr__(self) -> str:
        """Name the first classes."""
        return f"<Ontology of {len(self.objects)} objects: {some([item.name for item in self.objects])}>"


def _key(owner: Owner) -> str:
    # A class and a classification may have the same hash.
    return f"{type(owner).__name__} {owner.feature_hash}"


def _below(owner: Owner | None) -> tuple[str | None, str]:
    return (None, "") if owner is None else (_key(owner), f" below {owner.name!r}")
