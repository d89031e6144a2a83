"""Rules to SQL: one text that gives every patient of an events table the verdict of every node.

The rules' leaves go into the text as small tables of numbers and names, and rows of events meet their leaves by a join:
the text says once what a leaf means, and a row costs nothing for the leaves that do not ask for its finding.
"""
# ruff: noqa: S608 - text is what this module makes: every name goes through `quoted`, every value through `_literal`

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib import import_module

from poems.errors import EngineError
from poems.rules import Above, AtLeast, Judged, Named, Not, Present, Rule, children

NEEDED = {"patient": "varchar", "date": "date", "finding": "varchar", "status": "varchar", "value": "double",
          "comparator": "varchar", "upper_limit": "double", "method": "varchar"}
"""The columns of the events table that the text reads, with their types."""

_BITS = 60  # leaves in a BIGINT

Scalar = str | int | float | bool | None
_Window = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class CompiledSql:
    """A query with one row per patient, and where to find each verdict in it: TRUE met, FALSE not met, NULL unknown.

    text: a query without a final semicolon; its first column is `patient`.
    rules: the column of each rule. nodes: the column of each node; equal nodes share one.
    """

    text: str
    rules: Mapping[str, str]
    nodes: Mapping[Rule, str]


def compile_rules(rules: Mapping[str, Rule], *, dialect: str = "duckdb", events: str = "events",
                  as_of: date | None = None) -> CompiledSql:
    """The query that gives every patient of a table of events the verdict of every node of these rules.

    events: name of a relation with the columns NEEDED (dots part schema and table); every patient in it gets a row.
    as_of: later events are not yet known and left out; undated ones stay. Named nodes' columns carry their ids, other
    nodes the id above them and their place (`major.0`); a name taken already, in any letter case, gets a number.
    dialect: `duckdb`, or any other that sqlglot writes. Raises: EngineError, if a rule cannot be written as SQL.
    """
    nodes = _Nodes()
    rule_places = {rule_id: nodes.add(rule, rule_id) for rule_id, rule in rules.items()}
    columns = nodes.columns()
    leaves = {place: rule for rule, place in nodes.places.items() if isinstance(rule, Present | Above)}
    deepest = max(nodes.depths, default=0)
    stages = [_known(events, as_of), *_leaf_tables(leaves), _LEAF_VERDICTS, _leaf_stages(leaves)]
    stages += [_depth_stage(depth, nodes) for depth in range(1, deepest + 1)]
    selected = ",\n  ".join(["patient", *(f"n{place} as {quoted(column)}" for place, column in enumerate(columns))])
    text = "with " + ",\n".join(stages) + f"\nselect {selected}\nfrom depth{deepest}"
    return CompiledSql(_in_dialect(text, dialect), {rule_id: columns[place] for rule_id, place in rule_places.items()},
                       {rule: columns[place] for rule, place in nodes.places.items()})


def quoted(identifier: str) -> str:
    """An identifier as SQL text, whatever it holds. Raises: EngineError on a NUL character, which ends a text."""
    return '"' + _checked(identifier).replace('"', '""') + '"'


@dataclass
class _Nodes:
    """Every distinct node once, parts before wholes: its place, its parts' places, its depth, its path."""

    places: dict[Rule, int] = field(default_factory=dict)
    parts: list[tuple[int, ...]] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def add(self, rule: Rule, path: str) -> int:
        """The place of a node, added with everything below it where it is new."""
        if rule in self.places:
            return self.places[rule]
        path = rule.id if isinstance(rule, Named) else path
        parts = tuple(self.add(part, f"{path}.{i}") for i, part in enumerate(children(rule)))
        leaf = isinstance(rule, Present | Above)
        self.parts.append(parts)
        self.depths.append(0 if leaf else 1 + max((self.depths[part] for part in parts), default=0))
        self.paths.append(path)
        return self.places.setdefault(rule, len(self.places))

    def columns(self) -> list[str]:
        """A column name for each place. Named nodes choose first, so that a path never takes an id."""
        names = [""] * len(self.places)
        taken = {"patient"}
        for _, place in sorted(self.places.items(), key=lambda item: not isinstance(item[0], Named)):
            names[place] = _free(self.paths[place], taken)
            taken.add(names[place].casefold())
        return names


