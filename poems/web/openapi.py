"""The interface as an OpenAPI 3.1 document, made from the table of its ways and the shapes they take and give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from poems import __version__
from poems.knowledge import Knowledge
from poems.record import PRESENT
from poems.web import api_shapes as shapes
from poems.web.ask import TOKEN_HEADER
from poems.web.settings import Settings

Object = dict[str, Any]
ROOT = "/api/v1"
MAY_BE_EMPTY = ("Note", "Nothing")
REFUSALS = {
    400: "The body is not JSON.", 401: "Nobody is logged in, or name and password are wrong.",
    403: "The account may not do this, the token is missing or stale, or another site sent it.",
    404: "There is no such patient, entry, change or format.", 405: "The address is not called in this way.",
    408: "The body took too long to arrive.", 409: "Somebody was faster, or the label is another patient's.",
    413: "The body is too large.", 415: "The body is of another kind.",
    421: "The name by which the app was called is not one of its own.", 422: "It cannot be kept; the issues say why.",
    429: "Too many failed tries; see Retry-After.", 500: "Something broke; look whether the call was carried out.",
    503: "Not now: the database is held by another program, too much is read at once, or the app ends.",
    507: "The disk is full; nothing was saved by this call.",
}
EVERYWHERE = (403, 405, 413, 421, 500, 503)
KINDS = {"csv": "text/csv", "fhir": "application/fhir+json", "phenopacket": "application/json"}
PARTS: Object = {
    "uid": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}, "entry": shapes.NUMBER, "change": shapes.NUMBER,
    "format": {"enum": list(shapes.EXPORTED)},
}
LATE: Object = {"x-noted": {"description": "later: the audit trail cannot be written just now; the line will follow.",
                            "schema": {"const": "later"}}}
SAID = """Records, reviews and courses of the app that serves this address.

Ask `GET /api/v1/session` first and keep its cookie; send its `token` as the header `x-csrf-token` with every POST.
Nothing is overwritten: a correction supersedes, and every change can be undone by another one. Only a patient who was
removed before can be erased for good."""


@dataclass(frozen=True)
class Way:
    """One way to call: its page, what it takes and gives by the names of `api_shapes`, and what it asks in the query.

    refuses: the status codes of refusals beside those that every way has.
    """

    method: str
    path: str
    page: Any
    gives: str
    status: int = 200
    takes: str = ""
    query: Mapping[str, Sequence[str]] | None = None
    refuses: tuple[int, ...] = ()

    @property
    def role(self) -> str:
        """The least role that may call it."""
        return str(self.page.role)


def described(ways: Iterable[Way], knowledge: Knowledge, settings: Settings) -> Object:
    """The document of these ways. Where the app has no accounts, nobody has to log in."""
    paths: Object = {}
    for way in ways:
        made = paths.setdefault(f"{ROOT}{way.path}", {})[way.method.lower()] = _operation(way, knowledge)
        if way.role and settings.accounts is not None:
            made["security"] = [{"session": []}]
    cookie = "__Host-poems" if settings.is_secure else "poems-session"
    return {
        "openapi": "3.1.0", "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {"title": "poems", "version": __version__, "description": SAID,
                 "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/"}], "paths": paths,
        "components": {
            "schemas": shapes.schemas(),
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": cookie}}},
    }


def _operation(way: Way, knowledge: Knowledge) -> Object:
    says = (way.page.__doc__ or "").strip()
    made: Object = {"operationId": way.page.__name__, "summary": says.rstrip("."),
                    "description": f"Needs the role {way.role}." if way.role else "For everybody.",
                    "parameters": list(_parameters(way, knowledge)), "responses": _responses(way)}
    if way.takes:
        kind = "multipart/form-data" if way.takes == "Files" else "application/json"
        made["requestBody"] = {"required": way.takes not in MAY_BE_EMPTY,
                               "content": {kind: {"schema": shapes.of(way.takes), **_example(way, knowledge)}}}
    return made


def _example(way: Way, knowledge: Knowledge) -> Object:
    """One body that can be kept, where a random one hardly ever can."""
    one = next(one for one in knowledge.concepts.values() if one.kind == "finding" and not one.of)
    seen = {"finding": one.id, "status": PRESENT, "date": "2020-01-31", "source": "letter of the clinic"}
    given = {"NewEntries": {"entries": [seen], "note": "first visit"}, "Correction": {"entry": seen, "note": "typo"}}
    return {"example": given[way.takes]} if way.takes in given else {}


def _parameters(way: Way, knowledge: Knowledge) -> list[Object]:
    found = [{"name": name, "in": "path", "required": True, "schema": schema} for name, schema in PARTS.items()
             if f"{{{name}}}" in way.path]
    for name, choices in (way.query or {}).items():
        found.append({"name": name, "in": "query", "schema": {"enum": list(choices or sorted(knowledge.settings))}})
    if way.method == "POST":
        found.append({"name": TOKEN_HEADER, "in": "header", "required": True, "schema": {"type": "string"},
                      "description": "The token of the session."})
    return found


def _responses(way: Way) -> Object:
    content: Object = {"application/json": {"schema": shapes.of(way.gives) if way.gives else {"type": "object"}}}
    if "{format}" in way.path:
        content = {kind: {"schema": {"type": "object" if kind.endswith("json") else "string"}}
                   for kind in KINDS.values()}
    codes = {*EVERYWHERE, *way.refuses}
    codes |= {401} if way.role else set()
    codes |= {404} if "{" in way.path else set()
    codes |= {400, 408, 415, 422, 507} if way.method == "POST" else set()
    codes |= {422} if way.query else set()
    found: Object = {str(way.status): {"description": "Done.", "headers": LATE, "content": content}}
    for code in sorted(codes):
        shape = "Conflict" if code == 409 and "{uid}" in way.path and way.takes != "Files" else "Error"
        found[str(code)] = {"description": REFUSALS[code],
                            "content": {"application/json": {"schema": shapes.of(shape)}}}
    return found
