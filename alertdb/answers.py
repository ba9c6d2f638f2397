"""A question in SQL that has not been asked yet, and the forms in which its answer can come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alertdb.progress import counting_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from astropy.table import Table

    from alertdb.query import Reader

__all__ = ["Query"]


class Query:
    """One reading statement with its values. Each method asks it, anew at every call.

    Rows are counted on the screen while they come, where somebody watches and it takes more than a second; not by
    `batches`, between whose frames the screen is yours.

    Parameters
    ----------
    reader
        Reads the database.
    statement
        SQL, with values as ``:name``.
    parameters
        The values.

    Examples
    --------
    >>> question = archive.query("SELECT jd, magpsf FROM alerts WHERE rb > :rb ORDER BY jd", rb=0.6)
    >>> question.table()["magpsf"].unit
    Unit("mag")
    >>> question.arrow().schema.field("magpsf").type
    DataType(float)
    """

    def __init__(self, reader: Reader, statement: str, parameters: Mapping[str, Any]) -> None:
        self._reader = reader
        self.statement = statement
        self.parameters = dict(parameters)

    def pandas(self) -> pd.DataFrame:
        """Return a DataFrame: ids are int64, with NULLs Int64; FLOAT is float32; NULL is NaN or <NA>."""
        from alertdb.frames import to_frame

        return to_frame(self.arrow())

    def arrow(self) -> pa.Table:
        """Return an Arrow table of the types that the server declares; NULL is null."""
        with counting_rows() as told:
            return self._reader.query(self.statement, self.parameters, told)

    def table(self) -> Table:
        """Return a table of astropy, with units; what is NULL is masked."""
        from alertdb.astropy_tables import to_astropy

        return to_astropy(self.arrow())

    def polars(self) -> pl.DataFrame:
        """Return a frame of polars; NULL is null."""
        import polars

        frame = polars.from_arrow(self.arrow())
        assert isinstance(frame, polars.DataFrame)  # noqa: S101 (of a table it always is one)
        return frame

    def batches(self) -> Iterator[pd.DataFrame]:
        """Yield DataFrames of some ten thousand rows as they come: for results that are larger than the memory.

        A result without rows gives one empty frame. Errors may come between two frames: then the rows so far are not
        all. To stop early, close the iterator or let go of it.

        Examples
        --------
        >>> sum(len(frame) for frame in archive.query("SELECT candid FROM alerts").batches())
        139
        """
        from pyarrow import Table

        from alertdb.frames import to_frame

        batches = self._reader.batches(self.statement, self.parameters)
        first = next(batches)  # it has the columns and no rows
        is_empty = True
        for batch in batches:
            is_empty = False
            yield to_frame(Table.from_batches([batch]))
        if is_empty:
            yield to_frame(Table.from_batches([first]))

    def __repr__(self) -> str:
        words = " ".join(self.statement.split())
        return f"<Query {words!r}: .pandas(), .arrow(), .table(), .polars() or .batches() asks it>"
