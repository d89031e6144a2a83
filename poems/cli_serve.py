"""`poems serve`: the app on this machine; started in the foreground or beside, and stopped."""

from __future__ import annotations

import getpass
import os
import re
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from poems.errors import PoemsError, UsageError

if TYPE_CHECKING:
    from types import FrameType

    from poems.store import Store
    from poems.web.settings import Settings
    from poems.web.working import Working

PORT = 8420
REST = 12.0
"""Seconds that what is under way in a thread has after the app was stopped; it stores nothing any more."""
FILES = 8192
"""Files and connections that the process may hold open, where the machine allows as many."""
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - names of what is refused without passwords and TLS
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")


class DatabaseError(PoemsError):
    """The database cannot be used."""

    exit_code = 3


@dataclass(frozen=True)
class Given:
    """What the command line says of how to serve."""

    database: Path | None
    port: int
    host: str
    names: tuple[str, ...]
    password_file: Path | None
    cert: Path | None
    key: Path | None
    key_file: Path | None
    is_example: bool
    is_open: bool

    @property
    def path(self) -> Path:
        """The file that holds the records; that of an example is never anybody's own."""
        from poems.cli_background import data_folder

        usual = data_folder() / (f"example-{self.port}.db" if self.is_example else "poems.db")
        return (self.database or usual).absolute()

    @property
    def words(self) -> list[str]:
        """The same, as a command line for another process."""
        files = {"--database": self.database, "--password-file": self.password_file, "--tls-cert": self.cert,
                 "--tls-key": self.key, "--key-file": self.key_file}
        return ["serve", "--port", str(self.port), "--host", self.host, *(["--example"] if self.is_example else []),
                *(word for name in self.names for word in ("--name", name)),
                *(word for option, path in files.items() if path for word in (option, str(path.absolute())))]


def serve(
    *,
    database: Annotated[Path | None, Parameter(help=(
        "The file that holds the records. Made where it is missing; if not given, poems.db in the user's data "
        "folder."))] = None,
    port: Annotated[int, Parameter(help="The port; 8420 if not given, 0 for any that is free.")] = PORT,
    host: Annotated[str, Parameter(help=(
        "The address to listen on. Any other than this machine's own demands --password-file, --tls-cert and "
        "--tls-key."))] = "127.0.0.1",
    name: Annotated[tuple[str, ...], Parameter(help=(
        "A name by which browsers call the app, where it is not --host; may be given several times."))] = (),
    password_file: Annotated[Path | None, Parameter(help=(
        "The accounts; see --add-user. Without it, everybody on this machine can open the app."))] = None,
    tls_cert: Annotated[Path | None, Parameter(help="The certificate, as PEM.")] = None,
    tls_key: Annotated[Path | None, Parameter(help="Its key, as PEM.")] = None,
    key_file: Annotated[Path | None, Parameter(help=(
        "A file whose first line is the key of an encrypted database (the extra `encrypted`)."))] = None,
    add_user: Annotated[str, Parameter(help=(
        "Ask for a password, write this account into --password-file, and end."))] = "",
    role: Annotated[Literal["viewer", "editor", "admin"], Parameter(help=(
        "Of --add-user: viewer reads, editor writes, admin also removes, exports everything and reads the audit "
        "trail."))] = "editor",
    example: Annotated[bool, Parameter(help=(
        "Show a published patient, in a database of its own that is made anew."))] = False,
    background: Annotated[bool, Parameter(help="Start beside, print the address, and end.")] = False,
    stop: Annotated[bool, Parameter(help="Stop the app that runs on this port.")] = False,
    browser: Annotated[bool, Parameter(name="--open", help="Open the app in the browser.")] = False,
) -> int:
    """Serve the app: see `poems serve --help`."""
    from poems import cli_background as beside

    if stop:
        return beside.stop(port)
    if add_user:
        return _add_user(password_file, add_user, role)
    given = Given(database, port, host, name, password_file, tls_cert, tls_key, key_file, example, browser)
    _check(given)
    if not background:
        return _run(given)
    code, address = beside.begin(given.words, port, given.path)
    if not code:
        print(address)  # noqa: T201
        if browser:
            webbrowser.open(address)
    return code


def _check(given: Given) -> None:
    """Refuse what would let others in, or cannot be meant. Raises: UsageError."""
    if bool(given.cert) != bool(given.key):
        raise UsageError("--tls-cert and --tls-key belong together: give both")
    for option, path in (("--tls-cert", given.cert), ("--tls-key", given.key), ("--key-file", given.key_file)):
        if path is not None and not path.is_file():
            raise UsageError(f"{option} {path}: no such file")
    if given.key:
        _refuse_open(given.key)
    if given.is_example and (given.database or given.key_file):
        raise UsageError("--example has a database of its own, made anew each time: leave --database and --key-file "
                         "out, or --example")
    if not _is_loopback(given.host) and not (given.password_file and given.cert):
        raise UsageError(f"--host {given.host} can be reached by others: it demands --password-file (made by `poems "
                         "serve --add-user NAME --role admin --password-file FILE`), --tls-cert and --tls-key")
    if given.host in EVERYWHERE and not given.names:
        raise UsageError(f"--host {given.host} demands --name, the name or address by which browsers call the app; "
                         "requests under any other name are refused")
    for name in given.names:
        if not NAME.fullmatch(name):
            raise UsageError(f"--name {name}: no name of a host; expected one such as poems.example.org, without "
                             "https:// and without a port")


