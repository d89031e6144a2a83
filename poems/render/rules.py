"""A rule in words, as an outline: what `poems knowledge show` prints of a criterion."""

from __future__ import annotations

from collections.abc import Iterator

from poems.knowledge import Knowledge
from poems.render.words import inside, listed, method_name, number, unit
from poems.rules import Above, AtLeast, Judged, Named, Not, Present, Rule

Line = tuple[int, str]


def outline(rule: Rule, knowledge: Knowledge, depth: int = 0, *, top: bool = True) -> Iterator[Line]:
    """The rule as lines with their depth. A named part is named and not told again, but for the topmost one."""
    if isinstance(rule, Named):
        if top:
            yield from outline(rule.part, knowledge, depth, top=False)
        else:
            yield depth, f"{_name(rule.id, knowledge)}  ({rule.id})"
    elif isinstance(rule, Present):
        yield depth, _present(rule, knowledge)
    elif isinstance(rule, Above):
        yield depth, _above(rule, knowledge)
    elif isinstance(rule, Judged):
        yield depth, "shown by"
        yield from outline(rule.shown_by, knowledge, depth + 1, top=False)
        yield depth, "excluded by"
        yield from outline(rule.excluded_by, knowledge, depth + 1, top=False)
    elif isinstance(rule, Not):
        lines = list(outline(rule.part, knowledge, depth, top=False))
        yield depth, f"not: {lines[0][1]}"
        yield from lines[1:]
    else:
        yield from _at_least(rule, knowledge, depth)


def _at_least(rule: AtLeast, knowledge: Knowledge, depth: int) -> Iterator[Line]:
    if len(rule.parts) == 1:
        yield from outline(rule.parts[0], knowledge, depth, top=False)
        return
    yield depth, "all of" if rule.n == len(rule.parts) else "any of" if rule.n == 1 else f"at least {rule.n} of"
    for part in rule.parts:
        yield from outline(part, knowledge, depth + 1, top=False)


def _name(key: str, knowledge: Knowledge) -> str:
    return knowledge.components[key].label if key in knowledge.components else key


def _present(rule: Present, knowledge: Knowledge) -> str:
    said = knowledge.concepts[rule.finding].label if rule.finding in knowledge.concepts else rule.finding
    excluding = list(dict.fromkeys(method_name(method.id) for method in rule.methods if method.excludes))
    if excluding:
        return f"{said} recorded; excluded only by {listed(excluding)}"
    return f"{said} recorded; a recorded absence never excludes it" if rule.methods else f"{said} recorded"


def _above(rule: Above, knowledge: Knowledge) -> str:
    concept = knowledge.concepts[rule.finding]
    said = []
    if rule.by_lab_limit:
        times = f"{number(rule.times)} x " if rule.times != 1 else ""
        said.append(f"above {times}the laboratory's own limit")
    if rule.limit is not None:
        words = "at least" if rule.inclusive else "above"
        said.append(f"{'where none is recorded, ' if rule.by_lab_limit else ''}{words} {number(rule.limit)} "
                    f"{unit(concept.unit)}".rstrip())
        if rule.clear_below is not None:
            said.append(f"not raised below {number(rule.clear_below)} {unit(concept.unit)}".rstrip() + ", open between")
    label = inside(concept.label, knowledge)
    return f"the {rule.take} {label}: {'; '.join(said)}"
