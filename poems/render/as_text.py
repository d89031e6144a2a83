"""A review as a letter for the terminal: 100 columns, plain symbols, colour only where it is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import Literal

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from poems.errors import Issue
from poems.knowledge import Knowledge
from poems.render.cited import Entry, Mark
from poems.render.patient import LOOKED_AT, NOTICE, own
from poems.render.view import (
    DISCLAIMER,
    DiseaseView,
    EvidenceView,
    PartView,
    ReviewView,
    SetView,
    view,
)
from poems.render.words import GRADE, SYMBOL, bits, clean
from poems.review import Review
from poems.rules import Verdict

STYLE = {Verdict.MET: "bold cyan", Verdict.NOT_MET: "dim", Verdict.UNKNOWN: "yellow"}
FOR, AGAINST, QUIET = "cyan", "yellow", "dim"
BAR = 34
HALF = 12
MOST_TESTS = 8
EIGHTHS = " ▏▎▍▌▋▊▉█"


def letter(reviews: Sequence[Review], knowledge: Knowledge, edition: Literal["clinician", "patient"], *, width: int,
           colour: bool, explain: Sequence[str] = ()) -> str:
    """The reviews one after the other. explain: the sets to tell in full instead of the leading ones."""
    if edition == "patient":
        return printed([own_letter(review, knowledge) for review in reviews], width, colour)
    return printed([_letter(view(review, knowledge), explain) for review in reviews], width, colour)


def own_letter(review: Review, knowledge: Knowledge) -> RenderableType:
    """The patient's edition."""
    page = own(review, knowledge)
    parts: list[RenderableType] = [Rule(style=QUIET, characters="━"), Text("My record", style="bold"),
                                   Text(" · ".join(filter(None, (page.patient, page.person, f"as of {page.as_of}")))),
                                   "", indented(Text(NOTICE))]
    if page.refused:
        parts += ["", indented(Text(missing(page.refused), style="yellow"))]
    for title, lines in page.groups:
        table = grid(None, 54)
        for line in lines:
            table.add_row(Text(line.label), Text("\n".join(f"{day}  {seen}".rstrip() for day, seen in line.days)))
        parts += [heading(title), indented(table)]
    table = grid(None, 44)
    for item in page.looked_at:
        table.add_row(Text.assemble(item.label, (" " + " ".join(mark.text for mark in item.marks), QUIET)),
                      Text(item.said or "nothing recorded yet", style="" if item.recorded else "yellow"))
    parts += [heading(LOOKED_AT), indented(table)]
    parts += [heading("Questions to take to the appointment"),
              *(indented(Text(f"• {question}")) for question in page.questions)]
    if page.ask_about:
        parts += [indented(Text(f"• {page.done}")), *(indented(Text(f"– {name}"), 4) for name in page.ask_about)]
    return Group(*parts, *cautions(page.notes), *remarks_read(page.remarks), *sources(page.cited.entries))


def missing(count: int) -> str:
    """How much of the input is missing, for the patient."""
    rows, are = ("row", "is") if count == 1 else ("rows", "are")
    return f"! {count} {rows} of the input could not be read and {are} missing here."


def remarks_read(remarks: Sequence[str]) -> list[RenderableType]:
    """What the readers had to say about the input, for the patient."""
    return [heading("About the entries"), *(indented(Text(f"• {line}")) for line in remarks)] if remarks else []


def printed(parts: Sequence[RenderableType], width: int, colour: bool) -> str:
    """The parts as text. No line is longer than `width`; no escape sequence unless `colour`."""
    out = StringIO()
    console = Console(file=out, width=width, force_terminal=colour, color_system="standard" if colour else None,
                      no_color=not colour, highlight=False, markup=False, emoji=False, legacy_windows=False)
    for place, part in enumerate(parts):
        console.print(part if place == 0 else Group("\n", part))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()).strip("\n") + "\n"


def heading(title: str, explained: str = "") -> RenderableType:
    """A section's title on a rule, and one quiet line that says how to read it."""
    rule = Rule(Text(title, style="bold"), align="left", style=QUIET)
    return Group("", rule, indented(Text(explained, style=QUIET))) if explained else Group("", rule)


def indented(content: RenderableType, left: int = 2) -> Padding:
    """The content with a margin on the left."""
    return Padding(content, (0, 0, 0, left))


