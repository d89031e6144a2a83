"""`poems serve`: what it refuses, how it starts, beside and in the foreground, under TLS, and how it ends."""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
import uvicorn
from web_made import Browser, Served, fill, signed, until

from poems import cli, cli_background, cli_serve
from poems.knowledge import Knowledge
from poems.store import Store
from poems.web import serving

PASSWORD = "nine able admins"
RUN = uvicorn.Server.run


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own: no test meets the user's records."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    return tmp_path / "share" / "poems"


@pytest.fixture(autouse=True)
def _never_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What should have been refused and begins to serve in this process fails, and does not hang."""

    def serving(*_: object, **__: object) -> None:
        raise AssertionError("it began to serve")

    monkeypatch.setattr(uvicorn.Server, "run", serving)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as made:
        return int(made.getsockname()[1])


@pytest.fixture
def pem(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost that we signed ourselves, and its key."""
    return signed(tmp_path)


@pytest.fixture
def accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A password file with one admin, made by the command."""
    path = tmp_path / "accounts"
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\r\n" * 9))
    return path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """The exit code and the words of a command that ends by itself."""
    code = cli.run(["serve", *words])
    return code, capsys.readouterr().err


class Process:
    """`poems serve` as a process of its own."""

    def __init__(self, tmp_path: Path, *words: str) -> None:
        self.log = tmp_path / "said.log"
        with self.log.open("wb") as out:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "poems", "serve", *words], stdout=out, stderr=out, stdin=subprocess.DEVNULL
            )
        until(lambda: b"poems is at" in self.log.read_bytes() or self.child.poll() is not None)
        assert self.child.poll() is None, self.log.read_text()
        self.url = self.log.read_text().split("poems is at ")[1].split()[0].rstrip("/")

    def end(self, number: int) -> int:
        self.child.send_signal(number)
        return self.child.wait(30)


@contextmanager
def process(tmp_path: Path, *words: str) -> Iterator[Process]:
    made = Process(tmp_path, *words)
    try:
        yield made
    finally:
        made.child.kill()
        made.child.wait()


# --- what is refused


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", "", "127.1", "0", "::ffff:192.0.2.1"])
def test_others_are_let_in_with_passwords_and_tls_only(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, host: str, pem: tuple[Path, Path]
) -> None:
    """Neither without both, nor with one of the two."""
    given = ["--host", host, "--name", "a"]
    for more in ([], ["--password-file", str(tmp_path / "x")], ["--tls-cert", str(pem[0]), "--tls-key", str(pem[1])]):
        code, text = said(capsys, *given, *more)
        assert code == 2
        assert "--password-file" in text
        assert "--tls-cert" in text
    assert not (tmp_path / "share").exists()


def test_what_cannot_be_meant_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, pem: tuple[Path, Path]
) -> None:
    """Each with the reason; nothing is made, nothing listens."""
    cert, key = map(str, pem)
    loose = tmp_path / "loose"
    loose.write_text("secret\n")
    loose.chmod(0o644)
    empty = tmp_path / "empty"
    empty.touch(mode=0o600)
    other, open_ = tmp_path / "other", tmp_path / "open"
    other.write_bytes(pem[0].read_bytes())
    other.chmod(0o600)
    open_.write_bytes(pem[1].read_bytes())
    open_.chmod(0o666)
    for words, why in (
        (["--tls-cert", cert], "belong together"),
        (["--tls-cert", cert, "--tls-key", str(tmp_path / "no")], "no such file"),
        (["--example", "--database", str(tmp_path / "mine.db")], "database of its own"),
        (["--name", "https://a"], "no name of a host"),
        (["--name", "a:80"], "no name of a host"),
        (["--host", "0.0.0.0", "--password-file", str(loose), "--tls-cert", cert, "--tls-key", key], "demands --name"),
        (["--password-file", str(loose)], "chmod 600"),
        (["--password-file", str(tmp_path / "no")], "cannot be read"),
        (["--key-file", str(loose)], "chmod 600"),
        (["--key-file", str(empty)], "no key in it"),
        (["--tls-cert", key, "--tls-key", str(other)], "not a certificate"),
        (["--tls-cert", str(loose), "--tls-key", key], "not a"),
        (["--tls-cert", cert, "--tls-key", str(open_)], "chmod 600"),
        (["--port", "70000"], "not to be had"),
        (["--add-user", "x"], "needs --password-file"),
    ):
        code, text = said(capsys, *([] if "--port" in words else ["--port", "0"]), *words)
        assert (code, why in text) == (2, True), (words, text)
    assert not (tmp_path / "mine.db").exists()


def test_a_taken_port_is_named(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    """Also by an example, whose database is not touched then; and by one that starts beside."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for words in ([], ["--example"]):
            code, text = said(capsys, "--port", port, *words)
            assert (code, port in text, "another" in text) == (2, True, True)
        assert not home.exists()


