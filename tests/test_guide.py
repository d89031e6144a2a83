"""The guide: no number of its own, every sentence cited, both editions; every planted fault is found and named."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import HERE
from test_knowledge import Files, _put, plant

from poems import cli
from poems.errors import KnowledgeError
from poems.guide.ask import ask
from poems.guide.index import text
from poems.guide.model import EDITIONS, Edition, Number
from poems.guide.numbers import addresses, resolve
from poems.guide.pages import PAGES, pages, read
from poems.guide.prose import bare, doses, names, words_of
from poems.knowledge import Knowledge, load
from poems.knowledge.check import check
from poems.knowledge.files import read_all
from poems.knowledge.load import build
from poems.knowledge.model import DRIVES
from poems.render.guide_text import answer_json, answer_text, page_text

NUMBERS: dict[str, str] = yaml.safe_load((HERE / "cases" / "guide-numbers.yaml").read_text())
FAULTS: list[dict[str, Any]] = yaml.safe_load((HERE / "cases" / "guide-faults.yaml").read_text())
WARNINGS: list[dict[str, Any]] = yaml.safe_load((HERE / "cases" / "guide-warnings.yaml").read_text())
COMMAND = re.compile(r"`poems\s+([a-z]+)(?:\s+([a-z]+))?")
GROUPS = ("guide", "knowledge")
HEAD = "question: How rare?\nshort: Rare\norder: 1\nrevised: 2026-01-31\n"
QUESTIONS = (  # of the FAQ of 2017, each with the page that answers it
    ("What causes POEMS?", "what-causes-poems"), ("How rare is POEMS?", "how-rare-is-poems"),
    ("Do I have POEMS? (How is it diagnosed?)", "do-i-have-poems"), ("What tests are done for POEMS?", "which-tests"),
    ("VEGF test", "test-vegf"), ("tests for neuropathy", "test-neuropathy"),
    ("tests for the M-protein", "test-m-protein"),
    ("tests for bone lesions", "test-bones"), ("How is POEMS treated?", "how-is-poems-treated"),
    ("What should I know about autologous stem cell transplants?", "stem-cell-transplant"),
    ("How long do POEMS patients survive?", "how-long-do-people-live"), ("Will I relapse?", "will-i-relapse"),
    ("Where can I get more information about POEMS?", "where-to-learn-more"))


def test_the_pages_have_no_fault(knowledge: Knowledge) -> None:
    """What is shipped holds no number of its own, and everything it refers to is there."""
    found, issues = read(knowledge)
    assert [str(issue) for issue in issues] == []
    assert len(found) == len(list(PAGES.glob("*.md"))) >= 16


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case["case"])
def test_each_fault_of_a_page_is_found_and_named(case: dict[str, Any], knowledge: Knowledge, tmp_path: Path) -> None:
    """Where, and what was found; a sound page has none."""
    head = case.get("head", HEAD)
    (tmp_path / "rare.md").write_text((f"---\n{head}---\n" if head else "") + case["page"])
    issues = list(map(str, read(knowledge, tmp_path)[1]))
    if "issue" in case:
        assert any(all(part in issue for part in case["issue"]) for issue in issues), issues
    else:
        assert issues == []


def test_a_page_that_takes_a_name_of_the_site_is_refused(knowledge: Knowledge, tmp_path: Path) -> None:
    """The site writes index, corrections and sources itself."""
    (tmp_path / "sources.md").write_text(f"---\n{HEAD}---\n## In short\nText {{{{delay-london}}}}\n")
    assert any("another name" in str(issue) for issue in read(knowledge, tmp_path)[1])


def test_pages_with_a_fault_are_not_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that is not there stops the guide instead of leaving a hole in it."""
    from poems.guide import pages as module

    (tmp_path / "rare.md").write_text(f"---\n{HEAD}---\n## In short\nText {{{{nothing}}}}\n")
    monkeypatch.setattr(module, "read", lambda knowledge, **more: read(knowledge, tmp_path, **more))
    fresh = build(read_all())
    with pytest.raises(KnowledgeError, match="1 faults"):
        pages(fresh)


def test_the_twelve_questions_of_the_faq_and_more_have_their_page(knowledge: Knowledge) -> None:
    """Each question of the FAQ is answered first by its page, in both editions."""
    for edition in EDITIONS:
        for question, slug in QUESTIONS:
            found = ask(question, knowledge, edition=edition).hits
            assert found and found[0].address.startswith(f"{slug}#"), (question, [hit.address for hit in found])


