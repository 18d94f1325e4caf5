"""Answers to attributes: plain Python values into the list that Encord's label rows hold, and back.

    {"Ripe?": "yes", "Why?": "it is red"}                                                  as people write them
    [{"name": "Why?", "value": "why?", "featureHash": ..., "manualAnnotation": true,
      "answers": "it is red"},
     {"name": "Ripe?", "value": "ripe?", "featureHash": ..., "manualAnnotation": true,
      "answers": [{"name": "Yes", "value": "yes", "featureHash": ...}]}]                   as Encord does

The list is flat, and runs against the ontology's order, as the SDK writes label rows: the last attribute comes first,
and one that is nested in an option before its parent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any, NamedTuple

from predarrow.errors import OntologyError
from predarrow.ontology.checks import is_finite, near_or_all, some, writable
from predarrow.ontology.nodes import Attribute, Below, Option, Owner, attributes_of, every_attribute, plain_value
from predarrow.ontology.structure import Ontology
from predarrow.refusals import shown

Entry = dict[str, Any]


class Encoded(NamedTuple):
    """Answers as Encord's entries."""

    static: list[Entry]
    """Those that hold wherever the object or classification is."""
    dynamic: list[Entry]
    """Those of dynamic attributes, which hold on some frames."""


def encoded(owner: Owner, answers: Mapping[str, Any], *, complete: bool = False) -> Encoded:
    """Give answers as Encord's entries, each equal to what Encord's SDK writes.

    Args:
        owner: the class or classification that is answered for.
        answers: values by the attribute's name or hash, nested attributes beside their parents. A value is an
            option's label, value or hash, or the `Option` (radio), a list of those, which may be empty (checklist), a
            text, or a finite number.
        complete: whether each required attribute that is asked must be answered.

    Raises:
        OntologyError: a key that names no attribute, or several; an attribute whose option is not chosen; a value
            that is no option, or of another type than the attribute's; a required attribute without an answer.
    """
    if not isinstance(answers, Mapping):
        raise OntologyError(f"answers: must be a mapping of attributes to answers, got {shown(answers)}")
    result = Encoded([], [])
    left = dict(answers)
    _encode(attributes_of(owner), left, answers, result, complete)
    if left:
        _refuse_key(next(iter(left)), owner, answers)
    result.static.reverse()
    result.dynamic.reverse()
    return result


def _encode(
    attributes: Iterable[Attribute], left: dict[str, Any], answers: Mapping[str, Any], result: Encoded, complete: bool
) -> None:
    for attribute in attributes:
        keys = [key for key in dict.fromkeys((attribute.feature_hash, attribute.name)) if key in answers]
        if len(keys) == 2 and keys[0] in left and keys[1] in left:
            raise OntologyError(f"answers: {attribute.name!r}: must be answered once, got its hash {keys[0]!r} as well")
        if not keys:
            if complete and attribute.required:
                raise OntologyError(
                    f"answers: {attribute.name!r}: must be answered, as the ontology requires it, got nothing"
                )
            continue
        key = keys[0]
        if key not in left:
            raise OntologyError(f"answers: {key!r}: must name one attribute, got several; name them by their hashes")
        value, chosen = _answer(attribute, left.pop(key))
        entries = result.dynamic if attribute.dynamic else result.static
        entries.append(_entry(attribute, value))
        if chosen and not attribute.dynamic:
            _encode(chosen.attributes, left, answers, result, complete)


def _entry(attribute: Attribute, value: Any) -> Entry:
    return {
        "name": attribute.name,
        "value": plain_value(attribute.name),
        "answers": value,
        "featureHash": attribute.feature_hash,
        "manualAnnotation": True,
    }


def _answer(attribute: Attribute, value: Any) -> tuple[Any, Option | None]:
    """Give an entry's `answers`, and the option whose attributes are asked next."""
    where = f"answers: {attribute.name!r}"
    if attribute.type == "radio":
        option = _option(attribute, value, where)
        return [_chosen(option)], option
    if attribute.type == "checklist":
        return [_chosen(option) for option in _checked(attribute, value, where)], None
    if attribute.type == "text":
        if not isinstance(value, str):
            raise OntologyError(f"{where}: must be a text, got {shown(value)}")
        return writable(str(value), where), None
    return _number(value, where), None


def _number(value: Any, where: str) -> int | float:
    if is_finite(value):
        return int(value) if isinstance(value, Integral) else float(value)
    raise OntologyError(f"{where}: must be a finite number, got {shown(value)}")


def _checked(attribute: Attribute, value: Any, where: str) -> list[Option]:
    if isinstance(value, Option) or not isinstance(value, list | tuple | set | frozenset):
        raise OntologyError(f"{where}: must be a list of options ({_labels(attribute)}), got {shown(value)}")
    options = [_option(attribute, each, where) for each in value]
    if len(set(options)) < len(options):
        raise OntologyError(f"{where}: must name each option once, got {shown(value)}")
    return [option for option in attribute.options if option in options]


def _option(attribute: Attribute, value: Any, where: str) -> Option:
    wanted = value.feature_hash if isinstance(value, Option) else value
    if not isinstance(wanted, str):
        raise OntologyError(f"{where}: must be an option ({_labels(attribute)}), got {shown(value)}")
    found = [option for option in attribute.options if option.feature_hash == wanted]
    found = found or [option for option in attribute.options if wanted in (option.label, option.value)]
    if len(found) > 1:
        hashes = " and ".join(option.feature_hash for option in found)
        raise OntologyError(f"{where}: must be one option, got {wanted!r}, which {hashes} are; give the hash")
    if not found:
        hint = near_or_all(wanted, [option.label for option in attribute.options])
        raise OntologyError(f"{where}: must be an option, got {shown(value)}{hint}")
    return found[0]


