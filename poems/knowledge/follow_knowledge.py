"""What is known about the time after treatment as one whole, with the published treatments. No file is read here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from poems.knowledge.follow_model import (
    Derived,
    Domain,
    Endpoints,
    Engraftment,
    Explanation,
    Marker,
    PrognosticFactor,
    RelapseType,
    Said,
    Scale,
    ScheduleItem,
    Share,
    SurvivalCohort,
    Unreadable,
    Window,
)
from poems.knowledge.model import Criterion, Reference
from poems.rules import Rule


@dataclass(frozen=True, slots=True)
class PatternRule:
    """A first treatment the literature describes, and for whom."""

    id: str
    label: str
    rule: Rule
    literature: str
    source: Reference
    reading: str = ""


@dataclass(frozen=True, slots=True)
class TreatmentOption:
    """A treatment as published: outcomes and harms, never an order."""

    id: str
    label: str
    treatments: tuple[str, ...]
    setting: str
    outcomes: tuple[Share, ...]
    harms: tuple[Share, ...]
    source: Reference
    note: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial's computable eligibility rule."""

    id: str
    label: str
    rule: Rule
    source: Reference
    note: str = ""


@dataclass(frozen=True)
class FollowKnowledge:
    """Everything that is known about the time after treatment; what is a draft stands in `drafts` alone.

    relapse_drafts: the labels of the definitions of relapse that wait for a reader and are not computed.
    """

    endpoints: Endpoints
    components: Mapping[str, Criterion]
    windows: Mapping[str, Window]
    markers: Mapping[str, Marker]
    unreadable: tuple[Unreadable, ...]
    explanations: tuple[Explanation, ...]
    scales: Mapping[str, Scale]
    derived: Mapping[str, Derived]
    domains: tuple[Domain, ...]
    relapses: tuple[RelapseType, ...]
    urgent: tuple[Said, ...]
    schedule: tuple[ScheduleItem, ...]
    prognosis: tuple[PrognosticFactor, ...]
    survival: tuple[SurvivalCohort, ...]
    engraftment: Engraftment
    patterns: tuple[PatternRule, ...]
    options: tuple[TreatmentOption, ...]
    trials: tuple[Trial, ...]
    drafts: tuple[str, ...]
    relapse_drafts: tuple[str, ...] = ()
