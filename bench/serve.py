"""What a page costs at 1,000 patients of 200 findings: `python -m bench.serve [--patients 1000] [--samples 40]`.

A real server in a process of its own, asked over one connection as a browser does; each sample of a page is another
patient, so that nothing that was kept from the page before helps. p95 is what is held against the target.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

from bench.made_course import long_course
from poems.knowledge import Knowledge, load
from poems.record import Event
from poems.store import Store

ROOT = Path(__file__).parent.parent
FINDINGS = 200
PAGE, PDF = 0.1, 1.0
Row = tuple[str, float, float | None]  # what, p95 in seconds, seconds asked for
PAGES: tuple[tuple[str, str, float | None], ...] = (
    ("list of patients", "/", PAGE), ("findings", "/p/{uid}/", PAGE), ("review", "/p/{uid}/review", PAGE),
    ("follow-up", "/p/{uid}/follow", PAGE), ("history", "/p/{uid}/history", PAGE),
    ("one entry", "/p/{uid}/entry/7", PAGE), ("guide, a page", "/guide/test-vegf", PAGE),
    ("a claim and its source", "/knowledge/{claim}", PAGE), ("settings", "/settings", PAGE), ("audit", "/audit", PAGE),
    ("calendar.ics", "/p/{uid}/calendar.ics", PAGE), ("export.csv", "/p/{uid}/export.csv", None),
    ("export.fhir.json", "/p/{uid}/export.fhir.json", None), ("api: review", "/api/v1/patients/{uid}/review", PAGE),
    ("api: entries", "/api/v1/patients/{uid}/entries", PAGE), ("report.pdf", "/p/{uid}/report.pdf", PDF),
    ("sheet.pdf", "/p/{uid}/sheet.pdf", PDF),
)


def made(knowledge: Knowledge, number: int) -> list[Event]:
    """A patient's 200 findings: the long course, each patient's moved and scattered in its own way."""
    dice = random.Random(number)
    events = list(long_course(knowledge).events)
    events += events[-(FINDINGS - len(events)):]
    moved, scale = timedelta(dice.randrange(-300, 300)), dice.uniform(0.8, 1.25)
    return [replace(one, date=one.date + moved if one.date else None,
                    value=None if one.value is None else round(one.value * scale, 2)) for one in events[:FINDINGS]]


def fill(path: Path, knowledge: Knowledge, patients: int) -> float:
    """A store of so many patients; seconds for each."""
    began = time.perf_counter()
    with Store.open(path) as store:
        store.set_setting("mode", "many", "bench")
        for number in range(patients):
            uid = store.create(f"patient {number:04}", "bench").uid
            store.add(uid, made(knowledge, number), "bench", kind="import", source="made.csv", format="csv")
    return (time.perf_counter() - began) / patients


class Served:
    """The server, and one connection to it."""

    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "poems", "serve", "--port", "0", "--database", str(path)], stderr=subprocess.PIPE,
            text=True, cwd=ROOT, env={**os.environ, "XDG_DATA_HOME": str(path.parent)})
        assert self.process.stderr is not None
        told = self.process.stderr.readline()
        self.port = int(told.split("127.0.0.1:")[1].split("/")[0])
        self.wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.headers: dict[str, str] = {}
        status, body, answer = self.ask("GET", "/ask")
        assert status == 200, body[:300]
        self.headers["cookie"] = (answer.getheader("set-cookie") or "").split(";")[0]
        found = re.search(rb'name="csrf" value="([0-9a-f]+)"', self.ask("GET", "/ask")[1])
        assert found is not None
        self.token = found[1].decode()

    def ask(self, method: str, path: str, form: dict[str, str] | None = None
            ) -> tuple[int, bytes, http.client.HTTPResponse]:
        """One request, and its answer when all of it is there."""
        kind = {"content-type": "application/x-www-form-urlencoded"} if form else {}
        body = urlencode({"csrf": self.token, **form}) if form else None
        self.wire.request(method, path, body, {**self.headers, **kind})
        answer = self.wire.getresponse()
        return answer.status, answer.read(), answer

    def end(self) -> None:
        """Stop it."""
        self.wire.close()
        self.process.terminate()
        self.process.wait(30)
        assert self.process.stderr is not None
        self.process.stderr.close()


def p95(work: Callable[[int], None], samples: int) -> tuple[float, float]:
    """Median and 95th percentile of the seconds of a call, after one that does not count."""
    work(0)
    times = []
    for number in range(1, samples + 1):
        start = time.perf_counter()
        work(number)
        times.append(time.perf_counter() - start)
    return median(times), quantiles(times, n=20, method="inclusive")[-1]


def rows(patients: int = 1000, samples: int = 40) -> tuple[list[Row], dict[str, float]]:
    """Every page with its p95; and the medians."""
    knowledge = load()
    claim = next(iter(knowledge.criteria))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.db"
        filled = fill(path, knowledge, patients)
        with Store.open(path) as store:
            uids = [one.uid for one in store.patients()]
        served, found, medians = Served(path), [], {}
        try:
            for place, (name, address, target) in enumerate(PAGES):
                def get(number: int, address: str = address, place: int = place) -> None:
                    uid = uids[(place * 53 + number * 7) % len(uids)]
                    status, body, _ = served.ask("GET", address.format(uid=uid, claim=claim))
                    assert status == 200, (address, status, body[:200])

                medians[name], seconds = p95(get, samples)
                found.append((f"{name}, p95", seconds, target))
            for name, address, form in FORMS:
                def post(number: int, address: str = address, form: dict[str, str] = form) -> None:
                    uid = uids[(number * 11) % len(uids)]
                    given = {**form, "source": f"letter {number}"}
                    status, body, _ = served.ask("POST", address.format(uid=uid), given)
                    assert status in (200, 303), (address, status, body[:200])

                medians[name], seconds = p95(post, samples)
                found.append((f"{name}, p95", seconds, PAGE))
        finally:
            served.end()
    found.append((f"a patient of {FINDINGS} findings into the store", filled, None))
    return found, medians


FORMS = (("ask the guide", "/ask", {"question": "how long after transplant should VEGF fall"}),
         ("enter a finding", "/p/{uid}/add", {"finding": "edema", "status": "present", "date": "2019-03-01"}),
         ("what if", "/p/{uid}/what-if", {"finding": "edema", "status": "present"}))


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--patients", type=int, default=1000)
    asked.add_argument("--samples", type=int, default=40)
    given = asked.parse_args()
    found, medians = rows(given.patients, given.samples)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {given.patients} patients of {FINDINGS} findings")
    print(f"{'work':48}{'ms':>11}{'reach ms':>10}{'median ms':>11}")
    for name, seconds, reach in found:
        aim, middle = f"{1000 * reach:.0f}" if reach else "-", medians.get(name.removesuffix(", p95"))
        print(f"{name:48}{1000 * seconds:11.1f}{aim:>10}{f'{1000 * middle:.1f}' if middle else '-':>11}")


if __name__ == "__main__":
    main()
