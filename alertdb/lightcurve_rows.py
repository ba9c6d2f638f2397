"""Light curves from the tables: every epoch of an object once, as the view `lightcurve` has it.

The view looks for better rows at the same epoch with joins, row by row. Here the rows of each table come by key and are
merged in memory, which takes the server a fraction of the time. Why: docs/decisions/light-curve-view.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow.compute import fill_null, index_in

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import numpy.typing as npt

__all__ = ["KINDS", "MANY", "ONE", "PLACES", "merge_epochs", "missing_objects"]

KINDS = ("alert", "history", "limit", "forced")  # of two rows at an epoch the first wins
FLUX = ("flux", "flux_error", "magzpsci")

_ROWS = """
SELECT objectId, jd, fid, 0 AS kind, candid, magpsf, sigmapsf, isdiffpos, diffmaglim,
       NULL AS flux, NULL AS flux_error, NULL AS magzpsci, rb, programid
FROM alerts WHERE {condition}
UNION ALL
SELECT objectId, jd, fid, 1, candid, magpsf, sigmapsf, isdiffpos, diffmaglim, NULL, NULL, NULL, rb, programid
FROM alerts_prv WHERE {condition}
UNION ALL
SELECT objectId, jd, fid, 2, NULL, NULL, NULL, NULL, diffmaglim, NULL, NULL, NULL, NULL, programid
FROM alerts_limmag WHERE {condition}
UNION ALL
SELECT objectId, jd, fid, 3, NULL, NULL, NULL, NULL, diffmaglim,
       forcediffimflux, forcediffimfluxunc, magzpsci, NULL, programid
FROM alerts_forced WHERE {condition}"""

ONE, PLACES = _ROWS.format(condition="objectId = ?"), 4  # one object, named at so many places
MANY = _ROWS.format(condition="objectId IN :names")


def merge_epochs(rows: pa.Table, names: Sequence[str], kinds: Collection[str]) -> pa.Table:
    """Return light curves from what the statements above give, by object in the order of `names`, then time.

    Parameters
    ----------
    rows
        All rows of all these objects.
    names
        The objects, each once.
    kinds
        Which of `KINDS` are wanted. An epoch is of the first kind that knows it, wanted or not.
    """
    place = _places(rows, names)
    jd, fid, rank = (rows[name].to_numpy() for name in ("jd", "fid", "kind"))
    candids: Any = rows["candid"]
    candid = fill_null(candids, 0).to_numpy()
    order = np.lexsort((-candid, rank, fid, jd, place))
    first = _begins(place[order], jd[order], fid[order])
    best = order[first]
    forced = _forced_beside(order, rank, first)
    is_wanted = np.array([kind in kinds for kind in KINDS])
    wanted = is_wanted[rank[best]]
    return _taken(rows, best[wanted], forced[wanted])


def missing_objects(rows: pa.Table, names: Sequence[str]) -> list[str]:
    """Return the names of which there is no alert."""
    is_alert = rows["kind"].to_numpy() == KINDS.index("alert")
    if len(names) == 1:
        return [] if is_alert.any() else list(names)
    found = set(rows["objectId"].filter(pa.array(is_alert)).unique().to_pylist())
    return [name for name in names if name not in found]


def _places(rows: pa.Table, names: Sequence[str]) -> npt.NDArray[np.int64]:
    if len(names) == 1:
        return np.zeros(len(rows), np.int64)
    return index_in(rows["objectId"], pa.array(names, pa.string())).to_numpy().astype(np.int64)


def _begins(*keys: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Tell which of sorted rows are the first with their keys."""
    begins = np.zeros(len(keys[0]), np.bool_)
    begins[:1] = True
    for key in keys:
        begins[1:] |= key[1:] != key[:-1]
    return begins


def _forced_beside(
    order: npt.NDArray[np.int64], rank: npt.NDArray[np.int32], first: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Return for each epoch which row is its forced photometry, -1 for none."""
    beside = np.full(np.count_nonzero(first), -1)
    is_forced = rank[order] == KINDS.index("forced")
    beside[(np.cumsum(first) - 1)[is_forced]] = order[is_forced]
    return beside


def _taken(rows: pa.Table, best: npt.NDArray[np.int64], forced: npt.NDArray[np.int64]) -> pa.Table:
    """Return these rows, with the flux of the others beside them."""
    chosen: Any = pa.array(best)
    beside: Any = pa.array(forced, mask=forced < 0)
    (batch, *_) = rows.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], rows.schema)]
    taken = pa.Table.from_batches([batch.take(chosen)])  # takes half of the time that Table.take does
    kinds: Any = pa.array(KINDS, pa.string())
    number = rows.column_names.index("kind")
    taken = taken.set_column(number, "kind", kinds.take(taken["kind"].combine_chunks()))
    if not (forced >= 0).any():
        return taken  # these columns are NULL in all tables but one
    for name in FLUX:
        column: Any = rows[name].combine_chunks()
        taken = taken.set_column(rows.column_names.index(name), name, column.take(beside))
    return taken
