"""Quality pictures on the sky: HEALPix counts in a Mollweide projection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patheffects import withStroke

from alertdb.frames import to_frame
from alertdb.picture_errors import UnknownChoice
from alertdb.qa.counting import count
from alertdb.qa.result import COLOURMAP, QaFigure, add_colour_bar, counted, empty_picture, new_picture, scale

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from alertdb.query import Reader

__all__ = ["asteroids_on_the_sky", "draw_sky", "sky_of_alerts"]

ORDER = 5  # pixels of 1.8 degrees
FINEST = 9
SKY_SQUARE_DEGREES = 41252.96
GRID = (720, 360)  # of the picture in longitude and latitude
HOURS = range(0, 24, 2)


def sky_of_alerts(reader: Reader, order: int = ORDER) -> QaFigure:
    """Draw how many alerts there are where on the sky."""
    title = "Alerts on the sky"
    table = _count(reader, order, "alerts")
    covered = len(table) * SKY_SQUARE_DEGREES / (12 * 4**order)
    subtitle = f"{reader.database}: {counted(int(table['alerts'].sum()), 'alert')} on {covered:,.0f} square degrees"
    return _drawn("sky", title, subtitle, table, "No alerts yet.")


def asteroids_on_the_sky(reader: Reader, order: int = ORDER) -> QaFigure:
    """Draw where alerts lie within 30 arcsec of a known asteroid (ssnamenr)."""
    title = "Asteroids on the sky"
    table = _count(reader, order, "alerts WHERE ssnamenr IS NOT NULL")
    names = to_frame(reader.query("SELECT COUNT(DISTINCT ssnamenr) AS n FROM alerts WHERE ssnamenr IS NOT NULL"))
    alerts, bodies = counted(int(table["alerts"].sum()), "alert"), counted(int(names["n"].iloc[0]), "object")
    subtitle = f"{reader.database}: {alerts} of {bodies} of the solar system (ssnamenr)"
    return _drawn("asteroids", title, subtitle, table, "No alerts of asteroids yet.")


def _count(reader: Reader, order: int, source: str) -> pd.DataFrame:
    if order not in range(FINEST + 1):
        raise UnknownChoice("HEALPix order for pictures", order, [str(known) for known in range(FINEST + 1)])
    return count(reader, {"order": str(order), "pixel": f"hpx29 >> {2 * (29 - order)}"}, source)


def _drawn(name: str, title: str, subtitle: str, table: pd.DataFrame, nothing: str) -> QaFigure:
    if not len(table):
        return QaFigure(name, title, empty_picture(title, subtitle, nothing), table)
    order = int(table["order"].iloc[0])
    figure = new_picture(title, subtitle, (9.0, 5.6))
    axes = figure.add_subplot(projection="mollweide")
    density = table["alerts"].to_numpy() * (12 * 4**order / SKY_SQUARE_DEGREES)
    mesh = draw_sky(axes, table["pixel"].to_numpy(), density, order)
    label = "alerts per square degree (logarithmic)"
    add_colour_bar(figure, mesh, axes, label, orientation="horizontal", shrink=0.6, pad=0.06)
    axes.legend(fontsize=8.5, loc="upper right", bbox_to_anchor=(1.06, 1.08), frameon=False)
    return QaFigure(name, title, figure, table)


def draw_sky(axes: Axes, pixels: Any, values: Any, order: int = ORDER) -> Any:
    """Draw values on the sky: right ascension grows to the left, 0 h is in the middle.

    Parameters
    ----------
    axes
        With the projection ``mollweide``.
    pixels
        HEALPix pixels, nested scheme; shape (n,).
    values
        Positive numbers, shape (n,); shown on a logarithmic scale.
    order
        HEALPix order of the pixels.
    """
    whole = np.full(12 * 4**order, np.nan)
    whole[pixels] = values
    longitude, latitude = (
        np.linspace(-limit, limit, size + 1) for limit, size in zip((np.pi, np.pi / 2), GRID, strict=True)
    )
    shown = whole[_pixels_of_grid(_middles(longitude), _middles(latitude), order)]
    norm = scale(float(np.min(values)), float(np.max(values)))
    mesh = axes.pcolormesh(longitude, latitude, shown, norm=norm, cmap=COLOURMAP, rasterized=True)
    _draw_plane(axes, "barycentrictrueecliptic", "ecliptic", "#d1242f")
    _draw_plane(axes, "galactic", "galactic plane", "#59636e")
    axes.grid(visible=True, alpha=0.35, lw=0.5)
    axes.set_xticks(np.radians([_from_middle(15 * hour) for hour in HOURS]))
    edged = [withStroke(linewidth=2.5, foreground="white")]  # readable on any colour
    labels = [f"{hour}h" if hour % 4 == 2 else "" for hour in HOURS]  # the ecliptic crosses 0h and 12h
    axes.set_xticklabels(labels, fontsize=8, path_effects=edged)
    axes.tick_params(axis="y", labelsize=8)
    return mesh


def _pixels_of_grid(longitude: Any, latitude: Any, order: int) -> Any:
    """Return the pixel at each place of the picture; longitude is minus right ascension."""
    import astropy.units as u
    import cdshealpix
    from astropy.coordinates import Latitude, Longitude

    lon, lat = np.meshgrid(-longitude, latitude)
    found = cdshealpix.nested.lonlat_to_healpix(Longitude(lon.ravel() * u.rad), Latitude(lat.ravel() * u.rad), order)
    return found.astype(np.int64).reshape(lon.shape)


def _draw_plane(axes: Axes, frame: str, label: str, colour: str) -> None:
    """Draw the equator of another system of coordinates, in pieces that do not cross the edge."""
    import astropy.units as u
    from astropy.coordinates import SkyCoord

    along = SkyCoord(np.linspace(0, 360, 721) * u.deg, np.zeros(721) * u.deg, frame=frame).icrs
    x = np.radians([_from_middle(ra) for ra in along.ra.deg])
    x[np.abs(np.diff(x, append=x[-1])) > np.pi] = np.nan
    axes.plot(x, along.dec.rad, color=colour, lw=1.0, label=label)


def _from_middle(ra: float) -> float:
    """Return where a right ascension is drawn, in degrees right of the middle."""
    return -((ra + 180) % 360 - 180)


def _middles(edges: Any) -> Any:
    return (edges[1:] + edges[:-1]) / 2
