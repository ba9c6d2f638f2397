"""The examples in the documentation of the library are run, on the real alerts; SKIP marks what needs more."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from typing import TYPE_CHECKING

import pytest
from loaded import load_tarballs

import alertdb
from alertdb.archive import Archive

if TYPE_CHECKING:
    from pathlib import Path

    from alertdb.config import Config


def modules_with_examples() -> list[str]:
    names = [module.name for module in pkgutil.walk_packages(alertdb.__path__, "alertdb.") if ".sql" not in module.name]
    finder = doctest.DocTestFinder(exclude_empty=True)
    return [name for name in names if any(test.examples for test in finder.find(importlib.import_module(name), name))]


@pytest.fixture(scope="module")
def config(server_config: Config, real_tarballs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Config:
    return load_tarballs(server_config, tmp_path_factory.mktemp("thumbnails"), real_tarballs)


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples(config: Config, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTDB_HOME", str(config.home))
    monkeypatch.setenv("ALERTDB_THUMBNAILS_URL", config.thumbnails)
    with Archive(config) as archive:
        found = doctest.testmod(
            importlib.import_module(name),
            extraglobs={"alertdb": alertdb, "archive": archive, "db": archive},
            optionflags=doctest.NORMALIZE_WHITESPACE,
        )
    assert found.failed == 0
