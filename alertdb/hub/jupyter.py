"""Options of every JupyterLab that is started here."""

from __future__ import annotations

from pathlib import Path

__all__ = ["lab_options"]

SETTINGS = Path(__file__).resolve().parent / "lab"


def lab_options() -> list[str]:
    """Return options under which JupyterLab asks no outside server for news, nor its user whether it may."""
    return [f"--LabApp.app_settings_dir={SETTINGS}"]
