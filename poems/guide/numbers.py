"""Every number of the knowledge under an address, so that prose refers to it and never repeats it.

An address is `base` or `base/form`: `cidp-first-london`, `cidp-first-london/count`,
`vegf-plasma-200.ppv@neuropathy-clinic`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import partial

from poems.guide import numbers_follow
from poems.guide.forms import digits, said
from poems.guide.limits import limits
from poems.guide.made import counted, of_claim, plain
from poems.guide.model import Number
from poems.knowledge import Knowledge, Reference
from poems.knowledge.model import Accuracy, Count, Feature
from poems.models.accuracy import likelihood_ratios, predictive_values
from poems.rules import Rule

Make = Callable[[], Number]
KEPT = "_guide_numbers"
SURE = 99.9
"""In percent: no test makes anything surer than this."""


def resolve(knowledge: Knowledge, address: str) -> Number:
    """The number at an address, in the form it asks for. Raises: KeyError that says what is there instead."""
    base, _, form = address.partition("/")
    made = _made(knowledge).get(base)
    if made is None:
        near = get_close_matches(base, _made(knowledge), n=3, cutoff=0.5)
        raise KeyError(f"no number {base!r}" + (f"; did you mean {' or '.join(near)}?" if near else ""))
    number = made()
    try:
        return replace(number, address=address, text=said(number, form)) if form else number
    except ValueError as error:
        raise KeyError(f"{base!r} has {error}") from None


def addresses(knowledge: Knowledge) -> tuple[str, ...]:
    """Every address, in the order of the files."""
    return tuple(_made(knowledge))


def _made(knowledge: Knowledge) -> Mapping[str, Make]:
    """How each number is made, by address; kept with the knowledge. Raises: ValueError for an address given twice."""
    kept: dict[str, Make] | None = knowledge.__dict__.get(KEPT)
    if kept is None:
        kept = {}
        for address, make in _all(knowledge):
            if address in kept:
                raise ValueError(f"two numbers have the address {address!r}")
            kept[address] = make
        knowledge.__dict__[KEPT] = kept
    return kept


def _all(knowledge: Knowledge) -> Iterator[tuple[str, Make]]:
    for claim in knowledge.claims.values():
        yield claim.id, partial(of_claim, claim)
    for accuracy in knowledge.accuracies.values():
        yield from _accuracy(accuracy, knowledge)
    for feature in knowledge.features.values():
        yield from _feature(feature, knowledge)
    for setting in knowledge.settings.values():
        for count in setting.priors:
            label = f"{knowledge.diseases[count.diseases[0]]['label']}, {setting.label}"
            address = f"setting.{setting.id}.{count.diseases[0]}"
            yield address, partial(counted, address, label, count)
    yield from _limits({key: (item.rule, item.label, item.source) for key, item in
                        (*knowledge.components.items(), *knowledge.follow.components.items())}, knowledge)
    yield from _limits({f"{item.id}.{level.id}" if len(item.levels) > 1 else item.id:
                        (level.rule, item.label, item.source)
                        for item in knowledge.criteria.values() for level in item.levels}, knowledge)
    yield from numbers_follow.everything(knowledge)
    for kind in ("sources", "concepts", "criteria", "features", "accuracies", "tests", "errata", "claims", "drafts"):
        held = len(getattr(knowledge, kind))
        address = f"knowledge.{kind}"
        yield address, partial(plain, address, f"How many {kind} the knowledge holds", held, "", ())


def _accuracy(item: Accuracy, knowledge: Knowledge) -> Iterator[tuple[str, Make]]:
    """Sensitivity, specificity, likelihood ratios, and what a result means in each setting and example."""
    for name, count in (("sensitivity", item.sensitivity), ("specificity", item.specificity)):
        address = f"{item.id}.{name}"
        label = f"{item.label}: {name}" + (f" against {item.versus}" if name == "specificity" else "")
        yield address, partial(counted, address, label, count)
    for place, name in enumerate(("lr-positive", "lr-negative")):
        yield f"{item.id}.{name}", partial(_ratio, item, name, place)
    for before in (*knowledge.settings, *(key for key in knowledge.claims if key.startswith("example-"))):
        for place, name in enumerate(("ppv", "npv")):
            yield f"{item.id}.{name}@{before}", partial(_predictive, item, name, place, before, knowledge)


def _sources(item: Accuracy) -> tuple[Reference, ...]:
    return tuple(dict.fromkeys((item.sensitivity.source, item.specificity.source)))


def _ratio(item: Accuracy, name: str, place: int) -> Number:
    ratio = likelihood_ratios(item)[place]
    low, high = float(f"{ratio.low:.2g}"), float(f"{ratio.high:.2g}")
    value = float(f"{ratio.value:{'.2g' if ratio.value < 1 else '.3g'}}")
    said = digits(value) if value else f"less than {digits(high)}"
    return Number(f"{item.id}.{name}", f"{item.label}: likelihood ratio of a {name[3:]} result", said,
                  _sources(item), value or None, "", low=low, high=high, spread="interval",
                  cohort=item.sensitivity.cohort, note="computed from sensitivity and specificity")


def _predictive(item: Accuracy, name: str, place: int, before: str, knowledge: Knowledge) -> Number:
    """What a result means where so many have the disease before the test."""
    if before in knowledge.settings:
        from poems.models.differential import TARGET, pretest

        share, where, priors = pretest(knowledge, before), knowledge.settings[before].label, tuple(
            count.source for count in knowledge.settings[before].priors if TARGET in count.diseases)
    else:
        claim = knowledge.claims[before]
        share, where, priors = (claim.k or 0) / (claim.n or 1), claim.text, ()
    value = 100 * predictive_values(item, share)[place]
    rounded = float(f"{value:.1g}") if value < 1 else round(value, 1) if value > 99 or value < 10 else round(value)
    who = "have POEMS among those who test positive" if name == "ppv" else \
        "are free of it among those who test negative"
    said = f"{digits(rounded)}%" if rounded <= SURE else f"more than {digits(SURE)}%"
    return Number(f"{item.id}.{name}@{before}", f"{item.label}: {who}, {where}", said,
                  (*_sources(item), *priors), rounded, "%", note="by Bayes' rule")


def _feature(item: Feature, knowledge: Knowledge) -> Iterator[tuple[str, Make]]:
    """How often each disease shows it, over all studies and in each; what is only assumed is left out."""
    known = [count for count in item.counts if count.source.status != "assumed"]
    for disease in dict.fromkeys(disease for count in known for disease in count.diseases):
        counts = [count for count in known if disease in count.diseases]
        label = f"{item.label} in {knowledge.diseases[disease]['label']}"
        address = f"{item.id}.{disease}.share"
        yield address, partial(_over, address, label, counts) if len(counts) > 1 else partial(
            counted, address, label, counts[0])
        seen: dict[str, int] = {}
        for count in counts:
            seen[count.source.id] = seen.get(count.source.id, 0) + 1
            more = f".{seen[count.source.id]}" if seen[count.source.id] > 1 else ""
            at = f"{address}@{count.source.id}{more}"
            yield at, partial(counted, at, label, count)


def _over(address: str, label: str, counts: Iterable[Count]) -> Number:
    """The lowest and the highest of several studies."""
    each = [counted(address, label, count) for count in counts]
    ends = [end for number in each for end in (
        (number.value,) if number.value is not None else (number.low, number.high)) if end is not None]
    low, high = min(ends), max(ends)
    return Number(address, label, f"{digits(low)} to {digits(high)}%" if low != high else f"{digits(low)}%",
                  tuple(dict.fromkeys(reference for number in each for reference in number.references)), None, "%",
                  low=low, high=high, spread="studies", note=f"the lowest and the highest of {len(each)} studies")


def _limits(rules: Mapping[str, tuple[Rule, str, Reference]], knowledge: Knowledge) -> Iterator[tuple[str, Make]]:
    """The limit, where a part has one; how many of how many, where it asks for a number of parts."""
    for key, (rule, label, source) in rules.items():
        for name, value, unit in limits(rule, knowledge):
            address = f"{key}.{name}"
            yield address, partial(plain, address, label, value, unit, (source,))
