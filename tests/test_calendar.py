"""The calendar file: two parsers read it, it names nobody, and taking it in again moves entries and doubles none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from uuid import NAMESPACE_URL, uuid3, uuid5

import follow_made
import pytest
import vobject
from conftest import HERE
from icalendar import Calendar
from icalendar.cal import Component

from poems import cli
from poems.adapters import read
from poems.follow import Follow, follow
from poems.knowledge import Knowledge
from poems.record import Event, Record, records
from poems.render import words
from poems.render.calendar import ics, is_empty, namespace
from poems.render.follow_patient import own_course
from poems.render.follow_words import by_kind

EXAMPLE = HERE.parent / "poems" / "examples" / "published-course.csv"
OCTOBER = date(2020, 10, 10)


def example(knowledge: Knowledge, as_of: date = OCTOBER, *more: Event) -> Follow:
    """The published course on a day, with what was entered since."""
    events = read(EXAMPLE, knowledge, today=date(2026, 1, 1)).events
    return follow(records([*events, *more], as_of)[0], knowledge, as_of=as_of)


def entries(file: bytes) -> list[Component]:
    """The entries of a calendar file."""
    return list(Calendar.from_ical(file).walk("VEVENT"))


def uids(file: bytes) -> set[str]:
    """The ids of its entries."""
    return {str(entry["uid"]) for entry in entries(file)}


def sample(day: str, finding: str = "vegf-plasma", value: float = 190.0) -> Event:
    """A row that is entered after a visit."""
    return Event("published-course", finding, date.fromisoformat(day), value=value, unit="pg/mL", specimen="plasma")


def test_two_parsers_read_it(knowledge: Knowledge) -> None:
    """All-day events, one for each visit, CRLF, folded lines, the same bytes each time, nothing before the day."""
    for found in (follow_made.everything(), example(knowledge), example(knowledge, date(2021, 3, 1))):
        made = ics(found, knowledge)
        assert made == ics(found, knowledge)
        assert b"\n" not in made.replace(b"\r\n", b"")
        assert max(map(len, made.split(b"\r\n"))) <= 75
        visits = [visit for several in by_kind(found.calendar, found.as_of) for visit in several]
        assert Counter(entry.decoded("dtstart") for entry in entries(made)) == Counter(
            max(visit.day, found.as_of) for visit in visits)
        for entry in entries(made):
            assert entry.decoded("dtend") - entry.decoded("dtstart") == timedelta(1)
            assert re.match("Visit[: ]", str(entry["summary"]))
            assert entry["dtstamp"].dt.tzinfo is not None
        assert len(uids(made)) == len(entries(made)) > 0
        others = list(vobject.readOne(made.decode()).vevent_list)
        assert {other.uid.value for other in others} == uids(made)
        assert {other.dtstart.value for other in others} == {entry.decoded("dtstart") for entry in entries(made)}


def test_it_names_nobody_and_holds_no_value(knowledge: Knowledge) -> None:
    """A calendar goes to clouds: neither the patient's id, nor a plain hash of it, nor a value is in it."""
    found = replace(follow_made.everything(), patient="Jane Doe 1960")
    text = ics(found, knowledge).decode().replace("\r\n ", "")
    assert "Jane" not in text
    for event in found.record.events:
        assert event.value is None or not re.search(rf"\b{re.escape(words.number(event.value))}\b pg", text)
    spaces = [uuid(NAMESPACE_URL, name) for uuid in (uuid3, uuid5) for name in ("Jane Doe 1960", "https://poems.invalid/visit")]
    guesses = {str(uuid5(space, f"{visit.label}|{place}")) for space in spaces for visit in found.calendar
               for place in range(3)}
    assert not guesses & {uid.partition("@")[0] for uid in uids(ics(found, knowledge))}


def test_two_patients_in_one_calendar_do_not_overwrite_each_other(knowledge: Knowledge) -> None:
    """Another id, or another record under the same id, has other entries throughout."""
    found = example(knowledge)
    twin = replace(found, patient="somebody else")
    events = tuple(replace(event, date=event.date and event.date + timedelta(1)) for event in found.record.events)
    other = replace(found, record=Record(found.patient, events, OCTOBER))
    assert not uids(ics(found, knowledge)) & uids(ics(twin, knowledge))
    assert namespace(other, knowledge) != namespace(found, knowledge)


