"""Rule nodes: what a criterion is, as data. What a node means is written once, in `evaluate.py`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeAlias


class Verdict(Enum):
    """The three answers. Unknown is an answer."""

    MET = "met"
    NOT_MET = "not met"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Method:
    """A way a finding is looked for, and whether a negative by it excludes the finding."""

    id: str
    excludes: bool


@dataclass(frozen=True, slots=True)
class Present:
    """The finding is recorded as present.

    methods: best first. Empty: any recorded absence counts. Otherwise an absence counts only by a method that
    excludes; a method not listed, or not said, ranks after all listed ones and never excludes.
    before: treatments; once one of them has begun (a dated event), later events do not count. The day of the first
    treatment itself still counts. perhaps: treatments that may have been for something else; they leave nothing out.
    A weak event, one that either may have changed, can speak for the finding but not against it: any event, where some
    such treatment has no date; an undated event, where some has one; an event after the first dated `perhaps`.
    """

    finding: str
    methods: tuple[Method, ...] = ()
    before: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Above:
    """A quantity is above a limit, in the concept's canonical unit.

    by_lab_limit: judge against `times` x the sample's own upper limit where it is recorded, strictly above; without
    one, the report's word (status) decides, unless `limit` says the certain opposite of it: then the sample stays open.
    Only where neither is known, `limit` alone speaks. With other `times` than 1 the word is not heard.
    limit: None where no number may be used. clear_below: a value from here up to `limit` leaves the question open
    (a grey zone between published limits); None means `limit` itself, no grey zone.
    inclusive: a value equal to `limit` is above it. take: which sample counts, the highest or the latest.
    before, perhaps: as in Present; a weak sample that is not above leaves the question open.
    """

    finding: str
    limit: float | None = None
    clear_below: float | None = None
    inclusive: bool = False
    by_lab_limit: bool = False
    times: float = 1.0
    take: Literal["highest", "latest"] = "highest"
    before: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AtLeast:
    """At least n of the parts: `all of` is n = all, `any of` is n = 1."""

    n: int
    parts: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part is not met: for sets that demand an exclusion."""

    part: Rule


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding that one kind of evidence shows and another excludes.

    Met where `shown_by` is met, even if `excluded_by` is met too (a conflict, reported); not met where `shown_by`
    is not met, or is unknown while `excluded_by` is met; otherwise unknown.
    """

    shown_by: Rule
    excluded_by: Rule


@dataclass(frozen=True, slots=True)
class Named:
    """A part with a name of its own: a criterion of a set, a set, or a finding a clinician would look for.

    asks: while this is unknown, what somebody has to find out; `settled_by` names that and looks no deeper. The same
    question may stand behind several readings (skin changes as counted in 2003 and in 2007). Empty: look deeper.
    """

    id: str
    part: Rule
    asks: str = ""


Rule: TypeAlias = Present | Above | AtLeast | Not | Judged | Named


def children(rule: Rule) -> tuple[Rule, ...]:
    """The direct parts of a node, in order."""
    if isinstance(rule, AtLeast):
        return rule.parts
    if isinstance(rule, Not | Named):
        return (rule.part,)
    if isinstance(rule, Judged):
        return (rule.shown_by, rule.excluded_by)
    return ()


def walk(rule: Rule) -> Iterator[Rule]:
    """The node and everything below it, parents first."""
    yield rule
    for part in children(rule):
        yield from walk(part)
