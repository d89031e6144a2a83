"""What every test may use: the bundled knowledge, the published cases, and a watch on the global random generator."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rich.console  # noqa: F401 (draws from the global generator when it is first imported; let it do so before any test)
import yaml

from poems.knowledge import Knowledge, load
from poems.record import Event, Record, records

HERE = Path(__file__).parent
PUBLISHED = sorted((HERE / "cases" / "published").glob("case-*.yaml"))


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    """The bundled knowledge."""
    return load()


@pytest.fixture(autouse=True)
def _no_global_randomness() -> Iterator[None]:
    """A test that draws from the global generators fails: randomness comes from a seeded one passed in."""
    before = random.getstate()[1], np.random.get_state()[1].tobytes()  # type: ignore[index,union-attr]
    yield
    assert before == (random.getstate()[1], np.random.get_state()[1].tobytes())  # type: ignore[index,union-attr]


def read_case(path: Path) -> dict[str, Any]:
    """One case file."""
    return yaml.safe_load(path.read_text())  # type: ignore[no-any-return]


def case_events(case: dict[str, Any]) -> list[Event]:
    """The events of a case as they stand; units are checked where they are read, not here."""
    return [Event(patient=case["case"], **{**row, "unit": row.get("unit", "")}) for row in case["events"]]


def case_record(case: dict[str, Any], as_of: date | None = None) -> Record:
    """The record of a case on its day."""
    return records(case_events(case), as_of or case.get("as_of"))[0]


def some_slow(cases: Iterable[Any], every: int = 4) -> list[Any]:
    """The cases of a table, of which all but every fourth wait for the slow suite."""
    parts = [case if isinstance(case, tuple) else (case,) for case in cases]
    return [pytest.param(*part, marks=pytest.mark.slow if place % every else ()) for place, part in enumerate(parts)]
