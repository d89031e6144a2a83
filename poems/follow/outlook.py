"""First treatment as published, options, trials, prognosis and survival: what the literature says of such patients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from poems.course import shifted
from poems.evaluate import Judgement, events_behind, judge
from poems.explain import settled_by
from poems.follow.chart import AGE, UNKNOWN, Chart
from poems.follow.model import Factor, Option, Pattern, Survival
from poems.follow.stretch import Stretch
from poems.follow.words import listed, share
from poems.knowledge.follow_model import PrognosticFactor, Share
from poems.models.accuracy import wilson
from poems.record import ABSENT, Record
from poems.rules import Rule, Verdict

SAID = {Verdict.MET: "The record shows it.", Verdict.NOT_MET: "The record excludes it."}


def before_treatment(
    chart: Chart, stretch: Stretch | None, diagnosed: date | None = None
) -> tuple[Stretch, Record]:
    """The slice before the first treatment. Of a patient who had none: all that is known, or what was known around the
    diagnosis, where a claim is about the time of it; the work-up takes as long as a baseline may be old.
    """
    if stretch is not None:
        return stretch, stretch.baseline
    whole, aged = Stretch(chart, chart.as_of), diagnosed or chart.as_of
    last = shifted(diagnosed, whole.days_before) if diagnosed else chart.as_of
    events = (
        *(e for e in (*chart.record.events, *chart.by_method()) if e.finding != AGE and (not e.date or e.date <= last)),
        *chart.ages(aged),
    )
    return whole, Record(chart.record.patient, events, min(last, chart.as_of))


def patterns(chart: Chart, stretch: Stretch | None) -> tuple[Pattern, ...]:
    """The first treatments that the literature describes, each judged on the time before the first treatment."""
    where, record = before_treatment(chart, stretch)
    memo: dict[int, Judgement] = {}
    found = []
    for kind in chart.follow.patterns:
        item = judge(kind.rule, record, memo)
        why = " ".join(filter(None, (_why(item, chart), kind.literature, kind.reading)))
        found.append(
            Pattern(kind.id, kind.label, item.verdict, why, where.parts(item), kind.source, _settled(item, chart))
        )
    return tuple(found)


def trials(chart: Chart, stretch: Stretch | None) -> tuple[Pattern, ...]:
    """Trials with the part of their eligibility that a record can answer, judged on what is known now."""
    where = stretch or Stretch(chart, chart.as_of)
    record = Record(chart.record.patient, (*chart.record.events, *chart.ages(chart.as_of)), chart.as_of)
    found = []
    for kind in chart.follow.trials:
        item = judge(kind.rule, record, {})
        why = " ".join(filter(None, (_why(item, chart), kind.note)))
        found.append(
            Pattern(kind.id, kind.label, item.verdict, why, where.parts(item), kind.source, _settled(item, chart))
        )
    return tuple(found)


def _why(item: Judgement, chart: Chart) -> str:
    if item.verdict is not UNKNOWN:
        return SAID[item.verdict]
    names = list(dict.fromkeys(chart.label(name) for names in settled_by(item)[:3] for name in names))
    return f"It cannot be classified: missing {listed(names[:6], 'or')}." if names else "It cannot be classified."


def _settled(item: Judgement, chart: Chart) -> list[list[str]]:
    """The findings that would settle it, derived ones by what they are made of."""
    found = [sorted({_recordable(name, chart) for name in names}) for names in settled_by(item)]
    return [names for place, names in enumerate(found) if names not in found[:place]]


def _recordable(name: str, chart: Chart) -> str:
    plain = name.partition("/")[0]
    made = chart.follow.derived.get(plain)
    return made.concept if made and made.concept else plain


def options(chart: Chart) -> tuple[Option, ...]:
    """Treatments as published, outcomes and harms with their counts."""
    return tuple(
        Option(
            kind.id,
            kind.label,
            " ".join(filter(None, (kind.setting, kind.note))),
            tuple((one.what, said(one), one.source) for one in kind.outcomes),
            tuple((f"{one.what}: {said(one)}", one.source) for one in kind.harms),
        )
        for kind in chart.follow.options
    )


def said(published: Share) -> str:
    """A published share in words, with Wilson's interval where k of n was printed."""
    if published.k is None or not published.n or published.k > published.n:
        return share(published, None)
    interval = wilson(published.k, published.n)
    return share(published, (100 * interval.low, 100 * interval.high))


def prognosis(
    chart: Chart, stretch: Stretch | None, transplants: Sequence[date], diagnosed: date | None = None
) -> tuple[Factor, ...]:
    """Each published factor, present, absent or unknown here; never multiplied into one number.

    stretch: the first line. What cannot be computed from a record is unknown.
    """
    given = {event.finding for event in chart.record.events if event.status != ABSENT}
    return tuple(
        _factor(kind, not kind.given or kind.given in given, *_judged(kind, chart, stretch, transplants, diagnosed))
        for kind in chart.follow.prognosis
    )


def _factor(kind: PrognosticFactor, applies: bool, item: Judgement | None, where: Stretch | None) -> Factor:
    because = tuple(events_behind(item)) if item else ()
    return Factor(
        kind.id,
        kind.label,
        item.verdict if item else UNKNOWN,
        kind.outcome,
        kind.hazard_ratio,
        kind.low,
        kind.high,
        kind.cohort if kind.k is None else f"{kind.cohort}, {kind.k} of {kind.n}",
        where.recorded(because) if where else because,
        kind.source,
        applies,
    )


def _judged(
    kind: PrognosticFactor, chart: Chart, stretch: Stretch | None, transplants: Sequence[date], diagnosed: date | None
) -> tuple[Judgement | None, Stretch | None]:
    """A factor on its slice: before treatment, after it, or on day 0; nothing where there is no such time."""
    if kind.rule is None:
        return None, None
    if kind.slice == "baseline":
        where, record = before_treatment(chart, stretch, diagnosed)
        return judge(kind.rule, record, {}), where
    if kind.slice == "transplant":
        if not transplants:
            return None, None
        where = Stretch(chart, transplants[0])
        return judge(kind.rule, where.baseline, {}), where
    return _responding(kind.rule, stretch)


def _responding(rule: Rule, stretch: Stretch | None) -> tuple[Judgement | None, Stretch | None]:
    """A factor on the slice since treatment, where it speaks of a response that was not reached."""
    if stretch is None:
        return None, None
    return stretch.judge_unreached(rule), stretch


def survival(chart: Chart) -> Iterator[Survival]:
    """Published survival by cohort and era."""
    for cohort in chart.follow.survival:
        yield Survival(
            cohort.cohort,
            cohort.era,
            cohort.n,
            tuple((point.outcome, point.years, point.percent) for point in cohort.points),
            cohort.source,
            cohort.note,
        )
