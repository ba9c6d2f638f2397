"""What an archive offers to accounts with a database of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alertdb.people.scratch import Scratch
    from alertdb.query import Reader

__all__ = ["OwnTables"]


class OwnTables:
    """The scratch database of the account in use."""

    reader: Reader

    @property
    def scratch(self) -> Scratch:
        """The database of the account's own, whose tables can be joined with the archive's; see `Scratch`."""
        from alertdb.people.scratch import Scratch

        return Scratch(self.reader)

    def upload(self, table: str, frame: Any, *, replace: bool = False) -> int:
        """Make a table of a data frame in the scratch database and return the number of its rows.

        See `Scratch.upload` for what a frame may be.

        Examples
        --------
        >>> archive.upload("targets", frame)  # doctest: +SKIP
        >>> archive.sql(f"SELECT * FROM alerts JOIN {archive.scratch.name}.targets USING (objectId)")  # doctest: +SKIP
        """
        return self.scratch.upload(table, frame, replace=replace)
