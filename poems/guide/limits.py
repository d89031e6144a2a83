"""What a rule itself asks for: the limit of a quantity, how many parts of how many."""

from __future__ import annotations

import re
from collections.abc import Iterator

from poems.knowledge import Knowledge
from poems.rules import Above, AtLeast, Judged, Named, Not, Rule


def limits(rule: Rule, knowledge: Knowledge) -> Iterator[tuple[str, float, str]]:
    """What a rule itself asks for: `limit`, `at-least`, `of`; only where there is one such number."""
    nodes = list(_own(rule))
    above = {(node.finding, node.limit) for node in nodes if isinstance(node, Above) and node.limit}
    if len({limit for _, limit in above}) == 1:
        finding, limit = sorted(above, key=str)[0]
        name, _, suffix = finding.partition("/")
        concept = knowledge.concepts.get(name)
        unit = "times" if suffix.startswith("of-") else _unit(concept.unit) if concept else ""
        yield "limit", float(limit or 0), unit
    times = {node.times for node in nodes if isinstance(node, Above) and node.times != 1}
    if len(times) == 1:
        yield "times", times.pop(), "times"
    choices = [node for node in nodes if isinstance(node, AtLeast) and node.n < len(node.parts)]
    if len(choices) == 1:
        if choices[0].n > 1:
            yield "at-least", choices[0].n, ""
        yield "of", len(choices[0].parts), ""


def _own(rule: Rule) -> Iterator[Rule]:
    """The nodes of a rule down to what has a name of its own."""
    yield rule
    match rule:
        case AtLeast(parts=parts):
            for part in parts:
                if not isinstance(part, Named):
                    yield from _own(part)
        case Not(part=part) if not isinstance(part, Named):
            yield from _own(part)
        case Named(part=part):
            yield from _own(part)
        case Judged(shown_by=part) if not isinstance(part, Named):
            yield from _own(part)
        case _:
            return


def _unit(code: str) -> str:
    """A UCUM unit as prose says it."""
    return {"1": "", "a": "years", "10*9/L": "×10⁹/L", "Cel": "°C", "mL/min/{1.73_m2}": "mL/min/1.73 m²",
            "d": "days"}.get(code, re.sub(r"\{[^}]*\}", "", code))
