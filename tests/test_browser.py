"""The app in a real browser: what a person does on the first day, and what must not go wrong."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from browser_made import App, app, browser, context, page, watch, watched  # noqa: F401 - fixtures
from playwright.sync_api import BrowserContext, Page, expect

from poems.exports import write
from poems.store import Store, import_all

pytestmark = [pytest.mark.slow, pytest.mark.browser]
EXAMPLES = Path(__file__).parents[1] / "poems/examples"


def enter_vegf(page: Page, value: str, unit: str = "pg/mL", specimen: str = "plasma", date: str = "2026-01-15") -> None:
    """Type a VEGF into the form for a finding."""
    page.get_by_label("Finding, test or treatment").fill("VEGF")
    page.get_by_label("Finding, test or treatment").press("Tab")
    page.get_by_label("Value").fill(value)
    if unit:
        page.get_by_label(re.compile("^Unit")).select_option(unit)
    if specimen:
        page.get_by_label("Measured in").select_option(specimen)
    page.get_by_label(re.compile("^Day")).fill(date)
    page.get_by_role("button", name="Save", exact=True).click()


def own_record(page: Page) -> None:
    """Begin one's own record."""
    page.goto("/")
    page.get_by_role("button", name="I am a patient or a relative").click()
    page.get_by_role("button", name="Begin my record").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("record|Findings", re.I))


def test_the_first_visit_asks_whose_records_these_will_be(page: Page, app: App) -> None:
    own_record(page)
    assert app.store.setting("mode") == "own" and len(app.store.patients()) == 1
    page.goto("/")
    expect(page).to_have_url(re.compile("/p/[^/]+/$"))


def test_the_example_is_one_click_away(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="I am a professional").click()
    page.get_by_role("button", name=re.compile("example", re.I)).click()
    expect(page).to_have_url(re.compile("/review$"))
    expect(page.locator("main")).to_contain_text("Mayo")
    expect(page.locator("main")).to_contain_text("An example from a published paper")
    page.get_by_role("button", name="Put it away").click()
    expect(page.locator("#patients")).not_to_contain_text("published-case")


def test_the_first_question_decides_how_the_pages_are_worded(page: Page) -> None:
    """Nobody is shown a probability who did not say that they are a professional."""
    page.goto("/")
    expect(page.locator("main")).to_contain_text("POEMS syndrome is a rare disease")
    assert page.get_by_role("button", name=re.compile("example|Begin", re.I)).count() == 0
    page.get_by_role("button", name="I am a patient or a relative").click()
    page.get_by_role("button", name=re.compile("example", re.I)).click()
    expect(page.locator("main")).to_contain_text("What doctors look")
    assert not re.search(r"\d %|not met|Differential", page.locator("main").inner_text())


