"""What the pages say: forms that assume nothing, plain words for the patient, two versions side by side, every cut."""

from __future__ import annotations

import io
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape
from web_made import COURSE, EXAMPLE, Browser, Served, fill

from poems import units
from poems.knowledge import Knowledge
from poems.record import Event
from poems.render.catalogue import KINDS, of_kind
from poems.render.show import entry as printed_entry
from poems.render.show_html import shown
from poems.store import Entry, FullError, Store, rows
from poems.web import work
from poems.web.entry import asked, by_field, compared, is_begun, printed, typed
from poems.web.entry import shown as as_form
from poems.web.names import options
from poems.web.patients import MOST_ENTRIES
from poems.web.thinking import MOST
from poems.web.told import groups, seen

TODAY = date(2026, 1, 1)
WORD = re.compile(r"[^\W_]{4,}")


@pytest.fixture
def served(tmp_path: Path, knowledge: Knowledge) -> Iterator[Served]:
    """The app with one published course; each test has its own, so that no order of them matters."""
    with Store.open(tmp_path / "pages.db") as store:
        store.set_setting("mode", "many", "test")
        fill(store, "course", COURSE, knowledge)
        with Served(store, knowledge) as made:
            yield made


@pytest.fixture
def visitor(served: Served) -> Iterator[Browser]:
    """Somebody new."""
    with served.browser() as made:
        yield made


@pytest.fixture
def uid(served: Served) -> str:
    """The one patient."""
    return served.store.patients()[0].uid


def test_no_form_chooses_for_anybody(knowledge: Knowledge) -> None:
    """Every finding has a form; a number without its unit, or without one of several specimens, is refused."""
    for concept in knowledge.concepts.values():
        form = asked(concept, knowledge)
        if not form.is_quantity:
            assert typed({"finding": concept.label}, "p", knowledge, TODAY).faults, concept.id
            continue
        offered = [unit for unit, _ in (*form.near, *form.far)]
        assert sorted(offered) == sorted(units.accepted(concept.unit, concept.molar_mass))
        assert concept.unit in [unit for unit, _ in form.near]
        said = typed({"finding": concept.label, "value": "5"}, "p", knowledge, TODAY)
        assert {"unit"} <= {one.where for one in said.faults}, concept.id
        assert ("specimen" in {one.where for one in said.faults}) == bool(form.specimens)
        whole = {"finding": concept.label, "value": "5", "unit": offered[0],
                 "specimen": form.specimens[0][0] if form.specimens else ""}
        assert typed(whole, "p", knowledge, TODAY).event is not None, concept.id


def test_units_are_printed_as_laboratories_print_them(knowledge: Knowledge) -> None:
    """The names of units that a form offers are different from each other, and say the same unit."""
    assert [printed(one) for one in ("10*9/L", "ug/dL", "umol/L", "/uL", "mm[Hg]", "1", "{score}", "pg/mL")] == [
        "×10⁹/L", "µg/dL", "µmol/L", "/µL", "mmHg", "as a ratio (1)", "score", "pg/mL"]
    for concept in knowledge.concepts.values():
        form = asked(concept, knowledge)
        names = [name for _, name in (*form.near, *form.far)]
        assert len(set(names)) == len(names), concept.id
        assert all(names)


def test_every_finding_can_be_looked_up(knowledge: Knowledge) -> None:
    """Each has an option whose value the form knows it by, and all its other names beside it."""
    html = str(options(knowledge))
    values = re.findall(r'<option value="([^"]*)"', html)
    assert len(values) == len(knowledge.concepts)
    found = [knowledge.by_name(unescape(one)) for one in values]
    assert {one.id for one in found if one} == set(knowledge.concepts)
    for concept in knowledge.concepts.values():
        assert all(escape(name) in html for name in (*concept.synonyms, concept.patient))
    assert options(knowledge) == options(knowledge)


