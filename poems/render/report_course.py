"""The second page of the clinician's report: the picture, response, relapse, what is published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from poems.render.cited import Mark
from poems.render.follow_view import FollowView, OptionView, PatternView, RelapseView, ResponseView, VisitView
from poems.render.report_model import (
    SIGNS,
    Beside,
    Block,
    Line,
    Lines,
    Press,
    Table,
    capital,
    cut,
    first,
    items,
    joined,
    left_over,
    sentences,
)
from poems.render.report_picture import CLINICIAN, picture
from poems.rules import Verdict

WHERE = "in the full course"
ALARMS = {"confirm": "unknown", "rising": "met"}
FEW = 6
"""Room for no more than the verdicts of the patterns."""


def course_blocks(course: FollowView, press: Press, room: int) -> tuple[Block, ...]:
    """The blocks of the page without its sources. room: how many rows its lists may have beyond the least."""
    return (*picture(course.picture, "Course", CLINICIAN), *_treatments(course, room), *_trends(course, press, room),
            *_since_treatment(course, press, room), *_first_treatment(course, press, room),
            *_options(course, press, room), *_prognosis(course, press, room), *_visits(course, press, room))


def _treatments(course: FollowView, room: int) -> Iterator[Lines]:
    """What was given and when, the latest first: the picture may lack the room."""
    shown, rest = first(course.treatments[::-1], 8 + 2 * room)
    if shown:
        yield Lines("Treatments", tuple(Line(cut(span.label, 70), span.days) for span in shown), "run",
                    more=left_over(rest, "more", WHERE))


def _trends(course: FollowView, press: Press, room: int) -> Iterator[Table]:
    """Each series with its first sentences; those that rise first."""
    found = sorted(course.trends, key=lambda trend: trend.alarm == "none")
    shown, rest = first(found, 1 + room // 5)
    if shown:
        rows = tuple((Line(trend.label, trend.series, strong=True, cites=press.cites(trend.marks, 2)),
                      Line("; ".join(cut(f"{name}: {said}", 110) for name, said in trend.rows[:2 + room // 9])),
                      Line(capital(trend.alarm_text), sign=ALARMS.get(trend.alarm, "")))
                     for trend in shown)
        yield Table("Trends", rows, (0.24, 0.54, 0.22), more=left_over(rest, "more series", WHERE))


def _since_treatment(course: FollowView, press: Press, room: int) -> Iterator[Block]:
    """Response and relapse beside each other, where there is a treatment to respond to."""
    if course.treatments and (course.responses or course.relapses):
        yield Beside((_responses(course.responses, press, room),), (_relapses(course.relapses, press, room),), 0.46)


def _responses(found: Sequence[ResponseView], press: Press, room: int) -> Lines:
    """What each domain shows now; the domains that cannot be told, together by their reason."""
    groups: dict[object, list[ResponseView]] = {}
    for item in sorted(found, key=lambda item: not item.since):
        groups.setdefault(item.label if item.since else (item.now, item.why), []).append(item)
    shown, rest = first(list(groups.values()), 2 + room // 2)
    return Lines("Response", tuple(_response(group, press, room) for group in shown),
                 more=left_over(rest, "more domains", WHERE))


def _response(group: Sequence[ResponseView], press: Press, room: int) -> Line:
    item = group[0]
    names, cites = joined([one.label for one in group], 5), press.cites(item.marks, 1)
    if not item.since:
        return Line(f"{names}: {item.now}", sentences(item.why, 70 + 10 * room), "unknown", cites=cites)
    since = item.since if item.best == item.now else f"best: {item.best}, {item.since}"
    return Line(f"{names}: {item.now}", since, "dot", cites=cites)


def _relapses(found: Sequence[RelapseView], press: Press, room: int) -> Lines:
    """Each type with its verdict; where one was met, what the literature does then."""
    shown, rest = first(found, 2 + room // 2)
    return Lines("Relapse or progression", tuple(_relapse(item, press, room) for item in shown),
                 more=left_over(rest, "more types", WHERE))


def _relapse(item: RelapseView, press: Press, room: int) -> Line:
    marks = (*item.marks, *(item.literature_marks if item.literature else ()))
    reading = sentences(f"Our reading: {item.reading}", 120 + 20 * room) if item.reading else ""
    said = " ".join(filter(None, (sentences(item.literature, 90 + 10 * room) if item.literature else "", reading)))
    return Line(f"{item.label}: {item.when}", said, SIGNS[item.verdict], cites=press.cites(marks, 2))


def _first_treatment(course: FollowView, press: Press, room: int) -> Iterator[Lines]:
    """The patterns of first treatment with their verdicts; what would settle them, where there is room."""
    lines = tuple(Line(f"{item.label}: {item.verdict.value}", _settled(item) if room > FEW else "",
                       SIGNS[item.verdict], cites=press.cites(item.marks, 1)) for item in course.patterns)
    if lines:
        yield Lines("First treatment, as the literature describes such patients", lines,
                    "list" if room > FEW else "run")


def _settled(item: PatternView) -> str:
    return f"would be settled by: {items(item.missing, 120)}" if item.missing else ""


def _options(course: FollowView, press: Press, room: int) -> Iterator[Table]:
    shown, rest = first(course.options, 2 + (room + 1) // 2)
    if shown:
        yield Table("Treatments as published", tuple(_option(option, press, room) for option in shown), (0.3, 0.7),
                    hint="Different cohorts: they do not rank the treatments, and none is an order.",
                    more=left_over(rest, "more, and every outcome and harm", WHERE))


def _option(option: OptionView, press: Press, room: int) -> tuple[Line, Line]:
    """A treatment with its first outcomes and its first harm."""
    outcomes = option.outcomes[:1 + room // 7]
    told = [f"{what}: {said}" for what, said, _ in outcomes] + [f"harm: {said}" for said, _ in option.harms[:1]]
    marks = [mark for _, _, marks in outcomes for mark in marks]
    marks += [mark for _, marks in option.harms[:1] for mark in marks]
    return (Line(option.label, cut(option.setting, 60), strong=True),
            Line("; ".join(sentences(text, 150) for text in told), cites=press.cites(_once(marks))))


def _once(marks: Sequence[Mark]) -> list[Mark]:
    """The marks, each source once."""
    return list({mark.references[0].id: mark for mark in reversed(marks)}.values())[::-1]


def _prognosis(course: FollowView, press: Press, room: int) -> Iterator[Lines]:
    """The published factors that the record shows, each with its ratio."""
    here = [item for item in course.prognosis if not item.is_apart]
    found = [item for item in here if item.verdict is Verdict.MET]
    shown, rest = first(found, 2 + room // 3)
    unknown = sum(item.verdict is Verdict.UNKNOWN for item in here)
    if shown:
        lines = tuple(Line(item.label, f"{item.ratio} ({item.outcome})", cites=press.cites(item.marks, 1))
                      for item in shown)
        yield Lines("Published prognostic factors present", lines, "run",
                    "One by one, each in its own cohort; they are never multiplied.",
                    "; ".join(filter(None, (left_over(rest, "more", WHERE), f"{unknown} not known here"))))


def _visits(course: FollowView, press: Press, room: int) -> Iterator[Lines]:
    shown, rest = first(() if course.died else course.calendar, 1 + (room + 2) // 4)
    if shown:
        lines = tuple(Line(f"{item.due}: {item.label}", _looked_at(item), "unknown" if item.is_overdue else "box",
                           cites=press.cites(item.marks, 1)) for item in shown)
        yield Lines("When to look again, as published", lines, "list", course.silent, left_over(rest, "more", WHERE))


def _looked_at(item: VisitView) -> str:
    """What is looked at in a visit, and how often it comes again."""
    return "; ".join(filter(None, (items(item.tests, 150, "; ", f"more {WHERE}"), item.then and f"then {item.then}")))
