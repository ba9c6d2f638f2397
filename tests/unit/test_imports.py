"""The import rules of the design: imports run one way, and stages meet at files and tables."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Parsing ends in frames; loading begins from them. The pipeline, which joins them, is in neither list.
PARSERS = ("decoding", "tarballs", "surveys", "cleaning", "spool", "simulation", "checksum")
LOADERS = ("load", "ledger", "shared_tables", "summary", "transaction", "pipeline", "session", "report", "commands")


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def modules(*names: str) -> list[Path]:
    return sorted(
        path for name in names for path in [ROOT / f"{name}.py", *(ROOT / name).rglob("*.py")] if path.exists()
    )


def test_alertdb_never_imports_ingest() -> None:
    paths = modules("alertdb")
    assert len(paths) > 10
    assert [path for path in paths if any(name.split(".")[0] == "ingest" for name in imports_of(path))] == []


@pytest.mark.parametrize("parser", PARSERS)
def test_a_parser_never_imports_a_loader(parser: str) -> None:
    paths = modules(f"ingest/{parser}")
    assert paths
    loaders = {f"ingest.{loader}" for loader in LOADERS} | {"alertdb.database", "sqlalchemy", "mariadb"}
    for path in paths:
        assert not imports_of(path) & loaders, path


def test_loaders_exist() -> None:
    assert all((ROOT / "ingest" / f"{loader}.py").exists() for loader in LOADERS)


def test_no_root_folder_shadows_an_installed_package() -> None:
    for folder in ("jupyterhub", "notebooks", "containers", "docs", "benchmarks"):
        assert not (ROOT / folder / "__init__.py").exists()


def test_each_module_can_be_imported_alone() -> None:
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in modules("alertdb", "ingest")]
    names = [name.removesuffix(".__init__") for name in names]
    script = "import importlib, sys\n"
    script += "for name in sys.argv[1:]:\n    before = set(sys.modules)\n    importlib.import_module(name)\n"
    script += (
        "    [sys.modules.pop(m) for m in set(sys.modules) - before if m.split('.')[0] in ('alertdb', 'ingest')]\n"
    )
    done = subprocess.run([sys.executable, "-c", script, *names], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("script", ["setup.sh", "containers/ingest/Dockerfile"])
def test_all_compiled_functions_are_compiled_at_setting_up(script: str) -> None:
    """Else the first night that is loaded would wait for that."""
    imports = re.findall(r"python -c '(import [^']*wire[.]kernel)'", (ROOT / script).read_text())
    assert len(imports) == 1
    code = f"{imports[0]}, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    compiled = [path for path in modules("ingest", "alertdb") if re.search(r"^@_?compiled\(", path.read_text(), re.M)]
    assert len(compiled) > 4
    assert {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in compiled} <= set(loaded)
