"""Finds every fault of the knowledge at once: shape (by the schema), references, duplicates, units, doubtful claims."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from poems.errors import Issue, KnowledgeError
from poems.knowledge.check_claims import claim_issues
from poems.knowledge.check_follow import follow_issues
from poems.knowledge.check_rules import RuleCheck, components_in, find, items, reach, strings, unresolved
from poems.knowledge.files import BUNDLED, FILES, FOLLOW, GUIDE, read_yaml
from poems.knowledge.model import DRIVES
from poems.units import UnitError, convert

Raw = Mapping[str, Any]
SCHEMA = BUNDLED / "schema.json"


def check(directory: Path = BUNDLED) -> list[Issue]:
    """Every fault and caution in the knowledge files of a directory; empty when all is well.

    A file that cannot be parsed, or whose shape is wrong, is reported alone: its references would only echo that.
    """
    raw: dict[str, Any] = {}
    issues: list[Issue] = []
    for name in FILES:
        try:
            raw[name] = read_yaml(directory / name)
        except KnowledgeError as error:
            issues.extend(error.issues)
    for name, content in raw.items():
        issues.extend(_shape(name, content))
    if not issues:
        issues.extend(_References(raw).issues())
    return issues


def _shape(name: str, content: Any) -> Iterator[Issue]:
    """What the JSON Schema of the file says, one issue per fault."""
    from jsonschema import Draft202012Validator

    schema = json.loads(SCHEMA.read_text())
    validator = Draft202012Validator({"$defs": schema["$defs"], "$ref": f"#/$defs/{Path(name).stem}"})
    for error in sorted(validator.iter_errors(content), key=lambda error: [str(step) for step in error.absolute_path]):
        best = min(error.context, key=lambda deeper: -len(deeper.absolute_path)) if error.context else error
        where = ".".join(str(step) for step in (*error.absolute_path, *best.relative_path)) or "the file"
        found = json.dumps(best.instance, default=str)
        yield Issue(
            "fault",
            f"{name}, {where}",
            found if len(found) < 60 else found[:57] + "...",
            best.message,
            "Correct it; the shapes stand in schema.json.",
        )


class _References:
    """The checks across files: ids resolve, codes and names are unique, units fit, claims say what they must."""

    def __init__(self, raw: Raw) -> None:
        self.sources, self.concepts = raw["sources.yaml"], raw["concepts.yaml"]
        self.criteria, self.differential = raw["criteria/diagnosis.yaml"], raw["differential.yaml"]
        self.errata = raw["errata.yaml"]
        self.components = self.criteria["components"]
        self.raw = raw
        self.rules = RuleCheck(self.concepts, self.components)
        self.shows = {key: concept.get("shown_by", ()) for key, concept in self.concepts.items()}

    def issues(self) -> list[Issue]:
        """All of them."""
        return [
            *self._claims(),
            *self._concepts(),
            *self._codes(),
            *self._rules(),
            *self._components_used(),
            *self._counts(),
            *self._tests(),
            *self._errata(),
            *claim_issues(self.raw["claims.yaml"]),
            *follow_issues(self.raw),
        ]

    def _claims(self) -> Iterator[Issue]:
        """Every `source` anywhere resolves, and says what its status promises."""
        for name, content in (
            ("concepts.yaml", self.concepts),
            ("criteria/diagnosis.yaml", self.criteria),
            ("differential.yaml", self.differential),
            ("errata.yaml", self.errata),
            *((name, self.raw[name]) for name in FOLLOW + GUIDE),
        ):
            for path, source in find(content, "source"):
                where = f"{name}, {path}"
                if source["id"] not in self.sources:
                    yield unresolved(f"{where}.id", source["id"], "a key of sources.yaml")
                status = source.get("status", "read")
                for needed, key in (("derived", "how"), ("assumed", "because")):
                    if status == needed and not source.get(key):
                        yield Issue(
                            "fault",
                            where,
                            f"status {status} without {key!r}",
                            f"{key}: one sentence",
                            "Say how the number was made, or why it is assumed.",
                        )

    def _concepts(self) -> Iterator[Issue]:
        for key, concept in self.concepts.items():
            where = f"concepts.yaml, {key}"
            for field in ("shown_by", "excluded_by", "unreadable_after"):
                for name in concept.get(field, ()):
                    if name not in self.concepts:
                        yield unresolved(f"{where}.{field}", name, "a concept")
            for field in ("of", "seen_as"):
                if field in concept and concept[field] not in self.concepts:
                    yield unresolved(f"{where}.{field}", concept[field], "a concept")
            if concept["kind"] == "quantity":
                yield from self._unit(where, concept)
            elif "unit" in concept:
                yield Issue(
                    "fault",
                    f"{where}.unit",
                    f"{concept['unit']!r} on a {concept['kind']}",
                    "units on quantities only",
                    "Make it a quantity, or drop the unit.",
                )
            yield from _guard(where, concept)
            if key in reach(key, self.shows):
                yield Issue("fault", f"{where}.shown_by", "the concept shows itself", "no circle", "Break the circle.")

    def _unit(self, where: str, concept: Raw) -> Iterator[Issue]:
        try:
            convert(1.0, concept.get("unit", ""), concept.get("unit", ""))
        except UnitError:
            yield Issue(
                "fault",
                f"{where}.unit",
                repr(concept.get("unit", "")),
                "a UCUM unit known to units.py",
                "Correct it, or add the unit to poems/units.py.",
            )

    def _codes(self) -> Iterator[Issue]:
        seen: dict[tuple[str, str], str] = {}
        for key, concept in self.concepts.items():
            for system, codes in concept.get("codes", {}).items():
                for code in codes:
                    other = seen.setdefault((system, str(code)), key)
                    if other != key:
                        yield Issue(
                            "fault",
                            f"concepts.yaml, {key}.codes.{system}",
                            f"{code} stands at {other} too",
                            "each code once",
                            "Leave it where it means the finding itself.",
                        )

    def _rules(self) -> Iterator[Issue]:
        holders = [
            *((f"components.{key}.rule", value["rule"]) for key, value in self.components.items()),
            *((f"sets.{key}.rule", value["rule"]) for key, value in self.criteria["sets"].items() if "rule" in value),
            *(
                (f"sets.{key}.levels.{level}", rule)
                for key, value in self.criteria["sets"].items()
                for level, rule in value.get("levels", {}).items()
            ),
        ]
        for where, rule in holders:
            yield from self.rules.rule(f"criteria/diagnosis.yaml, {where}", rule)
        for key, feature in self.differential["features"].items():
            yield from self.rules.rule(f"differential.yaml, features.{key}.rule", feature["rule"])
        for caution in self.differential["cautions"]:
            yield from self.rules.rule(f"differential.yaml, cautions.{caution['id']}.when", caution["when"])

    def _components_used(self) -> Iterator[Issue]:
        used = {name for _, name in strings([self.criteria, self.differential])}
        graph = {key: components_in(value["rule"]) for key, value in self.components.items()}
        for key in self.components:
            where = f"criteria/diagnosis.yaml, components.{key}"
            for name in self.components[key].get("beside", ()):
                if name not in self.concepts:
                    yield unresolved(f"{where}.beside", name, "a concept")
            if key not in used:
                yield Issue("caution", where, "used nowhere", "a use", "Drop it.")
            if key in reach(key, graph):
                yield Issue("fault", where, "refers to itself", "no circle", "Break the circle.")

    def _counts(self) -> Iterator[Issue]:
        diseases = self.differential["diseases"]
        for path, count in _counts_in(self.differential):
            where = f"differential.yaml, {path}"
            for disease in [*count.get("diseases", ()), *([count["disease"]] if "disease" in count else ())]:
                if disease not in diseases:
                    yield unresolved(where, disease, "a disease")
            if "low" in count:
                if not 0 <= count["low"] <= count["high"] <= 100:
                    yield Issue(
                        "fault",
                        where,
                        f"{count['low']} to {count['high']}",
                        "0 <= low <= high <= 100 percent",
                        "Correct the range.",
                    )
            elif "percent" in count:
                if not 0 <= count["percent"] <= 100:
                    yield Issue("fault", where, f"{count['percent']} percent", "0 to 100", "Correct the share.")
            elif not 0 <= count["k"] <= count["n"]:
                yield Issue("fault", where, f"{count['k']} of {count['n']}", "k between 0 and n", "Correct the count.")
        for key, feature in self.differential["features"].items():
            group = feature.get("group", key)
            if "group" in feature and group not in self.differential["groups"]:
                yield unresolved(f"differential.yaml, features.{key}.group", group, "a group")
            if feature.get("background", {}).get("source", {}).get("status", "assumed") not in ("assumed", "memory"):
                yield Issue(
                    "fault",
                    f"differential.yaml, features.{key}.background",
                    "not graded assumed",
                    "status: assumed",
                    "A rate carried over from other people is an assumption.",
                )
        for key, accuracy in self.differential["accuracies"].items():
            if accuracy["concept"] not in self.concepts:
                yield unresolved(f"differential.yaml, accuracies.{key}.concept", accuracy["concept"], "a concept")
        for name in self.differential["default-settings"]:
            if name not in self.differential["settings"]:
                yield unresolved("differential.yaml, default-settings", name, "a setting")
        for key, setting in self.differential["settings"].items():
            for name in setting.get("given", ()):
                if name not in self.differential["features"]:
                    yield unresolved(f"differential.yaml, settings.{key}.given", name, "a feature")
            if not any(
                "poems" in (c.get("disease"), *c.get("diseases", ())) and c["source"].get("status", "read") in DRIVES
                for c in setting["priors"]
            ):
                yield Issue(
                    "fault",
                    f"differential.yaml, settings.{key}.priors",
                    "no prior for poems",
                    "one",
                    "Give POEMS a share in the setting.",
                )

    def _tests(self) -> Iterator[Issue]:
        known = {
            *self.differential["features"],
            *self.components,
            *self.concepts,
            *(component.get("asks", "") for component in self.components.values()),
        }
        for key, test in self.differential["tests"].items():
            for name in (*test.get("done-when", ()), *test.get("gives", ())):
                if name not in self.concepts:
                    yield unresolved(f"differential.yaml, tests.{key}.done-when", name, "a concept")
            for name in test["finds"]:
                if name not in known:
                    yield unresolved(f"differential.yaml, tests.{key}.finds", name, "a feature, component or concept")

    def _errata(self) -> Iterator[Issue]:
        seen = set()
        for place, entry in enumerate(self.errata):
            if entry["id"] in seen:
                yield Issue("fault", f"errata.yaml, [{place}].id", entry["id"], "each id once", "Renumber it.")
            seen.add(entry["id"])
            if not entry.get("draft") and "patient" not in entry:
                yield Issue("fault", f"errata.yaml, {entry['id']}.patient", "no text for patients",
                            "patient: the correction in plain words",
                            "Say it so that a reader without training understands it, with no claim of its own.")
            for source in entry.get("sources", ()):
                if source["id"] not in self.sources:
                    yield unresolved(f"errata.yaml, {entry['id']}.sources", source["id"], "a key of sources.yaml")


def _guard(where: str, concept: Raw) -> Iterator[Issue]:
    """A plausible range is of a quantity, and its ends are in order."""
    guard = concept.get("plausible")
    if guard and concept["kind"] != "quantity":
        yield Issue("fault", f"{where}.plausible", f"on a {concept['kind']}", "on quantities only", "Drop it.")
    if guard and not guard["low"] < guard["high"]:
        yield Issue("fault", f"{where}.plausible", f"{guard['low']} to {guard['high']}", "low < high",
                    "Correct the range.")


def _counts_in(content: Any, path: str = "") -> Iterator[tuple[str, Raw]]:
    if isinstance(content, Mapping) and "source" in content and ({"k", "percent", "low"} & set(content)):
        yield path, content
        return
    for step, value in items(content):
        yield from _counts_in(value, f"{path}.{step}" if path else str(step))
