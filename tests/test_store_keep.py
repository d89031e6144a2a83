"""Files into the store: all of a form or nothing, whose they are, and names that are one and the same."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from poems.adapters import fields
from poems.errors import Issue
from poems.knowledge import Knowledge
from poems.record import ABSENT, PRESENT, Event
from poems.store import (
    DuplicateError,
    FullError,
    Incoming,
    InvalidError,
    Kept,
    MissingError,
    Store,
    StoreError,
    export_all,
    import_all,
    rows,
)
from poems.store.model import CREATE, ENTRY
from poems.store.rows import Draft

ME = "me"
EDEMA = Event("", "edema", date(2020, 1, 2), PRESENT, source="a.csv, row 2")
VEGF = Event("", "vegf-plasma", date(2020, 1, 3), value=950.5, unit="pg/mL", specimen="plasma")
MALE, FEMALE = Event("", "sex-male", status=PRESENT), Event("", "sex-female", status=PRESENT)
NFC, NFD = "Zo\u00eb", "Zoe\u0308"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A new store."""
    with Store.open(tmp_path / "poems.db") as made:
        yield made


def born(year: int) -> Event:
    return Event("", "birth-date", date(year, 5, 1), PRESENT)


def aged(years: float, on: date | None) -> Event:
    return Event("", "age", on, value=years, unit="a")


def keep(store: Store, *several: dict[str, list[Event]], uid: str = "") -> tuple[Kept, ...]:
    """Keep files."""
    return store.keep([Incoming(one, f"{place}.csv", "csv") for place, one in enumerate(several)], ME, uid=uid)


def said(kept: Kept) -> str:
    """What is doubtful, as one text."""
    return " | ".join(str(one) for one in kept.doubts)


def older(store: Store, label: str) -> str:
    """A patient with a label as an older poems wrote it."""
    with store.file.writing() as db:
        made = rows.new_patient(db, f"uid-{len(rows.heads(db)):08d}")
        return rows.write(db, made, Draft(CREATE, ME, named=label)).uid


# --- all or nothing

def test_all_files_of_a_form_or_none(store: Store) -> None:
    """The second one cannot be kept: nothing of the first is there, neither its findings nor its patient."""
    here = store.create("p1", ME)
    with pytest.raises(InvalidError):
        keep(store, {"p1": [EDEMA], "new": [EDEMA]}, {"p1": [replace(VEGF, value=float("nan"))]})
    with store.file.reading() as db:
        db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0] + 2}")
    for uid in ("", here.uid):
        with pytest.raises(FullError):
            keep(store, {"p1": [EDEMA]}, {"p1": [VEGF] * 3000}, uid=uid)
    with store.file.reading() as db:
        db.execute("PRAGMA max_page_count = 1000000")
    assert (store.patients(), store.entries(here.uid), store.imports(here.uid)) == ((here,), (), ())
    assert [len(one.change.added) for one in keep(store, {"p1": [EDEMA]}, {"p1": [VEGF], "p2": [VEGF]})] == [1, 1, 1]
    assert [len(store.history(one.uid)) for one in store.patients()] == [3, 2]
    assert store.check() == ()


def test_files_for_one_patient_whatever_they_call_it(store: Store) -> None:
    """From a record's page: everything goes there, each file as an import of its own; several people do not."""
    uid = store.create("p1", ME).uid
    kept = keep(store, {"other": [EDEMA]}, {"other": [VEGF]}, uid=uid)
    assert [(one.patient.uid, one.patient.entries, one.file, one.change.source) for one in kept] == [
        (uid, 2, 0, "0.csv"), (uid, 2, 1, "1.csv")]
    assert len(store.patients()) == 1
    with pytest.raises(InvalidError, match="several"):
        keep(store, {"p1": [EDEMA], "p2": [EDEMA]}, uid=uid)
    with pytest.raises(MissingError):
        keep(store, {"p1": [EDEMA]}, uid="nobody")
    for one in kept:
        store.undo(uid, one.change.id, ME)
    assert store.entries(uid) == ()


