"""Label Studio's editor in a headless Chromium: what it makes of a prediction, and what it draws."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tests.acceptance.server import USER, Server

_IS_READY = """() => {
    const chosen = window.Htx?.annotationStore?.selected;
    if (!chosen || chosen.type !== "annotation") return false;
    const tags = [...chosen.names.values()].filter(tag => tag.isObjectTag);
    return tags.length > 0 && tags.every(tag => tag.type !== "image" || (tag.imageIsLoaded && tag.stageRef));
}"""
"""The annotation that is made from the prediction is there. The prediction's own tab gives the input back unseen."""

_RESULTS = "() => Htx.annotationStore.selected.serializeAnnotation()"

_IMAGE = 'const image = [...Htx.annotationStore.selected.names.values()].find(tag => tag.type === "image");'
_SIZES = f"""() => {{
    {_IMAGE}
    image.setZoom(1);
    image.setZoomPosition(0, 0);
    return [image.naturalWidth, image.naturalHeight];
}}"""
"""Also without the zoom that the editor opens some images with: points are drawn of one size in any."""

_PLACE = f"""() => {{
    {_IMAGE}
    const stage = image.stageRef, box = stage.container().getBoundingClientRect();
    const size = [image.stageWidth * stage.scaleX(), image.stageHeight * stage.scaleY()];
    return [box.left + stage.x(), box.top + stage.y(), ...size, box.left, box.top, box.right, box.bottom];
}}"""
"""In pixels of the screen: left, top, width and height of what regions are drawn in; then left, top, right and bottom
of what is seen of it."""


@dataclass
class Editor:
    """The editor in a browser that is logged in.

    Attributes:
        page: Playwright's page.
        server: what it shows.
        folder: where screenshots go.
        faults: what scripts on the page that is open threw.
    """

    page: Any
    server: Server
    folder: Path
    faults: list[str] = field(default_factory=list)

    def open(self, project: int, task: int) -> list[dict[str, Any]]:
        """Open a task; give the results of the annotation that the editor made from its prediction."""
        self.faults.clear()
        self.page.goto(f"{self.server.url}/projects/{project}/data?task={task}", wait_until="domcontentloaded")
        self.page.wait_for_function(_IS_READY)
        self.page.wait_for_load_state("networkidle")
        results: list[dict[str, Any]] = self.page.evaluate(_RESULTS)
        return results

    def _settled(self, name: str) -> tuple[list[float], npt.NDArray[np.uint8]]:
        """Give where the image is, and a picture of the page, when neither changes any more.

        Label Studio moves and draws things anew for a while, of whose end it gives no sign.
        """
        last: npt.NDArray[np.uint8] = np.empty(0, np.uint8)
        for _ in range(_MOST_LOOKS):
            self.page.wait_for_timeout(_BETWEEN)
            place: list[float] = self.page.evaluate(_PLACE)
            picture = self.screenshot(name)
            if np.array_equal(picture, last) and place == self.page.evaluate(_PLACE):
                return place, picture
            last = picture
        raise AssertionError(f"{name}: the page must come to rest")

    def paint(self, places: Sequence[tuple[float, float]]) -> list[dict[str, Any]]:
        """Paint upon the open task with its first label and a thick brush; give the annotation's results.

        Args:
            places: where the brush goes, in parts of the image's width and height.
        """
        self.page.keyboard.press("1")
        for _ in range(_THICKER):
            self.page.keyboard.press("]")
        left, top, across, down = self.page.evaluate(_PLACE)[:4]
        points = [(left + x * across, top + y * down) for x, y in places]
        self.page.mouse.move(*points[0])
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*point, steps=8)
        self.page.mouse.up()
        self.page.wait_for_function(f"() => ({_RESULTS})().length > 0")
        results: list[dict[str, Any]] = self.page.evaluate(_RESULTS)
        return results

    def screenshot(self, name: str) -> npt.NDArray[np.uint8]:
        """Keep a picture of the whole page; give it, (height, width, 3), blue first."""
        path = self.folder / f"{name}.png"
        self.page.screenshot(path=path)
        picture = cv2.imread(str(path))
        assert picture is not None
        return picture.astype(np.uint8, copy=False)

    def drawn(self, name: str) -> npt.NDArray[np.bool_]:
        """Give the pixels that are drawn upon on the white image of the open task.

        Returns:
            (height, width) of the image itself: each pixel is what the screen shows at its centre, False at a border
            that is not seen.
        """
        width, height = self.page.evaluate(_SIZES)
        (left, top, across, down, *seen), picture = self._settled(name)
        columns = (left + (np.arange(width) + 0.5) * across / width).astype(np.int64)
        rows = (top + (np.arange(height) + 0.5) * down / height).astype(np.int64)
        is_seen = ((rows >= seen[1]) & (rows < seen[3] - 1))[:, None] & (columns >= seen[0]) & (columns < seen[2] - 1)
        darkness = 255 - picture[rows[:, None], columns].min(axis=2).astype(np.int64)
        darkness[~is_seen] = 0
        coloured = darkness[darkness > _FAINT]
        least = float(np.median(coloured)) / 2 if coloured.size else _FAINT
        result: npt.NDArray[np.bool_] = darkness > least
        return result


_FAINT = 8
"""Of 255: a quarter of the palest fill, 0.2 of a colour, and more than what rounding leaves on white."""

_BETWEEN = 300
"""Milliseconds between two looks at a page."""

_MOST_LOOKS = 60


_PATIENCE = 120_000.0
"""Milliseconds for anything on a page; 3,000 are usual."""

_THICKER = 12
"""Keys that make the brush as thick as it can be, 50 pixels on the screen."""


@contextmanager
def opened(server: Server, folder: Path) -> Iterator[Editor]:
    """Give the editor in a browser that is logged in at the server; screenshots go to `folder`."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=_chromium(), args=["--no-sandbox", "--force-color-profile=srgb"])
        try:
            page = browser.new_context(viewport={"width": 1600, "height": 1000}).new_page()
            page.set_default_timeout(_PATIENCE)
            editor = Editor(page, server, folder)
            page.on("pageerror", lambda error: editor.faults.append(str(error)))
            page.goto(server.url + "/user/login/", wait_until="domcontentloaded")
            page.fill("input[name=email]", USER)
            page.fill("input[name=password]", server.password)
            page.press("input[name=password]", "Enter")
            page.wait_for_url(lambda url: "/user/login" not in url, wait_until="domcontentloaded")
            yield editor
        finally:
            browser.close()


def _chromium() -> str | None:
    """Give Chromium's path; None for the one that `playwright install chromium` fetches."""
    return os.environ.get("PREDARROW_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
