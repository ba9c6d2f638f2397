"""The archive as notebooks see it: SQL, light curves, objects, cones and thumbnails."""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, SupportsIndex
from urllib.parse import unquote

import pyarrow as pa
from pyarrow.compute import index_in
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from alertdb.config import load_config
from alertdb.errors import AlertdbError, UnknownObject
from alertdb.names import nearest_objects
from alertdb.query import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    import pandas as pd

    from alertdb.config import Config
    from alertdb.stamps import Image

__all__ = ["Archive", "connect"]

SURVEY = "ztf"
OBJECTS_PER_QUERY = 1000
SPAN = """
    SELECT COUNT(*) AS tarballs, SUM(alerts) AS alerts, MIN(jd_first) AS jd_first, MAX(jd_last) AS jd_last
    FROM tarballs"""
CONE_COLUMNS = "objectId, candid, jd, fid, ra, `dec`, magpsf, sigmapsf, isdiffpos, rb, drb"


def connect(url: str | None = None) -> Archive:
    """Open an archive for reading. Nothing is connected before the first question.

    Parameters
    ----------
    url
        Where its MariaDB is (``mariadb://user:password@host/ztf_public``); the database named there is read. If
        None, the settings decide: the environment, `alertdb.toml`, else the private server in the home.

    Examples
    --------
    >>> archive = alertdb.connect()  # doctest: +SKIP
    >>> archive.lightcurve("ZTF21abiuvdk")  # doctest: +SKIP
    """
    config = load_config()
    if url is not None:
        config = replace(config, database_url=url, account_of_url="@" in url)
    return Archive(config, _database(config.database_url) or SURVEY)


