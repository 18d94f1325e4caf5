"""PNG files as label masks: the sample values that are stored, exactly.

    image                     gives
    8-bit grey                the values, uint8
    1, 2, 4-bit grey          the values, uint8, not scaled (a 2-bit file has 0, 1, 2, 3, not 0, 85, 170, 255)
    16-bit grey               the values, uint16
    palette, 1 to 8 bits      the indices, uint8, not the colours; transparency changes nothing
    8-bit RGB                 only through a named decoder (`rgb`), else refused
    16-bit RGB, any alpha     refused: what is the class and what is not would be a guess

Interlaced files give the same as others; of an animation the default image is read.

Why our own decoder. OpenCV expands palettes and scales packed samples under every flag, Pillow scales packed
grey samples, imagecodecs expands palettes; pypng keeps the samples, in plain Python. And all of them go byte
by byte through what is mostly the same value. Measured (milliseconds a file, medians, all in turns in one
process over 10 drawn street masks of 1024 x 2048, 40 palette files 854 x 480, noise of 19 classes 512 x 1024;
OpenCV 5.0, Pillow 13.0, imagecodecs 2026.3, pypng 0.20220715, two cores AMD EPYC):

                       this   Pillow   cv2    imagecodecs   pypng   this, unpacked by zlib-ng / libdeflate / isal / zlib
    8-bit, by Pillow   0.36    6.9     6.0        4.5        290          0.48   0.36   0.72   3.1
    8-bit, by cv2      0.42    8.3     7.8        7.7        180          0.50   0.37   1.1    4.2
    16-bit, by Pillow  0.59     13      13         10        630          0.98   0.59   1.7    7.6
    16-bit, by cv2     0.71     14      14         12        580          1.0    0.63   2.1    9.2
    palette            0.058   0.86    1.5        1.2        1.3          0.075  0.10   0.17   0.75
    noise              1.4     2.8     2.6        2.5         52          1.4    1.2    0.91   1.9

Why our own unpacking. Each of these libraries takes fresh memory for an image's rows, and two threads that take
memory wait for each other. Files of 64 masks, of 512 palette files, milliseconds a file on one and on two threads
(medians of four runs; the best of two-thread runs was 0.18, 0.22, 0.30, 0.032):

                       this            unpacked by zlib-ng
    8-bit, by Pillow   0.37 -> 0.22    0.44 -> 0.30
    8-bit, by cv2      0.44 -> 0.25    0.46 -> 0.31
    16-bit, by Pillow  0.58 -> 0.34    0.73 -> 0.71
    palette            0.058 -> 0.041  0.073 -> 0.086

What lost: zlib-ng's object in pieces of 16 to 512 KB copied to kept memory (0.32 to 0.52 for 0.25 in one piece, on
one thread); a window of 128 KB or of 512 KB to 4 MB for the 256 KB (the same within 5 %); tables of 9 or 11 bits
for the 10 (the same, 6 % slower); a match of one value and one from afar by the same instructions, without a branch
(10 to 20 % slower where matches are short); Paeth rows without branches but for the end of a block (the same); the
checksum from even and odd bytes rather than from widened ones (the same). Of 0.34 ms for a mask by Pillow, finding
the symbols takes 0.09, copying 0.06, the checksum 0.04, the filters 0.14 (to copy 2 MB takes 0.11).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from predarrow.errors import PredarrowError
from predarrow.formats.png_chunks import (
    GREY_ALPHA,
    MAX_PIXELS,
    RGB,
    RGB_ALPHA,
    PngHeader,
    Stream,
    check_promise,
    check_size,
    inflate,
    read_header,
    read_stream,
    refuse,
)
from predarrow.options import whole_number
from predarrow.refusals import shown
from predarrow.report import Code

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from predarrow_engine.png_trace import Canvas

__all__ = ["MAX_PIXELS", "ColourMap", "PngDecoder", "PngHeader", "read_header", "read_png"]

ColourMap = Mapping[tuple[int, int, int], int]
"""Value of each colour (red, green, blue)."""

_COLOUR_RULE = "colour map: a colour must be three numbers of 0 to 255, got "
_ALIGNED = 64
_DONE = -1  # the engine's, which is imported where it is used: Numba takes half a second


def read_png(
    path: str | Path, *, rgb: Literal["panoptic"] | ColourMap | None = None, max_pixels: int = MAX_PIXELS
) -> npt.NDArray[Any]:
    """Give the values of one PNG file as (height, width) uint8, uint16 or uint32.

    Args:
        path: a PNG file.
        rgb: how an RGB image becomes values. None refuses it; "panoptic" gives COCO panoptic's ids
            (R + 256 G + 65536 B, uint32); a colour map gives the value of each colour, in the smallest of the
            three types that holds all its values.
        max_pixels: larger images are refused before memory is taken for them.

    Raises:
        InputError: the file cannot be read, is damaged, or is not of a kind that holds values (table above).
    """
    source = str(path)
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        refuse(source, "", Code.UNREADABLE, f"cannot be read: {error.strerror or error}")
    return PngDecoder(rgb=rgb, max_pixels=max_pixels).decode(data, source).copy()


class PngDecoder:
    """Decodes PNG files one after the other into memory that it keeps. One per thread: never share one."""

    def __init__(self, *, rgb: Literal["panoptic"] | ColourMap | None = None, max_pixels: int = MAX_PIXELS) -> None:
        """Take the options of `read_png`.

        Raises:
            PredarrowError: a colour map that is empty or has colours or values out of range.
        """
        import numpy as np

        self._max_pixels = max_pixels
        self._has_colours = rgb is not None
        self._colour_map = None if rgb is None or rgb == "panoptic" else _colour_table(rgb)
        self._rows: npt.NDArray[np.uint8] = np.empty(0, np.uint8)
        self._window: npt.NDArray[np.uint8] = np.empty(0, np.uint8)
        self._values: npt.NDArray[np.uint8] = np.empty(0, np.uint8)
        self._layout: _Layout | None = None

    @property
    def room(self) -> int:
        """Bytes of memory that are kept from file to file."""
        return self._rows.nbytes + self._window.nbytes + self._values.nbytes

    def decode(self, data: bytes | memoryview, source: str) -> npt.NDArray[Any]:
        """Give the values of a PNG file's bytes, (height, width) uint8, uint16 or uint32.

        The array is a view of this decoder's memory: the next call overwrites it.

        Args:
            data: the whole file.
            source: the file's name, for errors.

        Raises:
            InputError: damaged, too large, or not of a kind that holds values.
        """
        return self.samples(*self.open(data, source), source)

    def open(self, data: bytes | memoryview, source: str) -> tuple[PngHeader, Stream]:
        """Give a file's header and stream; all is checked that can be without unpacking it.

        Raises:
            InputError: damaged, too large, or not of a kind that holds values.
        """
        header = read_header(data, source)
        self._check_kind(header, source)
        check_size(header, self._max_pixels, source)
        stream = read_stream(data, header, source)
        check_promise(header, stream, source)
        return header, stream

    def samples(self, header: PngHeader, stream: Stream, source: str) -> npt.NDArray[Any]:
        """Give the values of an opened file, as `decode` does.

        Raises:
            InputError: the stream is damaged, or a colour is not in the colour map.
        """
        samples = self._interlaced(stream, header, source) if header.interlaced else self._plain(stream, header, source)
        return self._coloured(samples, source) if header.colour_type == RGB else samples

    def canvas(self, header: PngHeader) -> Canvas:
        """Give this decoder's memory for an image whose `is_bytes` is true."""
        from predarrow_engine.png_trace import Canvas

        layout = self._layout_of(header)
        samples = layout.samples[:]
        samples.flags.writeable = False
        return Canvas(self._window, self._rows, samples, layout.place[0])

    def _check_kind(self, header: PngHeader, source: str) -> None:
        if header.colour_type in (GREY_ALPHA, RGB_ALPHA):
            got = "grey with alpha" if header.colour_type == GREY_ALPHA else "RGB with alpha"
            message = f"a mask has no alpha channel, got {got}; save it as grey values or palette indices"
            refuse(source, "byte 25", Code.UNSUPPORTED, message)
        if header.colour_type == RGB and header.bit_depth == 16:
            refuse(source, "byte 24", Code.UNSUPPORTED, "colours of a mask must have 8 bits, got 16-bit RGB")
        if header.colour_type == RGB and not self._has_colours:
            hint = 'name the decoder, rgb="panoptic" or rgb={(r, g, b): value, …} (--rgb)'
            refuse(source, "byte 25", Code.UNSUPPORTED, f"must be grey or palette, got RGB; {hint}")

    def _plain(self, stream: Stream, header: PngHeader, source: str) -> npt.NDArray[Any]:
        layout = self._layout_of(header)
        data = layout.frombuffer(stream.data, "u1")
        data.flags.writeable = False  # as it is already, but where the file came in a bytearray
        start, stop = stream.start, stream.stop
        if layout.decode(data, start, stop, self._window, self._rows, *layout.place) != _DONE:
            self._unfilter(inflate(stream, header, source), 0, header, header.width, header.height, "", source)
        if header.bit_depth < 8:
            return self._unpacked(layout.place[0], header, header.width, header.height)
        return layout.samples[:]

    def _layout_of(self, header: PngHeader) -> _Layout:
        if self._layout is None or self._layout.header != header:
            self._layout = self._laid_out(header)
        return self._layout

    def _laid_out(self, header: PngHeader) -> _Layout:
        """Take memory for an image, and keep what is the same for the next one of its kind and size."""
        import numpy as np

        from predarrow_engine import png_stream as engine

        origin, row_bytes = self._make_room(header, header.width, header.height)
        self._window = _grown(self._window, engine.window_bytes(row_bytes, header.height))
        if header.colour_type == RGB:
            decode = engine.decode_3
        else:
            decode = engine.decode_2 if header.bit_depth == 16 else engine.decode_1
        samples = self._whole(origin, header, header.width, header.height)
        return _Layout(header, decode, np.frombuffer, (origin, row_bytes, header.height), samples)

    def _make_room(self, header: PngHeader, width: int, height: int) -> tuple[int, int]:
        """Give the place of the first row in `_rows`, and the bytes of a row."""
        from predarrow_engine.png import MARGIN

        row_bytes = header.row_bytes(width)
        origin = -(-row_bytes // _ALIGNED) * _ALIGNED
        self._rows = _grown(self._rows, origin + height * row_bytes + MARGIN)
        return origin, row_bytes

    def _interlaced(self, stream: Stream, header: PngHeader, source: str) -> npt.NDArray[Any]:
        import numpy as np

        channels = (3,) if header.colour_type == RGB else ()
        raw = inflate(stream, header, source)
        image = np.empty((header.height, header.width, *channels), np.uint16 if header.bit_depth == 16 else np.uint8)
        self._layout = None  # its memory may be given up for more
        start = 0
        for number, (x, y, dx, dy, width, height) in enumerate(header.passes(), 1):
            place = f"pass {number} of {len(header.passes())}, "
            origin = self._unfilter(raw, start, header, width, height, place, source)
            take = self._unpacked if header.bit_depth < 8 else self._whole
            image[y::dy, x::dx] = take(origin, header, width, height)
            start += height * (1 + header.row_bytes(width))
        return image

    def _unfilter(
        self, raw: bytes, start: int, header: PngHeader, width: int, height: int, place: str, source: str
    ) -> int:
        """Write the rows of one pass into `_rows`; give the offset of its first byte."""
        import numpy as np

        from predarrow_engine import png as engine

        origin, row_bytes = self._make_room(header, width, height)
        self._rows[origin - row_bytes : origin] = 0
        pixels = np.frombuffer(raw, np.uint8, height * (1 + row_bytes), start)
        if header.colour_type == RGB:
            unfilter = engine.unfilter_3
        else:
            unfilter = engine.unfilter_2 if header.bit_depth == 16 else engine.unfilter_1
        row = unfilter(pixels, self._rows, origin, row_bytes, height)
        if row != engine.DONE:
            got = raw[start + row * (1 + row_bytes)]
            refuse(source, f"{place}row {row}", Code.DAMAGED, f"a row's filter must be 0 to 4, got {got}")
        return origin

    def _whole(self, origin: int, header: PngHeader, width: int, height: int) -> npt.NDArray[Any]:
        flat = self._rows[origin : origin + height * header.row_bytes(width)]
        if header.colour_type == RGB:
            return flat.reshape(height, width, 3)
        return flat.view("<u2").reshape(height, width) if header.bit_depth == 16 else flat.reshape(height, -1)

    def _unpacked(self, origin: int, header: PngHeader, width: int, height: int) -> npt.NDArray[np.uint8]:
        from predarrow_engine import png_samples as engine

        self._values = _grown(self._values, height * width)
        samples = self._values[: height * width]
        engine.unpack(self._rows, origin, header.row_bytes(width), header.bit_depth, width, samples)
        return samples.reshape(height, width)

    def _coloured(self, pixels: npt.NDArray[np.uint8], source: str) -> npt.NDArray[Any]:
        import numpy as np

        from predarrow_engine import png_samples as engine

        height, width, _ = pixels.shape
        self._values = _grown(self._values, 4 * height * width)
        ids = self._values[: 4 * height * width].view(np.uint32)
        engine.pack_colours(pixels.reshape(-1), ids)
        if self._colour_map is None:
            return ids.reshape(height, width)
        colours, values, dtype = self._colour_map
        at = engine.map_colours(ids, colours, values)
        if at >= 0:
            place = f"x {at % width}, y {at // width}"
            got = tuple(int(channel) for channel in pixels[at // width, at % width])
            refuse(source, place, Code.UNKNOWN_CLASS, f"each colour must be in the colour map, got {got}")
        return ids.astype(dtype, copy=False).reshape(height, width)


class _Layout(NamedTuple):
    """Where an image of a kind and size goes."""

    header: PngHeader
    decode: Callable[..., int]
    frombuffer: Callable[..., npt.NDArray[np.uint8]]
    place: tuple[int, int, int]
    """Offset of the first row in `_rows`, bytes of a row, rows."""
    samples: npt.NDArray[Any]
    """View of `_rows`."""


def _grown(memory: npt.NDArray[np.uint8], n_bytes: int) -> npt.NDArray[np.uint8]:
    """Give memory of at least `n_bytes`, the same where it suffices.

    Fresh pages cost up to five times what decoding into them does.
    """
    import numpy as np

    return memory if memory.size >= n_bytes else np.empty(n_bytes, np.uint8)


def _colour_table(
    colours: ColourMap,
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32], type[np.unsignedinteger[Any]]]:
    """Give packed colours, sorted, with their values, and the smallest type that holds the values."""
    import numpy as np

    given: object = colours
    if not isinstance(given, Mapping):
        message = 'must be "panoptic", a mapping from colours (red, green, blue) to values, or None'
        raise PredarrowError(f"rgb: {message}, got {shown(colours)}")
    checked = {}
    for colour, value in colours.items():
        try:
            red, green, blue = (index(channel) for channel in colour)
        except (TypeError, ValueError):
            raise PredarrowError(_COLOUR_RULE + shown(colour)) from None
        if not all(0 <= channel <= 255 for channel in (red, green, blue)):
            raise PredarrowError(_COLOUR_RULE + shown(colour))
        checked[red, green, blue] = whole_number(f"colour map: {colour!r}", value, 0, 2**32 - 1)
    if not checked:
        raise PredarrowError("colour map: there must be at least one colour, got none")
    packed = sorted((red | green << 8 | blue << 16, value) for (red, green, blue), value in checked.items())
    keys, values = np.array(packed, np.uint32).T.copy()
    largest = int(values.max())
    return keys, values, np.uint8 if largest < 2**8 else np.uint16 if largest < 2**16 else np.uint32