def test_what_is_typed_comes_back_the_same(knowledge: Knowledge) -> None:
    """An event shown in its form and sent again is the same event: a correction changes what was changed only."""
    for form in ({"finding": "Plasma VEGF", "value": "0.3", "unit": "ng/mL", "specimen": "plasma", "comparator": ">",
                  "upper_limit": "0.1", "date": "2025-03-01", "source": "letter"},
                 {"finding": "VEGF", "value": "12", "unit": "pg/mL", "specimen": "not-said"},
                 {"finding": "Papilledema", "status": "absent", "date": "2025-03-01"},
                 {"finding": "Lenalidomide", "status": "present", "source": "letter, page 2"}):
        event = typed(form, "p", knowledge, TODAY).event
        if form["finding"] == "VEGF" and event is None:
            event = typed({**form, "finding": "vegf"}, "p", knowledge, TODAY).event
        assert event is not None, form
        assert typed(as_form(event), "p", knowledge, TODAY).event == event


def test_only_a_name_is_not_yet_a_form() -> None:
    """A finding that was only named is asked for its fields and not blamed for them."""
    assert not is_begun({"finding": "VEGF", "csrf": "x"})
    assert is_begun({"finding": "VEGF", "value": ""})


def test_each_fault_stands_at_its_field_or_at_the_form(knowledge: Knowledge) -> None:
    """No fault is lost: what belongs to no field is said under the form."""
    form = {"finding": "Platelets", "value": "many", "unit": "10*9/L", "date": "2031-13-45"}
    said = typed(form, "p", knowledge, TODAY)
    found = by_field(said.faults)
    assert set(found) == {"value", "date"}
    assert set(by_field(typed({"finding": "Platelets"}, "p", knowledge, TODAY).faults)) == {"unit", "value"}
    assert all(text[0].isupper() and text.endswith(".") for text in found.values())


def test_two_versions_stand_side_by_side(knowledge: Knowledge) -> None:
    """Every field that either version fills is named, and those that differ are marked."""
    one = {"finding": "vegf-plasma", "value": "5", "unit": "pg/mL", "specimen": "plasma", "date": "2025-01-01"}
    other = {**one, "value": "6", "unit": "ng/mL", "date": "", "source": "letter"}
    rows = {row.name: row for row in compared(one, other, knowledge)}
    assert {name for name, row in rows.items() if row.differs} == {"Value", "Unit", "Day", "Where it stands"}
    assert {name for name, row in rows.items() if not row.differs} == {"Measured in"}


def events(knowledge: Knowledge) -> list[Event]:
    """One event of every concept, the treatments with an amount that must not be seen by a patient."""
    made = []
    for place, concept in enumerate(knowledge.concepts.values()):
        is_drug = concept.kind == "treatment"
        made.append(Event("p", concept.id, TODAY - timedelta(place), "" if concept.unit else "present",
                          987.0 if concept.unit or is_drug else None, concept.unit or ("mg" if is_drug else ""),
                          source="987 mg" if is_drug else "letter"))
    return made


def test_the_patient_reads_no_dose_anywhere(knowledge: Knowledge) -> None:
    """Neither in the list nor in the history, nor in the words on where it stands."""
    found = events(knowledge)
    entries = [Entry(place, event, {}, None, "me", 1, "entry") for place, event in enumerate(found)]  # type: ignore[arg-type]
    rows = [row for several in groups(entries, knowledge, "patient").values() for row in several]
    assert len(rows) == len(found)
    drugs = {place for place, event in enumerate(found) if knowledge.concepts[event.finding].kind == "treatment"}
    for row in rows:
        if row.id in drugs:
            assert "987" not in f"{row.name} {row.said} {row.how} {row.source}"
    for place in drugs:
        told = seen(found[place], knowledge, "patient")
        assert "987" not in f"{told.what} {told.how} {told.source}"
    clinician = [row for several in groups(entries, knowledge, "clinician").values() for row in several]
    assert {row.id for row in clinician} == {row.id for row in rows}


