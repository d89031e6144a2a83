"""The evaluator is what a rule means; every engine agrees with it, on every node, for every patient."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from random import Random

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import (
    CLEAR_BELOW,
    DAYS,
    DOUBTFUL,
    LIMIT,
    OWN_LIMIT,
    TREATMENTS,
    Batch,
    a_batch,
    around,
    batches,
    findings,
    observations,
    rules,
    treatments,
)

from poems.engines import sql
from poems.engines.duckdb import VERDICTS, create_verdicts, insert_events, run
from poems.engines.sql import CompiledSql, compile_rules
from poems.errors import EngineError
from poems.evaluate import Judgement, _contradicts, evaluate, judge
from poems.record import ABSENT, COMPARATORS, PRESENT, Event, Record, records
from poems.rules import Above, AtLeast, Judged, Named, Not, Present, Rule, Verdict, walk

MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN
Column = dict[str, Verdict]

steady = settings(derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))


def by_evaluator(batch: Batch, compiled: CompiledSql) -> dict[str, Column]:
    """The verdict of every node for every patient, by column."""
    verdicts: dict[str, Column] = {}
    for record in records(batch[1], batch[2]):
        memo: dict[int, Judgement] = {}
        verdicts[record.patient] = {column: judge(node, record, memo).verdict
                                    for node, column in compiled.nodes.items()}
    return verdicts


def by_duckdb(con: duckdb.DuckDBPyConnection, text: str) -> dict[str, Column]:
    """The same from a query over the table `events`."""
    result = con.execute(text)
    columns = [entry[0] for entry in result.description[1:]]
    return {patient: dict(zip(columns, map(VERDICTS.__getitem__, row), strict=True)) for patient, *row in
            result.fetchall()}


def agreeing_pairs(seeds: Iterable[int]) -> Counter[str]:
    """How many different (rule, patient) pairs of seeded batches agree on every node, by verdict. Fails otherwise."""
    con, pairs, seen = duckdb.connect(), Counter[str](), set[int]()
    for seed in seeds:
        batch = a_batch(Random(seed), crowd=3)
        compiled = compile_rules(batch[0], as_of=batch[2])
        insert_events(con, batch[1])
        expected = by_evaluator(batch, compiled)
        assert by_duckdb(con, compiled.text) == expected, f"batch of seed {seed}"
        for record in records(batch[1], batch[2]):
            told = tuple(replace(event, patient="") for event in record.events)
            for rule_id, rule in batch[0].items():
                pair = hash((rule, told))
                if pair not in seen:
                    seen.add(pair)
                    pairs[expected[record.patient][compiled.rules[rule_id]].value] += 1
    return pairs


@pytest.mark.slow
@settings(steady, max_examples=75)
@given(batches)
def test_duckdb_agrees_with_the_evaluator_or_shrinks(batch: Batch) -> None:
    """For rules and events that hypothesis generates the engine gives what the evaluator gives, on every node."""
    con, compiled = duckdb.connect(), compile_rules(batch[0], as_of=batch[2])
    insert_events(con, batch[1])
    assert by_duckdb(con, compiled.text) == by_evaluator(batch, compiled)


def test_duckdb_agrees_with_the_evaluator() -> None:
    """On at least 3,000 different pairs, with each verdict common, the engine gives what the evaluator gives."""
    pairs = agreeing_pairs(range(50))
    assert pairs.total() >= 3_000
    assert min(pairs[verdict.value] for verdict in Verdict) >= pairs.total() / 6


@pytest.mark.slow
def test_duckdb_agrees_with_the_evaluator_deeply() -> None:
    """On at least 100,000 different pairs the engine gives what the evaluator gives."""
    assert agreeing_pairs(range(1_000, 2_500)).total() >= 100_000


# The generator

SEEN: dict[str, Callable[[Rule], bool]] = {
    "present": lambda rule: isinstance(rule, Present),
    "present, methods": lambda rule: isinstance(rule, Present) and bool(rule.methods),
    "present, before": lambda rule: isinstance(rule, Present) and bool(rule.before),
    "present, perhaps": lambda rule: isinstance(rule, Present) and bool(rule.perhaps),
    "above": lambda rule: isinstance(rule, Above),
    "above, no limit": lambda rule: isinstance(rule, Above) and rule.limit is None,
    "above, grey zone": lambda rule: isinstance(rule, Above) and None not in (rule.limit, rule.clear_below),
    "above, inclusive": lambda rule: isinstance(rule, Above) and rule.inclusive,
    "above, lab limit": lambda rule: isinstance(rule, Above) and rule.by_lab_limit,
    "above, times": lambda rule: isinstance(rule, Above) and rule.by_lab_limit and rule.times != 1,
    "above, latest": lambda rule: isinstance(rule, Above) and rule.take == "latest",
    "above, before": lambda rule: isinstance(rule, Above) and bool(rule.before),
    "above, perhaps": lambda rule: isinstance(rule, Above) and bool(rule.perhaps),
    "before and perhaps": lambda rule: isinstance(rule, Present | Above) and bool(rule.before and rule.perhaps),
    "before or perhaps": lambda rule: isinstance(rule, Present | Above) and bool({*rule.before} & {*rule.perhaps}),
    "hears the word": lambda rule: isinstance(rule, Above) and rule.by_lab_limit and rule.times == 1,
    "any": lambda rule: isinstance(rule, AtLeast) and rule.n == 1 and len(rule.parts) > 1,
    "all": lambda rule: isinstance(rule, AtLeast) and rule.n == len(rule.parts) > 1,
    "some": lambda rule: isinstance(rule, AtLeast) and 1 < rule.n < len(rule.parts),
    "too many": lambda rule: isinstance(rule, AtLeast) and rule.n > len(rule.parts),
    "none of none": lambda rule: isinstance(rule, AtLeast) and rule.n == 0 and not rule.parts,
    "not": lambda rule: isinstance(rule, Not),
    "judged": lambda rule: isinstance(rule, Judged),
    "named": lambda rule: isinstance(rule, Named),
    "named, asks": lambda rule: isinstance(rule, Named) and bool(rule.asks),
}
HEARS = (Above("level", LIMIT, CLEAR_BELOW, by_lab_limit=True), Above("level", LIMIT, by_lab_limit=True))


def test_generator_reaches_every_node_and_option(sample: list[Batch]) -> None:
    """Every node type and option, comparator, status, missing date, and side of the therapy day is drawn often; so are
    treatments without a date, given or denied, and words that a number contradicts, beside an own limit or none.
    """
    seen, met = Counter[str](), Counter[object]()
    for given_rules, given_events, as_of in sample:
        for node in (node for rule in given_rules.values() for node in walk(rule)):
            seen.update(option for option, matches in SEEN.items() if matches(node))
        met.update([as_of, len({event.patient for event in given_events}) > 1])
        for event in given_events:
            met.update([event.comparator, event.status, event.date, ("value", event.value), ("own", event.upper_limit)])
        for record in records(given_events):
            for kind in (TREATMENTS, DOUBTFUL):
                start = record.first_day(kind)
                met.update(("side", kind, (event.date > start) - (event.date < start)) for event in record.events
                           if start and event.date)
                met.update(("undated", kind, event.status) for event in record.events
                           if event.finding in kind and event.date is None)
            met.update(("contradicted", event.upper_limit is None) for event in record.events
                       for node in HEARS if _contradicts(node, event))
    assert {option: seen[option] for option in SEEN if seen[option] < 20} == {}
    wanted = [None, DAYS[2], True, *COMPARATORS, "", PRESENT, ABSENT, ("value", None), ("own", None),
              ("own", OWN_LIMIT), *(("value", value) for value in around(LIMIT)),
              *(("contradicted", alone) for alone in (True, False)),
              *(("side", kind, side) for kind in (TREATMENTS, DOUBTFUL) for side in (-1, 0, 1)),
              *(("undated", kind, status) for kind in (TREATMENTS, DOUBTFUL) for status in ("", PRESENT, ABSENT))]
    assert {str(option): met[option] for option in wanted if met[option] < 20} == {}


@pytest.fixture(scope="module")
def sample() -> list[Batch]:
    """Generated batches that several tests look at."""
    return [a_batch(Random(seed), crowd=2) for seed in range(300)]


# Planted faults: each is a mistake that somebody could make in the compiler, as a change of its text.

FAULTS = {
    ">= for >": ("value > coalesce(own_limit, threshold) as over", "value >= coalesce(own_limit, threshold) as over"),
    "> for >=": ("at_limit and meets_equal", "at_limit and false"),
    "<= for <": ("own_limit is not null or clears_equal", "true"),
    "own limit inclusive": ("own_limit is null and meets_equal", "meets_equal"),
    "own limit not clear at itself": ("own_limit is not null or clears_equal", "clears_equal"),
    "no grey zone": ("coalesce(own_limit, clear_below)", "coalesce(own_limit, threshold)"),
    "lab limit ignored": ("when leaf.by_lab_limit and", "when false and"),
    "lab limit always used": ("when leaf.by_lab_limit and", "when"),
    "times ignored": ("leaf.times * known", "known"),
    "times forgotten for the report's word": ("when not by_status then", "when status = '' then"),
    "own limit forgotten beside the report's word": ("by_status and own_limit is null and", "by_status and"),
    "word always wins": ("when number_says is null or number_says = (status = 'present') then", "when true then"),
    "number always wins": ("when not by_status then", "when number_says is not null or not by_status then"),
    "grey zone silences the word": ("number_says is null or number_says =", "number_says ="),
    "unanswered word counts": ("and status in ('present', 'absent') as", "as"),
    "comparator ignored": ("when comparator = '<' ", "when false "),
    "<= as <": ("comparator = '<=' then", "false then"),
    "> as >=": ("when over_limit or at_limit then true end", "when over_limit then true end"),
    ">= as =": ("when comparator = '>=' then", "when false then"),
    "before ignored": ("or known.seen_on <= begun.first_day", "or true"),
    "therapy day itself left out": ("known.seen_on <= begun.first_day", "known.seen_on < begun.first_day"),
    "denied therapy counts": ("where known.status <> 'absent'", ""),
    "undated events left out": ("or known.seen_on is null or", "or"),
    "undated absence speaks against": ("(begun.therapy is not null and known.seen_on is null)", "false"),
    "undated absence is weak without treatment": ("begun.therapy is not null and known", "known"),
    "undated treatment ignored": ("begun.undated or", "false or"),
    "undated treatment leaves out": ("<= begun.first_day", "<= begun.first_day and not begun.undated"),
    "perhaps closes": ("case when ending.closes then", "case when true then"),
    "perhaps never weak": ("case when not ending.closes then", "case when false then"),
    "day of a perhaps treatment is weak": ("> begun.doubtful_from", ">= begun.doubtful_from"),
    "after a perhaps treatment is firm": ("or known.seen_on > begun.doubtful_from", ""),
    "weak negative value counts": ("quantity, weak, weight, case\n    when not q", "quantity, "
                                   "weak and not quantity as weak, weight, case\n    when not q"),
    "weak value is left out": ("(not says and weak)", "false"),
    "weak presence is lost": ("filter (where says)", "filter (where says and not weak)"),
    "excludes ignored": ("coalesce(ranked.excludes, false)", "true"),
    "unlisted method excludes": ("coalesce(ranked.excludes, false)", "coalesce(ranked.excludes, true)"),
    "methods not ranked": ("coalesce(ranked.grade, 0)", "0"),
    "day before method": ("* 100000000", "* 1"),
    "latest as highest": ("quantity and not latest", "quantity"),
    "highest as latest": ("quantity and not latest", "false"),
    "tie shown": ("met = not_met and leaf.quantity", "met = not_met"),
    "tie denied": ("not_met > met", "not_met >= met"),
    "undecided sample forgotten": ("where quantity and (says is null", "where false and (says is null"),
    "absence closed-world": ("<> 0 then false end", "<> 0 then false else false end"),
    "as-of ignored": ("where date is null or date <= date", "where true or date <= date"),
    "undated lost by as-of": ("where date is null or date <=", "where date <="),
}
MISREADINGS: dict[str, Callable[[Rule, list[str]], str | None]] = {
    "one part too many": lambda rule, parts: sql._at_least(rule.n + 1, parts) if isinstance(rule, AtLeast) else None,
    "one part too few": lambda rule, parts: sql._at_least(rule.n - 1, parts) if isinstance(rule, AtLeast) else None,
    "unknown part counts as not met": lambda rule, parts: (
        sql._at_least(rule.n, [f"({part} is true)" for part in parts]) if isinstance(rule, AtLeast) else None),
    "not of unknown is met": lambda rule, parts: f"({parts[0]} is not true)" if isinstance(rule, Not) else None,
    "not forgotten": lambda rule, parts: parts[0] if isinstance(rule, Not) else None,
    "exclusion forgotten": lambda rule, parts: parts[0] if isinstance(rule, Judged) else None,
    "exclusion wins": lambda rule, parts: (
        f"case when {parts[1]} then false else {parts[0]} end" if isinstance(rule, Judged) else None),
    "not shown left open": lambda rule, parts: (
        f"case when {parts[0]} then true when {parts[1]} then false end" if isinstance(rule, Judged) else None),
}


def faulty_verdict_found(sample: Iterable[Batch], plant: Callable[[str], str]) -> bool:
    """Whether the comparison that promises agreement finds a disagreement of the planted text."""
    con = duckdb.connect()
    for batch in sample:
        compiled = compile_rules(batch[0], as_of=batch[2])
        planted = plant(compiled.text)
        if planted == compiled.text:
            continue
        insert_events(con, batch[1])
        if by_duckdb(con, planted) != by_evaluator(batch, compiled):
            return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault_in_the_text_is_caught(fault: str, sample: list[Batch]) -> None:
    """A compiler with this mistake disagrees somewhere in the generated batches."""
    old, new = FAULTS[fault]
    assert faulty_verdict_found(sample, lambda text: text.replace(old, new))


def test_unplanted_text_is_not_caught(sample: list[Batch]) -> None:
    """The comparison finds nothing where only the layout of the text changed."""
    assert not faulty_verdict_found(sample[:40], lambda text: text.replace("select ", "select  "))


@pytest.mark.parametrize("misreading", MISREADINGS)
def test_planted_misreading_of_a_node_is_caught(misreading: str, sample: list[Batch],
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiler that reads this node differently disagrees somewhere in the generated batches."""
    right = sql._connective
    misread = MISREADINGS[misreading]
    monkeypatch.setattr(sql, "_connective", lambda rule, parts: misread(rule, parts) or right(rule, parts))
    assert faulty_verdict_found(sample, lambda text: text + "\n")


