"""The report on paper: its pages, what stands on them, and that nothing in a record can change how it is set."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import follow_made
import pytest
import typst
from conftest import PUBLISHED, case_record, read_case, some_slow
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from test_follow import COURSES, course_events
from test_render import Page, luminance

from poems import cli
from poems.follow import Follow, follow
from poems.knowledge import Knowledge, load
from poems.models.differential import TARGET
from poems.record import Event, Record, records
from poems.render import report, report_fit, report_html
from poems.render.follow_patient import own_course
from poems.render.follow_sheet import NO_DOSE
from poems.render.follow_view import view as follow_view
from poems.render.patient import KINDS, own, plain
from poems.render.report_clinician import clinician
from poems.render.report_fit import BREAK
from poems.render.report_model import (
    Bars,
    Beside,
    Block,
    Line,
    Lines,
    Picture,
    Press,
    Ruled,
    Sheet,
    Sources,
    Table,
    items,
    sentences,
)
from poems.render.report_model import cut as shortened
from poems.render.report_patient import TREATED
from poems.render.report_picture import CLINICIAN, fitting, height
from poems.render.timeline import timeline
from poems.render.timeline_svg import svg
from poems.render.view import view
from poems.review import Review, assess
from poems.rules import Verdict

MADE = date(2026, 1, 2)
EXAMPLES = Path(cli.__file__).parent / "examples"
PAGES = {"clinician": 2, "patient": 1}
NASTY = ['#panic("x")', "$x^2$", "*b* _i_ `c` @ref <lab>", "</svg><script>alert(1)</script>", '"]; #import "x"',
         "\\u{1F600} \\n //", "= heading /* c */ ~~~", "{{ address }} {% raw %}", "שלום עולם", "Привет Ελληνικά",
         "x" * 300, "\u202eevil\u0007", "a" * 23 + " & <b>"]
def stem(value: object) -> str | None:
    return getattr(value, "stem", None)


editions = pytest.mark.parametrize("edition", ["clinician", "patient"])
papers = pytest.mark.parametrize("paper", ["a4", "us-letter"])
Pair = tuple[Review, Follow]


def course_days() -> list[tuple[Path, date]]:
    """Each course on the last day that its case looks at."""
    return [(path, read_case(path)["expect"][-1]["as-of"]) for path in COURSES]


def case_days() -> list[tuple[Path, date]]:
    return [(path, read_case(path).get("as_of") or date(2026, 1, 1)) for path in PUBLISHED]


@cache
def case_report(path: Path, day: date, edition: Any) -> tuple[Sheet, int, str]:
    """The report of a case: the sheet, how many pages it has in type, and what stands on them."""
    sheet = report.sheet(*looked_at(path, day, load()), load(), edition, made=MADE)
    reader = typeset(sheet)
    return sheet, len(reader.pages), text_of(reader)


def typeset(sheet: Sheet) -> PdfReader:
    return PdfReader(io.BytesIO(report_fit._compiled(sheet, False, report_fit.STANDARD)))


def looked_at(path: Path, day: date, knowledge: Knowledge) -> Pair:
    """What is made of a published case or of a course."""
    case = read_case(path)
    record = case_record(case, day) if path in PUBLISHED else records(course_events(case, knowledge), day)[0]
    return seen(record, day, knowledge)


def seen(record: Record, day: date, knowledge: Knowledge) -> Pair:
    return assess(record, knowledge), follow(record, knowledge, as_of=day)


def long_record(knowledge: Knowledge, count: int, seed: int, name: str = "p1", method: str = "elisa") -> Record:
    """So many findings, quantities and treatments, drawn from everything that is known."""
    draw, found = random.Random(seed), []
    for _ in range(count):
        concept = draw.choice(list(knowledge.concepts.values()))
        day = date(2015, 1, 1) + timedelta(draw.randrange(3000)) if draw.random() < 0.85 else None
        more: dict[str, Any] = {"status": draw.choice(["present", "present", "absent"])}
        if concept.kind == "quantity":
            more = {"value": round(draw.lognormvariate(3, 2), 2), "unit": concept.unit,
                    "upper_limit": draw.choice([None, 100.0])}
        found.append(Event(name, concept.id, day, method=draw.choice(["", method]), source=method, **more))
    return records(found, date(2024, 1, 1))[0]


def pdf_of(pair: Pair, knowledge: Knowledge, edition: Any, **more: Any) -> PdfReader:
    return PdfReader(io.BytesIO(report.pdf(*pair, knowledge, edition, made=MADE, **more)))


def text_of(reader: PdfReader) -> str:
    return " ".join(page.extract_text() for page in reader.pages)


def bare(text: str) -> str:
    """The letters of a text without spaces and without places to break, as they stand on paper."""
    return re.sub(r"[\s\u200b\u2060\u00a0]+", "", text)


def page_of(html: str) -> Page:
    """The page as a browser would find it, its pictures apart: they are checked by an XML reader."""
    for drawing in re.findall(r"<svg.*?</svg>", html, re.S):
        ElementTree.fromstring(drawing)
    return Page(re.sub(r"<svg.*?</svg>", "", html, flags=re.S))


def blocks(sheet: Sheet) -> Iterator[Block]:
    for page in sheet.pages:
        yield from inner(page)


def inner(several: Sequence[Block]) -> Iterator[Block]:
    for block in several:
        if isinstance(block, Beside):
            yield from inner((*block.left, *block.right))
        else:
            yield block


def lines(sheet: Sheet) -> Iterator[Line]:
    """Every line and every cell."""
    for block in blocks(sheet):
        if isinstance(block, Lines):
            yield from block.lines
        elif isinstance(block, Table):
            yield from (cell for row in (block.heads, *block.rows) for cell in row)


def cited(sheet: Sheet) -> set[str]:
    of_blocks = {number for block in blocks(sheet) if isinstance(block, Lines | Table) for number in block.cites}
    return {number.rstrip("*") for number in of_blocks | {each for line in lines(sheet) for each in line.cites}}


# pages


@editions
@pytest.mark.parametrize(("path", "day"), some_slow([*case_days(), *course_days()]), ids=stem)
def test_a_report_has_one_page_for_the_patient_and_two_for_the_physician(
        path: Path, day: date, edition: str) -> None:
    """Every published case and every course, on A4; the letters stay readable."""
    sheet, pages, _ = case_report(path, day, edition)
    assert pages == PAGES[edition] and sheet.size >= 8.5


@editions
@papers
@pytest.mark.parametrize("count", [0, 1, 30, 300])
def test_a_long_record_keeps_to_its_pages(count: int, edition: str, paper: str, knowledge: Knowledge) -> None:
    """From nothing to 300 findings, on both papers."""
    record = long_record(knowledge, count, seed=count) if count else Record("p1", (), date(2024, 1, 1))
    reader = pdf_of(seen(record, date(2024, 1, 1), knowledge), knowledge, edition, paper=paper)
    assert len(reader.pages) == PAGES[edition]
    width, depth = (float(side) for side in reader.pages[0].mediabox[2:])
    assert (round(width), round(depth)) == ((595, 842) if paper == "a4" else (612, 792))


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 400), st.integers(0, 10_000), st.text(max_size=80), st.sampled_from(NASTY),
       st.sampled_from(["a4", "us-letter"]))
def test_whatever_a_record_holds_it_keeps_to_its_pages(count: int, seed: int, name: str, method: str,
                                                       paper: Any) -> None:
    """Any number of findings, any name of the record, any method."""
    record = replace(long_record(load(), count, seed, name, method) if count else Record(name, ()),
                     as_of=date(2024, 1, 1))
    pair = seen(record, date(2024, 1, 1), load())
    for edition, pages in PAGES.items():
        assert len(pdf_of(pair, load(), edition, paper=paper).pages) == pages
    assert len(PdfReader(io.BytesIO(report.transplant_pdf(pair[1], load()))).pages) == max(len(pair[1].transplants), 1)


@editions
@pytest.mark.parametrize("make", [follow_made.everything, follow_made.nothing, follow_made.twenty_years])
def test_courses_made_by_hand_keep_to_their_pages(make: Any, edition: str, knowledge: Knowledge) -> None:
    """A course with one of everything, one with nothing, one of twenty years."""
    found = make()
    pair = assess(replace(found.record, as_of=found.as_of), knowledge), found
    assert len(pdf_of(pair, knowledge, edition).pages) == PAGES[edition]


# what stands on them


@pytest.mark.parametrize(("path", "day"), [*case_days()[:4], *course_days()], ids=lambda v: getattr(v, "stem", None))
def test_the_physician_finds_every_verdict_in_the_text(path: Path, day: date, knowledge: Knowledge) -> None:
    """Each set with its verdict, each probability with its interval, the day and the version."""
    review, _ = looked_at(path, day, knowledge)
    sheet, _, said = case_report(path, day, "clinician")
    text = bare(said)
    for item in review.criteria:
        level = f", {item.level}" if len(item.levels) > 1 and item.verdict is Verdict.MET else ""
        assert bare(f"{item.verdict.value}{level}{shortened(item.criteria.label)}") in text, item.criteria.id
    bars = next(block for block in blocks(sheet) if isinstance(block, Bars))
    assert any(bar.is_target for bar in bars.rows)
    for bar in bars.rows:
        assert bare(f"{bar.text}{bar.interval}") in text
    assert f"asof{day}" in text and f"knowledge{review.knowledge}" in text


@editions
@pytest.mark.parametrize(("path", "day"), [case_days()[2], *course_days()[-2:]], ids=lambda v: getattr(v, "stem", None))
def test_everything_on_the_sheet_is_in_the_pdf_and_in_the_page(path: Path, day: date, edition: str) -> None:
    """Nothing that the sheet holds is lost in typesetting: every line of it can be read in the PDF and in the HTML."""
    sheet, _, said = case_report(path, day, edition)
    on_paper, on_screen = bare(said), bare("".join(page_of(report_html.page(sheet)).text))
    told = [text for line in lines(sheet) for text in (line.text, line.soft)]
    told += [text for block in blocks(sheet) for text in (block.title, getattr(block, "more", ""))]  # type: ignore[union-attr]
    told += [entry.text for block in blocks(sheet) if isinstance(block, Sources) for entry in block.entries]
    for text in (*told, sheet.heading, sheet.who, *sheet.about, sheet.footer):
        assert bare(text) in on_paper, text
        assert bare(text) in on_screen, text


@editions
@pytest.mark.parametrize(("path", "day"), [*case_days()[:3], *course_days()], ids=lambda v: getattr(v, "stem", None))
def test_what_is_cited_is_listed_and_what_is_listed_is_cited(path: Path, day: date, edition: str) -> None:
    """The list of sources holds exactly the numbers that are printed, counted from one without a gap."""
    sheet = case_report(path, day, edition)[0]
    listed = [entry.number for block in blocks(sheet) if isinstance(block, Sources) for entry in block.entries]
    assert listed == list(range(1, len(listed) + 1))
    assert cited(sheet) == {str(number) for number in listed}


@pytest.mark.parametrize(("path", "day"), some_slow([*case_days(), *course_days()]), ids=stem)
def test_the_patients_page_says_no_verdict_no_probability_and_no_dose(path: Path, day: date,
                                                                      knowledge: Knowledge) -> None:
    """No word of a verdict or of a probability, no probability of the review, no published treatment."""
    review, _ = looked_at(path, day, knowledge)
    text = " ".join(case_report(path, day, "patient")[2].split())
    assert not re.search(r"\b(met|unknown|probab\w*|differential|hazard|response|95 %)\b", text.casefold())
    assert not any(f"{disease.probability:.0%}".replace("%", " %") in text for disease in review.differential
                   if disease.probability > 0.2)
    assert "nobody has recorded yet" in text
    assert ("Questions to ask" in text) != ("this person died on" in text)
    assert "It informs and never orders" in text


def test_a_dose_in_the_record_is_not_on_the_patients_page(knowledge: Knowledge) -> None:
    """A treatment recorded with an amount is told without it."""
    treatment = next(item for item in knowledge.concepts.values() if item.kind == "treatment")
    events = (Event("p1", treatment.id, date(2020, 1, 1), "present", 4711.0, "mg"),
              Event("p1", treatment.id, None, "present", 4712.0, "mg"))
    pair = seen(Record("p1", events, date(2021, 1, 1)), date(2021, 1, 1), knowledge)
    text = text_of(pdf_of(pair, knowledge, "patient"))
    assert (treatment.patient or treatment.label).split(" (")[0] in text
    assert "471" not in text


def test_what_is_left_out_is_counted(knowledge: Knowledge) -> None:
    """On the patient's page the findings that are shown and those that are counted are all there are."""
    pair = seen(long_record(knowledge, 300, seed=5), date(2024, 1, 1), knowledge)
    sheet = report.sheet(*pair, knowledge, "patient")
    record, course = own(pair[0], knowledge), own_course(pair[1], knowledge)
    of = {block.title: block for block in blocks(sheet) if isinstance(block, Lines)}
    table = next(block for block in blocks(sheet) if isinstance(block, Table))
    said = [re.split(" · ", row[1].text) for row in table.rows]
    beside = {finding for item, parts in zip([one for one in record.looked_at if one.recorded], said, strict=True)
              for finding, part in zip(item.findings, parts, strict=False) if not re.fullmatch(r"\d+ more", part)}
    entries = [entry for title, group in record.groups if title != KINDS["treatment"] for entry in group]
    block, given = of["What else my record says"], of[TREATED]
    assert counted(block) == sum(entry.finding not in beside for entry in entries)
    spans = {span.finding for span in course.treatments}
    undated = [entry for title, group in record.groups if title == KINDS["treatment"] for entry in group
               if entry.finding not in spans]
    assert counted(given) == len(course.treatments) + len(undated)
    assert len(block.lines) >= 3 and len(given.lines) >= 8
    told = " ".join(line.text for line in lines(report.sheet(*pair, knowledge, "clinician")))
    assert re.search(r"\d+ more", told)


