"""What is said about one patient's course: the shapes only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from poems.course import Line, Series, Span
from poems.errors import Issue
from poems.knowledge import Reference
from poems.record import Event, Record
from poems.review import Caution, Part
from poems.rules import Verdict

RECORDED = "recorded"  # how a day of diagnosis was come by that a clinician entered
CONFIRMED, WAITING = "confirmed", "met"  # what the last sample of a series does for a definition of relapse


@dataclass(frozen=True)
class Trend:
    """What a series says: the smoothed course for the picture, the filtered last state for decisions.

    Levels in the series' unit (not log). p_rise: P(true level now > true level at the nadir since treatment); p_above:
    P(true level above the laboratory's limit), None without a limit. crossing_weeks: median and 95 % interval of the
    time until the limit is crossed if the trend goes on, None where it is not rising or has no limit.
    last_is_noise: two-sided probability of a last sample at least so far from what the earlier ones predict.
    repeat: per number of weeks, the chance that a repeat then would make p_rise at least `sure`, or at most 0.5.
    alarm: `none`, `confirm` (p_rise is high on too few samples, or explained by something) or `rising` (confirmed).
    can_alarm: whether a rise of this marker can speak of relapse at all; where it cannot, alarm is `none`. is_likely:
    p_rise is at least `sure`. is_defined: some definition of response or relapse rests on the marker. definition: what
    the last sample does for one of relapse, CONFIRMED, WAITING (met, not confirmed) or nothing.
    """

    series: Series
    days: tuple[date, ...]
    level: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    now: float
    now_low: float
    now_high: float
    nadir: float | None
    nadir_day: date | None
    p_rise: float | None
    p_above: float | None
    crossing_weeks: tuple[float, float, float] | None
    last_is_noise: float | None
    repeat: tuple[tuple[int, float, float], ...]
    alarm: str
    sensitivity: tuple[tuple[str, float], ...]
    explained_by: tuple[Event, ...]
    notes: tuple[str, ...]
    sources: tuple[Reference, ...]
    can_alarm: bool = True
    is_likely: bool = False
    is_defined: bool = True
    definition: str = ""


@dataclass(frozen=True)
class DomainResponse:
    """Response in one domain (hematologic, VEGF, PET/CT, clinical, neurologic).

    now, best: ids of categories, or `not evaluable`, or `unknown`; why: one sentence; best_day: when it was first
    reached; until: the last day that shows it, when this domain was last looked at, or (is_lost) the day that shows a
    lesser one or on which a relapse was recorded; duration_days: between the two, never up to a day on which nobody
    looked. Where the best is that nothing got better, the three are None. relapsed: the day of a relapse that was
    recorded after what shows the category now. parts: the reasons of the category now. draft: categories whose
    definition waits for a reader and was not used.
    """

    id: str
    label: str
    now: str
    best: str
    best_day: date | None
    duration_days: int | None
    why: str
    parts: tuple[Part, ...]
    source: Reference
    drafts: tuple[str, ...]
    until: date | None = None
    is_lost: bool = False
    relapsed: date | None = None


@dataclass(frozen=True)
class Relapse:
    """One type of relapse or progression: its verdict, since when, what the literature does then.

    met: as the definition asks, day: since the first sample that counts for it. unknown with a day: the definition is
    met and waits for its confirmation. gone: the first day looked at on which it was not met any more.
    met_from: the first sample that met it, counted or not. samples: how many the definition asks for; more than one is
    a confirmation. beside: what has to be said with it in the first lines. not_counted: features that came and do not
    count as new, each with its day and why. denied: the last day on
    which a clinician recorded that there is no relapse, since it was met. reading: where the source leaves room.
    """

    id: str
    label: str
    verdict: Verdict
    day: date | None
    because: tuple[Event, ...]
    why: str
    literature: str
    source: Reference
    literature_source: Reference
    gone: date | None = None
    met_from: date | None = None
    samples: int = 0
    beside: tuple[str, ...] = ()
    not_counted: tuple[tuple[str, date, str], ...] = ()
    denied: date | None = None
    reading: str = ""

    @property
    def confirmed(self) -> bool:
        """Whether it is a relapse: met as its definition asks, by a second sample where it asks for one."""
        return self.verdict is Verdict.MET

    @property
    def is_repeated(self) -> bool:
        """Whether the definition asks for a second sample and has it: only then it is called confirmed."""
        return self.confirmed and self.samples > 1

    @property
    def is_waiting(self) -> bool:
        """Whether the definition is met and waits for its confirmation."""
        return self.verdict is Verdict.UNKNOWN and self.day is not None


@dataclass(frozen=True)
class Recorded:
    """A relapse or progression as a clinician recorded it: it moves no definition.

    line: of treatment, in which it was recorded; 0 before the first. shown: whether a definition is met in that line.
    why: the reason why the definitions do not show it. features: those recorded for the first time in that line, each
    with its day, where that is why; because: the events that show them. denied: the last day after it (and before the
    next that was recorded) on which a clinician recorded that there is none.
    """

    day: date
    line: int
    shown: bool
    why: str
    features: tuple[tuple[str, date], ...] = ()
    because: tuple[Event, ...] = ()
    denied: date | None = None


@dataclass(frozen=True)
class Option:
    """A treatment as published: outcomes and harms with their counts, never an order."""

    id: str
    label: str
    setting: str
    outcomes: tuple[tuple[str, str, Reference], ...]
    harms: tuple[tuple[str, Reference], ...]


@dataclass(frozen=True)
class Pattern:
    """Which first treatment the literature describes for such a patient: radiation, systemic, or cannot classify."""

    id: str
    label: str
    verdict: Verdict
    why: str
    parts: tuple[Part, ...]
    source: Reference
    settled_by: list[list[str]]


@dataclass(frozen=True)
class Factor:
    """A published prognostic factor: present, absent or unknown here, with the printed hazard ratio.

    applies: whether this patient has had the treatment that all patients of the cohort had, where there is one.
    """

    id: str
    label: str
    verdict: Verdict
    outcome: str
    hazard_ratio: float | None
    low: float | None
    high: float | None
    cohort: str
    because: tuple[Event, ...]
    source: Reference
    applies: bool = True


@dataclass(frozen=True)
class Survival:
    """Published survival of one cohort: per outcome, (years, percent)."""

    cohort: str
    era: str
    n: int | None
    points: tuple[tuple[str, float, float], ...]
    source: Reference
    note: str


@dataclass(frozen=True)
class Due:
    """When one test is due by itself. last: the last day on which it is on record since what it is counted from."""

    test: str
    last: date | None
    day: date
    latest: date


@dataclass(frozen=True)
class Visit:
    """When to look again and at what; due before as_of means overdue.

    dues: of each test that is counted from the record (not from the visit before) its own days. is_part: whether it
    holds only some of the tests of its kind; the others are due at another time.
    """

    day: date
    latest: date
    label: str
    tests: tuple[str, ...]
    overdue: bool
    because: str
    source: Reference
    dues: tuple[Due, ...] = ()
    is_part: bool = False


@dataclass(frozen=True)
class Definition:
    """One published definition of engraftment syndrome computed on the entered days."""

    id: str
    label: str
    verdict: Verdict
    window: str
    in_window: bool | None
    parts: tuple[Part, ...]
    source: Reference


@dataclass(frozen=True)
class Transplant:
    """The hand-over sheet's content for one transplant: day 0, what to look for, the definitions, rates by cohort."""

    day_0: date
    definitions: tuple[Definition, ...]
    rates: tuple[tuple[str, str, Reference], ...]
    text: tuple[tuple[str, Reference], ...]


@dataclass(frozen=True)
class Follow:
    """Everything that is said about one patient's course on a day.

    diagnosed_by: the criteria set that was first met on the day of diagnosis, RECORDED where it is the day on which the
    record names the disease, or empty where it is the first treatment.
    relapses: those of the current line of treatment, then what earlier lines ended with, latest first. recorded: the
    relapses that a clinician recorded. doubtful: what can overturn the first lines, a sentence each.
    """

    patient: str
    as_of: date
    knowledge: str
    record: Record
    diagnosed: date | None
    treatments: tuple[Span, ...]
    trends: tuple[Trend, ...]
    scales: tuple[tuple[Series, str], ...]
    responses: tuple[DomainResponse, ...]
    relapses: tuple[Relapse, ...]
    pattern: tuple[Pattern, ...]
    options: tuple[Option, ...]
    trials: tuple[Pattern, ...]
    prognosis: tuple[Factor, ...]
    survival: tuple[Survival, ...]
    calendar: tuple[Visit, ...]
    transplants: tuple[Transplant, ...]
    cautions: tuple[Caution, ...]
    died: date | None
    issues: tuple[Issue, ...] = ()
    lines: tuple[Line, ...] = ()
    diagnosed_by: str = ""
    recorded: tuple[Recorded, ...] = ()
    doubtful: tuple[str, ...] = ()
