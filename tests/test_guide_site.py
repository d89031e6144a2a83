"""The static site: whole, offline from a folder, searched by a script; by keyboard, on a phone and on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from browser_made import browser  # noqa: F401 - a fixture
from conftest import HERE

from poems.guide.ask import ask
from poems.guide.pages import pages
from poems.knowledge import Knowledge
from poems.render.guide_html import access, answer_page, build

CASES: list[dict[str, Any]] = yaml.safe_load((HERE / "cases" / "ask.yaml").read_text())
LOADS = {"script": "src", "link": "href", "img": "src", "iframe": "src", "object": "data", "source": "src",
         "use": "href"}


class Html(HTMLParser):
    """What a page links to, loads, and can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag == "a" and found.get("href"):
            self.links.append(str(found["href"]))
        if LOADS.get(tag) in found and found.get(LOADS[tag]):
            self.loads.append(str(found[LOADS[tag]]))
        assert "style" not in found and not any(name.startswith("on") for name in found), (tag, attrs)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, knowledge: Knowledge) -> Path:
    """The site as `poems guide build` writes it."""
    directory = tmp_path_factory.mktemp("site")
    build(knowledge, directory)
    return directory


def test_the_site_has_a_page_for_every_question_in_both_editions(site: Path, knowledge: Knowledge) -> None:
    """And the questions, the corrections, the sources, the style and the search."""
    names = {str(path.relative_to(site)) for path in site.rglob("*") if path.is_file()}
    each = {f"{slug}.html" for slug in (*pages(knowledge), "index", "corrections", "sources")}
    assert names == each | {f"clinician/{name}" for name in each} | {
        "guide.css", "guide.js", "search-patient.js", "search-clinician.js"}


def test_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    """Each address is a file and a place in it, or a secure address outside; nothing is loaded from elsewhere."""
    found = {path: Html(path.read_text()) for path in site.rglob("*.html")}
    for path, page in found.items():
        assert len(page.ids) == len(set(page.ids)), (path.name, [name for name in page.ids if page.ids.count(name) > 1])
        for link in page.links:
            if re.match(r"https?://", link):
                continue
            name, _, anchor = link.partition("#")
            target = (path.parent / name).resolve() if name else path
            assert target in found, (path.name, link)
            assert not anchor or anchor in found[target].ids, (path.name, link)
        for load in page.loads:
            assert load == "data:," or (path.parent / load).is_file(), (path.name, load)


def test_every_number_on_a_page_leads_to_its_line_and_its_source(site: Path) -> None:
    """One click: the number's line, which has its citation."""
    for path in site.rglob("*.html"):
        text = path.read_text()
        for target in re.findall(r'<a class="number(?: long)?" href="#([^"]+)"', text):
            line = re.search(rf'<div id="{re.escape(target)}">(.*?)</div>', text, re.DOTALL)
            assert line is not None, (path.name, target)
            assert 'class="cite"' in line[1] or target.startswith("n-knowledge-"), (path.name, target)


def test_every_page_says_when_it_was_revised_and_for_whom(site: Path, knowledge: Knowledge) -> None:
    """The day, and the edition."""
    for slug in pages(knowledge):
        for folder, who in ((site, "patients"), (site / "clinician", "clinicians")):
            text = (folder / f"{slug}.html").read_text()
            assert re.search(r"Revised \d{1,2} [A-Z][a-z]+ \d{4}", text), slug
            assert f"For {who}" in text, slug


def test_the_corrections_stand_where_a_reader_of_the_faq_would_be_misled(site: Path, knowledge: Knowledge) -> None:
    """The five that the FAQ is known for are on a question's page; all of them on the page of corrections."""
    shown = {name for page in pages(knowledge).values() for name in page.faq}
    topics = {entry["id"]: entry["topic"] for entry in knowledge.errata}
    for topic in ("Plasma VEGF: specificity", "Three or fewer lesions", "Serum against plasma VEGF",
                  "Ten-year survival", "Steroid dose for engraftment syndrome"):
        assert next(key for key, name in topics.items() if name == topic) in shown, topic
    text = (site / "corrections.html").read_text()
    assert all(f'id="{key}"' in text for key in topics)


def test_the_sources_say_how_far_they_were_read_and_whether_they_cost(site: Path, knowledge: Knowledge) -> None:
    """Each source of a page is on the page of sources, with both."""
    text = (site / "clinician" / "sources.html").read_text()
    assert 'id="source-keddie-2020"' in text and "abstract seen" in text
    assert "free to read (PMC" in text and "the whole may cost" in text
    assert access(knowledge.sources["dispenzieri-2012"]) == "free to read (PMC3425020)"
    assert access(knowledge.sources["nanbyou"]) == "on the web"


def test_an_answer_in_one_file_loads_nothing_and_shows_what_was_typed_as_text(knowledge: Knowledge) -> None:
    """No script, no request, nothing that was typed becomes markup."""
    page = answer_page(ask("how rare is <script>alert(1)</script> poems", knowledge), knowledge)
    assert "<script" not in page and "&lt;script&gt;" in page
    assert Html(page).loads == []


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page that may ask nobody, and whose script may not fail."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    said: list[str] = []
    opened.on("request", lambda asked: None if asked.url.startswith(("file:", "data:")) else said.append(asked.url))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    yield opened
    context.close()
    assert said == []