def test_the_page_of_a_claim_says_what_the_command_says(knowledge: Knowledge) -> None:
    """Every word that `poems knowledge show` prints of anything stands on its page; addresses are links."""
    for kind in KINDS:
        for key in list(of_kind(knowledge, kind))[::7]:
            page = " ".join(str(line) for one in shown(key, knowledge) for block in one.blocks
                            for row in block.rows for cell in row for line in cell)
            plain = re.sub(r"<[^>]+>", "", page)
            heads = " ".join(f"{one.title} {one.kind} {key}" for one in shown(key, knowledge))
            missing = set(WORD.findall(printed_entry(key, knowledge, 400))) - set(WORD.findall(f"{plain} {heads}"))
            assert not missing, (kind, key, missing)
            assert page.count("https://") == 2 * plain.count("https://")
    assert shown("nothing-of-that-name", knowledge) == ()


def test_the_patient_has_no_page_of_verdicts(visitor: Browser, uid: str) -> None:
    """What if tells verdicts and probabilities: in the patient's edition there is no such page."""
    form = {"finding": "Ascites", "status": "present", "supposed": "[]"}
    assert "Probability" in visitor.submit(f"/p/{uid}/what-if", form).text
    visitor.cookies.set("edition", "patient", domain="127.0.0.1")
    said = visitor.submit(f"/p/{uid}/what-if", form)
    assert said.status_code == 404
    assert "%" not in said.text
    for path in ("review", "follow"):
        text = re.sub(r"<svg.*?</svg>|<[^>]+>", " ", visitor.get(f"/p/{uid}/{path}").text, flags=re.S)
        assert not re.search(r"\b(not met|posterior|probability)\b", text), path


def test_what_if_takes_several_findings_and_keeps_none(served: Served, visitor: Browser, uid: str) -> None:
    """What was supposed travels in the form; the record and its history stay as they were."""
    before = served.store.patient(uid)
    first = visitor.submit(f"/p/{uid}/what-if", {"finding": "Ascites", "status": "present", "supposed": "[]"}).text
    carried = re.search(r'name="supposed" value="([^"]*)"', first)
    assert carried
    raw = carried[1].replace("&#34;", '"')
    second = {"finding": "Sclerotic bone lesion", "status": "present", "supposed": raw}
    both = visitor.submit(f"/p/{uid}/what-if", second)
    assert both.text.count('name="take-back"') == 2
    again = visitor.submit(f"/p/{uid}/what-if", {"take-back": "0", "supposed": re.search(
        r'name="supposed" value="([^"]*)"', both.text)[1].replace("&#34;", '"')})  # type: ignore[index]
    assert again.text.count('name="take-back"') == 1
    assert "Sclerotic bone lesion" in again.text
    assert served.store.patient(uid) == before
    full = json.dumps([{"finding": "Ascites", "status": "present"}] * MOST)
    more = visitor.submit(f"/p/{uid}/what-if", {**second, "supposed": full})
    assert (more.status_code, more.text.count('name="take-back"')) == (422, MOST)
    assert f"{MOST} findings are supposed already" in more.text
    for broken in ("{", "[1, 2]", '[{"finding": 3}]', "[" * 5000, '{"a": 1}'):
        assert visitor.submit(f"/p/{uid}/what-if", {"supposed": broken}).status_code == 200


@pytest.mark.parametrize("query", [
    "", "?span=1y", "?span=3y&hide=1", "?span=99y", "?hide=0.0&hide=0&hide=zz", "?day=last&span=all",
    "?day=never", "?hide=" + "x" * 3000])
def test_every_cut_of_the_picture_is_a_page_and_a_part(visitor: Browser, uid: str, query: str) -> None:
    """The same picture stands on the whole page and in the part that a script fetches; nothing else is in the part."""
    page = visitor.get(f"/p/{uid}/follow{query}")
    part = visitor.get(f"/p/{uid}/follow{query}", headers={"x-part": "true"})
    assert (page.status_code, part.status_code) == (200, 200)
    assert part.text.startswith('<div class="chart"')
    assert part.text.count("<svg") <= 1
    picture = re.search(r'<svg class="timeline.*?</svg>', part.text, re.S)
    assert picture is None or picture[0] in page.text


