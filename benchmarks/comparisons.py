"""The one table of comparisons: what is timed, on which data, against whom, and how results are held equal.

`tests/test_comparisons.py` runs every line once on small data and demands agreement; `benchmarks/test_*.py`
hands the same lines to pytest-benchmark; `benchmarks/report.py` times them in turns and writes the README.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.coco_comparisons import COCO
from benchmarks.comparison import Comparison
from benchmarks.encord_comparisons import ENCORD
from benchmarks.label_studio_comparisons import LABEL_STUDIO
from benchmarks.mask_comparisons import MASKS
from benchmarks.openlabel_comparisons import OPENLABEL
from benchmarks.prediction_comparisons import PREDICTIONS

COMPARISONS: Sequence[Comparison] = (*MASKS, *PREDICTIONS, *COCO, *ENCORD, *OPENLABEL, *LABEL_STUDIO)
