"""GA4GH Phenopacket v2 JSON to events: one packet, a list, a Cohort or a Family; camelCase or snake_case.

Each feature, measurement, disease and action stands by itself: a fault in one leaves the others. A moment known only
as an age, a range or a stage gives no day unless the birth date and an exact age make one.
Source: Phenopacket Schema 2.0, https://phenopacket-schema.readthedocs.io/en/v2/.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from poems.adapters import coding, document, fields
from poems.adapters.document import Broken, Node, RefusedError
from poems.adapters.entry import Entries, Observation, is_quantity
from poems.record import ABSENT, PRESENT
from poems.units import YEAR_DAYS

SEX: Final = {"": "", "UNKNOWN_SEX": "", "OTHER_SEX": "", "FEMALE": "sex-female", "MALE": "sex-male"}
VITAL: Final = {"": "", "UNKNOWN_STATUS": "", "ALIVE": "", "DECEASED": "death"}
READ: Final = frozenset({"id", "subject", "phenotypicFeatures", "phenotypic_features", "measurements", "biosamples",
                         "diseases", "medicalActions", "medical_actions", "metaData", "meta_data", "files"})
BOUNDS: Final = {"<": "less-than", "<=": "at-most", ">": "more-than", ">=": "at-least"}
LIMIT: Final = "upper-limit"
"""Types (`poems:` + word) of the quantity of a complex value: a bound of the assay, or its upper limit alone."""

SOURCE: Final = "poems source: "
"""How a description begins that says where an event first stood, before it was written as a phenopacket."""

_SIGNS: Final = {word: sign for sign, word in BOUNDS.items()} | {LIMIT: ""}
_AGE = re.compile(r"P(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T.*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Subject:
    """Who a packet is about."""

    entries: Entries
    patient: str
    born: date | None


def read(tree: Any, entries: Entries) -> None:
    """Add what the packets say to the entries."""
    for packet in _packets(Node(tree, "")):
        try:
            _packet(packet, entries)
        except RefusedError as refused:
            entries.refuse(refused)


def _packets(root: Node) -> Iterator[Node]:
    if isinstance(root.value, list):
        yield from (Node(value, f"[{place}]") for place, value in enumerate(root.value))
    elif isinstance(root.value, dict) and isinstance(root.value.get("members"), list):
        yield from (Node(value, f"members[{place}]") for place, value in enumerate(root.value["members"]))
    elif isinstance(root.value, dict) and "proband" in root.value:
        yield Node(root.value["proband"], "proband")
        relatives = root.value.get("relatives")
        yield from (Node(value, f"relatives[{place}]")
                    for place, value in enumerate(relatives if isinstance(relatives, list) else []))
    else:
        yield Node(root.value, "phenopacket")


def _packet(packet: Node, entries: Entries) -> None:
    if isinstance(packet.value, Broken):
        raise next(document.broken(packet.value, packet.path))
    for key in packet.names():
        if key not in READ and packet.child(key):
            entries.count(("part", key), f"{packet.path}.{document.name(key)}", "a part of the packet that is not read")
    who = packet.child("subject")
    for fault in document.broken(who.value, who.path):
        raise fault
    if not (patient := who.child("id").text()):
        raise RefusedError(f"{who.path}.id", "no patient", "the id of the subject", "Add it.")
    subject = Subject(entries, patient, None)
    try:
        subject = replace(subject, born=_born(who, entries))
    except RefusedError as refused:
        entries.refuse(refused)
    _each([who], _person, subject)
    _each([who], _vital, subject)
    _section(packet, "phenotypicFeatures", "phenotypic_features", _feature, subject)
    _section(packet, "measurements", "measurements", _measurement, subject)
    _section(packet, "biosamples", "biosamples", _biosample, subject)
    _section(packet, "diseases", "diseases", _disease, subject)
    _section(packet, "medicalActions", "medical_actions", _action, subject)


Reader = Callable[[Node, Subject], list[Observation]]


def _section(packet: Node, camel: str, snake: str, reader: Reader, subject: Subject) -> None:
    try:
        section = packet.either(camel, snake)
        if isinstance(section.value, Broken):
            raise next(document.broken(section.value, section.path))
        places = section.each()
    except RefusedError as refused:
        subject.entries.refuse(refused)
        return
    _each(places, reader, subject)


def _each(places: list[Node], reader: Reader, subject: Subject) -> None:
    for place in places:
        faults = list(document.broken(place.value, place.path)) if place else [place.wrong("an object")]
        try:
            seen = [] if faults else reader(place, subject)
        except RefusedError as refused:
            faults.append(refused)
            seen = []
        for fault in faults:
            subject.entries.refuse(fault)
        for observation in seen:
            subject.entries.add(observation)


def _born(who: Node, entries: Entries) -> date | None:
    born = who.either("dateOfBirth", "date_of_birth")
    try:
        return fields.day(born.text(), entries.today)[0]
    except RefusedError as refused:
        raise RefusedError(refused.where or born.path, refused.found, refused.expected, refused.fix) from None


def _person(who: Node, subject: Subject) -> list[Observation]:
    known, seen = subject.entries.knowledge.concepts, []
    sex = who.child("sex").text()
    if sex not in SEX:
        raise RefusedError(f"{who.path}.sex", "not a word of the schema", ", ".join(filter(None, SEX)), "Correct it.")
    if SEX[sex] in known:
        seen.append(Observation(who.path, known[SEX[sex]], subject.patient, status=PRESENT))
    if subject.born and "birth-date" in known:
        seen.append(Observation(who.path, known["birth-date"], subject.patient, subject.born, PRESENT))
    age = who.either("timeAtLastEncounter", "time_at_last_encounter").child("age")
    if age and "age" in known:
        years, months, weeks, days = _duration(age)
        value = years + months / 12 + (weeks * 7 + days) / YEAR_DAYS
        seen.append(Observation(who.path, known["age"], subject.patient, value=value, unit="a"))
    return seen


def _vital(who: Node, subject: Subject) -> list[Observation]:
    """A death, with its day if there is one."""
    vital = who.either("vitalStatus", "vital_status")
    word, day = vital.child("status").text(), vital.either("timeOfDeath", "time_of_death")
    if word not in VITAL:
        raise RefusedError(f"{vital.path}.status", "not a word of the schema", ", ".join(filter(None, VITAL)),
                           "Correct it.")
    if day and not VITAL[word]:
        subject.entries.say("caution", vital.path, "a time of death of somebody who is not recorded as deceased",
                            "DECEASED", "Correct the status or the time; nothing is read.")
    concept = subject.entries.knowledge.concepts.get(VITAL[word])
    return [Observation(vital.path, concept, subject.patient, _moment(day, subject), PRESENT)] if concept else []


def _duration(age: Node) -> tuple[int, int, int, int]:
    """Years, months, weeks and days of an ISO 8601 duration."""
    node = age.either("iso8601duration", "iso8601_duration")
    found = _AGE.fullmatch(node.text())
    if found is None or not any(found.groups()):
        raise RefusedError(node.path, "not an age", "an ISO 8601 duration such as P52Y or P52Y3M4D", "Correct it.")
    years, months, weeks, days = (int(part) if part else 0 for part in found.groups())
    return years, months, weeks, days


def _moment(element: Node, subject: Subject) -> str | date | None:
    """The day of a TimeElement as text or date; None, with a note, where it gives no day."""
    if not element:
        return None
    if stamp := element.child("timestamp"):
        return stamp.text()
    if interval := element.child("interval"):
        return interval.child("end").text() or interval.child("start").text()
    age = element.child("age")
    if age and subject.born:
        years, months, weeks, days = _duration(age)
        if weeks or days:
            return _after(subject.born, years, months, weeks * 7 + days, age)
    if element.names():
        subject.entries.say("caution", element.path, "a time that gives no day; kept without a date",
                            "a timestamp, or an age in days with the date of birth")
    return None


def _after(born: date, years: int, months: int, days: int, age: Node) -> date:
    whole = born.year * 12 + born.month - 1 + years * 12 + months
    year, month = whole // 12, whole % 12 + 1
    try:
        start = date(year, month, min(born.day, monthrange(year, month)[1]))
        return start + timedelta(days=days)
    except (ValueError, OverflowError):
        raise RefusedError(age.path, "an age beyond the calendar", "an age", "Correct it.") from None


def _codings(term: Node) -> tuple[list[coding.Coding], str]:
    """The coding and the label of an OntologyClass."""
    identifier = term.child("id").text()
    return ([coding.compact(identifier)] if identifier else []), term.child("label").text()


def _matches(term: Node, place: Node, subject: Subject) -> list[coding.Match]:
    return coding.named(subject.entries, place.path, *_codings(term))


def _state(place: Node, term: Node, subject: Subject) -> list[Observation]:
    """A feature or disease: present, or excluded."""
    if "negated" in place.names():
        raise RefusedError(place.path, "written for schema version 1 (negated)", "version 2 (excluded)", "Convert it.")
    status = ABSENT if place.child("excluded").boolean() else PRESENT
    moment = _moment(place.child("onset"), subject)
    found = coding.claims(subject.entries, place.path, _matches(term, place, subject), status)
    if status == PRESENT and place.child("resolution"):
        subject.entries.count(("resolution",), place.path, "resolved later; read as present when it began")
    return [Observation(place.path, concept, subject.patient, moment, status, source=_source(place))
            for concept in found]


def _source(place: Node) -> str:
    """Where it first stood, if the description says so."""
    said = place.child("description")
    return said.text().removeprefix(SOURCE) if said and said.text().startswith(SOURCE) else ""


def _feature(place: Node, subject: Subject) -> list[Observation]:
    return _state(place, place.child("type"), subject)


def _disease(place: Node, subject: Subject) -> list[Observation]:
    return _state(place, place.child("term"), subject)


def _measurement(place: Node, subject: Subject) -> list[Observation]:
    """A value, a word, or the several quantities of one assay."""
    moment = _moment(place.either("timeObserved", "time_observed"), subject)
    parts = place.either("complexValue", "complex_value").either("typedQuantities", "typed_quantities").each()
    named = [(part, place.child("assay") if _kind(part) else part.child("type"), part.child("quantity"))
             for part in parts] or [(place, place.child("assay"), place.child("value").child("quantity"))]
    seen = []
    for part, term, quantity in named:
        found = _matches(term, part, subject)
        if not found:
            continue
        match = coding.one(part.path, found)
        blank = Observation(part.path, match.concept, subject.patient, moment, method=_method(place),
                            source=_source(place))
        if _kind(part) == LIMIT:
            seen.append(_limit(quantity, blank))
        elif quantity:
            seen.append(replace(_quantity(quantity, blank), comparator=_SIGNS.get(_kind(part), "")))
        else:
            seen.extend(_word(place.child("value").either("ontologyClass", "ontology_class"), match, blank, subject))
    return seen


def _kind(part: Node) -> str:
    """Which bound of the assay a quantity is, or that it is its limit; empty where it is a quantity of its own."""
    prefix, _, word = part.child("type").child("id").text().partition(":") if "type" in part.names() else ("", "", "")
    return word if prefix == "poems" and word in _SIGNS else ""


def _method(place: Node) -> str:
    """The method, where the procedure of the measurement is one of ours."""
    prefix, _, word = place.child("procedure").child("code").child("id").text().partition(":")
    return word if prefix == "poems" else ""


def _limit(quantity: Node, blank: Observation) -> Observation:
    """The upper limit of a result that has no value."""
    high = quantity.child("value").number()
    if high is None:
        raise RefusedError(quantity.path, "a limit without a value", "a value", "Add the value.")
    return replace(blank, upper_limit=high, unit=_unit(quantity.child("unit")))


def _quantity(quantity: Node, blank: Observation) -> Observation:
    limits = quantity.either("referenceRange", "reference_range")
    value = quantity.child("value").number()
    if value is None:
        raise RefusedError(quantity.path, "a quantity without a value", "a value", "Add the value.")
    return replace(blank, value=value, unit=_unit(quantity.child("unit")), upper_limit=limits.child("high").number(),
                   limit_unit=_unit(limits.child("unit")))


def _unit(term: Node) -> str:
    """The unit of an OntologyClass: the code of UCUM, otherwise the label."""
    identifier, label = term.child("id").text(), term.child("label").text()
    prefix, _, code = identifier.partition(":")
    return code if prefix.upper() == "UCUM" else label or identifier


def _word(term: Node, match: coding.Match, blank: Observation, subject: Subject) -> list[Observation]:
    if not term:
        subject.entries.count(("no value", blank.concept.id), blank.where, f"{blank.concept.id} without a result")
        return []
    try:
        status = fields.status(coding.answer(*_codings(term)), is_quantity(blank.concept))
    except RefusedError:
        status = ""
    if status not in (PRESENT, ABSENT):
        subject.entries.count(("answer", blank.concept.id), blank.where,
                              f"an answer for {blank.concept.id} that we do not know", "present or absent",
                              level="caution")
        return []
    if status == ABSENT and not match.denies:
        coding.claims(subject.entries, blank.where, [replace(match, says_so=True)], ABSENT)
        return []
    return [replace(blank, status=status)]


def _biosample(place: Node, subject: Subject) -> list[Observation]:
    """The measurements and features of a sample, in its specimen."""
    owner = place.either("individualId", "individual_id").text()
    if owner not in ("", subject.patient):
        raise RefusedError(place.path, "a sample of somebody else", "the id of the subject", "Correct individualId.")
    said = None
    for term in (place.either("sampleType", "sample_type"), place.either("sampledTissue", "sampled_tissue")):
        codings, label = _codings(term)
        found = coding.specimen(codings, [label])
        said = found if not said and found is not None else said
    parts = place.child("measurements").each()
    features = place.either("phenotypicFeatures", "phenotypic_features").each()
    if parts and said is None:
        subject.entries.say("caution", place.path, "a specimen that cannot be told",
                            "serum, plasma, urine, csf or marrow",
                            "Add the type of the sample; its results are read without a specimen.")
    if not parts and not features:
        subject.entries.count(("sample",), place.path, "a sample without anything that is read")
    seen = _joined([replace(one, specimen=said) for part in parts for one in _measurement(part, subject)])
    return seen + [one for part in features for one in _feature(part, subject)]


def _joined(seen: list[Observation]) -> list[Observation]:
    """The results of one sample: a value and a word (raised) for one assay at one time are one result."""
    joined = list(seen)
    for word in [one for one in seen if one.status and one.value is None]:
        values = [one for one in joined if (one.value is not None or one.upper_limit is not None) and not one.status
                  and (one.concept, one.date) == (word.concept, word.date)]
        if len(values) == 1:
            joined[joined.index(values[0])] = replace(values[0], status=word.status)
            joined.remove(word)
    return joined


def _action(place: Node, subject: Subject) -> list[Observation]:
    """A treatment, a procedure, radiation or a regimen."""
    if drug := place.child("treatment"):
        doses = [dose.child("interval") for dose in drug.either("doseIntervals", "dose_intervals").each()]
        starts, ends = ([day for dose in doses if (day := dose.child(side).text())] for side in ("start", "end"))
        last = max(ends) if ends and len(ends) == len(doses) else ""
        seen = _treatment(place, drug.child("agent"), min(starts, default=None), subject)
        return [replace(one, until=last) for one in seen] if starts or ends else seen
    if procedure := place.child("procedure"):
        return _treatment(place, procedure.child("code"), _begun(procedure.child("performed"), subject), subject)
    if place.either("radiationTherapy", "radiation_therapy"):
        concept = subject.entries.knowledge.by_name("radiation therapy")
        return [] if concept is None else [Observation(place.path, concept, subject.patient, status=PRESENT)]
    regimen = place.either("therapeuticRegimen", "therapeutic_regimen")
    if regimen.either("regimenStatus", "regimen_status").text() == "UNKNOWN_STATUS" or not regimen:
        subject.entries.count(("action",), place.path, "an action that says nothing we read")
        return []
    start = _begun(regimen.either("startTime", "start_time"), subject)
    end = _moment(regimen.either("endTime", "end_time"), subject)
    seen = _treatment(place, regimen.either("ontologyClass", "ontology_class"), start, subject)
    return [replace(one, until=end or "") for one in seen]


def _begun(element: Node, subject: Subject) -> str | date | None:
    """The first day of something that lasts: an interval without a start gives none, and a caution."""
    interval = element.child("interval")
    if interval and not interval.child("start"):
        subject.entries.say("caution", interval.path, "an end without a start; read without a date",
                            "the start of the interval", "Add the start.")
        return None
    if interval.child("end"):
        subject.entries.count(("end",), interval.path, "an end that is not that of a treatment; the first day is read")
    return interval.child("start").text() if interval else _moment(element, subject)


def _treatment(place: Node, term: Node, moment: str | date | None, subject: Subject) -> list[Observation]:
    seen = []
    for concept in coding.claims(subject.entries, place.path, _matches(term, place, subject), PRESENT):
        if concept.kind == "treatment":
            seen.append(Observation(place.path, concept, subject.patient, moment, PRESENT))
        else:
            subject.entries.count(("not a treatment", concept.id), place.path,
                                  f"names {concept.id}, which is not a treatment; nothing is read")
    return seen
