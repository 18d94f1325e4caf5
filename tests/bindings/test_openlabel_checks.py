"""OpenLABEL files that do not hold: what is refused, with which code, at which place."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from predarrow import InputError, read_openlabel
from predarrow.report import Code
from tests.corpus import corpus_path
from tests.openlabel_documents import TURNED, UID, attributes, box, cuboid, document, geometry, objects, one, reader

AT = f"/openlabel/frames/0/objects/{UID}/object_data"
SQUARE = [0.0, 0.0, 10.0, 0.0, 10.0, 10.0]


def poly(val: Any, **more: Any) -> Any:
    return geometry(val, **{"mode": "MODE_POLY2D_ABSOLUTE", "closed": True, **more})


def told(type_: str, name: str, val: Any) -> Any:
    result = attributes(confidence=None)
    result.setdefault(type_, []).append({"name": name, "val": val})
    return result


def boxed(**more: Any) -> Any:
    return one(bbox=[box(**more)])


def sized(*sizes: float) -> Any:
    return one(cuboid=[cuboid([*TURNED[:7], *sizes])])


def turned(*quaternion: float) -> Any:
    return one(cuboid=[cuboid([*TURNED[:3], *quaternion, 1.0, 1.0, 1.0])])


HOLE = {"attributes": {**attributes(), "boolean": [{"name": "is_hole", "val": True}]}}

GEOMETRIES = [
    # what the schemas see
    (one(bbox=[box(1, 2, 3)]), Code.BAD_VALUE, f"{AT}/bbox/0/val"),
    (one(bbox=[box(1, 2, 3, 4, 5)]), Code.BAD_VALUE, f"{AT}/bbox/0/val"),
    (one(bbox=[geometry([])]), Code.BAD_VALUE, f"{AT}/bbox/0/val"),
    (one(bbox=[geometry(["1", 2, 3, 4])]), Code.BAD_NUMBER, f"{AT}/bbox/0/val"),
    (one(bbox=[geometry([True, 2, 3, 4])]), Code.BAD_NUMBER, f"{AT}/bbox/0/val"),
    (one(bbox=[geometry([None, 2, 3, 4])]), Code.BAD_NUMBER, f"{AT}/bbox/0/val"),
    (one(bbox=[geometry(None)]), Code.BAD_NUMBER, f"{AT}/bbox/0/val"),
    (one(bbox=[{"name": "x"}]), Code.BAD_VALUE, f"{AT}/bbox/0/val"),
    (one(bbox=[{"val": [1, 2, 3, 4]}]), Code.BAD_VALUE, f"{AT}/bbox/0/name"),
    (one(bbox=[box(name=5)]), Code.BAD_VALUE, f"{AT}/bbox/0/name"),
    (one(bbox=[5]), Code.BAD_VALUE, f"{AT}/bbox/0"),
    (one(cuboid=[cuboid([1.0, 2.0, 3.0])]), Code.BAD_VALUE, f"{AT}/cuboid/0/val"),
    (one(cuboid=[cuboid([*TURNED, 1.0])]), Code.BAD_VALUE, f"{AT}/cuboid/0/val"),
    (one(rbbox=[geometry([1, 2, 3, 4])]), Code.BAD_VALUE, f"{AT}/rbbox/0/val"),
    (one(point2d=[geometry([1, 2, 3])]), Code.BAD_VALUE, f"{AT}/point2d/0/val"),
    (one(poly2d=[poly(SQUARE[:5])]), Code.BAD_VALUE, f"{AT}/poly2d/0/val"),
    (one(poly2d=[poly(SQUARE, mode=None)]), Code.BAD_VALUE, f"{AT}/poly2d/0/mode"),
    (one(poly2d=[poly(SQUARE, mode="other")]), Code.BAD_VALUE, f"{AT}/poly2d/0/mode"),
    (one(poly2d=[geometry(SQUARE, mode="MODE_POLY2D_ABSOLUTE")]), Code.BAD_VALUE, f"{AT}/poly2d/0/closed"),
    (one(image=[geometry(5)]), Code.BAD_NUMBER, f"{AT}/image/0/val"),
    (one(image=[geometry("?")]), Code.DAMAGED, f"{AT}/image/0/val"),
    (one(image=[geometry("AAAA")]), Code.NOT_PNG, f"{AT}/image/0/val"),
    (one(image=[geometry("AAAA", mime_type="image/jpeg")]), Code.UNSUPPORTED, f"{AT}/image/0/mime_type"),
    (boxed(attributes=5), Code.BAD_VALUE, f"{AT}/bbox/0/attributes"),
    (boxed(attributes={"num": 5}), Code.BAD_VALUE, f"{AT}/bbox/0/attributes/num"),
    (boxed(attributes={"num": [{"name": "confidence"}]}), Code.BAD_VALUE, f"{AT}/bbox/0/attributes/num/0"),
    # what they do not see
    (one(bbox=[box(1, 2, -3, 4)]), Code.BAD_SIZE, f"{AT}/bbox/0/val"),
    (one(bbox=[box(1, 2, 3, 0)]), Code.BAD_SIZE, f"{AT}/bbox/0/val"),
    (one(bbox=[box(1, 2, float("nan"), 4)]), Code.BAD_NUMBER, f"{AT}/bbox/0/val/2"),
    (one(bbox=[box(1, float("-inf"), 3, 4)]), Code.BAD_NUMBER, f"{AT}/bbox/0/val/1"),
    (one(rbbox=[geometry([1, 2, 0, 4, 0.5])]), Code.BAD_SIZE, f"{AT}/rbbox/0/val"),
    (one(poly2d=[poly([*SQUARE[:4], *SQUARE[:2]])]), Code.BAD_VALUE, f"{AT}/poly2d/0/val"),
    (one(poly2d=[poly([1e39, *SQUARE[1:]])]), Code.BAD_NUMBER, f"{AT}/poly2d/0/val"),
    (one(poly2d=[poly([*SQUARE[:3], float("nan"), 1, 1])]), Code.BAD_NUMBER, f"{AT}/poly2d/0/val/3"),
    (one(poly2d=[poly(SQUARE, **HOLE)]), Code.BAD_VALUE, f"{AT}/poly2d/0/attributes"),
    (sized(1, 1, 0), Code.BAD_SIZE, f"{AT}/cuboid/0/val"),
    (sized(1, -1, 1), Code.BAD_SIZE, f"{AT}/cuboid/0/val"),
    (turned(0, 0, 0, 0), Code.BAD_ROTATION, f"{AT}/cuboid/0/val/3"),
    (turned(1, 1, 1, 1), Code.BAD_ROTATION, f"{AT}/cuboid/0/val/3"),
    (turned(0, 0, 0, float("inf")), Code.BAD_NUMBER, f"{AT}/cuboid/0/val/6"),
    (boxed(attributes=attributes(confidence=1.5)), Code.BAD_CONFIDENCE, f"{AT}/bbox/0/attributes/num/0/val"),
    (boxed(attributes=attributes(confidence=-0.1)), Code.BAD_CONFIDENCE, f"{AT}/bbox/0/attributes/num/0/val"),
    (boxed(attributes=attributes(confidence="0.5")), Code.BAD_CONFIDENCE, f"{AT}/bbox/0/attributes/num/0/val"),
    (boxed(attributes=attributes(confidence=True)), Code.BAD_CONFIDENCE, f"{AT}/bbox/0/attributes/num/0/val"),
    (boxed(attributes=attributes(confidence=float("nan"))), Code.BAD_CONFIDENCE, f"{AT}/bbox/0/attributes/num/0/val"),
    (boxed(attributes=told("text", "confidence", "0.5")), Code.BAD_CONFIDENCE, f"{AT}/bbox/0/attributes/text/1"),
    (boxed(attributes=told("boolean", "interpolated", 1)), Code.BAD_VALUE, f"{AT}/bbox/0/attributes/boolean/0/val"),
    (boxed(attributes=told("text", "stream", "other")), Code.BAD_VALUE, f"{AT}/bbox/0/attributes/text/0"),
]

KOGNICS = [
    (boxed(attributes=attributes(None)), Code.NO_STREAM, f"{AT}/bbox/0/attributes/text"),
    (boxed(attributes={}), Code.NO_STREAM, f"{AT}/bbox/0/attributes/text"),
    (boxed(attributes=attributes("nowhere")), Code.UNKNOWN_STREAM, f"{AT}/bbox/0/attributes/text"),
    (boxed(attributes=attributes("lidar_id")), Code.WRONG_STREAM, f"{AT}/bbox/0/attributes/text"),
    (one(cuboid=[cuboid(attributes=attributes())]), Code.WRONG_STREAM, f"{AT}/cuboid/0/attributes/text"),
    (one(bbox=[box()], cuboid=[cuboid()]), Code.MIXED_GEOMETRIES, f"{AT}/cuboid/0"),
    (one(cuboid=[cuboid(), cuboid()]), Code.DUPLICATE_GEOMETRY, f"{AT}/cuboid/1"),
]

FILES = [
    ("", Code.DAMAGED, "line"),
    ("{", Code.DAMAGED, "line"),
    ("[]", Code.BAD_VALUE, ""),
    ("{}", Code.BAD_VALUE, ""),
    ('{"vcd": {}}', Code.BAD_VALUE, ""),
    ('{"openlabel": {}, "more": 1}', Code.BAD_VALUE, ""),
    ('{"openlabel": []}', Code.BAD_VALUE, "/openlabel"),
    ('{"openlabel": {}}', Code.BAD_VALUE, "/openlabel/metadata/schema_version"),
    (json.dumps(document(metadata={"schema_version": "1.0.1"})), Code.BAD_VALUE, "/openlabel/metadata/schema_version"),
    (json.dumps(document(metadata={"schema_version": 1})), Code.BAD_VALUE, "/openlabel/metadata/schema_version"),
    (json.dumps(document(metadata=[])), Code.BAD_VALUE, "/openlabel/metadata"),
    (json.dumps(document({"-1": {}})), Code.BAD_VALUE, "/openlabel/frames/-1"),
    (json.dumps(document({"a/b": {}})), Code.BAD_VALUE, "/openlabel/frames/a~1b"),
    (json.dumps(document({"2147483648": {}})), Code.BAD_VALUE, "/openlabel/frames/2147483648"),
    (json.dumps(document({"1": {}, "01": {}})), Code.BAD_VALUE, "/openlabel/frames/01"),
    (json.dumps(document({"0": 5})), Code.BAD_VALUE, "/openlabel/frames/0"),
    (json.dumps(document({"0": {"objects": []}})), Code.BAD_VALUE, "/openlabel/frames/0/objects"),
    (json.dumps(document(streams=[])), Code.BAD_VALUE, "/openlabel/streams"),
    (json.dumps(document({"0": {"objects": {UID: 5}}})), Code.BAD_VALUE, f"/openlabel/frames/0/objects/{UID}"),
    (json.dumps(document({"0": {"objects": {UID: {"object_data": 5}}}})), Code.BAD_VALUE, AT),
    (json.dumps(document(objects={UID: {"name": "x"}})), Code.BAD_VALUE, f"/openlabel/objects/{UID}/type"),
    (json.dumps(document(objects={})), Code.UNKNOWN_OBJECT, f"/openlabel/frames/0/objects/{UID}"),
    (json.dumps(document(extra=float("nan"))), Code.BAD_NUMBER, "/openlabel/extra"),
    (r'{"openlabel": {"metadata": {"schema_version": "1.0.0", "name": "\ud800"}}}', Code.BAD_TEXT, ""),
]


@pytest.mark.parametrize(("given_document", "code", "pointer"), GEOMETRIES + KOGNICS)
def test_one_bad_geometry_is_refused_and_the_others_stay(
    tmp_path: Path, given_document: Any, code: Code, pointer: str
) -> None:
    result = reader(tmp_path, given_document, on_error="skip")
    n_rows = result.read_all().num_rows
    (problem,) = result.report.problems
    assert (problem.code, problem.pointer) == (code, pointer)
    assert problem.source == str(tmp_path / "scene.json")
    assert problem.row is not None
    assert "got" in problem.message
    data = given_document["openlabel"]["frames"]["0"]["objects"][UID]["object_data"]
    assert n_rows == sum(map(len, data.values())) - 1
    with pytest.raises(InputError) as error:
        reader(tmp_path, given_document).read_all()
    assert error.value.problems == (problem,)


@pytest.mark.parametrize(("given_document", "code", "pointer"), GEOMETRIES)
def test_the_standard_refuses_numbers_that_mean_nothing_too(
    tmp_path: Path, given_document: Any, code: Code, pointer: str
) -> None:
    result = reader(tmp_path, given_document, dialect="asam", on_error="skip")
    result.read_all()
    assert [(each.code, each.pointer) for each in result.report.problems] == [(code, pointer)]


@pytest.mark.parametrize("given_document", [each[0] for each in KOGNICS])
def test_the_standard_takes_what_only_kognic_refuses(tmp_path: Path, given_document: Any) -> None:
    data = given_document["openlabel"]["frames"]["0"]["objects"][UID]["object_data"]
    found = reader(tmp_path, given_document, dialect="asam").read_all()
    assert found.num_rows == sum(map(len, data.values()))


def test_the_standard_flags_unknown_streams(tmp_path: Path) -> None:
    result = reader(tmp_path, boxed(attributes=attributes("nowhere")), dialect="asam")
    assert result.read_all()["stream"].to_pylist() == ["nowhere"]
    assert result.report.flagged == {"stream or coordinate system that the file does not list": 1}


def test_geometries_at_the_root_are_refused(tmp_path: Path) -> None:
    static = document()
    static["openlabel"]["objects"][UID]["object_data"]["bbox"] = [box()]
    result = reader(tmp_path, static, on_error="skip")
    rows = result.read_all().to_pylist()
    (problem,) = result.report.problems
    assert problem.code == Code.STATIC_GEOMETRY
    assert problem.pointer == f"/openlabel/objects/{UID}/object_data/bbox/0"
    assert "bbox" not in json.loads(rows[0]["attributes"])["object"]["object_data"]


@pytest.mark.parametrize(("text", "code", "pointer"), FILES)
def test_files_that_do_not_hold(tmp_path: Path, text: str, code: Code, pointer: str) -> None:
    result = reader(tmp_path, text, on_error="skip")
    result.read_all()
    problem = result.report.problems[0]
    assert problem.code == code
    assert problem.pointer.startswith(pointer) if pointer == "line" else problem.pointer == pointer


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{"openlabel": "\xff"}')
    (tmp_path / "b.json.gz").write_bytes(b"\x1f\x8b\x08")
    result = read_openlabel([tmp_path / "a.json", tmp_path / "b.json.gz", tmp_path / "c.json"], on_error="skip")
    assert result.read_all().num_rows == 0
    assert [problem.code for problem in result.report.problems] == [Code.BAD_TEXT, Code.DAMAGED, Code.UNREADABLE]


def test_holes_of_several_outlines_are_refused(tmp_path: Path) -> None:
    id_ = {"name": "polygon_id", "val": "a"}
    stream = {"name": "stream", "val": "camera_id"}
    rings = [
        poly(SQUARE, attributes={"text": [stream, id_], "boolean": [{"name": "is_hole", "val": is_hole}]})
        for is_hole in (False, False, True)
    ]
    result = reader(tmp_path, one(poly2d=rings), on_error="skip")
    assert result.read_all().num_rows == 0
    assert len(result.report.problems) == 3


def test_every_real_file_is_read_or_refused_with_its_reason() -> None:
    files = sorted(corpus_path("openlabel").rglob("*.json"))
    assert files
    for file in files:
        for dialect in ("kognic", "asam"):
            result = read_openlabel(file, dialect=dialect, on_error="skip")
            n_rows = result.read_all().num_rows
            assert n_rows or result.report.problems or result.report.skipped, file
            assert all(problem.pointer.startswith("/openlabel/") for problem in result.report.problems)
            if dialect == "asam":
                assert {problem.code for problem in result.report.problems} <= {Code.BAD_VALUE}, file


SEED = document(
    {
        "0": {
            "objects": objects(bbox=[box(), box(uid="u")], poly2d=[poly(SQUARE)], text=[{"name": "a", "val": "b"}]),
            "frame_properties": {"timestamp": 1, "external_id": ""},
        },
        "1": {"objects": objects(cuboid=[cuboid()], rbbox=[geometry([1, 2, 3, 4, 0.5])], point2d=[geometry([1, 2])])},
    }
)
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1e308, 10**400, float("nan"), float("inf"), "", "x", "\ud800", [], {}, [[]], [None], {"a": 1}]
)


def places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    return [place, *(each for key in keys for each in places(value[key], (*place, key)))]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_files_that_nobody_thought_of_are_refused_with_a_reason(tmp_path: Path, data: st.DataObject) -> None:
    changed = copy.deepcopy(SEED)
    for _ in range(data.draw(st.integers(1, 3))):
        *way, key = data.draw(st.sampled_from([place for place in places(changed) if place] or [("openlabel",)]))
        parent = changed
        for each in way:
            parent = parent[each]
        if data.draw(st.booleans()):
            parent.pop(key, None) if isinstance(parent, dict) else parent.pop(key)
        else:
            parent[key] = copy.deepcopy(data.draw(VALUES))
    text = json.dumps(changed, indent=data.draw(st.sampled_from([None, 1])))
    for dialect in ("kognic", "asam"):
        result = reader(tmp_path, text, dialect=dialect, on_error="skip")
        table = result.read_all()
        table.validate(full=True)
        for kept in table["attributes"].to_pylist():
            json.loads(kept)
