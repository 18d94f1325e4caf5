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
import numpy as np
from predarrow_engine import rle_rows, rle_sets
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
half, whole = np.array([0, 200_000, 400_000]), np.array([0, 400_000])
calls = {
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


@pytest.mark.parametrize("name", ["simplify", "to_rows", "union"])
def test_an_interrupted_kernel_raises_what_the_handler_raises(name: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", f"NAME = {name!r}\n{_SCRIPT}"], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, "60\n"), ended.stderr
