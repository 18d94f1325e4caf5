"""Brushes and images of masks -> bitmasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from predarrow.buffers import offsets_of
from predarrow.errors import InputError
from predarrow.formats.flaws import Flaw
from predarrow.formats.geometry_columns import mask_column
from predarrow.formats.label_studio.data_urls import png_bytes
from predarrow.formats.label_studio.given import Given, Ints, Shaped
from predarrow.formats.label_studio.wire import any_of
from predarrow.report import Code

if TYPE_CHECKING:
    from predarrow_engine.brush_read import Chunks

PARTIAL = "mask with values between transparent and opaque, cut at the threshold"
SPARE = "run lengths with bytes behind their end"


def brushes(given: Given) -> Shaped:
    """Give run lengths of RGBA bytes as masks: inside is where alpha is at least the threshold."""
    from predarrow_engine.brush import decode
    from predarrow_engine.brush_read import OK

    for row, value in enumerate(given.values):
        if value.format != "rle":
            given.refusals.add_flaw(row, Flaw(Code.UNSUPPORTED, ".value.format", 'must be "rle"', value.format))
    values, offsets = _byte_lists(given)
    sizes = np.where(given.refusals.bad[:, None], 0, given.sizes)
    masks = decode(values, offsets, sizes, given.threshold)
    for row in np.flatnonzero((masks.chunks.flaw != OK) & ~given.refusals.bad).tolist():
        height, width = sizes[row].tolist()
        n_bytes = int(offsets[row + 1] - offsets[row])
        given.refusals.add_flaw(row, brush_flaw(masks.chunks, row, (height, width), n_bytes))
    good = ~given.refusals.bad
    for told, counted in ((PARTIAL, masks.chunks.partial), (SPARE, masks.chunks.spare)):
        if n := int(((counted > 0) & good).sum()):
            given.flagged[told] += n
    return _shaped(masks.counts, masks.offsets, sizes)


def _byte_lists(given: Given) -> tuple[npt.NDArray[np.uint8], Ints]:
    """Give the bytes of all rows, one after the other, and (n + 1,) first one of each; none of what is refused."""
    from predarrow_engine.brush_text import OK, from_texts

    texts = [b"[]" if bad else bytes(value.rle) for value, bad in zip(given.values, given.refusals.bad, strict=True)]
    found = from_texts(*_joined(texts))
    for row in np.flatnonzero(found.flaw != OK).tolist():
        got, item = any_of(texts[row]), int(found.item[row])
        is_list = isinstance(got, list) and item < len(got)
        place, rule = f".value.rle[{item}]" if is_list else ".value.rle", "must be whole numbers from 0 to 255"
        given.refusals.add_flaw(row, Flaw(Code.BAD_VALUE, place, rule, got[item] if is_list else got))
    return found.values, found.offsets


def _joined(pieces: list[bytes]) -> tuple[npt.NDArray[np.uint8], Ints]:
    offsets = np.zeros(len(pieces) + 1, np.int64)
    np.cumsum([len(piece) for piece in pieces], out=offsets[1:])
    return np.frombuffer(b"".join(pieces), np.uint8), offsets


def brush_flaw(chunks: Chunks, row: int, size: tuple[int, int], n_bytes: int) -> Flaw:
    """Give what is wrong with the bytes of a brush.

    Args:
        chunks: what was found in brushes.
        row: one of them that has a flaw.
        size: height and width of its image.
        n_bytes: how many bytes it has.
    """
    from predarrow_engine import brush_read as engine

    flaw, (height, width) = int(chunks.flaw[row]), size
    number, place = int(chunks.number[row]), ".value.rle"
    rule = f"must hold {number} values"
    if flaw == engine.WRONG_NUMBER:
        rule = f"must be of height x width x 4 = {height} x {width} x 4 = {height * width * 4} values"
        return Flaw(Code.SIZE_MISMATCH, place, rule, told=str(number))
    if flaw == engine.TOO_LARGE:
        return Flaw(Code.TOO_LARGE, place, "must be of at most 2**30 - 1 pixels", told=f"{height} x {width}")
    if flaw == engine.NO_HEADER:
        return Flaw(Code.DAMAGED, place, "must have a header of 7 bytes", told=str(n_bytes))
    if flaw == engine.WORD_SIZE:
        return Flaw(Code.UNSUPPORTED, place, "must have values of at most 8 bits", told=str(chunks.word_size[row]))
    byte = int(chunks.place[row])  # in which a chunk begins, that the bytes may end before
    told = "bytes that end before" if flaw == engine.TRUNCATED else "more"
    return Flaw(Code.DAMAGED, f"{place}[{byte}]" if byte < n_bytes else place, rule, told=told)


def images(given: Given) -> Shaped:
    """Give images, PNG files in base64, as masks: inside is where alpha is at least the threshold."""
    from predarrow_engine.rle import encode

    found: list[npt.NDArray[np.uint8]] = []
    sizes = given.sizes.copy()
    for row, value in enumerate(given.values):
        counts: npt.NDArray[np.uint8] = np.empty(0, np.uint8)
        try:
            if not given.refusals.bad[row]:
                alpha, scale = _alpha(value.imageDataURL, sizes[row].tolist())
                sizes[row] = alpha.shape
                counts = encode(alpha >= given.threshold * scale).counts
                if ((alpha > 0) & (alpha < 255 * scale)).any():
                    given.flagged[PARTIAL] += 1
        except Flaw as flaw:
            given.refusals.add_flaw(row, flaw)
        found.append(counts)
    sizes[given.refusals.bad] = 0
    strings = np.concatenate([np.empty(0, np.uint8), *found])
    return _shaped(strings, offsets_of([counts.size for counts in found]), sizes)


def _alpha(url: str, wanted: list[int]) -> tuple[npt.NDArray[np.uint16] | npt.NDArray[np.uint8], int]:
    """Give the alpha of an image, (height, width), and what its steps are in 255ths.

    Args:
        url: of a PNG file.
        wanted: height and width of the region's image, 0 where it does not tell. The file's are held to it before room
            is made for its pixels.

    Raises:
        Flaw: it is no PNG file with alpha, or one of another size.
    """
    from predarrow.formats.png_alpha import read_alpha
    from predarrow.formats.png_chunks import read_header

    where = ".value.imageDataURL"
    data = png_bytes(url, where)
    try:
        header = read_header(data)
        _check_size((header.height, header.width), wanted)
        alpha = read_alpha(data, "")
    except InputError as error:
        problem = error.problems[0]
        rule, _, told = problem.message.rpartition(", got ")
        told = told.partition("; ")[0]  # a hint for who reads PNG files themselves
        raise Flaw(problem.code, where, f"must be a PNG file with alpha: {rule}", told=told) from None
    return alpha, 257 if alpha.dtype == np.uint16 else 1


def _check_size(got: tuple[int, int], wanted: list[int]) -> None:
    if 0 not in wanted and list(got) != wanted:
        rule = f"must be {wanted[0]} x {wanted[1]} (height x width) as the image is"
        raise Flaw(Code.SIZE_MISMATCH, ".value.imageDataURL", rule, told=f"{got[0]} x {got[1]}")


def _shaped(counts: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int32], sizes: Ints) -> Shaped:
    from predarrow_engine.rle_cover import covers

    column = mask_column(sizes, counts, offsets)
    return Shaped("bitmask", {"mask": column}, covers(counts, offsets, sizes).bbox, sizes=sizes)
