"""Masks, boxes and labels from models and labelling tools into columnar Arrow tables.

Names are loaded when they are first used, so that `import predarrow` brings in neither Numba nor OpenCV nor
Delta Lake.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from predarrow.boxes import check_boxes, convert_boxes
    from predarrow.coco_imports import import_coco_predictions
    from predarrow.coco_label_mappings import FrameIndex, category_mapping_by_name, image_mapping_by_title
    from predarrow.coco_labels import import_coco_labels
    from predarrow.cuboid_tables import convert_table_cuboids
    from predarrow.cuboids import convert_cuboids
    from predarrow.data_units import DataUnits
    from predarrow.encord_imports import import_label_rows
    from predarrow.errors import CommitConflictError, InputError, OntologyError, PredarrowError, ProjectError
    from predarrow.exports import (
        export_coco_predictions,
        export_kitti_predictions,
        export_label_rows,
        export_openlabel_predictions,
    )
    from predarrow.formats.coco.annotations import write_coco_annotations
    from predarrow.formats.coco.panoptic import write_coco_panoptic
    from predarrow.formats.coco.read import read_coco
    from predarrow.formats.coco.write import CocoWriteResult, write_coco_results
    from predarrow.formats.encord.read import read_label_rows
    from predarrow.formats.encord.write import LabelRowWriteResult, write_label_rows
    from predarrow.formats.kitti.read import read_kitti
    from predarrow.formats.kitti.write import WriteResult, write_kitti
    from predarrow.formats.label_studio.check import check_label_studio
    from predarrow.formats.label_studio.config import LabelingConfig
    from predarrow.formats.label_studio.label_config import label_config
    from predarrow.formats.label_studio.read import read_label_studio
    from predarrow.formats.label_studio.write import LabelStudioWriteResult, write_label_studio
    from predarrow.formats.masks import PRESETS, from_label_mask, read_masks
    from predarrow.formats.openlabel.read import read_openlabel
    from predarrow.formats.openlabel.write import OpenLabelWriteResult, write_openlabel
    from predarrow.formats.png import read_png
    from predarrow.geometry import covers, to_masks, to_polygons
    from predarrow.import_objects import import_predictions
    from predarrow.imports import ImportResult, import_kitti_predictions, import_mask_predictions
    from predarrow.interop import to_shapely
    from predarrow.label_studio_exports import export_label_studio_predictions
    from predarrow.label_studio_imports import LabelStudioImportResult, import_label_studio_predictions
    from predarrow.label_studio_push import LabelStudioPushResult, push_label_studio
    from predarrow.labels.bundle import Bundle
    from predarrow.labels.geometries import Bitmask, Circle, Cuboid, Cuboid2D, Ellipse, Point, Polyline, Skeleton
    from predarrow.labels.row import LabelRow
    from predarrow.models.adapters import from_supervision, from_torchvision
    from predarrow.models.collector import Collector
    from predarrow.models.detections import from_detections
    from predarrow.models.instance_masks import from_masks
    from predarrow.models.ultralytics import from_ultralytics
    from predarrow.objects.predictions import (
        BoundingBox,
        Format,
        FrameClassification,
        ObjectDetection,
        Polygon,
        Prediction,
    )
    from predarrow.ontology import Ontology
    from predarrow.openlabel_imports import import_openlabel_predictions
    from predarrow.painting import to_label_mask
    from predarrow.parquet import write_parquet
    from predarrow.project import Project
    from predarrow.reader import PredictionReader
    from predarrow.report import Code, Problem, Report
    from predarrow.table import SCHEMA

__version__ = "0.1.0"

_HOMES = {
    "Bitmask": "labels.geometries",
    "BoundingBox": "objects.predictions",
    "Bundle": "labels.bundle",
    "Circle": "labels.geometries",
    "CocoWriteResult": "formats.coco.write",
    "Code": "report",
    "Collector": "models.collector",
    "CommitConflictError": "errors",
    "Cuboid": "labels.geometries",
    "Cuboid2D": "labels.geometries",
    "DataUnits": "data_units",
    "Ellipse": "labels.geometries",
    "Format": "objects.predictions",
    "FrameClassification": "objects.predictions",
    "FrameIndex": "coco_label_mappings",
    "ImportResult": "imports",
    "InputError": "errors",
    "LabelRow": "labels.row",
    "LabelRowWriteResult": "formats.encord.write",
    "LabelStudioImportResult": "label_studio_imports",
    "LabelStudioPushResult": "label_studio_push",
    "LabelStudioWriteResult": "formats.label_studio.write",
    "LabelingConfig": "formats.label_studio.config",
    "ObjectDetection": "objects.predictions",
    "Ontology": "ontology",
    "OntologyError": "errors",
    "OpenLabelWriteResult": "formats.openlabel.write",
    "PRESETS": "formats.masks",
    "Point": "labels.geometries",
    "Polygon": "objects.predictions",
    "Polyline": "labels.geometries",
    "PredarrowError": "errors",
    "Prediction": "objects.predictions",
    "PredictionReader": "reader",
    "Problem": "report",
    "Project": "project",
    "ProjectError": "errors",
    "Report": "report",
    "SCHEMA": "table",
    "Skeleton": "labels.geometries",
    "WriteResult": "formats.kitti.write",
    "category_mapping_by_name": "coco_label_mappings",
    "check_boxes": "boxes",
    "check_label_studio": "formats.label_studio.check",
    "convert_boxes": "boxes",
    "convert_cuboids": "cuboids",
    "convert_table_cuboids": "cuboid_tables",
    "covers": "geometry",
    "export_coco_predictions": "exports",
    "export_kitti_predictions": "exports",
    "export_label_rows": "exports",
    "export_label_studio_predictions": "label_studio_exports",
    "export_openlabel_predictions": "exports",
    "from_detections": "models.detections",
    "from_label_mask": "formats.masks",
    "from_masks": "models.instance_masks",
    "from_supervision": "models.adapters",
    "from_torchvision": "models.adapters",
    "from_ultralytics": "models.ultralytics",
    "image_mapping_by_title": "coco_label_mappings",
    "import_coco_labels": "coco_labels",
    "import_coco_predictions": "coco_imports",
    "import_kitti_predictions": "imports",
    "import_label_rows": "encord_imports",
    "import_label_studio_predictions": "label_studio_imports",
    "import_mask_predictions": "imports",
    "import_openlabel_predictions": "openlabel_imports",
    "import_predictions": "import_objects",
    "push_label_studio": "label_studio_push",
    "label_config": "formats.label_studio.label_config",
    "read_coco": "formats.coco.read",
    "read_kitti": "formats.kitti.read",
    "read_label_rows": "formats.encord.read",
    "read_label_studio": "formats.label_studio.read",
    "read_masks": "formats.masks",
    "read_openlabel": "formats.openlabel.read",
    "read_png": "formats.png",
    "to_label_mask": "painting",
    "to_masks": "geometry",
    "to_polygons": "geometry",
    "to_shapely": "interop",
    "write_coco_annotations": "formats.coco.annotations",
    "write_coco_panoptic": "formats.coco.panoptic",
    "write_coco_results": "formats.coco.write",
    "write_kitti": "formats.kitti.write",
    "write_label_rows": "formats.encord.write",
    "write_label_studio": "formats.label_studio.write",
    "write_openlabel": "formats.openlabel.write",
    "write_parquet": "parquet",
}

__all__ = [
    "PRESETS",
    "SCHEMA",
    "Bitmask",
    "BoundingBox",
    "Bundle",
    "Circle",
    "CocoWriteResult",
    "Code",
    "Collector",
    "CommitConflictError",
    "Cuboid",
    "Cuboid2D",
    "DataUnits",
    "Ellipse",
    "Format",
    "FrameClassification",
    "FrameIndex",
    "ImportResult",
    "InputError",
    "LabelRow",
    "LabelRowWriteResult",
    "LabelStudioImportResult",
    "LabelStudioPushResult",
    "LabelStudioWriteResult",
    "LabelingConfig",
    "ObjectDetection",
    "Ontology",
    "OntologyError",
    "OpenLabelWriteResult",
    "Point",
    "Polygon",
    "Polyline",
    "PredarrowError",
    "Prediction",
    "PredictionReader",
    "Problem",
    "Project",
    "ProjectError",
    "Report",
    "Skeleton",
    "WriteResult",
    "category_mapping_by_name",
    "check_boxes",
    "check_label_studio",
    "convert_boxes",
    "convert_cuboids",
    "convert_table_cuboids",
    "covers",
    "export_coco_predictions",
    "export_kitti_predictions",
    "export_label_rows",
    "export_label_studio_predictions",
    "export_openlabel_predictions",
    "from_detections",
    "from_label_mask",
    "from_masks",
    "from_supervision",
    "from_torchvision",
    "from_ultralytics",
    "image_mapping_by_title",
    "import_coco_labels",
    "import_coco_predictions",
    "import_kitti_predictions",
    "import_label_rows",
    "import_label_studio_predictions",
    "import_mask_predictions",
    "import_openlabel_predictions",
    "import_predictions",
    "label_config",
    "push_label_studio",
    "read_coco",
    "read_kitti",
    "read_label_rows",
    "read_label_studio",
    "read_masks",
    "read_openlabel",
    "read_png",
    "to_label_mask",
    "to_masks",
    "to_polygons",
    "to_shapely",
    "write_coco_annotations",
    "write_coco_panoptic",
    "write_coco_results",
    "write_kitti",
    "write_label_rows",
    "write_label_studio",
    "write_openlabel",
    "write_parquet",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
