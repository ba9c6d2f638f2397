"""Figures that notebooks show by themselves, whether or not pyplot is in use."""

from __future__ import annotations

import base64
import io
from typing import Any

from matplotlib.figure import Figure

__all__ = ["Picture", "html_image", "png"]


class Picture(Figure):
    """A matplotlib figure that Jupyter shows as a picture when it is a cell's last value."""

    def _repr_png_(self) -> bytes:
        return png(self)


def png(figure: Figure, dpi: float | None = None) -> bytes:
    """Return a figure as the bytes of a PNG file, `dpi` pixels an inch; its own number if None."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=dpi or figure.dpi)
    return file.getvalue()


def html_image(content: bytes, alternative: str, **attributes: Any) -> str:
    """Return an HTML element that holds a PNG within itself.

    Parameters
    ----------
    content
        The PNG.
    alternative
        What is shown, in words; must need no escaping.
    **attributes
        Further attributes of the element.
    """
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<img src="data:image/png;base64,{base64.b64encode(content).decode()}" alt="{alternative}"{more}>'
