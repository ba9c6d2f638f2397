from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alertdb.hub.accounts import archive_environment, close_for, mounts
from alertdb.hub.errors import SecretExposed, SettingMissing, SettingUnusable
from alertdb.hub.settings import ensure_secret, read_settings
from alertdb.hub.spawners import docker
from alertdb.people.leaving import remove_person

if TYPE_CHECKING:
    from alertdb.config import Config

NAMES = ("tarballs", "exports", "thumbnails")
ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = (ROOT / "jupyterhub" / "hub.env.example").read_text()
NEEDED = {
    "ALERTDB_HUB_URL": "https://alerts.example.org/",
    "ALERTDB_HUB_ORGANIZATIONS": "group, other:team_1",
    "ALERTDB_HUB_CLIENT_ID": "id",
    "ALERTDB_HUB_CLIENT_SECRET": "secret",
}


def test_four_settings_are_enough_and_nobody_is_admin() -> None:
    settings = read_settings(NEEDED)
    assert settings.url == "https://alerts.example.org"
    assert settings.organizations == ("group", "other:team_1")
    assert (settings.spawner, settings.admins, settings.admin_names) == ("docker", (), set())
    assert settings.github_api == "https://api.github.com"
    assert settings.check_seconds < 600 - 300  # a leaver is out within ten minutes, a slow stop included


def test_an_enterprise_server_has_its_api_below_itself() -> None:
    settings = read_settings(
        NEEDED | {"ALERTDB_HUB_GITHUB_URL": "https://git.example.org", "ALERTDB_HUB_ADMINS": "7 8"}
    )
    assert settings.github_api == "https://git.example.org/api/v3"
    assert settings.admin_names == {"gh7", "gh8"}


@pytest.mark.parametrize("name", NEEDED)
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(SettingMissing, match=rf"{name}.* is not set: .*hub\.env\.example"):
        read_settings({**NEEDED, name: " "})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("URL", "alerts.example.org"),
        ("URL", "https://alerts.example.org/hub"),
        ("ORGANIZATIONS", "group; other"),
        ("ORGANIZATIONS", "group/team"),
        ("ADMINS", "ada"),
        ("SPAWNER", "kubernetes"),
        ("MEMORY", "lots"),
        ("CPUS", "-1"),
        ("CHECK_SECONDS", "3600"),
        ("CHECK_SECONDS", "0"),
        ("SUBDOMAINS", "maybe"),
        ("ADDRESS", "hub.example.org"),
    ],
)
def test_what_is_unusable_is_named_with_what_was_expected(name: str, value: str) -> None:
    with pytest.raises(SettingUnusable, match=rf"ALERTDB_HUB_{name} is '.*'; expected ") as error:
        read_settings(NEEDED | {f"ALERTDB_HUB_{name}": value})
    assert "\n" not in str(error.value)


def test_a_secret_in_a_file_that_others_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from a file\n")
    file.chmod(0o640)
    settings = {**NEEDED, "ALERTDB_HUB_CLIENT_SECRET": "", "ALERTDB_HUB_CLIENT_SECRET_FILE": str(file)}
    with pytest.raises(SecretExposed, match="mode 640; expected 600"):
        read_settings(settings)
    file.chmod(0o600)
    assert read_settings(settings).client_secret == file.read_text().strip()


def test_the_hubs_own_secrets_are_made_once(tmp_path: Path) -> None:
    first = ensure_secret(tmp_path / "state", "crypt_key")
    assert len(bytes.fromhex(first)) == 32
    assert ensure_secret(tmp_path / "state", "crypt_key") == first
    assert ensure_secret(tmp_path / "state", "cookie_secret") != first
    assert (tmp_path / "state" / "crypt_key").stat().st_mode & 0o777 == 0o600


