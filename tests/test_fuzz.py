"""Mutated inputs: no traceback, no event that the clean part does not hold, and every touched piece named.

Two kinds. Bytes: flipped, cut, inserted, doubled anywhere; the reader may refuse or may read another value, but what
was not touched reads as before wherever the container still opens. Structure: one row or element made wrong in a known
way; it gives no event, an issue names it, and everything else reads as before. The short run is part of every test run,
the long one (100,000 inputs per reader) is marked slow.
"""

from __future__ import annotations

import json
import math
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from events import PATIENTS, TODAY, some
from writers import as_csv, as_fhir, as_phenopacket, cells, parquet

from poems.adapters import Reading, read
from poems.evaluate import evaluate
from poems.knowledge import Knowledge
from poems.record import COLUMNS, Event, records
from poems.rules import Above, Present, Rule

SHORT, LONG = 1_500, 100_000
PLACE = re.compile(r"input, (row \d+|[^\]]*\]|.*)")
Tree = dict[str, Any]


def place_of(where: str) -> str:
    """The row or element that an issue or an event comes from."""
    found = PLACE.match(where)
    return found[1] if found else ""


@dataclass
class Sample:
    """A clean input in pieces: what stands before, between and after them, and what each piece gives."""

    form: str
    pieces: list[tuple[str, str]]  # place, text
    joints: list[str]  # one more than pieces
    clean: dict[str, list[Event]] = field(default_factory=dict)

    def data(self, place: int = -1, text: str | bytes = "") -> bytes:
        """The input, with one piece replaced."""
        found = [self.joints[0].encode()]
        for number, (piece, joint) in enumerate(zip(self.pieces, self.joints[1:], strict=True)):
            raw = text if number == place else piece[1]
            found += [raw if isinstance(raw, bytes) else raw.encode(), joint.encode()]
        return b"".join(found)


def by_place(events: tuple[Event, ...]) -> dict[str, list[Event]]:
    """The events of each row or element."""
    found: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        found[place_of(event.source)].append(event)
    return dict(found)


def json_sample(form: str, tree: Tree, root: str) -> Sample:
    """A JSON object in pieces: the elements of its lists."""
    pieces, joints, head = [], [], "{"
    for number, (key, value) in enumerate(tree.items()):
        head += f"{', ' if number else ''}{json.dumps(key)}: "
        if not isinstance(value, list):
            head += json.dumps(value)
            continue
        for place, element in enumerate(value):
            joints.append(head + ("[" if place == 0 else ", "))
            pieces.append((f"{root}.{key}[{place}]", json.dumps(element)))
            head = ""
        head += "]"
    return Sample(form, pieces, [*joints, head + "}"])


def samples(form: str, knowledge: Knowledge, dice: random.Random, count: int = 40) -> list[Sample]:
    """Clean inputs with what each of their pieces gives; every piece gives an event."""
    found = []
    for _ in range(count):
        events = some(knowledge, dice, 7)
        if form == "csv":
            heading, *rows = (line.rsplit(",", 1)[0] for line in as_csv(events).decode().splitlines())  # no source
            sample = Sample(form, [(f"row {row}", text) for row, text in enumerate(rows, 2)],
                            [heading + "\n", *["\n"] * len(rows)])
        elif form == "fhir":
            sample = json_sample(form, json.loads(as_fhir(events, knowledge)), "Bundle")
        else:
            events = [replace(event, patient=PATIENTS[0]) for event in events]
            sample = json_sample(form, json.loads(as_phenopacket(events, knowledge)), "phenopacket")
        reading = read(sample.data(), knowledge, name="input", format=form, today=TODAY)
        assert not [issue for issue in reading.issues if issue.level == "fault"]
        assert len(reading.events) == len(events)
        sample.clean = by_place(reading.events)
        found.append(sample)
    return found


