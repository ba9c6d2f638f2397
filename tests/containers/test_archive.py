"""The archive in containers: a night comes in through the watched folder, and stays, whatever becomes of them."""

from __future__ import annotations

import os
import shutil
import signal
import urllib.request
from typing import TYPE_CHECKING

from archives import everything
from hub import wait_for
from plain import differences, expected_tables

from ingest.locks import merge_lock

SECONDS = 300.0  # a load that failed is tried again after a minute

if TYPE_CHECKING:
    from pathlib import Path

    from stack import Stack


def test_the_watched_folder_brings_a_night_in_whole(filled: Stack, nights: list[Path]) -> None:
    assert differences(expected_tables(nights[:4]), filled.config) == []
    assert "Tarballs  4 loaded" in filled.alertdb("status")
    filled.alertdb("verify")


def test_it_is_the_same_archive_after_down_and_up(filled: Stack) -> None:
    before = everything(filled.config)
    filled.compose("down")
    filled.up()
    assert everything(filled.config) == before
    filled.alertdb("verify")


def test_a_night_whose_load_the_server_s_death_interrupts_is_in_once(filled: Stack, nights: list[Path]) -> None:
    """The process is killed, as the kernel would when memory runs out; the engine starts the container again."""
    process = filled.inspect("mariadb")["State"]["Pid"]
    with filled.holding(merge_lock("ztf")):  # which the load wants when its alerts are written and not committed
        filled.put(nights[4])
        writing = "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_rows_modified > 100"
        wait_for(lambda: filled.sql(writing) == [["1"]], "the load to write rows", SECONDS)
        assert nights[4].name not in filled.loaded()
        os.kill(process, signal.SIGKILL)
    wait_for(
        lambda: filled.inspect("mariadb")["State"]["Pid"] not in (0, process), "the server to start again", SECONDS
    )
    wait_for(lambda: filled.health("mariadb") == "healthy", "the server to answer", SECONDS)
    wait_for(lambda: nights[4].name in filled.loaded(), "the load to be tried again", SECONDS)
    assert differences(expected_tables(nights[:5]), filled.config) == []
    filled.alertdb("verify")


def test_what_was_destroyed_comes_back_from_a_backup(filled: Stack) -> None:
    before = everything(filled.config)
    filled.back_up()
    filled.compose("down")
    for folder in ("archive", "mariadb"):
        shutil.rmtree(filled.data / folder)
    filled.compose("run", "--rm", "-T", "prepare")
    filled.back_up("alertdb", "restore", "/backups", "--data-directory=/var/lib/alertdb/data")
    filled.up()
    assert everything(filled.config) == before
    filled.alertdb("verify")


def test_metrics_are_there_for_this_machine_alone(filled: Stack) -> None:
    port = filled.settings["ALERTDB_METRICS_PORT"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    assert "alertdb_up 1.0" in lines
    bindings = filled.inspect("metrics")["NetworkSettings"]["Ports"]["9170/tcp"]
    assert [binding["HostIp"] for binding in bindings] == ["127.0.0.1"]
