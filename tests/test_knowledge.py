"""The knowledge: every claim resolves, and every planted fault is found and named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import some_slow

from poems.errors import KnowledgeError
from poems.knowledge import Knowledge, load
from poems.knowledge.check import check
from poems.knowledge.files import BUNDLED, FILES
from poems.knowledge.model import DRIVES
from poems.rules import Above, Present, walk

Files = dict[str, Any]
CRITERIA, DIFFERENTIAL = "criteria/diagnosis.yaml", "differential.yaml"


def test_the_bundled_knowledge_has_no_fault() -> None:
    """`poems knowledge check` has nothing to say about what is shipped."""
    assert [str(issue) for issue in check()] == []


def test_every_claim_that_drives_an_answer_has_a_source_and_a_status(knowledge: Knowledge) -> None:
    """No criterion, count or test stands without a source, and none that drives an answer is from memory."""
    references = [item.source for item in (*knowledge.components.values(), *knowledge.criteria.values())]
    for feature in knowledge.features.values():
        references += [count.source for count in feature.counts]
        references += [feature.background.source] if feature.background else []
    references += [prior.source for setting in knowledge.settings.values() for prior in setting.priors]
    references += [test.source for test in knowledge.tests.values() if test.source]
    for reference in references:
        assert reference.id in knowledge.sources
        assert reference.status in DRIVES


def test_every_rule_leaf_names_a_concept_of_the_right_kind(knowledge: Knowledge) -> None:
    """Presence is asked of any concept, a number only of a quantity."""
    for item in knowledge.criteria.values():
        for level in item.levels:
            for node in walk(level.rule):
                if isinstance(node, Present):
                    assert node.finding in knowledge.concepts
                if isinstance(node, Above):
                    assert knowledge.concepts[node.finding].kind == "quantity"


def test_no_label_of_a_disease_drives_the_differential(knowledge: Knowledge) -> None:
    """A label gives the answer away; it shows only what it cannot be without (CIDP a demyelinating neuropathy)."""
    labels = {concept.id for concept in knowledge.concepts.values() if concept.kind == "label"}
    implied = {part for concept in knowledge.concepts.values() for part in concept.shown_by} & labels
    for feature in knowledge.features.values():
        leaves = {node.finding for node in walk(feature.rule) if isinstance(node, Present)}
        assert not leaves & labels - implied, feature.id
    assert "poems-syndrome" not in implied


def test_the_eight_sets_of_the_design_are_there(knowledge: Knowledge) -> None:
    """All eight, with the levels their sources have."""
    levels = {item.id: [level.id for level in item.levels] for item in knowledge.criteria.values()}
    assert list(levels) == [
        "mayo-2003",
        "mayo-2007",
        "msd-2023",
        "chiba-2018",
        "japan-mhlw",
        "faq-four-conditions",
        "faq-revision",
        "castleman-variant",
    ]
    assert levels["japan-mhlw"] == ["definite", "probable", "possible"]
    assert levels["faq-revision"] == ["definite", "probable"]


def plant(change: Callable[[Files], None], directory: Path) -> Path:
    """A copy of the knowledge with one fault in it."""
    files = {name: yaml.safe_load((BUNDLED / name).read_text()) for name in FILES}
    change(files)
    for name, content in files.items():
        target = directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    return directory


def _put(name: str, *path: Any, value: Any) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        node = files[name]
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = value

    return change


def _drop(name: str, *path: Any) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        node = files[name]
        for step in path[:-1]:
            node = node[step]
        del node[path[-1]]

    return change


FAULTS: dict[str, tuple[Callable[[Files], None], str, str]] = {
    "source of a criterion missing from sources.yaml": (
        _put(CRITERIA, "sets", "mayo-2007", "source", "id", value="nobody-1999"),
        "sets.mayo-2007.source.id",
        "nobody-1999",
    ),
    "criterion without a source": (
        _drop(CRITERIA, "components", "papilledema", "source"),
        "components.papilledema",
        "source",
    ),
    "claim with an unknown status": (
        _put(CRITERIA, "components", "papilledema", "source", "status", value="sure"),
        "papilledema.source.status",
        "sure",
    ),
    "derived claim that does not say how": (
        _put(CRITERIA, "components", "papilledema", "source", value={"id": "dispenzieri-2012", "status": "derived"}),
        "components.papilledema.source",
        "how",
    ),
    "assumed claim that does not say why": (
        _put(CRITERIA, "components", "papilledema", "source", value={"id": "dispenzieri-2012", "status": "assumed"}),
        "components.papilledema.source",
        "because",
    ),
    "rule names a concept that does not exist": (
        _put(CRITERIA, "components", "papilledema", "rule", value={"present": "papiledema"}),
        "components.papilledema.rule.present",
        "papiledema",
    ),
    "rule names a component that does not exist": (
        _put(CRITERIA, "sets", "mayo-2007", "rule", value={"all": ["neuropathy-of-any-kind"]}),
        "sets.mayo-2007.rule[0]",
        "neuropathy-of-any-kind",
    ),
    "rule with an operator nobody knows": (
        _put(CRITERIA, "components", "papilledema", "rule", value={"exists": "papilledema"}),
        "components.papilledema.rule",
        "exists",
    ),
    "more parts demanded than there are": (
        _put(CRITERIA, "sets", "chiba-2018", "rule", "all", 3, "at-least", "n", value=7),
        "sets.chiba-2018.rule[3].n",
        "7",
    ),
    "component that refers to itself": (
        _put(CRITERIA, "components", "papilledema", "rule", value={"any": ["papilledema"]}),
        "components.papilledema",
        "refers to itself",
    ),
    "a number for a finding that is no quantity": (
        _put(CRITERIA, "components", "platelets-raised", "rule", "above", "concept", value="thrombocytosis"),
        "platelets-raised.rule.above.concept",
        "finding",
    ),
    "a number for a VEGF of unknown specimen": (
        _put(CRITERIA, "components", "vegf-unsaid-raised", "rule", value={"above": {"concept": "vegf", "limit": 200}}),
        "vegf-unsaid-raised.rule.above.limit",
        "specimen",
    ),
    "grey zone above its own limit": (
        _put(CRITERIA, "components", "platelets-raised", "rule", "above", "clear-below", value=500),
        "platelets-raised.rule.above.clear-below",
        "500",
    ),
    "limit written as text": (
        _put(CRITERIA, "components", "platelets-raised", "rule", "above", "limit", value="450"),
        "platelets-raised.rule.above.limit",
        "450",
    ),
    "concept with an impossible unit": (
        _put("concepts.yaml", "vegf-plasma", "unit", value="pg/dl/x"),
        "vegf-plasma.unit",
        "pg/dl/x",
    ),
    "quantity without a unit": (_drop("concepts.yaml", "platelets", "unit"), "platelets.unit", "unit"),
    "unit on a finding": (_put("concepts.yaml", "papilledema", "unit", value="mg/dL"), "papilledema.unit", "mg/dL"),
    "one code at two concepts": (
        _put("concepts.yaml", "ascites", "codes", value={"hpo": ["HP:0001085"]}),
        "codes.hpo",
        "HP:0001085",
    ),
    "malformed code": (
        _put("concepts.yaml", "papilledema", "codes", value={"hpo": ["HP:1085"]}),
        "papilledema.codes.hpo",
        "HP:1085",
    ),
    "concept shown by what does not exist": (
        _put("concepts.yaml", "organomegaly", "shown_by", value=["big-liver"]),
        "organomegaly.shown_by",
        "big-liver",
    ),
    "component with a finding beside it that does not exist": (
        _put("criteria/diagnosis.yaml", "components", "sclerotic-bone-lesion", "beside", value=["bone-lesion-sum"]),
        "components.sclerotic-bone-lesion.beside",
        "bone-lesion-sum",
    ),
    "concepts that show each other": (
        _put("concepts.yaml", "papilledema", "shown_by", value=["papilledema"]),
        "papilledema.shown_by",
        "shows itself",
    ),
    "concept of an unknown kind": (
        _put("concepts.yaml", "papilledema", "kind", value="sign"),
        "papilledema.kind",
        "sign",
    ),
    "misspelt field": (_put("concepts.yaml", "papilledema", "lable", value="Papilledema"), "papilledema", "lable"),
    "more seen than examined": (
        _put(DIFFERENTIAL, "features", "thrombocytosis", "counts", 0, "k", value=1000),
        "features.thrombocytosis.counts.0",
        "1000",
    ),
    "count in a disease that does not exist": (
        _put(DIFFERENTIAL, "features", "thrombocytosis", "counts", 0, "disease", value="poem"),
        "features.thrombocytosis.counts.0",
        "poem",
    ),
    "group that is not described": (
        _put(DIFFERENTIAL, "features", "thrombocytosis", "group", value="blood-things"),
        "features.thrombocytosis.group",
        "blood-things",
    ),
    "setting without POEMS": (
        lambda files: files[DIFFERENTIAL]["settings"]["neuropathy-clinic"].update(
            priors=[
                prior
                for prior in files[DIFFERENTIAL]["settings"]["neuropathy-clinic"]["priors"]
                if prior.get("disease") != "poems"
            ]
        ),
        "settings.neuropathy-clinic.priors",
        "poems",
    ),
    "test that finds what does not exist": (
        _put(DIFFERENTIAL, "tests", "vegf-plasma", "finds", value=["vegf-rised"]),
        "tests.vegf-plasma.finds",
        "vegf-rised",
    ),
    "identifier that is no DOI": (
        _put("sources.yaml", "dispenzieri-2012", "doi", value="doi:10.1182/blood"),
        "dispenzieri-2012.doi",
        "doi:10.1182/blood",
    ),
    "erratum without a source": (_drop("errata.yaml", 0, "sources"), "errata.yaml, 0", "source"),
}


def test_at_least_twenty_faults_are_planted() -> None:
    """The list of planted faults does not shrink unseen."""
    assert len(FAULTS) >= 20


@pytest.mark.parametrize("name", some_slow(FAULTS))
def test_a_planted_fault_is_found_and_named(name: str, tmp_path: Path) -> None:
    """The check says where it is, what was found, what was expected and what to do, and names nothing else."""
    change, where, found = FAULTS[name]
    issues = [issue for issue in check(plant(change, tmp_path)) if issue.level == "fault"]
    assert issues, "not found"
    hits = [issue for issue in issues if where in issue.where]
    assert hits, [str(issue) for issue in issues]
    assert any(found in issue.found + issue.expected for issue in hits), [str(issue) for issue in hits]
    assert all(issue.expected and issue.fix for issue in issues)


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    """Three faults in three files give three reports, not the first alone."""

    def change(files: Files) -> None:
        for fault in (
            "rule names a concept that does not exist",
            "one code at two concepts",
            "more seen than examined",
        ):
            FAULTS[fault][0](files)

    found = " ".join(str(issue) for issue in check(plant(change, tmp_path)))
    assert all(word in found for word in ("papiledema", "HP:0001085", "1000"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: [1, 2", "sources.yaml, line"),
        ("x: 1\nx: 2\n", "stands twice"),
        ("\tx: 1", "sources.yaml, line"),
        ("- just\n- a list\n", "sources.yaml"),
        ("!!python/object/apply:os.system ['true']", "sources.yaml"),
    ],
)
def test_a_file_that_is_not_yaml_is_named_with_its_line(text: str, found: str, tmp_path: Path) -> None:
    """Broken YAML, a key written twice and code in YAML are refused with the file named."""
    shutil.copytree(BUNDLED, tmp_path / "k", ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    (tmp_path / "k" / "sources.yaml").write_text(text)
    assert any(found in str(issue) for issue in check(tmp_path / "k"))


def test_faulty_knowledge_is_never_loaded(tmp_path: Path) -> None:
    """Loading a directory with a fault raises with every issue; loading a sound copy works."""
    with pytest.raises(KnowledgeError) as refused:
        load(plant(FAULTS["one code at two concepts"][0], tmp_path / "bad"))
    assert refused.value.exit_code == 4
    assert refused.value.issues
    assert load(plant(lambda files: None, tmp_path / "good")).version == load().version


def test_a_claim_from_memory_drives_nothing(tmp_path: Path) -> None:
    """A count whose status is memory is listed as a draft and left out of the counts."""
    sound = load()
    change = _put(DIFFERENTIAL, "features", "thrombocytosis", "counts", 0, "source", "status", value="memory")
    changed = load(plant(change, tmp_path))
    assert len(changed.features["thrombocytosis"].counts) == len(sound.features["thrombocytosis"].counts) - 1
    assert len(changed.drafts) == len(sound.drafts) + 1
