"""Pieces of a COCO file all of whose records are results of boxes, or annotations with polygons, written alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from predarrow.buffers import empty
from predarrow.formats.coco.pieces import Piece, Text, cut_of

if TYPE_CHECKING:
    from predarrow_engine.coco import CocoBlock, CocoScanner
    from predarrow_engine.coco_plain import Form, PlainRecords
    from predarrow_engine.coco_plain_shapes import PlainShapes
    from predarrow_engine.coco_shapes_form import ShapesForm

T = TypeVar("T")

Finish: TypeAlias = "Callable[[PlainRecords | PlainShapes], T | None]"
"""What is to become of plain records; None where a rule that is not known here refuses one."""

_IN_VAIN = 4
_HEAD = 1 << 16
"""Bytes that tell how a file is written. 84 MB of boxes: 8 of 76 ms on two threads, where one of them read 2 MiB."""

_SURELY_PIXELS = 2
"""A number of relative boxes is less, or one of them is not."""


class Plain(NamedTuple, Generic[T]):
    """What became of a piece."""

    result: T
    n: int
    """Records."""
    read: int
    """Bytes of the file that are read, packed."""


class PlainResults(Generic[T]):
    """Learns from pieces that were read how the others are written, and reads them so.

    Args:
        finish: called with the results of a piece, in any thread; None learns nothing.
        is_lines: of JSON Lines.
    """

    def __init__(self, finish: Finish[T] | None, *, is_lines: bool) -> None:
        self._finish, self._is_lines = finish, is_lines
        self._form: Form | ShapesForm | None = None
        self._in_vain = 0  # tries that failed, less those that did not

    def begin(self, scanner: CocoScanner, piece: Piece) -> tuple[Piece, CocoBlock, Piece] | None:
        """Read the head of a file's first piece with every rule; give it and the rest, None where nothing is learnt.

        Boxes that may be relative are not learnt from: a whole piece of them tells more.

        Args:
            scanner: stands where the file begins; where this gives None, nowhere any more.
            piece: the first one.
        """
        text = piece.text
        cut = cut_of(text.data[:_HEAD], self._is_lines) if self._finish is not None and text.data.size > _HEAD else 0
        if not cut:
            return None
        head = text.data[:cut]
        block = scanner.scan(head, last=False)
        boxes = block.records.bbox
        if block.consumed < cut or (boxes.n_values.any() and boxes.values.max() < _SURELY_PIXELS):
            return None
        self.learn(head, block)
        if self._form is None:
            return None
        rest = Piece(text._replace(data=text.data[cut:]), piece.is_last, scanner.gap)
        return Piece(Text(head, text.read), False, piece.gap), block, rest

    def learn(self, data: npt.NDArray[np.uint8], block: CocoBlock) -> None:
        """Look at a block that was read with every rule."""
        from predarrow_engine.coco_plain import form_of
        from predarrow_engine.coco_shapes_form import shapes_form_of

        if self._finish is not None and self._in_vain < _IN_VAIN:
            boxes = form_of(data, block.records, lines=self._is_lines)
            self._form = boxes or shapes_form_of(data, block.records, lines=self._is_lines) or self._form

    def read(self, scanner: CocoScanner, data: npt.NDArray[np.uint8], piece: Piece) -> Plain[T] | None:
        """Read a piece; None where it has something else, and where that is to be expected.

        Args:
            scanner: stands where the piece begins; where this gives None, nowhere any more.
            data: of the piece.
            piece: begins between two records.
        """
        form, finish = self._form, self._finish
        if form is None or finish is None or self._in_vain >= _IN_VAIN:
            return None
        records = scanner.scan_plain(data, form, empty, last=piece.is_last)
        result = None if records is None else finish(records)
        self._in_vain = max(self._in_vain + (1 if result is None else -1), 0)
        return None if records is None or result is None else Plain(result, records.image_id.size, piece.text.read)
