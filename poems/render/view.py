"""A review prepared for a reader: every claim numbered to its citation, every observation in words. No layout here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from poems.errors import Issue
from poems.knowledge import Knowledge
from poems.models.differential import TARGET, Evidence, Posterior
from poems.record import ABSENT, Event
from poems.render.cited import Bibliography, Mark
from poems.render.words import (
    circumstances,
    clean,
    disease,
    factor,
    inside,
    interval,
    label,
    listed,
    measured,
    needs,
    number,
    percent,
    rarity,
)
from poems.review import ABOUT_EQUAL_BITS, LevelReview, NextTest, Part, Review, SetReview
from poems.rules import Named, Not, Verdict, walk

DISCLAIMER = ("It informs and never orders: it shows what the record says by published criteria and counts, so that a "
              "professional can check every step. A finding that is not recorded is never taken as absent.")

BIRTH = "birth-date"
YEAR = 366
"""Days after which a recorded age is told with its day: somebody is older by now."""
TELLING = ABOUT_EQUAL_BITS / 2
"""Bits below which a test is not told from one that tells nothing, and gets no line of its own at a glance."""
SLIGHT = 0.2
"""A log ratio below this (a factor of about 1.2) hardly moves a probability and gets no bar of its own."""


@dataclass(frozen=True)
class Observation:
    """One event in words."""

    what: str
    how: str
    date: str
    source: str


@dataclass(frozen=True)
class PartView:
    """One part of a set with its observations."""

    id: str
    label: str
    verdict: Verdict
    marks: tuple[Mark, ...]
    reading: str
    observations: tuple[Observation, ...]
    parts: tuple[PartView, ...]
    is_question: bool

    @property
    def is_blank(self) -> bool:
        """Whether nothing at all is recorded about it."""
        return self.verdict is Verdict.UNKNOWN and not self.observations


@dataclass(frozen=True)
class SetView:
    """One set of criteria: its verdict, what would complete it, and its parts."""

    id: str
    label: str
    years: str
    summary: str
    verdict: Verdict
    level: str
    marks: tuple[Mark, ...]
    missing: tuple[str, ...]
    against: str
    levels: tuple[tuple[str, Verdict], ...]
    parts: tuple[PartView, ...]
    footnotes: tuple[tuple[str, tuple[Mark, ...]], ...]
    readings: tuple[str, ...]
    is_target: bool
    is_loose: bool

    @property
    def when(self) -> str:
        """The years of its use in words."""
        return f"since {self.years.rstrip('-')}" if self.years.endswith("-") else self.years


@dataclass(frozen=True)
class DiseaseView:
    """The probability of one disease, with the ends of its interval."""

    id: str
    label: str
    probability: float
    low: float
    high: float
    text: str
    interval: str
    prior: str
    prior_marks: tuple[Mark, ...]
    is_target: bool


@dataclass(frozen=True)
class EvidenceView:
    """What one finding did to the probability, for the bar and for the words beside it."""

    label: str
    verdict: Verdict
    log_ratio: float
    factor: str
    grade: str
    spoken_by: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class TestView:
    """Something that can be done next."""

    __test__ = False
    label: str
    gain: float
    settles: tuple[str, ...]
    why: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class ReviewView:
    """Everything a clinician's rendering shows of one review."""

    patient: str
    as_of: str
    knowledge: str
    target: str
    setting: str
    setting_note: str
    setting_given: str
    setting_marks: tuple[Mark, ...]
    person: str
    glance: tuple[str, ...]
    sets: tuple[SetView, ...]
    diseases: tuple[DiseaseView, ...]
    evidence: tuple[EvidenceView, ...]
    slight: tuple[EvidenceView, ...]
    silent: tuple[EvidenceView, ...]
    tests: tuple[TestView, ...]
    tests_hint: str
    cautions: tuple[tuple[str, tuple[Mark, ...]], ...]
    issues: tuple[Issue, ...]
    refused: int
    cited: Bibliography

    @property
    def spoken(self) -> dict[str, tuple[EvidenceView, ...]]:
        """The findings that do not count again, by the one that speaks for them."""
        return {speaker: tuple(item for item in self.silent if item.spoken_by == speaker)
                for speaker in dict.fromkeys(item.spoken_by for item in self.silent)}

    @property
    def leading(self) -> tuple[SetView, ...]:
        """The sets told in full: the first one still in use, and the first in use that says something else."""
        current = [item for item in self.sets if item.is_target and item.years.endswith("-")] or list(self.sets)
        other = next((item for item in current if item.verdict is not current[0].verdict), None)
        return (current[0], other) if other else tuple(current[:1])


def view(review: Review, knowledge: Knowledge) -> ReviewView:
    """The review as a clinician reads it."""
    return _Viewer(review, knowledge).view()


