"""The checks of what is known about the time after treatment: names resolve, numbers make sense, no draft drives."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from poems.errors import Issue
from poems.knowledge.check_rules import RuleCheck, components_in, find, reach, strings, unresolved
from poems.knowledge.follow_model import SINCE_TREATMENT, SUFFIXES
from poems.knowledge.model import DRIVES

Raw = Mapping[str, Any]
FOLLOWUP, TREATMENTS = "followup.yaml", "treatments.yaml"
NEEDS = {"turned-present": ("features",), "turned-absent": ("features",), "better": ("scales",), "worse": ("scales",),
         "by-method": ("concept", "methods")}
DOSE = re.compile(r"\d\s*m?g\b")


def follow_issues(raw: Raw) -> list[Issue]:
    """Every fault of the two files of follow-up. raw: all files by name, each of the right shape."""
    return list(_Follow(raw).issues())


class _Follow:
    """One pass through both files."""

    def __init__(self, raw: Raw) -> None:
        self.followup, self.treatments = raw[FOLLOWUP], raw[TREATMENTS]
        self.concepts, self.tests = raw["concepts.yaml"], raw["differential.yaml"]["tests"]
        self.criteria = raw["criteria/diagnosis.yaml"]["components"]
        self.own = {**self.followup["components"], **self.treatments["components"]}
        self.components = {**self.criteria, **self.own}
        derived = self.followup["derived"]
        counted = frozenset(key for key, value in derived.items() if value["kind"] == "by-method")
        scales = {f"{kind}-scale-{key}" for key in self.followup["scales"] for kind in ("better", "worse")}
        self.rules = RuleCheck(self.concepts, self.components, frozenset(derived) - counted | scales, counted, SUFFIXES)

    def issues(self) -> Iterator[Issue]:
        """All of them."""
        yield from self._rules()
        yield from self._components()
        yield from self._drafts()
        for end in ("survival", "relapse"):
            yield from self._named(f"{FOLLOWUP}, endpoints.{end}.finding",
                                   [self.followup["endpoints"][end]["finding"]], "finding")
        yield from self._derived()
        yield from self._markers()
        yield from self._scales()
        yield from self._relapses()
        yield from self._schedule()
        yield from self._prognosis()
        yield from self._survival()
        yield from self._engraftment()
        yield from self._options()
        yield from self._once()

    def _rules(self) -> Iterator[Issue]:
        for where, rule in self._holders():
            yield from self.rules.rule(where, rule)

    def _holders(self) -> Iterator[tuple[str, Any]]:
        """Every rule, with the place where it stands."""
        for name, content in ((FOLLOWUP, self.followup), (TREATMENTS, self.treatments)):
            for key, value in content["components"].items():
                yield f"{name}, components.{key}.rule", value["rule"]
        for key, value in self.followup["domains"].items():
            yield f"{FOLLOWUP}, domains.{key}.evaluable", value["evaluable"]
            for entry in value["categories"]:
                yield f"{FOLLOWUP}, domains.{key}.{entry['id']}.rule", entry["rule"]
        for entry in self.followup["schedule"]:
            if "closer-if" in entry:
                yield f"{FOLLOWUP}, schedule.{entry['id']}.closer-if.rule", entry["closer-if"]["rule"]
        for where, entries in (
            (f"{FOLLOWUP}, relapses", self.followup["relapses"]),
            (f"{FOLLOWUP}, prognosis", self.followup["prognosis"]),
            (f"{FOLLOWUP}, engraftment.definitions", self.followup["engraftment"]["definitions"]),
            (f"{TREATMENTS}, patterns", self.treatments["patterns"]),
            (f"{TREATMENTS}, trials", self.treatments["trials"]),
        ):
            yield from ((f"{where}.{entry['id']}.rule", entry["rule"]) for entry in entries if "rule" in entry)

    def _components(self) -> Iterator[Issue]:
        graph = {key: components_in(value["rule"]) for key, value in self.components.items()}
        used = {name for _, rule in self._holders() for name in components_in(rule)}
        for name, content in ((FOLLOWUP, self.followup), (TREATMENTS, self.treatments)):
            for key in content["components"]:
                where = f"{name}, components.{key}"
                if key in self.criteria or (name == TREATMENTS and key in self.followup["components"]):
                    yield Issue("fault", where, f"{key!r} stands twice", "each component once", "Rename it.")
                if key not in used:
                    yield Issue("caution", where, "used nowhere", "a use", "Drop it.")
                if key in reach(key, graph):
                    yield Issue("fault", where, "refers to itself", "no circle", "Break the circle.")

    def _drafts(self) -> Iterator[Issue]:
        """A draft may stand only where it can be set aside: as an entry of a list."""
        for name, content in ((FOLLOWUP, self.followup), (TREATMENTS, self.treatments)):
            for path, source in find(content, "source"):
                if source["status"] not in DRIVES and not path.split(".")[-2].isdigit():
                    yield Issue("fault", f"{name}, {path}.status", source["status"], f"one of {', '.join(DRIVES)}",
                                "What cannot be set aside may not be a draft.")

    def _derived(self) -> Iterator[Issue]:
        for key, value in self.followup["derived"].items():
            where = f"{FOLLOWUP}, derived.{key}"
            if key in self.concepts:
                yield Issue("fault", where, f"{key!r} is a concept", "a name of its own", "Rename it.")
            for field in NEEDS[value["kind"]]:
                if field not in value:
                    yield Issue("fault", where, f"{value['kind']} without {field!r}", field, "Say what it is made of.")
            for name in value.get("features", ()):
                if name not in self.components and name not in self.concepts:
                    yield unresolved(f"{where}.features", name, "a component or concept")
            for name in value.get("scales", ()):
                if name not in self.followup["scales"]:
                    yield unresolved(f"{where}.scales", name, "a scale")
            if "concept" in value:
                yield from self._quantity(f"{where}.concept", value["concept"])

    def _quantity(self, where: str, name: str) -> Iterator[Issue]:
        yield from self._named(where, [name], "quantity")

    def _named(self, where: str, names: Iterable[str], kind: str) -> Iterator[Issue]:
        """Each name is a concept of this kind."""
        for name in names:
            concept = self.concepts.get(name)
            if concept is None:
                yield unresolved(where, name, f"a {kind} among the concepts")
            elif concept["kind"] != kind:
                yield Issue("fault", where, f"{name} is a {concept['kind']}", f"a {kind}", f"Name a {kind}.")

    def _markers(self) -> Iterator[Issue]:
        for key, marker in self.followup["markers"].items():
            where, noise = f"{FOLLOWUP}, markers.{key}", marker["noise"]
            yield from self._quantity(f"{where}.concept", marker["concept"])
            if not 0 < noise["low"] <= noise["cv"] <= noise["high"]:
                yield Issue("fault", f"{where}.noise", f"{noise['low']}, {noise['cv']}, {noise['high']}",
                            "0 < low <= cv <= high percent", "Correct the range.")
        for key, window in self.followup["windows"].items():
            yield from self._named(f"{FOLLOWUP}, windows.{key}.treatments", window.get("treatments", ()), "treatment")
        for entry in self.followup["unreadable"]:
            where = f"{FOLLOWUP}, unreadable.{entry['treatment']}"
            yield from self._named(f"{where}.treatment", [entry["treatment"]], "treatment")
            yield from self._known_markers(where, entry["markers"])
        for entry in self.followup["explanations"]:
            where = f"{FOLLOWUP}, explanations.{entry['finding']}"
            for name in (entry["finding"], *entry.get("findings", ())):
                if name not in self.concepts:
                    yield unresolved(f"{where}.finding{'' if name == entry['finding'] else 's'}", name, "a concept")
            yield from self._known_markers(where, entry.get("markers", ()))

    def _known_markers(self, where: str, names: Iterable[str]) -> Iterator[Issue]:
        for name in names:
            if name not in self.followup["markers"]:
                yield unresolved(f"{where}.markers", name, "a marker")

    def _scales(self) -> Iterator[Issue]:
        for key, scale in self.followup["scales"].items():
            yield from self._quantity(f"{FOLLOWUP}, scales.{key}.concept", scale["concept"])

    def _relapses(self) -> Iterator[Issue]:
        known = {SINCE_TREATMENT, *(f"{key}/{entry['id']}" for key, value in self.followup["domains"].items()
                                for entry in value["categories"] if entry["source"]["status"] in DRIVES)}
        for entry in self.followup["relapses"]:
            if entry["since"] not in known:
                yield unresolved(f"{FOLLOWUP}, relapses.{entry['id']}.since", entry["since"],
                                 "treatment, or domain/category that is no draft")

    def _schedule(self) -> Iterator[Issue]:
        for entry in self.followup["schedule"]:
            where, when = f"{FOLLOWUP}, schedule.{entry['id']}", entry["when"]
            if not when["years-from"] < when.get("years-to", float("inf")):
                yield Issue("fault", f"{where}.when", f"{when['years-from']} to {when['years-to']}",
                            "years-from below years-to", "Correct the years.")
            every = entry.get("every-months")
            if every and not 0 < every[0] <= every[1]:
                yield Issue("fault", f"{where}.every-months", str(every), "0 < from <= to", "Correct the months.")
            for name in entry.get("tests", ()):
                if name not in self.tests and name not in self.concepts:
                    yield unresolved(f"{where}.tests", name, "a test or concept")

    def _prognosis(self) -> Iterator[Issue]:
        for entry in self.followup["prognosis"]:
            where = f"{FOLLOWUP}, prognosis.{entry['id']}"
            ratio = [entry[key] for key in ("low", "hazard-ratio", "high") if key in entry]
            if ratio and (len(ratio) < 3 or not 0 < ratio[0] <= ratio[1] <= ratio[2]):
                yield Issue("fault", f"{where}.hazard-ratio", str(ratio), "0 < low <= hazard-ratio <= high, all three",
                            "Give the ratio with its interval, or leave all three out.")
            yield from self._named(f"{where}.given", [entry["given"]] if "given" in entry else [], "treatment")
            if "k" in entry and not entry["k"] <= entry.get("n", 0):
                yield Issue("fault", f"{where}.k", f"{entry['k']} of {entry.get('n', 'nobody')}", "k of n",
                            "Give both.")
            if "rule" not in entry and "note" not in entry:
                yield Issue("fault", where, "neither rule nor note", "a rule, or a note that says why there is none",
                            "Say why it cannot be computed.")

    def _survival(self) -> Iterator[Issue]:
        for entry in self.followup["survival"]:
            where = f"{FOLLOWUP}, survival.{entry['id']}.points"
            last: dict[str, Raw] = {}
            for point in sorted(entry["points"], key=lambda point: float(point["years"])):
                if not point.get("low", 0) <= point["percent"] <= point.get("high", 100):
                    yield Issue("fault", where, f"{point['percent']} percent", "low <= percent <= high, 0 to 100",
                                "Correct the interval.")
                before = last.get(point["outcome"], {"percent": 100})
                if point["percent"] > before["percent"]:
                    yield Issue("fault", where, f"{before['percent']} then {point['percent']} percent",
                                "survival that does not rise with the years", "Correct the point.")
                last[point["outcome"]] = point

    def _engraftment(self) -> Iterator[Issue]:
        raw = self.followup["engraftment"]
        yield from self._named(f"{FOLLOWUP}, engraftment.day-0", raw["day-0"], "treatment")
        for key, anchor in raw["anchors"].items():
            if anchor["finding"] not in self.concepts:
                yield unresolved(f"{FOLLOWUP}, engraftment.anchors.{key}.finding", anchor["finding"], "a concept")
            if "concept" in anchor:
                yield from self._quantity(f"{FOLLOWUP}, engraftment.anchors.{key}.concept", anchor["concept"])
        for entry in raw["definitions"]:
            where, window = f"{FOLLOWUP}, engraftment.definitions.{entry['id']}.window", entry["window"]
            if window["anchor"] != "day-0" and window["anchor"] not in raw["anchors"]:
                yield unresolved(f"{where}.anchor", window["anchor"], "day-0 or an anchor")
            if window["from-days"] > window.get("to-days", float("inf")):
                yield Issue("fault", where, f"{window['from-days']} to {window['to-days']}", "from-days <= to-days",
                            "Correct the days.")
        yield from self._shares(f"{FOLLOWUP}, engraftment.rates", raw["rates"])
        for path, text in strings(raw):
            if DOSE.search(text):
                yield Issue("fault", f"{FOLLOWUP}, engraftment{path}", text[:57] + "...", "no dose",
                            "No dose for engraftment syndrome could be verified; leave it out.")

    def _options(self) -> Iterator[Issue]:
        for entry in self.treatments["options"]:
            where = f"{TREATMENTS}, options.{entry['id']}"
            yield from self._named(f"{where}.treatments", entry["treatments"], "treatment")
            for field in ("outcomes", "harms"):
                yield from self._shares(f"{where}.{field}", entry.get(field, ()))
            for harm in entry.get("harms", ()):
                if "drug" in harm:
                    yield from self._named(f"{where}.harms", [harm["drug"]], "treatment")
                    yield from self._named(f"{where}.harms", [harm["finding"]], "finding")

    def _shares(self, where: str, entries: Iterable[Raw]) -> Iterator[Issue]:
        for place, entry in enumerate(entries):
            here = f"{where}[{place}]"
            if entry.get("k", 0) > entry.get("n", float("inf")):
                yield Issue("fault", here, f"{entry['k']} of {entry['n']}", "k between 0 and n", "Correct the count.")
            share = entry.get("percent", entry.get("low", 0))
            if not 0 <= entry.get("low", 0) <= share <= entry.get("high", 100) <= 100:
                yield Issue("fault", here, f"{entry.get('low')}, {entry.get('percent')}, {entry.get('high')} percent",
                            "0 <= low <= percent <= high <= 100", "Correct the share.")

    def _once(self) -> Iterator[Issue]:
        """Each id once in its list."""
        lists = {f"{FOLLOWUP}, {key}": self.followup[key] for key in ("relapses", "schedule", "prognosis", "survival")}
        lists |= {f"{FOLLOWUP}, engraftment.definitions": self.followup["engraftment"]["definitions"]}
        lists |= {f"{FOLLOWUP}, domains.{key}": value["categories"] for key, value in self.followup["domains"].items()}
        lists |= {f"{TREATMENTS}, {key}": self.treatments[key] for key in ("patterns", "options", "trials")}
        for where, entries in lists.items():
            for name, number in Counter(entry["id"] for entry in entries).items():
                if number > 1:
                    yield Issue("fault", f"{where}.{name}", f"{name!r} stands {number} times", "each id once",
                                "Rename it.")
