"""The events table as CSV or Parquet: one row per observation, columns as in `record.COLUMNS`.

Rows count as a spreadsheet shows them: in CSV the heading is row 1; in Parquet the first row of data is row 1.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from poems.adapters import coding, document, fields
from poems.adapters.document import RefusedError
from poems.adapters.entry import Entries, Observation
from poems.knowledge import Concept
from poems.record import COLUMNS

_TWICE: Final = re.compile(rf"^({'|'.join(COLUMNS)})_\d+$")  # what DuckDB makes of a column that stands twice

if TYPE_CHECKING:
    import duckdb

SEE: Final = "See `poems knowledge list`; the app offers the names where a finding is entered."
REQUIRED: Final = ("patient", "finding")
DELIMITERS: Final = (",", ";", "\t")


def read_csv(data: bytes, entries: Entries) -> None:
    """Add the rows of a CSV text to the entries. Raises: RefusedError, where it is no table."""
    text = document.decode(data, "")
    if not text.strip():
        raise RefusedError("", "empty", "a heading and rows", "Check that the file was written to the end.")
    first = text.lstrip("\r\n").splitlines()[0]
    delimiter = max(DELIMITERS, key=lambda sign: sum(_heading(name) in COLUMNS for name in first.split(sign)))
    rows = _rows(text, delimiter, entries)
    _, heading = next(rows, (1, []))
    columns = _columns(heading, entries)
    for number, row in rows:
        _row(number, [fields.unguarded(cell) for cell in row], columns, entries)


def _rows(text: str, delimiter: str, entries: Entries) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of every row that can be parted into cells; a fault for each that cannot."""
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    while True:
        number, line = number + 1, lines.line_num
        try:
            row = next(lines)
        except StopIteration:
            return
        except csv.Error:
            height = lines.line_num - line
            entries.say("fault", f"row {number}", f"quotation marks that do not pair, over {height} lines of the file",
                        'cells in "..." or without quotes', "Correct the row; none of these lines was read.")
            continue
        if (height := lines.line_num - line) > 1:
            entries.say("caution", f"row {number}", f"one row over {height} lines of the file", "one line",
                        "Check its quotation marks: a stray one hides the rows that follow.")
        if any(cell.strip() for cell in row):
            yield number, row


def _heading(cell: object) -> str:
    return str(cell).strip().strip('"').casefold().replace(" ", "_")


def _columns(heading: Sequence[object], entries: Entries) -> list[str]:
    """The columns in order. Raises: RefusedError, where a needed one is missing or one stands twice."""
    columns = [_heading(cell) for cell in heading]
    if missing := [name for name in REQUIRED if name not in columns]:
        raise RefusedError("row 1", f"no column {' and no column '.join(missing)}", ", ".join(COLUMNS),
                           "Name the columns in the first row.")
    if "status" not in columns and "value" not in columns:
        raise RefusedError("row 1", "no column status and no column value", "one of them", "Add one.")
    if twice := sorted({name for name in COLUMNS if columns.count(name) > 1}):
        raise RefusedError("row 1", f"the column {' and '.join(twice)} stands twice", "each column once", "Remove one.")
    for place, name in enumerate(columns, 1):
        if name not in COLUMNS:
            entries.say("note", f"row 1, column {place}", "a column that is not read", ", ".join(COLUMNS))
    return columns


def _row(number: int, row: Sequence[str], columns: Sequence[str], entries: Entries) -> None:
    where = f"row {number}"
    if len(row) != len(columns):
        entries.say("fault", where, f"{len(row)} cells", f"{len(columns)} cells", "Quote cells with the delimiter.")
        return
    cells = {name: cell for name, cell in zip(columns, row, strict=True) if name in COLUMNS and cell != ""}
    try:
        concept = _concept(where, cells.pop("finding", ""), entries)
    except RefusedError as refused:
        entries.refuse(refused)
        return
    if concept is not None:
        entries.add(Observation(where, concept, **cells))


def _concept(where: str, cell: str, entries: Entries) -> Concept | None:
    """The concept of a finding's id, name or compact code; None, with a caution, where there is none."""
    try:
        name = fields.text(cell)
    except RefusedError as refused:
        raise RefusedError(f"{where}, finding", refused.found, refused.expected, refused.fix) from None
    if not name:
        raise RefusedError(f"{where}, finding", "empty", "the id or name of a finding", "Fill it.")
    found = entries.knowledge.by_name(name)
    if found is None and ":" in name:
        system, code = coding.compact(name)
        known = coding.system_of(system)
        found = entries.knowledge.concepts.get(code) if known == "poems" else entries.knowledge.by_code(
            known, coding.plain_code(known, code))
    if found is None:
        _note_unknown(where, name, entries)
    return found


def _note_unknown(where: str, name: str, entries: Entries) -> None:
    near = [] if entries.counted(("finding", name)) else difflib.get_close_matches(
        name.casefold(), entries.knowledge.concepts, 1, 0.8)
    entries.count(("finding", name), f"{where}, finding", "a finding that we do not know; nothing is read",
                  "an id or name that we know", f"Did you mean {near[0]}?" if near else SEE, "caution")


def read_parquet(data: bytes, entries: Entries, path: Path | None = None) -> None:
    """Add the rows of a Parquet file to the entries. path: where it lies, if it does.

    Raises: RefusedError, where it is no table.
    """
    if path is not None and path.is_file() and not set("*?[{") & set(str(path)):
        rows = _parquet_rows(str(path))
    else:  # DuckDB reads files alone, and takes such a name for a pattern of several
        try:
            with tempfile.TemporaryDirectory() as folder:
                copy = Path(folder) / "events.parquet"
                copy.write_bytes(data)
                rows = _parquet_rows(str(copy))
        except OSError as error:
            raise RefusedError("", f"cannot be laid aside to be read ({error.strerror})", "room for a copy of it",
                               "Set TMPDIR to a folder with room.") from None
    heading, *body = rows
    heading = [_TWICE.sub(r"\1", _heading(name)) for name in heading]
    columns = _columns(heading, entries)
    for number, row in enumerate(body, 1):
        if any(cell not in ("", None) for cell in row):
            _row(number, ["" if cell is None else str(cell) for cell in row], columns, entries)


@cache
def _duckdb() -> duckdb.DuckDBPyConnection:
    """One database in memory for all files: opening one takes twenty times as long as reading a small file."""
    import duckdb

    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SET GLOBAL TimeZone = 'UTC'")  # a moment in Parquet keeps no zone of its own
    return connection


def _parquet_rows(path: str) -> list[Sequence[object]]:
    """The heading and the rows, every cell as text (so that DuckDB's own types and NaN pass the same checks)."""
    import duckdb

    try:
        with _duckdb().cursor() as connection:
            connection.execute("SELECT COLUMNS(*)::VARCHAR FROM read_parquet(?, hive_partitioning = false)", [path])
            heading = [column[0] for column in connection.description or ()]
            return [heading, *connection.fetchall()]
    except (duckdb.Error, UnicodeDecodeError, MemoryError, RuntimeError) as error:
        if isinstance(error, duckdb.FatalException | duckdb.InternalException):
            _duckdb.cache_clear()  # such an error closes the database for good
        raise RefusedError("", "not a Parquet file that can be read", "Parquet with the columns of the events table",
                           "Write the file again from its source.") from None
