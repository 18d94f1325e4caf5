"""Comparisons with Encord's SDK: label rows, labelling, and bitmasks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from itertools import count, pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import predarrow
from benchmarks import encord_data as data
from benchmarks import encord_peers as peers
from benchmarks.comparison import Comparison, Contender, Data
from benchmarks.digests import Digest
from predarrow.project import Project
from predarrow_engine import rle_decode, rle_rows, rle_text

_numbers = count()


class Saved(NamedTuple):
    """A set of labels."""

    project: Project
    name: str


def read(rows: data.LabelRows) -> pa.Table:
    """Read a file of label rows into the prediction table."""
    return predarrow.read_label_rows(rows.path, ontology=rows.ontology, workers=1).read_all()


def written(rows: data.LabelRows) -> Path:
    """Write label rows from the table as a file beside the one that it is from."""
    path = rows.path.with_name("by_predarrow.json")
    predarrow.write_label_rows(rows.table, path, ontology=rows.ontology, overwrite=True)
    return path


def authored(tracks: data.Tracks) -> Saved:
    """Label frame by frame, box by box, and save everything in one commit, as a set of its own."""
    name = f"labels-{next(_numbers)}"
    with tracks.project.bundle(set_name=name) as bundle:
        labels = bundle.label_row(tracks.video)
        for object_id, boxes in tracks.boxes.items():
            for frame, (x, y, w, h) in enumerate(boxes):
                labels.add_object("Class 0", predarrow.BoundingBox(x, y, w, h), frames=frame, object_id=object_id)
    return Saved(tracks.project, name)


def authored_as_arrays(tracks: data.Tracks) -> None:
    """Label the same with one call for all boxes."""
    boxes = np.array(list(tracks.boxes.values()))
    n_objects, n_frames, _ = boxes.shape
    ids = [object_id for object_id in tracks.boxes for _ in range(n_frames)]
    with tracks.project.bundle(set_name=f"labels-{next(_numbers)}") as bundle:
        labels = bundle.label_row(tracks.video)
        frames = np.tile(np.arange(n_frames), n_objects)
        labels.add_boxes("Class 0", boxes.reshape(-1, 4), frames=frames, object_ids=ids)


def _runs(strings: Sequence[str], sizes: npt.NDArray[np.int64]) -> rle_text.RunLengths:
    texts = [string.encode() for string in strings]
    return rle_text.from_strings(np.frombuffer(b"".join(texts), np.uint8), np.cumsum([0, *map(len, texts)]), sizes)


def _sizes(masks: data.Strings) -> npt.NDArray[np.int64]:
    return np.tile([masks.height, masks.width], (len(masks.rows), 1))


def _decoded(masks: data.Strings) -> npt.NDArray[np.uint8]:
    sizes = _sizes(masks)
    runs = _runs(masks.rows, sizes)
    return rle_decode.decode(*rle_rows.to_columns(runs.counts, runs.offsets, sizes), masks.height, masks.width)


def _turned(masks: data.Strings) -> list[str]:
    sizes = _sizes(masks)
    runs = _runs(masks.columns, sizes)
    strings, offsets = rle_text.to_strings(*rle_rows.to_rows(runs.counts, runs.offsets, sizes))
    text, places = strings.tobytes().decode(), offsets.tolist()
    return [text[begin:end] for begin, end in pairwise(places)]


def _corners(boxes: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Give the corners in pixels, as the table has them, of boxes whose last members are relative x, y, w and h."""
    return [
        (*rest, x * data.WIDTH, y * data.HEIGHT, x * data.WIDTH + w * data.WIDTH, y * data.HEIGHT + h * data.HEIGHT)
        for *rest, x, y, w, h in boxes
    ]


def _of_table(table: pa.Table) -> Digest:
    corners = table["bbox"].combine_chunks().flatten()
    columns = [table["frame"], table["object_id"], *corners]
    return {"boxes": list(zip(*(column.to_pylist() for column in columns), strict=True))}


def _of_saved(saved: Saved) -> Digest:
    return _of_table(saved.project.scan(saved.name).read_all())


