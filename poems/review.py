"""One patient's review: verdicts of every criteria set with reasons, the differential, the next tests, the cautions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from poems.errors import Issue, UsageError
from poems.evaluate import Judgement, events_behind, judge
from poems.explain import conflicts, met_by, settled_by
from poems.knowledge import CriteriaSet, Criterion, Knowledge, Reference
from poems.models.differential import TARGET, Differential, Posterior
from poems.record import ABSENT, Event, Record
from poems.rules import Above, Named, Present, Verdict

ABOUT_EQUAL_BITS = 0.05
"""Two tests whose expected information differs by less are not told apart by it: it rests on rough rates."""


@dataclass(frozen=True)
class Part:
    """A named part of a criteria set: its verdict, the events behind it, and its own parts."""

    id: str
    label: str
    verdict: Verdict
    because: tuple[Event, ...]
    parts: tuple[Part, ...]
    criterion: Criterion | None


@dataclass(frozen=True)
class LevelReview:
    """One level of a set (definite, probable, ...): its verdict, its parts and what would settle it."""

    id: str
    verdict: Verdict
    parts: tuple[Part, ...]
    settled_by: list[list[str]]
    met_by: list[list[str]]


@dataclass(frozen=True)
class SetReview:
    """What one criteria set says. Its verdict is met if any level is met, not met only if every level is not met.

    level: the strictest level that is met; empty where none is.
    """

    criteria: CriteriaSet
    verdict: Verdict
    level: str
    levels: tuple[LevelReview, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts of the strictest level that decides, or of the strictest one."""
        return self._told.parts

    @property
    def settled_by(self) -> list[list[str]]:
        """The smallest sets of missing findings that would make this verdict definite."""
        return self._told.settled_by

    @property
    def met_by(self) -> list[list[str]]:
        """The smallest sets of missing findings that could make this set met."""
        return self._told.met_by

    @property
    def _told(self) -> LevelReview:
        return next(level for level in self.levels if level.verdict is self.verdict)

    @property
    def is_loose(self) -> bool:
        """Only a level that falls short of the set's strictest one is met (possible, probable)."""
        return self.verdict is Verdict.MET and self.level != self.levels[0].id


@dataclass(frozen=True)
class NextTest:
    """Something that can be done next, what it is expected to tell, and which sets it alone could settle."""

    id: str
    label: str
    patient: str
    gain_bits: float
    could_settle: tuple[str, ...]
    burden: int
    why: str
    source: Reference | None


@dataclass(frozen=True)
class Caution:
    """Something that the reader must mind, with its source."""

    id: str
    text: str
    patient: str = ""
    source: Reference | None = None


@dataclass(frozen=True)
class Review:
    """Everything that is said about one patient on a day."""

    patient: str
    as_of: date | None
    knowledge: str
    setting: str
    record: Record
    criteria: tuple[SetReview, ...]
    differential: tuple[Posterior, ...]
    next_tests: tuple[NextTest, ...]
    cautions: tuple[Caution, ...]
    issues: tuple[Issue, ...] = ()


def assess(
    record: Record,
    knowledge: Knowledge,
    *,
    setting: str = "",
    criteria: Sequence[str] = (),
    issues: tuple[Issue, ...] = (),
) -> Review:
    """The review of one record.

    setting: where the patient was met; empty, the first of the knowledge's default settings whose given findings the
    record holds. criteria: the sets wanted, all where empty.
    Raises: UsageError for a setting or a set that the knowledge does not have.
    """
    wanted = _wanted(criteria, knowledge)
    if setting and setting not in knowledge.settings:
        raise UsageError(f"setting {setting!r} is unknown; expected one of {', '.join(knowledge.settings)}")
    memo: dict[int, Judgement] = {}
    sets = tuple(_review_set(item, record, knowledge, memo) for item in wanted)
    verdicts = {key: judge(feature.rule, record, memo).verdict for key, feature in knowledge.features.items()}
    setting = setting or _default_setting(knowledge, verdicts)
    model = differential_of(knowledge, setting)
    return Review(
        record.patient,
        record.as_of,
        knowledge.version,
        setting,
        record,
        sets,
        model.posteriors(verdicts),
        _next_tests(record, knowledge, model.gains(verdicts), sets),
        (*_setting_caution(knowledge, setting, verdicts), *_cautions(record, knowledge, memo, sets)),
        issues,
    )


