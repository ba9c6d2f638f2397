"""The examples in the documentation of the library are run, on the real alerts; SKIP marks what needs more."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from loaded import load_tarballs

import alertdb
from alertdb.archive import Archive

if TYPE_CHECKING:
    from alertdb.config import Config


ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "asking.md"
OPTIONS = doctest.NORMALIZE_WHITESPACE


def modules_with_examples() -> list[str]:
    paths = sorted(path for path in (ROOT / "alertdb").rglob("*.py") if ">>> " in path.read_text(encoding="utf-8"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]
    return [name.removesuffix(".__init__") for name in names]


@pytest.fixture(scope="module")
def config(server_config: Config, real_tarballs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Config:
    return load_tarballs(server_config, tmp_path_factory.mktemp("thumbnails"), real_tarballs)


@pytest.fixture
def settings(config: Config, monkeypatch: pytest.MonkeyPatch) -> Config:
    """Have `alertdb.connect()` find this archive, as it finds one's own; a narrow screen cuts no column."""
    monkeypatch.setenv("ALERTDB_HOME", str(config.home))
    monkeypatch.setenv("ALERTDB_THUMBNAILS_URL", config.thumbnails)
    monkeypatch.setenv("COLUMNS", "120")
    return config


@pytest.mark.usefixtures("settings")
def test_the_page_for_those_who_ask() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False, optionflags=OPTIONS)
    assert found.attempted > 20
    assert found.failed == 0


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("name", modules_with_examples())
def test_examples(config: Config, name: str) -> None:
    with Archive(config) as archive:
        found = doctest.testmod(
            importlib.import_module(name),
            extraglobs={"alertdb": alertdb, "archive": archive, "db": archive},
            optionflags=OPTIONS,
        )
    assert found.failed == 0
