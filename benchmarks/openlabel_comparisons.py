"""Comparisons with Kognic's model of OpenLABEL."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import predarrow
from benchmarks.comparison import Comparison, Contender, Data
from benchmarks.data import SEED
from benchmarks.digests import Digest

_PER_FRAME = 10


def boxes(n: int, folder: Path) -> list[Path]:
    """Write n boxes of all digits, ten a frame, each of an object of its own, in the form of Kognic's example."""
    rng = np.random.default_rng(SEED)
    values = np.concatenate([rng.uniform(100, 900, (n, 2)), rng.uniform(2, 90, (n, 2))], 1).tolist()
    scores = rng.random(n).tolist()
    uids = [str(uuid.UUID(bytes=rng.bytes(16), version=4)) for _ in range(n)]
    frames: dict[str, Any] = {}
    for k, (value, score) in enumerate(zip(values, scores, strict=True)):
        box = {
            "name": "any-human-readable-bounding-box-name",
            "val": value,
            "attributes": {
                "num": [{"name": "confidence", "val": score}],
                "text": [{"name": "stream", "val": "camera"}],
            },
        }
        frame = frames.setdefault(str(k // _PER_FRAME), {"frame_properties": {"timestamp": k}, "objects": {}})
        frame["objects"][uids[k]] = {"object_data": {"bbox": [box]}}
    red = {"text": [{"name": "color", "val": "red"}]}
    document = {
        "metadata": {"schema_version": "1.0.0"},
        "streams": {"camera": {"type": "camera"}},
        "objects": {uids[k]: {"name": f"object {k}", "type": f"class {k % 10}", "object_data": red} for k in range(n)},
        "frames": frames,
    }
    path = folder / "scene.json"
    path.write_text(json.dumps({"openlabel": document}))
    return [path]


def read(path: Path) -> pa.Table:
    """Read, check and make the table."""
    return predarrow.read_openlabel(path, workers=1).read_all()


def _parsed(path: Path) -> Any:
    return json.loads(path.read_bytes())


def _validated(path: Path, *, strict: bool = False) -> Any:
    """Parse and check with Kognic's model."""
    model = import_module("kognic.openlabel.models").OpenLabelAnnotation
    return model.model_validate_json(path.read_bytes(), strict=strict)


def _of_table(table: pa.Table) -> Digest:
    corners = [side.to_pylist() for side in table["bbox"].combine_chunks().flatten()]
    centres = [
        ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
        for left, top, right, bottom in zip(*corners, strict=True)
    ]
    names = zip(
        table["frame"].to_pylist(), table["object_id"].to_pylist(), table["confidence"].to_pylist(), strict=True
    )
    return {"boxes": [(*name, *_rounded(box)) for name, box in zip(names, centres, strict=True)]}


def _of_model(model: Any) -> Digest:
    found = [
        (int(frame), uid, box.attributes.num[0].val, *_rounded(box.val))
        for frame, members in model.openlabel.frames.items()
        for uid, entry in members.objects.items()
        for box in entry.object_data.bbox
    ]
    return {"boxes": found}


def _rounded(box: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(value, 6) for value in box)


_PEERS: Sequence[Contender] = (
    (
        Contender("kognic-openlabel, model_validate_json", _validated, _of_model, 20),
        Contender("the same with strict=True", partial(_validated, strict=True), _of_model),
        Contender("json.loads alone", _parsed, target=1, note="parses, checks nothing, makes no table"),
    )
    if find_spec("kognic.openlabel")
    else ()
)

OPENLABEL: Sequence[Comparison] = (
    Comparison(
        "openlabel-read",
        Data(
            "OpenLABEL file with 10,000 boxes, 4.8 MB",
            1,
            lambda _, shrink, folder: boxes(10_000 // shrink**2, folder),
            "files",
        ),
        Contender("predarrow", read, _of_table),
        _PEERS,
        rounds=7,
    ),
)
