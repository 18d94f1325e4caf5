from __future__ import annotations

import struct
import threading
import zlib
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow.errors import InputError, OntologyError, PredarrowError
from predarrow.formats.mask_table import part
from predarrow.formats.masks import PRESETS, MaskOptions, from_label_mask, read_masks
from predarrow.report import Code
from predarrow.table import SCHEMA
from tests.images import SEED_DRAWING, label_images
from tests.mask_files import noise, write_mask

Rows = list[dict[str, Any]]


def _areas(table: pa.Table) -> list[float]:
    """Shoelace areas of the rows' polygons, holes taken off."""
    areas = []
    for parts in table["polygon"].to_pylist():
        total = 0.0
        for rings in parts:
            for number, ring in enumerate(rings):
                x, y = (np.array([vertex[axis] for vertex in ring], np.float64) for axis in "xy")
                area = abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
                total += area if number == 0 else -area
        areas.append(total)
    return areas


def test_seeds_drawing_gives_three_objects() -> None:
    table = from_label_mask(SEED_DRAWING, data_unit="a", frame=3, classes={1: "pedestrian", 2: "cyclist"})
    table.validate(full=True)
    assert table.schema.equals(SCHEMA, check_metadata=True)
    rows = table.to_pylist()
    assert [(row["class_name"], row["row"]) for row in rows] == [("pedestrian", 0), ("cyclist", 1), ("pedestrian", 2)]
    assert rows[0]["bbox"] == {"xmin": 2, "ymin": 1, "xmax": 6, "ymax": 3}
    constant = {name: set(table[name].to_pylist()) for name in ("data_unit", "frame", "kind", "confidence")}
    assert constant == {"data_unit": {"a"}, "frame": {3}, "kind": {"polygon"}, "confidence": {1.0}}
    assert {(row["image_height"], row["image_width"]) for row in rows} == {(8, 19)}
    assert _areas(table) == [7, 12, 9]


def test_encord_actives_rule_gives_two() -> None:
    assert from_label_mask(SEED_DRAWING, encord_active=True).num_rows == 2


@given(label_images())
def test_areas_are_pixels_and_boxes_cover(mask: npt.NDArray[np.uint8]) -> None:
    table = from_label_mask(mask)
    table.validate(full=True)
    pixels = {str(value): int((mask == value).sum()) for value in np.unique(mask) if value}
    found: dict[str, float] = {}
    for name, area, box in zip(table["class_name"].to_pylist(), _areas(table), table["bbox"].to_pylist(), strict=True):
        found[name] = found.get(name, 0) + area
        assert 0 <= box["xmin"] < box["xmax"] <= mask.shape[1]
        assert 0 <= box["ymin"] < box["ymax"] <= mask.shape[0]
    assert found == pixels


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int8, np.uint16, np.int32, np.uint32, np.int64])
def test_any_integers_are_labels(dtype: type[np.generic]) -> None:
    mask = (SEED_DRAWING > 0).astype(dtype)
    assert from_label_mask(mask)["class_name"].to_pylist() == ["1", "1", "1"]


def test_large_and_negative_values_are_named_as_they_are() -> None:
    mask = np.array([[70_000, 0, -5, 0, 255, 0, 256]], np.int32)
    assert from_label_mask(mask)["class_name"].to_pylist() == ["70000", "-5", "255", "256"]


@pytest.mark.parametrize("mask", [np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2)), np.zeros(4, np.uint8), [["a"]]])
def test_what_is_no_label_mask_is_refused(mask: Any) -> None:
    with pytest.raises(InputError, match=r"must be whole numbers of shape \(height, width\)"):
        from_label_mask(mask)


def test_names_from_a_sequence_and_left_out_classes() -> None:
    assert from_label_mask(SEED_DRAWING, classes=[None, "a", "b"])["class_name"].to_pylist() == ["a", "b", "a"]
    left_out = from_label_mask(SEED_DRAWING, classes={1: None, 2: "b"})
    assert left_out.select(["class_name", "row"]).to_pylist() == [{"class_name": "b", "row": 1}]
    left_out.validate(full=True)


