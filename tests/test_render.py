"""The three renderings of a review, in two editions: right, complete, and safe whatever the record holds."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from conftest import HERE, PUBLISHED, case_record, read_case
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from rich.cells import cell_len

from poems.errors import Issue
from poems.follow.words import AGAIN
from poems.knowledge import Knowledge, load
from poems.record import Event, Record
from poems.render import render, schema, words
from poems.render.patient import QUESTIONS, own
from poems.render.view import person, view
from poems.review import ABOUT_EQUAL_BITS, Review, assess
from poems.rules import Verdict

DOCS = HERE.parent / "docs"
ANSI = re.compile(r"\x1b\[[0-9;]*m")
MARK = re.compile(r"\[(\d+)\*?\]")
VOID = {"meta", "rect", "path", "br", "link", "img", "input", "hr"}


def reviewed(path: Path, knowledge: Knowledge) -> Review:
    """The review of a published case in its own setting."""
    case = read_case(path)
    return assess(case_record(case), knowledge, setting=case.get("setting", ""))


def made(*events: Event, as_of: date | None = date(2020, 6, 1), patient: str = "p1",
         issues: tuple[Issue, ...] = ()) -> Review:
    """The review of a record that a test makes up."""
    return assess(Record(patient, tuple(events), as_of), load(), issues=issues)


class Page(HTMLParser):
    """What a browser would find: ids, links, tags with their attributes, text, and whether every tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for key, value in attrs if key == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else, line {self.getpos()}"

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every such tag."""
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("edition", ["clinician", "patient"])
def test_no_line_is_longer_than_the_terminal(knowledge: Knowledge, width: int, edition: Any) -> None:
    """Every published case fits the columns it was given, in both editions, without an escape sequence."""
    for path in PUBLISHED:
        text = render([reviewed(path, knowledge)], knowledge, edition=edition, width=width)
        assert max(map(cell_len, text.splitlines())) <= width, path.name
        assert "\x1b" not in text


def test_colour_adds_nothing_but_colour(knowledge: Knowledge) -> None:
    """Without its escape sequences the coloured letter is the plain one: no meaning is carried by colour alone."""
    for path in PUBLISHED[:4]:
        found = reviewed(path, knowledge)
        coloured = render([found], knowledge, colour=True)
        plain = render([found], knowledge)
        assert ANSI.search(coloured)
        assert [line.rstrip() for line in ANSI.sub("", coloured).splitlines()] == plain.splitlines()


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_the_letter_says_what_the_review_says(path: Path, knowledge: Knowledge) -> None:
    """Every set with its verdict, every disease with its probability, every caution, and where each finding stood."""
    found = reviewed(path, knowledge)
    page = view(found, knowledge)
    text = render([found], knowledge)
    said = " ".join(text.split())
    for item in found.criteria:
        assert f"{words.SYMBOL[item.verdict]} {item.verdict.value}" in said
        assert item.criteria.label.split("(")[0].strip()[:30] in said
    for posterior in found.differential:
        assert f"{words.percent(posterior.probability)} {words.interval(posterior.low, posterior.high)}" in said
    for caution in found.cautions:
        assert " ".join(words.clean(caution.text).split())[:60] in re.sub(r" \[\d+\*?\]", "", said)
    for part in page.leading[0].parts:
        assert part.label in said
        if not part.parts or part.is_question:
            assert all(seen.source.split()[-1] in said for seen in part.observations)
    assert "no diagnosis" not in said


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_a_test_that_tells_nothing_is_not_called_telling(path: Path, knowledge: Knowledge) -> None:
    """The first screen names a test only where the best one is told from none by the margin that ranks them."""
    case = read_case(path)
    for setting in knowledge.settings:
        found = assess(case_record(case), knowledge, setting=setting)
        tells = max((test.gain_bits for test in found.next_tests), default=0.0) >= ABOUT_EQUAL_BITS / 2
        assert tells == ("Most telling next" in " ".join(view(found, knowledge).glance))


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_every_number_of_a_source_is_in_the_list_and_every_source_is_used(path: Path, knowledge: Knowledge) -> None:
    """Marks and list agree, in the letter and in the page, and count from 1 without a gap."""
    found = reviewed(path, knowledge)
    body, _, listed = render([found], knowledge).rpartition("Sources ──")
    marks = {int(number) for number in MARK.findall(body)}
    entries = [int(number) for number in re.findall(r"^ +\[(\d+)\]", listed, re.M)]
    assert entries == list(range(1, len(entries) + 1))
    assert marks == set(entries)
    page = Page(render([found], knowledge, form="html"))
    used = {attributes["href"] for attributes in page.of("a") if attributes.get("class") == "cite"}
    assert used == {f"#{name}" for name in page.ids if re.fullmatch(r"p1-s\d+", name)}


def test_a_mark_has_a_star_where_the_source_itself_was_not_read(knowledge: Knowledge) -> None:
    """What rests on the FAQ only is starred, and the list says so in words."""
    text = " ".join(render([reviewed(PUBLISHED[0], knowledge)], knowledge).split())
    assert re.search(r"The four conditions of the 2017 FAQ \[\d+\*\]", text)
    assert "stated by the 2017 FAQ only" in text


@pytest.mark.parametrize("edition", ["clinician", "patient"])
@pytest.mark.parametrize("path", PUBLISHED[::3], ids=lambda path: path.stem)
def test_the_page_is_whole_and_needs_nothing(path: Path, edition: Any, knowledge: Knowledge) -> None:
    """One file: no script, no request; every anchor resolves, ids are unique, tags close, tables are named."""
    html = render([reviewed(path, knowledge)] * 2, knowledge, form="html", edition=edition)
    page = Page(html)
    assert not page.open
    assert len(page.ids) == len(set(page.ids))
    assert not {"script", "link", "img", "iframe", "object", "form"} & {tag for tag, _ in page.tags}
    assert not re.search(r"url\(|@import|javascript:|\son\w+=", html)
    known = {source.link for source in knowledge.sources.values()}
    for tag, attributes in page.tags:
        assert "src" not in attributes
        assert tag == "a" or "href" not in attributes
    for attributes in page.of("a"):
        target = attributes["href"] or ""
        assert target[1:] in page.ids if target.startswith("#") else target in known
    assert all(attributes.get("aria-label") and attributes.get("role") == "img" for attributes in page.of("svg"))
    assert len(page.of("caption")) == len(page.of("table"))
    assert len(page.of("h1")) == 2
    assert page.of("html")[0]["lang"] == "en"
    assert "default-src 'none'" in html


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2 of `#rgb` or `#rrggbb`."""
    digits = colour.lstrip("#")
    digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
    parts = [int(digits[i:i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_has_contrast_enough(theme: int) -> None:
    """Every pair of text and ground reaches 4.5 to 1 (WCAG 2 AA), in the light and in the dark; bars reach 3 to 1."""
    css = (HERE.parent / "poems/render/templates/page.css").read_text()
    blocks = re.findall(r":root\{(.*?)\}", css, re.S)
    colours = dict(re.findall(r"--(\w[\w-]*):(#\w+)", blocks[0])) | (
        dict(re.findall(r"--(\w[\w-]*):(#\w+)", blocks[1])) if theme else {})
    pairs = [("ink", "bg"), ("ink", "card"), ("soft", "bg"), ("soft", "card"), ("link", "bg"), ("link", "card"),
             ("met", "met-bg"), ("open", "open-bg"), ("not", "not-bg"), ("met", "card"), ("open", "card"),
             ("ink", "open-bg")]
    for text, ground, least in [*((a, b, 4.5) for a, b in pairs), ("bar", "card", 3), ("against", "card", 3)]:
        light, dark = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= least, (text, ground)


NASTY = "<script>alert(1)</script> \"' & [bold red]x[/] \x1b[31m\x07\x9b \u202eevil\u2066 {{ 7*7 }} \ud800"


@pytest.mark.parametrize("edition", ["clinician", "patient"])
def test_whatever_the_record_holds_is_only_text(edition: Any, knowledge: Knowledge) -> None:
    """Markup of HTML, of the terminal and of our own tools is shown as it was written or left out, never followed."""
    found = made(Event("p", "papilledema", date(2020, 1, 1), "present", method=NASTY, source=NASTY),
                 Event("p", "vegf", date(2020, 1, 1), value=9.0, unit=NASTY, specimen=NASTY, comparator=NASTY),
                 Event("p", NASTY, status="present"),
                 patient=NASTY, issues=(Issue("fault", NASTY, NASTY, NASTY, NASTY),))
    text = render([found], knowledge, edition=edition)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2066\ud800]", text)
    assert "[bold red]x[/]" in " ".join(text.split())
    html = render([found], knowledge, form="html", edition=edition)
    page = Page(html)
    assert not page.of("script")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2066\ud800]", html)
    assert "{{ 7*7 }}" in html
    assert "49" not in (page.of("title") or [{}])[0]
    html.encode("utf-8")
    json.loads(render([found], knowledge, form="json", edition=edition))


@settings(max_examples=40, deadline=None)
@given(name=st.text(max_size=200), source=st.text(max_size=300),
       value=st.floats(allow_nan=False, allow_infinity=False), limit=st.none() | st.floats(0, 1e300))
def test_no_record_breaks_a_rendering(name: str, source: str, value: float, limit: float | None) -> None:
    """Names and numbers of any shape: every rendering is made, the letter keeps its width, the page its tags."""
    known = load()
    found = made(Event("p", "vegf-plasma", date(1, 1, 1), value=value, unit="pg/mL", upper_limit=limit, source=source),
                 Event("p", "edema", None, "absent", method=source), patient=name, as_of=None)
    for edition in ("clinician", "patient"):
        text = render([found], known, edition=edition)  # type: ignore[arg-type]
        assert max(map(cell_len, text.splitlines())) <= 100
        assert not Page(render([found], known, form="html", edition=edition)).open  # type: ignore[arg-type]


def every_text(found: Review, knowledge: Knowledge) -> list[str]:
    """The patient's edition in its three forms."""
    html = Page(render([found], knowledge, form="html", edition="patient"))
    return [render([found], knowledge, edition="patient"), " ".join(html.text),
            render([found], knowledge, form="json", edition="patient")]


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_the_patient_reads_no_verdict_and_no_probability(path: Path, knowledge: Knowledge) -> None:
    """Neither the words nor the numbers of a verdict or a differential stand anywhere in the patient's edition."""
    found = reviewed(path, knowledge)
    secret = [disease["label"] for key, disease in knowledge.diseases.items()
              if key not in ("poems", "cidp") and "label" in disease]
    for text in every_text(found, knowledge):
        body = text.rpartition("Sources")[0] or text
        assert not re.search(r"\bnot met\b|\bmet\b|unknown|probab|likelihood|differential|verdict|log_ratio|settle|"
                             r"posterior|× \d|÷|[●○◌]", body, re.I), path.name
        assert not any(words.interval(item.low, item.high) in body for item in found.differential
                       if item.low > 0.001)
        recorded = {knowledge.concepts[event.finding].label for event in found.record.events
                    if event.finding in knowledge.concepts}
        assert not any(name in body for name in secret if name not in recorded and "myeloma" not in name.lower())
        assert all(question in " ".join(body.split()) for question in QUESTIONS)


def test_the_patient_reads_no_dose(knowledge: Knowledge) -> None:
    """A treatment is named with its day; how much of it was given is left out of all three forms."""
    found = made(Event("p", "lenalidomide", date(2020, 1, 5), value=12345.0, unit="mg", source="chart"))
    for text in every_text(found, knowledge):
        assert "12345" not in text
        assert "2020-01-05" in text


def test_the_patient_sees_what_is_recorded_and_what_is_not(knowledge: Knowledge) -> None:
    """What a criterion looks at is shown with what the record holds about it, or that nothing is recorded yet."""
    found = made(Event("p", "papilledema", date(2020, 1, 1), "present"), Event("p", "edema", None, "absent"))
    page = " ".join(Page(render([found], knowledge, form="html", edition="patient")).text)
    text = " ".join(render([found], knowledge, edition="patient").split())
    assert f"{knowledge.concepts['papilledema'].patient}: found 2020-01-01" in page
    assert "2020-01-01" in text
    assert "nothing recorded yet" in text
    assert "Looked for and not found" in text


NORMAL = (Event("p", "polyneuropathy", date(2020, 3, 2), "absent"),
          Event("p", "vegf-plasma", date(2020, 3, 5), value=20.0, unit="pg/mL", upper_limit=96.2, specimen="plasma"),
          Event("p", "vegf-serum", date(2020, 3, 5), value=100.0, unit="pg/mL", upper_limit=500.0, specimen="serum"),
          Event("p", "platelets", date(2020, 3, 5), value=200.0, unit="10*9/L", upper_limit=400.0),
          Event("p", "serum-immunofixation", date(2020, 3, 6), "absent"),
          Event("p", "sclerotic-bone-lesion", date(2020, 3, 7), "absent", method="skeletal-survey"),
          Event("p", "papilledema", date(2020, 3, 7), "absent"))
"""A record in which everything that was looked at is normal."""


def test_a_normal_result_is_never_told_as_a_finding(knowledge: Knowledge) -> None:
    """The value stands with its limit, what was not found is said not to be; nothing claims what a criterion asks."""
    shown = {item.id: item.said for item in own(made(*NORMAL), knowledge).looked_at}
    assert shown["vegf-raised"] == ("VEGF in blood plasma: 20 pg/mL (limit 96.2), 2020-03-05; VEGF in blood serum: "
                                    "100 pg/mL (limit 500), 2020-03-05")
    assert shown["thrombocytosis-or-polycythemia"] == "Platelets: 200 ×10⁹/L (limit 400), 2020-03-05"
    assert shown["polyneuropathy"].endswith("looked for, not found 2020-03-02")
    assert shown["organomegaly"] == ""
    text, *forms = every_text(made(*NORMAL), knowledge)
    assert "20 pg/mL (limit 96.2)" in text
    for said in forms:
        assert not re.search(r"(?<!not )\bfound \d{4}|my record has|is above|too many (?!red)|in your record:", said)
        assert "20 pg/mL (limit 96.2)" in " ".join(said.split())


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_what_is_said_to_be_found_is_recorded_as_present(path: Path, knowledge: Knowledge) -> None:
    """Beside each thing that doctors look for stand exactly the findings of the record that bear on it."""
    review = reviewed(path, knowledge)
    for item in own(review, knowledge).looked_at:
        assert len(item.recorded) == len(item.findings)
        for finding, said in zip(item.findings, item.recorded, strict=True):
            events = [event for event in review.record.events if event.finding == finding]
            assert any(event.status == "present" for event in events) or not re.search(r": found|; found|written", said)
            assert any(event.status == "absent" for event in events) or "not found" not in said


def test_no_name_of_a_criterion_is_a_claim(knowledge: Knowledge) -> None:
    """What doctors look for is named, not said: it stands beside whatever the record holds."""
    for criterion in knowledge.components.values():
        assert not re.search(r"\b(is|are|was|has|have)\b", criterion.patient), criterion.id


def test_a_negative_test_is_only_as_negative_as_its_method_allows(knowledge: Knowledge) -> None:
    """For the patient too: a clean skeletal survey, or one negative test of several, cannot rule the finding out."""
    shown = {item.id: item.said for item in own(made(*NORMAL), knowledge).looked_at}
    assert shown["sclerotic-bone-lesion"].endswith("looked for, not found 2020-03-07; this alone cannot rule it out")
    assert shown["monoclonal-plasma-cell-disorder"].endswith("this alone cannot rule it out")
    assert "rule" not in shown["polyneuropathy"] + shown["papilledema"] + shown["vegf-raised"]
    by_ct = made(*NORMAL, Event("p", "sclerotic-bone-lesion", date(2020, 3, 8), "absent", method="ct"))
    assert "rule" not in {item.id: item.said for item in own(by_ct, knowledge).looked_at}["sclerotic-bone-lesion"]
    groups = dict(own(made(*NORMAL), knowledge).groups)
    said = {entry.finding: entry.days[0][1] for entry in groups["Looked for and not found"]}
    assert said["sclerotic-bone-lesion"] == "this test alone cannot rule it out"
    assert said["papilledema"] == said["serum-immunofixation"] == ""


def test_the_patient_hears_of_the_reading_in_sentences(knowledge: Knowledge) -> None:
    """Forty-seven duplicates are one sentence without an id or a place; the issues themselves stay in the JSON."""
    again = [Issue("note", f"pheno.json, phenopacket.subject[{n}]", f"sex-male {AGAIN} Bundle.entry[{n}]", "one", "Ok")
             for n in range(47)]
    more = [Issue("caution", "labs.csv, row 3", "m-protein-serum without a date", "YYYY-MM-DD", "It was left out."),
            Issue("note", "labs.csv, row 9", "a code that is not known here (12 times, first here)")]
    for issues, said in ((again, "47 entries stand twice; they were read once."),
                         (again[:1], "1 entry stands twice; it was read once."),
                         (more, "1 thing in the entries should be checked against"), (more, "were left out")):
        found = made(Event("p", "papilledema", date(2020, 1, 1), "present"), issues=tuple(issues))
        for text in every_text(found, knowledge)[:2]:
            flat = " ".join(text.split())
            assert flat.count(said) == 1
            assert not re.search(r"pheno|Bundle|labs\.csv|row \d|sex-male|m-protein-serum", flat)
        shown = json.loads(every_text(found, knowledge)[2])
        assert any(said in line for line in shown["remarks"])
        assert len(shown["issues"]) == len(issues)


@pytest.mark.parametrize(("events", "as_of", "said"), [
    ([("age", "2020-01-01", 38.0)], "2020-06-01", "38 years"),
    ([("age", "2020-01-01", 38.0)], "2026-11-23", "38 years on 2020-01-01"),
    ([("age", "2020-01-01", 38.0), ("age", "2026-01-01", 44.0)], "2026-11-23", "44 years"),
    ([("age", None, 38.0)], "2026-11-23", "38 years"),
    ([("birth-date", "1982-11-24", None)], "2026-11-23", "43 years"),
    ([("birth-date", "1982-11-23", None)], "2026-11-23", "44 years"),
    ([("birth-date", "1982-11-23", None), ("age", "2020-01-01", 50.0)], "2026-11-23", "44 years"),
    ([("birth-date", "1982-11-23", None), ("birth-date", "1981-11-23", None), ("age", "2020-01-01", 37.0)],
     "2020-11-23", "37 years"),
    ([("birth-date", "1982-11-23", None)], None, ""),
    ([("age", "2020-01-01", 38.0)], None, "38 years on 2020-01-01"),
    ([], "2020-01-01", "")])
def test_an_age_is_that_of_the_day_or_told_with_its_own(events: Any, as_of: str | None, said: str,
                                                        knowledge: Knowledge) -> None:
    """From the day of birth the age is computed; one that was written down years ago is told with its day."""
    found = [Event("p", name, date.fromisoformat(on) if on else None, "" if value else "present", value,
                   "a" if value else "") for name, on, value in events]
    day = date.fromisoformat(as_of) if as_of else None
    assert person(found, knowledge, day) == said
    review = made(*found, Event("p", "sex-male", None, "present"), as_of=day)
    together = ", ".join(filter(None, (said, "male")))
    assert view(review, knowledge).person == own(review, knowledge).person == together


def test_after_treatment_the_patient_is_not_told_that_later_findings_were_left_out(knowledge: Knowledge) -> None:
    """The lists hold what came later too, so that no sentence says that only earlier findings are used."""
    found = made(Event("p", "lenalidomide", date(2020, 1, 5), "present"),
                 replace(NORMAL[2], date=date(2020, 5, 1), value=60.0))
    for text in every_text(found, knowledge):
        flat = " ".join(text.split())
        assert "60 pg/mL (limit 500)" in flat
        assert "Treatment has begun." in flat
        assert not re.search(r"only findings from before", flat, re.I)


@pytest.mark.parametrize(("event", "said"), [
    (Event("p", "lenalidomide", None, "present"), "given"),
    (Event("p", "lenalidomide", None, "absent"), "stopped or not given"),
    (Event("p", "birth-date", date(1980, 1, 1), "present"), ""),
    (Event("p", "sex-male", None, "present"), ""),
    (Event("p", "papilledema", None, "absent"), "absent"),
    (Event("p", "vegf", None, "present"), "called raised")])
def test_a_status_is_said_in_the_words_of_its_kind(event: Event, said: str, knowledge: Knowledge) -> None:
    """A drug is given or stopped, a quantity called raised; a day of birth is neither present nor absent."""
    assert words.measured(event, knowledge) == said


def test_methods_have_names(knowledge: Knowledge) -> None:
    """No id of a method stands in a sentence, and two ids of one method have one name."""
    methods = {method.id for concept in knowledge.concepts.values() for method in concept.methods}
    for method in methods:
        name = words.method_name(method)
        assert name
        assert "-" not in name.replace("X-ray", "") or name == "low-dose CT"
        assert not re.search(r"\b(ct|mri|pet|ife|spep)\b", name)
    assert words.method_name("ct-chest") == words.method_name("chest-ct")
    seen = Event("p", "sclerotic-bone-lesion", None, "absent", method="low-dose-ct")
    assert words.circumstances(seen) == "by low-dose CT"


def test_refused_rows_are_marked_where_nobody_can_miss_them(knowledge: Knowledge) -> None:
    """A review of the clean part says at the top how much was refused, in every form."""
    fault = Issue("fault", "labs.csv, row 3, value", "not a number", "a number", "Correct it.")
    found = made(Event("p", "papilledema", status="present"), issues=(fault, fault))
    assert "2 rows were refused" in render([found], knowledge).split("Criteria ──")[0]
    assert "2 rows were refused" in render([found], knowledge, form="html").split("<h2")[0]
    assert [issue["level"] for issue in json.loads(render([found], knowledge, form="json"))["issues"]] == ["fault"] * 2


def test_the_schema_in_the_docs_is_the_one_of_the_code() -> None:
    """docs/assess.schema.json is what `python -m poems.render.schema` prints, and a valid JSON Schema."""
    assert (DOCS / "assess.schema.json").read_text() == schema.text()
    Draft202012Validator.check_schema(schema.schema())


@pytest.mark.parametrize("edition", ["clinician", "patient"])
def test_every_review_keeps_the_contract(edition: Any, knowledge: Knowledge) -> None:
    """The JSON of every published case, alone and together, is valid by the schema and holds what the review holds."""
    validator = Draft202012Validator(schema.schema())
    found = [reviewed(path, knowledge) for path in PUBLISHED]
    together = json.loads(render(found, knowledge, form="json", edition=edition))
    validator.validate(together)
    for item, shown in zip(found, together, strict=True):
        alone = json.loads(render([item], knowledge, form="json", edition=edition))
        validator.validate(alone)
        assert alone == shown
        assert shown["patient"] == item.patient
        if edition == "clinician":
            assert {s["id"]: s["verdict"] for s in shown["criteria"]} == {
                s.criteria.id: s.verdict.value for s in item.criteria}
            assert [s["settled_by"] for s in shown["criteria"]] == [s.settled_by for s in item.criteria]
            assert [d["probability"] for d in shown["differential"]] == [d.probability for d in item.differential]
        else:
            assert not {"criteria", "differential", "next_tests", "setting"} & set(shown)
            assert len(shown["record"]) == len(item.record.events)


@pytest.mark.parametrize(("share", "said"), [
    (0.0, "<0.1 %"), (0.0009, "<0.1 %"), (0.001, "0.1 %"), (0.0349, "3.5 %"), (0.12, "12 %"), (0.5, "50 %"),
    (0.934, "93.4 %"), (0.999, "99.9 %"), (0.9991, ">99.9 %"), (1.0, ">99.9 %")])
def test_a_probability_is_never_nothing_and_never_certain(share: float, said: str) -> None:
    """Percentages are honest at both ends."""
    assert words.percent(share) == said


@pytest.mark.parametrize(("share", "said"), [(0.05, "5.0 %"), (0.00058, "1 in 1,700"), (0.000003, "1 in 330,000")])
def test_a_rare_thing_is_said_as_one_in_so_many(share: float, said: str) -> None:
    """A probability before the findings is said so that it can be pictured."""
    assert words.rarity(share) == said


@pytest.mark.parametrize(("ways", "said"), [
    ([["vegf-raised"]], ["VEGF raised"]),
    ([["castleman-disease"], ["sclerotic-bone-lesion"]], ["Castleman disease or sclerotic bone lesion"]),
    ([["papilledema", "vegf-raised"], ["organomegaly", "vegf-raised"]], ["VEGF raised", "Papilledema or organomegaly"]),
    ([["organomegaly", "papilledema"], ["organomegaly", "skin-changes"], ["papilledema", "skin-changes"]],
     ["Two of: organomegaly, papilledema, skin changes"]),
    ([["castleman-disease", "organomegaly"], ["castleman-disease", "papilledema"], ["organomegaly", "vegf-raised"],
      ["papilledema", "vegf-raised"]], ["Castleman disease or VEGF raised", "Organomegaly or papilledema"]),
    ([["organomegaly"], ["papilledema", "skin-changes"]], ["Organomegaly or papilledema with skin changes"]),
    ([], [])])
def test_what_is_missing_is_said_in_words(ways: Sequence[Sequence[str]], said: list[str], knowledge: Knowledge) -> None:
    """What all ways need comes first, then the choices between them; names and abbreviations keep their capitals."""
    assert words.needs(ways, knowledge) == said


def test_every_gap_of_every_case_names_every_finding_of_it(knowledge: Knowledge) -> None:
    """No finding that could complete a set is lost on the way into words, unless they say how many more there are."""
    for path in PUBLISHED:
        for item in reviewed(path, knowledge).criteria:
            for level in item.levels:
                told = " ".join(words.needs(level.met_by, knowledge, most=99)).casefold()
                assert all(words.label(key, knowledge).casefold() in told for way in level.met_by for key in way)
                short = words.needs(level.met_by, knowledge)
                assert len(short) == len(words.needs(level.met_by, knowledge, most=99))


def test_symbols_and_words_stand_together(knowledge: Knowledge) -> None:
    """A verdict is never a symbol or a colour alone: the word stands beside it."""
    text = render([reviewed(PUBLISHED[-1], knowledge)], knowledge)
    criteria = text.split("Criteria ──")[1].split("Why:")[0]
    for verdict in Verdict:
        for line in criteria.splitlines():
            if line.strip().startswith(words.SYMBOL[verdict]):
                assert verdict.value in line
