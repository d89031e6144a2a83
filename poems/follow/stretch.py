"""The time of one line of treatment: slices of the record after its first day, and the events that a course derives."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import Any

from poems.course import OF_NADIR, Series, baseline_of, compared_from, days_of, derived, mark, shifted
from poems.evaluate import Judgement, events_behind, judge
from poems.follow.chart import AGE, MET, NOT_MET, UNKNOWN, Chart, Scope, State
from poems.knowledge import Knowledge
from poems.knowledge.follow_model import Derived, Explanation, Scale
from poems.record import PRESENT, Event, Record
from poems.review import Part, named_parts
from poems.rules import Above, Named, Present, Rule, Verdict, walk


class Stretch:
    """The time of one line: from its first day of treatment to the day the next line begins.

    start: the slices count what comes after it; its own day is before treatment. strict: leaves out what a scale says
    for which no least change was ever published, so that a definition met without it can be told from one met by it.
    """

    def __init__(self, chart: Chart, start: date, end: date | None = None) -> None:
        self.chart, self.start, self.end = chart, start, end
        self.last = min(end or chart.as_of, chart.as_of)
        self.days_before = chart.follow.windows["baseline-days"].days
        self.origin: dict[Event, tuple[Event, ...]] = {}
        self.after = [
            event for event in chart.record.events if event.date is not None and start < event.date <= self.last
        ]
        self._slices: dict[tuple[Scope, date, date, bool], tuple[Record, dict[int, Judgement]]] = {}
        self._alike: dict[tuple[Event, ...], tuple[Record, dict[int, Judgement]]] = {}
        self._unreached: dict[Rule, Judgement] = {}
        self.graded: dict[str, list[Any]] = {}
        self._marked: dict[tuple[str, date, bool], tuple[Event, ...]] = {}
        self._by_finding = _dated((*self.after, *self._ratios()))

    def _ratios(self) -> Iterator[Event]:
        found: dict[Event, Event] = {}
        for finding in ratio_findings(self.chart.knowledge):
            for one in self.chart.series(finding):
                found |= derived(one, self.start, self.days_before, self._fall(finding))
        found |= self.chart.by_method()
        for event, sample in found.items():
            self.origin[event] = (sample,)
            if event.date is not None and self.start < event.date <= self.last:
                yield event

    @cached_property
    def baseline(self) -> Record:
        """Everything up to the first day of treatment, quantities only of the last months before it.

        What a later day has decided anew is left out, as in the slices after treatment. An undated finding may speak
        for something here, never against it, as in the criteria.
        """
        oldest = shifted(self.start, -self.days_before)
        kept = [
            event
            for event in (*self.chart.record.events, *self.chart.by_method())
            if (event.date is None and event.status == PRESENT)
            or (
                event.date is not None
                and event.date <= self.start
                and event.date >= (self._newest(event.finding, self.start) if event.value is None else oldest)
                and event.finding != AGE
            )
        ]
        return Record(self.chart.record.patient, (*kept, *self.chart.ages(self.start)), self.start)

    def judge(
        self, rule: Rule, day: date, since: date | None = None, strict: bool = False, scope: Rule | None = None
    ) -> Judgement:
        """A rule on the slice after `since` (the first day of treatment), up to a day.

        scope: a rule that names all that this one does; rules of one scope share what has been judged, and so do days
        on which the same events are known.
        """
        key = self.chart.scope(scope or rule), since or self.start, day, strict
        if key not in self._slices:
            known = self._slice(*key)
            self._slices[key] = self._alike.setdefault(known.events, (known, {}))
        return judge(rule, *self._slices[key])

    def judge_unreached(self, rule: Rule) -> Judgement:
        """A rule that says that a response was not reached: the first day on which it was settles that for good.

        What was lost later was reached all the same; where it was never reached, the last day decides.
        """
        if rule not in self._unreached:
            found = (self._judge_treated(rule, day) for day in self.relevant(rule))
            reached = next((item for item in found if item.verdict is Verdict.NOT_MET), None)
            self._unreached[rule] = reached or self._judge_treated(rule, self.last)
        return self._unreached[rule]

    def _judge_treated(self, rule: Rule, day: date) -> Judgement:
        """A rule on everything since treatment up to a day, the treatments of the first day among it."""
        known = self._slice(self.chart.scope(rule), self.start, day, False)
        given = [span.events[0] for span in self.chart.spans if span.start == self.start]
        return judge(rule, Record(known.patient, (*given, *known.events), known.as_of), {})

    def _slice(self, scope: Scope, begin: date, day: date, strict: bool) -> Record:
        """What is known of these findings by that day; what a later day has decided anew is left out."""
        kept: list[Event] = []
        for name in sorted(scope.names):
            events, days = self._by_finding.get(name, ((), ()))
            first, last = bisect_right(days, begin), bisect_right(days, day)
            if first == last:
                continue
            if name in scope.latest:
                first = max(first, bisect_left(days, days[last - 1]))
            newest = self._newest(name, day)
            kept += (
                event
                for event, on in zip(events[first:last], days[first:last], strict=True)
                if event.value is not None or on >= newest
            )
        kept += (
            event for event in self._marks(scope.names, day, strict) if event.date is not None and event.date > begin
        )
        kept += self.chart.ages(day) if AGE in scope.names else ()
        return Record(self.chart.record.patient, tuple(kept), day)

    def _newest(self, finding: str, day: date) -> date:
        """The last day, up to this one, whose own events decide a finding; what is older is superseded."""
        decided = self.chart.deciding(finding)
        place = bisect_right(decided, day)
        return decided[place - 1] if place else date.min

    def _marks(self, names: frozenset[str], day: date, strict: bool) -> Iterator[Event]:
        """The derived findings as they stand on a day."""
        for made in self.chart.follow.derived.values():
            single = f"{made.kind}-scale-"
            if made.id in names or (made.scales and any(name.startswith(single) for name in names)):
                key = made.id, day, strict
                if key not in self._marked:
                    turns = made.kind in ("turned-present", "turned-absent")
                    changes = self._turned(made, day) if turns else self._changed(made, day, strict)
                    self._marked[key] = tuple(changes) if turns or made.scales else ()
                yield from self._marked[key]

    def _turned(self, made: Derived, day: date) -> Iterator[Event]:
        """Present where a feature has turned; absent where of every feature it is known that it has not."""
        turns: list[State] = []
        decided: list[date] = []
        for feature, rule in made.features:
            history = self.chart.history(feature, rule)
            history = history[: bisect_right(history, day, key=lambda state: state.day)]
            if not history or history[-1].day <= self.start:
                continue
            verdict, turn = self._turn(feature, history, rule, made.kind == "turned-present")
            turns += [turn] if verdict is MET else []
            decided += [history[-1].day] if verdict is not UNKNOWN else []
        if turns:
            because = tuple(event for state in turns for event in state.because)
            yield self._mark(made.id, max(state.day for state in turns), True, because)
        elif len(decided) == len(made.features):
            yield self._mark(made.id, max(decided), False, ())

    def _turn(self, feature: str, history: Sequence[State], rule: Rule, upward: bool) -> tuple[Verdict, State]:
        """Whether a feature has come (or, not upward, gone) since treatment began, and the day that showed it.

        Unknown where it is as it would be after a turn, and nothing says how it was before; or where it came while
        something else whose sign it can be was there, until it has been gone once.
        """
        wanted = MET if upward else NOT_MET
        place = max((i for i, state in enumerate(history) if state.verdict is not wanted), default=-1) + 1
        if place == len(history):
            return NOT_MET, history[-1]
        turned = history[place]
        if upward:
            if turned.day <= self.start:
                return NOT_MET, turned
            is_new = place and not self.chart.excused(feature, turned.day)
            return (MET if is_new else UNKNOWN), turned
        before = judge(rule, self.baseline, {}).verdict
        return (before if turned.day > self.start else NOT_MET), turned

    def excused(self, made: Derived) -> Iterator[tuple[str, date, date, Explanation]]:
        """The features that have come since treatment began and are taken for the sign of something else, each with the
        first day and the last before it was gone; none that came again and counts.
        """
        for feature, rule in made.features if self.chart.excuses else ():
            found: list[tuple[str, date, date, Explanation]] = []
            was = None
            for state in self.chart.history(feature, rule):
                if state.verdict is MET and self.start < state.day <= self.last:
                    known = self.chart.excused(feature, state.day)
                    if was is MET:
                        found[-1:] = [(*item[:2], state.day, item[3]) for item in found[-1:]]
                    elif known:
                        found.append((feature, state.day, state.day, known))
                    elif was is not None:
                        found = []
                        break
                was = state.verdict
            yield from found[:1]

    def first_seen(self, made: Derived, *, is_there: bool) -> Iterator[tuple[str, State]]:
        """The features that were recorded for the first time since treatment began, present, and never absent before.

        is_there: only those that the last day on record still shows.
        """
        for feature, rule in made.features:
            history = self.chart.history(feature, rule)
            history = history[: bisect_right(history, self.last, key=lambda state: state.day)]
            if not history or history[0].verdict is not MET or history[0].day <= self.start:
                continue
            if (history[-1].verdict is MET or not is_there) and not self._undated(rule):
                yield feature, history[0]

    def _undated(self, rule: Rule) -> bool:
        """Whether something that shows it is on record without a day."""
        known = (self.chart.record.by_finding.get(name, ()) for name in self.chart.leaves(rule))
        return any(event.date is None and event.status == PRESENT for events in known for event in events)

    def _changed(self, made: Derived, day: date, strict: bool) -> Iterator[Event]:
        found = {key: self._change(self.chart.follow.scales[key], made.kind, day, strict) for key in made.scales}
        known = {key: pair for key, pair in found.items() if pair is not None}
        present = [sample for sample, is_changed in known.values() if is_changed]
        if known:
            told = present or [sample for sample, _ in known.values()]
            latest = max(sample.date for sample in told if sample.date is not None)
            yield self._mark(made.id, latest, bool(present), told)
        for key, (sample, is_changed) in known.items():
            assert sample.date is not None
            yield self._mark(f"{made.kind}-scale-{key}", sample.date, is_changed, (sample,))

    def _change(self, scale: Scale, kind: str, day: date, strict: bool) -> tuple[Event, bool] | None:
        """The latest sample of a scale, and whether it is better or worse by as much as counts; None: no comparison."""
        if strict and scale.points is None and scale.percent is None:
            return None
        told = [
            (one, [e for e in one.samples if not e.comparator and e.date is not None and self.start < e.date <= day])
            for one in self.chart.series(scale.concept)
        ]
        one, samples = max(
            ((one, kept) for one, kept in told if kept), key=lambda pair: pair[1][-1].date or day, default=(None, [])
        )
        if one is None:
            return None
        last = samples[-1]
        earlier = [event for event in samples if event.date != last.date] if kind == "worse" else []
        reference = _best(
            scale, earlier or [e for e in baseline_of(one, self.start, self.days_before) if not e.comparator]
        )
        if reference is None or last.value is None:
            return None
        gain = (last.value - reference) * (1 if scale.better == "higher" else -1) * (1 if kind == "better" else -1)
        return last, _counts(gain, reference, scale)

    def _mark(self, name: str, day: date, is_present: bool, because: Sequence[Event]) -> Event:
        event = mark(self.chart.record.patient, name, day, is_present, because)
        self.origin[event] = tuple(because)
        return event

    def alone(self, judgement: Judgement) -> Series | None:
        """The series that leaves a judgement open because nothing lies before its sample to compare it with."""
        for event in events_behind(judgement):
            for sample in self.origin.get(event, ()) if "/" in event.finding else ():
                one = next(one for one in self.chart.series(sample.finding) if sample in one.samples)
                known_from = compared_from(one, self.start, self.days_before, self._fall(sample.finding))
                if sample.date is not None and (known_from is None or sample.date < known_from):
                    return one
        return None

    def lowest_before(self, finding: str, day: date) -> date:
        """The last day before this one with the lowest value of the series of that day; else that of treatment."""
        oldest = shifted(self.start, -self.days_before)
        earlier = [
            (event.value, -event.date.toordinal(), event.date)
            for one in self.chart.series(finding)
            if any(event.date == day for event in one.samples)
            for event in one.samples
            if event.date is not None and oldest <= event.date < day and event.value is not None
        ]
        return min(earlier)[2] if earlier else self.start

    def _fall(self, finding: str) -> float | None:
        return rises(self.chart.knowledge).get(finding)

    def recorded(self, events: Iterable[Event]) -> tuple[Event, ...]:
        """The recorded events behind derived ones, each once."""
        return tuple(dict.fromkeys(one for event in events for one in self.origin.get(event, (event,))))

    def behind(self, judgement: Judgement) -> tuple[Event, ...]:
        """The recorded events that carry a judgement."""
        return self.recorded(events_behind(judgement))

    def parts(self, judgement: Judgement) -> tuple[Part, ...]:
        """The named parts of a judgement, itself if it has a name, with recorded events."""
        rule, components = judgement.rule, self.chart.components
        if isinstance(rule, Named):
            criterion = components.get(rule.id)
            inner = named_parts(judgement, components)
            found: tuple[Part, ...] = (
                Part(
                    rule.id,
                    criterion.label if criterion else rule.id,
                    judgement.verdict,
                    tuple(events_behind(judgement)),
                    inner,
                    criterion,
                ),
            )
        else:
            found = named_parts(judgement, components)
        return tuple(self._told(part) for part in found)

    def _told(self, part: Part) -> Part:
        return replace(part, because=self.recorded(part.because), parts=tuple(map(self._told, part.parts)))

    def relevant(self, rule: Rule, since: date | None = None) -> list[date]:
        """The days after `since` on which something was recorded that the rule rests on."""
        findings = self.chart.leaves(rule)
        days = days_of(event for event in self.after if event.finding in findings)
        return days[bisect_right(days, since) :] if since else days


def _dated(events: Iterable[Event]) -> dict[str, tuple[list[Event], list[date]]]:
    """The events of each finding, oldest first, beside their days."""
    found: dict[str, list[tuple[date, Event]]] = {}
    for event in events:
        if event.date is not None:
            found.setdefault(event.finding, []).append((event.date, event))
    for rows in found.values():
        rows.sort(key=lambda row: row[0])
    return {name: ([event for _, event in rows], [day for day, _ in rows]) for name, rows in found.items()}


def _best(scale: Scale, samples: Iterable[Event]) -> float | None:
    values = [event.value for event in samples if event.value is not None]
    if not values:
        return None
    return max(values) if scale.better == "higher" else min(values)


def _counts(gain: float, reference: float, scale: Scale) -> bool:
    """Whether a change in the direction asked for is as large as the least that counts."""
    least = scale.points
    if least is None and scale.percent is not None:
        least = abs(reference) * scale.percent / 100
    if least is None:
        return gain > 0
    return gain >= least if scale.inclusive else gain > least


def ratio_findings(knowledge: Knowledge) -> tuple[str, ...]:
    """The quantities that some rule of follow-up compares with their baseline or nadir; found once per knowledge."""
    kept: dict[str, tuple[str, ...]] = knowledge.__dict__.setdefault("_followed", {})
    if "ratios" not in kept:
        kept["ratios"] = tuple(
            sorted(
                {
                    node.finding.partition("/")[0]
                    for rule in rules_of(knowledge)
                    for node in walk(rule)
                    if isinstance(node, Present | Above) and "/" in node.finding
                }
            )
        )
    return kept["ratios"]


def rises(knowledge: Knowledge) -> dict[str, float]:
    """Of each quantity that some rule compares with its nadir, the least rise (a quotient) that a rule asks for."""
    kept: dict[str, dict[str, float]] = knowledge.__dict__.setdefault("_rises", {})
    if "nadir" not in kept:
        asked = [
            (node.finding.partition("/")[0], node.limit)
            for rule in rules_of(knowledge)
            for node in walk(rule)
            if isinstance(node, Above) and node.finding.endswith(f"/{OF_NADIR}") and node.limit is not None
        ]
        kept["nadir"] = {name: min(limit for other, limit in asked if other == name) for name, _ in asked}
    return kept["nadir"]


def rules_of(knowledge: Knowledge) -> Iterator[Rule]:
    """The rules of response and relapse."""
    for domain in knowledge.follow.domains:
        yield from (category.rule for category in domain.categories)
    yield from (kind.rule for kind in knowledge.follow.relapses)
