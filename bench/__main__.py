"""What one patient costs: cold and warm, as times and as ratios measured in the same run."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np

from bench.made_course import long_course
from poems.adapters import read
from poems.evaluate import judge
from poems.explain import settled_by
from poems.follow import follow
from poems.knowledge import Knowledge, load
from poems.knowledge.files import read_all
from poems.knowledge.load import build
from poems.models.differential import Differential
from poems.models.trend import Model, Noise, fit
from poems.record import Record, records
from poems.review import assess, differential_of

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "poems" / "examples"
EXAMPLE = EXAMPLES / "published-case.csv"
COURSE = EXAMPLES / "published-course.csv"
SETTING = "demyelinating-neuropathy"
Row = tuple[str, float, float | None]  # what, measured seconds, seconds asked for


def process(*arguments: str) -> float:
    """Median seconds of a whole process, seven runs after a warm-up."""
    times = []
    for run in range(8):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
        if run:
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def warm(work: Callable[[], object], seconds: float = 1.0, least: int = 5) -> float:
    """Median seconds of a call, repeated for about a second after a warm-up."""
    work()
    times = []
    end = time.perf_counter() + seconds
    while len(times) < least or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def followed(knowledge: Knowledge) -> list[Row]:
    """One patient's follow-up without reading and layout, and the trend of many courses."""
    reading = read(COURSE.read_bytes(), knowledge, name=COURSE.name, today=date(2026, 1, 1))
    short, long = records(reading.events, date(2020, 10, 10))[0], long_course(knowledge)

    def work(record: Record) -> Callable[[], object]:
        assert record.as_of is not None
        as_of = record.as_of
        return lambda: follow(Record(record.patient, record.events, as_of), knowledge, as_of=as_of)

    rng = np.random.default_rng(1)
    days = np.cumsum(rng.uniform(60, 120, (100_000, 20)), axis=1)
    logs, sides = rng.normal(4, 0.3, days.shape), np.where(rng.random(days.shape) < 0.05, -1, 0)
    model = Model(Noise(30, 15, 69.2))
    return [
        (f"follow-up, warm: published, {len(short.events)} events", warm(work(short)), 0.050),
        (f"follow-up, warm: long, {len(long.events)} events", warm(work(long), 3.0), 0.050),
        ("100,000 courses of 20 samples: trends", warm(lambda: fit(days, logs, sides, model), 0.0, 3), 60),
    ]


def told() -> list[Row]:
    """The guide: a question from the shell, and the whole site, each a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return [
            ("poems ask, cold, whole process", process("-m", "poems", "ask", "How rare is it?"), None),
            ("poems guide build, cold, whole process", process("-m", "poems", "guide", "build", "-o", folder), 5.0),
        ]


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
    rows: list[Row] = [
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
        *followed(knowledge),
        *told(),
    ]
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; "
        f"bare interpreter {1000 * bare:.0f} ms; {len(record.events)} events, "
        f"{len(knowledge.concepts)} concepts, {len(knowledge.criteria)} sets, {len(verdicts)} features"
    )
    print(f"{'work':48}{'ms':>11}{'reach ms':>10}{'x bare start':>14}")
    for name, seconds, reach in rows:
        aim = f"{1000 * reach:.0f}" if reach else "-"
        print(f"{name:48}{1000 * seconds:11.3f}{aim:>10}{seconds / bare:14.3f}")


if __name__ == "__main__":
    main()
