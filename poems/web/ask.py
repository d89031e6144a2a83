"""One request as a page sees it, and the two kinds of pages: those that read and those that write."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Any, Literal

from anyio import to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from poems.adapters import document
from poems.errors import Issue
from poems.knowledge import Knowledge
from poems.store import ConflictError, MissingError, Store
from poems.web.guard import API, Refused
from poems.web.sessions import Session, Sessions
from poems.web.settings import Settings
from poems.web.trail import Trail
from poems.web.unsaved import PLACES, Drafts

Edition = Literal["clinician", "patient"]
Body = Literal["form", "json"]
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # it tells what it cannot read
TOKEN, TOKEN_HEADER = "csrf", "x-csrf-token"
FORMS = (b"application/x-www-form-urlencoded", b"multipart/form-data")
STALE = "The page was open for too long, or was not ours; nothing was saved. Open it again."
LOGGED_OUT = "You are not logged in, or not any more; nothing was saved. Log in, and send it again."
NOT_YOURS = "Your account may not do this. Ask who administers the app."
LISTS = {"home": "list", "patients": "list", "removed": "list of removed", "audit": "audit trail",
         "outcome": "outcome of an import"}
"""Pages of many patients, and how the audit trail calls them."""
AGAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")
FIELDS = "fields"
"""The one page that is sent a form, keeps nothing and shows the record; its part shows nothing of the record."""
PLACE, BANNER = b"<!--late-->", (
    b'<p class="banner" role="status">The database cannot be written just now: another program or a large import holds '
    b"it, or the disk is full. Until that is over nothing new can be saved; that you looked at this will be noted then."
    b"</p>")
"""Where a page says that its line in the audit trail is late, and how. No text of a page holds the first."""
LATE = {"x-noted": "later"}


@dataclass
class Ask:
    """A request, who sends it, and what the app has to answer it with. body: the JSON that it brought (or null)."""

    request: Request
    store: Store
    knowledge: Knowledge
    settings: Settings
    sessions: Sessions
    session: Session
    trail: Trail
    form: FormData = field(default_factory=FormData)
    body: Any = None
    has_body: bool = False

    @property
    def who(self) -> str:
        """Who is named in the history and in the audit trail."""
        return self.session.who

    @property
    def edition(self) -> Edition:
        """For whom the pages are worded: as chosen; else for the patient where the app holds one's own record."""
        chosen = self.request.cookies.get("edition", "")
        if chosen in ("clinician", "patient"):
            return chosen  # type: ignore[return-value]
        return "patient" if self.store.setting("mode") == "own" else "clinician"

    @property
    def is_part(self) -> bool:
        """Whether a script asks for a part of the page."""
        return self.request.headers.get("x-part") == "true"

    def path(self, name: str) -> str:
        """A part of the address."""
        return str(self.request.path_params[name])

    def text(self, name: str) -> str:
        """A field of the form, or nothing."""
        value = self.form.get(name, "")
        return value if isinstance(value, str) else ""

    def texts(self) -> dict[str, str]:
        """Every text field of the form but the token."""
        return {name: value for name, value in self.form.items() if isinstance(value, str) and name != TOKEN}

    @property
    def again(self) -> str:
        """The id of what was typed and not saved, where this request is about that."""
        found = self.text("again") or self.request.query_params.get("again", "")
        return found if AGAIN.fullmatch(found) else ""

    def typed_before(self, *pages: str) -> Mapping[str, str]:
        """What was typed for one of these pages by this account and not saved, where this page shows it again."""
        found = self.drafts.get(self.again, self.sessions.mark(self.who)) if self.again else None
        return found.fields if found and found.page in pages and found.place == self.request.url.path else {}

    @property
    def drafts(self) -> Drafts:
        """What was typed and not saved."""
        return self.request.app.state.drafts  # type: ignore[no-any-return]

    def file(self, name: str) -> UploadFile | None:
        """A file of the form, or None where none was chosen."""
        value = self.form.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None

    def told(self, action: str, uid: str = "", *, who: str | None = None) -> None:
        """Tell the audit trail; the answer will say so where that comes late. Raises: Refused, where it cannot be."""
        if not self.trail.tell(self.who if who is None else who, action, uid):
            self.request.state.is_late = True

    def go(self, path: str) -> Response:
        """To another page of the app, after a write. path: made here, never taken from a request."""
        if self.is_part:
            return Response(status_code=200, headers={"x-go": path})
        return RedirectResponse(path, 303)


