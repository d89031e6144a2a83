"""A course as a letter for the terminal: 100 columns, plain symbols, colour only where it is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.text import Text

from poems.follow import Follow
from poems.knowledge import Knowledge
from poems.render.as_text import (
    QUIET,
    STYLE,
    cautions,
    grid,
    heading,
    indented,
    issues_read,
    marks_of,
    missing,
    part_lines,
    printed,
    remarks_read,
    sources,
    verdict_text,
)
from poems.render.cited import Bibliography
from poems.render.follow_patient import OwnCourse, own_course
from poems.render.follow_sheet import SHOW_TO, DefinitionView, SheetView, sheets
from poems.render.follow_view import (
    APART,
    DISCLAIMER,
    FactorView,
    FollowView,
    OptionView,
    PatternView,
    RelapseView,
    ResponseView,
    TrendView,
    together,
    view,
)
from poems.render.timeline import Timeline
from poems.render.timeline_text import plot, signs
from poems.render.view import Observation
from poems.render.words import SYMBOL
from poems.rules import Verdict

ALARM = {"none": ("○", "dim"), "confirm": ("◌", "bold yellow"), "rising": ("●", "bold yellow")}


def letter(follows: Sequence[Follow], knowledge: Knowledge, edition: Literal["clinician", "patient"], *, width: int,
           colour: bool, options: bool = False) -> str:
    """The courses one after the other. options: tell in full what is published: treatments, factors, survival."""
    if edition == "patient":
        return printed([_own(own_course(follow, knowledge), width) for follow in follows], width, colour)
    return printed([_letter(view(follow, knowledge), width, options) for follow in follows], width, colour)


def sheet(follows: Sequence[Follow], knowledge: Knowledge, *, width: int, colour: bool) -> str:
    """The hand-over sheets, one for each transplant."""
    return printed([_sheet(one) for follow in follows for one in sheets(follow, knowledge)], width, colour)


def _letter(page: FollowView, width: int, in_full: bool) -> RenderableType:
    """What is about the patient first, what is about cohorts after it."""
    return Group(
        _head(page), *_glance(page), *cautions(page.cautions), *_course(page.picture, width), *_treatments(page),
        *_relapses(page), *_trends(page), *_scales(page), *_responses(page, in_full), *_calendar(page),
        *_transplant(page),
        *_patterns("First treatment, as the literature describes it", page.patterns, in_full or not page.is_treated),
        *_options(page.options, in_full), *_patterns("Trials", page.trials, in_full), *_prognosis(page, in_full),
        *_survival(page, in_full), *issues_read(page.issues), *_sources(page.cited), "",
        indented(Text(DISCLAIMER, style=QUIET)))


def _sources(cited: Bibliography) -> list[RenderableType]:
    return sources(cited.entries) if cited.entries else []


def _head(page: FollowView) -> RenderableType:
    who = (f"Patient {page.patient}", page.person, f"as of {page.as_of}",
           f"died {page.died}" if page.died else "", page.since)
    return _top("POEMS follow-up", page.knowledge, " · ".join(filter(None, who)))


def _top(title: str, knowledge: str, who: str) -> RenderableType:
    top = grid(None, 20)
    top.columns[1].justify = "right"
    top.add_row(Text(title, style="bold"), Text(f"knowledge {knowledge}", style=QUIET))
    return Group(Rule(style=QUIET, characters="━"), top, Text(who))


def _glance(page: FollowView) -> list[RenderableType]:
    lines: list[RenderableType] = [heading("At a glance")]
    if page.refused:
        word = "row was" if page.refused == 1 else "rows were"
        lines.append(indented(Text(f"! {page.refused} {word} refused: this rests on the rest of the input only.",
                                   style="bold yellow")))
    return [*lines, *(indented(Text(line, style="" if place else "bold")) for place, line in enumerate(page.glance))]


def _course(picture: Timeline, width: int) -> list[RenderableType]:
    if not picture.lanes and not picture.panels:
        return []
    return [heading("Course", "   ".join(signs(picture))), *map(indented, plot(picture, width - 2))]


def _treatments(page: FollowView) -> list[RenderableType]:
    if not page.treatments:
        return [heading("Treatments"), indented(Text("None is recorded with a date.", style="yellow"))]
    table = grid(34, None)
    for span in page.treatments:
        table.add_row(span.label, Text.assemble(span.days, (f"  {span.lasted}" if span.lasted else "", QUIET)))
    return [heading("Treatments"), indented(table)]


def _trends(page: FollowView) -> list[RenderableType]:
    if not page.trends:
        return []
    shown: list[RenderableType] = [heading(
        "Trends", "Each specimen, assay and laboratory limit is a series of its own. By the model: ● a true rise is "
        "likely   ◌ possible   ○ not shown")]
    for trend in page.trends:
        shown += _trend(trend)
    return shown


def _trend(trend: TrendView) -> list[RenderableType]:
    sign, style = ALARM.get(trend.alarm, ("◌", ""))
    title = Text.assemble((f"{sign} ", style), (trend.label, "bold"), (f"  {trend.alarm_text}", style),
                          (f"  {trend.series}; {trend.samples}", QUIET), marks_of(trend.marks))
    table = grid(24, None)
    for name, said in trend.rows:
        table.add_row(Text(name, style=QUIET), said)
    for seen in trend.explained:
        table.add_row(Text("Could explain it", style=QUIET), _seen(seen))
    if trend.notes:
        table.add_row(Text("Mind", style=QUIET), Text("\n").join(Text(f"• {note}") for note in trend.notes))
    return [indented(title), indented(table, 4)]


def _seen(seen: Observation) -> Text:
    return Text.assemble(seen.what, *((f"  {more}", QUIET) for more in (seen.how, seen.date, seen.source) if more))


def _scales(page: FollowView) -> list[RenderableType]:
    if not page.scales:
        return []
    table = grid(34, None)
    for name, values, said in page.scales:
        table.add_row(name, Text.assemble((values, "bold"), f"\n{said}"))
    return [heading("Scales of function"), indented(table)]


def _responses(page: FollowView, in_full: bool) -> list[RenderableType]:
    """The domains; those of which the same is said in one row."""
    if not page.responses:
        return []
    table = grid(26, None)
    for several in together(page.responses):
        names = Text("\n").join(Text.assemble((item.label, "bold"), marks_of(item.marks)) for item in several)
        table.add_row(names, _response(several[0]))
    waiting = [f"{item.label}: {draft}" if in_full else draft.partition(",")[0]
               for item in page.responses for draft in item.drafts]
    more = [indented(Text(f"Not used, because nobody has read the definition in its source yet: {'; '.join(waiting)}.",
                          style=QUIET))] if waiting else []
    return [heading("Response by domain"), indented(table), *more]


def _response(item: ResponseView) -> Text:
    now = Text.assemble(("now: ", QUIET), (item.now, _tone(item)))
    if item.best != item.now:
        now.append(f"\nbest: {item.best}")
    now.append(f", {item.since}" if item.since else "")
    now.append(f"\n{item.why}", QUIET)
    return now.append_text(Text("\n").append_text(_read(item.reading))) if item.reading else now


def _tone(item: ResponseView) -> str:
    return "yellow" if not item.is_evaluable or item.now == Verdict.UNKNOWN.value else "bold"


def _relapses(page: FollowView) -> list[RenderableType]:
    if not page.relapses:
        return []
    shown: list[RenderableType] = [heading(
        "Relapse or progression by type", "● met   ○ not met   ◌ unknown: the record does not say.   → what the "
        "literature reports, never an order.")]
    for several in together(page.relapses):
        shown += _relapse(several)
    waiting = "; ".join(page.uncomputed)
    more = [indented(Text(f"Not computed, because nobody has read the definition in its source yet: {waiting}.",
                          style=QUIET))] if waiting else []
    return [*shown, *more]


def _relapse(several: Sequence[RelapseView]) -> list[RenderableType]:
    """One type, or several of which the same is said."""
    item, style = several[0], STYLE[several[0].verdict]
    names = Text("; ").join(Text.assemble((one.label, "bold"), marks_of(one.marks)) for one in several)
    shown: list[RenderableType] = [indented(Text.assemble((f"{SYMBOL[item.verdict]} ", style), names,
                                                          (f"  {item.when}", style)))]
    if item.why:
        shown.append(indented(Text(item.why, style=QUIET), 4))
    if item.verdict is not Verdict.NOT_MET:
        shown += [indented(_seen(seen), 4) for seen in item.observations]
    if item.literature:
        shown.append(indented(Text.assemble("→ ", item.literature, marks_of(item.literature_marks)), 4))
    if item.reading:
        shown.append(indented(_read(item.reading), 4))
    return shown


def _read(reading: str) -> Text:
    return Text(f"Our reading: {reading}", style=QUIET)


def _patterns(title: str, patterns: Sequence[PatternView], in_full: bool) -> list[RenderableType]:
    """in_full: with the reasons; else the verdicts alone."""
    if not patterns:
        return []
    shown: list[RenderableType] = [heading(title, "" if in_full else "In full with --options, and in the html.")]
    told: set[str] = set()
    for item in patterns:
        table = grid(12, None)
        table.add_row(verdict_text(item.verdict), Text.assemble((item.label, "bold"), marks_of(item.marks)))
        if item.why and in_full:
            table.add_row("", item.why)
        if item.missing and in_full:
            table.add_row("", Text(f"would be settled by: {'; '.join(item.missing)}", style=QUIET))
        shown.append(indented(table))
        if item.verdict is Verdict.MET and in_full:
            shown += [part_lines(part, 1, told) for part in item.parts]
    return shown


def _options(options: Sequence[OptionView], in_full: bool) -> list[RenderableType]:
    if not options:
        return []
    if not in_full:
        names = "; ".join(option.label for option in options)
        told = f"{len(options)} with outcomes, numbers and harms: {names}. Shown with --options, and in the html."
        return [heading("Treatments as published"), indented(Text(told, style=QUIET))]
    shown: list[RenderableType] = [heading("Treatments as published", "Reports of different cohorts: they do not rank "
                                           "the treatments, and none is an order.")]
    for option in options:
        shown.append(indented(Text.assemble((option.label, "bold"), (f"  {option.setting}", QUIET))))
        table = grid(26, None)
        for what, said, marks in option.outcomes:
            table.add_row(Text(what, style=QUIET), Text.assemble(said, marks_of(marks)))
        for said, marks in option.harms:
            table.add_row(Text("harm", style="yellow"), Text.assemble(said, marks_of(marks)))
        shown.append(indented(table, 4))
    return shown


def _prognosis(page: FollowView, in_full: bool) -> list[RenderableType]:
    """The factors of which the record says something; the others by name, or in full."""
    if not page.prognosis:
        return []
    here = [item for item in page.prognosis if not item.is_apart]
    shown = [item for item in here if in_full or item.verdict is not Verdict.UNKNOWN]
    names = [item.label for item in here if item.verdict is Verdict.UNKNOWN and not in_full]
    more = [indented(Text(f"{SYMBOL[Verdict.UNKNOWN]} unknown in this record: {'; '.join(names)}. Their ratios: "
                          "--options, and the html.", style=QUIET))] if names else []
    others = [item.label for item in page.prognosis if item.is_apart]
    apart = [indented(Text(f"{APART}: {'; '.join(others)}.", style=QUIET))] if others else []
    return [heading("Prognostic factors as published", "One by one, each in its own cohort: multiplying them is not "
                    "supported."), *([_factors(shown)] if shown else []), *more, *apart]


def _factors(items: Sequence[FactorView]) -> RenderableType:
    table = grid(10, None)
    for item in items:
        table.add_row(Text(f"{SYMBOL[item.verdict]} {item.word}", style=STYLE[item.verdict]), Text.assemble(
            item.label, marks_of(item.marks), (f"\n{item.ratio}; {item.outcome}, {item.cohort}", QUIET)))
    return indented(table)


def _survival(page: FollowView, in_full: bool) -> list[RenderableType]:
    if not page.survival:
        return []
    told = "Of cohorts, not of this patient; eras and selection differ."
    if not in_full:
        return [heading("Published survival", f"{told} {len(page.survival)} cohorts: shown with --options, and in the "
                        "html.")]
    table = grid(34, None)
    for item in page.survival:
        n = f", n {item.n}" if item.n else ""
        points = Text("\n").join(Text.assemble((f"{outcome}: ", QUIET), said) for outcome, said in item.points)
        if item.note:
            points.append(f"\n{item.note}" if item.points else item.note, QUIET)
        table.add_row(Text.assemble(item.cohort, (f" {item.era}{n}", QUIET), marks_of(item.marks)), points)
    return [heading("Published survival", told), indented(table)]


def _calendar(page: FollowView) -> list[RenderableType]:
    if not page.calendar or page.died:
        return []
    table = grid(25, None)
    for item in page.calendar:
        style = "bold yellow" if item.is_overdue else ""
        due = Text.assemble((item.due, style), (f"\n{item.apart}" if item.apart else "", QUIET))
        tests = "\n" + "; ".join(item.tests) if item.tests else ""
        what = Text.assemble((item.label, "bold"), marks_of(item.marks), tests,
                             (f"\n{item.because}" if item.because else "", QUIET))
        if item.then:
            what.append(f"\nthen {item.then}", QUIET)
        table.add_row(due, what)
    silent = [indented(Text(page.silent, style="yellow"))] if page.silent else []
    return [heading("When to look again", "Intervals as published. --ics FILE writes them for a calendar."), *silent,
            indented(table)]


def _transplant(page: FollowView) -> list[RenderableType]:
    if not page.transplants:
        return []
    told = f"Day 0: {', '.join(page.transplants)}. The hand-over sheet on engraftment syndrome: --sheet transplant."
    return [heading("Transplant"), indented(Text(told))]


def _sheet(page: SheetView) -> RenderableType:
    days, rates = grid(24, None), grid(44, None)
    for name, when in page.days:
        days.add_row(Text(name, style="bold"), when)
    for cohort, said, marks in page.rates:
        rates.add_row(Text.assemble(cohort, marks_of(marks)), said)
    title = "Transplant hand-over sheet: engraftment syndrome in POEMS"
    shown: list[RenderableType] = [
        _top(title, page.knowledge, " · ".join(filter(None, (f"Patient {page.patient}", page.person)))), "",
        indented(Text(f"Day 0: {page.day_0} ({page.today})" if page.day_0 else page.today, style="bold")),
        indented(days)]
    shown += [indented(Text.assemble("• ", text, marks_of(marks))) for text, marks in page.text]
    shown += [heading("How often, by cohort"), indented(rates), heading(
        "The published definitions side by side", "With what is entered in this record. ● met   ○ not met   ◌ unknown")]
    for item in page.definitions:
        shown += _definition(item)
    return Group(*shown, "", indented(Text(SHOW_TO, style="bold")),
                 *_sources(page.cited))


def _definition(item: DefinitionView) -> list[RenderableType]:
    verdict = verdict_text(item.verdict) if item.verdict else Text("not judged: no day 0", style=QUIET)
    told: set[str] = set()
    return [indented(Text.assemble((item.label, "bold"), "  ", verdict, marks_of(item.marks))),
            indented(Text("; ".join(filter(None, (item.window, item.placed))), style=QUIET), 4),
            *(part_lines(part, 1, told) for part in item.parts),
            *([indented(_read(item.reading), 4)] if item.reading else [])]


def _own(page: OwnCourse, width: int) -> RenderableType:
    parts: list[RenderableType] = [Rule(style=QUIET, characters="━"), Text("My course", style="bold"),
                                   Text(" · ".join(filter(None, (page.patient, page.person, f"as of {page.as_of}")))),
                                   "", indented(Text(page.notice))]
    if page.urgent:
        signs_of = (indented(Text.assemble(f"• {text}", marks_of(marks)), 4) for text, marks in page.urgent)
        parts += ["", indented(Text(f"! {page.urgent_head}:", style="bold")), *signs_of]
    if page.refused:
        parts += ["", indented(Text(missing(page.refused), style="yellow"))]
    if page.picture.lanes or page.picture.panels:
        parts += [heading("My course as a picture", "   ".join(signs(page.picture))),
                  *map(indented, plot(page.picture, width - 2))]
    table = grid(44, None)
    for treatment in page.treatments:
        table.add_row(treatment.label, treatment.days)
    parts += [heading("My treatments"), indented(table)] if page.treatments else []
    values = grid(30, None)
    for item in page.values:
        lately = Text("\n").join(Text(f"{day}  {seen}") for day, seen in item.values)
        values.add_row(Text(item.label, style="bold"), Text("\n").join([lately, *map(Text, item.words), Text()]))
    parts += [heading("My values"), indented(values)] if page.values else []
    visits = grid(42 if width >= 90 else 36, None)
    for visit in page.visits:
        when = f"{visit.when}{f' ({visit.apart})' if visit.apart else ''}"
        looked_at = Text("; ".join(visit.tests))
        if visit.then:
            looked_at.append(f"\nthen {visit.then}", QUIET)
        visits.add_row(Text(when, style="bold yellow" if visit.is_overdue else ""), looked_at)
    silent = [indented(Text(page.silent, style="yellow"))] if page.silent else []
    parts += [heading("My next visits", "Intervals as published; my doctors may see it differently."), *silent,
              indented(visits)] if page.visits else []
    ask = [indented(Text(f"• {question}")) for question in page.questions]
    parts += [heading("Questions to take to the appointment"), *ask] if ask else []
    return Group(*parts, *cautions(page.notes), *remarks_read(page.remarks), *_sources(page.cited))
