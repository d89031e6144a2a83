"""The guide, answers from it, and what stands behind a claim."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from poems.guide.ask import ask as answer_of
from poems.guide.pages import GLOSSARY
from poems.guide.pages import pages as guide_pages
from poems.knowledge import Knowledge
from poems.render.guide_html import MORE, access
from poems.render.guide_view import NOTICE, Href, answer_view, corrections, page_view, terms
from poems.render.show_html import shown
from poems.render.words import SEEN
from poems.store import MissingError
from poems.web.ask import Ask, Edition, read, write
from poems.web.pages import environment, page
from poems.web.plainly import plainly

LONGEST = 4000
CORRECTIONS, SOURCES = "corrections", "sources"
KEPT = "_web_guide"


@read(role="")
def guide(ask: Ask) -> Response:
    """A page of the guide in the edition of the app; without a name, its list of questions."""
    slug = ask.path("path").removesuffix(".html").strip("/")
    pages = guide_pages(ask.knowledge)
    menu = [one for one in pages.values() if one.shown(ask.edition)]
    common: dict[str, Any] = {"menu": menu, "more": MORE, "slug": slug, "version": ask.knowledge.version}
    if not slug or slug == "index":
        return page(ask, "guide_home.html.j2", **common)
    if slug not in pages and slug not in dict(MORE):
        raise MissingError("There is no such page in the guide.")
    title = pages[slug].question if slug in pages else dict(MORE)[slug]
    return page(ask, "guide_article.html.j2", title=title, body=_body(slug, ask.knowledge, ask.edition),
                notice=NOTICE, **common)


def _body(slug: str, knowledge: Knowledge, edition: Edition) -> str:
    """An article as it stands on its page. It depends on the knowledge alone, and is kept with it."""
    kept: dict[tuple[str, str], str] = knowledge.__dict__.setdefault(KEPT, {})
    if (slug, edition) not in kept:
        template, values = _article(slug, knowledge, edition)
        kept[slug, edition] = environment().get_template(template).render(edition=edition, **values)
    return kept[slug, edition]


def _article(slug: str, knowledge: Knowledge, edition: Edition) -> tuple[str, dict[str, Any]]:
    """The template of an article and its values."""
    if slug == SOURCES:
        every = sorted(knowledge.sources.values(), key=lambda one: one.text.casefold())
        return "guide_sourced.html.j2", {"sources": [(one, access(one), SEEN.get(one.seen, one.seen)) for one in every]}
    if slug == CORRECTIONS:
        corrected, cited = corrections(knowledge, edition, _href(edition))
        return "guide_corrected.html.j2", {"corrected": corrected, "cited": cited}
    pages = guide_pages(knowledge)
    shown = page_view(pages[slug], knowledge, edition, _href(edition))
    names = terms(pages.values(), knowledge, edition) if slug == GLOSSARY else []
    return "guide_body.html.j2", {"shown": shown, "terms": [knowledge.concepts[name] for name in names]}


@read(role="")
def question(ask: Ask) -> Response:
    """Where a question is typed."""
    return page(ask, "ask.html.j2", asked="", shown=None, menu=list(guide_pages(ask.knowledge).values()))


@write(role="")
def answer(ask: Ask) -> Response:
    """The guide's own passages on a question; it is sent in the body, so that it stands in no address and no log."""
    asked = ask.text("question").strip()[:LONGEST]
    if not asked:
        return question_page(ask)
    found = answer_of(asked, ask.knowledge, edition=ask.edition)
    return page(ask, "ask.html.j2", back="/ask", asked=asked, menu=[],
                shown=answer_view(found, ask.knowledge, _href(ask.edition)))


def question_page(ask: Ask) -> Response:
    """The page to ask on, with nothing asked."""
    return page(ask, "ask.html.j2", back="/ask", asked="", shown=None, menu=list(guide_pages(ask.knowledge).values()))


def _href(edition: Edition) -> Href:
    """Addresses within the app. What only the other edition has leads to the same page; the switch is in the bar."""
    def href(kind: str, name: str) -> str:
        if kind == "knowledge":
            return f"/knowledge/{name}"
        if kind == "term":
            return f"/guide/{GLOSSARY}#term-{name}"
        slug, mark, anchor = name.partition("#")
        return f"/guide/{slug}{mark}{anchor}" if slug else f"#{anchor}"

    return href


@read(role="")
def claim(ask: Ask) -> Response:
    """What stands behind a number: source, place, how far it was read."""
    key = ask.path("id")
    found = shown(key, ask.knowledge)
    if not found:
        raise MissingError("Nothing of that name is known here.")
    plain = plainly(key, ask.knowledge) if ask.edition == "patient" else ()
    return page(ask, "claim.html.j2", key=key, found=found, plain=plain)
