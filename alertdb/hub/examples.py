"""The example notebooks: listed on the hub's start page, and copied to where people may change them."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

__all__ = ["EXAMPLES", "Example", "copy_examples", "list_examples"]

EXAMPLES = Path(__file__).resolve().parents[2] / "notebooks"


@dataclass(frozen=True)
class Example:
    """One example notebook: its file name, and the heading it begins with."""

    file: str
    title: str


def list_examples(folder: Path) -> list[Example]:
    """Return the notebooks of a folder by name."""
    return [Example(path.name, _title(path)) for path in sorted(folder.glob("*.ipynb"))]


def copy_examples(source: Path, target: Path) -> None:
    """Copy the example notebooks, and what lies beside them, into `target`; what is there already stays as it is."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.glob("*")):
        if path.is_file() and not (target / path.name).exists():
            shutil.copyfile(path, target / path.name)


def _title(path: Path) -> str:
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (ValueError, KeyError):
        return path.stem  # one notebook that is broken must not keep the hub from starting
    lines = [line for cell in cells if cell["cell_type"] == "markdown" for line in "".join(cell["source"]).splitlines()]
    headings = [line.lstrip("# ").strip() for line in lines if line.startswith("# ")]
    return headings[0] if headings else path.stem