# What a number that is not a number does

@pytest.mark.parametrize("column", ["value", "upper_limit"])
@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_not_a_number_is_missing(column: str, number: str, sample: list[Batch]) -> None:
    """NaN and infinity in the table give what a missing value gives: never a value above or below a limit."""
    con = duckdb.connect()
    for batch in sample[:40]:
        compiled = compile_rules(batch[0], as_of=batch[2])
        insert_events(con, batch[1])
        con.execute(f"update events set {column} = '{number}'::double where {column} is null")
        assert by_duckdb(con, compiled.text) == by_evaluator(batch, compiled)


def test_null_text_is_empty_text(sample: list[Batch]) -> None:
    """NULL in status, comparator or method gives what an empty text gives."""
    con = duckdb.connect()
    for batch in sample[:40]:
        compiled = compile_rules(batch[0], as_of=batch[2])
        insert_events(con, batch[1])
        con.execute("update events set status = nullif(status, ''), comparator = nullif(comparator, ''), "
                    "method = nullif(method, '')")
        assert by_duckdb(con, compiled.text) == by_evaluator(batch, compiled)


def test_date_outside_the_calendar_is_no_date() -> None:
    """An infinite date is no date: the event counts as undated, and begins no therapy."""
    con = duckdb.connect()
    insert_events(con, [Event("p", "q", status=ABSENT), Event("p", "drug", status=PRESENT)])
    con.execute("update events set date = 'infinity'")
    rules = {"r": Present("q", before=("drug",)), "s": Present("q")}
    assert run(rules, "events", connection=con) == {"p": {"r": UNKNOWN, "s": NOT_MET}}


