"""What a rule means for one patient: short, slow and right. Every engine must agree with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from poems.record import ABSENT, PRESENT, Event, Record
from poems.rules import Above, AtLeast, Judged, Named, Not, Present, Rule, Verdict, children

MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN
_OPPOSITE = {MET: NOT_MET, NOT_MET: MET, UNKNOWN: UNKNOWN}


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its reasons.

    because: the events that decided a leaf; parts: the judgements of the parts, in the rule's order.
    conflict: evidence for and against stood in the record, and the written rule chose.
    """

    rule: Rule
    verdict: Verdict
    because: tuple[Event, ...] = ()
    parts: tuple[Judgement, ...] = ()
    conflict: bool = False


def evaluate(rule: Rule, record: Record) -> Verdict:
    """The verdict of a rule for one patient, in Kleene's three-valued logic."""
    return judge(rule, record, {}).verdict


def judge(rule: Rule, record: Record, memo: dict[int, Judgement]) -> Judgement:
    """The verdict with reasons. memo: shared between the rules of one record, keyed by node identity."""
    known = memo.get(id(rule))
    if known is None:
        known = memo[id(rule)] = _judge(rule, record, memo)
    return known


def _judge(rule: Rule, record: Record, memo: dict[int, Judgement]) -> Judgement:
    if isinstance(rule, Present):
        return _judge_present(rule, record)
    if isinstance(rule, Above):
        return _judge_above(rule, record)
    parts = tuple([judge(part, record, memo) for part in children(rule)])
    verdicts = [part.verdict for part in parts]
    if isinstance(rule, AtLeast):
        return Judgement(rule, _at_least(rule.n, verdicts), parts=parts)
    if isinstance(rule, Not):
        return Judgement(rule, _OPPOSITE[verdicts[0]], parts=parts)
    if isinstance(rule, Judged):
        shown, excluded = verdicts
        verdict = NOT_MET if shown is UNKNOWN and excluded is MET else shown
        return Judgement(rule, verdict, parts=parts, conflict=shown is MET and excluded is MET)
    assert isinstance(rule, Named)
    return Judgement(rule, verdicts[0], parts=parts)


def _at_least(n: int, verdicts: Iterable[Verdict]) -> Verdict:
    certain = possible = 0
    for verdict in verdicts:
        certain += verdict is MET
        possible += verdict is not NOT_MET
    return MET if certain >= n else UNKNOWN if possible >= n else NOT_MET


def _counting(rule: Present | Above, record: Record) -> list[tuple[Event, bool]]:
    """The events that a leaf may use, each with whether it is weak: able to speak for the leaf, but not against it."""
    start, doubt = record.first_day(rule.before), record.first_day(rule.perhaps)
    undated = record.undated(rule.before) or record.undated(rule.perhaps)

    def weak(day: date | None) -> bool:
        if undated or day is None:
            return undated or start is not None or doubt is not None
        return doubt is not None and day > doubt

    return [(event, weak(event.date)) for event in record.by_finding[rule.finding]
            if start is None or event.date is None or event.date <= start]


def _judge_present(rule: Present, record: Record) -> Judgement:
    """The better method wins, then the later day; an exact tie of present and absent leaves it open."""
    if rule.finding not in record.by_finding:
        return Judgement(rule, UNKNOWN)
    rank = {method.id: -place for place, method in enumerate(rule.methods)}
    excluding = {method.id for method in rule.methods if method.excludes}
    events = _counting(rule, record)

    def weight(event: Event) -> tuple[int, date]:
        return rank.get(event.method, -len(rule.methods)), event.date or date.min

    shown = [event for event, _ in events if event.status == PRESENT]
    denied = [event for event, weak in events
              if event.status == ABSENT and not weak and (not rule.methods or event.method in excluding)]
    best_shown, best_denied = (max(map(weight, group), default=None) for group in (shown, denied))
    conflict = bool(shown and denied)
    if best_shown is not None and (best_denied is None or best_shown > best_denied):
        return Judgement(rule, MET, tuple(e for e in shown if weight(e) == best_shown), conflict=conflict)
    if best_denied is not None and (best_shown is None or best_denied > best_shown):
        return Judgement(rule, NOT_MET, tuple(e for e in denied if weight(e) == best_denied), conflict=conflict)
    return Judgement(rule, UNKNOWN, tuple(shown + denied), conflict=conflict)


