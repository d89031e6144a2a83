"""The programming interface under /api/v1: the same sessions, roles, tokens and library as the pages; JSON both ways.

Every way is a line of `WAYS`; the routes and the OpenAPI document are made of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from poems.errors import Issue
from poems.exports import write as exported
from poems.knowledge import Knowledge
from poems.render import as_json, follow_json
from poems.store import Change, ConflictError
from poems.web import api_shapes as shapes
from poems.web.ask import Ask, FaultyError, read, write
from poems.web.entry import typed
from poems.web.erasing import OTHER_NAME, erased, is_named
from poems.web.guard import Refused
from poems.web.imports import kept_in_list, kept_in_patient, received
from poems.web.login import begun
from poems.web.openapi import MAY_BE_EMPTY, ROOT, Way, described
from poems.web.patients import number
from poems.web.work import course_of, review_of

EDITIONS, DAYS = ("clinician", "patient"), ("today", "last")


def answer(value: Mapping[str, Any], status: int = 200) -> Response:
    """An answer in JSON."""
    return JSONResponse(value, status)


def refusal(knowledge: Knowledge, status: int, error: Exception, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal in JSON: a sentence, every issue, and what stands there now where somebody was faster."""
    issues = getattr(error, "issues", ())
    said: dict[str, Any] = {"error": getattr(error, "detail", "") or str(error), "issues": list(shapes.issues(issues))}
    if isinstance(error, ConflictError):
        said["current"] = shapes.entry(error.current, knowledge) if error.current else None
    return JSONResponse(said, status, headers)


def body(ask: Ask, name: str) -> dict[str, Any]:
    """The body, if it has the shape of this name. Raises: FaultyError."""
    given = {} if not ask.has_body and name in MAY_BE_EMPTY else ask.body
    if found := shapes.faults(given, name):
        raise FaultyError(422, "The body has another shape than expected.", found)
    assert isinstance(given, dict)
    return given


def chosen(ask: Ask, name: str, choices: Sequence[str]) -> str:
    """A word of the query: the first choice where it is not given. Raises: FaultyError."""
    given = ask.request.query_params.getlist(name) or [choices[0]]
    if len(given) != 1 or given[0] not in choices:
        raise FaultyError(422, "The query cannot be understood.", (
            Issue("fault", name, "not one of these", ", ".join(filter(None, choices)), "Choose one."),))
    return given[0]


# --- who asks

@read(role="")
def session(ask: Ask) -> Response:
    """Who asks, and the token that writes have to bring."""
    return answer({"who": ask.who, "role": ask.session.role, "token": ask.session.token,
                   "accounts": ask.settings.accounts is not None, "knowledge": ask.knowledge.version})


@write(role="", takes="json")
def login(ask: Ask) -> Response:
    """Log in; the answer brings the cookie and the token of a new session."""
    given = body(ask, "Login")
    if ask.settings.accounts is not None:
        begun(ask, given["name"].strip().lower(), given["password"])
    return session.__wrapped__(ask)  # type: ignore[no-any-return]


# --- patients

@read()
def patients(ask: Ask) -> Response:
    """Every patient."""
    return answer({"patients": [shapes.patient(one) for one in ask.store.patients()]})


@read("admin")
def removed(ask: Ask) -> Response:
    """Every patient who was removed, and can be restored or erased."""
    return answer({"patients": [shapes.patient(one) for one in ask.store.patients(removed=True)]})


@write(takes="json")
def create(ask: Ask) -> Response:
    """A new patient, and others whose names look the same."""
    made = ask.store.create(body(ask, "NewPatient")["label"].strip(), ask.who)
    return answer({**shapes.patient(made), "alike": [one.uid for one in ask.store.alike(made.uid)]}, 201)


@write("admin", takes="json")
def remove(ask: Ask) -> Response:
    """Take a patient out of the lists; everything is kept. 409 where somebody was faster."""
    uid = ask.path("uid")
    ask.store.remove(uid, body(ask, "Revision")["revision"], ask.who)
    return answer(shapes.patient(ask.store.patient(uid, even_removed=True)))


@write("admin", takes="json")
def restore(ask: Ask) -> Response:
    """Bring a removed patient back; 409 where the label is taken by now."""
    body(ask, "Nothing")
    return answer(shapes.patient(ask.store.restore(ask.path("uid"), ask.who)))


