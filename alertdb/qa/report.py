"""All quality pictures of an archive on one HTML page, which needs no other file."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from alertdb.picture import html_image, png
from alertdb.version import installed_version

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from alertdb.qa.result import QaFigure

__all__ = ["write_report"]

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Quality of an archive of alerts</title>
<style>
body {{ font-family: sans-serif; color: #1f2328; max-width: 62em; margin: 2em auto; padding: 0 1em; }}
img {{ max-width: 100%; }}
section {{ margin: 2.5em 0; }}
table {{ border-collapse: collapse; font-size: 85%; }}
th, td {{ padding: 0.15em 0.8em; text-align: right; }}
summary, footer {{ color: #59636e; }}
nav a {{ margin-right: 1em; }}
.lines {{ white-space: pre-line; }}
</style>
</head>
<body>
<h1>Quality of an archive of alerts</h1>
<p class="lines">{archive}</p>
<nav>{links}</nav>
{sections}
<footer>Made {now} (UTC) by alertdb {version}. Counted in the server, all alerts taken.</footer>
</body>
</html>
"""
SECTION = """<section id="{name}">
{image}
{table}
</section>"""


def write_report(path: Path, archive: str, pictures: Iterable[QaFigure]) -> None:
    """Write the page.

    Parameters
    ----------
    path
        File to write.
    archive
        What the archive is, in one line or several.
    pictures
        In the order in which to show them.
    """
    drawn = list(pictures)
    links = "".join(f'<a href="#{picture.name}">{escape(picture.title)}</a>' for picture in drawn)
    sections = [
        SECTION.format(
            name=picture.name,
            image=html_image(png(picture.figure), escape(picture.title)),
            table=picture.table_html(),
        )
        for picture in drawn
    ]
    page = PAGE.format(
        archive=escape(archive),
        links=links,
        sections="\n".join(sections),
        now=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        version=escape(installed_version()),
    )
    path.write_text(page, encoding="utf-8")
