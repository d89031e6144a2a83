"""Cohorts: published numbers come out again, known hazards are found, small counts stay hidden, faults are named."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from io import StringIO
from itertools import combinations_with_replacement, pairwise, product
from math import exp, inf, isnan, log
from pathlib import Path
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poems import cli_cohort
from poems.cohort import ALIVE, ANY, DIAGNOSIS, DIED, RELAPSED, SURVIVAL, TREATMENT, Cohort, cohort, course
from poems.course import Span
from poems.disclosure import HIDDEN, Family, parts
from poems.errors import EngineError, InputError, UsageError
from poems.follow import follow as engine
from poems.follow.model import Factor, Follow, Relapse
from poems.knowledge import Knowledge, Reference
from poems.models.survival import NotEstimableError, cox, cumulative_incidence, kaplan_meier
from poems.record import PRESENT, Event, Record
from poems.render import cohort_html, cohort_text
from poems.render.cohort_tables import document, tables
from poems.render.cohort_view import CohortView, view
from poems.rules import Verdict

DAY_0, TODAY = date(2000, 1, 1), date(2026, 1, 1)
SOURCE = Reference("kourelis-2016a", "abstract", "read")
OS_HAZARDS = ((5.0, 0.0211), (inf, 0.0186))         # facts, followup 4.1, O8: overall survival, per year
PFS_HAZARDS = ((5.0, 0.0862), (inf, 0.0408))        # the same cohort: progression or death
FREIREICH = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSE = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def on(years: float, start: date = DAY_0) -> date:
    return start + timedelta(round(years * 365.25))


def a_relapse(kind: str, years: float | None = None, *, verdict: Verdict | None = None) -> Relapse:
    verdict = verdict or (Verdict.NOT_MET if years is None else Verdict.MET)
    return Relapse(kind, kind, verdict, None if years is None else on(years), (), "", "", SOURCE, SOURCE)


def a_factor(key: str, verdict: Verdict) -> Factor:
    return Factor(key, key, verdict, "", None, None, None, "", (), SOURCE)


def a_follow(knowledge: Knowledge, *, last: float = 5.0, died: float | None = None, relapses: Iterable[Relapse] = (),
             factors: Iterable[Factor] = (), diagnosed: float | None = 0.0, treated: float | None = 0.0,
             patient: str = "Anna-0815") -> Follow:
    """A hand-made follow-up: only what a cohort reads."""
    therapy = knowledge.therapies[0]
    events = [Event(patient, therapy, on(treated), PRESENT)] if treated is not None else []
    events.append(Event(patient, next(iter(knowledge.concepts)), on(last if died is None else died), PRESENT))
    spans = (Span(therapy, on(treated), None, (events[0],)),) if treated is not None else ()
    return Follow(
        patient=patient, as_of=TODAY, knowledge=knowledge.version, record=Record(patient, tuple(events), TODAY),
        diagnosed=None if diagnosed is None else on(diagnosed), treatments=spans, trends=(), scales=(), responses=(),
        relapses=tuple(relapses), pattern=(), options=(), trials=(), prognosis=tuple(factors), survival=(), calendar=(),
        transplants=(), cautions=(), died=None if died is None else on(died),
        diagnosed_by="" if diagnosed is None else "mayo-2007")


def drawn(hazards: tuple[tuple[float, float], ...], rng: np.random.Generator, times: float = 1.0) -> float:
    """A time from a piecewise-exponential law; times: a hazard ratio."""
    left, begun = rng.exponential(), 0.0
    for until, hazard in hazards:
        if left <= hazard * times * (until - begun):
            return begun + left / (hazard * times)
        left, begun = left - hazard * times * (until - begun), until
    return inf


def truth(hazards: tuple[tuple[float, float], ...], year: float) -> float:
    """The share still free at a time."""
    begun, total = 0.0, 0.0
    for until, hazard in hazards:
        total += hazard * (min(until, year) - begun)
        if year <= until:
            break
        begun = until
    return exp(-total)


def simulated(knowledge: Knowledge, n: int, seed: int, ratio: float = 4.0) -> list[Follow]:
    """Patients with known hazards: relapse takes what death leaves of the published progression-or-death hazard, a
    factor that half of them have multiplies death, and follow-up ends evenly between 2 and 20 years.
    """
    rng = np.random.default_rng(seed)
    relapse_hazards = tuple((until, both - death) for (until, both), (_, death) in
                            zip(PFS_HAZARDS, OS_HAZARDS, strict=True))
    kinds = [kind.id for kind in knowledge.follow.relapses]
    factors = [one.id for one in knowledge.follow.prognosis if one.outcome == "death" and one.slice == "baseline"]
    found = []
    for i in range(n):
        flags = rng.random(len(factors)) < 0.5
        died, relapsed = drawn(OS_HAZARDS, rng, ratio if flags[0] else 1.0), drawn(relapse_hazards, rng)
        end = rng.uniform(2, 20)
        kind = kinds[rng.integers(len(kinds))]
        found.append(a_follow(
            knowledge, last=end, died=died if died <= end else None, patient=f"Anna-{i}",
            relapses=[a_relapse(one, relapsed if one == kind and relapsed < min(died, end) else None) for one in kinds],
            factors=[a_factor(key, Verdict.MET if flag else Verdict.NOT_MET)
                     for key, flag in zip(factors, flags, strict=True)]))
    return found


@pytest.fixture(scope="module")
def made(knowledge: Knowledge) -> Cohort:
    return cohort(simulated(knowledge, 300, 1), knowledge)


@pytest.fixture(scope="module")
def shown(made: Cohort, knowledge: Knowledge) -> CohortView:
    return view(made, knowledge)


# Published numbers

def test_kaplan_meier_gives_the_published_leukemia_remissions() -> None:
    """Freireich 1963, 6-MP: the product-limit table of Cox and Oakes and R's log-log interval come out again."""
    found = kaplan_meier(FREIREICH, np.array(RELAPSE, bool))
    for week, share in ((6, 0.857), (7, 0.807), (10, 0.753), (13, 0.690), (16, 0.627), (22, 0.538), (23, 0.448)):
        assert found.at(week)[0] == pytest.approx(share, abs=0.0005)
    assert found.at(6)[1:] == pytest.approx((0.6197, 0.9516), abs=5e-5)
    assert found.median()[0] == 23 and found.median()[1:] == (13, inf)
    placebo = kaplan_meier(PLACEBO, np.ones(21, bool))
    assert placebo.median()[0] == 8


