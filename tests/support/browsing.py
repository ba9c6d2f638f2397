"""A browser for tests of pages."""

from __future__ import annotations

import importlib.util
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from conftest import required
from hub import SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

__all__ = ["browser", "page"]


@pytest.fixture(scope="module")  # while it is there, other tests could run no event loop
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    program = shutil.which("chromium")
    driver = importlib.util.find_spec("playwright")
    if program is None or driver is None:
        found = f"chromium is {program or 'missing'}, playwright is {'there' if driver else 'missing'}"
        message = f"no browser: {found}; ./setup.sh --browser installs both"
        if required("browser"):
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # As root, Chromium's own sandbox does not start; the pages here are ours.
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=[*options, "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page of a browser without cookies."""
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    context.set_default_timeout(SECONDS * 1000)
    yield context.new_page()
    context.close()
