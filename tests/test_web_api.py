"""The programming interface: every way of it, what it refuses, and that its own description tells the truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from web_made import EXAMPLE, PASSWORDS, ROOT, Served, fill, some_accounts
from writers import plain

from poems.adapters import read
from poems.knowledge import Knowledge
from poems.render import as_json, follow_json
from poems.review import assess
from poems.store import BusyError, FullError, Store
from poems.web import openapi
from poems.web.api import WAYS
from poems.web.api_shapes import MOST
from poems.web.settings import Limits

VEGF = {"finding": "VEGF", "value": 1250, "unit": "pg/mL", "specimen": "plasma", "date": "2020-01-02"}
EDEMA = {"finding": "edema", "status": "present"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, knowledge: Knowledge) -> Iterator[Served]:
    path = tmp_path_factory.mktemp("api") / "a.db"
    with Store.open(path) as store, Served(store, knowledge) as made:
        yield made


@pytest.fixture
def visitor(served: Served) -> Iterator[Any]:
    with served.browser() as made:
        yield made


@pytest.fixture
def uid(served: Served, visitor: Any, request: pytest.FixtureRequest) -> str:
    said = visitor.call("/patients", {"label": request.node.name})
    assert said.status_code == 201
    return str(said.json()["uid"])


def schema(name: str) -> dict[str, Any]:
    return json.loads((ROOT / "docs" / f"{name}.schema.json").read_text())  # type: ignore[no-any-return]


def test_a_record_is_made_corrected_and_undone(visitor: Any, uid: str) -> None:
    """Enter, correct, take back, undo; the history tells all of it, the newest first."""
    made = visitor.call(f"/patients/{uid}/entries", {"entries": [VEGF, EDEMA], "note": "first visit"})
    assert made.status_code == 201
    one, two = made.json()["change"]["added"]
    assert (one["event"]["value"], one["event"]["finding"], one["raw"]["value"]) == (1250.0, "vegf-plasma", "1250")
    assert one["event"]["source"] == "entered by hand"
    fixed = visitor.call(
        f"/patients/{uid}/entries/{one['id']}/correct", {"entry": {**VEGF, "value": "<31.2"}, "note": "typo"}
    )
    assert fixed.status_code == 200
    assert fixed.json()["change"]["added"][0]["event"]["comparator"] == "<"
    assert fixed.json()["change"]["added"][0]["supersedes"] == one["id"]
    gone = visitor.call(f"/patients/{uid}/entries/{two['id']}/retract", {"note": "wrong patient"})
    assert gone.json()["patient"]["entries"] == 1
    back = visitor.call(f"/patients/{uid}/changes/{gone.json()['change']['id']}/undo")
    assert (back.status_code, back.json()["patient"]["entries"]) == (200, 2)
    told = visitor.get(f"/api/v1/patients/{uid}/history").json()
    assert [one["kind"] for one in told["changes"]] == ["undo", "retraction", "correction", "entry", "create"]
    assert [one["note"] for one in told["changes"]][1:4] == ["wrong patient", "typo", "first visit"]
    now = visitor.get(f"/api/v1/patients/{uid}/entries").json()
    assert [one["event"]["value"] for one in now["entries"]] == [31.2, None]


def test_whoever_is_slower_is_told(visitor: Any, uid: str) -> None:
    """409 with the entry that stands there now; nothing is lost unseen."""
    entry = visitor.call(f"/patients/{uid}/entries", {"entries": [VEGF]}).json()["change"]["added"][0]["id"]
    path = f"/patients/{uid}/entries/{entry}"
    assert visitor.call(f"{path}/correct", {"entry": {**VEGF, "value": 900}}).status_code == 200
    for said in (
        visitor.call(f"{path}/correct", {"entry": {**VEGF, "value": 800}}),
        visitor.call(f"{path}/retract", {}),
        visitor.call(f"/patients/{uid}/changes/2/undo", {}),
    ):
        assert said.status_code == 409
        assert said.json()["current"]["event"]["value"] == 900
    now = visitor.get(f"/api/v1/patients/{uid}/entries").json()["entries"]
    assert visitor.call(f"/patients/{uid}/entries/{now[0]['id']}/retract").status_code == 200
    assert visitor.call(f"{path}/retract").json()["current"] is None


@pytest.mark.parametrize(
    "body, where",
    [
        ({"entries": [{**VEGF, "unit": None}]}, "entries[0].unit"),
        ({"entries": [{**VEGF, "specimen": ""}]}, "entries[0].specimen"),
        ({"entries": [EDEMA, {**VEGF, "value": "many"}]}, "entries[1].value"),
        ({"entries": [EDEMA, {**VEGF, "value": True}]}, "entries[1].value"),
        ({"entries": [{**VEGF, "date": "2999-01-01"}]}, "entries[0].date"),
        ({"entries": [{"finding": "edema"}]}, "entries[0].status"),
        ({"entries": [{"finding": "what"}]}, "entries[0].finding"),
        ({"entries": [{**EDEMA, "statuss": "x"}]}, "entries[0]"),
        ({"entries": []}, "entries"),
        ({"entries": [EDEMA] * 1001}, "entries"),
        ({"entries": EDEMA}, "entries"),
        ({}, "body"),
        ([], "body"),
        ("x", "body"),
        (None, "body"),
        ({"entries": [EDEMA], "note": "x" * 501}, "note"),
        ({"entries": [EDEMA], "csrf": "x"}, "body"),
    ],
)
def test_what_cannot_be_kept_is_told_by_its_place(visitor: Any, uid: str, body: Any, where: str) -> None:
    """422, nothing kept, and no value in the answer."""
    said = visitor.call(f"/patients/{uid}/entries", body)
    assert said.status_code == 422
    assert where in [one["where"] for one in said.json()["issues"]]
    assert all({"level", "where", "found", "expected", "fix"} == set(one) for one in said.json()["issues"])
    assert "2999" not in said.text
    assert visitor.get(f"/api/v1/patients/{uid}").json()["entries"] == 0


@pytest.mark.parametrize(
    "value, kept",
    [(12.5, 12.5), ("12.5", 12.5), (0, 0.0), (1e-3, 0.001), (123456789, 123456789.0), (1e15, 1e15), ("<= 20", 20.0)],
)
def test_numbers_are_kept_as_they_are(visitor: Any, uid: str, value: Any, kept: float) -> None:
    said = visitor.call(f"/patients/{uid}/entries", {"entries": [{**VEGF, "value": value}]})
    assert said.json()["change"]["added"][0]["event"]["value"] == kept


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 50_000,
        b'{"a":1,"a":2}',
        b'{"entries":' + b"[" * 100 + b"]" * 100 + b"}",
        b"NaN",
        b'{"entries":[{"finding":"VEGF","value":1e999}]}',
        b'{"entries":[{"finding":"VEGF","value":' + b"9" * 400 + b"}]}",
        b'{"__proto__":{}}',
        b"true",
        b'"\\ud800"',
        b'{"entries":[{"finding":"\\ud800"}]}',
    ],
)
def test_a_body_of_rubbish_is_answered(visitor: Any, uid: str, data: bytes) -> None:
    said = visitor.post(
        f"/api/v1/patients/{uid}/entries",
        content=data,
        headers={"content-type": "application/json", "x-csrf-token": visitor.token()},
    )
    assert said.status_code in (400, 422)
    assert said.json()["error"]


def test_bodies_are_json_and_say_so(visitor: Any, uid: str) -> None:
    """A form or a plain text, which a page on another site could send, is no body of ours."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "", "application/json; charset=utf-16"):
        said = visitor.post(
            f"/api/v1/patients/{uid}/entries",
            content=json.dumps({"entries": [EDEMA]}),
            headers={"content-type": kind, "x-csrf-token": visitor.token()},
        )
        assert said.status_code == 415, kind


