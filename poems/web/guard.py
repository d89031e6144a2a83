"""What stands before every page: whose request is answered, how much it may bring, and what the answer forbids.

A page on another site can make a browser send requests here, and a name under its control can be turned to this
machine (DNS rebinding). So the Host has to be ours, a write has to come from our own pages (Origin, Sec-Fetch-Site, and
the token that `ask.write` checks), other sites get nothing but what opens in a window of its own, and no answer may be
framed, guessed at or kept. Whatever breaks further in ends here, and nothing that was sent gets into a log.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from http import HTTPStatus
from pathlib import Path

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from poems.web.settings import LOOPBACK, MEGABYTE, Settings

log = logging.getLogger("poems.web")
READS, WRITES = ("GET", "HEAD"), ("POST",)
API = "/api/"
OUR_SITES = ("same-origin", "none")
"""Sec-Fetch-Site of our own pages, and of what somebody typed into the address line."""
POLICY = "; ".join((
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'",
    "connect-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'", "manifest-src 'self'"))
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with no-referrer, browsers send our own forms with the Origin "null"
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
PRIVATE, FOR_EVER = "no-store", "public, max-age=31536000, immutable"
BROKEN = "Something went wrong here. Go back, and look whether your last step was kept before you try again."
ENDED = ("The app was stopped before this was done. When it runs again, look whether it was kept before you send it "
         "again.")
DRAIN = 3.0
"""Seconds for which a body that is too large is still taken and thrown away, so that its sender hears the answer."""


class Refused(HTTPException):
    """A request that is not answered; `detail` says why, and what to do."""


class BrokenOffError(Exception):
    """An answer that had begun cannot be ended: the connection has to be closed."""


class Guard:
    """The outermost layer of the app."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on what may be answered."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        started, status = time.monotonic(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self.forbid(MutableHeaders(scope=message), scope, status)
            await send(message)

        try:
            await self.answer(scope, receive, sending)
        except ClientDisconnect:
            status = status or 499
        except asyncio.CancelledError:  # the app ends, and waits no longer
            if status:
                raise BrokenOffError from None
            await plain(scope, Refused(503, ENDED), sending)
        except Exception as error:
            log.error("%s", place(error))
            if status:
                raise BrokenOffError from None
            await plain(scope, Refused(500, BROKEN), sending)
        finally:
            page = getattr(scope.get("endpoint"), "__name__", "-")  # never the path, nor what was sent
            log.info("%s %s %d %.0f ms", scope["method"], page, status, 1000 * (time.monotonic() - started))

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or let the pages answer."""
        refusal = self.refusal(scope)
        if refusal is None:
            await self.app(scope, self.limited(scope, receive), send)
            return
        if refusal.status_code == 413 and "expect" not in Headers(scope=scope):
            with anyio.move_on_after(DRAIN):
                while (await receive()).get("more_body", False):
                    pass
        await plain(scope, refusal, send)

    def refusal(self, scope: Scope) -> Refused | None:
        """Why this request is not answered, if it is not."""
        headers, method = Headers(scope=scope), scope["method"]
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self.settings.hosts:
            return Refused(421, "This address is not one of the app's own. Open it by the address that it printed.")
        if method not in (*READS, *WRITES):
            return Refused(405, "Only GET and POST are answered.", {"allow": allowed(scope)})
        if not self._is_ours(headers, method):
            return Refused(403, "This was sent from another site. Open the app's own page and send it from there.")
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or len(length) > 15 or int(length) > self.most(scope):
            return Refused(413, too_large(self.most(scope)))
        return None

    def _is_ours(self, headers: Headers, method: str) -> bool:
        """Whether a write comes from our own pages; and whether a read does, or opens in a window of its own."""
        is_near = all(site in OUR_SITES for site in headers.getlist("sec-fetch-site"))
        if method in WRITES:
            return is_near and all(one in self.settings.origins for one in headers.getlist("origin"))
        opens = [headers.getlist(f"sec-fetch-{name}") for name in ("mode", "dest")] == [["navigate"], ["document"]]
        return is_near or (opens and method == "GET")

    def most(self, scope: Scope) -> int:
        """How many bytes this request may bring."""
        limits, path = self.settings.limits, scope["path"]
        if path == "/import-archive":
            return limits.archive
        return limits.body if path.endswith("/import") else limits.text

    def limited(self, scope: Scope, receive: Receive) -> Receive:
        """`receive`, until too much has come, or too slowly."""
        limits, most, started = self.settings.limits, self.most(scope), time.monotonic()
        taken, is_whole = 0, False

        async def receiving() -> Message:
            nonlocal taken, is_whole
            if is_whole:  # what comes now is only the word that the client has left
                return await receive()
            until = started + limits.seconds + taken / limits.slowest
            with anyio.move_on_after(max(until - time.monotonic(), 0)) as waiting:
                message = await receive()
            if waiting.cancelled_caught:
                raise Refused(408, "The request took too long to arrive. Send it again.")
            taken += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            if taken > most:
                with anyio.move_on_after(DRAIN):
                    while not is_whole:
                        is_whole = not (await receive()).get("more_body", False)
                raise Refused(413, too_large(most))
            return message

        return receiving

    def forbid(self, headers: MutableHeaders, scope: Scope, status: int) -> None:
        """Put on an answer what browsers must not do with it."""
        for name, value in HEADERS.items():
            headers[name] = value
        host = Headers(scope=scope).get("host", "").rpartition(":")[0]
        if self.settings.is_secure and host not in LOOPBACK:  # there, other programs answer on other ports
            headers["strict-transport-security"] = "max-age=31536000"
        is_ours = status in (200, 304) and (scope["path"].startswith("/static/") or scope["path"] == "/style.css")
        named = b"v=" in scope.get("query_string", b"")  # the address names the content
        headers["cache-control"] = PRIVATE if not is_ours else FOR_EVER if named else "no-cache"


def allowed(scope: Scope) -> str:
    """The methods in which an address is answered."""
    asked = {**scope, "type": "http", "method": READS[0]}
    found = {method for route in scope["app"].routes if route.matches(asked)[0] is not Match.NONE
             for method in getattr(route, "methods", None) or READS}
    return ", ".join(sorted(found or {*READS, *WRITES}))


def too_large(most: int) -> str:
    """What to say of a body past the limit."""
    size = f"{most // MEGABYTE} MB" if most >= MEGABYTE else f"{most // 1024} kB"
    return f"More than {size} was sent; nothing of it was kept. Send a smaller file, or part it."


def place(error: BaseException) -> str:
    """The kind of an error and where it arose; never its message, which may hold a value."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {where}"


async def plain(scope: Scope, refusal: Refused, send: Send) -> None:
    """The answer to a request that goes no further: one sentence; as JSON to those who ask for that."""
    is_api = scope["path"].startswith(API)
    text = json.dumps({"error": refusal.detail, "issues": []}) if is_api else f"{refusal.detail}\n"
    kind = "application/json" if is_api else "text/plain; charset=utf-8"
    headers = {"content-type": kind, "content-length": str(len(text.encode())), **(refusal.headers or {})}
    await send({"type": "http.response.start", "status": HTTPStatus(refusal.status_code).value,
                "headers": [(name.encode(), value.encode()) for name, value in headers.items()]})
    await send({"type": "http.response.body", "body": text.encode()})
