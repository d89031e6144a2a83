"""What can be taken away: one patient in each format, the calendar, the sheets, everything as one archive, a backup."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from poems.exports import write as exported
from poems.store import MissingError, export_all, import_all
from poems.web.ask import Ask, read, write
from poems.web.guard import Refused
from poems.web.pages import page
from poems.web.work import course_of, review_of

NAMES = {"csv": "csv", "fhir.json": "fhir", "phenopacket.json": "phenopacket"}


def attached(data: bytes, media_type: str, name: str) -> Response:
    """A file to keep. name: ours, so that no name of a patient gets into a folder of downloads."""
    return Response(data, media_type=media_type, headers={"content-disposition": f'attachment; filename="{name}"'})


@read()
def export(ask: Ask) -> Response:
    """One patient's record in a format of others."""
    uid, ending = ask.path("uid"), ask.path("ending")
    if ending not in NAMES:
        raise MissingError("There is no such format; there are csv, fhir.json and phenopacket.json.")
    events = ask.store.events(uid)
    ask.store.log(ask.who, f"export {NAMES[ending]}", uid)
    made = exported(events, ask.knowledge, NAMES[ending])
    return attached(made.data, made.media_type, f"record.{ending}")


@read()
def calendar(ask: Ask) -> Response:
    """The visits and tests to come, for a calendar."""
    from poems.render.calendar import ics

    uid = ask.path("uid")
    course = course_of(ask, uid)
    ask.store.log(ask.who, "export calendar", uid)
    return attached(ics(course, ask.knowledge), "text/calendar; charset=utf-8", "visits.ics")


@read()
def report(ask: Ask) -> Response:
    """The sheet for the appointment, in the edition of the pages."""
    from poems.render.report import pdf

    uid = ask.path("uid")
    made = pdf(review_of(ask, uid), course_of(ask, uid), ask.knowledge, ask.edition)
    ask.store.log(ask.who, "report", uid)
    return Response(made, media_type="application/pdf",
                    headers={"content-disposition": 'inline; filename="report.pdf"'})


@read()
def sheet(ask: Ask) -> Response:
    """The hand-over sheet for the transplant."""
    from poems.render.report import transplant_pdf

    uid = ask.path("uid")
    made = transplant_pdf(course_of(ask, uid), ask.knowledge)
    ask.store.log(ask.who, "transplant sheet", uid)
    return Response(made, media_type="application/pdf",
                    headers={"content-disposition": 'inline; filename="transplant-sheet.pdf"'})


def _file(ask: Ask, name: str, action: str, media_type: str) -> tuple[Path, FileResponse]:
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / name
    ask.store.log(ask.who, action)
    return path, FileResponse(path, filename=name, media_type=media_type, background=BackgroundTask(folder.cleanup))


@write("admin")
def archive(ask: Ask) -> Response:
    """Everything, with its history, as one archive."""
    path, response = _file(ask, f"poems-{date.today().isoformat()}.zip", "export everything", "application/zip")
    export_all(ask.store, path, ask.knowledge)
    return response


@write("admin")
def backup(ask: Ask) -> Response:
    """A copy of the database, made while the app runs."""
    path, response = _file(ask, f"poems-{date.today().isoformat()}.db", "backup", "application/octet-stream")
    ask.store.backup(path)
    return response


@write("admin")
def restore(ask: Ask) -> Response:
    """Bring in an archive."""
    file = ask.file("file")
    if file is None:
        raise Refused(422, "No file was chosen. Choose an archive that this app made.")
    found = import_all(ask.store, file.file, ask.who, knowledge=ask.knowledge)
    ask.store.log(ask.who, "import everything")
    return page(ask, "restored.html.j2", found=found)

