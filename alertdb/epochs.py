"""Light curves as data frames that know how to draw themselves, fold themselves, and what their units are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from alertdb.picture_errors import BadPeriod, PackageMissing
from alertdb.points import MJD_ZERO, REFERENCE, apparent, check_quantity, fluxes

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa
    from astropy.table import Table
    from astropy.units import Quantity as AngleOrTime

    from alertdb.picture import Picture
    from alertdb.points import Quantity
    from alertdb.query import Reader

__all__ = ["FoldedLightCurve", "LightCurve", "with_reference"]

NEEDED = {"objectId", "jd", "fid", "kind", "magpsf", "sigmapsf", "isdiffpos", "diffmaglim"}
UNITS = {
    "jd": "d",
    "magpsf": "mag",
    "sigmapsf": "mag",
    "diffmaglim": "mag",
    "magzpsci": "mag",
    "distnr": "pix",
    "magnr": "mag",
    "sigmagnr": "mag",
    "flux_ujy": "uJy",
    "flux_ujy_error": "uJy",
    "mag_apparent": "mag",
    "mag_apparent_error": "mag",
}
REFERENCE_TABLES = ("alerts", "alerts_prv", "alerts_forced")


class LightCurve(pd.DataFrame):
    """The light curves of one or more objects: a data frame of one row per epoch, with methods for pictures.

    Made by `Archive.lightcurve`, which says what the columns are. Choosing rows gives a light curve again; choosing
    columns gives a plain data frame once a column is missing that pictures need.

    Examples
    --------
    >>> curve = archive.lightcurve("ZTF21abiuvdk", reference=True)
    >>> curve.plot("apparent").savefig("curve.png")  # doctest: +SKIP
    >>> curve.photometry()[["jd", "magpsf", "flux_ujy", "mag_apparent"]].tail(1).round(2)
                jd  magpsf  flux_ujy  mag_apparent
    49  2459461.91    15.6   2098.25          15.6
    >>> folded = curve.fold(20.0)
    >>> folded.plot()
    <Picture size 800x460 with 1 Axes>
    """

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return _light_curve_or_frame

    def plot(self, quantity: Quantity = "difference") -> Picture:  # type: ignore[override]
        """Draw the light curve of each object, one below the other.

        Parameters
        ----------
        quantity
            ``difference``: magnitude of the difference, open where it is negative, and upper limits as triangles.
            ``apparent``: with the source of the reference image, as `photometry` does; ``flux``: flux of the difference
            in microjansky.

        Raises
        ------
        UnknownChoice
            If there is no such quantity.
        ReferenceMissing
            If apparent magnitudes are asked of a light curve that was read without ``reference=True``.
        """
        from alertdb.lightcurves import plot_lightcurves

        return plot_lightcurves(self, quantity)

    def photometry(self) -> LightCurve:
        """Return the light curve with more columns: fluxes and, where it was read with them, apparent magnitudes.

        Returns
        -------
        LightCurve
            flux_ujy and flux_ujy_error, the signed flux of the difference [microjansky]; mag_apparent and
            mag_apparent_error [mag]. NaN for upper limits. `alertdb.photometry` has the formulas and their conditions.
        """
        flux, flux_error = fluxes(self)
        more = {"flux_ujy": flux, "flux_ujy_error": flux_error}
        if set(REFERENCE) <= set(self.columns):
            more["mag_apparent"], more["mag_apparent_error"] = apparent(self)
        return LightCurve(self.assign(**more))

    def fold(self, period: float | AngleOrTime, t0: float | None = None) -> FoldedLightCurve:
        """Fold the light curve.

        Parameters
        ----------
        period
            Period in days, or a Quantity of time.
        t0
            Julian date (UTC) of phase 0; the first epoch if None.

        Returns
        -------
        FoldedLightCurve
            The epochs in the order of phase, with columns phase (0 to 1, exclusive) and cycle (whole periods since t0).

        Raises
        ------
        BadPeriod
            If the period is not positive.
        """
        days = _in_days(period)
        zero = float(self["jd"].min()) if t0 is None else float(t0)
        turns = (self["jd"] - zero) / days
        cycle = turns // 1
        folded = self.assign(phase=turns - cycle, cycle=cycle.astype("int64"))
        return FoldedLightCurve(folded.sort_values("phase", kind="stable"))

    def to_table(self) -> Table:
        """Return an astropy Table with units; what has no value is masked."""
        from astropy.table import Table

        table = Table.from_pandas(pd.DataFrame(self))
        for name in UNITS.keys() & set(table.colnames):
            table[name].unit = UNITS[name]
        return table

    def to_lightkurve(self, quantity: Quantity = "flux") -> Any:
        """Return a LightCurve of the package lightkurve, detections only, its time in UTC.

        Parameters
        ----------
        quantity
            ``flux`` [microjansky], or ``difference`` or ``apparent`` [mag] in place of the flux.

        Raises
        ------
        PackageMissing
            If lightkurve is not installed.
        """
        check_quantity(quantity)
        try:
            import lightkurve
        except ImportError:
            raise PackageMissing("lightkurve", "to_lightkurve") from None
        import astropy.units as u
        from astropy.time import Time

        from alertdb.points import points

        drawn = points(self[self["kind"] != "limit"], quantity)
        unit = u.uJy if quantity == "flux" else u.mag
        return lightkurve.LightCurve(
            time=Time(drawn["mjd"].to_numpy() + MJD_ZERO, format="jd", scale="utc"),
            flux=drawn["value"].to_numpy() * unit,
            flux_err=drawn["error"].to_numpy() * unit,
            label=" ".join(dict.fromkeys(self["objectId"])),
        )


class FoldedLightCurve(LightCurve):
    """A light curve with phases."""

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return _folded_or_less

    def plot(self, quantity: Quantity = "difference") -> Picture:  # type: ignore[override]
        """Draw the detections of each object against phase, over two cycles; see `LightCurve.plot`."""
        from alertdb.lightcurves import draw_folded
        from alertdb.picture import Picture

        check_quantity(quantity)
        names = list(dict.fromkeys(self["objectId"]))
        figure = Picture(figsize=(8.0, 0.4 + 4.2 * max(len(names), 1)), layout="constrained")
        for number, name in enumerate(names, start=1):
            draw_folded(figure.add_subplot(len(names), 1, number), self[self["objectId"] == name], quantity)
        return figure


def with_reference(reader: Reader, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a light curve with what the packets say of the nearest source of the reference image.

    Parameters
    ----------
    reader
        Reads the archive that the light curve is from.
    frame
        What `Archive.lightcurve` returns.

    Returns
    -------
    pandas.DataFrame
        With columns distnr [pixels; arcsec for forced photometry], magnr, sigmagnr [mag], chinr, sharpnr.
    """
    names = list(dict.fromkeys(frame["objectId"]))
    columns = ", ".join(REFERENCE)
    parts = [
        reader.query(
            f"SELECT objectId, jd, fid, {key}, {columns} FROM {table} WHERE objectId IN :names", {"names": names}
        )
        for table, key in zip(REFERENCE_TABLES, ("candid", "candid", "NULL AS candid"), strict=True)
    ]
    return _joined(frame, parts)


