"""Large files are scanned, and read the general way where they have more: both give the same rows and problems."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow import DataUnits, InputError, Ontology, Project, import_openlabel_predictions, read_openlabel
from predarrow.formats.openlabel import document as document_module
from predarrow.formats.openlabel import file_rows, rows, scanned_rows
from predarrow.report import Report
from tests.openlabel_documents import TURNED, Json, attributes, document

NEVER = 1 << 60


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scanned")


def outcome(
    path: Path, dialect: Any, least_bytes: int, chunk_bytes: int = 8 << 20, mixed: bool = False
) -> tuple[pa.Table, Report]:
    """Read a file, scanned where it has at least so many bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(document_module, "LEAST_BYTES", least_bytes)
        patch.setattr(rows, "_CHUNK_BYTES", chunk_bytes)
        reader = read_openlabel(path, dialect=dialect, mixed=mixed, on_error="skip", workers=1)
        return reader.read_all(), reader.report


def check(folder: Path, text: str, chunk_bytes: int = 8 << 20, mixed: bool = False) -> None:
    """Read a text both ways, in both dialects."""
    path = folder / "scene.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    for dialect in ("kognic", "asam"):
        table, report = outcome(path, dialect, NEVER, chunk_bytes, mixed)
        scanned, same = outcome(path, dialect, 0, chunk_bytes, mixed)
        assert scanned.to_pylist() == table.to_pylist()
        assert scanned.equals(table)
        assert same == report


