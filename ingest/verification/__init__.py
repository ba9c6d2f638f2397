"""Is the archive what it must be? Against tarballs, cell by cell and stamp by stamp; or against its own ledger.

What stands in which check, and why the checksums are what they are: docs/decisions/verify.md.
"""

from ingest.verification.by_ledger import check_archive
from ingest.verification.by_tarball import check_tarball
from ingest.verification.differences import Difference

__all__ = ["Difference", "check_archive", "check_tarball"]
