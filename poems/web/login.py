"""Logging in and out, and how the pages are shown."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from starlette.responses import RedirectResponse, Response
from starlette.routing import Match

from poems.web.accounts import Account, network
from poems.web.ask import Ask, read, write
from poems.web.guard import Refused
from poems.web.pages import THEMES, page

CLOSED = "Nobody can log in just now: the file with the accounts cannot be used. Ask who administers the app."
COMES_BACK = ("You were logged out meanwhile; nothing was saved yet. Log in with the same account, and the form comes "
              "back with what you typed. It is kept for half an hour, in memory only.")
NOT_KEPT = ("You were logged out meanwhile; nothing was saved, and what was typed is no longer kept. Log in, and type "
            "it again.")
YEAR = 365 * 24 * 3600


@read(role="")
def login(ask: Ask) -> Response:
    """The page that asks for name and password."""
    if ask.session.role:
        return RedirectResponse(ask.drafts.address(ask.again, ask.sessions.mark(ask.who)) or "/", 303)
    return asking(ask, 200, (COMES_BACK if ask.drafts.is_kept(ask.again) else NOT_KEPT) if ask.again else "")


def asking(ask: Ask, status: int, said: str = "", *, name: str = "",
           headers: Mapping[str, str] | None = None) -> Response:
    """The form for name and password; it carries on under which id is kept what was typed before."""
    return page(ask, "login.html.j2", status=status, headers=headers, said=said, name=name)


@write(role="")
def enter(ask: Ask) -> Response:
    """Check name and password; a failure makes the next try wait."""
    name = ask.text("name").strip().lower()
    if ask.settings.accounts is None:
        return RedirectResponse("/", 303)
    try:
        begun(ask, name, ask.text("password"))
    except Refused as refused:
        return asking(ask, refused.status_code, refused.detail, name=name[:40], headers=refused.headers)
    address = ask.drafts.address(ask.again, ask.sessions.mark(ask.who))
    if not address:
        ask.drafts.drop(ask.again)  # somebody else logged in where it waited
    return RedirectResponse(address or "/", 303)


def begun(ask: Ask, name: str, password: str) -> Account:
    """Log in: the request has a new session afterwards.

    Raises: Refused: 401; 429, where one has to wait; 503, where the accounts cannot be used.
    """
    accounts, client = ask.settings.accounts, ask.request.client
    assert accounts is not None
    address = network(client.host if client else "")
    by_address, by_name = f"address {address}", f"name {name[:64]}"
    by_both = f"{by_name} from {address}"
    together = "" if accounts.waits.is_known(by_both) else by_name
    is_there = accounts.get(name) is not None
    if accounts.fault:
        raise Refused(503, CLOSED)
    if wait := accounts.waits.begin(by_both, by_address, together=together):
        raise Refused(429, f"Too many failed tries. Wait {ceil(wait)} seconds, then try again.",
                      {"retry-after": str(ceil(wait))})
    try:
        account = accounts.check(name, password)
    except TimeoutError:
        raise Refused(429, "Too many log in just now. Try again in a minute.", {"retry-after": "60"}) from None
    if account is None:
        ask.told(f"login failed from {address}", who=name if is_there else "")
        raise Refused(401, "Name or password is wrong.")
    ask.told("login", who=account.name)
    accounts.waits.forget(by_both)
    accounts.waits.excuse(by_address, together)
    ask.sessions.end(ask.session)
    ask.session = ask.sessions.begin(account)
    return account


@write(role="viewer")
def leave(ask: Ask) -> Response:
    """Log out: here, or wherever this account is logged in."""
    is_everywhere = ask.text("everywhere") == "yes"
    (ask.sessions.end_all if is_everywhere else ask.sessions.end)(ask.session)
    ask.drafts.forget(of=ask.sessions.mark(ask.who))
    ask.told("logout everywhere" if is_everywhere else "logout")
    return RedirectResponse("/login" if ask.settings.accounts else "/", 303)


@write(role="")
def show(ask: Ask) -> Response:
    """Choose the edition or the theme; back to the page one came from."""
    response = ask.go(_back(ask))
    for name, choices in (("edition", ("clinician", "patient")), ("theme", THEMES)):
        if (chosen := ask.text(name)) in choices:
            response.set_cookie(name, chosen, max_age=YEAR, httponly=True, samesite="strict",
                                secure=ask.settings.is_secure)
    return response


def _back(ask: Ask) -> str:
    """The page that the form names, where it is one of ours that can be opened; else the start."""
    back = ask.text("back")
    if not (back.startswith("/") and back.isascii() and back.isprintable()) or back.startswith("//") or "\\" in back:
        return "/"
    scope = {"type": "http", "method": "GET", "path": back.partition("?")[0], "root_path": ""}
    return back if any(one.matches(scope)[0] is Match.FULL for one in ask.request.app.routes) else "/"