@pytest.mark.parametrize("form", ["csv", "fhir", "phenopacket", "parquet"])
def test_each_format_is_imported(page: Page, app: App, tmp_path: Path, form: str) -> None:
    source = EXAMPLES / "published-case.csv"
    path = tmp_path / {"csv": "x.csv", "fhir": "x.json", "phenopacket": "x.json", "parquet": "x.parquet"}[form]
    reading = read_all(source, app)
    if form == "parquet":
        import duckdb

        duckdb.sql(f"COPY (SELECT * FROM read_csv('{source}', all_varchar=true)) TO '{path}' (FORMAT parquet)")
    else:
        path.write_bytes(source.read_bytes() if form == "csv" else write(reading, app.knowledge, form).data)
    app.store.set_setting("mode", "many", "test")
    page.goto("/")
    page.locator("form[data-drop] input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("main")).to_contain_text("published-case")
    assert len(app.store.entries(app.uid("published-case"))) == len(reading)


def read_all(path: Path, app: App) -> list:  # type: ignore[type-arg]
    from datetime import date

    from poems.adapters import read

    return list(read(path, app.knowledge, today=date.today()).events)


def test_a_file_can_be_dropped_on_the_page(page: Page, app: App) -> None:
    app.store.set_setting("mode", "many", "test")
    page.goto("/")
    text = (EXAMPLES / "published-case.csv").read_text()
    transfer = page.evaluate_handle(
        """text => { const made = new DataTransfer();
        made.items.add(new File([text], "dropped.csv", {type: "text/csv"})); return made; }""",
        text,
    )
    page.dispatch_event("form[data-drop]", "drop", {"dataTransfer": transfer})
    expect(page.locator("main")).to_contain_text("dropped.csv")
    assert app.store.find("published-case") is not None


def test_a_faulty_file_shows_each_fault_beside_its_row(page: Page, app: App, tmp_path: Path) -> None:
    path = tmp_path / "faulty.csv"
    path.write_text(
        "patient,date,finding,status,value,unit\np1,2020-01-02,edema,present,,\np1,2020-01-02,vegf-plasma,,820,\n"
        "p1,2031-01-01,platelets,,500,10*9/L\np1,2020-13-01,ascites,present,,\n"
    )
    app.store.set_setting("mode", "many", "test")
    page.goto("/")
    page.locator("form[data-drop] input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Import", exact=True).click()
    for row, text in (("row 3", "820"), ("row 4", "2031-01-01"), ("row 5", "2020-13-01")):
        expect(page.locator("tr", has_text=row)).to_contain_text(text)
    assert len(app.store.entries(app.uid("p1"))) == 1
    page.get_by_role("button", name=re.compile("^Undo")).first.click()
    assert not app.store.entries(app.uid("p1"))


def test_unit_and_specimen_are_asked_for_and_never_assumed(page: Page, app: App) -> None:
    own_record(page)
    enter_vegf(page, "820", unit="", specimen="")
    expect(page.locator("#fault-unit")).to_be_visible()
    expect(page.locator("#fault-specimen")).to_be_visible()
    assert page.get_by_label("Value").input_value() == "820"
    [patient] = app.store.patients()
    assert not app.store.entries(patient.uid)
    page.get_by_label(re.compile("^Unit")).select_option("pg/mL")
    page.get_by_label("Measured in").select_option("serum")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#entries")).to_contain_text("820")
    [entry] = app.store.entries(patient.uid)
    assert (entry.event.finding, entry.event.specimen, entry.event.unit) == ("vegf-serum", "serum", "pg/mL")


def test_a_correction_supersedes_and_can_be_undone(page: Page, app: App) -> None:
    own_record(page)
    enter_vegf(page, "820")
    page.get_by_role("link", name=re.compile("^Correct")).click()
    page.get_by_label("Value").fill("280")
    page.get_by_role("button", name="Save the correction").click()
    expect(page.locator("#entries")).to_contain_text("280")
    expect(page.locator("#entries tbody")).not_to_contain_text("820")
    page.get_by_role("link", name="History").click()
    expect(page.locator("main")).to_contain_text("820")
    page.get_by_role("button", name=re.compile("^Undo")).first.click()
    [patient] = app.store.patients()
    assert [entry.event.value for entry in app.store.entries(patient.uid)] == [820]


def test_two_tabs_that_correct_the_same_entry_both_learn_of_it(page: Page, context: BrowserContext, app: App) -> None:
    own_record(page)
    enter_vegf(page, "820")
    page.get_by_role("link", name=re.compile("^Correct")).click()
    other = watch(context.new_page()).page
    other.goto(page.url)
    for tab, value in ((page, "281"), (other, "282")):
        tab.get_by_label("Value").fill(value)
    page.get_by_role("button", name="Save the correction").click()
    expect(page.locator("#entries")).to_contain_text("281")
    other.get_by_role("button", name="Save the correction").click()
    expect(other.locator("main")).to_contain_text("281")
    expect(other.locator("main")).to_contain_text("282")
    [patient] = app.store.patients()
    assert [entry.event.value for entry in app.store.entries(patient.uid)] == [281]


def test_the_review_says_what_is_missing_and_leads_to_its_sources(page: Page, app: App) -> None:
    uid = app.example()
    page.goto(f"/p/{uid}/review")
    expect(page.locator("#p1-criteria")).to_be_visible()
    mark = page.locator("a.cite").first
    target = mark.get_attribute("href") or ""
    mark.click()
    if target.startswith("#"):
        expect(page.locator(target)).to_be_in_viewport()


def test_what_if_moves_the_review_and_saves_nothing(page: Page, app: App) -> None:
    uid = app.example()
    before = app.store.entries(uid)
    page.goto(f"/p/{uid}/review")
    box = page.locator("#what-if")
    if box.evaluate("one => one.tagName") == "DETAILS" and box.get_attribute("open") is None:
        box.locator("summary").first.click()
    box.get_by_label("Finding, test or treatment").fill("Castleman disease")
    box.get_by_label("Finding, test or treatment").press("Tab")
    box.get_by_label("present", exact=True).check()
    box.get_by_role("button", name="Suppose it").click()
    expect(page.locator("main")).to_contain_text("Then")
    assert app.store.entries(uid) == before


def test_the_course_has_a_picture_that_can_be_read_by_keyboard(page: Page, app: App) -> None:
    app.example()
    page.goto(f"/p/{app.uid('published-course')}/follow")
    expect(page.locator("main svg").first).to_be_visible()
    page.locator("#picture [data-row][tabindex='0']").focus()
    said = page.locator(".float").inner_text()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".float")).not_to_have_text(said)
    page.get_by_role("link", name="Last year").click()
    expect(page.locator("#picture a[data-cut='span-1']")).to_have_attribute("aria-current", "true")