def test_what_is_hidden_is_gone_and_no_address_names_it(visitor: Browser, uid: str) -> None:
    """Each key of the picture hides its own rows; the address holds its place and no name of a test."""
    whole = visitor.get(f"/p/{uid}/follow", headers={"x-part": "true"}).text
    link = r'<li><a href="([^"]*)#[^"]*" data-cut="[^"]*"[^>]*><span class="hide">Hide </span>([^<]*)</a>'
    keys = re.findall(link, whole)
    assert keys
    for address, label in keys:
        assert re.fullmatch(r"/p/[^/]+/follow\?hide=\d+", address), label
        cut = visitor.get(address, headers={"x-part": "true"}).text
        assert f"Show </span>{label}" in cut
        assert len(re.findall("data-row=", cut)) < len(re.findall("data-row=", whole)), label


def test_switches_lead_back_to_a_page_that_can_be_opened(visitor: Browser, uid: str) -> None:
    """After a form was answered with a page, the switches of the bar lead to a page, never to an address of forms."""
    answers: list[Any] = [
        visitor.submit(f"/p/{uid}/add", {"finding": "Ascites", "status": ""}),
        visitor.submit(f"/p/{uid}/fields", {"finding": "VEGF"}),
        visitor.submit(f"/p/{uid}/what-if", {"finding": "VEGF", "supposed": "[]"}),
        visitor.submit("/ask", {"question": "how is VEGF measured"}),
        visitor.get(f"/p/{uid}/follow?span=1y")]
    for said in answers:
        back = re.search(r'name="back" value="([^"]*)"', said.text)
        assert back, said.url
        assert visitor.get(back[1].replace("&amp;", "&")).status_code == 200, back[1]


def test_what_was_done_is_told_and_can_be_undone(served: Served, visitor: Browser, uid: str) -> None:
    """After an entry the page says what was saved, with its undo; a number that is no change says nothing."""
    said = visitor.submit(f"/p/{uid}/add", {"finding": "Ascites", "status": "present", "date": "2025-02-01"})
    assert said.status_code == 303
    page = visitor.get(said.headers["location"].partition("#")[0]).text
    assert "Ascites: present" in page.split('class="done"')[1].split("</div>")[0]
    undo = re.search(rf'action="(/p/{uid}/undo/\d+)"', page)
    assert undo
    count = served.store.patient(uid).entries
    assert visitor.submit(undo[1]).status_code == 303
    assert served.store.patient(uid).entries == count - 1
    for none in ("99999", "x", "-1", "²"):
        assert 'class="done"' not in visitor.get(f"/p/{uid}/", params={"done": none}).text


def test_history_names_what_a_correction_moved(served: Served, visitor: Browser, uid: str) -> None:
    """The field and both of its words; a correction that differs in nothing is none."""
    same = {"status": "present", "date": "2025-02-01", "source": "letter"}
    visitor.submit(f"/p/{uid}/add", {"finding": "Ascites", **same})
    entry = served.store.entries(uid)[-1].id
    before = len(served.store.history(uid))
    assert visitor.submit(f"/p/{uid}/entry/{entry}", same).status_code == 303
    assert len(served.store.history(uid)) == before
    assert visitor.submit(f"/p/{uid}/entry/{entry}", {**same, "source": "ultrasound"}).status_code == 303
    assert "Where it stands: letter → ultrasound" in visitor.get(f"/p/{uid}/history").text


