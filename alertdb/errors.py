"""The errors of alertdb: each says what was found, what was expected, and what to do next.

Every error that a user can cause is a subclass of `AlertdbError`. Its text is one line; the programs print that
line and exit with `exit_code`.
"""


class AlertdbError(Exception):
    """Base of all errors that have a one-line explanation for the user."""

    exit_code = 1


class UsageError(AlertdbError):
    """What was asked for cannot be meant: a wrong argument or option."""

    exit_code = 2


class BadNightError(UsageError):
    """A night that is no date of the survey."""

    def __init__(self, night: object) -> None:
        super().__init__(
            f"night {night} is no night of the survey; write YYYYMMDD, from 20170102 to 20420402"
        )


class BadSimulationError(UsageError):
    """A simulation that cannot be meant."""

    def __init__(self, what: str, found: object, expected: str) -> None:
        super().__init__(f"{what} is {found}; it must be {expected}")
