"""Labels that cannot stand beside each other: an object twice on a frame, a question answered twice."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from predarrow.labels.shapes import Bools, Ints
from predarrow.labels.sheet import NONE, Labels, Sheet, labels_of
from predarrow.ordering import keys

TWICE = "must have one geometry on a frame, got a second one"
ANSWERED_TWICE = "must be answered once on a frame, got a second answer"


class Overlap(NamedTuple):
    """A label that cannot stand beside another."""

    number: int
    """Its running number in the sheet"""
    message: str


class Placed(NamedTuple):
    """Labels, n columns each."""

    object: Ints
    """Place among the sheet's objects, NONE where it is not there"""
    unit: Ints
    feature: Ints
    """Place among the sheet's features, NONE where it is not there"""
    frame: Ints
    is_answer: Bools
    """Whether it is a classification's"""


def placed(sheet: Sheet) -> tuple[Ints, Placed]:
    """Give a sheet's labels and their running numbers."""
    groups = [labels_of(group) for group in sheet.every_group()]
    labels = Labels(*(np.concatenate(columns) for columns in zip(*groups, strict=True)))
    is_answer = np.arange(len(labels.number)) >= len(labels.number) - len(groups[-1].number)
    features = np.frombuffer(sheet.object_features, np.int64)[labels.object]
    return labels.number, Placed(labels.object, labels.unit, features, labels.frame, is_answer)


def answer_keys(sheet: Sheet, labels: Placed) -> Ints:
    """Give a number for each answer to a classification of the sheet, the same for the same unit, class and frame."""
    where = labels.is_answer & (labels.feature != NONE)
    return keys(labels.unit[where] * len(sheet.features) + labels.feature[where], labels.frame[where])


def overlaps(sheet: Sheet) -> list[Overlap]:
    """Give the labels of a sheet that overlap an earlier one of it."""
    number, labels = placed(sheet)
    answered = number[labels.is_answer]
    return [
        *(Overlap(at, TWICE) for at in _repeated(number, keys(labels.object, labels.frame))),
        *(Overlap(at, ANSWERED_TWICE) for at in _repeated(answered, answer_keys(sheet, labels))),
    ]


def _repeated(numbers: Ints, values: Ints) -> list[int]:
    """Give the numbers of values that stood before."""
    first = np.unique(values, return_index=True)[1]
    again = np.ones(len(values), np.bool_)
    again[first] = False
    repeated: list[int] = numbers[again].tolist()
    return repeated
