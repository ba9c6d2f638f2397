"""Compiled functions out of numba's cache, without what only compiling needs.

Before numba looks into its cache it makes ready to compile: it imports all that it knows of Python and numpy, which
takes long. What lies in the cache needs none of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit
from numba.core.compiler_lock import global_compiler_lock

__all__ = ["compile_once"]

Function = TypeVar("Function", bound=Callable[..., Any])


def compile_once(function: Function, signature: Any, options: dict[str, Any]) -> Function:
    """Compile for one signature, or take from the cache what was compiled before; it runs without Python's lock."""
    try:
        compiled = _load(njit(nogil=True, cache=True, **options)(function), signature)
        compiled = compiled or njit(signature, nogil=True, cache=True, **options)(function)
    except (RuntimeError, OSError):  # no folder for the cache, or no room in it
        compiled = njit(signature, nogil=True, **options)(function)
    return cast("Function", compiled)


def _load(dispatcher: Any, signature: Any) -> Any:
    """Return the dispatcher with its compiled function from the cache, or None where that is not to be had."""
    try:
        with global_compiler_lock:
            found = dispatcher._cache.load_overload(signature, _Context(dispatcher.targetctx))  # noqa: SLF001
    except AttributeError:  # a numba that keeps its cache elsewhere, or that is told not to compile
        return None
    if found is None:
        return None
    dispatcher.add_overload(found)
    dispatcher.disable_compile()
    return dispatcher


class _Context:
    """numba's context of compiled functions, which is not made ready to compile."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def refresh(self) -> None:
        """Leave out the imports."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)
