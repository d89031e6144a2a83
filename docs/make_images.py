"""Make the pictures of the README from real runs: the pages of the commands and of the app, and the terminal.

Needs Chromium for the pages (`apt-get install chromium`, or set CHROMIUM to its path); the terminal needs nothing.
    python docs/make_images.py          # all of them
    python docs/make_images.py app      # those of the app: docs/images/app-*.png
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

from PIL import Image
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from poems.adapters import read
from poems.follow import Follow, follow
from poems.knowledge import load
from poems.record import records
from poems.render import render, render_follow
from poems.review import Review, assess

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))   # for the simulated course of bench
IMAGES = ROOT / "docs" / "images"
WIDTH, HEIGHT = 1100, 1760
ENDS_BEFORE = "What moved it"   # the picture of the letter
PAPER = TerminalTheme((251, 250, 248), (29, 35, 39), [
    (29, 35, 39), (176, 42, 55), (11, 107, 99), (138, 83, 0), (11, 93, 138), (120, 60, 140), (11, 107, 99),
    (85, 96, 106)])


def main() -> None:
    """The review of the published case of `make run`, on screen and in the terminal, and the published course."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    app()
    if "app" in sys.argv[1:]:
        return
    found = published()
    terminal(found, IMAGES / "terminal.svg")
    browser(render([found], load(), form="html"), IMAGES / "review.png")
    browser(render_follow([followed()], load(), form="html"), IMAGES / "follow.png")


def published() -> Review:
    """The review of poems/examples/published-case.csv on its day."""
    knowledge = load()
    reading = read(ROOT / "poems" / "examples" / "published-case.csv", knowledge, today=date.today())
    record = records(reading.events, date(2020, 8, 1))[0]
    return assess(record, knowledge)


def followed() -> Follow:
    """The course of poems/examples/published-course.csv before anybody acted on its last value."""
    knowledge, day = load(), date(2020, 10, 10)
    reading = read(ROOT / "poems" / "examples" / "published-course.csv", knowledge, today=date.today())
    return follow(records(reading.events, day)[0], knowledge, as_of=day)


def terminal(found: Review, path: Path) -> None:
    """The letter down to the differential as it looks in a terminal of 100 columns, with the viewer's own font."""
    letter = render([found], load(), colour=True)
    console = Console(width=100, record=True, file=open(os.devnull, "w"), force_terminal=True)  # noqa: PTH123, SIM115
    lines = letter.splitlines()
    end = next(place for place, line in enumerate(lines) if ENDS_BEFORE in line)
    console.print(Text.from_ansi("\n".join(lines[:end])))
    svg = console.export_svg(title="poems assess published-case.csv", theme=PAPER, unique_id="poems")
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    path.write_text("\n".join(line.rstrip() for line in svg.splitlines() if line.strip()) + "\n", encoding="utf-8")


def chromium() -> str:
    """Where the browser is."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        sys.exit("docs/make_images.py: chromium was not found; install it, or set CHROMIUM to its path.")
    return found


def browser(html: str, path: Path) -> None:
    """The page as a browser shows it, without a network."""
    with tempfile.TemporaryDirectory() as directory:
        page = Path(directory) / "page.html"
        page.write_text(html, encoding="utf-8")
        subprocess.run([chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                        "--hide-scrollbars", f"--screenshot={path}", f"--window-size={WIDTH},{HEIGHT}", page.as_uri()],
                       check=True, capture_output=True, timeout=120)


@contextmanager
def served() -> Iterator[str]:
    """The app with the example patients and a simulated long course, on a free port of this machine; its address."""
    import uvicorn

    from bench.made_course import long_course
    from poems.store import Store
    from poems.web.app import make_app
    from poems.web.example import fill
    from poems.web.settings import reachable

    knowledge = load()
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with Store.open(Path(folder) / "images.db") as store:
            store.set_setting("mode", "many", "images")
            fill(store, knowledge)
            course = [replace(event, patient="simulated-course") for event in long_course(knowledge).events]
            store.add_patients({"simulated-course": course}, "images", source="simulated.csv", format="csv")
            settings = reachable(("127.0.0.1",), port)
            server = uvicorn.Server(uvicorn.Config(make_app(store, knowledge, settings=settings), log_level="error",
                                                   lifespan="off"))
            thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
            thread.start()
            while not server.started:
                sleep(0.05)
            yield f"http://127.0.0.1:{port}"
            server.should_exit = True
            thread.join()


def app() -> None:
    """The pages of the app as somebody sees them who uses them, as docs/images/app-*.png."""
    from playwright.sync_api import sync_playwright

    with served() as address, sync_playwright() as player:
        browser = player.chromium.launch(executable_path=chromium(), args=[
            "--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        desk = browser.new_page(viewport={"width": WIDTH, "height": 760})
        desk.goto(address)
        case, open_case, course = (desk.get_by_role("link", name=name, exact=True).get_attribute("href")
                                   for name in ("published-case", "published-course", "simulated-course"))
        _entering(desk, f"{address}{case}")
        desk.goto(f"{address}{case}review?day=last")
        _shot(desk, "review")
        _supposing(desk, f"{address}{open_case}review?day=last")
        _following(desk, f"{address}{course}follow?day=last&span=5y")
        desk.goto(f"{address}/guide/test-vegf")
        _shot(desk, "guide")
        night = browser.new_page(viewport={"width": WIDTH, "height": 760}, color_scheme="dark")
        night.goto(f"{address}{case}review?day=last")
        night.locator("#p1-evidence").evaluate("one => one.scrollIntoView()")
        _shot(night, "dark")
        phone = browser.new_page(viewport={"width": 390, "height": 780}, device_scale_factor=1.5)
        phone.context.add_cookies([{"name": "edition", "value": "patient", "url": address}])
        phone.goto(f"{address}{course}follow?day=last")
        _shot(phone, "phone")
        browser.close()


def _entering(page: Any, address: str) -> None:
    """A finding looked up while it is typed, then its fields with unit and specimen not chosen."""
    page.goto(address)
    page.get_by_label("Finding, test or treatment").press_sequentially("vegf")
    page.locator("#choices [role=option]").first.click()
    page.get_by_label("Value").fill("2407")
    _shot(page, "findings")


def _supposing(page: Any, address: str) -> None:
    """What a finding would move, if it were there."""
    page.goto(address)
    page.get_by_text("What if …").click()
    page.get_by_label("Finding, test or treatment").press_sequentially("sclerotic bone")
    page.locator("#choices [role=option]").first.click()
    page.get_by_label("present", exact=True).check()
    page.get_by_role("button", name="Suppose it").click()
    page.locator(".moved-all").wait_for()
    page.locator("#what-if").evaluate("one => one.scrollIntoView()")
    _shot(page, "what-if")


def _following(page: Any, address: str) -> None:
    """The course with the readout of one value."""
    page.goto(address)
    page.locator("#p1-course").evaluate("one => one.scrollIntoView()")
    page.locator("#picture [data-row^='Plasma VEGF']").nth(-2).focus()
    _shot(page, "follow")


def _shot(page: Any, name: str) -> None:
    """What is in view, in 128 colours, so that it stays small."""
    path = IMAGES / f"app-{name}.png"
    page.wait_for_timeout(300)
    page.screenshot(path=path)
    with Image.open(path) as image:
        small = image.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


if __name__ == "__main__":
    main()
