"""Who is answered, by what, and with how much: every refusal against a real server."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import Mount, Route
from web_made import Served, fill, signed, some_accounts, until

from poems.knowledge import Knowledge
from poems.store import Patient, Store
from poems.web import guard, serving
from poems.web.settings import Limits, reachable

SMALL = Limits(text=40_000, body=300_000, archive=400_000, seconds=1.0, slowest=1_000_000)
LONG = 300
"""So many tenths of a second a server that does not cut somebody off is waited for."""
PUBLIC = {
    "/login",
    "/show",
    "/ask",
    "/guide/{path:path}",
    "/knowledge/{id}",
    "/api/v1/openapi.json",
    "/api/v1/session",
    "/api/v1/login",
}
"""What needs no role: it holds nothing of a patient."""
ADMINS = {
    *(f"{root}/{what}" for root in ("/p/{uid}", "/api/v1/patients/{uid}") for what in ("remove", "restore", "erase")),
    "/api/v1/removed",
    "/export-archive",
    "/import-archive",
    "/backup",
    "/audit",
    "/settings",
}
READERS = {"/logout", "/p/{uid}/what-if"}
"""What is sent, and changes nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("guard")


@pytest.fixture(scope="module")
def alone(folder: Path, knowledge: Knowledge) -> Iterator[Served]:
    """An app on this machine, for whoever sits at it."""
    with Store.open(folder / "alone.db") as store, Served(store, knowledge, limits=SMALL) as served:
        yield served


@pytest.fixture(scope="module")
def shared(folder: Path, knowledge: Knowledge) -> Iterator[Served]:
    """An app with accounts."""
    with Store.open(folder / "shared.db") as store, Served(store, knowledge, accounts=some_accounts()) as served:
        yield served


@pytest.fixture(scope="module")
def patient(alone: Served) -> Patient:
    return fill(alone.store)


# --- whose request


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost.:{port}",
        "127.0.0.1:{port}.evil.example",
        "",
        "127.0.0.1:{port}@evil.example",
        "0x7f.1:{port}",
        "127.0.0.1:{port}, evil.example",
        "\u00b2",
    ],
)
def test_a_name_that_was_turned_to_this_machine_gets_nothing(alone: Served, host: str) -> None:
    """DNS rebinding: whatever the address, the Host has to be one of ours."""
    said = alone.raw(alone.head("GET / HTTP/1.1", "Connection: close", host=host.format(port=alone.port) or " "))
    assert said.split()[1] in (b"421", b"400"), said[:200]
    assert b"poems-session" not in said


@pytest.mark.parametrize(
    "head",
    [
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: evil\r\n",
        "GET / HTTP/1.1\r\n",
        "GET http://evil/ HTTP/1.1\r\nHost: evil\r\n",
        "GET / HTTP/1.0\r\n",
    ],
)
def test_two_hosts_or_none_get_nothing(alone: Served, head: str) -> None:
    said = alone.raw((head.format(port=alone.port) + "Connection: close\r\n\r\n").encode())
    assert said.split()[1] in (b"421", b"400"), said[:200]


def test_our_names_are_answered_in_any_case(alone: Served) -> None:
    for host in ("127.0.0.1", "localhost", "LocalHost"):
        said = alone.raw(alone.head("GET / HTTP/1.1", "Connection: close", host=f"{host}:{alone.port}"))
        assert said.split()[1] == b"200"


def test_the_port_may_be_left_out_where_it_is_the_usual_one() -> None:
    made = reachable(("poems.example.org", "[::1]"), 443, is_secure=True)
    assert made.hosts == {"poems.example.org:443", "poems.example.org", "[::1]:443", "[::1]"}
    assert made.origins == {"https://poems.example.org", "https://[::1]"}
    assert reachable(("a",), 8420).origins == {"http://a:8420"}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "anything"},
    ],
)
def test_a_form_of_another_site_is_refused_even_with_a_token(alone: Served, headers: dict[str, str]) -> None:
    """CSRF: Origin and Sec-Fetch-Site are enough for a refusal; nothing is kept."""
    with alone.browser() as visitor:
        said = visitor.submit("/patients", {"label": "forged"}, headers=headers)
        called = visitor.call("/patients", {"label": "forged"}, headers=headers)
    assert (said.status_code, called.status_code) == (403, 403)
    assert alone.store.find("forged") is None