def barriers(browser: Any, paths: list[Path], scheme: str) -> dict[str, str]:
    """What axe-core finds on these pages."""
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(color_scheme=scheme)
    opened = context.new_page()
    found = {}
    for path in paths:
        opened.goto(path.as_uri())
        result = Axe().run(opened)
        if result.violations_count:
            found[str(path)] = result.generate_report()
    context.close()
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_kind_of_page_has_a_barrier(browser: Any, site: Path, scheme: str) -> None:
    """Axe-core finds nothing on one page of each kind, light and dark."""
    names = ("index.html", "clinician/test-vegf.html", "glossary.html", "corrections.html", "clinician/sources.html")
    assert barriers(browser, [site / name for name in names], scheme) == {}


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_barrier(browser: Any, site: Path, scheme: str) -> None:
    """Axe-core finds nothing on any page of either edition, light and dark."""
    assert barriers(browser, sorted(site.rglob("*.html")), scheme) == {}


def test_no_page_is_wider_than_a_phone(browser: Any, site: Path) -> None:
    """360 px: nothing to scroll sideways but a table in its own box."""
    context = browser.new_context(viewport={"width": 360, "height": 740})
    opened = context.new_page()
    for path in sorted(site.rglob("*.html")):
        opened.goto(path.as_uri())
        assert opened.evaluate("document.documentElement.scrollWidth") <= 360, path.name
    context.close()


def until_searchable(page: Any) -> None:
    """Waits for the index, which is fetched when the search is first used.

    `wait_for_function` would ask by eval, which the page forbids.
    """
    for _ in range(3000):
        if page.evaluate("() => Boolean(window.GUIDE)"):
            return
        page.wait_for_timeout(10)
    raise AssertionError("the search was not ready in time")


def test_the_search_of_the_site_finds_what_the_command_finds(page: Any, site: Path, knowledge: Knowledge) -> None:
    """From a folder, without a network; the command's first passage is among its first three, off-topic is declined."""
    page.goto((site / "index.html").as_uri())
    page.focus("#q")
    until_searchable(page)
    same = asked = 0
    for case in CASES:
        page.fill("#q", case["question"])
        found = page.eval_on_selector_all("#found ol a", "links => links.map(link => link.getAttribute('href'))")
        if case.get("declined"):
            assert found == [], case["question"]
        elif case.get("edition", "patient") == "patient":
            first = ask(case["question"], knowledge).hits[0].address.replace("#", ".html#")
            asked, same = asked + 1, same + (first in found[:3])
    assert same >= 0.9 * asked


def test_the_search_of_the_site_offers_what_comes_near(page: Any, site: Path, knowledge: Knowledge) -> None:
    """As the command does: headings where nothing answers and the guide touches on it, and none for the weather."""
    page.goto((site / "index.html").as_uri())
    page.focus("#q")
    until_searchable(page)
    off = [case["question"] for case in CASES if case.get("declined")]
    question = next(one for one in off if ask(one, knowledge).near)
    page.fill("#q", f"My husband is 58 and was diagnosed in March. {question}")
    assert "Not in the guide in so many words" in page.inner_text("#found")
    found = page.eval_on_selector_all("#found ul a.near", "links => links.map(link => link.getAttribute('href'))")
    assert found == [hit.address.replace("#", ".html#") for hit in ask(question, knowledge).near]
    page.fill("#q", "what is the weather in Paris tomorrow")
    assert page.inner_text("#found").startswith("Not in the guide.") and page.locator("#found a").count() == 0


def test_the_search_is_used_by_keyboard_alone(page: Any, site: Path) -> None:
    """A slash goes to the search, Enter to what it found, Escape closes it."""
    page.goto((site / "index.html").as_uri())
    page.keyboard.press("/")
    until_searchable(page)
    page.keyboard.type("how long do people live")
    page.wait_for_selector("#found a")
    page.keyboard.press("Escape")
    assert page.is_hidden("#found")
    page.keyboard.type("survival")
    page.wait_for_selector("#found a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/how-long-do-people-live.html*")


def test_what_is_behind_a_number_shows_beside_it(page: Any, site: Path) -> None:
    """On focus and on hover; a click goes to its line."""
    page.goto((site / "how-rare-is-poems.html").as_uri())
    number = page.locator(".number").first
    number.focus()
    assert page.locator(".card").inner_text().strip()
    page.keyboard.press("Escape")
    assert page.locator(".card").count() == 0
    number.hover()
    assert page.locator(".card").count() == 1
    number.click()
    assert "#n-" in page.url


def test_the_edition_and_the_colours_are_switched_and_kept(page: Any, site: Path) -> None:
    """To the same page of the other edition; dark stays dark on the next page."""
    page.goto((site / "test-vegf.html").as_uri())
    page.click(".theme")
    assert page.get_attribute("html", "data-theme") == "dark"
    page.click(".edition a")
    assert page.url.endswith("/clinician/test-vegf.html")
    assert page.get_attribute("html", "data-theme") == "dark"
    page.click(".edition a")
    assert page.url.endswith("/test-vegf.html") and "clinician" not in page.url


def test_a_page_is_read_without_a_script(browser: Any, site: Path) -> None:
    """The menu, the text and the links are there; what needs a script is not shown."""
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto((site / "index.html").as_uri())
    assert opened.is_hidden(".search") and opened.is_hidden(".theme")
    opened.click("nav >> text=VEGF")
    assert opened.is_visible("h1")
    context.close()


def test_a_page_prints_without_its_bars(page: Any, site: Path) -> None:
    """On paper only the text, its numbers and sources."""
    page.goto((site / "test-vegf.html").as_uri())
    page.emulate_media(media="print")
    assert page.is_hidden(".bar") and page.is_hidden("nav")
    assert page.is_visible("dl.numbers") and page.is_visible("ol.sources")