def test_cox_gives_the_published_leukemia_ratio() -> None:
    """Freireich 1963, placebo against 6-MP, Efron's ties: coefficient 1.572, standard error 0.412 (R, survival)."""
    years, event = FREIREICH + PLACEBO, np.array(RELAPSE + [1] * 21, bool)
    hazard, = cox(years, event, {"placebo": [False] * 21 + [True] * 21}).hazards
    assert log(hazard.ratio) == pytest.approx(1.572, abs=0.0005)
    assert (log(hazard.high) - log(hazard.low)) / 2 / 1.959964 == pytest.approx(0.412, abs=0.0005)


def test_cox_gives_the_published_recidivism_coefficients() -> None:
    """Rossi 1980 as in Fox and Weisberg's appendix: all seven coefficients to the last printed digit."""
    from lifelines.datasets import load_rossi

    data = load_rossi()
    printed = {"fin": -0.37942, "age": -0.05744, "race": 0.31390, "wexp": -0.14980, "mar": -0.43370, "paro": -0.08487,
               "prio": 0.09150}
    found = cox(data["week"], data["arrest"].astype(bool), {name: data[name] for name in printed})
    assert found.events == 114 and found.n == 432
    for hazard in found.hazards:
        assert log(hazard.ratio) == pytest.approx(printed[hazard.factor], abs=5e-6)
    changing = {hazard.factor for hazard in found.hazards if hazard.p_constant < 0.05}
    assert changing == {"age", "wexp"}


def test_cumulative_incidence_by_hand() -> None:
    """Six people, two causes, a tie and a censoring: the fractions worked out on paper."""
    years, cause = [1, 2, 2, 3, 4, 5], [1, 2, 1, 0, 1, 2]
    first, second = (cumulative_incidence(years, cause, kind) for kind in (1, 2))
    assert [first.at(year)[0] for year in (0, 1, 2, 3, 4, 5)] == pytest.approx([0, 1/6, 1/3, 1/3, 7/12, 7/12])
    assert [second.at(year)[0] for year in (0, 1, 2, 4, 5)] == pytest.approx([0, 0, 1/6, 1/6, 5/12])


