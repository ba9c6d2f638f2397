"""Archives with many rows that no packet brought: those of a simulated night, again under other names and times."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from alertdb.database import Account, connect
from ingest.contents import Findings, read_rows, shared_rows
from ingest.decoding import open_decoder
from ingest.ledger import write_entry
from ingest.load import load_rows
from ingest.surveys.ztf import Ztf
from ingest.tarballs import find_sources, open_packets

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from alertdb.config import Config

COPIES = 3  # times that each made object was seen
LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))
FIRST_CANDID = 2600 * 10**15
NAMES = 7 * 26**7  # ZTF17aaaaaaa to ZTF23zzzzzzz
SURVEY = Ztf()
MADE = {  # what the ledger says of the made rows: alerts of a tarball that it does not know would not be committed
    **dict.fromkeys(("id", "bytes", "members", "alerts", "duplicates", "objects", "rejects", "candid_sum"), 0),
    **dict.fromkeys(("limits", "history", "forced", "thumbnails", "seconds"), 0),
    **dict.fromkeys(("alerts_checksum", "limits_checksum", "history_checksum", "forced_checksum"), 0),
    **dict.fromkeys(("modified", "loaded_at"), datetime(2024, 1, 1)),
    "name": "made",
    "sha256": "",
    "survey": SURVEY.name,
    "state": "complete",
    "schemas": "",
    "version": "",
}


def fill_archive(config: Config, alerts: int, tarballs: list[Path], folder: Path) -> dict[str, int]:
    """Make the rows of about that many alerts; return how many rows each table got.

    Parameters
    ----------
    tarballs
        What will be loaded later: their objects are among the made ones.
    folder
        For files that are needed meanwhile.
    """
    nights = [read_templates(path, folder) for path in tarballs]
    templates = nights[0]
    objects = templates["alerts"]["objectId"].n_unique()
    blocks = max(1, round(alerts / (COPIES * templates["alerts"].height)))
    known = sorted({name for night in nights for name in night["alerts"]["objectId"]})
    names = make_names(blocks * objects, known)
    counts = dict.fromkeys(templates, 0)
    with connect(config, Account.LOADER, SURVEY.name) as connection:
        connection.exec_driver_sql("SET SESSION unique_checks = 0")
        write_entry(connection, MADE, [])
        for block in range(blocks):
            own = names[block * objects : (block + 1) * objects]
            for name, frame in templates.items():
                made = make_rows(frame, own, block, np.random.default_rng(block))
                counts[name] += load_frame(connection, name, made)
            connection.commit()
            if block % 10 == 0:
                print(f"made {counts['alerts']:,} alerts", flush=True)
    return counts


def read_templates(tarball: Path, folder: Path) -> dict[str, pl.DataFrame]:
    """Return the rows of a tarball by table, sorted by objectId, each key once."""
    (source,) = find_sources([tarball])
    shared = shared_rows(source, SURVEY, folder)
    alerts = []
    with open_packets(source) as reader:
        for _, rows in read_rows(reader, open_decoder(SURVEY.wanted), SURVEY, Findings()):
            alerts.append(rows.alerts.drop("packet"))
            for name, frame in rows.shared.items():
                shared[name].add(frame)
    frames = {"alerts": pl.concat(alerts).sort("objectId")}
    return frames | {name: pl.concat(list(rows.merged())) for name, rows in shared.items() if name != "alerts_forced"}


def make_names(count: int, known: list[str]) -> list[str]:
    """Return that many names in order, spread over all that ZTF may give; `known` ones stand at their places."""
    numbers = (np.arange(count) * (NAMES / count)).astype(np.int64)
    letters = [LETTERS[numbers // 26**power % 26] for power in range(6, -1, -1)]
    tails = ["".join(row) for row in np.stack(letters, axis=1)]
    names = [f"ZTF{17 + year}{tail}" for year, tail in zip(numbers // 26**7, tails, strict=True)]
    for name in known[: count // 2]:
        value = 0
        for letter in name[5:12]:
            value = value * 26 + ord(letter) - ord("a")
        place = round(((int(name[3:5]) - 17) * 26**7 + value) / (NAMES / count))
        names[min(max(place, 0), count - 1)] = name
    return sorted(set(names) | {f"ZTF23zzzzzzz{extra}" for extra in range(count - len(set(names)))})


def make_rows(template: pl.DataFrame, names: list[str], block: int, dice: np.random.Generator) -> pl.DataFrame:
    """Return the rows of a night under other names, `COPIES` times, each copy at a time of its own."""
    rename = dict(zip(template["objectId"].unique(maintain_order=True).sort(), names, strict=False))
    copies = []
    for copy in range(COPIES):
        night = int(dice.integers(1, 2000))  # all before those of the tarballs
        number = block * COPIES + copy
        shift = night * 10**15 + number * 10**9
        candids = {name: pl.col(name) - shift for name in ("candid", "packet_candid") if name in template.columns}
        if "packet_candid" not in candids:  # alerts: no two may have the same
            candids["candid"] = FIRST_CANDID - shift + pl.col("candid").rank("ordinal").cast(pl.Int64)
        copies.append(template.with_columns(pl.col("objectId").replace(rename), pl.col("jd") - night, **candids))
    return pl.concat(copies)


def load_frame(connection: Connection, table: str, frame: pl.DataFrame) -> int:
    """Load made rows straight into their table."""
    keys = {"alerts": ("candid",)} | {shared.name: shared.key for shared in SURVEY.shared}
    frame = frame.unique(keys[table]).sort(keys[table])
    constant = {"tarball": pl.lit(0, pl.Int64)} if table == "alerts" else {}
    load_rows(connection, table, frame.with_columns(**constant))
    return frame.height
