"""The truth behind a tarball: a Parquet file beside it, with one row an alert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.simulation import stars, tracks
from ingest.simulation.names import object_ids
from ingest.simulation.population import Kind
from ingest.simulation.sources import difference_flux, flux, magnitude

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.simulation.dice import Dice, Floats
    from ingest.simulation.selection import Selection

__all__ = ["truth_path", "truth_table", "write_truth"]

_ROWS = 20_000  # of the table that are made together
_FIELDS = (
    ("candid", pa.int64(), "the alert"),
    ("objectId", pa.string(), "its object"),
    ("class", pa.string(), "what the object is"),
    ("ssnamenr", pa.string(), "number of an asteroid; else null"),
    ("jd", pa.float64(), "start of the exposure, UTC [days]"),
    ("fid", pa.int32(), "filter: 1 g, 2 r, 3 i"),
    ("ra", pa.float64(), "true right ascension at jd, J2000 [deg]"),
    ("dec", pa.float64(), "true declination at jd, J2000 [deg]"),
    ("period_days", pa.float64(), "period of a variable star, or of an asteroid's rotation; else null"),
    ("jd_peak", pa.float64(), "time of a supernova's peak, UTC [days]; else null"),
    ("mag_peak", pa.float64(), "magnitude of that peak in the alert's filter; else null [mag]"),
    ("mag_mean", pa.float64(), "magnitude of a variable star in the reference image; else null [mag]"),
    ("mag", pa.float64(), "true magnitude of the object at jd; null for artefacts [mag]"),
    ("mag_difference", pa.float64(), "magnitude of the true difference from the reference [mag]"),
)
_SCHEMA = pa.schema([pa.field(name, kind, metadata={"description": text}) for name, kind, text in _FIELDS])


def truth_path(tarball: Path) -> Path:
    """Name the truth file of a tarball: ``….truth.parquet`` instead of ``….tar.gz``."""
    return tarball.with_name(tarball.name.removesuffix(".tar.gz") + ".truth.parquet")


def write_truth(path: Path, dice: Dice, chosen: Selection) -> None:
    """Write the truth of a tarball's alerts, in the order of the tarball."""
    unfinished = path.with_name(path.name + ".part")
    try:
        with pq.ParquetWriter(unfinished, _SCHEMA) as writer:
            for start in range(0, len(chosen), _ROWS):
                rows = np.arange(start, min(start + _ROWS, len(chosen)))
                writer.write_table(truth_table(dice, chosen.at(rows)))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def truth_table(dice: Dice, chosen: Selection) -> pa.Table:
    """Tell the truth of some alerts; a field's description is in its metadata."""
    objects, epochs = chosen.objects, chosen.epochs
    asteroid, supernova = objects.kind == Kind.ASTEROID, objects.kind == Kind.SUPERNOVA
    columns: dict[str, Any] = {
        "candid": epochs.pid * 1_000_000 + 15_000 + chosen.tblid,
        "objectId": object_ids(objects.identity),
        "class": [Kind(kind).name.lower() for kind in objects.kind.tolist()],
        "ssnamenr": pa.array(tracks.names(objects.rank), mask=~asteroid),
        "jd": epochs.jd,
        "fid": epochs.fid.astype(np.int32),
        "ra": objects.ra,
        "dec": objects.dec,
        "period_days": _known(
            np.where(
                asteroid,
                tracks.rotation_days(dice, objects.rank),
                stars.period_days(dice, objects.kind, objects.slot),
            )
        ),
        **_peak(dice, chosen, supernova),
        **_magnitudes(dice, chosen),
    }
    return pa.table(columns, schema=_SCHEMA)


def _known(values: Floats) -> pa.Array[Any]:
    """Make a column in which NaN is null."""
    return pa.array(values, mask=np.isnan(values))


def _peak(dice: Dice, chosen: Selection, supernova: Any) -> dict[str, pa.Array[Any]]:
    identity, fid = chosen.objects.identity, chosen.epochs.fid
    rise_days, _ = stars.supernova_days(dice, identity, fid)
    return {
        "jd_peak": pa.array(chosen.objects.exploded_jd + rise_days, mask=~supernova),
        "mag_peak": pa.array(stars.supernova_peak(dice, identity, fid), mask=~supernova),
    }


def _magnitudes(dice: Dice, chosen: Selection) -> dict[str, pa.Array[Any]]:
    objects, epochs = chosen.objects, chosen.epochs
    mean = stars.mean_magnitude(dice, objects.kind, objects.slot, epochs.fid)
    difference = difference_flux(dice, objects, epochs)
    total = np.where(np.isnan(mean), difference, flux(mean) + difference)
    return {
        "mag_mean": _known(mean),
        "mag": pa.array(magnitude(total), mask=objects.kind == Kind.BOGUS),
        "mag_difference": pa.array(magnitude(difference)),
    }
