"""The HEALPix index of positions, by the compiled part of cdshealpix alone.

Its Python part wants angles of astropy's, which no load needs otherwise and which take long to import.
"""

from __future__ import annotations

from functools import cache
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any

import numpy as np
import polars as pl

__all__ = ["healpix29"]

HEALPIX_ORDER = 29
THREADS = 1  # of cdshealpix: the loader's other threads have the other cores


def healpix29(ra: pl.Series, dec: pl.Series) -> pl.Series:
    """Return the HEALPix index (nested, order 29) of positions in degrees: `ra` in [0, 360], `dec` in [-90, 90]."""
    index, count = np.empty(len(ra), np.uint64), len(ra)
    offsets = np.empty((2, count))  # inside the pixel; not wanted
    longitude, latitude = np.radians(ra.to_numpy() % 360.0), np.radians(dec.to_numpy())
    orders = np.full(count, HEALPIX_ORDER, np.uint8)
    _compiled_part().lonlat_to_healpix(orders, longitude, latitude, index, *offsets, np.uint16(THREADS))
    return pl.Series("hpx29", index.astype(np.int64))


@cache
def _compiled_part() -> Any:
    """Load the compiled module of cdshealpix without the package around it."""
    package = find_spec("cdshealpix")
    folders = package.submodule_search_locations if package else None
    spec = PathFinder.find_spec("cdshealpix.cdshealpix", folders)
    if spec is None or spec.loader is None:
        raise ImportError("the package cdshealpix has no compiled module; install it anew, or another version")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
