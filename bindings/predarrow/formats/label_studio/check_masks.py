"""Rules for masks: their bytes are read, so that none reaches an editor that breaks on it."""

from __future__ import annotations

import numpy as np

from predarrow.errors import InputError
from predarrow.formats.flaws import Flaw
from predarrow.formats.label_studio.check_members import Object, needed, optional_text, text
from predarrow.formats.label_studio.check_shapes import Flagged
from predarrow.formats.label_studio.data_urls import png_bytes
from predarrow.formats.label_studio.masks import brush_flaw
from predarrow.formats.png_chunks import GREY, RGB, PngHeader, read_header, read_stream
from predarrow.report import Code

MOST_MASKS = 100
"""Of one task: 100 take the editor 2.4 GB, 300 take 7.4 GB and 90 seconds."""
MANY_MASKS = f"task with more than {MOST_MASKS} masks, which need gigabytes in the editor"


def check_brush(value: Object, place: str, size: tuple[int, int] | None, flagged: Flagged) -> None:
    """Refuse brushes that are no list of bytes, break off, are of another size, or cannot be seen.

    Args:
        value: the region's value.
        place: its pointer.
        size: height and width of the image, None where the region does not tell.
        flagged: is counted in.
    """
    from predarrow_engine import brush, brush_read

    data = _bytes(value, place, flagged)
    if size is None:
        flagged["mask that does not tell the size of its image"] += 1
        size = 1, int.from_bytes(data[:4], "big") // 4
    values = np.frombuffer(data, np.uint8)
    found = brush.decode(values, np.array([0, values.size]), np.array([size]), 1).chunks
    if found.flaw[0] != brush_read.OK:
        raise brush_flaw(found, 0, size, len(data))
    highest = int(found.highest[0])
    if highest == 1:
        rule = "must have values of 0 and 255, the opacity: 1 cannot be seen"
        raise Flaw(Code.INVISIBLE_MASK, f"{place}.rle", rule, told="0 and 1")
    oddities = {
        "mask with values between transparent and opaque": found.partial[0],
        "mask without a pixel": highest == 0,
        "bytes behind the last run of a mask": found.spare[0],
    }
    flagged.update([what for what, is_so in oddities.items() if is_so])


def _bytes(value: Object, place: str, flagged: Flagged) -> bytes:
    if value.get("format", "rle") != "rle":
        raise Flaw(Code.BAD_VALUE, f"{place}.format", 'must be "rle"', value["format"])
    if "format" not in value:
        flagged["brush without a format"] += 1
    values = needed(value, "rle", place)
    if not isinstance(values, list) or not values:
        raise Flaw(Code.BAD_VALUE, f"{place}.rle", "must be a list of bytes, one at least", values)
    try:
        return bytes(values)
    except (TypeError, ValueError):
        index = next(at for at, item in enumerate(values) if not isinstance(item, int) or not 0 <= item <= 255)
        rule = "must be a whole number of 0 to 255"
        raise Flaw(Code.BAD_NUMBER, f"{place}.rle[{index}]", rule, values[index]) from None


def check_bitmask(value: Object, place: str, size: tuple[int, int] | None, flagged: Flagged) -> None:
    """Refuse what is no whole PNG in a data URL, or one of another size than the image; arguments as above."""
    url = text(value, "imageDataURL", place)
    optional_text(value, "format", place)
    at = f"{place}.imageDataURL"
    header = _header(png_bytes(url, at), at)
    if size is not None and size != (header.height, header.width):
        rule = f"must be of the image's size, height {size[0]} and width {size[1]}"
        raise Flaw(Code.SIZE_MISMATCH, at, rule, told=f"{header.height} and {header.width}")
    if header.colour_type in (GREY, RGB):
        flagged["bitmask without transparency, which covers the whole image"] += 1


def _header(data: bytes, place: str) -> PngHeader:
    try:
        header = read_header(data)
        read_stream(data, header, "")
    except InputError as error:
        raise Flaw(error.problems[0].code, place, "must be a PNG", told=error.problems[0].message) from None
    return header


def size_of(result: Object) -> tuple[int, int] | None:
    """Give height and width of a region's image, where it tells both."""
    height, width = result.get("original_height"), result.get("original_width")
    return None if height is None or width is None else (int(height), int(width))
