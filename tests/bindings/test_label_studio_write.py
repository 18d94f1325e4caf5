"""Prediction tables as Label Studio's tasks: each kind, held to Label Studio's own check, and read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from predarrow import (
    InputError,
    PredarrowError,
    check_label_studio,
    read_label_studio,
    write_label_studio,
)
from predarrow.errors import OutputError
from tests.label_studio_rows import (
    BOX,
    KINDS,
    mask,
    refused_by_sdk,
    results_of,
    row,
    table,
    write,
    written,
)


@pytest.mark.parametrize(("name", "masks"), [*((name, "brush") for name in KINDS), ("bitmask", "bitmask")])
def test_each_kind_is_what_label_studio_takes_and_reads_back(name: str, masks: str, tmp_path: Path) -> None:
    given_rows = table(KINDS[name])
    result = write(given_rows, tmp_path, masks=masks)
    assert refused_by_sdk(result) == []
    assert result.config is not None
    assert not check_label_studio(result.paths[0], result.config).problems
    back = read_label_studio(result.paths[0], config=result.config).read_all()
    for column in ("frame", "class_name", "kind", "confidence", "rotation", "mask", "image_width"):
        wanted = given_rows[column].to_pylist()
        if column == "class_name" and name == "classification":
            wanted = ["choices"]
        if column == "rotation":
            assert [value or 0.0 for value in back[column].to_pylist()] == [value or 0.0 for value in wanted]
        else:
            assert back[column].to_pylist() == wanted, column
    if KINDS[name].get("polygon"):
        assert back["polygon"].to_pylist() == given_rows["polygon"].to_pylist()
    if KINDS[name].get("bbox"):
        sides = [list(each["bbox"][0].as_py().values()) for each in (back, given_rows)]
        np.testing.assert_allclose(sides[0], sides[1], rtol=0, atol=1e-10 if name == "rotated_bbox" else 0)
    again = write_label_studio(back, tmp_path / "again.json")
    assert written(again) == written(result)


def test_a_box_is_told_in_percent_with_its_score(tmp_path: Path) -> None:
    result = write(table(KINDS["bbox"]), tmp_path, model_version="one")
    assert written(result) == [
        {
            "data": {"image": "a.jpg"},
            "predictions": [
                {
                    "model_version": "one",
                    "result": [
                        {
                            "id": "r1",
                            "from_name": "rectanglelabels",
                            "to_name": "image",
                            "type": "rectanglelabels",
                            "image_rotation": 0,
                            "original_width": 200,
                            "original_height": 100,
                            "value": {
                                "x": 5,
                                "y": 20,
                                "width": 50,
                                "height": 50,
                                "rotation": 0,
                                "rectanglelabels": ["Car"],
                            },
                            "score": 0.25,
                        }
                    ],
                }
            ],
        }
    ]


def test_all_kinds_of_images_stand_in_one_file(tmp_path: Path) -> None:
    rows = [each for name, each in KINDS.items() if name != "span"]
    result = write(table(*rows), tmp_path)
    assert refused_by_sdk(result) == []
    assert (result.tasks, result.rows) == (1, len(rows))


def test_blocks_of_any_size_give_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {**each, "data_unit": f"{unit}.jpg", "object_id": None}
        for unit in range(3)
        for name, each in KINDS.items()
        if name != "span"
    ]
    moving = [row("bbox", bbox=BOX, frame=frame, object_id=f"o{frame % 2}", data_unit="v.mp4") for frame in range(5)]
    whole = [written(write(table(*each), tmp_path)) for each in (rows, moving)]
    monkeypatch.setattr("predarrow.formats.label_studio.write_tasks._BLOCK_ROWS", 3)
    assert [written(write(table(*each), tmp_path)) for each in (rows, moving)] == whole


def test_an_empty_table_is_an_empty_list(tmp_path: Path) -> None:
    result = write(table(), tmp_path)
    assert written(result) == []
    assert (result.tasks, result.rows) == (0, 0)


def test_rotation_is_about_the_top_left_corner_in_pixels(tmp_path: Path) -> None:
    result = write(table(row("rotated_bbox", bbox=BOX, rotation=90.0)), tmp_path)
    value = written(result)[0]["predictions"][0]["result"][0]["value"]
    # the centre (60, 45) stays; a quarter turn puts what was the top left corner at (60 + 25, 45 - 50)
    assert (value["x"], value["y"], value["rotation"]) == (42.5, -5, 90)


def test_points_of_one_object_become_regions_below_its_box(tmp_path: Path) -> None:
    points = [
        {"name": "nose", "x": 20.0, "y": 30.0, "visibility": 2},
        {"name": "ear", "x": 0.0, "y": 0.0, "visibility": 0},
        {"name": "eye", "x": 22.0, "y": 28.0, "visibility": 1},
    ]
    result = write(table(row("keypoints", bbox=BOX, keypoints=points, object_id="o")), tmp_path)
    assert refused_by_sdk(result) == []
    found = results_of(result)
    assert [(each["id"], each.get("parentID"), each["type"]) for each in found] == [
        ("o", None, "rectanglelabels"),
        ("o-1", "o", "keypointlabels"),
        ("o-2", "o", "keypointlabels"),
    ]
    assert found[2]["value"]["keypointlabels"] == ["eye"]
    assert result.rows == 1


def test_boxes_on_frames_become_a_sequence_that_ends_where_they_do(tmp_path: Path) -> None:
    rows = [row("bbox", bbox=BOX, frame=frame, object_id="o", confidence=0.5) for frame in (0, 1, 4)]
    rows += [row("rotated_bbox", bbox=BOX, rotation=5.0, frame=4, object_id="p", class_name="Bus")]
    result = write(table(*rows), tmp_path)
    assert refused_by_sdk(result) == []
    first, second = results_of(result)
    assert (first["id"], first["type"], first["score"], first["value"]["labels"]) == (
        "o",
        "videorectangle",
        0.5,
        ["Car"],
    )
    sequence = first["value"]["sequence"]
    assert [(each["frame"], each["enabled"]) for each in sequence] == [(1, True), (2, False), (5, False)]
    assert (first["value"]["framesCount"], second["value"]["sequence"][0]["rotation"]) == (5, 5)
    sizes = {"a.jpg": (100, 200)}
    back = read_label_studio(result.paths[0], image_sizes=sizes).read_all()
    assert back.sort_by("frame")["frame"].to_pylist() == [0, 1, 4, 4]
    assert written(write_label_studio(back, tmp_path / "again.json")) == written(result)


def test_model_versions_become_predictions_of_a_task(tmp_path: Path) -> None:
    rows = [
        row("bbox", bbox=BOX, attributes=f'{{"model_version":"{name}"}}', data_unit=unit)
        for unit in ("a.jpg", "b.jpg")
        for name in ("one", "two", "one")
    ]
    result = write(table(*rows), tmp_path)
    found = [[(each["model_version"], len(each["result"])) for each in task["predictions"]] for task in written(result)]
    assert found == [[("one", 2), ("two", 1)]] * 2


def test_attributes_of_other_formats_go_to_the_meta_of_regions(tmp_path: Path) -> None:
    rows = [row("bbox", bbox=BOX, attributes=f'{{"area":{n},"iscrowd":0}}') for n in range(3)]
    rows += [row("bbox", bbox=BOX, attributes='{"area":9,"readonly":true}'), row("bbox", bbox=BOX, attributes="{}")]
    found = results_of(write(table(*rows), tmp_path))
    assert [each.get("meta") for each in found] == [{"area": n, "iscrowd": 0} for n in range(3)] + [{"area": 9}, None]
    assert found[3]["readonly"] is True


def test_addresses_are_made_of_data_units(tmp_path: Path) -> None:
    rows = table(row("bbox", bbox=BOX, data_unit='a "b"#1.jpg'))
    assert written(write(rows, tmp_path))[0]["data"] == {"image": 'a "b"#1.jpg'}
    result = write(rows, tmp_path, url="/data/?d={data_unit}", data_key="photo")
    assert written(result)[0]["data"] == {"photo": "/data/?d=a%20%22b%22%231.jpg"}
    assert result.config is not None
    assert 'value="$photo"' in result.config.read_text()


def test_an_id_stands_once_in_a_prediction(tmp_path: Path) -> None:
    rows = [row("bbox", bbox=BOX, object_id="o"), row("bbox", bbox=BOX, object_id="o", data_unit="b.jpg")]
    assert write(table(*rows), tmp_path).tasks == 2
    with pytest.raises(InputError, match="object_id: must be that of one region"):
        write(table(rows[0], rows[0]), tmp_path)


def test_rows_of_a_data_unit_must_stand_together(tmp_path: Path) -> None:
    rows = [row("bbox", bbox=BOX, data_unit=unit) for unit in ("a", "b")] * 20_000
    with pytest.raises(InputError, match="rows of a data unit must stand together"):
        write(table(*rows[:40_000]), tmp_path)


def test_tasks_become_shards_where_they_are_too_large(tmp_path: Path) -> None:
    rows = [row("bbox", bbox=BOX, data_unit=f"{n:04d}.jpg") for n in range(200)]
    rows += [row("bbox", bbox=BOX, data_unit="long.jpg") for _ in range(30)]
    rows += [row("bbox", bbox=BOX, data_unit=f"z{n}.jpg") for n in range(3)]
    whole = write(table(*rows), tmp_path)
    assert [path.name for path in whole.paths] == ["tasks.json"]
    result = write(table(*rows), tmp_path, max_bytes=5000)
    assert [path.name for path in result.paths][:2] == ["tasks-00001.json", "tasks-00002.json"]
    assert written(result) == written(whole)
    sizes = [path.stat().st_size for path in result.paths]
    assert sum(size > 5000 for size in sizes) == 1
    assert result.report.flagged["task larger than max_bytes, in a file of its own"] == 1


def test_many_masks_of_a_task_are_told(tmp_path: Path) -> None:
    rows = [row("bitmask", mask=mask()) for _ in range(101)]
    what = "task with more than 100 masks, which need gigabytes in the editor"
    assert write(table(*rows), tmp_path).report.flagged[what] == 1
    assert not write(table(*rows[1:]), tmp_path).report.flagged


def test_gzip_where_the_name_ends_so(tmp_path: Path) -> None:
    result = write_label_studio(table(KINDS["bbox"]), tmp_path / "t.json.gz")
    assert result.paths[0].read_bytes()[:2] == b"\x1f\x8b"
    assert read_label_studio(result.paths[0]).read_all().num_rows == 1
    assert result.config == tmp_path / "t.xml"


def test_files_are_replaced_only_where_that_is_asked_for(tmp_path: Path) -> None:
    rows = table(KINDS["bbox"])
    write_label_studio(rows, tmp_path / "t.json")
    with pytest.raises(OutputError, match="must be a new file"):
        write_label_studio(rows, tmp_path / "t.json")
    (tmp_path / "t.json").unlink()
    with pytest.raises(OutputError, match=r"t\.xml: must be a new file"):
        write_label_studio(rows, tmp_path / "t.json")
    assert [path.name for path in tmp_path.iterdir()] == ["t.xml"]


@pytest.mark.parametrize(
    "options",
    [{"masks": "png"}, {"holes": "fill"}, {"on_outside": "keep"}, {"on_error": "no"}, {"max_bytes": 10}, {"url": "x"}],
)
def test_options_that_do_not_hold(options: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(PredarrowError, match=next(iter(options))):
        write(table(KINDS["bbox"]), tmp_path, **options)


def test_progress_tells_rows(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write(table(*[KINDS["bbox"] | {"object_id": None}] * 3), tmp_path, progress=lambda *done: told.append(done))
    assert told[-1] == (3, 3)


SIDES = st.integers(1, 5000)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=8)


@st.composite
def boxes(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a box on a grid of hundredths of pixels."""
    width, height = draw(SIDES), draw(SIDES)
    x, y = (
        sorted(draw(st.lists(st.integers(0, 100 * side), min_size=2, max_size=2, unique=True)))
        for side in (width, height)
    )
    corners = {"xmin": x[0] / 100, "ymin": y[0] / 100, "xmax": x[1] / 100, "ymax": y[1] / 100}
    confidence = draw(st.none() | st.floats(0, 1))
    name = draw(NAMES)
    return row("bbox", bbox=corners, image_width=width, image_height=height, confidence=confidence, class_name=name)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(boxes(), min_size=1, max_size=4))
def test_boxes_come_back(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    given_rows = table(*[each | {"data_unit": f"{place}.png"} for place, each in enumerate(rows)])
    result = write(given_rows, tmp_path)
    assert refused_by_sdk(result) == []
    back = read_label_studio(result.paths[0]).read_all()
    for column in ("data_unit", "class_name", "confidence", "image_width"):
        assert back[column].to_pylist() == given_rows[column].to_pylist()
    corners = [np.array([list(box.values()) for box in each["bbox"].to_pylist()]) for each in (back, given_rows)]
    np.testing.assert_allclose(corners[0], corners[1], rtol=4e-16)  # of some sides no width gives the last digit
