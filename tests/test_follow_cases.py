"""The case tables of follow-up are complete: every answer a definition can give, and both sides of every limit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from follow_cases import answer, cases, differences

from poems.follow.response import NOT_EVALUABLE, UNKNOWN_RESPONSE
from poems.knowledge import Knowledge
from poems.knowledge.files import BUNDLED, FOLLOW, read_yaml
from poems.knowledge.model import DRIVES
from poems.rules import Verdict

SIDES = {verdict.value for verdict in Verdict}


def written(group: str) -> dict[str, set[str]]:
    """Per definition, the answers that the tables expect of it."""
    found: dict[str, set[str]] = {}
    for _, _, case in cases():
        for name, said in case["expect"].get(group, {}).items():
            plain = said.get("now" if group == "responses" else "verdict") if isinstance(said, dict) else said
            found.setdefault(name.partition("@")[0], set()).add(plain)
    return found


def possible(knowledge: Knowledge) -> dict[str, dict[str, set[str]]]:
    """Per group, every definition and the answers that it can give."""
    follow = knowledge.follow
    return {
        "responses": {
            domain.id: {*(category.id for category in domain.categories), UNKNOWN_RESPONSE, NOT_EVALUABLE}
            for domain in follow.domains
        },
        "relapses": {kind.id: SIDES for kind in follow.relapses},
        "engraftment": {kind.id: SIDES for kind in follow.engraftment.definitions},
        "patterns": {kind.id: SIDES for kind in follow.patterns},
        "trials": {kind.id: SIDES for kind in follow.trials},
        "prognosis": {kind.id: SIDES if kind.rule else {Verdict.UNKNOWN.value} for kind in follow.prognosis},
    }


@pytest.mark.parametrize("group", ["responses", "relapses", "engraftment", "patterns", "trials", "prognosis"])
def test_every_definition_has_a_case_for_every_answer(group: str, knowledge: Knowledge) -> None:
    """A definition without a met, a not met and an unknown case (a domain: each category and not evaluable) is not
    finished; and no case speaks of a definition that is not there.
    """
    known, found = possible(knowledge)[group], written(group)
    lacking = {name: sorted(answers - found.get(name, set())) for name, answers in known.items()}
    assert not {name: left for name, left in lacking.items() if left}
    assert found.keys() <= known.keys()
    assert not {name: said for name, said in found.items() if said - known[name] - {None}}


@pytest.mark.parametrize("name", ["clinical", "neurologic"])
def test_as_before_is_a_better_response_than_worse(name: str, knowledge: Knowledge) -> None:
    """The categories stand from the best to the worst."""
    (domain,) = [item for item in knowledge.follow.domains if item.id == name]
    order = [category.id for category in domain.categories]
    assert order.index("improved") < order.index("unchanged") < order.index("worse")


# Limits moved by a little

NO_RULE = ("source", "noise", "rate", "survival", "options", "sheet", "rates")
UP = ("samples", "years-from")      # one sample fewer, or a time before the anchor, changes nothing
BOTH = ("days", "days-before", "days-after", "from-days", "to-days", "days-running", "points", "n", "years-to",
        "once-months")
UNSEEN = {
    "components.one-to-three-lesions limit 4": "four lesions are diffuse disease, which excludes it as well",
    "schedule.pet-three-months.when years-from 1": "what is due once counts its months from the anchor",
}
"""What can be moved without an answer changing, and why."""
Mutant = tuple[str, list[Any], Any, Any]


def nodes(node: Any, path: tuple[str, ...] = (), seen: set[int] | None = None) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every mapping that is no draft, with the way to it; what stands in several places is met once."""
    seen = set() if seen is None else seen
    if not isinstance(node, dict | list) or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, list):
        for place, value in enumerate(node):
            name = value.get("id") or value.get("finding") if isinstance(value, dict) else None
            yield from nodes(value, (*path, name or str(place)), seen)
    elif node.get("source", {}).get("status", "read") in DRIVES:
        yield path, node
        for key, value in node.items():
            if key not in NO_RULE:
                yield from nodes(value, (*path, key), seen)


def mutants(raw: Any) -> Iterator[Mutant]:
    """Every limit a little higher and a little lower, every border turned: name, the mappings, their key, the value.

    A limit that stands twice in one definition (in what shows it, in what excludes it) is one and moves as one.
    """
    limits: dict[tuple[str, str], list[Any]] = {}
    for path, node in nodes(raw):
        where = ".".join(path)
        for key in sorted(node.keys() & {*UP, *BOTH}):
            if isinstance(node[key], int | float) and (key != "n" or path[-1] == "at-least"):
                yield f"{where} {key} {node[key] + 1}", [node], key, node[key] + 1
                if key in BOTH and (node[key] > 0 or key != "days"):
                    yield f"{where} {key} {node[key] - 1}", [node], key, node[key] - 1
        for place, months in enumerate(node.get("every-months", ())):
            yield f"{where} every-months {months + 1}", [node["every-months"]], place, months + 1
        if "above" in node:
            limits.setdefault((".".join(path[:2]), repr(node["above"])), []).append(node["above"])
    for (where, _), same in limits.items():
        yield from ((f"{where} {key} {value}", same, key, value) for key, value in moved(same[0]))


def moved(above: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """One limit moved: whole numbers by one, others and ratios by a twentieth, the laboratory's own too."""
    if "limit" not in above:
        yield "times", above.get("times", 1) * 1.05
        yield "times", above.get("times", 1) * 0.95
        return
    limit = above["limit"]
    step = 1 if isinstance(limit, int) and limit < 20 and "/of-" not in above["concept"] else limit / 20 or 0.05
    yield "limit", limit + step
    yield "limit", limit - step
    yield "inclusive", not above.get("inclusive", False)


def survives(knowledge: Knowledge, tables: list[Any]) -> bool:
    """Whether no case notices; the case that does is tried first the next time."""
    for place, (_, shared, case) in enumerate(tables):
        if differences(case["expect"], answer(shared, case, knowledge)):
            tables.insert(0, tables.pop(place))
            return False
    return True


@pytest.mark.slow
@pytest.mark.parametrize("name", FOLLOW)
def test_a_limit_that_is_moved_changes_a_case(name: str, knowledge: Knowledge, tmp_path: Path) -> None:
    """There is a case close enough on either side of each limit, window and count, and on the limit itself."""
    raw, tables, left, tried = {file: read_yaml(BUNDLED / file) for file in FOLLOW}, cases(), [], 0
    read = partial(knowledge.read_follow.func, tmp_path, *knowledge.read_follow.args[1:])
    for file, content in raw.items():
        (tmp_path / file).write_text(json.dumps(content))   # which is YAML as well, and read faster
    assert survives(replace(knowledge, read_follow=read), tables), "a case fails without any change"
    for what, places, key, value in [*mutants(raw[name])]:
        before = [dict(place) if isinstance(place, dict) else list(place) for place in places]
        for place in places:
            place[key] = value
        (tmp_path / name).write_text(json.dumps(raw[name]))
        left += [what] if survives(replace(knowledge, read_follow=read), tables) else []
        for place, old in zip(places, before, strict=True):
            place.clear()
            place.update(old) if isinstance(place, dict) else place.extend(old)
        tried += 1
    assert tried > 20
    assert not [what for what in left if what not in UNSEEN]
