"""The resources of a FHIR input: where they stand, what their references point at, and the fields they share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from poems.adapters import coding, document
from poems.adapters.coding import Coding
from poems.adapters.document import Broken, Node, RefusedError
from poems.adapters.entry import Entries
from poems.record import PRESENT

RESULT: Final[Mapping[str, str]] = {"final": PRESENT, "amended": PRESENT, "corrected": PRESENT, "appended": PRESENT,
                 "preliminary": "caution", "partial": "caution", "registered": "", "cancelled": "",
                 "entered-in-error": "", "unknown": ""}
"""Status of a result -> present (usable), a caution, or nothing."""

PSEUDONYM: Final = "urn:poems:patient"
"""System of the identifier that holds a patient's label as we know it: not every label may be an id of FHIR."""

SOURCE: Final = "urn:poems:source"
"""Extension that says where an event first stood, before it was written as FHIR."""


class Input:
    """The resources of one input, and what their references point at."""

    def __init__(self, entries: Entries) -> None:
        self.entries = entries
        self.resources: list[Node] = []
        self._index: dict[str, Node | None] = {}  # None: two resources answer to it

    def take(self, resource: Node, url: str = "") -> None:
        """Keep a resource that can be read as a whole; record its faults otherwise."""
        faults = list(document.broken(resource.value, resource.path))
        for fault in faults:
            self.entries.refuse(fault)
        if faults:
            return
        try:
            kind, key = resource.child("resourceType").text(), resource.child("id").text()
        except RefusedError as refused:
            self.entries.refuse(refused)
            return
        resource.path = f"{resource.path} ({document.name(kind)})" if kind else resource.path
        names = {url, f"{kind}/{key}" if key else ""} - {""}
        for name in names:
            if (other := self._index.get(name)) is not None and other.value == resource.value:
                self.entries.count(("again", kind), resource.path, "the same resource again; read once")
                return
        self.resources.append(resource)
        for name in names:
            self._index[name] = None if name in self._index else resource

    def find(self, reference: Node, container: Node) -> Node | None:
        """The resource that a reference points at, in its own resource or in the input."""
        target = reference.child("reference").text()
        if target.startswith("#"):
            return next((inner for inner in container.child("contained").each()
                         if inner.child("id").text() == target[1:]), None)
        target = target.split("/_history/")[0]
        if target in self._index and self._index[target] is None:
            raise RefusedError(reference.path, "two resources answer to this reference", "one", "Give each its own id.")
        return self._index.get(target)

    def patient(self, resource: Node, reference: Node) -> str | None:
        """The id of the patient that a resource is about; None, with a note, where it is about nobody's body."""
        target = reference.child("reference").text().split("/_history/")[0]
        if not target:
            return self._identified(resource, reference)
        if target.startswith("#"):
            raise RefusedError(reference.path, "a patient inside the resource", "a reference to a Patient",
                               "Put the Patient beside it: two resources cannot be joined otherwise.")
        found = self.find(reference, resource)
        if found is not None and found.child("resourceType").text() == "Patient":
            return self.own_id(found)
        *_, kind, key = ("", *target.split("/"))
        if found is not None or (kind not in ("Patient", "") and not target.startswith("urn:")):
            self.entries.count(("subject",), resource.path, "not about a patient; nothing is read")
            return None
        return key if target == f"Patient/{key}" else target

    def _identified(self, resource: Node, reference: Node) -> str:
        identifier = reference.child("identifier")
        value = identifier.child("value").text()
        if not value:
            raise RefusedError(resource.path, "no patient", "a reference to a Patient", "Add the subject.")
        system = identifier.child("system").text()
        return f"{system}|{value}" if system else value

    def own_id(self, patient: Node) -> str:
        """The label or the id of a Patient. Raises: RefusedError, where it has none or shares it."""
        key = patient.child("id").text()
        if key and self._index.get(f"Patient/{key}", patient) is None:
            raise RefusedError(patient.path, "two patients with one id", "an id of its own", "Give each its own id.")
        url = next((name for name, resource in self._index.items() if resource is patient), "")
        if not (key or url):
            raise RefusedError(patient.path, "a Patient without an id", "an id", "Add the id.")
        return _label(patient) or key or url


def _label(patient: Node) -> str:
    """The label that a bundle of ours gives a Patient; empty where there is none."""
    return next((label for one in patient.child("identifier").each() if one.child("system").text() == PSEUDONYM
                 and (label := one.child("value").text())), "")


