"""FHIR Observation: values, components, reference ranges, interpretations, specimens and methods."""

from __future__ import annotations

from dataclasses import replace

from poems import units as ucum
from poems.adapters import coding, fields, words
from poems.adapters.coding import Match
from poems.adapters.document import Node, RefusedError
from poems.adapters.entry import Observation, is_quantity
from poems.adapters.fhir_input import RESULT, Input, codings, judged, matches, when
from poems.errors import UnitError
from poems.knowledge import Concept
from poems.record import ABSENT, PRESENT

UCUM = "http://unitsofmeasure.org"


def read(resource: Node, box: Input) -> list[Observation]:
    """What an Observation and its components say, as observations."""
    if not judged(resource, RESULT, box.entries):
        return []
    parts = [resource, *resource.child("component").each()]
    named = [(part, matches(part.child("code"), part, box.entries)) for part in parts
             if part is not resource or len(parts) == 1 or _has_value(part)]
    if not any(found for _, found in named):
        return []
    patient = box.patient(resource, resource.child("subject"))
    if patient is None:
        return []
    made_in = _specimen(resource, box)
    method = _method(resource.child("method"), box)
    date = when(resource, "effective", "issued")
    seen = []
    for part, found in named:
        if found:
            match = coding.one(part.path, found)
            blank = Observation(part.path, match.concept, patient, date, specimen=made_in, method=method)
            seen.extend(_part(part, match, blank, box))
    return seen


def _has_value(part: Node) -> bool:
    return any(key.startswith("value") or key in ("dataAbsentReason", "interpretation") for key in part.names())


def _part(part: Node, match: Match, blank: Observation, box: Input) -> list[Observation]:
    """The observation of one part: none, with a note, where it says nothing."""
    kinds = [key for key in part.names() if key.startswith("value")]
    if len(kinds) > 1 or (kinds and part.child("dataAbsentReason")):
        raise RefusedError(part.path, "more than one value, or a value and a reason for none", "one", "Keep one.")
    if part.child("dataAbsentReason"):
        box.entries.count(("no data", blank.concept.id), part.path, f"{blank.concept.id} has no result, and says so")
        return []
    said = _interpretation(part, blank.concept)
    read = _value(part.child(kinds[0]), kinds[0], match, box) if kinds else Observation("", blank.concept)
    if read is None:
        return []
    if said and read.status and fields.status(read.status, is_quantity(blank.concept)) not in ("open", said):
        raise RefusedError(part.path, "its value and its interpretation contradict each other", "one answer",
                           "Correct one.")
    status = fields.status(read.status, is_quantity(blank.concept)) or said
    if status == "open" or (not status and read.value is None):
        box.entries.count(("no value", blank.concept.id), part.path, f"{blank.concept.id} without a result")
        return []
    if status == ABSENT and not match.denies:
        coding.claims(box.entries, part.path, [replace(match, says_so=True)], ABSENT)
        return []
    limit, limit_unit = _limit(part, blank.concept, read.unit, box)
    unit = limit_unit if read.value is None else read.unit
    return [replace(blank, status=status, value=read.value, unit=unit, comparator=read.comparator,
                    upper_limit=limit, limit_unit=limit_unit)]


def _value(node: Node, kind: str, match: Match, box: Input) -> Observation | None:
    """Status, value, unit and comparator of one value[x]; None, with a note, where it cannot be used."""
    concept = match.concept
    if kind == "valueQuantity":
        unit, sign = _unit(node, concept), node.child("comparator").text()
        if (value := node.child("value").number()) is None:
            raise RefusedError(node.path, "a quantity without a value", "a value",
                               "Add the value or a dataAbsentReason.")
        return Observation("", concept, value=value, unit=unit, comparator=sign)
    if kind == "valueInteger":
        return Observation("", concept, value=node.number())
    if kind == "valueBoolean":
        if is_quantity(concept) and not match.says_so:
            raise RefusedError(node.path, "true or false for a measurement", "a quantity",
                               "Give the value and its unit.")
        return Observation("", concept, status=PRESENT if node.boolean() else ABSENT)
    if kind == "valueCodeableConcept":
        return _word(coding.answer(codings(node), node.child("text").text()), node, concept, box)
    if kind == "valueString":
        written = node.text()
        if is_quantity(concept) and any(sign.isdigit() for sign in written):
            return Observation("", concept, value=written)
        return _word(written, node, concept, box)
    box.entries.count(("kind", kind), node.path, "a kind of value that is not read")
    return None


