"""The events table as CSV: the columns of the record, one row for each event, in order."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from poems.adapters.fields import guarded
from poems.exports.said import digits, source
from poems.record import COLUMNS, Event


def written(events: Iterable[Event]) -> bytes:
    """The table; numbers to their last digit."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(COLUMNS)
    lines.writerows([_cell(source(event) if name == "source" else getattr(event, name)) for name in COLUMNS]
                    for event in events)
    return text.getvalue().encode()


def _cell(value: object) -> str:
    if isinstance(value, float | int):
        return str(digits(value))
    return "" if value is None else guarded(str(value))