def test_cumulative_incidence_agrees_with_lifelines_where_nothing_is_tied() -> None:
    """Estimate and variance are those of the library, whose tie-breaking is random and so not used."""
    from lifelines import AalenJohansenFitter

    rng = np.random.default_rng(5)
    years, cause = rng.permutation(80) + 1.0, rng.integers(0, 3, 80)
    theirs = AalenJohansenFitter().fit(years, cause, event_of_interest=1)
    ours = cumulative_incidence(years, cause, 1)
    for year in (10, 25, 40, 60):
        value, low, high = ours.at(year)
        assert value == pytest.approx(float(theirs.cumulative_density_.loc[year].iloc[0]))
        spread = float(theirs.variance_.loc[year]) ** 0.5
        reach = 1.959964 * spread / (value * log(value))
        assert (low, high) == pytest.approx((value ** exp(-reach), value ** exp(reach)), rel=1e-5)


def test_with_one_cause_incidence_mirrors_survival_with_its_interval() -> None:
    """Without a competitor, the incidence is one less survival, and its variance is Greenwood's."""
    free, gone = kaplan_meier(FREIREICH, np.array(RELAPSE, bool)), cumulative_incidence(FREIREICH, RELAPSE, 1)
    for week in (6, 13, 23):
        value, low, high = free.at(week)
        share, under, over = gone.at(week)
        assert share == pytest.approx(1 - value)
        greenwood = (log(-log(low)) - log(-log(high))) / 2 / 1.959964 * value * -log(value)
        delta = (log(-log(under)) - log(-log(over))) / 2 / 1.959964 * share * -log(share)
        assert delta == pytest.approx(greenwood, rel=1e-6)


# Properties

TIMES = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), min_size=1, max_size=30)


@given(TIMES)
@settings(max_examples=60, deadline=None)
def test_relapse_death_and_neither_are_everybody(people: list[tuple[int, int]]) -> None:
    """At every time, the incidences and survival without event add up to one; intervals hold their value."""
    years, cause = np.array([year for year, _ in people], float), np.array([kind for _, kind in people])
    curves = [kaplan_meier(years, cause != ALIVE), *(cumulative_incidence(years, cause, kind) for kind in (1, 2))]
    for year in range(13):
        found = [curve.at(year) for curve in curves]
        assert sum(value for value, _, _ in found) == pytest.approx(1)
        for value, low, high in found:
            assert isnan(low) or -1e-12 <= low <= value + 1e-9 <= high + 2e-9 <= 1 + 3e-9