def differential_of(knowledge: Knowledge, setting: str) -> Differential:
    """The differential of a setting, made once per knowledge."""
    made: dict[str, Differential] = knowledge.__dict__.setdefault("_differentials", {})
    if setting not in made:
        made[setting] = Differential(knowledge, setting)
    return made[setting]


def _default_setting(knowledge: Knowledge, verdicts: Mapping[str, Verdict]) -> str:
    """The first default setting that takes nothing for granted that the record does not hold; else the last."""
    return next(
        (
            name
            for name in knowledge.default_settings
            if all(verdicts[key] is Verdict.MET for key in knowledge.settings[name].given)
        ),
        knowledge.default_settings[-1],
    )


def _setting_caution(knowledge: Knowledge, setting: str, verdicts: Mapping[str, Verdict]) -> Iterator[Caution]:
    chosen = knowledge.settings[setting]
    lacking = [knowledge.features[key].label for key in chosen.given if verdicts[key] is not Verdict.MET]
    if lacking:
        yield Caution(
            "setting-takes-for-granted",
            f"The setting ({chosen.label}) takes for granted what the record does "
            f"not hold: {', '.join(lacking)}. Its probabilities hold only if that is so.",
        )


def _wanted(names: Sequence[str], knowledge: Knowledge) -> list[CriteriaSet]:
    unknown = [name for name in names if name not in knowledge.criteria]
    if unknown:
        raise UsageError(f"criteria set {unknown[0]!r} is unknown; expected one of {', '.join(knowledge.criteria)}")
    return [knowledge.criteria[name] for name in names] or list(knowledge.criteria.values())


def _review_set(item: CriteriaSet, record: Record, knowledge: Knowledge, memo: dict[int, Judgement]) -> SetReview:
    levels = []
    for level in item.levels:
        judgement = judge(level.rule, record, memo)
        levels.append(
            LevelReview(
                level.id,
                judgement.verdict,
                named_parts(judgement, knowledge.components),
                settled_by(judgement),
                met_by(judgement),
            )
        )
    verdicts = [level.verdict for level in levels]
    verdict = next((v for v in (Verdict.MET, Verdict.UNKNOWN) if v in verdicts), Verdict.NOT_MET)
    met = next((level.id for level in levels if level.verdict is Verdict.MET), "")
    return SetReview(item, verdict, met, tuple(levels))


def named_parts(judgement: Judgement, components: Mapping[str, Criterion]) -> tuple[Part, ...]:
    """The named parts below a judgement, however deep the unnamed nodes between. components: what the names mean."""
    found: list[Part] = []
    for part in judgement.parts:
        if isinstance(part.rule, Named):
            criterion = components.get(part.rule.id)
            found.append(
                Part(
                    part.rule.id,
                    criterion.label if criterion else part.rule.id,
                    part.verdict,
                    tuple(events_behind(part)),
                    named_parts(part, components),
                    criterion,
                )
            )
        else:
            found.extend(named_parts(part, components))
    return tuple(found)


def _next_tests(
    record: Record, knowledge: Knowledge, gains: Mapping[str, float], sets: Sequence[SetReview]
) -> tuple[NextTest, ...]:
    """The tests that would tell something, most informative first. Among those that tell about as much, first the ones
    that alone could settle a set, and of those the harmless and cheap.
    """
    found = []
    for test in knowledge.tests.values():
        if test.done_when and all(finding in record.by_finding for finding in test.done_when):
            continue
        finds = set(test.finds)
        gain = max((gains.get(name, 0.0) for name in finds), default=0.0)
        settles = tuple(item.criteria.id for item in sets if any(finds >= set(names) for names in item.settled_by))
        if gain >= 0.0005 or settles:
            found.append(NextTest(test.id, test.label, test.patient, gain, settles, test.burden, test.why, test.source))
    return tuple(
        sorted(
            found,
            key=lambda test: (
                -round(test.gain_bits / ABOUT_EQUAL_BITS),
                not test.could_settle,
                test.burden,
                -len(test.could_settle),
                -test.gain_bits,
                test.id,
            ),
        )
    )