@pytest.fixture(name="taken")
def _taken(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each chunk of frames was scanned."""
    taken: list[bool] = []
    given_rows = scanned_rows.scanned_rows

    def spy(*args: Any) -> Any:
        result = given_rows(*args)
        taken.append(result is not None)
        return result

    monkeypatch.setattr(file_rows, "scanned_rows", spy)
    return taken


def plain(kind: str = "bbox", n_frames: int = 3, n_objects: int = 4, **members: Any) -> Json:
    """Give a file of nothing but what the scanner knows."""
    numbers = random.Random(0)
    frames = {}
    for frame in range(n_frames):
        objects = {}
        for place in range(n_objects):
            val = [numbers.random() * 100 for _ in range(4)] if kind == "bbox" else TURNED
            stream = "camera_id" if kind == "bbox" else "lidar_id"
            item = {"name": f"{place}é", "val": val, "attributes": attributes(stream, numbers.random())}
            objects[f"uid-{place}"] = {"object_data": {kind: [item]}}
        frames[str(frame)] = {"objects": objects, **({"frame_properties": {"external_id": "x"}} if frame == 1 else {})}
    uids = [f"uid-{place}" for place in range(n_objects + 1)]
    things = {uid: {"type": uid[-1], "name": "a", "object_data": {"text": [{"val": "é", "name": "b"}]}} for uid in uids}
    return document(frames, objects=things, **members)


@pytest.mark.parametrize("kind", ["bbox", "cuboid"])
@pytest.mark.parametrize("indent", [None, 1])
def test_what_is_plain_is_scanned(folder: Path, taken: list[bool], kind: str, indent: int | None) -> None:
    check(folder, json.dumps(plain(kind), indent=indent, ensure_ascii=False))
    assert taken == [True, True]
    check(folder, json.dumps(plain(kind), sort_keys=True), chunk_bytes=1)
    assert taken == [True] * 8


def test_confidences_of_objects_are_seen(folder: Path, taken: list[bool]) -> None:
    given = plain()
    data = given["openlabel"]["frames"]["1"]["objects"]["uid-1"]["object_data"]
    data["bbox"][0]["attributes"] = attributes("camera_id", None)
    data["vec"] = [{"name": "confidence", "val": [0.125]}]
    check(folder, json.dumps(given), chunk_bytes=1)
    assert taken == [True, False, True] * 2
    assert 0.125 in read_openlabel(folder / "scene.json").read_all()["confidence"].to_pylist()


def test_boxes_and_cuboids_may_be_mixed(folder: Path, taken: list[bool]) -> None:
    given = plain(n_frames=2)
    given["openlabel"]["frames"]["1"] = plain("cuboid")["openlabel"]["frames"]["1"]
    check(folder, json.dumps(given), chunk_bytes=1, mixed=True)
    assert taken == [True] * 4
    check(folder, json.dumps(given), chunk_bytes=1)
    assert taken[4:] == [True, False, True, True]


def test_a_second_way_begins_where_the_first_one_ends(folder: Path, taken: list[bool]) -> None:
    given = plain(n_frames=6)
    frames = given["openlabel"]["frames"]
    frames["2"]["objects"]["uid-1"]["object_data"]["text"] = [{"name": "a", "val": "b"}]
    frames["4"]["objects"]["uid-2"]["object_data"]["bbox"][0]["val"][2] = -1.0
    check(folder, json.dumps(given), chunk_bytes=1)
    assert taken == [True, True, False, True, False, True] * 2


ODD_VALUES: list[Any] = [-0.0, 0, 1e-300, 1e300, -3.5, 12345678901234567890, 0.1, 7, True, None, "1", [1.0]]
ODD_NAMES = ["", "a", "é", 'q"', "tab\t", "back\\slash", "\x7f", "\u2028", "x" * 70]

values = st.floats(0.25, 2000).map(lambda value: round(value, 2)) | st.floats(1, 2000)
odd_values = values | st.sampled_from(ODD_VALUES)
confidences = st.sampled_from([0, 0.5, 0.85, 1, 1.0, 2, -0.0, None, "1"]) | st.floats(0, 1)


@st.composite
def geometries(draw: st.DrawFn, kind: str, odd: bool) -> Json:
    """A geometry, its members in any order, sometimes with more."""
    count = {"bbox": 4, "cuboid": 10}.get(kind, 4)
    chance = st.integers(0, 12 if odd else 0)
    val: Any = list(TURNED) if kind == "cuboid" else [draw(values) for _ in range(count)]
    item: Json = {"name": draw(st.sampled_from(ODD_NAMES)), "val": val}
    stream = "lidar_id" if kind == "cuboid" else "camera_id"
    item["attributes"] = attributes(stream, draw(confidences if odd else st.floats(0, 0.99)))
    match draw(chance):
        case 1:
            item["val"][draw(st.integers(0, count - 1))] = draw(odd_values)
        case 2:
            item["val"] = item["val"][: draw(st.integers(0, count))]
        case 3:
            item["coordinate_system"] = draw(st.sampled_from([stream, "other", "nothing", 1]))
        case 4:
            del item[draw(st.sampled_from(sorted(item)))]
        case 5:
            item["attributes"]["boolean"] = [{"name": "interpolated", "val": draw(st.booleans())}]
        case 6:
            item["attributes"].setdefault("num", []).append({"name": "other", "val": draw(odd_values)})
        case 7:
            item["attributes"] = draw(st.sampled_from([{}, [], None, attributes("unknown"), attributes(None, 0.5)]))
        case 8:
            item["further"] = draw(odd_values)
        case 9:
            item["attributes"]["text"] = [{"val": "camera_id", "name": "stream", "more": 1}]
        case _:
            pass
    keys = draw(st.permutations(sorted(item)))
    return {key: item[key] for key in keys}


@st.composite
def documents(draw: st.DrawFn, odd: bool) -> Json:
    """A file of boxes or cuboids."""
    kind = draw(st.sampled_from(["bbox", "cuboid"]))
    uids = ["a", "b", "ç", "d" * 40]
    frames: Json = {}
    for key in draw(st.lists(st.integers(0, 12), min_size=1, max_size=4, unique=True)):
        objects: Json = {}
        for uid in draw(st.lists(st.sampled_from(uids), max_size=4, unique=True)):
            most = 2 if odd else 1
            items = draw(st.lists(geometries(kind, odd), min_size=1, max_size=most))
            objects[uid] = {"object_data": {kind: items}}
        frame: Json = {"objects": objects}
        if draw(st.booleans()):
            frame["frame_properties"] = {"timestamp": key, "external_id": f"image {key}"}
        if odd:
            _spoil(draw, frame, kind)
        frames[str(key)] = frame
    things: Json = {uid: {"type": "Car", "name": uid, "object_data": {"text": []}} for uid in uids}
    things["b"] |= {"type": "Bus", "frame_intervals": [{"frame_start": 0}], "ontology_uid": ""}
    if odd:
        _spoil_things(draw, things)
    return document(frames, objects=things)


def _spoil(draw: st.DrawFn, frame: Json, kind: str) -> None:
    match draw(st.integers(0, 24)):
        case 1:
            frame["objects"]["unknown"] = {"object_data": {kind: [{"name": "a", "val": [1.0, 2.0, 3.0, 4.0]}]}}
        case 2:
            frame["objects"]["a"] = draw(st.sampled_from([{}, {"object_data": {}}, {"object_data": {kind: []}}, None]))
        case 3:
            frame["objects"]["a"] = {"object_data": {"point2d": [{"name": "a", "val": [1.0, 2.0]}]}}
        case 4:
            del frame["objects"]
        case 5:
            frame["objects"] = None
        case 6:
            frame["actions"] = {"x": [1, 2, {"y": None}]}
        case 7 if "a" in frame["objects"]:
            frame["objects"]["a"]["object_data"]["num"] = [{"name": "x", "val": 1}]
        case 8 if "a" in frame["objects"]:
            frame["objects"]["a"]["object_data_pointers"] = {}
        case _:
            pass


def _spoil_things(draw: st.DrawFn, things: Json) -> None:
    match draw(st.integers(0, 24)):
        case 1:
            del things["b"]["type"]
        case 2:
            things["b"]["further"] = 1
        case 3:
            things["b"]["object_data"] = draw(st.sampled_from([None, {}, {"text": 1}, {"bbox": []}, []]))
        case 4:
            things["b"]["object_data"] = {"bbox": [{"name": "a", "val": [1.0, 2.0, 3.0, 4.0]}]}
        case 5:
            things["b"]["type"] = draw(st.sampled_from(ODD_NAMES))
        case 6:
            things['"'] = {"type": "x"}
        case 7:
            del things["a"]
        case 8:
            things["b"]["name"] = 1
        case _:
            pass


separators = st.sampled_from([(", ", ": "), (",", ":"), (" ,\t", " :  ")])


@given(given_document=documents(odd=False), blanks=separators, chunk_bytes=st.sampled_from([1, 300, 8 << 20]))
@settings(max_examples=60)
def test_plain_documents(folder: Path, given_document: Json, blanks: tuple[str, str], chunk_bytes: int) -> None:
    check(folder, json.dumps(given_document, separators=blanks, ensure_ascii=False), chunk_bytes)


@given(given_document=documents(odd=True), blanks=separators, chunk_bytes=st.sampled_from([1, 300, 8 << 20]))
@settings(max_examples=100)
def test_odd_documents(folder: Path, given_document: Json, blanks: tuple[str, str], chunk_bytes: int) -> None:
    check(folder, json.dumps(given_document, separators=blanks), chunk_bytes)


def damages(text: str, numbers: random.Random) -> Iterator[str]:
    """Give texts with something put in, taken out or doubled."""
    pieces = [
        '"',
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "0",
        "-",
        ".",
        "e",
        "\\",
        "\\u0041",
        "\n",
        " ",
        "null",
        "NaN",
        "\x01",
        "é",
    ]
    pieces += ['"objects":{},', '"uid-1":{},', '"val":[1,2,3,4],', '"name":"a",', '"type":"b",', "1e999", "\ud800"]
    for _ in range(80):
        at = numbers.randrange(len(text))
        end = at + numbers.choice([0, 0, 1, 1, 2, 20])
        yield text[:at] + numbers.choice(["", *pieces]) + text[end:]


def test_damaged_documents(folder: Path) -> None:
    numbers = random.Random(1)
    for kind in ("bbox", "cuboid"):
        text = json.dumps(plain(kind, n_frames=2, n_objects=2))
        for damaged in damages(text, numbers):
            check(folder, damaged)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"0": {"objects"', '"1": {"objects": {}}, "0": {"objects"'),
        ('"uid-1": {"object_data"', '"uid-0": {"object_data": {}}, "uid-1": {"object_data"'),
        ('"name": "0', '"name": "b", "name": "0'),
        ('"name": "confidence"', '"name": "score", "name": "confidence"'),
        ('{"type": "0"', '{"type": "1", "type": "0"'),
        ('"uid-0": {"type"', '"uid-0": {"type": "x"}, "uid-0": {"type"'),
        ('"name": "confidence"', '"name": "con\\u0066idence"'),
        ('"uid-0": {"object_data"', '"uid\\u002d0": {"object_data"'),
    ],
)
def test_keys_that_stand_twice_and_escapes(folder: Path, old: str, new: str) -> None:
    text = json.dumps(plain(), ensure_ascii=False)
    assert old in text
    check(folder, text.replace(old, new))


ONTOLOGY = Ontology.from_dict(
    {"objects": [{"id": "1", "name": "Car", "shape": "bounding_box", "featureNodeHash": "hash"}], "classifications": []}
)


@pytest.mark.parametrize("by_frame", [False, True])
def test_places_and_sizes(folder: Path, tmp_path: Path, taken: list[bool], by_frame: bool) -> None:
    given = plain(
        n_objects=3, streams={"camera_id": {"type": "camera", "stream_properties": {"height": 9, "width": 7}}}
    )
    for number, frame in given["openlabel"]["frames"].items():
        frame["frame_properties"] = {"external_id": f"image {number}"}
    for thing in given["openlabel"]["objects"].values():
        thing["type"] = "car"
    path = folder / "scene.json"
    path.write_text(json.dumps(given))
    units = [("a", "image 0", 5), ("b", "image 1", None), ("c", "image 2", 6)] if by_frame else [("a", "scene", None)]
    table = {
        "id": [unit for unit, _, _ in units],
        "title": [title for _, title, _ in units],
        "kind": ["image" if by_frame else "video"] * len(units),
        "height": [size for _, _, size in units],
        "width": [size for _, _, size in units],
        "n_frames": [1 if by_frame else 3] * len(units),
    }
    tables = []
    for least_bytes in (0, NEVER):
        name = str(least_bytes)
        project = Project.create(tmp_path / name, ontology=ONTOLOGY, data_units=DataUnits.from_table(table))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(document_module, "LEAST_BYTES", least_bytes)
            import_openlabel_predictions(project, path, {"hash": "car"})
        tables.append(project.scan().read_all())
    assert taken == [True]
    assert tables[0].equals(tables[1])
    assert set(tables[0]["image_height"].to_pylist()) == ({5, 9, 6} if by_frame else {9})
    assert set(tables[0]["feature_hash"].to_pylist()) == {"hash"}


def test_a_refused_box_is_told(folder: Path) -> None:
    given = plain()
    given["openlabel"]["frames"]["1"]["objects"]["uid-2"]["object_data"]["bbox"][0]["val"][3] = 0
    (folder / "scene.json").write_text(json.dumps(given))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(document_module, "LEAST_BYTES", 0)
        with pytest.raises(InputError, match="/frames/1/objects/uid-2/object_data/bbox/0/val: width and height"):
            read_openlabel(folder / "scene.json").read_all()
