"""The library's answers about one patient of the store: what the command line calls, called here.

An answer is kept for as long as the record stays at its revision, so that a page that asks for another cut of the same
picture does not reckon it again.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Callable
from datetime import date
from threading import Lock
from typing import Any, TypeVar

from poems.follow import Follow, follow
from poems.knowledge import Knowledge
from poems.record import Record, records
from poems.review import Review, assess
from poems.web.ask import Ask

TODAY, LAST = "today", "last"
MOST, MOST_EVENTS = 64, 60_000
"""How many answers are kept, and of how many events altogether: one about 20,000 takes some megabytes."""
_T = TypeVar("_T")


class Answers:
    """What was made lately, the latest used last. Of a record, only what was made of its latest revision today."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[tuple[Any, ...], tuple[tuple[int, date], Any, int]] = OrderedDict()
        self._erased: set[str] = set()

    def get(self, key: tuple[Any, ...], state: tuple[int, date]) -> Any:
        """The answer, if it was made of this state; or None."""
        with self._lock:
            known, made, _ = self._kept.get(key, (None, None, 0))
            if known != state:
                return None
            self._kept.move_to_end(key)
            return made

    def put(self, key: tuple[Any, ...], state: tuple[int, date], made: Any, events: int) -> None:
        """Keep an answer; let go of those of older states of its record, and of the oldest where there are too many."""
        with self._lock:
            of = {other: kept[0] for other, kept in self._kept.items() if other[0] == key[0]}
            if key[0] in self._erased or any(known > state for known in of.values()):
                return  # it took long, and somebody changed or erased the record meanwhile
            for other in [other for other, known in of.items() if known != state]:
                del self._kept[other]
            self._kept[key] = state, made, events
            while len(self._kept) > 1 and (len(self._kept) > MOST or self.events > MOST_EVENTS):
                self._kept.popitem(last=False)

    def forget(self, uid: str) -> None:
        """Let go of all answers about a record that was erased, also of those that are being made."""
        with self._lock:
            self._erased.add(uid)
            for key in [key for key in self._kept if key[0] == uid]:
                del self._kept[key]

    @property
    def events(self) -> int:
        """Of how many events all that is kept was made."""
        return sum(events for _, _, events in self._kept.values())

    def states(self, uid: str) -> list[tuple[int, date]]:
        """Of which states of a record something is kept."""
        with self._lock:
            return [state for key, (state, _, _) in self._kept.items() if key[0] == uid]


_answers = Answers()


forget = _answers.forget


def is_last(ask: Ask) -> bool:
    """Whether the page looks from the day of the last entry and not from today. An example is looked at so."""
    usual = LAST if ask.settings.is_example else TODAY
    return ask.request.query_params.get("day", usual) == LAST


def record_of(ask: Ask, uid: str) -> Record:
    """The record as it is known today, or as it was on the day of its last entry."""
    events, today = ask.store.events(uid), date.today()
    days = [event.date for event in events if event.date and event.date <= today]
    day = max(days, default=today) if is_last(ask) else today
    return records(events, day)[0] if events else Record(ask.store.patient(uid).label, (), day)


def setting_of(ask: Ask) -> str:
    """Where the patient was met, as chosen on the page; empty where the record itself decides."""
    chosen = ask.request.query_params.get("setting", "")
    return chosen if chosen in ask.knowledge.settings else ""


def review_of(ask: Ask, uid: str, record: Record | None = None) -> Review:
    """The review of the day; record: another one, to ask what if."""
    if record is not None:
        return assess(record, ask.knowledge, setting=setting_of(ask))
    return _once(ask, uid, ("review", setting_of(ask)),
                 lambda: assess(record_of(ask, uid), ask.knowledge, setting=setting_of(ask)))


def course_of(ask: Ask, uid: str) -> Follow:
    """The course up to the day."""
    def made() -> Follow:
        record = record_of(ask, uid)
        return follow(record, ask.knowledge, as_of=record.as_of or date.today())

    return _once(ask, uid, ("course",), made)


def _once(ask: Ask, uid: str, what: tuple[str, ...], make: Callable[[], _T]) -> _T:
    """What was made of the record at this revision, or made now."""
    patient = ask.store.patient(uid)
    state = patient.revision, date.today()
    key = uid, is_last(ask), id(ask.knowledge), what
    if (found := _answers.get(key, state)) is not None:
        return found  # type: ignore[no-any-return]
    made = make()
    _answers.put(key, state, made, patient.entries)
    return made


def warm(knowledge: Knowledge) -> None:
    """Make now what is made once, so that the first visitor does not wait: templates, names, models, the index.

    What stands then stays for as long as the app runs, so that the collector of garbage need not look at it again: its
    full rounds would be the slowest tenth of all answers.
    """
    from poems.guide.ask import ask as answer_of
    from poems.web import names, pages

    pages.warm()
    pages.style()
    names.options(knowledge)
    nobody = Record("", (), date.today())
    assess(nobody, knowledge)
    follow(nobody, knowledge, as_of=date.today())
    answer_of("warm", knowledge)
    gc.collect()
    gc.freeze()
