"""Labelling configs that are made for tables."""

from __future__ import annotations

import itertools
import json
import warnings
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from predarrow import SCHEMA, Code, InputError, LabelingConfig, PredarrowError, label_config
from predarrow.formats.label_studio.fitting import Fitting
from predarrow.formats.label_studio.label_config import colour_of, config_text

KINDS = ("bbox", "rotated_bbox", "polygon", "polyline", "ellipse", "circle", "keypoints", "bitmask")
RING = [{"x": 0.0, "y": 0.0}, {"x": 9.0, "y": 0.0}, {"x": 0.0, "y": 9.0}]


def row(kind: str = "bbox", class_name: str = "Car", **more: Any) -> dict[str, Any]:
    attributes = more.pop("attributes", None)
    text = attributes if attributes is None or isinstance(attributes, str) else json.dumps(attributes)
    known = {"data_unit": "a.jpg", "frame": 0, "class_name": class_name, "kind": kind, "attributes": text}
    return {**known, **more}


def table_of(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), SCHEMA)


def config_of(*rows: dict[str, Any], **options: Any) -> LabelingConfig:
    return LabelingConfig.parse(label_config(table_of(*rows), **options))


def shape_of(config: LabelingConfig) -> dict[str, tuple[str, tuple[str, ...], list[str]]]:
    """Give each control's tag, objects and labels."""
    return {
        each.name: (each.tag, each.to_name, [label.name for label in each.labels]) for each in config.controls.values()
    }


def kept(task: dict[str, Any] | None = None, *results: tuple[str, str, str], **more: Any) -> dict[str, Any]:
    """Give attributes as the reader gives them."""
    entries = [{"from_name": name, "to_name": to_name, "type": type_} for name, to_name, type_ in results]
    own = {"results": entries} if task is None else {"task": {"data": task}, "results": entries}
    return {"label_studio": own, **more}


def test_each_geometry_gets_a_control_with_its_classes() -> None:
    rows = [row(kind, name) for name in ("Car", "Tree") for kind in KINDS]
    assert shape_of(config_of(*rows)) == {
        f"{tag.lower()}": (tag, ("image",), ["Car", "Tree"])
        for tag in (
            *("RectangleLabels", "PolygonLabels", "VectorLabels", "EllipseLabels", "KeyPointLabels"),
            "BrushLabels",
        )
    }


def test_masks_and_polygons_with_holes_get_the_control_that_is_asked_for() -> None:
    hole = row("polygon", "Ring", polygon=[[RING, RING]])
    plain = row("polygon", "Disc", polygon=[[RING]])
    parts = row("polygon", "Parts", polygon=[[RING], [RING]])
    assert "smoothing" not in label_config(table_of(row("bitmask")))
    assert 'smoothing="false"' in label_config(table_of(row("bitmask")), masks="bitmask")
    shapes = shape_of(config_of(plain, hole, row("bitmask"), masks="bitmask", holes="brush"))
    assert {tag: labels for tag, _, labels in shapes.values()} == {
        "PolygonLabels": ["Disc"],
        "BrushLabels": ["Ring"],
        "BitmaskLabels": ["Car"],
    }
    assert list(shape_of(config_of(plain, hole, parts))) == ["polygonlabels"]


def test_rows_without_a_class_get_controls_without_labels() -> None:
    assert shape_of(config_of(row(class_name=""), row("bitmask", ""))) == {
        "rectangle": ("Rectangle", ("image",), []),
        "brush": ("Brush", ("image",), []),
    }


def test_tags_that_must_have_a_label_get_one() -> None:
    rows = [row("span", "", attributes={"ranges": [[0, 4]]}), row("classification", "a", attributes={"choices": []})]
    assert {tag: labels for tag, _, labels in shape_of(config_of(*rows)).values()} == {
        "Labels": ["unlabelled"],
        "Choices": ["none"],
    }


def test_boxes_of_videos_get_labels_beside_them() -> None:
    rows = [
        row(data_unit="v"),
        row(data_unit="v", class_name="Tree", frame=3),
        row("polygon", "Outline", data_unit="v", frame=3),
        row(data_unit="w", class_name="Still"),
    ]
    config = config_of(*rows)
    assert shape_of(config) == {
        "videorectangle": ("VideoRectangle", ("video",), []),
        "labels": ("Labels", ("video",), ["Car", "Tree", "Still"]),
    }
    assert config.variables == ("video",)


