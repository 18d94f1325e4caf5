"""Rows -> frame objects as JSON text."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.errors import OntologyError
from predarrow.formats.coco.write_text import joined, text_of, where
from predarrow.formats.encord.write_geometry import Part
from predarrow.formats.encord.write_kept import flat_cuboid_texts, kept_texts
from predarrow.formats.encord.write_rows import Rows
from predarrow.formats.encord.write_vertices import TEXTS
from predarrow.ontology import Ontology, SkeletonTemplate

Ints = npt.NDArray[np.int64]

_ESCAPED = np.zeros(256, np.bool_)
_ESCAPED[[*range(32), ord('"'), ord("\\")]] = True


def object_texts(rows: Rows, ontology: Ontology) -> pa.StringArray:
    """Give frame objects.

    Args:
        rows: of objects on frames, none of them refused.
        ontology: whose skeleton templates tell how points look.
    """
    heads = _heads(rows)
    confidence = text_of(rows.confidence)
    ids = quoted(rows.ids)
    return joined("{", heads, ',"confidence":', confidence, ',"objectHash":', ids, ",", _geometry(rows, ontology), "}")


def _heads(rows: Rows) -> pa.StringArray:
    """Give what the class and the attributes tell."""
    n_notes = len(rows.notes.items)
    _, first, which = np.unique(
        rows.features.chosen * n_notes + rows.notes.code, return_index=True, return_inverse=True
    )
    texts = []
    for feature, note in zip(rows.features.chosen[first].tolist(), rows.notes.code[first].tolist(), strict=True):
        found = rows.features.found[feature]
        used = "convention" if found.shape == "cuboid" else ""
        texts.append(found.head + rows.notes.items[note].meta(used))
    return pa.array(texts, pa.string()).take(pa.array(which))


def _geometry(rows: Rows, ontology: Ontology) -> pa.StringArray:
    shapes = rows.shapes
    distinct = list(dict.fromkeys(shapes.tolist()))
    if len(distinct) == 1:
        return _of_shape(rows, distinct[0], ontology)
    texts, places = [], []
    for shape in distinct:
        chosen = np.flatnonzero(shapes == shape)
        texts.append(_of_shape(rows.take(chosen), shape, ontology))
        places.append(chosen)
    back = np.empty(len(rows), np.int64)
    back[np.concatenate(places)] = np.arange(len(rows))
    return pa.concat_arrays(texts).take(pa.array(back))


def _of_shape(rows: Rows, shape: str, ontology: Ontology) -> pa.StringArray:
    notes = [rows.notes.items[code] for code in rows.notes.code.tolist()]
    templates = _templates(rows, ontology) if shape == "skeleton" else ()
    part = Part(rows.columns, rows.sizes, notes, templates)
    if shape == "cuboid_2d":
        return pa.array(flat_cuboid_texts(part), pa.string())
    texts = TEXTS[shape](part)
    is_kept, kept = kept_texts(part, shape)
    if not is_kept.any():
        return texts
    return joined(where(~is_kept, texts.filter(pa.array(~is_kept))), where(is_kept, pa.array(kept, pa.string())))


def _templates(rows: Rows, ontology: Ontology) -> list[SkeletonTemplate | None]:
    """Give the templates of rows in label rows that are made here; those that were read tell themselves."""
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
    from predarrow.formats.encord.wire import json_text

    whole = pa.concat_arrays([texts])
    _, _, data = whole.buffers()
    letters: Any = np.frombuffer(data, np.uint8) if data is not None and data.size else np.empty(0, np.uint8)
    if _ESCAPED[letters].any():
        return pa.array([json_text(text) for text in whole.to_pylist()], pa.string())
    return joined('"', whole, '"')
