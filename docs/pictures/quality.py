"""Draw the pictures of docs/qa.md and notebooks/README.md, from a simulated archive.

    python docs/pictures/quality.py

Simulates 60 nights, loads them into an archive in a temporary folder, and draws quality.png, four of the quality
pictures, and asteroid.png, the last picture of the notebook on asteroids.
"""

from __future__ import annotations

import base64
import io
import os
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from nbclient import NotebookClient
from PIL import Image
from simulated import simulated_archive

import alertdb
from alertdb.picture import png

if TYPE_CHECKING:
    from alertdb.config import Config

NIGHTS = [int(f"{date(2024, 1, 1) + timedelta(days=number):%Y%m%d}") for number in range(60)]
ALERTS_PER_NIGHT = 300
SHOWN = ("sky", "asteroids", "limits", "rb_magnitude")
WIDTH = 900
FOLDER = Path(__file__).parent
NOTEBOOK = FOLDER.parents[1] / "notebooks" / "04_asteroids.ipynb"


def main() -> None:
    """Simulate, load, draw."""
    with tempfile.TemporaryDirectory() as name, simulated_archive(Path(name), NIGHTS, ALERTS_PER_NIGHT) as config:
        draw_quality(config)
        draw_asteroid(config, name)


def draw_quality(config: Config) -> None:
    """Put four quality pictures beside and below each other."""
    with alertdb.Archive(config) as archive:
        pictures = [
            Image.open(io.BytesIO(png(getattr(archive.qa, name)().figure, 110))).convert("RGB") for name in SHOWN
        ]
    pictures = [picture.resize((WIDTH, picture.height * WIDTH // picture.width)) for picture in pictures]
    heights = [max(pair.height for pair in pictures[row : row + 2]) for row in (0, 2)]
    whole = Image.new("RGB", (2 * WIDTH, sum(heights)), "white")
    for number, picture in enumerate(pictures):
        row, column = divmod(number, 2)
        below = sum(heights[:row]) + (heights[row] - picture.height) // 2
        whole.paste(picture, (column * WIDTH, below))
    whole.save(FOLDER / "quality.png", optimize=True)


def draw_asteroid(config: Config, folder: str) -> None:
    """Run the notebook on asteroids and keep its last picture."""
    os.environ["ALERTDB_HOME"] = str(config.home)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": folder}}).execute()
    shown = [out for cell in notebook.cells if cell.cell_type == "code" for out in cell.outputs if "data" in out]
    pictures = [out.data["image/png"] for out in shown if "image/png" in out.data]
    (FOLDER / "asteroid.png").write_bytes(base64.b64decode(pictures[-1]))


if __name__ == "__main__":
    main()
