"""The checks of the claims: each says one number, once, and its spread fits it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from poems.errors import Issue

Raw = Mapping[str, Any]


def claim_issues(claims: Mapping[str, Raw]) -> Iterator[Issue]:
    """Every fault of claims.yaml. claims: of the right shape, by id."""
    for key, claim in claims.items():
        yield from _one(f"claims.yaml, {key}", claim)


def _one(where: str, claim: Raw) -> Iterator[Issue]:
    k, n, percent = claim.get("k"), claim.get("n"), claim.get("percent")
    low, high, value = claim.get("low"), claim.get("high"), claim.get("value")
    if value is not None and (k is not None or percent is not None):
        yield Issue("fault", where, "a value and a share", "one of them", "Make two claims of it.")
    if k is not None and (n is None or not 0 <= k <= n):
        yield Issue("fault", where, f"{k} of {n}", "k between 0 and n", "Correct the count.")
    if percent is not None and not 0 <= percent <= 100:
        yield Issue("fault", where, f"{percent} percent", "0 to 100", "Correct the share.")
    if k is not None and n and percent is not None and abs(100 * k / n - percent) > 1:
        yield Issue("fault", where, f"{k} of {n} beside {percent} percent", "the same share", "Correct one of them.")
    if (low is None) != (high is None) or (low is not None and low > high):
        yield Issue("fault", where, f"{low} to {high}", "low and high, in this order", "Correct the range.")
    middle = value if value is not None else percent
    if low is not None and middle is not None and "spread" not in claim:
        yield Issue("fault", where, "low and high without spread", "spread: range, interval or sd",
                    "Say what they are.")
    if low is not None and high is not None and middle is not None and not low <= middle <= high:
        yield Issue("fault", where, f"{middle} outside {low} to {high}", "a value between low and high", "Correct it.")
