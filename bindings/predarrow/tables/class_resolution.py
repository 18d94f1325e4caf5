"""Class and kind of a table's rows -> the ontology's name and featureNodeHash."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.classes import Texts
from predarrow.project_index import KIND_SHAPES, ProjectIndex, close
from predarrow.refusals import Refusals, shown
from predarrow.report import Code

CLASSIFICATION = "classification"


class _Class(NamedTuple):
    name: str
    feature_hash: str


class _Misfit(NamedTuple):
    pointer: str
    message: str


def resolve_classes(columns: dict[str, pa.Array], index: ProjectIndex, refusals: Refusals) -> tuple[pa.Array, pa.Array]:
    """Give the class_name and feature_hash columns, each filled from the other; what does not hold is refused.

    Args:
        columns: of the prediction table.
        index: of the project.
        refusals: of as many rows.
    """
    encoded = [pc.dictionary_encode(columns[name], "encode") for name in ("kind", "feature_hash", "class_name")]
    values = [column.dictionary.to_pylist() for column in encoded]
    code = np.zeros(len(refusals.rows), np.int64)
    for column, texts in zip(encoded, values, strict=True):
        code = code * len(texts) + column.indices.to_numpy()
    found, place = np.unique(code, return_inverse=True)
    answers: list[_Class] = []
    for number, combination in enumerate(found.tolist()):
        texts = []
        for column_values in reversed(values):
            combination, at = divmod(combination, len(column_values))  # digits, the last one first
            texts.append(column_values[at])
        name, feature_hash, kind = texts
        answer = _resolve(kind, feature_hash, name, index)
        if isinstance(answer, _Misfit):
            refusals.add(place == number, Code.UNKNOWN_CLASS, f"column {answer.pointer}", answer.message)
            answer = _Class("", "")
        answers.append(answer)
    return tuple(Texts([answer[i] for answer in answers]).take(place) for i in range(2))


def _resolve(kind: str | None, feature_hash: str | None, name: str | None, index: ProjectIndex) -> _Class | _Misfit:
    if kind is None or kind not in KIND_SHAPES:
        return _Misfit("kind", f"must be one of {', '.join(KIND_SHAPES)}, got {shown(kind)}{close(kind, KIND_SHAPES)}")
    if feature_hash is None and name is None:
        return _Misfit("class_name", "must be given where feature_hash is null, got null")
    known = [_Class(item.name, item.feature_hash) for item in index.classes]
    is_fit = index.fits(kind)[:-1].tolist()
    if kind == CLASSIFICATION:
        known = [_Class(text, key) for key, text in index.answers.names.items()]
        is_fit = [True] * len(known)
    if feature_hash is not None:
        chosen = [i for i, item in enumerate(known) if item.feature_hash == feature_hash]
        if not chosen:
            return _Misfit(
                "feature_hash", _unknown(feature_hash, "featureNodeHash", [item.feature_hash for item in known], index)
            )
        if name is not None and known[chosen[0]].name != name:
            rule = f"must be {known[chosen[0]].name!r}, the name of {feature_hash}, or null"
            return _Misfit("class_name", f"{rule}, got {name!r}")
    else:
        chosen = [i for i, item in enumerate(known) if item.name == name]
        if not chosen:
            return _Misfit("class_name", _unknown(name, "name", [item.name for item in known], index))
    fitting = [i for i in chosen if is_fit[i]]
    if not fitting:
        return _Misfit("kind", index.no_fit(chosen[0], kind))
    if len(fitting) > 1:
        having = ", ".join(known[i].feature_hash for i in fitting)
        rule = f"must be the name of one class that fits a {kind}"
        return _Misfit("class_name", f"{rule}, got {name!r}, which {len(fitting)} have; give feature_hash ({having})")
    return known[fitting[0]]


def _unknown(value: str | None, what: str, known: list[str], index: ProjectIndex) -> str:
    hint = index.hint(value, known) or f"; valid ones: {', '.join(known[:10]) or 'none'}"
    return f"must be the {what} of a class of the ontology, got {shown(value)}{hint}"
