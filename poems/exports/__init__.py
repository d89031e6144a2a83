"""Writers: events in, an input of a known format out, such that `poems.adapters.read` gives the same events again.

What a format has no place for is either held elsewhere in it, where our reader finds it, or left out and said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from poems.errors import Issue, UsageError
from poems.exports import fhir, phenopacket, table
from poems.knowledge import Knowledge
from poems.record import Event

__all__ = ["FORMATS", "Export", "write"]

FORMATS: Final = ("csv", "fhir", "phenopacket")
_KINDS: Final = {"csv": ("text/csv; charset=utf-8", ".csv"), "fhir": ("application/fhir+json", ".fhir.json"),
                 "phenopacket": ("application/json", ".phenopacket.json")}


@dataclass(frozen=True, slots=True)
class Export:
    """What was written, and what has to be said about it."""

    data: bytes
    issues: tuple[Issue, ...]
    media_type: str
    suffix: str


def write(events: Sequence[Event], knowledge: Knowledge, format: str, *, made_at: datetime | None = None) -> Export:
    """The events as one of FORMATS. made_at: the moment that the file names as its own (default: now).

    Raises: UsageError, for a format that does not exist.
    """
    if format not in FORMATS:
        raise UsageError(f"unknown format; expected one of {', '.join(FORMATS)}")
    made_at = made_at or datetime.now(UTC)
    issues: list[Issue] = []
    if strange := sum(event.finding not in knowledge.concepts for event in events):
        issues.append(Issue("caution", format, f"{strange} findings that this knowledge does not know", "",
                            "They are written under their own names; another program will not understand them."))
    if format == "csv":
        data = table.written(events)
    elif format == "fhir":
        data = fhir.written(events, knowledge, made_at)
    else:
        data, said = phenopacket.written(events, knowledge, made_at)
        issues += said
    return Export(data, tuple(issues), *_KINDS[format])