def counted(block: Lines) -> int:
    """How many lines a list has, with those that were left out."""
    return len(block.lines) + sum(map(int, re.findall(r"\d+", block.more)[:1]))


@pytest.mark.parametrize(("path", "day"), some_slow([*case_days(), *course_days()]), ids=stem)
def test_treatments_and_what_doctors_look_for_are_never_cut(path: Path, day: date, knowledge: Knowledge) -> None:
    """The patient's page has every treatment of every published case, and everything that is looked for."""
    review, course = looked_at(path, day, knowledge)
    sheet, _, said = case_report(path, day, "patient")
    text = bare(said)
    for item in own(review, knowledge).looked_at:
        assert bare(item.label) in text
        assert not item.recorded or bare(item.recorded[0]) in text
        assert bare(item.note) in text
    for finding in {event.finding for event in review.record.events}:
        assert knowledge.concepts[finding].kind != "treatment" or bare(plain(finding, knowledge)) in text
    for span in own_course(course, knowledge).treatments:
        assert bare(span.days) in text
    assert not any(block.title == TREATED and block.more for block in blocks(sheet) if isinstance(block, Lines))


@pytest.mark.parametrize(("path", "day"), course_days(), ids=stem)
def test_the_physician_reads_every_treatment_too(path: Path, day: date, knowledge: Knowledge) -> None:
    """Where the picture has no room for a drug, the list has it with its days."""
    text = bare(case_report(path, day, "clinician")[2])
    for span in follow_view(looked_at(path, day, knowledge)[1], knowledge).treatments:
        assert bare(span.label) + bare(span.days) in text


