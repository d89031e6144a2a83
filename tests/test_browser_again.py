"""In a real browser: a reload and the Back button after an import, a record erased for good, a session that ended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_made import App, app, browser, context, page, watch, watched  # noqa: F401 - fixtures
from playwright.sync_api import Browser, BrowserContext, Page, expect
from web_made import PASSWORDS, Served, fill, some_accounts

from poems.knowledge import Knowledge
from poems.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.browser]
FAULTY = b"patient,date,finding,status,value,unit\np1,2020-01-02,edema,present,,\np1,2020-01-02,vegf-plasma,,820,\n"


@pytest.mark.parametrize("has_script", [True, False])
def test_an_import_stands_a_reload_and_the_back_button(
    app: App,
    browser: Browser,
    has_script: bool,
) -> None:
    """The same page again, nothing imported again; Back leads to the form, Forward to the outcome."""
    app.store.set_setting("mode", "many", "test")
    made = browser.new_context(base_url=app.address, java_script_enabled=has_script)
    tab = made.new_page()
    tab.goto("/")
    tab.locator("input[type=file]").set_input_files({"name": "Zq7x.csv", "mimeType": "text/csv", "buffer": FAULTY})
    tab.get_by_role("button", name="Import", exact=True).click()
    expect(tab).to_have_url(re.compile("/imported/[A-Za-z0-9_-]+$"))
    expect(tab.locator("tr", has_text="row 3")).to_contain_text("820")
    changes = len(app.store.history(app.uid("p1")))
    for go in (tab.reload, tab.reload, tab.go_back, tab.go_forward):
        go()
    expect(tab.locator("tr", has_text="row 3")).to_contain_text("820")
    assert len(app.store.history(app.uid("p1"))) == changes
    tab.go_back()
    expect(tab.get_by_role("button", name="Import", exact=True)).to_be_enabled()
    tab.go_forward()
    tab.get_by_role("button", name=re.compile("^Undo")).click()
    assert not app.store.entries(app.uid("p1"))
    tab.go_back()
    expect(tab.locator("main")).to_contain_text("taken back since")
    made.close()


def test_a_record_is_put_away_and_erased_for_good(page: Page, app: App) -> None:
    app.example()
    made = fill(app.store, "Zq7x", knowledge=app.knowledge)
    page.goto(f"/p/{made.uid}/")
    page.locator("summary", has_text="Rename or put away").click()
    page.get_by_role("button", name="Put away").click()
    page.locator("summary", has_text="1 put away").click()
    page.get_by_role("link", name="Erase for good: Zq7x").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Erase Zq7x for good?")
    page.get_by_label("Type its name").fill("Zq7")
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("alert")).to_contain_text("nothing was erased")
    page.get_by_label("Type its name").fill("Zq7x")
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("status")).to_contain_text("erased for good")
    expect(page.locator("main")).not_to_contain_text("Zq7x")
    assert b"Zq7x" not in app.store.path.read_bytes()


def test_one_tab_brings_back_what_the_other_erases(
    page: Page,
    context: BrowserContext,
    app: App,
) -> None:
    app.example()
    made = app.store.create("Zq7x", "test")
    app.store.remove(made.uid, 1, "test")
    page.goto(f"/p/{made.uid}/erase")
    other = watch(context.new_page()).page
    other.goto("/")
    other.locator("summary", has_text="1 put away").click()
    other.get_by_role("button", name="Bring back Zq7x").click()
    expect(other).to_have_url(re.compile(f"/p/{made.uid}/$"))
    page.get_by_label("Type its name").fill("Zq7x")
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("alert")).to_contain_text("restored meanwhile")
    assert app.store.find("Zq7x")


@pytest.fixture
def shared(tmp_path: Path, knowledge: Knowledge) -> Iterator[Served]:
    """The app with accounts, and one record."""
    with Store.open(tmp_path / "a.db") as store, Served(store, knowledge, accounts=some_accounts()) as made:
        fill(store, "Case 1", knowledge=knowledge)
        yield made


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def tab(browser: Browser, shared: Served, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of somebody who has logged in, with a script and without one."""
    made = browser.new_context(base_url=shared.url, java_script_enabled=request.param)
    made.set_default_timeout(10_000)
    found = watch(made.new_page())
    found.page.goto("/login")
    log_in(found.page, "edith")
    expect(found.page.locator("main")).to_contain_text("Case 1")
    yield found.page
    made.close()
    found.quiet(f"{shared.url}/")