def test_a_value_without_a_name_is_an_error() -> None:
    with pytest.raises(InputError, match=r"pixel at row 2, column 12: .*got 2; map it") as caught:
        from_label_mask(SEED_DRAWING, classes={1: "a"})
    assert caught.value.problems[0].code is Code.UNKNOWN_CLASS
    with pytest.raises(InputError, match="got 1, 2"):
        from_label_mask(SEED_DRAWING, classes={})
    assert from_label_mask(SEED_DRAWING, classes={1: "a"}, void=[2]).num_rows == 2


@pytest.mark.parametrize("classes", [{"1": "a"}, {1: 5}, {1.5: "a"}, {1: ["a"]}, [b"a"]])
def test_classes_must_hold(classes: Any) -> None:
    with pytest.raises(OntologyError, match="classes: "):
        from_label_mask(SEED_DRAWING, classes=classes)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"outline": "inside"}, "outline"),
        ({"connectivity": 6}, "connectivity"),
        ({"holes": "drop"}, "holes"),
        ({"connectivity": 4, "encord_active": True}, "encord_active"),
        ({"simplify": -1.0}, "simplify"),
        ({"simplify": float("nan")}, "simplify"),
    ],
)
def test_options_must_hold(options: dict[str, Any], text: str, tmp_path: Path) -> None:
    with pytest.raises(PredarrowError, match=text):
        from_label_mask(SEED_DRAWING, **options)
    write_mask(tmp_path / "a.png")
    with pytest.raises(PredarrowError, match=text):
        read_masks(tmp_path, **options).read_all()


def test_an_option_that_is_none_is_a_mistake_in_the_program(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="outlines"):
        from_label_mask(SEED_DRAWING, outlines="edge")  # type: ignore[call-arg]  # what is tested
    write_mask(tmp_path / "a.png")
    with pytest.raises(TypeError, match="outlines"):
        read_masks(tmp_path, outlines="edge")  # type: ignore[call-arg]  # what is tested


def test_options_reach_the_tracer() -> None:
    ring = np.pad(np.zeros((1, 1), np.uint8), 1, constant_values=1)
    assert [len(parts[0]) for parts in from_label_mask(ring)["polygon"].to_pylist()] == [2]
    assert _areas(from_label_mask(ring, holes="fill")) == [9]
    assert from_label_mask(ring, min_area=9).num_rows == 0
    assert from_label_mask(ring, background=None).num_rows == 2
    assert from_label_mask(np.eye(3, dtype=np.uint8), connectivity=4).num_rows == 3
    assert from_label_mask(SEED_DRAWING, **PRESETS["camvid"])["class_name"].to_pylist()[0] == "0"


def test_simplify_removes_vertices_within_the_tolerance() -> None:
    mask = np.zeros((60, 60), np.uint8)
    cv2.circle(mask, (30, 30), 25, 1, cv2.FILLED)
    exact, simple = from_label_mask(mask), from_label_mask(mask, simplify=2.0)
    count = [len(table["polygon"][0].as_py()[0][0]) for table in (exact, simple)]
    assert count[1] < count[0] / 3
    assert _areas(simple)[0] == pytest.approx(_areas(exact)[0], rel=0.1)


def test_soft_maps_are_refused() -> None:
    soft = np.arange(10_000, dtype=np.uint16).reshape(100, 100)
    for option in (MaskOptions(), MaskOptions(max_classes=9_998)):
        with pytest.raises(InputError, match=r"soft or depth map.*raise max_classes") as caught:
            from_label_mask(soft, **option)
        assert caught.value.problems[0].code is Code.TOO_MANY_CLASSES
    assert from_label_mask(soft, max_classes=9_999).num_rows == 9_999
    with pytest.raises(InputError, match="at most 254 distinct"):
        from_label_mask(noise(64, 64, 256, 0), max_classes=254)
    assert from_label_mask(noise(64, 64, 256, 0), max_classes=255).num_rows > 255


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 40))
def test_many_components_of_few_classes_are_no_soft_map(height: int, width: int, classes: int) -> None:
    mask = noise(height, width, classes, height).astype(np.uint16)
    assert from_label_mask(mask, max_classes=classes, background=None).num_rows >= len(np.unique(mask))


