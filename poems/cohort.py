"""Many patients: from their courses to one row each, and from the rows to survival, relapse and hazard ratios."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from poems.disclosure import THRESHOLD
from poems.errors import InputError, Issue
from poems.follow.model import Follow
from poems.knowledge import Knowledge
from poems.knowledge.follow_model import PrognosticFactor
from poems.models.survival import (
    Floats,
    NotEstimableError,
    Regression,
    Steps,
    cox,
    cumulative_incidence,
    kaplan_meier,
)
from poems.record import PRESENT
from poems.rules import Verdict
from poems.units import YEAR_DAYS

DIAGNOSIS, TREATMENT = "diagnosis", "first treatment"
SURVIVAL, ANY = "survival", "any"
ALIVE, RELAPSED, DIED = 0, 1, 2
MODELLED = {SURVIVAL: ("death",), ANY: ("progression", "progression or death")}     # the factors of which outcomes
FEW_PER_FACTOR, ENOUGH_PER_FACTOR = 5, 10   # events per factor: below the first refused, below the second warned of
CHANGES = 0.05          # p of the test that a hazard ratio is constant, below which it is said to change
RECORDED_SHARE = 0.7    # a factor unknown in more people than this leaves would drop too many from the joint model


@dataclass(frozen=True)
class Course:
    """One patient as a row: no id and no day of the calendar, only years since a start.

    start: what survival counts from; a day of diagnosis that was only taken from the treatment is the treatment.
    years, died: to death or the last dated event. treated_years: the same from the first dated plasma-cell treatment;
    None without one. relapse_years: per type, from that treatment to the confirmed
    relapse, or None where the record says that there was none; a type the record cannot answer is missing.
    unconfirmed: types with a relapse still to be confirmed, which counts as none. factors: the definite ones.
    """

    start: str
    years: float
    died: bool
    treated_years: float | None
    relapse_years: Mapping[str, float | None]
    unconfirmed: tuple[str, ...]
    factors: Mapping[str, bool]


@dataclass(frozen=True, eq=False)
class Endpoint:
    """One outcome of the cohort. free: still without it; relapse, death: which way people left (not for survival).

    years, cause: per person, what it was computed from. follow_up: reverse Kaplan-Meier, how long people were watched.
    left_out: people the record does not answer for. unconfirmed: people whose relapse waits for confirmation.
    """

    id: str
    label: str
    years: Floats
    cause: NDArray[np.int_]
    free: Steps
    relapse: Steps | None
    death: Steps | None
    follow_up: Steps
    left_out: int
    unconfirmed: int

    def at_risk(self, year: float) -> int:
        """How many people were still followed, without the outcome, just before this moment."""
        return int((self.years >= year).sum())


@dataclass(frozen=True)
class FactorRow:
    """A published factor in this cohort. recorded, present: people (of those with a treatment day); alone: a model with
    this factor only; together: its hazard in the joint model. why: the reason where something could not be computed.
    """

    id: str
    recorded: int
    present: int
    alone: Regression | None
    why: str


@dataclass(frozen=True)
class Model:
    """Cox regression of one outcome, from the first treatment, on the published factors known before treatment.

    n, dropped: people with every factor definite, and those left out because one is unknown (nothing is imputed).
    """

    endpoint: str
    n: int
    dropped: int
    events: int
    factors: tuple[FactorRow, ...]
    together: Regression | None
    why: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Cohort:
    """What many records say together. threshold: smaller counts of people do not leave."""

    as_of: date | None
    knowledge: str
    courses: tuple[Course, ...]
    endpoints: tuple[Endpoint, ...]
    models: tuple[Model, ...]
    refused: int
    issues: tuple[Issue, ...]
    threshold: int = THRESHOLD


def cohort(follows: Iterable[Follow], knowledge: Knowledge, *, threshold: int = THRESHOLD) -> Cohort:
    """The estimates of a cohort, one follow-up per patient.

    Raises: InputError where fewer than `threshold` records can be used: nothing about so few people may leave.
    """
    courses, issues, refused, as_of = [], [], 0, None
    for place, follow in enumerate(follows, 1):
        issues += [issue for issue in follow.issues if issue.level == "fault"]
        found = course(follow, f"record {place}", knowledge)
        as_of = follow.as_of
        issues += found[1]
        courses += [found[0]] if found[0] else []
        refused += found[0] is None
    if len(courses) < threshold:
        issues.append(Issue("fault", "cohort", f"fewer than {threshold} records can be used", f"at least {threshold}",
                            "Nothing is shown of so few people; give more records, or `poems follow` one at a time."))
        raise InputError("the cohort is too small", tuple(issues))
    labels = {kind.id: kind.label for kind in knowledge.follow.relapses}
    endpoints = [_survival(courses), *_endpoints(courses, labels, threshold, issues)]
    models = tuple(_model(endpoint, wanted, courses, threshold) for endpoint, outcomes in MODELLED.items()
                   if (wanted := [one for one in knowledge.follow.prognosis if one.outcome in outcomes]))
    return Cohort(as_of, knowledge.version, tuple(courses), tuple(endpoints), models, refused, tuple(issues), threshold)


def course(follow: Follow, where: str, knowledge: Knowledge) -> tuple[Course | None, list[Issue]]:
    """The row of one patient, or None and the faults. where: how issues call the record, never by the patient's id.

    The clock of relapse starts with a treatment of the plasma-cell disorder; only factors known before it are kept.
    """
    treated = min((span.start for span in follow.treatments if span.finding in knowledge.clone_therapies),
                  default=None)
    start = follow.diagnosed or treated
    last = follow.died or _last(follow)
    issues = _faults(follow, where, start, treated, last)
    if not follow.died and _has_died(follow, knowledge):
        issues.append(Issue("fault", where, "has a death without a day", "a dated death",
                            "Add the day; counted as alive, it would make survival look too good."))
    if any(issue.level == "fault" for issue in issues) or start is None or last is None:
        return None, issues
    relapses = _first_relapses(follow, treated)
    waiting = {one.id for one in follow.relapses if one.is_waiting}
    known = {factor.id for factor in knowledge.follow.prognosis if factor.slice == "baseline"}
    definite = {factor.id: factor.verdict is Verdict.MET for factor in follow.prognosis
                if factor.id in known and factor.verdict is not Verdict.UNKNOWN}
    return Course(DIAGNOSIS if follow.diagnosed_by else TREATMENT, _years(last - start), follow.died is not None,
                  _years(last - treated) if treated else None, relapses,
                  tuple(sorted(key for key in waiting if relapses.get(key) is None)), definite), issues


def _first_relapses(follow: Follow, treated: date | None) -> dict[str, float | None]:
    """Per type, the years to the first confirmed relapse, whichever line of treatment it ended, or None without one.

    The first entry of a type is about the current line, later ones about earlier lines. None takes a definite no, or a
    relapse that waits for its confirmation; an open question has no entry.
    """
    found: dict[str, float | None] = {}
    seen: set[str] = set()
    for relapse in follow.relapses if treated else ():
        if relapse.confirmed and relapse.day and treated:
            known, years = found.get(relapse.id), _years(relapse.day - treated)
            found[relapse.id] = years if known is None else min(known, years)
        elif relapse.id not in seen and (relapse.verdict is Verdict.NOT_MET or relapse.is_waiting):
            found[relapse.id] = None
        seen.add(relapse.id)
    return found


def _last(follow: Follow) -> date | None:
    """The last day on which something was recorded, at the latest the day of the review."""
    return max((event.date for event in follow.record.events if event.date and event.date <= follow.as_of),
               default=None)


def _has_died(follow: Follow, knowledge: Knowledge) -> bool:
    """Whether a death is on record, dated or not."""
    deaths = follow.record.by_finding.get(knowledge.follow.endpoints.death, ())
    return any(event.status == PRESENT for event in deaths)


def _faults(follow: Follow, where: str, start: date | None, treated: date | None, last: date | None) -> list[Issue]:
    found = []
    if start is None:
        found.append(Issue("fault", where, "has neither a day of diagnosis nor a dated plasma-cell treatment",
                           "one of them, to count from", "Add the day; without it there is no time to an event."))
    elif last is not None and last < start:
        found.append(Issue("fault", where, "death or last contact lies before the start", "a later day",
                           "Correct the day of diagnosis, of treatment or of death."))
    elif follow.diagnosed and treated and treated < follow.diagnosed:
        found.append(Issue("caution", where, "was treated before the day of diagnosis", "",
                           "Survival counts from the diagnosis, relapse from the treatment; check both days."))
    if treated and last is not None and treated > last:
        found.append(Issue("fault", where, "was treated after death", "a treatment in life", "Correct the days."))
    for relapse in follow.relapses:
        if not relapse.confirmed:
            continue
        if relapse.day is None:
            found.append(Issue("fault", where, f"has a {relapse.id} relapse without a day", "a dated relapse",
                               "Date the findings it rests on."))
        elif treated and relapse.day < treated:
            found.append(Issue("fault", where, f"has a {relapse.id} relapse before the first treatment",
                               "a relapse after it", "Correct one of the days."))
        elif follow.died and relapse.day > follow.died:
            found.append(Issue("fault", where, f"has a {relapse.id} relapse after death", "a relapse in life",
                               "Correct one of the days."))
    seen = _last(follow)
    if follow.died and seen and seen > follow.died:
        found.append(Issue("caution", where, "has findings dated after death", "",
                           "Survival ends on the day of death; check that day."))
    return found


def _years(span: timedelta) -> float:
    return span.days / YEAR_DAYS


def _survival(courses: Sequence[Course]) -> Endpoint:
    years = np.array([one.years for one in courses])
    died = np.array([one.died for one in courses])
    return Endpoint(SURVIVAL, "Overall survival", years, np.where(died, DIED, ALIVE), kaplan_meier(years, died),
                    None, None, kaplan_meier(years, ~died), 0, 0)


def _endpoints(courses: Sequence[Course], labels: Mapping[str, str], threshold: int,
               issues: list[Issue]) -> list[Endpoint]:
    """Progression-free survival by any type and by each, where enough people can be judged."""
    found = []
    for kind, label in {ANY: "any type of relapse or progression", **labels}.items():
        rows = [_outcome(one, kind) for one in courses]
        kept = [row for row in rows if row is not None]
        if len(kept) < threshold:
            issues.append(Issue("note", label, f"no curve, as the records of fewer than {threshold} people answer it"))
            continue
        years, cause = np.array([row[0] for row in kept]), np.array([row[1] for row in kept])
        waiting = sum(bool(one.unconfirmed) if kind == ANY else kind in one.unconfirmed
                      for one, row in zip(courses, rows, strict=True) if row is not None)
        found.append(Endpoint(kind, label, years, cause, kaplan_meier(years, cause != ALIVE),
                              cumulative_incidence(years, cause, RELAPSED), cumulative_incidence(years, cause, DIED),
                              kaplan_meier(years, cause == ALIVE), len(courses) - len(kept), waiting))
    return found


def _outcome(one: Course, kind: str) -> tuple[float, int] | None:
    """Years from the first treatment and what ended them; None where the record cannot tell.

    Any: the first of the relapses known; a person of whom no type at all is known is left out, death or not, because
    whether somebody can be judged must not depend on what happened to them.
    """
    if one.treated_years is None:
        return None
    known = one.relapse_years if kind == ANY else {key: day for key, day in one.relapse_years.items() if key == kind}
    if not known:
        return None
    days = [day for day in known.values() if day is not None]
    if days:
        return min(days), RELAPSED
    return one.treated_years, DIED if one.died else ALIVE


def _model(endpoint: str, wanted: Sequence[PrognosticFactor], courses: Sequence[Course], threshold: int) -> Model:
    rows = []
    for one in courses:
        ends = ((one.treated_years, DIED if one.died else ALIVE) if one.treated_years is not None else None) \
            if endpoint == SURVIVAL else _outcome(one, ANY)
        rows += [(*ends, one.factors)] if ends else []
    tried = [_alone(factor.id, rows, threshold, factor.slice) for factor in wanted]
    usable = [row.id for row in tried if not row.why]
    complete = [row for row in rows if all(key in row[2] for key in usable)]
    events = sum(row[1] != ALIVE for row in complete)
    together, why = _fit(complete, usable) if len(usable) > 1 else (None, "fewer than two factors can be used")
    warnings = []
    if together and events < ENOUGH_PER_FACTOR * len(usable):
        warnings.append(f"fewer than {ENOUGH_PER_FACTOR} events per factor: ratios lean away from 1, and their "
                        "intervals are rough")
    doubtful = [hazard.factor for hazard in together.hazards if hazard.p_constant < CHANGES] if together else []
    warnings += [f"{key}: the hazard ratio changes over time (p < {CHANGES}), so that one number does not tell it"
                 for key in doubtful]
    return Model(endpoint, len(complete), len(rows) - len(complete), events, tuple(tried), together, why,
                 tuple(warnings))


Row = tuple[float, int, Mapping[str, bool]]


def _alone(factor: str, rows: Sequence[Row], threshold: int, known_at: str) -> FactorRow:
    if known_at != "baseline":
        return FactorRow(factor, 0, 0, None, "known only after treatment has begun; counted from then, it would credit "
                                             "people with the time they had to survive to show it")
    known = [row for row in rows if factor in row[2]]
    sides = Counter(row[2][factor] for row in known)
    if len(known) < RECORDED_SHARE * len(rows):
        why = f"definite in fewer than {RECORDED_SHARE:.0%} of the people".replace("%", " %")
    elif min(sides[True], sides[False]) < threshold:
        why = f"fewer than {threshold} people on one side"
    else:
        fitted, why = _fit(known, [factor])
        return FactorRow(factor, len(known), sides[True], fitted, why)
    return FactorRow(factor, len(known), sides[True], None, why)


def _fit(rows: Sequence[Row], factors: Sequence[str]) -> tuple[Regression | None, str]:
    """The model, or why there is none."""
    events = sum(row[1] != ALIVE for row in rows)
    if events < FEW_PER_FACTOR * len(factors):
        return None, f"too few events: fewer than {FEW_PER_FACTOR} per factor"
    try:
        return cox([row[0] for row in rows], [row[1] != ALIVE for row in rows],
                   {key: [row[2][key] for row in rows] for key in factors}), ""
    except NotEstimableError as error:
        return None, str(error)
