"""A sample that is made on the spot: street scenes as label masks and images, imported and drawn."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.data_units import DataUnits
from predarrow.errors import PredarrowError
from predarrow.formats.staging import explained
from predarrow.gallery import gallery, images_in_folder, ontology_colours
from predarrow.imports import ImportResult, import_mask_predictions
from predarrow.ontology import Ontology
from predarrow.pipeline import Progress
from predarrow.project import Project
from predarrow.show import write_picture

CLASSES = {
    "road": "#804080",
    "sidewalk": "#F423E8",
    "building": "#C8B49B",
    "vegetation": "#6B8E23",
    "sky": "#46B4E6",
    "car": "#2850FF",
    "pedestrian": "#FF3C3C",
    "traffic sign": "#FFDC00",
}
"""Names and colours of the pixel values 1, 2, … of the sample's masks; 0 is background."""

_ROAD, _SIDEWALK, _BUILDING, _VEGETATION, _SKY, _CAR, _PEDESTRIAN, _SIGN = range(1, 9)
_HEIGHT, _WIDTH = 512, 1024
_IMAGES, _FRAMES = 6, 6
_MARKER = ".predarrow-demo"

# Blue, green, red of the "photos".
_PAINT = np.array(
    [
        (40, 40, 40),
        (96, 92, 90),
        (150, 145, 150),
        (95, 110, 135),
        (60, 110, 70),
        (225, 190, 150),
        (70, 50, 120),
        (120, 90, 70),
        (60, 190, 220),
    ],
    np.uint8,
)


class DemoResult(NamedTuple):
    """What the demo made."""

    folder: Path
    project: Path
    picture: Path
    n_masks: int
    result: ImportResult
    counts: Counter[str]
    """Predictions by class name."""
    seconds: float
    """That the import took."""


def run_demo(folder: str | Path = "predarrow-demo", *, progress: Progress | None = None) -> DemoResult:
    """Make sample masks and images, import them into a new project, draw a picture; tell what came of it.

    Args:
        folder: made anew; replaced only where the demo made it.
        progress: of the import.

    Raises:
        PredarrowError: the folder holds something else, or cannot be written to.
    """
    folder = Path(folder)
    with explained(folder):
        _clear(folder)
        n_masks = _write_sample(folder)
    project = Project.create(
        folder / "project",
        ontology=_ontology(),
        data_units=DataUnits.read(folder / "data_units.csv"),
        name="demo",
    )
    mapping = {thing.feature_hash: value for value, thing in enumerate(project.ontology.objects, 1)}
    (folder / "predictions" / "ontology_mapping.json").write_text(json.dumps(mapping, indent=2), "utf-8")
    start = time.perf_counter()
    result = import_mask_predictions(project, folder / "predictions", progress=progress)
    seconds = time.perf_counter() - start
    with project.scan(columns=["class_name"]) as rows:
        counts = Counter(name for batch in rows for name in batch["class_name"].to_pylist())
    picture = folder / "overlay.png"
    colours = ontology_colours(project.ontology)
    shown = gallery(_some_images(project), images_in_folder(folder / "images"), colours=colours)
    write_picture(shown.picture, picture)
    return DemoResult(folder, project.path, picture, n_masks, result, counts, seconds)


def _ontology() -> Ontology:
    structure = Ontology.from_classes(list(CLASSES)).to_dict()
    for thing in structure["objects"]:
        thing["color"] = CLASSES[thing["name"]]
    return Ontology.from_dict(structure)


def _clear(folder: Path) -> None:
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        if not (folder / _MARKER).is_file():
            raise PredarrowError(f"{folder}: must be a new or empty folder, or one that the demo made")
        shutil.rmtree(folder)
    for name in ("", "images", "predictions"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / _MARKER).touch()


