"""The answers that an ontology's classifications offer, and what the table has for each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from predarrow.classes import Texts
from predarrow.objects.predictions import FrameClassification
from predarrow.ontology.answers import encoded
from predarrow.ontology.nodes import Classification
from predarrow.ontology.structure import Ontology
from predarrow.refusals import shown


class Answer(NamedTuple):
    """One answer that the ontology offers."""

    feature_hash: str
    attribute_hash: str
    option_hash: str


class Answers:
    """The answers of an ontology by their three hashes, and what the table has for each."""

    def __init__(self, ontology: Ontology) -> None:
        self.names = {node.feature_hash: node.name for node in ontology.classifications}
        """Name of each classification, by its featureNodeHash"""
        offered = {answer: text for node in ontology.classifications for answer, text in _answers(node)}
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


def _answers(classification: Classification) -> Iterator[tuple[Answer, str]]:
    attribute = classification.attribute
    for option in attribute.options:
        chosen = option if attribute.type == "radio" else [option]
        entries = encoded(classification, {attribute.feature_hash: chosen}).static
        text = json.dumps({"answers": entries}, ensure_ascii=False)
        yield Answer(classification.feature_hash, attribute.feature_hash, option.feature_hash), text
