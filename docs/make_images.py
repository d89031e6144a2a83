"""Make the pictures of the README from a real run: review.png, follow.png and terminal.svg in docs/images.

Needs Chromium for the page (`apt-get install chromium`, or set CHROMIUM to its path); the terminal needs nothing.
    python docs/make_images.py
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

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
IMAGES = ROOT / "docs" / "images"
WIDTH, HEIGHT = 1100, 1760
ENDS_BEFORE = "What moved it"   # the picture of the letter
PAPER = TerminalTheme((251, 250, 248), (29, 35, 39), [
    (29, 35, 39), (176, 42, 55), (11, 107, 99), (138, 83, 0), (11, 93, 138), (120, 60, 140), (11, 107, 99),
    (85, 96, 106)])


def main() -> None:
    """The review of the published case of `make run`, on screen and in the terminal, and the published course."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    found = published()
    terminal(found, IMAGES / "terminal.svg")
    browser(render([found], load(), form="html"), IMAGES / "review.png")
    browser(render_follow([followed()], load(), form="html"), IMAGES / "follow.png")


def published() -> Review:
    """The review of poems/examples/published-case.csv on its day."""
    knowledge = load()
    reading = read(ROOT / "poems" / "examples" / "published-case.csv", knowledge, today=date.today())
    record = records(reading.events, date(2020, 8, 1))[0]
    return assess(record, knowledge, setting="demyelinating-neuropathy")


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


def browser(html: str, path: Path) -> None:
    """The page as a browser shows it, without a network."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("docs/make_images.py: chromium was not found; install it, or set CHROMIUM to its path.")
    with tempfile.TemporaryDirectory() as directory:
        page = Path(directory) / "page.html"
        page.write_text(html, encoding="utf-8")
        subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                        "--hide-scrollbars", f"--screenshot={path}", f"--window-size={WIDTH},{HEIGHT}", page.as_uri()],
                       check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    main()
