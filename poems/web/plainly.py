"""What stands behind a number, for those who are no professionals: a few plain sentences before the detail.

The numbers and the words are those of the knowledge; no sentence says anything about one person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from poems.guide.numbers import resolve
from poems.knowledge import Concept, CriteriaSet, Criterion, Knowledge, Source
from poems.knowledge.model import Accuracy, Claim, Feature, Setting, Test
from poems.render.catalogue import KINDS, of_kind
from poems.render.words import SEEN, number

ALONE = ("That says nothing about one person yet: how much a result means depends on everything else that was found. "
         "Take it to your doctor.")


def plainly(key: str, knowledge: Knowledge) -> tuple[str, ...]:
    """What goes by this id, in sentences: the first of what does; empty where nothing does."""
    found = ((kind, of_kind(knowledge, kind).get(key)) for kind in KINDS)
    return next((tuple(_SAID[kind](item, knowledge)) for kind, item in found if item is not None), ())


def _concept(item: Concept, knowledge: Knowledge) -> Iterable[str]:
    yield {"treatment": "A treatment: ", "label": "A diagnosis: ", "quantity": "Something that is measured: "}.get(
        item.kind, "Something that doctors look for: ") + f"{item.patient or item.label}."


def _component(item: Criterion, knowledge: Knowledge) -> Iterable[str]:
    yield f"One of the things that doctors look at when they think of POEMS: {item.patient or item.label}."


def _criteria(item: CriteriaSet, knowledge: Knowledge) -> Iterable[str]:
    about = "speak of POEMS syndrome" if item.diagnoses == "poems" else "speak of another disease than POEMS syndrome"
    yield (f"A published list of findings by which doctors decide whether to {about}. There are several such lists, "
           "and they differ.")
    yield "No list takes the place of a doctor who knows the disease."


def _disease(item: Mapping[str, Any], knowledge: Knowledge) -> Iterable[str]:
    yield f"One of the diseases that can look like POEMS, or POEMS itself: {item.get('patient') or item['label']}."


def _setting(item: Setting, knowledge: Knowledge) -> Iterable[str]:
    yield f"How often each disease is found among people who are met here: {item.label}."
    yield "Doctors begin from that before they look at the findings. Much of it is an estimate and marked as one."


def _feature(item: Feature, knowledge: Knowledge) -> Iterable[str]:
    yield f"{item.patient or item.label}: how often it was seen in people with POEMS, and in diseases that look alike."
    yield ALONE


def _accuracy(item: Accuracy, knowledge: Knowledge) -> Iterable[str]:
    ill, well = item.sensitivity, item.specificity
    concept = knowledge.concepts[item.concept]
    yield f"How well one test tells POEMS from other diseases: {concept.patient or concept.label}."
    if ill.n and well.n:
        yield (f"Of {number(ill.n)} people with POEMS in the study, {number(ill.k)} had such a result. Of "
               f"{number(well.n)} others, {number(well.n - well.k)} had one too.")
    yield ALONE


def _test(item: Test, knowledge: Knowledge) -> Iterable[str]:
    yield f"Something that can be done to learn more: {item.patient or item.label}."


def _source(item: Source, knowledge: Knowledge) -> Iterable[str]:
    seen = SEEN.get(item.seen, item.seen)
    yield f"A published work that this app takes numbers or words from. How much of it we saw: {seen}."


def _erratum(item: Mapping[str, Any], knowledge: Knowledge) -> Iterable[str]:
    yield f"A place where the FAQ of 2017, from which this guide grew, may mislead: {item['topic']}."
    if item.get("patient"):
        yield str(item["patient"])


def _claim(item: Claim, knowledge: Knowledge) -> Iterable[str]:
    yield f"{item.label}: {resolve(knowledge, item.id).text}."


_SAID: Mapping[str, Callable[[Any, Knowledge], Iterable[str]]] = {
    "concepts": _concept, "components": _component, "criteria": _criteria, "diseases": _disease, "settings": _setting,
    "features": _feature, "accuracies": _accuracy, "tests": _test, "sources": _source, "errata": _erratum,
    "claims": _claim}