def test_a_patient_reads_no_amount_of_a_treatment(served: Served, visitor: Browser, uid: str) -> None:
    """Neither where it was saved, typed in whatever unit, nor where the history names what a correction moved."""
    visitor.submit("/show", {"edition": "patient"})
    given = {"value": "2.5", "unit": "g", "comparator": "", "status": "present", "date": "2025-02-01"}
    said = visitor.submit(f"/p/{uid}/add", {"finding": "Lenalidomide", **given})
    entry = next(one.id for one in served.store.entries(uid) if one.event.finding == "lenalidomide")
    visitor.submit(f"/p/{uid}/entry/{entry}", {**given, "value": "7.25"})
    for path in (said.headers["location"].partition("#")[0], f"/p/{uid}/", f"/p/{uid}/history"):
        assert not {"2.5", "2500", "7.25", "7250"} & set(re.findall(r"[\d.]+", visitor.get(path).text)), path


def test_a_patient_gets_a_calendar_in_plain_words_or_a_sentence(served: Served, visitor: Browser) -> None:
    """The file is that of the edition; where no visit is to come there is none."""
    empty = served.store.create("nothing yet", "me").uid
    assert visitor.get(f"/p/{empty}/calendar.ics").status_code == 404
    uid = served.store.create("treated", "me").uid
    served.store.add(uid, [Event("treated", "lenalidomide", date(2025, 1, 1), "present")], "me")
    files = []
    for edition in ("clinician", "patient"):
        visitor.submit("/show", {"edition": edition})
        files.append(visitor.get(f"/p/{uid}/calendar.ics").text)
    assert files[0] != files[1]
    assert all("BEGIN:VEVENT" in one for one in files)


def test_no_page_carries_its_own_style_or_script(visitor: Browser, uid: str) -> None:
    """Nothing on any page would need a looser policy: no inline script, no style attribute, nothing from elsewhere."""
    paths = ["/", "/import", "/ask", "/settings", "/audit", "/guide/", "/guide/test-vegf", "/guide/glossary",
             "/guide/corrections", "/guide/sources", "/knowledge/mayo-2007", "/p/none/",
             *(f"/p/{uid}/{name}" for name in ("", "review", "follow", "history", "entry/1"))]
    for edition in ("clinician", "patient"):
        visitor.cookies.set("edition", edition, domain="127.0.0.1")
        for path in paths:
            html = visitor.get(path).text
            assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"|javascript:", html), path
            assert all(" src=" in tag for tag in re.findall(r"<script[^>]*>", html)), path
            assert not re.search(r"(src|<link[^>]* href)=\"(?!/)", html), path
            assert len(re.findall(r"<h1[ >]", html)) == 1 + html.count('<h1 id="p1-title"'), path


def bundle(sex: str, born: str, day: str) -> bytes:
    """What two hospitals may send, each of its patient number 1."""
    about = {"reference": "Patient/1"}
    person = {"resourceType": "Patient", "id": "1", "gender": sex, "birthDate": born}
    count = {"resourceType": "Observation", "id": "o", "status": "final", "subject": about, "effectiveDateTime": day,
             "code": {"coding": [{"system": "http://loinc.org", "code": "777-3"}]},
             "valueQuantity": {"value": 512, "system": "http://unitsofmeasure.org", "code": "10*3/uL"}}
    return json.dumps({"resourceType": "Bundle", "type": "collection",
                       "entry": [{"resource": one} for one in (person, count)]}).encode()


def test_one_id_of_two_people_is_said_above_the_undo(visitor: Browser, served: Served) -> None:
    """Another sex and another birthday under the same id: an alert before the button; the same file again: another."""
    files = {"a.json": bundle("male", "1950-01-01", "2020-01-02"),
             "b.json": bundle("female", "1990-01-01", "2020-01-09")}
    first, second = (visitor.bring(files={"file": item}).text for item in files.items())
    assert "Every row was read" in first
    assert 'class="alert"' not in first
    alert, undo = second.index('class="alert"'), second.index("/undo/")
    assert alert < undo
    for words in ("another person", "The sex in the file is another one", "The date of birth", "here already, with 3"):
        assert words in second[alert:undo], words
    assert "1990" not in second[alert:undo]
    again = visitor.bring(files={"file": ("copy of b.json", files["b.json"])}).text
    assert "Every finding of the file was on record already" in again[:again.index("/undo/")]
    uid = next(one.uid for one in served.store.patients() if one.label == "1")
    assert "the sex in the file is another one" in visitor.get(f"/p/{uid}/history").text
    said = visitor.submit("/api/v1/import", files={"file": ("c.json", files["a.json"])}).json()
    assert any("on record already" in issue["found"] for issue in said["files"][0]["issues"])


