"""A course in a few sentences, the most important first: relapse, trend, response, what is due."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from poems.follow import DomainResponse, Follow, Relapse, Trend, Visit
from poems.follow.model import Recorded
from poems.knowledge import Knowledge
from poems.render.follow_words import (
    apart,
    by_kind,
    due,
    is_now,
    is_today,
    name_of_test,
    silence,
    silent_since,
    trend_sentence,
)
from poems.render.words import clean, inside, label, listed
from poems.rules import Verdict

UNTOLD = ("unknown", "not evaluable")
NAMED = 3  # so many features are named in a sentence, the others counted
UNTREATED = ("No treatment of the plasma-cell disorder is on record with a date, so that neither response nor "
             "relapse can be told.")


def glance(follow: Follow, knowledge: Knowledge) -> Iterator[str]:
    """One line each: death, relapse, what can overturn that, the trends that rise (or the first), response, the visits
    due and next.
    """
    yield from said_first(follow, knowledge)
    yield from (clean(text) for text in follow.doubtful)
    rising = [trend for trend in follow.trends
              if trend.alarm != "none" or (trend.is_likely and trend.can_alarm)] or _newest(follow, knowledge)
    for trend in rising:
        yield trend_sentence(trend, knowledge, None if follow.died else follow.as_of, line_start(follow))
    if not follow.lines:
        yield UNTREATED
    elif follow.responses:
        yield _responses(follow.responses, knowledge)
    if not follow.died:
        yield from _visits(follow, knowledge)


def said_first(follow: Follow, knowledge: Knowledge) -> Iterator[str]:
    """The lines that no reading may leave out: that nothing can be followed, death, relapse and what stands beside."""
    if not any(event.date for event in follow.record.events):
        yield f"Up to {follow.as_of} the record holds nothing with a date: there is no course to follow."
    if follow.died:
        yield f"Died on {follow.died}."
    yield from _relapses(follow, knowledge)


def _newest(follow: Follow, knowledge: Knowledge) -> list[Trend]:
    """Of the first marker the series that was sampled last, in whatever specimen."""
    def family(trend: Trend) -> str:
        concept = knowledge.concepts.get(trend.series.finding)
        return (concept.of if concept else "") or trend.series.finding

    alike = [trend for trend in follow.trends if trend.days and family(trend) == family(follow.trends[0])]
    return [max(alike, key=lambda trend: trend.days[-1])] if alike else list(follow.trends[:1])


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
    """Since when a definition is met, and whether by a second sample; else its verdict."""
    if item.day is None or item.verdict is Verdict.NOT_MET:
        return item.verdict.value
    if not item.confirmed:
        return f"met on {item.day}, not confirmed"
    if item.gone:
        return f"met on {item.day}{', confirmed' if item.is_repeated else ''}; not met any more on {item.gone}"
    return f"since {item.day}, confirmed" if item.is_repeated else f"met since {item.day}"


def _relapses(follow: Follow, knowledge: Knowledge) -> Iterator[str]:
    """What a clinician recorded and no definition shows; of the current line of treatment what is confirmed, what is
    met, what waits, else that nothing is shown; then before.
    """
    now = [item for item in follow.relapses if not is_past(item, follow)]
    found = [item for item in now if item.day and item.verdict is not Verdict.NOT_MET]
    yield from _recorded(follow, knowledge)
    if repeated := [item for item in found if item.is_repeated]:
        yield f"Confirmed: {_named(repeated, knowledge)}."
    if once := [item for item in found if item.confirmed and not item.is_repeated]:
        yield f"Met: {_named(once, knowledge)}."
    for item in found:
        if not item.confirmed:
            yield f"Not confirmed: {_named([item], knowledge)}{_asked(item, knowledge)}."
    if denied := max((item.denied for item in found if item.denied), default=None):
        yield f"A clinician recorded on {denied} that there is no relapse."
    if now and not found:
        yield _none(now, follow)
    yield from _not_counted(now, knowledge)
    past = [item for item in follow.relapses if is_past(item, follow) and item.verdict is not Verdict.NOT_MET]
    if past:
        told = [f"{inside(clean(item.label), knowledge)}, {when(item)}" for item in past]
        yield f"Before the present treatment: {'; '.join(told)}."
    if also := [str(item.day) for item in follow.recorded if item.shown]:
        yield f"A clinician recorded relapse or progression on {listed(also, 'and')} as well."


def _recorded(follow: Follow, knowledge: Knowledge) -> Iterator[str]:
    """The relapses that a clinician recorded and no definition shows, and why the last of them is not shown."""
    alone = [item for item in follow.recorded if not item.shown]
    if not alone:
        return
    last = alone[-1]
    since = next((line.start for line in follow.lines if line.number == last.line + 1), None)
    then = f" Treated anew since {since}." if since and last.line else ""
    yield (f"Relapse recorded on {listed([str(item.day) for item in alone], 'and')}; the computed definitions do not "
           f"show it ({not_shown(last, knowledge)}){denial(last)}.{then}")


def denial(item: Recorded) -> str:
    """That a clinician recorded later that there is no relapse, as a clause; empty where nobody did."""
    return f"; a clinician recorded on {item.denied} that there is none" if item.denied else ""


def not_shown(item: Recorded, knowledge: Knowledge) -> str:
    """Why the definitions do not show what a clinician recorded."""
    return " ".join(filter(None, (_features(item.features, knowledge) if item.features else "", clean(item.why))))


def _not_counted(now: Sequence[Relapse], knowledge: Knowledge) -> Iterator[str]:
    """The features that came and do not count as new, by why."""
    whys: dict[str, dict[tuple[str, date], None]] = {}
    for item in now:
        for feature, day, why in item.not_counted:
            whys.setdefault(why, {})[feature, day] = None
    if whys:
        told = [f"{_features(list(features), knowledge)}, {inside(clean(why), knowledge)}"
                for why, features in whys.items()]
        yield f"Not counted as new: {'; '.join(told)}."


def _features(features: Sequence[tuple[str, date]], knowledge: Knowledge) -> str:
    """`ascites (2021-03-01) and papilledema (2021-04-01)`: a few by name, the others counted."""
    names = [f"{inside(label(feature, knowledge), knowledge)} ({day})" for feature, day in features[:NAMED]]
    more = len(features) - NAMED
    return listed([*names, *([f"{more} more"] if more > 0 else [])], "and")


def _named(items: Sequence[Relapse], knowledge: Knowledge) -> str:
    """`hematologic relapse since 2016-07-01`."""
    told = []
    for item in items:
        name = inside(clean(item.label), knowledge)
        since = f"since {item.day}" if item.confirmed else f"met on {item.day}"
        if item.gone:
            met = "on" if item.confirmed and not item.is_repeated else "met on"
            since = f"{met} {item.day}, not any more on {item.gone}"
        beside = f" ({'; '.join(inside(clean(clause), knowledge) for clause in item.beside)})" if item.beside else ""
        told.append(f"{name}{',' if ',' in name or item.gone else ''} {since}{beside}")
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
    """The names of the domains, with a relapse that was recorded after what shows their category."""
    return [inside(clean(item.label), knowledge)
            + (f", before the relapse recorded on {item.relapsed}" if item.relapsed else "") for item in items]


def _of(name: str, items: Sequence[DomainResponse], knowledge: Knowledge) -> str:
    """The domains of a category in brackets, unless its name has them in it."""
    def words(text: str) -> set[str]:
        return set(re.findall(r"[a-z]{2,}", text.casefold())) - {"response", "on"}

    if len(items) == 1 and words(items[0].label) & words(name) and not items[0].relapsed:
        return ""
    return f" ({', '.join(_domains(items, knowledge))})"


def _visits(follow: Follow, knowledge: Knowledge) -> Iterator[str]:
    """What is overdue, what is due now, else or also what comes next: the first visit of each kind."""
    firsts = [several[0] for several in by_kind(follow.calendar, follow.as_of)]
    late = _once([visit for visit in firsts if visit.overdue])
    now, today = _once([visit for visit in firsts if is_now(visit, follow.as_of)]), is_today(follow.as_of)
    kinds = {visit.label for visit in (*late, *now)}
    if (silent := silent_since(follow)) and any(visit.latest >= silent for visit in late):
        yield silence(follow)
        late = [visit for visit in late if visit.latest < silent]
    if late:
        yield "Overdue: " + "; ".join(
            f"{_visit(visit, knowledge)} ({due(visit, follow.as_of).removeprefix('overdue ')})" for visit in late) + "."
    if now:
        yield "Due now: " + "; ".join(
            f"{_visit(visit, knowledge)} (until {visit.latest})" if visit.latest > follow.as_of or not today
            else f"{_visit(visit, knowledge)} (today)" for visit in now) + "."
    coming = [visit for visit in firsts if visit.label not in kinds]
    if coming:
        yield (f"Next: {_visit(coming[0], knowledge)}, {due(coming[0], follow.as_of)} "
               f"({apart(coming[0].day, follow.as_of)}).")


def _once(visits: Sequence[Visit]) -> list[Visit]:
    """Each kind of visit once: the first, as a whole where several parts of it are there."""
    of: dict[str, list[Visit]] = {}
    for visit in visits:
        of.setdefault(visit.label, []).append(visit)
    return [replace(several[0], is_part=several[0].is_part and len(several) == 1) for several in of.values()]


def _visit(visit: Visit, knowledge: Knowledge) -> str:
    """The kind of a visit, with its tests where it holds only some of those of its kind."""
    name = inside(clean(visit.label), knowledge)
    known = [test for test in visit.tests if test in knowledge.tests or test in knowledge.concepts]
    tests = [inside(name_of_test(test, knowledge), knowledge) for test in known]
    return f"{name}: {listed(tests, 'and')}" if visit.is_part and tests else name
