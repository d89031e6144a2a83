"""Rule nodes from their YAML form, each component built once, so that equal parts are one object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from poems.knowledge.model import Concept, treatments
from poems.rules import Above, AtLeast, Judged, Named, Not, Present, Rule

Raw = Mapping[str, Any]


class Rules:
    """Builds rule nodes from YAML, each component once, so that equal parts are one object.

    before: the treatments after whose start an event no longer counts; those of the plasma-cell disorder unless said
    otherwise. Follow-up judges slices of the record and says none: `before=()`. A name that is no concept is an event
    that the course derives, and is looked at as it stands.
    """

    def __init__(self, concepts: Mapping[str, Concept], components: Mapping[str, Raw],
                 before: tuple[str, ...] | None = None) -> None:
        self.concepts, self.components = concepts, components
        self.before = treatments(concepts, "plasma-cell") if before is None else before
        self.perhaps = treatments(concepts, "perhaps-plasma-cell") if before is None else ()
        self.wholes: dict[str, list[str]] = {}
        for concept in concepts.values():
            for part in concept.shown_by:
                self.wholes.setdefault(part, []).append(concept.id)
        self._components: dict[str, Rule] = {}
        self._presents: dict[tuple[str, bool], Rule] = {}

    def component(self, name: str) -> Rule:
        """A named component of the criteria."""
        if name not in self._components:
            raw = self.components[name]
            self._components[name] = Named(name, self.rule(raw["rule"]), raw.get("asks", ""))
        return self._components[name]

    def rule(self, raw: str | Raw) -> Rule:
        """A rule from its YAML form: a component's id, or one operator with its operand."""
        if isinstance(raw, str):
            return self.component(raw)
        ((operator, operand),) = raw.items()
        if operator == "present":
            return self.present(operand)
        if operator == "recorded":
            return self._leaf(operand)
        if operator == "above":
            return self._above(operand)
        if operator == "not":
            return Not(self.rule(operand))
        if operator == "judged":
            return Judged(self.rule(operand["shown-by"]), self.rule(operand["excluded-by"]))
        parts = operand["of"] if operator == "at-least" else operand
        n = operand["n"] if operator == "at-least" else len(parts) if operator == "all" else 1
        return AtLeast(n, tuple(self.rule(part) for part in parts))

    def _above(self, raw: Raw) -> Rule:
        concept = self.concepts.get(raw["concept"])
        unreadable = concept.unreadable_after if concept and self.before else ()
        return Above(
            raw["concept"],
            limit=_number(raw.get("limit")),
            clear_below=_number(raw.get("clear-below")),
            inclusive=raw.get("inclusive", False),
            by_lab_limit=raw.get("by-lab-limit", False),
            times=float(raw.get("times", 1.0)),
            take=raw.get("take", "highest"),
            before=self.before + unreadable,
            perhaps=self.perhaps,
        )

    def present(self, name: str, upward: bool = True) -> Rule:
        """A concept is present when it or anything that shows it is; excluded when it or a whole it belongs to is."""
        key = name, upward
        if key not in self._presents:
            self._presents[key] = self._present(name, upward)
        return self._presents[key]

    def _present(self, name: str, upward: bool) -> Rule:
        if name not in self.concepts:
            return self._leaf(name)
        below = _closure(name, lambda key: self.concepts[key].shown_by)
        above = _closure(name, lambda key: self.wholes.get(key, ())) if upward else []
        complete = self.concepts[name].excluded_by
        own = self._leaf(name)
        if not (below or above or complete):
            return own
        excluded: list[Rule] = [Not(self._leaf(key)) for key in (name, *above)]
        if complete:
            excluded.append(AtLeast(len(complete), tuple(Not(self.present(key, upward=False)) for key in complete)))
        return Judged(AtLeast(1, (own, *map(self._leaf, below))), AtLeast(1, tuple(excluded)))

    def _leaf(self, name: str) -> Rule:
        key = f"={name}", True
        if key not in self._presents:
            methods = self.concepts[name].methods if name in self.concepts else ()
            self._presents[key] = Present(name, methods, self.before, self.perhaps)
        return self._presents[key]


def _number(raw: float | None) -> float | None:
    return None if raw is None else float(raw)


def _closure(start: str, neighbours: Callable[[str], Iterable[str]]) -> list[str]:
    found: dict[str, None] = {}
    queue = list(neighbours(start))
    while queue:
        key = queue.pop(0)
        if key not in found and key != start:
            found[key] = None
            queue.extend(neighbours(key))
    return list(found)