@pytest.mark.parametrize("case", WARNINGS, ids=lambda case: f"{case['passage']}, {case.get('edition', 'both')}")
def test_what_a_reader_has_to_be_told_is_told(case: dict[str, Any], knowledge: Knowledge) -> None:
    """Pregnancy, sight, breath, fever: each where a reader looks, and nothing that lulls."""
    page, anchor = case["passage"].split("#")
    passage = next(one for one in pages(knowledge)[page].passages if one.anchor == anchor)
    for edition in [case["edition"]] if "edition" in case else EDITIONS:
        said = " ".join(text(block, edition) for block in passage.shown(edition))
        assert all(word in said for word in case.get("says", ())), (edition, said)
        assert not any(word in said for word in case.get("never", ())), (edition, said)


@pytest.mark.parametrize("name", ["poems/guide/pages", "docs", "README.md", "CONTRIBUTING.md"])
def test_a_command_that_prose_names_is_there(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`poems ...` in the guide and in the documents can be typed."""
    root = HERE.parent / name
    files = [root] if root.is_file() else list(root.rglob("*.md"))
    named = {(match[1], *([match[2]] if match[2] and match[1] in GROUPS else []))
             for path in files for match in COMMAND.finditer(path.read_text())}
    assert named
    assert [words for words in named if cli.run([*words, "--help"])] == []
    capsys.readouterr()


def test_a_survival_is_timed_by_its_own_source(knowledge: Knowledge) -> None:
    """`At 5 years` leads to the cohort whose share it times."""
    timed = [address for address in addresses(knowledge) if re.fullmatch(r"survival\..*\.years", address)]
    assert len(timed) > 20
    for address in timed:
        share = resolve(knowledge, address.removesuffix(".years"))
        assert resolve(knowledge, address).references == share.references, address


DOUBLED = (  # a number that stands in a sentence of the knowledge too: the sentence, the address, how it stands there
    *(("sheet", f"transplant-{name}", "{:g} %") for name in ("fever", "diarrhea", "weight-gain", "rash")),
    *(("sheet", address, "count") for address in (
        "option.transplant.intubated-for-respiratory-compromise", "respiratory-distress-chiba")),
    *(("sheet", f"complications-{name}", "{:g}") for name in ("over-50", "long-illness", "pleural-effusion",
                                                             "after-induction")),
    ("sheet", "maiolino-names", "named {k:g}"), ("sheet", "spitzer-names", "Spitzer's {k:g}"),
    ("sheet", "engraftment-days-faq", "day {low:g} to {high:g}"),
    *(("blind", f"vegf-{name}", "{:g} %") for name in ("warns-of-relapse", "warns-when-refractory",
                                                      "rises-only-at-relapse")))


@pytest.mark.parametrize(("where", "address", "stands"), DOUBLED)
def test_a_number_that_stands_twice_is_the_same(where: str, address: str, stands: str, knowledge: Knowledge) -> None:
    """In a sentence that other programs print, and under its address."""
    follow = knowledge.follow
    said = follow.engraftment.sheet if where == "sheet" else follow.markers["vegf-serum"].blind_spots
    number = resolve(knowledge, address)
    wanted = resolve(knowledge, f"{address}/count").text if stands == "count" else stands.format(
        number.value, k=number.k, low=number.low, high=number.high)
    assert any(wanted in one.text for one in said if one.source.id == number.references[0].id), wanted


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_number_and_citation_leads_to_a_source_that_somebody_saw(knowledge: Knowledge, edition: Edition) -> None:
    """No passage without a citation, no number without one, none from memory; doses only for clinicians."""
    numbers = 0
    for page in pages(knowledge).values():
        for passage in page.shown(edition):
            words = list(words_of(passage.shown(edition)))
            references = [reference for word in words for reference in word.references]
            assert page.own or references, passage.address
            for reference in references:
                assert reference.id in knowledge.sources, passage.address
                assert reference.status in DRIVES, passage.address
            for word in words:
                if word.number is not None:
                    numbers += 1
                    assert word.references or word.address.startswith("knowledge."), word.address
            assert edition == "clinician" or not doses(passage.shown(edition)), passage.address
    assert numbers > 100


def test_no_digit_is_left_when_the_numbers_are_taken_out(knowledge: Knowledge) -> None:
    """A second look, by another way: the files without their slots, citations and heads hold no digit but in names."""
    for path in PAGES.glob("*.md"):
        body = path.read_text().split("\n---\n", 1)[1]
        body = re.sub(r"\{\{.*?\}\}|\[@.*?\]|\]\(.*?\)|\{#.*?\}", " ", body, flags=re.DOTALL)
        for name in sorted(names(), key=len, reverse=True):
            body = body.replace(name, " ")
        body = re.sub(r"^\d+\. ", "", body, flags=re.MULTILINE)
        assert not re.search(r"[\d%]", body), (path.name, re.findall(r".{20}[\d%].{20}", body))


@pytest.mark.parametrize("word", [
    "two", "Twelve", "thirty", "hundreds", "million", "dozen", "half", "a third", "quarter", "twice", "doubled",
    "tenfold", "per cent", "percent", "1", "12,5", "½", "５", "3rd"])
def test_a_number_in_any_dress_is_seen(word: str) -> None:
    """Digits, signs and words."""
    assert bare(f"It was {word} of them")


@pytest.mark.parametrize("text", ["someone often weighs tenderness", "the second opinion, once, both, one of them",
                                  "a third opinion later", "IL-6 and vitamin B12", "blindfold and scaffold, manifold"])
def test_what_is_no_number_is_not_called_one(text: str) -> None:
    """Words that hold a number's letters, ordinals, and names that are listed."""
    assert bare(text) == [] or text.startswith("a third")


@pytest.mark.parametrize(("address", "said"), NUMBERS.items())
def test_a_number_is_said_as_prose_says_it(address: str, said: str, knowledge: Knowledge) -> None:
    """Shares, values, ranges, natural frequencies, computed values."""
    assert resolve(knowledge, address).text == said


def test_every_number_of_the_knowledge_has_its_source(knowledge: Knowledge) -> None:
    """Every address resolves; whatever is said of the illness names a source, and none is from memory."""
    found = addresses(knowledge)
    assert len(found) == len(set(found)) > 800
    for address in found:
        number = resolve(knowledge, address)
        assert number.text.strip() and number.label, address
        assert number.references or address.startswith("knowledge."), address
        assert all(reference.status in DRIVES and reference.id in knowledge.sources for reference in number.references)
        if number.interval and number.value is not None and number.spread != "sd":
            assert number.low <= number.value <= number.high, address  # type: ignore[operator]


def test_what_was_only_assumed_claims_no_counted_people(knowledge: Knowledge) -> None:
    """A weight is not a count: an assumed share has no k of n and no interval of its own."""
    for address in addresses(knowledge):
        number = resolve(knowledge, address)
        if number.status == "assumed" and "@" not in address:
            assert number.k is None or number.spread != "wilson", address


def test_a_number_that_changes_in_the_knowledge_changes_in_the_text(knowledge: Knowledge, tmp_path: Path) -> None:
    """The prose cannot drift."""
    (tmp_path / "pages").mkdir()
    page = f"---\n{HEAD}---\n## In short\nFirst CIDP in {{{{cidp-first-london/count}}}}.\n"
    (tmp_path / "pages" / "rare.md").write_text(page)
    plant(_put("claims.yaml", "cidp-first-london", "k", value=53), tmp_path)
    changed = read(load(tmp_path), tmp_path / "pages")[0]["rare"]
    assert "53 of 100" in text(changed.passages[0].blocks[0], "patient")


CLAIMS: tuple[tuple[str, str, Any, str], ...] = (  # claim, field, what is put there, what the check says
    ("cidp-first-london", "k", 101, "101 of 100"),
    ("ct-finds-lesions", "percent", 87, "beside 87"),
    ("lambda-peking", "value", 3, "a value and a share"),
    ("delay-review", "low", 17, "17 to 16"),
    ("delay-london", "value", 80, "80 outside"),
    ("age-china", "spread", None, "without spread"),
    ("wheelchair-at-diagnosis", "source", {"id": "nobody-1999", "status": "read"}, "nobody-1999"),
    ("new-features-later", "source", {"id": "keddie-2020", "status": "assumed"}, "'because'"))
SHAPES: tuple[tuple[str, str, Any, str], ...] = (
    ("delay-london", "spread", "about", "about"), ("delay-review", "label", "", "''"),
    ("cidp-first-london", "colour", "red", "colour"))


def _claims(faults: tuple[tuple[str, str, Any, str], ...]) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        for claim, field, value, _ in faults:
            files["claims.yaml"][claim].update({field: value})
            if value is None:
                del files["claims.yaml"][claim][field]
    return change


@pytest.mark.parametrize("faults", [CLAIMS, SHAPES], ids=["meaning", "shape"])
def test_each_fault_of_a_claim_is_found_and_named(faults: tuple[tuple[str, str, Any, str], ...],
                                                  tmp_path: Path) -> None:
    """All at once, by the check of the knowledge: which claim, and what is wrong with it."""
    issues = list(map(str, check(plant(_claims(faults), tmp_path))))
    for claim, _, _, found in faults:
        assert any(f"claims.yaml, {claim}" in issue and found in issue for issue in issues), (claim, issues)


def test_a_claim_from_memory_is_listed_and_cannot_be_used(tmp_path: Path) -> None:
    """A draft drives nothing, not even a sentence."""
    known = load(plant(_put("claims.yaml", "delay-london", "source", "status", value="memory"), tmp_path))
    assert "claims.delay-london" in known.drafts
    with pytest.raises(KeyError, match="no number 'delay-london'"):
        resolve(known, "delay-london")


@pytest.mark.parametrize("edition", EDITIONS)
def test_an_answer_is_made_of_the_guide_s_own_sentences(knowledge: Knowledge, edition: Edition) -> None:
    """Every block that is printed stands in a page; nothing is generated; every source cited is listed."""
    blocks = {text(block, edition) for page in pages(knowledge).values() for passage in page.passages
              for block in passage.shown(edition)}
    for question, _ in QUESTIONS:
        found = json.loads(answer_json(ask(question, knowledge, edition=edition), knowledge))
        for passage in found["passages"]:
            assert set(passage["text"]) <= blocks
            assert {item["source"] for item in passage["citations"]} <= set(found["sources"])


def test_an_answer_on_the_terminal_keeps_to_its_width(knowledge: Knowledge) -> None:
    """With its numbers and sources; what was typed cannot steer the terminal."""
    shown = answer_text(ask("how rare\x1b[m is it\u202e", knowledge), knowledge, width=80)
    assert "\x1b" not in shown and "\u202e" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert "3 in 1,000,000" in shown or "0.3 per 100,000" in shown
    assert "Sources" in shown and "The numbers" in shown
    for page in pages(knowledge).values():
        for edition in EDITIONS:
            assert page.question[:20] in page_text(page, knowledge, edition, width=80)


def test_what_only_the_other_edition_has_is_pointed_to(knowledge: Knowledge) -> None:
    """A patient who asks a clinician's question learns where it is answered, and reads nothing meant for another."""
    questions = ("Japanese ministry definite probable possible", "likelihood ratio of a positive test",
                 "EBMT transplant cohort", "nomogram C-index")
    answer = next(found for question in questions if (found := ask(question, knowledge)).elsewhere)
    assert not answer.is_found
    assert "--edition clinician" in answer_text(answer, knowledge)
    assert json.loads(answer_json(answer, knowledge))["elsewhere"]


@pytest.mark.parametrize("question", [
    "", " ", "?", "the", "'; DROP TABLE entry; --", '"', "NEAR(a b)", "a" * 5000, "***", "poems", "\x00\x00",
    "vegf OR NOT AND", "日本語", "١٢٣", "column:body", "NULL"])
def test_no_question_breaks_the_search(question: str, knowledge: Knowledge) -> None:
    """Whatever is typed is only words: it is answered with passages, or declined in so many words."""
    answer = ask(question, knowledge)
    assert ("Not in the " in answer_text(answer, knowledge)) is not any(hit.passage for hit in answer.hits)


def test_the_commands_of_the_guide(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each does what it says; what is wrong is said."""
    assert cli.run(["ask", "how", "rare", "is", "it"]) == 0
    assert "In short" in capsys.readouterr().out
    assert cli.run(["ask", "who won the world cup"]) == 0
    assert "Not in the guide" in capsys.readouterr().out
    assert cli.run(["ask", "vegf cut-off", "--edition", "clinician", "--format", "json", "-n", "1"]) == 0
    assert len(json.loads(capsys.readouterr().out)["passages"]) == 1
    assert cli.run(["ask", "how rare is it", "--format", "html", "-o", str(tmp_path / "answer.html")]) == 0
    page = (tmp_path / "answer.html").read_text()
    assert "<script" not in page and "How rare is POEMS?" in page
    assert cli.run(["guide", "list"]) == 0
    assert "test-vegf" in capsys.readouterr().out
    assert cli.run(["guide", "show", "test-vegf", "--edition", "clinician"]) == 0
    assert cli.run(["guide", "show", "test-vegff"]) == 2
    assert "Did you mean test-vegf" in capsys.readouterr().err
    assert cli.run(["ask"]) == 2
    assert cli.run(["ask", "x", "-n", "0"]) == 2
    (tmp_path / "file").write_text("")
    assert cli.run(["guide", "build", "-o", str(tmp_path / "file" / "site")]) == 2
    assert cli.run(["knowledge", "list", "numbers"]) == 0
    assert "cidp-first-london" in capsys.readouterr().out
    assert cli.run(["knowledge", "show", "delay-london"]) == 0
    assert "1 to 77 months" in capsys.readouterr().out


def test_knowledge_check_reads_the_pages_too(monkeypatch: pytest.MonkeyPatch,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    """A fault of a page is a fault of the knowledge."""
    from poems.errors import Issue

    fault = Issue("fault", "guide/pages/rare.md, line 8", "'54'")
    monkeypatch.setattr("poems.guide.pages.read", lambda _: ({}, [fault]))
    assert cli.run(["knowledge", "check"]) == 4
    assert "rare.md, line 8" in capsys.readouterr().err


def test_a_number_without_references_has_no_status() -> None:
    """It counts the knowledge, and nobody has to have seen it."""
    assert Number("knowledge.sources", "Sources", "230").status == ""
