"""Values of regions, read for all regions of one geometry at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, Raw, Struct

from predarrow.formats.flaws import Flaw
from predarrow.formats.label_studio import forms
from predarrow.formats.label_studio.collect import Collected
from predarrow.formats.label_studio.given import Given, Ints, RegionRefusals, Shaped
from predarrow.formats.label_studio.masks import brushes, images
from predarrow.formats.label_studio.regions import ODD_TYPE, scored
from predarrow.formats.label_studio.shapes import boxes, ellipses, keypoints, polygons, vectors
from predarrow.formats.label_studio.spans import ranges, spans
from predarrow.formats.label_studio.texts import Texts
from predarrow.formats.label_studio.videos import sequences
from predarrow.formats.label_studio.wire import (
    Members,
    any_of,
    joined,
    many_members,
    members_decoded,
    members_of,
    members_text,
    number_text,
    text_of,
    value_type,
    values_decoder,
)
from predarrow.report import Code

UNKNOWN_TYPE = "type that is not known, kept in attributes"

_MAKERS: Mapping[str, Callable[[Given], Shaped]] = {
    forms.BOX: boxes,
    forms.ELLIPSE: ellipses,
    forms.POLYGON: polygons,
    forms.KEYPOINT: keypoints,
    forms.BRUSH: brushes,
    forms.BITMASK: images,
    forms.VECTOR: vectors,
    forms.SEQUENCE: sequences,
    forms.SPAN: spans,
    forms.RANGES: ranges,
}
_BLANKS: Mapping[Any, Any] = {float: 0.0, str: "", int: 1, Raw: Raw(b"0")}


@dataclass(slots=True)
class Piece:
    """Regions of one geometry, or controls of the whole task."""

    given: Given
    shaped: Shaped
    members: list[int]
    """(n,) each one's place among all regions"""
    labels: list[Any]
    """(n,) texts, UNSET where there are none"""
    answers: dict[int, Texts] = field(default_factory=dict)
    """By region, what a control that has the geometry itself holds"""
    scores: dict[int, float] = field(default_factory=dict)
    """By region, the confidence that its value tells"""

    @property
    def owners(self) -> list[int]:
        """(m,) each row's region, among those of the piece."""
        owner = self.shaped.owner
        owners: list[int] = list(range(self.given.n)) if owner is None else owner.tolist()
        return owners