class Archive:
    """An archive of alerts, read through an account that cannot change it.

    Parameters
    ----------
    config
        Settings of the archive.
    database
        Database to read: the survey (``ztf``), or what is public of it (``ztf_public``).
    """

    def __init__(self, config: Config, database: str = SURVEY) -> None:
        self.config = config
        self.reader = Reader(config, database)

    def sql(self, query: str, **parameters: Any) -> pd.DataFrame:
        """Run one reading statement.

        Parameters
        ----------
        query
            SQL, with values as ``:name``.
        **parameters
            The values; a list (array, column of a frame) stands for the list of an ``IN``.

        Returns
        -------
        pandas.DataFrame
            Columns in the types of the database: 64-bit ids are int64, or Int64 where they hold NULLs; FLOAT is
            float32. In ``SELECT`` the column dec is written in backticks, since DEC is a word of SQL.

        Examples
        --------
        >>> archive.sql("SELECT objectId, nobs FROM summary WHERE nobs >= :n", n=10)  # doctest: +SKIP
        """
        from alertdb.frames import to_frame

        return to_frame(self.reader.query(query, parameters))

    def lightcurve(
        self, objects: str | Iterable[str], *, limits: bool = True, history: bool = True, forced: bool = False
    ) -> pd.DataFrame:
        """Return the light curves of one or more objects, by objectId, then time.

        Parameters
        ----------
        objects
            One objectId, or several.
        limits
            With upper limits (kind ``limit``: diffmaglim and no magpsf).
        history
            With detections known from the history of other alerts only (kind ``history``).
        forced
            With epochs of forced photometry alone (kind ``forced``: flux and flux_error).

        Returns
        -------
        pandas.DataFrame
            One row per epoch: objectId, jd (UTC), fid, kind, candid, magpsf, sigmapsf, isdiffpos, diffmaglim, flux,
            flux_error, magzpsci, rb, programid.

        Raises
        ------
        UnknownObject
            If the archive has no alert of one of them.
        """
        from alertdb.frames import to_frame

        return to_frame(self.lightcurve_table(objects, limits=limits, history=history, forced=forced))

    def lightcurve_table(
        self, objects: str | Iterable[str], *, limits: bool = True, history: bool = True, forced: bool = False
    ) -> pa.Table:
        """Return what `lightcurve` does as an Arrow table."""
        names = [objects] if isinstance(objects, str) else list(dict.fromkeys(objects))
        wanted = {"alert": True, "history": history, "limit": limits, "forced": forced}
        kinds = [kind for kind, chosen in wanted.items() if chosen]
        statement = "SELECT * FROM lightcurve WHERE objectId IN :names AND kind IN :kinds"
        if not names:
            return self.reader.query("SELECT * FROM lightcurve WHERE FALSE")
        parts = [
            self.reader.query(statement, {"names": names[first : first + OBJECTS_PER_QUERY], "kinds": kinds})
            for first in range(0, len(names), OBJECTS_PER_QUERY)
        ]
        table = pa.concat_tables(parts)
        self._check_known(names, table)
        table = table.append_column("place", index_in(table["objectId"], pa.array(names)))
        in_order = table.sort_by([("place", "ascending"), ("jd", "ascending"), ("fid", "ascending")])
        return in_order.drop_columns("place")

    def object(self, name: str) -> pd.Series[Any]:
        """Return the summary of one object: counts, mean position, magnitudes per filter.

        An object with a single alert is none of table `summary`; its row is computed here.

        Raises
        ------
        UnknownObject
            If the archive has no alert of it.
        """
        from alertdb.frames import to_frame

        return to_frame(self.object_table(name)).iloc[0].rename(name)

    def object_table(self, name: str) -> pa.Table:
        """Return what `object` does as an Arrow table of one row."""
        from alertdb.objects import summary_statement

        for statement in ("SELECT * FROM summary WHERE objectId = :name", summary_statement(self.reader.database)):
            table = self.reader.query(statement, {"name": name})
            if table.num_rows:
                return table
        raise UnknownObject(name, nearest_objects(self.reader, name))

    def cone(self, ra: float | str, dec: float | str, radius_arcsec: float) -> pd.DataFrame:
        """Return the alerts around a place, the nearest first.

        Parameters
        ----------
        ra, dec
            Centre, J2000: degrees, or text as ``"12:34:56.7"`` (hours) and ``"-20:11:02"``.
        radius_arcsec
            Radius of the cone in arcsec, up to 10 degrees.

        Returns
        -------
        pandas.DataFrame
            One row per alert: distance_arcsec (great-circle) and the columns most asked for.

        Raises
        ------
        AngleUnusable
            If ra or dec is neither.
        ConeUnusable
            If a number is out of its bounds.
        """
        from alertdb.frames import to_frame

        return to_frame(self.cone_table(ra, dec, radius_arcsec))

    def cone_table(self, ra: float | str, dec: float | str, radius_arcsec: float) -> pa.Table:
        """Return what `cone` does as an Arrow table."""
        from alertdb.sky import cone_ranges, in_degrees, separation_arcsec

        place = in_degrees(ra, hours=True), in_degrees(dec, hours=False)
        ranges = cone_ranges(*place, radius_arcsec)
        inside = " OR ".join(f"hpx29 BETWEEN {first} AND {last}" for first, last in ranges)
        table = self.reader.query(f"SELECT {CONE_COLUMNS} FROM alerts WHERE {inside}")
        distance = separation_arcsec(*place, table["ra"].to_numpy(), table["dec"].to_numpy())
        table = table.add_column(0, "distance_arcsec", pa.array(distance))
        return table.filter(pa.array(distance <= radius_arcsec)).sort_by(
            [("distance_arcsec", "ascending"), ("jd", "ascending")]
        )

    def thumbnails(self, which: str | SupportsIndex | Iterable[SupportsIndex]) -> dict[int, dict[str, Image]]:
        """Return the cutouts of alerts as images.

        Parameters
        ----------
        which
            An objectId for all its alerts, a candid, or several candids.

        Returns
        -------
        dict
            By candid (of an object in the order of time), then by kind (``science``, ``template``, ``difference``):
            float32 arrays of shape (rows, columns), NaN where there is no value.

        Raises
        ------
        UnknownObject, UnknownCandid
            If the archive has none of it.
        """
        from alertdb.cutouts import candids_of, read_documents
        from alertdb.stamps import read_stamps

        if isinstance(which, str):
            candids = candids_of(self.reader, which)
        else:
            candids = [operator.index(candid) for candid in ([which] if isinstance(which, SupportsIndex) else which)]
        return {candid: read_stamps(document) for candid, document in read_documents(self.config.thumbnails, candids)}

    def close(self) -> None:
        """Close the connections; the next question opens one again."""
        self.reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        where = self.config.database_url or str(self.config.home)
        try:
            facts = self.reader.query(SPAN).to_pylist()[0]
        except AlertdbError as error:
            return f"<Archive {self.reader.database} ({error})>"
        return f"<Archive {self.reader.database} in {_shown(where)}: {_span(facts)}>"

    def _check_known(self, names: Sequence[str], table: pa.Table) -> None:
        found = set(table["objectId"].unique().to_pylist())
        missing = [name for name in names if name not in found]
        for first in range(0, len(missing), OBJECTS_PER_QUERY):
            part = missing[first : first + OBJECTS_PER_QUERY]
            statement = "SELECT DISTINCT objectId FROM alerts WHERE objectId IN :names"
            known = set(self.reader.query(statement, {"names": part}).column(0).to_pylist())
            for name in part:
                if name not in known:
                    raise UnknownObject(name, nearest_objects(self.reader, name))


def _database(url: str | None) -> str | None:
    """Return the database that a URL names; whether it is a URL at all is said when it is used."""
    try:
        return make_url(url).database if url else None
    except ArgumentError:
        return None


def _shown(where: str) -> str:
    """Return a URL without its password, or a path as it is."""
    try:
        return unquote(make_url(where).render_as_string(hide_password=True))  # a socket's path as it is
    except ArgumentError:
        return where


def _span(facts: dict[str, Any]) -> str:
    if not facts["alerts"]:
        return "no alerts yet"
    days = [_day(facts[name]) for name in ("jd_first", "jd_last")]
    return f"{facts['alerts']:,} alerts of {facts['tarballs']:,} tarballs, {days[0]} to {days[1]} (UTC)"


def _day(jd: float) -> str:
    from datetime import UTC, datetime, timedelta

    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=jd - 2440587.5):%Y-%m-%d}"