def _joined(frame: pd.DataFrame, parts: list[pa.Table]) -> pd.DataFrame:
    """Give each epoch the reference's source from its alert or history (by candid) or its forced photometry."""
    from alertdb.frames import to_frame

    measured = pd.concat([to_frame(part) for part in parts[:2]]).drop_duplicates("candid").set_index("candid")
    forced = to_frame(parts[2]).set_index(["objectId", "jd", "fid"])
    is_forced = (frame["kind"] == "forced").to_numpy()
    by_candid = measured.reindex(frame["candid"].astype("Int64"))
    by_epoch = forced.reindex(pd.MultiIndex.from_frame(frame[["objectId", "jd", "fid"]]))
    columns = {
        name: by_candid[name].where(~is_forced, by_epoch[name].to_numpy()).to_numpy("float32") for name in REFERENCE
    }
    return frame.assign(**columns)


def _in_days(period: Any) -> float:
    try:
        days = float(period.to_value("d")) if hasattr(period, "to_value") else float(period)
    except (TypeError, ValueError):
        raise BadPeriod(period) from None
    if not (math.isfinite(days) and days > 0):
        raise BadPeriod(period)
    return days


def _light_curve_or_frame(*arguments: Any, **options: Any) -> pd.DataFrame:
    frame = pd.DataFrame(*arguments, **options)
    return LightCurve(frame) if set(frame.columns) >= NEEDED else frame


def _folded_or_less(*arguments: Any, **options: Any) -> pd.DataFrame:
    frame = _light_curve_or_frame(*arguments, **options)
    return FoldedLightCurve(frame) if isinstance(frame, LightCurve) and "phase" in frame else frame
