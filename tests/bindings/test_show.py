from __future__ import annotations

import errno
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from PIL import Image

from predarrow.errors import PredarrowError
from predarrow.formats.masks import from_label_mask
from predarrow.gallery import gallery, images_in_folder, images_of_project, ontology_colours
from predarrow.imports import import_mask_predictions
from predarrow.show import class_colour, contact_sheet, draw, write_picture
from tests.images import SEED_DRAWING
from tests.mask_files import mask_project, unit, write_mapping, write_mask
from tests.project_data import batch


def _ring(size: int = 600) -> npt.NDArray[np.uint8]:
    mask = np.zeros((size, size), np.uint8)
    mask[100:500, 100:500] = 1
    mask[200:400, 200:400] = 0
    return mask


def test_holes_stay_open_and_outlines_follow_the_mask() -> None:
    image = np.full((600, 600, 3), 100, np.uint8)
    picture = draw(from_label_mask(_ring(), classes={1: "ring"}), image, labels=False)
    assert picture.shape == (600, 600, 3)
    changed = np.any(picture != 100, axis=2)
    assert changed[102:198, 102:498].all()
    assert not changed[203:397, 203:397].any()
    assert not changed[:98].any()
    assert not changed[503:].any()


def test_the_image_is_not_written_to() -> None:
    image = np.full((600, 600, 3), 100, np.uint8)
    draw(from_label_mask(_ring()), image)
    assert (image == 100).all()


def test_small_masks_are_enlarged_and_large_ones_made_smaller() -> None:
    small = draw(from_label_mask(SEED_DRAWING))
    assert small.shape == (8 * 25, 19 * 25, 3)
    large = np.zeros((100, 4000), np.uint8)
    large[20:60, 100:2000] = 1
    assert draw(from_label_mask(large)).shape == (32, 1280, 3)


def test_a_mask_that_was_made_smaller_still_lies_on_the_image() -> None:
    image = np.zeros((1200, 1200, 3), np.uint8)  # the prediction was made on half the size
    picture = draw(from_label_mask(_ring()), image, labels=False)
    changed = np.any(picture, axis=2)
    assert changed[300, 300]
    assert not changed[600, 600]
    assert not changed[100, 100]


def test_a_class_has_one_colour() -> None:
    assert class_colour("car") == class_colour("car")
    assert len({class_colour(str(number)) for number in range(50)}) > 45
    assert class_colour("car", {"car": (1, 2, 3)}) == (1, 2, 3)
    picture = draw(from_label_mask(SEED_DRAWING, classes=["", "a", "b"]), colours={"a": (0, 0, 255), "b": (0, 255, 0)})
    a, b = picture[int(1.5 * 25), int(3.5 * 25)], picture[int(3.5 * 25), int(13.5 * 25)]
    assert a[2] > a[1] + 50
    assert b[1] > b[2] + 50


def test_boxes_are_drawn_where_there_is_no_polygon() -> None:
    box = pa.array([{"xmin": 10.0, "ymin": 10.0, "xmax": 500.0, "ymax": 400.0}])
    rows = batch(1, bbox=box, polygon=pa.nulls(1), image_height=600, image_width=600)
    picture = draw(pa.Table.from_batches([rows]), np.zeros((600, 600, 3), np.uint8), labels=False)
    assert picture[200, 250].any()
    assert not picture[500, 250].any()


def test_rows_without_a_geometry_or_a_size() -> None:
    rows = pa.Table.from_batches([batch(2, polygon=pa.nulls(2))])
    assert not draw(rows, np.zeros((600, 600, 3), np.uint8)).any()
    with pytest.raises(PredarrowError, match="size"):
        draw(rows)


def test_labels_are_written_where_there_is_room() -> None:
    rows = from_label_mask(_ring(), classes={1: "ring"})
    plain, labelled = (draw(rows, labels=labels) for labels in (False, True))
    assert (plain != labelled).any()
    assert (plain[:90] == labelled[:90]).all()
    dots = np.zeros((600, 600), np.uint8)
    dots[::50, ::50] = 1
    assert (draw(from_label_mask(dots), labels=False) == draw(from_label_mask(dots), labels=True)).all()


def test_names_beyond_ascii_can_be_drawn() -> None:
    picture = draw(from_label_mask(_ring(), classes={1: "Straße 道"}))
    assert contact_sheet([("straße", picture)], Counter({"Straße 道": 3})).ndim == 3