def test_the_calendar_and_the_sheets_can_be_taken_away(page: Page, app: App) -> None:
    app.example()
    uid = app.uid("published-course")
    for name, start in (("calendar.ics", b"BEGIN:VCALENDAR"), ("report.pdf", b"%PDF"), ("sheet.pdf", b"%PDF")):
        answer = page.request.get(f"/p/{uid}/{name}")
        assert answer.ok and answer.body().startswith(start), name


def test_on_paper_there_is_the_review_and_nothing_of_the_app(page: Page, app: App) -> None:
    page.goto(f"/p/{app.example()}/review")
    page.emulate_media(media="print")
    expect(page.get_by_role("banner")).to_be_hidden()
    expect(page.locator("#p1-criteria")).to_be_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_everything_goes_out_and_comes_back_the_same(page: Page, app: App, tmp_path: Path) -> None:
    app.example()
    page.goto("/settings")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export everything").click()
    path = tmp_path / "all.zip"
    waiting.value.save_as(path)
    assert zipfile.is_zipfile(path)
    with Store.open(tmp_path / "other.db") as other:
        import_all(other, path, "test", knowledge=app.knowledge)
        for patient in app.store.patients():
            found = other.find(patient.label)
            assert found and other.events(found.uid) == app.store.events(patient.uid)
    page.get_by_label(re.compile("archive", re.I)).set_input_files(path)
    page.get_by_role("button", name="Import the archive").click()
    expect(page.locator("main")).to_contain_text("the same")


def test_the_edition_for_patients_names_no_verdict_and_no_probability(page: Page, app: App) -> None:
    uid = app.example()
    page.goto(f"/p/{uid}/review")
    page.get_by_role("button", name="Patient", exact=True).click()
    expect(page).to_have_url(re.compile(f"/p/{uid}/review"))
    said = page.locator("main").inner_text()
    for word in ("not met", "Differential", "Probability of"):
        assert word not in said
    page.get_by_role("button", name="Clinician", exact=True).click()
    expect(page.locator("main")).to_contain_text("Differential")


def test_a_question_is_answered_in_the_guides_words_or_declined(page: Page) -> None:
    page.goto("/ask")
    page.get_by_role("searchbox").fill("How rare is POEMS?")
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator("main")).to_contain_text(re.compile("million|100,000"))
    page.get_by_role("searchbox").fill("best pizza in Naples")
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator("main")).to_contain_text(re.compile("not in the guide", re.I))
    assert "pizza" not in page.url


def test_by_keyboard_alone(page: Page, app: App) -> None:
    """From the address to a saved finding without a pointer."""
    own_record(page)
    page.locator("body").press("Tab")
    assert page.evaluate("document.activeElement.className").startswith("skip")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "finding":
            break
    page.keyboard.type("Edema")
    page.keyboard.press("Tab")
    expect(page.get_by_label("present", exact=True)).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("#entries")).to_contain_text(re.compile("edema|swelling", re.I))
    [patient] = app.store.patients()
    assert [entry.event.finding for entry in app.store.entries(patient.uid)] == ["edema"]


@pytest.mark.parametrize("width", [360, 768])
def test_a_narrow_screen_never_scrolls_sideways(page: Page, app: App, width: int) -> None:
    uid = app.example()
    page.set_viewport_size({"width": width, "height": 740})
    for path in (
        "/",
        f"/p/{uid}/",
        f"/p/{uid}/review",
        f"/p/{app.uid('published-course')}/follow",
        f"/p/{uid}/history",
        "/ask",
        "/settings",
        "/guide/",
    ):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_a_slip_is_asked_about_and_a_second_save_keeps_it(page: Page, app: App) -> None:
    own_record(page)
    enter_vegf(page, "820", unit="ng/mL")
    expect(page.locator("#fault-value")).to_contain_text("Is this as printed?")
    [patient] = app.store.patients()
    assert not app.store.entries(patient.uid)
    sign, value = (page.locator(one).bounding_box() for one in ("#comparator", "#value"))
    assert sign and value and abs(sign["y"] - value["y"]) < 2, "the question must not push the fields apart"
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#entries")).to_contain_text("820")
    assert len(app.store.entries(patient.uid)) == 1


