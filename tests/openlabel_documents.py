"""OpenLABEL documents to read: the two examples of Kognic's page, and pieces to put others together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from predarrow import PredictionReader, read_openlabel

Json = dict[str, Any]

UID = "1232b4f4-e3ca-446a-91cb-d8d403703df7"
TURNED = [2.079312801361084, -18.919870376586914, 0.3359137773513794]
TURNED += [-0.002808041640852679, 0.022641949116037438, 0.06772797660868829, 0.9974429197838155]
TURNED += [1.767102435869269, 4.099334155319101, 1.3691029802958168]


def attributes(stream: str | None = "camera_id", confidence: Any = 0.85) -> Json:
    """Give a stream and a confidence, either left out where it is None."""
    result: Json = {}
    if confidence is not None:
        result["num"] = [{"val": confidence, "name": "confidence"}]
    if stream is not None:
        result["text"] = [{"name": "stream", "val": stream}]
    return result


def geometry(val: Any, **more: Any) -> Json:
    """Give a geometry in the camera, with members of its own."""
    return {"attributes": attributes(), "name": "any-name", "val": val, **more}


def box(*val: float, **more: Any) -> Json:
    """Give a bbox, the page's by default."""
    return geometry(list(val) or [1.0, 1.0, 40.0, 30.0], **more)


def cuboid(val: Any = None, **more: Any) -> Json:
    """Give a cuboid in the lidar, the page's by default."""
    return geometry(TURNED if val is None else val, **{"attributes": attributes("lidar_id"), **more})


def objects(**data: Any) -> Json:
    """Give one object's data on a frame."""
    return {UID: {"object_data": data}}


def document(frames: Json | None = None, **members: Any) -> Json:
    """Give a file whose frame 0, by default, has the page's box."""
    frames = {"0": {"objects": objects(bbox=[box()])}} if frames is None else frames
    static = {"text": [{"name": "color", "val": "red"}]}
    inner = {
        "frames": frames,
        "metadata": {"schema_version": "1.0.0"},
        "objects": {UID: {"name": "any-name", "object_data": static, "type": "PassengerCar"}},
        "streams": {"camera_id": {"type": "camera"}, "lidar_id": {"type": "lidar"}},
    }
    return {"openlabel": {name: each for name, each in {**inner, **members}.items() if each is not None}}


def one(**data: Any) -> Json:
    """Give a file of one object on one frame."""
    return document({"0": {"objects": objects(**data)}})


def reader(folder: Path, given: Json | str, name: str = "scene.json", **options: Any) -> PredictionReader:
    """Give the reader of a document, written to a file."""
    path = folder / name
    path.write_text(given if isinstance(given, str) else json.dumps(given))
    return read_openlabel(path, **options)


def read(folder: Path, given: Json | str, **options: Any) -> pa.Table:
    """Read a document."""
    return reader(folder, given, **options).read_all()


def rows(folder: Path, given: Json | str, **options: Any) -> list[Json]:
    """Give a document's rows with attributes as objects."""
    return [{**row, "attributes": json.loads(row["attributes"])} for row in read(folder, given, **options).to_pylist()]
