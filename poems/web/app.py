"""The application: every address of the app, and what is answered where a page cannot be."""

from __future__ import annotations

import logging
import secrets
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from poems.errors import PoemsError
from poems.knowledge import Knowledge
from poems.store import (
    BusyError,
    ConflictError,
    DuplicateError,
    FullError,
    InvalidError,
    MissingError,
    Store,
    UnwritableError,
)
from poems.web import admin, downloads, imports, library, login, pages, patients, thinking
from poems.web.guard import Guard
from poems.web.sessions import SECRET, Sessions
from poems.web.settings import Settings

log = logging.getLogger("poems.web")
STATIC = Path(__file__).parent / "static"
STATUS = {MissingError: 404, ConflictError: 409, DuplicateError: 409, InvalidError: 422, BusyError: 503, FullError: 507,
          UnwritableError: 503}


def make_app(store: Store, knowledge: Knowledge, *, settings: Settings) -> Starlette:
    """The app on a store. It holds no state but who is logged in."""
    app = Starlette(
        routes=[*routes(), Route("/style.css", pages.stylesheet), Mount("/static", StaticFiles(directory=STATIC))],
        middleware=[Middleware(Guard, settings=settings)],
        exception_handlers={HTTPException: refused, PoemsError: failed, Exception: broken},
    )
    app.router.redirect_slashes = False
    secret = store.setting(SECRET) or secrets.token_hex(32)
    store.set_setting(SECRET, secret, "app")
    app.state.store, app.state.knowledge, app.state.settings = store, knowledge, settings
    app.state.sessions = Sessions(settings, secret)
    return app


def routes() -> list[BaseRoute]:
    """Every address. Reads are GET, writes POST; an address holds random ids and no word of a patient."""
    table = {
        "/": (patients.home, None), "/start": (None, patients.start), "/patients": (None, patients.create),
        "/login": (login.login, login.enter), "/logout": (None, login.leave), "/show": (None, login.show),
        "/import": (imports.choose, imports.into_list), "/export-archive": (None, downloads.archive),
        "/import-archive": (None, downloads.restore), "/backup": (None, downloads.backup),
        "/settings": (admin.settings, admin.change), "/audit": (admin.audit, None),
        "/ask": (library.question, library.answer), "/guide/{path:path}": (library.guide, None),
        "/knowledge/{id}": (library.claim, None),
        "/p/{uid}/": (patients.findings, None), "/p/{uid}/fields": (None, patients.fields),
        "/p/{uid}/add": (None, patients.add), "/p/{uid}/rename": (None, patients.rename),
        "/p/{uid}/remove": (None, patients.remove), "/p/{uid}/restore": (None, patients.restore),
        "/p/{uid}/import": (None, imports.into_patient), "/p/{uid}/entry/{entry}": (patients.entry, patients.correct),
        "/p/{uid}/entry/{entry}/retract": (None, patients.retract), "/p/{uid}/history": (patients.history, None),
        "/p/{uid}/undo/{change}": (None, patients.undo), "/p/{uid}/review": (thinking.review, None),
        "/p/{uid}/what-if": (None, thinking.what_if), "/p/{uid}/follow": (thinking.course, None),
        "/p/{uid}/report.pdf": (downloads.report, None), "/p/{uid}/sheet.pdf": (downloads.sheet, None),
        "/p/{uid}/calendar.ics": (downloads.calendar, None), "/p/{uid}/export.{ending}": (downloads.export, None),
    }
    return [Route(path, page, methods=[method]) for path, pair in table.items()
            for method, page in zip(("GET", "POST"), pair, strict=True) if page is not None]


async def refused(request: Request, error: Exception) -> Response:
    """A page for what is not answered."""
    assert isinstance(error, HTTPException)
    return pages.fault(request, error.status_code, error.detail, error.headers)


async def failed(request: Request, error: Exception) -> Response:
    """A page for what the library refuses: its message says what to do, and holds nobody's value."""
    status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 422)
    return pages.fault(request, status, str(error))


async def broken(request: Request, error: Exception) -> Response:
    """What nobody foresaw: the kind of error and its place are logged, never its message, which may hold a value."""
    frame = error.__traceback__
    while frame and frame.tb_next:
        frame = frame.tb_next
    place = f"{Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}" if frame else "?"
    log.error("%s at %s", type(error).__name__, place)
    return PlainTextResponse("Something went wrong here; nothing was saved by this step. Go back and try again.\n", 500)
