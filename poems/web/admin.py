"""How the app is set, and who did what."""

from __future__ import annotations

from starlette.responses import Response

from poems.web.ask import Ask, read, write
from poems.web.guard import Refused
from poems.web.pages import page
from poems.web.patients import MANY, OWN, number

A_PAGE = 100


@read()
def settings(ask: Ask) -> Response:
    """The mode, copies of everything, and where the records lie."""
    path = ask.store.path if ask.session.may("admin") else ask.store.path.name
    return page(ask, "settings.html.j2", mode=ask.store.setting("mode"), path=path, is_encrypted=ask.store.encrypted,
                removed=len(ask.store.patients(removed=True)) if ask.session.may("admin") else 0)


@write("admin")
def change(ask: Ask) -> Response:
    """Another mode."""
    if (mode := ask.text("mode")) not in (OWN, MANY):
        raise Refused(422, "Choose whose records these are.")
    ask.store.set_setting("mode", mode, ask.who)
    return ask.go("/settings")


@read("admin")
def audit(ask: Ask) -> Response:
    """Who read and wrote what, the latest first; no value stands in it."""
    before = ask.request.query_params.get("before", "")
    lines = ask.store.audit(limit=A_PAGE + 1, before=number(before) if before else None)
    names = {one.uid: one.label for one in (*ask.store.patients(), *ask.store.patients(removed=True))}
    return page(ask, "audit.html.j2", lines=lines[:A_PAGE], names=names,
                older=lines[A_PAGE - 1].id if len(lines) > A_PAGE else None)
