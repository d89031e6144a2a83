"""What speaks against a file being of the patient to whom it goes, or for its being here already. No database.

An id is short, and two hospitals may give the same one to two people: nobody would see it in the merged record. Nothing
is refused for a doubt, since an import can be undone; it has to be said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from poems.errors import Issue
from poems.record import PRESENT, Event
from poems.units import YEAR_DAYS

_SEXES: Final = ("sex-female", "sex-male")
_BORN, _AGE = "birth-date", "age"
_PERSON: Final = (*_SEXES, _BORN)
_SLACK: Final = 366.0
"""Days by which ages may miss each other: many are rounded, or counted from the year alone."""


def contradictions(here: Sequence[Event], new: Sequence[Event], where: str) -> list[Issue]:
    """Why both cannot be one person. The words hold no value."""
    found = []
    if _differ(_sexes(here), _sexes(new)):
        found.append("the sex in the file is another one than that on record")
    if _differ(_births(here), _births(new)):
        found.append("the date of birth in the file is another one than that on record")
    elif _ages_differ(here, new):
        found.append("the ages in the file and on record are not those of one person")
    return [Issue("caution", where, one, "one and the same person",
                  "If these are two people, undo the import, and give the one in the file an id of its own.")
            for one in found]


def _differ(here: frozenset[object], new: frozenset[object]) -> bool:
    return bool(here and new and not here & new)


def _sexes(events: Iterable[Event]) -> frozenset[object]:
    return frozenset(one.finding for one in events if one.finding in _SEXES and one.status == PRESENT)


def _births(events: Iterable[Event]) -> frozenset[object]:
    return frozenset(one.date for one in events if one.finding == _BORN and one.status == PRESENT and one.date)


def _ages_differ(here: Iterable[Event], new: Iterable[Event]) -> bool:
    """Whether something that the one side says leaves no day of birth that something of the other side allows."""
    first, second = _spans(here), _spans(new)
    return bool(first and second) and (
        max(low for low, _ in first) > min(high for _, high in second)
        or max(low for low, _ in second) > min(high for _, high in first))


def _spans(events: Iterable[Event]) -> list[tuple[float, float]]:
    """The earliest and the latest day of birth, as numbers of days, that each event leaves open."""
    found = []
    for one in events:
        if one.date is None:
            continue
        day = float(one.date.toordinal())
        if one.finding == _BORN and one.status == PRESENT:
            found.append((day, day))
        elif one.finding == _AGE and one.value is not None and not one.comparator:
            found.append((day - (one.value + 1) * YEAR_DAYS - _SLACK, day - one.value * YEAR_DAYS + _SLACK))
    return found


def repeated(here: Iterable[Event], new: Iterable[Event], where: str) -> list[Issue]:
    """That findings of the file stand there twice now. What says who somebody is may be told again."""
    known, told = _counted(here), _counted(new)
    count, again = told.total(), (known & told).total()
    if not again:
        return []
    found = "every finding of the file was" if again == count else (
        f"{again} of its {count} findings {'was' if again == 1 else 'were'}")
    return [Issue("caution", where, f"{found} on record already, and stands there twice now", "",
                  "Was the file imported before? Then undo this import.")]


def _counted(events: Iterable[Event]) -> Counter[tuple[object, ...]]:
    """How often each finding is told, wherever it stood."""
    return Counter((one.finding, one.date, one.status, one.value, one.comparator, one.specimen, one.upper_limit,
                    one.method) for one in events if one.finding not in _PERSON)


def was_here(count: int, where: str) -> Issue:
    """That the record is not a new one."""
    return Issue("caution", where, f"added to a record that was here already, with {count} "
                 f"{'finding' if count == 1 else 'findings'}", "",
                 "Check that it is the same person; the import can be undone in one step.")


def alike(where: str) -> Issue:
    """That a new record has a name that is easily taken for another one's."""
    return Issue("caution", where, "a new record was made, and another one has nearly the same name", "",
                 "Check whether both are one person.")
