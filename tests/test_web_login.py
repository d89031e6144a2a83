"""Logging in: who may, how failures are slowed, and what a session can and cannot be made to do."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher, extract_parameters
from starlette.requests import Request
from web_made import PASSWORDS, Served, fill, some_accounts, until

from poems.errors import UsageError
from poems.knowledge import Knowledge
from poems.store import Store
from poems.web import accounts, sessions
from poems.web.accounts import Account, Waits, add_account, network, normal, read_accounts
from poems.web.sessions import Sessions
from poems.web.settings import reachable

GOOD = "nine able admins"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, knowledge: Knowledge) -> Iterator[Served]:
    """An app with accounts."""
    path = tmp_path_factory.mktemp("login") / "a.db"
    with Store.open(path) as store, Served(store, knowledge, accounts=some_accounts()) as made:
        yield made


@pytest.fixture
def served(shared: Served) -> Served:
    """The app, with no failure remembered."""
    assert shared.settings.accounts is not None
    shared.settings.accounts.waits = Waits()
    return shared


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that are made in no time, for tests of other things."""

    class Quick(PasswordHasher):
        def __init__(self, **_: object) -> None:
            super().__init__(time_cost=1, memory_cost=64, parallelism=1)

    monkeypatch.setattr(accounts, "PasswordHasher", Quick)


class Clock:
    """A time that goes on when told."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


# --- sessions


def test_the_session_changes_at_login(served: Served) -> None:
    """Fixation: an id that was there before the login is nobody afterwards, and an id made by others is not taken."""
    with served.browser() as victim, served.browser() as attacker:
        attacker.token()
        planted = attacker.cookies["poems-session"]
        victim.cookies.set("poems-session", planted, domain="127.0.0.1")
        token = victim.get("/api/v1/session").json()["token"]
        assert victim.submit("/login", {"name": "ada", "password": GOOD, "csrf": token}).status_code == 303
        assert victim.cookies["poems-session"] != planted
        assert victim.get("/").status_code == 200
        assert attacker.get("/").status_code == 303
        assert attacker.get("/api/v1/session").json()["role"] == ""


def test_a_session_ends_with_its_login(served: Served) -> None:
    """Logging out ends it on the server: the old cookie is nobody's."""
    with served.logged_in("ada") as visitor:
        cookie = visitor.cookies["poems-session"]
        assert visitor.submit("/logout").status_code == 303
        visitor.cookies.set("poems-session", cookie, domain="127.0.0.1")
        assert visitor.get("/").headers["location"] == "/login"


def test_logging_in_again_ends_the_session_before(served: Served) -> None:
    with served.logged_in("ada") as visitor:
        old = visitor.cookies["poems-session"]
        visitor.submit("/login", {"name": "vera", "password": PASSWORDS["vera"]})
        assert visitor.get("/api/v1/session").json()["role"] == "viewer"
        visitor.cookies = httpx.Cookies({"poems-session": old})
        assert visitor.get("/api/v1/session").json()["role"] == ""


def request(cookie: str) -> Request:
    """A request with a cookie."""
    return Request({"type": "http", "method": "GET", "path": "/", "headers": [(b"cookie", cookie.encode("latin-1"))]})


def test_a_session_ends_by_itself() -> None:
    """After hours without a request, after a day's work, and when the account changes or is taken away."""
    found, clock = some_accounts(), Clock()
    made = Sessions(reachable(("localhost",), 80, accounts=found), "secret", clock)

    def role(sid: str) -> str:
        return made.of(request(f"poems-session={sid}.{made._sign('id', sid)}")).role

    account = found.get("ada")
    assert account is not None
    for hours, left in ((1.9, "admin"), (2.1, "")):
        sid = made.begin(account).id
        clock.now += hours * 3600
        assert role(sid) == left
    sid = made.begin(account).id
    for _ in range(11):
        clock.now += 3600
        assert role(sid) == "admin"
    clock.now += 3700
    assert role(sid) == ""
    sid = made.begin(account).id
    found._accounts = {**found._accounts, "ada": Account("ada", "viewer", account.hash)}
    assert role(sid) == ""


