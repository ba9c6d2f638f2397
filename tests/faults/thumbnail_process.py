"""Processes that the tests kill, starve and keep from writing: they write and read one tarball's thumbnails.

thumbnail_process.py write STORE ROUNDS [BYTES]   seal the tarball again and again
thumbnail_process.py read STORE STOP [UID]        read until the file STOP is there, then say what was seen
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from collections import Counter
from pathlib import Path

from alertdb.errors import AlertdbError
from alertdb.thumbnails import open_store
from alertdb.thumbnails.document import build_document, read_document

CANDIDS = range(1000, 1300)
STAMP_BYTES = 7000


def document(candid: int, version: int) -> bytes:
    """Return a document that tells its candid and version."""
    told = b"%d of version %d;" % (candid, version)
    return build_document({"science": told, "difference": (told * STAMP_BYTES)[:STAMP_BYTES]})


def write(store: str, rounds: int) -> None:
    """Seal version 0, 1, … of the tarball, a few documents at a time."""
    for version in range(rounds):
        with open_store(store, readonly=False).writer("night", "public") as writer:
            for start in range(0, len(CANDIDS), 50):
                part = CANDIDS[start : start + 50]
                writer.put_many((candid, document(candid, version)) for candid in part)
        sys.stdout.write(f"{version}\n")
        sys.stdout.flush()


def read(store: str, stop: Path) -> Counter[str]:
    """Read all documents over and over, and count what was seen.

    The tarball may be sealed while its documents are read in order. So it is half visible ("some") if a
    document is missing after one that was found.
    """
    seen: Counter[str] = Counter()
    reader = open_store(store)
    patience = time.monotonic() + 60  # nobody may come to say stop
    while not seen or (not stop.exists() and time.monotonic() < patience):
        documents = dict(reader.get_many(CANDIDS))
        without_holes = list(documents) == list(CANDIDS)[len(CANDIDS) - len(documents) :]
        seen["none" if not documents else "all" if without_holes else "some"] += 1
        seen["wrong"] += sum(not is_right(*item) for item in documents.items())
    return seen


def is_right(candid: int, content: bytes) -> bool:
    """Return whether a document is whole and of this candid, whatever its version."""
    version = int(read_document(content)["science"].split()[-1].rstrip(b";"))
    return content == document(candid, version)


def become(user: int) -> None:
    """Give up root; what is imported later might not be readable any more."""
    importlib.import_module("alertdb.thumbnails.embedded")
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)


def main(arguments: list[str]) -> int:
    """Run one process; an error of ours is one line on standard error."""
    try:
        if arguments[0] == "write":
            if len(arguments) > 3:
                resource.setrlimit(resource.RLIMIT_FSIZE, (int(arguments[3]), int(arguments[3])))
            write(arguments[1], int(arguments[2]))
        else:
            if len(arguments) > 3:
                become(int(arguments[3]))
            sys.stdout.write(json.dumps(read(arguments[1], Path(arguments[2]))))
    except AlertdbError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
