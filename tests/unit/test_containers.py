"""What the files of the containers say, held against each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from sqlalchemy import make_url

from alertdb.database import Account
from alertdb.hub.settings import read_settings

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "containers"
END = "# --- As far as here they are the same. ---"
COMPOSE = (ROOT / "compose.yaml").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()


def test_the_part_with_python_is_the_same_in_all_images() -> None:
    """So it is built once, and lies on the disk once."""
    parts = {(FOLDER / image / "Dockerfile").read_text().split(END)[0] for image in ("ingest", "hub", "notebook")}
    assert len(parts) == 1


@pytest.mark.parametrize("image", ["mariadb", "ingest", "hub", "notebook", "firewall"])
def test_an_image_has_one_base_that_an_argument_names(image: str) -> None:
    text = (FOLDER / image / "Dockerfile").read_text()
    stages = re.findall(r"^FROM \S+ AS (\w+)", text, re.MULTILINE)
    bases = set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) - set(stages)
    assert "ARG BASE=debian:bookworm-slim" in text
    assert bases == {"${BASE}"}


def test_every_setting_of_compose_is_in_the_example_and_none_else() -> None:
    wanted = set(re.findall(r"\$\{(ALERTDB_\w+)", COMPOSE))
    handed_on = {f"ALERTDB_HUB_{name}" for name in re.findall(r"^      ALERTDB_HUB_(\w+):$", COMPOSE, re.MULTILINE)}
    told = set(re.findall(r"^(?:# )?(ALERTDB_\w+)=", EXAMPLE, re.MULTILINE))
    assert wanted - told == set()
    assert told - wanted - handed_on == set()


def test_every_setting_of_the_hub_reaches_it() -> None:
    """But those that say how the hub itself runs, which is fixed here."""
    known = set(re.findall(r"^#? ?(ALERTDB_HUB_\w+)=", (ROOT / "jupyterhub" / "hub.env.example").read_text(), re.M))
    told = set(yaml.safe_load(COMPOSE)["services"]["hub"]["environment"])
    couchbase = {"ALERTDB_HUB_COUCHBASE_READERS_FILE", "ALERTDB_HUB_COUCHBASE_PARTNERS_FILE"}  # notebooks do without
    assert known - told == couchbase | {"ALERTDB_HUB_SPAWNER"}


def test_the_example_is_a_hub_s_settings() -> None:
    told = dict(re.findall(r"^(ALERTDB_HUB_\w+)=(.*)$", EXAMPLE, re.MULTILINE))
    del told["ALERTDB_HUB_CLIENT_SECRET_FILE"]
    assert read_settings(told | {"ALERTDB_HUB_CLIENT_SECRET": "x"}).spawner == "docker"


def test_each_of_the_archive_s_accounts_is_closed_to_the_network() -> None:
    closed = re.findall(r"^CREATE USER IF NOT EXISTS (\w+)@'([\d./]+)' ACCOUNT LOCK;$", only_by_socket(), re.MULTILINE)
    accounts = {account.user for account in Account if account is not Account.ADMIN}
    halves = ("0.0.0.0/128.0.0.0", "128.0.0.0/128.0.0.0")
    assert set(closed) == {(account, half) for account in accounts for half in halves}


def only_by_socket() -> str:
    return (FOLDER / "ingest" / "only_by_socket.sql").read_text()


def test_the_server_is_reached_through_the_socket() -> None:
    services = yaml.safe_load(COMPOSE)["services"]
    urls = [service.get("environment", {}).get("ALERTDB_DATABASE_URL") for service in services.values()]
    sockets = {make_url(url).query["unix_socket"] for url in urls if url}
    assert sockets == {"/run/alertdb/mariadbd.sock"}
    assert "--socket=/run/alertdb/mariadbd.sock" in (FOLDER / "mariadb" / "start.sh").read_text()
