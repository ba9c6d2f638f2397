"""How compiled functions are compiled: once, with signatures written out, and then from a cache.

numba keeps what it compiled beside the source file or, where that cannot be written to, in the user's cache folder;
`NUMBA_CACHE_DIR` names another. It notices a change of the file that a function stands in, but not one of a file
that the function calls into. So the name under which a function is kept carries a digest of all these files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit
from numba import types as numba_types

from alertdb.compiling import compile_once

__all__ = ["BYTES_TYPE", "INDEX_TYPE", "Bytes", "Index", "compiled", "part", "types"]

Function = TypeVar("Function", bound=Callable[..., Any])
Bytes = npt.NDArray[np.uint8]
Index = npt.NDArray[np.int64]

types: Any = numba_types

# Arrays that are only read; one that can be written to is taken too.
BYTES_TYPE = types.Array(types.uint8, 1, "C", readonly=True)
INDEX_TYPE = types.Array(types.int64, 1, "C", readonly=True)

# Our arrays belong to the caller, so references to them need not be counted; counting would take most of the time.
# Functions compiled so cannot make arrays.
OPTIONS: dict[str, Any] = {"_nrt": False}

# This file, and those with functions that others call into.
SOURCES = ("compiling.py", "cells.py", *(f"decoding/{name}.py" for name in ("limits", "memory", "reading", "kernel")))
DIGEST = hashlib.sha256(b"".join((Path(__file__).parent / name).read_bytes() for name in SOURCES)).hexdigest()[:16]


def compiled(signature: Any) -> Callable[[Function], Function]:
    """Compile for one signature, or take it from the cache. The function runs without Python's lock."""

    def decorate(function: Function) -> Function:
        function.__qualname__ += f"_{DIGEST}"
        return compile_once(function, signature, OPTIONS)

    return decorate


def part(function: Function) -> Function:
    """Compile as a part of the functions that call it."""
    return cast("Function", njit(function, inline="always", **OPTIONS))
