"""Which account opens the buckets: from the environment, else from a file of the archive's secrets.

A line ``user:password`` in ``ALERTDB_COUCHBASE_ACCOUNT_PUBLIC`` (``…_PARTNERSHIP``) counts for that rights
class, one in ``ALERTDB_COUCHBASE_ACCOUNT`` for both. The files are called ``couchbase-public``,
``couchbase-partnership`` and ``couchbase``.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alertdb.thumbnails.couchbase.errors import BadCouchbaseAccount, NoCouchbaseAccount

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["VARIABLE", "Account", "find_account"]

VARIABLE = "ALERTDB_COUCHBASE_ACCOUNT"
FILE_NAME = "couchbase"


@dataclass(frozen=True)
class Account:
    """Who opens a bucket; its text does not show the password."""

    user: str
    password: str = field(repr=False)


def find_account(rights: str, secrets: Path | None) -> Account:
    """Return the account for the bucket of one rights class.

    Parameters
    ----------
    secrets
        Folder with the files, if there is one.

    Raises
    ------
    NoCouchbaseAccount
        Raised if none is named.
    BadCouchbaseAccount
        Raised if one is named in the wrong form, or in a file that others may read.
    """
    for variable in (f"{VARIABLE}_{rights.upper()}", VARIABLE):
        if line := os.environ.get(variable):
            return _parse(line, variable)
    if secrets is not None:
        for file in (secrets / f"{FILE_NAME}-{rights}", secrets / FILE_NAME):
            if (content := _read(file)) is not None:
                return _parse(content, file)
    raise NoCouchbaseAccount(rights, VARIABLE, secrets and secrets / FILE_NAME)


def _read(file: Path) -> str | None:
    try:
        if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise BadCouchbaseAccount(file, "others may read it", f"Close it: chmod 600 {file}")
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BadCouchbaseAccount(file, f"it cannot be read ({type(error).__name__})", "Mend the file.") from error


def _parse(text: str, where: object) -> Account:
    user, colon, password = text.strip().partition(":")
    if not (user and colon and password) or "\n" in password:
        raise BadCouchbaseAccount(where, "it is no 'user:password'", "Write one line with a colon in between.")
    return Account(user, password)
