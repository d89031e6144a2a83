"""The shapes of knowledge: sources, concepts, criteria, counts. No file is read here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from poems.rules import Method, Rule

if TYPE_CHECKING:
    from poems.knowledge.follow_knowledge import FollowKnowledge

SYSTEMS = ("loinc", "hpo", "snomed", "icd10cm", "rxnorm", "omop", "mondo")
DRIVES = ("read", "derived", "read-2nd", "seed", "assumed")
"""The statuses that may drive an answer; `memory` never does."""


@dataclass(frozen=True, slots=True)
class Source:
    """A citation, and how far it was seen."""

    id: str
    title: str
    seen: str
    authors: str = ""
    journal: str = ""
    year: int | None = None
    cite: str = ""
    doi: str = ""
    pmid: str = ""
    pmcid: str = ""
    url: str = ""
    key: str = ""
    note: str = ""

    @property
    def link(self) -> str:
        """The best address a reader can open, or nothing."""
        if self.doi:
            return f"https://doi.org/{self.doi}"
        if self.pmid:
            return f"https://pubmed.ncbi.nlm.nih.gov/{self.pmid}/"
        return self.url or (f"https://pmc.ncbi.nlm.nih.gov/articles/{self.pmcid}/" if self.pmcid else "")

    @property
    def text(self) -> str:
        """The citation in one line."""
        journal = " ".join(part for part in (self.journal, str(self.year or ""), self.cite) if part)
        return ". ".join(part.rstrip(".") for part in (self.authors, self.title, journal) if part) + "."


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a claim stands in a source, and how sure we are of having read it.

    status: read, derived (computed from read numbers, `how` says how), read-2nd (read in a text that quotes it), seed
    (only in the FAQ of 2017), assumed (our assumption, `because` says why), memory (a draft: drives nothing).
    """

    id: str
    at: str = ""
    status: str = "read"
    how: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class Plausible:
    """Between which numbers, in the concept's unit, what is printed lies. It asks whether a number is as printed, and
    drives nothing: a wide guard of ours against slips (status assumed, `because` says against which), no normal range.
    """

    low: float
    high: float
    because: str
    status: str = "assumed"

    def holds(self, number: float) -> bool:
        """Whether the number is one that may be printed."""
        return self.low <= number <= self.high


@dataclass(frozen=True, slots=True)
class Concept:
    """A finding, test, treatment or label as records name it.

    sought_as: words by which people look for it; they offer it, and no reader takes them for it. therapy: of a
    treatment, `plasma-cell` (acts on the clone), `perhaps-plasma-cell` (may have been for something else) or `other`.
    unreadable_after: of a quantity, treatments after which a sample of it cannot be read. seen_as: of a quantity, the
    finding that a report in words instead of a number shows.
    """

    id: str
    label: str
    kind: str
    patient: str = ""
    unit: str = ""
    specimen: str = ""
    of: str = ""
    synonyms: tuple[str, ...] = ()
    sought_as: tuple[str, ...] = ()
    plausible: Plausible | None = None
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shown_by: tuple[str, ...] = ()
    excluded_by: tuple[str, ...] = ()
    methods: tuple[Method, ...] = ()
    therapy: str = ""
    unreadable_after: tuple[str, ...] = ()
    molar_mass: float | None = None
    seen_as: str = ""
    label_of: str = ""
    source: Reference | None = None
    note: str = ""


def treatments(concepts: Mapping[str, Concept], therapy: str) -> tuple[str, ...]:
    """The ids of the concepts that are such a therapy, sorted."""
    return tuple(sorted(concept.id for concept in concepts.values() if concept.therapy == therapy))


@dataclass(frozen=True)
class Criterion:
    """A named rule with its source, and the reading where the source leaves room.

    beside: findings that decide nothing here and are told to the patient with it, such as how many were counted.
    """

    id: str
    label: str
    rule: Rule
    source: Reference
    reading: str = ""
    patient: str = ""
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Level:
    """One grade of a set: most sets have one, some say definite, probable, possible."""

    id: str
    rule: Rule


@dataclass(frozen=True)
class CriteriaSet:
    """A published set of criteria; its levels are ordered from the strictest."""

    id: str
    label: str
    years: str
    source: Reference
    levels: tuple[Level, ...]
    summary: str = ""
    footnotes: tuple[tuple[str, Reference], ...] = ()
    readings: tuple[str, ...] = ()
    diagnoses: str = "poems"


@dataclass(frozen=True)
class Count:
    """So many (k) of so many (n) in whom a finding was seen, in one study; or a printed range, low to high percent.

    percent: the share as printed, where it says more than the counts that fit it.
    """

    diseases: tuple[str, ...]
    source: Reference
    k: float = 0.0
    n: float = 0.0
    low: float | None = None
    high: float | None = None
    percent: float | None = None
    cohort: str = ""

    @property
    def share(self) -> float:
        """The share as printed, or k of n. Raises: ZeroDivisionError for a range, which has none."""
        return self.percent / 100 if self.percent is not None else self.k / self.n

    @property
    def grade(self) -> str:
        """Counted (n of m), reported (a range), or assumed (carried over or ours)."""
        if self.source.status == "assumed":
            return "assumed"
        return "reported" if self.low is not None else "counted"


