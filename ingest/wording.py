"""Words that came with the data, made fit for messages and for the ledger."""

from __future__ import annotations

__all__ = ["fitted", "printable"]


def printable(text: str, most: int = 1000) -> str:
    r"""Return a text on one line, at most `most` characters long, unprintable characters escaped (``\n``, ``\x1b``).

    JSON may hold half of a surrogate pair, which no encoding has: the database's driver crashes on it.
    """
    if len(text) > most:
        text = text[: most - 1] + "…"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)[:most]


def fitted(text: str, most: int) -> str:
    """Return the beginning of a text that takes at most `most` bytes."""
    return text.encode()[:most].decode(errors="ignore")
