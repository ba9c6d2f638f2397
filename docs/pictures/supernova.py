"""Draw docs/pictures/supernova.png, the picture of the README: a simulated supernova, from a tarball to its thumbnails.

    python docs/pictures/supernova.py

Simulates 45 nights, loads them into an archive in a temporary folder, and draws the supernova with most alerts.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.dataset as ds
from PIL import Image
from simulated import simulated_archive

import alertdb
from alertdb.contact_sheet import SheetAlert, contact_sheet
from alertdb.filters import filter_name
from alertdb.lightcurves import plot_lightcurves
from alertdb.stamps import read_stamps
from alertdb.thumbnails import open_store

if TYPE_CHECKING:
    from alertdb.config import Config

NIGHTS = [*range(20240101, 20240132), *range(20240201, 20240215)]
ALERTS_PER_NIGHT = 250
SHOWN = 6
PICTURE = Path(__file__).with_suffix(".png")


def main() -> None:
    """Simulate, load, draw."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with simulated_archive(folder, NIGHTS, ALERTS_PER_NIGHT) as config:
            draw(config, brightest_sampled_supernova(folder / "nights"), folder)


def brightest_sampled_supernova(nights: Path) -> str:
    """Return the objectId of the supernova with most alerts."""
    truth = ds.dataset(sorted(nights.glob("*.parquet"))).to_table().to_pandas()
    return str(truth[truth["class"] == "supernova"]["objectId"].value_counts().index[0])


def draw(config: Config, name: str, folder: Path) -> None:
    """Draw the light curve of an object above a few of its thumbnails."""
    with alertdb.Archive(config) as archive:
        curve = archive.lightcurve(name)
    alerts = curve[curve["kind"] == "alert"].sort_values("jd")
    shown = alerts.iloc[np.linspace(0, len(alerts) - 1, SHOWN).astype(int)]
    store = open_store(config.thumbnails)
    tiles = [
        SheetAlert(row.jd, filter_name(row.fid), row.magpsf, read_stamps(store.get(row.candid)))
        for row in shown.itertuples()
    ]
    plot_lightcurves(curve).savefig(folder / "curve.png", dpi=110)
    contact_sheet(tiles).savefig(folder / "sheet.png")
    stack([folder / "curve.png", folder / "sheet.png"], PICTURE)


def stack(pictures: list[Path], output: Path) -> None:
    """Put pictures below each other, all as wide as the first, and write the result."""
    images = [Image.open(picture).convert("RGB") for picture in pictures]
    width = images[0].width
    images = [image.resize((width, image.height * width // image.width)) for image in images]
    whole = Image.new("RGB", (width, sum(image.height for image in images)), "white")
    for number, image in enumerate(images):
        whole.paste(image, (0, sum(above.height for above in images[:number])))
    whole.save(output, optimize=True)


if __name__ == "__main__":
    main()