class StaleError(Refused):
    """A form without the token of this session."""


class FaultyError(Refused):
    """What a program sent cannot be used; `issues` says why, one for each place."""

    def __init__(self, status: int, detail: str, issues: tuple[Issue, ...] = ()) -> None:
        super().__init__(status, detail)
        self.issues = issues


Page = Callable[[Ask], Response]


def read(role: str = "viewer") -> Callable[[Page], Any]:
    """A page that changes nothing. role: the least that may see it; empty for everybody."""
    return lambda page: _endpoint(page, role, "")


def write(role: str = "editor", takes: Body = "form") -> Callable[[Page], Any]:
    """A page that changes something: it has to bring the session's token. takes: what its body is."""
    return lambda page: _endpoint(page, role, takes)


def is_api(request: Request) -> bool:
    """Whether a program asks, and not a browser."""
    return request.url.path.startswith(API)


def _endpoint(page: Page, role: str, takes: str) -> Any:
    is_change = bool(takes) and role not in ("", "viewer")

    @wraps(page)
    async def endpoint(request: Request) -> Response:
        state = request.app.state
        ask = Ask(request, state.store, state.knowledge, state.settings, state.sessions, state.sessions.of(request),
                  state.trail)
        try:
            if role and not ask.session.may(role):
                return _kept(await _turned_away(page, ask, takes), ask)
            if takes:
                try:
                    await _received(ask, takes)
                except StaleError:
                    if not (address := state.drafts.address(_typed(page, ask), state.sessions.mark(ask.who))):
                        raise
                    return _kept(RedirectResponse(address, 303), ask)  # its account has logged in anew, in another tab
                ask.session = state.sessions.again(ask.session)  # a body may take long to arrive
                if role and not ask.session.may(role):
                    return _kept(await _turned_away(page, ask, takes), ask)
            work = partial(_answered, page, ask, is_change=is_change)
            return _kept(await to_thread.run_sync(work, limiter=state.writers if is_change else None), ask)
        finally:
            await asyncio.shield(ask.form.close())

    endpoint.role, endpoint.takes = role, takes  # type: ignore[attr-defined]
    return endpoint


def _answered(page: Page, ask: Ask, *, is_change: bool) -> Response:
    """The page; what it shows of patients is told to the audit trail. A change that was kept tells of itself."""
    with ask.request.app.state.working:
        try:
            response = page(ask)
        except ConflictError:  # its answer shows what stands there now
            _tell(page.__name__, ask, 409, is_change=is_change)
            raise
        _tell(page.__name__, ask, response.status_code, is_change=is_change)
        if is_change and page.__name__ != FIELDS and response.status_code < 400 and ask.again:
            ask.drafts.drop(ask.again)  # it is saved now
        return marked(ask.request, response)


def _tell(name: str, ask: Ask, status: int, *, is_change: bool) -> None:
    """Tell the audit trail what an answer of this status shows, if it shows anything."""
    parts, said = ask.request.path_params, name.replace("_", " ")
    if "uid" not in parts:
        if name in LISTS and status < 300:
            ask.told(f"read {LISTS[name]}")
    elif status == 404 or (name == FIELDS and ask.is_part):
        return
    elif not is_change or name == FIELDS:
        ask.told(f"read {said} {parts.get('ending') or parts.get('format') or ''}".strip(), parts["uid"])
    elif status >= 400:
        ask.told(f"{said} refused, record shown", parts["uid"])


