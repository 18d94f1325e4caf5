"""`import predarrow` and `predarrow --help` load little, whatever is added."""

from __future__ import annotations

import json
import subprocess
import sys

import predarrow

HEAVY = {"numpy", "numba", "cv2", "deltalake", "pyarrow", "rich"}

_LOADED = """
import json, sys
before = set(sys.modules)
{what}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def _loaded(what: str) -> set[str]:
    """Give the modules that a statement loads in a new process; benchmarks/measures.py has the times."""
    command = [sys.executable, "-c", _LOADED.format(what=what)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return set(json.loads(output.splitlines()[-1]))


def test_import_is_cheap() -> None:
    modules = _loaded("import predarrow")
    assert {name.partition(".")[0] for name in modules} - sys.stdlib_module_names == {"predarrow"}
    assert {name for name in modules if name.startswith("predarrow")} == {"predarrow"}


def test_help_is_cheap() -> None:
    modules = _loaded("from predarrow.cli.app import run; run(['import', 'masks', '--help']); run(['--help'])")
    assert not HEAVY & modules


def test_every_public_name_is_there() -> None:
    for name in predarrow.__all__:
        assert getattr(predarrow, name) is not None
    assert set(predarrow.__all__) <= set(dir(predarrow))
    assert set(predarrow._HOMES) == set(predarrow.__all__)


def test_a_name_that_is_not_there() -> None:
    assert not hasattr(predarrow, "read_nothing")