def test_sessions_do_not_fill_the_memory() -> None:
    made = Sessions(reachable(("localhost",), 80, accounts=some_accounts()), "secret")
    account = made.settings.accounts.get("ada") if made.settings.accounts else None
    assert account is not None
    for _ in range(sessions.MOST + 5):
        made.begin(account)
    assert len(made._logins) == sessions.MOST


def test_a_cookie_needs_our_signature() -> None:
    """The signature of one store does not count in another."""
    here, there = (Sessions(reachable(("localhost",), 80), secret) for secret in ("one", "two"))
    sid = here.of(request("")).id
    assert here.of(request(f"poems-session={sid}.{here._sign('id', sid)}")).id == sid
    assert there.of(request(f"poems-session={sid}.{here._sign('id', sid)}")).id != sid
    assert here.of(request(f"poems-session={sid}.{here._sign('token', sid)}")).id != sid
    assert here.of(request(f"poems-session={sid}")).id != sid


def test_an_open_form_survives_a_restart(tmp_path: Path, knowledge: Knowledge) -> None:
    """The token follows from the cookie and the store's secret; the secret is written once."""
    with Store.open(tmp_path / "a.db") as store:
        with Served(store, knowledge) as served, served.browser() as visitor:
            token, cookie = visitor.token(), visitor.cookies["poems-session"]
        with Served(store, knowledge) as served, served.browser() as visitor:
            visitor.cookies.set("poems-session", cookie, domain="127.0.0.1")
            assert visitor.post("/patients", data={"csrf": token, "label": "kept"}).status_code == 303
        assert [one.action for one in store.audit()].count("setting web-secret") == 1


