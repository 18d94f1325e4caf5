"""Traced outlines of label masks as prediction batches; masks whose pixel values do not hold are refused whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.buffers import bools_of, numbers_array
from predarrow.classes import ClassNames, Texts
from predarrow.reader import Part
from predarrow.report import Code, Problem, Report
from predarrow.table import bbox_array, polygon_array, record_batch

if TYPE_CHECKING:
    from predarrow_engine.outlines import Outlines

MAX_CLASSES = 4096

_BATCH_ROWS = 1 << 20  # so that no text column of a batch outgrows its 32-bit offsets
_SAMPLE = 1 << 14
_KEPT_ROWS = 1 << 12
_LISTED = 5

_EVERY = slice(None)


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
        "a soft or depth map is no label mask (threshold it first), else raise max_classes"
    )
    return Problem(source, None, "", Code.TOO_MANY_CLASSES, message)


def part(
    outlines: Outlines, images: Sequence[MaskImage], names: ClassNames | None, max_classes: int = MAX_CLASSES
) -> Part:
    """Give the outlines of images as batches, and problems for images that are refused.

    Args:
        outlines: components of `images`, in their order.
        images: as many as `outlines.image_offsets` tells.
        names: class names by pixel value; None gives the value as text.
        max_classes: distinct values that an image may have.
    """
    report = Report()
    refused = _soft_images(outlines, images, max_classes, report)
    keep = None
    places = None
    if names is not None:
        places = names.positions(outlines.value)
        refused += _unnamed_images(outlines, images, places < 0, report)
        if names.names.array.null_count:
            keep = bools_of(names.names.array.is_valid())[places]
    if refused:
        keep = np.ones(outlines.value.size, np.bool_) if keep is None else keep
        kept_images = np.ones(len(images), np.bool_)
        kept_images[refused] = False
        of_kept_image = np.repeat(kept_images, np.diff(outlines.image_offsets))
        left_out = int(np.count_nonzero(of_kept_image & ~keep))
        keep &= of_kept_image
    else:
        left_out = 0 if keep is None else int(np.count_nonzero(~keep))
    if left_out:
        report.skipped["class is mapped to None"] += left_out
    return Part(list(_batches(outlines, images, names, places, keep)), report)


def _soft_images(outlines: Outlines, images: Sequence[MaskImage], max_classes: int, report: Report) -> list[int]:
    refused = []
    offsets = outlines.image_offsets
    if outlines.value.size > max_classes:
        for image in np.flatnonzero(np.diff(offsets) > max_classes).tolist():
            n_classes = np.unique(outlines.value[offsets[image] : offsets[image + 1]]).size
            if n_classes > max_classes:
                refused.append(image)
                report.problems.append(too_many_classes(_where(images[image]), n_classes, max_classes))
    return refused


def _unnamed_images(
    outlines: Outlines, images: Sequence[MaskImage], unnamed: npt.NDArray[np.bool_], report: Report
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
            "map it to a class (or to None), or name it in void or background"
        )
        pointer = f"pixel at row {row}, column {column}"
        report.problems.append(Problem(_where(images[image]), None, pointer, Code.UNKNOWN_CLASS, message))
    return list(refused)


def _batches(
    outlines: Outlines,
    images: Sequence[MaskImage],
    names: ClassNames | None,
    places: npt.NDArray[np.int64] | None,
    keep: npt.NDArray[np.bool_] | None,
) -> Iterator[pa.RecordBatch]:
    if keep is not None and not keep.any():
        return
    bbox = bbox_array(outlines.bbox)
    polygon = polygon_array(
        outlines.x, outlines.y, outlines.ring_offsets, outlines.part_offsets, outlines.component_offsets
    )
    n_rows = outlines.value.size
    for start in range(0, n_rows, _BATCH_ROWS):
        rows = slice(start, start + _BATCH_ROWS) if n_rows > _BATCH_ROWS else _EVERY
        value = outlines.value[rows]
        columns = _image_columns(images, outlines.image_offsets, start, value.size)
        if names is None or places is None:
            columns["class_name"] = _as_text(value)
        else:
            chosen = np.maximum(places[rows], 0)  # rows without a place are filtered below
            columns["class_name"] = names.names.take(chosen)
            if names.feature_hashes is not None:
                columns["feature_hash"] = names.feature_hashes.take(chosen)
        columns["bbox"] = bbox if rows is _EVERY else bbox[rows]
        columns["polygon"] = polygon if rows is _EVERY else polygon[rows]
        columns["kind"] = "polygon"
        columns["confidence"] = 1.0
        batch = record_batch(value.size, columns)
        yield batch if keep is None else batch.filter(numbers_array(keep[rows]))


def _image_columns(
    images: Sequence[MaskImage], offsets: npt.NDArray[np.int64], start: int, n_rows: int
) -> dict[str, object]:
    """Columns that say where rows start:start + n_rows come from."""
    if len(images) == 1:
        (image,) = images
        return {
            "data_unit": image.data_unit,
            "frame": image.frame,
            "image_height": image.height,
            "image_width": image.width,
            "source": image.source,
            "row": _row_numbers(start, n_rows),
        }
    # Plain Python over a few images: a quarter of the time of NumPy and Arrow, whose calls are cold here.
    counts = np.diff(np.clip(offsets, start, start + n_rows)).tolist()
    firsts = [max(start - int(offset), 0) for offset in offsets[:-1]]
    return {
        "data_unit": _repeated_text([image.data_unit for image in images], counts),
        "frame": _repeated([image.frame for image in images], counts),
        "image_height": _repeated([image.height for image in images], counts),
        "image_width": _repeated([image.width for image in images], counts),
        "source": _repeated_text([image.source for image in images], counts),
        "row": np.concatenate([np.arange(first, first + n) for first, n in zip(firsts, counts, strict=True)]),
    }


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
    if values.size and values.view(np.uint64).max() > 255:  # negative ones too, in one pass
        return numbers_array(values).cast(pa.string())
    return _bytes_as_text().take(values)


def _row_numbers(start: int, n_rows: int) -> pa.Array:
    if start + n_rows <= _KEPT_ROWS:
        return _first_rows().slice(start, n_rows)
    return numbers_array(np.arange(start, start + n_rows))


@cache
def _first_rows() -> pa.Array:
    return numbers_array(np.arange(_KEPT_ROWS))


@cache
def _bytes_as_text() -> Texts:
    return Texts([str(value) for value in range(256)])


def _where(image: MaskImage) -> str:
    return image.source or "mask"
