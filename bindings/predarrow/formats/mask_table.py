"""Traced outlines of label masks as prediction batches; masks whose pixel values do not hold are refused whole."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.buffers import bools_of, numbers_array
from predarrow.classes import LEFT_OUT, ClassNames, Texts
from predarrow.reader import Part
from predarrow.report import Code, Problem, Report
from predarrow.table import PLACES, SCHEMA, bbox_array, columns_in_order, constant_column, polygon_array

if TYPE_CHECKING:
    from predarrow_engine.outlines import Outlines

MAX_CLASSES = 4096

_BATCH_ROWS = 1 << 20  # so that no text column of a batch outgrows its 32-bit offsets
_SAMPLE = 1 << 14
_KEPT_ROWS = 1 << 9
_FEW = 16
_LISTED = 5

_EVERY = slice(None)
_ALWAYS = {"kind": "polygon", "confidence": 1.0}
_BBOX, _POLYGON, _CLASS_NAME, _FEATURE_HASH = (
    PLACES[name] for name in ("bbox", "polygon", "class_name", "feature_hash")
)


class MaskImage(NamedTuple):
    """What a mask's rows say about their image."""

    data_unit: str
    frame: int
    height: int
    width: int
    source: str | None = None


def soft_map(labels: npt.NDArray[np.integer], n_left_out: int, max_classes: int) -> bool:
    """Whether a sample of pixels alone shows more than `max_classes` traced values.

    Spares tracing most soft 16-bit maps (millions of components) before `part` counts exactly: 30 us for
    masks of more than 8 bits, nothing for others.

    Args:
        labels: (height, width) a mask.
        n_left_out: number of values that are not traced.
        max_classes: values that a mask may have.
    """
    if labels.dtype.itemsize == 1 or labels.size <= max_classes:
        return False
    height, width = labels.shape
    row_step = max(1, height // max(1, _SAMPLE // width)) if width < _SAMPLE else height
    column_step = max(1, width // _SAMPLE)
    return bool(np.unique(labels[::row_step, ::column_step]).size > max_classes + n_left_out)


def too_many_classes(source: str, n_classes: int | None, max_classes: int) -> Problem:
    """Word the refusal of a mask that has more values than `max_classes`."""
    got = "more" if n_classes is None else f"{n_classes}"
    message = (
        f"must have at most {max_classes} distinct pixel values to trace, got {got}; "
        "a soft or depth map is no label mask (threshold it first), else raise max_classes (--max-classes)"
    )
    return Problem(source, None, "", Code.TOO_MANY_CLASSES, message)


class Judged(NamedTuple):
    """Which components of images become rows."""

    places: npt.NDArray[np.int64] | None
    """(n_components,) of their class in the mapping, -1 where it has none; None without a mapping"""
    keep: npt.NDArray[np.bool_] | None
    """(n_components,) None where all are kept"""
    n_unwanted: int
    """Components of classes that are left out on purpose."""
    problems: list[Problem]
    """Of images that are refused."""


_ALL_KEPT = Judged(None, None, 0, [])


def part(outlines: Outlines, images: Sequence[MaskImage], names: ClassNames | None, max_classes: int) -> Part:
    """Give the outlines of images as batches, and problems for images that are refused; see `judge`."""
    judged = judge(outlines, images, names, max_classes)
    report = Report(problems=list(judged.problems))
    if judged.n_unwanted:
        report.skipped[LEFT_OUT] += judged.n_unwanted
    return Part(batches_of(outlines, images, names, judged), report)


def judge(outlines: Outlines, images: Sequence[MaskImage], names: ClassNames | None, max_classes: int) -> Judged:
    """Find the images that are refused, and the components whose class is left out.

    Args:
        outlines: components of `images`, in their order.
        images: as many as `outlines.image_offsets` tells.
        names: class names by pixel value; None gives the value as text.
        max_classes: distinct values that an image may have.
    """
    if names is None and outlines.value.size <= max_classes:
        return _ALL_KEPT
    problems: list[Problem] = []
    refused = _soft_images(outlines, images, max_classes, problems)
    keep = None
    places = None
    if names is not None:
        places = names.positions(outlines.value)
        hint = "map it to a class" if names.feature_hashes else "map it to a class (or to None)"
        refused += _unnamed_images(outlines, images, places < 0, hint, problems)
        if names.names.array.null_count:
            keep = bools_of(names.names.array.is_valid())[places]
    if refused:
        keep = np.ones(outlines.value.size, np.bool_) if keep is None else keep
        kept_images = np.ones(len(images), np.bool_)
        kept_images[refused] = False
        of_kept_image = np.repeat(kept_images, np.diff(outlines.image_offsets))
        n_unwanted = int(np.count_nonzero(of_kept_image & ~keep))
        keep &= of_kept_image
    else:
        n_unwanted = 0 if keep is None else int(np.count_nonzero(~keep))
    return Judged(places, keep, n_unwanted, problems)


def _soft_images(
    outlines: Outlines, images: Sequence[MaskImage], max_classes: int, problems: list[Problem]
) -> list[int]:
    refused = []
    offsets = outlines.image_offsets
    if outlines.value.size > max_classes:
        for image in np.flatnonzero(np.diff(offsets) > max_classes).tolist():
            n_classes = np.unique(outlines.value[offsets[image] : offsets[image + 1]]).size
            if n_classes > max_classes:
                refused.append(image)
                problems.append(too_many_classes(_where(images[image]), n_classes, max_classes))
    return refused


def _unnamed_images(
    outlines: Outlines,
    images: Sequence[MaskImage],
    unnamed: npt.NDArray[np.bool_],
    hint: str,
    problems: list[Problem],
) -> list[int]:
    if not unnamed.any():
        return []
    components = np.flatnonzero(unnamed)
    image_of = np.searchsorted(outlines.image_offsets, components, side="right") - 1
    refused = np.unique(image_of).tolist()
    for image in refused:
        its = components[image_of == image]
        values, first = np.unique(outlines.value[its], return_index=True)
        row, column = divmod(int(outlines.first[its[first[0]]]), images[image].width)
        more = f" and {values.size - _LISTED} more" if values.size > _LISTED else ""
        message = (
            f"must be a value that the mapping names, got {', '.join(map(str, values[:_LISTED]))}{more}; "
            f"{hint}, or name it in void or background"
        )
        pointer = f"pixel at row {row}, column {column}"
        problems.append(Problem(_where(images[image]), None, pointer, Code.UNKNOWN_CLASS, message))
    return list(refused)


def batches_of(
    outlines: Outlines, images: Sequence[MaskImage], names: ClassNames | None, judged: Judged
) -> list[pa.RecordBatch]:
    """Give the components that are kept as batches of 2**20 rows at most; arguments are those of `judge`."""
    keep = judged.keep
    n_rows = outlines.value.size
    if not n_rows or (keep is not None and not keep.any()):
        return []
    bbox = bbox_array(outlines.bbox)
    polygon = polygon_array(
        outlines.x, outlines.y, outlines.ring_offsets, outlines.part_offsets, outlines.component_offsets
    )
    batches = []
    for start in range(0, n_rows, _BATCH_ROWS):
        rows = slice(start, start + _BATCH_ROWS) if n_rows > _BATCH_ROWS else _EVERY
        value = outlines.value[rows]
        columns = _image_columns(images, outlines.image_offsets, start, value.size)
        columns[_BBOX] = bbox if rows is _EVERY else bbox[rows]
        columns[_POLYGON] = polygon if rows is _EVERY else polygon[rows]
        if names is None or judged.places is None:
            columns[_CLASS_NAME] = _as_text(value)
        else:
            chosen = np.maximum(judged.places[rows], 0)  # rows without a place are filtered below
            columns[_CLASS_NAME] = names.names.take(chosen)
            if names.feature_hashes is not None:
                columns[_FEATURE_HASH] = names.feature_hashes.take(chosen)
        batch = pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
        batches.append(batch if keep is None else batch.filter(numbers_array(keep[rows])))
    return batches


def _image_columns(images: Sequence[MaskImage], offsets: npt.NDArray[np.int64], start: int, n_rows: int) -> list[Any]:
    """Give columns in the schema's order: where rows come from, and what is the same for every mask."""
    if len(images) == 1:
        make = _kept_columns if n_rows <= _KEPT_ROWS else _columns_of
        return list(make(images[0], start, n_rows))
    # Plain Python over a few images: a quarter of the time of NumPy and Arrow, whose calls are cold here.
    counts = np.diff(np.clip(offsets, start, start + n_rows)).tolist()
    firsts = [max(start - int(offset), 0) for offset in offsets[:-1]]
    columns = {
        "data_unit": _repeated_text([image.data_unit for image in images], counts),
        "frame": _repeated([image.frame for image in images], counts),
        "image_height": _repeated([image.height for image in images], counts),
        "image_width": _repeated([image.width for image in images], counts),
        "source": _repeated_text([image.source for image in images], counts),
        "row": np.concatenate([np.arange(first, first + n) for first, n in zip(firsts, counts, strict=True)]),
    }
    return columns_in_order(n_rows, _ALWAYS | columns)


def _columns_of(image: MaskImage, start: int, n_rows: int) -> list[Any]:
    columns = {
        "data_unit": image.data_unit,
        "frame": image.frame,
        "image_height": image.height,
        "image_width": image.width,
        "source": image.source,
        "row": np.arange(start, start + n_rows),
    }
    return columns_in_order(n_rows, _ALWAYS | columns)


# Made anew for each mask, even of columns that are kept, they cost 8 us: a fifth of all that is not the kernel's.
_kept_columns = lru_cache(maxsize=64)(_columns_of)


def _repeated(values: Sequence[int], counts: Sequence[int]) -> int | npt.NDArray[np.int32]:
    """Give each value as often as counted, or the value alone where all are the same."""
    return values[0] if len(set(values)) == 1 else np.repeat(np.array(values, np.int32), counts)


def _repeated_text(texts: Sequence[str | None], counts: Sequence[int]) -> pa.Array | None:
    """Give each text as often as counted; None where there is none."""
    if texts[0] is None:
        return None
    encoded = [(text or "").encode() for text in texts]
    offsets = np.zeros(sum(counts) + 1, np.int32)
    np.cumsum(np.repeat([len(text) for text in encoded], counts), out=offsets[1:])
    data = b"".join([text * n for text, n in zip(encoded, counts, strict=True)])
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data))


def _as_text(values: npt.NDArray[np.int64]) -> pa.Array:
    if values.size <= _FEW and len(kinds := set(values.tolist())) == 1:  # most masks that people have in memory
        return constant_column(values.size, "class_name", str(*kinds))
    if values.size and values.view(np.uint64).max() > 255:  # negative ones too, in one pass
        return numbers_array(values).cast(pa.string())
    return _bytes_as_text().take(values)


@cache
def _bytes_as_text() -> Texts:
    return Texts([str(value) for value in range(256)])


def _where(image: MaskImage) -> str:
    return image.source or "mask"