def test_nothing_is_stored_once_the_store_was_closed(store: Store) -> None:
    """Whoever stops the app tells everybody that what was under way was not done: so it is not done later."""
    uid = store.create("p1", ME).uid
    with pytest.raises(StoreError, match="stopped"), store.file.writing() as db:
        rows.write(db, rows.heads(db)[0], Draft(ENTRY, ME), [rows.Fresh(EDEMA, "{}")])
        store.close()
    with Store.open(store.path) as again:
        assert (again.entries(uid), len(again.history(uid)), again.check()) == ((), 1, ())


# --- whose is it

def test_a_record_that_was_here_already_is_named(store: Store) -> None:
    """A label that was here: how much stood there; a new one, or a record without a finding: nothing to say."""
    store.create("begun by hand", ME)
    first = keep(store, {"1": [EDEMA], "begun by hand": [EDEMA]})
    assert [one.doubts for one in first] == [(), ()]
    (again,) = keep(store, {"1": [VEGF]})
    assert "was here already, with 1 finding" in said(again)
    assert not again.is_contradicted
    assert store.imports(again.patient.uid)[0].issues == again.doubts  # the history keeps it
    (chosen,) = keep(store, {"1": [replace(VEGF, value=1.0)]}, uid=again.patient.uid)
    assert chosen.doubts == ()  # somebody chose this very record
    one, two = keep(store, {"new": [EDEMA]}, {"new": [VEGF]})
    assert (one.doubts, "was here already" in said(two)) == ((), True)


@pytest.mark.parametrize(("here", "new", "word"), [
    ([MALE], [FEMALE], "the sex"), ([born(1950)], [born(1990)], "the date of birth"),
    ([born(1950)], [aged(30, date(2020, 1, 1))], "the ages"), ([aged(70, date(2020, 1, 1))], [born(1990)], "the ages"),
    ([aged(70, date(2020, 1, 1))], [aged(70, date(2010, 1, 1))], "the ages"),
    ([MALE, born(1950)], [FEMALE, born(1990)], "the sex | the date of birth"),
    ([MALE], [MALE], ""), ([born(1950)], [born(1950)], ""), ([MALE], [replace(FEMALE, status=ABSENT)], ""),
    ([born(1950)], [aged(69, date(2020, 1, 1))], ""), ([born(1950)], [aged(70, date(2020, 1, 1))], ""),
    ([aged(60, date(2010, 1, 1))], [aged(70, date(2020, 3, 1))], ""),
    ([aged(60, None)], [aged(20, date(2020, 3, 1))], ""), ([replace(born(1950), date=None)], [born(1990)], ""),
    ([aged(1e299, date(2010, 1, 1))], [MALE], "")])
def test_what_cannot_be_one_person_is_said_first(here: list[Event], new: list[Event], word: str,
                                                  store: Store) -> None:
    """Another sex, another birthday, an age that time does not explain; by whatever way the file came."""
    words = word.split(" | ") if word else []
    for label, chosen in (("1", False), ("2", True)):
        uid = keep(store, {label: here})[0].patient.uid
        (kept,) = keep(store, {label: [*new, EDEMA]}, uid=uid if chosen else "")
        assert kept.is_contradicted == bool(word), said(kept)
        assert all(part in str(issue) for part, issue in zip(words, kept.doubts[:len(words)], strict=True))
        assert not any(str(year) in said(kept) for year in (1950, 1990))


def test_a_file_that_is_imported_twice_says_so(store: Store) -> None:
    """All of it, or a part of it, stands there twice; findings about the person may be told again and again."""
    found = [MALE, EDEMA, VEGF, VEGF]
    keep(store, {"1": found})
    (whole,) = keep(store, {"1": [replace(one, source="copy.csv, row 9") for one in found]})
    assert "every finding of the file was on record already" in said(whole)
    (part,) = keep(store, {"1": [MALE, EDEMA, replace(VEGF, date=date(2021, 1, 1))]})
    assert "1 of its 2 findings was on record already" in said(part)
    (none,) = keep(store, {"1": [MALE, replace(VEGF, date=date(2022, 1, 1))]})
    assert "on record already" not in said(none)
    (person,) = keep(store, {"1": [MALE]})
    assert "on record already" not in said(person)
    uid = whole.patient.uid
    assert len(store.entries(uid)) == 4 + 4 + 3 + 2 + 1  # nothing is left out: it is only said


