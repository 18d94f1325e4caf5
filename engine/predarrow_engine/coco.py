"""COCO results, annotation files and JSON Lines -> columns. The types; see `coco_columns.py`."""

from __future__ import annotations

from predarrow_engine.coco_columns import CocoBlock, CocoImages, CocoRecords

__all__ = ["CocoBlock", "CocoImages", "CocoRecords"]
