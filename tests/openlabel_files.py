"""OpenLABEL's two judges, and rows to write: Kognic's strict model, and ASAM's JSON schema from Kognic's wheel."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import pyarrow as pa
import pytest

from predarrow.table import SCHEMA

CAR = "1232b4f4-e3ca-446a-91cb-d8d403703df7"
BOX = {"xmin": -19.0, "ymin": -14.0, "xmax": 21.0, "ymax": 16.0}


@cache
def _judges() -> tuple[Any, Any]:
    models = pytest.importorskip("kognic.openlabel.models", reason="kognic-openlabel is not installed")
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    schema = json.loads((files("kognic.openlabel") / "schemas" / "openlabel-1-0-0.json").read_text())
    return models.OpenLabelAnnotation, jsonschema.Draft7Validator(schema)


def accepted(text: str | bytes) -> Any:
    """Give a file's `openlabel` that both judges accept."""
    model, schema = _judges()
    document = json.loads(text)
    schema.validate(document)
    model.model_validate_json(text, strict=True)
    return document["openlabel"]


def verdicts(text: str) -> tuple[bool, bool]:
    """Tell whether Kognic's strict model, and whether ASAM's schema, accepts a file."""
    model, schema = _judges()
    try:
        model.model_validate_json(text, strict=True)
    except ValueError:
        return False, bool(schema.is_valid(json.loads(text)))
    return True, bool(schema.is_valid(json.loads(text)))


def row(kind: str = "bbox", **columns: Any) -> dict[str, Any]:
    """Give a row of the table: a box in a camera, unless it is told otherwise."""
    columns = {"data_unit": "scene", "frame": 0, "class_name": "Car", "kind": kind, "stream": "camera", **columns}
    if kind == "bbox":
        columns = {"bbox": BOX, **columns}
    attributes = columns.get("attributes")
    if isinstance(attributes, dict):
        columns["attributes"] = json.dumps(attributes)
    return {name: columns.get(name) for name in SCHEMA.names}


def table(*rows: dict[str, Any]) -> pa.Table:
    """Give rows as a prediction table."""
    return pa.Table.from_pylist(list(rows), SCHEMA)