@pytest.mark.parametrize("what", ["logged out", "demoted", "gone"])
def test_what_was_begun_before_is_not_carried_out(shared: Served, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may is looked at again when the body is there: it may have taken long to arrive."""
    found, label = shared.settings.accounts, f"late {what}"
    assert found is not None
    with shared.logged_in("edith") as visitor, socket.create_connection(("127.0.0.1", shared.port), 20) as wire:
        wire.sendall(shared.form_begun(visitor, len(f"label={label}")))
        until(lambda: shared.server.server_state.tasks)
        assert visitor.get("/api/v1/session").json()["role"] == "editor"
        if what == "logged out":
            assert visitor.submit("/logout").status_code == 303
        else:
            left = {name: one for name, one in found._accounts.items() if name != "edith"}
            if what == "demoted":
                left["edith"] = Account("edith", "viewer", found._accounts["edith"].hash)
            monkeypatch.setattr(found, "_accounts", left)
        wire.sendall(label.encode())
        assert wire.recv(1 << 16).split()[1] == b"303"  # to the login
    assert shared.store.find(label) is None


def test_an_account_logs_out_everywhere(served: Served) -> None:
    """Its sessions end on every machine, nobody else's do."""
    with served.logged_in("ada") as here, served.logged_in("ada") as there, served.logged_in("vera") as other:
        assert "Log out everywhere" in here.get("/settings").text
        assert here.submit("/logout", {"everywhere": "yes"}).headers["location"] == "/login"
        roles = [one.get("/api/v1/session").json()["role"] for one in (here, there, other)]
    assert roles == ["", "", "viewer"]
    assert [one.action for one in served.store.audit(limit=1)] == ["logout everywhere"]


# --- failures


def test_failures_are_slowed_by_name_and_by_address(served: Served) -> None:
    """After three failures even the right password has to wait; so has another name from the same address."""
    with served.browser() as visitor:
        for _ in range(3):
            assert visitor.submit("/login", {"name": "ada", "password": "wrong"}).status_code == 401
        for name in ("ada", "vera", "nobody"):
            said = visitor.submit("/login", {"name": name, "password": PASSWORDS.get(name, "x")})
            assert said.status_code == 429
            assert 0 < int(said.headers["retry-after"]) <= 300
            assert "Wait" in said.text
        assert visitor.call("/login", {"name": "ada", "password": GOOD}).status_code == 429
        assert visitor.get("/").status_code == 303


def test_many_tries_at_once_are_counted_one_by_one(served: Served) -> None:
    """A hundred guesses at the same moment: three are looked at."""
    seen: list[int] = []

    def guess() -> None:
        with served.browser() as visitor:
            seen.append(visitor.submit("/login", {"name": "ada", "password": "wrong"}).status_code)

    threads = [threading.Thread(target=guess) for _ in range(30)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(set(seen)) == [401, 429]
    assert seen.count(401) == accounts.FREE


def test_waits_grow_and_end() -> None:
    """None for the first three, then 2, 4, 8 ... 300 seconds; a success or an hour ends them."""
    clock = Clock()
    waits = Waits(clock)
    assert [waits.begin("a") for _ in range(3)] == [0, 0, 0]
    waited = []
    for _ in range(9):
        wait = waits.begin("a")
        waited.append(wait)
        clock.now += wait - 0.01
        assert waits.begin("a") > 0
        clock.now += 0.02
        assert waits.begin("a") == 0
    assert [round(one) for one in waited] == [2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert waits.begin("b") == 0
    assert waits.begin("a", "b") > 0
    waits.forget("a")
    assert waits.begin("a") == 0
    for _ in range(5):
        waits.begin("c")
    clock.now += accounts.FORGET + 1
    assert waits.begin("c") == 0


NEAR, FAR = "127.0.0.1", "127.0.0.9"


def try_from(served: Served, address: str, name: str, password: str) -> int:
    """The status of one try from an address of this machine."""
    with served.browser(transport=httpx.HTTPTransport(local_address=address)) as visitor:
        return visitor.submit("/login", {"name": name, "password": password}).status_code


def test_no_stranger_keeps_an_owner_out(served: Served) -> None:
    """Wrong tries of one address make that address wait, and not whoever has the name."""
    for _ in range(2):
        assert [try_from(served, FAR, "ada", "wrong") for _ in range(4)][-1] == 429
        assert try_from(served, NEAR, "ada", GOOD) == 303


def test_one_name_from_many_networks_is_slowed() -> None:
    """Whoever has many networks does not get far either; the owner waits little, and not at all where he was before."""
    clock, seen = Clock(), 0
    waits = Waits(clock)
    waits.begin("ada from home", "home", together="ada")
    waits.forget("ada from home")
    waits.excuse("home", "ada")
    for number in range(36_000):
        clock.now += 0.1
        seen += not waits.begin(f"ada from {number}", str(number), together="ada")
    assert seen < accounts.FREE_TOGETHER + 3600 / accounts.MOST_TOGETHER + 10
    wait = waits.begin("ada from a new place", "a new place", together="ada")
    assert 0 < wait <= accounts.MOST_TOGETHER
    assert waits.is_known("ada from home")
    assert waits.begin("ada from home", "home") == 0


def test_one_network_alone_does_not_slow_a_name_for_others() -> None:
    clock = Clock()
    waits = Waits(clock)
    for _ in range(3600):
        clock.now += 1
        waits.begin("ada from far", "far", together="ada")
    assert waits.begin("ada from near", "near", together="ada") == 0


def test_an_own_login_between_does_not_hide_guesses() -> None:
    """Whoever has an account and guesses another's password is slowed all the same."""
    waits, seen = Waits(Clock()), []
    for _ in range(6):
        seen.append(waits.begin("name ada", "address 10.0.0.1"))
        if not waits.begin("name vera", "address 10.0.0.1"):
            waits.forget("name vera")
            waits.excuse("address 10.0.0.1")
    assert seen[-1] > 0


def test_an_own_login_does_not_clear_the_address(served: Served) -> None:
    """Two failures, a login of one's own, a third failure for somebody else: the address has to wait."""
    with served.browser() as visitor:
        for name in ("ada", "edith", "vera", "nobody"):
            password = PASSWORDS["vera"] if name == "vera" else "wrong"
            said = visitor.submit("/login", {"name": name, "password": password})
            assert said.status_code == (303 if name == "vera" else 401)
        assert visitor.submit("/login", {"name": "another", "password": "x"}).status_code == 429


def test_remembered_failures_do_not_fill_the_memory() -> None:
    waits = Waits()
    for number in range(accounts.REMEMBERED + 10):
        waits.begin(f"name {number}")
    assert len(waits._tries) == accounts.REMEMBERED


def test_an_address_is_what_its_owner_cannot_choose() -> None:
    """An IPv6 network is one sender."""
    assert network("2001:db8:1:2:3:4:5:6") == network("2001:db8:1:2::9") != network("2001:db8:1:3::9")
    assert network("10.0.0.1") == "10.0.0.1"
    assert network("::ffff:10.0.0.1") != network("::ffff:10.0.0.2")
    assert network("what") == "what"


def test_an_unknown_name_takes_as_long_as_a_wrong_password() -> None:
    """Nobody learns from the clock who has an account: a hash of the same cost is checked where there is none."""
    checked: list[str] = []
    costly = PasswordHasher(time_cost=2, memory_cost=8192, parallelism=1)
    made = accounts.Accounts({"ada": Account("ada", "admin", costly.hash(GOOD))})
    verify = made._hasher.verify

    def counted(known: str, password: str) -> bool:
        checked.append(known)
        return verify(known, password)

    made._hasher = SimpleNamespace(verify=counted)  # type: ignore[assignment]
    assert made.check("ada", "wrong password") is made.check("nobody", "wrong password") is None
    known, unknown = map(extract_parameters, checked)
    assert known == unknown
    assert made.check("ada", GOOD) is not None


def test_the_same_words_are_said_for_an_unknown_name(served: Served) -> None:
    with served.browser() as visitor:
        said = [visitor.submit("/login", {"name": name, "password": "wrong"}) for name in ("ada", "nobody")]
    assert [one.status_code for one in said] == [401, 401]
    assert said[0].text.replace('value="ada"', 'value="nobody"') == said[1].text


def test_passwords_are_checked_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each check takes much memory on purpose: a flood of logins waits and is turned away."""
    monkeypatch.setattr(accounts, "PATIENCE", 0.05)
    made = some_accounts()
    for _ in range(accounts.TOGETHER):
        made._turns.acquire()
    with pytest.raises(TimeoutError):
        made.check("ada", GOOD)
    for _ in range(accounts.TOGETHER + accounts.WAITING):
        made._queue.acquire()
    with monkeypatch.context() as patched:  # where the queue is full nobody waits for a turn
        patched.setattr(made, "_turns", None)
        with pytest.raises(TimeoutError):
            made.check("ada", GOOD)
    made._queue.release()
    made._turns.release()
    assert made.check("ada", GOOD) is not None


@pytest.mark.parametrize(
    "name, password",
    [
        ("", ""),
        ("ada", ""),
        ("ada", GOOD + " "),
        ("ADA\x00", GOOD),
        ("ada' OR '1'='1", GOOD),
        ("ada", "\x00" + GOOD),
        ("a" * 5000, "b" * 5000),
        ("ada", "\u00e9" * 2000),
        ("\u202eada", GOOD),
        ("ada:admin:x", GOOD),
    ],
)
def test_what_is_no_login_is_none(served: Served, name: str, password: str) -> None:
    with served.browser() as visitor:
        said = visitor.submit("/login", {"name": name, "password": password})
        api = visitor.call("/login", {"name": name, "password": password})
    assert (said.status_code, api.status_code) == (401, 401)


def test_logins_are_in_the_audit_trail(served: Served) -> None:
    """Who, when, and from where a try failed; what was typed as the name only where it is one, never a password."""
    with served.browser() as visitor:
        visitor.submit("/login", {"name": "ada", "password": "a wrong one"})
        visitor.submit("/login", {"name": "my secret password", "password": "x"})
        visitor.submit("/login", {"name": "ADA ", "password": GOOD})
        visitor.submit("/logout")
    seen = [(one.who, one.action) for one in served.store.audit()][:4]
    assert seen == [
        ("ada", "logout"),
        ("ada", "login"),
        ("", "login failed from 127.0.0.1"),
        ("ada", "login failed from 127.0.0.1"),
    ]


def test_a_password_may_be_typed_on_another_machine() -> None:
    """The same letters, composed or not."""
    assert normal("nine \u00e4ble admins") == normal("nine a\u0308ble admins")


# --- back to where one came from


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:x",
        "/%0d%0aset-cookie:x=y",
        "/\r\nSet-Cookie: x=y",
        " //evil.example",
        "/\u043f",
        "",
        "http:/evil.example",
        "/nothing",
        "/p/x/what-if",
        "/logout",
        "///evil.example",
        "/..//evil.example",
        "/.//evil.example",
        "@evil.example",
    ],
)
def test_nobody_is_sent_elsewhere(served: Served, back: str) -> None:
    """Open redirects and split headers: back leads to a page of ours that can be opened, or to the start."""
    with served.browser() as visitor:
        for headers in ({}, {"x-part": "true"}):
            said = visitor.submit("/show", {"theme": "dark", "back": back}, headers=headers)
            assert said.status_code in (200, 303)
            assert (said.headers.get("location") or said.headers["x-go"]) == "/"
            assert "x=y" not in str(said.headers)


def test_one_comes_back_to_a_page_of_ours(served: Served) -> None:
    uid = fill(served.store).uid
    with served.browser() as visitor:
        for back in (f"/p/{uid}/review?day=last", "/ask", "/"):
            assert visitor.submit("/show", {"edition": "patient", "back": back}).headers["location"] == back
        assert visitor.cookies["edition"] == "patient"
        visitor.submit("/show", {"edition": "evil\r\nx: y", "theme": "<b>"})
        assert visitor.cookies["edition"] == "patient"


# --- the file


def test_accounts_are_written_and_read(tmp_path: Path) -> None:
    """Nobody else reads the file; an account of the same name is replaced; the rest stays."""
    path = tmp_path / "accounts"
    add_account(path, "ada", "admin", GOOD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "PasswordHasher", lambda: PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        add_account(path, "edith", "editor", "eight eager editors")
        add_account(path, "ada", "admin", "another long password")
    assert path.stat().st_mode & 0o777 == 0o600
    assert GOOD not in path.read_text()
    found = read_accounts(path)
    assert found.check("ada", GOOD) is None
    ada, edith = found.check("ada", "another long password"), found.check("edith", "eight eager editors")
    assert (ada and ada.role, edith and edith.role) == ("admin", "editor")
    assert [one.name for one in tmp_path.iterdir()] == ["accounts"]


@pytest.mark.usefixtures("_quick")
def test_the_last_admin_stays_one(tmp_path: Path) -> None:
    """Without an admin the app does not start, so a slip on the command line cannot take the last one away."""
    path = tmp_path / "accounts"
    add_account(path, "ada", "admin", GOOD)
    with pytest.raises(UsageError, match="only admin"):
        add_account(path, "ada", "viewer", GOOD)
    add_account(path, "bea", "admin", GOOD)
    add_account(path, "ada", "viewer", GOOD)
    assert [read_accounts(path).get(name).role for name in ("ada", "bea")] == ["viewer", "admin"]  # type: ignore[union-attr]


@pytest.mark.usefixtures("_quick")
def test_a_change_of_the_file_counts_at_once(tmp_path: Path) -> None:
    """Who is taken out is out, and who is put in is in."""
    path = tmp_path / "accounts"
    add_account(path, "ada", "admin", GOOD)
    found = read_accounts(path)
    add_account(path, "vera", "viewer", "seven small viewers")
    assert found.get("vera") is not None
    path.unlink()
    add_account(path, "ada", "admin", GOOD)
    assert found.get("vera") is None


def others_may_read(path: Path) -> None:
    """As an editor leaves it that writes a new file."""
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("vera")))
    path.chmod(0o644)


def slip(path: Path) -> None:
    """One account is taken out, and another line is spoilt, at the same moment as far as the file tells."""
    said = path.stat()
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("vera"))
                    + "bob:editer:x\n")
    os.utime(path, ns=(said.st_atime_ns, said.st_mtime_ns))


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("spoil, is_left", [(others_may_read, False), (Path.unlink, False), (slip, True)])
def test_a_file_that_cannot_be_used_lets_nobody_in(tmp_path: Path, caplog: pytest.LogCaptureFixture, spoil: Any,
                                                   is_left: bool) -> None:
    """Who does not stand in it is out, nobody logs in, and that is told once; when it is mended, all is as it says."""
    path, told = tmp_path / "accounts", []
    add_account(path, "ada", "admin", GOOD)
    add_account(path, "vera", "viewer", "seven small viewers")
    found = read_accounts(path)
    found.tell = lambda who, action: told.append((who, action))
    made = Sessions(reachable(("localhost",), 80, accounts=found), "secret")
    both = [found.get(name) for name in ("ada", "vera")]
    ada, vera = [made.begin(one) for one in both if one]
    spoil(path)
    for _ in range(3):
        assert [made.again(one).role for one in (ada, vera)] == ["admin" if is_left else "", ""]
        assert found.check("ada", GOOD) is None
    assert told == [("app", "password file cannot be used")]
    assert [one.levelno for one in caplog.records] == [logging.ERROR]
    assert "accounts" in caplog.text
    assert "$argon2" not in caplog.text
    path.unlink(missing_ok=True)
    add_account(path, "ada", "admin", GOOD)
    assert made.again(vera).role == ""
    account = found.check("ada", GOOD)
    assert account is not None
    assert made.again(made.begin(account)).role == "admin"
    assert told[1:] == [("app", "password file can be used again")]


@pytest.mark.usefixtures("_quick")
def test_rights_that_are_put_right_count(tmp_path: Path) -> None:
    """`chmod 600` changes neither the content nor its time."""
    path = tmp_path / "accounts"
    add_account(path, "ada", "admin", GOOD)
    add_account(path, "vera", "viewer", "seven small viewers")
    found = read_accounts(path)
    others_may_read(path)
    assert found.get("ada") is None
    path.chmod(0o600)
    assert found.get("ada") is not None
    assert found.get("vera") is None
    path.chmod(0o640)
    assert found.get("ada") is None


@pytest.mark.usefixtures("_quick")
def test_nobody_logs_in_while_the_file_cannot_be_used(tmp_path: Path, knowledge: Knowledge) -> None:
    """The page says so, the audit trail too; the tries are not counted."""
    path = tmp_path / "accounts"
    add_account(path, "ada", "admin", GOOD)
    with Store.open(tmp_path / "a.db") as store, Served(store, knowledge, accounts=read_accounts(path)) as served:
        with served.browser() as visitor:
            visitor.token()
            path.chmod(0o644)
            for _ in range(5):
                said = visitor.submit("/login", {"name": "ada", "password": GOOD})
                assert said.status_code == 503
            assert "cannot be used" in said.text
            path.chmod(0o600)
            assert visitor.submit("/login", {"name": "ada", "password": GOOD}).status_code == 303
        served.app.state.trail.end()
        assert {"password file cannot be used", "password file can be used again"} <= {
            one.action for one in store.audit()}


@pytest.mark.parametrize(
    "text, said",
    [
        ("ada:admin:x", "line 1"),
        ("ada:king:$argon2id$v=19$m=8,t=1,p=1$YWJjZGVmZ2g$YWJjZGVmZ2g", "line 1"),
        ("# none\n\nAda:admin:$argon2id$x", "line 3"),
        ("", "no admin"),
        ("ada:admin:$argon2id$rubbish", "line 1"),
        ("a b:admin:$argon2id$v=19$m=8,t=1,p=1$YWJjZGVmZ2g$YWJjZGVmZ2g", "line 1"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "accounts"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(UsageError, match=said):
        read_accounts(path)


@pytest.mark.usefixtures("_quick")
def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "accounts"
    add_account(path, "ada", "admin", GOOD)
    add_account(path, "vera", "viewer", "seven small viewers")
    path.chmod(0o640)
    with pytest.raises(UsageError, match="chmod 600"):
        read_accounts(path)
    path.chmod(0o600)
    path.write_text(path.read_text() * 2)
    with pytest.raises(UsageError, match="second account"):
        read_accounts(path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_accounts(tmp_path / "missing")


@pytest.mark.parametrize(
    "name, role, password",
    [
        ("Ada", "admin", GOOD),
        ("", "admin", GOOD),
        ("a:b", "admin", GOOD),
        ("a\nb", "admin", GOOD),
        ("ada", "king", GOOD),
        ("ada", "admin", "short"),
        ("ada", "admin", "a" * 2000),
        ("ada", "admin", "twelve\x00characters"),
        ("ada", "admin", "twelve\udce9characters"),
    ],
)
@pytest.mark.usefixtures("_quick")
def test_what_cannot_be_an_account_is_refused(tmp_path: Path, name: str, role: str, password: str) -> None:
    with pytest.raises(UsageError):
        add_account(tmp_path / "accounts", name, role, password)
    assert not (tmp_path / "accounts").exists()