# Both sides of each limit: below, at, above; then the same for censored values. Written from rules.py, not from a run.

SIDES = [
    (Above("q", LIMIT), LIMIT, (NOT_MET, NOT_MET, MET)),
    (Above("q", LIMIT, inclusive=True), LIMIT, (NOT_MET, MET, MET)),
    (Above("q", LIMIT, clear_below=CLEAR_BELOW), LIMIT, (UNKNOWN, UNKNOWN, MET)),
    (Above("q", LIMIT, clear_below=CLEAR_BELOW), CLEAR_BELOW, (NOT_MET, UNKNOWN, UNKNOWN)),
    (Above("q", LIMIT, clear_below=CLEAR_BELOW, inclusive=True), LIMIT, (UNKNOWN, MET, MET)),
    (Above("q", LIMIT, clear_below=CLEAR_BELOW, inclusive=True), CLEAR_BELOW, (NOT_MET, UNKNOWN, UNKNOWN)),
    (Above("q", 3 * LIMIT, inclusive=True, by_lab_limit=True), LIMIT, (NOT_MET, NOT_MET, MET)),
    (Above("q", 3 * LIMIT, inclusive=True, by_lab_limit=True, times=1.5), 1.5 * LIMIT, (NOT_MET, NOT_MET, MET)),
    (Above("q", None), LIMIT, (UNKNOWN, UNKNOWN, UNKNOWN)),
]
CENSORED = [
    ("<", Above("q", LIMIT), (NOT_MET, NOT_MET, UNKNOWN)),
    ("<=", Above("q", LIMIT), (NOT_MET, NOT_MET, UNKNOWN)),
    (">", Above("q", LIMIT), (UNKNOWN, MET, MET)),
    (">=", Above("q", LIMIT), (UNKNOWN, UNKNOWN, MET)),
    ("<", Above("q", LIMIT, inclusive=True), (NOT_MET, NOT_MET, UNKNOWN)),
    ("<=", Above("q", LIMIT, inclusive=True), (NOT_MET, UNKNOWN, UNKNOWN)),
    (">", Above("q", LIMIT, inclusive=True), (UNKNOWN, MET, MET)),
    (">=", Above("q", LIMIT, inclusive=True), (UNKNOWN, MET, MET)),
]