def _free(wish: str, taken: set[str]) -> str:
    """A name not taken in any letter case, short enough for PostgreSQL (63 bytes)."""
    stem = wish.encode()[:56].decode(errors="ignore") or "rule"
    name, number = (wish or stem) if len(wish.encode()) <= 63 else stem, 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem}#{number}"
    return name


def _checked(text: str) -> str:
    if "\0" in text:
        raise EngineError("a rule or table holds a name with a NUL character, which no SQL text can carry")
    return text


def _literal(value: Scalar) -> str:
    """A value as SQL. Numbers carry an exponent: without one, engines read them as decimals and round."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + _checked(value).replace("'", "''") + "'"
    if not math.isfinite(value):
        raise EngineError(f"a rule holds the number {value}; expected a finite one")
    if isinstance(value, int):
        return str(value)
    return repr(value) if "e" in repr(value) else f"{value!r}e0"


def _table(name: str, columns: Mapping[str, str], rows: Iterable[tuple[Scalar, ...]]) -> str:
    """A stage that holds these rows; with none, one row of NULLs, which meets nothing in a join."""
    casts = ",\n    ".join(f"cast({column} as {kind}) as {column}" for column, kind in columns.items())
    lines = [", ".join(map(_literal, row)) for row in rows] or [", ".join(["null"] * len(columns))]
    values = ",\n".join(f"    ({line})" for line in lines)
    return f"{name} as (\n  select {casts}\n  from (values\n{values}) as given ({', '.join(columns)}))"


def _known(events: str, as_of: date | None) -> str:
    """The events known on the day, cleaned: engines call NaN greater than any limit, so it becomes NULL here.

    The largest double bounds the values, since not every engine has `isfinite`; days outside Python's calendar
    become NULL too, so that a day counts as one and the same everywhere.
    """
    relation = ".".join(quoted(part) for part in events.split("."))
    until = "" if as_of is None else f" where date is null or date <= date '{as_of.isoformat()}'"
    return f"""patients as (
  select distinct patient from {relation} where patient is not null),
known as (
  select patient, finding, case when date between date '0001-01-01' and date '9999-12-31' then date end as seen_on,
    coalesce(status, '') as status, coalesce(comparator, '') as comparator, coalesce(method, '') as method,
    case when abs(value) <= 1.7976931348623157e308 then value end as value,
    case when abs(upper_limit) <= 1.7976931348623157e308 then upper_limit end as upper_limit
  from {relation}{until})"""


def _leaf_tables(leaves: Mapping[int, Present | Above]) -> list[str]:
    """The stages that hold what the leaves ask for: the leaves, the methods they rank, the treatments of the clone."""
    windows = dict.fromkeys(_window(rule) for rule in leaves.values() if any(_window(rule)))
    therapies = {window: number for number, window in enumerate(windows)}
    leaf = {"leaf": "integer", "finding": "varchar", "therapy": "integer", "quantity": "boolean",
            "by_method": "boolean", "latest": "boolean", "threshold": "double", "clear_below": "double",
            "meets_equal": "boolean", "clears_equal": "boolean", "by_lab_limit": "boolean", "by_status": "boolean",
            "times": "double", "word": "integer", "mark": "bigint"}
    method = {"leaf": "integer", "method": "varchar", "grade": "integer", "excludes": "boolean"}
    therapy = {"therapy": "integer", "finding": "varchar", "closes": "boolean"}
    rows = [(*_leaf_row(place, rule, therapies), *_word_and_mark(number))
            for number, (place, rule) in enumerate(leaves.items())]
    return [_table("leaf", leaf, rows),
            _table("ranked", method, [row for place, rule in leaves.items() for row in _method_rows(place, rule)]),
            _table("ending", therapy, [(number, finding, closes) for (before, perhaps), number in therapies.items()
                                       for findings, closes in ((before, True), (perhaps, False))
                                       for finding in dict.fromkeys(findings)])]


def _window(rule: Present | Above) -> _Window:
    """The treatments that close a leaf's record, and those that may."""
    return rule.before, rule.perhaps


