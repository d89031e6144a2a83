"""How a probability came about, step by step: where it stood before the findings, what each of them did, where it is.

The steps are log odds, so that a finding that is ten times as frequent moves as far wherever it stands. The weights of
the findings are those of the review; what is left between their sum and the probability itself is a step of its own, so
that the account closes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import log

from poems.models.differential import TARGET, Evidence, Posterior
from poems.render.view import SLIGHT, EvidenceView, ReviewView
from poems.render.words import factor, percent, rarity
from poems.review import Review

EDGE = 1e-6
MARKS = (0.0001, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999)
AIR = 0.35
STARTS, TOGETHER, ENDS = "Before the findings", "Weighed together", "Now"


@dataclass(frozen=True)
class Step:
    """One row. kind: start, finding, rest or end. left, right: from 0 to 100, where its bar begins and ends.

    evidence: of a finding, what its row says besides.
    """

    kind: str
    label: str
    left: float
    right: float
    is_for: bool
    text: str
    evidence: EvidenceView | None = None

    @property
    def at(self) -> float:
        """Where the row leaves the probability, from 0 to 100."""
        return self.right if self.is_for else self.left


@dataclass(frozen=True)
class Waterfall:
    """The rows, and where round probabilities stand, from 0 to 100."""

    steps: tuple[Step, ...]
    ticks: tuple[tuple[float, str], ...]
    half: float


def waterfall(review: Review, shown: ReviewView) -> Waterfall | None:
    """The account of the target's probability; None where the review has none, or nothing moved it.

    shown: the same review as its reader sees it, for names and citations.
    """
    target = next((item for item in review.differential if item.disease == TARGET), None)
    if target is None or not shown.evidence:
        return None
    moves = tuple(_moves(target, shown))
    places = [_odds(target.prior)]
    for _, ratio, _ in moves:
        places.append(places[-1] + ratio)
    low, high = min(*places, -AIR) - AIR, max(*places, AIR) + AIR

    def share(odds: float) -> float:
        return 100 * (odds - low) / (high - low)

    steps = [Step("start", STARTS, *_ends(share(0), share(places[0])), places[0] >= 0, rarity(target.prior))]
    for (label, ratio, evidence), before, after in zip(moves, places, places[1:], strict=False):
        steps.append(Step("finding" if evidence else "rest", label, *_ends(share(before), share(after)), ratio >= 0,
                          factor(ratio), evidence))
    steps.append(Step("end", ENDS, *_ends(share(0), share(places[-1])), places[-1] >= 0, percent(target.probability)))
    return Waterfall(tuple(steps), tuple(_ticks(low, high, share)), share(0))


def _moves(target: Posterior, shown: ReviewView) -> Iterator[tuple[str, float, EvidenceView | None]]:
    """The telling findings, the others together, and what is left."""
    for item in shown.evidence:
        yield item.label, item.log_ratio, item
    slight = sum(item.log_ratio for item in shown.slight)
    if abs(slight) >= EDGE:
        yield f"{len(shown.slight)} that hardly moved it", slight, None
    counted: Sequence[Evidence] = [item for item in target.evidence if not item.spoken_by]
    rest = _odds(target.probability) - _odds(target.prior) - sum(item.log_ratio for item in counted)
    if abs(rest) >= SLIGHT / 4:
        yield TOGETHER, rest, None


def _ends(one: float, other: float) -> tuple[float, float]:
    return min(one, other), max(one, other)


def _ticks(low: float, high: float, share: Callable[[float], float]) -> Iterator[tuple[float, str]]:
    for mark in MARKS:
        if low < _odds(mark) < high:
            yield share(_odds(mark)), f"{100 * mark:g} %"


def _odds(probability: float) -> float:
    held = min(max(probability, EDGE), 1 - EDGE)
    return log(held / (1 - held))

