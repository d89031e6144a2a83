"""The application: every address of the app, and what is answered where a page cannot be."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from poems.errors import PoemsError
from poems.knowledge import Knowledge
from poems.store import (
    ArchiveError,
    ConflictError,
    DuplicateError,
    FullError,
    InvalidError,
    MissingError,
    Store,
    StoreError,
)
from poems.web import admin, api, downloads, erasing, imports, library, login, pages, patients, thinking
from poems.web.ask import is_api, marked
from poems.web.guard import Guard, Refused, allowed
from poems.web.outcomes import Outcomes
from poems.web.sessions import SECRET, Sessions
from poems.web.settings import Settings
from poems.web.trail import Trail
from poems.web.unsaved import Drafts
from poems.web.working import Working

STATIC = Path(__file__).parent / "static"
STATUS = {MissingError: 404, ConflictError: 409, DuplicateError: 409, InvalidError: 422, ArchiveError: 422,
          FullError: 507, StoreError: 503}
"""The first that fits; of the store, what is left is its own trouble: held, damaged, not to be written, closed."""
WRITERS = 20
"""Threads that changes may take, which wait for each other: so that some are left for those who read."""
RECORD = re.compile(r"/p/[A-Za-z0-9_-]{1,64}/")
SAID = {"Not Found": "There is no such page here.", "Method Not Allowed": "This address is not called in this way."}
"""What the framework says, in our words."""


def make_app(store: Store, knowledge: Knowledge, *, settings: Settings) -> Starlette:
    """The app on a store. What it holds in memory may be lost: logins, what imports said, what was not saved."""
    app = Starlette(
        routes=[*routes(), *api.routes(), Route("/style.css", pages.stylesheet, methods=["GET"]),
                Mount("/static", StaticFiles(directory=STATIC))],
        middleware=[Middleware(Guard, settings=settings)],
        exception_handlers={HTTPException: refused, PoemsError: failed},
    )
    app.router.redirect_slashes = False
    secret = store.setting(SECRET)
    if not secret:
        secret = secrets.token_hex(32)
        store.set_setting(SECRET, secret, "app")
    app.state.store, app.state.knowledge, app.state.settings = store, knowledge, settings
    app.state.sessions, app.state.trail = Sessions(settings, secret), Trail(store)
    app.state.outcomes, app.state.drafts = Outcomes(), Drafts()
    app.state.writers, app.state.working = CapacityLimiter(WRITERS), Working()
    if settings.accounts is not None:
        settings.accounts.tell = app.state.trail.later
    return app


def routes() -> list[BaseRoute]:
    """Every address. Reads are GET, writes POST; an address holds random ids and no word of a patient."""
    table = {
        "/": (patients.home, None), "/start": (None, patients.start), "/patients": (None, patients.create),
        "/login": (login.login, login.enter), "/logout": (None, login.leave), "/show": (None, login.show),
        "/import": (imports.choose, imports.into_list), "/imported/{id}": (imports.outcome, None),
        "/export-archive": (None, downloads.archive),
        "/import-archive": (None, downloads.restore), "/backup": (None, downloads.backup),
        "/settings": (admin.settings, admin.change), "/audit": (admin.audit, None),
        "/ask": (library.question, library.answer), "/guide/{path:path}": (library.guide, None),
        "/knowledge/{id}": (library.claim, None),
        "/p/{uid}/": (patients.findings, None), "/p/{uid}/fields": (None, patients.fields),
        "/p/{uid}/add": (None, patients.add), "/p/{uid}/rename": (None, patients.rename),
        "/p/{uid}/remove": (None, patients.remove), "/p/{uid}/restore": (None, patients.restore),
        "/p/{uid}/erase": (erasing.erasure, erasing.erase),
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
    """A page, or JSON, for what is not answered."""
    assert isinstance(error, HTTPException)
    said, headers = SAID.get(error.detail, error.detail), error.headers
    if error.status_code == 405:
        headers = {"allow": allowed(request.scope)}
        if request.method == "GET" and not is_api(request) and (record := RECORD.match(request.url.path)):
            return marked(request, RedirectResponse(record[0], 303))  # typed again, or gone back to, after a form
    return _said(request, error.status_code, error if said == error.detail else Refused(error.status_code, said),
                 headers)


async def failed(request: Request, error: Exception) -> Response:
    """The same for what the library refuses: its message says what to do, and holds nobody's value."""
    return _said(request, next((status for kind, status in STATUS.items() if isinstance(error, kind)), 422), error)


def _said(request: Request, status: int, error: Exception, headers: Mapping[str, str] | None = None) -> Response:
    if is_api(request):
        return marked(request, api.refusal(request.app.state.knowledge, status, error, headers))
    return marked(request, pages.fault(request, status, getattr(error, "detail", "") or str(error), headers))