def _word(word: str, node: Node, concept: Concept, box: Input) -> Observation | None:
    try:
        if fields.status(word, is_quantity(concept)):
            return Observation("", concept, status=word)
    except RefusedError:
        pass
    box.entries.count(("answer", concept.id), node.path, f"an answer for {concept.id} that we do not know",
                      "present, absent, positive, negative, detected, not detected", level="caution")
    return None


def _unit(quantity: Node, concept: Concept) -> str:
    """The unit of a Quantity. Raises: RefusedError, where its code and its printed unit are different amounts."""
    system, code, printed = (quantity.child(key).text() for key in ("system", "code", "unit"))
    coded = code if system == UCUM else ""
    if coded and printed and concept.unit:
        try:
            same = ucum.factor(coded, concept.unit, concept.molar_mass) == ucum.factor(
                printed, concept.unit, concept.molar_mass)
        except UnitError:
            same = True  # one of them is words; what the code says is checked where it is converted
        if not same:
            raise RefusedError(quantity.path, "its unit and the code of its unit differ", "one unit", "Correct one.")
    return coded or printed or code


def _interpretation(part: Node, concept: Concept) -> str:
    """`present` or `absent` where the laboratory's own flag says so for this kind of concept."""
    said = set()
    for node in part.child("interpretation").each():
        texts = [] if codings(node) else [node.child("text").text()]
        for word in [words.INTERPRETATIONS.get(code, "") for _, code in codings(node)] + texts:
            try:
                said.add(fields.status(word, is_quantity(concept)))
            except RefusedError:
                continue  # a flag that says nothing about this concept: abnormal, resistant, high for a finding
    said -= {"", "open"}
    if len(said) > 1:
        raise RefusedError(part.path, "interpretations that contradict each other", "one", "Correct them.")
    return said.pop() if said else ""


def _limit(part: Node, concept: Concept, unit: object, box: Input) -> tuple[float | None, str]:
    """The upper limit of the normal range, and its own unit where it has one."""
    highs: dict[tuple[float, str], bool] = {}
    for band in part.child("referenceRange").each():
        kinds = {code for _, code in codings(band.child("type"))}
        high = band.child("high")
        value = high.child("value").number()
        if value is not None and (not kinds or "normal" in kinds):
            highs[value, _unit(high, concept) or str(unit or "")] = True
    if not is_quantity(concept) or not highs:
        return None, ""
    if len(highs) > 1:
        box.entries.count(("ranges", concept.id), part.path, f"several normal ranges for {concept.id}; none is used",
                          "one range", "Keep the one that is meant for this patient.", level="caution")
        return None, ""
    return next(iter(highs))


def _specimen(resource: Node, box: Input) -> str:
    """The specimen that the Observation points at; empty, with a caution, where it cannot be told."""
    reference = resource.child("specimen")
    if not reference:
        return ""
    found = box.find(reference, resource)
    texts = [reference.child("display").text()]
    kinds: list[tuple[str, str]] = []
    if found is not None:
        kind = found.child("type")
        kinds = codings(kind)
        texts = [kind.child("text").text(), *(item.child("display").text() for item in kind.child("coding").each())]
    said = coding.specimen(kinds, texts)
    if said is None:
        box.entries.say("caution", reference.path, "a specimen that cannot be told" if found else
                        "a specimen that is not in the input", "serum, plasma, urine, csf or marrow",
                        "Include the Specimen with its type; the result is read without a specimen.")
    return said or ""


def _method(node: Node, box: Input) -> str:
    """The method by its text, or by the display of its coding."""
    for text in (node.child("text"), *(item.child("display") for item in node.child("coding").each())):
        if slug := fields.method(text.text()):
            return slug
    if node:
        box.entries.count(("coded method",), node.path, "a method given by its code alone is not read", "a text")
    return ""
