"""One object as notebooks see it: its summary, light curve, thumbnails, and where others know it."""

from __future__ import annotations

from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pandas as pd

from alertdb.errors import AlertdbError

if TYPE_CHECKING:
    from pathlib import Path

    from astropy.coordinates import SkyCoord

    from alertdb.archive import Archive
    from alertdb.epochs import LightCurve
    from alertdb.gallery import Gallery
    from alertdb.picture import Picture
    from alertdb.points import Quantity
    from alertdb.thumbnail import Thumbnail

__all__ = ["SkyObject", "links_of"]

SEARCH_ARCSEC = 5
SHOWN = ("nobs", "nnights", "nlimmag", "ra_mean", "dec_mean", "magmin_g", "magmin_r", "magmin_i", "rb_mean", "drb_mean",
         "sgscore1_mean", "ssnamenr")  # fmt: skip


class SkyObject:
    """An object of the archive; made by `Archive.object`.

    Attributes
    ----------
    name
        Its objectId.
    summary
        Its row of table `summary`: counts, mean position, magnitudes per filter; computed on the spot where it has a
        single alert. `docs/tables.md` has the units.

    Examples
    --------
    >>> thing = archive.object("ZTF21abiuvdk")
    >>> thing
    <ZTF21abiuvdk at 00h03m15.4s +16d08m44.5s: 34 alerts>
    >>> int(thing.summary["nobs"]), thing.links["Fink"]
    (34, 'https://ztf.fink-portal.org/ZTF21abiuvdk')
    >>> thing.plot("apparent")
    <Picture size 800x500 with 1 Axes>
    >>> thing.gif("through_time.gif")  # doctest: +SKIP
    """

    def __init__(self, archive: Archive, name: str, summary: pd.Series[Any]) -> None:
        self._archive = archive
        self.name = name
        self.summary = summary

    @property
    def position(self) -> SkyCoord:
        """Mean position of its alerts, ICRS (J2000)."""
        import astropy.units as u
        from astropy.coordinates import SkyCoord

        return SkyCoord(self.summary["ra_mean"] * u.deg, self.summary["dec_mean"] * u.deg)

    @cached_property
    def lightcurve(self) -> LightCurve:
        """Its whole light curve: alerts, history, limits, forced photometry, with the reference image's sources."""
        return self._archive.lightcurve(self.name, forced=True, reference=True)

    @cached_property
    def alerts(self) -> pd.DataFrame:
        """Its alerts with all columns, in the order of time."""
        return self._archive.sql("SELECT * FROM alerts WHERE objectId = :name ORDER BY jd, candid", name=self.name)

    @cached_property
    def thumbnails(self) -> Gallery:
        """The cutouts of all its alerts, in the order of time."""
        return self._archive.thumbnails(self.name)

    @property
    def latest(self) -> Thumbnail:
        """The cutouts of its latest alert."""
        return self._archive.thumbnail(int(self.summary["candid_last"]))

    @property
    def links(self) -> dict[str, str]:
        """Addresses of pages on it: TNS and SIMBAD around its position, Fink and ALeRCE by its name."""
        return links_of(self.name, float(self.summary["ra_mean"]), float(self.summary["dec_mean"]))

    def plot(self, quantity: Quantity = "difference") -> Picture:
        """Draw its light curve; see `LightCurve.plot`."""
        return self.lightcurve.plot(quantity)

    def gif(self, path: Path | str, *, seconds: float = 0.5) -> None:
        """Write an animated GIF of its thumbnails through time, above its light curve; `seconds` for each alert."""
        self.thumbnails.gif(path, curve=self.lightcurve, seconds=seconds)

    def _repr_html_(self) -> str:
        from alertdb.picture import html_image, png

        known = self.summary[[name for name in SHOWN if not pd.isna(self.summary[name])]]
        cells = "".join(f"<th>{escape(str(name))}</th>" for name in known.index)
        values = "".join(f"<td>{escape(_text(value))}</td>" for value in known)
        links = " · ".join(f'<a href="{escape(url)}" target="_blank">{name}</a>' for name, url in self.links.items())
        return (
            f"<h3>{escape(self.name)}</h3><p>{links}</p>"
            f"<table><thead><tr>{cells}</tr></thead><tbody><tr>{values}</tr></tbody></table>"
            f"{html_image(png(self.plot(), 90), 'light curve')}<br>{self._latest_html()}"
        )

    def _latest_html(self) -> str:
        """Return the latest cutouts as HTML, or in words why there are none."""
        from alertdb.picture import html_image, png

        try:
            return html_image(png(self.latest.plot(), 80), "cutouts of the latest alert")
        except AlertdbError as error:
            return f"<p>No thumbnails: {escape(str(error))}</p>"

    def __repr__(self) -> str:
        place = self.position.to_string("hmsdms", precision=1)
        count = int(self.summary["nobs"])
        return f"<{self.name} at {place}: {count:,} alert{'' if count == 1 else 's'}>"


def links_of(name: str, ra: float, dec: float) -> dict[str, str]:
    """Return addresses of pages on an object.

    Parameters
    ----------
    name
        objectId.
    ra, dec
        Position [deg], J2000.
    """
    tns = {"ra": f"{ra:.6f}", "decl": f"{dec:.6f}", "radius": SEARCH_ARCSEC, "coords_unit": "arcsec"}
    simbad = {"Coord": f"{ra:.6f} {dec:+.6f}", "CooFrame": "ICRS", "Radius": SEARCH_ARCSEC, "Radius.unit": "arcsec"}
    return {
        "TNS": f"https://www.wis-tns.org/search?{urlencode(tns)}",
        "SIMBAD": f"https://simbad.cds.unistra.fr/simbad/sim-coo?{urlencode(simbad)}",
        "Fink": f"https://ztf.fink-portal.org/{quote(name)}",
        "ALeRCE": f"https://alerce.online/object/{quote(name)}",
    }


def _text(value: Any) -> str:
    return (
        f"{value:.5g}"
        if isinstance(value, float) and abs(value) < 100
        else f"{value:.5f}"
        if isinstance(value, float)
        else str(value)
    )