def _write_sample(folder: Path) -> int:
    """Write images, masks and the data units' table; give the number of masks."""
    lines = ["id,title,kind,width,height,n_frames"]
    rng = np.random.default_rng(2024)
    for number in range(_IMAGES):
        title = f"street_{number}"
        lines.append(f"{title},{title}.jpg,image,{_WIDTH},{_HEIGHT},1")
        _write_pair(folder, title, _street(rng)(0), rng)
    lines.append(f"drive,drive.mp4,video,{_WIDTH},{_HEIGHT},{_FRAMES}")
    at = _street(rng)
    for frame in range(_FRAMES):
        _write_pair(folder, f"drive__{frame}", at(frame), rng)
    (folder / "data_units.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return _IMAGES + _FRAMES


def _write_pair(folder: Path, name: str, mask: npt.NDArray[np.uint8], rng: np.random.Generator) -> None:
    _write_image(folder / "predictions" / f"{name}.png", mask)
    _write_image(folder / "images" / f"{name}.jpg", _photo(mask, rng))


def _write_image(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    _, data = cv2.imencode(path.suffix, pixels)
    path.write_bytes(data.tobytes())  # raises what is wrong, where OpenCV's own writing only says that something is


def _photo(mask: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Paint a mask with soft light and grain, so that it looks like the image it could come from."""
    light = np.linspace(1.15, 0.75, mask.shape[0])[:, None, None]
    grain = rng.normal(0, 6, (*mask.shape, 1))
    painted = _PAINT[mask] * light + grain
    return np.asarray(cv2.GaussianBlur(np.clip(painted, 0, 255).astype(np.uint8), (5, 5), 0), np.uint8)


def _street(rng: np.random.Generator) -> Callable[[int], npt.NDArray[np.uint8]]:
    """Give a scene: frame -> mask. Cars and people move from frame to frame, the rest stays."""
    ground = _ground(rng)
    movers = list(_movers(rng))

    def at(frame: int) -> npt.NDArray[np.uint8]:
        mask = ground.copy()
        for value, x, y, size, speed in movers:  # from far to near
            x_now = round(x + speed * frame)
            (_car if value == _CAR else _person)(mask, x_now, y, size)
        return mask

    return at


def _ground(rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    mask = np.full((_HEIGHT, _WIDTH), _SKY, np.uint8)
    horizon, middle = 230, _WIDTH // 2 + int(rng.integers(-80, 80))
    x = 0
    while x < _WIDTH:
        width, top = int(rng.integers(70, 170)), int(rng.integers(40, 180))
        if abs(x + width / 2 - middle) > 90:
            mask[top:horizon, x : x + width] = _BUILDING
        x += width + int(rng.integers(0, 25))
    mask[horizon:] = _SIDEWALK
    road = [(middle - 30, horizon), (middle + 30, horizon), (_WIDTH + 160, _HEIGHT), (-160, _HEIGHT)]
    cv2.fillPoly(mask, [np.array(road, np.int32)], _ROAD)
    for _ in range(int(rng.integers(4, 8))):
        _tree(mask, int(rng.integers(0, _WIDTH)), horizon + 10, int(rng.integers(25, 55)), rng)
    for _ in range(3):
        _sign(mask, int(rng.choice([rng.integers(40, 300), rng.integers(720, 980)])), horizon + 60)
    mask[_HEIGHT - 24 :, 300:724] = 0  # the bonnet of the own car is background
    return mask


def _movers(rng: np.random.Generator) -> Iterator[tuple[int, float, int, int, float]]:
    """Class, x, y of the feet, size and pixels per frame, from far to near."""
    places = sorted(float(depth) for depth in rng.uniform(0.08, 1, 12))
    for depth in places:
        y = 240 + round(depth * 190)
        if rng.random() < 0.5:
            reach = 60 + 380 * depth
            yield _CAR, _WIDTH / 2 + float(rng.uniform(-reach, reach)), y, round(14 + 60 * depth), 25 * depth
        else:
            side = 1 if rng.random() < 0.5 else -1
            x = _WIDTH / 2 + side * (120 + 360 * float(rng.random()))
            yield _PEDESTRIAN, x, y, round(14 + 60 * depth), -side * 10 * depth


def _car(mask: npt.NDArray[np.uint8], x: int, y: int, size: int) -> None:
    half = round(size * 1.1)
    cv2.rectangle(mask, (x - half, y - round(size * 0.55)), (x + half, y - size // 6), _CAR, cv2.FILLED)
    roof = [(x - half * 3 // 4, y - size // 2), (x - half // 2, y - size), (x + half // 2, y - size)]
    roof.append((x + half * 3 // 4, y - size // 2))
    cv2.fillPoly(mask, [np.array(roof, np.int32)], _CAR)
    for wheel in (x - half * 2 // 3, x + half * 2 // 3):
        cv2.circle(mask, (wheel, y - size // 6), max(1, size // 6), _CAR, cv2.FILLED)


def _person(mask: npt.NDArray[np.uint8], x: int, y: int, size: int) -> None:
    cv2.ellipse(mask, (x, y - size // 2), (max(1, size // 6), size * 2 // 5), 0, 0, 360, _PEDESTRIAN, cv2.FILLED)
    cv2.circle(mask, (x, y - size), max(1, size // 8), _PEDESTRIAN, cv2.FILLED)


def _tree(mask: npt.NDArray[np.uint8], x: int, y: int, size: int, rng: np.random.Generator) -> None:
    cv2.rectangle(mask, (x - size // 10, y - size * 2), (x + size // 10, y), _VEGETATION, cv2.FILLED)
    for _ in range(6):
        dx, dy = (int(offset) for offset in rng.integers(-size // 2, size // 2 + 1, 2))
        cv2.circle(mask, (x + dx, y - size * 2 + dy), size // 2, _VEGETATION, cv2.FILLED)
    cv2.circle(mask, (x, y - size * 2), size // 8, _SKY, cv2.FILLED)  # a gap in the leaves: a hole


def _sign(mask: npt.NDArray[np.uint8], x: int, y: int) -> None:
    cv2.line(mask, (x, y), (x, y - 70), _SIGN, 3)
    cv2.circle(mask, (x, y - 84), 14, _SIGN, cv2.FILLED)


def _some_images(project: Project) -> Iterator[pa.RecordBatch]:
    """Two frames of the video and four images."""
    yield from project.scan(data_unit="drive", frame=[0, _FRAMES - 1])
    yield from project.scan(data_unit=[f"street_{number}" for number in range(4)])