def test_spans_without_a_place_get_a_control_all_the_same() -> None:
    odd = row("span", "Lost", attributes={"ranges": []})
    assert shape_of(config_of(odd)) == {"labels": ("Labels", ("text",), ["Lost"])}
    assert shape_of(config_of(odd, row()))["labels"] == ("Labels", ("image",), ["Lost"])


def test_rows_on_images_and_on_others_do_not_fit_together() -> None:
    video, span = row(data_unit="z", frame=1), row("span", data_unit="z", attributes={"ranges": [[0, 4]]})
    for other, tag in ((video, "Video"), (span, "Text")):
        with pytest.raises(InputError, match=f"must be on one kind of data, .*, got Image and {tag}"):
            label_config(table_of(row(), other))


@pytest.mark.parametrize(
    ("attributes", "more", "tag", "shown"),
    [
        ({"ranges": [[0, 4]]}, {}, "Labels", "Text"),
        ({"ranges": [[0.5, 4]]}, {}, "Labels", "Audio"),
        ({"ranges": [[1, 4], [6, 7]]}, {}, "TimelineLabels", "Video"),
        ({"ranges": [[1, 4]]}, {"frame": 2}, "TimelineLabels", "Video"),
        ({"ranges": [{"start": "/p[1]", "end": "/p[1]"}]}, {}, "HyperTextLabels", "HyperText"),
        ({"ranges": [{"start": "0", "end": "1"}]}, {}, "ParagraphLabels", "Paragraphs"),
    ],
)
def test_spans_get_what_their_ranges_are_of(
    attributes: dict[str, Any], more: dict[str, Any], tag: str, shown: str
) -> None:
    config = config_of(row("span", attributes=attributes, **more))
    ((found, _, labels),) = shape_of(config).values()
    assert (found, labels) == (tag, ["Car"])
    assert [each.tag for each in config.objects.values()] == [shown]


def test_answers_of_tasks_get_controls_of_their_class_name() -> None:
    rows = [
        row("classification", "sunny"),
        row("classification", "what", attributes={"choices": ["a", "b"]}),
        row("classification", "stars", attributes={"rating": 7}),
        row("classification", "tree", attributes={"taxonomy": [["a", "b"], ["a", "c"]]}),
        row("classification", "note", attributes={"text": ["one"]}),
        row("classification", "", attributes={"number": 5}),
        row("classification", "when", attributes={"datetime": "2024-01-01"}),
    ]
    config = config_of(*rows)
    assert {name: (tag, labels) for name, (tag, _, labels) in shape_of(config).items()} == {
        "choices": ("Choices", ["sunny"]),
        "what": ("Choices", ["a", "b"]),
        "stars": ("Rating", []),
        "tree": ("Taxonomy", ["a", "b", "c"]),
        "note": ("TextArea", []),
        "number": ("Number", []),
        "when": ("DateTime", []),
    }
    assert [label.path for label in config.controls["tree"].labels] == [("a",), ("a", "b"), ("a", "c")]
    assert config.controls["stars"].attributes["maxRating"] == "7"
    assert config.controls["what"].attributes["choice"] == "multiple"
    assert not any(control.is_per_region for control in config.controls.values())


def test_answers_are_on_what_the_address_ends_with() -> None:
    for unit, tag in (("a.wav", "Audio"), ("b.mp4?x=a.jpg", "Video"), ("c.JPG", "Image"), ("d", "Image")):
        rows = [row("classification", "loud", data_unit=unit), row("classification", "far", data_unit="z.jpg")]
        assert [each.tag for each in config_of(*rows).objects.values()] == [tag]


def test_answers_of_regions_get_controls_per_region() -> None:
    config = config_of(row(attributes={"text": ["one"], "choices": ["new"]}))
    assert {each.tag: each.is_per_region for each in config.controls.values()} == {
        "RectangleLabels": False,
        "Choices": True,
        "TextArea": True,
    }


def test_several_labels_of_a_row_are_all_there() -> None:
    config = config_of(row(attributes={"labels": ["Car", "Red"]}), row(attributes={"labels": []}))
    assert config.controls["rectanglelabels"].label_names == {"Car", "Red"}


