"""What a store accepts: every argument is looked at before anything is written. No message repeats a value."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from poems.adapters import fields
from poems.adapters.document import RefusedError
from poems.errors import Issue
from poems.record import ABSENT, COMPARATORS, PRESENT, SPECIMENS, Event
from poems.store import rows
from poems.store.problems import InvalidError

LONGEST_WHO: Final = 128
LONGEST_TEXT: Final = 2000


def label(written: str) -> str:
    """A label as records may carry it. Raises: InvalidError."""
    try:
        return fields.patient(written)
    except RefusedError as refused:
        raise InvalidError(f"label: {refused.found}; expected {refused.expected}. {refused.fix}") from None


def old_label(written: str) -> str:
    """A label as an archive brings it: it stays as it was written then. Raises: InvalidError, where it is none."""
    try:
        plain = fields.text(written, 128)
    except RefusedError:
        plain = ""
    if not plain or plain != written:
        raise InvalidError("a label that no patient can have")
    return plain


def who(written: str) -> str:
    """Who does it. Raises: InvalidError, where nobody is named."""
    plain = printable(written, LONGEST_WHO)
    if not plain:
        raise InvalidError("who: empty; expected the name of an account, or of this program. Say who does it.")
    return plain


def printable(written: str, longest: int = LONGEST_TEXT) -> str:
    """A note or a file's name in one line: what cannot be printed becomes a mark, what is too long is cut."""
    line = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in " ".join(written.split()))
    return line if len(line) <= longest else f"{line[:longest - 1]}\N{HORIZONTAL ELLIPSIS}"


def event(given: Event) -> Event:
    """The event, its numbers as they will be read back. Raises: InvalidError, where no record could hold it."""
    faults = [name for name, is_sound in (
        ("finding", isinstance(given.finding, str) and 0 < len(given.finding) <= fields.LONGEST),
        ("status", given.status in ("", PRESENT, ABSENT)),
        ("value", _is_number(given.value) and (given.value is not None or given.status != "")),
        ("upper_limit", _is_number(given.upper_limit)),
        ("comparator", given.comparator in COMPARATORS and (not given.comparator or given.value is not None)),
        ("specimen", given.specimen in SPECIMENS),
        *((name, _is_text(getattr(given, name))) for name in ("finding", "unit", "method"))) if not is_sound]
    if faults:
        raise InvalidError(f"event: {' and '.join(dict.fromkeys(faults))} that no record can hold. "
                           "Let poems.adapters make the event.")
    value, limit = (None if number is None else float(number) for number in (given.value, given.upper_limit))
    return replace(given, source=printable(given.source, fields.LONGEST), value=value, upper_limit=limit)


def _is_number(value: float | None) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
                             and math.isfinite(value))


def _is_text(value: str) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT and value.isprintable()


def fresh(events: Iterable[Event], raws: Sequence[Mapping[str, Any]]) -> list[rows.Fresh]:
    """Entries to be written. Raises: InvalidError."""
    found = [event(one) for one in events]
    if raws and len(raws) != len(found):
        raise InvalidError(f"raw: {len(raws)} for {len(found)} events; expected one for each, or none")
    texts = [rows.raw_text(raw(one)) for one in raws] or [rows.raw_text({})] * len(found)
    return [rows.Fresh(one, text) for one, text in zip(found, texts, strict=True)]


def raw(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, as JSON that every reader takes. Raises: InvalidError, where it is none."""
    tree = dict(given) if isinstance(given, Mapping) else given
    if not isinstance(tree, dict) or not _is_json(tree, 20):
        raise InvalidError("raw: something that JSON cannot say; expected names with texts and numbers")
    return tree


def _is_json(value: object, depth: int) -> bool:
    if isinstance(value, dict):
        return depth > 0 and all(isinstance(key, str) and _is_unicode(key) and _is_json(one, depth - 1)
                                 for key, one in value.items())
    if isinstance(value, list):
        return depth > 0 and all(_is_json(one, depth - 1) for one in value)
    if isinstance(value, str):
        return _is_unicode(value)
    return value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < 10**17) or (
        isinstance(value, float) and math.isfinite(value))


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def issues(given: Iterable[Issue]) -> list[Issue]:
    """The issues of an import, every text printable."""
    return [Issue(one.level, printable(one.where), printable(one.found), printable(one.expected), printable(one.fix))
            for one in given]
