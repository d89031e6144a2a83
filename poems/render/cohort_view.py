"""A cohort as it may leave: small counts hidden, curves cut where few people are followed, reasons in words.

The renderings know nothing but this view, so that what it hides stays hidden.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import floor, inf, isfinite, isnan

from poems.cohort import ALIVE, ANY, DIAGNOSIS, DIED, RELAPSED, SURVIVAL, TREATMENT, Cohort, Endpoint, FactorRow, Model
from poems.disclosure import HIDDEN, Family, parts
from poems.knowledge import Knowledge
from poems.models.survival import Hazard, Steps
from poems.render.cited import Bibliography, Mark

TABLE_YEARS = (1, 2, 3, 5, 10, 15, 20, 25, 30)
ALIVE_DEFINITION = ("From the day of diagnosis, or of the first plasma-cell treatment where no diagnosis is dated, to "
                    "death from any cause.")
RELAPSE_DEFINITION = ("From the first plasma-cell treatment to the first confirmed relapse or progression, or death "
                      "from any cause. Relapsed: the share that has relapsed, death before it being a competing risk.")
AFTER_RESPONSE = (" It takes a response to relapse from: only people who reached it are here, and as they had to live "
                  "until then, the first months look too good.")
TYPE_DEFINITION = "The same for this type alone: whoever relapses in another way is still followed."
Triple = tuple[float, float | None, float | None]
Counts = tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class Moment:
    """One line of a table: a share with its 95 % interval (None: there is none), and how many were still followed."""

    years: int
    value: float
    low: float | None
    high: float | None
    at_risk: int | None


@dataclass(frozen=True)
class Measure:
    """One curve: its table, and its steps (years, value, low, high) as far as they are drawn."""

    id: str
    label: str
    moments: tuple[Moment, ...]
    steps: tuple[tuple[float, float, float | None, float | None], ...]


@dataclass(frozen=True)
class EndpointView:
    """One outcome. people, counts: None is hidden. follow_up: told once, with survival.

    until: the year at which its curves end; at_risk: what stands under the axis.
    """

    id: str
    label: str
    definition: str
    marks: tuple[Mark, ...]
    people: int | None
    counts: Counts
    median: str
    follow_up: str
    until: float
    at_risk: tuple[tuple[float, int | None], ...]
    measures: tuple[Measure, ...]


@dataclass(frozen=True)
class FactorView:
    """A published factor: hazard ratio, low, high here alone, here with the others, and as published; or why not."""

    id: str
    label: str
    recorded: int | None
    present: int | None
    alone: Triple | None
    together: Triple | None
    why: str
    published: Triple | None
    cohort: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class ModelView:
    """One Cox model. why: the reason where there is no joint model."""

    id: str
    label: str
    people: int | None
    dropped: int | None
    events: int | None
    concordance: float | None
    why: str
    warnings: tuple[str, ...]
    factors: tuple[FactorView, ...]

    @property
    def computed(self) -> tuple[FactorView, ...]:
        """The factors with a ratio."""
        return tuple(row for row in self.factors if row.alone or row.together)

    @property
    def left(self) -> dict[str, list[FactorView]]:
        """The factors without one, by reason."""
        found: dict[str, list[FactorView]] = {}
        for row in self.factors:
            if row not in self.computed:
                found.setdefault(row.why, []).append(row)
        return found


@dataclass(frozen=True)
class Published:
    """One published survival figure, to hold beside the own one."""

    cohort: str
    n: int | None
    outcome: str
    years: float
    percent: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class CohortView:
    """Everything that is said about a cohort, ready to print."""

    as_of: str
    knowledge: str
    threshold: int
    people: int
    counts: Counts
    endpoints: tuple[EndpointView, ...]
    models: tuple[ModelView, ...]
    published: tuple[Published, ...]
    notes: tuple[str, ...]
    cited: Bibliography


@dataclass
class _Shown:
    """What has left so far: the number of people, and over all outcomes sizes, counts per moment and per way out."""

    people: int
    threshold: int
    sizes: list[int] = field(default_factory=list)
    moments: dict[float, list[int]] = field(default_factory=lambda: defaultdict(list))
    ways: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def family(self, *more: int) -> Family:
        """A new chain of counts that are part of the whole, and of these."""
        return Family(self.threshold, [self.people, *more])


def view(cohort: Cohort, knowledge: Knowledge) -> CohortView:
    """What may be shown of a cohort."""
    shown, cited = _Shown(len(cohort.courses), cohort.threshold), Bibliography(knowledge)
    starts = [sum(one.start == start for one in cohort.courses) for start in (DIAGNOSIS, TREATMENT)]
    without = [f"{issue}." for issue in cohort.issues if issue.level == "note"]
    names = f"counted from {DIAGNOSIS}", f"counted from {TREATMENT}"
    counts = list(zip(names, parts(starts, cohort.threshold), strict=True))
    if cohort.refused:
        counts.append(("records that could not be used", _unless_small(cohort.refused, shown)))
    return CohortView(str(cohort.as_of or ""), cohort.knowledge, cohort.threshold, len(cohort.courses), tuple(counts),
                      tuple(_endpoint(one, shown, cited, knowledge) for one in cohort.endpoints),
                      tuple(_model(one, shown, cited, knowledge) for one in cohort.models),
                      _published(cited, knowledge), (*_notes(cohort.threshold), *without), cited)


def _unless_small(count: int, shown: _Shown) -> int | None:
    return None if Family(shown.threshold).is_small(count) else count


def _endpoint(one: Endpoint, shown: _Shown, cited: Bibliography, knowledge: Knowledge) -> EndpointView:
    chain = shown.family()
    people = chain.let_out(len(one.years), shown.sizes)
    shown.sizes += [] if people is None else [people]
    until = floor(float(sorted(one.years)[-shown.threshold]) * 12) / 12
    ticks = _ticks(until)
    numbers: dict[float, int | None] = {}
    for year in sorted({*ticks, *(year for year in TABLE_YEARS if year <= until)}):
        numbers[year] = people if year == 0 else chain.let_out(one.at_risk(year), shown.moments[year])
        shown.moments[year] += [count for count in (numbers[year],) if count is not None]
    if one.relapse is None or one.death is None:
        label, definition = one.label, ALIVE_DEFINITION
        measures = [_measure("alive", "alive", one.free, until, numbers)]
        marks: tuple[Mark, ...] = ()
    else:
        label = f"Progression-free survival: {one.label}"
        definition = RELAPSE_DEFINITION if one.id == ANY else TYPE_DEFINITION
        late = {kind.id for kind in knowledge.follow.relapses if kind.is_after_response}
        definition += AFTER_RESPONSE if one.id in late else ""
        marks = cited.marks(knowledge.follow.endpoints.progression_free)
        measures = [_measure("free", "alive without relapse", one.free, until, numbers),
                    _measure("relapse", "relapsed", one.relapse, until, numbers),
                    _measure("death", "died before relapse", one.death, until, numbers)]
    return EndpointView(one.id, label, definition, marks, people, _counts(one, people, shown), _median(one.free, until),
                        "" if one.relapse else _median(one.follow_up, inf), until,
                        tuple((year, numbers[year]) for year in ticks), tuple(measures))


def _counts(one: Endpoint, people: int | None, shown: _Shown) -> Counts:
    """How people left, and who is not in the curve; nothing that a number shown elsewhere would give away."""
    ways = {RELAPSED: "relapsed or progressed", DIED: "died before relapse", ALIVE: "neither so far"} \
        if one.relapse else {DIED: "died", ALIVE: "alive when last seen"}
    counts = [int((one.cause == way).sum()) for way in ways]
    close = [place for place, (way, count) in enumerate(zip(ways, counts, strict=True))
             if any(0 < abs(count - other) < shown.threshold for other in shown.ways[way])]
    out = parts(counts, shown.threshold, close)
    for way, count in zip(ways, out, strict=True):
        shown.ways[way] += [] if count is None else [count]
    found = list(zip(ways.values(), out, strict=True))
    if one.left_out:
        found.append(("left out, as the record does not tell", one.left_out if people is not None else None))
    if one.unconfirmed:
        waiting = Family(shown.threshold, [len(one.years)]).let_out(one.unconfirmed)
        found.append(("with a relapse not yet confirmed, counted as none", waiting))
    return tuple(found)


def _ticks(until: float) -> list[float]:
    step = next((step for step in (0.25, 0.5, 1.0, 2.0, 5.0) if until / step <= 8), 10.0)
    return [i * step for i in range(int(until / step) + 1)]


def _measure(key: str, label: str, steps: Steps, until: float, numbers: Mapping[float, int | None]) -> Measure:
    moments = tuple(Moment(year, *_bounds(*steps.at(year)), numbers[year]) for year in TABLE_YEARS if year <= until)
    drawn = [(round(float(year), 2), *_bounds(float(value), float(low), float(high)))
             for year, value, low, high in zip(steps.years, steps.value, steps.low, steps.high, strict=True)
             if year <= until]
    return Measure(key, label, moments, (*drawn, (until, *drawn[-1][1:])))


def _bounds(value: float, low: float, high: float) -> Triple:
    return value, None if isnan(low) else low, None if isnan(high) else high


def _model(one: Model, shown: _Shown, cited: Bibliography, knowledge: Knowledge) -> ModelView:
    treated = one.n + one.dropped
    people = shown.family(*shown.sizes, treated).let_out(one.n)
    labels = {factor.id: factor.label for factor in knowledge.follow.prognosis}
    return ModelView(
        one.endpoint, f"{'Overall' if one.endpoint == SURVIVAL else 'Progression-free'} survival", people,
        one.dropped if people is not None and shown.family(*shown.sizes).let_out(treated) else None,
        Family(shown.threshold, [one.n]).let_out(one.events, shown.ways[DIED] + shown.ways[RELAPSED]),
        one.together.concordance if one.together else None, _named(one.why, labels),
        tuple(_named(text, labels) for text in one.warnings),
        tuple(_factor(row, one, shown, cited, knowledge) for row in one.factors))


def _factor(row: FactorRow, model: Model, shown: _Shown, cited: Bibliography, knowledge: Knowledge) -> FactorView:
    factor = next(factor for factor in knowledge.follow.prognosis if factor.id == row.id)
    hazards = {hazard.factor: hazard for hazard in model.together.hazards} if model.together else {}
    recorded = shown.family(*shown.sizes, model.n + model.dropped, model.n).let_out(row.recorded)
    published = None if factor.hazard_ratio is None else (factor.hazard_ratio, factor.low, factor.high)
    return FactorView(row.id, factor.label, recorded, Family(shown.threshold, [row.recorded]).let_out(row.present),
                      _hazard(row.alone.hazards[0] if row.alone else None), _hazard(hazards.get(row.id)),
                      row.why.removeprefix(f"{row.id}: "), published, factor.cohort, cited.marks(factor.source))


def _hazard(hazard: Hazard | None) -> Triple | None:
    return None if hazard is None else (hazard.ratio, hazard.low, hazard.high)


def _named(text: str, labels: Mapping[str, str]) -> str:
    """A reason that calls its factor by its label."""
    key, colon, rest = text.partition(": ")
    return f"{labels[key]}: {rest}" if colon and key in labels else text


def _published(cited: Bibliography, knowledge: Knowledge) -> tuple[Published, ...]:
    return tuple(Published(f"{one.cohort}, {one.era}" if one.era else one.cohort, one.n, point.outcome, point.years,
                           f"{point.percent:g} %" + (f" ({point.low:g} to {point.high:g})"
                                                     if point.low is not None and point.high is not None else ""),
                           cited.marks(one.source))
                 for one in knowledge.follow.survival for point in one.points)


def _median(steps: Steps, until: float) -> str:
    """The median in years with its interval; what lies beyond the end of the curve is not reached."""
    middle, low, high = (f"{value:.1f}" if isfinite(value) and value <= until else "not reached"
                         for value in steps.median())
    return middle if middle == "not reached" else f"{middle} years (95 % interval {low} to {high})"


def _notes(threshold: int) -> tuple[str, ...]:
    return (
        f"Counts of 1 to {threshold - 1} people, and counts that would give one away by subtraction, are shown as "
        f"{HIDDEN}. Curves end where fewer than {threshold} people are followed and carry no marks for single people; "
        "percents are whole. No patient's id and no day of the calendar is shown.",
        "Each step of a curve is still somebody, as in every published curve: with few people the steps can be "
        "counted. Decide who may see this before you pass it on.",
        "Survival: Kaplan-Meier with log-log intervals. Relapsed, died before relapse: Aalen-Johansen with log-log "
        "intervals. All intervals are pointwise, 95 %: each holds at its own time, not for the whole curve at once. "
        "There is none where nobody, or everybody, has had the event.",
        "Whoever is not known to have died or relapsed counts until the last dated entry of the record, never longer.",
        "A relapse is dated when it was found: whoever is tested more often is found earlier. What cannot be judged "
        "from the record is left out and never taken as no relapse; for relapse of any type, a type that was never "
        "looked for can only hide relapses. A new line of treatment without a recorded relapse is none.",
        "Hazard ratios: Cox regression, Efron's way with ties, from the first plasma-cell treatment, on the published "
        "factors known before it. People with an unknown factor are dropped; nothing is imputed. A ratio from few "
        "events is rough, and no ratio here or published foretells the course of one person.",
    )
