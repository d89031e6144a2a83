"""The only reader of the knowledge files: YAML in, resolved and shared rules out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from poems.errors import KnowledgeError
from poems.knowledge.check import check
from poems.knowledge.files import BUNDLED, GUIDE, read_all
from poems.knowledge.load_follow import load_follow
from poems.knowledge.model import (
    DRIVES,
    Accuracy,
    Claim,
    Concept,
    Count,
    CriteriaSet,
    Criterion,
    Feature,
    Knowledge,
    Level,
    Plausible,
    Reference,
    Setting,
    Source,
    Test,
)
from poems.knowledge.ruling import Rules
from poems.rules import Method, Named

Raw = Mapping[str, Any]
UNSAID = "unsaid"  # in the files: a finding whose method nobody said; an event then has an empty one


def load(directory: Path | None = None) -> Knowledge:
    """The knowledge of a directory, or the bundled one (read once).

    Raises: KnowledgeError with every fault, for a directory that is not the bundled one; the bundled files are checked
    by `poems knowledge check` and in the tests, and trusted here.
    """
    if directory is None or directory.resolve() == BUNDLED:
        return _bundled()
    issues = [issue for issue in check(directory) if issue.level == "fault"]
    if issues:
        raise KnowledgeError(f"the knowledge in {directory} has {len(issues)} faults", tuple(issues))
    return build(read_all(directory), directory)


@cache
def _bundled() -> Knowledge:
    return build(read_all())


def build(raw: Mapping[str, Any], directory: Path = BUNDLED) -> Knowledge:
    """The knowledge from the files' contents, every rule resolved. Expects contents that `check` has passed.

    directory: where the files of follow-up stand, which are read when `follow` is first asked for.
    """
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
            tuple(value.get("beside", ())),
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
        settings={key: _setting(key, value, drafts) for key, value in differential["settings"].items()},
        default_settings=tuple(differential["default-settings"]),
        features={key: _feature(key, value, rules, drafts) for key, value in differential["features"].items()},
        groups=differential["groups"],
        accuracies={key: _accuracy(key, value) for key, value in differential["accuracies"].items()},
        tests={key: _test(key, value) for key, value in differential["tests"].items()},
        cautions=tuple(
            {**entry, "rule": rules.rule(entry["when"]), "source": reference(entry["source"])}
            for entry in differential["cautions"]
        ),
        errata=tuple(raw["errata.yaml"]),
        diagnosis_drafts=tuple(drafts + [f"errata.{e['id']}" for e in raw["errata.yaml"] if e.get("draft")]),
        read_follow=partial(load_follow, directory, concepts, criteria["components"]),
        read_claims=partial(_claims, directory),
    )


def _claims(directory: Path) -> tuple[Mapping[str, Claim], tuple[str, ...]]:
    """The claims that may be used, and the ids of those that are drafts."""
    raw: Mapping[str, Raw] = read_all(directory, GUIDE)["claims.yaml"]
    made = {key: Claim(key, **{**value, "source": reference(value["source"])}) for key, value in raw.items()}
    usable = {key: claim for key, claim in made.items() if claim.source.status in DRIVES}
    return usable, tuple(f"claims.{key}" for key in made if key not in usable)


def reference(raw: Raw) -> Reference:
    """A reference from its YAML form."""
    return Reference(**raw)


def _concept(key: str, raw: Raw) -> Concept:
    fields = dict(raw)
    for name in ("synonyms", "sought_as", "shown_by", "excluded_by", "unreadable_after"):
        fields[name] = tuple(fields.get(name, ()))
    fields["codes"] = {system: tuple(map(str, codes)) for system, codes in fields.get("codes", {}).items()}
    fields["methods"] = tuple(
        Method("" if method["id"] == UNSAID else method["id"], method["excludes"])
        for method in fields.get("methods", ())
    )
    fields["source"] = reference(fields["source"]) if "source" in fields else None
    fields["plausible"] = Plausible(**fields["plausible"]) if "plausible" in fields else None
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


def _setting(key: str, raw: Raw, drafts: list[str]) -> Setting:
    priors = counts(raw["priors"], f"{key}.priors", drafts)
    return Setting(key, raw["label"], priors, tuple(raw.get("given", ())), raw["note"])


def _test(key: str, raw: Raw) -> Test:
    source = reference(raw["source"]) if "source" in raw else None
    done_when = tuple(raw.get("done-when", ()))
    return Test(key, raw["label"], tuple(raw["finds"]), raw["burden"], done_when, raw.get("patient", ""),
                raw.get("why", ""), source, tuple(raw.get("gives", ())))


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