@write("admin", takes="json")
def erase(ask: Ask) -> Response:
    """Erase a removed patient for good, where the label is given; 409 where it was not removed, or restored since."""
    given, uid = body(ask, "Erasure"), ask.path("uid")
    if not is_named(given["label"], ask.store.patient(uid, even_removed=True).label):
        ask.told("erase refused", uid)
        raise FaultyError(422, OTHER_NAME, (
            Issue("fault", "label", "not the label of this patient", "its label", "Look whom you erase."),))
    done = erased(ask, uid, given["revision"])
    return answer({"entries": done.entries, "changes": done.changes, "swept": done.is_swept})


@read()
def patient(ask: Ask) -> Response:
    """One patient."""
    found = ask.store.patient(ask.path("uid"))
    return answer(shapes.patient(found))


@read()
def entries(ask: Ask) -> Response:
    """What is recorded of one patient now."""
    found = ask.store.patient(ask.path("uid"))
    return answer({"patient": shapes.patient(found),
                   "entries": [shapes.entry(one, ask.knowledge) for one in ask.store.entries(found.uid)]})


@read()
def history(ask: Ask) -> Response:
    """Everything that was done to one record, the newest first."""
    found = ask.store.patient(ask.path("uid"))
    return answer({"patient": shapes.patient(found),
                   "changes": [shapes.change(one, ask.knowledge) for one in ask.store.history(found.uid)],
                   "imports": [shapes.imported(one) for one in ask.store.imports(found.uid)]})


@read()
def review(ask: Ask) -> Response:
    """The review: docs/assess.schema.json."""
    edition, uid = chosen(ask, "edition", EDITIONS), ask.path("uid")
    chosen(ask, "day", DAYS), chosen(ask, "setting", ("", *sorted(ask.knowledge.settings)))
    made = as_json.own_record if edition == "patient" else as_json.as_object
    return answer(made(review_of(ask, uid), ask.knowledge))


@read()
def follow(ask: Ask) -> Response:
    """The course: docs/follow.schema.json."""
    edition, uid = chosen(ask, "edition", EDITIONS), ask.path("uid")
    chosen(ask, "day", DAYS)
    made = follow_json.own_object if edition == "patient" else follow_json.as_object
    return answer(made(course_of(ask, uid), ask.knowledge))


@read()
def export(ask: Ask) -> Response:
    """The record in a format of others."""
    uid, form = ask.path("uid"), ask.path("format")
    if form not in shapes.EXPORTED:
        raise Refused(404, f"There is no such format; there are {', '.join(shapes.EXPORTED)}.")
    made = exported(ask.store.events(uid), ask.knowledge, form)
    return Response(made.data, media_type=made.media_type, headers={
        "content-disposition": f'attachment; filename="record{made.suffix}"'})


# --- changes

def changed(ask: Ask, change: Change, issues: Sequence[Issue] = (), status: int = 200) -> Response:
    """What was kept."""
    return answer({"patient": shapes.patient(ask.store.patient(change.uid)),
                   "change": shapes.change(change, ask.knowledge), "issues": list(shapes.issues(issues))}, status)


@write(takes="json")
def add(ask: Ask) -> Response:
    """Keep one or many observations: all of them, or none."""
    given, uid = body(ask, "NewEntries"), ask.path("uid")
    label = ask.store.patient(uid).label
    said = [typed(shapes.cells(one), label, ask.knowledge, date.today()) for one in given["entries"]]
    faulty = tuple(_at(issue, place) for place, one in enumerate(said) for issue in one.faults)
    events = [one.event for one in said if one.event is not None]
    if faulty or len(events) < len(said):
        raise FaultyError(422, "Nothing was kept: see the issues.", faulty)
    notes = tuple(_at(issue, place) for place, one in enumerate(said) for issue in one.notes)
    kept = ask.store.add(uid, events, ask.who, raw=[dict(one.raw) for one in said], issues=notes,
                         note=given.get("note", "").strip())
    return changed(ask, kept, notes, 201)


def _at(issue: Issue, place: int) -> Issue:
    return replace(issue, where=f"entries[{place}].{issue.where}")


