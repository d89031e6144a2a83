"""The list, one patient's findings, and everything that is entered, corrected, taken back or undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from starlette.responses import RedirectResponse, Response

from poems.errors import Issue
from poems.record import Event
from poems.render.view import Observation
from poems.store import Change, ConflictError, Entry, MissingError
from poems.web.ask import Ask, read, write
from poems.web.entry import Asked, Compared, Typed, asked, by_field, compared, is_begun, shown, typed
from poems.web.guard import Refused
from poems.web.names import options
from poems.web.pages import page
from poems.web.told import groups, seen

OWN, MANY = "own", "many"
MOST_CHANGES, MOST_ENTRIES, MOST_MOVED = 50, 500, 100
"""How much a page shows until all of it is asked for: changes; findings; findings of one change."""


@dataclass(frozen=True)
class Told:
    """One change, with the entries that it brought and those that ceased to count, in words. moved: the fields of a
    correction that differ. more: how many entries are not told.
    """

    change: Change
    added: Sequence[Observation]
    retired: Sequence[Observation]
    moved: Sequence[Compared] = ()
    more: int = 0


@read()
def home(ask: Ask) -> Response:
    """The list of patients; the one record, where the app holds one's own; a welcome, where it holds nothing."""
    everybody, mode = ask.store.patients(), ask.store.setting("mode")
    is_list = ask.request.query_params.get("list") == "yes"
    if not everybody and not mode and not is_list:
        return page(ask, "welcome.html.j2")
    if mode == OWN and len(everybody) == 1 and not is_list:
        return RedirectResponse(f"/p/{everybody[0].uid}/", 303)
    is_admin = ask.session.may("admin")
    return page(ask, "patients.html.j2", patients=everybody, removed=ask.store.patients(removed=True),
                is_erased=ask.request.query_params.get("erased") == "yes", typed=ask.typed_before("create"),
                is_due=is_admin and not ask.store.is_swept())


@write()
def start(ask: Ask) -> Response:
    """The first visit: whose records these will be."""
    mode = ask.text("mode")
    if ask.store.setting("mode") and not ask.session.may("admin"):
        raise Refused(403, "It was chosen already whose records these are. An admin can change it in the settings.")
    if mode == "example":
        from poems.web.example import fill

        return ask.go(f"/p/{fill(ask.store, ask.knowledge)}/review")
    if mode not in (OWN, MANY):
        raise Refused(422, "Choose whose records these will be.")
    address = "/"
    if mode == OWN:  # first the record: where its name cannot be taken, nothing was chosen yet
        address = f"/p/{ask.store.create(ask.text('label').strip() or 'My record', ask.who).uid}/"
    ask.store.set_setting("mode", mode, ask.who)
    return ask.go(address)


@write()
def create(ask: Ask) -> Response:
    """A new patient."""
    return _named(ask, ask.store.create(ask.text("label").strip(), ask.who).uid)


def _named(ask: Ask, uid: str) -> Response:
    """To the record that was given a name; to be told there, where another one's looks the same."""
    like = ask.store.alike(uid)
    return ask.go(f"/p/{uid}/?like={like[0].uid}" if like else f"/p/{uid}/")


@write()
def rename(ask: Ask) -> Response:
    """Another name for a patient."""
    uid = ask.path("uid")
    ask.store.rename(uid, ask.text("label").strip(), number(ask.text("revision")), ask.who)
    return _named(ask, uid)


@write("admin")
def remove(ask: Ask) -> Response:
    """Put a patient away; everything is kept, and can be brought back."""
    ask.store.remove(ask.path("uid"), number(ask.text("revision")), ask.who)
    return ask.go("/")


@write("admin")
def restore(ask: Ask) -> Response:
    """Bring back a patient who was put away."""
    uid = ask.path("uid")
    ask.store.restore(uid, ask.who)
    return ask.go(f"/p/{uid}/")


@read()
def findings(ask: Ask) -> Response:
    """What is recorded of one patient, and the form for more."""
    before = ask.typed_before("add", "fields")
    concept = ask.knowledge.by_name(before["finding"].strip()) if before.get("finding") else None
    return _findings(ask, form=asked(concept, ask.knowledge) if concept else None,
                     said=Typed(None, (), (), before) if before else None)


