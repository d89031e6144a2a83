"""A real server on a port of its own, and a real browser that says what it fetched and what went wrong in it."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from web_made import until

from poems.knowledge import Knowledge
from poems.store import Store
from poems.web.app import make_app
from poems.web.example import fill
from poems.web.settings import LOOPBACK, reachable

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


@dataclass
class App:
    """A running app and its store."""

    address: str
    store: Store
    knowledge: Knowledge

    def example(self) -> str:
        """Fill in the published patients; the uid of the first."""
        self.store.set_setting("mode", "many", "test")
        return fill(self.store, self.knowledge)

    def uid(self, label: str) -> str:
        """The uid of a patient."""
        found = self.store.find(label)
        assert found is not None
        return found.uid


@dataclass
class Watched:
    """A page, what it fetched, and what its console said."""

    page: Page
    fetched: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def quiet(self, address: str) -> None:
        """Nothing came from elsewhere, and the browser had nothing to complain of."""
        assert not [one for one in self.fetched if not one.startswith((address, "data:", "blob:"))]
        assert not self.said


@pytest.fixture
def app(tmp_path: Path, knowledge: Knowledge) -> Iterator[App]:
    """An app with an empty store."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    with Store.open(tmp_path / "poems.db") as store:
        made = make_app(store, knowledge, settings=reachable(LOOPBACK, port))
        server = uvicorn.Server(uvicorn.Config(made, log_level="critical", access_log=False, lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until(lambda: server.started)
        yield App(f"http://127.0.0.1:{port}/", store, knowledge)
        server.should_exit = True
        thread.join(5)
    listening.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser, where there is one; a module's own, since two of the library cannot live at one time."""
    if CHROMIUM is None:
        pytest.skip("chromium was not found")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def context(browser: Browser, app: App) -> Iterator[BrowserContext]:
    made = browser.new_context(base_url=app.address, viewport={"width": 1280, "height": 900}, accept_downloads=True)
    made.set_default_timeout(10_000)
    yield made
    made.close()


@pytest.fixture
def watched(context: BrowserContext, app: App) -> Iterator[Watched]:
    """A page that is watched; whatever it fetched elsewhere, or complained of, fails the test at its end."""
    found = watch(context.new_page())
    yield found
    found.quiet(app.address)


@pytest.fixture
def page(watched: Watched) -> Page:
    return watched.page


def watch(page: Page) -> Watched:
    """Note what a page fetches, its errors, and what it was not allowed to do."""
    found = Watched(page)
    page.on("request", lambda request: found.fetched.append(request.url))
    page.on("pageerror", lambda error: found.said.append(str(error)))
    page.on(
        "console",
        lambda message: (
            found.said.append(message.text) if message.type == "error" and "status of 4" not in message.text else None
        ),
    )
    return found
