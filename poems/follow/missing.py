"""What a record lacks for an answer, in words: the whole rather than its parts, and what was looked for in vain."""

from __future__ import annotations

from collections.abc import Iterable

from poems.evaluate import Judgement
from poems.explain import settled_by
from poems.follow.chart import Chart
from poems.follow.words import listed
from poems.record import ABSENT, Event

SETS, NAMES = 2, 6  # so many of the smallest sets of an answer are named, and so many findings


def missing(judgements: Iterable[Judgement], chart: Chart, seen: Iterable[Event], known: str = "") -> str:
    """The findings of the smallest sets that would settle these.

    seen: what is on record of the time that is judged. known: a quantity that is on record.
    """
    sets = [names for item in judgements for names in _wholes(settled_by(item), chart)[:SETS]]
    names = [name for names in sets for name in names if name.partition("/")[0] != known or not known]
    absent = [event for event in seen if event.status == ABSENT]
    told = [chart.label(name) + _in_vain(name, chart, absent) for name in dict.fromkeys(names)]
    return listed(list(dict.fromkeys(told))[:NAMES], "or")


def _wholes(sets: list[list[str]], chart: Chart) -> list[list[str]]:
    """The sets with each finding that is only one form of another named there as that one (a neuropathy of some kind
    as polyneuropathy).
    """
    named = {name for names in sets for name in names}
    whole = {part: name for name in sorted(named) for part in chart.shown_by(name) if part in named and part != name}
    for part in whole:
        while whole[part] in whole and whole[whole[part]] != part:
            whole[part] = whole[whole[part]]
    told = [tuple(dict.fromkeys(whole.get(name, name) for name in names)) for names in sets]
    return [list(names) for names in dict.fromkeys(told)]


def _in_vain(name: str, chart: Chart, absent: Iterable[Event]) -> str:
    """That it was looked for by a method that cannot exclude it."""
    concept = chart.knowledge.concepts.get(name)
    if concept is None or not concept.methods:
        return ""
    excluding = {method.id for method in concept.methods if method.excludes}
    looked = [event for event in absent if event.finding == name and event.method not in excluding]
    if not looked:
        return ""
    by = looked[-1].method.replace("-", " ")
    return f" (recorded absent{f' by {by}, which' if by else '; the method is not said, and that'} does not exclude it)"
