"""One long course, made here and nobody's: what a patient costs who was seen for nearly ten years."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from poems.knowledge import Knowledge
from poems.record import Event, Record

BEGAN, VISITS, EVERY_DAYS = date(2012, 1, 15), 38, 91
SEED = 20261122
#: finding, value before treatment, level in remission, share of a sample's scatter, laboratory's limit
SERIES = (
    ("vegf-plasma", 450.0, 60.0, 0.3, 96.2),
    ("m-protein-serum", 1.1, 0.2, 0.08, None),
    ("free-light-chain-lambda", 60.0, 22.0, 0.28, 26.3),
    ("platelets", 610.0, 240.0, 0.1, 400.0),
    ("albumin", 3.1, 4.2, 0.045, None),
)
ONCE = (
    ("polyneuropathy", -40, "present"),
    ("sclerotic-bone-lesion", -30, "present"),
    ("lenalidomide", 0, "present"),
    ("dexamethasone", 0, "present"),
)


def long_course(knowledge: Knowledge) -> Record:
    """38 visits and five series: they fall after treatment and stay; two of them rise slowly from the sixth year on."""
    rng, events = np.random.default_rng(SEED), [_event(knowledge, name, day, status=said) for name, day, said in ONCE]
    for visit in range(VISITS):
        day = visit * EVERY_DAYS - 5 + (int(rng.integers(-9, 10)) if visit else 0)
        for name, before, after, scatter, limit in SERIES:
            level = before if visit == 0 else after * (1 + (before / after - 1) * 0.3**visit)
            if name in ("vegf-plasma", "m-protein-serum"):
                level *= 1.06 ** max(visit - 24, 0)
            value = round(level * float(np.exp(scatter * rng.standard_normal())), 2)
            events.append(_event(knowledge, name, day, value=value, upper_limit=limit))
    return Record("long-course", tuple(events), BEGAN + timedelta(VISITS * EVERY_DAYS))


def _event(knowledge: Knowledge, finding: str, day: int, status: str = "", value: float | None = None,
           upper_limit: float | None = None) -> Event:
    concept = knowledge.concepts[finding]
    return Event("long-course", finding, BEGAN + timedelta(day), status, value, concept.unit if value else "",
                 specimen=concept.specimen, upper_limit=upper_limit, source=f"{finding}, day {day}")
