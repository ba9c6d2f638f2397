"""An example notebook such as users are offered: SQL and a thumbnail."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

TITLE = "The brightest object and its cutouts"
CELLS = (
    """\
import alertdb

db = alertdb.connect()
db.sql("SELECT COUNT(*) AS alerts, COUNT(DISTINCT objectId) AS objects FROM alerts")""",
    """\
brightest = db.sql(\"\"\"
    SELECT objectId, nobs, nnights, magmin_g, magmin_r, ra_mean, dec_mean
    FROM summary ORDER BY LEAST(IFNULL(magmin_g, 99), IFNULL(magmin_r, 99)), objectId LIMIT 5\"\"\")
brightest""",
    """\
import matplotlib.pyplot as plt

cutouts = db.thumbnails(brightest.objectId[0])
candid, images = next(iter(cutouts.items()))
figure, panels = plt.subplots(1, 3, figsize=(7, 2.5))
for panel, (kind, image) in zip(panels, images.items()):
    panel.imshow(image, origin="lower", cmap="gray")
    panel.set_title(kind)
    panel.axis("off")
figure.suptitle(f"{brightest.objectId[0]}, alert {candid}");""",
)


def write_example(folder: Path) -> Path:
    """Write the notebook, without outputs, as version control has it."""
    cells: list[dict[str, Any]] = [{"cell_type": "markdown", "id": "title", "metadata": {}, "source": f"# {TITLE}\n"}]
    cells += [
        {
            "cell_type": "code",
            "id": f"cell{number}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(CELLS)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path = folder / "01_brightest.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}, indent=1))
    return path
