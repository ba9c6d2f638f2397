"""What a user sees, in a real browser. Screenshots are kept in build/screenshots."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from example_notebook import TITLE
from hub import GROUP, LEAVER
from pages import brightest, keep, run_all_cells

if TYPE_CHECKING:
    from github import GitHub
    from hub import RunningHub
    from playwright.sync_api import Page

    from alertdb.config import Config


def log_in(page: Page, hub: RunningHub, login: str) -> None:
    page.goto(hub.url)
    keep(page, "hub_login")
    page.get_by_text("Sign in with GitHub").click()
    page.get_by_label("Login").fill(login)
    page.get_by_role("button", name="Sign in").click()


def test_a_member_runs_an_example_with_sql_and_a_thumbnail(page: Page, hub: RunningHub, filled: Config) -> None:
    log_in(page, hub, "ada")
    example = page.get_by_role("link", name=TITLE)
    example.wait_for()
    keep(page, "hub_start_page")
    example.click()
    page.get_by_role("heading", name=TITLE).wait_for()
    run_all_cells(page)
    picture = page.locator(".jp-OutputArea-output img").first
    picture.wait_for()
    table = page.locator(".jp-OutputArea-output table").nth(1)
    assert brightest(filled) in table.locator("tbody tr").first.inner_text()
    width, height = picture.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert width > 300
    assert height > 100
    assert page.locator(".jp-OutputArea-output[data-mime-type*=stderr]").count() == 0
    page.set_viewport_size({"width": 1200, "height": 1120})
    picture.scroll_into_view_if_needed()
    keep(page, "hub_notebook")


def test_an_outsider_is_told_why_there_is_no_way_in(page: Page, hub: RunningHub) -> None:
    log_in(page, hub, "otto")
    page.get_by_text(re.compile("GitHub does not list you as an active member")).wait_for()
    page.get_by_role("heading", name="Forbidden (403)").wait_for()
    keep(page, "hub_refused")


def test_a_leaver_finds_the_door_closed(page: Page, hub: RunningHub, github: GitHub) -> None:
    log_in(page, hub, "lee")
    page.get_by_role("button", name="Start My Server").wait_for()
    del github.organizations[GROUP][LEAVER]
    try:
        page.wait_for_timeout(100)
        while "GitHub does not list you" not in page.content():
            page.wait_for_timeout(500)
            page.goto(f"{hub.url}/hub/home")
            if "Sign in with GitHub" in page.content():
                page.get_by_text("Sign in with GitHub").click()
    finally:
        github.organizations[GROUP][LEAVER] = "active"