def test_issues_of_the_reader_stay_behind_the_doubts(store: Store) -> None:
    """What is doubtful stands first in the history."""
    keep(store, {"1": [EDEMA]})
    fault = Issue("fault", "a.csv, row 4", "empty", "a unit", "Fill it.")
    (kept,) = store.keep([Incoming({"1": [VEGF]}, "a.csv", "csv", [fault])], ME)
    assert store.imports(kept.patient.uid)[0].issues == (*kept.doubts, fault)
    assert kept.change.issues == 2


# --- names

@pytest.mark.parametrize(("one", "other"), [(NFC, NFD), (NFD, NFC), ("A B", "A  B"), (" A B ", "A B")])
def test_one_name_in_two_forms_is_one_patient(one: str, other: str, store: Store) -> None:
    """Accents in one sign or in two, and blanks: the second one is refused, renamed to, imported to as the same."""
    uid = store.create(one, ME).uid
    with pytest.raises(DuplicateError):
        store.create(other, ME)
    third = store.create("third", ME)
    with pytest.raises(DuplicateError):
        store.rename(third.uid, other, 1, ME)
    assert keep(store, {other: [EDEMA]})[0].patient.uid == uid
    assert (found := store.find(other)) is not None
    assert found.uid == uid
    assert {patient.label for patient in store.patients()} == {fields.patient(one), "third"}


def test_a_name_that_an_older_poems_wrote(store: Store, tmp_path: Path, knowledge: Knowledge) -> None:
    """It is found by its new form, can be written anew, and comes back from an archive as it was, also twice."""
    uid, blanks = older(store, NFD), older(store, "A  B")
    with pytest.raises(DuplicateError):
        store.create(NFC, ME)
    assert {one.patient.uid for one in keep(store, {NFC: [EDEMA], "A B": [EDEMA]})} == {uid, blanks}
    box = io.BytesIO()
    export_all(store, box, knowledge)
    with Store.open(tmp_path / "other.db") as other:
        assert set(import_all(other, box, ME).added) == {uid, blanks}
        assert other.patients() == store.patients()
        assert other.history(uid) == store.history(uid)
        assert len(import_all(other, box, ME).same) == 2
        newcomer = older(other, NFC)
        assert newcomer
    renamed = store.rename(uid, NFC, 2, ME)
    assert renamed.label == NFC
    store.undo(uid, renamed.revision, ME)
    assert store.patient(uid).label == NFD


def test_an_archive_whose_name_is_here_in_another_form(store: Store, tmp_path: Path, knowledge: Knowledge) -> None:
    """It gets a number behind it, as one of the same form does."""
    box = io.BytesIO()
    older(store, NFD)
    export_all(store, box, knowledge)
    with Store.open(tmp_path / "other.db") as other:
        other.create(NFC, ME)
        outcome = import_all(other, box, ME)
        assert ["another patient's here" in one.found for one in outcome.issues] == [True]
        assert sorted(one.label for one in other.patients()) == sorted((NFC, f"{NFD} (2)"))


@pytest.mark.parametrize(("one", "other"), [
    ("Rosa", "R\u043esa"), ("\u0420\u043e\u0455\u0430", "Posa"), ("Anna", "ANNA"), ("\uff21nna", "anna"),
    ("A.1", "a.1"), ("\u0391nna", "Anna"), ("Strasse", "Straße")])
def test_names_that_look_the_same_are_told(one: str, other: str, store: Store) -> None:
    """Two records, since they may be two people; but whoever makes the second one hears of the first."""
    first = store.create(one, ME)
    (kept,) = keep(store, {other: [EDEMA]})
    assert kept.patient.uid != first.uid
    assert [found.uid for found in kept.alike] == [first.uid]
    assert "nearly the same" in said(kept)
    assert [found.uid for found in store.alike(kept.patient.uid)] == [first.uid]
    store.remove(first.uid, 1, ME)
    assert store.alike(kept.patient.uid) == ()


def test_names_that_differ_are_not_told(store: Store) -> None:
    """Neither other names, nor a record's own."""
    uid = store.create("Anna 1", ME).uid
    assert [(one.doubts, one.alike) for one in keep(store, {"Anna 2": [EDEMA], "Hannah": [EDEMA]})] == [((), ())] * 2
    assert store.alike(uid) == ()
