"""What can be taken away: one patient in each format, the calendar, the sheets, everything as one archive, a backup."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from poems.exports import write as exported
from poems.store import MissingError, export_all, import_all
from poems.web.ask import Ask, read, write
from poems.web.guard import Refused
from poems.web.pages import page
from poems.web.reading import archive_reader
from poems.web.work import course_of, review_of

PIECE = 256 * 1024
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
    made = exported(events, ask.knowledge, NAMES[ending])
    return attached(made.data, made.media_type, f"record.{ending}")


@read()
def calendar(ask: Ask) -> Response:
    """The visits and tests to come, for a calendar."""
    from poems.render.calendar import ics, is_empty

    course = course_of(ask, ask.path("uid"))
    if is_empty(course, ask.knowledge, ask.edition):
        raise MissingError("No visit is to come, so there is nothing for a calendar.")
    return attached(ics(course, ask.knowledge, ask.edition), "text/calendar; charset=utf-8", "visits.ics")


@read()
def report(ask: Ask) -> Response:
    """The sheet for the appointment, in the edition of the pages."""
    from poems.render.report import pdf

    uid = ask.path("uid")
    made = pdf(review_of(ask, uid), course_of(ask, uid), ask.knowledge, ask.edition)
    return Response(made, media_type="application/pdf",
                    headers={"content-disposition": 'inline; filename="report.pdf"'})


@read()
def sheet(ask: Ask) -> Response:
    """The hand-over sheet for the transplant."""
    from poems.render.report import transplant_pdf

    made = transplant_pdf(course_of(ask, ask.path("uid")), ask.knowledge)
    return Response(made, media_type="application/pdf",
                    headers={"content-disposition": 'inline; filename="transplant-sheet.pdf"'})


class Taken(Response):
    """A file that is gone from the disk already, and is closed when it was sent or nobody wants it any more."""

    def __init__(self, file: BinaryIO, name: str, media_type: str) -> None:
        size = file.seek(0, os.SEEK_END)
        super().__init__(media_type=media_type, headers={
            "content-disposition": f'attachment; filename="{name}"', "content-length": str(size)})
        self.file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it piece by piece."""
        with self.file as file:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            file.seek(0)
            while piece := await run_in_threadpool(file.read, PIECE):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body"})


def _named(file: BinaryIO, suffix: str, media_type: str) -> Taken:
    """A file to take away, under a name that tells the day and nobody's name."""
    return Taken(file, f"poems-{date.today().isoformat()}.{suffix}", media_type)


@write("admin")
def archive(ask: Ask) -> Response:
    """Everything, with its history, as one archive. It is not encrypted, and never has a name on the disk."""
    with _whole(tempfile.TemporaryFile()) as file:
        export_all(ask.store, file, ask.knowledge)
        ask.told("export everything")
    return _named(file, "zip", "application/zip")


@write("admin")
def backup(ask: Ask) -> Response:
    """A copy of the database, made while the app runs."""
    with _whole(ask.store.opened_backup()) as file:
        ask.told("backup")
    return _named(file, "db", "application/octet-stream")


@contextmanager
def _whole(file: BinaryIO) -> Iterator[BinaryIO]:
    """A file that stays open, unless what is done with it fails."""
    try:
        yield file
    except BaseException:
        file.close()
        raise


@write("admin")
def restore(ask: Ask) -> Response:
    """Bring in an archive."""
    file = ask.file("file")
    if file is None:
        raise Refused(422, "No file was chosen. Choose an archive that this app made.")
    found = import_all(ask.store, file.file, ask.who, knowledge=ask.knowledge,
                       most_bytes=ask.settings.limits.unpacked, reader=archive_reader(ask.settings.limits))
    ask.told("import everything")
    return page(ask, "restored.html.j2", found=found)

