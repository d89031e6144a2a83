"""Numbers made from what the knowledge holds: claims, counts, shares, plain values."""

from __future__ import annotations

from dataclasses import replace

from poems.guide.forms import digits, quantity, share, span
from poems.guide.model import Number
from poems.knowledge import Reference
from poems.knowledge.follow_model import Share
from poems.knowledge.model import Claim, Count
from poems.models.accuracy import wilson

WEIGHT = "weight of"
"""How the knowledge says that a size stands for a weight: nobody printed it."""


def plain(address: str, label: str, value: float, unit: str, references: tuple[Reference, ...], *,
          low: float | None = None, high: float | None = None, spread: str = "", cohort: str = "", period: str = "",
          n: float | None = None, note: str = "", stat: str = "") -> Number:
    """A value as it stands."""
    return Number(address, label, quantity(value, unit), references, value, unit, None, n, low, high, spread, stat, "",
                  cohort, period, note)


def ranged(address: str, label: str, low: float, high: float, unit: str, references: tuple[Reference, ...],
           note: str = "") -> Number:
    """Two ends without a middle, as printed."""
    return Number(address, label, span(low, high, unit), references, None, unit, low=low, high=high, spread="printed",
                  note=note)


def counted(address: str, label: str, count: Count) -> Number:
    """A share that was counted, or printed as a range.

    What is assumed, or was given a weight in place of a size that nobody printed, has no count of people.
    """
    if count.low is not None and count.high is not None:
        return _share(address, label, (count.source,), None, None, None, count.low, count.high, "printed", count.cohort)
    number = _share(address, label, (count.source,), count.k, count.n, count.percent, None, None, "", count.cohort)
    source = count.source
    if source.status != "assumed" and WEIGHT not in source.how:
        return number
    return replace(number, k=None, n=None, low=None, high=None, spread="")


def of_share(address: str, label: str, item: Share) -> Number:
    """What was published of a treatment: a share, a range, or only words."""
    if item.k is None and item.percent is None and item.low is None:
        return Number(address, label, item.text, (item.source,), cohort=item.cohort)
    return _share(address, label, (item.source,), item.k, item.n, item.percent, item.low, item.high,
                  "interval" if item.percent is not None else "printed", item.cohort, item.text)


def of_claim(claim: Claim) -> Number:
    """The number of a claim."""
    if claim.value is None and (claim.k is not None or claim.percent is not None or not claim.unit):
        number = _share(claim.id, claim.label, (claim.source,), claim.k, claim.n, claim.percent, claim.low, claim.high,
                        claim.spread or "printed", claim.cohort, claim.note)
    elif claim.value is None:
        number = ranged(claim.id, claim.label, claim.low or 0, claim.high or 0, claim.unit, (claim.source,), claim.note)
    else:
        number = plain(claim.id, claim.label, claim.value, claim.unit, (claim.source,), low=claim.low, high=claim.high,
                       spread=claim.spread, n=claim.n)
    said = claim.text or (f"{claim.about} {number.text}" if claim.about else number.text)
    if claim.source.status == "assumed":
        number = replace(number, k=None, n=None, low=None, high=None, spread="")
    elif not number.n:
        number = replace(number, n=claim.n)
    return replace(number, text=said, stat=claim.stat, about=claim.about, cohort=claim.cohort, period=claim.period,
                   note=claim.note)


def _share(address: str, label: str, references: tuple[Reference, ...], k: float | None, n: float | None,
           percent: float | None, low: float | None, high: float | None, spread: str, cohort: str,
           note: str = "") -> Number:
    """A share in percent; its Wilson interval where people were counted and no interval was printed."""
    if percent is None and (k is None or n is None):
        if low is None or high is None:
            return Number(address, label, note or digits(k or 0), references, k, "", k, n, cohort=cohort, note=note)
        return Number(address, label, span(low, high, "%"), references, None, "%", k, n, low, high, "printed",
                      cohort=cohort, note=note)
    value = percent if percent is not None else share(k or 0, n or 1)
    if low is None and k is not None and n is not None and 0 <= k <= n:
        estimate = wilson(k, n)
        low, high, spread = share(estimate.low * n, n), share(estimate.high * n, n), "wilson"
    text = _rare(k, n) if k and n and k / n < 0.001 else quantity(value, "%")
    return Number(address, label, text, references, value, "%", k, n, low, high, spread if low is not None else "",
                  cohort=cohort, note=note)


def _rare(k: float, n: float) -> str:
    """`about 1 in 330,000`, where percent would be nothing."""
    return f"about 1 in {digits(float(f'{n / k:.2g}'))}"
