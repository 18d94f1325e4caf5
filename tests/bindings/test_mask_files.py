"""Mask files of several kinds in one chunk: those that are traced together keep the order of the others."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from predarrow.formats.masks import read_masks
from predarrow.report import Code
from tests.mask_files import noise, write_mask


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _wrong_stream(height: int, width: int) -> bytes:
    """Give a PNG file whose chunks are whole and whose stream's checksum is wrong."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    stream = zlib.compress(bytes(height * (width + 1)))
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", stream[:-1] + b"\xff") + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _folder(folder: Path) -> dict[str, Code]:
    """Write good files of three kinds and bad ones between them; give the bad ones' names in order."""
    for number in range(12):
        name = f"{number:02}"
        mask = noise(20, 30, 4, number)
        if number == 5:
            mask = noise(21, 31, 4, number)
        write_mask(folder / f"{name}.png", mask.astype(np.uint16) if number == 7 else mask)
    (folder / "02.png").write_bytes(_wrong_stream(20, 30))
    (folder / "03.png").write_bytes(b"text")
    (folder / "08.png").write_bytes((folder / "08.png").read_bytes()[:-5])
    (folder / "11.png").write_bytes(_wrong_stream(20, 30))
    return {"02": Code.DAMAGED, "03": Code.NOT_PNG, "08": Code.DAMAGED, "11": Code.DAMAGED}


@pytest.mark.parametrize("limit", [1 << 22, 100])
def test_files_of_a_chunk_come_out_as_each_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    bad = _folder(tmp_path)
    monkeypatch.setattr("predarrow.formats.mask_files._FLUSH_VERTICES", limit)
    reader = read_masks(tmp_path, workers=1, on_error="skip")
    rows = reader.read_all().to_pylist()
    assert [(Path(problem.source).stem, problem.code) for problem in reader.report.problems] == [*bad.items()]
    good = [path for path in sorted(tmp_path.glob("*.png")) if path.stem not in bad]
    assert rows == [row for path in good for row in read_masks(path).read_all().to_pylist()]