def _judge_above(rule: Above, record: Record) -> Judgement:
    if rule.finding not in record.by_finding:
        return Judgement(rule, UNKNOWN)
    events = _counting(rule, record)
    if rule.take == "latest" and events:
        last = max(event.date or date.min for event, _ in events)
        events = [(event, weak) for event, weak in events if (event.date or date.min) == last]
    if not events:
        return Judgement(rule, UNKNOWN)
    verdicts = [UNKNOWN if sample is NOT_MET and weak else sample
                for event, weak in events for sample in [sample_verdict(rule, event)]]
    verdict = _at_least(1, verdicts)
    because = tuple(e for (e, _), sample in zip(events, verdicts, strict=True) if verdict in (sample, UNKNOWN))
    return Judgement(rule, verdict, because, conflict=any(_contradicts(rule, event) for event, _ in events))


def sample_verdict(rule: Above, event: Event) -> Verdict:
    """What one sample says: by its own limit where the rule allows, else by the report's word where the rule hears it
    and its number does not say the opposite, else by the rule's number.
    """
    word, number = _word(rule, event), _number(rule, event)
    if word is UNKNOWN or None not in (event.value, event.upper_limit):
        return number
    return UNKNOWN if number is _OPPOSITE[word] else word


def _word(rule: Above, event: Event) -> Verdict:
    """What the report calls the sample, raised or not, for a rule that hears it."""
    if rule.by_lab_limit and rule.times == 1.0:
        return {PRESENT: MET, ABSENT: NOT_MET}.get(event.status, UNKNOWN)
    return UNKNOWN


def _number(rule: Above, event: Event) -> Verdict:
    """What the value says: against the sample's own limit where the rule allows, else against the rule's."""
    if event.value is None:
        return UNKNOWN
    if rule.by_lab_limit and event.upper_limit is not None:
        limit = rule.times * event.upper_limit
        return _compare(event, limit, limit, inclusive=False)
    if rule.limit is None:
        return UNKNOWN
    return _compare(event, rule.limit, rule.limit if rule.clear_below is None else rule.clear_below, rule.inclusive)


def _contradicts(rule: Above, event: Event) -> bool:
    """The report's word and the number say certain opposites: an own limit is followed, else the sample stays open."""
    word = _word(rule, event)
    return word is not UNKNOWN and _number(rule, event) is _OPPOSITE[word]


def _compare(event: Event, limit: float, clear_below: float, inclusive: bool) -> Verdict:
    """Above `limit`, below `clear_below`, or undecided between; a censored value decides what it can."""
    value, comparator = event.value, event.comparator
    assert value is not None
    grey = clear_below < limit
    if comparator == "<":
        certain, excluded = False, value <= clear_below
    elif comparator == "<=":
        certain, excluded = False, value < clear_below if (inclusive or grey) else value <= clear_below
    elif comparator == ">":
        certain, excluded = value >= limit, False
    elif comparator == ">=":
        certain, excluded = value >= limit if inclusive else value > limit, False
    else:
        certain = value >= limit if inclusive else value > limit
        excluded = value < clear_below if (inclusive or grey) else value <= clear_below
    return MET if certain else NOT_MET if excluded else UNKNOWN


def events_behind(judgement: Judgement) -> Sequence[Event]:
    """The events that carry a verdict: those of the parts that agree with it, each once, in order of appearance."""
    found: dict[Event, None] = dict.fromkeys(judgement.because)
    for place, part in enumerate(judgement.parts):
        if isinstance(judgement.rule, Not):
            agrees = True
        elif isinstance(judgement.rule, Judged) and place == 1:
            agrees = judgement.verdict is NOT_MET and part.verdict is MET
        else:
            agrees = part.verdict is judgement.verdict
        if agrees:
            found.update(dict.fromkeys(events_behind(part)))
    return tuple(found)