def test_what_was_typed_is_not_lost_without_a_word(page: Page, app: App) -> None:
    """A half-filled form asks before it is left; an empty one, a saved one and Cancel do not."""
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    own_record(page)
    page.get_by_label("Finding, test or treatment").fill("Platelets")
    page.get_by_label("Finding, test or treatment").press("Tab")
    page.get_by_label("Value").fill("512")
    page.get_by_role("link", name="Overview").click(no_wait_after=True)
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"] and page.get_by_label("Value").input_value() == "512"
    page.get_by_label(re.compile("^Unit")).select_option("10*9/L")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#entries")).to_contain_text("512")
    page.get_by_role("link", name=re.compile("^Correct")).click()
    page.get_by_label("Value").fill("513")
    page.get_by_role("link", name="Cancel").click()
    expect(page.locator("#entries")).to_contain_text("512")
    page.get_by_label("Finding, test or treatment").fill("Platelets")
    page.get_by_role("link", name="Overview").click()
    expect(page).to_have_url(re.compile("/review$"))
    assert asked == ["beforeunload"]


def test_findings_are_found_by_the_words_of_those_who_have_them(page: Page) -> None:
    """By words that people use, by the beginnings of words and through a slip; never by what stands within a word."""
    own_record(page)
    field, choices = page.get_by_label("Finding, test or treatment"), page.locator("#choices li[data-value]")
    for typed, first in (("weak legs", "Muscle weakness"), ("swollen feet", "Swollen legs or arms"),
                         ("birthday", "Date of birth"), ("born", "Date of birth"), ("platlets", "Platelets"),
                         ("swolen feet", "Swollen legs or arms"), ("optic", "Swelling of the optic nerve")):
        field.fill(typed)
        expect(choices.first).to_contain_text(first)
    for typed, never in (("chemo", "Hemoglobin"), ("CT", "Lactate"), ("edema", "Papilledema")):
        field.fill(typed)
        expect(choices.first).to_be_visible()
        assert never not in " ".join(choices.all_inner_texts())


def test_an_empty_record_opens_the_form_of_what_one_begins_with(page: Page, app: App) -> None:
    own_record(page)
    page.locator("form[data-find] button", has_text="Swelling of the optic nerve").click()
    page.get_by_label("present", exact=True).check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#entries")).to_contain_text("Swelling of the optic nerve")
    page.get_by_role("link", name="Overview").click()
    page.locator("details.begin summary").click()
    page.locator("form[data-find] button", has_text="Platelets").click()
    expect(page.get_by_label("Value")).to_be_visible()
    assert "latelets" not in page.url
    [patient] = app.store.patients()
    assert [entry.event.finding for entry in app.store.entries(patient.uid)] == ["papilledema"]


@pytest.mark.parametrize("edition", ["clinician", "patient"])
def test_on_a_phone_nothing_is_cut_and_everything_is_named(page: Page, app: App, edition: str) -> None:
    """All tabs, the day of the picture with its rows' names, and what each number of the differential is."""
    uid = app.example()
    page.context.add_cookies([{"name": "edition", "value": edition, "url": app.address}])
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"/p/{app.uid('published-course')}/follow?day=last")
    for tab in page.locator(".tabs a").all():
        box = tab.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 360
    day = page.locator("#picture .day-line.today").bounding_box()
    assert day and 0 < day["x"] < 344
    for name in page.locator("#picture text.name").all():
        box = name.bounding_box()
        assert box and 0 <= box["x"] < 344
    if edition == "clinician":
        page.goto(f"/p/{uid}/review")
        said = "[aria-labelledby$=-differential] tbody tr:first-child td:nth-child({})"
        for place, label in ((4, "95 %"), (5, "before the findings")):
            content = "query => getComputedStyle(document.querySelector(query), '::before').content"
            assert label in page.evaluate(content, said.format(place))
        expect(page.locator(".fall th.scale svg")).to_be_visible()


def test_dark_is_dark_whatever_the_machine_says(page: Page, app: App) -> None:
    app.example()
    page.goto("/")
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.wait_for_load_state()
    red, green, blue = map(
        int, re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))[:3]
    )
    assert red + green + blue < 150


def test_without_a_script_everything_can_still_be_entered(app: App, browser) -> None:  # type: ignore[no-untyped-def]
    context = browser.new_context(base_url=app.address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.get_by_role("button", name="I am a patient or a relative").click()
    page.get_by_role("button", name="Begin my record").click()
    page.get_by_label("Finding, test or treatment").fill("weak legs")
    page.get_by_role("button", name=re.compile("Next|Save")).click()
    expect(page.get_by_role("button", name="Muscle weakness")).to_be_visible()
    page.get_by_label("Finding, test or treatment").fill("Edema")
    page.get_by_label("Finding, test or treatment").press("Enter")
    expect(page.get_by_role("group", name="Swelling from fluid")).to_be_visible()
    page.get_by_label("present", exact=True).check()
    page.get_by_role("button", name="Save", exact=True).click()
    [patient] = app.store.patients()
    assert [entry.event.finding for entry in app.store.entries(patient.uid)] == ["edema"]
    context.close()
