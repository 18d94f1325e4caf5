"""Tasks for Label Studio's server: out of files or memory, with digests, in batches."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from predarrow.errors import InputError, PredarrowError
from predarrow.formats.flaws import Flaw
from predarrow.formats.json_files import find_files
from predarrow.formats.label_studio.documents import entries_of
from predarrow.formats.label_studio.read import SUFFIXES
from predarrow.refusals import shown
from predarrow.report import Code, Problem
from predarrow.sources import StrPath

_DIGEST = 12  # bytes; two of a million tasks have the same one once in 10 ** 17 runs


class Task(NamedTuple):
    """A task to send."""

    digest: str
    n_bytes: int
    members: Mapping[str, Any]
    """JSON values, or `msgspec.Raw` of these"""

    def value(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return {
            name: msgspec.json.decode(part) if isinstance(part, msgspec.Raw) else part
            for name, part in self.members.items()
        }


class Tasks:
    """Tasks of files or of memory, as often as they are asked for; one file's bytes are held at a time.

    Args:
        given: a file, a folder of files, or tasks.

    Raises:
        InputError: nothing to read.
        PredarrowError: neither a path nor tasks.
    """

    def __init__(self, given: StrPath | Sequence[Mapping[str, Any]]) -> None:
        self._files: list[str] | None = None
        self._memory: Sequence[Mapping[str, Any]] = ()
        if isinstance(given, str | os.PathLike):
            self._files = find_files(given, SUFFIXES)
        else:
            self._memory = _checked(given)

    def __iter__(self) -> Iterator[Task]:
        """Give the tasks.

        Raises:
            InputError: a file that cannot be read, or an entry that is no task.
        """
        if self._files is None:
            return map(_of_memory, self._memory)
        return (task for file in self._files for task in _of_file(file))


def batches(tasks: Iterator[Task], most: int, most_bytes: int) -> Iterator[list[Task]]:
    """Give tasks in their order, as many at a time as there may be; one that is larger than that alone."""
    batch: list[Task] = []
    n_bytes = 0
    for task in tasks:
        if batch and (len(batch) == most or n_bytes + task.n_bytes > most_bytes):
            yield batch
            batch, n_bytes = [], 0
        batch.append(task)
        n_bytes += task.n_bytes
    if batch:
        yield batch


def without(tasks: Iterator[Task], done: Counter[str]) -> Iterator[Task]:
    """Give the tasks that were not done, each as often as it was not."""
    left = done.copy()
    for task in tasks:
        if left[task.digest]:
            left[task.digest] -= 1
        else:
            yield task


def _checked(given: Any) -> Sequence[Mapping[str, Any]]:
    if not isinstance(given, Sequence) or not all(isinstance(task, Mapping) for task in given):
        raise PredarrowError(f"tasks: must be a path, or a list of tasks, got {shown(given)}")
    return given


def _of_file(file: str) -> Iterator[Task]:
    try:
        for entry in entries_of(file):
            if "data" not in entry.members:
                got = ", ".join(list(entry.members)[:5])
                rule = 'must be a task, {"data": …, "predictions": […]}'
                raise Flaw(Code.BAD_VALUE, entry.pointer, rule, told=f"an object with {got}")
            digest = blake2b(digest_size=_DIGEST)
            n_bytes = 2
            for name, part in entry.members.items():
                key, value = name.encode(), msgspec.json.format(bytes(part), indent=-1)
                digest.update(b"%d:%b%d:%b" % (len(key), key, len(value), value))
                n_bytes += len(key) + len(value) + 4
            yield Task(digest.hexdigest(), n_bytes, entry.members)
    except Flaw as flaw:
        raise InputError([Problem(file, None, flaw.pointer, flaw.code, flaw.message)]) from None


def _of_memory(task: Mapping[str, Any]) -> Task:
    try:
        content = msgspec.json.encode(task)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise PredarrowError(f"tasks: must be JSON's values, got {error}") from None
    return Task(blake2b(content, digest_size=_DIGEST).hexdigest(), len(content), task)
