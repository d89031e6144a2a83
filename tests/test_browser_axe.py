"""axe-core finds nothing on any page, in both editions, light and dark, wide and narrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from browser_made import App, app, browser, context, page, watched  # noqa: F401 - fixtures
from playwright.sync_api import Page

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
    return [
        "/",
        f"/p/{uid}/",
        f"/p/{uid}/review",
        f"/p/{course}/follow",
        f"/p/{uid}/history",
        f"/p/{uid}/entry/{entry.id}",
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
