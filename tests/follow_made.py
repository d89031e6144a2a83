"""Courses made by hand: everything in one, nothing in another, three weeks, twenty years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from math import exp, nan

from poems.course import Line, Series, Span
from poems.errors import Issue
from poems.follow.model import (
    Definition,
    DomainResponse,
    Factor,
    Follow,
    Option,
    Pattern,
    Relapse,
    Survival,
    Transplant,
    Trend,
    Visit,
)
from poems.knowledge import Reference
from poems.record import Event, Record
from poems.review import Caution, Part
from poems.rules import Verdict

MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN
READ = Reference("kourelis-2016a", "abstract", "read")
SEED = Reference("ide-faq-2017", "follow-up", "seed")
OURS = Reference("dispenzieri-2023", "abstract", "assumed", because="a choice of ours")


def day(text: str) -> date:
    """A day."""
    return date.fromisoformat(text)


def event(finding: str, on: str | None, value: float | None = None, **more: object) -> Event:
    """One event of the patient."""
    return Event("p1", finding, day(on) if on else None, value=value, **more)  # type: ignore[arg-type]


def series(finding: str, samples: Sequence[tuple[str, float] | tuple[str, float, str]], unit: str = "pg/mL",
           limit: float | None = None, method: str = "") -> Series:
    """A series from (day, value) or (day, value, comparator)."""
    events = tuple(event(finding, one[0], one[1], unit=unit, upper_limit=limit, method=method, source="laboratory",
                         comparator=one[2] if len(one) > 2 else "") for one in samples)
    return Series(finding, method, limit, events)


def trend(one: Series, **more: object) -> Trend:
    """A trend through the samples, with a band that is widest between them."""
    days = [event.date for event in one.samples if event.date]
    values = [event.value or 1.0 for event in one.samples]
    every = [days[0] + timedelta(round((days[-1] - days[0]).days * step / 60)) for step in range(61)] if days else []
    level = []
    for at in every:
        place = max(index for index, known in enumerate(days) if known <= at)
        following = min(place + 1, len(days) - 1)
        gap = max((days[following] - days[place]).days, 1)
        share = (at - days[place]).days / gap
        level.append(values[place] ** (1 - share) * values[following] ** share)
    last = values[-1] if values else nan
    made = Trend(
        series=one, days=tuple(every), level=tuple(level), low=tuple(value * exp(-0.4) for value in level),
        high=tuple(value * exp(0.4) for value in level), now=last * 0.95, now_low=last * 0.6, now_high=last * 1.5,
        nadir=min(values, default=None), nadir_day=days[values.index(min(values))] if days else None, p_rise=0.971,
        p_above=0.9995, crossing_weeks=None, last_is_noise=0.031, repeat=((4, 0.62, 0.08), (12, 0.81, 0.05)),
        alarm="none", sensitivity=(("noise 15 %", 0.999), ("noise 69.2 %", 0.86)), explained_by=(),
        notes=("VEGF every six months missed 42 % of the relapses.",), sources=(READ, OURS))
    return replace(made, **more)  # type: ignore[arg-type]


def part(name: str, verdict: Verdict, *because: Event, parts: tuple[Part, ...] = ()) -> Part:
    """A part with its reasons."""
    return Part(name, name.replace("-", " ").capitalize(), verdict, tuple(because), parts, None)


FLU = event("influenza", "2022-02-20", status="present", source="clinic")
PLASMA = series("vegf-plasma", [("2020-02-20", 920.0), ("2020-06-10", 240.0), ("2020-10-05", 88.0),
                                ("2021-03-01", 20.0, "<"), ("2021-09-14", 61.0), ("2022-03-01", 310.0)], limit=96.2,
                method="electrochemiluminescence")
OTHER_LAB = series("vegf-plasma", [("2020-01-10", 1500.0, ">"), ("2020-02-01", 1210.0)], limit=115.0)
M_PROTEIN = series("m-protein-serum", [("2020-02-20", 0.8), ("2020-07-01", 0.3), ("2021-01-15", 0.1)], unit="g/dL")
GRIP = series("onls", [("2020-02-01", 6.0), ("2020-09-01", 4.0), ("2021-03-01", 3.0), ("2022-03-01", 3.0)], unit="1")


def everything() -> Follow:
    """A course that has something of all there is."""
    return Follow(
        patient="p1", as_of=day("2022-03-20"), knowledge="2026.11", record=Record("p1", _events(), day("2022-03-20")),
        diagnosed=day("2020-02-10"),
        treatments=(Span("lenalidomide", day("2020-03-01"), day("2020-08-20"), ()),
                    Span("dexamethasone", day("2020-03-01"), day("2020-08-20"), ()),
                    Span("autologous-stem-cell-transplant", day("2020-10-01"), None, ()),
                    Span("daratumumab", day("2022-03-10"), None, ())),
        trends=(trend(OTHER_LAB, alarm="none", p_rise=None, p_above=0.999, last_is_noise=None, repeat=()),
                trend(PLASMA, alarm="confirm", explained_by=(FLU,)),
                trend(M_PROTEIN, p_rise=0.02, p_above=None, crossing_weeks=None),
                trend(series("platelets", [("2020-02-20", 512.0), ("2021-03-01", 210.0), ("2022-03-01", 330.0)],
                             unit="10*9/L", limit=400.0), p_above=0.1, alarm="rising",
                      crossing_weeks=(31.0, 12.0, 900.0))),
        scales=((GRIP, "better by 3 points since before treatment"),), responses=_responses(), relapses=_relapses(),
        pattern=_patterns(), options=_options(),
        trials=(Pattern("nct02921893", "NCT02921893", UNKNOWN, "VEGF above twice the limit is asked for.", (), SEED,
                        [["vegf-raised"]]),),
        prognosis=_prognosis(), survival=_survival(), calendar=_visits(), transplants=(_transplant(),),
        cautions=(Caution("lab-changed", "The laboratory changed: the series are not compared.",
                          "The laboratory changed: values before and after cannot be compared.", OURS),),
        died=None, issues=(Issue("fault", "labs.csv, row 9, value", "not a number", "a number", "Correct it."),),
        lines=(Line(1, day("2020-03-01"), None, ()),))


def _events() -> tuple[Event, ...]:
    samples = (*PLASMA.samples, *OTHER_LAB.samples, *M_PROTEIN.samples, *GRIP.samples)
    return (event("age", "2020-01-01", 52.0, unit="a"), event("sex-male", "2020-01-01", status="present"), FLU,
            event("lenalidomide", "2020-03-01", 25.0, status="present", unit="mg"), *samples)


def _responses() -> tuple[DomainResponse, ...]:
    return (
        DomainResponse("hematologic", "Hematologic", "complete-response", "complete-response", day("2021-01-15"), 429,
                       "Immunofixation of serum and urine and the marrow are negative.",
                       (part("serum-immunofixation", NOT_MET, event("serum-immunofixation", "2021-01-15",
                                                                    status="absent", source="laboratory")),), SEED,
                       ("Very good partial response", "Partial response")),
        DomainResponse("vegf", "VEGF", "unknown", "complete-response", day("2020-10-05"), 512,
                       "The last value is above the limit and waits for confirmation.", (), READ, ()),
        DomainResponse("radiologic", "PET/CT", "not evaluable", "not evaluable", None, None,
                       "No avid lesion before treatment.", (), READ, ()),
        DomainResponse("neurologic", "Neurologic", "response", "response", day("2020-09-01"), None,
                       "ONLS fell from 6 to 3.", (), READ, ()))


def _relapses() -> tuple[Relapse, ...]:
    return (
        Relapse("clinical", "Clinical relapse or progression", NOT_MET, None, (), "No feature is new or worse.",
                "It was treated, in all.", READ, SEED),
        Relapse("vegf", "VEGF progression, plasma more than 50 % above its lowest value", UNKNOWN, day("2022-03-01"),
                (event("vegf-plasma/of-nadir", "2022-03-01", 15.5, unit="1", source="laboratory"),),
                "One sample; a second one 28 days later is asked for.",
                "No published rule was found for VEGF alone: confirm it first.", READ, SEED),
        Relapse("radiologic", "Radiologic relapse or progression", UNKNOWN, None, (),
                "No PET/CT since treatment.", "It was treated, in most.", READ, SEED),
        Relapse("hematologic", "Hematologic relapse", MET, day("2022-01-10"), (),
                "Twice positive, 40 days apart.", "Alone: observation is reasonable.", READ, SEED))


def _patterns() -> tuple[Pattern, ...]:
    return (
        Pattern("radiation-first", "Radiation first", NOT_MET, "The marrow holds clonal plasma cells.",
                (part("clonal-marrow-plasma-cells", MET),), READ, []),
        Pattern("systemic", "Systemic treatment", MET, "The marrow holds clonal plasma cells.",
                (part("clonal-marrow-plasma-cells", MET, event("clonal-marrow-plasma-cells", "2020-02-12",
                                                               status="present", source="biopsy")),), READ, []),
        Pattern("cannot-classify", "Cannot be classified", UNKNOWN, "", (), SEED, [["bone-lesion-count"]]))


def _options() -> tuple[Option, ...]:
    return (
        Option("asct", "Autologous transplant", "first line, 165 patients", (
            ("hematologic complete response", "49.7 % of 165", READ), ("PFS at 3 years", "87.6 %", READ)),
            (("engraftment syndrome: 24 of 60 (40 %)", READ),)),
        Option("thalidomide-dex", "Thalidomide with dexamethasone", "randomised, 13 against 12", (
            ("VEGF, adjusted mean reduction", "0.39 against -0.02", READ),),
            (("sinus bradycardia: 7 of 13 (54 %)", READ), ("neuropathy", SEED))))


def _prognosis() -> tuple[Factor, ...]:
    return (
        Factor("age", "Age above 50", MET, "OS", 4.07, 1.41, 11.76, "362 in Beijing, derivation half",
               (event("age", "2020-01-01", 52.0, unit="a"),), READ),
        Factor("ph", "Pulmonary hypertension", UNKNOWN, "OS", 3.99, 1.44, 11.04, "362 in Beijing", (), READ),
        Factor("crh", "No complete hematologic response", NOT_MET, "PFS", None, None, None, "262 at Mayo", (), READ))


def _survival() -> tuple[Survival, ...]:
    return (Survival("UK, all treatments", "1999 to 2018", 100, (
        ("OS", 5.0, 90.0), ("OS", 10.0, 82.0), ("PFS", 5.0, 65.0), ("PFS", 10.0, 53.0)), READ, ""),
        Survival("Japan", "1980s", None, (), SEED, "Mean survival 33 months; 66 % of 58 died."))


def _visits() -> tuple[Visit, ...]:
    return (
        Visit(day("2022-05-10"), day("2022-08-10"), "Visit in the first five years", ("vegf-plasma", "pet-ct"), False,
              "Every 3 to 6 months; closer without a complete hematologic response.", SEED),
        Visit(day("2021-09-10"), day("2021-12-10"), "Nerve conduction, yearly", ("new or worse symptoms",), True,
              "Never recorded since treatment.", READ),
        Visit(day("2041-02-10"), day("2041-08-10"), "Life-long visit", (), False, "", SEED))


def _transplant() -> Transplant:
    day_0 = day("2020-10-01")
    fever = event("body-temperature", "2020-10-10", 38.9, unit="Cel", source="ward")
    return Transplant(
        day_0,
        (Definition("spitzer", "Spitzer", NOT_MET, "within 96 hours of neutrophil recovery", False,
                    (part("spitzer-fever", MET, fever), part("spitzer-rash", NOT_MET)), READ),
         Definition("maiolino", "Maiolino", UNKNOWN, "from 24 hours before the first neutrophils on", None,
                    (part("fever-without-infection", MET, fever), part("rash", UNKNOWN)), READ),
         Definition("poems-2008", "POEMS 2008", MET, "2020-10-08 to 2020-10-16", True,
                    (part("fever-without-infection", MET, fever),), READ)),
        (("Mayo, 60 transplants", "24 of 60 (40 %)", READ), ("EBMT, 127 transplants", "23 %", READ)),
        (("In POEMS it comes on day 7 to 15 and can come before the neutrophils.", SEED),
         ("Show this to the transplant team before day 0.", OURS)))


def nothing() -> Follow:
    """A course of which nothing is known."""
    return Follow("p0", day("2022-01-01"), "2026.11", Record("p0", (), day("2022-01-01")), None, (), (), (), (), (), (),
                  (), (), (), (), (), (), (), None)


def three_weeks() -> Follow:
    """Three weeks around a transplant."""
    short = series("vegf-plasma", [("2021-05-01", 452.0), ("2021-05-09", 300.0), ("2021-05-12", 120.0),
                                   ("2021-05-18", 64.0)], limit=96.2)
    return replace(everything(), as_of=day("2021-05-20"), diagnosed=None, treatments=(
        Span("melphalan", day("2021-05-03"), day("2021-05-03"), ()),
        Span("autologous-stem-cell-transplant", day("2021-05-05"), None, ())),
        transplants=(replace(_transplant(), day_0=day("2021-05-05")),), trends=(trend(short),), scales=(),
        responses=(), relapses=(), lines=(Line(1, day("2021-05-03"), None, ()),),
        calendar=(Visit(day("2021-05-24"), day("2021-05-24"), "Visit", (), False, "", SEED),))


def twenty_years() -> Follow:
    """Twenty years: a transplant, a relapse after eleven years, a death."""
    first = day("2001-02-01")
    values = [("2001-01-10", 2300.0)] + [
        (str(first + timedelta(150 + 150 * step)), 60.0 * (1.15 if step % 2 else 0.9) * (
            8 * exp(-abs(step - 28) / 3) + 1)) for step in range(46)]
    serum = series("vegf-serum", [(at, value * 9) for at, value in values[::3]], limit=700.0)
    return replace(
        everything(), as_of=day("2021-06-01"), diagnosed=day("2001-01-15"), died=day("2021-05-10"), treatments=(
            Span("radiotherapy", day("2001-02-01"), day("2001-03-15"), ()),
            Span("autologous-stem-cell-transplant", day("2002-05-02"), None, ()),
            Span("lenalidomide", day("2012-09-01"), day("2015-02-01"), ()),
            Span("lenalidomide", day("2019-02-01"), day("2021-05-10"), ())),
        transplants=(replace(_transplant(), day_0=day("2002-05-02")),), lines=(Line(1, first, None, ()),),
        trends=(trend(series("vegf-plasma", values, limit=96.2)), trend(serum), trend(M_PROTEIN)),
        relapses=tuple(replace(item, day=day("2012-08-01") if item.day else None) for item in _relapses()),
        responses=(replace(_responses()[1], best_day=day("2002-11-01"), duration_days=3560),))
