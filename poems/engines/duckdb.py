"""DuckDB, the first engine: the verdicts of rules for every patient of a table, a file, or events in memory."""
# ruff: noqa: S608 - every name goes through `quoted`, every value is a parameter

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from poems.engines.sql import NEEDED, CompiledSql, compile_rules, quoted
from poems.errors import EngineError
from poems.record import Event
from poems.rules import Rule, Verdict

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

VERDICTS = {True: Verdict.MET, False: Verdict.NOT_MET, None: Verdict.UNKNOWN}
_BATCH = 10_000  # events a statement; more gains nothing and holds twice the lists in memory


def run(rules: Mapping[str, Rule], events: Iterable[Event] | Path | str, as_of: date | None = None,
        connection: DuckDBPyConnection | None = None) -> dict[str, dict[str, Verdict]]:
    """The verdict of every rule for every patient, patients in alphabetical order.

    events: events; or the path of a CSV or Parquet file with the columns of `poems.record.COLUMNS` (patient and
    finding suffice, a column left out is missing everywhere); or, with a connection, the name of a relation in it.
    as_of: later events are left out. Raises: EngineError, if DuckDB is not installed or cannot read the events.
    """
    con = connection or _duckdb().connect()
    with _plain_errors():
        relation = _relation(con, events if connection or not isinstance(events, str) else Path(events))
        compiled = compile_rules(rules, events=relation, as_of=as_of)
        wanted = ", ".join(["patient", *map(quoted, compiled.rules.values())])
        rows = con.execute(f"select {wanted} from ({compiled.text}) as verdicts order by patient").fetchall()
    return {patient: {rule_id: VERDICTS[verdict] for rule_id, verdict in zip(rules, verdicts, strict=True)}
            for patient, *verdicts in rows}


def create_verdicts(con: DuckDBPyConnection, rules: Mapping[str, Rule], *, events: str = "events",
                    as_of: date | None = None, table: str = "verdicts") -> CompiledSql:
    """A temporary table with one row per patient and one column per node stands in the connection: for a population.

    The result names its columns. The table replaces an earlier one of its name. Raises: EngineError.
    """
    compiled = compile_rules(rules, events=events, as_of=as_of)
    with _plain_errors():
        con.execute(f"create or replace temp table {quoted(table)} as {compiled.text}")
    return compiled


def insert_events(con: DuckDBPyConnection, events: Iterable[Event], table: str = "events") -> None:
    """A temporary table with these events' columns NEEDED stands in the connection; it replaces an earlier one.

    About 200,000 events a second: whole columns go in as lists, for `executemany` is a hundred times slower.
    """
    columns = ", ".join(f"{name} {kind}" for name, kind in NEEDED.items())
    lists = ", ".join(f"unnest(?::{kind}[])" for kind in NEEDED.values())
    left = iter(events)
    with _plain_errors():
        con.execute(f"create or replace temp table {quoted(table)} ({columns})")
        while batch := list(islice(left, _BATCH)):
            con.execute(f"insert into {quoted(table)} select {lists}",
                        [[getattr(event, name) for event in batch] for name in NEEDED])


def read_file(con: DuckDBPyConnection, path: Path, view: str = "events") -> None:
    """A temporary view of a CSV or Parquet file stands in the connection, with the columns NEEDED in their types."""
    if not path.is_file():
        raise EngineError(f"{path}: no such file; expected a CSV or Parquet file of events")
    name = "'" + str(path).replace("'", "''") + "'"
    parquet = path.suffix.lower() == ".parquet"
    source = f"read_parquet({name})" if parquet else f"read_csv({name}, all_varchar = true, header = true)"
    with _plain_errors(str(path)):
        found = {row[0] for row in con.execute(f"describe select * from {source}").fetchall()}
        lacking = [column for column in ("patient", "finding") if column not in found]
        if lacking:
            raise EngineError(f"{path}: no column {' and no column '.join(lacking)}; every event needs both")
        columns = ", ".join(f"cast({column if column in found else 'null'} as {kind}) as {column}"
                            for column, kind in NEEDED.items())
        con.execute(f"create or replace temp view {quoted(view)} as select {columns} from {source}")


def _relation(con: DuckDBPyConnection, events: Iterable[Event] | Path | str) -> str:
    if isinstance(events, str):
        return events
    if isinstance(events, Path):
        read_file(con, events, "poems_file")
        return "temp.poems_file"
    insert_events(con, events, "poems_events")
    return "temp.poems_events"


def _duckdb() -> ModuleType:
    try:
        import duckdb
    except ImportError:
        raise EngineError("this engine needs the package duckdb; install it, or use `poems.evaluate`") from None
    return duckdb


@contextmanager
def _plain_errors(where: str = "the events") -> Iterator[None]:
    """DuckDB's errors leave as EngineError. One about a value quotes it, and a patient's value is nobody's message."""
    duckdb = _duckdb()
    try:
        yield
    except (duckdb.CatalogException, duckdb.BinderException, duckdb.IOException) as error:
        raise EngineError(f"DuckDB cannot read {where}: {str(error).splitlines()[0]}") from error
    except duckdb.Error as error:
        kinds = ", ".join(f"{name} {kind}" for name, kind in NEEDED.items())
        fault = type(error).__name__.removesuffix("Exception")
        raise EngineError(f"DuckDB stopped at {where} ({fault} error); expected the columns {kinds}") from None
