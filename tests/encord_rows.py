"""Label rows of every shape, written by Encord's SDK itself; no connection is made.

The coordinates have 17 digits, as the random numbers have; times, people and hashes are always the same.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import numpy as np
import pytest

if TYPE_CHECKING:
    from encord.objects import LabelRowV2, ObjectInstance, OntologyStructure
    from encord.objects.coordinates import Coordinates

WIDTH, HEIGHT, N_FRAMES = 64, 37, 400

_MADE: dict[str, Any] = {
    "created_at": datetime(2024, 1, 2, 3, 4, 5),
    "created_by": "a@b.com",
    "last_edited_at": datetime(2024, 5, 6, 7, 8, 9),
}


def structure() -> dict[str, Any]:
    """Give an ontology with each shape, and static, nested and dynamic attributes on "Box" and "Note"."""
    objects = [
        ("Box", "bounding_box"),
        ("Other type of fruit", "rotatable_bounding_box"),
        ("Area", "polygon"),
        ("Branch", "polyline"),
        ("Pedicel", "point"),
        ("Berry", "bitmask"),
        ("Triangle", "skeleton"),
        ("Ring", "circle"),
        ("Egg", "ellipse"),
        ("Crate", "cuboid_2d"),
        ("Noise", "audio"),
        ("Note", "text"),
    ]
    nodes: list[dict[str, Any]] = [
        {"id": str(i + 1), "name": name, "color": f"#D331{i:02}", "shape": shape, "featureNodeHash": f"{shape[:7]}_"}
        for i, (name, shape) in enumerate(objects)
    ]
    nodes[0]["attributes"] = [
        _attribute("1.1", "Ripe", "radio", [_option("Yes", [_attribute("1.1.1", "How", "text")]), _option("No")]),
        _attribute("1.2", "Marks", "checklist", [_option("Spot"), _option("Cut, ä"), _option("Hole")]),
        _attribute("1.3", "Weight", "numeric"),
        _attribute("1.4", "Pose", "radio", [_option("Up"), _option("Down")], dynamic=True),
        _attribute("1.5", "Remark", "text", dynamic=True),
        _attribute("1.6", "Signs", "checklist", [_option("Left"), _option("Right")], dynamic=True),
        _attribute("1.7", "Speed", "numeric", dynamic=True),
    ]
    nodes[11]["attributes"] = [_attribute("12.1", "Tone", "radio", [_option("Loud"), _option("Soft")])]
    deep = _attribute("1.1.1", "Sort", "radio", [_option("Bing", [_attribute("1.1.1.1", "Why", "text")]), _option("X")])
    roots = [
        _attribute("1.1", "Blueberry or cherry?", "radio", [_option("Cherry", [deep]), _option("Blueberry")]),
        _attribute("2.1", "Many types of fruit?", "checklist", [_option("Apple"), _option("Kiwi"), _option("Fig")]),
        _attribute("3.1", "Said", "text"),
        _attribute("4.1", "Count", "numeric"),
        _attribute("5.1", "Usable", "radio", [_option("For all"), _option("For none")]),
    ]
    classifications: list[dict[str, Any]] = [
        {"id": str(i + 1), "featureNodeHash": f"class_{i}_", "attributes": [root]} for i, root in enumerate(roots)
    ]
    classifications[4]["level"] = "global"
    points = {
        str(i): {"x": x, "y": y, "name": name, "color": "#00FF00", "value": name, "featureHash": f"point_{i}_"}
        for i, (name, x, y) in enumerate([("top", 0.5, 0.0), ("left", 0.0, 1.0), ("right", 1.0, 1.0)])
    }
    edges = {"0": {"1": {"color": "#FF0000"}}, "1": {"2": {"color": "#FF0000"}}}
    template = {"name": "Triangle", "width": 100, "height": 100, "skeleton": points, "skeletonEdges": edges}
    template |= {"feature_node_hash": "skeleto_", "shape": "skeleton"}
    templates = [{"template": template}]
    return {"objects": nodes, "classifications": classifications, "skeleton_templates": templates}


def _attribute(
    place: str, name: str, kind: str, options: Sequence[dict[str, Any]] = (), *, dynamic: bool = False
) -> dict[str, Any]:
    node = {"id": place, "name": name, "type": kind, "featureNodeHash": f"attr_{name}", "required": False}
    listed = [{"id": f"{place}.{i + 1}", **option} for i, option in enumerate(options)]
    return node | {"dynamic": dynamic} | ({"options": listed} if listed else {})


def _option(label: str, attributes: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    node: dict[str, Any] = {"label": label, "value": label.lower().replace(" ", "_"), "featureNodeHash": f"opt_{label}"}
    return node | ({"options": list(attributes)} if attributes else {})


def sdk_structure() -> OntologyStructure:
    """Give the ontology as the SDK's; the test that asks is skipped without the SDK."""
    objects = pytest.importorskip("encord.objects")
    made: OntologyStructure = objects.OntologyStructure.from_dict(structure())
    return made


