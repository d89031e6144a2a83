"""Which concept a coded entry names: by system and code; by its text only where no code is known, and said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from poems.adapters import words
from poems.adapters.document import RefusedError
from poems.adapters.entry import Entries, is_quantity, specific_only
from poems.knowledge import Concept
from poems.record import ABSENT, PRESENT

Coding = tuple[str, str]
"""A system (URI, or prefix of a compact identifier) and a code."""

_TERMINOLOGIES = frozenset(words.SYSTEMS.values())
_PRINTABLE = re.compile(r"[A-Za-z0-9:/._#+-]{1,120}")


@dataclass(frozen=True, slots=True)
class Match:
    """A concept that an entry names.

    says_so: the code says that the finding is there, or the quantity raised; otherwise it only names a test.
    denies: a record that the coded thing is absent means that the concept is absent.
    """

    concept: Concept
    says_so: bool
    denies: bool


def system_of(written: str) -> str:
    """The knowledge's name of a code system, or the system as written."""
    plain = written.removesuffix("/") if written.startswith("http") else written
    return words.SYSTEMS.get(plain) or words.SYSTEMS.get(plain.upper()) or plain


def plain_code(system: str, code: str) -> str:
    """A code as the knowledge writes it: HP_0001271 and 0001271 are HP:0001271, G6181 is G61.81."""
    if system in words.PREFIXED:
        prefix = words.PREFIXED[system]
        return prefix + code.removeprefix(prefix).removeprefix(prefix.replace(":", "_"))
    if system == "icd10cm" and "." not in code and len(code) > 3:
        return f"{code[:3]}.{code[3:]}"
    return code


def compact(identifier: str) -> Coding:
    """System and code of a compact identifier such as `LOINC:34694-0`."""
    prefix, _, code = identifier.partition(":")
    return (prefix, code) if code else ("", identifier)


def named(entries: Entries, where: str, codings: Sequence[Coding], text: str) -> list[Match]:
    """The concepts that an entry names; none, with notes, where we know no code and no name of it.

    The text is looked at only where no code is of a terminology that we know: a code that we have no concept for says
    that it means something else, whatever the words beside it (a neuropathy of one nerve is called neuropathy too).
    """
    found: dict[str, Match] = {}
    for system, code in ((system_of(system), code) for system, code in codings):
        match = _by_code(entries, system, plain_code(system, code))
        if match is not None:
            kept = found.setdefault(match.concept.id, match)
            found[match.concept.id] = Match(kept.concept, kept.says_so or match.says_so, kept.denies or match.denies)
    if found:
        return [found[concept.id] for concept in specific_only(match.concept for match in found.values())]
    understood = any(system_of(system) in _TERMINOLOGIES for system, _ in codings)
    concept = entries.knowledge.by_name(text) if text and not understood else None
    if concept is not None:
        entries.count(("text", concept.id), where, f"{concept.id} was recognised by its name, not by a code",
                      "a code", "Check that the text means it.", "caution")
        return [Match(concept, not is_quantity(concept), True)]
    _note_unknown(entries, where, codings)
    return []


def _by_code(entries: Entries, system: str, code: str) -> Match | None:
    if system == "poems":
        concept = entries.knowledge.concepts.get(code)
        return None if concept is None else Match(concept, not is_quantity(concept), True)
    concept = entries.knowledge.by_code(system, code)
    if concept is None:
        return None
    # the first code of a system is the concept's own; those after it may say less (sclerosis of the skull base)
    own = concept.codes[system][0] == code
    says_so = system in words.STATES or concept.kind == "treatment"
    return Match(concept, says_so, own or system not in words.STATES)


def _note_unknown(entries: Entries, where: str, codings: Sequence[Coding]) -> None:
    if not codings:
        entries.count(("no code",), where, "no code, and a name that we do not know; nothing is read", "a code",
                      f"Add a code, or system {words.POEMS} with the id of a concept.")
    for system, code in ((system_of(system), code) for system, code in codings):
        shown = " ".join(part if _PRINTABLE.fullmatch(part) else "(not printable)"
                         for part in (system, plain_code(system, code)) if part)
        entries.count(("code", system, code), where, f"a code that we have no concept for: {shown or '(empty)'}")


def claims(entries: Entries, where: str, matches: Sequence[Match], status: str) -> list[Concept]:
    """The concepts that a record of a state (a diagnosis, a feature) says are there, or denies."""
    kept = []
    for match in matches:
        if not match.says_so:
            entries.count(("test", match.concept.id), where,
                          f"the code names the test {match.concept.id}, not a finding; nothing is read")
        elif status == ABSENT and not match.denies:
            entries.count(("narrow", match.concept.id), where,
                          f"the absence of something narrower than {match.concept.id}; nothing is read")
        else:
            kept.append(match.concept)
    if status != PRESENT and len(kept) > 1:
        raise RefusedError(where, "one record denies several concepts", "codes of one concept",
                           "Record each absence by itself.")
    return kept


def one(where: str, matches: Sequence[Match]) -> Match:
    """The one concept that a test names. Raises: RefusedError, where its codes name several."""
    if len(matches) > 1:
        raise RefusedError(where, "codes of several concepts", "codes of one concept", "Correct the codes.")
    return matches[0]


def answer(codings: Sequence[Coding], text: str) -> str:
    """The word that a coded answer stands for; the text where no code is known; empty where neither is."""
    for system, code in codings:
        known = system_of(system)
        word = words.ANSWER_CODES.get((known, code)) or words.ANSWER_CODES.get((known.upper(), code))
        if word:
            return word
    return text


def specimen(codings: Sequence[Coding], texts: Sequence[str]) -> str | None:
    """The specimen that a coded type says; empty where it is neither serum nor plasma; None where we cannot tell."""
    for system, code in codings:
        known = system_of(system)
        for key in ((known, code), (known.upper(), code)):
            if key in words.SPECIMEN_CODES:
                return words.SPECIMEN_CODES[key]
    for text in texts:
        if (word := " ".join(text.casefold().split())) in words.SPECIMEN_WORDS:
            return words.SPECIMEN_WORDS[word]
    return None
