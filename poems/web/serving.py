"""How the app is put on a socket: a connection that dawdles is cut off, and no network gets them all."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from poems.web.accounts import network

SECONDS = {"waiting": 15.0, "working": 600.0, "leaving": 10.0}
"""How long a connection may wait for the next request to be complete, for its answer to be taken, and for the rest of a
request that was answered before its end."""
HANDSHAKE = 5.0
"""Seconds for a connection to agree on TLS, and to end it."""
MOST, MOST_OF_ONE = 200, 60
"""Connections that are answered at the same time, and those of one network that is not this machine's own."""
MOST_OPEN = 2 * MOST
"""Connections at all, with those that have not yet agreed on TLS: far fewer than the files that a process may open."""
FAREWELL, CUT = 10, 1
"""Seconds that answers under way are given when the app ends; in the last of them nothing is stored any more."""
SELDOM = 60.0
"""Seconds between two lines of a library below us, each of which would tell of every broken connection."""


class Connection(H11Protocol):
    """One connection, watched: whoever sends or takes byte by byte does not hold it for long."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.access_log = False  # whatever handlers there are: an address does not belong into a log
        self._state: tuple[str, int] = ("", 0)
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Go on to the next request."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        super().connection_lost(exc)
        if self._timer:
            self._timer.cancel()

    def _watch(self) -> None:
        """Give the state that the connection is in its time, if it has just come into it."""
        name = "working"
        if self.cycle is None or self.cycle.response_complete:
            name = "leaving" if self.conn.their_state is h11.SEND_BODY else "waiting"
        if (state := (name, id(self.cycle))) != self._state:
            self._state = state
            if self._timer:
                self._timer.cancel()
            self._timer = self.loop.call_later(SECONDS[name], self.transport.abort)


def is_here(host: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Listener(socket.socket):
    """A socket that takes connections, counted from the first byte on; what is too much is closed at once."""

    def __init__(self, family: int, kind: int, protocol: int) -> None:
        super().__init__(family, kind, protocol)
        self._taken: list[tuple[socket.socket, str]] = []

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection. Raises: ConnectionAbortedError, for one too many."""
        made, address = super().accept()
        here = network(address[0])
        self._taken = [one for one in self._taken if one[0].fileno() >= 0]
        if len(self._taken) >= MOST_OPEN or (
                not is_here(address[0]) and sum(other == here for _, other in self._taken) >= MOST_OF_ONE):
            made.close()
            raise ConnectionAbortedError
        self._taken.append((made, here))
        return made, address


def listen(host: str, port: int) -> socket.socket:
    """A socket on which the app listens from now on; port 0 for any that is free. Raises: OSError, OverflowError.

    The protocol is named, since asyncio lets small pieces go at once only where it is; else each answer waits 40 ms.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = Listener(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(MOST)
    except BaseException:
        made.close()
        raise
    return made


class Loop(asyncio.SelectorEventLoop):
    """A loop whose servers wait for TLS as long as we say."""

    async def create_server(self, *arguments: Any, **named: Any) -> asyncio.Server:
        """As ever."""
        if named.get("ssl"):
            named |= {"ssl_handshake_timeout": HANDSHAKE, "ssl_shutdown_timeout": HANDSHAKE}
        return await super().create_server(*arguments, **named)


class Seldom(logging.Filter):
    """Lets a line through now and then, without its second half, which may hold what was sent, and from where."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is time for a line."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + SELDOM
        record.msg, record.args, record.exc_info = record.getMessage().partition("\n")[0], (), None
        return True


TOLD = {"asyncio": Seldom(), "uvicorn.error": Seldom()}


class Server(uvicorn.Server):
    """cut: called before answers under way are broken off, so that nothing is stored once their senders heard that."""

    def __init__(self, config: uvicorn.Config, cut: Callable[[], None]) -> None:
        super().__init__(config)
        self.cut = cut

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Give answers under way their time, and end."""
        timer = asyncio.get_running_loop().call_later(FAREWELL - CUT, self.cut)
        try:
            await super().shutdown(sockets)
            await asyncio.sleep(0)  # those broken off say so
        finally:
            timer.cancel()


def server(app: Any, *, cert: Path | None = None, key: Path | None = None, cut: Callable[[], None] = lambda: None
           ) -> uvicorn.Server:
    """A server of the app, ready for `run(sockets=[...])`. Raises: OSError (ssl.SSLError), for unusable PEM files."""
    for logger, seldom in TOLD.items():
        logging.getLogger(logger).addFilter(seldom)
    config = uvicorn.Config(
        app, http=Connection, loop=f"{__name__}:Loop", ws="none", lifespan="off", log_config=None, access_log=False,
        server_header=False, proxy_headers=False, limit_concurrency=MOST, h11_max_incomplete_event_size=64 * 1024,
        timeout_keep_alive=int(SECONDS["waiting"]), timeout_graceful_shutdown=FAREWELL, ssl_certfile=cert,
        ssl_keyfile=key, ssl_keyfile_password="-" if cert else None)
    config.load()
    return Server(config, cut)
