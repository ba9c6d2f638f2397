"""The summary while several tarballs load: it counts what is committed, and what its own load brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from archives import load

from alertdb.database import Account, connect
from alertdb.errors import LoadRefused
from ingest.simulation.nights import simulate_nights
from ingest.summary import update_all

if TYPE_CHECKING:
    from pathlib import Path

    from alertdb.config import Config

# An alert beside each that is in, of a tarball that the ledger does not know.
OTHERS = """
INSERT INTO alerts (objectId, jd, fid, candid, programid, magpsf, ra, `dec`, hpx29, tarball)
SELECT objectId, jd + 0.01, fid, candid + 100000000000, programid, 5, ra, `dec`, hpx29, 77 FROM alerts
"""


def summary(config: Config, database: str) -> list[tuple[object, ...]]:
    with connect(config, Account.ADMIN, database) as connection:
        return [tuple(row) for row in connection.exec_driver_sql("SELECT * FROM summary ORDER BY objectId")]


@pytest.mark.parametrize("ending", ["commit", "rollback"])
def test_alerts_that_another_load_has_not_committed_do_not_count(archive: Config, tmp_path: Path, ending: str) -> None:
    first, second, third = simulate_nights([20240101, 20240102, 20240103], 200, tmp_path / "nights", seed=5)
    load(archive, first)
    with connect(archive, Account.ADMIN, "ztf") as other:
        assert other.exec_driver_sql(OTHERS).rowcount == 200
        load(archive, second, third)
        counted = {database: summary(archive, database) for database in ("ztf", "ztf_public")}
        getattr(other, ending)()
        if ending == "commit":
            other.exec_driver_sql("DELETE FROM alerts WHERE tarball = 77")
            other.commit()
    update_all(archive, "ztf", None, lambda _: None)  # which reads what is committed
    assert len(counted["ztf"]) > 50
    assert counted == {database: summary(archive, database) for database in ("ztf", "ztf_public")}


def test_a_load_whose_summary_cannot_be_computed_leaves_nothing(archive: Config, tmp_path: Path) -> None:
    (night,) = simulate_nights([20240101], 200, tmp_path / "nights", seed=5)
    with connect(archive, Account.ADMIN, "ztf_public") as connection:
        view = connection.exec_driver_sql("SHOW CREATE VIEW alerts_limmag").one()[1]
        connection.exec_driver_sql("DROP VIEW alerts_limmag")
        try:
            with pytest.raises(LoadRefused, match=r"ztf_public\.alerts_limmag"):
                load(archive, night)
        finally:
            connection.exec_driver_sql(view.replace("%", "%%"))
    with connect(archive, Account.ADMIN, "ztf") as connection:
        for table in ("alerts", "alerts_limmag", "alerts_prv", "summary", "tarballs"):
            assert connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar() == 0
    load(archive, night)
    assert summary(archive, "ztf")
