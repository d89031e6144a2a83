"""The shapes of what is known about the time after treatment. No file is read here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from poems.knowledge.model import Reference
from poems.rules import Rule

SUFFIXES = ("of-baseline", "of-nadir", "above-nadir")
"""What may follow `<quantity>/` in a rule: value / baseline, value / lowest, value - lowest, within one series."""
RISING = "rising"
SINCE_TREATMENT = "treatment"


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence and where it stands."""

    text: str
    source: Reference


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What ends a course. death, relapse: the findings, the second as a clinician's word; progression_free: where
    progression-free survival is defined.
    """

    death: str
    relapse: str
    progression_free: Reference


@dataclass(frozen=True, slots=True)
class Window:
    """A length of time that a definition leaves open and we had to choose. treatments: those it is about."""

    id: str
    days: int
    source: Reference
    treatments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Noise:
    """How far two samples of an unchanged patient lie apart: total coefficient of variation in percent, and its range.

    cv: the value used; low, high: between them the answer has to be tried (sensitivity).
    """

    cv: float
    low: float
    high: float
    source: Reference
    note: str = ""
    also: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a marker fell in a published course: days in which it halved."""

    half_life_days: float
    source: Reference


@dataclass(frozen=True, slots=True)
class Marker:
    """A quantity whose course is modelled. shows, blind_spots: what its course is known to show, and not to.

    worse: `rising`, `falling` or `neither`, the way in which its course can speak of relapse.
    """

    id: str
    label: str
    concept: str
    worse: str
    noise: Noise
    rate: Rate | None = None
    blind_spots: tuple[Said, ...] = ()
    shows: tuple[Said, ...] = ()
    note: str = ""

    @property
    def can_alarm(self) -> bool:
        """Whether a rise may raise an alarm."""
        return self.worse == RISING


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Samples of a quantity that say nothing about POEMS while a treatment acts on them: they are left out.

    days: how long after its last day (of what is given once: after that day); markers: of which quantities.
    """

    treatment: str
    markers: tuple[str, ...]
    days: int
    text: str
    source: Reference


@dataclass(frozen=True, slots=True)
class Explanation:
    """Something other than POEMS that moves a marker, a feature, a scale or what a clinician records as worse.

    finding: a concept that was recorded at most days_before before, or days_after after, the sample; None: whenever it
    was recorded (a lasting condition). It asks for a repeat and never cancels a rise. findings: what else it can bring
    or make worse (features, scales, a clinician's word); that is told beside a relapse. to_days: so many days after day
    0 of a transplant, and while it is on record, a feature among the findings is not new by itself.
    """

    finding: str
    markers: tuple[str, ...]
    text: str
    source: Reference
    days_before: int | None = None
    days_after: int | None = None
    findings: tuple[str, ...] = ()
    to_days: int | None = None


@dataclass(frozen=True, slots=True)
class Scale:
    """A measure of function. better: `lower` or `higher`.

    points, percent: the least change that means something, in the concept's unit or in percent of the reference value;
    inclusive: a change of exactly that much counts. Both None: no usable number was read, the direction alone speaks.
    domains: `neurologic`, `lung`, `function`.
    """

    id: str
    label: str
    concept: str
    better: str
    domain: str
    source: Reference
    points: float | None = None
    percent: float | None = None
    inclusive: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Derived:
    """An event that the course makes out of the record; followup.yaml defines each kind.

    kind: `turned-present`, `turned-absent` (features: id and rule of each), `better`, `worse` (scales), `by-method`
    (concept, methods).
    """

    id: str
    label: str
    kind: str
    source: Reference
    features: tuple[tuple[str, Rule], ...] = ()
    scales: tuple[str, ...] = ()
    concept: str = ""
    methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Category:
    """One grade of response; reading: where the source leaves room."""

    id: str
    label: str
    rule: Rule
    source: Reference
    reading: str = ""


@dataclass(frozen=True, slots=True)
class Domain:
    """Response in one domain. categories: strictest first, the first that is met is the response.

    evaluable: judged on the baseline slice. drafts: labels of categories that wait for a reader and are not used.
    """

    id: str
    label: str
    evaluable: Rule
    not_evaluable: str
    categories: tuple[Category, ...]
    source: Reference
    drafts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Confirm:
    """How often, and days apart at least, until a relapse counts. values: where only values, no sign or scale, meet."""

    samples: int
    days: int
    source: Reference
    values: Confirm | None = None


@dataclass(frozen=True, slots=True)
class RelapseType:
    """A kind of relapse or progression, and what the papers do then.

    since: the slice it is judged on, `treatment` or `<domain>/<category>` (after that response was first reached).
    """

    id: str
    label: str
    rule: Rule
    since: str
    confirm: Confirm
    literature: Said
    source: Reference
    reading: str = ""

    @property
    def is_after_response(self) -> bool:
        """Whether it takes a response to relapse from."""
        return self.since != SINCE_TREATMENT


@dataclass(frozen=True, slots=True)
class ScheduleItem:
    """What is looked at, how often. anchor: `diagnosis` or `treatment`; years_to None: life-long.

    every_months: from - to; None where it is due once, from once_months after the anchor until its years are over.
    closer_if: then more often; the source gives no number (closer_text).
    tests: ids of tests or concepts. texts: what has no id. patient: what it is for its patient, where the tests are
    only thought of on that day; without it the patient reads the tests.
    """

    id: str
    label: str
    anchor: str
    years_from: float
    years_to: float | None
    every_months: tuple[float, float] | None
    once_months: float | None
    tests: tuple[str, ...]
    texts: tuple[str, ...]
    source: Reference
    closer_if: Rule | None = None
    closer_text: str = ""
    note: str = ""
    patient: str = ""


@dataclass(frozen=True, slots=True)
class PrognosticFactor:
    """A published factor. rule None: published, but not computable from a record (note says why).

    slice: where the rule is judged: `baseline` (before treatment), `response` (after it), `transplant` (to day 0).
    k: how many of the n had it, where that was printed. given: the treatment that all patients of the cohort had.
    """

    id: str
    label: str
    rule: Rule | None
    slice: str
    outcome: str
    cohort: str
    source: Reference
    hazard_ratio: float | None = None
    low: float | None = None
    high: float | None = None
    p: str = ""
    k: int | None = None
    n: int | None = None
    note: str = ""
    given: str = ""


@dataclass(frozen=True, slots=True)
class SurvivalPoint:
    """So many percent free of the event after so many years, with the printed 95 % interval where there is one."""

    outcome: str
    years: float
    percent: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class SurvivalCohort:
    """Published survival of one cohort."""

    id: str
    cohort: str
    era: str
    n: int | None
    points: tuple[SurvivalPoint, ...]
    source: Reference
    note: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """What was published: k of n, percent (of n, where said), a range low to high, or only words.

    A Wilson interval is right where k and n are both given, and nowhere else. drug, finding: of a harm, the drug that
    must not be given to somebody who has this finding; the record is watched for the two together.
    """

    what: str
    source: Reference
    k: float | None = None
    n: float | None = None
    percent: float | None = None
    low: float | None = None
    high: float | None = None
    text: str = ""
    cohort: str = ""
    drug: str = ""
    finding: str = ""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A day that a transplant definition counts from.

    finding: the recorded day wins. Otherwise the first of days_running consecutive calendar days after day 0 on which
    `concept` is at least `limit`; concept empty: only the recorded day.
    """

    id: str
    label: str
    finding: str
    source: Reference
    concept: str = ""
    limit: float | None = None
    days_running: int = 1
    note: str = ""


@dataclass(frozen=True, slots=True)
class EngraftmentDefinition:
    """A published definition, judged from from_days to to_days (None: open) after its anchor. days: whose they are."""

    id: str
    label: str
    anchor: str
    from_days: int
    to_days: int | None
    rule: Rule
    source: Reference
    reading: str = ""
    days: str = ""


@dataclass(frozen=True, slots=True)
class Engraftment:
    """What is published on engraftment syndrome in POEMS; no dose, because none could be verified.

    treatments: those whose day is day 0.
    """

    treatments: tuple[str, ...]
    anchors: Mapping[str, Anchor]
    definitions: tuple[EngraftmentDefinition, ...]
    rates: tuple[Share, ...]
    sheet: tuple[Said, ...]