def _of_row(row: Any) -> Digest:
    boxes = []
    for made in row.get_object_instances():
        for annotation in made.get_annotations():
            at = annotation.coordinates
            boxes.append((annotation.frame, made.object_hash, at.top_left_x, at.top_left_y, at.width, at.height))
    return {"boxes": _corners(boxes)}


def _of_file(path: Path) -> Digest:
    """Give every frame object as it stands."""
    (row,) = json.loads(path.read_text())
    (unit,) = row.pop("data_units").values()
    frames = unit.pop("labels").items()
    objects = [(frame, json.dumps(made, sort_keys=True)) for frame, found in frames for made in found["objects"]]
    return {"objects": objects, "row": [json.dumps(row, sort_keys=True)], "unit": [json.dumps(unit, sort_keys=True)]}


def _of_pixels(masks: Iterable[npt.NDArray[Any]]) -> Digest:
    return {"pixels": [mask.astype(np.uint8).tobytes() for mask in masks]}


def _of_strings(strings: list[str]) -> Digest:
    return {"strings": list(strings)}


def _label_rows(digits: Literal["short", "long"], *, is_read: bool = False) -> Data:
    kind = "four decimals" if digits == "short" else "all digits"
    what = "label row of a video with 100,000 boxes of " + kind

    def items(_: int, shrink: int, folder: Path) -> list[data.LabelRows]:
        return data.label_rows(100_000 // shrink**3, folder, digits, is_read=is_read)

    return Data(what, 1, items, "calls" if is_read else "files")


def _with_sdk(*contenders: Contender) -> Sequence[Contender]:
    return contenders if find_spec("encord") else ()


_LOAD = Contender("Encord's SDK, from_labels_dict", peers.loaded, _of_row, 10, "JSON parsed beforehand")
_DUMP = _with_sdk(Contender("Encord's SDK, to_encord_dict and json.dumps", peers.written(), _of_file, 10))

TRACKS = Data(
    "20 objects on 5,000 frames each, box by box",
    1,
    lambda _, shrink, folder: data.tracks(5000 // shrink**2, folder),
    "calls",
)
BITMASKS = Data(
    "3 masks 1080x1920",
    1,
    lambda _, shrink, __: data.strings(3, 1080 // shrink, 1920 // shrink),
    "calls",
)

ENCORD: Sequence[Comparison] = (
    Comparison(
        "encord-read",
        _label_rows("short"),
        Contender("predarrow", read, _of_table),
        _with_sdk(_LOAD, Contender("json.loads alone", peers.parsed, note="on top of the line above")),
        rounds=3,
    ),
    Comparison(
        "encord-read-digits",
        _label_rows("long"),
        Contender("predarrow", read, _of_table),
        _with_sdk(_LOAD),
        rounds=2,
    ),
    Comparison(
        "encord-write", _label_rows("short", is_read=True), Contender("predarrow", written, _of_file), _DUMP, rounds=3
    ),
    Comparison(
        "encord-write-digits",
        _label_rows("long", is_read=True),
        Contender("predarrow", written, _of_file),
        _DUMP,
        rounds=2,
    ),
    Comparison(
        "encord-author",
        TRACKS,
        Contender("predarrow", authored, _of_saved),
        _with_sdk(Contender("Encord's SDK, set_for_frames", peers.authored, _of_row, 30, "saves nothing")),
        rounds=2,  # it takes the SDK a quarter of a minute
    ),
    Comparison(
        "encord-bitmasks",
        BITMASKS,
        Contender("predarrow", _decoded, _of_pixels),
        _with_sdk(Contender("Encord's SDK, to_numpy_array", peers.decoded, _of_pixels, 50)),
        rounds=9,
    ),
    Comparison(
        "encord-turn",
        BITMASKS,
        Contender("predarrow", _turned, _of_strings),
        _with_sdk(Contender("Encord's SDK, coco_rle_to_encord_rle", peers.turned, _of_strings, 50)),
        rounds=9,
    ),
)