def _chosen(option: Option) -> Entry:
    return {"name": option.label, "value": option.value, "featureHash": option.feature_hash}


def _labels(attribute: Attribute) -> str:
    return some([option.label for option in attribute.options])


def _refuse_key(key: Any, owner: Owner, answers: Mapping[str, Any]) -> None:
    places = list(every_attribute(attributes_of(owner)))
    found = [place for place in places if key in (place.attribute.feature_hash, place.attribute.name)]
    if not found:
        names = list(dict.fromkeys(place.attribute.name for place in places))
        hint = near_or_all(str(key), names)
        raise OntologyError(f"answers: must name attributes of {owner.name!r}, got {shown(key)}{hint}")
    attribute, option, parent = found[0]
    if option is None or parent is None:
        raise OntologyError(f"answers: {attribute.name!r}: must be answered once, got the key {key!r} as well")
    if parent.dynamic:
        rule = f"must not be answered, as it stands below {parent.name!r}, which is dynamic"
        raise OntologyError(f"answers: {attribute.name!r}: {rule}, got {shown(answers[key])}")
    rule = f"must be answered only where {option.label!r} is chosen for {parent.name!r}"
    raise OntologyError(f"answers: {attribute.name!r}: {rule}, got {shown(answers[key])}")


def decoded(source: Ontology | Owner, entries: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Give Encord's entries as plain values, which `encoded` takes back.

    Args:
        source: the class or classification that is answered for, or the ontology, which finds it.
        entries: static or dynamic answers. A checklist may be spread over several entries, as Encord's editor does; a
            radio attribute without an option is not answered.

    Returns:
        Values by the attribute's name (its hash where the name stands for several): an option's label (its hash
        where the label stands for several), a list of those, a text or a number.

    Raises:
        OntologyError: an entry of another form, or an attribute or option that the ontology does not have.
    """
    listed = list(entries)
    hashes = [_hash(entry, f"answers[{place}]") for place, entry in enumerate(listed)]
    if not listed:
        return {}
    owner = _owner(source, hashes) if isinstance(source, Ontology) else source
    places = {place.attribute.feature_hash: place for place in every_attribute(attributes_of(owner))}
    result: dict[str, Any] = {}
    for number, (feature_hash, entry) in enumerate(zip(hashes, listed, strict=True)):
        if feature_hash not in places:
            hint = near_or_all(feature_hash, list(places))
            rule = f"must be the hash of an attribute of {owner.name!r}"
            raise OntologyError(f"answers[{number}].featureHash: {rule}, got {feature_hash!r}{hint}")
        attribute = places[feature_hash].attribute
        key = _key(attribute, places.values())
        value = _decode(attribute, entry.get("answers"), f"answers[{number}].answers")
        if key in result and attribute.type == "checklist":
            result[key] += [option for option in value if option not in result[key]]
        elif key in result:
            raise OntologyError(f"answers[{number}]: must answer {attribute.name!r} once, got it twice")
        elif value is not None:
            result[key] = value
    return result


def _hash(entry: Any, where: str) -> str:
    if not isinstance(entry, Mapping):
        raise OntologyError(f"{where}: must be an object, got {shown(entry)}")
    value = entry.get("featureHash")
    if not isinstance(value, str):
        raise OntologyError(f"{where}.featureHash: must be a text, got {shown(value)}")
    return value


def _owner(ontology: Ontology, hashes: list[str]) -> Owner:
    owners = ontology.owners_of(hashes[0])
    if len(owners) > 1:  # classes may share attributes, but only that which is answered for has all of them
        owners = tuple(each for each in owners if all(each in ontology.owners_of(key) for key in hashes)) or owners
    return owners[0]


def _decode(attribute: Attribute, value: Any, where: str) -> Any:
    if attribute.type == "text":
        if not isinstance(value, str):
            raise OntologyError(f"{where}: must be a text, got {shown(value)}")
        return value
    if attribute.type == "numeric":
        return _number(value, where)
    if not isinstance(value, list | tuple):
        raise OntologyError(f"{where}: must be a list of options, got {shown(value)}")
    labels = []
    for place, each in enumerate(value):
        feature_hash = _hash(each, f"{where}[{place}]")
        option = next((option for option in attribute.options if option.feature_hash == feature_hash), None)
        if option is None:
            hint = near_or_all(feature_hash, [option.feature_hash for option in attribute.options])
            rule = f"must be the hash of an option of {attribute.name!r}"
            raise OntologyError(f"{where}[{place}].featureHash: {rule}, got {feature_hash!r}{hint}")
        labels.append(_title(option, attribute))
    if attribute.type == "checklist":
        return labels
    if len(labels) > 1:
        raise OntologyError(f"{where}: must be one option, as {attribute.name!r} is radio, got {len(labels)}")
    return labels[0] if labels else None


def _key(attribute: Attribute, places: Iterable[Below]) -> str:
    same = [place for place in places if attribute.name in (place.attribute.name, place.attribute.feature_hash)]
    return attribute.name if len(same) == 1 else attribute.feature_hash


def _title(option: Option, attribute: Attribute) -> str:
    same = [each for each in attribute.options if option.label in each[:3]]
    return option.label if len(same) == 1 else option.feature_hash