def test_two_origins_are_refused_where_one_is_not_ours(alone: Served) -> None:
    with alone.browser() as visitor:
        token = visitor.token()
        said = visitor.post(
            "/patients",
            data={"csrf": token, "label": "forged"},
            headers=[("origin", alone.url), ("origin", "https://evil.example")],
        )
    assert said.status_code == 403


@pytest.mark.parametrize("token", ["", "x", "0" * 64, "0" * 112, "\u00e9" * 64, "another"])
def test_a_form_without_the_token_of_its_session_is_refused(alone: Served, token: str) -> None:
    with alone.browser() as visitor, alone.browser() as other:
        given = other.token() if token == "another" else token
        assert visitor.token() != other.token()
        said = visitor.post("/patients", data={"csrf": given, "label": "forged"})
        api = visitor.post("/api/v1/patients", json={"label": "forged"}, headers={"x-csrf-token": given.encode()})
        assert api.status_code == 403
        if token == "another":  # of the same account: the form comes back, and has to be sent anew
            assert said.headers["location"].startswith("/?list=yes&again=")
            assert 'value="forged"' in visitor.get(said.headers["location"]).text
        else:
            assert said.status_code == 403
    assert alone.store.find("forged") is None


def test_a_form_may_be_sent_with_its_token_as_a_header_or_a_field(alone: Served) -> None:
    with alone.browser() as visitor:
        assert visitor.submit("/patients", {"label": "by field"}).status_code == 303
        assert (
            visitor.post(
                "/patients", data={"label": "by header"}, headers={"x-csrf-token": visitor.token()}
            ).status_code
            == 303
        )
        typed = visitor.submit("/patients", {"label": "typed address"}, headers={"sec-fetch-site": "none"})
    assert typed.status_code == 303


@pytest.mark.parametrize(
    "mode, dest, status",
    [
        ("no-cors", "image", 403),
        ("no-cors", "script", 403),
        ("cors", "empty", 403),
        ("navigate", "iframe", 403),
        ("navigate", "object", 403),
        ("navigate", "document", 200),
        ("", "", 403),
    ],
)
def test_another_site_gets_no_part_of_a_page(
    alone: Served, patient: Patient, mode: str, dest: str, status: int
) -> None:
    """Neither as a picture, nor as a script, nor in a frame; a link that opens a page is answered."""
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": mode, "sec-fetch-dest": dest}
    with alone.browser() as visitor:
        assert visitor.get(f"/p/{patient.uid}/history", headers=headers).status_code == status
        assert visitor.get("/static/app.js", headers=headers).status_code == status


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "FOO", "get"])
def test_other_methods_are_refused(alone: Served, method: str) -> None:
    path = f"127.0.0.1:{alone.port}" if method == "CONNECT" else "/"
    said = alone.raw(alone.head(f"{method} {path} HTTP/1.1", "Connection: close"))
    assert said.split()[1] == b"405"
    assert (b"allow: GET, HEAD, POST\r\n" if method == "CONNECT" else b"allow: GET, HEAD\r\n") in said


def test_a_method_cannot_be_smuggled_in(alone: Served, patient: Patient) -> None:
    """No header or field turns a read into a write; HEAD has no body; a read by POST or a write by GET is none."""
    with alone.browser() as visitor:
        for header in ("x-http-method-override", "x-method-override", "x-http-method"):
            assert visitor.get("/patients", headers={header: "POST"}, params={"_method": "POST"}).status_code == 405
        assert visitor.head(f"/p/{patient.uid}/").content == b""
        back = visitor.get(f"/p/{patient.uid}/remove")  # nothing is done; whoever typed it again sees the record
        assert (back.status_code, back.headers["location"]) == (303, f"/p/{patient.uid}/")
        assert visitor.submit(f"/p/{patient.uid}/history").status_code == 405
    assert not alone.store.patient(patient.uid).removed


