"""A course in a few sentences, the most important first: relapse, trend, response, what is due."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from poems.follow import DomainResponse, Follow, Relapse, Visit
from poems.knowledge import Knowledge
from poems.render.follow_words import apart, by_kind, due, is_now, is_today, trend_sentence
from poems.render.words import clean, inside, listed
from poems.rules import Verdict

UNTOLD = ("unknown", "not evaluable")
UNTREATED = ("No treatment of the plasma-cell disorder is on record with a date, so that neither response nor "
             "relapse can be told.")


def glance(follow: Follow, knowledge: Knowledge) -> Iterator[str]:
    """One line each: death, relapse, the trends that rise (or the first), response, the visits due and next."""
    if not any(event.date for event in follow.record.events):
        yield f"Up to {follow.as_of} the record holds nothing with a date: there is no course to follow."
    if follow.died:
        yield f"Died on {follow.died}."
    yield from _relapses(follow, knowledge)
    rising = [trend for trend in follow.trends if trend.alarm != "none"] or list(follow.trends[:1])
    for trend in rising:
        yield trend_sentence(trend, knowledge, None if follow.died else follow.as_of, line_start(follow))
    if not follow.lines:
        yield UNTREATED
    elif follow.responses:
        yield _responses(follow.responses, knowledge)
    if not follow.died:
        yield from _visits(follow, knowledge)


def line_start(follow: Follow) -> date | None:
    """The first day of the current line of treatment."""
    return follow.lines[-1].start if follow.lines else None


def is_past(item: Relapse, follow: Follow) -> bool:
    """Whether a later line of treatment has begun since."""
    return bool(item.day and follow.lines and item.day <= follow.lines[-1].start)


def category(item: DomainResponse, name: str, knowledge: Knowledge) -> str:
    """A category of response as its domain calls it."""
    domain = next((known for known in knowledge.follow.domains if known.id == item.id), None)
    found = next((known for known in domain.categories if known.id == name), None) if domain else None
    return clean(found.label if found else name)


def when(item: Relapse) -> str:
    """Since when a definition is met, and whether that was confirmed; else its verdict."""
    if item.day is None or item.verdict is Verdict.NOT_MET:
        return item.verdict.value
    if item.gone:
        return f"met on {item.day}, confirmed; not met any more on {item.gone}"
    return f"since {item.day}, confirmed" if item.confirmed else f"met on {item.day}, not confirmed"


def _relapses(follow: Follow, knowledge: Knowledge) -> Iterator[str]:
    """Of the current line of treatment what is confirmed, then what waits, else that nothing is shown; then before."""
    now = [item for item in follow.relapses if not is_past(item, follow)]
    found = [item for item in now if item.day and item.verdict is not Verdict.NOT_MET]
    sure = [item for item in found if item.confirmed]
    if sure:
        yield f"Confirmed: {_named(sure, knowledge)}."
    for item in found:
        if not item.confirmed:
            yield f"Not confirmed: {_named([item], knowledge)}{_asked(item, knowledge)}."
    if now and not found:
        yield _none(now, follow)
    past = [item for item in follow.relapses if is_past(item, follow) and item.verdict is not Verdict.NOT_MET]
    if past:
        told = [f"{inside(clean(item.label), knowledge)}, {when(item)}" for item in past]
        yield f"Before the present treatment: {'; '.join(told)}."


def _named(items: Sequence[Relapse], knowledge: Knowledge) -> str:
    """`hematologic relapse since 2016-07-01`."""
    told = []
    for item in items:
        name = inside(clean(item.label), knowledge)
        since = f"since {item.day}" if item.confirmed else f"met on {item.day}"
        if item.gone:
            since = f"met on {item.day}, not any more on {item.gone}"
        told.append(f"{name}{',' if ',' in name or item.gone else ''} {since}")
    return "; ".join(told)


def _asked(item: Relapse, knowledge: Knowledge) -> str:
    """What a definition asks for before it counts as confirmed."""
    kind = next((known for known in knowledge.follow.relapses if known.id == item.id), None)
    confirm = kind.confirm if kind else None
    asks = confirm.values if confirm and confirm.samples < 2 else confirm
    if asks is None:
        return ""
    return f"; it asks for {asks.samples} samples at least {asks.days} days apart that nothing else explains"


def _none(now: Sequence[Relapse], follow: Follow) -> str:
    left = sum(item.verdict is Verdict.UNKNOWN for item in now)
    began = f"Since the present treatment began on {follow.lines[-1].start}, " if len(follow.lines) > 1 else ""
    if left == len(now):
        said = "relapse or progression cannot be told: the record decides none of the published definitions."
    else:
        more = f"; {left} of {len(now)} cannot be told from the record" if left else ""
        said = f"no relapse or progression is shown by the published definitions{more}."
    return began + said if began else said[0].upper() + said[1:]


def _responses(responses: Sequence[DomainResponse], knowledge: Knowledge) -> str:
    """What each domain shows now, those that show a category first; what is unknown in one sentence."""
    shown: dict[str, list[DomainResponse]] = {}
    for item in responses:
        shown.setdefault(item.now if item.now in UNTOLD else category(item, item.now, knowledge), []).append(item)
    told = "; ".join(inside(name, knowledge) + _of(name, items, knowledge)
                     for name, items in shown.items() if name not in UNTOLD)
    open_ = [f"{name.capitalize()}: {listed(_domains(shown[name], knowledge), 'and')}."
             for name in UNTOLD if name in shown]
    if len(shown.get("unknown", ())) == len(responses):
        return "Response now: unknown in every domain."
    return " ".join(["Response now: " + (f"{told}." if told else "none is known."), *open_])


def _domains(items: Sequence[DomainResponse], knowledge: Knowledge) -> list[str]:
    return [inside(clean(item.label), knowledge) for item in items]


def _of(name: str, items: Sequence[DomainResponse], knowledge: Knowledge) -> str:
    """The domains of a category in brackets, unless its name has them in it."""
    def words(text: str) -> set[str]:
        return set(re.findall(r"[a-z]{2,}", text.casefold())) - {"response", "on"}

    if len(items) == 1 and words(items[0].label) & words(name):
        return ""
    return f" ({', '.join(_domains(items, knowledge))})"


def _visits(follow: Follow, knowledge: Knowledge) -> Iterator[str]:
    """What is overdue, what is due now, else or also what comes next: the first visit of each kind."""
    firsts = [several[0] for several in by_kind(follow.calendar, follow.as_of)]
    late = [visit for visit in firsts if visit.overdue]
    now, today = [visit for visit in firsts if is_now(visit, follow.as_of)], is_today(follow.as_of)
    if late:
        yield "Overdue: " + "; ".join(
            f"{_visit(visit, knowledge)} ({due(visit, follow.as_of).removeprefix('overdue ')})" for visit in late) + "."
    if now:
        yield "Due now: " + "; ".join(
            f"{_visit(visit, knowledge)} (until {visit.latest})" if visit.latest > follow.as_of or not today
            else f"{_visit(visit, knowledge)} (today)" for visit in now) + "."
    coming = [visit for visit in firsts if not visit.overdue and visit not in now]
    if coming:
        yield (f"Next: {_visit(coming[0], knowledge)}, {due(coming[0], follow.as_of)} "
               f"({apart(coming[0].day, follow.as_of)}).")


def _visit(visit: Visit, knowledge: Knowledge) -> str:
    return inside(clean(visit.label), knowledge)
