"""The names by which a finding can be looked up while it is typed: its label, other names, the patient's words."""

from __future__ import annotations

from markupsafe import Markup, escape

from poems.knowledge import Concept, Knowledge

KINDS = {"quantity": "measured", "finding": "finding", "treatment": "treatment", "label": "diagnosis",
         "person": "person"}
KEPT = "_web_names"


def options(knowledge: Knowledge) -> Markup:
    """One option for every concept, by label; made once, and kept with the knowledge.

    Without a script a browser offers the labels; app.js reads the other names from `data-also`.
    """
    kept = knowledge.__dict__.get(KEPT)
    if kept is None:
        known = sorted(knowledge.concepts.values(), key=lambda one: one.label.casefold())
        kept = knowledge.__dict__[KEPT] = Markup("\n").join(map(_option, known))
    return Markup(kept)  # noqa: S704 - made above, of escaped parts


def _option(concept: Concept) -> Markup:
    also = dict.fromkeys((*concept.synonyms, concept.patient, concept.id.replace("-", " ")))
    others = "|".join(name for name in also if name and name.casefold() != concept.label.casefold())
    return Markup('<option value="{}" data-kind="{}" data-also="{}"></option>').format(
        escape(concept.label), KINDS.get(concept.kind, ""), escape(others))
