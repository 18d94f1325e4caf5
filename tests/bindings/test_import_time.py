"""`import predarrow` and `predarrow --help` stay cheap, whatever is added."""

from __future__ import annotations

import json
import subprocess
import sys

import predarrow

HEAVY = {"numpy", "numba", "cv2", "deltalake", "pyarrow", "rich"}

_MEASURE = """
import json, sys, time
before = set(sys.modules)
start = time.perf_counter()
{what}
seconds = time.perf_counter() - start
print(json.dumps([seconds, sorted(set(sys.modules) - before)]))
"""


def _measured(what: str) -> tuple[float, set[str]]:
    runs = []
    for _ in range(3):  # the best: other processes may hold the machine
        command = [sys.executable, "-c", _MEASURE.format(what=what)]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        runs.append(json.loads(output.splitlines()[-1]))
    return min(seconds for seconds, _ in runs), set(runs[0][1])


def test_import_is_cheap() -> None:
    seconds, modules = _measured("import predarrow")
    assert not HEAVY & modules
    assert seconds < 0.05


def test_help_is_cheap() -> None:
    what = "from predarrow.cli.app import run; run(['import', 'masks', '--help']); run(['--help'])"
    seconds, modules = _measured(what)
    assert not HEAVY & modules
    assert seconds < 0.2


def test_every_public_name_is_there() -> None:
    for name in predarrow.__all__:
        assert getattr(predarrow, name) is not None
    assert set(predarrow.__all__) <= set(dir(predarrow))
    assert set(predarrow._HOMES) == set(predarrow.__all__)


def test_a_name_that_is_not_there() -> None:
    assert not hasattr(predarrow, "read_nothing")
