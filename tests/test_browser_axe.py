"""axe-core finds nothing on any page, in both editions, light and dark, wide and narrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from browser_made import App, app, browser, context, page, watched  # noqa: F401 - fixtures
from playwright.sync_api import Browser, Page
from web_made import Served, fill, some_accounts

from poems.knowledge import Knowledge
from poems.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.browser]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()


def violations(page: Page) -> list[str]:
    """What axe finds, a line each. It is put in by the browser's tools: the page allows no script."""
    page.evaluate(AXE)
    found: Any = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{one['id']}: {node['html'][:120]}" for one in found["violations"] for node in one["nodes"][:3]]


def pages(app: App, uid: str) -> list[str]:
    """Every page of the app."""
    course, [entry, *_] = app.uid("published-course"), app.store.entries(uid)
    away = app.store.create("put away", "test")
    app.store.remove(away.uid, away.revision, "test")
    return [
        "/",
        f"/p/{uid}/",
        f"/p/{uid}/review",
        f"/p/{course}/follow",
        f"/p/{uid}/history",
        f"/p/{uid}/entry/{entry.id}",
        f"/p/{away.uid}/erase",
        "/?list=yes&erased=yes",
        "/imported/none",
        "/import",
        "/ask",
        "/settings",
        "/audit",
        "/guide/",
        "/guide/test-vegf",
        "/guide/glossary",
        "/guide/corrections",
        "/knowledge/vegf-plasma-200",
        "/nothing-here",
    ]


@pytest.mark.parametrize("edition", ["clinician", "patient"])
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_axe_finds_nothing(page: Page, app: App, edition: str, scheme: str, width: int) -> None:
    uid = app.example()
    page.context.add_cookies(
        [
            {"name": "edition", "value": edition, "url": app.address},
            {"name": "theme", "value": scheme, "url": app.address},
        ]
    )
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    found = {}
    for path in pages(app, uid):
        page.goto(path)
        if bad := violations(page):
            found[path] = bad
    assert not found


def test_axe_finds_nothing_on_the_pages_of_a_first_visit_and_of_a_fault(page: Page, app: App) -> None:
    page.goto("/")
    assert not violations(page)
    page.get_by_role("button", name="I am a patient or a relative").click()
    assert not violations(page)
    page.get_by_role("button", name="Begin my record").click()
    assert not violations(page)
    page.get_by_label("Finding, test or treatment").fill("VEGF")
    page.get_by_label("Finding, test or treatment").press("Tab")
    page.get_by_label("Value").fill("12")
    assert not violations(page)
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator("#fault-unit").wait_for()
    assert not violations(page)


FAULTY = b"patient,date,finding,status,value,unit\np1,2020-01-02,edema,present,,\np1,2020-01-02,vegf-plasma,,820,\n"


def dressed(page: Page, address: str, edition: str, scheme: str, width: int) -> None:
    """Show the pages in an edition, in a colour, on a width."""
    cookies = {"edition": edition, "theme": scheme}
    page.context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies.items()])
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})


@pytest.mark.parametrize("edition", ["clinician", "patient"])
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_axe_finds_nothing_after_a_form(page: Page, app: App, edition: str, scheme: str, width: int) -> None:
    """What became of an import, and of nothing; another name typed where a record is to be erased."""
    app.example()
    away = app.store.create("put away", "test")
    app.store.remove(away.uid, away.revision, "test")
    dressed(page, app.address, edition, scheme, width)
    for data, words in ((FAULTY, "Imported"), (b"patient,finding,status\nx,edema,z\n", "Nothing was kept")):
        page.goto("/import")
        page.locator("input[type=file]").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": data})
        page.get_by_role("button", name="Import", exact=True).click()
        page.get_by_role("heading", name=words, level=1).wait_for()
        assert not violations(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(f"/p/{away.uid}/erase")
    page.get_by_label("Type its name").fill("another")
    page.get_by_role("button", name="Erase for good").click()
    page.get_by_role("alert").wait_for()
    assert not violations(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def log_in(page: Page) -> None:
    """Fill in the form for name and password."""
    page.get_by_label("Name").fill("edith")
    page.get_by_label("Password").fill("eight eager editors")
    page.get_by_role("button", name="Log in").click()


@pytest.mark.parametrize(("edition", "scheme", "width"), [("clinician", "light", 1280), ("patient", "dark", 360)])
def test_axe_finds_nothing_where_a_session_had_ended(
    browser: Browser,
    tmp_path: Path,
    knowledge: Knowledge,
    edition: str,
    scheme: str,
    width: int,
) -> None:
    """The login page before and after, and the form that comes back."""
    with Store.open(tmp_path / "a.db") as store, Served(store, knowledge, accounts=some_accounts()) as shared:
        uid = fill(store).uid
        context = browser.new_context(base_url=shared.url)
        page = context.new_page()
        dressed(page, shared.url, edition, scheme, width)
        page.goto("/login")
        assert not violations(page)
        log_in(page)
        page.wait_for_url("**/")
        page.goto(f"/p/{uid}/entry/1")
        page.get_by_label("Why").fill("typed before it ended")
        shared.app.state.sessions._logins.clear()
        page.get_by_role("button", name="Save the correction").click()
        page.get_by_role("heading", name="Log in").wait_for()
        assert not violations(page)
        log_in(page)
        page.wait_for_url("**again=*")
        assert page.get_by_label("Why").input_value() == "typed before it ended"
        assert not violations(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        context.close()
