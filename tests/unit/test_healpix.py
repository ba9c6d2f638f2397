from __future__ import annotations

import subprocess
import sys

import cdshealpix
import numpy as np
import polars as pl
from astropy import units as u
from astropy.coordinates import Latitude, Longitude

from ingest.healpix import healpix29


def test_it_is_what_cdshealpix_gives_with_astropy_s_angles() -> None:
    rng = np.random.default_rng(20240101)
    count = 200_000
    ra = np.concatenate([rng.uniform(0, 360, count), [0, 360, 45, 90, 180, 270, 360 - 1e-13, 0, 12.5, 315]])
    dec = np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    dec = np.concatenate([dec, [90, -90, 41.81031489577862, -41.81031489577862, 0, 0, 45, -0.0, 90, -90]])
    expected = cdshealpix.nested.lonlat_to_healpix(Longitude(ra * u.deg), Latitude(dec * u.deg), 29)
    assert np.array_equal(healpix29(pl.Series(ra), pl.Series(dec)).to_numpy(), expected.astype(np.int64))
    assert healpix29(pl.Series([], dtype=pl.Float64), pl.Series([], dtype=pl.Float64)).to_list() == []


def test_it_brings_no_astropy_and_leaves_the_package_usable() -> None:
    code = "import sys, polars as pl; from ingest.healpix import healpix29\n"
    code += "first = healpix29(pl.Series([10.0]), pl.Series([20.0]))[0]; assert 'astropy' not in sys.modules\n"
    code += "import cdshealpix, astropy.units as u; from astropy.coordinates import Latitude, Longitude\n"
    code += "found = cdshealpix.nested.lonlat_to_healpix(Longitude([10] * u.deg), Latitude([20] * u.deg), 29)[0]\n"
    code += "assert first == found == healpix29(pl.Series([10.0]), pl.Series([20.0]))[0]"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
