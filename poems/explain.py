"""What would settle an unknown verdict, and where the evidence stands against itself."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations, product

from poems.evaluate import Judgement
from poems.record import Event
from poems.rules import Above, AtLeast, Judged, Named, Not, Present, Verdict

MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN
Ways = frozenset[frozenset[str]]
NOTHING_NEEDED: Ways = frozenset({frozenset()})
IMPOSSIBLE: Ways = frozenset()
MOST = 64   # sets kept at any node; the smallest first, so that only the long ones are ever lost


def settled_by(judgement: Judgement) -> list[list[str]]:
    """The smallest sets of missing findings that can make an unknown verdict definite, shortest first.

    A set is listed if some results of its findings decide the verdict, either way, and no part of it already can.
    Empty for a definite verdict.
    """
    if judgement.verdict is not UNKNOWN:
        return []
    return _listed(_smallest([*ways(judgement, MET), *ways(judgement, NOT_MET)]))


def met_by(judgement: Judgement) -> list[list[str]]:
    """The smallest sets of missing findings that can make an unknown verdict met, shortest first."""
    return _listed(ways(judgement, MET)) if judgement.verdict is UNKNOWN else []


def ways(judgement: Judgement, wanted: Verdict) -> Ways:
    """The smallest sets of findings, unknown now, whose results can make this node `wanted` (met or not met)."""
    if judgement.verdict is not UNKNOWN:
        return NOTHING_NEEDED if judgement.verdict is wanted else IMPOSSIBLE
    rule, parts = judgement.rule, judgement.parts
    if isinstance(rule, Present | Above):
        return frozenset({frozenset({rule.finding})})
    if isinstance(rule, Named):
        return frozenset({frozenset({rule.asks})}) if rule.asks else ways(parts[0], wanted)
    if isinstance(rule, Not):
        return ways(parts[0], NOT_MET if wanted is MET else MET)
    if isinstance(rule, Judged):
        shown = ways(parts[0], wanted)
        return shown if wanted is MET else _smallest([*shown, *ways(parts[1], MET)])
    assert isinstance(rule, AtLeast)
    need = rule.n if wanted is MET else len(parts) - rule.n + 1
    need -= sum(part.verdict is wanted for part in parts)
    open_parts = [ways(part, wanted) for part in parts if part.verdict is UNKNOWN]
    return _smallest(frozenset().union(*choice) for chosen in combinations(open_parts, need)
                     for choice in product(*chosen))


def _smallest(sets: Iterable[frozenset[str]]) -> Ways:
    """The sets that contain no other, the shortest `MOST` of them."""
    kept: list[frozenset[str]] = []
    for candidate in sorted(set(sets), key=lambda names: (len(names), sorted(names))):
        if len(kept) < MOST and not any(known <= candidate for known in kept):
            kept.append(candidate)
    return frozenset(kept)


def _listed(sets: Ways) -> list[list[str]]:
    return sorted((sorted(names) for names in sets), key=lambda names: (len(names), names))


def conflicts(judgements: Iterable[Judgement]) -> list[tuple[str, tuple[Event, ...]]]:
    """The findings for which evidence for and against stands in the record, each once, with the events that won."""
    found: dict[str, tuple[Event, ...]] = {}
    queue = list(judgements)
    seen = set()
    while queue:
        judgement = queue.pop(0)
        if id(judgement) in seen:
            continue
        seen.add(id(judgement))
        queue.extend(judgement.parts)
        if judgement.conflict:
            found.setdefault(_name(judgement), judgement.because)
    return list(found.items())


def _name(judgement: Judgement) -> str:
    while judgement.parts:
        judgement = judgement.parts[0]
    assert isinstance(judgement.rule, Present | Above)
    return judgement.rule.finding
