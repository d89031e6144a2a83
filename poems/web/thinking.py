"""The review, what would change it, and the course: the library's views in the app's frame."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from starlette.responses import Response

from poems.errors import Issue
from poems.record import Record
from poems.render.calendar import is_empty
from poems.render.follow_patient import own_course
from poems.render.follow_view import APART, together
from poems.render.follow_view import DISCLAIMER as COURSE_DISCLAIMER
from poems.render.follow_view import view as course_view
from poems.render.patient import NOTICE, own
from poems.render.view import DISCLAIMER, observation, view
from poems.render.waterfall import waterfall
from poems.render.words import clean, interval, percent
from poems.review import Review, SetReview
from poems.rules import Verdict
from poems.store import MissingError
from poems.web.ask import Ask, read, write
from poems.web.begin import missing
from poems.web.chart import figure
from poems.web.entry import asked, by_field, is_begun, typed
from poems.web.pages import page
from poems.web.work import course_of, is_last, record_of, review_of, setting_of

MOST = 12
"""So many findings may be supposed at one time."""
FULL = Issue("fault", "finding", f"{MOST} findings are supposed already, and more are not weighed at one time", "",
             "Take one of them back first.")


@dataclass(frozen=True)
class Moved:
    """One set of criteria, or one disease, before and after. spreads: the intervals of both probabilities."""

    label: str
    before: str
    after: str
    is_moved: bool
    verdicts: tuple[Verdict, Verdict] | None = None
    spreads: tuple[str, str] = ("", "")


@read()
def review(ask: Ask) -> Response:
    """Criteria, differential, next tests; or, for the patient, the own record and what to ask."""
    uid = ask.path("uid")
    found = review_of(ask, uid)
    common: dict[str, Any] = {"patient": ask.store.patient(uid), "is_last": is_last(ask), "as_of": found.as_of}
    if ask.edition == "patient":
        return page(ask, "review.html.j2", shown=own(found, ask.knowledge), notice=NOTICE, **common,
                    missing=missing(found.record.events, ask.knowledge))
    shown = view(found, ask.knowledge)
    return page(ask, "review.html.j2", shown=shown, disclaimer=DISCLAIMER, setting=found.setting,
                flow=waterfall(found, shown), chosen=setting_of(ask), settings=ask.knowledge.settings,
                **_nothing(ask), **common)


def _nothing(ask: Ask) -> dict[str, Any]:
    """The what-if of a page on which nothing is supposed yet."""
    return {"supposed": [], "carried": "[]", "faults": {}, "values": {}, "form": None, "query": _query(ask)}


def _query(ask: Ask) -> str:
    """The choices of the page, for the address of its form."""
    query = ask.request.url.query
    return f"?{query}" if query else ""


@write("viewer")
def what_if(ask: Ask) -> Response:
    """What a finding would change. Nothing is kept: what was supposed so far travels in the form."""
    uid = ask.path("uid")
    if ask.edition == "patient":
        raise MissingError("This page is for the clinician's edition, which says verdicts and probabilities.")
    patient, record = ask.store.patient(uid), record_of(ask, uid)
    raws, said = _supposed(ask.text("supposed")), None
    concept = ask.knowledge.by_name(ask.text("finding").strip())
    if ask.text("take-back"):
        raws = [raw for place, raw in enumerate(raws) if str(place) != ask.text("take-back")]
    elif ask.text("finding").strip():
        new = {name: value for name, value in ask.texts().items() if name not in ("supposed", "take-back")}
        if concept is None or is_begun(new):
            said = typed(new, patient.label, ask.knowledge, date.today())
            if len(raws) >= MOST:
                said = replace(said, faults=(*said.faults, FULL))
            raws = raws if said.faults else [*raws, dict(said.raw)]
    is_open = concept is not None and (said is None or bool(said.faults)) and not ask.text("take-back")
    values = {**_nothing(ask), **_change(ask, uid, patient.label, record, raws)}
    if is_open or (said and said.faults):
        values |= {"faults": by_field(said.faults if said else ()), "form": asked(concept, ask.knowledge) if concept
                   else None, "values": dict(said.raw) if said else {"finding": ask.text("finding")}}
    return page(ask, "what_if_result.html.j2" if ask.is_part else "what_if.html.j2", patient=patient,
                back=f"/p/{uid}/review", status=422 if said and said.faults else 200, **values)


def _change(ask: Ask, uid: str, label: str, record: Record, raws: Sequence[dict[str, str]]) -> dict[str, Any]:
    """What was supposed, and every verdict, probability and next test before and after."""
    events = [event for raw in raws if (event := typed(raw, label, ask.knowledge, date.today()).event)]
    supposed = [(place, observation(event, ask.knowledge)) for place, event in enumerate(events)]
    values: dict[str, Any] = {"supposed": supposed, "carried": json.dumps(raws)}
    if events:
        before = review_of(ask, uid)
        after = review_of(ask, uid, Record(record.patient, (*record.events, *events), record.as_of))
        values |= {"sets": _sets(before, after), "diseases": _diseases(ask, before, after),
                   "tests": [one.label for one in after.next_tests[:3]]}
    return values


def _supposed(text: str) -> list[dict[str, str]]:
    """What was supposed so far, as the form carries it; nothing where it is not what we wrote."""
    try:
        found = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    if not isinstance(found, list):
        return []
    return [{str(key): value for key, value in raw.items() if isinstance(value, str)}
            for raw in found[:MOST] if isinstance(raw, dict)]


def _sets(before: Review, after: Review) -> list[Moved]:
    return [Moved(one.criteria.label, _verdict(one), _verdict(two),
                  (one.verdict, one.level) != (two.verdict, two.level), (one.verdict, two.verdict))
            for one, two in zip(before.criteria, after.criteria, strict=True)]


def _verdict(found: SetReview) -> str:
    """The verdict, and its level where the set has several."""
    is_levelled = found.verdict is Verdict.MET and len(found.levels) > 1
    return f"{found.verdict.value}, {found.level}" if is_levelled else found.verdict.value


def _diseases(ask: Ask, before: Review, after: Review) -> list[Moved]:
    was = {one.disease: one for one in before.differential}
    return [Moved(str(ask.knowledge.diseases[one.disease]["label"]), percent(old.probability),
                  percent(one.probability), percent(old.probability) != percent(one.probability),
                  spreads=(interval(old.low, old.high), interval(one.low, one.high)))
            for one in after.differential for old in (was[one.disease],)]


@read()
def course(ask: Ask) -> Response:
    """The course after treatment: picture, trends, response, relapse, when to look again.

    A script that zooms or hides a series asks for the picture alone.
    """
    uid = ask.path("uid")
    found = course_of(ask, uid)
    is_own = ask.edition == "patient"
    shown: Any = own_course(found, ask.knowledge) if is_own else course_view(found, ask.knowledge)
    if ask.is_part:
        return Response(figure(ask, shown.picture, "p1"), media_type="text/html")
    return page(ask, "course.html.j2", patient=ask.store.patient(uid), shown=shown, disclaimer=COURSE_DISCLAIMER,
                not_here=APART, is_last=is_last(ask), as_of=found.as_of, clean=clean, together=together,
                chart=lambda timeline, prefix: figure(ask, timeline, prefix), has_transplant=bool(found.transplants),
                has_visits=not is_empty(found, ask.knowledge, ask.edition))
