"""The scripts of benchmarks/ as one calls them: that they begin and end well, not what they measure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks"  # called in it, Python finds its ingest.py before the package
SCRIPTS = sorted(path.name for path in FOLDER.glob("*.py"))
SECONDS = 120  # far more than any needs

# Imports take nearly all the time that a refusal takes, so one process calls all scripts, each as Python would.
CALL_ALL = """
import contextlib, io, json, runpy, sys
from pathlib import Path

def call(script, *arguments):
    sys.argv[:], sys.path[0] = [str(script), *arguments], str(script.parent)
    printed, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(said):
        try:
            runpy.run_path(str(script), run_name="__main__")
        except SystemExit as end:
            return end.code, printed.getvalue(), said.getvalue()
    return 0, printed.getvalue(), said.getvalue()

folder, calls = Path(sys.argv[1]), json.loads(sys.stdin.read())
print(json.dumps([call(folder / script, *arguments) for script, *arguments in calls]))
"""

Answer: TypeAlias = tuple[int, str, str]


def run(command: list[str], folder: Path, told: str = "") -> Answer:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # a script needs none
    done = subprocess.run(
        command, cwd=folder, env=environment, input=told, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    return done.returncode, done.stdout, done.stderr


def wrong_arguments(missing: Path) -> dict[str, tuple[str, ...]]:
    return {
        "data": ("--data", str(missing)),
        "json": ("--json", str(missing / "figures.json")),
        "unknown": ("--dta", str(missing)),
    }


@pytest.fixture(scope="module")
def missing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("benchmarks") / "missing"


@pytest.fixture(scope="module")
def refusals(missing: Path) -> dict[tuple[str, str], Answer]:
    """What each script answers to each wrong argument."""
    calls = {(script, name): found for script in SCRIPTS for name, found in wrong_arguments(missing).items()}
    command = [sys.executable, "-c", CALL_ALL, str(FOLDER)]
    code, printed, said = run(command, ROOT, json.dumps([[script, *found] for (script, _), found in calls.items()]))
    assert code == 0, said
    return dict(zip(calls, json.loads(printed), strict=True))


@pytest.fixture(scope="module")
def help_texts() -> dict[str, Answer]:
    """What each script answers to --help, each in a process of its own, in turn in its own folder and outside."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = [
            pool.submit(run, [sys.executable, str(FOLDER / script), "--help"], (FOLDER, Path("/"))[number % 2])
            for number, script in enumerate(SCRIPTS)
        ]
    return {script: answer.result() for script, answer in zip(SCRIPTS, answers, strict=True)}


def test_the_scripts_are_found() -> None:
    assert {"ingest.py", "scale.py", "settings.py"} <= set(SCRIPTS)


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_describes_and_gives_examples(help_texts: dict[str, Answer], script: str) -> None:
    code, printed, said = help_texts[script]
    assert (code, said) == (0, "")
    described, examples = printed.split("\nExamples\n")
    assert described.count(". ") + described.count(".\n") > 0
    assert examples.count(f"python benchmarks/{script} ") >= 2
    assert all(argument in described for argument in ("--quick", "--json FILE", "--data FOLDER"))


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("wrong", ["data", "json"])
def test_a_missing_folder_is_refused_in_one_line(
    refusals: dict[tuple[str, str], Answer], missing: Path, script: str, wrong: str
) -> None:
    code, printed, said = refusals[script, wrong]
    assert (code, printed) == (2, "")
    assert said == (
        f"Error: argument --{wrong}: the folder {missing} does not exist; make it, or name another. "
        f"All arguments: {script} --help\n"
    )
    assert not missing.exists()


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_unknown_argument_is_refused_in_one_line(refusals: dict[tuple[str, str], Answer], script: str) -> None:
    code, printed, said = refusals[script, "unknown"]
    assert (code, printed, said.count("\n")) == (2, "", 1)
    assert said.startswith("Error: ")
    assert "--dta" in said


def test_figures_are_plain_numbers_and_worker_processes_find_the_packages(tmp_path: Path) -> None:
    """Workers import the script again; called in its folder, its ingest.py must not hide the package there either."""
    path = tmp_path / "figures.json"
    command = [sys.executable, "simulation.py", "--quick", "--alerts=20", "--workers=2", f"--json={path}"]
    code, printed, said = run([*command, f"--data={tmp_path}"], FOLDER)
    assert (code, said) == (0, "")
    figures = json.loads(path.read_text())
    assert all(type(value) in (int, float) for value in figures.values())
    assert (figures["alerts"], figures["workers"], figures["quick"]) == (20, 2, 1)
    assert [line.split()[0] for line in printed.splitlines()[:-1]] == list(figures)
    assert printed.splitlines()[-1].startswith("a quick run")
    assert list(tmp_path.iterdir()) == [path]