@pytest.mark.parametrize(("as_of", "more"), [
    (date(2020, 11, 10), ()),
    (date(2021, 1, 12), (sample("2021-01-10"),)),
    (date(2021, 3, 1), (sample("2021-01-10"), sample("2021-02-20"))),
    (date(2021, 8, 1), ()),
], ids=["a month later", "after a visit", "after two visits", "nobody came"])
def test_taken_in_again_it_moves_entries_and_doubles_none(as_of: date, more: Iterable[Event],
                                                          knowledge: Knowledge) -> None:
    """Of each kind of visit a calendar never holds more than the longer of the two files; what is newer is higher."""
    first, second = ics(example(knowledge), knowledge), ics(example(knowledge, as_of, *more), knowledge)
    taken_in = {str(entry["uid"]): entry for file in (first, second) for entry in entries(file)}
    held = Counter(str(entry["summary"]) for entry in taken_in.values())
    longest = Counter(str(entry["summary"]) for entry in entries(first)) | Counter(
        str(entry["summary"]) for entry in entries(second))
    assert held == longest
    assert uids(first) & uids(second)
    assert max(int(entry["sequence"]) for entry in entries(first)) < min(
        int(entry["sequence"]) for entry in entries(second))


def test_what_is_entered_later_leaves_the_ids(knowledge: Knowledge) -> None:
    """The ids hang on the patient and the first dated day; the day of birth is no such day."""
    found = example(knowledge)
    born = Event("published-course", "birth-date", date(1964, 5, 1), "present")
    later = example(knowledge, date(2021, 3, 1), sample("2021-02-20"))
    whose = namespace(found, knowledge)
    assert namespace(later, knowledge) == whose
    assert namespace(example(knowledge, OCTOBER, born), knowledge) == whose
    assert namespace(example(knowledge, OCTOBER, sample("2019-01-01")), knowledge) != whose


def test_the_dead_are_not_called(knowledge: Knowledge) -> None:
    """After a death there is no entry."""
    assert not entries(ics(replace(follow_made.everything(), died=date(2022, 3, 15)), knowledge))


def test_what_is_overdue_says_so(knowledge: Knowledge) -> None:
    """An overdue visit stands on the day asked about and asks whether it has been done."""
    found = follow_made.everything()
    late = [entry for entry in entries(ics(found, knowledge)) if entry.decoded("dtstart") == found.as_of]
    assert [str(entry["description"]).partition(":")[0] for entry in late] == ["Was due by 2021-12-10"]


def test_the_patients_calendar_is_in_the_patients_words(knowledge: Knowledge) -> None:
    """One entry a day, each test once, plain names, and no name of a definition; as many as the page tells."""
    for as_of in (OCTOBER, date(2021, 3, 1)):
        found = example(knowledge, as_of)
        own, known = entries(ics(found, knowledge, "patient")), entries(ics(found, knowledge))
        days = [entry.decoded("dtstart") for entry in own]
        assert len(days) == len(set(days)) > 0
        assert set(days) <= {entry.decoded("dtstart") for entry in known}
        for entry in own:
            said = f"{entry['summary']} {entry['description']}"
            assert re.match("Visit: [A-Z0-9]", str(entry["summary"]))
            assert len(str(entry["summary"])) <= 70
            assert not re.search("relapse|response|definition|every six months|diagnosis", said)
            tests = re.search(r"To look at: (.*?)\.(?: |$)", str(entry["description"]))
            assert tests
            names = re.split(r", (?=[A-Z])", tests[1])
            assert len(names) == len(set(names))
        rows = own_course(found, knowledge).visits
        listed = [name for row in rows for name in row.tests]
        assert len(listed) == len(set(listed)) > 0
        assert len({row.when for row in rows}) == len(rows)


@pytest.mark.parametrize("as_of", [date(2020, 11, 10), date(2021, 3, 1), date(2021, 8, 1)])
def test_the_patients_calendar_doubles_nothing_either(as_of: date, knowledge: Knowledge) -> None:
    """Taken in again, the entries of the older file become those of the newer one."""
    first, second = ics(example(knowledge), knowledge, "patient"), ics(example(knowledge, as_of), knowledge, "patient")
    assert len(uids(first) | uids(second)) == max(len(entries(first)), len(entries(second)))


def test_no_visit_makes_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], knowledge: Knowledge) -> None:
    """Where no visit is to come, a sentence says so and nothing is written."""
    assert is_empty(replace(follow_made.everything(), died=date(2022, 3, 15)), knowledge)
    record, file = tmp_path / "record.csv", tmp_path / "visits.ics"
    record.write_text("patient,date,finding,status\np1,2020-01-01,edema,present\n")
    assert cli.run(["follow", str(record), "--as-of", "2020-05-01", "--ics", str(file)]) == 0
    assert "no visit is to come" in capsys.readouterr().err
    assert not file.exists()


def test_the_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--ics` writes the file beside the letter; two runs write the same."""
    files = [tmp_path / name for name in ("one.ics", "two.ics")]
    for file in files:
        assert cli.run(["follow", str(EXAMPLE), "--as-of", "2020-10-10", "--ics", str(file)]) == 0
    capsys.readouterr()
    assert files[0].read_bytes() == files[1].read_bytes()
    assert entries(files[0].read_bytes())
