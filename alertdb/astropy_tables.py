"""Arrow tables as tables of astropy, with the units of the columns they show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from astropy.table import Column, MaskedColumn, Table
from pyarrow.compute import fill_null, is_null

from alertdb.columns import ORIGIN
from alertdb.described import comments, unit_of

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["to_astropy"]

EMPTY: dict[str, Any] = {"string": "", "binary": b""}


def to_astropy(table: pa.Table) -> Table:
    """Return a table of astropy: units and descriptions where a column shows one of the archive's, NULL masked."""
    return Table([_column(table.field(number), table.column(number)) for number in range(table.num_columns)])


def _column(field: pa.Field[Any], values: Any) -> Column:
    origin = [(field.metadata or {}).get(key, b"").decode() for key in ORIGIN]
    comment = comments().get(origin[0], {}).get(origin[1])
    facts = {
        "name": field.name,
        "unit": unit_of(*origin),
        "description": None if comment is None else comment.meaning,
    }
    if not values.null_count:
        return Column(_array(values), **facts)
    mask = is_null(values).to_numpy()
    return MaskedColumn(_array(_without_nulls(values)), mask=mask, **facts)


def _without_nulls(values: Any) -> Any:
    """Put something of the same type into the places of NULLs."""
    kind = values.type
    if pa.types.is_null(kind):
        return pa.array(np.zeros(len(values)))
    if str(kind) in EMPTY:
        return fill_null(values, EMPTY[str(kind)])
    zero = pa.array([0], pa.int32() if pa.types.is_date32(kind) else pa.int64())
    return fill_null(values, zero.cast(kind)[0])


def _array(values: Any) -> npt.NDArray[Any]:
    kind = values.type
    if pa.types.is_decimal(kind):  # sums that no int64 holds: integers of Python
        return np.array([int(value) for value in values.to_pylist()], object)
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return np.array(values.to_pylist(), str if pa.types.is_string(kind) else bytes)
    array: npt.NDArray[Any] = (
        pa.chunked_array([values]).to_numpy() if isinstance(values, pa.Array) else values.to_numpy()
    )
    return array