def both(rule: Rule, *given_events: Event) -> Verdict:
    """The verdict for one patient, the same by the evaluator and by DuckDB."""
    [record] = records(given_events)
    verdict = evaluate(rule, record)
    assert run({"r": rule}, given_events) == {record.patient: {"r": verdict}}
    return verdict


@pytest.mark.parametrize(("rule", "limit", "expected"), SIDES)
def test_both_sides_of_each_limit(rule: Above, limit: float, expected: tuple[Verdict, ...]) -> None:
    """Just below, at and just above a limit, the verdict is the one the rule's words promise, in both."""
    upper = LIMIT if rule.by_lab_limit else None
    assert tuple(both(rule, Event("p", "q", value=value, upper_limit=upper)) for value in around(limit)) == expected


@pytest.mark.parametrize(("comparator", "rule", "expected"), CENSORED)
def test_both_sides_of_each_limit_censored(comparator: str, rule: Above, expected: tuple[Verdict, ...]) -> None:
    """A censored value decides what it can, and no more, in both."""
    assert tuple(both(rule, Event("p", "q", value=value, comparator=comparator))
                 for value in around(LIMIT)) == expected


# What a new fact may change

def conflicts(judgement: Judgement) -> bool:
    """Whether a conflict is reported anywhere in the judgement."""
    return judgement.conflict or any(map(conflicts, judgement.parts))


