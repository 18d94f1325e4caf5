"""Ctrl-C while a kernel runs ends in the exception of its handler, and in nothing else.

Numba calls Python to make arrays and named tuples of what a kernel returns, and does not look whether that raised: the
handler's exception, which waits until then, becomes a `SystemError` where an array stands in a tuple, and a crash where
a named tuple does.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

_SCRIPT = """
import signal
import zlib
import numpy as np
from predarrow_engine import png, png_stream, rle_rows, rle_sets
from predarrow_engine.png_trace import Canvas, Streams
from predarrow_engine.simplify import simplify
from predarrow_engine.trace import Tracer

class Interrupt(Exception):
    pass

def interrupt(number, frame):
    raise Interrupt

rng = np.random.default_rng(0)
mask = rng.integers(0, 3, (400, 400)).astype(np.uint8)
tracer = Tracer()
tracer.add(mask)
outlines = tracer.take()
counts = np.full(400_000, 4, np.uint32)
stream = zlib.compress(np.insert(mask, 0, 0, axis=1).tobytes())
data = np.frombuffer((stream + bytes(png_stream.SPARE_IN)) * 4, np.uint8)
starts = np.arange(4) * (data.size // 4)
streams = Streams(data, np.stack([starts, starts + len(stream)], axis=1))
pixels = np.zeros(400 + mask.size + png.MARGIN, np.uint8)
samples = pixels[400 : 400 + mask.size].reshape(400, 400)
samples.flags.writeable = False
canvas = Canvas(np.empty(png_stream.window_bytes(400, 400), np.uint8), pixels, samples, 400)

def read():
    if tracer.add_streams(streams, canvas, 0, 1 << 30) != 4:
        raise ValueError
    tracer.take()

half, whole = np.array([0, 200_000, 400_000]), np.array([0, 400_000])
calls = {
    "mask": lambda: (tracer.add(mask), tracer.take()),
    "files": read,
    "simplify": lambda: simplify(outlines, 1.5),
    "to_rows": lambda: rle_rows.to_rows(counts, whole, np.array([[1000, 1600]])),
    "union": lambda: rle_sets.union(counts, half, np.array([0, 2])),
}
call = calls[NAME]
call()
signal.signal(signal.SIGALRM, interrupt)
interrupted = 0
for wait in np.linspace(0.001, 0.02, 60):
    try:
        signal.setitimer(signal.ITIMER_REAL, wait)
        while True:
            call()
    except Interrupt:
        interrupted += 1
print(interrupted)
"""


@pytest.mark.parametrize("name", ["mask", "files", "simplify", "to_rows", "union"])
def test_an_interrupted_kernel_raises_what_the_handler_raises(name: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", f"NAME = {name!r}\n{_SCRIPT}"], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, "60\n"), ended.stderr
