"""What is known about follow-up: every claim resolves, drafts drive nothing, planted faults are found and named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import HERE, some_slow
from test_knowledge import Files, _drop, _put, plant

from poems.evaluate import evaluate
from poems.knowledge import Knowledge, Reference, load
from poems.knowledge.check import check
from poems.knowledge.follow_model import SUFFIXES
from poems.knowledge.model import DRIVES
from poems.record import Event, Record
from poems.rules import Above, AtLeast, Judged, Named, Not, Present, Rule, walk

FOLLOWUP, TREATMENTS = "followup.yaml", "treatments.yaml"
RULES: dict[str, Any] = yaml.safe_load((HERE / "cases" / "follow-rules.yaml").read_text())


def _everything(node: Any) -> Iterator[Any]:
    """Every object inside the knowledge of follow-up, rules left whole."""
    yield node
    if isinstance(node, Present | Above | AtLeast | Judged | Named | Not):
        return
    if is_dataclass(node):
        for field in fields(node):
            yield from _everything(getattr(node, field.name))
    elif isinstance(node, dict):
        for value in node.values():
            yield from _everything(value)
    elif isinstance(node, tuple):
        for value in node:
            yield from _everything(value)


def _rules(knowledge: Knowledge) -> list[Rule]:
    return [item for item in _everything(knowledge.follow)
            if isinstance(item, Present | Above | AtLeast | Judged | Named | Not)]


def test_every_claim_of_follow_up_has_a_source_that_may_drive_it(knowledge: Knowledge) -> None:
    """Whatever was loaded names a known source, and none of it is from memory."""
    references = [item for item in _everything(knowledge.follow) if isinstance(item, Reference)]
    assert len(references) > 200
    for reference in references:
        assert reference.id in knowledge.sources
        assert reference.status in DRIVES


def test_every_rule_leaf_names_a_concept_or_something_declared(knowledge: Knowledge) -> None:
    """A leaf is a concept, `<quantity>/<suffix>`, or an event that followup.yaml declares."""
    follow = knowledge.follow
    declared = {*follow.derived, *(f"{kind}-scale-{key}" for kind in ("better", "worse") for key in follow.scales)}
    for rule in _rules(knowledge):
        for node in walk(rule):
            if isinstance(node, Present | Above):
                name, _, suffix = node.finding.partition("/")
                assert name in knowledge.concepts or name in declared, node
                assert suffix in ("", *SUFFIXES), node


def test_rules_of_follow_up_have_no_treatment_window(knowledge: Knowledge) -> None:
    """They judge slices of the record; the criteria keep their window."""
    leaves = [node for rule in _rules(knowledge) for node in walk(rule) if isinstance(node, Present | Above)]
    assert leaves
    assert all(node.before == () for node in leaves)
    assert any(node.before for node in walk(knowledge.components["papilledema"].rule) if isinstance(node, Present))


def test_follow_up_is_read_only_when_it_is_asked_for(tmp_path: Path) -> None:
    """`poems assess` does not wait for it, and every directory reads its own."""
    def change(files: Files) -> None:
        files[TREATMENTS]["trials"][0]["label"] = "another label"

    fresh = load(plant(change, tmp_path))
    assert "follow" not in vars(fresh)
    assert fresh.follow.trials[0].label == "another label"
    assert load().follow.trials[0].label != "another label"


def test_what_is_from_memory_is_a_draft_and_drives_nothing(knowledge: Knowledge) -> None:
    """The grades, cuts and schedules that nobody read are listed by name and loaded nowhere."""
    drafts = set(knowledge.follow.drafts)
    for name in ("domains.hematologic.very-good-partial-response", "domains.hematologic.partial-response",
                 "domains.vegf.partial-response", "domains.radiologic.complete-response",
                 "domains.radiologic.partial-response", "relapses.hematologic-rise", "relapses.vegf-above-limit",
                 "schedule.tests-per-visit", "survival.ebmt-transplant-five-years"):
        assert name in drafts
    assert drafts <= set(knowledge.drafts)
    kept = {f"domains.{domain.id}.{category.id}" for domain in knowledge.follow.domains
            for category in domain.categories}
    kept |= {f"relapses.{kind.id}" for kind in knowledge.follow.relapses}
    assert not kept & drafts
    assert {domain.id: len(domain.drafts) for domain in knowledge.follow.domains} == {
        "hematologic": 2, "vegf": 1, "radiologic": 2, "clinical": 0, "neurologic": 1}


def test_a_claim_set_to_memory_leaves_the_answers(tmp_path: Path) -> None:
    """An outcome, a factor and a category whose status becomes memory move to the drafts."""
    def change(files: Files) -> None:
        files[TREATMENTS]["options"][0]["outcomes"][0]["source"] = {"id": "humeniuk-2013", "status": "memory"}
        files[FOLLOWUP]["prognosis"][0]["source"] = {"id": "wang-2017", "status": "memory"}
        files[FOLLOWUP]["domains"]["vegf"]["categories"][1]["source"] = {"id": "gentile-2024", "status": "memory"}

    sound, changed = load().follow, load(plant(change, tmp_path)).follow
    assert len(changed.drafts) == len(sound.drafts) + 3
    assert len(changed.options[0].outcomes) == len(sound.options[0].outcomes) - 1
    assert len(changed.prognosis) == len(sound.prognosis) - 1
    assert [len(domain.categories) for domain in changed.domains] == [
        len(domain.categories) - (domain.id == "vegf") for domain in sound.domains]


def test_no_dose_of_engraftment_syndrome_stands_anywhere(knowledge: Knowledge) -> None:
    """The sheet says why it names no dose, and names none."""
    texts = [said.text for said in knowledge.follow.engraftment.sheet]
    assert any("No dose" in text for text in texts)
    assert not any(unit in text for text in texts for unit in ("mg", "milligram"))


def test_the_score_quoted_from_memory_is_not_entered(knowledge: Knowledge) -> None:
    """Of Wang 2017 the four printed hazard ratios stand, each with its interval; no points and no risk groups (F6)."""
    found = {factor.id: (factor.hazard_ratio, factor.low, factor.high) for factor in knowledge.follow.prognosis
             if factor.source.id == "wang-2017"}
    assert found == {
        "age-over-50": (4.07, 1.41, 11.76),
        "pulmonary-hypertension": (3.99, 1.44, 11.04),
        "pleural-effusion": (3.81, 1.23, 11.79),
        "egfr-below-30": (8.25, 2.18, 31.25),
    }


FAULTS: dict[str, tuple[Callable[[Files], None], str, str]] = {
    "source of a relapse missing": (
        _put(FOLLOWUP, "relapses", 0, "literature", "source", "id", value="nobody-1999"),
        "relapses.0.literature.source", "nobody-1999"),
    "rule names a concept that does not exist": (
        _put(FOLLOWUP, "prognosis", 1, "rule", value={"present": "pulmonary-hypertenson"}),
        "prognosis.pulmonary-hypertension.rule.present", "pulmonary-hypertenson"),
    "rule names a component that does not exist": (
        _put(FOLLOWUP, "domains", "vegf", "categories", 0, "rule", value={"not": "vegf-above"}),
        "domains.vegf.complete-response.rule.not", "vegf-above"),
    "derived suffix nobody knows": (
        _put(FOLLOWUP, "relapses", 5, "rule", "above", "concept", value="vegf-plasma/of-peak"),
        "relapses.5", "of-peak"),
    "derived quantity of a finding": (
        _put(FOLLOWUP, "relapses", 5, "rule", "above", "concept", value="papilledema/of-nadir"),
        "relapses.vegf.rule.above.concept", "papilledema"),
    "derived quantity of a concept that does not exist": (
        _put(FOLLOWUP, "relapses", 5, "rule", "above", "concept", value="vegf-plasm/of-nadir"),
        "relapses.vegf.rule.above.concept", "vegf-plasm"),
    "laboratory limit of a ratio": (
        _put(FOLLOWUP, "relapses", 5, "rule", "above",
             value={"concept": "vegf-plasma/of-nadir", "by-lab-limit": True}),
        "relapses.vegf.rule.above.by-lab-limit", "of-nadir"),
    "derived finding that is not declared": (
        _put(FOLLOWUP, "relapses", 1, "rule", value={"present": "newer-lesion"}),
        "relapses.radiologic.rule.present", "newer-lesion"),
    "scale of a derived finding that does not exist": (
        _put(FOLLOWUP, "domains", "neurologic", "categories", 2, "rule", value={"present": "better-scale-onsl"}),
        "domains.neurologic.improved.rule.present", "better-scale-onsl"),
    "derived name in the criteria of diagnosis": (
        _put("criteria/diagnosis.yaml", "components", "papilledema", "rule",
             value={"above": {"concept": "vegf-plasma/of-nadir", "limit": 1.5}}),
        "components.papilledema.rule.above.concept", "of-nadir"),
    "feature that does not exist": (
        _put(FOLLOWUP, "derived", "new-lesion", "features", value=["sclerotic-lesion"]),
        "derived.new-lesion.features", "sclerotic-lesion"),
    "derived finding without its parts": (
        _drop(FOLLOWUP, "derived", "new-lesion", "features"), "derived.new-lesion", "features"),
    "derived finding with the name of a concept": (
        lambda files: files[FOLLOWUP]["derived"].update({"edema": files[FOLLOWUP]["derived"]["new-lesion"]}),
        "derived.edema", "concept"),
    "component that the criteria have already": (
        lambda files: files[FOLLOWUP]["components"].update(
            {"papilledema": files[FOLLOWUP]["components"]["spitzer-fever"]}),
        "components.papilledema", "stands twice"),
    "component that refers to itself": (
        _put(FOLLOWUP, "components", "spitzer-fever", "rule", value={"any": ["spitzer-fever"]}),
        "components.spitzer-fever", "refers to itself"),
    "noise outside its own range": (
        _put(FOLLOWUP, "markers", "albumin", "noise", "cv", value=30), "markers.albumin.noise", "30"),
    "marker of a finding": (
        _put(FOLLOWUP, "markers", "albumin", "concept", value="hypoalbuminemia"),
        "markers.albumin.concept", "hypoalbuminemia"),
    "draft where something must drive": (
        _put(FOLLOWUP, "markers", "albumin", "noise", "source", value={"id": "goruroglu-2013", "status": "memory"}),
        "markers.albumin.noise.source.status", "memory"),
    "explanation of a marker that does not exist": (
        _put(FOLLOWUP, "explanations", 0, "markers", value=["vegf-blood"]), "explanations.infection.markers",
        "vegf-blood"),
    "explanation of a sign that does not exist": (
        _put(FOLLOWUP, "explanations", -1, "findings", value=["numb-feet"]), "explanations.thalidomide.findings",
        "numb-feet"),
    "explanation of nothing": (_drop(FOLLOWUP, "explanations", -1, "findings"), "explanations.", "markers"),
    "sample unreadable after something that is no treatment": (
        _put(FOLLOWUP, "unreadable", 0, "treatment", value="papilledema"), "unreadable.papilledema.treatment",
        "papilledema"),
    "unreadable sample of a marker that does not exist": (
        _put(FOLLOWUP, "unreadable", 0, "markers", value=["vegf-blood"]), "unreadable.bevacizumab.markers",
        "vegf-blood"),
    "one course of something that is no treatment": (
        _put(FOLLOWUP, "windows", "one-course-days", "treatments", value=["papilledema"]),
        "windows.one-course-days.treatments", "papilledema"),
    "scale without a direction": (_drop(FOLLOWUP, "scales", "onls", "better"), "scales.onls", "better"),
    "relapse since a draft": (
        _put(FOLLOWUP, "relapses", 3, "since", value="hematologic/partial-response"),
        "relapses.hematologic.since", "hematologic/partial-response"),
    "calendar that ends before it begins": (
        _put(FOLLOWUP, "schedule", 0, "when", "years-from", value=6), "schedule.first-five-years.when", "6"),
    "calendar with a test that does not exist": (
        _put(FOLLOWUP, "schedule", 0, "tests", value=["pet-scan"]), "schedule.first-five-years.tests", "pet-scan"),
    "hazard ratio outside its interval": (
        _put(FOLLOWUP, "prognosis", 0, "low", value=5), "prognosis.age-over-50.hazard-ratio", "5"),
    "survival that rises": (
        _put(FOLLOWUP, "survival", 2, "points", value=[{"outcome": "OS", "years": 1, "percent": 70},
                                                       {"outcome": "OS", "years": 5, "percent": 78}]),
        "survival.mayo-1974-2014.points", "70 then 78"),
    "dose on the sheet": (
        _put(FOLLOWUP, "engraftment", "sheet", 0, "text", value="Give 500 mg at once."),
        "engraftment.sheet", "500 mg"),
    "window that counts from an unknown day": (
        _put(FOLLOWUP, "engraftment", "definitions", 0, "window", "anchor", value="day-zero"),
        "engraftment.definitions.spitzer.window.anchor", "day-zero"),
    "more responders than patients": (
        _put(TREATMENTS, "options", 2, "outcomes", 0, "k", value=32), "options.melphalan-dexamethasone.outcomes[0]",
        "32 of 31"),
    "share above a hundred": (
        _put(TREATMENTS, "options", 0, "outcomes", 1, "percent", value=131), "options.radiation.outcomes[1]", "131"),
    "outcome that says nothing": (
        _put(TREATMENTS, "options", 0, "outcomes", 1, value={
            "what": "response", "source": {"id": "humeniuk-2013", "status": "read"}}),
        "options.0.outcomes.1", "what"),
    "option of something that is no treatment": (
        _put(TREATMENTS, "options", 0, "treatments", value=["papilledema"]), "options.radiation.treatments",
        "papilledema"),
    "two relapses of one name": (
        _put(FOLLOWUP, "relapses", 1, "id", value="clinical"), "relapses.clinical", "2 times"),
}


@pytest.mark.parametrize("name", some_slow(FAULTS))
def test_a_planted_fault_is_found_and_named(name: str, tmp_path: Path) -> None:
    """The check says where it is, what was found, what was expected and what to do."""
    change, where, found = FAULTS[name]
    issues = [issue for issue in check(plant(change, tmp_path)) if issue.level == "fault"]
    hits = [issue for issue in issues if where in issue.where]
    assert hits, [str(issue) for issue in issues]
    assert any(found in issue.found + issue.expected for issue in hits), [str(issue) for issue in hits]
    assert all(issue.expected and issue.fix for issue in issues)


def test_at_least_ten_faults_are_planted() -> None:
    """The list does not shrink unseen."""
    assert len(FAULTS) >= 10


def _rule(name: str, knowledge: Knowledge) -> Rule:
    """A rule by the place where it stands: a component, `domains.<id>`, `relapses.<id>`, `patterns.<id>` ..."""
    follow = knowledge.follow
    room, _, key = name.partition(".")
    if not key:
        return follow.components[name].rule
    if room == "domains":
        domain, _, category = key.partition(".")
        (found,) = [item for item in follow.domains if item.id == domain]
        if category == "evaluable":
            return found.evaluable
        return next(item.rule for item in found.categories if item.id == category)
    entries: Any = {"relapses": follow.relapses, "patterns": follow.patterns, "trials": follow.trials,
                    "prognosis": follow.prognosis, "engraftment": follow.engraftment.definitions}[room]
    return next(item.rule for item in entries if item.id == key)  # type: ignore[no-any-return]


CASES = [(rule, case) for rule, cases in RULES.items() for case in cases]


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{rule}: {case['case']}" for rule, case in CASES])
def test_a_rule_of_follow_up_says_what_its_text_says(name: str, case: dict[str, Any], knowledge: Knowledge) -> None:
    """On both sides of each limit, and unknown where nothing was looked for; the events are those of a slice."""
    events = []
    for finding, given in case["given"].items():
        for one in given if isinstance(given, list) else [given]:
            row = {"status": one} if isinstance(one, str) else dict(one)
            events.append(Event("p", finding, **{"date": date(2024, 1, 1), **row}))
    assert evaluate(_rule(name, knowledge), Record("p", tuple(events))).value == case["expect"]