def test_tables_of_one_thread_do_not_share_memory_that_changes() -> None:
    first = from_label_mask(SEED_DRAWING)
    before = first.to_pylist()
    from_label_mask(noise(50, 50, 3, 1))
    assert first.to_pylist() == before


def test_an_interrupted_mask_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    from predarrow_engine.trace import Tracer

    add = Tracer.add

    def interrupt(self: Tracer, labels: npt.NDArray[Any]) -> int:
        add(self, labels)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Tracer, "add", interrupt)
        with pytest.raises(KeyboardInterrupt):
            from_label_mask(SEED_DRAWING)
    assert from_label_mask(SEED_DRAWING).num_rows == 3


def _folder(tmp_path: Path, n: int = 40) -> Path:
    for number in range(n):
        write_mask(tmp_path / "masks" / f"v{number % 3}__{number}.png", noise(30 + number, 40, 4, number))
    return tmp_path / "masks"


def test_files_give_what_their_arrays_give(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    table = read_masks(folder, classes=["", "a", "b", "c"]).read_all()
    table.validate(full=True)
    key = [
        (row["data_unit"], row["frame"], row["row"]) for row in table.select(["data_unit", "frame", "row"]).to_pylist()
    ]
    assert key == sorted(key)
    for path in folder.iterdir():
        title, _, frame = path.stem.partition("__")
        rows = table.filter(pc.equal(table["source"], str(path)))
        mask = noise(30 + int(frame), 40, 4, int(frame))
        expected = from_label_mask(mask, data_unit=title, frame=int(frame), classes=["", "a", "b", "c"])
        assert rows.drop_columns("source").to_pylist() == expected.drop_columns("source").to_pylist()


def _bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return cast(bytes, sink.getvalue().to_pybytes())


def test_the_number_of_workers_changes_nothing(tmp_path: Path) -> None:
    folder = _folder(tmp_path, 200)
    (folder / "bad.png").write_bytes(b"no")
    readers = [read_masks(folder, workers=workers, on_error="skip") for workers in (1, 2, 7)]
    tables = [reader.read_all() for reader in readers]
    assert _bytes(tables[0]) == _bytes(tables[1]) == _bytes(tables[2])
    assert tables[0].num_rows > 20_000
    assert len({tuple(reader.report.problems) for reader in readers}) == 1


def test_large_outlines_come_in_several_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read_masks(_folder(tmp_path), workers=1).read_all()
    monkeypatch.setattr("predarrow.formats.mask_files._FLUSH_VERTICES", 1000)
    monkeypatch.setattr("predarrow.formats.mask_table._BATCH_ROWS", 100)
    batches = list(read_masks(tmp_path / "masks", workers=1))
    assert max(batch.num_rows for batch in batches) <= 100
    assert pa.Table.from_batches(batches).to_pylist() == whole.to_pylist()


def test_memory_is_bounded_by_chunks_in_flight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many files, at most workers + 2 chunks are traced and not handed out yet."""
    folder = _folder(tmp_path, 120)
    monkeypatch.setattr("predarrow.sources.CHUNK_FILES", 2)
    lock = threading.Lock()
    ahead = most = 0

    def counted(*arguments: Any) -> Any:
        nonlocal ahead, most
        with lock:
            ahead += 1
            most = max(most, ahead)
        return part(*arguments)

    monkeypatch.setattr("predarrow.formats.mask_files.part", counted)
    batches = 0
    for _ in read_masks(folder, workers=2):
        batches += 1
        with lock:
            ahead -= 1
    assert batches == 60
    assert most <= 2 + 2


def test_progress_tells_files(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    read_masks(_folder(tmp_path, 70), progress=lambda done, total: calls.append((done, total))).read_all()
    assert calls[-1] == (70, 70)
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})


def test_a_refused_file_is_left_out_whole(tmp_path: Path) -> None:
    good, bad = np.pad(SEED_DRAWING, 1), SEED_DRAWING.copy()
    bad[0, 0] = 9
    write_mask(tmp_path / "a.png", good)
    write_mask(tmp_path / "b.png", bad)
    write_mask(tmp_path / "c.png", noise(64, 64, 200, 1))
    write_mask(tmp_path / "d.png", good)
    reader = read_masks(tmp_path, classes={1: "x", 2: None}, on_error="skip")
    table = reader.read_all()
    table.validate(full=True)
    assert table.select(["data_unit", "class_name", "row"]).to_pylist() == [
        {"data_unit": unit, "class_name": "x", "row": row} for unit in "ad" for row in (0, 2)
    ]
    assert [(Path(p.source).name, p.code) for p in reader.report.problems] == [
        ("b.png", Code.UNKNOWN_CLASS),
        ("c.png", Code.UNKNOWN_CLASS),
    ]
    assert reader.report.skipped == {"class is mapped to None": 2}
    assert (reader.report.sources, reader.report.imported) == (4, 4)
    with pytest.raises(InputError, match=r"c\.png: pixel at .*and 19\d more"):
        read_masks(tmp_path, classes={1: "x", 2: None}).read_all()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _bomb() -> bytes:
    header = struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"")) + _chunk(b"IEND", b"")


def _damaged(tmp_path: Path) -> dict[str, tuple[bytes, Code]]:
    good = write_mask(tmp_path / "good.png").read_bytes()
    colour = write_mask(tmp_path / "colour.png", np.zeros((4, 4, 3), np.uint8)).read_bytes()
    alpha = write_mask(tmp_path / "alpha.png", np.zeros((4, 4, 4), np.uint8)).read_bytes()
    _, jpeg = cv2.imencode(".jpg", np.zeros((8, 8), np.uint8))
    at = good.index(b"IDAT") + 6
    return {
        "empty": (b"", Code.NOT_PNG),
        "text": (b"hello", Code.NOT_PNG),
        "jpeg": (jpeg.tobytes(), Code.NOT_PNG),
        "short": (good[:7], Code.DAMAGED),
        "truncated": (good[:-20], Code.DAMAGED),
        "flipped": (good[:at] + bytes([good[at] ^ 255]) + good[at + 1 :], Code.DAMAGED),
        "rgb": (colour, Code.UNSUPPORTED),
        "rgba": (alpha, Code.UNSUPPORTED),
        "bomb": (_bomb(), Code.TOO_LARGE),
    }


def test_every_damaged_file_gets_its_own_error(tmp_path: Path) -> None:
    cases = _damaged(tmp_path)
    folder = tmp_path / "masks"
    write_mask(folder / "good.png")
    for name, (data, _) in cases.items():
        (folder / f"{name}.png").write_bytes(data)
    (folder / "gone.png").symlink_to(tmp_path / "nowhere")
    reader = read_masks(folder, on_error="skip")
    assert set(reader.read_all()["data_unit"].to_pylist()) == {"good"}
    found = {Path(problem.source).stem: problem.code for problem in reader.report.problems}
    assert found == {name: code for name, (_, code) in cases.items()} | {"gone": Code.UNREADABLE}
    with pytest.raises(InputError) as caught:
        read_masks(folder).read_all()
    assert len(caught.value.problems) == len(cases) + 1
    for problem in caught.value.problems:
        assert problem.source in str(problem)
        assert len(problem.message) > 10


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> bytes:
        raise PermissionError(13, "Permission denied", path)

    write_mask(tmp_path / "a.png")
    monkeypatch.setattr("predarrow.formats.mask_files.read_bytes", refuse)
    with pytest.raises(InputError, match=r"a\.png: must be a file that can be read, got Permission denied") as caught:
        read_masks(tmp_path).read_all()
    assert caught.value.problems[0].code is Code.UNREADABLE


def test_a_folder_that_is_named_like_a_mask_is_walked(tmp_path: Path) -> None:
    write_mask(tmp_path / "odd.png" / "a.png")
    assert read_masks(tmp_path).read_all().num_rows == 3


@settings(max_examples=60)
@given(st.data())
def test_damage_anywhere_never_raises_anything_else(data: st.DataObject) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        path = write_mask(Path(name) / "a.png", noise(20, 30, 3, 1))
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 3))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
        reader = read_masks(path, on_error="skip", workers=1)
        assert reader.read_all().num_rows == 0 or not reader.report.problems
