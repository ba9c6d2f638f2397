"""Rows of a result as Arrow: which column of the protocol becomes which array."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from alertdb.columns import UNSIGNED, Column, Columns, declared_column, distinct
from alertdb.wire.codes import DATE, DATETIME, EIGHT, FOUR, INT8, INT16, NOTHING, TEXT, TIME, UINT8, UINT16

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from alertdb.wire.kernel import Bytes
    from alertdb.wire.packets import Definition

__all__ = ["Layout", "ProtocolBroken"]

LAYOUTS = {  # by field types of the protocol; all others come as texts
    1: INT8,
    2: INT16,
    3: FOUR,
    4: FOUR,
    5: EIGHT,
    6: NOTHING,
    7: DATETIME,
    8: EIGHT,
    9: FOUR,
    10: DATE,
    11: TIME,
    12: DATETIME,
    13: UINT16,
}
WITHOUT_SIGN = {INT8: UINT8, INT16: UINT16}
IN_FOUR = {INT8, UINT8, INT16, UINT16, FOUR, DATE}
IN_EIGHT = {EIGHT, DATETIME, TIME}


class ProtocolBroken(Exception):
    """The bytes that came are no rows of the columns that were declared."""


class Layout:
    """The columns of one result, and how to read its rows.

    Parameters
    ----------
    definitions
        What the server declares of each column.
    """

    def __init__(self, definitions: Sequence[Definition]) -> None:
        names = distinct([definition.field for definition in definitions])
        pairs = zip(names, definitions, strict=True)
        self.columns = Columns(declared_column(name, *definition[1:]) for name, definition in pairs)
        self._kinds = [_kind(definition) for definition in definitions]
        self._layout = np.array(self._kinds, np.int64)
        self._fours, self._eights = (sum(kind in group for kind in self._kinds) for group in (IN_FOUR, IN_EIGHT))
        self._texts = self._kinds.count(TEXT)

    def read(self, data: Bytes, starts: npt.NDArray[np.int64], rows: int) -> list[pa.Array[Any]]:
        """Return the values of rows that `kernel.find_rows` found, one array per column.

        Raises
        ------
        ProtocolBroken
            If they are no rows of these columns.
        """
        valid = np.empty((len(self._kinds), rows), np.uint8)
        fours = np.zeros((self._fours, rows), np.uint32)  # what is NULL is left as it is: it must be a number
        eights = np.zeros((self._eights, rows), np.uint64)
        ends = np.zeros((self._texts, rows + 1), np.int32)
        texts = np.empty((self._texts, int(starts[rows] - starts[0])), np.uint8)  # room for all bytes in each
        from alertdb.wire.kernel import read_rows  # here: compiled code takes a while to come, and loading needs none

        broken = read_rows(data, starts, rows, self._layout, valid, fours, eights, ends, texts)
        if broken >= 0:
            raise ProtocolBroken(f"row {broken} of {rows} is not as the protocol says")
        values = {"four": iter(fours), "eight": iter(eights), "text": zip(ends, texts, strict=True)}
        counts = valid.sum(axis=1, dtype=np.int64).tolist() if rows else [0] * len(self._kinds)
        return [
            _array(column, kind, rows, _bitmap(valid[number], counts[number]), values)
            for number, (column, kind) in enumerate(zip(self.columns, self._kinds, strict=True))
        ]


def _kind(definition: Definition) -> int:
    kind = LAYOUTS.get(definition.type, TEXT)
    return WITHOUT_SIGN.get(kind, kind) if definition.flags & UNSIGNED else kind


def _bitmap(valid: Bytes, count: int) -> pa.Buffer | None:
    return None if count == len(valid) else pa.py_buffer(np.packbits(valid, bitorder="little").tobytes())


def _array(
    column: Column, kind: int, rows: int, bitmap: pa.Buffer | None, values: dict[str, Iterator[Any]]
) -> pa.Array[Any]:
    if kind == NOTHING:
        return pa.nulls(rows)
    if kind == TEXT:
        ends, texts = (pa.py_buffer(part) for part in next(values["text"]))
        is_text = column.is_decimal or column.type == pa.string()
        stored: Any = pa.string() if is_text else pa.binary()
        array = pa.Array.from_buffers(stored, rows, [bitmap, ends, texts])
        return column.from_texts(array) if column.is_decimal else array
    raw = pa.py_buffer(next(values["four" if kind in IN_FOUR else "eight"]))
    wide = kind in IN_FOUR and column.type == pa.int64()  # INT UNSIGNED
    array = pa.Array.from_buffers(pa.uint32() if wide else column.type, rows, [bitmap, raw])
    return array.cast(pa.int64()) if wide else array
