"""The program, called in this process: a call of its own takes a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hostile import records_of

from alertdb.cli import main
from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from alertdb.config import Config


@pytest.fixture(scope="session")
def commands() -> Iterator[None]:
    """The commands of all packages, as the installed program has them."""
    before = list(main.app.registered_commands), list(main.app.registered_groups)
    main.add_commands()
    yield
    main.app.registered_commands[:], main.app.registered_groups[:] = before


@pytest.fixture
def run(
    archive: Config,
    commands: None,  # noqa: ARG001 (asked for so that it is there)
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, str]]:
    """Call the program on the test's archive; return its exit code and what it printed."""
    monkeypatch.setenv("ALERTDB_HOME", str(archive.home))
    monkeypatch.setenv("ALERTDB_THUMBNAILS_URL", archive.thumbnails)

    def run(*arguments: object) -> tuple[int, str]:
        code = main.run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return code, printed.out + printed.err

    return run


@pytest.fixture(scope="session")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Three simulated records of schema 3.3, with cutouts."""
    (tarball,) = simulate_nights([20240120], 3, tmp_path_factory.mktemp("night"), seed=8)
    return records_of(tarball)
