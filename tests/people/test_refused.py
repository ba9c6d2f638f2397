"""What people's accounts may not do at all, and what they do not do unless asked to."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import mariadb
import pytest
from someone import BACK, Someone
from sqlalchemy.exc import DBAPIError

from alertdb.people.accounts import close_account
from alertdb.people.errors import AccountLocked, TooManyConnections

if TYPE_CHECKING:
    from collections.abc import Callable

    from alertdb.config import Config

DENIED = (1044, 1045, 1142, 1143, 1227, 1370, 1410)  # no right to it
REFUSED = [
    "UPDATE ztf.alerts SET magpsf = 0",
    "DELETE FROM ztf.alerts",
    "INSERT INTO ztf_public.summary (objectId) VALUES ('x')",
    "TRUNCATE ztf.alerts",
    "DROP TABLE ztf.alerts",
    "DROP DATABASE ztf",
    "ALTER TABLE ztf.alerts ADD COLUMN x INT",
    "CREATE INDEX x ON ztf.alerts (magpsf)",
    "CREATE TABLE ztf.mine (a INT)",
    "CREATE DATABASE my_1",
    "LOCK TABLES ztf.alerts READ",
    "FLUSH TABLES",
    "FLUSH TABLES ztf.alerts WITH READ LOCK",
    "BACKUP STAGE START",
    "BACKUP LOCK ztf.alerts",
    "SET GLOBAL max_connections = 1",
    "SET GLOBAL innodb_buffer_pool_size = 1",
    "SHUTDOWN",
    "CREATE USER x",
    "ALTER USER CURRENT_USER() WITH MAX_USER_CONNECTIONS 0",
    "GRANT ALL ON *.* TO CURRENT_USER()",
    "SELECT * FROM mysql.global_priv",
    "SHOW GRANTS FOR alertdb_loader",
    "SHOW ENGINE INNODB STATUS",
    "SELECT * FROM information_schema.innodb_trx",
    "SELECT 1 INTO OUTFILE '/tmp/alertdb_outfile'",
    "LOAD DATA INFILE '/etc/passwd' INTO TABLE {my}.t",
    "CREATE TEMPORARY TABLE {my}.t (a INT)",
    "CREATE FUNCTION {my}.f() RETURNS INT RETURN 1",
    "CREATE EVENT {my}.e ON SCHEDULE EVERY 1 SECOND DO SELECT 1",
    "INSTALL SONAME 'metadata_lock_info'",
    "CALL alertdb_people.open_account(1, 'x', 1, 'x')",
    "CALL alertdb_people.close_account(1)",
    "UPDATE alertdb_people.my_account SET scratch_full = 0",
    "SELECT * FROM alertdb_people.people",
    "ANALYZE TABLE ztf.alerts",
    "OPTIMIZE TABLE ztf.alerts",
]


def answer(cursor: Any, statement: str) -> int:
    """Return the number of the error that a statement meets, or 0."""
    try:
        cursor.execute(statement)
    except mariadb.Error as error:
        return int(error.errno)
    return 0


def test_what_only_reads_changes_nothing(archive: Config, enter: Callable[..., Someone], admin: Any) -> None:
    del archive
    person = enter(24, partnership=True)
    cursor = person.connect().cursor()
    cursor.execute(f"CREATE TABLE {person.scratch}.t (a INT)")
    answers = {statement: answer(cursor, statement.format(my=person.scratch)) for statement in REFUSED}
    assert {statement: number for statement, number in answers.items() if number not in DENIED} == {}
    [[loader]] = admin.exec_driver_sql("SELECT CONNECTION_ID()").all()
    with pytest.raises(mariadb.Error, match="Unknown thread|not owner"):
        cursor.execute(f"KILL {loader}")
    cursor.execute("SELECT LOAD_FILE('/etc/passwd')")
    assert cursor.fetchone() == (None,)


def test_one_person_cannot_use_up_the_connections(server_config: Config, enter: Callable[..., Someone]) -> None:
    person = enter(25)
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(person.connect())
        with pytest.raises(mariadb.Error, match="max_user_connections"):
            person.connect()
        with pytest.raises(TooManyConnections, match=r"max_user_connections.*archive\.close\(\)"):
            person.archive().sql("SELECT 1")
    close_account(server_config, person.id)
    with pytest.raises(AccountLocked, match="'gh25' is locked.* Start the server anew"):
        person.archive().sql("SELECT 1")


def test_who_reads_as_sessions_begin_locks_nothing(archive: Config, enter: Callable[..., Someone], admin: Any) -> None:
    del archive
    person = enter(27, partnership=True)
    cursor = person.connect().cursor()
    cursor.execute("SELECT @@tx_isolation")
    assert cursor.fetchone() == ("READ-COMMITTED",)
    admin.exec_driver_sql("INSERT INTO rejects VALUES (1, 2, 'm', 0, 'r')")
    admin.commit()
    cursor.execute(f"CREATE TABLE {person.scratch}.t (a BIGINT)")
    copy = f"INSERT INTO {person.scratch}.t SELECT tarball FROM ztf.rejects"
    admin.exec_driver_sql("SET SESSION innodb_lock_wait_timeout = 0")
    change = "UPDATE rejects SET reason = 's' WHERE tarball = 1"
    for begin in (["BEGIN"], [BACK, "BEGIN"]):
        for statement in (*begin, copy):
            cursor.execute(statement)
        if len(begin) == 1:
            assert admin.exec_driver_sql(change).rowcount == 1
        else:  # who sets it back does, and is ended for it
            with pytest.raises(DBAPIError, match="Lock wait timeout"):
                admin.exec_driver_sql(change)
        admin.rollback()
        cursor.execute("ROLLBACK")
