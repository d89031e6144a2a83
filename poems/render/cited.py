"""Numbered citations: a claim has its number from the moment it is printed, and the list holds what was printed."""

from __future__ import annotations

from dataclasses import dataclass, field

from poems.knowledge import Knowledge, Reference
from poems.render.words import SEEN, STATUS


@dataclass
class Entry:
    """One source as the list at the end shows it: citation, how far it was seen, and which places were used how.

    id: its name in the knowledge, for a rendering that can show what is known of it.
    """

    number: int
    text: str
    link: str
    seen: str
    places: list[str] = field(default_factory=list)
    id: str = ""


class Bibliography:
    """Numbers the sources in the order in which a rendering first prints them; `entries` holds those printed so far."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self._entries: dict[str, Entry] = {}

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The sources printed so far, in order."""
        return tuple(self._entries.values())

    def number(self, reference: Reference) -> int:
        """The number of the source; its place is added to what the list tells of it."""
        entry = self._entries.get(reference.id)
        if entry is None:
            source = self.knowledge.sources.get(reference.id)
            entry = self._entries[reference.id] = Entry(
                len(self._entries) + 1, source.text if source else reference.id, source.link if source else "",
                SEEN.get(source.seen, source.seen) if source else "", id=reference.id if source else "")
        place = where(reference)
        if place and place not in entry.places:
            entry.places.append(place)
        return entry.number

    def marks(self, *references: Reference | None) -> tuple[Mark, ...]:
        """One mark per source, in order."""
        of: dict[str, list[Reference]] = {}
        for reference in references:
            if reference is not None:
                of.setdefault(reference.id, []).append(reference)
        return tuple(Mark(self, tuple(places)) for places in of.values())


def where(reference: Reference) -> str:
    """The place in the source, and how the claim was come by where it was not read there."""
    if reference.status == "read":
        return reference.at
    more = reference.how or reference.because
    said = f"({STATUS[reference.status]}{': ' + more if more else ''})"
    return f"{reference.at} {said}" if reference.at else said


@dataclass(frozen=True)
class Mark:
    """A numbered reference to the list of sources. It has its number from the moment it is printed."""

    cited: Bibliography
    references: tuple[Reference, ...]

    @property
    def number(self) -> int:
        """The number of the source in the list."""
        return max(map(self.cited.number, self.references))

    @property
    def weak(self) -> bool:
        """Whether something was not read in the source itself."""
        return any(reference.status != "read" for reference in self.references)

    @property
    def where(self) -> str:
        """The places in the source."""
        return "; ".join(dict.fromkeys(filter(None, map(where, self.references))))

    @property
    def text(self) -> str:
        """The number in brackets, with a star where the list of sources says more."""
        return f"[{self.number}*]" if self.weak else f"[{self.number}]"