def marked(request: Request, response: Response) -> Response:
    """The answer; it says so where its line in the audit trail is late."""
    if getattr(request.state, "is_late", False):
        response.headers.update(LATE)
        if response.media_type == "text/html":
            response.body = bytes(response.body).replace(PLACE, BANNER, 1)
            response.headers["content-length"] = str(len(response.body))
    return response


async def _turned_away(page: Page, ask: Ask, takes: str) -> Response:
    """To the login, where that may help. Raises: Refused."""
    if ask.session.role:
        await to_thread.run_sync(_told_of_try, page, ask)
        raise Refused(403, NOT_YOURS)
    if is_api(ask.request):
        raise Refused(401, "Nobody is logged in. Log in first: POST /api/v1/login.")
    if not takes:
        return RedirectResponse("/login", 303)
    if ask.is_part:
        raise Refused(403, LOGGED_OUT)
    from poems.web.login import asking  # a page, which is made of what stands here

    kind, _ = parse_options_header(ask.request.headers.get("content-type"))
    if not ask.form and kind == FORMS[0] and page.__name__ in PLACES:  # a file is not read for those without a role
        await _form(ask)
    if again := _typed(page, ask):
        return RedirectResponse(f"/login?again={again}", 303)
    return asking(ask, 403, LOGGED_OUT)


def _typed(page: Page, ask: Ask) -> str:
    """The id under which is kept what was typed, where the form was one of ours, of some account; else nothing."""
    mark = ask.sessions.made_for(ask.request.headers.get(TOKEN_HEADER) or ask.form.get(TOKEN))
    if not ask.form or not mark or mark == ask.sessions.mark("") or is_api(ask.request):
        return ""
    return ask.drafts.keep(page.__name__, ask.request.path_params, ask.texts(), mark)


def _told_of_try(page: Page, ask: Ask) -> None:
    """Tell the audit trail what an account tried that it may not do; of the address, only a patient who is there."""
    found = ""
    with suppress(MissingError):
        found = ask.store.patient(ask.request.path_params.get("uid", "")).uid
    ask.told(f"not allowed: {page.__name__.replace('_', ' ')}", found)


async def _received(ask: Ask, takes: str) -> None:
    """Read what the request brings, and check the token. Raises: Refused."""
    request, token = ask.request, ask.request.headers.get(TOKEN_HEADER)
    if token is not None and not ask.sessions.is_token(ask.session, token):
        raise Refused(403, STALE)
    kind, options = parse_options_header(request.headers.get("content-type"))
    if options.get(b"charset", b"utf-8").strip().lower() not in (b"utf-8", b"utf8"):
        raise Refused(415, "The text is not said to be UTF-8. Send it as UTF-8.")
    if takes == "json":
        await _json(ask, kind)
    elif kind in FORMS:
        await _form(ask)
    elif kind:
        raise Refused(415, "This is no form. Send it as multipart/form-data.")
    if not ask.sessions.is_token(ask.session, token or ask.form.get(TOKEN)):
        raise StaleError(403, STALE)


async def _form(ask: Ask) -> None:
    limits = ask.settings.limits
    try:
        ask.form = await ask.request.form(max_files=limits.files, max_fields=limits.fields, max_part_size=limits.text)
    except FormParserError:
        raise Refused(400, "The form cannot be read. Send it again.") from None


async def _json(ask: Ask, kind: bytes) -> None:
    """The body as a tree in which nothing is broken. Raises: Refused, FaultyError."""
    data = await ask.request.body()
    if not data:
        return
    if kind != b"application/json":
        raise Refused(415, "The body is not said to be JSON. Send it as application/json.")
    try:
        tree = document.parse(data, "")
        faults = list(document.broken(tree, "body"))
    except document.RefusedError as refused:
        faults = [refused]
    if faults:
        raise FaultyError(400, "The body cannot be read.", tuple(
            Issue("fault", one.where or "body", one.found, one.expected, one.fix) for one in faults[:100]))
    ask.body, ask.has_body = tree, True


def _kept(response: Response, ask: Ask) -> Response:
    ask.sessions.keep(ask.session, response)
    return response
