"""Make an archive of a few million alerts for benchmarks, without their packets.

    python -m benchmarks.support.archive_maker FOLDER ALERTS DOCUMENTS

A night is simulated and loaded; its rows are patterns. The alerts take their columns from them, except those that
questions go by: names, times, places, magnitudes, scores, candids. A tenth lies at declinations over 80 or under -80
degrees, a tenth in three dense fields. `PROBES` objects have a light curve of 30 points: 20 alerts, 3 from histories,
7 limits. The thumbnails are those of the night, under the candids of the latest alerts, in a hundred sealed files. The
rows are the same each time.

It is a process of its own, started by `made_archive`, so that the one that asks begins as fresh as a user's.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
import numpy.typing as npt
import polars as pl
from astropy.coordinates import Latitude, Longitude
from cdshealpix import nested

from alertdb.config import Config
from alertdb.database import Account, connect
from alertdb.query import Reader
from alertdb.schema import ensure_schema
from alertdb.server import PrivateServer
from alertdb.thumbnails import open_store
from benchmarks.support.made_archive import POOL
from ingest.load import load_rows
from ingest.pipeline import load_tarball
from ingest.simulation.nights import simulate_nights
from ingest.summary import rebuild_all
from ingest.surveys.ztf import Ztf
from ingest.tarballs import find_sources

PATTERNS, NIGHT = 2_500, 20240110
NIGHTS, FIRST_JD, FIRST_NID = 100, 2459946.5, 2191  # 2023-01-02
PROBES, PROBE_ALERTS, PROBE_HISTORY, PROBE_LIMITS = 2_000, 20, 3, 7
CHUNK = 200_000  # rows of one LOAD DATA
LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))
DENSE = ((270.0, -20.0), (290.0, 15.0), (83.0, -5.0))  # degrees; half a degree around

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


def main() -> None:
    """Make the archive in the folder of the command line."""
    folder, alerts, documents = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    config = Config(home=folder / "home", server_options=POOL)
    server = PrivateServer(config.home, config.server_options)
    server.ensure_started()
    with contextlib.closing(Maker(config, folder)) as maker:
        maker.make(alerts, documents)


class Maker:
    """Fills an empty archive."""

    def __init__(self, config: Config, folder: Path) -> None:
        self.config = config
        self.folder = folder
        self.dice = np.random.default_rng(29)
        ensure_schema(config)
        self.reader = Reader(config)

    def close(self) -> None:
        """Close the connections."""
        self.reader.close()

    def make(self, alerts: int, documents: int) -> None:
        """Make everything."""
        patterns = {table: pl.DataFrame() for table in ("alerts", "alerts_limmag", "alerts_prv", "alerts_forced")}
        tarball = self.load_night()
        for table in patterns:
            patterns[table] = pl.DataFrame(pl.from_arrow(self.reader.query(f"SELECT * FROM {table}")))
        self.empty(tuple(patterns))
        counts = object_sizes(self.dice, alerts)
        objects = Objects(self.dice, counts)
        candids = self.fill_alerts(patterns["alerts"], objects, tarball)
        limits, history = (
            np.where(objects.probes, exact, self.dice.poisson(mean, len(counts)))
            for exact, mean in ((PROBE_LIMITS, 8), (PROBE_HISTORY, 3))
        )
        forced = np.where(objects.probes, 0, self.dice.integers(0, 2, len(counts)) * 8)
        self.fill_others("alerts_limmag", patterns["alerts_limmag"], objects, limits, candids)
        self.fill_others("alerts_prv", patterns["alerts_prv"], objects, history, candids)
        self.fill_others("alerts_forced", patterns["alerts_forced"], objects, forced, candids)
        self.fill_thumbnails(candids[-documents:])
        rebuild_all(self.config, "ztf", lambda _: None)
        with connect(self.config, Account.ADMIN) as connection:
            connection.exec_driver_sql(f"ANALYZE TABLE {', '.join((*patterns, 'summary'))}").all()

    def load_night(self) -> int:
        """Simulate and load one night with forced photometry; return the number of its tarball."""
        night = simulate_nights([NIGHT], PATTERNS, self.folder / "night", seed=3, schema="4.02")
        (source,) = find_sources(night)
        load_tarball(source, self.config, Ztf())
        return int(self.reader.query("SELECT id FROM tarballs").column(0)[0].as_py())

    def empty(self, tables: tuple[str, ...]) -> None:
        """Delete the rows of tables."""
        with connect(self.config, Account.ADMIN) as connection:
            for table in tables:
                connection.exec_driver_sql(f"TRUNCATE TABLE {table}")

    def fill_alerts(self, patterns: pl.DataFrame, objects: Objects, tarball: int) -> Index:
        """Load the alerts, sorted by candid; return the candids."""
        owner = np.repeat(np.arange(len(objects.names)), objects.counts)
        jd = FIRST_JD + self.dice.integers(0, NIGHTS, len(owner)) + self.dice.uniform(0.1, 0.5, len(owner))
        order = np.argsort(jd, kind="stable")
        owner, jd = owner[order], jd[order]
        candids = ((jd - FIRST_JD + FIRST_NID) * 1000).astype(np.int64) * 10**12 + np.arange(len(jd)) * 10
        tarballs = self.nights(jd, tarball)
        for first in range(0, len(jd), CHUNK):
            part = slice(first, first + CHUNK)
            self.load("alerts", self.alerts(patterns, objects, owner[part], jd[part], candids[part], tarballs[part]))
        return candids

    def nights(self, jd: Floats, pattern: int) -> Index:
        """Put a tarball for each night into the ledger; return the number of each alert's."""
        night = (jd - FIRST_JD).astype(np.int64)
        own = {"id", "name", "sha256", "night", "alerts", "jd_first", "jd_last"}
        ledger = pl.DataFrame(pl.from_arrow(self.reader.query("SELECT * FROM tarballs")))
        common = ", ".join(f"`{name}`" for name in ledger.columns if name not in own)
        with connect(self.config, Account.ADMIN) as connection:
            for number, count in enumerate(np.bincount(night, minlength=NIGHTS).tolist()):
                day = f"{date(2023, 1, 2) + timedelta(days=number):%Y%m%d}"
                values = f"{number + 1}, 'ztf_public_{day}.tar.gz', SHA2('{day}', 256), {day}, {count}"
                connection.exec_driver_sql(
                    f"INSERT INTO tarballs (id, name, sha256, night, alerts, jd_first, jd_last, {common}) "
                    f"SELECT {values}, {FIRST_JD + number}, {FIRST_JD + number + 0.5}, {common} FROM tarballs "
                    f"WHERE id = {pattern}"
                )
            connection.exec_driver_sql(f"DELETE FROM tarballs WHERE id = {pattern}")
            connection.commit()
        return night + 1

    def alerts(
        self, patterns: pl.DataFrame, objects: Objects, owner: Index, jd: Floats, candids: Index, tarballs: Index
    ) -> pl.DataFrame:
        """Make rows of alerts of these objects at these times."""
        rows = len(owner)
        frame = patterns[self.dice.integers(0, len(patterns), rows)]
        dec = np.clip(objects.dec[owner] + self.dice.normal(0, 0.1 / 3600, rows), -90, 90)
        east = self.dice.normal(0, 0.1 / 3600, rows) / np.maximum(np.cos(np.radians(dec)), 1e-6)
        ra = (objects.ra[owner] + east) % 360
        magnitudes = objects.magnitude[owner] + self.dice.normal(0, 0.1, rows)
        return frame.with_columns(
            pl.Series("objectId", objects.names[owner]),
            pl.Series("jd", jd),
            pl.Series("fid", self.dice.integers(1, 3, rows).astype(np.int32)),
            pl.Series("nid", (jd - FIRST_JD).astype(np.int32) + FIRST_NID),
            pl.Series("candid", candids),
            pl.Series("ra", ra),
            pl.Series("dec", dec),
            pl.Series("magpsf", magnitudes.astype(np.float32)),
            pl.Series("sigmapsf", self.dice.uniform(0.02, 0.2, rows).astype(np.float32)),
            pl.Series("rb", self.dice.beta(5, 2, rows).astype(np.float32)),
            pl.Series("drb", self.dice.beta(8, 1, rows).astype(np.float32)),
            pl.Series("programid", np.where(self.dice.random(rows) < 0.1, 2, 1).astype(np.int32)),
            pl.Series("hpx29", pixels(ra, dec)),
            pl.Series("tarball", tarballs),
        )

    def fill_others(self, table: str, patterns: pl.DataFrame, objects: Objects, counts: Index, candids: Index) -> None:
        """Load rows of another table, so many for each object, sorted by its key."""
        owner = np.repeat(np.arange(len(counts)), counts)
        rows = len(owner)
        jd = FIRST_JD - 30 * self.dice.random(rows) - 1
        frame = patterns[self.dice.integers(0, len(patterns), rows)].with_columns(
            pl.Series("objectId", objects.names[owner]),
            pl.Series("jd", jd),
            pl.Series("packet_candid", candids[self.dice.integers(0, len(candids), rows)]),
        )
        if table == "alerts_prv":
            frame = frame.with_columns(pl.Series("candid", candids[0] - 10 * np.arange(1, rows + 1)))
        frame = frame.unique(["objectId", "jd", "fid"]).sort("objectId", "jd", "fid")
        for part in frame.iter_slices(CHUNK):
            self.load(table, part)

    def load(self, table: str, frame: pl.DataFrame) -> None:
        """Load rows into a table."""
        with connect(self.config, Account.LOADER) as connection, connection.begin():
            load_rows(connection, table, frame)

    def fill_thumbnails(self, candids: Index) -> None:
        """Put the documents of the simulated night under other candids, a sealed file for each night."""
        with contextlib.closing(_Store(self.config)) as store:
            documents = itertools.cycle(store.documents())
            for number, part in enumerate(np.array_split(candids, NIGHTS)):
                store.write(f"benchmark_{number:03}", zip(part.tolist(), documents, strict=False))


