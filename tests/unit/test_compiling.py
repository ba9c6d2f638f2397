from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

MODULE = """
import sys
import numpy as np
from numba import types
from alertdb.compiling import compile_once

def total(numbers):
    found = 0
    for number in numbers:
        found += number
    return found

compiled = compile_once(total, types.int64(types.Array(types.int64, 1, "C", readonly=True)), {"_nrt": False})
numbers = np.arange(5)
numbers.flags.writeable = "w" in sys.argv
print(compiled(numbers), "numba.np.arraymath" in sys.modules)
try:
    print(compiled(np.arange(5.0)))
except TypeError:
    print("refused")
"""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "module.py"
    path.write_text(MODULE)
    return path


def run(module: Path, *arguments: str, **settings: str) -> list[str]:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(module.parent / "cache")} | settings
    command = [sys.executable, str(module), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("writable", ["w", ""])
def test_the_second_process_needs_nothing_that_compiles(module: Path, writable: str) -> None:
    assert run(module, writable) == ["10", "True", "refused"]
    assert run(module, writable) == ["10", "False", "refused"]


def test_a_function_that_changed_is_compiled_anew(module: Path) -> None:
    run(module)
    module.write_text(MODULE.replace("+= number", "+= 2 * number"))
    assert run(module) == ["20", "True", "refused"]


def test_without_a_place_for_a_cache_it_is_compiled_each_time(module: Path) -> None:
    file = module.parent / "__pycache__"
    file.write_text("a file where a folder should be")
    nowhere = dict.fromkeys(("NUMBA_CACHE_DIR", "HOME", "XDG_CACHE_HOME"), str(file))
    assert run(module, **nowhere) == run(module, **nowhere) == ["10", "True", "refused"]


def test_without_compiling_it_is_the_function_itself(module: Path) -> None:
    assert run(module, NUMBA_DISABLE_JIT="1")[:1] == ["10"]