def sdk_row(label_row: Mapping[str, Any], ontology: OntologyStructure | None = None) -> LabelRowV2:
    """Give a label row as the SDK's, which takes it or raises."""
    row = _empty_row(label_row, sdk_structure() if ontology is None else ontology)
    row.from_labels_dict(copy.deepcopy(dict(label_row)))
    return row


def rewritten(label_row: Mapping[str, Any], ontology: OntologyStructure | None = None) -> dict[str, Any]:
    """Give what the SDK makes of a label row, as JSON has it."""
    made: dict[str, Any] = json.loads(json.dumps(sdk_row(label_row, ontology).to_encord_dict()))
    return made


def comparable(label_row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a label row with its actions in one order, as the SDK turns theirs round each time."""
    row = copy.deepcopy(dict(label_row))
    for entry in row["object_actions"].values():
        entry["actions"].sort(key=lambda action: json.dumps(action, sort_keys=True))
    return row


def image_row(seed: int = 0) -> dict[str, Any]:
    """Give an image with every shape of images and videos, twice, and every classification."""
    row = _empty_row({"data_type": "image"}, sdk_structure())
    rng = Random(seed)
    for i in range(2):
        _add_each_shape(row, rng, f"_{i}", [[0]])
    _add_classifications(row, [0])
    return _named(row, f"image-{seed}", f"Kirsche {seed}.png")


def group_row(seed: int = 0) -> dict[str, Any]:
    """Give a group of three images, of three sizes, with every shape on some of them."""
    row = _empty_row({"data_type": "img_group"}, sdk_structure())
    rng = Random(seed)
    _add_each_shape(row, rng, "", [[0], [2], [1]])
    _add_classifications(row, [0, 2])
    return _named(row, f"group-{seed}", f"Gruppe {seed}")


def video_row(seed: int = 0) -> dict[str, Any]:
    """Give a video with every shape tracked over frames that are and are not consecutive, and dynamic answers."""
    row = _empty_row({"data_type": "video"}, sdk_structure())
    rng = Random(seed)
    _add_each_shape(row, rng, "_a", [[103], [104], [105]])
    _add_each_shape(row, rng, "_b", [[313, 315], [317]])
    _add_classifications(row, [*range(193, 198), 200])
    return _named(row, f"video-{seed}", f"Kirschen {seed}.mp4")


def audio_row(seed: int = 0) -> dict[str, Any]:
    """Give an audio file with two objects of ranges in milliseconds."""
    from encord.objects.coordinates import AudioCoordinates
    from encord.objects.frames import Range

    row = _empty_row({"data_type": "audio"}, sdk_structure())
    for i in range(2):
        _add(row, "Noise", f"noise_{i}", [(AudioCoordinates(range=[Range(10 * i, 50), Range(99, 700 + i)]), [0])])
    return _named(row, f"audio-{seed}", "Ton.wav")


def text_row(seed: int = 0) -> dict[str, Any]:
    """Give a text with an object of characters, with an answer."""
    from encord.objects.coordinates import TextCoordinates
    from encord.objects.frames import Range

    row = _empty_row({"data_type": "plain_text"}, sdk_structure())
    note = _add(row, "Note", "note_0", [(TextCoordinates(range=[Range(3, 9)]), [0])])
    tone = _child(note, "Tone")
    note.set_answer(tone.options[1], attribute=tone)
    return _named(row, f"text-{seed}", "Text.txt")


def _empty_row(label_row: Mapping[str, Any], ontology: OntologyStructure) -> LabelRowV2:
    objects = pytest.importorskip("encord.objects")
    storage = pytest.importorskip("encord.orm.storage")

    def image(width: int, height: int) -> Any:
        return storage.CustomerProvidedImageMetadata(mime_type="image/png", file_size=1, width=width, height=height)

    def video(width: int, height: int) -> Any:
        given = {"mime_type": "video/mp4", "file_size": 1, "fps": 25.0, "duration": N_FRAMES / 25.0}
        return storage.CustomerProvidedVideoMetadata(width=width, height=height, **given)

    def of_unit(unit: Mapping[str, Any], make: Any) -> Any:
        return make(unit.get("width", WIDTH), unit.get("height", HEIGHT))

    units = list(label_row.get("data_units", {}).values())
    given: Any
    kind = label_row["data_type"]
    if kind == "img_group":
        sizes = units or [{"width": WIDTH, "height": HEIGHT}, {"width": 33, "height": 90}, {"width": 640, "height": 1}]
        given = [of_unit(unit, image) for unit in sizes]
    elif kind == "audio":
        options = {"mime_type": "audio/wav", "file_size": 1, "codec": "pcm", "bit_depth": 16}
        given = storage.CustomerProvidedAudioMetadata(duration=2.0, sample_rate=1000, num_channels=2, **options)
    elif kind == "plain_text":
        given = storage.CustomerProvidedTextMetadata(mime_type="text/plain", file_size=1)
    else:
        given = of_unit(units[0] if units else {}, video if kind == "video" else image)
    made: LabelRowV2 = objects.LabelRowV2.from_media_metadata(Mock(structure=ontology), given)
    return made


def _named(row: LabelRowV2, data_hash: str, title: str) -> dict[str, Any]:
    """Give a row's dictionary with hashes, titles and times that are always the same."""
    label_row: dict[str, Any] = json.loads(json.dumps(row.to_encord_dict()))
    time = "Tue, 02 Jan 2024 03:04:05 UTC"
    label_row |= {"data_hash": data_hash, "data_title": title, "label_hash": f"label of {data_hash}"}
    label_row |= {"created_at": time, "last_edited_at": time}
    units = list(label_row["data_units"].values())
    for i, unit in enumerate(units):
        named = label_row["data_type"] == "img_group"
        unit["data_hash"] = f"{data_hash}/{i}" if named else data_hash
        unit["data_title"] = f"{title} {i}" if named else title
    label_row["data_units"] = {unit["data_hash"]: unit for unit in units}
    return label_row


def _add_each_shape(row: LabelRowV2, rng: Random, suffix: str, places: Sequence[Sequence[int]]) -> None:
    """Add an object of each shape, with coordinates of its own at each of the places."""
    for name in _geometries(row, rng, places[0][0]):
        positions = [(_geometries(row, rng, frames[0])[name], frames) for frames in places]
        made = _add(row, name, f"{name}{suffix}", positions, confidence=rng.random())
        if name == "Box":
            _answer(made, [frame for frames in places for frame in frames])


def _geometries(row: LabelRowV2, rng: Random, frame: int) -> dict[str, Coordinates]:
    from encord.objects import coordinates as c
    from encord.objects.bitmask import BitmaskCoordinates

    def points(n: int) -> list[c.PointCoordinate]:
        return [c.PointCoordinate(x=rng.random(), y=rng.random()) for _ in range(n)]

    def number() -> float:
        return rng.random()

    view = row.get_frame_view(frame)
    pixels = np.random.default_rng(rng.randrange(1000)).random((view.height, view.width)) < number()
    visible = [*c.Visibility]
    joints = [
        c.SkeletonCoordinate(
            x=number(),
            y=number(),
            name=name,
            color="#00FF00",
            feature_hash=f"point_{i}_",
            value=name,
            visibility=rng.choice(visible),
        )
        for i, name in enumerate(["top", "left", "right"])
    ]
    return {
        "Box": c.BoundingBoxCoordinates(height=number(), width=number(), top_left_x=number(), top_left_y=number()),
        "Other type of fruit": c.RotatableBoundingBoxCoordinates(
            height=number(), width=number(), top_left_x=number(), top_left_y=number(), theta=400 * number() - 200
        ),
        "Area": c.PolygonCoordinates(polygons=[[points(4), points(3)], [points(5)]]),
        "Branch": c.PolylineCoordinates(values=points(4)),
        "Pedicel": points(1)[0],
        "Berry": BitmaskCoordinates(pixels),
        "Triangle": c.SkeletonCoordinates(values=joints, name="Triangle"),
        "Ring": c.CircleCoordinates(center_x=number(), center_y=number(), radius=number()),
        "Egg": c.EllipseCoordinates(center_x=number(), center_y=number(), rx=number(), ry=number(), theta=number()),
        "Crate": c.Cuboid2DPerspectiveCoordinates(front=points(4), vanishing_point=points(1)[0], scale_ratio=number())
        if frame % 2
        else c.Cuboid2DIsometricCoordinates(front=points(4), offset=points(1)[0]),
    }


def _add(
    row: LabelRowV2,
    name: str,
    object_hash: str,
    positions: Iterable[tuple[Coordinates, Sequence[int]]],
    **more: Any,
) -> ObjectInstance:
    from encord.objects import Object, ObjectInstance

    node = row.ontology_structure.get_child_by_title(name, type_=Object)
    made = ObjectInstance(node, object_hash=object_hash)
    for coordinates, frames in positions:
        place = list(frames) if len(frames) > 1 else frames[0]  # ranges of sounds and texts take no list
        made.set_for_frames(coordinates, place, manual_annotation=False, **_MADE, **more)
    row.add_object_instance(made)
    return made


def _answer(made: ObjectInstance, frames: Sequence[int]) -> None:
    ripe, marks, pose, signs = (_child(made, name) for name in ("Ripe", "Marks", "Pose", "Signs"))
    made.set_answer(ripe.options[0], attribute=ripe)
    made.set_answer('so "so"\n', attribute=ripe.options[0].attributes[0])
    made.set_answer(list(marks.options[1:]), attribute=marks)
    made.set_answer(0.1, attribute=_child(made, "Weight"))
    made.set_answer(pose.options[0], attribute=pose, frames=list(frames[:2]))
    made.set_answer(pose.options[1], attribute=pose, frames=list(frames[2:])) if frames[2:] else None
    made.set_answer("ja", attribute=_child(made, "Remark"), frames=[frames[0], frames[-1]])
    made.set_answer([signs.options[1]], attribute=signs, frames=list(frames))
    made.set_answer(7, attribute=_child(made, "Speed"), frames=[frames[-1]])


def _child(made: ObjectInstance, name: str) -> Any:
    return made.ontology_item.get_child_by_title(name)


def _add_classifications(row: LabelRowV2, frames: Sequence[int]) -> None:
    from encord.objects import Classification, ClassificationInstance

    for i, node in enumerate(row.ontology_structure.classifications):
        assert isinstance(node, Classification)
        root: Any = node.attributes[0]
        made = ClassificationInstance(node, classification_hash=f"answer_{i}")
        answer: Any = {"text": "gut, sehr", "numeric": 3}.get(root.get_property_type().value)
        if root.title == "Many types of fruit?":
            answer = [root.options[0], root.options[1]]
        elif answer is None:
            answer = root.options[0]
        made.set_answer(answer)
        if i == 0:
            deep = root.options[0].attributes[0]
            made.set_answer(deep.options[0], attribute=deep)
            made.set_answer("weil", attribute=deep.options[0].attributes[0])
        made.set_for_frames([0] if made.is_global() else list(frames), confidence=0.25 * (i + 1), **_MADE)
        row.add_classification_instance(made)
