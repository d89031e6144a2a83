"""The store against a plain model of it: any order of calls leaves in the file what the model says, and no more.

The model knows nothing of moves. It keeps the changes that were ever made and whether each counts, and reads the state
off by going through those that count: an undo is allowed if every other change still makes sense without (or again
with) the one it concerns.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from poems.errors import Issue
from poems.knowledge import load
from poems.record import ABSENT, PRESENT, Event
from poems.store import ConflictError, DuplicateError, MissingError, Patient, Store, export_all, import_all

STATES = st.builds(
    Event, patient=st.just("whoever"), finding=st.sampled_from(("edema", "papilledema", "splenomegaly")),
    date=st.none() | st.dates(date(2015, 1, 1), date(2020, 1, 1)), status=st.sampled_from((PRESENT, ABSENT)),
    source=st.sampled_from(("", "labs.csv, row 3")))
EVENTS = STATES | st.builds(
    Event, patient=st.just("whoever"), finding=st.just("vegf-plasma"), value=st.floats(0, 1e6, allow_subnormal=False),
    unit=st.just("pg/mL"), comparator=st.sampled_from(("", "<", ">=")), specimen=st.just("plasma"))
LABELS = st.sampled_from(("Anna", "Ben 2", "=c", "Dora's"))
WHO = st.sampled_from(("me", "nurse"))
RAW = st.dictionaries(st.sampled_from("ab"), st.text(max_size=5) | st.floats(allow_nan=False, allow_infinity=False)
                      | st.integers(-9, 9) | st.none(), max_size=2).filter(
    lambda raw: not any("\ud800" <= sign <= "\udfff" for one in raw.values() if isinstance(one, str) for sign in one))
NUMBER = st.integers(1, 30)


@dataclass
class Deed:
    """A change: the entries it brings and takes (by number), a label it gives; what it needs to make sense."""

    number: int
    kind: str
    brings: list[int] = field(default_factory=list)
    takes: list[int] = field(default_factory=list)
    label: tuple[str, str] | None = None
    counts: bool = True
    newest: int = 0  # the last change that switched it on or off


@dataclass
class Person:
    """A patient of the model."""

    deeds: list[Deed] = field(default_factory=list)
    undos: dict[int, Deed] = field(default_factory=dict)
    events: dict[int, Event] = field(default_factory=dict)
    raws: dict[int, dict[str, Any]] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)
    issues: int = 0
    revision: int = 0
    removed: bool = False

    def told(self) -> tuple[list[int], str] | None:
        """Current entries and label from the deeds that count; None, where they make no sense together."""
        current: set[int] = set()
        label = ""
        for deed in self.deeds:
            if deed.counts:
                if not set(deed.takes) <= current or (deed.label and deed.label[0] != label):
                    return None
                current = current - set(deed.takes) | set(deed.brings)
                label = deed.label[1] if deed.label else label
        return sorted(current, key=lambda one: self.places[one]), label

    @property
    def current(self) -> list[int]:
        """The entries that count, in order."""
        told = self.told()
        assert told is not None
        return told[0]

    @property
    def label(self) -> str:
        """The label of today."""
        told = self.told()
        assert told is not None
        return told[1]

    def concerned(self, number: int) -> Deed:
        """The deed that a change made, or that an undo switched."""
        return self.undos.get(number) or next(deed for deed in self.deeds if deed.number == number)

    def after_undo(self, number: int) -> tuple[list[int], str] | None:
        """What would stand after undo of this change; None, where it is not allowed."""
        deed = self.concerned(number)
        if deed.newest != number or deed.kind in ("create", "remove", "restore"):
            return None
        deed.counts = not deed.counts
        told = self.told()
        deed.counts = not deed.counts
        return told


class Against(RuleBasedStateMachine):
    """One store and its model, side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = Store.open(self.folder / "poems.db")
        self.people: dict[str, Person] = {}

    def teardown(self) -> None:
        """Everything adds up, and the archive holds all of it."""
        try:
            assert self.store.check() == ()
            self.same_after_a_journey()
        finally:
            self.store.close()
            shutil.rmtree(self.folder)

    @initialize()
    def somebody(self) -> None:
        self.create("Anna", "me")

    def present(self) -> Iterator[Person]:
        return (person for person in self.people.values() if not person.removed)

    def taken(self, label: str, but: Person | None = None) -> bool:
        return any(person.label == label and person is not but for person in self.present())

    def pick(self, which: int) -> tuple[str, Person]:
        uid = list(self.people)[which % len(self.people)]
        return uid, self.people[uid]

    def did(self, person: Person, kind: str, **parts: Any) -> int:
        person.revision += 1
        person.deeds.append(Deed(person.revision, kind, newest=person.revision, **parts))
        return person.revision

    def bring(self, person: Person, events: list[Event], raws: list[dict[str, Any]], place: int = 0) -> list[int]:
        numbers = []
        for event, raw in zip(events, raws, strict=True):
            number = len(person.events) + 1
            person.events[number], person.raws[number] = event, raw
            person.places[number] = place or number
            numbers.append(number)
        return numbers

    @rule(label=LABELS, who=WHO)
    def create(self, label: str, who: str) -> None:
        if self.taken(label):
            with pytest.raises(DuplicateError):
                self.store.create(label, who)
            return
        uid = self.store.create(label, who).uid
        assert uid not in self.people
        self.people[uid] = Person()
        self.did(self.people[uid], "create", label=("", label))

    @rule(which=NUMBER, label=LABELS, stale=st.sampled_from((0, 0, 0, 1)))
    def rename(self, which: int, label: str, stale: int) -> None:
        uid, person = self.pick(which)

        def call() -> Patient:
            return self.store.rename(uid, label, person.revision - stale, "me")

        if person.removed:
            with pytest.raises(MissingError):
                call()
        elif stale:
            with pytest.raises(ConflictError):
                call()
        elif self.taken(label, person):
            with pytest.raises(DuplicateError):
                call()
        else:
            call()
            if label != person.label:
                self.did(person, "rename", label=(person.label, label))

    @rule(which=NUMBER)
    def remove(self, which: int) -> None:
        uid, person = self.pick(which)
        if person.removed:
            with pytest.raises(MissingError):
                self.store.remove(uid, person.revision, "me")
            return
        self.store.remove(uid, person.revision, "me")
        self.did(person, "remove")
        person.removed = True

    @rule(which=NUMBER)
    def restore(self, which: int) -> None:
        uid, person = self.pick(which)
        if person.removed and self.taken(person.label):
            with pytest.raises(DuplicateError):
                self.store.restore(uid, "me")
            return
        self.store.restore(uid, "me")
        if person.removed:
            person.removed = False
            self.did(person, "restore")

    @precondition(lambda self: len(self.people) > 1)
    @rule(which=NUMBER, stale=st.sampled_from((0, 0, 1)))
    def erase(self, which: int, stale: int) -> None:
        """For good: the model forgets whom it was."""
        uid, person = self.pick(which)
        if stale or not person.removed:
            with pytest.raises(ConflictError):
                self.store.erase(uid, person.revision - stale, "me")
            return
        done = self.store.erase(uid, person.revision, "me")
        assert (done.entries, done.changes, done.is_swept) == (len(person.events), person.revision, True)
        del self.people[uid]
        with pytest.raises(MissingError, match="erased"):
            self.store.restore(uid, "me")

    @rule(which=NUMBER, events=st.lists(st.tuples(EVENTS, RAW), min_size=1, max_size=3), who=WHO)
    def add(self, which: int, events: list[tuple[Event, dict[str, Any]]], who: str) -> None:
        uid, person = self.pick(which)
        found, raws = [event for event, _ in events], [raw for _, raw in events]
        if person.removed:
            with pytest.raises(MissingError):
                self.store.add(uid, found, who)
            return
        change = self.store.add(uid, found, who, raw=raws)
        numbers = self.bring(person, found, raws)
        assert (change.id, change.undoable) == (self.did(person, "entry", brings=numbers), True)
        assert [entry.id for entry in change.added] == numbers

    @precondition(lambda self: any(True for _ in self.present()))
    @rule(which=NUMBER, events=st.lists(EVENTS, max_size=3), issues=st.integers(0, 2))
    def bring_a_file(self, which: int, events: list[Event], issues: int) -> None:
        known = [(uid, person) for uid, person in self.people.items() if not person.removed]
        uid, person = known[which % len(known)]
        said = [Issue("caution", f"labs.csv, row {number}", "odd") for number in range(issues)]
        self.store.add(uid, events, "me", kind="import", source="labs.csv", format="csv", issues=said)
        self.did(person, "import", brings=self.bring(person, events, [{}] * len(events)))
        person.issues += issues

    @rule(which=NUMBER, entry=NUMBER, event=EVENTS, raw=RAW, is_retraction=st.booleans())
    def correct(self, which: int, entry: int, event: Event, raw: dict[str, Any], is_retraction: bool) -> None:
        uid, person = self.pick(which)
        entry = (entry - 1) % (len(person.events) + 1) + 1

        def call() -> Any:
            return self.store.retract(uid, entry, "me") if is_retraction else self.store.correct(
                uid, entry, event, "me", raw=raw)

        if person.removed or entry not in person.events:
            with pytest.raises(MissingError):
                call()
        elif entry not in person.current:
            with pytest.raises(ConflictError) as caught:
                call()
            now = [one for one in person.current if person.places[one] == person.places[entry]]
            assert ([caught.value.current.id] if caught.value.current else []) == now
        else:
            call()
            brings = [] if is_retraction else self.bring(person, [event], [raw], person.places[entry])
            self.did(person, "retraction" if is_retraction else "correction", brings=brings, takes=[entry])

    @rule(which=NUMBER, change=NUMBER)
    def undo(self, which: int, change: int) -> None:
        uid, person = self.pick(which)
        change = (change - 1) % (person.revision + 1) + 1
        if person.removed or change > person.revision:
            with pytest.raises(MissingError):
                self.store.undo(uid, change, "me")
            return
        told = person.after_undo(change)
        if told is None:
            with pytest.raises(ConflictError):
                self.store.undo(uid, change, "me")
        elif self.taken(told[1], person):
            with pytest.raises(DuplicateError):
                self.store.undo(uid, change, "me")
        else:
            self.store.undo(uid, change, "me")
            deed = person.concerned(change)
            person.revision += 1
            deed.counts, deed.newest = not deed.counts, person.revision
            person.undos[person.revision] = deed

    @rule()
    def open_again(self) -> None:
        self.store.close()
        self.store = Store.open(self.folder / "poems.db")

    @invariant()
    def is_as_the_model_says(self) -> None:
        for is_removed in (False, True):
            listed = {patient.uid: patient for patient in self.store.patients(removed=is_removed)}
            assert {uid: (one.label, one.entries, one.revision, one.removed) for uid, one in listed.items()} == {
                uid: (person.label, len(person.current), person.revision, person.removed)
                for uid, person in self.people.items() if person.removed == is_removed}
        for uid, person in self.people.items():
            if not person.removed:
                self.patient_is_as_the_model_says(uid, person)

    def patient_is_as_the_model_says(self, uid: str, person: Person) -> None:
        entries = self.store.entries(uid)
        assert [(entry.id, entry.event, dict(entry.raw)) for entry in entries] == [
            (number, replace(person.events[number], patient=person.label), person.raws[number])
            for number in person.current]
        history = self.store.history(uid)
        assert [change.id for change in history] == list(range(person.revision, 0, -1))
        assert {change.id for change in history if change.undoable} == {
            number for number in range(1, person.revision + 1)
            if (told := person.after_undo(number)) and not self.taken(told[1], person)}
        assert {change.id for change in history if change.undone and change.kind != "undo"} == {
            deed.number for deed in person.deeds if not deed.counts}
        assert sum(len(one.issues) for one in self.store.imports(uid)) == person.issues

    def same_after_a_journey(self) -> None:
        """An archive taken into an empty store makes an equal one."""
        box = io.BytesIO()
        export_all(self.store, box, load())
        with Store.open(self.folder / "other.db") as other:
            assert set(import_all(other, box, "me").added) == set(self.people)
            for removed in (False, True):
                assert other.patients(removed=removed) == self.store.patients(removed=removed)
            for uid, person in self.people.items():
                if not person.removed:
                    assert other.history(uid) == self.store.history(uid)
                    assert other.entries(uid) == self.store.entries(uid)
                    assert other.imports(uid) == self.store.imports(uid)
            assert other.check() == ()
            again = import_all(other, box, "me")
            assert (set(again.same), again.added, again.extended, again.diverged) == (set(self.people), (), (), ())


QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]


class TestAgainst(Against.TestCase):  # type: ignore[name-defined,misc]
    """A short run, part of every test run."""

    settings = settings(max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=QUIET)


@pytest.mark.slow
class TestAgainstForLong(Against.TestCase):  # type: ignore[name-defined,misc]
    """A long run."""

    settings = settings(max_examples=250, stateful_step_count=60, deadline=None, suppress_health_check=QUIET)