def given_too(record: Record, event: Event) -> Record:
    """The record with one more event."""
    return Record(record.patient, (*record.events, event), record.as_of)


def definite_verdict_kept(rule: Rule, record: Record, fact: Event) -> bool:
    """Whether a definite verdict outlives the fact, or a conflict is reported."""
    before, after = evaluate(rule, record), judge(rule, given_too(record, fact), {})
    return before is UNKNOWN or after.verdict is before or conflicts(after)


def one_record(given_events: list[Event]) -> Record:
    return Record("p", tuple(replace(event, patient="p") for event in given_events))


@pytest.mark.slow
@settings(steady, max_examples=1_000)
@given(rules, st.lists(observations | treatments, max_size=8), observations)
def test_fact_that_was_missing_keeps_definite_verdicts(rule: Rule, given_events: list[Event], fact: Event) -> None:
    """A fact about a finding not yet recorded, that is no treatment, keeps every definite verdict, or a conflict shows.

    Every leaf about that finding was unknown, and Kleene's connectives (Not too) never take a definite verdict back;
    only Judged does, from excluded to shown, and then reports the conflict.
    """
    record = one_record([event for event in given_events if event.finding != fact.finding])
    assert definite_verdict_kept(rule, record, fact)


@pytest.mark.slow
@settings(steady, max_examples=1_000)
@given(findings, st.lists(observations | treatments, max_size=8), observations)
def test_any_fact_keeps_definite_findings(rule: Rule, given_events: list[Event], fact: Event) -> None:
    """Where no quantity is judged, any fact keeps every definite verdict, or a conflict shows; even about a finding
    already recorded, but not about a treatment.
    """
    assert definite_verdict_kept(rule, one_record(given_events), fact)