def test_both_files_of_a_form_or_none(visitor: Browser, served: Served, uid: str,
                                      monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the second file cannot be written, the page says that nothing was stored, and that is so."""
    before, several = served.store.patient(uid), 0
    real = rows.write

    def failing(*given: Any, **named: Any) -> Any:
        nonlocal several
        several += 1
        if several == 2:
            raise FullError("no room on the disk. Nothing of this was stored.")
        return real(*given, **named)

    monkeypatch.setattr(rows, "write", failing)
    head = b"patient,date,finding,status\n"
    files = [("file", (f"{day}.csv", head + b"p1,2020-01-0%d,edema,present\n" % day)) for day in (1, 2)]
    for path in (f"/p/{uid}/import", "/import"):
        several = 0
        said = visitor.submit(path, files=files)
        assert said.status_code == 507, path
        assert "Nothing of this was stored" in said.text
        assert served.store.patient(uid) == before
        assert len(served.store.patients()) == 1


def test_a_name_like_another_one_is_told_where_it_is_given(visitor: Browser, served: Served) -> None:
    """A new record, a renamed one, an imported one: each leads to the other; the address holds no name."""
    first = served.store.create("Rosa Kov\u00e1cs", "test")
    made = visitor.submit("/patients", {"label": "R\u043esa Kov\u00e1cs"})
    page = visitor.get(made.headers["location"]).text
    assert f'href="/p/{first.uid}/"' in page[page.index('class="alert"'):]
    assert "nearly the same name" in page
    other = served.store.create("somebody", "test")
    renamed = visitor.submit(f"/p/{other.uid}/rename", {"label": "ROSA  Kova\u0301cs", "revision": "1"})
    assert "nearly the same name" in visitor.get(renamed.headers["location"]).text
    refused = visitor.submit("/patients", {"label": "Rosa  Kova\u0301cs"})
    assert refused.status_code == 409
    data = "patient,finding,status\nrosa kov\u00e1cs,edema,present\n".encode()
    said = visitor.bring(files={"file": ("a.csv", data)}).text
    assert "nearly the same name" in said[:said.index("/undo/")]
    assert f'href="/p/{first.uid}/"' in said[:said.index("/undo/")]
    plain = visitor.get(f"/p/{first.uid}/?like=nobody").text
    assert "nearly the same name" not in plain


def test_a_long_record_shows_the_latest_of_each_until_all_is_asked_for(visitor: Browser, served: Served) -> None:
    """Thousands of one finding hide neither the others nor the page; nothing is lost from it."""
    made = served.store.create("long", "test")
    days = [date(2000, 1, 1) + timedelta(place) for place in range(3000)]
    served.store.add(made.uid, [Event("", "ascites", days[0], "present"), *(
        Event("", "edema", day, "present") for day in days)], "test", kind="import", source="long.csv", format="csv")
    address = f"/p/{made.uid}/"
    page = visitor.get(address).text
    assert page.count('class="go"') <= MOST_ENTRIES + 1
    assert 'count">3001<' in page
    assert "Ascites" in page
    assert days[-1].isoformat() in page
    assert days[5].isoformat() not in page
    more = re.search(r'href="([^"]*all=yes[^"]*)">Show ([0-9]+) older', page)
    assert more
    assert page.count('class="go"') + int(more[2]) == 3001
    assert visitor.get(more[1]).text.count('class="go"') == 3001
    history = visitor.get(f"{address}history").text
    assert history.count('class="sign"') < 500
    assert "3001 added" in history
    assert visitor.get(f"{address}history?all=yes").text.count('class="sign"') == 3001
    done = visitor.get(f"{address}?done=2").text
    assert "Imported" in done.split('class="done"')[1].split("</div>")[0]


def test_answers_about_what_is_no_longer_so_are_let_go(visitor: Browser, served: Served) -> None:
    """After a change only answers of the new revision stay in memory, and they are given again."""
    made = served.store.create("changing", "test")
    for revision in (2, 3, 4):
        served.store.add(made.uid, [Event("", "edema", TODAY, "present")], "test")
        for path in ("review", "follow", "review?day=last"):
            visitor.get(f"/p/{made.uid}/{path}")
        assert {state[0] for state in work._answers.states(made.uid)} == {revision}
        assert len(work._answers.states(made.uid)) == 3


def test_what_is_kept_is_counted_by_what_it_was_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many small answers, or few large ones; one that is larger than all is kept alone; an old one is not."""
    monkeypatch.setattr(work, "MOST_EVENTS", 100)
    answers, day = work.Answers(), TODAY
    for number in range(5):
        answers.put((f"p{number}", "review"), (1, day), number, 40)
    assert [answers.get((f"p{number}", "review"), (1, day)) for number in range(5)] == [None, None, None, 3, 4]
    answers.put(("large", "review"), (1, day), "large", 5000)
    assert (answers.events, answers.get(("large", "review"), (1, day))) == (5000, "large")
    answers.put(("a", "review"), (7, day), "new", 1)
    answers.put(("a", "course"), (6, day), "made too slowly", 1)
    assert (answers.get(("a", "review"), (7, day)), answers.states("a")) == ("new", [(7, day)])
    assert answers.get(("a", "review"), (7, day + timedelta(1))) is None
    answers.put(("a", "course"), (7, day + timedelta(1)), "tomorrow", 1)
    assert answers.states("a") == [(7, day + timedelta(1))]
    for number in range(200):
        answers.put((f"q{number}", "review"), (1, day), number, 0)
    assert sum(answers.get((f"q{number}", "review"), (1, day)) is not None for number in range(200)) == work.MOST


def test_everything_that_is_taken_away_never_has_a_name_on_the_disk(
        visitor: Browser, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever kills the app while it exports or backs up finds no unencrypted records left behind."""
    seen: list[list[str]] = []
    beside = served.store.path.parent

    def looked(*_: object) -> None:
        seen.append([one.name for one in (*tmp_path.rglob("*"), *beside.iterdir())
                     if not one.name.startswith(served.store.path.name)])

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    real = zipfile.ZipFile.writestr
    monkeypatch.setattr(zipfile.ZipFile, "writestr", lambda *given: (looked(), real(*given))[1])
    monkeypatch.setattr(served.store, "log", looked)
    archive, backup = visitor.submit("/export-archive"), visitor.submit("/backup")
    assert len(seen) > 5
    assert not [names for names in seen if names]
    assert zipfile.ZipFile(io.BytesIO(archive.content)).testzip() is None
    assert backup.content.startswith(b"SQLite format 3")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    said = visitor.submit("/export-archive")
    assert (said.status_code, "Make room" in said.text) == (507, True)


def test_two_who_look_at_the_example_at_one_time_get_one_copy(served: Served) -> None:
    """Nothing is doubled, whoever comes first."""
    def look(_: int) -> int:
        with served.browser() as visitor:
            return visitor.submit("/start", {"mode": "example"}).status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(look, range(6))) == {303}
    counts = {one.label: one.entries for one in served.store.patients()}
    assert counts["published-case"] == len(EXAMPLE.read_text().splitlines()) - 1


def test_nothing_is_chosen_where_the_name_of_the_record_cannot_be_taken(tmp_path: Path, knowledge: Knowledge) -> None:
    """The first visit can be done again."""
    with Store.open(tmp_path / "new.db") as store, Served(store, knowledge) as app, app.browser() as visitor:
        assert visitor.submit("/start", {"mode": "own", "label": "x" * 5000}).status_code == 422
        assert store.setting("mode") == ""
        assert store.patients() == ()
