"""How the app is put on a socket: a connection that dawdles is cut off, and no address gets them all."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

SECONDS = {"waiting": 15.0, "working": 600.0, "leaving": 10.0}
"""How long a connection may wait for the next request to be complete, for its answer to be taken, and for the rest of a
request that was answered before its end."""
MOST, MOST_OF_ONE = 200, 60
"""Connections at the same time, and those of one address that is not this machine's own."""
FAREWELL = 10
"""Seconds that answers under way are given when the app ends."""


class Connection(H11Protocol):
    """One connection, watched: whoever sends or takes byte by byte does not hold it for long."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.access_log = False  # whatever handlers there are: an address does not belong into a log
        self._state: tuple[str, int] = ("", 0)
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, unless this address has too many."""
        super().connection_made(transport)
        host = self.client[0] if self.client else ""
        if not is_here(host) and sum(
                (getattr(one, "client", None) or ("",))[0] == host for one in self.connections) > MOST_OF_ONE:
            transport.abort()
            return
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


def listen(host: str, port: int) -> socket.socket:
    """A socket on which the app listens from now on; port 0 for any that is free. Raises: OSError, OverflowError.

    The protocol is named, since asyncio lets small pieces go at once only where it is; else each answer waits 40 ms.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(MOST)
    except BaseException:
        made.close()
        raise
    return made


def server(app: Any, *, cert: Path | None = None, key: Path | None = None) -> uvicorn.Server:
    """A server of the app, ready for `run(sockets=[...])`. Raises: OSError (ssl.SSLError), for unusable PEM files."""
    config = uvicorn.Config(
        app, http=Connection, loop="asyncio", ws="none", lifespan="off", log_config=None, access_log=False,
        server_header=False, proxy_headers=False, limit_concurrency=MOST, h11_max_incomplete_event_size=64 * 1024,
        timeout_keep_alive=int(SECONDS["waiting"]), timeout_graceful_shutdown=FAREWELL, ssl_certfile=cert,
        ssl_keyfile=key, ssl_keyfile_password="-" if cert else None)
    config.load()
    return uvicorn.Server(config)