def test_rows_from_label_studio_get_the_controls_that_they_name() -> None:
    data = {"ocr": "https://a/b.jpg", "note": "long"}
    results = [("bbox", "page", "rectangle"), ("label", "page", "labels"), ("said", "page", "textarea")]
    rows = [
        row(data_unit=data["ocr"], class_name="Text", attributes=kept(data, *results, text=["one"])),
        row("polygon", "Text", data_unit=data["ocr"], attributes=kept(None, ("poly", "page", "polygonlabels"))),
        row(
            "classification",
            "pick",
            data_unit=data["ocr"],
            attributes=kept(None, ("pick", "page", "choices"), choices=["a"]),
        ),
        row("polygon", "Other", data_unit="c.jpg"),
    ]
    config = config_of(*rows)
    assert shape_of(config) == {
        "bbox": ("Rectangle", ("page",), []),
        "label": ("Labels", ("page",), ["Text"]),
        "said": ("TextArea", ("page",), []),
        "poly": ("PolygonLabels", ("page",), ["Text"]),
        "pick": ("Choices", ("page",), ["a"]),
        "polygonlabels": ("PolygonLabels", ("page",), ["Other"]),
    }
    assert config.objects["page"].variable == "ocr"
    assert (config.controls["said"].is_per_region, config.controls["pick"].is_per_region) == (True, False)
    assert config_of(*rows, data_key="url").objects["page"].variable == "url"


def test_answers_from_label_studio_are_on_what_their_task_is() -> None:
    for data, unit, tag in (
        ({"text": "some words"}, "7", "Text"),
        ({"text": "https://a/b.png?x=1.txt"}, "https://a/b.png?x=1.txt", "Image"),
        ({"sound": "/data/a.wav"}, "/data/a.wav", "Audio"),
    ):
        answer = row(
            "classification", "pick", data_unit=unit, attributes=kept(data, ("pick", "it", "choices"), choices=["a"])
        )
        shown = config_of(answer).objects["it"]
        assert (shown.tag, shown.variable) == (tag, next(iter(data)))


def test_pairs_and_chats_from_label_studio_are_on_their_objects() -> None:
    pair = row("classification", "pair", attributes=kept({"one": "x", "two": "y"}, ("pair", "one,two", "pairwise")))
    assert config_of(pair).controls["pair"].to_name == ("one", "two")
    assert config_of(pair).variables == ("one", "two")
    best = kept({"items": []}, ("order", "list", "ranker"), ranker={"order": ["1"], "best": ["2"]})
    ranked = config_of(row("classification", "order", attributes=best))
    assert (ranked.objects["list"].tag, '<Bucket name="best"/>' in ranked.text) == ("List", True)
    chat = row("classification", "chat", attributes=kept({"m": []}, ("chat", "chat", "chatmessage")))
    config = config_of(chat)
    assert (config.controls["chat"].type, config.objects["chat"].tag) == ("chatmessage", "Chat")


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            [row(attributes=kept(None, ("a", "i", "rectangle"))), row(attributes=kept(None, ("a", "i", "ellipse")))],
            "results of 'a' must have one type, got rectangle and ellipse",
        ),
        (
            [row(attributes=kept(None, ("a", "i", "rectangle"), ("b", "i", "videorectangle")))],
            "object 'i' must be one thing, got Image and Video",
        ),
        (
            [row("classification", attributes=kept(None, ("a", "a", "choices")))],
            "must have names of their own, got 'a'",
        ),
        ([row("span", attributes=kept(None, ("a", "i", "timeserieslabels")))], "must tell the channels"),
        ([row("classification", attributes={"selected": "left"})], "must tell the two things"),
        ([row("classification", attributes={"ranker": {"best": ["1"]}})], "must tell the things that are ranked"),
    ],
)
def test_rows_that_no_config_fits_are_told(rows: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(InputError, match="give the labelling config") as error:
        label_config(table_of(*rows))
    assert told in str(error.value)
    assert error.value.problems[0].code is Code.BAD_CONFIG


def test_classes_that_xml_cannot_hold_are_told() -> None:
    for name in ("a\x00b", "\x1b", "\ufffe"):
        with pytest.raises(InputError, match="characters that XML can hold"):
            label_config(table_of(row(class_name=name)))


def test_options_and_tables_that_do_not_hold_are_told() -> None:
    with pytest.raises(PredarrowError, match="masks: must be one of 'brush', 'bitmask', got 'png'"):
        label_config(table_of(row()), masks="png")  # type: ignore[arg-type]  # what it is about
    with pytest.raises(PredarrowError, match="holes: must be one of"):
        label_config(table_of(row()), holes="fill")  # type: ignore[arg-type]  # what it is about
    with pytest.raises(InputError, match="must have one column data_unit"):
        label_config(pa.table({"frame": [1]}))


def test_attributes_of_others_are_passed_over() -> None:
    odd = ['{"labels": 5}', '{"text": "a"', "[]", '{"label_studio": []}', '{"name": "choices"}', '{"choices": 5}']
    config = config_of(*[row(attributes=text) for text in odd])
    assert config.controls["rectanglelabels"].label_names == {"Car"}


def test_colours_follow_from_names() -> None:
    assert colour_of("Car") == colour_of("Car") != colour_of("Tree")
    assert f'<Label value="Car" background="{colour_of("Car")}"/>' in label_config(table_of(row()))


def test_names_stay_when_more_rows_come() -> None:
    late = row(
        data_unit="b.jpg", class_name="Bus", attributes=kept(None, ("rectanglelabels", "image", "rectanglelabels"))
    )
    fitting = Fitting()
    fitting.add(table_of(row()).to_batches()[0])
    first = LabelingConfig.parse(config_text(fitting.finish()))
    fitting.add(table_of(late, row(data_unit="c.jpg", class_name="Tree")).to_batches()[0])
    last = LabelingConfig.parse(config_text(fitting.finish()))
    assert [label.name for label in first.controls["rectanglelabels"].labels] == ["Car"]
    assert [label.name for label in last.controls["rectanglelabels"].labels] == ["Car", "Bus", "Tree"]
    assert list(last.controls) == ["rectanglelabels"]


def test_names_that_are_taken_are_numbered() -> None:
    rows = [
        row("classification", "image", attributes={"rating": 1}),
        row("classification", "rectanglelabels", attributes={"number": 1}),
        row(),
    ]
    config = config_of(*rows)
    assert {each.tag: each.name for each in config.controls.values()} == {
        "Rating": "image_2",
        "Number": "rectanglelabels",
        "RectangleLabels": "rectanglelabels_2",
    }


names = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")) | st.sampled_from("&<>\"'\t\n\r "), max_size=12)
attributes = st.sampled_from(
    [
        *(
            None,
            {"text": ["a"]},
            {"choices": ["a", "<b>"]},
            {"labels": ["x", "y"]},
            {"rating": 9},
            {"ranges": [[0, 4]]},
        ),
        *({"taxonomy": [["a", 'b"']]}, {"number": 1}, {"other": 1}),
        kept({"url": "a"}, ("box", "img", "rectanglelabels")),
    ]
)
tables = st.lists(
    st.builds(
        row,
        st.sampled_from((*KINDS, "span", "classification", "cuboid")),
        names,
        attributes=attributes,
        data_unit=st.sampled_from(["a", "b.mp4", "c"]),
        frame=st.integers(0, 1),
    ),
    max_size=12,
).map(lambda rows: sorted(rows, key=lambda each: str(each["data_unit"])))