def test_a_database_that_cannot_be_used_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Exit code 3, the file untouched: damaged, of another program, newer, locked away."""
    path = tmp_path / "a.db"

    def refused(*words: str) -> str:
        before = path.read_bytes()
        code, text = said(capsys, "--port", "0", "--database", str(path), *words)
        assert code == 3, text
        assert path.read_bytes() == before
        assert "Traceback" not in text
        return text

    path.write_bytes(b"no database at all" * 100)
    assert "no store" in refused()
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE x (y)")
    other.close()
    assert "another program" in refused()
    path.unlink()
    with Store.open(path) as store:
        fill(store)
    raw = bytearray(path.read_bytes())
    raw[4096:12288] = b"\xff" * 8192
    path.write_bytes(raw)
    assert "damaged" in refused()
    path.unlink()
    Store.open(path).close()
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    assert "newer poems" in refused()
    folder = tmp_path / "folder.db"
    folder.mkdir()
    assert said(capsys, "--port", "0", "--database", str(folder))[0] == 3


def test_a_wrong_key_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pytest.importorskip("sqlcipher3")
    path, key = tmp_path / "a.db", tmp_path / "key"
    Store.open(path, key="the right one").close()
    key.touch(mode=0o600)
    key.write_text("the wrong one\n")
    for words in (["--key-file", str(key)], []):
        code, text = said(capsys, "--port", "0", "--database", str(path), *words)
        assert code == 3
        assert "key" in text
        assert "the wrong one" not in text


def test_accounts_are_added(capsys: pytest.CaptureFixture[str], accounts: Path) -> None:
    """The password comes from standard input where that is no terminal; the file is readable by its owner alone."""
    for name, role in (("ada", "admin"), ("vera", "viewer")):
        code, text = said(capsys, "--add-user", name, "--role", role, "--password-file", str(accounts))
        assert (code, name in text, PASSWORD in text) == (0, True, False)
    assert accounts.stat().st_mode & 0o777 == 0o600
    assert [line.split(":")[:2] for line in accounts.read_text().splitlines()] == [["ada", "admin"], ["vera", "viewer"]]
    assert said(capsys, "--add-user", "Not Good", "--password-file", str(accounts))[0] == 2


def test_nothing_runs_beside_on_a_free_port(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    port = free_port()
    assert said(capsys, "--stop", "--port", str(port)) == (0, f"nothing of yours runs on port {port}\n")
    home.mkdir(parents=True)
    (home / f"serve-{port}.json").write_text(json.dumps({"pid": os.getpid(), "database": "x", "address": "y"}))
    assert said(capsys, "--stop", "--port", str(port))[0] == 0  # the note of one that was killed; we are still there


# --- how it runs


def test_beside_the_example_and_again(tmp_path: Path, home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It starts, answers, is made anew when started again, keeps the port from other records, and is stopped."""
    port = free_port()
    words = ["serve", "--example", "--background", "--port", str(port)]
    mine = tmp_path / "share" / "poems" / "poems.db"
    mine.parent.mkdir(parents=True)
    Store.open(mine).close()
    before = mine.read_bytes()
    assert cli.run(words) == 0
    shown, url = capfd.readouterr().out.strip(), f"http://127.0.0.1:{port}"
    assert shown.startswith(f"{url}/p/")
    try:
        with Browser(base_url=url, timeout=20) as visitor:
            assert "<h1>published-case</h1>" in visitor.get(shown.removeprefix(url)).text
            assert visitor.call("/patients", {"label": "entered here"}).status_code == 201
        assert cli.run(["serve", "--background", "--port", str(port)]) == 2
        assert "stop it with" in capfd.readouterr().err
        assert cli.run(words) == 0
        with Browser(base_url=url, timeout=20) as visitor:
            labels = [one["label"] for one in visitor.get("/api/v1/patients").json()["patients"]]
        assert labels
        assert "entered here" not in labels
        assert cli_background.running(port) is not None
    finally:
        assert cli.run(["serve", "--stop", "--port", str(port)]) == 0
    assert "stopped" in capfd.readouterr().err
    assert cli_background.running(port) is None
    assert mine.read_bytes() == before
    assert [one.stat().st_mode & 0o077 for one in home.iterdir()] == [0] * len(list(home.iterdir()))
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_beside_what_cannot_start_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The exit code and the words of the process that failed are ours."""
    path = tmp_path / "a.db"
    path.write_bytes(b"no database at all" * 100)
    assert cli.run(["serve", "--background", "--port", str(free_port()), "--database", str(path)]) == 3
    assert "no store" in capfd.readouterr().err


def test_tls_with_accounts(
    tmp_path: Path, pem: tuple[Path, Path], accounts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A real start on TLS: logging in, the cookie's marks, plain HTTP gets nothing; SIGTERM ends it in good order.

    Whatever is sent, the process says nothing of it.
    """
    assert said(capsys, "--add-user", "ada", "--role", "admin", "--password-file", str(accounts))[0] == 0
    word, path = "Zq7xUnique", tmp_path / "own.db"
    with process(
        tmp_path,
        "--port",
        "0",
        "--database",
        str(path),
        "--password-file",
        str(accounts),
        "--tls-cert",
        str(pem[0]),
        "--tls-key",
        str(pem[1]),
        "--host",
        "127.0.0.1",
        "--name",
        "localhost",
    ) as made:
        assert made.url.startswith("https://127.0.0.1:")
        trust = ssl.create_default_context(cafile=str(pem[0]))
        with Browser(base_url=made.url, timeout=20, verify=trust) as visitor:
            assert visitor.get("/").headers["location"] == "/login"
            answer = visitor.submit("/login", {"name": "ada", "password": PASSWORD})
            assert answer.status_code == 303
            cookie = answer.headers["set-cookie"]
            assert cookie.startswith("__Host-poems=")
            assert all(mark in cookie for mark in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"))
            assert visitor.submit("/patients", {"label": word}).status_code == 303
            assert visitor.call("/patients", {"label": word}).status_code == 409
            assert visitor.submit("/import", files={"file": (f"{word}.csv", word.encode())}).status_code == 303
            for path_ in (f"/{word}", f"/p/{word}/", f"/?{word}"):
                visitor.get(path_, headers={"user-agent": word, "referer": word})
            visitor.submit("/login", {"name": word, "password": word})
        port = int(made.url.rsplit(":", 1)[1])
        for data in (f"GET /{word} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), b"\x16\x03\x01" + word.encode() * 20):
            with socket.create_connection(("127.0.0.1", port)) as wire:
                wire.settimeout(5)
                wire.sendall(data)
                with suppress(OSError):
                    assert b"200" not in wire.recv(100)
        assert made.end(signal.SIGTERM) == 0
        assert word not in made.log.read_text()
        assert made.log.read_text().count("\n") == 1, made.log.read_text()
    with Store.open(path) as store:
        assert store.find(word) is not None
        assert store.check() == ()


def test_ctrl_c_ends_it_and_a_kill_leaves_nobody_behind(tmp_path: Path) -> None:
    """Exit code 0 after Ctrl-C, also while a browser holds a connection; the process that reads files goes with it."""
    with (
        process(tmp_path, "--port", "0", "--database", str(tmp_path / "a.db")) as made,
        Browser(base_url=made.url, timeout=20) as visitor,
    ):
        assert (
            visitor.submit(
                "/import", files={"file": ("a.csv", b"patient,finding,status\na,edema,present\n")}
            ).status_code
            == 303
        )
        readers = _children(made.child.pid)
        assert len(readers) == 1
        assert made.end(signal.SIGINT) == 0
        _gone(readers)
    with process(tmp_path, "--port", "0", "--database", str(tmp_path / "a.db")) as made:
        readers = _children(made.child.pid)
        made.end(signal.SIGKILL)
        _gone(readers)
    with Store.open(tmp_path / "a.db") as store:
        assert len(store.patients()) == 1


def test_it_may_hold_many_files(tmp_path: Path) -> None:
    """As many as the machine allows, up to what is sensible, whatever the shell it was started from says."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    try:
        with process(tmp_path, "--port", "0", "--database", str(tmp_path / "a.db")) as made:
            found = resource.prlimit(made.child.pid, resource.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert found[0] == min(hard, cli_serve.FILES) >= serving.MOST_OPEN * 4


@contextmanager
def held(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program writes to the file, until it is told to end."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def ask_for(url: str, label: str) -> tuple[threading.Thread, list[httpx.Response]]:
    """A patient is asked for, beside; and the place for the answer."""
    answers: list[httpx.Response] = []

    def ask() -> None:
        with Browser(base_url=url, timeout=60) as visitor:
            answers.append(visitor.submit("/patients", {"label": label}))

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, answers


def test_what_was_broken_off_is_not_done_afterwards(
    tmp_path: Path, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A change that waits while the app ends: it says what to do, nothing comes later, and no trace is in the log."""
    monkeypatch.setattr(uvicorn.Server, "run", RUN)
    monkeypatch.setattr(serving, "FAREWELL", 2)
    store = Store.open(tmp_path / "a.db")
    with Served(store, knowledge, cut=store.close) as served, held(store.path) as other:
        thread, answers = ask_for(served.url, "late")
        until(lambda: served.app.state.working.many)
        served.server.should_exit = True
        thread.join()
        assert answers[0].status_code == 503
        assert "look whether it was kept" in answers[0].text
        other.execute("ROLLBACK")
        assert served.app.state.working.is_over(30)
    with Store.open(tmp_path / "a.db") as again:
        assert again.patients() == ()
        assert again.check() == ()
    assert not [one for one in caplog.records if one.exc_info]


@pytest.mark.slow
def test_stopped_means_stopped(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """`--stop` waits for what is under way, and no longer than it says; then nothing of it is done any more."""
    port, path = free_port(), tmp_path / "a.db"
    with process(tmp_path, "--port", str(port), "--database", str(path)) as made, held(path) as other:
        thread, answers = ask_for(made.url, "late")
        time.sleep(2)
        assert cli.run(["serve", "--stop", "--port", str(port)]) == 0
        assert "stopped" in capfd.readouterr().err
        thread.join()
        assert made.child.wait(10) == 0
        assert answers[0].status_code == 503
        other.execute("ROLLBACK")
        assert "Traceback" not in made.log.read_text()
    with Store.open(path) as store:
        assert store.patients() == ()


def test_the_port_is_taken_until_the_records_are_closed(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
                                                        ) -> None:
    """Whoever looks whether it runs hears yes until nothing can be stored any more."""
    seen: list[bool] = []
    port, close = free_port(), Store.close

    def closing_(store: Store) -> None:
        close(store)
        seen.append(cli_background.running(port) is not None)

    monkeypatch.setattr(Store, "close", closing_)
    monkeypatch.setattr(uvicorn.Server, "run", lambda *_, **__: None)
    assert cli.run(["serve", "--port", str(port), "--database", str(tmp_path / "a.db")]) == 0
    assert seen
    assert all(seen)
    assert cli_background.running(port) is None


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _gone(pids: list[int]) -> None:
    until(lambda: not any(
        Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2] for pid in pids
    ))
