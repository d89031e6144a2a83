"""What one patient costs: cold and warm, as times and as ratios measured in the same run."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from poems.adapters import read
from poems.evaluate import judge
from poems.explain import settled_by
from poems.knowledge import load
from poems.knowledge.files import read_all
from poems.knowledge.load import build
from poems.models.differential import Differential
from poems.record import records
from poems.review import assess, differential_of

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "published-case.csv"
SETTING = "demyelinating-neuropathy"


def process(*arguments: str) -> float:
    """Median seconds of a whole process, seven runs after a warm-up."""
    times = []
    for run in range(8):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
        if run:
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def warm(work: Callable[[], object], seconds: float = 1.0) -> float:
    """Median seconds of a call, repeated for about a second after a warm-up."""
    work()
    times = []
    end = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Measure and print."""
    knowledge = load()
    reading = read(EXAMPLE.read_bytes(), knowledge, name=EXAMPLE.name, today=date(2026, 1, 1))
    record = records(reading.events, date(2020, 8, 1))[0]

    def fresh() -> object:
        return type(record)(record.patient, record.events, record.as_of)

    def explained() -> None:
        memo: dict[int, object] = {}
        patient = fresh()
        for item in knowledge.criteria.values():
            for level in item.levels:
                settled_by(judge(level.rule, patient, memo))  # type: ignore[arg-type]

    model = differential_of(knowledge, SETTING)
    verdicts = {key: judge(feature.rule, record, {}).verdict for key, feature in knowledge.features.items()}
    bare = process("-c", "pass")
    cold = process("-m", "poems", "assess", str(EXAMPLE), "--as-of", "2020-08-01", "--setting", SETTING)
    rows = [
        ("knowledge load, warm files", warm(lambda: build(read_all())), 0.3),
        ("poems assess, cold, whole process", cold, 0.7),
        ("one patient, every set explained", warm(explained), 0.001),
        ("differential with intervals", warm(lambda: model.posteriors(verdicts)), 0.010),
        (
            "the first differential of a setting",
            warm(lambda: Differential(knowledge, SETTING).posteriors(verdicts)),
            None,
        ),
        ("expected information of every test", warm(lambda: model.gains(verdicts)), None),
        ("whole review, warm", warm(lambda: assess(fresh(), knowledge, setting=SETTING)), None),  # type: ignore[arg-type]
        (
            "reading the record (CSV)",
            warm(lambda: read(EXAMPLE.read_bytes(), knowledge, name="x.csv", today=date(2026, 1, 1))),
            None,
        ),
    ]
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; "
        f"bare interpreter {1000 * bare:.0f} ms; {len(record.events)} events, "
        f"{len(knowledge.concepts)} concepts, {len(knowledge.criteria)} sets, {len(verdicts)} features"
    )
    print(f"{'work':40}{'ms':>10}{'reach ms':>10}{'x bare start':>14}")
    for name, seconds, reach in rows:
        aim = f"{1000 * reach:.0f}" if reach else "-"
        print(f"{name:40}{1000 * seconds:10.3f}{aim:>10}{seconds / bare:14.3f}")


if __name__ == "__main__":
    main()
