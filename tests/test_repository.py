"""Rules of the repository that can be checked: borders, packaging, documents."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGINE = ROOT / "engine" / "predarrow_engine"
ENGINE_FILES = sorted(ENGINE.rglob("*.py"))
_COMPILERS = {"njit", "jit", "vectorize", "guvectorize", "cfunc", "stencil", "intrinsic"}
_FILES_AND_SYSTEM = {"os", "pathlib", "io", "shutil", "tempfile", "subprocess", "mmap", "glob"}


def _names_of(path: Path) -> Iterator[str]:
    """Top-level name of every module that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield (node.module or "").partition(".")[0]


def _project() -> dict[str, object]:
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert isinstance(content, dict)
    return content


@pytest.mark.parametrize("path", ENGINE_FILES, ids=lambda path: path.stem)
def test_engine_knows_arrays_only(path: Path) -> None:
    imported = set(_names_of(path))
    allowed = {"numpy", "numba", "llvmlite", "predarrow_engine", *sys.stdlib_module_names}
    assert imported <= allowed
    if path.name != "_jit.py":  # which keeps compiled kernels on disk
        assert not imported & _FILES_AND_SYSTEM


@pytest.mark.parametrize("path", ENGINE_FILES, ids=lambda path: path.stem)
def test_kernels_are_compiled_in_one_place(path: Path) -> None:
    """Options and cache of a kernel are `_jit`'s; LLVM's instructions stand in `_simd…`, C's functions in `_system`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    used |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    if path.name != "_jit.py" and not path.name.startswith("_simd"):
        assert not used & _COMPILERS
    assert "ExternalFunction" not in used or path.name == "_system.py"


def test_import_loads_nothing_heavy() -> None:
    code = "import sys, predarrow; print(*{'numba', 'cv2', 'deltalake', 'numpy', 'rich'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(loaded.stdout.split()) <= {"numpy"}


def test_wheel_holds_both_packages_and_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    folders = {name.split("/")[0] for name in names}
    assert {name for name in folders if not name.endswith(".dist-info")} == {"predarrow", "predarrow_engine"}
    assert {"predarrow/py.typed", "predarrow_engine/py.typed"} <= set(names)
    sources = {
        path.relative_to(root).as_posix()
        for root in (ROOT / "engine", ROOT / "bindings")
        for path in root.rglob("*.py")
    }
    packed = {name for name in names if name.startswith("predarrow") and name.endswith(".py")}
    assert packed == sources
    assert not [name for name in names if name.endswith((".nbi", ".nbc", ".pyc"))]


def quick_start() -> list[str]:
    """Command lines of the README's first block under "Quick start"."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Quick start")[2]
    block = section.split("```")[1]
    return [line for line in block.splitlines()[1:] if line.strip() and not line.startswith("#")]


def test_quick_start_has_two_lines() -> None:
    first, second = quick_start()
    assert "predarrow demo" in first
    assert "pytest" in second


def test_continuous_integration_runs_the_readmes_lines() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "README.md" in script
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def _requirement_names() -> list[str]:
    project = _project()
    extras = project["optional-dependencies"]
    assert isinstance(extras, dict)
    lists = [project["dependencies"], *extras.values()]
    names = {re.split(r"[\[<>=!~; ]", entry)[0] for entries in lists for entry in entries}
    return sorted(names - {"predarrow"})


@pytest.mark.parametrize("name", _requirement_names())
def test_every_dependency_has_its_reason(name: str) -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| `{re.escape(name)}` \| .{{10,}} \|$", page, re.MULTILINE)


def test_version_is_the_same_everywhere() -> None:
    import predarrow

    assert predarrow.__version__ == _project()["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {predarrow.__version__}" in changelog


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_into_the_repository_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)", text) if "://" not in target]
    assert [target for target in targets if not (ROOT / target).exists()] == []
