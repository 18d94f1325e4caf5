"""Small prediction tables, and what is written of them as label rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from predarrow.formats.encord.write import LabelRowWriteResult, write_label_rows
from predarrow.ontology import Ontology
from predarrow.table import SCHEMA
from tests import encord_rows

Row = dict[str, Any]

ONTOLOGY = Ontology.from_dict(encord_rows.structure())
BOX: Row = {"xmin": 8.0, "ymin": 3.5, "xmax": 21.25, "ymax": 30.0}
RING = [{"x": 1.0, "y": 2.0}, {"x": 30.0, "y": 2.5}, {"x": 7.25, "y": 33.0}]


def box(**columns: Any) -> Row:
    return {"class_name": "Box", "kind": "bbox", "bbox": BOX} | columns


def answer(**columns: Any) -> Row:
    return {"class_name": "Said", "kind": "classification"} | columns


def table_of(*rows: Row) -> pa.Table:
    whole = []
    for number, row in enumerate(rows):
        made = {"data_unit": "unit", "frame": 0, "image_height": 37, "image_width": 64, "row": number} | row
        if isinstance(made.get("attributes"), dict):
            made["attributes"] = json.dumps(made["attributes"], ensure_ascii=False)
        whole.append(made)
    return pa.Table.from_pylist(whole, SCHEMA)


def write(table: Any, path: Path, **options: Any) -> tuple[list[Row], LabelRowWriteResult]:
    file = path / "rows.json"
    given: dict[str, Any] = {"ontology": ONTOLOGY, "overwrite": True} | options
    result = write_label_rows(table, file, **given)
    rows: list[Row] = json.loads(file.read_text("utf-8"))
    return rows, result


def objects_of(row: Row, frame: int | None = None) -> list[Row]:
    (unit,) = row["data_units"].values()
    labels = unit["labels"] if frame is None else unit["labels"][str(frame)]
    found: list[Row] = labels["objects"]
    return found