def test_web_sockets_are_not_spoken(alone: Served) -> None:
    said = alone.raw(
        alone.head(
            "GET / HTTP/1.1",
            "Connection: upgrade, close",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: eA==",
        )
    )
    assert said.split()[1] == b"200"  # an ordinary answer, no upgrade


# --- what answers forbid


def test_every_answer_forbids_what_browsers_must_not_do(alone: Served, patient: Patient) -> None:
    """Pages, files, errors, refusals, and what broke."""
    with alone.browser() as visitor:
        answers = [
            visitor.get(path)
            for path in (
                "/",
                f"/p/{patient.uid}/",
                f"/p/{patient.uid}/export.csv",
                "/nothing",
                "/patients",
                "/static/app.js",
                "/static/nothing",
                "/api/v1/patients",
                "/api/v1/nothing",
                "/login",
            )
        ]
        answers += [visitor.post("/patients"), visitor.get("/", headers={"host": "evil"}), visitor.request("PUT", "/")]
    for said in answers:
        for name, value in guard.HEADERS.items():
            assert said.headers[name] == value, (said.url, name)
        assert "server" not in said.headers
        assert said.headers["cache-control"] == ("no-cache" if said.url.path == "/static/app.js" else "no-store")
        assert (
            said.request.url.path.startswith("/static/")
            or "set-cookie" not in said.headers
            or ("HttpOnly" in said.headers["set-cookie"] and "SameSite=strict" in said.headers["set-cookie"])
        )
    assert "unsafe" not in guard.POLICY
    assert "default-src 'none'" in guard.POLICY
    assert guard.HEADERS["referrer-policy"] == "same-origin"  # no-referrer would make the Origin of our forms "null"


def test_no_page_needs_what_the_policy_forbids(alone: Served, patient: Patient) -> None:
    """No inline script, handler or style, nothing from elsewhere."""
    with alone.browser() as visitor:
        visitor.submit("/patients", {"label": "another"})
        pages = {
            path: visitor.get(path).text
            for path in (
                "/",
                f"/p/{patient.uid}/",
                f"/p/{patient.uid}/review",
                f"/p/{patient.uid}/follow",
                "/audit",
                "/settings",
                f"/p/{patient.uid}/history",
                f"/p/{patient.uid}/entry/1",
                "/ask",
                "/login",
                "/nothing",
                "/import",
                "/guide/index.html",
                "/guide/clinician/index.html",
                "/knowledge/vegf-plasma-200",
            )
        }
    for path, text in pages.items():
        if path == "/login":  # nobody has to log in here
            continue
        found = _Tags.of(text)
        assert not [tag for tag, given in found if tag == "script" and not str(given.get("src", "")).startswith("/")], (
            path
        )
        assert not [given for _, given in found if "style" in given or any(name.startswith("on") for name in given)], (
            path
        )
        assert not [tag for tag, _ in found if tag in ("style", "base", "iframe", "object", "embed")], path
        assert not [
            given
            for tag, given in found
            if tag in ("link", "img", "script", "form")
            and any(str(given.get(name, "/")).startswith(("http", "//")) for name in ("href", "src", "action"))
        ], path


class _Tags:
    """The tags of a page with their attributes."""

    @staticmethod
    def of(text: str) -> list[tuple[str, dict[str, str | None]]]:
        from html.parser import HTMLParser

        found: list[tuple[str, dict[str, str | None]]] = []

        class Parser(HTMLParser):
            def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
                found.append((tag, dict(attrs)))

        Parser().feed(text)
        assert found
        return found


