"""What an ontology says about labels: their class, and which answers its attributes allow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from predarrow.errors import OntologyError
from predarrow.formats.flaws import Flaw
from predarrow.report import Code

if TYPE_CHECKING:
    from predarrow.ontology import Attribute, Classification, Ontology, OntologyObject

Entry = dict[str, Any]


class Rules:
    """Look-ups in an ontology, each made once; without one every class and answer is taken."""

    def __init__(self, ontology: Ontology | None) -> None:
        self._ontology = ontology
        self._objects: dict[str, OntologyObject | Flaw] = {}
        self._classifications: dict[str, Classification | Flaw] = {}
        self._attributes: dict[tuple[bool, str], dict[str, Attribute]] = {}

    @property
    def has_ontology(self) -> bool:
        """Whether there is one."""
        return self._ontology is not None

    def object(self, feature_hash: str) -> OntologyObject | None:
        """Give a class of objects; None without an ontology.

        Raises:
            Flaw: the ontology has no such class.
        """
        if self._ontology is None:
            return None
        if feature_hash not in self._objects:
            try:
                self._objects[feature_hash] = self._ontology.object_by_hash(feature_hash)
            except OntologyError as error:
                self._objects[feature_hash] = _unknown(error, "objects", feature_hash)
        found = self._objects[feature_hash]
        if isinstance(found, Flaw):
            raise found
        return found

    def known(self, feature_hash: str) -> OntologyObject | None:
        """Give a class of objects; None where the ontology does not have it."""
        try:
            return self.object(feature_hash)
        except Flaw:
            return None

    def attribute(self, owner: OntologyObject | None, feature_hash: str) -> Attribute | None:
        """Give an attribute of a class; None where that is not known."""
        return None if owner is None else self._attributes_of(owner).get(feature_hash)

    def classification(self, feature_hash: str) -> Classification | None:
        """Give a classification; None without an ontology.

        Raises:
            Flaw: the ontology has no such classification.
        """
        if self._ontology is None:
            return None
        if feature_hash not in self._classifications:
            try:
                self._classifications[feature_hash] = self._ontology.classification_by_hash(feature_hash)
            except OntologyError as error:
                self._classifications[feature_hash] = _unknown(error, "classifications", feature_hash)
        found = self._classifications[feature_hash]
        if isinstance(found, Flaw):
            raise found
        return found

    def joints(self, feature_hash: str) -> tuple[str, ...] | None:
        """Give the names of a skeleton's points; None where no template tells them."""
        if self._ontology is None:
            return None
        try:
            return tuple(point.name for point in self._ontology.template_by_hash(feature_hash).points)
        except OntologyError:
            return None

    def answers(
        self, given: Any, owner: OntologyObject | Classification | None, pointer: str, *, dynamic: bool = False
    ) -> list[Entry]:
        """Give answers that hold, those to one checklist together.

        Args:
            given: Encord's list of answers.
            owner: what is answered for; None where the ontology is not known.
            pointer: of the list.
            dynamic: whether the answers are those of single frames.

        Raises:
            Flaw: an answer that does not hold.
        """
        if not isinstance(given, list):
            raise Flaw(Code.BAD_VALUE, pointer, "must be a list of answers", given)
        attributes = None if owner is None else self._attributes_of(owner)
        together: dict[str, Entry] = {}
        for place, entry in enumerate(given):
            at = f"{pointer}[{place}]"
            feature_hash = _hash(entry, at)
            attribute = None
            if attributes is not None and owner is not None:
                attribute = attributes.get(feature_hash)
                if attribute is None or attribute.dynamic != dynamic:
                    kind = "a dynamic attribute" if dynamic else "an attribute that is not dynamic"
                    raise Flaw(
                        Code.BAD_ANSWER, f"{at}.featureHash", f"must be that of {kind} of {owner.name!r}", feature_hash
                    )
            _check(entry.get("answers"), attribute, f"{at}.answers")
            other = together.get(feature_hash)
            if other is None:
                together[feature_hash] = entry
            else:
                together[feature_hash] = joined(other, entry, attribute, at)
        return list(together.values())

    def _attributes_of(self, owner: OntologyObject | Classification) -> dict[str, Attribute]:
        from predarrow.ontology.nodes import Classification, attributes_of, every_attribute

        key = isinstance(owner, Classification), owner.feature_hash
        if key not in self._attributes:
            every = (place.attribute for place in every_attribute(attributes_of(owner)))
            self._attributes[key] = {attribute.feature_hash: attribute for attribute in every}
        return self._attributes[key]


def joined(one: Entry, other: Entry, attribute: Attribute | None, pointer: str) -> Entry:
    """Give two answers to one checklist, one option each as the editor writes them, as one.

    Raises:
        Flaw: they answer something else, which is answered once.
    """
    values = one.get("answers"), other.get("answers")
    is_checklist = all(isinstance(value, list) for value in values)
    if not is_checklist or (attribute is not None and attribute.type != "checklist"):
        rule = "each attribute must be answered once, unless it is a checklist"
        raise Flaw(Code.BAD_ANSWER, pointer, rule, told=f"a second answer to {other.get('featureHash')!r}")
    return {**one, "answers": [*(values[0] or []), *(values[1] or [])]}


def _unknown(error: OntologyError, what: str, feature_hash: str) -> Flaw:
    hint = "" if "did you mean" not in str(error) else str(error)[str(error).index("; did you mean") :]
    rule = f"must be the featureNodeHash of one of the ontology's {what}"
    return Flaw(Code.UNKNOWN_CLASS, ".featureHash", rule, told=f"{feature_hash!r}{hint}")


def _hash(entry: Any, pointer: str) -> str:
    if not isinstance(entry, Mapping):
        raise Flaw(Code.BAD_VALUE, pointer, "must be an object", entry)
    value = entry.get("featureHash")
    if not isinstance(value, str) or not value:
        raise Flaw(Code.BAD_VALUE, f"{pointer}.featureHash", "must be a text that is not empty", value)
    return value


_RULES = {
    "radio": "must be a list of one option",
    "checklist": "must be a list of options",
    "text": "must be text",
    "numeric": "must be a finite number",
}


def _check(value: Any, attribute: Attribute | None, pointer: str) -> None:
    if isinstance(value, list):
        options = None if attribute is None else {option.feature_hash for option in attribute.options}
        if attribute is not None and (attribute.type not in ("radio", "checklist")):
            raise Flaw(Code.BAD_ANSWER, pointer, _RULES[attribute.type], value)
        for place, option in enumerate(value):
            feature_hash = _hash(option, f"{pointer}[{place}]")
            if options is not None and attribute is not None and feature_hash not in options:
                rule = f"must be that of an option of {attribute.name!r}"
                raise Flaw(Code.BAD_ANSWER, f"{pointer}[{place}].featureHash", rule, feature_hash)
        if attribute is not None and attribute.type == "radio" and len(value) != 1:
            raise Flaw(Code.BAD_ANSWER, pointer, _RULES["radio"], told=f"{len(value)} options")
        return
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number and not isinstance(value, str):
        raise Flaw(Code.BAD_ANSWER, pointer, "must be a list of options, text or a number", value)
    if is_number and not math.isfinite(value):
        raise Flaw(Code.BAD_NUMBER, pointer, _RULES["numeric"], value)
    if attribute is not None and attribute.type != ("numeric" if is_number else "text"):
        raise Flaw(Code.BAD_ANSWER, pointer, _RULES.get(attribute.type, "must fit the attribute"), value)
