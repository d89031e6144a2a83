"""The corrections of the FAQ of 2017 in the words of each edition, plain ones for patients, wherever they are shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from test_knowledge import _drop, plant
from web_made import Served

from poems.guide.ask import ask
from poems.guide.model import EDITIONS, Edition
from poems.guide.pages import pages
from poems.knowledge import Knowledge
from poems.knowledge.check import check
from poems.render.guide_html import files
from poems.render.guide_text import answer_json, answer_text, page_text
from poems.store import Store
from poems.web.plainly import plainly

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def entries(knowledge: Knowledge) -> Iterator[tuple[str, str, str]]:
    """Id, text for patients and text for clinicians of each correction."""
    for entry in knowledge.errata:
        yield entry["id"], entry.get("patient", ""), entry["correct"]


def read(text: str) -> str:
    """What a reader sees of a page: no markup, no marks of citations, no line breaks."""
    text = re.sub(r"<sup\b.*?</sup>|<script\b.*?</script>", "", text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", "", text)).split())


def otherwise(text: str, edition: Edition, knowledge: Knowledge) -> list[str]:
    """The corrections that a page says in the words of the other edition, or not at all."""
    seen = read(text)
    own = 0 if edition == "patient" else 1
    return [key for key, *texts in entries(knowledge) if texts[own] not in seen or texts[1 - own] in seen]


def test_every_correction_has_a_text_for_patients(knowledge: Knowledge) -> None:
    """Another one than that for clinicians, in whole sentences that are not longer than a reader bears."""
    for key, plain, clinical in entries(knowledge):
        assert plain and plain not in clinical and clinical not in plain, key
        assert all(len(sentence.split()) <= 45 for sentence in re.split(r"(?<=[.:])\s", plain)), key
        assert not re.search(r"likelihood|predictive|specificity of|hazard|eGFR|IGLV|prospective|abstract", plain), key


def test_a_text_for_patients_brings_no_number_of_its_own(knowledge: Knowledge) -> None:
    """Each stands in the entry, where its sources are."""
    for entry in knowledge.errata:
        known = " ".join(str(entry[name]) for name in ("topic", "faq", "problem", "correct"))
        known += str(entry.get("sources") or entry["source"])
        assert set(NUMBER.findall(entry["patient"])) <= set(NUMBER.findall(known)), entry["id"]


def test_a_correction_without_a_text_for_patients_is_a_fault(knowledge: Knowledge, tmp_path: Path) -> None:
    """The check names it; a draft may go without."""
    for at, entry in enumerate(knowledge.errata):
        if entry["id"] in ("E01", "E19"):
            where = [issue.where for issue in check(plant(_drop("errata.yaml", at, "patient"), tmp_path / entry["id"]))]
            assert where == ([] if entry.get("draft") else ["errata.yaml, E01.patient"])


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_site_says_each_correction_in_the_words_of_its_edition(edition: Edition, knowledge: Knowledge) -> None:
    """On the page of corrections all of them, on the page of a question those that belong to it."""
    folder = "" if edition == "patient" else "clinician/"
    site = dict(files(knowledge))
    assert otherwise(site[f"{folder}corrections.html"], edition, knowledge) == []
    for slug, page in pages(knowledge).items():
        seen = read(site[f"{folder}{slug}.html"])
        for key, plain, clinical in entries(knowledge):
            if key in page.faq:
                wanted, other = (plain, clinical) if edition == "patient" else (clinical, plain)
                assert wanted in seen and other not in seen, (slug, key)


def test_a_page_in_the_terminal_says_corrections_in_the_words_of_its_edition(knowledge: Knowledge) -> None:
    """The same page twice."""
    page = pages(knowledge)["test-vegf"]
    plain, clinical = next((plain, clinical) for key, plain, clinical in entries(knowledge) if key == "E06")
    patient, clinician = (" ".join(page_text(page, knowledge, edition, width=2000).split()) for edition in EDITIONS)
    assert plain in patient and clinical not in patient
    assert clinical in clinician and plain not in clinician


def test_an_answer_shows_a_correction_in_the_words_of_its_edition(knowledge: Knowledge) -> None:
    """In the terminal and for programs."""
    texts = {key: (plain, clinical) for key, plain, clinical in entries(knowledge)}
    for place, edition in enumerate(EDITIONS):
        answer = ask("specificity of plasma VEGF", knowledge, edition=edition)
        found: list[dict[str, Any]] = json.loads(answer_json(answer, knowledge))["found"]
        shown = " ".join(answer_text(answer, knowledge, width=2000).split())
        corrected = [one for one in found if one["kind"] == "errata"]
        assert corrected
        for one in corrected:
            assert one["text"] == texts[one["id"]][place], one["id"]
            assert one["text"] in shown and texts[one["id"]][1 - place] not in shown, one["id"]


def test_the_app_says_each_correction_in_the_words_of_its_edition(tmp_path: Path, knowledge: Knowledge) -> None:
    """Its page of corrections in both editions, and what stands behind one of them."""
    with Store.open(tmp_path / "records.db") as store, Served(store, knowledge) as served, served.browser() as visitor:
        visitor.cookies.set("edition", "patient")
        assert otherwise(visitor.get("/guide/corrections").text, "patient", knowledge) == []
        before = read(visitor.get("/knowledge/E01").text.partition('<details class="detail"')[0])
        assert plainly("E01", knowledge)[-1] in before
        visitor.cookies.set("edition", "clinician")
        assert otherwise(visitor.get("/guide/corrections").text, "clinician", knowledge) == []