def test_the_review_and_the_course_are_the_documents_of_the_command_line(
    served: Served, visitor: Any, knowledge: Knowledge
) -> None:
    """The same objects, valid by the same published schemas, in both editions."""
    patient = fill(served.store, "reviewed")
    events, path = served.store.events(patient.uid), f"/api/v1/patients/{patient.uid}"
    review = visitor.get(f"{path}/review").json()
    record = served.store.record(patient.uid)
    ours = as_json.as_object(assess(type(record)(record.patient, record.events, None), knowledge), knowledge)
    assert {one["id"]: one["verdict"] for one in review["criteria"]} == {
        one["id"]: one["verdict"] for one in ours["criteria"]
    }
    assert len(events) == patient.entries
    for edition in ("clinician", "patient"):
        for name, kind in (("review", "assess"), ("follow", "follow")):
            found = visitor.get(f"{path}/{name}", params={"edition": edition}).json()
            Draft202012Validator(schema(kind)).validate(found)
            assert found["edition"] == edition
    assert "criteria" not in visitor.get(f"{path}/review?edition=patient").json()
    assert visitor.get(f"{path}/review?setting={next(iter(sorted(knowledge.settings)))}").status_code == 200
    assert set(follow_json.__dict__)  # the module that makes the course


@pytest.mark.parametrize("query", ["edition=x", "day=tomorrow", "setting=nowhere", "edition=patient&edition=clinician"])
def test_a_query_that_is_not_understood_is_refused(visitor: Any, uid: str, query: str) -> None:
    said = visitor.get(f"/api/v1/patients/{uid}/review?{query}")
    assert said.status_code == 422
    assert said.json()["issues"][0]["where"] == query.split("=")[0]