def _cautions(
    record: Record, knowledge: Knowledge, memo: dict[int, Judgement], sets: Sequence[SetReview]
) -> tuple[Caution, ...]:
    found = [
        Caution(raw["id"], raw["text"], raw.get("patient", ""), raw["source"])
        for raw in knowledge.cautions
        if judge(raw["rule"], record, memo).verdict is Verdict.MET
    ]
    for finding, _ in conflicts(memo.values()):
        concept = knowledge.concepts[finding]
        followed = (
            "of several samples the highest counts; the laboratory's own limit goes before the report's word, and a "
            "word that a number without such a limit contradicts was left open."
            if concept.kind == "quantity"
            else "the better method, then the later day, was followed."
        )
        found.append(
            Caution(f"conflict-{finding}", f"{concept.label}: the record speaks for it and against it; {followed}")
        )
    found.extend(_not_excluded(memo.values(), record, knowledge))
    found.extend(_treatment(memo.values(), record, knowledge))
    met = [
        item.criteria.label
        for item in sets
        if item.verdict is Verdict.MET and not item.is_loose and item.criteria.diagnoses == TARGET
    ]
    not_met = [
        item.criteria.label for item in sets if item.verdict is Verdict.NOT_MET and item.criteria.diagnoses == TARGET
    ]
    if met and not_met:
        found.append(
            Caution(
                "sets-disagree",
                f"The sets disagree: met by {'; '.join(met)}; not met by "
                f"{'; '.join(not_met)}. Each asks for something else; the parts show where.",
            )
        )
    return tuple(found)


def _treatment(judgements: Iterable[Judgement], record: Record, knowledge: Knowledge) -> Iterator[Caution]:
    """What treatment on record keeps from speaking, or from speaking against."""
    certain, perhaps = knowledge.therapies, knowledge.perhaps_therapies
    start, doubt = record.first_day(certain), record.first_day(perhaps)
    used = {judgement.rule.finding for judgement in judgements if isinstance(judgement.rule, Present | Above)}
    findings = [
        event
        for event in record.events
        if event.finding in used and knowledge.concepts[event.finding].kind != "treatment"
    ]
    if start is not None:
        left_out = _findings(sum(event.date is not None and event.date > start for event in findings))
        yield Caution(
            "after-treatment",
            f"Treatment of the plasma-cell disorder began on {start}: the criteria and the probabilities judge the "
            f"time until then. Not used, since later: {left_out}.",
        )
    if record.undated(certain):
        yield Caution(
            "treatment-undated",
            "Treatment of the plasma-cell disorder is recorded without a date: any finding may be from after it, and "
            "can speak for POEMS, but not against it.",
        )
    given = [
        knowledge.concepts[name].label
        for name in perhaps
        if any(event.status != ABSENT for event in record.by_finding.get(name, ()))
    ]
    if given and (record.undated(perhaps) or start is None or (doubt is not None and doubt < start)):
        since = "" if doubt is None or record.undated(perhaps) else f" after {doubt}"
        yield Caution(
            "perhaps-treatment",
            f"{', '.join(given)}: may or may not have been for the plasma-cell disorder. What was found{since} can "
            "speak for POEMS, but not against it.",
        )
    undated = sum(event.date is None for event in findings)
    if undated and (start is not None or doubt is not None):
        yield Caution(
            "undated",
            f"Without a date: {_findings(undated)}. In a treated patient such a finding can speak for a criterion, but "
            "not against one.",
        )


def _findings(number: int) -> str:
    return f"{number or 'no'} {'finding' if number == 1 else 'findings'}"


def _not_excluded(judgements: Iterable[Judgement], record: Record, knowledge: Knowledge) -> Iterator[Caution]:
    """The findings that were recorded as absent by a method too weak to exclude them."""
    for judgement in judgements:
        rule = judgement.rule
        if isinstance(rule, Present) and judgement.verdict is Verdict.UNKNOWN and rule.methods:
            excluding = {method.id for method in rule.methods if method.excludes}
            absent = [
                event
                for event in record.by_finding.get(rule.finding, ())
                if event.status == ABSENT and event.method not in excluding
            ]
            if absent:
                methods = sorted({event.method or "a method that is not said" for event in absent})
                better = " or ".join(method.id for method in rule.methods if method.excludes and method.id)
                yield Caution(
                    f"not-excluded-{rule.finding}",
                    f"{knowledge.concepts[rule.finding].label}: recorded absent "
                    f"by {', '.join(methods)}, which does not exclude it" + (f"; {better} would." if better else "."),
                )
