"""Tables of anything as label rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow.formats.encord.read import read_label_rows
from tests.encord_tables import ONTOLOGY, RING, Row, answer, box, table_of, write

_KEYS = st.sampled_from(
    [
        *("encord", "coordinates", "label_row", "object", "object_actions", "actions", "answers", "dynamic", "global"),
        *("createdAt", "manualAnnotation", "polyline", "boundingBox", "range", "ranges", "featureHash", "points", "z"),
        *("x", "\u00e9\n"),
    ]
)
_SIDES = st.sampled_from([1, 7, 37, 64, 1080, 1920, 4096])
_NUMBERS = st.floats(0, 1) | st.integers(0, 1000).map(lambda value: value / 1000)


@settings(max_examples=50)
@given(st.lists(st.tuples(_NUMBERS, _NUMBERS, _NUMBERS, _NUMBERS, st.floats(0, 1)), min_size=1), _SIDES, _SIDES)
def test_boxes_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, boxes: list[tuple[float, ...]], width: int, height: int
) -> None:
    rows = []
    for x, y, w, h, confidence in boxes:
        corners = {"xmin": x * width, "ymin": y * height, "xmax": (x + w) * width, "ymax": (y + h) * height}
        if corners["xmin"] < corners["xmax"] and corners["ymin"] < corners["ymax"]:
            rows.append(box(bbox=corners, image_width=width, image_height=height, confidence=confidence))
    table = table_of(*rows)
    written, _ = write(table, tmp_path_factory.mktemp("rows"))
    if rows:
        back = read_label_rows(written, ontology=ONTOLOGY, on_error="skip").read_all()
        names = ["data_unit", "frame", "class_name", "kind", "confidence", "image_width", "row"]
        if back.num_rows == table.num_rows:  # an extent of next to nothing is one of nothing when it is read
            assert back.select(names).equals(table.select(names))
            for name in ("xmin", "ymin", "xmax", "ymax"):
                one, other = (pa.compute.struct_field(each["bbox"], name).to_numpy() for each in (back, table))
                np.testing.assert_allclose(one, other, rtol=1e-15, atol=0)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=6,
)
_RANGES = st.lists(st.tuples(st.integers(-1, 3), st.sampled_from([0, 1, 3, 2**40])), max_size=2) | _VALUES
_ENTRY = st.dictionaries(_KEYS, _VALUES, max_size=3) | st.fixed_dictionaries(
    {"featureHash": st.sampled_from("pq"), "answers": _VALUES}, optional={"range": _RANGES, "more": _VALUES}
)
_ENTRIES = st.lists(_ENTRY, max_size=2)
_ACTIONS = st.fixed_dictionaries({"actions": _ENTRIES | _VALUES}, optional={"more": _VALUES, "objectHash": _VALUES})
_MEMBERS = {
    "range": _RANGES,
    "object_actions": _ACTIONS | _VALUES,
    "objectHash": _VALUES,
    "classificationHash": _VALUES,
}
_KEPT = {
    "object": st.fixed_dictionaries({}, optional=_MEMBERS) | _VALUES,
    "points": _ENTRIES | _VALUES,
    "coordinates": _VALUES,
    "z": st.lists(st.integers(), max_size=3),
}
_LIKELY = {
    "answers": _ENTRIES,
    "dynamic": _ENTRIES,
    "encord": st.fixed_dictionaries({}, optional=_KEPT),
    "global": st.booleans(),
    "ranges": _RANGES,
}
_TEXTS = (
    st.dictionaries(_KEYS, _VALUES, max_size=5)
    | st.text(max_size=4)
    | st.fixed_dictionaries({}, optional=_LIKELY)
    | st.fixed_dictionaries({"encord": st.fixed_dictionaries({"object": st.fixed_dictionaries({}, optional=_MEMBERS)})})
)
_JOINTS = [{"name": name, "x": 1.0, "y": 2.0, "visibility": 2} for name in "abc"]
_LABELS: list[Row] = [
    box(),
    answer(),
    answer(class_name="Usable"),
    box(class_name="Branch", kind="polyline", polygon=[[RING]]),
    box(class_name="Triangle", kind="skeleton", keypoints=_JOINTS),
    box(class_name="Noise", kind="span", data_unit="sound"),
]


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(_LABELS), _TEXTS, st.sampled_from(["a", "b", None])), min_size=1, max_size=4))
def test_attributes_of_any_kind_are_taken_or_refused(
    tmp_path_factory: pytest.TempPathFactory, labels: list[tuple[Row, Any, str | None]]
) -> None:
    rows = [
        {"frame": frame} | label | {"attributes": text, "object_id": object_id}
        for frame, (label, text, object_id) in enumerate(labels)
    ]
    rows.sort(key=lambda row: str(row.get("data_unit", "unit")))
    written, result = write(table_of(*rows), tmp_path_factory.mktemp("rows"), on_error="skip")
    assert result.rows + len(result.report.problems) == len(rows)
    assert result.label_rows == len(written)
    for row in written:
        labels_of(row)


def labels_of(row: Row) -> None:
    """Look at what every reader looks at."""
    for key, entry in row["object_answers"].items():
        assert entry["objectHash"] == key
        assert isinstance(entry["classifications"], list)
    for key, entry in row["object_actions"].items():
        assert entry["objectHash"] == key
        assert all(isinstance(action["featureHash"], str) and "range" in action for action in entry["actions"])
    for key, entry in row["classification_answers"].items():
        assert entry["classificationHash"] == key
        assert all(start <= end for start, end in entry["range"])
