"""The checks that every rule has to pass, wherever it stands, and what the checks of the knowledge share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from poems.errors import Issue

Raw = Mapping[str, Any]
OPERANDS = ("all", "any")


@dataclass(frozen=True)
class RuleCheck:
    """Whether the names in a rule resolve and its numbers make sense.

    findings, quantities: names of derived events that a rule may use beside the concepts (none in the criteria).
    suffixes: what may follow `<quantity>/`.
    """

    concepts: Raw
    components: Raw
    findings: frozenset[str] = field(default_factory=frozenset)
    quantities: frozenset[str] = field(default_factory=frozenset)
    suffixes: tuple[str, ...] = ()

    def rule(self, where: str, rule: Any) -> Iterator[Issue]:
        """Every fault of a rule and of the rules in it."""
        if isinstance(rule, str):
            if rule not in self.components:
                yield unresolved(where, rule, "a component")
            return
        ((operator, operand),) = rule.items()
        if operator in ("present", "recorded"):
            if operand not in self.concepts and operand not in self.findings:
                yield unresolved(f"{where}.{operator}", operand, "a concept")
        elif operator == "above":
            yield from self._above(f"{where}.above", operand)
        elif operator == "not":
            yield from self.rule(f"{where}.not", operand)
        elif operator == "judged":
            for side, part in operand.items():
                yield from self.rule(f"{where}.{side}", part)
        else:
            parts = operand if operator in OPERANDS else operand["of"]
            if operator == "at-least" and not 1 <= operand["n"] <= len(parts):
                yield Issue("fault", f"{where}.n", str(operand["n"]), f"1 to {len(parts)}", "Correct the number.")
            for place, part in enumerate(parts):
                yield from self.rule(f"{where}[{place}]", part)

    def _above(self, where: str, operand: Raw) -> Iterator[Issue]:
        name, _, suffix = operand["concept"].partition("/")
        concept = self.concepts.get(name)
        if (suffix and suffix not in self.suffixes) or (concept is None and name not in self.quantities):
            yield unresolved(f"{where}.concept", operand["concept"], "a concept")
        elif concept is not None and concept["kind"] != "quantity":
            yield Issue("fault", f"{where}.concept", f"{operand['concept']} is a {concept['kind']}", "a quantity",
                        "Use `present` for a finding.")
        if suffix and operand.get("by-lab-limit"):
            yield Issue("fault", f"{where}.by-lab-limit", operand["concept"], "a limit",
                        "A ratio or difference has no laboratory limit.")
        yield from self._limit(where, operand, specimen_open=not suffix and any(
            other.get("of") == name for other in self.concepts.values()))

    def _limit(self, where: str, operand: Raw, specimen_open: bool) -> Iterator[Issue]:
        if "limit" not in operand and not operand.get("by-lab-limit"):
            yield Issue("fault", where, "neither limit nor by-lab-limit", "one of them", "Say what it is above.")
        if operand.get("clear-below", operand.get("limit", 0)) > operand.get("limit", float("inf")):
            yield Issue("fault", f"{where}.clear-below", str(operand["clear-below"]), f"at most {operand['limit']}",
                        "The grey zone lies below the limit.")
        if specimen_open and operand.get("limit", 0) > 0:
            yield Issue("fault", f"{where}.limit", "a number on a concept whose specimen is not said",
                        "by-lab-limit only", "Judge each specimen by its own number.")


def unresolved(where: str, found: str, expected: str) -> Issue:
    """An id that stands for nothing."""
    return Issue("fault", where, f"{found!r} does not exist", expected, "Correct the id, or add the entry.")


def find(content: Any, key: str, path: str = "") -> Iterator[tuple[str, Raw]]:
    """Every mapping that stands under `key`, with its path."""
    for step, value in items(content):
        here = f"{path}.{step}" if path else str(step)
        if step == key and isinstance(value, Mapping):
            yield here, value
        yield from find(value, key, here)


def items(content: Any) -> list[tuple[Any, Any]]:
    """The steps into a mapping or a list; none into anything else."""
    if isinstance(content, Mapping):
        return list(content.items())
    return list(enumerate(content)) if isinstance(content, list) else []


def strings(content: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text, with its path."""
    if isinstance(content, str):
        yield path, content
    for step, value in items(content):
        yield from strings(value, f"{path}.{step}")


def components_in(rule: Any) -> list[str]:
    """The components that a rule names: its bare strings, never the operands of `present`."""
    if isinstance(rule, str):
        return [rule]
    ((operator, operand),) = rule.items()
    if operator in ("present", "recorded", "above"):
        return []
    parts = [operand] if operator == "not" else operand
    if operator in ("judged", "at-least"):
        parts = operand["of"] if operator == "at-least" else operand.values()
    return [name for part in parts for name in components_in(part)]


def reach(start: str, graph: Mapping[str, Iterable[str]]) -> set[str]:
    """Everything that can be reached from a node; holds the node itself where there is a circle."""
    found: set[str] = set()
    queue = list(graph[start])
    while queue:
        key = queue.pop()
        if key not in found and key in graph:
            found.add(key)
            queue.extend(graph[key])
    return found
