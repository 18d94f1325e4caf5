"""PNG's wire form: signature, header, chunks, checksums, the deflate stream.

Specification: https://www.w3.org/TR/png-3/ (sections 5, 11). Everything that a file says about itself is
checked here, and refused before memory is taken for it:

* every chunk's CRC-32, ancillary chunks included, and the stream's Adler-32;
* the header's size against `max_pixels`, and against what the compressed bytes could hold at most;
* the order of the chunks; exactly the bytes that the header promises, no more and no fewer.

Left alone: what follows IEND (libpng does the same), ancillary chunks (so transparency, gamma and the further
frames of an animation change nothing), and indices that the palette has no colour for (the indices are the
values here, and colours are not looked at).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Literal, NamedTuple, NoReturn

from zlib_ng import zlib_ng

from predarrow.errors import InputError
from predarrow.image_header import sniff
from predarrow.report import Code, Problem

if TYPE_CHECKING:
    from predarrow_engine.png_trace import Streams

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
MAX_PIXELS = 2**28

_DEPTHS = {GREY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GREY_ALPHA: (8, 16), RGB_ALPHA: (8, 16)}
_CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}
_HEADER = struct.Struct(">I4sIIBBBBBI")  # of chunk IHDR: length, name, content, CRC
_HEADER_END = 33  # signature and chunk IHDR
_CHUNK = struct.Struct(">I4s")
_CRC = struct.Struct(">I")
_SPARE = bytes(8)  # the engine reads whole words
_DEFLATE_LIMIT = 1032  # a match of 258 bytes takes 2 bits at least, so one byte never gives more than this

# Adam7: first column, first row, column step and row step of each pass (section 8.1).
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


class Stream(NamedTuple):
    """A deflate stream, and at least 8 bytes behind it."""

    data: bytes | memoryview
    start: int
    stop: int

    def content(self) -> memoryview:
        """Give the stream alone."""
        return memoryview(self.data)[self.start : self.stop]


class PngHeader(NamedTuple):
    """What the header chunk IHDR says."""

    width: int
    height: int
    bit_depth: int
    """Bits a sample: 1, 2, 4, 8 or 16."""
    colour_type: int
    """0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha."""
    interlaced: bool

    @property
    def is_bytes(self) -> bool:
        """Whether each byte of the rows is a pixel, and each row one of the image."""
        return self.bit_depth == 8 and not self.interlaced and self.colour_type in (GREY, PALETTE)

    def row_bytes(self, width: int) -> int:
        """Bytes of a row of `width` pixels, without its filter byte."""
        return (width * self.bit_depth * _CHANNELS[self.colour_type] + 7) // 8

    def passes(self) -> list[tuple[int, int, int, int, int, int]]:
        """Give (first column, first row, column step, row step, width, height) of each pass with pixels."""
        if not self.interlaced:
            return [(0, 0, 1, 1, self.width, self.height)]
        sizes = [
            (x, y, dx, dy, (self.width - x + dx - 1) // dx, (self.height - y + dy - 1) // dy) for x, y, dx, dy in ADAM7
        ]
        return [size for size in sizes if size[4] > 0 and size[5] > 0]

    def raw_bytes(self) -> int:
        """Bytes of the inflated stream: a filter byte and a row, for each row of each pass."""
        if not self.interlaced:
            return self.height * (1 + self.row_bytes(self.width))
        return sum(height * (1 + self.row_bytes(width)) for _, _, _, _, width, height in self.passes())


def refuse(source: str, pointer: str, code: Code, message: str) -> NoReturn:
    """Raise an InputError with one problem."""
    raise InputError([Problem(source, None, pointer, code, message)])


def read_header(data: bytes | memoryview, source: str = "") -> PngHeader:
    """Give the header of a PNG file.

    Args:
        data: the file, or at least its first 33 bytes.
        source: the file's name, for errors.

    Raises:
        InputError: no PNG, a header that breaks off or is damaged, or one that the specification forbids.
    """
    if data[:8] != SIGNATURE:
        _refuse_signature(bytes(data[:64]), source)
    if len(data) < _HEADER_END:
        refuse(source, "byte 8", Code.DAMAGED, f"the file breaks off in its header, after {len(data)} bytes")
    length, name, width, height, depth, colour, compression, filtering, interlace, crc = _HEADER.unpack_from(data, 8)
    if length != 13 or name != b"IHDR":
        hint = " (Apple's own PNG variant: convert it with `pngcrush -revert-iphone-optimizations`)"
        got = f"{name!r} of {length} bytes{hint if name == b'CgBI' else ''}"
        refuse(source, "byte 8", Code.DAMAGED, f"the first chunk must be IHDR with 13 bytes, got {got}")
    _check_crc(data, 8, 13, crc, name, source)
    header = PngHeader(width, height, depth, colour, interlace == 1)
    if depth not in _DEPTHS.get(colour, ()):
        refuse(source, "byte 24", Code.DAMAGED, f"no PNG has colour type {colour} with bit depth {depth}")
    if not (0 < width < 2**31 and 0 < height < 2**31):
        refuse(source, "byte 16", Code.DAMAGED, f"width and height must be positive, got {width} x {height}")
    if compression != 0 or filtering != 0 or interlace > 1:
        got = f"{compression}, {filtering} and {interlace}"
        refuse(
            source, "byte 26", Code.DAMAGED, f"compression, filter, interlace method must be 0, 0, 0 or 1, got {got}"
        )
    return header


def _refuse_signature(head: bytes, source: str) -> NoReturn:
    if not head:
        refuse(source, "", Code.NOT_PNG, "must be a PNG file, got an empty file")
    if SIGNATURE.startswith(head):
        refuse(source, "", Code.DAMAGED, f"the file breaks off in the PNG signature, after {len(head)} bytes")
    if head[1:4] == b"PNG":
        message = f"the PNG signature must be {SIGNATURE.hex(' ')}, got {head[:8].hex(' ')}"
        hint = "; was it transferred in text mode?" if b"\r\n\x1a\n" not in head[:8] else ""
        refuse(source, "byte 0", Code.DAMAGED, message + hint)
    kind = sniff(head)
    got = f"a {kind} with this name" if kind else f"a file that begins with {head[:8].hex(' ')}"
    refuse(source, "byte 0", Code.NOT_PNG, f"must be a PNG file, got {got}")


def _check_crc(data: bytes | memoryview, start: int, length: int, crc: int, name: bytes, source: str) -> None:
    got = zlib_ng.crc32(data[start + 4 : start + 8 + length])
    if got != crc:
        message = f"the CRC of chunk {_text(name)} must be 0x{crc:08x} as stored behind it, got 0x{got:08x}"
        refuse(source, f"byte {start}", Code.DAMAGED, message)


def check_size(header: PngHeader, max_pixels: int, source: str) -> None:
    """Refuse an image of more than `max_pixels` pixels.

    Raises:
        InputError: more pixels than that.
    """
    if header.width * header.height > max_pixels:
        got = f"{header.width} x {header.height}"
        hint = "raise max_pixels (--max-pixels) if the file is meant to be so large"
        message = f"must have at most {max_pixels} pixels, got {got}; {hint}"
        refuse(source, "byte 16", Code.TOO_LARGE, message)


def read_stream(data: bytes | memoryview, header: PngHeader, source: str) -> Stream:
    """Give the deflate stream of a PNG file, the content of its IDAT chunks; every chunk's CRC is checked.

    Nothing is copied where there is one such chunk.

    Raises:
        InputError: the file breaks off, a CRC is wrong, chunks are missing, unknown or out of order.
    """
    parts: list[tuple[int, int]] = []  # start, stop
    state: Literal["before", "in", "behind"] = "before"  # of the image data
    has_palette = False
    at = _HEADER_END
    end = len(data)
    while True:
        if at + 12 > end:
            _refuse_end(at, end, source)
        length, name = _CHUNK.unpack_from(data, at)
        if length > end - at - 12:
            _refuse_chunk(name, length, at, end, source)
        (crc,) = _CRC.unpack_from(data, at + 8 + length)
        _check_crc(data, at, length, crc, name, source)
        if name == b"IDAT":
            if state == "behind":
                refuse(source, f"byte {at}", Code.DAMAGED, "the IDAT chunks must follow each other")
            state = "in"
            parts.append((at + 8, at + 8 + length))
        else:
            state = "behind" if parts else "before"
            if name == b"IEND":
                break
            if name == b"PLTE":
                _check_palette(length, has_palette, state, f"byte {at}", source)
                has_palette = True
            elif not name[0] & 0x20:
                _refuse_critical(name, at, source)
        at += 12 + length
    if not parts:
        refuse(source, f"byte {at}", Code.DAMAGED, "the file ends without image data (no IDAT chunk)")
    if header.colour_type == PALETTE and not has_palette:
        refuse(source, "", Code.DAMAGED, "a palette image must have a palette (PLTE chunk) before its image data")
    if len(parts) == 1:
        return Stream(data, *parts[0])
    joined = b"".join([*(data[start:stop] for start, stop in parts), _SPARE])
    return Stream(joined, 0, len(joined) - len(_SPARE))


def _text(name: bytes) -> str:
    return name.decode("latin-1")


def _refuse_end(at: int, end: int, source: str) -> NoReturn:
    if at == end:
        refuse(source, f"byte {at}", Code.DAMAGED, "the file ends without its last chunk (IEND): it was cut off")
    refuse(source, f"byte {at}", Code.DAMAGED, f"the file breaks off in the head of a chunk, after {end} bytes")


def _refuse_chunk(name: bytes, length: int, at: int, end: int, source: str) -> NoReturn:
    if not name.isalpha():
        refuse(source, f"byte {at + 4}", Code.DAMAGED, f"a chunk's name must be four letters, got {name!r}")
    message = f"chunk {_text(name)} must have {length} bytes as it says, the file has {end - at - 12} more"
    refuse(source, f"byte {at}", Code.DAMAGED, message)


def _check_palette(length: int, is_second: bool, state: str, pointer: str, source: str) -> None:
    if is_second or state != "before":
        refuse(source, pointer, Code.DAMAGED, "there must be one palette (PLTE chunk), before the image data")
    if length % 3 or not 0 < length <= 768:
        refuse(source, pointer, Code.DAMAGED, f"a palette must have 1 to 256 colours of 3 bytes, got {length} bytes")


def _refuse_critical(name: bytes, at: int, source: str) -> NoReturn:
    if name == b"IHDR":
        refuse(source, f"byte {at}", Code.DAMAGED, "there must be one header (IHDR chunk), got a second one")
    message = f"chunk {name!r} must be understood to read this image, and PNG's specification does not define it"
    refuse(source, f"byte {at}", Code.UNSUPPORTED, message)


def joined_streams(streams: Sequence[Stream]) -> Streams:
    """Give streams as one array, as `png_trace` takes them; a single one is not copied."""
    import numpy as np

    from predarrow_engine.png_trace import Streams

    if len(streams) == 1:
        (stream,) = streams
        data, places = stream.data, [(stream.start, stream.stop)]
    else:
        data = b"".join([piece for stream in streams for piece in (stream.content(), _SPARE)])
        lengths = [stream.stop - stream.start for stream in streams]
        starts = [0, *accumulate(length + len(_SPARE) for length in lengths)]
        places = [(start, start + length) for start, length in zip(starts, lengths, strict=False)]
    array = np.frombuffer(data, np.uint8)
    array.flags.writeable = False  # as it is already, but where a file came in a bytearray
    return Streams(array, np.array(places, np.int64))


def check_promise(header: PngHeader, stream: Stream, source: str) -> None:
    """Refuse a header that promises more than a stream of this length could hold.

    Raises:
        InputError: more than that.
    """
    promised = header.raw_bytes()
    n_bytes = stream.stop - stream.start
    if promised > _DEFLATE_LIMIT * n_bytes:
        message = (
            f"the header says {header.width} x {header.height}, {promised} bytes of rows, which {n_bytes} "
            f"compressed bytes cannot hold (deflate reaches {_DEFLATE_LIMIT} : 1)"
        )
        refuse(source, "byte 16", Code.DAMAGED, message)


def inflate(stream: Stream, header: PngHeader, source: str) -> bytes:
    """Give the filtered rows of an image; the stream's Adler-32 is checked.

    The output is bounded by what the header promises, whatever the stream would expand to. This is for interlaced
    images, and for those that the engine refuses: it says what is wrong with them.

    Raises:
        InputError: the stream is damaged, breaks off, or holds fewer or more bytes than the header promises.
    """
    promised = header.raw_bytes()
    size = f"{header.width} x {header.height}"
    inflater = zlib_ng.decompressobj()
    try:
        rows: bytes = inflater.decompress(stream.content(), promised + 1)
    except zlib_ng.error as error:  # type: ignore[misc]  # its stub declares an instance, not a class
        if "incorrect data check" in str(error):
            refuse(source, "IDAT", Code.DAMAGED, "the image data's checksum (Adler-32) is wrong")
        reason = str(error).rpartition(": ")[2]
        refuse(source, "IDAT", Code.DAMAGED, f"the image data is no valid deflate stream ({reason})")
    if len(rows) > promised:
        refuse(source, "IDAT", Code.DAMAGED, f"the rows of {size} must have {promised} bytes, got more")
    if not inflater.eof:
        where = f"after {len(rows)} of {promised} bytes of rows" if len(rows) < promised else "before its checksum"
        refuse(source, "IDAT", Code.DAMAGED, f"the image data breaks off {where}")
    if len(rows) < promised:
        refuse(source, "IDAT", Code.DAMAGED, f"the rows of {size} must have {promised} bytes, got {len(rows)}")
    if inflater.unused_data:
        message = f"the image data must end with its stream, got {len(inflater.unused_data)} more bytes"
        refuse(source, "IDAT", Code.DAMAGED, message)
    return rows