def test_what_is_exported_can_be_imported(served: Served, visitor: Any, knowledge: Knowledge, uid: str) -> None:
    """Each format, out of one record and into another."""
    from datetime import date

    first = fill(served.store, "exported")
    for form in ("csv", "fhir", "phenopacket"):
        said = visitor.get(f"/api/v1/patients/{first.uid}/export/{form}")
        assert said.status_code == 200
        found = read(said.content, knowledge, today=date.today(), name="x").events
        assert plain(found) == plain(served.store.events(first.uid))
        back = visitor.post(
            f"/api/v1/patients/{uid}/import",
            headers={"x-csrf-token": visitor.token()},
            files={"file": ("a", said.content)},
            data={"format": form},
        )
        assert (back.status_code, back.json()["other_name"]) == (201, True)
        assert len(back.json()["kept"][0]["change"]["added"]) == first.entries
    assert visitor.get(f"/api/v1/patients/{first.uid}/export/xlsx").status_code == 404


def test_a_faulty_import_tells_every_fault(visitor: Any, served: Served) -> None:
    """What can be read is kept, the rest is listed; a file of nothing is 422."""
    rows = b"patient,finding,status\nnew one,edema,present\nnew one,edema,perhapsish\n"
    send: dict[str, Any] = {"headers": {"x-csrf-token": visitor.token()}}
    said = visitor.post("/api/v1/import", files={"file": ("a.csv", rows)}, **send)
    assert said.status_code == 201
    assert [one["level"] for one in said.json()["files"][0]["issues"]] == ["fault"]
    assert said.json()["kept"][0]["patient"]["label"] == "new one"
    nothing = visitor.post("/api/v1/import", files={"file": ("a.csv", b"rubbish")}, **send)
    assert nothing.status_code == 422
    assert nothing.json()["issues"]
    assert visitor.post("/api/v1/import", data={"format": "csv"}, **send).status_code == 422
    assert visitor.post("/api/v1/import", files={"file": ("b.csv", EXAMPLE.read_bytes())}, **send).status_code == 201
    assert served.store.check() == ()


def test_what_is_not_there_is_not_there(visitor: Any, uid: str) -> None:
    for path in ("/nothing", "/patients/nobody", "/patients/nobody/review", f"/patients/{uid}/nothing", ""):
        said = visitor.get(f"/api/v1{path}")
        assert (said.status_code, said.headers["content-type"]) == (404, "application/json")
    for path in (
        f"/patients/{uid}/entries/7/retract",
        f"/patients/{uid}/entries/x/retract",
        f"/patients/{uid}/entries/99999999999999999999/retract",
        f"/patients/{uid}/changes/-1/undo",
        f"/patients/{uid}/changes/\u00b2/undo",
    ):
        assert visitor.call(path).status_code == 404
    assert visitor.call("/patients/nobody/entries", {"entries": [EDEMA]}).status_code == 404
    assert visitor.get(f"/api/v1/patients/{uid}/entries/1/correct").status_code == 405


def test_the_docs_tell_the_limits() -> None:
    """docs/api.md says what the app does."""
    text, limits = (ROOT / "docs" / "api.md").read_text(), Limits()
    for said in (f"{limits.text // 1024} kB", f"{limits.body // 2**20} MB", f"{MOST:,} entries",
                 f"{limits.rows:,} findings", f"{limits.patients:,} patients"):
        assert said in text, said


def test_a_label_is_taken_once(visitor: Any) -> None:
    assert visitor.call("/patients", {"label": "twice"}).status_code == 201
    assert visitor.call("/patients", {"label": "twice"}).status_code == 409


