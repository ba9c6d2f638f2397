"""The database server: whether it answers, its version, its clock, and the settings that data depend on."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alertdb.database import Account, connect
from alertdb.doctor.findings import Finding, Grade
from alertdb.errors import AlertdbError
from alertdb.schema import check_schema, read_sql

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection

    from alertdb.config import Config

__all__ = ["Rule", "examine_server", "judge_pool", "judge_setting", "judge_version"]

TESTED = (10, 11)
SKEW_SECONDS = 2.0
LARGE_SHARE, SMALL_SHARE = 0.8, 0.02  # of the machine's memory


@dataclass(frozen=True)
class Rule:
    """A setting that ought to be what sql/settings/private.cnf says, and what it means if it is not."""

    grade: Grade
    meaning: str


RULES = {
    "innodb_flush_log_at_trx_commit": Rule(Grade.PROBLEM, "a power cut loses tarballs that the ledger calls complete"),
    "innodb_doublewrite": Rule(Grade.PROBLEM, "a page half written in a power cut cannot be mended"),
    "local_infile": Rule(Grade.WARNING, "a statement can have a program send a file of its own machine"),
    "character_set_server": Rule(Grade.WARNING, "databases made from now on may not hold any text"),
    "collation_server": Rule(Grade.WARNING, "databases made from now on compare names in another way"),
    "default_time_zone": Rule(Grade.WARNING, "NOW() does not agree with the times in the tables, which are UTC"),
}
SHOWN_AS = {"default_time_zone": "time_zone"}
UTC_NAMES = {"+00:00", "UTC", "Etc/UTC"}
ON = {"1": "ON", "0": "OFF"}


def examine_server(config: Config) -> Iterator[Finding]:
    """Ask the server; what it does not answer is a finding."""
    try:
        with connect(config, Account.READER) as connection:
            settings = {row[0]: row[1] for row in connection.exec_driver_sql("SHOW GLOBAL VARIABLES")}
            began = time.time()
            theirs = float(connection.exec_driver_sql("SELECT UNIX_TIMESTAMP(NOW(6))").scalar_one())
            skew = theirs - (began + time.time()) / 2
            schema = _judge_schema(connection)
    except AlertdbError as error:
        yield Finding("server", Grade.PROBLEM, "it cannot be used", str(error))
        return
    yield judge_version(settings["version"])
    yield schema
    for name, expected in _expected().items():
        yield judge_setting(name, settings.get(SHOWN_AS.get(name, name), ""), expected, settings)
    yield _judge_mode(settings["sql_mode"])
    yield _judge_binary_log(settings["log_bin"])
    if config.database_url is None:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        yield judge_pool(int(settings["innodb_buffer_pool_size"]), memory)
        yield _judge_network(settings["skip_networking"])
    grade = Grade.WARNING if abs(skew) > SKEW_SECONDS else Grade.OK
    advice = "Have both machines ask the same time server."
    yield Finding.judged("clock of the server", f"{abs(skew):.1f} s from this machine's", grade, advice)


def judge_version(text: str) -> Finding:
    """Say whether the server is one that was tested."""
    match = re.match(r"(\d+)\.(\d+)", text)
    advice = f"Use MariaDB {TESTED[0]}.{TESTED[1]} or later."
    if match is None or "MariaDB" not in text:
        return Finding("server", Grade.PROBLEM, f"{text}, not MariaDB", advice)
    grade = Grade.OK if (int(match[1]), int(match[2])) >= TESTED else Grade.WARNING
    return Finding.judged("server", text, grade, f"Older than what was tested. {advice}")


def judge_setting(name: str, found: str, expected: str, settings: Mapping[str, str]) -> Finding:
    """Hold a setting against what it ought to be; `settings` tell which time zone SYSTEM means."""
    rule = RULES[name]
    value = ON.get(found, found) if expected in ON.values() else found
    if name == "default_time_zone":
        zone = settings.get("system_time_zone", "") if value == "SYSTEM" else value
        value = expected if zone in UTC_NAMES else value
    grade = Grade.OK if value == expected else rule.grade
    advice = (
        f"Otherwise {rule.meaning}: set {name} = {expected} (server_options in alertdb.toml, or the server's file)."
    )
    return Finding.judged(name, found or "not known to this server", grade, advice)


def judge_pool(pool: int, memory: int) -> Finding:
    """Hold the server's cache against the machine's memory, both in bytes."""
    found = f"{pool / 2**30:.1f} GiB of {memory / 2**30:.1f} GiB memory"
    if pool > LARGE_SHARE * memory:
        advice = "The machine will swap, or end the server: leave half of the memory to everything else."
        return Finding("innodb_buffer_pool_size", Grade.PROBLEM, found, advice)
    if pool < SMALL_SHARE * memory:
        advice = (
            'Large archives load faster with more: server_options = ["innodb_buffer_pool_size=8G"] in alertdb.toml.'
        )
        return Finding("innodb_buffer_pool_size", Grade.WARNING, found, advice)
    return Finding("innodb_buffer_pool_size", Grade.OK, found)


def _expected() -> dict[str, str]:
    """Return what the settings ought to be, from the file that the private server is started with."""
    lines = (line.partition("=") for line in read_sql("settings/private.cnf").splitlines() if "=" in line)
    settings = {name.strip(): value.strip() for name, _, value in lines if not name.startswith("#")}
    return {name: settings[name] for name in RULES}


def _judge_schema(connection: Connection) -> Finding:
    try:
        check_schema(connection, "ztf")
    except AlertdbError as error:
        return Finding("tables", Grade.PROBLEM, "of another version; nothing can be loaded", str(error))
    return Finding("tables", Grade.OK, "of this version")


def _judge_mode(mode: str) -> Finding:
    grade = Grade.OK if "STRICT_TRANS_TABLES" in mode or "STRICT_ALL_TABLES" in mode else Grade.WARNING
    advice = "The loader sets its own, other programs may store what does not fit: add STRICT_TRANS_TABLES."
    return Finding.judged("sql_mode", mode or "empty", grade, advice)


def _judge_binary_log(value: str) -> Finding:
    grade = Grade.WARNING if ON.get(value, value) == "ON" else Grade.OK
    advice = "It writes every alert once more: skip_log_bin, unless another server copies this one."
    return Finding.judged("log_bin", value, grade, advice)


def _judge_network(value: str) -> Finding:
    grade = Grade.OK if ON.get(value, value) == "ON" else Grade.WARNING
    advice = "The private server is reached through its socket: set skip_networking = ON."
    return Finding.judged("skip_networking", value, grade, advice)
