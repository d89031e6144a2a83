"""Where to begin with an empty record, and what nobody has recorded yet: what the published criteria look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from poems.knowledge import Concept, Knowledge
from poems.models.differential import TARGET
from poems.record import Event
from poems.rules import Above, Named, Present, Rule, walk

KEPT = "_web_begin"


def looked_for(knowledge: Knowledge) -> dict[str, frozenset[str]]:
    """What the criteria look at, in their order: the finding to enter, and all that would say something of it."""
    kept: dict[str, frozenset[str]] | None = knowledge.__dict__.get(KEPT)
    if kept is None:
        kept = {}
        for rule in _asking(knowledge):
            findings = tuple(dict.fromkeys(_findings(knowledge.components[rule.id].rule)))
            first = _to_enter(rule.asks, findings, knowledge).id
            kept[first] = kept.get(first, frozenset()) | {*findings, first}
        knowledge.__dict__[KEPT] = kept
    return kept


def begin(knowledge: Knowledge) -> tuple[Concept, ...]:
    """What to enter first."""
    return tuple(knowledge.concepts[key] for key in looked_for(knowledge))


def missing(events: Iterable[Event], knowledge: Knowledge) -> tuple[Concept, ...]:
    """What the criteria look at and no event says anything of."""
    known = {event.finding for event in events}
    return tuple(knowledge.concepts[key] for key, findings in looked_for(knowledge).items() if not known & findings)


def _asking(knowledge: Knowledge) -> Iterator[Named]:
    """The questions of the sets of criteria for POEMS."""
    for criteria in knowledge.criteria.values():
        if criteria.diagnoses == TARGET:
            for level in criteria.levels:
                for rule in walk(level.rule):
                    if isinstance(rule, Named) and rule.asks and rule.id in knowledge.components:
                        yield rule


def _findings(rule: Rule) -> Iterator[str]:
    return (one.finding for one in walk(rule) if isinstance(one, Present | Above))


def _to_enter(asks: str, findings: Iterable[str], knowledge: Knowledge) -> Concept:
    """What a person can enter for a question: the finding that it asks for, else the first test that answers it; where
    that is one of several specimens, the form asks for it.
    """
    known = [knowledge.concepts[key] for key in (asks, *findings) if key in knowledge.concepts]
    asked = known[0] if known[0].id == asks else next((one for one in known if one.unit), known[0])
    return knowledge.concepts[asked.of] if asked.of else asked
