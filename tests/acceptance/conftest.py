"""A server, a browser and a folder for the whole run."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.browser import Editor, opened
from tests.acceptance.media import served
from tests.acceptance.server import Server, running

_FIGURES = pytest.StashKey[dict[str, float]]()


@pytest.fixture(scope="session")
def figures(request: pytest.FixtureRequest) -> dict[str, float]:
    """Give the figures that the run's last lines tell; tests add to them."""
    return request.config.stash.setdefault(_FIGURES, {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell how much of the drawn and the expected pixels are the same."""
    figures = config.stash.get(_FIGURES, {})
    if figures:
        terminalreporter.section("drawn and expected pixels: intersection over union")
        for name, figure in figures.items():
            terminalreporter.write_line(f"{figure:.4f}  {name}")


@pytest.fixture(scope="session")
def cache() -> Path:
    """Give the folder that runs share: PREDARROW_ACCEPTANCE."""
    return Path(os.environ["PREDARROW_ACCEPTANCE"])


@pytest.fixture(scope="session")
def folder(cache: Path) -> Path:
    """Give the folder of this run, which stays: its files, screenshots and the server's log."""
    path = cache / "runs" / time.strftime("%Y-%m-%d_%H-%M-%S")
    path.mkdir(parents=True)
    return path


@pytest.fixture(scope="session")
def server(cache: Path, folder: Path) -> Iterator[Server]:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # else the server would outlive a run that is ended
    with running(cache, folder) as started:
        yield started


@pytest.fixture(scope="session")
def media(folder: Path) -> Iterator[str]:
    """Give the address of the folder `media` of this run."""
    with served(folder / "media") as address:
        yield address


@pytest.fixture(scope="session")
def editor(server: Server, folder: Path) -> Iterator[Editor]:
    with opened(server, folder / "screenshots") as browser:
        yield browser