def test_the_example_explains_every_setting_with_its_default() -> None:
    """A hub started with the example as it is, and one where all defaults are written down, are the same."""
    lines = re.findall(r"(?m)^(# )?(ALERTDB_HUB_\w+)=(.*)$", EXAMPLE)
    asked = set(re.findall(r'source\.\w+\(\s*"(\w+)"', (ROOT / "alertdb" / "hub" / "settings.py").read_text()))
    assert {name.removeprefix("ALERTDB_HUB_").removesuffix("_FILE") for _, name, _ in lines} == asked
    written = {name: value for commented, name, value in lines if not commented and not name.endswith("_FILE")}
    written["ALERTDB_HUB_CLIENT_SECRET"] = NEEDED["ALERTDB_HUB_CLIENT_SECRET"]
    defaults = {name: value for commented, name, value in lines if commented}
    assert read_settings(written | defaults) == read_settings(written)


def test_containers_are_bounded() -> None:
    """That Docker keeps to it is shown where containers are tested."""
    spawner = docker(read_settings(NEEDED | {"ALERTDB_HUB_MEMORY": "2G"})).DockerSpawner
    assert list(spawner.volumes.values()) == ["/home/jovyan"]  # nothing else is writable
    assert (spawner.mem_limit, spawner.cpu_limit, spawner.remove) == ("2G", 2.0, True)
    host = spawner.extra_host_config
    assert (host["cap_drop"], host["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
    assert host["read_only"]


@pytest.mark.parametrize("partnership", [False, True])
def test_containers_see_only_the_folders_of_what_their_user_may_read(tmp_path: Path, partnership: bool) -> None:
    for name in ("TARBALLS", "THUMBNAILS", "EXPORTS"):
        for rights in ("public", "partnership"):
            (tmp_path / name / rights).mkdir(parents=True)
    folders = {f"ALERTDB_HUB_{name}": str(tmp_path / name) for name in ("TARBALLS", "THUMBNAILS", "EXPORTS")}
    seen = mounts(read_settings(NEEDED | folders), partnership=partnership)
    public = {str(tmp_path / name.upper() / "public"): f"/data/{name}/public" for name in NAMES}
    hidden = {str(tmp_path / name.upper() / "partnership"): f"/data/{name}/partnership" for name in NAMES}
    assert seen == (public | hidden if partnership else public)


def test_folders_without_rights_classes_are_refused(tmp_path: Path) -> None:
    """Else a folder in which both lie side by side would be shown to all."""
    for name in ("TARBALLS", "EXPORTS"):
        with pytest.raises(SettingUnusable, match="a folder in which public or partnership is a folder"):
            read_settings(NEEDED | {f"ALERTDB_HUB_{name}": str(tmp_path)})


@pytest.mark.parametrize("url", ["mariadb://reader:secret@host/", "mariadb://host/ztf", "postgresql://host/"])
def test_the_database_is_named_without_an_account(url: str) -> None:
    with pytest.raises(SettingUnusable, match="expected mariadb://HOST:PORT/") as error:
        read_settings(NEEDED | {"ALERTDB_HUB_DATABASE_URL": url})
    assert "secret" not in str(error.value)


def test_notebooks_are_told_of_couchbase_what_they_may_read(server_config: Config) -> None:
    accounts = {"ALERTDB_HUB_COUCHBASE_READERS": "readers:word", "ALERTDB_HUB_COUCHBASE_PARTNERS": "partners:word"}
    named = {"ALERTDB_HUB_DATABASE_URL": "mariadb://db.example.org:3307/"}
    settings = read_settings(NEEDED | named | accounts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALERTDB_HOME", str(server_config.home))
        public = archive_environment(settings, 61, "ada", partnership=False)
        partner = archive_environment(settings, 61, "ada", partnership=True)
        close_for(61)
    remove_person(server_config, 61)
    assert re.fullmatch(
        r"mariadb://gh61:[\w-]{43}@db\.example\.org:3307/ztf_public", public.pop("ALERTDB_DATABASE_URL")
    )
    assert re.fullmatch(r"mariadb://gh61:[\w-]{43}@db\.example\.org:3307/ztf", partner.pop("ALERTDB_DATABASE_URL"))
    assert public == {"ALERTDB_COUCHBASE_ACCOUNT_PUBLIC": "readers:word"}
    assert partner == public | {"ALERTDB_COUCHBASE_ACCOUNT_PARTNERSHIP": "partners:word"}
