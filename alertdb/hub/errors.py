"""What can go wrong with the hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alertdb.errors import AlertdbError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["GitHubSilent", "HubExtraMissing", "ProxyMissing", "SecretExposed", "SettingMissing", "SettingUnusable"]


class SettingMissing(AlertdbError):
    """The hub cannot run without this setting."""

    def __init__(self, name: str, meaning: str) -> None:
        super().__init__(f"{name} is not set: {meaning}. jupyterhub/hub.env.example explains all settings of the hub.")


class SettingUnusable(AlertdbError):
    """A setting has a value that the hub cannot use."""

    def __init__(self, name: str, value: str, expected: str) -> None:
        super().__init__(f"{name} is '{value}'; expected {expected}.")


class SecretExposed(AlertdbError):
    """A file with a secret can be read by others."""

    def __init__(self, path: Path, mode: int) -> None:
        super().__init__(f"{path} holds a secret and has mode {mode:03o}; expected 600. Mend it: chmod 600 {path}")


class ProxyMissing(AlertdbError):
    """The hub's proxy is not installed."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"The hub's proxy is not installed: no file {path}. Install it with ./setup.sh --hub")


class HubExtraMissing(AlertdbError):
    """The packages of the hub are not installed."""

    def __init__(self, package: str) -> None:
        super().__init__(f"The package '{package}' is not installed. Install it with ./setup.sh --hub")


class GitHubSilent(AlertdbError):
    """GitHub gave no answer that decides anything: it is down, busy or out of reach."""

    def __init__(self, url: str, found: str) -> None:
        super().__init__(f"GitHub did not answer at {url}: {found}. Try again in some minutes.")
