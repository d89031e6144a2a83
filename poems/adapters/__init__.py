"""Readers: an input of any known format in, events and issues out. Nothing is guessed, and nothing is lost in silence.

Formats: `csv` and `parquet` (the events table, `record.COLUMNS`), `fhir` (R4 JSON: Bundle, resource, list, NDJSON),
`phenopacket` (GA4GH v2 JSON). A concept that no terminology has a code for is written with the system
`urn:poems:concept` and its id as the code; in a phenopacket as `poems:` and its id.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from poems import units as ucum
from poems.adapters import document, fhir, phenopacket, table
from poems.adapters.document import RefusedError
from poems.adapters.entry import Entries, Reading
from poems.errors import UnitError, UsageError
from poems.knowledge import Knowledge

__all__ = ["FORMATS", "Reading", "read"]

LETTERS: Final = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff")  # a PDF, a PNG, a JPEG
FORMATS: Final = ("csv", "parquet", "fhir", "phenopacket")
_SUFFIXES: Final = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".pq": "parquet",
                    ".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "json"}


def read(source: Path | str | bytes, knowledge: Knowledge, *, name: str = "", format: str | None = None,
         today: date | None = None, units: Mapping[str, str] | None = None) -> Reading:
    """The events of one input, and an issue for everything that was refused, left out or needs a second look.

    source: a path, `-` for standard input, or the bytes themselves. name: how issues call the input (default: the name
    of the file). format: one of FORMATS; without it the content decides, and the suffix where that leaves it open.
    today: a later date is a fault (default: today). units: concept id -> unit, for values that come without one.
    An input that cannot be read as a whole gives no event and one fault. Raises: UsageError, for a format or a unit
    that does not exist.
    """
    _check(knowledge, format, units or {})
    name = name or ("stdin" if isinstance(source, bytes) or source == "-" else Path(source).name)
    entries = Entries(knowledge, name, today or date.today(), units or {})
    try:
        data = _bytes(source)
        form = format or _form(data, "" if isinstance(source, bytes) else Path(source).suffix.casefold())
        if form == "csv":
            table.read_csv(data, entries)
        elif form == "parquet":
            table.read_parquet(data, entries, None if isinstance(source, bytes) or source == "-" else Path(source))
        else:
            _read_json(data, form, entries)
    except RefusedError as refused:
        entries.refuse(refused)
    return entries.reading()


def _check(knowledge: Knowledge, format: str | None, units: Mapping[str, str]) -> None:
    if format is not None and format not in FORMATS:
        raise UsageError(f"unknown format; expected one of {', '.join(FORMATS)}")
    for key, unit in units.items():
        concept = knowledge.concepts.get(key)
        if concept is None or not concept.unit:
            raise UsageError(f"--unit {key}: not a measured concept; see `poems knowledge list`")
        try:
            ucum.factor(unit, concept.unit, concept.molar_mass)
        except UnitError as error:
            raise UsageError(f"--unit {key}: {error}") from None


def _bytes(source: Path | str | bytes) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        if source == "-":
            if sys.stdin is None:
                raise RefusedError("", "is closed", "standard input that can be read", "Name a file instead.")
            return sys.stdin.buffer.read()
        return Path(source).read_bytes()
    except OSError as error:
        raise RefusedError("", f"cannot be opened ({error.strerror})", "a readable file", "Check the path.") from None


def _form(data: bytes, suffix: str) -> str:
    """The format by the content; by the suffix where the content leaves it open."""
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if data.startswith(b"PAR1"):
        return "parquet"
    if data.startswith(LETTERS):
        raise RefusedError("", "a letter or a picture (PDF, PNG or JPEG)", "CSV, Parquet or JSON",
                           "Enter its findings by hand.")
    if data.startswith((b"\x1f\x8b", b"PK\x03\x04")):
        raise RefusedError("", "a compressed file or a spreadsheet", "CSV, Parquet or JSON",
                           "Unpack it, or save it as CSV; an archive of the app is brought back in its settings.")
    if start in (b"{", b"["):
        return "ndjson" if _SUFFIXES.get(suffix) == "ndjson" or _is_ndjson(data) else "json"
    form = _SUFFIXES.get(suffix, "csv")
    return form if start or form == "parquet" else "csv" if form == "csv" else "json"


def _is_ndjson(data: bytes) -> bool:
    """Whether the first line is a resource by itself and another one follows."""
    first, _, rest = data.strip().partition(b"\n")
    if not rest.lstrip().startswith(b"{"):
        return False
    try:
        tree = document.parse(first, "")
    except RefusedError:
        return False
    return isinstance(tree, dict) and "resourceType" in tree and tree["resourceType"] != "Bundle"


def _read_json(data: bytes, form: str, entries: Entries) -> None:
    if form == "ndjson" or (form == "fhir" and _is_ndjson(data)):
        fhir.read(_lines(data, entries), entries)
        return
    tree = document.parse(data, "")
    for fault in document.broken(tree, "") if isinstance(tree, document.Broken) else ():
        raise fault
    if form == "json":
        form = _json_form(tree)
    if form == "fhir":
        fhir.read([("", tree)], entries)
    else:
        phenopacket.read(tree, entries)


def _lines(data: bytes, entries: Entries) -> list[tuple[str, Any]]:
    """Place and tree of each line; a fault for each line that cannot be read."""
    trees = []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if line.strip():
            try:
                trees.append((f"line {number}", document.parse(line, f"line {number}")))
            except RefusedError as refused:
                entries.refuse(refused)
    return trees


def _json_form(tree: Any) -> str:
    first = tree[0] if isinstance(tree, list) and tree else tree
    if isinstance(first, dict) and "resourceType" in first:
        return "fhir"
    packet = {"subject", "phenotypicFeatures", "phenotypic_features", "members", "proband", "metaData", "meta_data"}
    if isinstance(first, dict) and packet & set(first):
        return "phenopacket"
    raise RefusedError("", "JSON of a kind that we do not know",
                       "a FHIR resource (resourceType) or a phenopacket (subject)",
                       "Name the format, or check the file.")
