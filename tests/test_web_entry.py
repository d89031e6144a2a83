"""What is entered by hand: a slip is asked about, what is looked for is found by the words of its reader, an empty
record says where to begin, and a patient reads plain words before the detail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from pathlib import Path

import pytest
from web_made import COURSE, EXAMPLE, Browser, Served, fill

from poems.adapters import read
from poems.knowledge import Knowledge
from poems.record import Event
from poems.render.catalogue import KINDS, of_kind
from poems.store import Store
from poems.web.begin import begin, looked_for, missing
from poems.web.entry import AS_PRINTED, asked, by_field, shown, typed
from poems.web.names import options, short
from poems.web.plainly import plainly
from poems.web.told import seen

TODAY = date(2026, 1, 1)
TABLE = Path(__file__).parent.parent / "poems/web/static/record.csv"
SLIPS = (
    {"finding": "VEGF", "value": "820", "unit": "ng/mL", "specimen": "plasma"},
    {"finding": "Hemoglobin", "value": "160", "unit": "g/dL"},
    {"finding": "Age", "value": "380", "unit": "a"},
    {"finding": "Platelets", "value": "400000", "unit": "10*9/L"},
    {"finding": "Platelets", "value": "400", "upper_limit": "400000", "unit": "10*9/L"},
)


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: f"{slip['finding']} {slip['value']}")
def test_a_number_far_from_all_that_is_printed_is_asked_about_once(slip: dict[str, str], knowledge: Knowledge) -> None:
    """A form asks; sent again it is kept, with a caution; another number is asked about again; a program is told."""
    first = typed({**slip, AS_PRINTED: ""}, "p", knowledge, TODAY)
    assert first.event is None
    assert "Is this as printed?" in " ".join(by_field(first.faults).values())
    second = typed(first.raw, "p", knowledge, TODAY)
    assert second.event is not None
    assert [one.level for one in second.notes] == ["caution"]
    other = typed({**first.raw, "value": "999999"}, "p", knowledge, TODAY)
    assert other.event is None
    program = typed(slip, "p", knowledge, TODAY)
    assert program.event == second.event
    assert [one.level for one in program.notes] == ["caution"]
    assert typed(shown(second.event), "p", knowledge, TODAY).event == second.event, "a correction asks for nothing anew"


def test_the_question_speaks_in_the_unit_that_was_typed(knowledge: Knowledge) -> None:
    said = typed({**SLIPS[0], AS_PRINTED: ""}, "p", knowledge, TODAY)
    assert "0 to 100 ng/mL" in by_field(said.faults)["value"]


def test_every_quantity_has_a_guard_and_no_published_patient_meets_it(knowledge: Knowledge) -> None:
    """The guard is assumed, and so wide that nothing published is asked about."""
    for concept in knowledge.concepts.values():
        assert (concept.plausible is not None) == bool(concept.unit), concept.id
        if concept.plausible is not None:
            assert concept.plausible.status == "assumed" and concept.plausible.because
    for path in (*EXAMPLE.parent.glob("*.csv"), *EXAMPLE.parent.glob("*/*.csv")):
        found = read(path, knowledge, today=TODAY).issues
        assert not [one for one in found if "outside of" in one.found], path.name


def test_an_empty_form_says_everything_at_once(knowledge: Knowledge) -> None:
    empty = {"finding": "VEGF", "value": "", "unit": "", "specimen": ""}
    assert set(by_field(typed(empty, "p", knowledge, TODAY).faults)) == {"value", "unit", "specimen"}


def test_a_specimen_that_was_named_is_chosen_and_can_be_changed(knowledge: Knowledge) -> None:
    """Plasma VEGF is not asked where it was measured; VEGF is."""
    assert asked(knowledge.concepts["vegf-plasma"], knowledge).specimen == "plasma"
    assert asked(knowledge.concepts["vegf"], knowledge).specimen == ""
    assert asked(knowledge.concepts["platelets"], knowledge).specimen == ""


def test_what_was_typed_stands_beside_what_is_kept(knowledge: Knowledge) -> None:
    raw = {"finding": "Plasma VEGF", "value": "0.82", "unit": "ng/mL", "specimen": "plasma"}
    event = typed(raw, "p", knowledge, TODAY).event
    assert event is not None
    for edition in ("clinician", "patient"):
        assert "(typed: 0.82 ng/mL)" in seen(event, knowledge, edition, raw).what  # type: ignore[arg-type]
        assert "typed" not in seen(event, knowledge, edition, {**raw, "unit": "pg/mL"}).what  # type: ignore[arg-type]
    drug = Event("p", "lenalidomide", None, "present")
    assert "typed" not in seen(drug, knowledge, "patient", {"value": "25", "unit": "mg"}).what


def test_each_edition_finds_by_its_own_words(knowledge: Knowledge) -> None:
    """Every name that is offered is known to the form; words that only lead to a finding are no name of it."""
    for edition in ("clinician", "patient"):
        names = re.findall(r'<option value="([^"]*)"', str(options(knowledge, edition)))  # type: ignore[arg-type]
        found = [knowledge.by_name(unescape(one)) for one in names]
        assert [one.id for one in found if one] and {one.id for one in found if one} == set(knowledge.concepts)
    assert 'value="Swollen legs or arms"' in options(knowledge, "patient")
    for words, key in (("weak legs", "muscle-weakness"), ("swollen feet", "peripheral-edema"), ("born", "birth-date"),
                       ("CT", "sclerotic-bone-lesion"), ("chemo", "melphalan")):
        assert words in knowledge.concepts[key].sought_as
        assert knowledge.by_name(words) is None, "a reader must not take it for the finding"
    assert knowledge.by_name("Birthday") is knowledge.concepts["birth-date"]


def test_an_empty_record_says_where_to_begin(knowledge: Knowledge) -> None:
    """What the criteria for POEMS look at, and of it what nobody has recorded."""
    first = begin(knowledge)
    assert {"polyneuropathy", "vegf", "papilledema", "platelets"} <= {one.id for one in first}
    assert missing([], knowledge) == first
    assert missing([Event("p", "vegf-serum", None, "present")], knowledge) == tuple(
        one for one in first if one.id != "vegf")
    every = [Event("p", next(iter(findings)), None, "absent") for findings in looked_for(knowledge).values()]
    assert missing(every, knowledge) == ()
    assert short(knowledge.concepts["vegf"], "patient", knowledge) == "VEGF in blood"


def test_the_table_to_fill_in_is_read_and_says_nothing_by_itself(knowledge: Knowledge) -> None:
    """Left as it is it brings nothing; a word or a number in it counts."""
    reading = read(TABLE, knowledge, today=TODAY)
    assert not reading.events and {one.level for one in reading.issues} == {"note"}
    lines = TABLE.read_text().splitlines()
    filled = [line.replace("unknown,,", "unknown,512,10*9/L") if ",Platelets," in line else
              line.replace("unknown", "present") if "optic" in line else line for line in lines]
    events = read("\n".join(filled).encode(), knowledge, today=TODAY).events
    assert [(one.finding, one.status, one.value) for one in events] == [
        ("papilledema", "present", None), ("platelets", "", 512.0)]


def test_a_patient_reads_plain_words_of_everything_that_is_known(knowledge: Knowledge) -> None:
    """Each thing has them, and no ratio and no predictive value stands in them."""
    for kind in KINDS:
        for key in of_kind(knowledge, kind):
            said = " ".join(plainly(key, knowledge))
            assert said, key
            if kind != "claims":
                assert not re.search(r"\bLR\b|likelihood|PPV|NPV|predictive|specificity of", said), key
    assert plainly("nothing-of-this-name", knowledge) == ()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, knowledge: Knowledge) -> Iterator[Served]:
    """The app with the two published patients and one empty record."""
    with Store.open(tmp_path_factory.mktemp("entry") / "entry.db") as store:
        store.set_setting("mode", "many", "test")
        fill(store, "published-case", EXAMPLE, knowledge)
        fill(store, "course", COURSE, knowledge)
        store.create("nobody yet", "test")
        with Served(store, knowledge) as made:
            yield made


@pytest.fixture
def visitor(served: Served) -> Iterator[Browser]:
    with served.browser() as made:
        made.cookies.set("edition", "patient")
        yield made


def uid(served: Served, label: str) -> str:
    found = served.store.find(label)
    assert found is not None
    return found.uid


def test_a_form_asks_and_a_second_save_keeps(served: Served, visitor: Browser) -> None:
    """By the form as the page sends it, without a script."""
    place = f"/p/{uid(served, 'nobody yet')}"
    form = {"finding": "Hemoglobin", "value": "160", "unit": "g/dL", AS_PRINTED: ""}
    asked_page = visitor.submit(f"{place}/add", form)
    assert asked_page.status_code == 422 and "Is this as printed?" in asked_page.text
    brought = re.search(r'name="as_printed" value="([^"]*)"', asked_page.text)
    assert brought and visitor.submit(f"{place}/add", {**form, AS_PRINTED: unescape(brought[1])}).status_code == 303
    [entry] = served.store.entries(uid(served, "nobody yet"))
    served.store.undo(uid(served, "nobody yet"), entry.change_id, "test")


def test_an_empty_record_and_the_overview_lead_to_the_form(served: Served, visitor: Browser) -> None:
    """A button for each; it opens the form, and no address names what was chosen."""
    empty = visitor.get(f"/p/{uid(served, 'nobody yet')}/").text
    overview = visitor.get(f"/p/{uid(served, 'published-case')}/review").text
    assert "record.csv" in empty and "starters" in empty and "starters" in overview
    assert "starters" not in visitor.get(f"/p/{uid(served, 'published-case')}/").text
    [first, *_] = re.findall(r'<button name="finding" value="([^"]*)"', empty)
    opened = visitor.submit(f"/p/{uid(served, 'nobody yet')}/fields", {"finding": unescape(first)})
    assert opened.status_code == 200 and 'name="status"' in opened.text
    table = re.search(r'href="(/static/record\.csv[^"]*)"', empty)
    assert table and visitor.get(unescape(table[1])).text == TABLE.read_text()


def test_a_name_that_is_none_is_answered_with_what_was_meant(served: Served, visitor: Browser) -> None:
    """Without a script too: the words of patients lead to a button for each finding."""
    place = f"/p/{uid(served, 'nobody yet')}"
    said = visitor.submit(f"{place}/fields", {"finding": "weak legs"})
    assert said.status_code == 422
    meant = re.findall(r'<button name="finding" value="([^"]*)"', said.text.partition("Did you mean")[2])
    assert "Muscle weakness" in meant
    both = visitor.submit(f"{place}/fields", {"finding": ["weak legs", "Muscle weakness"]})  # the field, the button
    assert both.status_code == 200 and "<legend>Muscle weakness</legend>" in both.text
    assert "Did you mean" not in visitor.submit(f"{place}/fields", {"finding": "xyzzy"}).text


def test_an_example_is_called_one_and_can_be_put_away(served: Served, visitor: Browser) -> None:
    place = uid(served, "published-case")
    shown_page = visitor.get(f"/p/{place}/").text
    assert "An example from a published paper" in shown_page and f'action="/p/{place}/remove"' in shown_page
    assert "An example from a published paper" not in visitor.get(f"/p/{uid(served, 'course')}/").text


def test_the_detail_of_a_claim_is_folded_away_for_a_patient(visitor: Browser) -> None:
    """The plain words stand before it; a clinician has the detail open."""
    patient = visitor.get("/knowledge/vegf-plasma-200").text
    before, _, folded = patient.partition("<details class=\"detail\"")
    assert "Of 28 people with POEMS" in before and "LR+" not in before and "LR+" in folded
    corrections = visitor.get("/guide/corrections").text
    assert corrections.count('<details class="folded"') > 10
    visitor.cookies.set("edition", "clinician")
    assert '<details class="detail"' not in visitor.get("/knowledge/vegf-plasma-200").text


def test_what_if_says_how_sure_both_probabilities_are(served: Served, visitor: Browser) -> None:
    visitor.cookies.set("edition", "clinician")
    said = visitor.submit(f"/p/{uid(served, 'course')}/what-if", {"finding": "Papilledema", "status": "present"}).text
    spreads = re.findall(r'class="soft spread">([^<]*)<', said)
    assert len(spreads) >= 10
    assert all(re.fullmatch(r"[<>]?[\d.]+( to [<>]?[\d.]+)? %", unescape(one)) for one in spreads)


def test_the_course_offers_the_patient_the_transplant_sheet(served: Served, visitor: Browser) -> None:
    """Who is transplanted carries it from one hospital to the next; nobody else is offered it."""
    transplant = fill(served.store, "transplanted", EXAMPLE.parent / "courses/simulated-transplant.csv")
    assert "Transplant sheet for my doctors" in visitor.get(f"/p/{transplant.uid}/follow").text
    assert "Transplant sheet" not in visitor.get(f"/p/{uid(served, 'course')}/follow").text