class _Store:
    """The thumbnails: those of the simulated night are read, then replaced."""

    def __init__(self, config: Config) -> None:
        self._store = open_store(config.thumbnails, readonly=False)
        self._night = self._store.tarballs()

    def documents(self) -> list[bytes]:
        """All documents."""
        numbers = [n for night in self._night for n in self._store.candids(night.tarball, night.rights).tolist()]
        return [document for _, document in self._store.get_many(numbers)]

    def write(self, tarball: str, documents: Any) -> None:
        """Seal documents of public rights."""
        with self._store.writer(tarball, "public") as writer:
            writer.put_many(documents)

    def close(self) -> None:
        """Remove those of the simulated night."""
        for night in self._night:
            self._store.remove(night.tarball, night.rights)


class Objects:
    """Names, places, magnitudes and numbers of alerts of objects; the first `PROBES` are the probes."""

    def __init__(self, dice: np.random.Generator, counts: Index) -> None:
        size = len(counts)
        self.counts = counts
        self.probes = np.arange(size) < min(PROBES, size // 4)
        self.names = names(dice.permutation(10 * size)[:size])
        self.ra, self.dec = places(dice, size)
        self.magnitude = dice.normal(19.0, 1.0, size)


def object_sizes(dice: np.random.Generator, alerts: int) -> Index:
    """Return how many alerts each object has: the probes 20, of the others most one or two, and some a hundred."""
    sizes = np.minimum(1 + dice.pareto(1.3, alerts).astype(np.int64), 100)
    probes = min(PROBES, alerts // 100)
    sizes[:probes] = PROBE_ALERTS
    whole = int(np.searchsorted(np.cumsum(sizes), alerts))
    sizes = sizes[: whole + 1]
    sizes[-1] -= int(sizes.sum()) - alerts
    return sizes[sizes > 0]


def names(numbers: Index) -> npt.NDArray[np.str_]:
    """Return names as the survey gives them, of numbers."""
    letters = [LETTERS[numbers // 26**place % 26] for place in range(6, -1, -1)]
    result = np.full(len(numbers), "ZTF23", dtype="U12")
    for letter in letters:
        result = np.char.add(result, letter)
    return result


def places(dice: np.random.Generator, size: int) -> tuple[Floats, Floats]:
    """Return right ascensions and declinations: a tenth near the poles, a tenth in dense fields."""
    ra, dec = dice.uniform(0, 360, size), np.degrees(np.arcsin(dice.uniform(-0.5, 1, size)))
    group = dice.random(size)
    polar, dense = group < 0.1, group > 0.9
    sign = np.where(dice.random(size) < 0.5, -1, 1)
    near_poles = sign * np.degrees(np.arcsin(dice.uniform(np.sin(np.radians(80)), 1, size)))
    fields = np.array(DENSE)[dice.integers(0, len(DENSE), size)]
    around = dice.uniform(-0.5, 0.5, (size, 2))
    dec = np.select([polar, dense], [near_poles, fields[:, 1] + around[:, 1]], dec)
    return np.where(dense, fields[:, 0] + around[:, 0], ra), dec


def pixels(ra: Floats, dec: Floats) -> Index:
    """Return HEALPix pixels, nested scheme, order 29."""
    found: Index = nested.lonlat_to_healpix(Longitude(ra * u.deg), Latitude(dec * u.deg), 29).astype(np.int64)
    return found


if __name__ == "__main__":
    main()
