"""Labels of patients: which two are one and the same, and which only look so."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

from poems.adapters.fields import named
from poems.store.rows import Head

__all__ = ["alike", "by_label", "looks", "named"]

_ALIKE: Final = str.maketrans("АВЕКМНОРСТУХІЈЅаеорсухіјѕΑΒΕΖΗΙΚΜΝΟΡΤΥΧνο",
                              "ABEKMHOPCTYXIJSaeopcyxijsABEZHIKMNOPTYXvo")
"""Cyrillic and Greek letters that nobody can tell from Latin ones."""


def by_label(heads: Iterable[Head]) -> dict[str, Head]:
    """The patients who were not removed, by their labels in the one form in which labels are compared."""
    return {named(head.label): head for head in heads if not head.removed}


def looks(label: str) -> str:
    """What the eye sees of a label: two patients whose labels look the same are easily mixed up."""
    return unicodedata.normalize("NFKC", named(label)).translate(_ALIKE).casefold()


def alike(head: Head, others: Iterable[Head]) -> list[Head]:
    """The other patients, not removed, whose labels look like this one's."""
    seen = looks(head.label)
    return [one for one in others if one.uid != head.uid and not one.removed and looks(one.label) == seen]
