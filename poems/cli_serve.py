"""`poems serve`: the app on this machine; started in the foreground or beside, and stopped."""

from __future__ import annotations

import getpass
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import webbrowser
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from poems.errors import UsageError

if TYPE_CHECKING:
    from poems.web.settings import Settings

PORT = 8420
PATIENCE = 20.0
HALF_HOUR = 1800


def data_folder() -> Path:
    """Where this user's data lie: XDG_DATA_HOME, or ~/.local/share."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "poems"


def serve(
    *,
    database: Annotated[Path | None, Parameter(help=(
        "The file that holds the records. Made where it is missing; if not given, poems.db in the user's data "
        "folder."))] = None,
    port: Annotated[int, Parameter(help="The port; 8420 if not given.")] = PORT,
    host: Annotated[str, Parameter(help=(
        "The address to listen on. Any other than this machine's own demands --password-file, --tls-cert and "
        "--tls-key."))] = "127.0.0.1",
    name: Annotated[tuple[str, ...], Parameter(help=(
        "A name by which browsers call the app, where it is not --host; may be given several times."))] = (),
    password_file: Annotated[Path | None, Parameter(help="The accounts; see --add-user.")] = None,
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
    stop: Annotated[bool, Parameter(help="Stop the app that --background started on this port.")] = False,
    browser: Annotated[bool, Parameter(name="--open", help="Open the app in the browser.")] = False,
) -> int:
    """Serve the app: see `poems serve --help`."""
    if stop:
        return _stop(port)
    if add_user:
        return _add_user(password_file, add_user, role)
    if background:
        return _beside(port, is_open=browser)
    settings = _settings(host, port, name, password_file, tls_cert, tls_key, is_example=example)
    path = database or data_folder() / ("example.db" if example else "poems.db")
    return _run(path, settings, host, port, tls_cert, tls_key, _key(key_file), is_open=browser)


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def _settings(host: str, port: int, names: tuple[str, ...], password_file: Path | None, cert: Path | None,
              key: Path | None, *, is_example: bool) -> Settings:
    """Who may reach the app. Raises: UsageError, where others could reach it without password or TLS."""
    from poems.web.accounts import read_accounts
    from poems.web.settings import LOOPBACK, reachable

    if bool(cert) != bool(key):
        raise UsageError("--tls-cert and --tls-key belong together: give both")
    for given in filter(None, (cert, key)):
        if not given.is_file():
            raise UsageError(f"{given}: no such file; expected a PEM file")
    if not _is_loopback(host) and not (password_file and cert):
        raise UsageError(f"--host {host} can be reached by others: it demands --password-file (made by `poems serve "
                         "--add-user NAME --role admin --password-file FILE`), --tls-cert and --tls-key")
    accounts = read_accounts(password_file) if password_file else None
    called = (*LOOPBACK, *names, *(() if _is_loopback(host) or host in ("0.0.0.0", "::") else (host,)))  # noqa: S104
    return reachable(called, port, is_secure=cert is not None, accounts=accounts, is_example=is_example)


def _key(key_file: Path | None) -> str | None:
    """The key of an encrypted database. Raises: UsageError, for a file without one."""
    if key_file is None:
        return None
    try:
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
        password = sys.stdin.readline().rstrip("\n")
    add_account(path, name, role, password)
    print(f"{name} ({role}) is in {path}", file=sys.stderr)  # noqa: T201
    return 0


def _run(path: Path, settings: Settings, host: str, port: int, cert: Path | None, key_path: Path | None,
         key: str | None, *, is_open: bool) -> int:
    import uvicorn

    from poems.knowledge import load
    from poems.store import Store
    from poems.web.app import make_app
    from poems.web.example import fill

    if settings.is_example:
        for leftover in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            leftover.unlink(missing_ok=True)
    listening = _listen(host, port)
    knowledge = load()
    with Store.open(path, key=key) as store:
        if settings.is_example:
            fill(store, knowledge)
        app = make_app(store, knowledge, settings=settings)
        server = uvicorn.Server(uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, proxy_headers=False, ws="none",
            lifespan="off", limit_concurrency=200, h11_max_incomplete_event_size=64 * 1024, timeout_keep_alive=15,
            ssl_certfile=cert, ssl_keyfile=key_path))
        address = _address(host, port, is_secure=settings.is_secure)
        print(f"poems is at {address}   (records: {path}; Ctrl-C stops it)", file=sys.stderr, flush=True)  # noqa: T201
        if is_open:
            webbrowser.open(address)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listening])
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """The socket, taken before anything else. Raises: UsageError, where the port is not to be had."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        raise UsageError(f"--port {port}: not to be had on {host} ({getattr(error, 'strerror', error)}); take another, "
                         "or stop what runs there (poems serve --stop)") from None


def _address(host: str, port: int, *, is_secure: bool) -> str:
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host  # noqa: S104
    return f"{'https' if is_secure else 'http'}://{shown}:{port}/"


def _beside(port: int, *, is_open: bool) -> int:
    """Start the same command without --background, wait until it answers, and leave it."""
    if _stop(port, is_asked=False):
        time.sleep(0.2)
    folder = data_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = folder / f"serve-{port}.log"
    given = [word for word in sys.argv[1:] if word not in ("--background", "--open")]
    with log.open("wb") as out:
        child = subprocess.Popen([sys.executable, "-m", "poems", *given], stdin=subprocess.DEVNULL,
                                 stdout=out, stderr=out, start_new_session=True)
    address, until = _address("127.0.0.1", port, is_secure="--tls-cert" in given), time.monotonic() + PATIENCE
    while time.monotonic() < until and child.poll() is None:
        with suppress(OSError):
            if "--tls-cert" in given:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            else:
                urllib.request.urlopen(address, timeout=5).close()  # noqa: S310 - our own address
            (folder / f"serve-{port}.pid").write_text(str(child.pid))
            print(address)  # noqa: T201
            if is_open:
                webbrowser.open(address)
            return 0
        time.sleep(0.1)
    child.kill()
    said = log.read_text("utf-8", "replace").strip().splitlines()
    raise UsageError(said[-1] if said else "the app did not start")


def _stop(port: int, *, is_asked: bool = True) -> int:
    """End the app that runs beside; whether there was one, where nobody asked."""
    path = data_folder() / f"serve-{port}.pid"
    ended = False
    with suppress(OSError, ValueError):
        pid = int(path.read_text())
        if b"poems" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGTERM)
            ended = True
    path.unlink(missing_ok=True)
    if is_asked:
        print("stopped" if ended else f"nothing of ours runs beside on port {port}", file=sys.stderr)  # noqa: T201
        return 0
    return int(ended)
