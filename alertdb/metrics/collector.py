"""The numbers themselves, collected anew for each scrape."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from alertdb.backup.make import LAST_BACKUP, embedded_folder
from alertdb.metrics.server_facts import ask_server, ask_watchdog
from alertdb.server import PrivateServer
from alertdb.thumbnails import RIGHTS
from alertdb.thumbnails.shelf import SUFFIX
from alertdb.version import installed_version
from alertdb.watches import list_watches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from alertdb.config import Config
    from alertdb.metrics.server_facts import ServerFacts

__all__ = ["ArchiveCollector"]

Labelled = dict[tuple[str, ...], float]


class ArchiveCollector(Collector):
    """Numbers of one archive, read through the accounts that may do the least; nothing is kept between scrapes."""

    def __init__(self, config: Config, survey: str = "ztf") -> None:
        self._config = config
        self._survey = survey
        self._alone = threading.Lock()  # scrapes that overlap shall not ask the server twice

    def describe(self) -> list[GaugeMetricFamily]:
        """Name nothing beforehand: it would need the server."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily | InfoMetricFamily]:
        """Yield all numbers; without a server those that need none."""
        with self._alone:
            began = time.monotonic()
            try:
                facts = ask_server(self._config, self._survey)
            except Exception:  # the driver raises errors of many kinds when a server dies under it
                facts = None
            yield _gauge("up", "Whether the database server answers the archive's reader.", facts is not None)
            if facts is not None:
                yield from _server_families(facts)
                yield from _one("watchdog_last_look_timestamp_seconds", WATCHDOG, ask_watchdog(self._config))
            yield from _disk_families(self._config)
            yield from _watch_families(self._config)
            yield from _backup_families(self._config)
            version = {"version": installed_version(), "server": facts.version if facts else ""}
            yield InfoMetricFamily("alertdb", "Versions of alertdb and of the server.", version)
            yield _gauge("scrape_seconds", "What collecting these numbers took.", time.monotonic() - began)


WATCHDOG = "When the watchdog over people's accounts looked last."


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"alertdb_{name}", meaning, value=value)


def _one(name: str, meaning: str, value: float | None) -> Iterable[GaugeMetricFamily]:
    """Give a number, or nothing where there is none: absent is not 0."""
    return () if value is None else (_gauge(name, meaning, value),)


def _many(name: str, meaning: str, labels: tuple[str, ...], values: Labelled) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"alertdb_{name}", meaning, labels=labels)
    for label, value in values.items():
        family.add_metric(label, value)
    return family


def _server_families(facts: ServerFacts) -> Iterator[GaugeMetricFamily]:
    states: Labelled = {(state,): count for state, count in facts.tarballs.items()}
    yield _many("tarballs", "Tarballs that are in, by state.", ("state",), states)
    yield _gauge("alerts", "Alerts that are in, by the ledger.", facts.alerts)
    yield _gauge("rejects", "Packets that were not loaded: 'alertdb rejects'.", facts.rejects)
    yield _gauge("loads_in_progress", "Tarballs that are being loaded.", facts.loads)
    yield from _one("newest_night_timestamp_seconds", "Date of the newest night, at midnight.", facts.newest_night)
    yield from _one("newest_alert_timestamp_seconds", "Exposure of the newest alert.", facts.newest_alert)
    yield from _one("newest_load_timestamp_seconds", "When a tarball was last loaded.", facts.newest_load)
    rows: Labelled = {key: rows for key, (rows, _) in facts.tables.items()}
    sizes: Labelled = {key: size for key, (_, size) in facts.tables.items()}
    labels = ("database", "table")
    yield _many("table_rows", "Rows of a table, estimated by the server.", labels, rows)
    yield _many("table_bytes", "Bytes of a table with its keys, as the server tells.", labels, sizes)
    yield _gauge("server_connections", "Connections that are open.", facts.connections)
    yield _gauge("server_max_connections", "Connections that the server allows.", facts.most_connections)


def _disk_families(config: Config) -> Iterator[GaugeMetricFamily]:
    thumbnails = embedded_folder(config)
    places: dict[str, Path] = {"home": config.home}
    places |= {"database": PrivateServer(config.home).data} if config.database_url is None else {}
    places |= {"thumbnails": thumbnails} if thumbnails is not None else {}
    usage = {(name,): shutil.disk_usage(path) for name, path in places.items() if path.exists()}
    free: Labelled = {name: each.free for name, each in usage.items()}
    total: Labelled = {name: each.total for name, each in usage.items()}
    yield _many("disk_free_bytes", "Free on the disk of a place.", ("place",), free)
    yield _many("disk_size_bytes", "Size of the disk of a place.", ("place",), total)
    if thumbnails is not None:
        sealed = {(rights,): _sealed_sizes(thumbnails / rights) for rights in RIGHTS}
        files: Labelled = {rights: len(sizes) for rights, sizes in sealed.items()}
        sums: Labelled = {rights: sum(sizes) for rights, sizes in sealed.items()}
        yield _many("thumbnails_files", "Sealed files of thumbnails.", ("rights",), files)
        yield _many("thumbnails_bytes", "Bytes of the sealed files.", ("rights",), sums)


def _sealed_sizes(folder: Path) -> list[int]:
    """Return the bytes of each sealed file in a folder, which need not be there."""
    try:
        with os.scandir(folder) as entries:
            return [entry.stat().st_size for entry in entries if entry.name.endswith(SUFFIX)]
    except OSError:
        return []


def _watch_families(config: Config) -> Iterator[GaugeMetricFamily]:
    watches = {(watch.folder,): watch for watch in list_watches(config)}
    waiting: Labelled = {folder: watch.waiting for folder, watch in watches.items()}
    failed: Labelled = {folder: len(watch.failed) for folder, watch in watches.items()}
    looks: Labelled = {folder: watch.looked_at for folder, watch in watches.items()}
    meaning = "Tarballs in a watched folder that"
    yield _many("watch_waiting_tarballs", f"{meaning} are incomplete or wait for their turn.", ("folder",), waiting)
    yield _many("watch_failed_tarballs", f"{meaning} failed and are left alone: 'alertdb status'.", ("folder",), failed)
    yield _many("watch_last_look_timestamp_seconds", "When 'alertdb watch' looked last.", ("folder",), looks)


def _backup_families(config: Config) -> Iterator[GaugeMetricFamily]:
    try:
        last = json.loads((config.home / LAST_BACKUP).read_text(encoding="utf-8"))
        made_at = datetime.fromisoformat(last["made_at"]).timestamp()
        size = float(last["bytes"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    yield _gauge("last_backup_timestamp_seconds", "When the last whole backup was made.", made_at)
    yield _gauge("last_backup_bytes", "Size of the last whole backup.", size)
