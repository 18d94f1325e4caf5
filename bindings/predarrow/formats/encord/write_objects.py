"""Rows -> frame objects as JSON text."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.errors import OntologyError
from predarrow.formats.encord.write_distinct import distinct
from predarrow.formats.encord.write_geometry import Part
from predarrow.formats.encord.write_kept import flat_cuboid_texts, kept_texts
from predarrow.formats.encord.write_notes import flat_text
from predarrow.formats.encord.write_rows import Rows
from predarrow.formats.encord.write_vertices import TEXTS
from predarrow.formats.write_text import joined, text_of
from predarrow.ontology import Ontology, SkeletonTemplate

Ints = npt.NDArray[np.int64]

_ESCAPED = np.zeros(256, np.bool_)
_ESCAPED[[*range(32), ord('"'), ord("\\")]] = True


def object_texts(glue: pa.StringArray, rows: Rows, ontology: Ontology) -> pa.StringArray:
    """Give frame objects, each behind what stands in front of it.

    Args:
        glue: (n,) that is it.
        rows: of objects on frames, none of them refused.
        ontology: whose skeleton templates tell how points look.
    """
    heads = _heads(rows)
    confidence = text_of(rows.confidence)
    ids = quoted(rows.ids)
    return joined(
        glue, "{", heads, ',"confidence":', confidence, ',"objectHash":', ids, ",", _geometry(rows, ontology), "}"
    )


def _heads(rows: Rows) -> pa.StringArray:
    """Give what the class and the attributes tell."""
    n_notes = len(rows.notes.items)
    once = distinct(rows.features.chosen * n_notes + rows.notes.code)
    texts = []
    for row in once.first.tolist():
        found = rows.features.found[rows.features.chosen[row]]
        texts.append(found.head + rows.notes.of(row).meta("convention" if found.shape == "cuboid" else ""))
    return pa.array(texts, pa.string()).take(pa.array(once.which))


def _geometry(rows: Rows, ontology: Ontology) -> pa.StringArray:
    texts, places = [], []
    for shape in rows.shapes:
        chosen = np.flatnonzero(rows.are(shape))
        if chosen.size == len(rows):
            return _of_shape(rows, shape, ontology)
        if chosen.size:
            texts.append(_of_shape(rows.take(chosen), shape, ontology))
            places.append(chosen)
    back = np.empty(len(rows), np.int64)
    back[np.concatenate(places)] = np.arange(len(rows))
    return pa.concat_arrays(texts).take(pa.array(back))


def _of_shape(rows: Rows, shape: str, ontology: Ontology) -> pa.StringArray:
    part = Part(rows.columns, rows.sizes, rows.notes, _templates_of(rows, shape, ontology))
    if shape == "cuboid_2d":
        return pa.array(flat_cuboid_texts(part), pa.string())
    is_kept, kept = kept_texts(part, shape)
    if not is_kept.any():
        return TEXTS[shape](part)
    if is_kept.all():
        return kept
    others = rows.take(~is_kept)
    texts = TEXTS[shape](Part(others.columns, others.sizes, others.notes, _templates_of(others, shape, ontology)))
    places = np.where(is_kept, np.cumsum(is_kept) - 1, len(kept) + np.cumsum(~is_kept) - 1)
    return pa.concat_arrays([kept, texts]).take(pa.array(places))


def _templates_of(rows: Rows, shape: str, ontology: Ontology) -> list[SkeletonTemplate | None]:
    """Give the templates of skeletons in label rows that are made here; those that were read tell themselves."""
    if shape != "skeleton":
        return []
    found: list[SkeletonTemplate | None] = []
    for feature in rows.features.found:
        try:
            found.append(ontology.template_by_hash(feature.feature_hash))
        except OntologyError:
            found.append(None)
    is_made = [header is not None and header.is_made for header in rows.headers]
    pairs = zip(rows.features.chosen.tolist(), rows.owner.tolist(), strict=True)
    return [found[feature] if is_made[owner] else None for feature, owner in pairs]


def quoted(texts: pa.StringArray) -> pa.StringArray:
    """Give texts, none of them null, as JSON strings."""
    from predarrow.formats.json_text import json_text

    letters, offsets = flat_text(texts)
    if _ESCAPED[letters[offsets[0] : offsets[-1]]].any():
        return pa.array([json_text(text) for text in texts.to_pylist()], pa.string())
    return joined('"', texts, '"')
