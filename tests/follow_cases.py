"""The case tables of follow-up: what stands in them, and what a follow-up says in their words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import yaml
from conftest import HERE

from poems.follow import Follow, follow
from poems.knowledge import Knowledge
from poems.record import COMPARATORS, Event, Record, records
from poems.rules import Verdict

TABLES = sorted((HERE / "cases" / "follow").glob("*.yaml"))
CONTAINED = ("cautions", "doubtful", "issues", "because", "overdue")
TEXTS = ("why", "notes", "window", "beside")


def cases() -> list[tuple[str, list[Any], dict[str, Any]]]:
    """Every case of every table with the rows that all cases of its table share."""
    found = []
    for path in TABLES:
        table = yaml.safe_load(path.read_text())
        found += [(path.stem, table.get("shared", []), case) for case in table["cases"]]
    return found


def event(row: list[Any], knowledge: Knowledge) -> Event:
    """A row `[finding, day, value or status, {other fields}]`; a value may begin with a comparator."""
    finding, day, said, *more = row
    fields = dict(more[0]) if more else {}
    if isinstance(said, str) and said in ("present", "absent"):
        return Event("p", finding, day, said, source=f"{finding} {day}", **fields)
    sign = next((s for s in sorted(COMPARATORS, key=len, reverse=True) if s and str(said).startswith(s)), "")
    return Event(
        "p",
        finding,
        day,
        "",
        float(str(said)[len(sign) :]),
        knowledge.concepts[finding].unit,
        sign,
        knowledge.concepts[finding].specimen,
        source=f"{finding} {day}",
        **fields,
    )


def followed(rows: list[Any], as_of: date, knowledge: Knowledge) -> Follow:
    """The follow-up of these rows on a day."""
    found = records([event(row, knowledge) for row in rows], as_of)
    return follow(found[0] if found else Record("p", (), as_of), knowledge, as_of=as_of)


def answer(shared: list[Any], case: dict[str, Any], knowledge: Knowledge) -> dict[str, Any]:
    """What the follow-up of a case says."""
    rows = [*([] if case.get("alone") else shared), *case.get("events", [])]
    return told(followed(rows, case["as-of"], knowledge))


def told(found: Follow) -> dict[str, Any]:
    """What a follow-up says, as plain values that a case can name."""
    return {
        **fields(found, "diagnosed diagnosed-by died"),
        "lines": [[line.start, *line.treatments] for line in found.lines],
        "responses": {
            item.id: {**fields(item, "now best best-day until is-lost relapsed why"), "days": item.duration_days}
            for item in found.responses
        },
        "relapses": _relapses(found),
        "trends": _trends(found),
        "scales": {series.finding: said for series, said in found.scales},
        "patterns": _verdicts(found.pattern),
        "settled": {item.id: item.settled_by for item in found.pattern},
        "trials": _verdicts(found.trials),
        "prognosis": _verdicts(found.prognosis),
        "apart": [item.id for item in found.prognosis if not item.applies],
        "transplants": [item.day_0 for item in found.transplants],
        "engraftment": {
            item.id: fields(item, "verdict in-window window")
            for sheet in found.transplants
            for item in sheet.definitions
        },
        "calendar": [fields(visit, "day latest overdue label tests because") for visit in found.calendar],
        "visits": _visits(found),
        "overdue": [visit.label for visit in found.calendar if visit.overdue],
        "late": [[visit.latest, *visit.tests] for visit in found.calendar if visit.overdue],
        "recorded": {str(item.day): fields(item, "line shown why denied") for item in found.recorded},
        "treatments": [[span.finding, span.start, span.end] for span in found.treatments],
        "cautions": [item.id for item in found.cautions],
        "doubtful": list(found.doubtful),
        "issues": [str(item) for item in found.issues],
    }


def fields(item: object, names: str) -> dict[str, Any]:
    """These fields of something said, a verdict as its word."""
    values = {name: getattr(item, name.replace("-", "_")) for name in names.split()}
    return {name: value.value if isinstance(value, Verdict) else value for name, value in values.items()}


def _verdicts(items: Sequence[Any]) -> dict[str, str]:
    return {item.id: item.verdict.value for item in items}


def _relapses(found: Follow) -> dict[str, Any]:
    """Those of the current line by their id, those of an earlier one as `id@line`."""
    said: dict[str, Any] = {}
    for item in found.relapses:
        past = next((line.number for line in found.lines[:-1] if f"(line {line.number}," in item.label), None)
        said[item.id if past is None else f"{item.id}@{past}"] = {
            **fields(item, "verdict day confirmed gone met-from samples is-repeated denied why"),
            "beside": "; ".join(item.beside),
            "is-once": "recorded once" in item.beside,
            "not-counted": [name for name, _, _ in item.not_counted],
            "is-doubted": any("a clinician has to say" in clause for clause in item.beside),
            "behind": [event.value for event in item.because],
            "because": [event.finding for event in item.because],
        }
    return said


def _trends(found: Follow) -> dict[str, Any]:
    """Each series by its quantity; a second one of the same quantity has a `+`."""
    said: dict[str, Any] = {}
    for trend in found.trends:
        name = trend.series.finding
        while name in said:
            name += "+"
        said[name] = {
            **fields(trend, "alarm definition is-likely is-defined p-rise p-above nadir-day"),
            "limit": trend.series.upper_limit,
            "noise": trend.last_is_noise,
            "samples": len(trend.series.samples),
            "explained": sorted({event.finding for event in trend.explained_by}),
            "notes": " ".join(trend.notes),
        }
    return said


def _visits(found: Follow) -> dict[str, list[list[date]]]:
    """Per kind of visit, from when to when each of them is due."""
    said: dict[str, list[list[date]]] = {}
    for visit in found.calendar:
        said.setdefault(visit.label, []).append([visit.day, visit.latest])
    return said


def differences(expected: Any, found: Any, where: str = "") -> list[str]:
    """Where what was written is not what was found. A mapping names a part; `p-...` [low, high] is a range; text and
    lists of `cautions`, `issues`, `why`, `notes`, `window`, `because`, `scales`, `settled` have to be contained.
    """
    key = where.rpartition(".")[2]
    if isinstance(expected, dict):
        if not isinstance(found, dict):
            return [f"{where}: expected a mapping, found {found!r}"]
        return [
            line
            for name, value in expected.items()
            for line in differences(value, found.get(name, f"no {name}"), f"{where}.{name}")
        ]
    if key.startswith("p-") and isinstance(expected, list):
        inside = isinstance(found, float) and expected[0] <= found <= expected[1]
        return [] if inside else [f"{where}: {found} not in {expected}"]
    if ".settled." in where:
        return [f"{where}: no {names} in {found}" for names in expected if names not in found]
    if key in ("overdue", "doubtful") and not expected:
        return [f"{where}: {found}"] if found else []
    if key in CONTAINED:
        return [f"{where}: no {part!r} in {found}" for part in expected if not any(part in item for item in found)]
    if isinstance(expected, str) and isinstance(found, str) and (key in TEXTS or ".scales." in where):
        return [] if expected in found else [f"{where}: no {expected!r} in {found!r}"]
    return [] if expected == found else [f"{where}: expected {expected!r}, found {found!r}"]
