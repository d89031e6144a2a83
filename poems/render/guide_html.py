"""The guide as HTML: an answer in one file, and the static site that works from a folder without a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poems.errors import UsageError
from poems.guide.model import EDITIONS, Answer, Edition, Page
from poems.guide.pages import GLOSSARY, pages
from poems.guide.prose import words_of
from poems.knowledge import Knowledge, Source
from poems.render.as_html import environment, tidy
from poems.render.guide_search import search_script
from poems.render.guide_view import NOTICE, answer_view, corrections, day, page_view, terms
from poems.render.words import SEEN

TEMPLATES = Path(__file__).parent / "templates"
MORE = (("corrections", "Corrections to the FAQ of 2017"), ("sources", "Sources"))
"""What is made besides the pages. `poems.guide.pages` keeps their names from pages."""


def answer_page(answer: Answer, knowledge: Knowledge) -> str:
    """An answer in one file that needs nothing else."""
    shown = answer_view(answer, knowledge, lambda kind, name: "")
    return tidy(environment().get_template("guide_answer.html.j2").render(shown=shown, notice=NOTICE))


def build(knowledge: Knowledge, directory: Path) -> list[Path]:
    """Writes the site: the patients' pages in the directory, the clinicians' in `clinician`. Returns what was written.

    Raises: UsageError where the directory cannot be written to.
    """
    written = []
    for name, text in files(knowledge):
        path = directory / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from None
        written.append(path)
    return written


def files(knowledge: Knowledge) -> Iterator[tuple[str, str]]:
    """Every file of the site by name."""
    yield "guide.css", "".join((TEMPLATES / name).read_text() for name in ("page.css", "guide.css"))
    yield "guide.js", "".join((TEMPLATES / name).read_text() for name in ("guide_search.js", "guide.js"))
    for edition in EDITIONS:
        yield f"search-{edition}.js", search_script(knowledge, edition)
        site = _Site(knowledge, edition, tuple(pages(knowledge).values()))
        for name, text in site.files():
            yield site.folder + name, tidy(text)


@dataclass(frozen=True)
class _Site:
    """The pages of one edition."""

    knowledge: Knowledge
    edition: Edition
    pages: Sequence[Page]

    @property
    def folder(self) -> str:
        """Where its pages stand."""
        return "" if self.edition == EDITIONS[0] else f"{self.edition}/"

    def files(self) -> Iterator[tuple[str, str]]:
        """Its pages by name."""
        for page in self.pages:
            shown = page_view(page, self.knowledge, self.edition, self.href)
            is_glossary = page.slug == GLOSSARY
            yield f"{page.slug}.html", self._page("guide_page", page.slug, shown=shown,
                                                  terms=list(self._terms()) if is_glossary else [])
        yield "index.html", self._page("guide_index", "index")
        found, cited = corrections(self.knowledge, self.edition, self.href)
        yield "corrections.html", self._page("guide_corrections", "corrections", shown=found, cited=cited)
        yield "sources.html", self._page("guide_sources", "sources", shown=list(self._sources()))

    def href(self, kind: str, name: str) -> str:
        """The address of a page, a section or a term, from a page of the same edition."""
        if kind == "term":
            return f"{GLOSSARY}.html#term-{name}" if any(page.slug == GLOSSARY for page in self.pages) else ""
        if kind != "page":
            return ""
        slug, mark, anchor = name.partition("#")
        return f"{slug}.html{mark}{anchor}" if slug else f"#{anchor}"

    def _page(self, template: str, here: str, **values: Any) -> str:
        other = f"clinician/{here}.html" if not self.folder else f"../{here}.html"
        made = environment().get_template(f"{template}.html.j2")
        made.environment.filters.setdefault("day", day)
        return made.render(
            menu=self.pages, more=MORE, here=here, edition=self.edition, other=other, root="../" if self.folder else "",
            notice=NOTICE, version=self.knowledge.version, **values)

    def _terms(self) -> Iterator[Any]:
        return map(self.knowledge.concepts.__getitem__, terms(self.pages, self.knowledge, self.edition))

    def _sources(self) -> Iterator[dict[str, Any]]:
        """Every source that the pages rest on, by name, and where."""
        used: dict[str, dict[str, str]] = {}
        for page in self.pages:
            for passage in page.shown(self.edition):
                for word in words_of(passage.shown(self.edition)):
                    for reference in word.references:
                        used.setdefault(reference.id, {})[page.slug] = page.short
        for source in sorted(map(self.knowledge.sources.__getitem__, used), key=lambda source: source.text.casefold()):
            yield {"id": source.id, "text": source.text, "link": source.link,
                   "seen": SEEN.get(source.seen, source.seen), "access": access(source),
                   "note": source.note, "pages": list(used[source.id].items())}


def access(source: Source) -> str:
    """Whether a reader can open it without paying, as far as its citation tells."""
    if source.pmcid:
        return f"free to read ({source.pmcid})"
    if "open access" in source.note.casefold():
        return "free to read"
    if source.doi or source.pmid:
        return "summary free, the whole may cost"
    return "on the web" if source.url else "no address known"


