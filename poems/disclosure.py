"""Which counts of people may leave: small ones stay hidden, and so does every count that would give one away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

THRESHOLD = 5   # official statistics commonly hide counts of 1 to 4 people: so few can be known by name; POEMS is rare
HIDDEN = "·"


@dataclass
class Family:
    """Counts of people who are part of one another, let out one by one.

    A count is shown where it is 0 or at least `threshold`, and differs from every count shown before by 0 or at least
    `threshold`: else a reader could subtract two of them and count a few people. `shown` holds what has left so far.
    """

    threshold: int = THRESHOLD
    shown: list[int] = field(default_factory=list)

    def let_out(self, count: int, beside: Iterable[int] = ()) -> int | None:
        """The count, or None where it stays hidden. beside: counts shown elsewhere that it could be subtracted from.

        Raises: ValueError for a negative count.
        """
        if count < 0:
            raise ValueError(f"no count of people: {count}")
        if self.is_small(count) or any(self.is_small(abs(count - other)) for other in (*self.shown, *beside)):
            return None
        self.shown.append(count)
        return count

    def is_small(self, count: int) -> bool:
        """Whether a count is of some people, but too few."""
        return 0 < count < self.threshold


def parts(counts: Sequence[int], threshold: int = THRESHOLD, hide: Iterable[int] = ()) -> list[int | None]:
    """The parts of a whole whose total is known: small parts hidden, and as many more as it takes to protect them.

    A single hidden part is the total less the others, and the sum of several can give them away too. The smallest other
    parts are hidden with them until nothing can be worked out. hide: places of parts that have
    to stay hidden for another reason.
    """
    hidden = {i for i, count in enumerate(counts) if 0 < count < threshold} | set(hide)
    others = sorted({count for i, count in enumerate(counts) if count and i not in hidden})
    while hidden and others and _is_certain([counts[i] for i in hidden], threshold):
        smallest = others.pop(0)    # parts of one size go together: which of them went would tell something
        hidden |= {i for i, count in enumerate(counts) if count == smallest}
    if hidden and _is_certain([counts[i] for i in hidden], threshold):
        hidden = set(range(len(counts)))
    return [None if i in hidden else count for i, count in enumerate(counts)]


def _is_certain(hidden: Sequence[int], threshold: int) -> bool:
    """Whether hidden parts can be worked out from their sum: one alone, a few people in all, or all as large as a small
    count can be.
    """
    return len(hidden) == 1 or sum(hidden) < threshold or all(count == threshold - 1 for count in hidden)


def told(count: int | None) -> str:
    """A count as tables print it."""
    return HIDDEN if count is None else str(count)
