"""Tasks as files of a JSON list, each below a number of bytes: Label Studio takes no more in one request."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow.errors import PredarrowError
from predarrow.formats.staging import explained
from predarrow.formats.write_file import check_new, opened

_FRAME = len(b"[\n]\n")  # what a file has beside its tasks


class Target(NamedTuple):
    """The names of what is written."""

    folder: Path
    stem: str
    suffix: str

    @classmethod
    def of(cls, path: Path) -> Target:
        """Give the parts of a file's name: its stem, and `.json` or `.json.gz`.

        Raises:
            PredarrowError: the name is that of lines of JSON, or of a labelling config, which goes beside.
        """
        name = path.name
        if name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson", ".xml")):
            raise PredarrowError(f"path: must be of a JSON file, as tasks.json or tasks.json.gz, got {str(path)!r}")
        end = name[-3:] if name.lower().endswith(".gz") else ""
        stem, dot, suffix = name[: len(name) - len(end)].rpartition(".")
        return cls(path.parent, stem, dot + suffix + end) if stem else cls(path.parent, name, "")

    def shard(self, number: int) -> Path:
        """Give the file of a number from 1, where there are several."""
        return self.folder / f"{self.stem}-{number:05d}{self.suffix}"

    @property
    def whole(self) -> Path:
        """The file where there is only one."""
        return self.folder / f"{self.stem}{self.suffix}"

    @property
    def config(self) -> Path:
        """The file of the labelling config."""
        return self.folder / f"{self.stem}.xml"


class Shards:
    """Tasks -> files that have no name yet.

    Args:
        target: where they will be.
        max_bytes: of a file; None for all tasks in one.
    """

    def __init__(self, target: Target, max_bytes: int | None) -> None:
        self._target = target
        self._limit = max_bytes
        self._temporary: list[Path] = []
        self._file: IO[bytes] | None = None
        self._stack = ExitStack()
        self._size = 0
        self._held: list[bytes | memoryview] = []
        self._n_held = 0
        self._is_long = False
        self.n_long = 0
        """Tasks that are larger than a file should be, each in a file of its own"""

    def add(self, text: memoryview, begins: npt.NDArray[np.int64]) -> None:
        """Take text of tasks.

        Args:
            text: of whole tasks or parts of them; each task begins with ",\\n".
            begins: where in it tasks begin, ascending; what stands before the first one is of the task before.
        """
        if not begins.size:
            self._hold(text)
            return
        self._hold(text[: begins[0]])
        self._end_task()
        place = 0
        while place < begins.size - 1:
            place = self._put_whole(text, begins, place)
        self._hold(text[begins[-1] :])

    def finish(self) -> None:
        """Write what is left."""
        self._end_task()
        if not self._temporary:
            self._file = self._open()
        self._close()

    def publish(self, config: str | None, *, overwrite: bool) -> tuple[list[Path], Path | None]:
        """Give the files their names; give these.

        Args:
            config: XML that goes beside them; None for none.
            overwrite: replace files.

        Raises:
            OutputError: one of them exists.
        """
        n = len(self._temporary)
        names = [self._target.shard(i) for i in range(1, n + 1)] if n > 1 else [self._target.whole]
        pairs = list(zip(self._temporary, names, strict=True))
        if config is not None:
            written = self._new()
            written.write_bytes(config.encode())
            pairs.append((written, self._target.config))
        for _, name in pairs:
            check_new(name, overwrite=overwrite)
        for temporary, name in pairs:
            temporary.replace(name)
        return names, None if config is None else self._target.config

    def clear(self) -> None:
        """Remove what has no name."""
        self._stack.close()
        for path in self._temporary:
            with suppress(OSError):
                path.unlink()

    def _put_whole(self, text: memoryview, begins: npt.NDArray[np.int64], place: int) -> int:
        """Write as many whole tasks from a place on as the file has room for, one at least; give the next place."""
        last = begins.size - 1
        end = last
        if self._limit is not None:
            room = int(begins[place]) + self._limit - max(self._size, _FRAME)
            end = min(int(np.searchsorted(begins, room, "right")) - 1, last)
        if end <= place:
            self._hold(text[begins[place] : begins[place + 1]])
            self._end_task()
            return place + 1
        self._write(text[begins[place] : begins[end]])
        return end

    def _hold(self, text: memoryview) -> None:
        if self._is_long:
            self._write(text)
            return
        if not len(text):
            return
        self._held.append(text)
        self._n_held += len(text)
        if self._limit is not None and self._n_held + _FRAME > self._limit:
            self._close()
            self._flush()
            self._is_long = True
            self.n_long += 1

    def _end_task(self) -> None:
        """Write the task that is held."""
        if self._is_long:
            self._close()
            self._is_long = False
        if self._limit is not None and self._n_held + max(self._size, _FRAME) > self._limit:
            self._close()
        self._flush()

    def _flush(self) -> None:
        for text in self._held:
            self._write(text)
        self._held.clear()
        self._n_held = 0

    def _write(self, text: bytes | memoryview) -> None:
        if not len(text):
            return
        if self._file is None:
            self._file = self._open()
            text = text[1:]  # the comma in front of the first task
        self._file.write(text)
        self._size += len(text)

    def _open(self) -> IO[bytes]:
        file = opened(self._new(), self._stack, packed=self._target.suffix.lower().endswith(".gz"))
        file.write(b"[")
        self._size = _FRAME
        return file

    def _close(self) -> None:
        if self._file is not None:
            self._file.write(b"\n]\n")
            self._stack.close()
            self._file, self._size = None, 0

    def _new(self) -> Path:
        path = self._target.folder / f".{self._target.stem}.{uuid.uuid4().hex[:8]}.tmp"
        self._temporary.append(path)
        return path


@contextmanager
def shards(target: Target, max_bytes: int | None, *, overwrite: bool) -> Iterator[Shards]:
    """Give what takes tasks; what got no name in the block is removed.

    Raises:
        OutputError: the file exists and `overwrite` is false, or it cannot be written.
    """
    check_new(target.whole, overwrite=overwrite)
    files = Shards(target, max_bytes)
    try:
        with explained(target.whole):
            yield files
    finally:
        files.clear()
