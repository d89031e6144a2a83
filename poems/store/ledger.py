"""What a patient's changes add up to, and which of them can be taken back. Plain data; no database is known here.

Undo never removes a change: it adds one that moves the same things the other way, and can itself be undone. A change
can be taken back while no later one that is in force touches what it touched, and put back while what it found stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from poems.store.model import (
    CORRECTION,
    CREATE,
    ENTRY,
    IMPORT,
    REMOVE,
    RENAME,
    RESTORE,
    RETRACTION,
    UNDO,
    UNDOABLE,
)

_LABEL, _PRESENCE = "label", "presence"


@dataclass(frozen=True, slots=True)
class Step:
    """What a change moved. added, retired: numbers of entries. label: the new one, None where it stays."""

    number: int
    kind: str
    added: frozenset[int] = frozenset()
    retired: frozenset[int] = frozenset()
    label: str | None = None
    undoes: int | None = None

    @property
    def touched(self) -> frozenset[object]:
        """Everything that it changed."""
        label = frozenset((_LABEL,)) if self.label is not None else frozenset()
        presence = frozenset((_PRESENCE,)) if self.kind in (REMOVE, RESTORE) else frozenset()
        return self.added | self.retired | label | presence


@dataclass(slots=True)
class Ledger:
    """The state of a patient after some steps, and how it came to it.

    A base is a change that is no undo; every undo lies on one base. entries: how many entries there ever were.
    """

    steps: dict[int, Step] = field(default_factory=dict)
    current: set[int] = field(default_factory=set)
    entries: int = 0
    label: str = ""
    removed: bool = False
    labels_before: dict[int, str] = field(default_factory=dict)
    _base: dict[int, int] = field(default_factory=dict)
    _newest: dict[int, int] = field(default_factory=dict)  # of each base: itself, or the last undo that lies on it
    _asserts: dict[int, bool] = field(default_factory=dict)  # whether, after this change, its base is in force
    _forces: dict[object, list[int]] = field(default_factory=dict)
    """Of each thing, the bases in force that touched it, in order. An undo is of the last one, and what it puts back is
    the last one again: nothing later in force may touch the same.
    """

    def take(self, step: Step) -> None:
        """Add a step. Raises: ValueError, where it does not fit what stands."""
        if step.number != len(self.steps) + 1 or not (self._is_undo(step) if step.kind == UNDO else self._is_new(step)):
            raise ValueError(f"change {step.number} does not fit the changes before it")
        base = step.number if step.undoes is None else self._base[step.undoes]
        self._asserts[step.number] = step.undoes is None or not self._asserts[step.undoes]
        self.steps[step.number], self._base[step.number], self._newest[base] = step, base, step.number
        for one in self.steps[base].touched:
            if self._asserts[step.number]:
                self._forces.setdefault(one, []).append(base)
            else:
                self._forces[one].pop()
        self.labels_before[step.number] = self.label
        self.current -= step.retired
        self.current |= step.added
        self.entries += len(step.added) if step.undoes is None else 0
        self.label = self.label if step.label is None else step.label
        self.removed = {REMOVE: True, RESTORE: False}.get(step.kind, self.removed)

    def _is_undo(self, step: Step) -> bool:
        """Whether the step takes back what it names, and that may be taken back."""
        return (step.undoes in self.steps and self.blocked(step.undoes or 0) is None
                and self.reverse(step.undoes or 0) == (step.added, step.retired, step.label))

    def _is_new(self, step: Step) -> bool:
        """Whether the step has the shape of its kind, and adds new entries and retires current ones."""
        added, retired, named = len(step.added), len(step.retired), step.label is not None
        shape = {CREATE: added == retired == 0 and named and not self.steps, RENAME: added == retired == 0 and named,
                 ENTRY: added > 0 == retired, IMPORT: retired == 0, CORRECTION: added == retired == 1,
                 RETRACTION: added == 0 and retired == 1, REMOVE: added == retired == 0,
                 RESTORE: added == retired == 0}
        return (shape.get(step.kind, False) and step.undoes is None and named == (step.kind in (CREATE, RENAME))
                and bool(self.steps) == (step.kind != CREATE) and self.removed == (step.kind == RESTORE)
                and step.added == set(range(self.entries + 1, self.entries + 1 + added))
                and step.retired <= self.current)

    def in_force(self, number: int) -> bool:
        """Whether what a change did still counts: it was not taken back, or was put back since."""
        return self._asserts[number] == self._asserts[self._newest[self._base[number]]]

    def reverse(self, number: int) -> tuple[frozenset[int], frozenset[int], str | None]:
        """What undo of a change adds and retires, and the label that it gives back."""
        step = self.steps[number]
        return step.retired, step.added, None if step.label is None else self.labels_before[number]

    def blocked(self, number: int) -> int | None:
        """The change in the way of an undo; the change itself where it cannot be undone at all; None where it can."""
        base = self._base[number]
        if self.removed or self.steps[base].kind not in UNDOABLE:
            return number
        if self._newest[base] != number:
            return self._newest[base]
        latest = max((self._forces[one][-1] for one in self.steps[base].touched if self._forces.get(one)), default=0)
        if latest > base:
            return latest
        return None if self._stands(self.steps[number]) else number

    def undoable(self) -> frozenset[int]:
        """Every change that undo would take back now: the answer of `blocked`, for all at once."""
        found, touched = set(), set[object]()
        for number in range(len(self.steps), 0, -1):
            step = self.steps[number]
            if step.undoes is None:
                newest = self.steps[self._newest[number]]
                if step.kind in UNDOABLE and not step.touched & touched and self._stands(newest):
                    found.add(newest.number)
                if self.in_force(number):
                    touched |= step.touched
        return frozenset() if self.removed else frozenset(found)

    def _stands(self, step: Step) -> bool:
        """Whether the state is still what the step left."""
        return step.added <= self.current and not step.retired & self.current and step.label in (None, self.label)


def replayed(steps: Iterable[Step]) -> Ledger:
    """The state after these steps. Raises: ValueError, where they do not fit each other."""
    ledger = Ledger()
    for step in steps:
        ledger.take(step)
    return ledger
