"""What is on record, in words for a page: for the clinician as it stands, for the patient in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Any

from poems.knowledge import Knowledge
from poems.record import ABSENT, Event
from poems.render.patient import WEAK, is_weak, plain, without_dose
from poems.render.view import Observation, observation
from poems.render.words import circumstances, clean, label, measured
from poems.store import Entry
from poems.web.ask import Edition
from poems.web.entry import printed

TITLES = {
    "clinician": {"quantity": "Measured", "finding": "Findings", "treatment": "Treatments",
                  "label": "Diagnoses on record", "person": "Person", "other": "Not known to this knowledge"},
    "patient": {"quantity": "What was measured", "finding": "What was found", "treatment": "Treatments",
                "label": "Diagnoses written in the record", "person": "About me", "other": "Other entries"},
}


@dataclass(frozen=True)
class Row:
    """One entry as the list shows it. is_again: the row above is about the same, so that its name is not said twice."""

    id: int
    name: str
    said: str
    how: str
    day: str
    source: str
    is_again: bool
    is_corrected: bool


def seen(event: Event, knowledge: Knowledge, edition: Edition, raw: Mapping[str, Any] | None = None) -> Observation:
    """One event in words; for the patient in plain ones, and a treatment without its amount.

    raw: what was typed; where that was in another unit, it stands beside, as it is on the sheet it was read from.
    """
    if edition == "clinician":
        found = observation(event, knowledge)
        return replace(found, what=found.what + _as_typed(event, knowledge, raw or {}))
    undosed = without_dose(event, knowledge)
    said = _said(undosed, knowledge, edition) + _as_typed(undosed, knowledge, raw or {})
    name = plain(event.finding, knowledge)
    return Observation(f"{name}: {said}" if said else name, "", event.date.isoformat() if event.date else "",
                       _source(event, knowledge, edition))


def _as_typed(event: Event, knowledge: Knowledge, raw: Mapping[str, Any]) -> str:
    """Number and unit as they were typed, in brackets; empty where the record says them so."""
    value, unit = str(raw.get("value") or ""), str(raw.get("unit") or "")
    concept = knowledge.concepts.get(event.finding)
    if event.value is None or not value or not unit or unit == event.unit or concept is None or not concept.unit:
        return ""
    return f" (typed: {clean(value)} {printed(unit)})"


def groups(entries: Iterable[Entry], knowledge: Knowledge, edition: Edition) -> Mapping[str, Sequence[Row]]:
    """The entries by what they are of; what is about the same stands together, the latest first."""
    of: dict[str, list[Entry]] = {}
    for entry in entries:
        concept = knowledge.concepts.get(entry.event.finding)
        of.setdefault(concept.kind if concept else "other", []).append(entry)
    return {title: tuple(_rows(of[kind], knowledge, edition)) for kind, title in TITLES[edition].items() if kind in of}


def _rows(entries: Iterable[Entry], knowledge: Knowledge, edition: Edition) -> Iterable[Row]:
    named = [(_name(one.event, knowledge, edition), one) for one in entries]
    latest = sorted(named, key=lambda pair: (pair[1].event.date or date.min, pair[1].id), reverse=True)
    for name, same in groupby(sorted(latest, key=lambda pair: pair[0].casefold()), key=lambda pair: pair[0]):
        for place, (_, entry) in enumerate(same):
            event = entry.event
            yield Row(entry.id, name, _said(event, knowledge, edition),
                      circumstances(event) if edition == "clinician" else "",
                      event.date.isoformat() if event.date else "", _source(event, knowledge, edition), place > 0,
                      entry.supersedes is not None)


def _name(event: Event, knowledge: Knowledge, edition: Edition) -> str:
    return plain(event.finding, knowledge) if edition == "patient" else label(event.finding, knowledge)


def _said(event: Event, knowledge: Knowledge, edition: Edition) -> str:
    concept = knowledge.concepts.get(event.finding)
    if edition == "patient" and concept and concept.kind == "finding" and event.status == ABSENT:
        return "looked for, not found" + (f"; {WEAK}" if is_weak(event, knowledge) else "")
    return measured(without_dose(event, knowledge) if edition == "patient" else event, knowledge)


def _source(event: Event, knowledge: Knowledge, edition: Edition) -> str:
    """Where it stands; not that of a treatment for the patient, since it often names the amount."""
    concept = knowledge.concepts.get(event.finding)
    is_hidden = edition == "patient" and concept is not None and concept.kind == "treatment"
    return "" if is_hidden else clean(event.source)