@pytest.mark.parametrize(("path", "day"), some_slow([*case_days(), *course_days()]), ids=stem)
def test_no_disease_above_poems_is_left_out(path: Path, day: date, knowledge: Knowledge) -> None:
    """Whatever the room and the setting, the bars show POEMS and every disease that is more probable."""
    record, course = looked_at(path, day, knowledge)[0].record, looked_at(path, day, knowledge)[1]
    for setting in knowledge.settings:
        review = assess(record, knowledge, setting=setting)
        ranked = sorted(review.differential, key=lambda item: -item.probability)
        above = [item.disease for item in ranked].index(TARGET) + 1
        for rooms in ([0, 0], [48, 48]):
            sheet = clinician(review, course, knowledge).sheet(rooms)
            shown = [bar.share for bar in next(block for block in blocks(sheet) if isinstance(block, Bars)).rows]
            assert shown[:above] == [item.probability for item in ranked[:above]]


@editions
@pytest.mark.parametrize(("path", "day"), [*case_days()[:4], *course_days()], ids=stem)
def test_paper_points_to_no_command_and_cuts_between_sentences(path: Path, day: date, edition: str,
                                                               knowledge: Knowledge) -> None:
    """Nobody can type on paper; a text that is cut ends with a whole sentence."""
    sheet, _, said = case_report(path, day, edition)
    assert not re.search(r"poems (assess|follow|report)|--\w|in poems", " ".join(said.split()).replace(BREAK, ""))
    for block in blocks(sheet):
        if isinstance(block, Lines) and block.title in ("Mind", "Good to know", "At a glance", "What to know"):
            for line in block.lines:
                assert re.search(r"[.!?)](?: …)?$", line.text), line