@dataclass(frozen=True)
class Feature:
    """A finding of the differential: when it is met, and how often each disease shows it."""

    id: str
    label: str
    rule: Rule
    group: str
    counts: tuple[Count, ...]
    background: Count | None = None
    patient: str = ""
    note: str = ""


@dataclass(frozen=True)
class Setting:
    """Where the patient was met, and how common each disease is there.

    given: the features that everybody in the setting has, so that they do not count a second time.
    """

    id: str
    label: str
    priors: tuple[Count, ...]
    given: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Accuracy:
    """One test at one cut-off against one comparison group: counts, never a predictive value."""

    id: str
    label: str
    concept: str
    sensitivity: Count
    specificity: Count
    versus: str
    note: str = ""


@dataclass(frozen=True)
class Test:
    """Something that can be done next, and what it can find.

    done_when: with all of these recorded it has been done, and is not proposed again. gives: findings that no other
    test gives, so that each of them shows that it was done.
    """

    id: str
    label: str
    finds: tuple[str, ...]
    burden: int
    done_when: tuple[str, ...] = ()
    patient: str = ""
    why: str = ""
    source: Reference | None = None
    gives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """A number that the guide speaks of and no rule needs.

    k of n, or percent (of n), or value with unit, or low and high alone (a printed range). spread: what low and high
    beside a value are: `range`, `interval` (95 %, as printed), `sd`. about: `about`, `more than`, `less than`.
    text: how the number is said where its digits do not say it.
    """

    id: str
    label: str
    source: Reference
    k: float | None = None
    n: float | None = None
    percent: float | None = None
    value: float | None = None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    spread: str = ""
    stat: str = ""
    about: str = ""
    text: str = ""
    cohort: str = ""
    period: str = ""
    note: str = ""


@dataclass(frozen=True)
class Knowledge:
    """Everything that is known here. Ids resolve; what is a draft drives nothing and is listed in `drafts`.

    read_follow: reads what is known about the time after treatment, when `follow` is first asked for; read_claims the
    claims and the ids of those that are drafts, when `claims` are.
    """

    version: str
    sources: Mapping[str, Source]
    concepts: Mapping[str, Concept]
    components: Mapping[str, Criterion]
    criteria: Mapping[str, CriteriaSet]
    diseases: Mapping[str, Mapping[str, Any]]
    settings: Mapping[str, Setting]
    default_settings: tuple[str, ...]
    features: Mapping[str, Feature]
    groups: Mapping[str, str]
    accuracies: Mapping[str, Accuracy]
    tests: Mapping[str, Test]
    cautions: tuple[Mapping[str, Any], ...]
    errata: tuple[Mapping[str, Any], ...]
    diagnosis_drafts: tuple[str, ...]
    read_follow: Callable[[], FollowKnowledge] = field(repr=False, compare=False)
    read_claims: Callable[[], tuple[Mapping[str, Claim], tuple[str, ...]]] = field(repr=False, compare=False)

    @cached_property
    def follow(self) -> FollowKnowledge:
        """What is known about the time after treatment, read on first use."""
        return self.read_follow()

    @property
    def claims(self) -> Mapping[str, Claim]:
        """The numbers that only the guide needs, by id; read on first use."""
        return self._claims[0]

    @cached_property
    def _claims(self) -> tuple[Mapping[str, Claim], tuple[str, ...]]:
        return self.read_claims()

    @property
    def drafts(self) -> tuple[str, ...]:
        """Every claim that waits for a reader and drives nothing."""
        return self.diagnosis_drafts + self.follow.drafts + self._claims[1]

    @cached_property
    def therapies(self) -> tuple[str, ...]:
        """The treatments of the plasma-cell disorder: criteria judge the time before the first of them."""
        return treatments(self.concepts, "plasma-cell")

    @cached_property
    def perhaps_therapies(self) -> tuple[str, ...]:
        """The treatments that may have been for the plasma-cell disorder or for something else."""
        return treatments(self.concepts, "perhaps-plasma-cell")

    @cached_property
    def clone_therapies(self) -> tuple[str, ...]:
        """Both kinds: in the course of a patient who has the disorder, what may have been for it was."""
        return tuple(sorted((*self.therapies, *self.perhaps_therapies)))

    @cached_property
    def _codes(self) -> dict[tuple[str, str], Concept]:
        return {(system, code): concept for concept in self.concepts.values()
                for system, codes in concept.codes.items() for code in codes}

    @cached_property
    def _names(self) -> dict[str, Concept]:
        every = list(reversed(list(self.concepts.values())))
        plain = {concept.patient.casefold(): concept for concept in every if concept.patient}
        names = {name.casefold(): concept for concept in every for name in (*concept.synonyms, concept.label)}
        return plain | names | {concept.id: concept for concept in every}

    def by_code(self, system: str, code: str) -> Concept | None:
        """The concept that carries a code of loinc, hpo, snomed, icd10cm, rxnorm, omop or mondo."""
        return self._codes.get((system, code))

    def by_name(self, name: str) -> Concept | None:
        """The concept with this id, label, synonym or name for patients, whatever the letter case."""
        return self._names.get(name.casefold())