@given(st.lists(st.integers(0, 12), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
def test_without_censoring_survival_is_counting(years: list[int]) -> None:
    """Where everybody is followed to the event, the curve is the share of people whose time is longer."""
    found = kaplan_meier(years, np.ones(len(years), bool))
    for year in range(13):
        assert found.at(year)[0] == pytest.approx(sum(one > year for one in years) / len(years))


def test_nobody_or_everybody_has_no_interval() -> None:
    """Before the first event and after the last possible one there is no variance, and none is pretended."""
    found = kaplan_meier([1, 2], np.array([True, True]))
    assert found.at(0)[0] == 1 and isnan(found.at(0)[1]) and isnan(found.at(2)[2])


@pytest.mark.parametrize(("factors", "why"), [
    ({"a": [True] * 6}, "same in everybody"), ({"a": [True, True, True, False, False, False]}, "no event on one side"),
    ({"a": [True, False] * 3, "b": [False, True] * 3}, "say the same")])
def test_cox_says_why_it_cannot_answer(factors: dict[str, list[bool]], why: str) -> None:
    """No variation, separation and collinearity end in a reason, not in a number."""
    with pytest.raises(NotEstimableError, match=why):
        cox([1, 2, 3, 4, 5, 6], np.array([True, True, False, False, False, False]), factors)


def test_times_that_are_none_are_refused() -> None:
    """A negative, missing or unmatched time is a programming fault and raises at once."""
    for years, event in (([], []), ([-1.0], [True]), ([float("nan")], [True]), ([1.0, 2.0], [True])):
        with pytest.raises(ValueError, match="times are finite"):
            kaplan_meier(years, event)


def test_without_lifelines_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named, and the exit code is 5."""
    monkeypatch.setitem(sys.modules, "lifelines", None)
    with pytest.raises(EngineError, match=r"pip install 'poems\[cohort\]'") as raised:
        kaplan_meier([1.0], [True])
    assert raised.value.exit_code == 5


# Known hazards

@pytest.mark.slow
def test_known_hazards_are_recovered(knowledge: Knowledge) -> None:
    """Over 120 simulated cohorts of 120, the 95 % intervals at 5 and 10 years hold the truth 91 to 99 times of 100."""
    rng = np.random.default_rng(20261122)
    hits = dict.fromkeys(((5, "free"), (10, "free"), (5, "relapse"), (10, "relapse")), 0)
    split = tuple((until, both - death) for (until, both), (_, death) in zip(PFS_HAZARDS, OS_HAZARDS, strict=True))
    steps = np.linspace(0, 10, 100001)
    free = np.array([truth(PFS_HAZARDS, year) for year in steps])
    rate = np.where(steps < 5, split[0][1], split[1][1])
    relapsed = np.concatenate(([0], np.cumsum((free * rate)[:-1] * np.diff(steps))))
    for _ in range(120):
        times = np.array([(drawn(OS_HAZARDS, rng), drawn(split, rng), rng.uniform(2, 20)) for _ in range(120)])
        years, cause = times.min(axis=1), np.array([DIED, RELAPSED, ALIVE])[times.argmin(axis=1)]
        curves = {"free": kaplan_meier(years, cause != ALIVE), "relapse": cumulative_incidence(years, cause, RELAPSED)}
        for year, what in hits:
            true = truth(PFS_HAZARDS, year) if what == "free" else float(relapsed[np.searchsorted(steps, year)])
            _, low, high = curves[what].at(year)
            hits[year, what] += low <= true <= high
    assert all(0.91 <= count / 120 <= 0.99 for count in hits.values()), hits


def test_a_cohort_recovers_survival_and_the_hazard_ratio(made: Cohort) -> None:
    """One large cohort: the factor that quadruples death is found, the others are not, and nobody is lost."""
    endpoint = next(one for one in made.endpoints if one.id == ANY)
    assert endpoint.relapse is not None and endpoint.death is not None
    model = next(one for one in made.models if one.endpoint == SURVIVAL)
    assert model.together is not None
    first, *others = model.together.hazards
    assert first.low < 4 < first.high and first.low > 1.5
    assert all(hazard.low < 1 < hazard.high for hazard in others)
    for year in (1, 3, 5, 10):
        total = endpoint.free.at(year)[0] + endpoint.relapse.at(year)[0] + endpoint.death.at(year)[0]
        assert total == pytest.approx(1)


# Rows

def row(follow: Follow, knowledge: Knowledge) -> tuple[object, list[str]]:
    found, issues = course(follow, "record 1", knowledge)
    return found, [f"{issue.level}: {issue.found}" for issue in issues]


def test_survival_counts_from_diagnosis_and_relapse_from_treatment(knowledge: Knowledge) -> None:
    """The start is the diagnosis, else the first treatment, and the row says which; relapse counts from treatment."""
    one, _ = row(a_follow(knowledge, treated=1.0, last=6.0, relapses=[a_relapse("clinical", 3.0)]), knowledge)
    assert one is not None and (one.start, round(one.years), round(one.treated_years)) == (DIAGNOSIS, 6, 5)
    assert one.relapse_years["clinical"] == pytest.approx(2, abs=0.01)
    other, _ = row(a_follow(knowledge, diagnosed=None, treated=1.0, last=6.0), knowledge)
    assert other is not None and (other.start, round(other.years)) == (TREATMENT, 5)


def test_what_is_not_known_is_left_out_and_what_is_not_confirmed_is_none(knowledge: Knowledge) -> None:
    """An unknown type has no entry; an unconfirmed relapse is no event and is listed."""
    one, _ = row(a_follow(knowledge, relapses=[
        a_relapse("clinical"), a_relapse("vegf", 2.0, verdict=Verdict.UNKNOWN),
        a_relapse("radiologic", verdict=Verdict.UNKNOWN)]), knowledge)
    assert one is not None and one.relapse_years == {"clinical": None, "vegf": None} and one.unconfirmed == ("vegf",)


LOWEST = [("vegf-plasma", 0.0, 800.0), ("vegf-plasma", 0.5, 100.0), ("vegf-plasma", 1.0, 90.0)]
ONCE, TWICE = [("vegf-plasma", 2.0, 500.0)], [("vegf-plasma", 2.0, 500.0), ("vegf-plasma", 2.5, 500.0)]
SPIKE = [("vegf-plasma", 2.0, 500.0), ("vegf-plasma", 2.5, 95.0)]


def really(knowledge: Knowledge, samples: Iterable[tuple[str, float, float]], patient: str = "Anna") -> Follow:
    """The engine's own follow-up: treated on day 0, then these values."""
    events = [Event(patient, knowledge.therapies[0], DAY_0, PRESENT), Event(patient, "polyneuropathy", DAY_0, PRESENT)]
    events += [Event(patient, finding, on(years), value=value, unit=knowledge.concepts[finding].unit, upper_limit=100.0,
                     specimen=knowledge.concepts[finding].specimen) for finding, years, value in samples]
    return engine(Record(patient, tuple(events), TODAY), knowledge, as_of=TODAY)


@pytest.mark.parametrize(("samples", "years", "waiting"), [
    (LOWEST, {"vegf": None}, ()), ([*LOWEST, *ONCE], {"vegf": None}, ("vegf",)),
    ([*LOWEST, *TWICE], {"vegf": pytest.approx(2, abs=0.01)}, ()), ([*LOWEST, *SPIKE], {"vegf": None}, ())])
def test_the_engines_unconfirmed_relapse_waits_in_the_row(
        samples: list[tuple[str, float, float]], years: dict[str, float | None], waiting: tuple[str, ...],
        knowledge: Knowledge) -> None:
    """Through the real engine: no rise, one high value, two, and a spike that came down; other types stay out."""
    one, _ = row(really(knowledge, samples), knowledge)
    assert one is not None and one.relapse_years == years and one.unconfirmed == waiting


def test_unconfirmed_relapses_of_the_engine_are_counted_and_said(knowledge: Knowledge) -> None:
    """Of fifteen people six wait: none of them is an event, the number stands with the outcome and in the text."""
    courses = [[*LOWEST, *ONCE]] * 6 + [[*LOWEST, *TWICE]] * 5 + [LOWEST] * 4
    found = cohort([really(knowledge, samples, f"Anna-{i}") for i, samples in enumerate(courses)], knowledge)
    for name in (ANY, "vegf"):
        (one,) = [endpoint for endpoint in found.endpoints if endpoint.id == name]
        assert one.unconfirmed == 6 and (one.cause == RELAPSED).sum() == 5
    said = " ".join(cohort_text.letter(view(found, knowledge)).split())
    assert "with a relapse not yet confirmed, counted as none" in said


def test_the_first_relapse_counts_whichever_line_it_ended(knowledge: Knowledge) -> None:
    """Entries of earlier lines follow the current one: the earliest confirmed day counts, no other."""
    one, _ = row(a_follow(knowledge, last=9.0, relapses=[
        a_relapse("clinical", 7.0), a_relapse("vegf"), a_relapse("hematologic", verdict=Verdict.UNKNOWN),
        a_relapse("clinical", 3.0), a_relapse("vegf", 2.5, verdict=Verdict.UNKNOWN),
        a_relapse("hematologic", 4.0)]), knowledge)
    assert one is not None and one.unconfirmed == ("vegf",)
    assert one.relapse_years == {"clinical": pytest.approx(3, abs=0.01), "vegf": None,
                                 "hematologic": pytest.approx(4, abs=0.01)}


def test_other_treatments_do_not_start_the_clock(knowledge: Knowledge) -> None:
    """Steroids or immunoglobulin for a supposed CIDP are no first treatment of POEMS."""
    other = next(one.id for one in knowledge.concepts.values() if one.therapy == "other")
    follow = a_follow(knowledge, treated=2.0)
    early = Span(other, on(0.5), None, ())
    one, _ = row(replace(follow, treatments=(early, *follow.treatments)), knowledge)
    assert one is not None and one.treated_years == pytest.approx(3, abs=0.01)


@pytest.mark.parametrize(("change", "found"), [
    ({"diagnosed": None, "treated": None}, "neither a day of diagnosis nor a dated plasma-cell treatment"),
    ({"diagnosed": 6.0, "treated": None, "died": 5.0}, "lies before the start"),
    ({"treated": 6.0, "died": 5.0}, "treated after death"),
    ({"relapses": [a_relapse("clinical", verdict=Verdict.MET)]}, "clinical relapse without a day"),
    ({"treated": 3.0, "relapses": [a_relapse("vegf", 2.0)]}, "vegf relapse before the first treatment"),
    ({"died": 4.0, "relapses": [a_relapse("vegf", 4.5)]}, "vegf relapse after death"),
])
def test_a_bad_record_ends_in_a_named_fault(change: dict[str, object], found: str, knowledge: Knowledge) -> None:
    """Each impossible course is refused with its reason and place, and never with the patient's id."""
    one, issues = course(a_follow(knowledge, **change), "record 7", knowledge)  # type: ignore[arg-type]
    assert one is None
    fault = next(issue for issue in issues if issue.level == "fault" and found in issue.found)
    assert fault.where == "record 7" and fault.fix and "Anna" not in str(fault)


def test_a_death_without_a_day_is_not_a_life(knowledge: Knowledge) -> None:
    """An undated death is refused: it would otherwise count as alive."""
    follow = a_follow(knowledge)
    undated = Event("p", knowledge.follow.endpoints.death, None, PRESENT)
    one, issues = row(replace(follow, record=Record("p", (*follow.record.events, undated), TODAY)), knowledge)
    assert one is None and "fault: has a death without a day" in issues


def test_findings_after_death_are_said(knowledge: Knowledge) -> None:
    """A later entry does not prolong life; it is a caution."""
    follow = a_follow(knowledge, died=3.0)
    late = replace(follow, record=Record("p", (*follow.record.events, Event("p", "x", on(4.0), PRESENT)), TODAY))
    one, issues = row(late, knowledge)
    assert one is not None and one.years == pytest.approx(3, abs=0.01)
    assert "caution: has findings dated after death" in issues


def test_bad_records_are_left_out_and_too_few_are_refused(knowledge: Knowledge) -> None:
    """One fault costs one record; fewer than five usable records cost the cohort."""
    good = [a_follow(knowledge, last=1.0 + i) for i in range(5)]
    bad = a_follow(knowledge, diagnosed=None, treated=None)
    assert cohort([*good, bad], knowledge).refused == 1
    with pytest.raises(InputError) as raised:
        cohort([*good[:4], bad], knowledge)
    assert [issue.where for issue in raised.value.issues if issue.level == "fault"] == ["record 5", "cohort"]


# Cox with the published factors

def test_few_events_are_refused_in_words(knowledge: Knowledge) -> None:
    """Four deaths give no ratio, alone or together, and the reason is printed in its place."""
    people = simulated(knowledge, 40, 3)
    deaths = 0
    for place, one in enumerate(people):
        deaths += one.died is not None
        if deaths > 4 and one.died is not None:
            people[place] = replace(one, died=None)
    model = next(one for one in cohort(people, knowledge).models if one.endpoint == SURVIVAL)
    assert model.together is None and all(factor.alone is None and factor.why for factor in model.factors)
    assert "too few events" in {why.partition(":")[0] for why in (model.why, *(one.why for one in model.factors))}


def test_events_per_factor_are_warned_of(knowledge: Knowledge) -> None:
    """Between five and ten events per factor the ratios are shown with a warning."""
    for n in range(100, 260, 20):
        model = cohort(simulated(knowledge, n, 11), knowledge).models[0]
        usable = sum(not factor.why for factor in model.factors)
        if model.together and 5 <= model.events / usable < 10:
            assert any("fewer than 10 events per factor" in text for text in model.warnings)
            return
    pytest.fail("no cohort had so many events")


def test_unknown_factors_are_dropped_and_counted(knowledge: Knowledge) -> None:
    """Complete cases only: ten people with an unknown factor leave the joint model, and the number is said."""
    people = simulated(knowledge, 300, 1)
    for place in range(10):
        first, *rest = people[place].prognosis
        people[place] = replace(people[place], prognosis=(replace(first, verdict=Verdict.UNKNOWN), *rest))
    found = cohort(people, knowledge)
    model = next(one for one in found.models if one.endpoint == SURVIVAL)
    assert (model.n, model.dropped, model.factors[0].recorded) == (290, 10, 290)
    shown = next(one for one in view(found, knowledge).models if one.id == SURVIVAL)
    assert (shown.people, shown.dropped) == (290, 10)


def test_what_is_known_only_after_treatment_is_no_baseline_factor(made: Cohort, knowledge: Knowledge) -> None:
    """A response cannot predict from day 0: its factor is refused with the reason."""
    later = {one.id for one in knowledge.follow.prognosis if one.slice != "baseline"}
    rows = [factor for model in made.models for factor in model.factors if factor.id in later]
    assert rows and all(factor.alone is None and "only after treatment" in factor.why for factor in rows)


# Disclosure

def test_parts_of_a_whole_cannot_be_worked_out() -> None:
    """Every hidden part of every split of up to 14 people could be at least two numbers, even to who knows the rule."""
    for size, total in product((2, 3), range(1, 15)):
        splits = [counts for counts in product(range(total + 1), repeat=size) if sum(counts) == total]
        releases: dict[tuple[int | None, ...], list[tuple[int, ...]]] = {}
        for counts in splits:
            releases.setdefault(tuple(parts(counts)), []).append(counts)
        for release, matching in releases.items():
            for place, value in enumerate(release):
                if value is None and total > 1:
                    assert len({counts[place] for counts in matching}) > 1, (total, release, matching)
            assert not any(value is not None and 0 < value < 5 for value in release)


def test_a_chain_of_counts_cannot_be_worked_out_by_subtraction() -> None:
    """Of every falling chain from 5 to 14 people, no shown number or difference is small, no hidden one certain."""
    for first in range(5, 15):
        releases: dict[tuple[int | None, ...], list[tuple[int, ...]]] = {}
        for rest in combinations_with_replacement(range(first, -1, -1), 3):
            family = Family()
            releases.setdefault(tuple(family.let_out(count) for count in (first, *rest)), []).append((first, *rest))
        for release, matching in releases.items():
            told = [value for value in release if value is not None]
            assert all(not 0 < abs(a - b) < 5 for a in (*told, 0) for b in told)
            for place, value in enumerate(release):
                if value is None:
                    assert len({counts[place] for counts in matching}) > 1


def _numbers(page: CohortView) -> list[dict[float, int]]:
    return [{**{year: count for year, count in one.at_risk if count is not None},
             **{moment.years: moment.at_risk for moment in one.measures[0].moments if moment.at_risk is not None}}
            for one in page.endpoints]


@pytest.mark.parametrize("n", [12, 40, 120, 300])
def test_no_table_tells_a_few_people(n: int, knowledge: Knowledge) -> None:
    """Numbers followed, within a curve and between curves, and ways out: no shown count or difference is 1 to 4."""
    page = view(cohort(simulated(knowledge, n, n), knowledge), knowledge)
    chains = _numbers(page)
    for chain in chains:
        told = sorted({*chain.values(), page.people, 0})
        assert all(b - a >= 5 for a, b in pairwise(told))
    for year in {year for chain in chains for year in chain}:
        told = sorted({chain[year] for chain in chains if year in chain})
        assert all(b - a >= 5 for a, b in pairwise(told)), year
    for one in page.endpoints:
        hidden = [count for _, count in one.counts[:3] if count is None]
        assert len(hidden) != 1
        assert all(count == 0 or count >= 5 for _, count in one.counts if count is not None)


def test_no_id_and_no_day_leaves(knowledge: Knowledge, shown: CohortView) -> None:
    """Text, page, JSON and tables hold no patient's id and no day but that of the review."""
    texts = [cohort_text.letter(shown), cohort_html.page(shown), document(shown), *tables(shown).values()]
    for text in texts:
        assert "Anna" not in text
        own = text.partition("Sources")[0]
        assert set(re.findall(r"\b\d{4}-\d\d-\d\d\b", own)) <= {str(TODAY)}


# Renderings

def test_the_text_tells_curves_ratios_and_limits(shown: CohortView) -> None:
    """Every outcome, every factor and what is hidden are said within the width."""
    text = cohort_text.letter(shown, width=100)
    said = " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 100
    for word in ("Overall survival", "Progression-free survival", "Followed", "Hazard ratios", HIDDEN, "pass it on",
                 "Known only after treatment", "Median"):
        assert word in said, word
    assert "\x1b" not in text


def test_the_page_stands_alone_and_is_readable_in_grey(shown: CohortView) -> None:
    """No script or request; two curves of one chart differ by their dashes; how many are followed stands below."""
    html = cohort_html.page(shown)
    assert "<script" not in html and "default-src 'none'" in html and "src=" not in html
    drawings = [fromstring(text) for text in re.findall(r"<svg.*?</svg>", html, flags=re.S)]
    assert len(drawings) == 2 * len(shown.endpoints) - 1
    for drawing in drawings:
        lines = [path.get("class") for path in drawing.iter("path") if path.get("class", "").startswith("line")]
        assert sorted(lines) in (["line l0"] * 2, ["line l0"] * 2 + ["line l1"] * 2)    # each once more in the legend
    assert ".l1{stroke-dasharray" in html and "followed" in html


def test_curves_end_where_few_are_followed(made: Cohort, shown: CohortView) -> None:
    """At the last month drawn, at least five people are still followed."""
    for endpoint, drawn_one in zip(made.endpoints, shown.endpoints, strict=True):
        assert endpoint.at_risk(drawn_one.until) >= 5
        assert all(step[0] <= drawn_one.until for measure in drawn_one.measures for step in measure.steps)


def test_tables_and_json_hold_the_same_numbers(shown: CohortView) -> None:
    """curves.csv and the JSON agree; a hidden count is empty, or null."""
    rows = list(csv.DictReader(StringIO(tables(shown)["curves.csv"])))
    outcomes = {one["id"]: one for one in json.loads(document(shown))["outcomes"]}
    for line in rows:
        moment = next(one for one in outcomes[line["outcome"]]["measures"][line["measure"]]
                      if one["years"] == int(line["years"]))
        assert [line[key] for key in ("percent", "low", "high", "at_risk")] == \
            ["" if moment[key] is None else str(moment[key]) for key in ("percent", "low", "high", "at_risk")]
    assert {line["outcome"] for line in rows} == set(outcomes)


# The command

def test_a_directory_gets_everything(knowledge: Knowledge, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From one file of many patients to the page, the JSON and the tables; stdout holds the text."""
    lines = ["patient,date,finding,status"]
    therapy = knowledge.therapies[0]
    for i in range(20):
        lines += [f"Anna-{i},{on(0.1)},{therapy},present", f"Anna-{i},{on(2 + i / 2)},fatigue,absent"]
    lines += [f"Anna-{i},{on(3 + i / 2)},death,present" for i in range(6)]
    source = tmp_path / "records.csv"
    source.write_text("\n".join(lines) + "\n")
    assert cli_cohort.run([str(source)], as_of=TODAY, output=tmp_path / "out") == 0
    said = capsys.readouterr()
    assert "20 people" in said.out and "Overall survival" in said.out and "Anna" not in said.out + said.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "cohort.html", "cohort.json", "curves.csv", "factors.csv", "people.csv"]
    deaths = json.loads((tmp_path / "out" / "cohort.json").read_text())["outcomes"][0]["counts"]["died"]
    assert deaths == 6


def test_an_output_that_is_a_file_is_wrong_use(tmp_path: Path) -> None:
    """Exit code 2, before anything is read."""
    target = tmp_path / "file"
    target.write_text("")
    with pytest.raises(UsageError, match="directory"):
        cli_cohort.run(["nothing.csv"], output=target)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 3, with the fault on stderr."""
    assert cli_cohort.run([str(tmp_path / "missing.csv")]) == 3
    assert "fault" in capsys.readouterr().err


def test_a_type_that_nobody_can_be_judged_for_is_named(knowledge: Knowledge) -> None:
    """It has no curve, and the page says so instead of leaving it out in silence."""
    page = view(cohort([a_follow(knowledge, last=1.0 + i) for i in range(6)], knowledge), knowledge)
    assert [one.id for one in page.endpoints] == [SURVIVAL]
    assert sum("no curve" in note for note in page.notes) == 1 + len(knowledge.follow.relapses)