def test_a_program_logs_in(tmp_path: Path, knowledge: Knowledge) -> None:
    """401 before, its role after; the token changes with the session; the cookie alone writes nothing."""
    with (
        Store.open(tmp_path / "a.db") as store,
        Served(store, knowledge, accounts=some_accounts()) as served,
        served.browser() as visitor,
    ):
        assert visitor.get("/api/v1/patients").status_code == 401
        before = visitor.token()
        assert visitor.call("/login", {"name": "edith", "password": "wrong"}).status_code == 401
        said = visitor.call("/login", {"name": "Edith ", "password": PASSWORDS["edith"]})
        assert (said.status_code, said.json()["role"], said.json()["accounts"]) == (200, "editor", True)
        assert said.json()["token"] == visitor.token() != before
        assert visitor.post("/api/v1/patients", json={"label": "x"}).status_code == 403
        assert visitor.call("/patients", {"label": "x"}).status_code == 201
        assert visitor.get("/api/v1/patients").json()["patients"][0]["label"] == "x"


def test_the_description_is_true_of_the_routes(served: Served, visitor: Any, knowledge: Knowledge) -> None:
    """Every route is in it, every reference leads somewhere, every shape is a schema, examples are valid."""
    found = visitor.get("/api/v1/openapi.json").json()
    assert found == json.loads(json.dumps(openapi.described(WAYS, knowledge, served.settings)))
    assert found["openapi"].startswith("3.1")
    described = {(path, method.upper()) for path, ways in found["paths"].items() for method in ways}
    assert described == {(f"/api/v1{way.path}", way.method) for way in WAYS}
    routes = {
        (one.path, method)
        for one in served.app.routes
        if one.path.startswith("/api/")  # type: ignore[attr-defined]
        for method in one.methods - {"HEAD"}
    }  # type: ignore[attr-defined]
    assert described == routes
    names = [way["operationId"] for ways in found["paths"].values() for way in ways.values()]
    assert len(set(names)) == len(names)
    shapes = found["components"]["schemas"]
    for shape in shapes.values():
        Draft202012Validator.check_schema(shape)

    def references(tree: Any) -> Iterator[str]:
        if isinstance(tree, dict):
            for key, value in tree.items():
                yield from [value] if key == "$ref" else references(value)
        for one in tree if isinstance(tree, list) else ():
            yield from references(one)

    for one in references(found):
        assert one.removeprefix("#/components/schemas/") in shapes, one


def test_every_answer_that_can_come_is_described(
    served: Served, visitor: Any, uid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held by another program, a full disk, another name or method, what nobody foresaw: each with its shape."""
    found = visitor.get("/api/v1/openapi.json").json()
    broken: dict[int, Exception] = {503: BusyError("held"), 507: FullError("full"), 500: ValueError("x")}

    def described(path: str, method: str, said: Any, status: int) -> None:
        assert said.status_code == status
        shape = found["paths"][f"/api/v1{path}"][method]["responses"][str(status)]["content"]["application/json"]
        Draft202012Validator({**shape["schema"], "components": found["components"]}).validate(said.json())

    for status, error in broken.items():
        def fails(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        with monkeypatch.context() as patch:
            for name in ("add", "entries", "create", "patients"):
                patch.setattr(served.store, name, fails)
            described("/patients/{uid}/entries", "post",
                      visitor.call(f"/patients/{uid}/entries", {"entries": [EDEMA]}), status)
            described("/patients", "post", visitor.call("/patients", {"label": "another"}), status)
            if status != 507:
                described("/patients/{uid}/entries", "get", visitor.get(f"/api/v1/patients/{uid}/entries"), status)
                described("/patients", "get", visitor.get("/api/v1/patients"), status)
    for path in ("/patients", "/session", "/openapi.json"):
        described(path, "get", visitor.get(f"/api/v1{path}", headers={"host": "evil.example"}), 421)
        described(path, "get", visitor.request("PUT", f"/api/v1{path}"), 405)


def test_answers_have_the_shape_that_is_described(served: Served, visitor: Any, uid: str) -> None:
    """Each answer of a short life, by the schema of its way."""
    found = visitor.get("/api/v1/openapi.json").json()
    visitor.call(f"/patients/{uid}/entries", {"entries": [VEGF, EDEMA]})
    served.store.add(uid, served.store.events(fill(served.store, "shapes").uid), "test", kind="import", source="a.csv")
    checked = 0
    for path, ways in found["paths"].items():
        if "get" in ways and "{format}" not in path:
            said = visitor.get(path.replace("{uid}", uid))
            shape = ways["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            Draft202012Validator({**shape, "components": found["components"]}).validate(said.json())
            checked += 1
    assert checked >= 8
