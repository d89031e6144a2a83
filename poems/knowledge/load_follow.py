"""The reader of the follow-up files: YAML in, rules without a treatment window out; drafts set aside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from poems.knowledge.files import FOLLOW, read_all
from poems.knowledge.follow_knowledge import FollowKnowledge, PatternRule, TreatmentOption, Trial
from poems.knowledge.follow_model import (
    Anchor,
    Category,
    Confirm,
    Derived,
    Domain,
    Endpoints,
    Engraftment,
    EngraftmentDefinition,
    Explanation,
    Marker,
    Noise,
    PrognosticFactor,
    Rate,
    RelapseType,
    Said,
    Scale,
    ScheduleItem,
    Share,
    SurvivalCohort,
    SurvivalPoint,
    Unreadable,
    Window,
)
from poems.knowledge.model import DRIVES, Concept, Criterion, Reference
from poems.knowledge.ruling import Rules

Raw = Mapping[str, Any]


def load_follow(directory: Path, concepts: Mapping[str, Concept], components: Mapping[str, Raw]) -> FollowKnowledge:
    """What is known about the time after treatment, from the two files of a directory.

    components: those of the criteria, as they stand in the file; rules of follow-up may name them, and they are built
    anew without a treatment window. Expects files that `check` has passed.
    """
    raw = read_all(directory, FOLLOW)
    return _Reader(raw["followup.yaml"], raw["treatments.yaml"], concepts, components).read()


class _Reader:
    """Builds every part once, and notes what is only a draft."""

    def __init__(self, followup: Raw, treatments: Raw, concepts: Mapping[str, Concept],
                 components: Mapping[str, Raw]) -> None:
        self.followup, self.treatments = followup, treatments
        self.own = {**followup["components"], **treatments["components"]}
        self.rules = Rules(concepts, {**components, **self.own}, before=())
        self.drafts: list[str] = []

    def read(self) -> FollowKnowledge:
        """All of it."""
        raw, treatments = self.followup, self.treatments
        ends = raw["endpoints"]
        return FollowKnowledge(
            endpoints=Endpoints(ends["survival"]["finding"], ends["relapse"]["finding"],
                                _source(ends["progression-free"])),
            components={key: self._component(key, value) for key, value in self.own.items()},
            windows={key: Window(key, value["days"], _source(value), tuple(value.get("treatments", ())))
                     for key, value in raw["windows"].items()},
            markers={key: self._marker(key, value) for key, value in raw["markers"].items()},
            unreadable=tuple(Unreadable(entry["treatment"], tuple(entry["markers"]), entry["days"], entry["text"],
                                        _source(entry)) for entry in self._kept("unreadable", raw["unreadable"])),
            explanations=tuple(self._explanation(entry) for entry in self._kept("explanations", raw["explanations"])),
            scales={key: _scale(key, value) for key, value in raw["scales"].items()},
            derived={key: self._derived(key, value) for key, value in raw["derived"].items()},
            domains=tuple(self._domain(key, value) for key, value in raw["domains"].items()),
            relapses=tuple(self._relapse(entry) for entry in self._kept("relapses", raw["relapses"])),
            urgent=self._said("urgent", raw["urgent"]),
            schedule=tuple(self._schedule(entry) for entry in self._kept("schedule", raw["schedule"])),
            prognosis=tuple(self._factor(entry) for entry in self._kept("prognosis", raw["prognosis"])),
            survival=tuple(_survival(entry) for entry in self._kept("survival", raw["survival"])),
            engraftment=self._engraftment(raw["engraftment"]),
            patterns=tuple(self._pattern(entry) for entry in self._kept("patterns", treatments["patterns"])),
            options=tuple(self._option(entry) for entry in self._kept("options", treatments["options"])),
            trials=tuple(self._trial(entry) for entry in self._kept("trials", treatments["trials"])),
            drafts=tuple(self.drafts),
            relapse_drafts=tuple(entry["label"] for entry in raw["relapses"]
                                 if f"relapses.{entry['id']}" in self.drafts),
        )

    def _kept(self, where: str, entries: Iterable[Raw]) -> Iterator[Raw]:
        """The entries that may drive an answer; the others are noted as drafts."""
        for place, entry in enumerate(entries):
            if entry["source"].get("status", "read") in DRIVES:
                yield entry
            else:
                self.drafts.append(f"{where}.{entry.get('id') or entry.get('what') or entry.get('finding') or place}")

    def _component(self, key: str, raw: Raw) -> Criterion:
        return Criterion(key, raw["label"], self.rules.component(key), _source(raw), raw.get("reading", ""))

    def _marker(self, key: str, raw: Raw) -> Marker:
        noise = raw["noise"]
        return Marker(
            key,
            raw["label"],
            raw["concept"],
            raw["worse"],
            Noise(noise["cv"], noise["low"], noise["high"], _source(noise), noise.get("note", ""),
                  self._said(f"markers.{key}.noise", noise.get("also", ()))),
            Rate(raw["rate"]["half-life-days"], _source(raw["rate"])) if "rate" in raw else None,
            self._said(f"markers.{key}.blind-spots", raw.get("blind-spots", ())),
            self._said(f"markers.{key}.shows", raw.get("shows", ())),
            raw.get("note", ""),
        )

    def _said(self, where: str, entries: Iterable[Raw]) -> tuple[Said, ...]:
        return tuple(Said(entry["text"], _source(entry)) for entry in self._kept(where, entries))

    def _explanation(self, raw: Raw) -> Explanation:
        return Explanation(raw["finding"], tuple(raw.get("markers", ())), raw["text"], _source(raw),
                           raw.get("days-before"), raw.get("days-after"), tuple(raw.get("findings", ())),
                           raw.get("to-days"))

    def _derived(self, key: str, raw: Raw) -> Derived:
        features = tuple(
            (name, self.rules.component(name) if name in self.rules.components else self.rules.present(name))
            for name in raw.get("features", ())
        )
        return Derived(key, raw["label"], raw["kind"], _source(raw), features, tuple(raw.get("scales", ())),
                       raw.get("concept", ""), tuple(raw.get("methods", ())))

    def _domain(self, key: str, raw: Raw) -> Domain:
        before = len(self.drafts)
        kept = [
            Category(entry["id"], entry["label"], self.rules.rule(entry["rule"]), _source(entry),
                     entry.get("reading", ""))
            for entry in self._kept(f"domains.{key}", raw["categories"])
        ]
        waiting = {name.rpartition(".")[2] for name in self.drafts[before:]}
        return Domain(
            key,
            raw["label"],
            self.rules.rule(raw["evaluable"]),
            raw["not-evaluable"],
            tuple(kept),
            _source(raw),
            tuple(entry["label"] for entry in raw["categories"] if entry["id"] in waiting),
        )

    def _relapse(self, raw: Raw) -> RelapseType:
        literature = raw["literature"]
        return RelapseType(
            raw["id"],
            raw["label"],
            self.rules.rule(raw["rule"]),
            raw["since"],
            _confirm(raw["confirm"]),
            Said(literature["text"], _source(literature)),
            _source(raw),
            raw.get("reading", ""),
        )

    def _schedule(self, raw: Raw) -> ScheduleItem:
        when, closer = raw["when"], raw.get("closer-if")
        every = raw.get("every-months")
        return ScheduleItem(
            raw["id"],
            raw["label"],
            when["anchor"],
            when["years-from"],
            when.get("years-to"),
            (every[0], every[1]) if every else None,
            raw.get("once-months"),
            tuple(raw.get("tests", ())),
            tuple(raw.get("texts", ())),
            _source(raw),
            self.rules.rule(closer["rule"]) if closer else None,
            closer["text"] if closer else "",
            raw.get("note", ""),
            raw.get("patient", ""),
        )

    def _factor(self, raw: Raw) -> PrognosticFactor:
        return PrognosticFactor(
            raw["id"],
            raw["label"],
            self.rules.rule(raw["rule"]) if "rule" in raw else None,
            raw["slice"],
            raw["outcome"],
            raw["cohort"],
            _source(raw),
            raw.get("hazard-ratio"),
            raw.get("low"),
            raw.get("high"),
            raw.get("p", ""),
            raw.get("k"),
            raw.get("n"),
            raw.get("note", ""),
            raw.get("given", ""),
        )

    def _shares(self, where: str, entries: Iterable[Raw]) -> tuple[Share, ...]:
        return tuple(Share(**{**entry, "source": _source(entry)}) for entry in self._kept(where, entries))

    def _engraftment(self, raw: Raw) -> Engraftment:
        anchors = {
            key: Anchor(key, value["label"], value["finding"], _source(value), value.get("concept", ""),
                        value.get("limit"), value.get("days-running", 1), value.get("note", ""))
            for key, value in raw["anchors"].items()
        }
        definitions = tuple(
            EngraftmentDefinition(entry["id"], entry["label"], entry["window"]["anchor"], entry["window"]["from-days"],
                                  entry["window"].get("to-days"), self.rules.rule(entry["rule"]), _source(entry),
                                  entry.get("reading", ""), entry["window"].get("note", ""))
            for entry in self._kept("engraftment.definitions", raw["definitions"])
        )
        return Engraftment(tuple(raw["day-0"]), anchors, definitions, self._shares("engraftment.rates", raw["rates"]),
                           self._said("engraftment.sheet", raw["sheet"]))

    def _pattern(self, raw: Raw) -> PatternRule:
        return PatternRule(raw["id"], raw["label"], self.rules.rule(raw["rule"]), raw["literature"], _source(raw),
                           raw.get("reading", ""))

    def _option(self, raw: Raw) -> TreatmentOption:
        where = f"options.{raw['id']}"
        return TreatmentOption(raw["id"], raw["label"], tuple(raw["treatments"]), raw["setting"],
                               self._shares(f"{where}.outcomes", raw["outcomes"]),
                               self._shares(f"{where}.harms", raw.get("harms", ())), _source(raw), raw.get("note", ""))

    def _trial(self, raw: Raw) -> Trial:
        return Trial(raw["id"], raw["label"], self.rules.rule(raw["rule"]), _source(raw), raw.get("note", ""))


def _confirm(raw: Raw) -> Confirm:
    return Confirm(raw["samples"], raw["days"], _source(raw), _confirm(raw["values"]) if "values" in raw else None)


def _source(raw: Raw) -> Reference:
    return Reference(**raw["source"])


def _scale(key: str, raw: Raw) -> Scale:
    change = raw.get("change", {})
    return Scale(key, raw["label"], raw["concept"], raw["better"], raw["domain"], _source(raw), change.get("points"),
                 change.get("percent"), change.get("inclusive", False), raw.get("note", ""))


def _survival(raw: Raw) -> SurvivalCohort:
    return SurvivalCohort(raw["id"], raw["cohort"], str(raw["era"]), raw.get("n"),
                          tuple(SurvivalPoint(**point) for point in raw.get("points", ())), _source(raw),
                          raw.get("note", ""))