def _findings(ask: Ask, *, form: Asked | None, said: Typed | None, status: int = 200) -> Response:
    uid, like = ask.path("uid"), ask.request.query_params.get("like", "")
    entries = ask.store.entries(uid)
    told = entries if _is_whole(ask) else _latest(entries)
    return page(ask, "findings.html.j2", status=status, back=f"/p/{uid}/", patient=ask.store.patient(uid),
                groups=groups(told, ask.knowledge, ask.edition), count=len(entries), more=len(entries) - len(told),
                alike=[one for one in ask.store.alike(uid) if one.uid == like] if like else (), form=form,
                values=dict(said.raw) if said else {}, faults=by_field(said.faults if said else ()),
                options=options(ask.knowledge), done=_done(ask, uid), is_again=bool(ask.typed_before("add", "fields")),
                relabelled=ask.typed_before("rename").get("label"))


def _is_whole(ask: Ask) -> bool:
    """Whether all of a long page was asked for."""
    return ask.request.query_params.get("all") == "yes"


def _latest(entries: Sequence[Entry]) -> Sequence[Entry]:
    """The entries that a page shows at first: all, or the latest of each finding."""
    if len(entries) <= MOST_ENTRIES:
        return entries
    of: dict[str, list[Entry]] = {}
    for one in sorted(entries, key=lambda one: (one.event.date or date.min, one.id), reverse=True):
        of.setdefault(one.event.finding, []).append(one)
    most = max(MOST_ENTRIES // len(of), 1)
    return [one for several in of.values() for one in several[:most]]


def _done(ask: Ask, uid: str) -> Told | None:
    """The change that the page before has made, so that it can be told and undone; none where the page has no word."""
    text = ask.request.query_params.get("done", "")
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        return None
    try:
        return _told(ask, ask.store.change(uid, int(text)), MOST_MOVED)
    except MissingError:
        return None


def _told(ask: Ask, change: Change, most: int | None) -> Told:
    """The change in words, with so many of its entries; with all where there is no most."""
    added, retired = ([seen(each.event, ask.knowledge, ask.edition, each.raw) for each in several[:most]]
                      for several in (change.added, change.retired))
    moved = _moved(ask, change) if change.kind == "correction" and len(change.added) == len(change.retired) == 1 else ()
    return Told(change, added, retired, moved, len(change.added) + len(change.retired) - len(added) - len(retired))


def _moved(ask: Ask, change: Change) -> Sequence[Compared]:
    """The fields in which a corrected entry differs; of a treatment none for the patient: they name the amount."""
    before, after = change.retired[0].event, change.added[0].event
    concept = ask.knowledge.concepts.get(after.finding)
    if ask.edition == "patient" and (concept is None or concept.kind == "treatment"):
        return ()
    return tuple(one for one in compared(shown(before), shown(after), ask.knowledge) if one.differs)


@write()
def fields(ask: Ask) -> Response:
    """The fields that a finding asks for: a part of the page, or the page with them."""
    concept = ask.knowledge.by_name(ask.text("finding").strip())
    form = asked(concept, ask.knowledge) if concept else None
    if ask.is_part:
        return page(ask, "fields.html.j2", form=form, values={}, faults={}, name=ask.text("finding"))
    fault = () if concept else (Issue("fault", "finding", "not a finding that we know", "one of the list",
                                      "Choose it from the list."),)
    return _findings(ask, form=form, said=Typed(None, fault, (), {"finding": ask.text("finding")}),
                     status=200 if concept else 422)


@write()
def add(ask: Ask) -> Response:
    """Keep what was typed, or say beside each field why not."""
    uid, form = ask.path("uid"), ask.texts()
    if not is_begun(form):
        return _asking(ask)
    said = typed(form, ask.store.patient(uid).label, ask.knowledge, date.today())
    if said.event is None:
        concept = ask.knowledge.by_name(said.raw["finding"])
        return _findings(ask, form=asked(concept, ask.knowledge) if concept else None, said=said, status=422)
    change = ask.store.add(uid, [said.event], ask.who, raw=[dict(said.raw)], issues=said.notes)
    return _go(ask, uid, change)


def _asking(ask: Ask) -> Response:
    """The fields of the finding that was named, before any of them was filled."""
    concept = ask.knowledge.by_name(ask.text("finding").strip())
    return _findings(ask, form=asked(concept, ask.knowledge) if concept else None,
                     said=Typed(None, (), (), {"finding": ask.text("finding")}), status=422)


def _go(ask: Ask, uid: str, change: Change) -> Response:
    """Back to the findings, which tell what was done."""
    return ask.go(f"/p/{uid}/?done={change.id}#entries")


@read()
def entry(ask: Ask) -> Response:
    """One entry: what it says, how it came, and the form that corrects it."""
    uid, place = ask.path("uid"), number(ask.path("entry"))
    found = ask.store.entry(uid, place)
    if before := ask.typed_before("correct"):
        return _entry_again(ask, found, before)
    return _entry(ask, found, shown(found.event), {})


def _entry_again(ask: Ask, found: Entry, before: Mapping[str, str]) -> Response:
    """The form with what was typed and not saved; beside what stands there now, where somebody was faster."""
    if ask.store.is_current(ask.path("uid"), found.id):
        return _entry(ask, found, before, {}, is_again=True)
    now = next((one for one in ask.store.entries(ask.path("uid"))
                if found.id in [older.id for older, _ in _versions(ask, ask.path("uid"), one)]), found)
    return _entry(ask, now, before, {}, mine=before, is_conflict=True)


def _entry(ask: Ask, found: Entry, values: Mapping[str, str], faults: Mapping[str, str], *, status: int = 200,
           mine: Mapping[str, str] | None = None, is_conflict: bool = False, is_again: bool = False) -> Response:
    """The page of an entry. mine: what was typed here, where somebody else has corrected the entry meanwhile."""
    uid = ask.path("uid")
    concept = ask.knowledge.concepts.get(found.event.finding)
    is_current = ask.store.is_current(uid, found.id)
    return page(ask, "entry.html.j2", status=status, patient=ask.store.patient(uid), entry=found,
                seen=seen(found.event, ask.knowledge, ask.edition),
                form=asked(concept, ask.knowledge) if concept else None, values=values, faults=faults,
                is_current=is_current, is_conflict=is_conflict, is_again=is_again,
                compared=compared(shown(found.event), mine, ask.knowledge) if mine and is_current else (),
                versions=_versions(ask, uid, found))


def _versions(ask: Ask, uid: str, found: Entry) -> list[tuple[Entry, Observation]]:
    """The entries that this one took the place of, the latest first."""
    versions = []
    before = found.supersedes
    while before is not None:
        older = ask.store.entry(uid, before)
        versions.append((older, seen(older.event, ask.knowledge, ask.edition)))
        before = older.supersedes
    return versions


@write()
def correct(ask: Ask) -> Response:
    """Put a corrected entry in the place of an entry; both versions are shown where somebody was faster."""
    uid, place = ask.path("uid"), number(ask.path("entry"))
    found = ask.store.entry(uid, place)
    said = typed({**ask.texts(), "finding": ask.text("finding") or found.event.finding},
                 ask.store.patient(uid).label, ask.knowledge, date.today())
    if said.event is None:
        return _entry(ask, found, {**said.raw, "note": ask.text("note")}, by_field(said.faults), status=422)
    if said.event == found.event and not ask.text("note").strip() and ask.store.is_current(uid, place):
        return ask.go(f"/p/{uid}/entry/{place}")  # nothing differs, so that there is nothing to keep
    try:
        change = ask.store.correct(uid, place, said.event, ask.who, raw=dict(said.raw), note=ask.text("note").strip())
    except ConflictError as conflict:
        return _entry(ask, conflict.current or found, {**said.raw, "note": ask.text("note")}, {}, status=409,
                      mine=said.raw, is_conflict=True)
    return _go(ask, uid, change)


@write()
def retract(ask: Ask) -> Response:
    """Take an entry back."""
    uid, place = ask.path("uid"), number(ask.path("entry"))
    try:
        change = ask.store.retract(uid, place, ask.who, ask.text("note").strip())
    except ConflictError as conflict:
        found = conflict.current or ask.store.entry(uid, place)
        return _entry(ask, found, shown(found.event), {}, status=409, is_conflict=True)
    return _go(ask, uid, change)


@read()
def history(ask: Ask) -> Response:
    """Everything that was done to one record, the latest first."""
    uid, every = ask.path("uid"), _is_whole(ask)
    changes = ask.store.history(uid)
    return page(ask, "history.html.j2", patient=ask.store.patient(uid), imports=ask.store.imports(uid),
                changes=[_told(ask, one, None if every else MOST_MOVED)
                         for one in (changes if every else changes[:MOST_CHANGES])],
                more=0 if every else max(len(changes) - MOST_CHANGES, 0))


@write()
def undo(ask: Ask) -> Response:
    """Undo a change by another one."""
    uid = ask.path("uid")
    ask.store.undo(uid, number(ask.path("change")), ask.who)
    return ask.go(f"/p/{uid}/history")


def number(text: str) -> int:
    """A number of an address or of a form. Raises: MissingError."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise MissingError("There is no such entry.")
    return int(text)


def renamed(events: Sequence[Event], label: str) -> list[Event]:
    """The events under another patient's name."""
    return [replace(event, patient=label) for event in events]
