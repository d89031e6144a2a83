"""What may be taken back, found without going through the whole history for each change."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from poems.store.ledger import Ledger, Step, replayed
from poems.store.model import CORRECTION, CREATE, ENTRY, IMPORT, REMOVE, RENAME, RESTORE, RETRACTION, UNDO, UNDOABLE


def slow(book: Ledger, number: int) -> int | None:
    """The answer of `blocked` by its definition: every later change that is in force is looked at."""
    base = book._base[number]
    if book.removed or book.steps[base].kind not in UNDOABLE:
        return number
    if book._newest[base] != number:
        return book._newest[base]
    for later in range(len(book.steps), base, -1):
        step = book.steps[later]
        if step.undoes is None and book.in_force(later) and step.touched & book.steps[base].touched:
            return later
    return None if book._stands(book.steps[number]) else number


def drawn(dice: random.Random, book: Ledger) -> Step:
    """A next step that may fit."""
    number, fresh, current = len(book.steps) + 1, book.entries + 1, sorted(book.current)
    if book.removed:
        return Step(number, RESTORE)
    kind = dice.choice([ENTRY, IMPORT, CORRECTION, RETRACTION, RENAME, REMOVE, *[UNDO] * 6])
    one = frozenset(dice.sample(current, 1)) if current else frozenset()
    if kind == UNDO:
        undoes = dice.randint(1, number - 1)
        return Step(number, UNDO, *book.reverse(undoes), undoes)
    added = {ENTRY: 2, IMPORT: 3, CORRECTION: 1}.get(kind, 0)
    return Step(number, kind, frozenset(range(fresh, fresh + added)),
                one if kind in (CORRECTION, RETRACTION) else frozenset(), f"l{number}" if kind == RENAME else None)


@pytest.mark.parametrize("seed", range(30))
def test_what_blocks_an_undo_is_what_the_definition_says(seed: int) -> None:
    """After every step of a random history, for every change of it; and `undoable` names just the free ones."""
    dice, book = random.Random(seed), replayed([Step(1, CREATE, label="l1")])
    for _ in range(60):
        try:
            book.take(drawn(dice, book))
        except ValueError:
            continue
        found = {number: book.blocked(number) for number in book.steps}
        assert found == {number: slow(book, number) for number in book.steps}
        assert book.undoable() == {number for number, other in found.items() if other is None}
    assert len(book.steps) > 10


class Counted(dict[int, Step]):
    """Steps that count how often one of them is looked at."""

    looks = 0

    def __getitem__(self, key: int) -> Step:
        self.looks += 1
        return super().__getitem__(key)


def chains(length: int) -> Iterator[tuple[str, list[Step]]]:
    """Histories in which each step takes back the one before, and one in which all names are taken back at the end."""
    entry = frozenset({1})
    begun = [Step(1, CREATE, label="a"), Step(2, ENTRY, entry)]
    back: list[Any] = [(frozenset(), entry), (entry, frozenset())]
    yield "one entry", [*begun, *(Step(number, UNDO, *back[number % 2 == 0], None, number - 1)
                                  for number in range(3, length))]
    names = [Step(number, RENAME, label=f"n{number}") for number in range(2, length)]
    undone = [Step(length + place, UNDO, label=f"n{number - 1}" if number > 2 else "a", undoes=number)
              for place, number in enumerate(range(length - 1, 1, -1))]
    yield "names", [Step(1, CREATE, label="a"), *names, *undone]


def test_a_long_history_is_read_in_one_pass() -> None:
    """Ten times the length is ten times the work: an archive of a few kilobytes may hold tens of thousands of undos."""
    for short, long in zip(chains(300), chains(3000), strict=True):
        looks = []
        for _, steps in (short, long):
            book = Ledger(steps=Counted())
            for step in steps:
                book.take(step)
            looks.append(book.steps.looks)  # type: ignore[attr-defined]
        assert looks[1] < 15 * looks[0], short[0]
