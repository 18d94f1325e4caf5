"""Where the real files lie that are not part of the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).parents[2] / "shared" / "corpus"


def corpus_root() -> Path | None:
    """Give the folder of real files: PREDARROW_CORPUS, else the one beside the repository; None without."""
    named = os.environ.get("PREDARROW_CORPUS")
    root = Path(named) if named else _BESIDE
    return root if root.is_dir() else None


def corpus_path(*parts: str) -> Path:
    """Give a path in the folder of real files; the test that asks is skipped where it is not there."""
    root = corpus_root()
    if root is None:
        pytest.skip("no folder of real files: set PREDARROW_CORPUS")
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path.relative_to(root)} is not among the real files")
    return path