class _Viewer:
    def __init__(self, review: Review, knowledge: Knowledge) -> None:
        self.review, self.knowledge, self.cited = review, knowledge, Bibliography(knowledge)
        self.treated = review.record.first_day(knowledge.therapies)

    def view(self) -> ReviewView:
        review, setting = self.review, self.knowledge.settings[self.review.setting]
        sets = tuple(map(self._set, review.criteria))
        target = next((item for item in review.differential if item.disease == TARGET), None)
        evidence = tuple(map(self._evidence, target.evidence if target else ()))
        tests = tuple(map(self._test, review.next_tests))
        given = [inside(self.knowledge.features[key].label, self.knowledge) for key in setting.given]
        counted = [item for item in evidence if not item.spoken_by]
        return ReviewView(
            patient=clean(review.patient), as_of=review.as_of.isoformat() if review.as_of else "",
            knowledge=review.knowledge, target=disease(TARGET, self.knowledge),
            setting=setting.label, setting_note=setting.note, setting_given=listed(given, "and") if given else "",
            setting_marks=self.cited.marks(*(prior.source for prior in setting.priors if TARGET in prior.diseases)),
            person=person(review.record.events, self.knowledge, review.as_of),
            glance=self._glance(sets, target, tests), sets=sets,
            diseases=tuple(map(self._disease, review.differential)),
            evidence=tuple(item for item in counted if abs(item.log_ratio) >= SLIGHT),
            slight=tuple(item for item in counted if abs(item.log_ratio) < SLIGHT),
            silent=tuple(item for item in evidence if item.spoken_by), tests=tests,
            tests_hint=f"What is not known {'of the time before treatment' if self.treated else 'yet'} and would tell "
                       "most; 1 bit turns an even doubt into certainty. Options, not orders.",
            cautions=tuple((clean(item.text), self.cited.marks(item.source)) for item in review.cautions),
            issues=review.issues, refused=sum(issue.level == "fault" for issue in review.issues), cited=self.cited)

    def _set(self, item: SetReview) -> SetView:
        criteria = item.criteria
        many = len(item.levels) > 1
        return SetView(
            criteria.id, criteria.label, criteria.years, criteria.summary, item.verdict, item.level if many else "",
            self.cited.marks(criteria.source), self._missing(item), self._against(item),
            tuple((level.id, level.verdict) for level in item.levels) if many else (),
            tuple(part_view(part, self.knowledge, self.cited) for part in item.parts),
            tuple((text, self.cited.marks(source)) for text, source in criteria.footnotes), criteria.readings,
            criteria.diagnoses == TARGET, item.is_loose)

    def _missing(self, item: SetReview) -> tuple[str, ...]:
        """What would make the set met, or a met set reach its next stricter level; one line per thing needed."""
        open_level = next((level for level in item.levels if level.verdict is Verdict.UNKNOWN), None)
        if open_level is None or (item.verdict is Verdict.MET and not _stricter(open_level, item)):
            return ()
        barred = {node.asks or node.id for node in _barred(open_level.id, item)}
        lines = needs(open_level.met_by, self.knowledge, excluded=barred)
        return (f"For {open_level.id}:", *lines) if len(item.levels) > 1 and lines else tuple(lines)

    def _against(self, item: SetReview) -> str:
        """The parts that a set which is not met failed on, of its least strict level."""
        if item.verdict is not Verdict.NOT_MET:
            return ""
        parts, barred = item.levels[-1].parts, {node.id for node in _barred(item.levels[-1].id, item)}
        failed = [part.label for part in parts if part.verdict is Verdict.NOT_MET and part.id not in barred]
        bars = [part.label for part in parts if part.verdict is Verdict.MET and part.id in barred]
        said = [f"{word} {listed([inside(name, self.knowledge) for name in dict.fromkeys(names)], 'and')}"
                for word, names in (("not met:", failed), ("excluded by", bars)) if names]
        return "; ".join(said)

    def _disease(self, item: Posterior) -> DiseaseView:
        priors = self.knowledge.settings[self.review.setting].priors
        return DiseaseView(item.disease, disease(item.disease, self.knowledge), item.probability, item.low, item.high,
                           percent(item.probability), interval(item.low, item.high), rarity(item.prior),
                           self.cited.marks(*(prior.source for prior in priors if item.disease in prior.diseases)),
                           item.disease == TARGET)

    def _evidence(self, item: Evidence) -> EvidenceView:
        return EvidenceView(item.label, item.verdict, item.log_ratio, factor(item.log_ratio), item.grade,
                            self.knowledge.features[item.spoken_by].label if item.spoken_by else "",
                            self.cited.marks(*item.sources))

    def _test(self, item: NextTest) -> TestView:
        return TestView(item.label, item.gain_bits, item.could_settle, item.why, self.cited.marks(item.source))

    def _glance(self, sets: Sequence[SetView], target: Posterior | None, tests: Sequence[TestView]) -> tuple[str, ...]:
        """Three sentences: what the sets say, how probable it is, what to look at next."""
        name = disease(TARGET, self.knowledge)
        lines = [f"{name}: {tally(sets)}."] if sum(item.is_target for item in sets) > 1 else [
            f"{item.label}: {item.verdict.value}." for item in sets]
        if target:
            now = f"{percent(target.probability)}, 95 % interval {interval(target.low, target.high)}"
            lines.append(f"Probability {now}, among the diseases compared; before the findings it was "
                         f"{rarity(target.prior)}.")
        if self.treated:
            lines.insert(1, f"Treatment began on {self.treated}: only what was found until then is judged here, not a "
                            "diagnosis that was made on more.")
        best = max(tests, key=lambda test: test.gain, default=None)
        if best and best.gain >= TELLING:
            when = "if done before treatment" if self.treated else "next"
            lines.append(f"Most telling {when}: {inside(tests[0].label, self.knowledge)}.")
        elif best:
            settler = next((test for test in tests if test.settles), None)
            lines.append(f"Could settle what is open: {inside(settler.label, self.knowledge)}." if settler else
                         "Nothing that is not known yet would move this much.")
        return tuple(lines)


