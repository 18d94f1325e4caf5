"""A file's geometries -> batches of the prediction table, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from predarrow.formats.openlabel.document import Document, FileFrame
from predarrow.formats.openlabel.file_rows import FileRows
from predarrow.formats.openlabel.frames import collect_root
from predarrow.formats.openlabel.places import Classes, Match
from predarrow.formats.openlabel.rules import Dialect
from predarrow.reader import Part

_CHUNK_BYTES = 8 << 20


def converted(document: Document, dialect: Dialect, match: Match, classes: Classes, *, mixed: bool) -> Part:
    """Give a file's geometries as rows of the prediction table.

    Args:
        document: the file.
        dialect: which checks are made, see `predarrow.formats.openlabel`.
        match: tells where frames belong.
        classes: tells what classes are.
        mixed: whether geometries of several types may stand in the file, whatever the dialect.
    """
    state = FileRows(document, dialect, match, classes, mixed=mixed)
    if document.has_root_geometries:
        state.add(collect_root(document))
    for frames in _chunks(document.frames):
        state.add_frames(frames)
    return state.done()


def _chunks(frames: Sequence[FileFrame]) -> Iterator[list[FileFrame]]:
    chunk: list[FileFrame] = []
    n_bytes = 0
    for frame in frames:
        chunk.append(frame)
        n_bytes += len(frame.raw)
        if n_bytes >= _CHUNK_BYTES:
            yield chunk
            chunk, n_bytes = [], 0
    if chunk:
        yield chunk
