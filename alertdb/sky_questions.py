"""What an archive is asked by position: cones, and tables of positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import pyarrow as pa

    from alertdb.query import Reader

__all__ = ["SkyQuestions"]


class SkyQuestions:
    """The questions by position that an archive answers."""

    reader: Reader

    def cone(
        self,
        position: Any,
        radius: Any,
        *,
        columns: Sequence[str] | None = None,
        after: Any = None,
        before: Any = None,
    ) -> pd.DataFrame:
        """Return the alerts around a position, the nearest first; or around each of many.

        Parameters
        ----------
        position
            Centre, J2000: ``(ra, dec)`` in degrees, as quantities or as texts; a text with both as
            ``"12:34:56.7 -20:11:02"`` (hours and degrees); a SkyCoord; an objectId; or a list of these, an array of
            shape (n, 2) in degrees, or a pair of arrays.
        radius
            Radius in arcsec, up to 10 degrees; or a quantity, or a text as ``"5 arcmin"``.
        columns
            Columns of table `alerts` to return; those most asked for if None.
        after, before
            Only alerts with ``after <= jd < before``: Julian dates (UTC), texts as ``"2024-01-10"``, datetimes or
            astropy's Time.

        Returns
        -------
        pandas.DataFrame
            One row per alert: `distance_arcsec` (great-circle) and the columns. For many positions before these
            `position`, which of them it is, counted from 0; an alert that is near two of them stands twice.

        Raises
        ------
        PositionUnusable, AngleUnusable, RadiusUnusable, TimeUnusable
            If one of them is not what it should be.
        ConeUnusable
            If a number is out of its bounds.
        UnknownObject, UnknownColumn
            If the archive has no such object or column.

        Examples
        --------
        >>> archive.cone((188.7, -20.2), 5)  # doctest: +SKIP
        >>> archive.cone("12:34:56.7 -20:11:02", "1 arcmin", after="2024-01-10")  # doctest: +SKIP
        """
        from alertdb.frames import to_frame

        return to_frame(self.cone_table(position, radius, columns=columns, after=after, before=before))

    def cone_table(
        self,
        position: Any,
        radius: Any,
        *,
        columns: Sequence[str] | None = None,
        after: Any = None,
        before: Any = None,
    ) -> pa.Table:
        """Return what `cone` does as an Arrow table."""
        from alertdb.cones import COLUMNS, alerts_around
        from alertdb.positions import parse_jd, parse_positions, parse_radius

        positions = parse_positions(self._places(position))
        found = alerts_around(
            self.reader,
            positions,
            parse_radius(radius),
            columns=COLUMNS if columns is None else columns,
            after_jd=parse_jd(after),
            before_jd=parse_jd(before),
        )
        return found if positions.are_many else found.drop_columns("position")

    def crossmatch(
        self,
        table: Any,
        radius: Any,
        *,
        ra: str | None = None,
        dec: str | None = None,
        columns: Sequence[str] | None = None,
        after: Any = None,
        before: Any = None,
        objects: bool = False,
    ) -> pd.DataFrame:
        """Return the rows of a table of yours, each with the alerts around it.

        Parameters
        ----------
        table
            DataFrame, astropy Table, or anything that a DataFrame is made of.
        radius
            As for `cone`.
        ra, dec
            Names of the columns with the positions, J2000, in degrees (an astropy Table may have other units). If None,
            the usual names are looked for.
        columns, after, before
            As for `cone`.
        objects
            One row per object instead of one per alert: its nearest alert, and `nalerts`, how many are within radius.

        Returns
        -------
        pandas.DataFrame
            The columns of the table, then `distance_arcsec` and those of the alert; where both have a name, the
            alert's ends in `_alert`. Rows without an alert nearby are left out, rows with several
            stand several times.

        Raises
        ------
        NoPositions
            If the table has no such columns.
        ConeUnusable
            If a position is out of its bounds, or none (NaN), or the radius is.

        Examples
        --------
        >>> archive.crossmatch(pandas.read_csv("mine.csv"), 2, objects=True)  # doctest: +SKIP
        """
        from alertdb.cones import COLUMNS
        from alertdb.crossmatch import crossmatch
        from alertdb.positions import parse_jd, parse_radius

        return crossmatch(
            self.reader,
            table,
            parse_radius(radius),
            ra=ra,
            dec=dec,
            columns=COLUMNS if columns is None else columns,
            after_jd=parse_jd(after),
            before_jd=parse_jd(before),
            objects=objects,
        )

    def polygon(
        self, vertices: Any, *, columns: Sequence[str] | None = None, after: Any = None, before: Any = None
    ) -> pd.DataFrame:
        """Return the alerts in a polygon whose sides are great circles, in the order of time.

        Parameters
        ----------
        vertices
            Three or more positions, J2000, in their order along the edge: as for `cone`. The polygon must not reach
            farther than 60 degrees from the middle of its vertices.
        columns, after, before
            As for `cone`.

        Raises
        ------
        PolygonUnusable, PositionUnusable, AngleUnusable, TimeUnusable
            If one of them is not what it should be.

        Examples
        --------
        >>> len(archive.polygon([(0.7, 16.0), (0.9, 16.0), (0.8, 16.3)]))
        34
        """
        from alertdb.cones import COLUMNS
        from alertdb.frames import to_frame
        from alertdb.positions import parse_jd, parse_positions
        from alertdb.regions import alerts_in_polygon

        chosen = COLUMNS if columns is None else columns
        times = {"after_jd": parse_jd(after), "before_jd": parse_jd(before)}
        places = parse_positions(self._places(vertices))
        return to_frame(alerts_in_polygon(self.reader, places, columns=chosen, **times).select(list(chosen)))

    def moc(
        self, moc: Any, *, columns: Sequence[str] | None = None, after: Any = None, before: Any = None
    ) -> pd.DataFrame:
        """Return the alerts in a coverage map of the sky, as of a gravitational-wave event, in the order of time.

        Parameters
        ----------
        moc
            A `mocpy.MOC`, or the path of a FITS file of one.
        columns, after, before
            As for `cone`.

        Raises
        ------
        MocUnusable, TimeUnusable
            If it is none.

        Examples
        --------
        >>> from mocpy import MOC
        >>> len(archive.moc(MOC.from_string("6/19000-19600")))
        0
        """
        from alertdb.cones import COLUMNS
        from alertdb.frames import to_frame
        from alertdb.positions import parse_jd
        from alertdb.regions import alerts_in_ranges, moc_ranges

        chosen = COLUMNS if columns is None else columns
        times = {"after_jd": parse_jd(after), "before_jd": parse_jd(before)}
        return to_frame(alerts_in_ranges(self.reader, moc_ranges(moc), columns=chosen, **times).select(list(chosen)))

    def _places(self, position: Any) -> Any:
        """Return a position, or a list of them, with objects' mean positions in the place of their names."""
        from alertdb.objects import object_summary
        from alertdb.positions import is_object_name

        if isinstance(position, list):
            return [self._places(each) for each in position]
        if not is_object_name(position):
            return position
        row = object_summary(self.reader, position).to_pylist()[0]
        return row["ra_mean"], row["dec_mean"]