def _refuse_open(path: Path) -> None:
    """Raises: UsageError, for a file of a secret that others can read or write."""
    if path.stat().st_mode & 0o077:
        raise UsageError(f"{path}: others on this machine can read it; run: chmod 600 {path}")


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def _settings(given: Given) -> Settings:
    """Who may reach the app."""
    from poems.web.accounts import read_accounts
    from poems.web.settings import LOOPBACK, reachable

    accounts = read_accounts(given.password_file) if given.password_file else None
    here = () if given.host in EVERYWHERE else (f"[{given.host}]" if ":" in given.host else given.host,)
    return reachable((*LOOPBACK, *given.names, *here), given.port, is_secure=given.cert is not None, accounts=accounts,
                     is_example=given.is_example)


def _key(key_file: Path | None) -> str | None:
    """The key of an encrypted database. Raises: UsageError, for a file without one, or one that others can read."""
    if key_file is None:
        return None
    try:
        _refuse_open(key_file)
        key = key_file.read_text("utf-8").split("\n", 1)[0].strip()
    except (OSError, UnicodeDecodeError):
        key = ""
    if not key:
        raise UsageError(f"{key_file}: no key in it; expected a text file whose first line is the key")
    return key


def _add_user(path: Path | None, name: str, role: str) -> int:
    from poems.web.accounts import add_account

    if path is None:
        raise UsageError("--add-user needs --password-file FILE, the file to write into")
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Once more: ") != password:
            raise UsageError("the two passwords differ; nothing was written")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    add_account(path, name, role, password)
    print(f"{name} ({role}) is in {path}; an app that runs with it knows it from now on", file=sys.stderr)  # noqa: T201
    return 0


def _run(given: Given) -> int:
    """Serve until somebody stops it."""
    from poems.cli_background import answers, known
    from poems.knowledge import load
    from poems.web import serving
    from poems.web.app import make_app
    from poems.web.example import fill
    from poems.web.reading import READERS
    from poems.web.work import warm

    with _ending(), _listening(given) as listening:
        given = replace(given, port=listening.getsockname()[1])
        settings, address = _settings(given), _address(given)
        first, knowledge = address, load()
        with known(given.port, given.path, address), _store(given) as store:
            if given.is_example:
                first = f"{address}p/{fill(store, knowledge)}/review"
            app = make_app(store, knowledge, settings=settings)

            def cut() -> None:
                app.state.trail.end()
                store.close()

            try:
                server = serving.server(app, cert=given.cert, key=given.key, cut=cut)
            except OSError as error:  # ssl.SSLError is one
                raise UsageError(f"--tls-cert, --tls-key: not a certificate and its key ({error.strerror or error}); "
                                 "expected PEM files that belong together, the key without a password") from None
            READERS.prepare()
            threading.Thread(target=warm, args=(knowledge,), daemon=True).start()
            print(f"poems is at {first}   (records: {given.path}; Ctrl-C stops it)",  # noqa: T201
                  file=sys.stderr, flush=True)
            answers(first)
            if given.is_open:
                webbrowser.open(first)
            try:
                server.run(sockets=[listening])
            finally:
                cut()
                _rest(app.state.working)
    return 0


def _rest(working: Working) -> None:
    """Wait for what is still under way, so that whoever waits for our end waits for that too; but not for ever."""
    if not working.is_over(REST):
        print("poems: what was still under way was broken off; nothing of it was stored",  # noqa: T201
              file=sys.stderr, flush=True)
        os._exit(0)


@contextmanager
def _ending() -> Iterator[None]:
    """Ctrl-C and SIGTERM end what stands inside in good order; files it makes are the user's alone, and a crash leaves
    no image of the records on the disk.
    """
    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
        if soft != resource.RLIM_INFINITY and soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    before, mask = signal.signal(signal.SIGTERM, end), os.umask(0o077)
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)
        os.umask(mask)


@contextmanager
def _listening(given: Given) -> Iterator[socket.socket]:
    """The socket, taken before anything else. Raises: UsageError, where the port is not to be had."""
    from poems.web import serving

    try:
        made = serving.listen(given.host, given.port)
    except (OSError, OverflowError) as error:
        raise UsageError(f"--port {given.port}: not to be had on {given.host} ({getattr(error, 'strerror', error)}); "
                         f"take another, or stop what runs there (poems serve --stop --port {given.port})") from None
    with made:
        yield made


@contextmanager
def _store(given: Given) -> Iterator[Store]:
    """The records; those of an example are thrown away first. Raises: DatabaseError, where they cannot be used."""
    from poems.store import InvalidError, NeedsLibraryError, Store, StoreError

    if given.is_example:
        for ending in ("", "-wal", "-shm", "-journal"):
            given.path.with_name(f"{given.path.name}{ending}").unlink(missing_ok=True)
    try:
        store = Store.open(given.path, key=_key(given.key_file))
    except (InvalidError, NeedsLibraryError):
        raise
    except StoreError as error:
        raise DatabaseError(str(error)) from None
    with store:
        yield store


def _address(given: Given) -> str:
    host = given.names[0] if given.host in EVERYWHERE else f"[{given.host}]" if ":" in given.host else given.host
    return f"{'https' if given.cert else 'http'}://{host}:{given.port}/"
