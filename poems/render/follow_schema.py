"""The JSON Schema of `poems follow --format json`: `python -m poems.render.follow_schema > docs/follow.schema.json`."""

from __future__ import annotations

import sys

from poems.render import schema as review
from poems.render.schema import DAY, ID, NUMBER, SHARE, TEXT, VERDICT, Schema, cited, many, or_null, ref, shape, shared

NUMBER_OR_NULL: Schema = {"type": ["number", "null"]}
SHARE_OR_NULL: Schema = or_null(SHARE)
TEXTS: Schema = {"type": "array", "items": TEXT}
FLAG: Schema = {"type": "boolean"}


def schema() -> Schema:
    """The contract: one object for one patient, a list for several. Keys may be added; none listed here goes away."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The course of one or several patients by poems",
        "oneOf": [ref("any"), many("any")],
        "$defs": {
            "any": {"oneOf": [ref("course"), ref("own-course")]},
            "course": _course(), "own-course": _own_course(), "span": _span(), "line": _line(), "trend": _trend(),
            "scale": shape({**_series(), "change": TEXT}), "response": _response(), "relapse": _relapse(),
            "recorded": _recorded(),
            "pattern": _pattern(), "option": _option(), "factor": _factor(), "survival": _survival(),
            "visit": _visit(), "transplant": _transplant(), **shared(),
        },
    }


def text() -> str:
    """The schema as the file that is kept in docs."""
    return review.text(schema())


def _list(part: Schema) -> Schema:
    return {"type": "array", "items": part}


def _course() -> Schema:
    return shape({
        "patient": TEXT, "as_of": DAY, "knowledge": ID, "edition": {"const": "clinician"}, "diagnosed": DAY,
        "diagnosed_by": {"description": "The criteria set first met on that day; recorded: the record names the "
                                        "disease then; null: the first treatment.",
                         "type": ["string", "null"]},
        "died": DAY, "treatments": many("span"), "lines": many("line"), "trends": many("trend"),
        "scales": many("scale"), "responses": many("response"), "relapses": many("relapse"),
        "recorded_relapses": many("recorded"),
        "first_treatment": many("pattern"), "options": many("option"), "trials": many("pattern"),
        "prognosis": many("factor"), "survival": many("survival"), "calendar": many("visit"),
        "transplants": many("transplant"),
        "doubtful": {**TEXTS, "description": "What can overturn the first lines of the course."},
        "cautions": many("caution"), "issues": many("issue")},
        "The clinician's edition.")


def _own_course() -> Schema:
    made = shape({
        "patient": TEXT, "as_of": DAY, "knowledge": ID, "edition": {"const": "patient"}, "died": DAY,
        "record": many("event"),
        "treatments": _list(shape({"label": ID, "days": ID})),
        "values": _list(shape({"label": ID, "values": _list(shape({"date": TEXT, "value": TEXT})), "words": TEXTS})),
        "visits": _list(shape({"when": ID, "later": TEXTS, "then": {**TEXT, "description": "How often it comes again."},
                               "tests": TEXTS, "overdue": FLAG})),
        "questions": TEXTS, "urgent": {**TEXTS, "description": "What cannot wait; nothing after a death."},
        "notes": TEXTS, "remarks": {**TEXTS, "description": "The issues in plain words."},
        "issues": many("issue")},
        "The patient's edition: no verdict, no probability, no dose, no number of a prognosis.")
    never = ("trends", "responses", "relapses", "prognosis", "survival", "options", "first_treatment", "trials")
    return {**made, "properties": {**made["properties"], **dict.fromkeys(never, False)}}


def _span() -> Schema:
    return shape({"finding": ID, "label": ID, "start": DAY,
                  "end": {**DAY, "description": "null: nothing says that it has ended."}, "because": many("event")})


def _line() -> Schema:
    return shape({"number": {"type": "integer", "minimum": 1}, "start": DAY, "end": DAY, "treatments": _list(ID)})


def _series() -> Schema:
    return {"finding": ID, "label": ID, "method": TEXT, "upper_limit": NUMBER_OR_NULL, "samples": many("event")}


def _trend() -> Schema:
    level = {"level": NUMBER_OR_NULL, "low": NUMBER_OR_NULL, "high": NUMBER_OR_NULL}
    return shape({
        **_series(), "course": _list(shape({"date": DAY, **level}, "The smoothed level with its 95 % band.")),
        "now": shape(level, "The filtered level with its 95 % interval."), "nadir": NUMBER_OR_NULL, "nadir_date": DAY,
        "p_rise": {**SHARE_OR_NULL, "description": "P(true level now above the true level at the nadir)."},
        "p_above_limit": SHARE_OR_NULL,
        "crossing_weeks": or_null(shape({"median": NUMBER_OR_NULL, "low": NUMBER_OR_NULL, "high": NUMBER_OR_NULL})),
        "last_is_noise": SHARE_OR_NULL,
        "repeat": _list(shape({"weeks": NUMBER, "confirms": SHARE, "speaks_against": SHARE})),
        "alarm": {"enum": ["none", "confirm", "rising"]},
        "definition": {"description": "What the last value does for a definition of relapse; null: it meets none.",
                       "enum": [None, "met", "confirmed"]},
        "sensitivity": _list(shape({"noise": ID, "p_rise": SHARE})), "explained_by": many("event"), "notes": TEXTS,
        "sources": many("reference")}, "One series: one specimen, assay and laboratory limit.")


def _response() -> Schema:
    return shape({
        "id": ID, "label": ID, "now": {"description": "Id of a category, `not evaluable` or `unknown`.", **ID},
        "best": ID, "best_date": DAY,
        "until": {**DAY, "description": "The last day that shows it; where it is lost, the day that shows that."},
        "is_lost": FLAG, "duration_days": {"type": ["integer", "null"]}, "relapse_recorded": DAY, "why": TEXT,
        **cited(),
        "parts": many("part"), "drafts": TEXTS})


def _relapse() -> Schema:
    return shape({
        "id": ID, "label": ID, "verdict": VERDICT, "date": DAY, "confirmed": FLAG,
        "samples_asked_for": {"type": "integer", "description": "Met by one is met; by more it is confirmed."},
        "first_met": DAY, "not_met_any_more": DAY, "why": TEXT, "beside": TEXTS, "reading": TEXT,
        "not_counted": _list(shape({"finding": ID, "date": DAY, "why": TEXT})), "denied": DAY, **cited(),
        "because": many("event"),
        "literature": shape({"text": TEXT, **cited()}, "What the literature reports then; never an order.")})


def _recorded() -> Schema:
    return shape({"date": DAY, "line": {"type": "integer"}, "shown": FLAG, "why": TEXT, "denied": DAY,
                  "because": many("event")},
                 "A relapse as a clinician recorded it; shown: a definition is met in that line of treatment and "
                 "not over by then; denied: the last day on which none was recorded after it.")


def _pattern() -> Schema:
    return shape({"id": ID, "label": ID, "verdict": VERDICT, "why": TEXT, **cited(), "parts": many("part"),
                  "settled_by": ref("ways")})


def _option() -> Schema:
    return shape({
        "id": ID, "label": ID, "setting": TEXT, "outcomes": _list(shape({"what": TEXT, "text": TEXT, **cited()})),
        "harms": _list(shape({"text": TEXT, **cited()}))}, "A treatment as published; never an order.")


def _factor() -> Schema:
    return shape({
        "id": ID, "label": ID, "verdict": VERDICT, "outcome": TEXT, "hazard_ratio": NUMBER_OR_NULL,
        "low": NUMBER_OR_NULL, "high": NUMBER_OR_NULL, "cohort": TEXT, "applies": FLAG, **cited(),
        "because": many("event")},
        "One published factor; the ratios of several must not be multiplied. applies: whether this patient has had the "
        "treatment that all of the cohort had.")


def _survival() -> Schema:
    return shape({
        "cohort": ID, "era": TEXT, "n": {"type": ["integer", "null"]}, **cited(), "note": TEXT,
        "points": _list(shape({"outcome": ID, "years": NUMBER, "percent": {"type": "number", "minimum": 0,
                                                                           "maximum": 100}}))})


def _visit() -> Schema:
    test = shape({"id": ID, "label": ID}, "date and latest: when this test is due by itself, where it is counted from "
                 "the record; last: the last day it is on record since then, null: none.")
    test["properties"] |= {"last": DAY, "date": DAY, "latest": DAY}
    return shape({"date": DAY, "latest": DAY, "label": ID, "overdue": FLAG, "because": TEXT, **cited(),
                  "tests": _list(test)})


def _transplant() -> Schema:
    definition = shape({"id": ID, "label": ID, "verdict": VERDICT, "window": TEXT,
                        "in_window": {"type": ["boolean", "null"]}, **cited(), "parts": many("part")})
    return shape({"day_0": DAY, "definitions": _list(definition),
                  "rates": _list(shape({"cohort": TEXT, "text": TEXT, **cited()})),
                  "text": _list(shape({"text": TEXT, **cited()}))})


if __name__ == "__main__":
    sys.stdout.write(text())
