"""Rows -> frame objects as JSON text."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from predarrow.buffers import text_array
from predarrow.errors import OntologyError
from predarrow.formats.encord.write_geometry import NUMBERS, USED, Part
from predarrow.formats.encord.write_kept import flat_cuboid_texts, kept_texts
from predarrow.formats.encord.write_pieces import Placed, text_of_rows
from predarrow.formats.encord.write_rows import Rows
from predarrow.formats.encord.write_vertices import TEXTS
from predarrow.formats.write_distinct import distinct
from predarrow.formats.write_text import quoted_pieces
from predarrow.ontology import Ontology, SkeletonTemplate

Ints = npt.NDArray[np.int64]


def object_text(glue: Placed, rows: Rows, ontology: Ontology) -> memoryview:
    """Give frame objects, one after the other, each behind what stands in front of it.

    Args:
        glue: that is it.
        rows: of objects on frames, none of them refused.
        ontology: whose skeleton templates tell how points look.
    """
    contents: list[Placed] = [
        glue,
        Placed("{"),
        Placed(text_array([feature.head for feature in rows.features.found]), rows.features.chosen),
        _people(rows),
        Placed(',"confidence":'),
        Placed(rows.confidence),
        Placed(',"objectHash":'),
        *map(Placed, quoted_pieces(rows.ids)),
        Placed(","),
        *_geometry(rows, ontology),
        Placed("}"),
    ]
    return text_of_rows(len(rows), contents)


def _people(rows: Rows) -> Placed:
    """Give what attributes tell of who made it when, and members that are not known."""
    is_cuboid = rows.are("cuboid")
    once = distinct(2 * rows.notes.code + is_cuboid)
    uses = ["convention" if used else "" for used in is_cuboid[once.first].tolist()]
    notes = [rows.notes.of(row) for row in once.first.tolist()]
    return Placed(text_array([note.meta(used) for note, used in zip(notes, uses, strict=True)]), once.which)


def _geometry(rows: Rows, ontology: Ontology) -> Iterator[Placed]:
    for shape in rows.shapes:
        chosen = rows.are(shape)
        if chosen.any():
            some = rows.take(chosen)
            used = {name: some.columns[name] for name in USED} if shape in NUMBERS else some.columns
            part = Part(used, some.sizes, some.notes, _templates_of(some, shape, ontology))
            for placed in _of_shape(part, shape):
                yield placed.among(chosen)


def _of_shape(part: Part, shape: str) -> list[Placed]:
    if shape == "cuboid_2d":
        return [Placed(text_array(flat_cuboid_texts(part)))]
    is_kept, kept = kept_texts(part, shape)
    others: list[Placed] = []
    if not is_kept.all():
        rest = part.take(np.flatnonzero(~is_kept)) if is_kept.any() else part
        contents = NUMBERS[shape](rest) if shape in NUMBERS else [TEXTS[shape](rest)]
        others = [Placed(content).among(~is_kept) for content in contents]
    return [Placed(kept, chosen=is_kept, skipped=1), *others] if is_kept.any() else others


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
