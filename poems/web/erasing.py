"""Erasing a record for good: a page that says what is lost, and a form that needs the record's name."""

from __future__ import annotations

from starlette.responses import Response

from poems.adapters.fields import named
from poems.store import Erased
from poems.web import work
from poems.web.ask import Ask, read, write
from poems.web.guard import Refused
from poems.web.pages import page
from poems.web.patients import number

NOT_AWAY = "This record was not put away, or was brought back meanwhile; nothing was erased. Put it away first."
OTHER_NAME = "The name that was typed is not this record's; nothing was erased."


@read("admin")
def erasure(ask: Ask) -> Response:
    """What would be lost, and the form that erases it."""
    return _asking(ask, "")


def _asking(ask: Ask, said: str, status: int = 200) -> Response:
    patient = ask.store.patient(ask.path("uid"), even_removed=True)
    if not patient.removed:
        raise Refused(409, NOT_AWAY)
    return page(ask, "erase.html.j2", status=status, patient=patient, said=said, back=f"/p/{patient.uid}/erase")


@write("admin")
def erase(ask: Ask) -> Response:
    """Erase a record that was put away, where its name was typed."""
    patient = ask.store.patient(ask.path("uid"), even_removed=True)
    if not is_named(ask.text("label"), patient.label):
        return _asking(ask, OTHER_NAME, 422)
    erased(ask, patient.uid, number(ask.text("revision")))
    return ask.go("/?list=yes&erased=yes")


def is_named(typed: str, label: str) -> bool:
    """Whether somebody typed the name of the record, in whatever form its letters are written."""
    return named(" ".join(typed.split())) == named(" ".join(label.split()))


def erased(ask: Ask, uid: str, revision: int) -> Erased:
    """Erase it, and let go of all that is kept of it in memory."""
    done = ask.store.erase(uid, revision, ask.who)
    state = ask.request.app.state
    work.forget(uid)
    state.outcomes.forget(uid)
    state.drafts.forget(uid=uid)
    return done
