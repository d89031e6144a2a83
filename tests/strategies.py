"""Generated rules of every shape, and events that come close to every edge the rules have.

One generator takes a `random.Random`. Seeded, it gives volume: thousands of batches, nearly all different. Hypothesis
gives it a random source of its own, and then shrinks what fails; left to itself it mostly repeats small variations.
The vocabulary is small on purpose: a few findings, days and numbers, so that events meet rules, values meet limits, and
dates meet the first day of therapy. The numbers mean nothing in medicine.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import product
from random import Random

from hypothesis import strategies as st

from poems.record import COMPARATORS, Event
from poems.rules import Above, AtLeast, Judged, Method, Named, Not, Present, Rule

FINDINGS = ("rash", "level", "o'brien\"; drop table events; --")
TREATMENTS = ("drug-a", "drug-b")
DOUBTFUL = ("drug-c", "drug-b")  # one of them also closes
PATIENTS = ("p", "p", "p", "q", "q", "r'")  # one with many events, one with few
METHODS = ("ct", "survey", "")
DAYS = tuple(date(2020, 1, day) for day in range(1, 5))
CLEAR_BELOW, LIMIT, TIMES, OWN_LIMIT = 80.0, 100.0, 0.1, 3.0
BEFORE = ((), (), TREATMENTS[:1], TREATMENTS)
PERHAPS = ((), (), DOUBTFUL[:1], DOUBTFUL)
NAMES = ("major", "Major", "patient", "major.0", "", "o'brien\"; --")

Batch = tuple[dict[str, Rule], list[Event], date | None]
"""Rules by id, events of several patients, and the day they are judged on: one query."""


def around(number: float) -> tuple[float, float, float]:
    """The number and its two neighbours: both sides of a limit."""
    return math.nextafter(number, -math.inf), number, math.nextafter(number, math.inf)


# Values at the limits that rules and samples have, beside the sample's own limit. 0.1 * 3.0 is not 0.3: an engine that
# rounds, or computes in decimals, differs there.
EDGES = [*product(around(LIMIT), (None, OWN_LIMIT)), *product(around(CLEAR_BELOW), (None,)),
         *product((*around(OWN_LIMIT), *around(TIMES * OWN_LIMIT)), (OWN_LIMIT,)),
         (-1.0, None), (1e308, LIMIT), (None, None), (None, OWN_LIMIT)]


def a_present(rng: Random) -> Present:
    """One leaf of a finding."""
    methods = [Method(method, rng.random() < 0.6) for method in rng.sample(METHODS, rng.choice((0, 0, 1, 2, 3)))]
    return Present(rng.choice(FINDINGS), tuple(methods), rng.choice(BEFORE), rng.choice(PERHAPS))


def an_above(rng: Random) -> Above:
    """One leaf of a quantity."""
    return Above(
        rng.choice(FINDINGS), limit=rng.choice((LIMIT, LIMIT, None)), clear_below=rng.choice((None, CLEAR_BELOW)),
        inclusive=rng.random() < 0.5, by_lab_limit=rng.random() < 0.5, times=rng.choice((1.0, TIMES)),
        take="latest" if rng.random() < 0.5 else "highest", before=rng.choice(BEFORE),
        perhaps=rng.choice(PERHAPS))


def a_rule(rng: Random, depth: int = 3, leaf: Callable[[Random], Rule] | None = None) -> Rule:
    """A rule at most so many nodes deep, over leaves of one kind or of both."""
    kind = rng.randrange(7) if depth else 0
    if kind <= 2:
        return (leaf or rng.choice((a_present, an_above)))(rng)

    def part() -> Rule:
        return a_rule(rng, depth - 1, leaf)

    if kind == 3:
        return Not(part())
    if kind == 4:
        return Judged(part(), part())
    if kind == 5:
        return Named(rng.choice(NAMES), part(), rng.choice(("", "a question")))
    return AtLeast(rng.randrange(5), tuple(part() for _ in range(rng.randrange(5))))


def an_observation(rng: Random) -> Event:
    """One event of a finding, a value, or both."""
    value, upper_limit = rng.choice(EDGES)
    return Event(rng.choice(PATIENTS), rng.choice(FINDINGS), rng.choice((None, *DAYS)),
                 rng.choice(("", "present", "absent")), value, "", rng.choice(("", "", *COMPARATORS)), "", upper_limit,
                 rng.choice((*METHODS, "unlisted")))


def a_treatment(rng: Random) -> Event:
    """One event of a treatment, given or denied, dated or not."""
    return Event(rng.choice(PATIENTS), rng.choice((*TREATMENTS, *DOUBTFUL)), rng.choice((None, *DAYS, *DAYS)),
                 rng.choice(("present", "", "absent")))


def a_batch(rng: Random, crowd: int = 1) -> Batch:
    """Up to twenty rules and up to three patients, so many times over."""
    rules = [a_rule(rng) for _ in range(rng.randrange(1, 20))]
    rules.append(AtLeast(rng.randrange(1, 4), tuple(rules)))  # has the others as parts, so that rules share nodes
    events = [replace(event, patient=f"{event.patient}{number}")
              for number in range(crowd) for event in some_events(rng)]
    return {f"rule {number}": rule for number, rule in enumerate(rules)}, events, rng.choice((None, None, DAYS[2]))


def some_events(rng: Random) -> list[Event]:
    """Events of up to three patients, in no order."""
    events = [an_observation(rng) for _ in range(rng.randrange(30))]
    events += [a_treatment(rng) for _ in range(rng.randrange(4))]
    rng.shuffle(events)
    return events


sources = st.randoms(use_true_random=False)
rules = sources.map(a_rule)
findings = sources.map(lambda rng: a_rule(rng, leaf=a_present))  # no quantities
observations = sources.map(an_observation)
treatments = sources.map(a_treatment)
batches = sources.map(a_batch)
