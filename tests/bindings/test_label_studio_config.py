"""Labelling configs: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from predarrow import Code, InputError, LabelingConfig, label_config
from predarrow.formats.label_studio.tags import TAGS
from predarrow.table import SCHEMA

CONFIG = """<View>
  <!-- the page's own -->
  <Header value="Pick"/>
  <Image name="image" value="$url" zoom="true"/>
  <RectangleLabels name="box" toName="image">
    <View><Label value="Car &amp; bus" alias="car" background="red"/><Label value="Tree"/></View>
    <Label/>
  </RectangleLabels>
  <Taxonomy name="kind" toName="image">
    <Choice value="Animal"><Choice value="Cat"/><Choice alias="dog" value="Dog"/></Choice>
  </Taxonomy>
  <Filter name="filter" toName="box"/>
  <TextArea name="note" toName="image" perRegion="true"/>
  <Pairwise name="pair" toName="image,other"/>
  <Image name="other" valueList="$pages" value="$page"/>
  <Text name="words" value="Say $url"/>
  <Chat name="chat" value="$messages"/>
</View>"""


def problem_of(text: str) -> tuple[Code, str]:
    with pytest.raises(InputError) as error:
        LabelingConfig.parse(text, "a.xml")
    (problem,) = error.value.problems
    assert problem.source == "a.xml"
    return problem.code, str(problem)


def test_controls_tell_their_results() -> None:
    config = LabelingConfig.parse(CONFIG)
    assert list(config.controls) == ["box", "kind", "note", "pair", "chat"]
    box = config.controls["box"]
    assert (box.tag, box.type, box.to_name) == ("RectangleLabels", "rectanglelabels", ("image",))
    assert [(label.name, label.value) for label in box.labels] == [("car", "Car & bus"), ("Tree", "Tree")]
    assert box.label_names == {"car", "Tree"}
    assert box.labels[0].attributes["background"] == "red"
    assert config.controls["pair"].to_name == ("image", "other")
    assert (config.controls["note"].is_per_region, box.is_per_region) == (True, False)
    assert (config.controls["chat"].type, config.controls["chat"].to_name) == ("chatmessage", ("chat",))


def test_objects_tell_what_the_data_must_have() -> None:
    config = LabelingConfig.parse(CONFIG)
    assert {each.name: (each.type, each.variable) for each in config.objects.values()} == {
        "image": ("image", "url"),
        "other": ("image", "pages"),
        "words": ("text", None),
        "chat": ("chat", "messages"),
    }
    assert config.variables == ("url", "pages", "messages")


def test_choices_below_choices_tell_their_path() -> None:
    labels = LabelingConfig.parse(CONFIG).controls["kind"].labels
    assert [label.path for label in labels] == [("Animal",), ("Animal", "Cat"), ("Animal", "dog")]


def test_labels_are_found_by_alias_first() -> None:
    text = '<View><Text name="t" value="$t"/><Labels name="l" toName="t">{}</Labels></View>'
    labels = '<Label value="b" alias="a"/><Label value="a" alias="c"/>'
    control = LabelingConfig.parse(text.format(labels)).controls["l"]
    names = {name: label.name for name in "abc" if (label := control.find_label(name)) is not None}
    assert names == {"a": "a", "b": "a", "c": "c"}
    assert control.find_label("d") is None


def test_controls_are_found_by_type_and_object() -> None:
    config = LabelingConfig.parse(CONFIG)
    assert [each.name for each in config.controls_of("taxonomy")] == ["kind"]
    assert [each.name for each in config.controls_of("pairwise", "other")] == ["pair"]
    assert config.controls_of("taxonomy", "other") == []


def test_configs_are_read_from_files_and_texts(tmp_path: Path) -> None:
    file = tmp_path / "config.xml"
    file.write_text("\ufeff\n" + CONFIG, encoding="utf-8")
    assert LabelingConfig.read(file) == LabelingConfig.read(str(file)) == LabelingConfig.read(" " + CONFIG)
    assert LabelingConfig.read(CONFIG).text == CONFIG
    with pytest.raises(InputError, match="must be XML"):
        LabelingConfig.read(" ")


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file") as error:
        LabelingConfig.read(tmp_path / "none.xml")
    assert error.value.problems[0].code is Code.UNREADABLE
    file = tmp_path / "latin.xml"
    file.write_bytes(b'<View><Header value="\xe9"/></View>')
    with pytest.raises(InputError, match="must be UTF-8, got byte 21") as error:
        LabelingConfig.read(file)
    assert error.value.problems[0].code is Code.BAD_TEXT


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "a.xml: line 1: a labelling config must be XML, got no element found in column 1"),
        ("<View>\n<Image></View>", "line 2: a labelling config must be XML, got mismatched tag in column 10"),
        ('<View><Image name="a" name="b"/></View>', "duplicate attribute"),
        ('<View><Header value="a & b"/></View>', "not well-formed"),
        ('<!DOCTYPE v [<!ENTITY a "b">]><View>&a;</View>', "must have no document type, got <!DOCTYPE"),
        ('<!DOCTYPE v SYSTEM "file:///etc/passwd"><View/>', "must have no document type"),
        ("<View>&nbsp;</View>", "undefined entity"),
        (
            '<View>\n<Label name="a" toName="b"/></View>',
            "line 2: <Label>: toName must be the name of a tag (a), got 'b'",
        ),
        ('<View><Text name="a" value="$a"/><Text name="a" value="$b"/></View>', "must belong to one tag, got 'a'"),
    ],
)
def test_what_does_not_hold_is_refused(text: str, told: str) -> None:
    code, message = problem_of(text)
    assert code is Code.BAD_CONFIG
    assert told in message


def test_huge_configs_are_refused() -> None:
    code, message = problem_of("<View>" + " " * (1 << 24) + "</View>")
    assert (code, "must have at most 16,777,216 bytes" in message) == (Code.TOO_LARGE, True)


def test_deep_configs_are_refused() -> None:
    image = '<Image name="image" value="$image"/>'
    assert list(LabelingConfig.parse("<View>" * 255 + image + "</View>" * 255).objects) == ["image"]
    code, message = problem_of("<View>" * 256 + image + "</View>" * 256)
    assert (code, "must be at most 256 tags deep" in message) == (Code.BAD_CONFIG, True)


def test_labels_outside_of_controls_and_without_a_name_are_passed_over() -> None:
    text = '<View><Label value="a"/><Text name="t" value="$t"/><Labels name="l" toName="t"><Label/></Labels></View>'
    assert LabelingConfig.parse(text).controls["l"].labels == ()


def test_types_are_tags_in_small_letters() -> None:
    assert all(type_ == tag.name.lower() for type_, tag in TAGS.items())
    assert {type_ for type_, tag in TAGS.items() if tag.shape is not None and tag.label_key is None} == {
        *("rectangle", "polygon", "ellipse", "keypoint", "brush", "bitmask", "vector", "videovector", "magicwand"),
    }


@pytest.mark.parametrize("name", ["a\u2028b", "a\x85b", "a\nb", "a\tb", " a ", "a  b", "\"<&>'"])
def test_names_of_labels_stay_as_they_are(name: str) -> None:
    row = {"data_unit": "a.jpg", "row": 0, "frame": 0, "kind": "bbox", "class_name": name}
    config = LabelingConfig.parse(label_config(pa.Table.from_pylist([row], SCHEMA)))
    assert [control.label_names for control in config.controls.values()] == [{name}]
