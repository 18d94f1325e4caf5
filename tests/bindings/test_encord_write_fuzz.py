"""Tables of anything as label rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow.formats.encord.read import read_label_rows
from tests.encord_tables import ONTOLOGY, RING, answer, box, table_of, write

_KEYS = st.sampled_from(
    [
        *("encord", "coordinates", "label_row", "object", "object_actions", "actions", "answers", "dynamic", "global"),
        *("createdAt", "manualAnnotation", "polyline", "boundingBox", "range", "ranges", "featureHash", "points", "z"),
        *("x", "\u00e9\n"),
    ]
)
_SIDES = st.sampled_from([1, 7, 37, 64, 1080, 1920, 4096])
_NUMBERS = st.floats(0, 1) | st.integers(0, 1000).map(lambda value: value / 1000)


@settings(max_examples=50, deadline=None)
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


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_attributes_of_any_kind_are_taken_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner, max_size=3),
        max_leaves=6,
    )
    texts = data.draw(
        st.lists(st.dictionaries(_KEYS, values, max_size=5) | st.text(max_size=4), min_size=1, max_size=4)
    )
    kinds = [box, answer, lambda **more: box(class_name="Branch", kind="polyline", polygon=[[RING]], **more)]
    rows = [data.draw(st.sampled_from(kinds))(frame=frame, attributes=text) for frame, text in enumerate(texts)]
    written, result = write(table_of(*rows), tmp_path_factory.mktemp("rows"), on_error="skip")
    assert result.rows + len(result.report.problems) == len(rows)
    assert len(written) == (result.rows > 0)
