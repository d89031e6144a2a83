"""The names by which a finding can be looked up while it is typed: its label, other names, the patient's words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from markupsafe import Markup, escape

from poems.knowledge import Concept, Knowledge
from poems.web.ask import Edition

KINDS = {"quantity": "measured", "finding": "finding", "treatment": "treatment", "label": "diagnosis",
         "person": "person"}
EDITIONS: tuple[Edition, ...] = ("clinician", "patient")
KEPT = "_web_names"
MOST = 8
"""How many findings are offered for a name that is none."""


def options(knowledge: Knowledge, edition: Edition = "clinician") -> Markup:
    """One option for every concept, by the name of this edition; made once, and kept with the knowledge.

    Without a script a browser offers the names; app.js reads the others from `data-also`, each of which looks the
    concept up, and the words that only lead to it from `data-sought`.
    """
    kept = knowledge.__dict__.get(KEPT)
    if kept is None:
        kept = knowledge.__dict__[KEPT] = {one: _all(knowledge.concepts.values(), one) for one in EDITIONS}
    return Markup(kept[edition])  # noqa: S704 - made below, of escaped parts


def _all(concepts: Iterable[Concept], edition: Edition) -> Markup:
    known = sorted(concepts, key=lambda one: name(one, edition).casefold())
    return Markup("\n").join(_option(one, edition) for one in known)


def name(concept: Concept, edition: Edition) -> str:
    """A concept as its reader calls it; a form knows it by either name."""
    return concept.patient or concept.label if edition == "patient" else concept.label


def short(concept: Concept, edition: Edition, knowledge: Knowledge) -> str:
    """Its name without what stands in brackets; a general one without the word that its specimen is open."""
    called = name(concept, edition).split(" (")[0]
    return called.split(", ")[0] if any(one.of == concept.id for one in knowledge.concepts.values()) else called


def like(text: str, knowledge: Knowledge) -> tuple[Concept, ...]:
    """What somebody may have meant: each word begins a word of its names, or of those by which it is sought."""
    said = _words(text)
    if not said:
        return ()
    found = [concept for concept in knowledge.concepts.values()
             if all(any(one.startswith(word) for one in _all_words(concept)) for word in said)]
    return tuple(found[:MOST])


def _all_words(concept: Concept) -> list[str]:
    return _words(" ".join((concept.label, concept.patient, *concept.synonyms, *concept.sought_as)))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _option(concept: Concept, edition: Edition) -> Markup:
    shown = name(concept, edition)
    also = dict.fromkeys((concept.label, *concept.synonyms, concept.patient, concept.id.replace("-", " ")))
    others = "|".join(one for one in also if one and one.casefold() != shown.casefold())
    return Markup('<option value="{}" data-kind="{}" data-also="{}" data-sought="{}"></option>').format(
        escape(shown), KINDS.get(concept.kind, ""), escape(others), escape("|".join(concept.sought_as)))
