"""Confidences that stand in an object's data on a frame, beside its geometries and not among their attributes."""

from __future__ import annotations

from typing import Any

from predarrow.formats.flaws import Flaw
from predarrow.formats.openlabel.attributes import checked_confidence, object_confidence, tells_confidence
from predarrow.formats.openlabel.frames import Collected
from predarrow.formats.openlabel.geometries import Given
from predarrow.report import Problem


def take_object_confidences(given: Given, collected: Collected) -> None:
    """Give geometries that tell no confidence that of their object on the frame; those of one that is none are refused.

    Args:
        given: geometries of one type.
        collected: the frames that they are of.
    """
    if not any(rest.objects for rest in collected.rests):
        return
    told: dict[tuple[int, str], float | Flaw | None] = {}
    group, refusals = given.group, given.refusals
    for row, key in enumerate(zip(group.frames, group.uids, strict=True)):
        if key not in told:
            told[key] = _told(given, collected, *key)
        found = told[key]
        if found is None or refusals.bad[row] or tells_confidence(given.items[row].attributes, given.codec):
            continue
        if isinstance(found, Flaw):
            where = f"{collected.where(*key)}/object_data{found.pointer}"
            number = int(refusals.rows[row])
            refusals.problems.append(Problem(collected.document.source, number, where, found.code, found.message))
            refusals.bad[row] = True
        else:
            given.confidences[row] = found


def _told(given: Given, collected: Collected, frame: int, uid: str) -> float | Flaw | None:
    rest = collected.rests[frame].objects.get(uid)
    data = {} if rest is None else rest.data
    lists: dict[str, Any] = {}
    try:
        for type_ in data.keys() & {"num", "vec"}:
            lists[type_] = [given.codec.any(raw) for raw in data[type_]]
        found = object_confidence(lists)
        return None if found is None else checked_confidence(found[1], found[0])
    except Flaw as flaw:
        return flaw
