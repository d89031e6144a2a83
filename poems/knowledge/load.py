"""The only reader of the knowledge files: YAML in, resolved and shared rules out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from poems.errors import Issue, KnowledgeError
from poems.knowledge.model import (
    DRIVES,
    Accuracy,
    Concept,
    Count,
    CriteriaSet,
    Criterion,
    Feature,
    Knowledge,
    Level,
    Reference,
    Setting,
    Source,
    Test,
)
from poems.rules import Above, AtLeast, Judged, Method, Named, Not, Present, Rule

BUNDLED = Path(__file__).parent
FILES = ("sources.yaml", "concepts.yaml", "criteria/diagnosis.yaml", "differential.yaml", "errata.yaml")
Raw = Mapping[str, Any]


def load(directory: Path | None = None) -> Knowledge:
    """The knowledge of a directory, or the bundled one (read once).

    Raises: KnowledgeError with every fault, for a directory that is not the bundled one; the bundled files are checked
    by `poems knowledge check` and in the tests, and trusted here.
    """
    if directory is None or directory.resolve() == BUNDLED:
        return _bundled()
    from poems.knowledge.check import check

    issues = [issue for issue in check(directory) if issue.level == "fault"]
    if issues:
        raise KnowledgeError(f"the knowledge in {directory} has {len(issues)} faults", tuple(issues))
    return build({name: read_yaml(directory / name) for name in FILES})


@cache
def _bundled() -> Knowledge:
    return build({name: read_yaml(BUNDLED / name) for name in FILES})


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe YAML that refuses a key written twice instead of keeping the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = key_node.value
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)  # type: ignore[no-any-return]


def read_yaml(path: Path) -> Any:
    """The content of one file. Raises: KnowledgeError naming file and line."""
    try:
        return yaml.load(path.read_bytes(), _Loader)  # noqa: S506 (_Loader is a safe loader)
    except OSError as error:
        issue = Issue("fault", path.name, "cannot be read", "a readable file", str(error.strerror))
        raise KnowledgeError(str(issue), (issue,)) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path.name}, line {mark.line + 1}" if mark else path.name
        found = getattr(error, "problem", None) or "is not UTF-8 text"
        issue = Issue("fault", where, str(found), "valid YAML", "Correct the line.")
        raise KnowledgeError(str(issue), (issue,)) from None


def build(raw: Mapping[str, Any]) -> Knowledge:
    """The knowledge from the files' contents, every rule resolved. Expects contents that `check` has passed."""
    concepts = {key: _concept(key, value) for key, value in raw["concepts.yaml"].items()}
    criteria, differential = raw["criteria/diagnosis.yaml"], raw["differential.yaml"]
    drafts: list[str] = []
    rules = Rules(concepts, criteria["components"])
    components = {
        key: Criterion(
            key,
            value["label"],
            rules.component(key),
            reference(value["source"]),
            value.get("reading", ""),
            value.get("patient", ""),
        )
        for key, value in criteria["components"].items()
    }
    return Knowledge(
        version=str(criteria["version"]),
        sources={
            key: Source(id=key, **{**value, "pmid": str(value.get("pmid", ""))})
            for key, value in raw["sources.yaml"].items()
        },
        concepts=concepts,
        components=components,
        criteria={key: _set(key, value, rules) for key, value in criteria["sets"].items()},
        diseases=differential["diseases"],
        settings={
            key: Setting(
                key,
                value["label"],
                counts(value["priors"], f"{key}.priors", drafts),
                tuple(value.get("given", ())),
                value["note"],
            )
            for key, value in differential["settings"].items()
        },
        default_settings=tuple(differential["default-settings"]),
        features={key: _feature(key, value, rules, drafts) for key, value in differential["features"].items()},
        groups=differential["groups"],
        accuracies={key: _accuracy(key, value) for key, value in differential["accuracies"].items()},
        tests={
            key: Test(
                key,
                value["label"],
                tuple(value["finds"]),
                value["burden"],
                value.get("patient", ""),
                value.get("why", ""),
                reference(value["source"]) if "source" in value else None,
            )
            for key, value in differential["tests"].items()
        },
        cautions=tuple(
            {**entry, "rule": rules.rule(entry["when"]), "source": reference(entry["source"])}
            for entry in differential["cautions"]
        ),
        errata=tuple(raw["errata.yaml"]),
        drafts=tuple(drafts + [f"errata.{e['id']}" for e in raw["errata.yaml"] if e.get("draft")]),
    )


