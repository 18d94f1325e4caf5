"""Tasks that are read come back whole from the rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from predarrow import read_label_studio
from tests import label_studio_tasks, naive_label_studio
from tests.corpus import corpus_path
from tests.label_studio_same import check_same, with_rows


def _written(path: Path, entries: Any) -> Path:
    path.write_text(json.dumps(entries))
    return path


@settings(  # without shrinking, which takes minutes of such large inputs
    max_examples=40,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(entries=label_studio_tasks.FILES)
def test_tasks_come_back(entries: list[Any], tmp_path: Path) -> None:
    table = read_label_studio(_written(tmp_path / "tasks.json", entries), workers=1).read_all()
    check_same(naive_label_studio.entries_of(table), with_rows(entries))


@pytest.mark.parametrize(
    "name",
    [
        "ls_text_with_2_predictions",
        "mlbackend_opossum_snow_short_2",
        "mlbackend_test_keypoint_labels_1",
        "mlbackend_test_polygon_labels",
        "sdk_test_export_coco_data",
        "sdk_test_export_csv_csv_test2",
        "sdk_test_export_csv_csv_test_colliding_keys_mixed",
        "sdk_test_export_doclang_data",
        "sdk_test_export_json_min_data",
        "sdk_test_export_yolo_data_keypoints",
        "sdk_test_export_yolo_data_polygons",
    ],
)
def test_real_files_come_back(name: str) -> None:
    path = corpus_path("label_studio", f"{name}.json")
    pages = {f"https://example.com/pages/page-{number}.png": (1000, 800) for number in (1, 2)}
    table = read_label_studio(path, image_sizes={"task 0": (480, 640), **pages}).read_all()
    assert table.num_rows > 0
    check_same(naive_label_studio.entries_of(table), with_rows(json.loads(path.read_text())))