def test_a_long_text_is_cut_after_a_sentence() -> None:
    """As many sentences as have room; the first stays whole, and the cut is shown."""
    text = "One is short. Two (e.g. this) is longer than one. Three."
    assert sentences(text, 500) == text
    assert sentences(text, 40) == "One is short. …"
    assert sentences(text, 5) == "One is short. …"
    assert sentences("No end here", 3) == "No end here"
    assert items(["one", "two", "three"], 9) == "one; two; 1 more"
    assert items(["one", "two", "three"], 99) == "one; two; three"
    assert items([], 9) == ""


def test_a_refused_row_is_said_at_the_top(knowledge: Knowledge) -> None:
    """A record of which a row could not be used says so in both editions."""
    from poems.errors import Issue

    fault = Issue("fault", "a.csv, row 2", "x", "y", "z")
    record = Record("p1", (), date(2020, 1, 1))
    course = follow(record, knowledge, as_of=date(2020, 1, 1), issues=(fault,))
    pair = assess(record, knowledge, issues=(fault,)), course
    for edition in PAGES:
        assert "1 row was refused" in text_of(pdf_of(pair, knowledge, edition))


# safe whatever the record holds


@pytest.mark.parametrize(("name", "edition"), [
    *((name, "patient") for name in NASTY), *((name, "clinician") for name in NASTY[::4])])
