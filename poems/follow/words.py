"""The few wordings that the parts of a follow-up share."""

from __future__ import annotations

from collections.abc import Sequence

from poems.knowledge.follow_model import Share

AGAIN = "again, the same in every field as"
"""How an issue says that an observation stands twice."""


def listed(names: Sequence[str], link: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return f" {link} ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""


def number(value: float) -> str:
    """A number as a person writes it."""
    return f"{value:.6g}"


def share(published: Share, interval: tuple[float, float] | None) -> str:
    """A published share as it was printed. interval: Wilson's, where k and n are both known, in percent."""
    said = ""
    if published.k is not None and published.n:
        between = f"; 95 % interval {interval[0]:.0f} to {interval[1]:.0f} %" if interval else ""
        said = f"{number(published.k)} of {number(published.n)} ({100 * published.k / published.n:.0f} %{between})"
    elif published.k is not None:
        said = f"{number(published.k)} patients"
    elif published.percent is not None:
        said = f"{number(published.percent)} %"
        if published.low is not None and published.high is not None:
            said += f" (95 % interval {number(published.low)} to {number(published.high)} %)"
        said += f" of {number(published.n)}" if published.n is not None and not published.text else ""
    elif published.low is not None and published.high is not None:
        said = f"{number(published.low)} to {number(published.high)} %"
    return "; ".join(filter(None, (said, published.text)))
