"""What tests do with pages in the browser. Screenshots are kept in build/screenshots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub import wait_for
from plain import stored_table

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from alertdb.config import Config

SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"


def keep(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def run_all_cells(page: Page) -> None:
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def save_when_done(page: Page, path: Path) -> list[dict[str, Any]]:
    """Wait until the last cell has run, save the notebook as its user would, and return its code cells."""

    def saved() -> list[dict[str, Any]] | None:
        page.keyboard.press("Control+s")
        page.wait_for_timeout(300)
        try:
            notebook = json.loads(path.read_text())
        except ValueError:  # it is being written
            return None
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        return cells if all(cell["execution_count"] for cell in cells) else None

    cells: list[dict[str, Any]] = wait_for(saved, "the last cell")
    return cells


def brightest(archive: Config) -> str:
    """The answer to the notebook's question, from the bare rows."""
    rows = stored_table(archive, "summary", ("objectId",)).values()
    bands = ("magmin_g", "magmin_r")
    return str(min((min(row[b] or 99 for b in bands), row["objectId"]) for row in rows)[1])