def test_new_evidence_that_shows_what_was_excluded_reports_a_conflict() -> None:
    """The one way from not met to met by a fact that was missing: it shows what another finding excluded."""
    rule = Judged(Present("lesion"), Present("clean-scan"))
    record = Record("p", (Event("p", "clean-scan", status=PRESENT),))
    after = judge(rule, given_too(record, Event("p", "lesion", status=PRESENT)), {})
    assert (evaluate(rule, record), after.verdict, after.conflict) == (NOT_MET, MET, True)


# The engine's own edges

def test_every_node_has_a_column_and_equal_nodes_share_one() -> None:
    """Named nodes' columns carry their ids, others a path; equal nodes share; names that collide get a number."""
    lesion = Named("lesion", Present("lesion"))
    compiled = compile_rules({"a": AtLeast(1, (lesion, Present("rash"))), "b": Not(Named("lesion", Present("lesion"))),
                              "LESION": Present("level")})
    assert compiled.rules == {"a": "a", "b": "b", "LESION": "LESION#2"}
    assert compiled.nodes[lesion] == "lesion"
    assert compiled.nodes[Present("lesion")] == "lesion.0"
    assert compiled.nodes[Present("rash")] == "a.1"
    assert len(set(compiled.nodes.values())) == len(compiled.nodes) == 6


def test_hundreds_of_leaves() -> None:
    """More leaves than a mask has bits keep their verdicts apart."""
    limits: dict[str, Rule] = {str(number): Above("level", float(number)) for number in range(200)}
    verdicts = run(limits, [Event("p", "level", value=99.5)])["p"]
    assert verdicts == {rule_id: MET if int(rule_id) < 99.5 else NOT_MET for rule_id in limits}


def test_long_ids_stay_distinct() -> None:
    """Two ids that PostgreSQL would cut to the same 63 bytes get different columns."""
    columns = compile_rules({"é" * 40: Present("rash"), "é" * 41: Present("lesion")}).rules.values()
    assert len({column.encode()[:63] for column in columns}) == 2