def test_text_of_a_record_is_never_markup(name: str, edition: str, knowledge: Knowledge) -> None:
    """The name of a record and its methods stand on paper as they were typed, without control characters."""
    pair = seen(long_record(knowledge, 30, seed=7, name=name, method=name), date(2024, 1, 1), knowledge)
    sheet = report.sheet(*pair, knowledge, edition)  # type: ignore[arg-type]
    reader = typeset(sheet)
    text = bare(text_of(reader))
    said = bare(shortened(name, 60))
    assert said in text or said[::-1] in text or any(ord(letter) > 0x590 for letter in said)
    assert len(reader.pages) == PAGES[edition]
    page = page_of(report_html.page(sheet))
    assert not page.open and not page.of("script") and len(page.ids) == len(set(page.ids))
    assert bare(shortened(name, 60)) in bare("".join(page.text))


def test_the_patients_page_says_what_cannot_wait(knowledge: Knowledge) -> None:
    """Every urgent sign of the knowledge stands on every patient's page, with its source."""
    for record in (Record("p1", (), MADE), long_record(knowledge, 300, 3)):
        sheet = report.sheet(*seen(record, MADE, knowledge), knowledge, "patient", made=MADE)
        line = next(line for line in lines(sheet) if line.text.startswith("Do not wait"))
        assert all(sign.text in line.text for sign in knowledge.follow.urgent)
        assert len(line.cites) == len(knowledge.follow.urgent)


@editions
def test_two_values_of_one_day_are_both_shown(edition: Any, knowledge: Knowledge) -> None:
    """Two bands of one day are no fall from the one to the other."""
    events = [Event("p1", "m-protein-serum", date(2025, 1, 1), value=value, unit="g/dL") for value in (1.1, 0.3)]
    said = bare(text_of(pdf_of(seen(Record("p1", tuple(events), MADE), MADE, knowledge), knowledge, edition)))
    assert bare("1.1 g/dL and 0.3 g/dL") in said