def _leaf_row(place: int, rule: Present | Above, therapies: Mapping[_Window, int]) -> tuple[Scalar, ...]:
    head = (place, rule.finding, therapies.get(_window(rule)))
    if isinstance(rule, Present):
        return (*head, False, bool(rule.methods), False, None, None, False, False, False, False, None)
    limit = None if rule.limit is None else float(rule.limit)
    clear_below = limit if limit is None or rule.clear_below is None else float(rule.clear_below)
    grey = limit is not None and clear_below is not None and clear_below < limit
    return (*head, True, False, rule.take == "latest", limit, clear_below, rule.inclusive,
            not (rule.inclusive or grey), rule.by_lab_limit, rule.by_lab_limit and rule.times == 1, float(rule.times))


def _method_rows(place: int, rule: Present | Above) -> list[tuple[Scalar, ...]]:
    """Grades from 1 for the last method listed; a method not listed will have 0."""
    if isinstance(rule, Above):
        return []
    grades = {method.id: len(rule.methods) - rank for rank, method in enumerate(rule.methods)}
    excluding = {method.id for method in rule.methods if method.excludes}
    return [(place, method, grade, method in excluding) for method, grade in grades.items()]


# `begun` is when treatment closed a record or may have, `sample` joins events and leaves (weak: may speak for its leaf,
# not against it), `measured` compares, `numbered` adds what the number says, `voice` what the sample says to its
# leaf, `tally` the weightiest voice for, against and undecided, and `decided` weighs those. Weight: the method's grade,
# then the day as yyyymmdd, so that no dialect's date arithmetic is needed; where the highest value counts, all weigh
# the same.
_LEAF_VERDICTS = """\
begun as (
  select known.patient, ending.therapy, min(case when ending.closes then known.seen_on end) as first_day,
    min(case when not ending.closes then known.seen_on end) as doubtful_from, count(*) > count(known.seen_on) as undated
  from known join ending on ending.finding = known.finding
  where known.status <> 'absent'
  group by known.patient, ending.therapy),
sample as (
  select known.patient, known.status, known.comparator, known.value, leaf.leaf, leaf.quantity, leaf.latest,
    leaf.threshold, leaf.clear_below, leaf.meets_equal, leaf.clears_equal, leaf.by_status,
    case when leaf.by_lab_limit and known.value is not null then leaf.times * known.upper_limit end as own_limit,
    not leaf.by_method or coalesce(ranked.excludes, false) as can_exclude, coalesce(ranked.grade, 0) as grade,
    coalesce(known.seen_on, date '0001-01-01') as ordered_on,
    coalesce(begun.undated or (begun.therapy is not null and known.seen_on is null)
      or known.seen_on > begun.doubtful_from, false) as weak
  from known
  join leaf on leaf.finding = known.finding
  left join begun on begun.patient = known.patient and begun.therapy = leaf.therapy
  left join ranked on ranked.leaf = leaf.leaf and ranked.method = known.method
  where begun.first_day is null or known.seen_on is null or known.seen_on <= begun.first_day),
measured as (
  select patient, leaf, quantity, status, comparator, can_exclude, weak,
    by_status and own_limit is null and status in ('present', 'absent') as by_status,
    value > coalesce(own_limit, threshold) as over_limit,
    value = coalesce(own_limit, threshold) as at_limit,
    own_limit is null and meets_equal as meets_equal,
    value < coalesce(own_limit, clear_below) as under_clear,
    value = coalesce(own_limit, clear_below) as at_clear,
    own_limit is not null or clears_equal as clears_equal,
    case when quantity and not latest then 0 else cast(grade as bigint) * 100000000 + cast(extract(year from ordered_on)
      * 10000 + extract(month from ordered_on) * 100 + extract(day from ordered_on) as bigint) end as weight
  from sample),
numbered as (
  select patient, leaf, quantity, status, can_exclude, weak, by_status, weight, case
    when comparator = '<' then case when under_clear or at_clear then false end
    when comparator = '<=' then case when under_clear or (at_clear and clears_equal) then false end
    when comparator = '>' then case when over_limit or at_limit then true end
    when comparator = '>=' then case when over_limit or (at_limit and meets_equal) then true end
    when over_limit or (at_limit and meets_equal) then true
    when under_clear or (at_clear and clears_equal) then false end as number_says
  from measured),
voice as (
  select patient, leaf, quantity, weak, weight, case
    when not quantity and status = 'present' then true
    when not quantity and status = 'absent' and can_exclude then false
    when not quantity then null
    when not by_status then number_says
    when number_says is null or number_says = (status = 'present') then status = 'present' end as says
  from numbered),
tally as (
  select patient, leaf,
    coalesce(max(weight) filter (where says), -2) as met,
    coalesce(max(weight) filter (where not says and not weak), -2) as not_met,
    coalesce(max(weight) filter (where quantity and (says is null or (not says and weak))), -1) as undecided
  from voice group by patient, leaf),
decided as (
  select tally.patient, leaf.word, leaf.mark, case
    when met >= undecided and (met > not_met or (met = not_met and leaf.quantity)) then true
    when not_met > undecided and not_met > met then false end as verdict
  from tally join leaf on leaf.leaf = tally.leaf)"""


