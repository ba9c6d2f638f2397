"""The summary of one object computed on the spot, for objects with a single alert, which table `summary` leaves out."""

from __future__ import annotations

from functools import cache

from alertdb.schema import read_sql, summary_columns

__all__ = ["summary_statement"]

TOUCHED = "FROM touched AS t STRAIGHT_JOIN {database}.alerts AS a ON a.objectId = t.objectId"
ONE = "FROM {database}.alerts AS a WHERE a.objectId = :name"
TWO_OR_MORE = "HAVING COUNT(*) >= 2"


@cache
def summary_statement(database: str) -> str:
    """Return the statement that computes the summary's row of the object `:name` from its alerts.

    The expressions are those that fill the table: `sql/summary/objects.sql` and `sql/summary/columns`.
    """
    objects = read_sql("summary/objects.sql")
    select = objects[objects.index("SELECT\n") : objects.rindex(";")]
    one = select.replace(TOUCHED, ONE).replace(TWO_OR_MORE, "").format(database=database)
    columns = ",\n".join(f"{column.expression} AS {column.name}" for column in summary_columns())
    return f"SELECT {columns} FROM {database}.alerts AS a JOIN ({one}) AS o USING (objectId) GROUP BY a.objectId"
