"""What holds for every test: none of them fails on a time, and memory may be spoilt between two uses."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt
from hypothesis import HealthCheck, settings

from predarrow_engine import memory

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

if os.environ.get("PREDARROW_SPOIL_MEMORY"):
    # Every array that is lent comes on memory full of rubbish, and is rubbish once it was given back.
    _give = memory._Idle.give

    def _spoil(self: memory._Idle, block: npt.NDArray[np.uint8]) -> None:
        block.fill(0xAB)
        _give(self, block)

    memory.FROM = 256
    memory._Idle.give = _spoil  # type: ignore[method-assign]  # that is what this leg is for
