"""What is wrong with an archive and the machine it lives on, and what to do: one finding per thing looked at.

Nothing is changed, but for a small file that is written and removed to see how the disk behaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alertdb.doctor.couchbase import examine_couchbase
from alertdb.doctor.findings import Finding, Grade
from alertdb.doctor.leftovers import examine_leftovers
from alertdb.doctor.machine import examine_machine
from alertdb.doctor.people import examine_people
from alertdb.doctor.permissions import examine_permissions
from alertdb.doctor.server import examine_server

if TYPE_CHECKING:
    from alertdb.config import Config

__all__ = ["Finding", "Grade", "examine"]


def examine(config: Config) -> list[Finding]:
    """Look at everything; what one check stumbles over keeps none of the others from being made."""
    if not config.home.is_dir():
        advice = "Make it with 'alertdb init', or set ALERTDB_HOME to where the archive is."
        return [Finding("home", Grade.PROBLEM, f"{config.home} is not there", advice)]
    checks = (
        *(examine_machine, examine_server, examine_people),
        *(examine_permissions, examine_leftovers, examine_couchbase),
    )
    return [finding for check in checks for finding in check(config)]
