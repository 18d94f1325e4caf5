"""PNG mask files -> prediction batches, chunk by chunk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import index
from typing import TYPE_CHECKING

from predarrow.classes import ClassNames
from predarrow.errors import InputError
from predarrow.formats.mask_options import MaskFileOptions, left_out, n_left_out, new_tracer, simplified
from predarrow.formats.mask_table import MAX_CLASSES, MaskImage, part, soft_map, too_many_classes
from predarrow.formats.png import MAX_PIXELS, PngDecoder, PngHeader
from predarrow.formats.png_chunks import Stream, joined_streams
from predarrow.pipeline import Spares
from predarrow.reader import Part
from predarrow.report import Code, Problem, Report
from predarrow.sources import Source, read_bytes

if TYPE_CHECKING:
    from predarrow_engine.trace import Tracer

_FLUSH_VERTICES = 1 << 22  # 32 MB of them: outlines of one chunk are cut into batches here

_SPARES: Spares[tuple[PngDecoder, Tracer]] = Spares(lambda pair: max(pair[0].room, 128 * pair[1].room) <= 1 << 25)
"""Kept between calls, up to 32 MB for the image and 64 MB for the tracer: a quarter of the time of few files."""


class MaskFiles:
    """Chunks of files -> batches and problems. Called in many threads, each chunk with a decoder and tracer."""

    def __init__(self, names: ClassNames | None, options: MaskFileOptions) -> None:
        """Take what holds for all chunks.

        Raises:
            PredarrowError: options that do not hold.
        """
        self._names = names
        self._options = _own(options)
        self._kind = repr(sorted(self._options.items()))
        with _SPARES.lend(self._kind, self._make_state):
            pass  # options that do not hold are told now

    def __call__(self, chunk: Sequence[Source]) -> Part:
        """Give the batches and problems of some files."""
        with _SPARES.lend(self._kind, self._make_state) as (decoder, tracer):
            return _Chunk(self._names, self._options, decoder, tracer).read(chunk)

    def _make_state(self) -> tuple[PngDecoder, Tracer]:
        rgb, max_pixels = self._options.get("rgb"), self._options.get("max_pixels", MAX_PIXELS)
        return PngDecoder(rgb=rgb, max_pixels=max_pixels), new_tracer(self._options)


class _Chunk:
    """The work on one chunk.

    Files whose bytes are pixels wait until another kind or size, a problem or the end comes, and are then unpacked
    and traced in one call.
    """

    def __init__(self, names: ClassNames | None, options: MaskFileOptions, decoder: PngDecoder, tracer: Tracer) -> None:
        self._names = names
        self._options = options
        self._max_classes = options.get("max_classes", MAX_CLASSES)
        self._decoder = decoder
        self._tracer = tracer
        self._result = Part([], Report())
        self._images: list[MaskImage] = []
        self._header: PngHeader | None = None
        self._waiting: list[tuple[Source, Stream]] = []

    def read(self, chunk: Sequence[Source]) -> Part:
        self._result.report.sources = len(chunk)
        takes_streams = self._tracer.takes_streams
        for source in chunk:
            try:
                header, stream = self._decoder.open(read_bytes(source.path), source.path)
            except InputError as error:
                self._refuse(*error.problems)
                continue
            except OSError as error:
                message = f"must be a file that can be read, got {error.strerror or error}"
                self._refuse(Problem(source.path, None, "", Code.UNREADABLE, message))
                continue
            if (source.height or header.height) != header.height or (source.width or header.width) != header.width:
                self._refuse(_wrong_size(source, header))
            elif takes_streams and header.is_bytes:
                if header != self._header:
                    self._trace_waiting()
                    self._header = header
                self._waiting.append((source, stream))
            else:
                self._trace_waiting()
                self._trace(source, header, stream)
        self._trace_waiting()
        self._flush()
        return self._result

    def _trace_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting or self._header is None:
            return
        streams = joined_streams([stream for _, stream in waiting])
        canvas = self._decoder.canvas(self._header)
        done = 0
        while done < len(waiting):
            begin, done = done, self._tracer.add_streams(streams, canvas, done, _FLUSH_VERTICES)
            self._images.extend([_image(source, self._header) for source, _ in waiting[begin:done]])
            if self._tracer.n_vertices > _FLUSH_VERTICES:
                self._flush()
            elif done < len(waiting):
                source, stream = waiting[done]
                self._trace(source, self._header, stream)
                canvas = self._decoder.canvas(self._header)
                done += 1

    def _trace(self, source: Source, header: PngHeader, stream: Stream) -> None:
        problems = self._result.report.problems
        try:
            labels = self._decoder.samples(header, stream, source.path)
            if soft_map(labels, n_left_out(self._options), self._max_classes):
                problems.append(too_many_classes(source.path, None, self._max_classes))
                return
            self._tracer.add(labels)
        except InputError as error:
            problems.extend(error.problems)
            return
        except ValueError as error:  # the tracer's: more runs than its numbers can count
            problems.append(Problem(source.path, None, "", Code.TOO_LARGE, str(error)))
            return
        self._images.append(_image(source, header))
        if self._tracer.n_vertices > _FLUSH_VERTICES:
            self._flush()

    def _refuse(self, *problems: Problem) -> None:
        self._trace_waiting()  # so that problems come in the order of the files
        self._result.report.problems.extend(problems)

    def _flush(self) -> None:
        if not self._images:
            return
        images, self._images = self._images, []
        outlines = self._tracer.take()
        if (tolerance := self._options.get("simplify")) is not None:
            outlines = simplified(outlines, tolerance)
        result = part(outlines, images, self._names, self._max_classes)
        self._result.batches.extend(result.batches)
        self._result.report.add(result.report)


def _own(options: MaskFileOptions) -> MaskFileOptions:
    """Give options that the caller cannot change any more, and that repr tells whole: it cuts NumPy's long arrays.

    Raises:
        PredarrowError: values of background or void that no pixel can have.
    """
    own = options.copy()
    left_out(options)
    if "void" in options:
        own["void"] = [index(value) for value in options["void"]]
    if isinstance(rgb := options.get("rgb"), Mapping):
        own["rgb"] = dict(rgb)
    return own


def _image(source: Source, header: PngHeader) -> MaskImage:
    return MaskImage(source.data_unit, source.frame or 0, header.height, header.width, source.path)


def _wrong_size(source: Source, header: PngHeader) -> Problem:
    message = (
        f"must be {source.width} x {source.height} pixels as its data unit is, got {header.width} x {header.height}"
    )
    return Problem(source.path, None, "", Code.SIZE_MISMATCH, message)