def reference(raw: Raw) -> Reference:
    """A reference from its YAML form."""
    return Reference(**raw)


def _concept(key: str, raw: Raw) -> Concept:
    fields = dict(raw)
    for name in ("synonyms", "shown_by", "excluded_by"):
        fields[name] = tuple(fields.get(name, ()))
    fields["codes"] = {system: tuple(map(str, codes)) for system, codes in fields.get("codes", {}).items()}
    fields["methods"] = tuple(Method(**method) for method in fields.get("methods", ()))
    fields["source"] = reference(fields["source"]) if "source" in fields else None
    return Concept(id=key, **fields)


def counts(raw: Iterable[Raw], where: str, drafts: list[str]) -> tuple[Count, ...]:
    """The counts that may drive an answer; the others are added to the drafts."""
    found = []
    for entry in raw:
        if entry["source"].get("status", "read") not in DRIVES:
            drafts.append(f"{where}.{'+'.join(_diseases(entry))}")
            continue
        found.append(_count(entry))
    return tuple(found)


def _diseases(raw: Raw) -> tuple[str, ...]:
    return tuple(raw["diseases"]) if "diseases" in raw else (raw["disease"],) if "disease" in raw else ()


def _count(raw: Raw) -> Count:
    k = raw.get("k", round(raw["percent"] * raw["n"] / 100) if "percent" in raw else 0.0)
    return Count(
        _diseases(raw),
        reference(raw["source"]),
        k,
        raw.get("n", 0.0),
        raw.get("low"),
        raw.get("high"),
        raw.get("percent"),
        raw.get("cohort", ""),
    )


def _feature(key: str, raw: Raw, rules: Rules, drafts: list[str]) -> Feature:
    background = counts([raw["background"]], f"{key}.background", drafts) if "background" in raw else ()
    return Feature(
        key,
        raw["label"],
        rules.rule(raw["rule"]),
        raw.get("group", key),
        counts(raw["counts"], key, drafts),
        background[0] if background else None,
        raw.get("patient", ""),
        raw.get("note", ""),
    )


def _accuracy(key: str, raw: Raw) -> Accuracy:
    return Accuracy(
        key,
        raw["label"],
        raw["concept"],
        _count(raw["sensitivity"]),
        _count(raw["specificity"]),
        raw["versus"],
        raw.get("note", ""),
    )


def _set(key: str, raw: Raw, rules: Rules) -> CriteriaSet:
    levels = raw.get("levels") or {"met": raw["rule"]}
    return CriteriaSet(
        key,
        raw["label"],
        str(raw["years"]),
        reference(raw["source"]),
        tuple(
            Level(name, Named(f"{key}/{name}" if "levels" in raw else key, rules.rule(rule)))
            for name, rule in levels.items()
        ),
        raw.get("summary", ""),
        tuple((note["text"], reference(note["source"])) for note in raw.get("footnotes", ())),
        tuple(raw.get("readings", ())),
        raw.get("diagnoses", "poems"),
    )


class Rules:
    """Builds rule nodes from YAML, each component once, so that equal parts are one object."""

    def __init__(self, concepts: Mapping[str, Concept], components: Mapping[str, Raw]) -> None:
        self.concepts, self.components = concepts, components
        self.before = tuple(sorted(c.id for c in concepts.values() if c.therapy == "plasma-cell"))
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
        return Above(
            raw["concept"],
            limit=_number(raw.get("limit")),
            clear_below=_number(raw.get("clear-below")),
            inclusive=raw.get("inclusive", False),
            by_lab_limit=raw.get("by-lab-limit", False),
            times=float(raw.get("times", 1.0)),
            take=raw.get("take", "highest"),
            before=self.before,
        )

    def present(self, name: str, upward: bool = True) -> Rule:
        """A concept is present when it or anything that shows it is; excluded when it or a whole it belongs to is."""
        key = name, upward
        if key not in self._presents:
            self._presents[key] = self._present(name, upward)
        return self._presents[key]

    def _present(self, name: str, upward: bool) -> Rule:
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
            self._presents[key] = Present(name, self.concepts[name].methods, self.before)
        return self._presents[key]


def _number(raw: float | None) -> float | None:
    return None if raw is None else float(raw)


def _closure(start: str, neighbours: Any) -> list[str]:
    found: dict[str, None] = {}
    queue = list(neighbours(start))
    while queue:
        key = queue.pop(0)
        if key not in found and key != start:
            found[key] = None
            queue.extend(neighbours(key))
    return list(found)
