"""Fields of the structure's JSON, checked where they stand.

`where` is always a file and the pointer of a node, `ontology.json: $.objects[3]`; what is refused is told as
`ontology.json: $.objects[3].shape: rule, got value`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from numbers import Real
from typing import Any, SupportsFloat, TypeGuard

from predarrow.errors import OntologyError
from predarrow.refusals import shown

Node = Mapping[str, Any]


def members(node: Node, key: str, where: str) -> list[tuple[Node, str]]:
    """Give the objects of a list with the pointer of each; none where the key is absent or null."""
    value = node.get(key)
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        raise OntologyError(f"{where}.{key}: must be a list, got {type(value).__name__}")
    return [(mapping(member, f"{where}.{key}[{i}]"), f"{where}.{key}[{i}]") for i, member in enumerate(value)]


def mapping(value: Any, where: str) -> Node:
    """Give a value that must be a JSON object."""
    if not isinstance(value, Mapping):
        raise OntologyError(f"{where}: must be an object, got {type(value).__name__}")
    return value


def text(node: Node, key: str, where: str) -> str:
    """Give a text that must be there."""
    value = node.get(key)
    if not isinstance(value, str) or not value:
        raise OntologyError(f"{where}.{key}: must be a text that is not empty, got {shown(value)}")
    return writable(value, f"{where}.{key}")


def text_or(node: Node, key: str, where: str, default: str = "") -> str:
    """Give a text that may be absent, null or empty."""
    value = node.get(key)
    if value is None:
        return default
    if not isinstance(value, str):
        raise OntologyError(f"{where}.{key}: must be a text, got {shown(value)}")
    return writable(value, f"{where}.{key}")


def writable(value: str, where: str) -> str:
    """Give a text that must be Unicode: half of a surrogate pair has no place in UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise OntologyError(f"{where}: must be Unicode text, got {shown(value)}") from error
    return value


def flag(node: Node, key: str, where: str) -> bool:
    """Give a flag; absent and null are false."""
    value = node.get(key)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise OntologyError(f"{where}.{key}: must be true or false, got {shown(value)}")


def number(node: Node, key: str, where: str) -> float:
    """Give a finite number that must be there."""
    value = node.get(key)
    if not is_finite(value):
        raise OntologyError(f"{where}.{key}: must be a finite number, got {shown(value)}")
    return float(value)


def is_finite(value: Any) -> TypeGuard[SupportsFloat]:
    """Tell whether a value is a number, no truth value, that a float64 can hold."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return isfinite(value)
    except OverflowError:  # an integer beyond float64
        return False


def once(places: Iterable[tuple[str, str]], key: str, where: str) -> None:
    """Refuse a value that stands twice.

    Args:
        places: each value, and the pointer of the node that has it; an empty value may stand often.
        key: what the values are.
        where: the node that all of them stand in.
    """
    seen: dict[str, str] = {}
    for value, place in places:
        if not value:
            continue
        if (first := seen.setdefault(value, place)) != place:
            at = " and ".join(pointer.rsplit(": ", 1)[-1] for pointer in (first, place))
            raise OntologyError(f"{where}: each {key} must stand once, got {value!r} twice: {at}")


def one_of(value: str, known: Sequence[str], where: str) -> str:
    """Give a value that must be one of a few."""
    if value not in known:
        raise OntologyError(f"{where}: must be one of {', '.join(known)}, got {value!r}{near(value, known)}")
    return value


def near(value: str, known: Sequence[str]) -> str:
    """Give the end of a message that names what may have been meant, or nothing."""
    spellings = {each.casefold(): each for each in reversed(known)}  # capitals are what people often get wrong
    close = difflib.get_close_matches(value.casefold(), spellings, n=1)
    return f"; did you mean {spellings[close[0]]!r}?" if close else ""


def near_or_all(value: str, known: Sequence[str]) -> str:
    """Give the end of a message that names what may have been meant, or what there is."""
    return near(value, known) or (f"; there are {some(known)}" if known else "; there are none")


def some(values: Sequence[str], limit: int = 10) -> str:
    """Give the first values, and how many there are."""
    more = f", … ({len(values)} in all)" if len(values) > limit else ""
    return ", ".join(values[:limit]) + more