@write(takes="json")
def correct(ask: Ask) -> Response:
    """Put an observation in the place of an entry; 409 where somebody was faster."""
    given, uid = body(ask, "Correction"), ask.path("uid")
    said = typed(shapes.cells(given["entry"]), ask.store.patient(uid).label, ask.knowledge, date.today())
    if said.event is None:
        raise FaultyError(422, "Nothing was kept: see the issues.",
                          tuple(replace(one, where=f"entry.{one.where}") for one in said.faults))
    kept = ask.store.correct(uid, number(ask.path("entry")), said.event, ask.who, raw=dict(said.raw),
                             note=given.get("note", "").strip())
    return changed(ask, kept, said.notes)


@write(takes="json")
def retract(ask: Ask) -> Response:
    """Take an entry back; 409 where somebody was faster."""
    note = body(ask, "Note").get("note", "").strip()
    return changed(ask, ask.store.retract(ask.path("uid"), number(ask.path("entry")), ask.who, note))


@write(takes="json")
def undo(ask: Ask) -> Response:
    """Undo a change by another one; 409 where a later one rests on it."""
    body(ask, "Nothing")
    return changed(ask, ask.store.undo(ask.path("uid"), number(ask.path("change")), ask.who))


@write()
def into_list(ask: Ask) -> Response:
    """Import a file of one patient or of many: a label that is new becomes a patient."""
    files = received(ask)
    return _imported(ask, files, kept_in_list(ask, files), is_other=False)


@write()
def into_patient(ask: Ask) -> Response:
    """Import a file of one patient, whatever it calls the patient."""
    one, files = ask.store.patient(ask.path("uid")), received(ask)
    kept, is_other = kept_in_patient(ask, one, files)
    return _imported(ask, files, kept, is_other=is_other)


def _imported(ask: Ask, files: Any, kept: Any, *, is_other: bool) -> Response:
    if not kept:
        raise FaultyError(422, "Nothing was kept: see the issues.", tuple(
            issue for one in files for issue in one.reading.issues))
    return answer({"files": [shapes.file(one) for one in files], "other_name": is_other,
                   "kept": [{"patient": shapes.patient(ask.store.patient(one.uid)),
                             "change": shapes.change(change, ask.knowledge)} for one, change in kept]}, 201)


@read(role="")
def document(ask: Ask) -> Response:
    """The interface as an OpenAPI 3.1 document."""
    return answer(described(WAYS, ask.knowledge, ask.settings))


P = "/patients/{uid}"
EDITION: Mapping[str, Sequence[str]] = {"edition": EDITIONS, "day": DAYS}
WAYS = (
    Way("GET", "/openapi.json", document, ""),
    Way("GET", "/session", session, "Session"),
    Way("POST", "/login", login, "Session", takes="Login", refuses=(401, 429)),
    Way("GET", "/patients", patients, "Patients"),
    Way("POST", "/patients", create, "Created", 201, "NewPatient", refuses=(409,)),
    Way("GET", "/removed", removed, "Patients"),
    Way("GET", P, patient, "Patient"),
    Way("POST", f"{P}/remove", remove, "Patient", takes="Revision", refuses=(409,)),
    Way("POST", f"{P}/restore", restore, "Patient", takes="Nothing", refuses=(409,)),
    Way("POST", f"{P}/erase", erase, "Erased", takes="Erasure", refuses=(409,)),
    Way("GET", f"{P}/entries", entries, "Entries"),
    Way("POST", f"{P}/entries", add, "Changed", 201, "NewEntries"),
    Way("POST", f"{P}/entries/{{entry}}/correct", correct, "Changed", takes="Correction", refuses=(409,)),
    Way("POST", f"{P}/entries/{{entry}}/retract", retract, "Changed", takes="Note", refuses=(409,)),
    Way("POST", f"{P}/changes/{{change}}/undo", undo, "Changed", takes="Nothing", refuses=(409,)),
    Way("GET", f"{P}/history", history, "History"),
    Way("GET", f"{P}/review", review, "Review", query={**EDITION, "setting": ()}),
    Way("GET", f"{P}/follow", follow, "Follow", query=EDITION),
    Way("GET", f"{P}/export/{{format}}", export, ""),
    Way("POST", f"{P}/import", into_patient, "Imported", 201, "Files"),
    Way("POST", "/import", into_list, "Imported", 201, "Files", refuses=(409,)),
)


def routes() -> list[Route]:
    """The addresses of the interface."""
    return [Route(f"{ROOT}{way.path}", way.page, methods=[way.method], name=f"api.{way.page.__name__}") for way in WAYS]
