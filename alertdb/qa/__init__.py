"""Quality pictures of an archive, counted in the server: ``db.qa.nights()``, ``db.qa.sky()`` and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alertdb.qa.result import QaFigure
    from alertdb.query import Reader

__all__ = ["NAMES", "Quality"]

NAMES = (
    "nights",
    "limits",
    "sky",
    "asteroids",
    "scores",
    "rb_magnitude",
    "rb_observations",
    "magnitude_error",
    "rejects",
)


class Quality:
    """Quality pictures of one database.

    Each method returns a `QaFigure`: ``.figure`` is a matplotlib figure, ``.table`` the numbers it shows. The server
    counts; no row per alert is fetched, and none is left out. An empty archive gives pictures that say so.

    Parameters
    ----------
    reader
        Reads the database.

    Examples
    --------
    >>> archive.qa.nights().table.head(2)
          night  nid  fid  programid  alerts
    0  20180601  516    1          1       6
    1  20180601  516    2          1       7
    >>> archive.qa.sky().figure
    <Picture size 900x560 with 2 Axes>
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def nights(self) -> QaFigure:
        """Alerts per night (UTC), filter and programid."""
        from alertdb.qa.nights import alerts_per_night

        return alerts_per_night(self._reader)

    def limits(self) -> QaFigure:
        """Limiting magnitude (diffmaglim, 5 sigma) of the alerts by night and filter: median, 10 % and 90 % [mag]."""
        from alertdb.qa.nights import limiting_magnitudes

        return limiting_magnitudes(self._reader)

    def sky(self, order: int = 5) -> QaFigure:
        """Alerts on the sky, in HEALPix pixels of an order from 0 to 9 (nested scheme)."""
        from alertdb.qa.sky import sky_of_alerts

        return sky_of_alerts(self._reader, order)

    def asteroids(self, order: int = 5) -> QaFigure:
        """Alerts near known solar-system objects (ssnamenr) on the sky, as `sky`."""
        from alertdb.qa.sky import asteroids_on_the_sky

        return asteroids_on_the_sky(self._reader, order)

    def scores(self) -> QaFigure:
        """Distributions of the real-bogus scores rb and drb; `low` is the lower edge of a bin of 0.02."""
        from alertdb.qa.scores import score_distributions

        return score_distributions(self._reader)

    def rb_magnitude(self) -> QaFigure:
        """Mean RB against mean difference magnitude of the objects with two or more alerts, by filter."""
        from alertdb.qa.scores import rb_against_magnitude

        return rb_against_magnitude(self._reader)

    def rb_observations(self) -> QaFigure:
        """Mean RB against the number of alerts of an object, objects with two or more."""
        from alertdb.qa.scores import rb_against_observations

        return rb_against_observations(self._reader)

    def magnitude_error(self) -> QaFigure:
        """Difference magnitude against its error (sigmapsf), by filter; the table holds lower edges of bins [mag]."""
        from alertdb.qa.measurements import magnitude_against_error

        return magnitude_against_error(self._reader)

    def rejects(self) -> QaFigure:
        """Packets that were not loaded, by night and reason; reasons with other numbers or names are one."""
        from alertdb.qa.rejects import rejects_by_reason

        return rejects_by_reason(self._reader)

    def all(self) -> Iterator[QaFigure]:
        """Yield all pictures, one after the other."""
        for name in NAMES:
            yield getattr(self, name)()

    def __repr__(self) -> str:
        return f"<quality pictures of {self._reader.database}: {', '.join(NAMES)}>"