def test_what_breaks_says_nothing_of_a_value(
    alone: Served, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error nobody foresaw: a plain sentence with all headers, its kind and place in the log, never its words."""

    def broken(*_: object, **__: object) -> None:
        raise ValueError("Jane Secret has 1234 pg/mL")

    monkeypatch.setattr(alone.store, "patients", broken)
    with alone.browser() as visitor:
        page, api = visitor.get("/"), visitor.get("/api/v1/patients")
    assert (page.status_code, api.status_code) == (500, 500)
    assert page.headers["content-security-policy"] == guard.POLICY
    assert api.json()["error"] == guard.BROKEN
    said = caplog.text + "".join(capfd.readouterr())
    assert "ValueError at test_web_guard.py:" in said
    for text in (page.text, api.text, said):
        assert "Secret" not in text
        assert "1234" not in text
        assert "Traceback" not in text


# --- how much


def test_a_body_past_the_limit_is_refused_cleanly(alone: Served) -> None:
    """By its announced length, by its real one, and in pieces; the same connection goes on afterwards."""
    with alone.browser() as visitor:
        token = visitor.token()
        for path, size in (
            ("/patients", 45_000),
            ("/import", 310_000),
            ("/import-archive", 410_000),
            ("/ask", 50_000),
            ("/api/v1/import", 310_000),
            ("/api/v1/patients", 45_000),
            ("/login", 50_000),
        ):
            headers = {"x-csrf-token": token, "content-type": "application/x-www-form-urlencoded"}
            whole = visitor.post(path, content=b"x" * size, headers=headers)
            parts = visitor.post(
                path,
                content=iter([b"x" * 1000] * (size // 1000 + 1)),
                headers={
                    **headers,
                    "content-type": "application/json" if path == "/api/v1/patients" else headers["content-type"],
                },
            )
            assert whole.status_code == 413, path
            assert "was sent" in whole.text
            assert parts.status_code in (413, 400 if "import" in path else 413), path  # 400: a field as long as a file
        head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        file = visitor.post(
            "/import",
            content=iter([head, *[b"x" * 10_000] * 40]),
            headers={"x-csrf-token": token, "content-type": "multipart/form-data; boundary=x"},
        )
        assert (file.status_code, "was sent" in file.text) == (413, True)
        assert visitor.get("/").status_code == 200


def test_a_body_below_the_limit_of_its_page_is_taken(alone: Served) -> None:
    with alone.browser() as visitor:
        said = visitor.bring(files={"file": ("a.csv", b"patient,finding,status\n" + b"a,b,c\n" * 9_000)})
    assert "Nothing was kept</h1>" in said.text  # read, and every row refused


@pytest.mark.parametrize("length", ["-1", "1e9", "99999999999999999999", "0x10", "+5", "5, 6", "\u00b2"])
def test_a_length_that_is_none_is_refused(alone: Served, length: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "DRAIN", 0.1)
    said = alone.raw(alone.head("POST /patients HTTP/1.1", "Connection: close", f"Content-Length: {length}"))
    assert said.split()[1] in (b"400", b"413")


def test_a_body_that_drips_is_cut_off(alone: Served) -> None:
    """A write that does not arrive in time is answered with 408, while others are served."""
    with alone.browser() as visitor, socket.create_connection(("127.0.0.1", alone.port), timeout=10) as wire:
        wire.sendall(alone.form_begun(visitor, 30_000))
        said, sent = b"", 0
        wire.settimeout(0.05)
        while not said and sent < 30_000:
            wire.sendall(b"x")
            sent += 1
            with suppress(TimeoutError):
                said = wire.recv(1 << 16)
            assert visitor.get("/api/v1/session").status_code == 200
    assert said.split()[1] == b"408"


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHo", b"\r\n"])
def test_a_connection_that_asks_nothing_is_closed(alone: Served, begun: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slowloris: opening a connection, or writing half a head byte by byte, holds it for a short time only."""
    monkeypatch.setitem(serving.SECONDS, "waiting", 0.4)
    with socket.create_connection(("127.0.0.1", alone.port), timeout=5) as wire:
        wire.sendall(begun)
        wire.settimeout(0.1)
        waited = 0
        while waited < LONG:
            try:
                if begun:
                    wire.sendall(b"x")
                if wire.recv(100) == b"":
                    break
            except TimeoutError:
                waited += 1
            except (ConnectionResetError, BrokenPipeError):
                break
    assert waited < LONG
    assert begun == b"\r\n" or waited > 1


def test_whoever_was_refused_cannot_go_on_sending(alone: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of a body that nobody wants is taken for a while only."""
    monkeypatch.setitem(serving.SECONDS, "leaving", 0.4)
    with socket.create_connection(("127.0.0.1", alone.port), timeout=5) as wire:
        wire.sendall(alone.head("POST /patients HTTP/1.1", "Origin: https://evil.example", "Content-Length: 30000"))
        assert wire.recv(1 << 16).split()[1] == b"403"
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            for _ in range(LONG * 5):
                wire.sendall(b"x")
                time.sleep(0.02)


def test_an_address_that_is_not_ours_gets_a_share_of_the_connections() -> None:
    assert serving.MOST_OF_ONE < serving.MOST / 2
    assert [serving.is_here(one) for one in ("127.0.0.1", "::1", "localhost", "10.0.0.1", "")] == [True] * 3 + [
        False
    ] * 2


@contextmanager
def connected(served: Served, count: int, address: str = "127.0.0.9") -> Iterator[list[socket.socket]]:
    """So many connections from one address that say nothing."""
    with ExitStack() as open_:
        yield [
            open_.enter_context(
                socket.create_connection(("127.0.0.1", served.port), timeout=10, source_address=(address, 0))
            )
            for _ in range(count)
        ]


def is_closed(wire: socket.socket) -> bool:
    """Whether the server ended it, once it has."""
    try:
        return wire.recv(1) == b""
    except ConnectionResetError:
        return True


def gone(served: Served) -> None:
    """Wait until no connection is left."""
    assert isinstance(served.socket, serving.Listener)
    listener = served.socket
    until(lambda: not any(one.fileno() >= 0 for one, _ in listener._taken))


@pytest.fixture
def secured(tmp_path: Path, knowledge: Knowledge) -> Iterator[Served]:
    """An app under TLS."""
    cert, key = signed(tmp_path)
    with Store.open(tmp_path / "a.db") as store, Served(store, knowledge, cert=cert, key=key) as served:
        yield served


def trusting() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def test_connections_count_before_they_agree_on_tls(secured: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of one network that are too many are closed at once; others are answered; later it may come again."""
    monkeypatch.setattr(serving, "is_here", lambda host: False)
    monkeypatch.setattr(serving, "MOST_OF_ONE", 5)
    for _ in range(2):
        with connected(secured, 8) as wires:
            assert [is_closed(one) for one in wires[5:]] == [True] * 3
            with secured.browser(verify=trusting()) as visitor:
                assert visitor.get("/login").status_code in (200, 303)
            for one in wires[:5]:
                one.settimeout(0.1)
                with pytest.raises(TimeoutError):
                    one.recv(1)
        gone(secured)


def test_all_connections_together_are_bounded(alone: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those of this machine: never so many that no file can be opened any more."""
    gone(alone)
    monkeypatch.setattr(serving, "MOST_OPEN", 6)
    with connected(alone, 6, "127.0.0.1"), connected(alone, 2, "127.0.0.1") as more:
        assert [is_closed(one) for one in more] == [True] * 2
    gone(alone)
    with alone.browser() as visitor:
        assert visitor.get("/").status_code == 200


def test_whoever_does_not_agree_on_tls_is_closed(
    tmp_path: Path, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "HANDSHAKE", 0.3)
    cert, key = signed(tmp_path)
    with (
        Store.open(tmp_path / "a.db") as store,
        Served(store, knowledge, cert=cert, key=key) as served,
        connected(served, 3) as wires,
    ):
        assert [is_closed(one) for one in wires] == [True] * 3


def test_a_network_counts_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has an IPv6 network has no more connections than others."""
    address = ""

    def accepted(_: socket.socket) -> tuple[socket.socket, tuple[str, int]]:
        one, other = socket.socketpair()
        pairs.append(other)
        return one, (address, 1)

    monkeypatch.setattr(socket.socket, "accept", accepted)
    pairs: list[socket.socket] = []
    taken: list[socket.socket] = []
    with serving.listen("127.0.0.1", 0) as listener:
        for number in range(serving.MOST_OF_ONE):
            address = f"2001:db8:1:2::{number:x}"
            taken.append(listener.accept()[0])
        address = "2001:db8:1:2:ffff::1"
        with pytest.raises(ConnectionAbortedError):
            listener.accept()
        address = "2001:db8:1:3::1"
        taken.append(listener.accept()[0])
        taken.pop(0).close()
        address = "2001:db8:1:2:ffff::1"
        taken.append(listener.accept()[0])
    for one in (*pairs, *taken):
        one.close()


def test_the_libraries_below_fill_no_log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line a minute, and nothing in it of what was sent or from where."""
    made = serving.Seldom()
    logger = logging.getLogger("test of seldom")
    logger.addFilter(made)
    for _ in range(3):
        try:
            raise ValueError("Jane Secret")
        except ValueError:
            logger.exception("it broke\npeer: 10.1.2.3")
    assert [one.getMessage() for one in caplog.records] == ["it broke"]
    assert "Secret" not in caplog.text
    monkeypatch.setattr(made, "_next", 0.0)
    logger.error("again %s", "and again")
    assert caplog.records[-1].getMessage() == "again and again"
    serving.server(None)
    for name, one in serving.TOLD.items():
        assert one in logging.getLogger(name).filters


@pytest.mark.parametrize(
    "kind, status",
    [
        ("application/x-www-form-urlencoded; charset=utf-16", 415),
        ("multipart/form-data; boundary=x; charset=punycode", 415),
        ("multipart/form-data; boundary=x; charset=idna", 415),
        ("multipart/form-data", 400),
        ("text/plain", 415),
        ("multipart/form-data; boundary=x", 422),
        ("application/json", 415),
        ("application/xml", 415),
    ],
)
def test_a_form_of_another_kind_or_charset_is_refused(alone: Served, kind: str, status: int) -> None:
    """A charset such as punycode or idna would be decoded in quadratic time; a text/plain form needs no preflight."""
    with alone.browser() as visitor:
        said = visitor.post(
            "/patients", content=b"--x\r\nrubbish", headers={"content-type": kind, "x-csrf-token": visitor.token()}
        )
    assert said.status_code == status


def test_forms_with_too_many_fields_or_files_are_refused(alone: Served) -> None:
    with alone.browser() as visitor:
        token = visitor.token()
        many = visitor.post(
            "/patients",
            content="&".join(f"a{one}=1" for one in range(300)),
            headers={"content-type": "application/x-www-form-urlencoded", "x-csrf-token": token},
        )
        files = visitor.post(
            "/import", data={"csrf": token}, files=[("file", (f"{one}.csv", b"x")) for one in range(30)]
        )
        long = visitor.post("/import", data={"csrf": token, "x": "y" * 50_000}, files={"file": ("a.csv", b"x")})
    assert (many.status_code, files.status_code, long.status_code) == (400, 400, 400)


@pytest.mark.parametrize(
    "body",
    [
        b"a" * 39_000,
        b"&" * 39_000,
        b"=" * 1000,
        b"%" * 5000,
        b"%00=%00",
        b"\xff\xfe=\x00",
        b"label=%ed%a0%80",
        b"label=\xed\xa0\x80",
        b"label=" + b"\x00" * 500,
    ],
)
def test_a_form_of_rubbish_is_answered(alone: Served, body: bytes) -> None:
    with alone.browser() as visitor:
        said = visitor.post(
            "/patients",
            content=body,
            headers={"content-type": "application/x-www-form-urlencoded", "x-csrf-token": visitor.token()},
        )
    assert said.status_code in (303, 400, 422), said.text


@pytest.mark.parametrize(
    "cookie",
    [
        "poems-session=",
        "poems-session=.",
        "poems-session=a.b",
        "poems-session=\u00e9.\u00e9",
        "poems-session=a",
        "poems-session=" + "a" * 5000,
        'poems-session="\\351.\\351"',
        "edition=\u00e9; theme=<script>",
        ";;;=;=",
        "poems-session=a.b; poems-session=c.d",
    ],
)
def test_a_cookie_that_is_not_ours_begins_a_new_session(alone: Served, cookie: str) -> None:
    said = alone.raw(alone.head("GET / HTTP/1.1", f"Cookie: {cookie}", "Connection: close"))
    assert said.split()[1] == b"200"
    assert b"set-cookie: poems-session=" in said
    assert b"<script>" not in said.split(b"<head>")[0]


# --- every route


def routes(served: Served) -> list[Route]:
    """Every address but the files of the app."""
    found = [one for one in served.app.routes if isinstance(one, Route) and one.path != "/style.css"]
    mounts = [one.path for one in served.app.routes if isinstance(one, Mount)]
    assert mounts == ["/static"]
    assert len(found) > 40
    return found


def test_every_route_checks_role_and_token(shared: Served) -> None:
    """Walked, not listed: a page without the check fails here."""
    for route in routes(shared):
        methods = (route.methods or set()) - {"HEAD"}
        assert methods in ({"GET"}, {"POST"}), route.path
        endpoint: Any = route.endpoint
        assert bool(endpoint.takes) is (methods == {"POST"}), route.path
        if route.path in PUBLIC:
            assert endpoint.role == "", route.path
        elif route.path in ADMINS:
            assert endpoint.role == "admin" or (route.path == "/settings" and methods == {"GET"}), route.path
        else:
            assert endpoint.role == ("editor" if methods == {"POST"} and route.path not in READERS else "viewer"), (
                route.path
            )


def address(route: Route, uid: str) -> str:
    """An address of the route."""
    given = {"uid": uid, "entry": "1", "change": "2", "ending": "csv", "format": "csv", "id": "x", "path": "index.html"}
    return route.path.replace(":path", "").format(**given)


def test_nobody_gets_anything_without_logging_in(shared: Served) -> None:
    uid = shared.store.create("Zaphod", "test").uid
    with shared.browser() as visitor:
        for route in routes(shared):
            if route.path in PUBLIC:
                continue
            is_read, path = "GET" in (route.methods or ()), address(route, uid)
            said = visitor.get(path) if is_read else visitor.submit(path)
            if path.startswith("/api/"):
                assert said.status_code == 401, path
            elif is_read:
                assert (said.status_code, said.headers["location"]) == (303, "/login"), path
            else:
                assert said.status_code == 403, path
            assert "Zaphod" not in said.text
    assert shared.store.history(uid)[0].kind == "create"


def test_no_route_writes_without_a_token(shared: Served) -> None:
    uid = shared.store.create("hidden twice", "test").uid
    with shared.logged_in("ada") as visitor:
        for route in routes(shared):
            if "POST" in (route.methods or ()):
                for headers in ({}, {"x-csrf-token": "0" * 64}):
                    said = visitor.post(address(route, uid), headers=headers)
                    assert said.status_code == 403, route.path
    assert len(shared.store.history(uid)) == 1


@pytest.mark.parametrize("name, more", [("vera", set()), ("edith", ADMINS)])
def test_a_role_does_no_more_than_it_may(shared: Served, name: str, more: set[str]) -> None:
    """A viewer writes nothing; an editor neither removes nor takes everything away."""
    uid = shared.store.create(f"seen by {name}", "test").uid
    before = (shared.store.patient(uid), shared.store.setting("mode"), len(shared.store.patients()))
    with shared.logged_in(name) as visitor:
        for route in routes(shared):
            endpoint: Any = route.endpoint
            if endpoint.role == "admin" or (name == "vera" and endpoint.role == "editor"):
                path = address(route, uid)
                said = visitor.get(path) if "GET" in (route.methods or ()) else visitor.submit(path, {"label": "x"})
                assert said.status_code == 403, path
                assert not more or route.path in more
        assert visitor.get(f"/p/{uid}/history").status_code == 200
    assert (shared.store.patient(uid), shared.store.setting("mode"), len(shared.store.patients())) == before


def test_an_admin_may(shared: Served) -> None:
    """The roles hold the right people back and nobody else."""
    with shared.logged_in("edith") as editor, shared.logged_in("ada") as admin:
        assert editor.submit("/patients", {"label": "made by an editor"}).status_code == 303
        made = shared.store.find("made by an editor")
        assert made is not None
        assert admin.submit(f"/p/{made.uid}/remove", {"revision": str(made.revision)}).status_code == 303
        assert admin.submit(f"/p/{made.uid}/restore").status_code == 303
        assert admin.get("/audit").status_code == 200
        assert admin.submit("/backup").content.startswith(b"SQLite format 3")
        assert admin.submit("/export-archive").content.startswith(b"PK")
    assert shared.store.history(made.uid)[0].who == "ada"


def test_an_editor_does_not_change_whose_records_they_are(shared: Served) -> None:
    """The first visit chooses; later only an admin does."""
    with shared.logged_in("edith") as visitor:
        assert visitor.submit("/start", {"mode": "many"}).status_code == 303
        assert visitor.submit("/start", {"mode": "own"}).status_code == 403
        assert str(shared.store.path) not in visitor.get("/settings").text
    assert shared.store.setting("mode") == "many"


def test_every_read_of_a_patient_leaves_a_line(shared: Served) -> None:
    """The audit trail names who looked at what; a read that leaves none fails here."""
    made = fill(shared.store, "looked at")
    with shared.logged_in("vera") as visitor:
        for route in routes(shared):
            if "{uid}" in route.path and "GET" in (route.methods or ()) and route.path not in ADMINS:
                before = shared.store.audit(limit=1)[0].id
                assert visitor.get(address(route, made.uid)).status_code == 200, route.path
                lines = [one for one in shared.store.audit(limit=5) if one.id > before]
                assert [(one.who, one.uid) for one in lines] == [("vera", made.uid)], route.path
        before = shared.store.audit(limit=1)[0].id
        assert visitor.submit(f"/p/{made.uid}/what-if", {"finding": "edema", "status": "present"}).status_code == 200
        assert [one.uid for one in shared.store.audit(limit=5) if one.id > before] == [made.uid]


def test_a_read_that_failed_leaves_no_line_and_no_difference(shared: Served) -> None:
    """An unknown patient, a removed one: the same answer."""
    gone = shared.store.create("gone", "test")
    shared.store.remove(gone.uid, gone.revision, "test")
    with shared.logged_in("vera") as visitor:
        for uid in (gone.uid, "nobody", "x" * 500, "%00", "..%2f..", "%F0%9F%98%80"):
            assert visitor.get(f"/p/{uid}/history").status_code == 404


def test_limits_are_the_published_ones() -> None:
    """What README and docs say."""
    assert (Limits().body, Limits().archive) == (10 * 2**20, 200 * 2**20)
    assert replace(Limits(), body=1).body == 1


def test_a_client_that_leaves_is_no_error(alone: Served, caplog: pytest.LogCaptureFixture) -> None:
    with alone.browser() as visitor, socket.create_connection(("127.0.0.1", alone.port)) as wire:
        wire.sendall(alone.form_begun(visitor, 3000))
        wire.close()
        until(lambda: not alone.server.server_state.tasks)
        assert visitor.get("/").status_code == 200
    assert caplog.text == ""


def test_https_marks_its_cookies() -> None:
    """Under TLS the cookie is Secure and of this host alone; where other programs answer, no HSTS."""
    from starlette.datastructures import MutableHeaders

    made = guard.Guard(None, reachable(("poems.example.org",), 443, is_secure=True))  # type: ignore[arg-type]
    for host, is_strict in ((b"poems.example.org:443", True), (b"localhost:443", False)):
        headers = MutableHeaders()
        made.forbid(headers, {"type": "http", "path": "/", "headers": [(b"host", host)]}, 200)
        assert ("strict-transport-security" in headers) is is_strict


def test_httpx_is_what_a_browser_would_be(alone: Served) -> None:
    """The client of these tests keeps the cookie and changes the token with it."""
    with alone.browser() as visitor:
        first = visitor.token()
        visitor.cookies = httpx.Cookies()
        assert visitor.token() != first
