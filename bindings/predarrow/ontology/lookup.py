"""Nodes by hash or by name, in one step, with an error that names what may have been meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

from predarrow.errors import OntologyError
from predarrow.ontology.checks import near_or_all

N = TypeVar("N")


class Entry(NamedTuple, Generic[N]):
    """A node among those that are looked up."""

    key: str
    node: N
    told: str
    """How an error tells it from others with the same key."""
    group: str = ""
    """What a look-up may be narrowed to: a shape, or a class."""


class Lookup(Generic[N]):
    """Nodes of one kind by one of their fields.

    Args:
        kind: what the nodes are, in the singular and plural, for errors.
        field: what the key is.
        entries: the nodes; several may have the same key.
    """

    def __init__(self, kind: tuple[str, str], field: str, entries: Iterable[Entry[N]]) -> None:
        self._kind = kind
        self._field = field
        self._entries: dict[str, list[Entry[N]]] = {}
        for entry in entries:
            self._entries.setdefault(entry.key, []).append(entry)

    def one(self, key: str, group: str | None = None, of_group: str = "") -> N:
        """Give the node that has the key.

        Args:
            key: the field's value.
            group: only nodes of this group, where it is given.
            of_group: how an error tells that group.

        Raises:
            OntologyError: no node has it, or several that differ.
        """
        found = self.every(key, group, of_group)
        if len(found) == 1 or all(entry.node == found[0].node for entry in found):
            return found[0].node
        told = ", ".join(entry.told for entry in found)
        raise OntologyError(f"ontology: {len(found)} {self._kind[1]} have the {self._field} {key!r}{of_group}: {told}")

    def every(self, key: str, group: str | None = None, of_group: str = "") -> list[Entry[N]]:
        """Give each node that has the key, with the arguments and the first error of `one`."""
        found = self._entries.get(key, [])
        if group is not None:
            found = [entry for entry in found if entry.group == group]
        if not found:
            entries = (entry for same in self._entries.values() for entry in same if group in (None, entry.group))
            hint = near_or_all(str(key), list(dict.fromkeys(entry.key for entry in entries)))
            raise OntologyError(f"ontology: no {self._kind[0]} has the {self._field} {key!r}{of_group}{hint}")
        return found