def _leaf_stages(leaves: Iterable[int]) -> str:
    """One row per patient, one column per leaf; a leaf without evidence is NULL, never FALSE.

    The rows become columns by way of bit masks: an aggregate for each of hundreds of leaves takes twenty times longer.
    """
    marked, columns = "", ""
    for number, place in enumerate(leaves):
        word, mark = _word_and_mark(number)
        if mark == 1:
            marked += "".join(f",\n    bit_or(mark) filter (where word = {word} and {test}) as {name}{word}"
                              for name, test in (("met", "verdict"), ("not_met", "not verdict")))
        columns += (f",\n    case when (met{word} & {mark}) <> 0 then true"
                    f" when (not_met{word} & {mark}) <> 0 then false end as n{place}")
    return f"""marked as (
  select patient{marked}
  from decided group by patient),
depth0 as (
  select patients.patient{columns}
  from patients left join marked on marked.patient = patients.patient)"""


def _word_and_mark(number: int) -> tuple[int, int]:
    """Where a leaf's bit stands: in which BIGINT, and as which power of two."""
    return number // _BITS, 1 << number % _BITS


def _depth_stage(depth: int, nodes: _Nodes) -> str:
    """One stage for all nodes whose deepest leaf is so many steps below: they read only columns of earlier stages."""
    columns = "".join(f",\n    {_connective(rule, [f'n{part}' for part in nodes.parts[place]])} as n{place}"
                      for rule, place in nodes.places.items() if nodes.depths[place] == depth)
    return f"depth{depth} as (\n  select *{columns}\n  from depth{depth - 1})"


def _connective(rule: Rule, parts: list[str]) -> str:
    """A node over its parts' columns; SQL's own NULL gives Kleene's AND, OR and NOT."""
    if isinstance(rule, AtLeast):
        return _at_least(rule.n, parts)
    if isinstance(rule, Not):
        return f"not {parts[0]}"
    if isinstance(rule, Judged):
        return f"case when {parts[0]} is null and {parts[1]} then false else {parts[0]} end"
    return parts[0]


def _at_least(n: int, parts: list[str]) -> str:
    if n <= 0 or n > len(parts):
        return _literal(n <= 0)
    if n in (1, len(parts)):
        return "(" + (" or " if n == 1 else " and ").join(parts) + ")"
    certain = " + ".join(f"case when {part} then 1 else 0 end" for part in parts)
    impossible = " + ".join(f"case when not {part} then 1 else 0 end" for part in parts)
    return f"""case
      when {certain} >= {n} then true
      when {impossible} > {len(parts) - n} then false end"""


def _in_dialect(text: str, dialect: str) -> str:
    if dialect == "duckdb":
        return text
    try:
        sqlglot = import_module("sqlglot")
    except ImportError:
        raise EngineError(f"SQL for {dialect} needs the package sqlglot; install it, or use duckdb") from None
    try:
        return str(sqlglot.transpile(text, read="duckdb", write=dialect, pretty=True)[0])
    except ValueError as error:
        raise EngineError(f"sqlglot cannot write the dialect {dialect}: {error}") from error