def test_contact_sheet() -> None:
    pictures = [(str(number), np.full((100, 200, 3), 50 + number, np.uint8)) for number in range(5)]
    sheet = contact_sheet(pictures, Counter({"a": 1, "b": 2}))
    assert sheet.shape[1] >= 3 * 200
    assert all((sheet == 50 + number).all(axis=2).sum() >= 100 * 200 for number in range(5))
    many = contact_sheet(pictures, Counter({f"class {number}": 1 for number in range(60)}))
    assert many.shape[0] > sheet.shape[0]
    with pytest.raises(PredarrowError, match="at least one"):
        contact_sheet([])


def test_pictures_are_written(tmp_path: Path) -> None:
    picture = draw(from_label_mask(SEED_DRAWING))
    write_picture(picture, tmp_path / "a.png")
    assert np.array_equal(np.asarray(cv2.imread(str(tmp_path / "a.png"))), picture)
    with pytest.raises(PredarrowError, match="must be a file that can be written"):
        write_picture(picture, tmp_path / "missing" / "a.png")


def test_a_picture_that_cannot_be_written_whole_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "a.png").write_bytes(b"before")
    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(PredarrowError, match=r"a\.png: must be .+, got No space left on device"):
        write_picture(draw(from_label_mask(SEED_DRAWING)), tmp_path / "a.png")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"before"]


def test_gallery_joins_rows_of_one_image_over_batches() -> None:
    tables = [
        from_label_mask(SEED_DRAWING, data_unit=name, frame=frame) for name, frame in (("a", 0), ("a", 1), ("b", 0))
    ]
    whole = pa.concat_tables(tables).combine_chunks()
    for size in (1, 2, 4, 9):
        shown = gallery(whole.to_batches(max_chunksize=size), lambda data_unit, frame: None)
        assert (shown.n_images, shown.counts) == (3, Counter({"1": 6, "2": 3}))
        assert gallery(whole.to_batches(max_chunksize=size), lambda unit, frame: None, limit=2).counts.total() == 6
    pictures = [gallery(whole.to_batches(max_chunksize=size), lambda unit, frame: None).picture for size in (1, 9)]
    assert (pictures[0] == pictures[1]).all()


def test_images_are_found(tmp_path: Path) -> None:
    for name in ("a.jpg", "v__3.png", "b__0.png"):
        (tmp_path / name).touch()
    find = images_in_folder(tmp_path)
    assert [find(*key) for key in (("a", 0), ("a.jpg", 0), ("v", 3), ("v", 2), ("b", 0), ("a", 1))] == [
        tmp_path / "a.jpg",
        tmp_path / "a.jpg",
        tmp_path / "v__3.png",
        None,
        tmp_path / "b__0.png",
        None,
    ]


@pytest.mark.parametrize(("name", "got"), [("nowhere", "nothing"), ("a.jpg", "a file")])
def test_a_folder_of_images_that_is_none_is_refused(name: str, got: str, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    with pytest.raises(PredarrowError, match=f"must be a folder of images, got {got}"):
        images_in_folder(tmp_path / name)


@pytest.mark.parametrize("turned", [False, True])
def test_a_turned_photo_lies_under_its_mask(turned: bool, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[:, :100] = 250  # the left half, which is the upper one once turned
    Image.fromarray(pixels).save(tmp_path / "a.jpg", exif=exif)
    mask = np.zeros((200, 100) if turned else (100, 200), np.uint8)
    mask[-1, -1] = 1
    table = from_label_mask(mask, data_unit="a")
    picture = gallery(table.to_batches(), images_in_folder(tmp_path)).picture[24:]  # below the title, twice as large
    dark = picture[350, 30] if turned else picture[30, 350]
    assert picture[30, 30].min() > 240
    assert dark.max() < 10


def test_a_project_knows_its_images_and_colours(tmp_path: Path) -> None:
    image = write_mask(tmp_path / "images" / "image.jpg", np.full((8, 19, 3), 200, np.uint8))
    project = mask_project(
        tmp_path / "project", unit("u1", "image.jpg") | {"uri": str(image)}, unit("u2", "x.jpg") | {"uri": None}
    )
    write_mask(tmp_path / "masks" / "image.png")
    write_mapping(tmp_path / "masks", project)
    import_mask_predictions(project, tmp_path / "masks")
    find = images_of_project(project)
    assert (find("u1", 0), find("u1", 1), find("u2", 0), find("nobody", 0)) == (image, None, None, None)
    colours = ontology_colours(project.ontology)
    assert set(colours) == {"pedestrian", "cyclist"}
    shown = gallery(project.scan(), find, colours=colours)
    corner = shown.picture[50, 30]  # of the image, where nothing was predicted
    assert np.abs(corner.astype(int) - 200).max() <= 3


def test_nothing_to_draw_is_told() -> None:
    with pytest.raises(PredarrowError, match="nothing to draw"):
        gallery([], lambda data_unit, frame: None)
