"""The archive as notebooks see it: SQL, light curves, objects, cones and thumbnails."""

from __future__ import annotations

import operator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, SupportsIndex

import pyarrow as pa

from alertdb.config import load_config
from alertdb.database import SURVEY, named_database
from alertdb.errors import AlertdbError, UnknownObject
from alertdb.names import nearest_objects
from alertdb.own_tables import OwnTables
from alertdb.query import Reader
from alertdb.sky_questions import SkyQuestions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    import pandas as pd

    from alertdb.answers import Query
    from alertdb.config import Config
    from alertdb.epochs import LightCurve
    from alertdb.gallery import Gallery
    from alertdb.qa import Quality
    from alertdb.skyobject import SkyObject
    from alertdb.tables import Tables
    from alertdb.thumbnail import Thumbnail

__all__ = ["Archive", "connect"]

OBJECTS_PER_QUERY = 1000


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
    return Archive(config, named_database(config))


class Archive(SkyQuestions, OwnTables):
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
        """Run one reading statement and return its rows as a DataFrame; `query` gives other forms.

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

        Raises
        ------
        NotReading
            If the statement would change something.
        ParameterMissing, UnknownColumn, UnknownTable, SyntaxMistake, QueryRefused
            If the server cannot run it.
        QueryStopped
            If it took longer than the server allows.

        Examples
        --------
        >>> archive.sql("SELECT objectId, nobs FROM summary WHERE nobs >= :n", n=30)
               objectId  nobs
        0  ZTF21abiuvdk    34
        """
        return self.query(query, **parameters).pandas()

    def query(self, query: str, **parameters: Any) -> Query:
        """Prepare one reading statement, to be asked in the form that is wanted.

        Parameters
        ----------
        query, **parameters
            As for `sql`.

        Returns
        -------
        Query
            ``.pandas()``, ``.arrow()``, ``.table()`` (astropy, with units) and ``.polars()`` give all rows,
            ``.batches()`` gives them in parts.

        Examples
        --------
        >>> first = "SELECT jd, magpsf, fid FROM alerts WHERE objectId = :name ORDER BY jd LIMIT 2"
        >>> print(archive.query(first, name="ZTF21abiuvdk").table())
               jd         magpsf  fid
               d           mag
        --------------- --------- ---
        2459396.9046875  15.66227   2
        2459396.9482176 15.768034   1
        >>> for frame in archive.query("SELECT candid, magpsf FROM alerts").batches(): ...  # doctest: +SKIP
        """
        from alertdb.answers import Query

        return Query(self.reader, query, parameters)

    @cached_property
    def tables(self) -> Tables:
        """The tables and their columns, to be searched and completed; see `alertdb.tables.Tables`.

        Examples
        --------
        >>> archive.tables.alerts.magpsf  # doctest: +ELLIPSIS
        alerts.magpsf float [mag]: Magnitude of the difference by PSF fit...
        """
        from alertdb.tables import Tables

        return Tables(self.reader)

    def lightcurve(
        self,
        objects: str | Iterable[str],
        *,
        limits: bool = True,
        history: bool = True,
        forced: bool = False,
        reference: bool = False,
    ) -> LightCurve:
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
        reference
            With the nearest source of the reference image, for apparent magnitudes: distnr, magnr, sigmagnr, chinr,
            sharpnr.

        Returns
        -------
        LightCurve
            A data frame that can draw and fold itself. One row per epoch: objectId, jd (UTC), fid, kind, candid,
            magpsf, sigmapsf, isdiffpos, diffmaglim, flux, flux_error, magzpsci, rb, programid.

        Raises
        ------
        UnknownObject
            If the archive has no alert of one of them.
        """
        from alertdb.epochs import LightCurve, with_reference
        from alertdb.frames import to_columns

        curves = LightCurve(to_columns(self.lightcurve_table(objects, limits=limits, history=history, forced=forced)))
        return LightCurve(with_reference(self.reader, curves)) if reference else curves

    def lightcurve_table(
        self, objects: str | Iterable[str], *, limits: bool = True, history: bool = True, forced: bool = False
    ) -> pa.Table:
        """Return what `lightcurve` does as an Arrow table."""
        from alertdb.lightcurve_rows import merge_epochs, missing_objects

        names = [objects] if isinstance(objects, str) else list(dict.fromkeys(objects))
        wanted = {"alert": True, "history": history, "limit": limits, "forced": forced}
        rows = self._epochs(names)
        for name in missing_objects(rows, names):
            raise UnknownObject(name, nearest_objects(self.reader, name))
        return merge_epochs(rows, names, [kind for kind, chosen in wanted.items() if chosen])

    def _epochs(self, names: Sequence[str]) -> pa.Table:
        from alertdb.lightcurve_rows import MANY, ONE, PLACES

        if len(names) == 1:
            return self.reader.look_up(ONE, *[names[0]] * PLACES)
        in_order = sorted(names)  # neighbours in the tables
        parts = [in_order[first : first + OBJECTS_PER_QUERY] for first in range(0, len(names), OBJECTS_PER_QUERY)]
        return pa.concat_tables([self.reader.query(MANY, {"names": part}) for part in parts or [[]]])

    def object(self, name: str) -> SkyObject:
        """Return one object: its summary, light curve, thumbnails, and links to other archives.

        An object with a single alert is none of table `summary`; its row is computed here.

        Raises
        ------
        UnknownObject
            If the archive has no alert of it.
        """
        from alertdb.frames import to_frame
        from alertdb.skyobject import SkyObject

        return SkyObject(self, name, to_frame(self.object_table(name)).iloc[0].rename(name))

    def object_table(self, name: str) -> pa.Table:
        """Return what `object` does as an Arrow table of one row."""
        from alertdb.objects import object_summary

        return object_summary(self.reader, name)

    def thumbnails(self, which: str | SupportsIndex | Iterable[SupportsIndex]) -> Gallery:
        """Return the cutouts of alerts.

        Parameters
        ----------
        which
            An objectId for all its alerts, a candid, or several candids.

        Returns
        -------
        Gallery
            By candid (of an object in the order of time), then by kind (``science``, ``template``, ``difference``):
            float32 arrays of shape (rows, columns), NaN where there is no value.

        Raises
        ------
        UnknownObject, UnknownCandid
            If the archive has none of it.
        """
        from alertdb.cutouts import chosen_candids, read_documents
        from alertdb.gallery import Gallery
        from alertdb.thumbnail import Thumbnail

        documents = read_documents(self.config, chosen_candids(self.reader, which))
        return Gallery(self.reader, [Thumbnail(candid, document) for candid, document in documents])

    def thumbnail(self, candid: SupportsIndex) -> Thumbnail:
        """Return the cutouts of one alert; see `thumbnails`."""
        return self.thumbnails(candid)[operator.index(candid)]

    @property
    def qa(self) -> Quality:
        """Quality pictures: ``archive.qa.nights()``, ``archive.qa.sky()`` and so on; see `alertdb.qa.Quality`."""
        from alertdb.qa import Quality

        return Quality(self.reader)

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
        from alertdb.description import describe

        try:
            return describe(self.reader)
        except AlertdbError as error:
            return f"<Archive {self.reader.database} ({error})>"
