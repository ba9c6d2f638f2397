"""The library of an alert archive: connect, query, light curves, thumbnails, plots, the private server.

>>> import alertdb
>>> archive = alertdb.connect()  # doctest: +SKIP
>>> archive.sql("SELECT COUNT(*) FROM alerts")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alertdb import errors
    from alertdb.archive import Archive, connect

__all__ = ["Archive", "connect", "errors"]

_HOMES = {"Archive": "alertdb.archive", "connect": "alertdb.archive"}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is: `import alertdb` stays quick for the command line."""
    if name == "errors":
        return import_module("alertdb.errors")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'alertdb' has no attribute '{name}'")


def load_ipython_extension(shell: Any) -> None:
    """Have a notebook know `%%sql`: ``%load_ext alertdb`` calls it."""
    import_module("alertdb.magic").load_ipython_extension(shell)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
