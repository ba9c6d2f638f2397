"""What a user sees, in a real browser. Screenshots are kept in build/screenshots."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from example_notebook import TITLE, write_example
from hub import GROUP, LEAVER, wait_for
from pages import brightest, keep, run_all_cells, save_when_done

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


def goto(page: Page, url: str) -> str:
    page.goto(url)
    return page.content()


def test_a_member_runs_an_example_of_the_start_page(page: Page, hub: RunningHub) -> None:
    log_in(page, hub, "ada")
    example = page.get_by_role("link", name="Thumbnails", exact=True)
    example.wait_for()
    keep(page, "hub_start_page")
    example.click()
    page.get_by_role("heading", name="Thumbnails", exact=True).wait_for()
    run_all_cells(page)
    cells = save_when_done(page, hub.home("gh11") / "examples" / "03_thumbnails.ipynb")
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert [output for output in outputs if output["output_type"] == "error"] == []
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 3
    keep(page, "hub_thumbnails")


def test_sql_and_thumbnails_of_the_archive_are_shown(page: Page, hub: RunningHub, filled: Config) -> None:
    log_in(page, hub, "tom")
    page.get_by_role("heading", name="Examples").wait_for()
    notebook = write_example(hub.home("gh13"))
    page.goto(f"{hub.url}/hub/user-redirect/lab/tree/{notebook.name}")
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
        wait_for(lambda: "Sign in with GitHub" in goto(page, f"{hub.url}/hub/home"), "the session to end")
        page.get_by_text("Sign in with GitHub").click()
        page.get_by_text(re.compile("GitHub does not list you as an active member")).wait_for()
    finally:
        github.organizations[GROUP][LEAVER] = "active"
