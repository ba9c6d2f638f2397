from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from alertdb.people.leaving import list_limits
from alertdb.people.names import LIMITS

if TYPE_CHECKING:
    from alertdb.config import Config


def test_the_server_has_the_limits_that_completion_offers(server_config: Config) -> None:
    assert tuple(name for name, _, _ in list_limits(server_config)) == LIMITS


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("people limits ", {*LIMITS}),
        ("people limits s", {"scratch_MB", "statement_seconds"}),
        ("simulate --schema ", {"3.3", "4.02"}),
        ("simulate --schema 4", {"4.02"}),
    ],
)
def test_completion(words: str, offered: set[str]) -> None:
    line = f"alertdb {words}"
    asked = {"_ALERTDB_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    command = [sys.executable, "-m", "alertdb.cli.main"]
    done = subprocess.run(command, env=os.environ | asked, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == offered