@pytest.mark.parametrize("rule", [Present("\0"), Above("q", math.nan), Above("q", math.inf), Named("\0", Present("q"))])
def test_rule_that_no_text_can_carry_is_refused(rule: Rule) -> None:
    """A NUL character or a limit that is no number raises EngineError instead of becoming another rule."""
    with pytest.raises(EngineError):
        compile_rules({"r": rule})


def test_nothing_in_nothing_out() -> None:
    """No events give no patients; no rules give every patient an empty answer; a treatment without rules is fine."""
    assert run({"r": Present("rash")}, []) == {}
    assert run({}, [Event("p", "rash", status=PRESENT)]) == {"p": {}}
    assert run({"r": AtLeast(0, ())}, [Event("p", "rash", status=PRESENT)]) == {"p": {"r": MET}}


def test_patient_with_only_later_events_is_unknown_not_lost() -> None:
    """A patient whose events all lie after the day still gets a row."""
    assert run({"r": Present("rash")}, [Event("p", "rash", DAYS[3], PRESENT)], as_of=DAYS[0]) == {"p": {"r": UNKNOWN}}


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_file_of_events(ending: str, tmp_path: Path) -> None:
    """A CSV or Parquet file gives what its events give, with the columns it has."""
    path = tmp_path / f"events' {ending}.{ending}"
    con = duckdb.connect()
    insert_events(con, [Event("007", "level", DAYS[0], value=LIMIT), Event("8", "rash", status=ABSENT)])
    relation = con.sql("select patient, finding, date, value, status from events")
    (relation.write_csv if ending == "csv" else relation.write_parquet)(str(path))
    expected = {"007": {"r": MET, "s": UNKNOWN}, "8": {"r": UNKNOWN, "s": NOT_MET}}
    given_rules: dict[str, Rule] = {"r": Above("level", CLEAR_BELOW), "s": Present("rash")}
    assert run(given_rules, path) == run(given_rules, str(path)) == expected
    assert run(given_rules, path, connection=con) == run(given_rules, "events", connection=con) == expected


def test_faults_of_a_file_are_plain_and_hold_no_value(tmp_path: Path) -> None:
    """A missing file, a missing column and a date that is none raise EngineError, without a patient's value."""
    (tmp_path / "bad.csv").write_text("patient,finding,date\np,rash,secret\n")
    (tmp_path / "short.csv").write_text("patient,date\np,2020-01-01\n")
    for name, words in {"no.csv": "no such file", "short.csv": "no column finding", "bad.csv": "date date"}.items():
        with pytest.raises(EngineError, match=words) as caught:
            run({"r": Present("rash")}, tmp_path / name)
        assert "secret" not in str(caught.value)
    with pytest.raises(EngineError, match="nowhere"):
        run({"r": Present("rash")}, "nowhere", connection=duckdb.connect())


def test_verdicts_stay_in_the_connection() -> None:
    """The table of verdicts has a row per patient and a column per node, for the next query to read."""
    con = duckdb.connect()
    insert_events(con, [Event("p", "rash", status=PRESENT), Event("q", "lesion", status=PRESENT)])
    compiled = create_verdicts(con, {"r": Not(Present("rash"))})
    assert compiled.rules == {"r": "r"}
    assert con.execute('select patient, r, "r.0" from verdicts order by 1').fetchall() == [
        ("p", False, True), ("q", None, None)]


@pytest.mark.parametrize("dialect", ["spark", "postgres"])
def test_other_dialects_are_written(dialect: str, sample: list[Batch]) -> None:
    """The text can be written for the engines to come; that they agree is for their own tests."""
    pytest.importorskip("sqlglot")
    for given_rules, _, as_of in sample[:10]:
        assert "lesion" in compile_rules({**given_rules, "r": Present("lesion")}, dialect=dialect, as_of=as_of).text
