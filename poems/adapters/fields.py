"""The fields of an observation, from what an input wrote to what an event holds; or a refusal, never a guess.

Each function raises RefusedError with the place left empty: the caller knows the row. No message holds a value.
"""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import date, datetime
from typing import Final

from poems.adapters import words
from poems.adapters.document import RefusedError
from poems.record import ABSENT, COMPARATORS, PRESENT, SPECIMENS
from poems.units import NAMES

LONGEST: Final = 256
LARGEST: Final = 1e15  # beyond any count or amount that a litre of anything holds, in any unit a laboratory prints
FIRST_YEAR: Final = 1900

_NUMBER = re.compile(
    r"(<=|>=|<|>|\u2264|\u2265)?\s*([+-]?(?:\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})(?:[eE][+-]?\d{1,3})?)",
    re.ASCII)
_CLOCK = r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?\s*(?:Z|[+-]\d\d(?::?\d\d)?)?)?"
_DAY = re.compile(rf"(\d{{4}})(?:-(\d\d)(?:-(\d\d){_CLOCK})?)?", re.ASCII)
_BLANKS = re.compile(" {2,}")
_FORMULA = "=+\\-@\uff1d\uff0b\uff0d\uff20"  # how a cell begins that a spreadsheet calculates; wide forms too
_FIRST = re.compile(rf"(?=[{_FORMULA}])")
_HIDDEN = re.compile(rf'([;\t\r\n][ "]*)(?=[{_FORMULA}])')
_GUARDED = re.compile(rf'([;\t\r\n][ "]*) (?=[{_FORMULA}])')
_SIGNS = {"\u2264": "<=", "\u2265": ">="}


def text(raw: object, longest: int = LONGEST) -> str:
    """The text, stripped: whole numbers as digits, nothing as empty, no control signs, not too long."""
    if raw is None:
        return ""
    if isinstance(raw, bool) or not isinstance(raw, str | int):
        raise RefusedError("", "not a text", "a text", "Write it as a text.")
    plain = str(raw).strip()
    if len(plain) > longest:
        raise RefusedError("", f"{len(plain)} characters long", f"at most {longest} characters", "Shorten it.")
    if not plain.isprintable():
        raise RefusedError("", "a control character", "printable text", "Remove it.")
    return plain


def guarded(cell: str) -> str:
    """The cell of a table, a blank before whatever a spreadsheet would calculate: at its start, and where a spreadsheet
    of a country whose lists are parted by semicolons begins another cell.
    """
    plain = _HIDDEN.sub(r"\1 ", cell)
    return f" {plain}" if _FIRST.match(plain) else plain


def unguarded(cell: str) -> str:
    """The cell without the blanks that `guarded` put into it; that at its start goes with all others there."""
    return _GUARDED.sub(r"\1", cell)


def named(label: str) -> str:
    """A name in one form: accents in one sign with their letter, single blanks. Two names that nobody can tell apart
    would be two people.
    """
    return label if label.isascii() and "  " not in label else _BLANKS.sub(" ", unicodedata.normalize("NFC", label))


def patient(raw: object) -> str:
    """Who was observed."""
    who = text(named(raw) if isinstance(raw, str) else raw, 128)
    if not who:
        raise RefusedError("", "empty", "the patient's id", "Fill it; rows without a patient belong to nobody.")
    return who


def day(raw: object, today: date) -> tuple[date | None, bool]:
    """The calendar day as written, and whether only a part of a date was given (then there is no day).

    raw: an ISO day, year, month or moment; a moment counts as the day its own zone shows.
    """
    if isinstance(raw, datetime):
        raw = raw.date().isoformat()
    elif isinstance(raw, date):
        raw = raw.isoformat()
    written = text(raw)
    if not written:
        return None, False
    found = _DAY.fullmatch(written)
    if found is None:
        raise RefusedError("", "not an ISO date", "YYYY-MM-DD",
                           "Write year, month, day; other orders cannot be told apart.")
    year, month, number, *clock = (int(part) if part else None for part in found.groups())
    assert year is not None
    try:
        exact = date(year, month or 1, number or 1)
    except ValueError:
        raise RefusedError("", "a day that does not exist", "YYYY-MM-DD", "Correct the date.") from None
    if any(part is not None and part > most for part, most in zip(clock, (24, 59, 60), strict=True)):
        raise RefusedError("", "a time of day that does not exist", "hh:mm:ss", "Correct the time.")
    if year < FIRST_YEAR:
        raise RefusedError("", f"a date before {FIRST_YEAR}", "the day of the observation", "Correct the date.")
    if exact > today:
        raise RefusedError("", "a date in the future", "a day up to today", "Correct the date.")
    return (exact, False) if number else (None, True)