def test_what_was_found_before_treatment_is_not_called_the_diagnosis(knowledge: Knowledge) -> None:
    """In a treated record the review says what it judges before it says how probable POEMS is."""
    events = (Event("p1", "polyneuropathy", date(2020, 1, 1)), Event("p1", "lenalidomide", date(2020, 2, 1)))
    glance = view(assess(Record("p1", events, MADE), knowledge), knowledge).glance
    assert "Treatment began on 2020-02-01" in glance[1]
    assert not any("telling next" in line for line in glance)
    untreated = view(assess(Record("p1", events[:1], MADE), knowledge), knowledge).glance
    assert not any("Treatment began" in line for line in untreated)


def test_letters_that_no_font_has_become_boxes_and_no_error(knowledge: Knowledge,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    """A name in Japanese is set from the fonts of the machine; without any the sheet is made all the same."""
    pair = seen(long_record(knowledge, 10, seed=1, name="日本語の名前"), date(2024, 1, 1), knowledge)
    monkeypatch.setattr(report_fit, "_fonts", lambda system: typst.Fonts(include_system_fonts=False))
    for edition, pages in PAGES.items():
        assert len(pdf_of(pair, knowledge, edition).pages) == pages


@editions
def test_the_pdf_is_tagged_titled_and_names_nobody(edition: str, knowledge: Knowledge) -> None:
    """PDF/UA-1 with language, title, headings, table headers, a picture in words; no name of a record in its data."""
    path, day = course_days()[-1]
    review, course = looked_at(path, day, knowledge)
    pair = replace(review, patient="Somebody Q"), replace(course, patient="Somebody Q")
    reader = pdf_of(pair, knowledge, edition)
    root: Any = reader.trailer["/Root"]
    meta = root["/Metadata"].get_object().get_data().decode()
    assert reader.metadata is not None and reader.metadata["/Title"] == "POEMS report"
    assert root["/Lang"].startswith("en") and root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"] and "pdfuaid:part" in meta
    assert "Somebody" not in meta + str(reader.metadata)
    tags = list(structure(root["/StructTreeRoot"]))
    kinds = [kind for kind, _ in tags]
    assert kinds.count("/H1") == 1 and kinds.count("/H2") >= 6 and kinds.count("/P") > 10
    assert [alt for kind, alt in tags if kind == "/Figure" and alt]
    if edition == "clinician":
        assert kinds.count("/TH") == 3


def structure(node: Any) -> Iterator[tuple[str, str]]:
    """Every element of the tag tree: its kind, and what it says to those who do not see it."""
    node = node.get_object() if hasattr(node, "get_object") else node
    for one in node if isinstance(node, list) else ():
        yield from structure(one)
    if isinstance(node, dict):
        if "/S" in node:
            yield str(node["/S"]), str(node.get("/Alt", ""))
        if not isinstance(node.get("/K"), int | type(None)):
            yield from structure(node["/K"])


def test_the_same_day_makes_the_same_file(knowledge: Knowledge) -> None:
    """A report is a function of the record, the knowledge and the day it is made."""
    pair = looked_at(*case_days()[2], knowledge)
    assert report.pdf(*pair, knowledge, made=MADE) == report.pdf(*pair, knowledge, made=MADE)
    assert f"made {MADE}" in text_of(pdf_of(pair, knowledge, "clinician"))


def test_the_words_can_be_read_without_colour() -> None:
    """Every colour of letters has a contrast of 4.5 to the white of the paper, and signs repeat what words say."""
    typ = (report_fit.TEMPLATES / "report.typ").read_text()
    colours = dict(re.findall(r'#let (\w+) = rgb\("(#\w{6})"\)', typ))
    for name in ("ink", "soft", "teal", "amber"):
        assert 1.05 / (luminance(colours[name]) + 0.05) >= 4.5, name


@pytest.mark.parametrize(("path", "day"), course_days()[:5], ids=lambda v: getattr(v, "stem", None))
def test_a_verdict_is_told_in_words_beside_its_sign(path: Path, day: date) -> None:
    """No filled, empty or dotted circle stands without the word that it means, or a date that is due."""
    for line in lines(case_report(path, day, "clinician")[0]):
        if line.sign == "met":
            assert re.search(r"\bmet\b|confirmed|since", line.text), line
        if line.sign == "not-met":
            assert "not met" in line.text, line
        if line.sign == "unknown":
            assert re.search("[Uu]nknown|overdue|not evaluable|rise|confirmed", line.text), line



# the picture


@pytest.mark.parametrize(("path", "day"), course_days(), ids=lambda v: getattr(v, "stem", None))
def test_the_picture_is_cut_to_its_room(path: Path, day: date, knowledge: Knowledge) -> None:
    """As high as it is said to be, never higher than it may be where rows can go, and the first quantity stays."""
    whole = timeline(looked_at(path, day, knowledge)[1], knowledge)
    for most in (CLINICIAN, 250.0, 5000.0):
        shown = fitting(whole, most)
        drawn = ElementTree.fromstring(svg(shown, "x"))
        assert abs(float(drawn.attrib["viewBox"].split()[3]) - height(shown)) <= 1
        assert shown.panels[:1] == whole.panels[:1]
        assert height(shown) <= max(most, CLINICIAN)
    assert fitting(whole, 5000.0) == whole


def test_a_picture_needs_something_to_see() -> None:
    """A record without a course has no picture; one with a treatment has."""
    for path, has in ((PUBLISHED[15], False), (COURSES[-1], True)):
        day = dict([*case_days(), *course_days()])[path]
        sheet = case_report(path, day, "clinician")[0]
        assert any(isinstance(block, Picture) for block in blocks(sheet)) is has


# the transplant's sheet


@pytest.mark.parametrize("day", [date(2018, 7, 1), date(2018, 8, 10), date(2020, 3, 1)])
@papers
def test_the_hand_over_sheet_is_one_page(day: date, paper: Any, knowledge: Knowledge) -> None:
    """Before day 0, on day 9 and long after: one page, no dose, each definition with its verdict."""
    case = read_case(next(path for path in COURSES if "transplant" in path.stem))
    course = follow(records(course_events(case, knowledge), day)[0], knowledge, as_of=day)
    reader = PdfReader(io.BytesIO(report.transplant_pdf(course, knowledge, paper=paper, made=MADE)))
    text = bare(text_of(reader))
    assert len(reader.pages) == 1 and text.count(bare(NO_DOSE)) == 1 and "Engraftmentsyndrome" in text
    assert ("Day0:2018-08-01" in text) == bool(course.transplants)
    for transplant in course.transplants:
        for item in transplant.definitions:
            assert bare(item.label) in text and item.verdict.value in text
    html = page_of(report.transplant_html(course, knowledge, made=MADE))
    assert not html.open and bare(NO_DOSE) in bare("".join(html.text))


# how much fits


@pytest.mark.parametrize(("has", "per_row", "fixed"), [
    ((100, 100), (10, 3), (20, 50)), ((760, 700), (31, 17), (600, 650)), ((50, 50), (1, 1), (60, 1)),
    ((10_000, 10_000), (1, 1), (1, 1))])
def test_the_search_finds_the_room_there_is(has: Sequence[float], per_row: Sequence[float],
                                            fixed: Sequence[float]) -> None:
    """Not more than fits, not much less than fits, and nothing where not even the least fits."""
    asked = []

    def left(rooms: Sequence[int]) -> list[float]:
        asked.append(tuple(rooms))
        return [height - base - row * room for height, base, row, room in zip(has, fixed, per_row, rooms, strict=True)]

    found = report_fit._search(left, 2)
    if min(one - base for one, base in zip(has, fixed, strict=True)) < 0:
        assert found is None
    else:
        assert found is not None and min(left(found)) >= 0
        for room, points, row in zip(found, left(found), per_row, strict=True):
            assert room == report_fit.MOST or points < max(report_fit.ENOUGH, row)
    assert len(asked) <= 14


def test_flows_that_fit_alone_and_not_together_give_way() -> None:
    """Where the second page grows by what the first holds, both end where both fit."""
    def left(rooms: Sequence[int]) -> list[float]:
        return [400 - 10 * rooms[0], 300 - 10 * rooms[1] - 7 * rooms[0]]

    found = report_fit._search(left, 2)
    assert found is not None and min(left(found)) >= 0


# the command


def run(*arguments: object) -> int:
    return cli.run([str(argument) for argument in arguments])


def test_the_command_writes_a_pdf_or_a_page(tmp_path: Path) -> None:
    """The name of the file says which, and --format goes before the name."""
    record = EXAMPLES / "published-case.csv"
    assert run("report", record, "-o", tmp_path / "a.pdf") == 0
    assert run("report", record, "-o", tmp_path / "a.html", "--edition", "patient") == 0
    assert run("report", record, "-o", tmp_path / "b.out", "--format", "html", "--sheet", "transplant") == 0
    assert run("report", record, "-o", tmp_path / "c.pdf", "--paper", "letter", "--as-of", "2020-04-01") == 0
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")
    assert "My record, for the appointment" in (tmp_path / "a.html").read_text()
    assert NO_DOSE in (tmp_path / "b.out").read_text()
    assert "as of 2020-04-01" in text_of(PdfReader(tmp_path / "c.pdf"))


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    """Several patients, an unknown one, a place that cannot be written, a terminal: a plain line and code 2."""
    two = tmp_path / "two.csv"
    two.write_text("patient,date,finding,status\nsecret-a,2020-01-01,polyneuropathy,present\n"
                   "secret-b,2020-01-01,polyneuropathy,present\n")
    assert run("report", two, "-o", tmp_path / "x.pdf") == 2
    assert run("report", two, "-o", tmp_path / "x.pdf", "--patient", "secret-c") == 2
    assert run("report", two, "-o", tmp_path / "no" / "x.pdf", "--patient", "secret-a") == 2
    assert run("report", two, "--sheet", "transplant", "--edition", "patient") == 2
    assert run("report") == 2
    said = capsys.readouterr().err
    assert "holds 2" in said and "--patient" in said and "no such patient" in said and "secret" not in said
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert run("report", two, "--patient", "secret-a") == 2
    assert "-o report.pdf" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.pdf"))


def test_a_refused_row_makes_code_3_and_a_report_of_the_rest(tmp_path: Path) -> None:
    """What can be read is put on paper, and the code says that something could not."""
    bad = tmp_path / "bad.csv"
    bad.write_text("patient,date,finding,status\np1,2020-01-01,polyneuropathy,present\np1,2020-13-45,papilledema,present\n")
    assert run("report", bad, "-o", tmp_path / "x.pdf") == 3
    assert "refused" in text_of(PdfReader(tmp_path / "x.pdf"))


def test_a_pdf_can_go_through_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without -o the bytes go to standard output."""
    with (tmp_path / "out").open("w", encoding="utf-8") as out:
        monkeypatch.setattr("sys.stdout", out)
        assert run("report", EXAMPLES / "published-case.csv") == 0
    assert (tmp_path / "out").read_bytes().startswith(b"%PDF-")


def test_the_shapes_are_what_the_templates_know() -> None:
    """Each kind of block is drawn by both templates."""
    kinds = {kind.kind for kind in (Lines, Table, Bars, Picture, Beside, Ruled, Sources)}
    for name in ("report.typ", "report_sheet.html.j2"):
        text = (report_fit.TEMPLATES / name).read_text()
        assert {kind for kind in kinds if f'kind == "{kind}"' in text or f"kind == '{kind}'" in text} == kinds


def test_a_text_is_cut_at_a_word_and_shows_it() -> None:
    """Long texts end in an ellipsis, at a word where one is near."""
    assert shortened("one two three", 9) == "one two…"
    assert shortened("x" * 50, 10) == "x" * 9 + "…"
    assert shortened("a\u0007b\nc") == "ab c"


def test_every_source_in_short_can_be_found(knowledge: Knowledge) -> None:
    """A short citation is never empty, and no two sources read the same."""
    press = Press(knowledge)
    from poems.render.report_model import short

    told = [short(source, source.text) for source in knowledge.sources.values()]
    assert all(len(text) >= 8 for text in told)
    assert press.sources() == ()
    doubles = {text for text in told if told.count(text) > 1}
    assert not doubles
