"""Damaged and hostile tarballs through the program: refused in one clear line, rejected, or loaded as if undamaged."""

from __future__ import annotations

import gzip
import random
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from archives import empty_tables, everything, load
from hostile import contradictions, counts

from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alertdb.config import Config

SEED = 20240115
SAMPLES = 200
THROUGH_A_PROCESS = 10
PROGRAM = [sys.executable, "-m", "alertdb.cli.main"]
NAME = "ztf_public_20240115.tar.gz"


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small night of two alerts."""
    (tarball,) = simulate_nights([20240115], 2, tmp_path_factory.mktemp("night"), seed=SEED)
    return tarball.read_bytes()


def damaged(dice: random.Random, data: bytes) -> bytes:
    """Flip some bits, or cut the file: of the tarball, or of the tar in it, which gzip then vouches for."""
    inner = dice.random() < 0.5
    changed = bytearray(gzip.decompress(data) if inner else data)
    if dice.random() < 0.3:
        del changed[dice.randrange(len(changed)) :]
    else:
        for _ in range(dice.choice([1, 1, 2, 50])):
            # Headers and lengths lie at the beginning of members: half of the flips go there.
            place = dice.choice([dice.randrange(len(changed)), dice.randrange(min(40_000, len(changed)))])
            changed[place] ^= 1 << dice.randrange(8)
    return gzip.compress(bytes(changed), mtime=0) if inner else bytes(changed)


def judge(config: Config, code: int, printed: str, undamaged: dict[str, Any]) -> str:
    """Say what became of a damaged tarball, after making sure that it is one of the things that may."""
    assert "Traceback" not in printed
    found = counts(config)
    if code != 0:
        assert code == 1
        errors = [line for line in printed.splitlines() if line.startswith("Error: ")]
        assert len(errors) == 1, printed
        assert NAME in errors[0]
        assert set(found.values()) == {0}
        return "refused"
    assert contradictions(config) == []
    assert found["tarballs"] == 1
    if found["rejects"]:
        assert re.search(rf"{found['rejects']} rejects?", printed)
        return "rejects"
    if everything(config)["alerts"] == undamaged["alerts"]:
        return "equal"
    # A bit of a number cannot be told from another number; a tar cut between members and closed by gzip is said.
    return "other values"


def test_two_hundred_damaged_tarballs(
    archive: Config, run: Callable[..., tuple[int, str]], night: bytes, tmp_path: Path
) -> None:
    path = tmp_path / NAME
    path.write_bytes(night)
    load(archive, path)
    undamaged = everything(archive)
    dice = random.Random(SEED)
    kinds: dict[str, int] = {}
    kind = ""
    for number in range(SAMPLES):
        if kind != "refused":
            empty_tables(archive)
        path.write_bytes(damaged(dice, night))
        if number < THROUGH_A_PROCESS:
            done = subprocess.run([*PROGRAM, "ingest", path], capture_output=True, text=True, check=False)
            code, printed = done.returncode, done.stdout + done.stderr
        else:
            code, printed = run("ingest", path)
        kind = judge(archive, code, printed, undamaged)
        kinds[kind] = kinds.get(kind, 0) + 1
    assert sum(kinds.values()) == SAMPLES
    assert kinds["refused"] > SAMPLES / 2
    assert kinds["rejects"] > 5
    path.write_bytes(night)
    empty_tables(archive)
    assert run("ingest", path)[0] == 0
    assert everything(archive) == undamaged


def test_what_is_damaged_can_be_loaded_as_far_as_it_is_whole(
    archive: Config, run: Callable[..., tuple[int, str]], night: bytes, tmp_path: Path
) -> None:
    path = tmp_path / NAME
    path.write_bytes(night[: len(night) * 2 // 3])
    code, printed = run("ingest", path)
    assert code == 1
    assert "is damaged" in printed
    assert "--allow-damaged" in printed
    code, printed = run("ingest", path, "--allow-damaged")
    assert code == 0
    assert "loaded as partial" in printed
    assert counts(archive)["alerts"] == 1
    assert contradictions(archive) == []