def source(element: Node) -> str:
    """Where it first stood, if an extension says so."""
    return next((said for one in element.child("extension").each() if one.child("url").text() == SOURCE
                 and (said := one.child("valueString").text())), "")


def collect(root: Node, box: Input) -> None:
    """Put every resource of a JSON text into the box: of a Bundle, of a list, or the one resource that it is."""
    if isinstance(root.value, list):
        for item in root.each():
            box.take(item)
        return
    if not isinstance(root.value, dict) or root.value.get("resourceType") != "Bundle":
        plain = Node(root.value, root.path or "resource")
        box.take(plain)
        return
    bundle = Node(root.value, f"{root.path} (Bundle)" if root.path else "Bundle")
    try:
        _check_bundle(bundle, box.entries)
        places = bundle.child("entry").each()
    except RefusedError as refused:
        box.entries.refuse(refused)
        return
    for place in places:
        _collect_entry(place, box)


def _check_bundle(bundle: Node, entries: Entries) -> None:
    rest = {key: value for key, value in bundle.value.items() if key != "entry"}
    for fault in document.broken(rest, bundle.path):
        entries.refuse(fault)
    if isinstance(bundle.value.get("entry"), Broken):
        raise next(document.broken(bundle.value["entry"], f"{bundle.path}.entry"))
    if rest.get("type") == "history":
        raise RefusedError(bundle.path, "a history: several versions of each resource", "a searchset or collection",
                           "Ask the server for the current versions.")
    links = rest.get("link")
    if isinstance(links, list) and any(isinstance(link, dict) and link.get("relation") == "next" for link in links):
        entries.say("caution", bundle.path, "one page of several", "all pages", "Read the other pages too.")


def _collect_entry(place: Node, box: Input) -> None:
    try:
        frame = place.value
        if isinstance(frame, dict):
            frame = {key: value for key, value in frame.items() if key != "resource"}
        for fault in document.broken(frame, place.path):
            raise fault
        url, resource = place.child("fullUrl").text(), place.child("resource")
        if place.child("request").child("method").text() == "DELETE":
            box.entries.count(("delete",), place.path, "a deletion; nothing is read")
        elif resource:
            box.take(resource, url)
        else:
            box.entries.count(("no resource",), place.path, "an entry without a resource")
    except RefusedError as refused:
        box.entries.refuse(refused)


def codings(concept: Node) -> list[Coding]:
    """System and code of every coding of a CodeableConcept."""
    return [(item.child("system").text(), item.child("code").text()) for item in concept.child("coding").each()]


def matches(concept: Node, resource: Node, entries: Entries) -> list[coding.Match]:
    """The concepts that a CodeableConcept names."""
    return coding.named(entries, resource.path, codings(concept), concept.child("text").text())


def judged(resource: Node, meanings: Mapping[str, str], entries: Entries, status: Node | None = None) -> str:
    """What the status of a resource says: present, absent, or empty, with a note, where it may not be used."""
    node = resource.child("status") if status is None else status
    word = node.text()
    if word not in meanings:
        raise RefusedError(node.path, "missing" if not word else "not a status that FHIR knows",
                           ", ".join(filter(None, meanings)), "Correct the status.")
    meaning = meanings[word]
    if not meaning:
        entries.count(("status", word), resource.path, f"its status is {word}; nothing is read")
    elif meaning == "caution":
        entries.count(("status", word), resource.path, f"its status is {word}; it may still change", level="caution")
        return PRESENT
    return meaning


def begun(resource: Node, entries: Entries, name: str, *others: str) -> str:
    """The first moment of something that lasts: a period without a start gives none, and a caution."""
    period = resource.child(f"{name}Period")
    if period.child("end") and not period.child("start"):
        entries.say("caution", period.path, "an end without a start; read without a date", "the start of the period",
                    "Add the start.")
        return ""
    return when(resource, name, *others)


def when(resource: Node, *names: str) -> str:
    """The first moment that is given: `name` + DateTime, Date or Instant, the start or end of a period, or the name."""
    for name in names:
        period = resource.child(f"{name}Period")
        for node in (resource.child(f"{name}DateTime"), period.child("start"), period.child("end"),
                     resource.child(f"{name}Instant"), resource.child(name)):
            if written := node.text():
                return written
    return ""
