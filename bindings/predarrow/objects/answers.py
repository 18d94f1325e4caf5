"""The classifications of an ontology and the answers that it offers, as Encord writes them.

    {"featureNodeHash": ..., "attributes": [
        {"featureNodeHash": ..., "name": ..., "type": "radio", "options": [
            {"featureNodeHash": ..., "label": ..., "value": ...}]}]}

A classification's name is that of its root attribute.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from predarrow.classes import Texts
from predarrow.objects.predictions import FrameClassification
from predarrow.refusals import shown

if TYPE_CHECKING:
    from predarrow.ontology import Ontology


class Answer(NamedTuple):
    """One answer that the ontology offers."""

    feature_hash: str
    attribute_hash: str
    option_hash: str


class Answers:
    """The answers of an ontology by their three hashes, and what the table has for each."""

    def __init__(self, ontology: Ontology) -> None:
        nodes = _hashed(ontology.to_dict().get("classifications"))
        self.names = {key: _name(node) for key, node in nodes.items()}
        """Name of each classification, by its featureNodeHash"""
        offered = {answer: text for key, node in nodes.items() for answer, text in _answers(key, node)}
        self.places = {answer: place for place, answer in enumerate(offered)}
        self.class_names = Texts([self.names[answer.feature_hash] for answer in offered])
        self.class_hashes = Texts([answer.feature_hash for answer in offered])
        self.attributes = Texts(list(offered.values()))
        """JSON for the table's column: `{"answers": [...]}` as in Encord's label rows"""

    def why_not(self, given: FrameClassification) -> tuple[str, str]:
        """Give field and message for an answer that the ontology does not offer."""
        same = [answer for answer in self.places if answer.feature_hash == given.feature_hash]
        if not same:
            valid = ", ".join(f"{key} ({name})" for key, name in list(self.names.items())[:10]) or "none"
            rule = "must be the featureNodeHash of a classification with options"
            return "feature_hash", f"{rule}, got {shown(given.feature_hash)}; the ontology has {valid}"
        name = self.names[same[0].feature_hash]
        same_attribute = [answer for answer in same if answer.attribute_hash == given.attribute_hash]
        if not same_attribute:
            valid = ", ".join(dict.fromkeys(answer.attribute_hash for answer in same))
            rule = f"must be an attribute with options of {name!r} ({valid})"
            return "attribute_hash", f"{rule}, got {shown(given.attribute_hash)}"
        valid = ", ".join(answer.option_hash for answer in same_attribute[:10])
        return "option_hash", f"must be an option of {name!r} ({valid}), got {shown(given.option_hash)}"


def _answers(feature_hash: str, classification: Mapping[str, Any]) -> Iterator[tuple[Answer, str]]:
    for attribute_hash, attribute in _hashed(classification.get("attributes")).items():
        for option_hash, option in _hashed(attribute.get("options")).items():
            chosen = {"name": option.get("label"), "value": option.get("value"), "featureHash": option_hash}
            answer = {"name": attribute.get("name"), "featureHash": attribute_hash, "answers": [chosen]}
            text = json.dumps({"answers": [answer]}, ensure_ascii=False)
            yield Answer(feature_hash, attribute_hash, option_hash), text


def _hashed(nodes: Any) -> dict[str, Mapping[str, Any]]:
    """Give the nodes of a list by their hash; what is no such node is not offered."""
    found = nodes if isinstance(nodes, list) else []
    hashed = [node for node in found if isinstance(node, Mapping) and isinstance(node.get("featureNodeHash"), str)]
    return {node["featureNodeHash"]: node for node in hashed}


def _name(classification: Mapping[str, Any]) -> str:
    attributes = list(_hashed(classification.get("attributes")).values())
    return str(attributes[0].get("name", "")) if attributes else ""
