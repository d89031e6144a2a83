"""Kill -9 at any moment: no acknowledged change is lost, none is torn, no file is damaged. See bench/store_kill.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


def killed(*arguments: str) -> dict[str, Any]:
    """What a run of kills saw; it has a process of its own, since it forks."""
    found = subprocess.run([sys.executable, "-m", "bench.store_kill", *arguments], cwd=ROOT, capture_output=True,
                           text=True, check=False)
    assert found.returncode == 0, found.stdout[-2000:] + found.stderr[-2000:]
    return json.loads(found.stdout)  # type: ignore[no-any-return]


def is_sound(seen: dict[str, Any], kills: int) -> bool:
    """Enough was done for it to mean something, and nothing went wrong."""
    assert seen["kills"] >= kills
    assert seen["acknowledged"] > kills, "the writers were killed before they wrote"
    return (seen["lost"], seen["torn"], seen["corrupt"], seen["faults"]) == (0, 0, 0, [])


def test_some_kills() -> None:
    """A short run, part of every test run."""
    assert is_sound(killed("--kills", "40", "--seed", "7"), 40)


@pytest.mark.slow
def test_a_thousand_kills() -> None:
    """A thousand writers are killed."""
    assert is_sound(killed("--kills", "1000"), 1000)


@pytest.mark.slow
def test_kills_of_an_encrypted_store() -> None:
    """The same holds for a store with a key."""
    pytest.importorskip("sqlcipher3")
    assert is_sound(killed("--kills", "100", "--key", "a long key"), 100)