def text_of(table: pa.Table) -> str | None:
    """Give a table's config, None where it has rows on images and on others."""
    try:
        return label_config(table)
    except InputError as error:
        assert "must be on one kind of data" in str(error)  # noqa: PT017 - any other would be one too many
        return None


@settings(max_examples=150)
@given(tables, st.lists(st.integers(0, 12), max_size=4))
def test_configs_are_sound_and_do_not_depend_on_batches(rows: list[dict[str, Any]], cuts: list[int]) -> None:
    table = table_of(*rows)
    text = text_of(table)
    if text is None:
        return
    config = LabelingConfig.parse(text)
    labels = {label for control in config.controls.values() for label in control.label_names}
    moves = {
        each["data_unit"]: any(one["frame"] and one["data_unit"] == each["data_unit"] for one in rows) for each in rows
    }
    for each in rows:
        has_own = each["attributes"] is not None and '"labels"' in each["attributes"]
        is_held = each["kind"] in KINDS and not (
            moves[each["data_unit"]] and each["kind"] not in ("bbox", "rotated_bbox")
        )
        if each["class_name"] and is_held and not has_own:
            assert each["class_name"] in labels
    ends = sorted({0, *(min(cut, len(rows)) for cut in cuts), len(rows)})
    pieces = [table.slice(start, end - start) for start, end in itertools.pairwise(ends)]
    if pieces:
        assert text_of(pa.concat_tables(pieces)) == text


@settings(max_examples=60)
@given(tables.filter(bool))
def test_configs_are_taken_by_label_studio_s_own_check(rows: list[dict[str, Any]]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the peer, while it is imported
        interface = pytest.importorskip(
            "label_studio_sdk.label_interface.interface", reason="the peer is not installed"
        )
        text = text_of(table_of(*rows))
        assume(text)
        assert text is not None
        judge = interface.LabelInterface(text)
        judge.validate()
    ours = LabelingConfig.parse(text)
    assert {each.name: set(each.labels) for each in judge.controls} == {
        each.name: set(each.label_names) for each in ours.controls.values()
    }
