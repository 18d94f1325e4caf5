from __future__ import annotations

import csv

import pytest

from predarrow.errors import InputError
from predarrow.formats.masks import MaskFileOptions, read_masks
from tests.corpus import corpus_path, corpus_root


def _expected() -> list[dict[str, str]]:
    root = corpus_root()
    path = root / "masks" / "EXPECTED.csv" if root else None
    return list(csv.DictReader(path.read_text("utf-8").splitlines())) if path and path.exists() else []


@pytest.mark.parametrize("line", _expected() or [None], ids=lambda line: line["file"] if line else "none")
def test_real_masks_have_their_components(line: dict[str, str] | None) -> None:
    path = corpus_path("masks", "EXPECTED.csv") if line is None else corpus_path(*line["file"].split("/"))
    assert line is not None
    if not line["components_8conn"]:
        is_single_channel = line["nonzero_values"].isdecimal()
        options = MaskFileOptions(max_classes=300) if is_single_channel else MaskFileOptions()
        with pytest.raises(InputError):
            read_masks(path, **options).read_all()
        return
    counts = {8: int(line["components_8conn"]), 4: int(line["components_4conn"])}
    eight, four = (read_masks(path, connectivity=connectivity).read_all() for connectivity in (8, 4))
    assert {8: eight.num_rows, 4: four.num_rows} == counts
    assert len(set(eight["class_name"].to_pylist())) == int(line["nonzero_values"])
    assert read_masks(path, encord_active=True).read_all().num_rows == int(line["external_kept_by_encord_filter"])
    filled = read_masks(path, holes="fill", outline="center").read_all()
    assert filled.num_rows == int(line["cv2_external_contours"])
    assert set(eight["image_width"].to_pylist()) == {int(line["width"])}
    assert set(eight["image_height"].to_pylist()) == {int(line["height"])}
