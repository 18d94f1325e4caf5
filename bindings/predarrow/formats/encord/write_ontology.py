"""Which rows the ontology does not allow beyond their class: answers that it does not offer, points of skeletons.

The SDK refuses some of these when it reads, and drops others without a word.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.formats.encord.rules import Rules
from predarrow.formats.encord.write_classes import CLASSIFICATION, Feature
from predarrow.formats.encord.write_notes import Note
from predarrow.formats.encord.write_rows import Rows
from predarrow.formats.flaws import Flaw
from predarrow.formats.write_distinct import distinct
from predarrow.ontology import Ontology
from predarrow.refusals import Refusals
from predarrow.report import Code

Ints = npt.NDArray[np.int64]

_decode = msgspec.json.Decoder().decode


def check_ontology(rows: Rows, ontology: Ontology, refusals: Refusals) -> None:
    """Refuse rows.

    Args:
        rows: of a batch.
        ontology: that their label rows refer to.
        refusals: of as many rows.
    """
    rules = Rules(ontology)
    _check_answers(rows, rules, refusals)
    for place, feature in enumerate(rows.features.found):
        wanted = rules.joints(feature.feature_hash) if feature.shape == "skeleton" else None
        if wanted is not None:
            own = np.flatnonzero((rows.features.chosen == place) & ~refusals.bad)
            _check_joints(rows.columns["keypoints"].take(pa.array(own)), own, wanted, refusals)


def _check_answers(rows: Rows, rules: Rules, refusals: Refusals) -> None:
    """Refuse rows with answers that are none of their class's attributes, each text of a class looked at once."""
    notes = rows.notes
    is_told = np.array([bool(note.item.answers or note.item.dynamic) for note in notes.items])
    told = np.flatnonzero(is_told[notes.code] & ~refusals.bad)
    once = distinct(rows.features.chosen[told] * len(notes.items) + notes.code[told])
    chosen = rows.features.chosen
    flaws = [_flaw(rules, rows.features.found[chosen[row]], notes.of(row)) for row in told[once.first].tolist()]
    if any(flaws):
        for row, place in zip(told.tolist(), once.which.tolist(), strict=True):
            if (flaw := flaws[place]) is not None:
                refusals.add_one(row, flaw.code, f"attributes.{flaw.pointer}", flaw.message)


def _flaw(rules: Rules, feature: Feature, note: Note) -> Flaw | None:
    """Give what is wrong with the answers of a class."""
    is_class = feature.shape == CLASSIFICATION
    try:
        owner = (rules.classification if is_class else rules.object)(feature.feature_hash)
        for name, entries in (("answers", note.item.answers), ("dynamic", note.item.dynamic)):
            rules.answers([_decode(entry) for entry in entries], owner, name, dynamic=name == "dynamic")
    except Flaw as flaw:
        return flaw
    return None


def _check_joints(skeletons: pa.ListArray, places: Ints, wanted: tuple[str, ...], refusals: Refusals) -> None:
    """Refuse skeletons whose points are not those of their template.

    Args:
        skeletons: (m,) their points, all of them with names.
        places: (m,) their rows.
        wanted: the names of the template's points.
        refusals: of all rows.
    """
    fits = pc.equal(pc.list_value_length(skeletons), len(wanted)).to_numpy(zero_copy_only=False)
    names = skeletons.filter(pa.array(fits)).flatten().field("name").dictionary_encode()
    codes = names.indices.to_numpy().reshape(-1, len(wanted))
    patterns, which = np.unique(codes, axis=0, return_inverse=True)  # mostly one
    known = names.dictionary.to_pylist()
    are_wanted = [sorted(known[code] for code in pattern) == sorted(wanted) for pattern in patterns.tolist()]
    fits[fits] = np.array(are_wanted, np.bool_)[which.ravel()]
    rule = f"must have the points of the class's template, {', '.join(wanted)}"
    for place in np.flatnonzero(~fits).tolist():
        got = ", ".join(point["name"] for point in skeletons[place].as_py())
        refusals.add_one(int(places[place]), Code.BAD_VALUE, "keypoints", f"{rule}, got {got}")
