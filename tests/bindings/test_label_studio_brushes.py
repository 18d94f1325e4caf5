"""Masks in Label Studio's brushes, from the table to the file and back, with the SDK's own encoder as the judge."""

from __future__ import annotations

import base64
import io
import json
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from PIL import Image

from predarrow import PredarrowError, read_label_studio
from predarrow.formats.label_studio.write import write_label_studio
from predarrow.table import SCHEMA
from predarrow_engine.rle import encode
from tests import naive_brush as naive
from tests.images import voronoi

Mask = npt.NDArray[np.bool_]

_BLOBS: Mask = voronoi(90, 120, 7, 2, 1) == 1
_MASKS: list[Mask] = [_BLOBS, ~_BLOBS, np.ones((90, 120), np.bool_), np.eye(90, 120, dtype=np.bool_)]


def region(rle: Any, mask: Mask, **members: Any) -> dict[str, Any]:
    value = {"format": "rle", "rle": rle, "brushlabels": ["car"]}
    height, width = mask.shape
    ends = {"from_name": "brush", "to_name": "image", "type": "brushlabels", "value": value}
    return {"id": "r", "original_width": width, "original_height": height, **ends, **members}


def write(folder: Path, *regions: dict[str, Any], **options: Any) -> Path:
    path = folder / "tasks.json"
    regions_with_ids = [{**each, "id": f"r{place}"} for place, each in enumerate(regions)]
    path.write_text(
        json.dumps([{"data": {"image": "a.png"}, "predictions": [{"result": regions_with_ids}]}], **options)
    )
    return path


def counts_of(table: pa.Table) -> list[bytes]:
    return [mask["counts"] for mask in table["mask"].to_pylist()]


@pytest.mark.parametrize("options", [{}, {"indent": 2}, {"separators": (",", ":")}])
def test_masks_of_bytes_that_others_wrote(tmp_path: Path, options: dict[str, Any]) -> None:
    path = write(tmp_path, *(region(list(naive.encode(mask)), mask) for mask in _MASKS), **options)
    table = read_label_studio(path).read_all()
    assert counts_of(table) == [encode(mask).counts.tobytes() for mask in _MASKS]
    assert table["kind"].to_pylist() == ["bitmask"] * len(_MASKS)
    assert table["bbox"].to_pylist()[2] == {"xmin": 0, "ymin": 0, "xmax": 120, "ymax": 90}


def test_bytes_are_those_of_the_sdk(tmp_path: Path) -> None:
    peer = pytest.importorskip("label_studio_sdk.converter.brush", reason="the SDK is not installed")
    read = read_label_studio(write(tmp_path, *(region(list(naive.encode(mask)), mask) for mask in _MASKS))).read_all()
    fresh = read.set_column(read.schema.get_field_index("attributes"), "attributes", pa.nulls(len(read), pa.string()))
    result = write_label_studio(fresh.cast(SCHEMA), tmp_path / "new.json")
    (task,) = json.loads(result.paths[0].read_text())
    written = [each["value"]["rle"] for each in task["predictions"][0]["result"]]
    assert written == [peer.mask2rle(mask.astype(np.uint8) * 255) for mask in _MASKS]
    again = read_label_studio(result.paths[0]).read_all()
    assert counts_of(again) == counts_of(read)


def test_the_threshold_tells_what_is_inside(tmp_path: Path) -> None:
    soft = np.array([[0, 1, 127], [128, 254, 255]])
    chunks = [naive.Chunk(0, 4, (value,), True) for value in soft.ravel().tolist()]
    path = write(tmp_path, region(list(naive.pack(chunks, 24)), soft == 0))
    for threshold in (1, 128, 255):
        reader = read_label_studio(path, threshold=threshold)
        assert counts_of(reader.read_all()) == [encode(soft >= threshold).counts.tobytes()]
        assert sum(reader.report.flagged.values()) == 1


@pytest.mark.parametrize(
    ("rle", "place", "rule"),
    [
        ([0, 0, 0, 256], "rle[3]", "must be whole numbers from 0 to 255, got 256"),
        ([0, -1], "rle[1]", "got -1"),
        ([0, 1.5], "rle[1]", "got 1.5"),
        ([None], "rle[0]", "got None"),
        ("AAAA", "rle", "got 'AAAA'"),
        (None, "rle", "got None"),
        ([], "rle", "must have a header of 7 bytes, got 0"),
        (list(naive.encode(_BLOBS.T[:-1])), "rle", "= 90 x 120 x 4 = 43200 values, got 42840"),
        (
            list(naive.encode(_BLOBS)[:-9]),
            f"rle[{len(naive.encode(_BLOBS)) - 10}]",
            "must hold 43200 values, got bytes that end before",
        ),
        (list(naive.pack([naive.Chunk(3, 65536, (255,), True)], 43200)), "rle[6]", "must hold 43200 values, got more"),
        (list(naive.pack([], 43200, 9)), "rle", "values of at most 8 bits, got 9"),
    ],
)
def test_bytes_that_are_refused(tmp_path: Path, rle: Any, place: str, rule: str) -> None:
    path = write(tmp_path, region(list(naive.encode(_BLOBS)), _BLOBS), region(rle, _BLOBS))
    pointer = r"result\[1\]\.value\." + place.replace("[", r"\[").replace("]", r"\]")
    with pytest.raises(PredarrowError, match=f"{pointer}: .*{rule}"):
        read_label_studio(path).read_all()
    kept = read_label_studio(path, on_error="skip").read_all()
    assert counts_of(kept) == [encode(_BLOBS).counts.tobytes()]


def bitmask(data: bytes, **members: Any) -> dict[str, Any]:
    value = {"imageDataURL": "data:image/png;base64," + base64.b64encode(data).decode()}
    return {"from_name": "mask", "to_name": "image", "type": "bitmask", "value": value, **members}


def test_no_room_is_made_for_an_image_of_another_size(tmp_path: Path) -> None:
    image = io.BytesIO()
    Image.new("RGBA", (2048, 2048)).save(image, "PNG")
    path = write(tmp_path, bitmask(image.getvalue(), original_width=3, original_height=1))
    reader = read_label_studio(path, workers=1)
    tracemalloc.start()
    try:
        with pytest.raises(PredarrowError, match=r"must be 1 x 3 \(height x width\) as the image is, got 2048 x 2048"):
            reader.read_all()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2048 * 2048


def test_images_that_are_too_large_or_no_base64_tell_what_was_met(tmp_path: Path) -> None:
    image = io.BytesIO()
    Image.new("RGBA", (3, 1)).save(image, "PNG")
    header = struct.pack(">II", 60000, 60000) + image.getvalue()[24:29]
    checksum = struct.pack(">I", zlib.crc32(b"IHDR" + header))
    large = image.getvalue()[:16] + header + checksum + image.getvalue()[33:]
    with pytest.raises(PredarrowError, match=r"at most 268435456 pixels, got 60000 x 60000$"):
        read_label_studio(write(tmp_path, bitmask(large))).read_all()
    odd = bitmask(b"")
    odd["value"]["imageDataURL"] += "!!!"
    with pytest.raises(PredarrowError, match=r"must be base64 behind its comma .*, got '!!!'"):
        read_label_studio(write(tmp_path, odd)).read_all()
