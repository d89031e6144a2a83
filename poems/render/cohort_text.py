"""A cohort as text for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from poems.disclosure import told
from poems.render.as_text import QUIET, heading, indented, marks_of, printed, sources
from poems.render.cohort_tables import HAZARDS, counted, interval, ratio, together, whole
from poems.render.cohort_view import CohortView, EndpointView, FactorView, ModelView


def letter(page: CohortView, *, width: int = 100, colour: bool = False) -> str:
    """The cohort as text; no line is longer than `width`."""
    parts: list[RenderableType] = [
        heading(f"POEMS cohort: {page.people} people"),
        indented(Text(f"as of {page.as_of or 'today'} · knowledge {page.knowledge}")),
        indented(Text(counted(page.counts)))]
    for one in page.endpoints:
        parts += _endpoint(one)
    for model in page.models:
        parts += _model(model)
    parts += [*_published(page), heading("How to read this"),
              *(indented(Text(f"- {note}")) for note in page.notes), *sources(page.cited.entries)]
    return printed([Group(*parts)], width, colour)


def _endpoint(one: EndpointView) -> list[RenderableType]:
    table = _table("Years", *(measure.label for measure in one.measures), "Followed", right=(0, len(one.measures) + 1))
    for place, moment in enumerate(one.measures[0].moments):
        cells = []
        for measure in one.measures:
            here = measure.moments[place]
            cells.append(Text.assemble(whole(here.value), (f"  {interval(here.low, here.high)}", QUIET)))
        table.add_row(str(moment.years), *cells, told(moment.at_risk))
    watched = f" Median follow-up {one.follow_up}." if one.follow_up else ""
    lines: list[RenderableType] = [
        heading(one.label, one.definition), indented(Text.assemble(f"{told(one.people)} people", marks_of(one.marks))),
        indented(Text(counted(one.counts))), indented(Text(f"Median {one.median}.{watched}"))]
    if one.measures[0].moments:
        return [*lines, "", indented(table)]
    return [*lines, indented(Text("Followed for less than a year: no table.", style=QUIET))]


def _model(model: ModelView) -> list[RenderableType]:
    table = _table("Factor", "Recorded", "Present", "Alone", "Together", "Published", right=(1, 2))
    for row in model.computed:
        table.add_row(Text.assemble(row.label, marks_of(row.marks)), told(row.recorded), told(row.present),
                      ratio(row.alone), ratio(row.together),
                      Text.assemble(ratio(row.published), (f" {row.cohort}", QUIET)))
    left = [Text.assemble("Not computed: ", _labels(rows), (f". {why[0].upper()}{why[1:]}.", QUIET))
            for why, rows in model.left.items()]
    lines: list[RenderableType] = [
        heading(f"Hazard ratios: {model.label.lower()}", HAZARDS), indented(Text(together(model))),
        *(indented(Text(f"! {text}.", style="yellow")) for text in model.warnings)]
    if model.computed:
        lines += ["", indented(table)]
    for line in left:
        lines += ["", indented(line)]
    return lines


def _labels(rows: Sequence[FactorView]) -> Text:
    return Text(", ").join(Text.assemble(row.label, marks_of(row.marks)) for row in rows)


def _published(page: CohortView) -> list[RenderableType]:
    if not page.published:
        return []
    table = _table("Years", "Outcome", "Published", "Cohort", right=(0,))
    for one in sorted(page.published, key=lambda one: (one.outcome, one.years)):
        table.add_row(f"{one.years:g}", one.outcome, one.percent, Text.assemble(
            one.cohort, (f" (n = {one.n})" if one.n else "", QUIET), marks_of(one.marks)))
    return [heading("Published survival, to hold beside", "Other people, other times, other treatments: no yardstick."),
            indented(table)]


def _table(*columns: str, right: tuple[int, ...] = ()) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=QUIET)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place in right else "left", overflow="fold")
    return table
