"""What can go wrong, as one tree.

PredarrowError(ValueError)        root of every error that input can cause
├── InputError                    files or arrays that cannot be read; `.problems` lists them
├── OutputError                   a file that cannot be written: full disk, no permission
├── OntologyError                 an ontology or a mapping that does not hold
└── ProjectError                  a folder that is no project, a set or version that is not there
    └── CommitConflictError       another process committed first, and went on doing so
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from predarrow.report import Problem

_LISTED = 10


class PredarrowError(ValueError):
    """Root of every error that input can cause."""


class InputError(PredarrowError):
    """Input that cannot be read. `problems` holds all of them, the message the first ten."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = [str(problem) for problem in self.problems[:_LISTED]]
        if len(self.problems) > _LISTED:
            lines.append(f"… and {len(self.problems) - _LISTED} more")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class OutputError(PredarrowError):
    """A file that cannot be written: the disk is full, or the folder does not allow it."""


class OntologyError(PredarrowError):
    """An ontology or a mapping onto one that does not hold."""


class ProjectError(PredarrowError):
    """A folder that is no project, or a prediction set or version that is not there."""


class CommitConflictError(ProjectError):
    """Another process committed to the same prediction set first, in every attempt."""
