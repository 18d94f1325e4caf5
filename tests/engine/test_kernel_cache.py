"""Compiled kernels are kept on disk, and are never out of date."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import predarrow_engine

_HELPER = """
from predarrow_engine._jit import inline

@inline
def step(value):
    return value + {step}
"""
_KERNEL = """
from predarrow_engine._jit import kernel
from predarrow_engine.probe_helper import step

@kernel
def run(value):
    return step(value)

@kernel
def run_again(value):
    return step(step(value))
"""
_MAIN = """
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from predarrow_engine.probe import run, run_again
    results = run(1), run_again(1)
loaded = sum(run.stats.cache_hits.values())
print(*results, loaded, sum("PREDARROW_CACHE_DIR" in str(warning.message) for warning in caught))
"""


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """Folder with a copy of the engine and two more files: a kernel, and its helper."""
    package = tmp_path / "predarrow_engine"
    source = Path(predarrow_engine.__file__).parent
    shutil.copytree(source, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "probe_helper.py").write_text(_HELPER.format(step=1), encoding="utf-8")
    (package / "probe.py").write_text(_KERNEL, encoding="utf-8")
    return tmp_path


def _run(engine: Path, **environment: str) -> tuple[int, ...]:
    """Results of both kernels, how often the first came from the cache, and how many warnings were given."""
    inherited = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "PREDARROW_CACHE_DIR")}
    done = subprocess.run(
        [sys.executable, "-c", _MAIN],
        check=True,
        capture_output=True,
        text=True,
        env=inherited | {"PYTHONPATH": str(engine)} | environment,
    )
    return tuple(int(number) for number in done.stdout.split())


def test_an_edited_helper_of_another_file_is_compiled_anew(engine: Path) -> None:
    assert _run(engine) == (2, 3, 0, 0)
    assert _run(engine) == (2, 3, 1, 0)
    (engine / "predarrow_engine" / "probe_helper.py").write_text(_HELPER.format(step=10), encoding="utf-8")
    assert _run(engine) == (11, 21, 0, 0)


def test_the_cache_goes_where_it_is_told(engine: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    assert _run(engine, PREDARROW_CACHE_DIR=str(folder)) == (2, 3, 0, 0)
    assert list(folder.rglob("*.nbc"))
    assert _run(engine, PREDARROW_CACHE_DIR=str(folder)) == (2, 3, 1, 0)


def test_the_cache_goes_there_even_if_numba_was_imported_before(engine: Path, tmp_path: Path) -> None:
    probe = engine / "predarrow_engine" / "probe.py"
    probe.write_text(f"import numba.core.types\n{_KERNEL}", encoding="utf-8")
    folder = tmp_path / "cache"
    assert _run(engine, PREDARROW_CACHE_DIR=str(folder)) == (2, 3, 0, 0)
    assert list(folder.rglob("*.nbc"))


def test_without_a_writable_cache_it_works_and_warns_once(engine: Path) -> None:
    blocked = engine / "file"
    blocked.write_text("a file where folders are asked for", encoding="utf-8")
    (engine / "predarrow_engine" / "__pycache__").write_text("likewise", encoding="utf-8")
    environment = {"PREDARROW_CACHE_DIR": str(blocked), "HOME": str(blocked), "XDG_CACHE_HOME": str(blocked)}
    assert _run(engine, **environment) == (2, 3, 0, 1)


_PAIR = """
from typing import NamedTuple
from predarrow_engine._jit import kernel

class {name}(NamedTuple):
    value: int

@kernel
def value_of(pair):
    return pair.value

print(value_of({name}(7)), sum(value_of.stats.cache_hits.values()))
"""


def test_a_type_that_an_upgrade_renames(engine: Path) -> None:
    """The kept kernel's types cannot be found any more: it is compiled anew, and kept again."""
    results = []
    for name in ("Old", "Old", "New", "New"):
        (engine / "predarrow_engine" / "pair.py").write_text(_PAIR.format(name=name), encoding="utf-8")
        command = [sys.executable, "-c", "import predarrow_engine.pair"]
        environment = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "PREDARROW_CACHE_DIR")}
        environment |= {"PYTHONPATH": str(engine)}
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        results.append(done.stdout.split())
    assert results == [["7", "0"], ["7", "1"], ["7", "0"], ["7", "1"]]