def _barred(level: str, item: SetReview) -> list[Named]:
    """The named parts that have to be absent in a level of a set."""
    rule = next(each.rule for each in item.criteria.levels if each.id == level)
    return [node.part for node in walk(rule) if isinstance(node, Not) and isinstance(node.part, Named)]


def _stricter(level: LevelReview, item: SetReview) -> bool:
    order = [each.id for each in item.levels]
    return order.index(level.id) < order.index(item.level)


def tally(sets: Sequence[SetView]) -> str:
    """How many of the sets are met, met only at a lesser level (possible, probable), not met, unknown."""
    own = [item for item in sets if item.is_target]
    words = [f"met as {item.level} only" if item.is_loose else item.verdict.value for item in own]
    order = sorted(set(words), key=lambda word: (word != "met", not word.startswith("met"), word))
    said = [f"{words.count(word)} {word}" for word in order]
    return f"all {len(own)} sets of criteria {words[0]}" if len(said) == 1 else (
        f"of {len(own)} sets of criteria, {listed(said, 'and')}")


def part_view(part: Part, knowledge: Knowledge, cited: Bibliography) -> PartView:
    """One part of a rule with its reasons, as a reader sees it."""
    criterion = part.criterion
    rule = criterion.rule if criterion else None
    return PartView(part.id, part.label, part.verdict, cited.marks(criterion.source if criterion else None),
                    criterion.reading if criterion else "", observations(part.because, knowledge),
                    tuple(part_view(inner, knowledge, cited) for inner in {one.id: one for one in part.parts}.values()),
                    isinstance(rule, Named) and bool(rule.asks))


def observations(events: Iterable[Event], knowledge: Knowledge) -> tuple[Observation, ...]:
    """The events in words, each once."""
    return tuple(dict.fromkeys(observation(event, knowledge) for event in events))


def observation(event: Event, knowledge: Knowledge) -> Observation:
    """One event in words."""
    seen = measured(event, knowledge)
    what = label(event.finding, knowledge)
    if event.finding in knowledge.concepts:
        what = knowledge.concepts[event.finding].label
    return Observation(f"{what}: {seen}" if seen else what, circumstances(event),
                       event.date.isoformat() if event.date else "no date", clean(event.source))


def person(events: Iterable[Event], knowledge: Knowledge, on: date | None) -> str:
    """Age and sex. on: the day asked about, or of death: the day on which somebody has the age."""
    events = list(events)
    sexes = dict.fromkeys(knowledge.concepts[event.finding].patient for event in events
                          if event.finding in knowledge.concepts and event.status
                          and knowledge.concepts[event.finding].kind == "person" and event.finding != BIRTH)
    return ", ".join([*_age(events, on), *(sex.lower() for sex in sexes)])


def _age(events: Iterable[Event], on: date | None) -> Iterator[str]:
    """The age from the day of birth; else the last that was recorded, with its day where that is more than a year ago.

    Two days of birth, or one to come, give no age.
    """
    events = list(events)
    born = {event.date for event in events if event.finding == BIRTH and event.status != ABSENT and event.date}
    day = next(iter(born)) if len(born) == 1 else None
    if day and on and day <= on:
        yield f"{on.year - day.year - ((on.month, on.day) < (day.month, day.day))} years"
        return
    ages = [event for event in events if event.finding == "age" and event.value is not None]
    last = max(ages, key=lambda event: str(event.date or ""), default=None)
    if last and last.value is not None:
        is_old = last.date is not None and (on is None or (on - last.date).days > YEAR)
        years = " ".join(filter(None, (clean(last.comparator), number(last.value), "years")))
        yield f"{years} on {last.date}" if is_old else years
