"""A real server for the tests of the web app, and a client that behaves as a browser does."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from argon2 import PasswordHasher

from poems.knowledge import Knowledge
from poems.store import Patient, Store
from poems.web import serving
from poems.web.accounts import Account, Accounts
from poems.web.app import make_app
from poems.web.settings import Limits, Settings, reachable

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "poems" / "examples" / "published-case.csv"
COURSE = ROOT / "poems" / "examples" / "published-course.csv"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Made once: reading the authorities of the world for each client takes longer than a test."""
QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
PASSWORDS = {"vera": "seven small viewers", "edith": "eight eager editors", "ada": "nine able admins"}
ROLES = {"vera": "viewer", "edith": "editor", "ada": "admin"}


def until(what: Callable[[], object], seconds: float = 60) -> None:
    """Wait for it; a server that fails to get there ends the test and not the run."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def some_accounts() -> Accounts:
    """One account for each role; their hashes are quick, for the tests only."""
    return Accounts(
        {name: Account(name, ROLES[name], QUICK.hash(password)) for name, password in PASSWORDS.items()}, QUICK
    )


def signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that we signed ourselves, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext"
    subprocess.run(
        ["openssl", *words.split(), "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert],
        check=True,
        capture_output=True,
    )
    return cert, key


class Served:
    """A server of the app on a free port, in a thread."""

    def __init__(
        self,
        store: Store,
        knowledge: Knowledge,
        *,
        limits: Limits | None = None,
        accounts: Accounts | None = None,
        cert: Path | None = None,
        key: Path | None = None,
        cut: Callable[[], None] = lambda: None,
    ) -> None:
        self.store, self.knowledge = store, knowledge
        self.socket = serving.listen("127.0.0.1", 0)
        self.port = self.socket.getsockname()[1]
        self.settings: Settings = reachable(
            ("127.0.0.1", "localhost"), self.port, accounts=accounts, limits=limits, is_secure=cert is not None
        )
        self.app = make_app(store, knowledge, settings=self.settings)
        self.server = serving.server(self.app, cert=cert, key=key, cut=cut)
        self.url = f"{'https' if cert else 'http'}://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)

    def __enter__(self) -> Served:
        self.thread.start()
        until(lambda: self.server.started)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(20)
        assert not self.thread.is_alive(), "the server did not end"

    def browser(self, **options: Any) -> Browser:
        """A new visitor."""
        return Browser(**{"base_url": self.url, "timeout": 30, **options})

    @contextmanager
    def logged_in(self, name: str) -> Iterator[Browser]:
        """A visitor who has logged in."""
        with self.browser() as visitor:
            assert visitor.submit("/login", {"name": name, "password": PASSWORDS[name]}).status_code == 303
            yield visitor

    def head(self, line: str, *headers: str, host: str = "") -> bytes:
        """A request without a body, as bytes; each header as it stands on the wire."""
        lines = (line, f"Host: {host or f'127.0.0.1:{self.port}'}", *headers)
        return "".join(f"{one}\r\n" for one in (*lines, "")).encode("latin-1")

    def form_begun(self, visitor: Browser, length: int) -> bytes:
        """The head of a form that creates a patient, and the first word of its body."""
        token, cookie = visitor.token(), visitor.cookies["poems-session"]
        return (
            self.head(
                "POST /patients HTTP/1.1",
                f"Cookie: poems-session={cookie}",
                f"X-CSRF-Token: {token}",
                "Content-Type: application/x-www-form-urlencoded",
                f"Content-Length: {length}",
            )
            + b"label="
        )

    def raw(self, data: bytes, *, seconds: float = 10.0) -> bytes:
        """What the server answers to bytes that no client would send."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as wire:
            wire.sendall(data)
            said = b""
            try:
                while piece := wire.recv(1 << 16):
                    said += piece
            except (TimeoutError, ConnectionResetError):
                return said
        return said


class Browser(httpx.Client):
    """A client that keeps cookies and brings the token of its session back."""

    def __init__(self, **options: Any) -> None:
        super().__init__(follow_redirects=False, **{"verify": NO_TLS, **options})
        self._token: tuple[str, str] = ("", "")

    def token(self) -> str:
        """The token of the present session."""
        name = "__Host-poems" if str(self.base_url).startswith("https") else "poems-session"
        known = self.cookies.get(name) or ""
        if not known or self._token[0] != known:
            said = self.get("/api/v1/session").json()
            self._token = self.cookies.get(name) or "", said["token"]
        return self._token[1]

    def submit(self, path: str, data: Mapping[str, Any] | None = None, **options: Any) -> httpx.Response:
        """A form, with the token and the headers that a browser puts on it."""
        headers = {
            "origin": str(self.base_url).rstrip("/"),
            "sec-fetch-site": "same-origin",
            **options.pop("headers", {}),
        }
        return self.post(path, data={"csrf": self.token(), **(data or {})}, headers=headers, **options)

    def bring(self, path: str = "/import", data: Mapping[str, Any] | None = None, **options: Any) -> httpx.Response:
        """A form with files, and the page to which the browser is sent after it; or what it was answered instead."""
        said = self.submit(path, data, **options)
        return self.get(said.headers["location"]) if said.status_code == 303 else said

    def call(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """A call of the programming interface."""
        headers = {"x-csrf-token": self.token(), **options.pop("headers", {})}
        return self.post(f"/api/v1{path}", json=body, headers=headers, **options)


def fill(store: Store, label: str = "Case 1", path: Path = EXAMPLE, knowledge: Knowledge | None = None) -> Patient:
    """A patient with the findings of a published case."""
    from datetime import date

    from poems.adapters import read
    from poems.knowledge import load

    known = knowledge or load()
    made = store.create(label, "test")
    store.add(
        made.uid, read(path, known, today=date.today()).events, "test", kind="import", source=path.name, format="csv"
    )
    return store.patient(made.uid)