def sound(reading: Reading, knowledge: Knowledge) -> None:
    """Whatever came in: known findings, finite values, days up to today, issues that say something."""
    for event in reading.events:
        concept = knowledge.concepts[event.finding]
        assert event.patient and event.status in ("", "present", "absent")
        assert event.status or event.value is not None
        for number in (event.value, event.upper_limit):
            assert number is None or (math.isfinite(number) and number >= 0 and event.unit == concept.unit)
        assert event.date is None or date(1900, 1, 1) <= event.date <= TODAY
    for issue in reading.issues:
        assert issue.level in ("fault", "caution", "note") and issue.where.startswith("input") and issue.found


def rules_of(events: list[Event], knowledge: Knowledge) -> list[Rule]:
    """A rule for each finding: it is there, or it is above 100."""
    return [Above(finding, 100.0) if knowledge.concepts[finding].unit else Present(finding)
            for finding in sorted({event.finding for event in events})]


def same_verdicts(mutated: tuple[Event, ...], clean: list[Event], knowledge: Knowledge) -> None:
    """The verdicts of the mutated input are those of its clean part."""
    ours, theirs = ({record.patient: record for record in records(events)} for events in (mutated, clean))
    assert ours.keys() == theirs.keys()
    for rule in rules_of(clean, knowledge):
        for patient, record in ours.items():
            assert evaluate(rule, record) == evaluate(rule, theirs[patient])


# --- bytes ---------------------------------------------------------------------------------------------------------

ALPHABET = b'\x00\xff\xc3\x28"\'{}[],:;.-+eE0123456789\n\r\t\\ \xef\xbb\xbfnNtf<>/'


def scratched(data: bytes, dice: random.Random) -> bytes:
    """The bytes with one to three wounds."""
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        place = dice.randrange(len(data) + 1)
        kind = dice.randrange(6)
        if kind == 0 and place < len(data):
            data = data[:place] + bytes([data[place] ^ (1 << dice.randrange(8))]) + data[place + 1:]
        elif kind == 1 and place < len(data):
            data = data[:place] + bytes([dice.choice(ALPHABET)]) + data[place + 1:]
        elif kind == 2:
            data = data[:place] + bytes(dice.choice(ALPHABET) for _ in range(dice.randrange(1, 5))) + data[place:]
        elif kind == 3:
            data = data[:place] + data[place + dice.randrange(1, 9):]
        elif kind == 4:
            data = data[:place] + data[max(0, place - dice.randrange(1, 40)):]
        else:
            data = data[:place] if dice.random() < 0.3 else data[:place] + bytes([dice.randrange(256)]) + data[place:]
    return data


def scratch_anywhere(form: str, knowledge: Knowledge, dice: random.Random, times: int) -> int:
    """Mutate whole inputs; whatever comes out is sound. Returns how many were read."""
    pool = [sample.data() for sample in samples(form, knowledge, dice, 20)]
    for _ in range(times):
        sound(read(scratched(dice.choice(pool), dice), knowledge, name="input", format=form, today=TODAY), knowledge)
    return times


