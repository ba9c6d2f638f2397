"""What is installed: pins that agree, and a wheel that carries its data files."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("alertdb", "ingest")
LISTS = ("requirements.txt", "requirements-hub.txt", "requirements-browser.txt")
CARRIED = {".py", ".typed", ".sql", ".cnf", ".avsc", ".json"}


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def pins() -> dict[str, str]:
    """Pinned version of each package; the lists must not disagree, since one is installed on top of another."""
    lines = {pair for name in LISTS for pair in re.findall(r"(?m)^([\w.-]+)==(\S+)", (ROOT / name).read_text())}
    assert len({name for name, _ in lines}) == len(lines)
    return {canonicalize_name(name): version for name, version in lines}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built without network from a copy: setuptools would put leftovers of ROOT/build into it."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("alertdb", "ingest", "sql"):
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    _pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", target, source)
    return next(target.glob("*.whl"))


def _pip(*arguments: str | Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _declared(project: dict[str, Any]) -> list[Requirement]:
    table = project["project"]
    lists = [project["build-system"]["requires"], table["dependencies"], *table["optional-dependencies"].values()]
    return [Requirement(text) for texts in lists for text in texts]


def test_every_requirement_is_pinned_to_a_version_that_it_allows(project: dict[str, Any], pins: dict[str, str]) -> None:
    wrong = [
        str(requirement)
        for requirement in _declared(project)
        if not requirement.specifier.contains(pins.get(canonicalize_name(requirement.name), "0"))
    ]
    assert wrong == []


@pytest.mark.parametrize("requirements", LISTS)
def test_every_pin_is_asked_for(project: dict[str, Any], requirements: str) -> None:
    """Follow the notes "via" up from each pin: what only a dropped package asked for is dropped too."""
    known = {canonicalize_name(requirement.name) for requirement in _declared(project)}
    blocks = re.split(r"(?m)^(?=\w)", (ROOT / requirements).read_text())
    asked_by = {
        canonicalize_name(block.split("==")[0]): set(re.findall(r"#(?: via)? +([\w.-]+)", block))
        for block in blocks
        if "==" in block
    }
    for name, askers in asked_by.items():
        assert (name in known) if "alertdb" in askers else (askers & set(asked_by)), name


def test_the_reason_for_every_requirement_is_told(project: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "decisions" / "dependencies.md").read_text()
    told = set(re.findall(r"[\w-]+", " ".join(re.findall(r"(?m)^\| ([^|]+) \|", page))))
    assert {requirement.name for requirement in _declared(project)} - told == set()


def test_conda_takes_the_same_python_and_the_same_pins(project: dict[str, Any]) -> None:
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert f"python{project['project']['requires-python']}" in dependencies
    assert dependencies[-1] == {"pip": ["-r requirements.txt", "-e ."]}


def test_the_wheel_carries_every_file_of_the_packages(wheel: Path) -> None:
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in CARRIED
    }
    expected |= {f"alertdb/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "sql").rglob("*") if path.is_file()}
    carried = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert carried == expected


def test_an_installed_wheel_finds_its_sql_and_its_commands(wheel: Path, tmp_path: Path) -> None:
    _pip("install", "--no-deps", "--no-index", "--target", tmp_path, wheel)
    code = (
        "import alertdb; from importlib.resources import files;"
        "print(alertdb.__file__, files('alertdb').joinpath('sql/settings/private.cnf').is_file())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(tmp_path / "alertdb" / "__init__.py"), "True"]
    assert (tmp_path / "bin" / "alertdb").is_file()


def test_no_other_folder_is_a_package() -> None:
    """A folder `jupyterhub` with an `__init__.py` would hide the installed package of that name."""
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} == set(PACKAGES)