def grid(*columns: int | None) -> Table:
    """A table without lines; a column is so many characters wide, or takes what is left (None)."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    for width in columns:
        table.add_column(width=width, ratio=None if width else 1, overflow="fold")
    return table


def _letter(page: ReviewView, explain: Sequence[str]) -> RenderableType:
    return Group(
        _head(page), *_glance(page), *_sets(page), *_why(page, explain), *_differential(page), *_evidence(page),
        *_tests(page), *cautions(page.cautions), *issues_read(page.issues), *sources(page.cited.entries),
        "", indented(Text(DISCLAIMER, style=QUIET)))


def _head(page: ReviewView) -> RenderableType:
    top = Table.grid(expand=True)
    top.add_column(ratio=1)
    top.add_column(justify="right")
    top.add_row(Text("POEMS review", style="bold"), Text(f"knowledge {page.knowledge}", style=QUIET))
    day = f"as of {page.as_of}" if page.as_of else ""
    who = " · ".join(filter(None, (f"Patient {page.patient}", page.person, day)))
    setting = Text.assemble("Setting: ", page.setting, marks_of(page.setting_marks))
    return Group(Rule(style=QUIET, characters="━"), top, Text(who), setting)


def _glance(page: ReviewView) -> list[RenderableType]:
    lines: list[RenderableType] = [heading("At a glance")]
    if page.refused:
        word = "row was" if page.refused == 1 else "rows were"
        lines.append(indented(Text(f"! {page.refused} {word} refused: this review rests on the rest of the input only.",
                                   style="bold yellow")))
    return [*lines, *(indented(Text(line, style="" if place else "bold")) for place, line in enumerate(page.glance))]


def verdict_text(verdict: Verdict, level: str = "") -> Text:
    """Symbol and word of a verdict, with its level where the set has several."""
    word = f"{verdict.value}, {level}" if level and verdict is not Verdict.NOT_MET else verdict.value
    return Text(f"{SYMBOL[verdict]} {word}", style=STYLE[verdict])


def _sets(page: ReviewView) -> list[RenderableType]:
    table = grid(16, 42, None)
    told: dict[tuple[str, ...], str] = {}
    for item in page.sets:
        label = Text.assemble(item.label, (f" {item.when}" if item.years[:4] not in item.label else "", QUIET),
                              marks_of(item.marks))
        table.add_row(verdict_text(item.verdict, item.level), label,
                      _needs(item, told) if item.missing else Text(item.against, style=QUIET))
    return [heading("Criteria", "● met   ○ not met   ◌ unknown: the record does not say.   Right: what would complete "
                    "it."), indented(table)]


def _needs(item: SetView, told: dict[tuple[str, ...], str]) -> RenderableType:
    """What is missing, one thing after the other, or the set that misses the same."""
    if item.missing in told:
        return Text(f"as for {told[item.missing]}", style=QUIET)
    told[item.missing] = item.label
    table = grid(1, None)
    for line in item.missing:
        table.add_row("" if line.endswith(":") else "+", Text(line))
    return table


def _why(page: ReviewView, explain: Sequence[str]) -> list[RenderableType]:
    shown: list[RenderableType] = []
    told: set[str] = set()
    chosen = [item for item in page.sets if item.id in explain] or page.leading
    for item in chosen:
        shown.append(heading(f"Why: {item.label}", item.summary))
        shown += [part_lines(part, 0, told) for part in item.parts]
        for text, marks in item.footnotes if item.id in explain else ():
            shown.append(indented(Text.assemble(("Footnote: ", QUIET), text, marks_of(marks))))
        for text in item.readings if item.id in explain else ():
            shown.append(indented(Text.assemble(("Our reading: ", QUIET), text)))
    return shown


def part_lines(part: PartView, depth: int, told: set[str]) -> RenderableType:
    """One part with its reasons, indented by its depth. told: the parts that were printed in full before."""
    line = Text.assemble((f"{SYMBOL[part.verdict]} ", STYLE[part.verdict]), (part.label, "" if depth else "bold"),
                         (f"  {part.verdict.value}", STYLE[part.verdict]), marks_of(part.marks))
    if part.id in told:
        return indented(Text.assemble(line, ("  (see above)", QUIET)), 2 + 3 * depth)
    told.add(part.id)
    if part.parts and not part.is_question:
        blank = [inner for inner in part.parts if inner.is_blank]
        rest = [part_lines(inner, depth + 1, told) for inner in part.parts if not inner.is_blank]
        return Group(indented(line, 2 + 3 * depth), *rest, *([_blank(blank, depth + 1)] if blank else []))
    table = grid(None, 10, 34)
    for seen in part.observations:
        table.add_row(Text.assemble(seen.what, (f"  {seen.how}" if seen.how else "", QUIET)),
                      Text(seen.date, style=QUIET), Text(seen.source, style=QUIET))
    return Group(indented(line, 2 + 3 * depth), *([indented(table, 4 + 3 * depth)] if part.observations else []))


def _blank(parts: Sequence[PartView], depth: int) -> RenderableType:
    """The parts of which the record says nothing, on one line."""
    table = Table.grid(expand=True)
    table.add_column(width=2)
    table.add_column(ratio=1)
    names = [Text.assemble(part.label, marks_of(part.marks)) for part in parts]
    table.add_row(Text(SYMBOL[Verdict.UNKNOWN], style=STYLE[Verdict.UNKNOWN]),
                  Text.assemble(("not recorded: ", STYLE[Verdict.UNKNOWN]), Text(", ").join(names)))
    return indented(table, 2 + 3 * depth)


def _differential(page: ReviewView) -> list[RenderableType]:
    table = grid(32, BAR, 8, None)
    for item in page.diseases:
        style = "bold" if item.is_target else ""
        table.add_row(Text(item.label, style=style), _bar(item), Text(item.text.rjust(7), style=style),
                      Text(item.interval, style=QUIET))
    given = [indented(Text(f"Given in this setting, and not counted again: {page.setting_given}.", style=QUIET))
             ] if page.setting_given else []
    return [heading("Differential", "Probability if it is one of these, with its 95 % interval: █ at least, ▒ up to "
                    "the estimate, ─ at most."), indented(table), *given]


def _bar(item: DiseaseView) -> Text:
    low, middle, high = (round(share * BAR) for share in (item.low, item.probability, item.high))
    bar = Text("█" * low + "▒" * (middle - low), style=FOR if item.is_target else "")
    if high > max(low, middle):
        bar.append("─" * (high - max(low, middle)), style=QUIET)
    return bar if bar.plain else Text("▏", style=QUIET)


def _evidence(page: ReviewView) -> list[RenderableType]:
    shown = page.evidence + page.slight
    if not shown:
        return []
    widest = max(abs(item.log_ratio) for item in shown) or 1.0
    table = grid(1, 32, 2 * HALF + 1, 7, 9, None)
    for item in page.evidence:
        table.add_row(Text(SYMBOL[item.verdict], style=STYLE[item.verdict]), Text(item.label), _diverging(item, widest),
                      Text(item.factor.rjust(7)), Text(item.grade, style=QUIET), marks_of(item.marks, lead=""))
    rest = [Text.assemble(f"{speaker} speaks also for: ", Text(", ").join(map(_named, items)))
            for speaker, items in page.spoken.items()]
    if page.slight:
        rest.insert(0, Text.assemble("Hardly moved it: ", Text(", ").join(map(_named, page.slight))))
    rest.append(Text("; ".join(f"{key}: {GRADE[key]}" for key in dict.fromkeys(item.grade for item in shown)) + "."))
    for line in rest:
        line.stylize(QUIET)
    return [heading("What moved it", "Left: against, right: for. × so many times as frequent as in the alternatives, ÷ "
                    "so many times rarer. Findings that travel together count once."), indented(table),
            *map(indented, rest)]


def _named(item: EvidenceView) -> Text:
    word = "" if item.verdict is Verdict.MET else f" {item.verdict.value}"
    factor = "" if item.spoken_by else f" {item.factor}"
    return Text.assemble(item.label, word, factor, marks_of(item.marks))


def _diverging(item: EvidenceView, widest: float) -> Text:
    cells = abs(item.log_ratio) / widest * HALF
    whole = int(cells)
    if item.log_ratio >= 0:
        bar = "█" * whole + EIGHTHS[round((cells - whole) * 8)].strip()
        return Text.assemble(" " * HALF, ("│", QUIET), (bar, FOR))
    return Text.assemble(" " * (HALF - max(whole, 1)), ("▓" * max(whole, 1), AGAINST), ("│", QUIET))


def _tests(page: ReviewView) -> list[RenderableType]:
    if not page.tests:
        return []
    widest = max(max(item.gain for item in page.tests), 0.01)
    table = grid(None, 10, 10, 32)
    for item in page.tests[:MOST_TESTS]:
        bar = Text("█" * round(item.gain / widest * 10), style=FOR)
        settles = Text("could settle " + ", ".join(item.settles) if item.settles else "", style=QUIET)
        gain = Text(f"{bits(item.gain)} bit".rjust(9))
        table.add_row(Text.assemble(item.label, marks_of(item.marks)), bar, gain, settles)
    rest = ", ".join(item.label for item in page.tests[MOST_TESTS:])
    more = [indented(Text(f"Would tell less: {rest}.", style=QUIET))] if rest else []
    return [heading("Next", page.tests_hint), indented(table), *more]


def cautions(said: Sequence[tuple[str, tuple[Mark, ...]]]) -> list[RenderableType]:
    """What the reader must mind."""
    if not said:
        return []
    table = grid(1, None)
    for text, marks in said:
        table.add_row("•", Text.assemble(text, marks_of(marks)))
    return [heading("Mind"), indented(table)]


def issues_read(issues: Sequence[Issue]) -> list[RenderableType]:
    """What the readers had to say about the input."""
    if not issues:
        return []
    table = grid(8, None)
    for issue in issues:
        table.add_row(Text("refused" if issue.level == "fault" else issue.level,
                           style="bold yellow" if issue.level == "fault" else QUIET), Text(clean(str(issue))))
    return [heading("What the reading of the input has to say"), indented(table)]


def sources(entries: Sequence[Entry]) -> list[RenderableType]:
    """The numbered citations."""
    table = grid(5, None)
    for entry in entries:
        table.add_row(f"[{entry.number}]".rjust(4), Text.assemble(
            entry.text, (f" {entry.link}" if entry.link else "", QUIET),
            (f" ({entry.seen}) " if entry.seen else " ", QUIET), ("; ".join(entry.places), QUIET)))
    return [heading("Sources", "* beside a number: the claim was not read in the source itself; the list says how it "
                    "was come by."), indented(table)]


def marks_of(marks: Sequence[Mark], lead: str = " ") -> Text:
    """The numbers of the sources behind a claim."""
    return Text(lead + " ".join(mark.text for mark in marks) if marks else "", style=QUIET)