def still_apart(sample: Sample, data: bytes, number: int, wound: bytes) -> bool:
    """Whether the mutated input still has the same pieces at the same places, so that the others can be compared."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    if sample.form == "csv":
        return not set(wound.decode()) & set('"\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029')
    try:
        tree = json.loads(text)
        piece = json.loads(wound)
    except (ValueError, RecursionError):
        return False
    key, place = re.findall(r"\.(\w+)\[(\d+)\]", sample.pieces[number][0])[0]
    pieces = tree.get(key)
    return isinstance(pieces, list) and len(pieces) > int(place) and repr(pieces[int(place)]) == repr(piece)


def scratch_pieces(form: str, knowledge: Knowledge, dice: random.Random, times: int) -> int:
    """Mutate the bytes of one piece; the others read as before wherever the input still comes apart."""
    pool, compared = samples(form, knowledge, dice), 0
    for _ in range(times):
        sample = dice.choice(pool)
        number = dice.randrange(len(sample.pieces))
        if '"Patient"' in sample.pieces[number][1]:
            number = len(sample.pieces) - 1  # a Patient is what the others point at: all of them are touched with it
        wound = scratched(sample.pieces[number][1].encode(), dice)
        data = sample.data(number, wound)
        reading = read(data, knowledge, name="input", format=form, today=TODAY)
        sound(reading, knowledge)
        if still_apart(sample, data, number, wound):
            compared += 1
            touched, found = sample.pieces[number][0], by_place(reading.events)
            assert {key: value for key, value in found.items() if key != touched} == {
                key: value for key, value in sample.clean.items() if key != touched}
    assert compared > times / 20
    return times


# --- structure -----------------------------------------------------------------------------------------------------

HUGE = "1" + "0" * 40
DEEP = "[" * 90 + "]" * 90
Wrong = tuple[str, Callable[[list[str]], list[str]]]


def put(column: str, *texts: str) -> list[Callable[[list[str], random.Random], list[str] | None]]:
    """Ways to put a wrong text into a column."""
    place = COLUMNS.index(column)

    def change(row: list[str], text: str) -> list[str]:
        return [*row[:place], text, *row[place + 1:]]

    return [lambda row, _, text=text: change(row, text) for text in texts]  # type: ignore[misc]


WRONG_ROWS = [
    *put("patient", "", "p\x00", "p\u202e", "p" * 200),
    *put("date", "2026-01-02", "2027", "2020-02-30", "1-1-2020", "1800-01-01"),
    *put("finding", "", "no such thing", "\x07"), *put("status", "perhaps", "1", "present\x00"),
    *put("value", "nan", "inf", "-inf", "1e400", HUGE, "-1", "1,5", "true", "one", "1e-400", "0x10"),
    *put("comparator", "~", "<>"), *put("specimen", "spit", "5"), *put("upper_limit", "-5", "0", "nan", "<3", "1e999"),
    *put("method", "?" * 3, "m" * 99),
]
WRONG_CELLS = [lambda row, _: row[:-1], lambda row, _: [*row, ""]]
WRONG_UNITS = put("unit", "furlong", "Mg/dL", "", "mol", "10^99/L")


def wrong_row(row: list[str], concept_unit: str, dice: random.Random, ragged: bool = True) -> list[str]:
    """A row of the events table made wrong in one way."""
    ways = [*WRONG_ROWS, *(WRONG_CELLS if ragged else []), *(WRONG_UNITS if needs_unit(concept_unit) else [])]
    return dice.choice(ways)(row, dice) or row  # type: ignore[operator]


def needs_unit(unit: str) -> bool:
    """Whether an empty unit is refused."""
    return bool(unit) and unit != "1" and not unit.startswith("{")


def wrong_line(sample: Sample, number: int, knowledge: Knowledge, dice: random.Random) -> str:
    """A CSV row made wrong."""
    event = sample.clean[sample.pieces[number][0]][0]
    row = wrong_row(cells(event)[:-1], knowledge.concepts[event.finding].unit, dice)
    return ",".join(f'"{cell}"' if "," in cell else cell for cell in row)


ANY_ELEMENT: list[Callable[[str], str]] = [
    lambda text: '{"twice": 1, "twice": 2, ' + text[1:], lambda text: '{"number": NaN, ' + text[1:],
    lambda text: '{"number": -Infinity, ' + text[1:], lambda text: '{"number": 1e400, ' + text[1:],
    lambda text: f'{{"number": {HUGE}, ' + text[1:], lambda text: f'{{"deep": {DEEP}, ' + text[1:],
    lambda text: '"text"', lambda text: "5", lambda text: "[1]", lambda text: "true", lambda text: "null",
    lambda text: "{}",
]
WRONG_CODES: list[Any] = [5, [], {"coding": {}}, {"coding": [5]}, {"coding": [{"system": 5}]}, {"text": 5}, {},
                          {"coding": [{"system": "http://loinc.org", "code": "0-0"}]}]
WRONG_DAYS: list[Any] = ["2026-01-02", "2020-02-30", "yesterday", "1850-01-01", 20200101, {}, ["2020-01-01"], True]
WRONG_QUANTITIES: list[Any] = [
    {"value": "12"}, {"value": True}, {"value": -5}, {"value": 1e300}, {"value": [1]}, {"value": None},
    {"code": "furlong", "unit": "furlong"}, {"code": 5}, {"comparator": "~"}, {"comparator": 5}]


def wrong_resources(entry: Tree) -> Iterator[Tree]:
    """A Bundle entry made wrong in every way that its kind has."""
    resource = entry["resource"]
    kind = resource["resourceType"]
    changes: list[Tree] = []
    if kind == "Patient":
        changes += [{"gender": "m"}, {"gender": 5}, {"birthDate": {}}, {"id": 5}]
    else:
        code = "medicationCodeableConcept" if kind == "MedicationAdministration" else "code"
        changes += [{code: wrong} for wrong in WRONG_CODES]
        changes += [{"subject": wrong} for wrong in ("Patient/p1", {"reference": 5}, {}, {"reference": "#p"}, [])]
        changes += [{key: wrong} for key in resource if key.endswith("DateTime") for wrong in WRONG_DAYS]
    if kind == "Condition":
        changes += [{"verificationStatus": wrong} for wrong in (5, "refuted", {"coding": [{"code": "perhaps"}]}, [])]
    elif kind != "Patient":
        changes += [{"status": wrong} for wrong in (5, "perhaps", None, "entered-in-error", [])]
    if "valueQuantity" in resource:
        changes += [{"valueQuantity": {**resource["valueQuantity"], **wrong}} for wrong in WRONG_QUANTITIES]
        changes += [{"valueQuantity": wrong} for wrong in (5, "450", [])] + [{"valueString": "again"}]
        changes += [{"referenceRange": wrong} for wrong in (5, [{"high": {"value": -3}}], [{"high": {"value": "3"}}])]
    elif kind == "Observation":
        changes += [{"valueBoolean": wrong} for wrong in ("yes", 1, [])]
    changes += [{"modifierExtension": [{"url": "x"}]}, {"modifierExtension": 5}]
    yield from ({**entry, "resource": {**resource, **change}} for change in changes)


WRONG_TERMS: list[Any] = [5, {"id": 5}, {"id": "HP:9999999"}, {}, [], {"id": [], "label": "x"}]
WRONG_TIMES: list[Any] = [*({"timestamp": day} for day in WRONG_DAYS), 5, [], {"timestamp": {}}, {"interval": 5}]


def wrong_elements(element: Tree) -> Iterator[Tree]:
    """An element of a phenopacket made wrong in every way that its kind has."""
    for key in ("type", "term", "assay"):
        if key in element:
            yield from ({**element, key: wrong} for wrong in WRONG_TERMS)
    for key in ("onset", "timeObserved"):
        if key in element:
            yield from ({**element, key: wrong} for wrong in WRONG_TIMES)
    if "excluded" in element:
        yield from ({**element, "excluded": wrong} for wrong in ("yes", 1, []))
        yield {**element, "negated": True}
    if isinstance(quantity := element.get("value", {}).get("quantity"), dict):
        for wrong in ({"value": "12"}, {"value": True}, {"value": -5}, {"value": 1e300}, {"value": None}, {"unit": 5},
                      {"unit": {"id": "UCUM:furlong"}}, {"referenceRange": {"high": -1}}, {"referenceRange": 5}):
            yield {**element, "value": {"quantity": {**quantity, **wrong}}}
        yield from ({**element, "value": wrong} for wrong in (5, [], {}, {"quantity": []}))
    if "measurements" in element:
        part, = element["measurements"]
        yield from ({**element, "measurements": [wrong]} for wrong in wrong_elements(part))
        yield {**element, "individualId": "somebody else"}
    if isinstance(treatment := element.get("treatment"), dict):
        yield from ({"treatment": {**treatment, "agent": wrong}} for wrong in WRONG_TERMS)
        yield from ({"treatment": {**treatment, "doseIntervals": [{"interval": {"start": day}}]}} for day in WRONG_DAYS)


def wrong_text(sample: Sample, number: int, dice: random.Random, known: dict[str, list[str]]) -> str:
    """The text of an element made wrong; the ways of each element are worked out once."""
    text = sample.pieces[number][1]
    if dice.random() < 0.25:
        return dice.choice(ANY_ELEMENT)(text)
    if text not in known:
        ways = wrong_resources if sample.form == "fhir" else wrong_elements
        known[text] = [json.dumps(wrong) for wrong in ways(json.loads(text))]
    return dice.choice(known[text])


def break_pieces(form: str, knowledge: Knowledge, dice: random.Random, times: int) -> int:
    """Make one piece wrong: it gives nothing, an issue names it, the rest reads and judges as before."""
    pool = samples(form, knowledge, dice)
    known: dict[str, list[str]] = {}
    for turn in range(times):
        sample = dice.choice(pool)
        number = dice.randrange(len(sample.pieces))
        touched = sample.pieces[number][0]
        text = wrong_line(sample, number, knowledge, dice) if form == "csv" else wrong_text(sample, number, dice, known)
        reading = read(sample.data(number, text), knowledge, name="input", format=form, today=TODAY)
        left = {key: value for key, value in sample.clean.items() if key != touched}
        assert by_place(reading.events) == left, (touched, text)
        assert touched in {place_of(issue.where) for issue in reading.issues}, (touched, text, reading.issues)
        sound(reading, knowledge)
        if turn % 20 == 0:
            same_verdicts(reading.events, [event for events in left.values() for event in events], knowledge)
    return times


def break_parquet(knowledge: Knowledge, dice: random.Random, times: int, batch: int = 400) -> int:
    """Make rows of Parquet files wrong, half of the rows of each file: each counts as one input."""
    broken = 0
    while broken < times:
        clean, rows, touched = some(knowledge, dice, batch), [], set()
        for number, event in enumerate(clean, 1):
            row = cells(event)
            if dice.random() < 0.5:
                row = wrong_row(row, knowledge.concepts[event.finding].unit, dice, ragged=False)
                touched.add(f"row {number}")
            rows.append(row)
        reading = read(parquet(rows, {}), knowledge, name="input", today=TODAY)
        left = [event for number, event in enumerate(clean, 1) if f"row {number}" not in touched]
        assert [replace(event, source="") for event in reading.events] == left
        assert not touched & {place_of(event.source) for event in reading.events}
        named = {place_of(issue.where) for issue in reading.issues}
        unnamed = {place for place in touched - named if rows[int(place[4:]) - 1][2] != "no such thing"}  # listed once
        assert not unnamed
        broken += len(touched)
    return broken


def scratch_parquet(knowledge: Knowledge, dice: random.Random, times: int, folder: Path) -> int:
    """Mutate the bytes of small Parquet files, compressed or not."""
    pool = [parquet([cells(event) for event in some(knowledge, dice, 6)], types)
            for types in ({}, {"date": "DATE", "value": "DOUBLE", "upper_limit": "DOUBLE"}) for _ in range(10)]
    path = folder / "events.parquet"
    for _ in range(times):
        path.write_bytes(scratched(dice.choice(pool), dice))
        sound(read(path, knowledge, name="input", format="parquet", today=TODAY), knowledge)
    return times


def fuzz(form: str, knowledge: Knowledge, times: int, folder: Path) -> int:
    """Mutate `times` inputs of a reader in every way; returns how many were read."""
    dice = random.Random(f"{form} {times}")
    if form == "parquet":
        return scratch_parquet(knowledge, dice, times // 2, folder) + break_parquet(knowledge, dice, times - times // 2)
    third = times // 3
    return (scratch_anywhere(form, knowledge, dice, third) + scratch_pieces(form, knowledge, dice, third)
            + break_pieces(form, knowledge, dice, times - 2 * third))


@pytest.mark.parametrize("form", ["csv", "parquet", "fhir", "phenopacket"])
def test_a_few_mutated_inputs(form: str, knowledge: Knowledge, tmp_path: Path) -> None:
    """The short run: no traceback, nothing that the clean part does not support."""
    assert fuzz(form, knowledge, SHORT, tmp_path) >= SHORT


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "parquet", "fhir", "phenopacket"])
def test_a_hundred_thousand_mutated_inputs(form: str, knowledge: Knowledge, tmp_path: Path) -> None:
    """The long run: 100,000 mutated inputs per reader, and the same promises."""
    assert fuzz(form, knowledge, LONG, tmp_path) >= LONG
