"""A cohort for programs: tables as CSV, everything as JSON, numbers in the words of people. Hidden counts are empty."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from io import StringIO
from typing import Any

from poems.disclosure import told
from poems.render.cohort_view import CohortView, Counts, FactorView, ModelView, Moment, Triple

HAZARDS = "From the first plasma-cell treatment. Alone: one factor at a time. Together: all usable ones in one model."


def tables(page: CohortView) -> dict[str, str]:
    """The tables as CSV text, by file name; a hidden count is an empty cell."""
    return {
        "curves.csv": _csv(("outcome", "measure", "years", "percent", "low", "high", "at_risk"), (
            (one.id, measure.id, moment.years, *(_percent(share) for share in (moment.value, moment.low, moment.high)),
             moment.at_risk)
            for one in page.endpoints for measure in one.measures for moment in measure.moments)),
        "people.csv": _csv(("outcome", "what", "people"), (
            ("cohort", "people", page.people), *(("cohort", *count) for count in page.counts),
            *((one.id, *count) for one in page.endpoints for count in (("people", one.people), *one.counts)),
            *((f"{one.id} model", *count) for one in page.models
              for count in (("people", one.people), ("dropped", one.dropped), ("events", one.events))))),
        "factors.csv": _csv(("outcome", "factor", "recorded", "present", "alone", "alone_low", "alone_high", "together",
                             "together_low", "together_high", "why_not", "published", "published_low",
                             "published_high", "published_cohort"),
                            (_factor(model, row) for model in page.models for row in model.factors)),
    }


def _factor(model: ModelView, row: FactorView) -> tuple[object, ...]:
    return (model.id, row.id, row.recorded, row.present, *_three(row.alone), *_three(row.together),
            row.why or ("" if row.together else model.why), *_three(row.published), row.cohort)


def _three(ratio: Triple | None) -> tuple[object, ...]:
    return tuple("" if value is None else f"{value:.3g}" for value in ratio or (None, None, None))


def _csv(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return text.getvalue()


def document(page: CohortView) -> str:
    """The same as JSON; a hidden count is null, shares are whole percents."""
    shown: dict[str, Any] = {
        "as_of": page.as_of, "knowledge": page.knowledge, "threshold": page.threshold, "people": page.people,
        "counts": dict(page.counts),
        "outcomes": [{"id": one.id, "label": one.label, "definition": one.definition, "people": one.people,
                      "counts": dict(one.counts), "median": one.median, "follow_up": one.follow_up,
                      "measures": {measure.id: [_moment(moment) for moment in measure.moments]
                                   for measure in one.measures}} for one in page.endpoints],
        "models": [{**_without_marks(model), "factors": [_without_marks(row) for row in model.factors]}
                   for model in page.models],
        "notes": page.notes,
    }
    return json.dumps(shown, ensure_ascii=False, indent=1) + "\n"


def _moment(moment: Moment) -> dict[str, int | None]:
    return {"years": moment.years, "percent": _percent(moment.value), "low": _percent(moment.low),
            "high": _percent(moment.high), "at_risk": moment.at_risk}


def _without_marks(row: ModelView | FactorView) -> dict[str, Any]:
    skipped = ("marks", "factors")
    return {key: value for key, value in vars(row).items() if key not in skipped}


def _percent(share: float | None) -> int | None:
    return None if share is None else round(100 * share)


def whole(share: float) -> str:
    """A share in whole percents; `<1` and `>99` where it is not quite none or all."""
    if 0 < share < 0.005 or 0.995 < share < 1:
        return "<1 %" if share < 0.5 else ">99 %"
    return f"{100 * share:.0f} %"


def interval(low: float | None, high: float | None) -> str:
    """`64 to 84 %`, or nothing where there is no interval."""
    return "" if low is None or high is None else f"{whole(low).removesuffix(' %')} to {whole(high)}"


def ratio(found: Triple | None) -> str:
    """`4.07 (1.41 to 11.8)`, or nothing."""
    if found is None:
        return ""
    value, low, high = found
    return f"{value:.3g}" + ("" if low is None or high is None else f" ({low:.3g} to {high:.3g})")


def counted(counts: Counts) -> str:
    """Counts in one line; a hidden one as a dot."""
    return ", ".join(f"{told(count)} {name}" for name, count in counts)


def together(model: ModelView) -> str:
    """The joint model in one sentence, or why there is none."""
    if model.concordance is None:
        return f"No joint model: {model.why}."
    return (f"Together: {told(model.people)} people, {told(model.events)} events, {told(model.dropped)} dropped for an "
            f"unknown factor; concordance {model.concordance:.2f}.")
