"""The summary of one object; computed on the spot where it has a single alert, which table `summary` leaves out."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from alertdb.errors import UnknownObject
from alertdb.names import nearest_objects
from alertdb.schema import read_sql, summary_columns

if TYPE_CHECKING:
    import pyarrow as pa

    from alertdb.query import Reader

__all__ = ["object_summary", "summary_statement"]

TOUCHED = "FROM touched AS t STRAIGHT_JOIN {database}.alerts AS a ON a.objectId = t.objectId"
ONE = "FROM {database}.alerts AS a WHERE a.objectId = :name"
TWO_OR_MORE = "HAVING COUNT(*) >= 2"


def object_summary(reader: Reader, name: str) -> pa.Table:
    """Return the summary of one object, one row, also where it has a single alert.

    Raises
    ------
    UnknownObject
        If the archive has no alert of it.
    """
    for statement in ("SELECT * FROM summary WHERE objectId = :name", summary_statement(reader.database)):
        table = reader.query(statement, {"name": name})
        if table.num_rows:
            return table
    raise UnknownObject(name, nearest_objects(reader, name))


@cache
def summary_statement(database: str) -> str:
    """Return the statement that computes the summary's row of the object `:name` from its alerts.

    The expressions are those that fill the table: `sql/summary/objects.sql` and `sql/summary/columns`.
    """
    objects = read_sql("summary/objects.sql")
    select = objects[objects.index("SELECT\n") : objects.rindex(";")]
    one = select.replace(TOUCHED, ONE).replace(TWO_OR_MORE, "").format(database=database, condition="")
    columns = ",\n".join(f"{column.expression} AS {column.name}" for column in summary_columns())
    return f"SELECT {columns} FROM {database}.alerts AS a JOIN ({one}) AS o USING (objectId) GROUP BY a.objectId"
