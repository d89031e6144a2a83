"""The record as follow-up reads it: slices around the start of a line of treatment, and the events a course derives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import NamedTuple

from poems.course import Series, Span, days_of, in_order, series, shifted, spans
from poems.evaluate import events_behind, judge
from poems.knowledge import Criterion, Knowledge
from poems.knowledge.follow_model import Explanation, Unreadable
from poems.record import ABSENT, Event, Record
from poems.rules import Above, Present, Rule, Verdict, walk
from poems.units import YEAR_DAYS

MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN
AGE, BORN = "age", "birth-date"


class State(NamedTuple):
    """What the events of one day alone decide about a feature."""

    day: date
    verdict: Verdict
    because: tuple[Event, ...]


class Scope(NamedTuple):
    """What a rule looks at. names: findings, derived ones as they are called; latest: those of which only the last day
    counts; leaves: the recorded findings it rests on.
    """

    names: frozenset[str]
    latest: frozenset[str]
    leaves: frozenset[str]


class Chart:
    """One patient's record on a day: treatments, series, and what each day says about each feature.

    record: in an order that does not depend on that of the rows, without the samples that a treatment made unreadable.
    unreadable: those samples, each with the treatment. once: the treatments that are given on a single day.
    """

    def __init__(self, record: Record, knowledge: Knowledge, as_of: date) -> None:
        known = sorted((event for event in record.events if event.date is None or event.date <= as_of), key=in_order)
        self.knowledge, self.follow, self.as_of = knowledge, knowledge.follow, as_of
        treatments = [concept.id for concept in knowledge.concepts.values() if concept.kind == "treatment"]
        self.once = frozenset(self.follow.engraftment.treatments)
        apart = self.follow.windows["one-course-days"]
        longest = {**dict.fromkeys(apart.treatments, apart.days), **dict.fromkeys(self.once, 0)}
        self.spans = spans(Record(record.patient, tuple(known), as_of), treatments, longest)
        self.unreadable = {event: span for event in known if (span := self._blinding(event)) is not None}
        readable = tuple(event for event in known if event not in self.unreadable)
        self.record = Record(record.patient, readable, as_of)
        self._deciding: dict[str, list[date]] = {}
        self._histories: dict[str, list[State]] = {}
        self._series: dict[str, tuple[Series, ...]] = {}
        self._scopes: dict[int, tuple[Rule, Scope]] = {}

    def _blinding(self, event: Event) -> Span | None:
        """The treatment that makes a sample unreadable: from the day after its first dose until it acts no more."""
        acting = self.acting.get(event.finding)
        if not acting or event.date is None:
            return None
        for span in self.spans:
            if span.finding in acting and span.start < event.date:
                known = acting[span.finding]
                end = span.start if span.finding in self.once else span.end
                if end is None or event.date <= shifted(end, known.days if known else 0):
                    return span
        return None

    @cached_property
    def acting(self) -> Mapping[str, Mapping[str, Unreadable | None]]:
        """Per quantity, the treatments that make it unreadable, each with how long it acts after its last day."""
        found: dict[str, dict[str, Unreadable | None]] = {
            concept.id: dict.fromkeys(concept.unreadable_after)
            for concept in self.knowledge.concepts.values()
            if concept.unreadable_after
        }
        for known in self.follow.unreadable:
            for marker in known.markers:
                found.setdefault(self.follow.markers[marker].concept, {})[known.treatment] = known
        return found

    @cached_property
    def excuses(self) -> Mapping[str, Sequence[tuple[date, date, Explanation]]]:
        """Per feature, from when to when one that comes is taken for the sign of something else: so many days after a
        transplant, and as many after each day on which that is on record, unless it is recorded as gone before.
        """
        found: dict[str, list[tuple[date, date, Explanation]]] = {}
        for known in self.follow.explanations:
            if known.to_days is None:
                continue
            given = [span.start for span in self.spans if span.finding in self.once]
            times = [(shifted(day, 1), shifted(day, known.to_days)) for day in given]
            rows = self.record.by_finding.get(known.finding, ())
            gone = days_of(event for event in rows if event.status == ABSENT)
            seen = days_of(event for event in rows if event.status != ABSENT)
            for day in seen:
                last = shifted(day, known.to_days)
                times.append((day, min((end for end in gone if day < end < last), default=last)))
            for finding in known.findings if times else ():
                found.setdefault(finding, []).extend((first, last, known) for first, last in times)
        return found

    def excused(self, feature: str, day: date) -> Explanation | None:
        """What a feature of a day is the sign of, so that it is not new by itself."""
        times = self.excuses.get(feature, ())
        return next((known for first, last, known in times if first <= day <= last), None)

    def shown_by(self, finding: str) -> list[str]:
        """A finding and everything that shows it."""
        found = [finding]
        for name in found:
            concept = self.knowledge.concepts.get(name)
            found += [other for other in (concept.shown_by if concept else ()) if other not in found]
        return found

    @cached_property
    def therapies(self) -> tuple[Span, ...]:
        """The courses of treatment of the plasma-cell disorder, earliest first."""
        return tuple(span for span in self.spans if span.finding in self.knowledge.clone_therapies)

    @cached_property
    def components(self) -> Mapping[str, Criterion]:
        """What a named part of a rule means, of follow-up or of the criteria."""
        return {**self.knowledge.components, **self.follow.components}

    def series(self, finding: str) -> tuple[Series, ...]:
        """The series of a quantity."""
        if finding not in self._series:
            self._series[finding] = series(self.record, finding)
        return self._series[finding]

    def label(self, finding: str) -> str:
        """A finding, or what a derived event is made of, as people call it."""
        name = finding.partition("/")[0]
        if name in self.knowledge.concepts:
            return self.knowledge.concepts[name].label
        if name in self.components:
            return self.components[name].label
        return self.follow.derived[name].label if name in self.follow.derived else name

    def deciding(self, finding: str) -> list[date]:
        """The days whose own events decide a finding: what is older is superseded in a slice after treatment."""
        if finding not in self._deciding:
            concept = self.knowledge.concepts.get(finding)
            rule = Present(finding, concept.methods if concept else ())
            said = [event for event in self.record.by_finding.get(finding, ()) if event.status and event.value is None]
            self._deciding[finding] = [
                day for day in days_of(said) if judge(rule, self._day(said, day), {}).verdict is not UNKNOWN
            ]
        return self._deciding[finding]

    def history(self, feature: str, rule: Rule) -> list[State]:
        """The days that decide a feature by themselves, oldest first."""
        if feature not in self._histories:
            findings = {node.finding for node in walk(rule) if isinstance(node, Present | Above)}
            seen = [event for finding in findings for event in self.record.by_finding.get(finding, ())]
            judged = [(day, judge(rule, self._day(seen, day), {})) for day in days_of(seen)]
            self._histories[feature] = [
                State(day, found.verdict, tuple(events_behind(found)))
                for day, found in judged
                if found.verdict is not UNKNOWN
            ]
        return self._histories[feature]

    def _day(self, events: Iterable[Event], day: date) -> Record:
        return Record(self.record.patient, tuple(event for event in events if event.date == day), day)

    def sources(self, name: str) -> set[str]:
        """The findings whose events can change what a rule's leaf says: of a derived one, what it is made of."""
        plain = name.partition("/")[0]
        made = self.follow.derived.get(plain)
        if made is None:
            scale = next((one for key, one in self.follow.scales.items() if plain.endswith(f"-scale-{key}")), None)
            return {scale.concept} if scale and plain not in self.knowledge.concepts else {plain}
        found = {made.concept} if made.concept else set()
        found |= {self.follow.scales[key].concept for key in made.scales}
        return found | {
            node.finding for _, rule in made.features for node in walk(rule) if isinstance(node, Present | Above)
        }

    def scope(self, rule: Rule) -> Scope:
        """The findings that a rule names; found once, and the rule kept, so that its identity stays its own."""
        if id(rule) not in self._scopes:
            nodes = [node for node in walk(rule) if isinstance(node, Present | Above)]
            older = {node.finding for node in nodes if isinstance(node, Present) or node.take != "latest"}
            names = frozenset(node.finding for node in nodes)
            leaves = frozenset(name for finding in names for name in self.sources(finding))
            self._scopes[id(rule)] = rule, Scope(names, names - older, leaves)
        return self._scopes[id(rule)][1]

    def leaves(self, rule: Rule) -> frozenset[str]:
        """The recorded findings a rule rests on."""
        return self.scope(rule).leaves

    def ages(self, day: date) -> Iterator[Event]:
        """The age on a day: from the day of birth, or at least so old by an age that was recorded earlier.

        Two days of birth, or one to come, give no age.
        """
        born = days_of(event for event in self.record.by_finding.get(BORN, ()) if event.status != ABSENT)
        if len(born) == 1 and born[0] <= day:
            years = day.year - born[0].year - ((day.month, day.day) < (born[0].month, born[0].day))
            yield Event(self.record.patient, AGE, day, value=float(years), unit="a", source="day of birth")
            return
        for one in self.series(AGE):
            for event in one.samples:
                assert event.date is not None and event.value is not None
                passed = int(max((day - event.date).days, 0) / YEAR_DAYS)
                if event.date <= day and not event.comparator:
                    yield replace(event, date=day, value=event.value + passed, comparator=">=" if passed else "")

    def by_method(self) -> dict[Event, Event]:
        """The derived events that are a finding as certain methods count it: derived event -> event."""
        return {
            replace(event, finding=made.id): event
            for made in self.follow.derived.values()
            if made.kind == "by-method"
            for event in self.record.by_finding.get(made.concept, ())
            if event.method in made.methods
        }