def pieces_of(collected: Collected, sizes: Ints, threshold: int) -> list[Piece]:
    """Give all regions in columns, by geometry and type; those that do not hold are refused.

    Args:
        collected: regions.
        sizes: (n, 2) height and width of each region's image; 0 where not known, -1 where they do not hold.
        threshold: of masks.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    unknown = []
    for place, region in enumerate(collected.regions):
        if region.shape:
            key = region.shape, region.main.type
            found = groups.get(key)
            if found is None:
                groups[key] = [place]
            else:
                found.append(place)
        else:
            unknown.append(place)
    for place, shape in zip(unknown, _shapes(collected, unknown), strict=True):
        type_ = collected.regions[place].main.type.lower()
        groups.setdefault((shape, type_), []).append(place)
    return [
        _piece(collected, members, shape, forms.labels_member(type_.lower()), sizes, threshold)
        for (shape, type_), members in groups.items()
    ]


def _shapes(collected: Collected, places: Sequence[int]) -> list[str]:
    """Give geometries that values tell."""
    shapes = []
    raws = [collected.regions[place].main.value for place in places]
    for place, names in zip(places, _many_names(raws), strict=True):
        type_ = collected.regions[place].main.type
        if type_ != type_.lower():
            collected.flagged[ODD_TYPE] += 1
        shapes.append(forms.shape_of(type_.lower(), names))
    return shapes


def _many_names(raws: Sequence[Raw]) -> list[Members]:
    try:
        return many_members(joined(raws))
    except msgspec.DecodeError:
        return [_names(raw) for raw in raws]


def _names(raw: Raw) -> Members:
    try:
        return members_of(raw)
    except msgspec.DecodeError:
        return {}


def _piece(collected: Collected, members: list[int], shape: str, labels: str, sizes: Ints, threshold: int) -> Piece:
    regions = [collected.regions[place] for place in members]
    numbers = np.array(members, np.int64)

    def where(row: int) -> str:
        return collected.where(regions[row])

    refusals = RegionRefusals(numbers + collected.first, collected.source, where, collected.problems)
    given = Given(shape, regions, [], sizes[numbers], refusals, threshold, collected.flagged)
    _check_sizes(given)
    if shape == forms.CONTROL:
        return _controls(given, members)
    values, extras = _read(given, labels)
    given.values = values
    piece = Piece(given, Shaped(""), members, [value.labels for value in values])
    for row, rest in extras.items():
        _sort_out(piece, row, rest)
    piece.shaped = shaped = _MAKERS[shape](given)
    for row, rest in extras.items():
        if rest and shape == forms.SEQUENCE:
            shaped.heads[row] = members_text(rest)
        elif rest:
            shaped.keep(row, members_text(rest))
    return piece


def _check_sizes(given: Given) -> None:
    def bad(row: int) -> str:
        main = given.regions[row].main
        rule = "original_width and original_height must be whole numbers of pixels, above 0"
        sides = [number_text(side) for side in (main.original_width, main.original_height) if isinstance(side, float)]
        return f"{rule}, got {' and '.join(sides)}"

    def missing(row: int) -> str:
        main = given.regions[row].main
        rule = 'must have "original_width" and "original_height", the size of its image in pixels'
        sides = {"original_width": main.original_width, "original_height": main.original_height}
        told = [f"{name} {number_text(side)} alone" for name, side in sides.items() if isinstance(side, float)]
        hint = "image_sizes= tells it where a file does not, and a project its images'"
        return f"{rule}; {hint}, got {''.join(told) or 'neither'}"

    given.refusals.add(np.asarray((given.sizes < 0).any(axis=1)), Code.BAD_VALUE, "", bad)
    if given.shape in forms.ON_IMAGES and given.shape != forms.BITMASK:
        given.refusals.add(np.asarray((given.sizes == 0).any(axis=1)), Code.SIZE_UNKNOWN, "", missing)
    given.sizes = np.maximum(given.sizes, 0)


def _read(given: Given, labels: str) -> tuple[list[Any], dict[int, Members]]:
    """Give values, and by row members that are not known; those that do not hold are refused."""
    raws = [region.main.value for region in given.regions]
    try:
        return values_decoder(given.shape, labels)(joined(raws)), {}
    except (msgspec.DecodeError, RecursionError):
        pass
    type_ = value_type(given.shape, labels)
    decode = values_decoder(given.shape, labels)
    values: list[Any] = []
    extras: dict[int, Members] = {}
    for row, raw in enumerate(raws):
        try:
            values += decode(joined([raw]))
        except (msgspec.DecodeError, RecursionError):
            try:
                value, extras[row] = _loose(raw, type_)
            except Flaw as flaw:
                given.refusals.add_flaw(row, flaw)
                value = _blank(type_)
            values.append(value)
    return values, extras


def _loose(raw: Raw, type_: type[Struct]) -> tuple[Any, Members]:
    try:
        members = members_of(raw)
    except msgspec.DecodeError:
        raise Flaw(Code.BAD_VALUE, ".value", "must be an object", any_of(raw)) from None
    return members_decoded(type_, members, ".value")


def _blank(type_: type[Struct]) -> Any:
    """Give a value in place of one that is refused."""
    fields = msgspec.structs.fields(type_)
    return type_(**{each.name: _BLANKS.get(each.type, ()) for each in fields if each.required})


def _sort_out(piece: Piece, row: int, rest: Members) -> None:
    """Take the confidence and a control's own member out of what is not known of a value."""
    region = piece.given.regions[row]
    if "score" in rest and scored(region) is None:
        value = any_of(rest["score"])
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e308:
            piece.scores[row] = float(value)
            del rest["score"]
    own = forms.CONTROLS.get(region.main.type.lower())
    if own is not None and own in rest:
        piece.answers[row] = {own: text_of(rest.pop(own))}


def _controls(given: Given, members: list[int]) -> Piece:
    """Give controls of the whole task."""
    piece = Piece(given, Shaped("classification"), members, [UNSET] * given.n)
    for row, region in enumerate(given.regions):
        type_ = region.main.type.lower()
        raw = region.main.value
        try:
            rest = members_of(raw)
        except msgspec.DecodeError:
            given.refusals.add_flaw(row, Flaw(Code.BAD_VALUE, ".value", "must be an object", any_of(raw)))
            continue
        if type_ == forms.CHAT:
            piece.answers[row] = {forms.CHAT: text_of(raw)}
            continue
        own = forms.own_member(type_)
        if own in rest:
            piece.answers[row] = {forms.attribute_of(type_): text_of(rest.pop(own))}
        elif type_ not in forms.CONTROLS:
            given.flagged[UNKNOWN_TYPE] += 1
        piece.shaped.keep(row, members_text(rest))
    return piece