def number(raw: object) -> tuple[float | None, str]:
    """The number and the comparator written before it; nothing for nothing."""
    if raw is None or raw == "":
        return None, ""
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise RefusedError("", "not a number", "a number", "Write a number with a decimal point.")
    if isinstance(raw, int | float):
        return _sized(float(raw) if abs(raw) < 10**300 else math.inf, raw != 0), ""
    written = text(raw)
    if not written:
        return None, ""
    if "," in written:
        raise RefusedError("", "a comma in a number", "a decimal point",
                           "Write 1.5 or 1500: whether a comma parts decimals or thousands cannot be told.")
    found = _NUMBER.fullmatch(written)
    if found is None:
        raise RefusedError("", "not a number", "a number, or < or > before one", "Write a number with a decimal point.")
    digits = found[2].lower().split("e")[0]
    return _sized(float(found[2]), any(sign in digits for sign in "123456789")), _SIGNS.get(found[1], found[1] or "")


def _sized(value: float, is_something: bool) -> float:
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise RefusedError("", "a number too large to be a measurement", f"at most {LARGEST:g}", "Correct the number.")
    if value < 0:
        raise RefusedError("", "a negative number", "zero or more", "Correct the number.")
    if is_something and value < 1 / LARGEST:
        raise RefusedError("", "a number too small to be a measurement", f"zero, or at least {1 / LARGEST:g}",
                           "Correct the number.")
    return value


def comparator(raw: object, written: str = "") -> str:
    """The comparator of its own field, or the one written before the number; both must agree."""
    sign = text(raw, 8)
    sign = _SIGNS.get(sign, sign)
    if sign not in COMPARATORS:
        raise RefusedError("", "not a comparator", "<, <=, >, >= or nothing", "Correct it.")
    if sign and written and sign != written:
        raise RefusedError("", "another comparator than the one before the number", "one comparator", "Remove one.")
    return sign or written


def status(raw: object, is_quantity: bool) -> str:
    """`present`, `absent`, empty where nothing was said, or `open` where the input says that it is not known."""
    word = " ".join(text(raw, 64).casefold().replace("_", " ").split())
    shown, denied = (words.RAISED_WORDS, words.NOT_RAISED_WORDS) if is_quantity else (
        words.PRESENT_WORDS, words.ABSENT_WORDS)
    if not word:
        return ""
    if word in words.OPEN_WORDS:
        return "open"
    if word in shown:
        return PRESENT
    if word in denied:
        return ABSENT
    expected = "raised, not raised or unknown" if is_quantity else "present, absent or unknown"
    raise RefusedError("", "not a status", expected, "Use one of these words.")


def specimen(raw: object) -> str:
    """One of the specimens of the record; empty where the word does not say which."""
    word = " ".join(text(raw, 64).casefold().replace("_", " ").replace("-", " ").split())
    if word in ("", *SPECIMENS):
        return word
    if word not in words.SPECIMEN_WORDS:
        raise RefusedError("", "not a specimen that we know", ", ".join(SPECIMENS[1:]) + " or nothing",
                           "Use one of these.")
    return words.SPECIMEN_WORDS[word]


def method(raw: object) -> str:
    """A method as an id: `PET/CT` is `pet-ct`."""
    written = text(raw, 64)
    slug = re.sub(r"[^a-z0-9]+", "-", written.casefold()).strip("-")
    if written and not slug:
        raise RefusedError("", "not a method", "letters and digits", "Use the method's id.")
    return slug




def shown_unit(unit: str) -> str:
    """A unit as it may stand in a message: one that is known somewhere, or that looks like one and like nothing else.

    A cell in the wrong column may hold a value, a day or a name.
    """
    known = any(unit in names for names in NAMES.values())
    return f'unit "{unit}"' if known or _UNIT_LIKE.fullmatch(unit) else "a unit that we do not know"


_UNIT_LIKE = re.compile(r"(?=.*[/%\[])(?!.*\d)(?!.*[A-Za-z]{5})[\w\u00b5%/\[\]{}()*^.+-]{1,16}")
