from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from predarrow.errors import OntologyError
from predarrow.ontology import Ontology, OntologyObject

STRUCTURE: dict[str, Any] = {
    "objects": [
        {"id": "1", "name": "Car", "color": "#FF0000", "shape": "polygon", "featureNodeHash": "OTk2MzM3", "x": [1]},
        {"id": "2", "name": "Car", "shape": "bounding_box", "featureNodeHash": "NzYyMjcx"},
        {"id": "3", "name": "Tree", "shape": "hyperboloid", "featureNodeHash": "Nzg2ODEx"},
    ],
    "classifications": [
        {
            "id": "4",
            "featureNodeHash": "abc",
            "y": 1,
            "attributes": [{"id": "4.1", "featureNodeHash": "def", "name": "Rain?", "type": "text", "archived": True}],
        }
    ],
    "skeleton_templates": [{"template": {"name": "person", "skeleton": {}, "z": None}}],
    "later": {"a": [None]},
}


def test_structure_is_kept_verbatim(tmp_path: Path) -> None:
    ontology = Ontology.from_dict(STRUCTURE)
    assert ontology.to_dict() == STRUCTURE
    ontology.write(tmp_path / "ontology.json")
    assert json.loads((tmp_path / "ontology.json").read_text("utf-8")) == STRUCTURE
    assert Ontology.read(tmp_path / "ontology.json") == ontology
    assert ontology.objects[1] == OntologyObject("NzYyMjcx", "Car", "bounding_box")


def test_structure_cannot_be_changed_from_outside() -> None:
    ontology = Ontology.from_dict(STRUCTURE)
    ontology.to_dict()["objects"].clear()
    assert ontology.to_dict() == STRUCTURE


def test_file_with_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "ontology.json"
    path.write_text(json.dumps(STRUCTURE), "utf-8-sig")
    assert Ontology.read(path).to_dict() == STRUCTURE


def test_lookups() -> None:
    ontology = Ontology.from_dict(STRUCTURE)
    assert ontology.object_by_hash("Nzg2ODEx").name == "Tree"
    assert ontology.object_by_name("Tree").feature_hash == "Nzg2ODEx"
    assert ontology.object_by_name("Car", shape="bounding_box").feature_hash == "NzYyMjcx"
    with pytest.raises(OntologyError, match=r"2 objects have the name 'Car': OTk2MzM3 \(polygon\), NzYyMjcx"):
        ontology.object_by_name("Car")
    with pytest.raises(OntologyError, match="no object has the name 'tree'; did you mean 'Tree'"):
        ontology.object_by_name("tree")
    with pytest.raises(OntologyError, match="no object has the featureNodeHash 'x'; there are OTk2MzM3, NzYy"):
        ontology.object_by_hash("x")
    with pytest.raises(OntologyError, match="'x'; there are none"):
        Ontology.from_classes([]).object_by_hash("x")


def test_classes_have_stable_hashes() -> None:
    one = Ontology.from_classes(["car", "Fußgänger"])
    other = Ontology.from_classes(["Fußgänger", "truck", "car"])
    assert one.object_by_name("car").feature_hash == other.object_by_name("car").feature_hash == "INAoirLf"
    assert one.object_by_name("car") != Ontology.from_classes(["car"], shape="bitmask").object_by_name("car")
    assert {len(item.feature_hash) for item in other.objects} == {8}
    assert [item["id"] for item in other.to_dict()["objects"]] == ["1", "2", "3"]
    assert Ontology.from_dict(one.to_dict()) == one
    assert hash(Ontology.from_dict(one.to_dict())) == hash(one)


def test_many_classes_have_a_colour_each() -> None:
    objects = Ontology.from_classes([str(number) for number in range(300)]).to_dict()["objects"]
    assert all(len(item["color"]) == 7 for item in objects)


@pytest.mark.parametrize(
    ("structure", "message"),
    [
        ({}, r"ontology: \$.objects: must be a list of object classes, got the keys $"),
        ({"ontology": {}}, r"got the keys ontology"),
        ({"objects": {}}, r"\$.objects: must be a list of object classes, got dict"),
        ({"objects": [], "classifications": 3}, r"\$.classifications: must be a list"),
        ({"objects": ["car"]}, r"\$.objects\[0\]: must be an object, got str"),
        ({"objects": [{"name": "a", "shape": "polygon"}]}, r"\$.objects\[0\].featureNodeHash: must be a text"),
        ({"objects": [{"name": "", "shape": "a", "featureNodeHash": "a"}]}, r"\.name: .*not empty, got ''"),
        ({"objects": [{"name": "a", "shape": 3, "featureNodeHash": "a"}]}, r"\.shape: must be a text .*got 3"),
        ({"objects": [STRUCTURE["objects"][0]] * 2}, r"each featureNodeHash must stand once, got 'OTk2MzM3' twice"),
    ],
)
def test_structures_that_do_not_hold(structure: dict[str, Any], message: str) -> None:
    with pytest.raises(OntologyError, match=message):
        Ontology.from_dict(structure)


def test_structure_of_another_type() -> None:
    with pytest.raises(OntologyError, match=r"\$: must be an object, got list"):
        Ontology.from_dict([])  # type: ignore[arg-type]  # what a caller may do


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"objects": [}', r"ontology.json: line 1 column 14: "),
        (b"[]", r"ontology.json: \$: must be an object, got list"),
        (b'"\xff"', r"ontology.json: byte 1: must be UTF-8"),
        (b'{"objects": [3]}', r"ontology.json: \$.objects\[0\]: must be an object"),
    ],
)
def test_files_that_do_not_hold(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "ontology.json").write_bytes(content)
    with pytest.raises(OntologyError, match=message):
        Ontology.read(tmp_path / "ontology.json")


def test_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OntologyError, match=r"none.json: cannot be read: No such file"):
        Ontology.read(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("names", "shape", "message"),
    [
        (["a", "b", "a"], "polygon", "each name must stand once, got 'a' twice"),
        (["a", ""], "polygon", "name: must be a text that is not empty"),
        (["a"], "polygone", "shape: must be one of .*did you mean 'polygon'"),
        ("car", "polygon", "must be a list of names, got the text 'car'"),
    ],
)
def test_classes_that_do_not_hold(names: list[str], shape: str, message: str) -> None:
    with pytest.raises(OntologyError, match=message):
        Ontology.from_classes(names, shape=shape)


def test_repr_names_the_classes() -> None:
    assert repr(Ontology.from_classes(["car"])) == "<Ontology of 1 objects: car>"