def log_in(page: Page, name: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORDS[name])
    page.get_by_role("button", name="Log in").click()


def type_vegf(tab: Page) -> None:
    """A half hour of work, typed into the form, and not saved."""
    tab.get_by_role("link", name="Case 1").click()
    tab.get_by_label("Finding, test or treatment").fill("VEGF")
    tab.get_by_label("Finding, test or treatment").press("Enter")
    tab.get_by_label("Value").fill("820")
    tab.get_by_label(re.compile("^Unit")).select_option("pg/mL")
    tab.get_by_label("Measured in").select_option("serum")
    tab.get_by_label(re.compile("^Day")).fill("2020-01-15")
    tab.get_by_label(re.compile("^Where it stands")).fill("letter of the clinic, page 2")


def save(tab: Page) -> None:
    tab.get_by_role("button", name="Save", exact=True).click()


def test_what_was_typed_when_the_session_had_ended_comes_back(tab: Page, shared: Served) -> None:
    """The login page instead of a dead end; then the form with every word; one press keeps it, once."""
    [patient] = shared.store.patients()
    type_vegf(tab)
    shared.app.state.sessions._logins.clear()
    save(tab)
    expect(tab.get_by_role("alert")).to_contain_text("nothing was saved yet")
    log_in(tab, "edith")
    expect(tab.get_by_role("alert")).to_contain_text("Here is what you typed")
    assert tab.get_by_label("Value").input_value() == "820"
    assert tab.get_by_label("Measured in").input_value() == "serum"
    assert tab.get_by_label(re.compile("^Day")).input_value() == "2020-01-15"
    assert tab.get_by_label(re.compile("^Where it stands")).input_value() == "letter of the clinic, page 2"
    assert shared.store.patient(patient.uid).entries == patient.entries
    save(tab)
    expect(tab.locator("#entries")).to_contain_text("820")
    assert shared.store.patient(patient.uid).entries == patient.entries + 1
    tab.go_back()
    tab.reload()
    expect(tab.locator("#enter")).not_to_contain_text("nothing was saved yet")
    assert shared.store.patient(patient.uid).entries == patient.entries + 1


def test_somebody_else_who_logs_in_there_sees_nothing_of_it(tab: Page, shared: Served) -> None:
    type_vegf(tab)
    shared.app.state.sessions._logins.clear()
    save(tab)
    expect(tab.get_by_role("heading", name="Log in")).to_be_visible()
    assert "letter of the clinic" not in tab.content()
    log_in(tab, "ada")
    expect(tab.locator("main")).to_contain_text("Case 1")
    assert "letter of the clinic" not in tab.content()
    tab.go_back()
    assert "letter of the clinic" not in tab.content()


def test_the_form_of_a_tab_whose_account_logged_in_anew_elsewhere(tab: Page, shared: Served) -> None:
    """Logged in again in a second tab, saved in the first: it comes back there at once."""
    [patient] = shared.store.patients()
    type_vegf(tab)
    shared.app.state.sessions._logins.clear()
    second = tab.context.new_page()
    second.goto("/login")
    log_in(second, "edith")
    expect(second.locator("main")).to_contain_text("Case 1")
    save(tab)
    expect(tab.get_by_role("alert")).to_contain_text("Here is what you typed")
    save(tab)
    expect(tab.locator("#entries")).to_contain_text("820")
    assert shared.store.patient(patient.uid).entries == patient.entries + 1
