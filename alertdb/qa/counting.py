"""What quality pictures ask the server: counts per bin, so that no row per alert leaves it.

Each statement reads one key and no rows: of 2 million alerts a count takes about a second, whatever is in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alertdb.frames import to_frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from alertdb.query import Reader

__all__ = ["NIGHT", "binned", "count", "with_dates"]

NIGHT = "CAST(FLOOR(jd - 2457754.5) AS SIGNED)"  # nid: whole days since 2017-01-01; no key holds the column
ROUNDING = 1e-4  # of a bin: 0.82 as FLOAT is a little less, and would fall into the bin below


def binned(expression: str, width: float) -> str:
    """Return SQL for the number of the bin of this width that a value falls into."""
    return f"CAST(FLOOR({expression} / {width!r}e0 + {ROUNDING}) AS SIGNED)"


def count(
    reader: Reader, groups: Mapping[str, str], source: str, counted: str = "alerts", *, nulls: bool = False
) -> pd.DataFrame:
    """Count rows in groups, in the server.

    Parameters
    ----------
    groups
        SQL of each column to group by, by its name.
    source
        What follows FROM.
    counted
        Name of the column of counts.
    nulls
        Whether rows count where one of the columns is NULL.

    Returns
    -------
    pandas.DataFrame
        One row per group that is not empty, in order.
    """
    columns = ", ".join(f"{expression} AS `{name}`" for name, expression in groups.items())
    numbers = ", ".join(str(place + 1) for place in range(len(groups)))  # a name would mean the table's column first
    statement = f"SELECT {columns}, COUNT(*) AS {counted} FROM {source} GROUP BY {numbers} ORDER BY NULL"
    table = to_frame(reader.query(statement)).sort_values(list(groups), ignore_index=True)
    return table if nulls else table.dropna(ignore_index=True).astype(dict.fromkeys([*groups, counted], "int64"))


def with_dates(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with a column `night` (YYYYMMDD, UTC) before its column `nid`."""
    import pandas as pd

    dates = pd.Timestamp("2017-01-01") + pd.to_timedelta(table["nid"].astype("int64"), unit="D")
    table = table.copy()
    table.insert(0, "night", dates.dt.strftime("%Y%m%d").astype("int64"))
    return table
