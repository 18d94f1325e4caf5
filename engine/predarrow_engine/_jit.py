"""The one place where Numba's options are chosen, and where compiled kernels are kept."""

from __future__ import annotations

import functools
import hashlib
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

if cache_dir := os.environ.get("PREDARROW_CACHE_DIR"):  # before Numba reads its own variable
    os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(cache_dir) / "kernels"))

import numba
import numpy as np
from numba.core.caching import (
    CompileResultCacheImpl,
    FunctionCache,
    InTreeCacheLocator,
    UserProvidedCacheLocator,
    UserWideCacheLocator,
)
from numba.core.dispatcher import Dispatcher

numba.config.reload_config()  # type: ignore[no-untyped-call]  # Numba may have been imported before, without it

F = TypeVar("F", bound=Callable[..., Any])

Index: TypeAlias = int | np.integer[Any]
"""What a kernel takes as a whole number: Python's from outside, NumPy's from another kernel."""


def kernel(func: F) -> Dispatcher[F]:
    """Compile func on its first call, free of the GIL, kept on disk for the next process.

    Lazy (an explicit signature moves the whole compile time to the import), serial (threads are the
    caller's), NumPy's error model (a division cannot raise in a kernel).

    What Python calls returns numbers, plain tuples of them, or one array. To make a named tuple, or an array in a
    tuple, Numba calls Python and does not look whether that raised: a handler's exception that waits for the kernel's
    end, such as Ctrl-C's, would then be a crash.
    """
    compiled = numba.njit(nogil=True, error_model="numpy")(func)
    if not numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
        try:
            compiled._cache = _KernelCache(func)  # type: ignore[attr-defined, no-untyped-call]
        except RuntimeError:
            _warn_no_cache()
    return compiled


def inline(func: F) -> Dispatcher[F]:
    """Compile a helper of kernels: never called from Python, never cached on its own."""
    return numba.njit(nogil=True, error_model="numpy", forceinline=True)(func)


def helper(func: F) -> Dispatcher[F]:
    """Compile a helper of kernels that need not be inlined, as it runs seldom: half the time to compile."""
    return numba.njit(nogil=True, error_model="numpy")(func)


def part(func: F) -> Dispatcher[F]:
    """Paste a helper into its one caller before that is compiled.

    Numba optimises every function together with all that it calls, once more at each level: of a deep tree of helpers
    (the JSON scanner's) half the time to compile goes there.
    """
    return numba.njit(nogil=True, error_model="numpy", inline="always")(func)


@functools.cache
def _warn_no_cache() -> None:
    warnings.warn(
        "no writable folder for compiled kernels, so each process compiles them anew: set PREDARROW_CACHE_DIR",
        RuntimeWarning,
        stacklevel=4,
    )


@functools.cache
def _engine_digest() -> bytes:
    """Digest of every source file of the engine.

    Numba stamps a cached kernel with its own file alone, so a change to a helper in another file, or an
    upgrade of this package, would leave old machine code in use: https://github.com/numba/numba/issues/1833
    """
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.digest()


class _StampedByEngine:
    def get_source_stamp(self) -> bytes:
        return _engine_digest()


class _UserProvided(_StampedByEngine, UserProvidedCacheLocator): ...


class _InTree(_StampedByEngine, InTreeCacheLocator): ...


class _UserWide(_StampedByEngine, UserWideCacheLocator): ...


class _KernelCacheImpl(CompileResultCacheImpl):
    _locator_classes = [_UserProvided, _InTree, _UserWide]  # noqa: RUF012 - Numba's own attribute


class _KernelCache(FunctionCache):
    _impl_class = _KernelCacheImpl

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Give kept machine code or None: also where the index tells types of an older engine that are gone."""
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]  # Numba's own
        except (AttributeError, ImportError):
            self.flush()  # type: ignore[no-untyped-call]  # Numba's own
            return None
