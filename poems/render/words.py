"""Numbers, observations and gaps in words: what every rendering says alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from itertools import combinations, product
from math import exp, log10

from poems.knowledge import Knowledge
from poems.record import PRESENT, Event
from poems.rules import Verdict

SYMBOL = {Verdict.MET: "●", Verdict.NOT_MET: "○", Verdict.UNKNOWN: "◌"}
UNITS = {"1": "", "a": "years", "10*9/L": "×10⁹/L", "10*12/L": "×10¹²/L", "10*3/uL": "×10³/µL", "ug/L": "µg/L",
         "ug/dL": "µg/dL", "umol/L": "µmol/L", "u[IU]/mL": "µIU/mL", "m[IU]/L": "mIU/L", "m[IU]/mL": "mIU/mL",
         "[IU]/L": "IU/L", "mm[Hg]": "mmHg", "Cel": "°C", "mL/min/{1.73_m2}": "mL/min/1.73 m²"}
STATUS = {
    "read": "read in the source",
    "derived": "computed from numbers read in the source",
    "read-2nd": "read in a text that quotes the source",
    "seed": "stated by the 2017 FAQ only",
    "assumed": "our assumption",
    "memory": "a draft that nobody has checked yet; it drives nothing",
}
GRADE = {
    "counted": "patients were counted",
    "reported": "only a range was printed",
    "assumed": "a rate was assumed",
    "uncounted": "nobody counted it; it moves nothing",
}
STATUSES = {"quantity": ("called raised", "called not raised"), "treatment": ("given", "stopped or not given"),
            "person": ("", "absent")}
"""How a status reads that is neither found nor not found, by the kind of what it is said of."""
METHODS = {"ct": "CT", "low-dose-ct": "low-dose CT", "ct-chest": "CT of the chest", "chest-ct": "CT of the chest",
           "pet-ct": "PET/CT", "pet": "PET", "mri": "MRI", "ife": "immunofixation", "spep": "serum electrophoresis",
           "upep": "urine electrophoresis", "elisa": "ELISA", "chest-radiograph": "chest X-ray", "radiograph": "X-ray",
           "skeletal-survey": "X-rays of the skeleton", "": "a method that is not said"}
"""Methods whose id is an abbreviation; any other is its id with spaces."""
COURSE = {"of-baseline": "times the value before treatment", "of-nadir": "times the lowest value since treatment",
          "above-nadir": "above the lowest value since treatment"}
PRINTED = 4
"""So many digits a laboratory prints of a fraction; what has more was made from another unit."""
SEEN = {"full-text": "full text seen", "table": "table seen", "abstract": "abstract seen", "passage": "passage seen",
        "data": "data seen", "second-hand": "seen quoted elsewhere", "faq": "the FAQ itself"}


def clean(text: str) -> str:
    """The text without control, formatting or private characters, on one line: safe for a terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(" " if unicodedata.category(c) in ("Zl", "Zp") or c in "\t\n\r" else c for c in text
                   if c in "\t\n\r" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"))


def percent(share: float) -> str:
    """A probability as people may quote it: never 0 %, never 100 %."""
    return _digits(share) + " %"


def interval(low: float, high: float) -> str:
    """An interval of probabilities, `91 to 99.6 %`; one number where both ends read the same."""
    ends = _digits(low), _digits(high)
    return f"{ends[0]} to {ends[1]} %" if ends[0] != ends[1] else f"{ends[0]} %"


def _digits(share: float) -> str:
    if share < 0.001:
        return "<0.1"
    if share > 0.999:
        return ">99.9"
    return f"{100 * share:.1f}" if share < 0.1 or share > 0.9 else f"{100 * share:.0f}"


def rarity(share: float) -> str:
    """A probability before any finding: percent where it is common, `1 in 1,700` where it is rare."""
    if share >= 0.01:
        return percent(share)
    one_in = 1 / max(share, 1e-12)
    step = 10 ** (int(log10(one_in)) - 1)
    return f"1 in {round(one_in / step) * step:,}"


def factor(log_ratio: float) -> str:
    """How many times more (×) or less (÷) often a finding is seen, from its log ratio."""
    times = exp(min(abs(log_ratio), 30.0))
    digits = f"{times:.1f}" if times < 9.95 else f"{float(f'{times:.2g}'):,.0f}"
    return f"{'×' if log_ratio >= 0 else '÷'} {digits}"


def bits(gain: float) -> str:
    """Expected information, two digits; never 0.00 where there is some."""
    return "<0.01" if 0 < gain < 0.005 else f"{gain:.2f}"


def number(value: float) -> str:
    """A measured value with the digits it came with, up to six."""
    return f"{value:.6g}"


def shown(value: float) -> str:
    """A value as a laboratory prints it. What was converted from another unit has digits that nobody measured: of such
    a fraction three are left, and whatever stands before the point.
    """
    said = number(value)
    before, _, after = said.lstrip("-0").partition(".")
    digits = len(before) + len(after if before else after.lstrip("0"))
    if "e" in said or digits <= PRINTED or (len(after) < 3 and digits < 6):
        return said
    return f"{float(f'{value:.{max(3, len(before))}g}'):.6g}"


def unit(code: str) -> str:
    """A UCUM unit as it is printed on a laboratory sheet; a bare annotation such as {score} is none."""
    return "" if code.startswith("{") and code.endswith("}") else UNITS.get(code, clean(code))


def measured(event: Event, knowledge: Knowledge) -> str:
    """What was seen: the value with its limit, the word of the report, or that it was recorded present or absent."""
    words = []
    if event.value is not None:
        words.append(" ".join(filter(None, (clean(event.comparator), shown(event.value), unit(event.unit)))))
        if event.upper_limit is not None:
            words.append(f"(limit {shown(event.upper_limit)})")
    if event.status:
        concept = knowledge.concepts.get(event.finding)
        found, denied = STATUSES.get(concept.kind if concept else "", ("present", "absent"))
        words.append(found if event.status == PRESENT else denied)
    return " ".join(filter(None, words))


def beside_name(event: Event, knowledge: Knowledge) -> str:
    """What was seen, where the name of the finding stands before it and says alone that it was there."""
    words = measured(event, knowledge)
    return "" if words in ("present", "given") else words.removesuffix(" given")


def circumstances(event: Event) -> str:
    """How it was looked for: method and specimen, where they are recorded."""
    method = f"by {method_name(event.method)}" if event.method else ""
    return clean(" ".join(filter(None, (method, f"in {event.specimen}" if event.specimen else ""))))


def method_name(method: str) -> str:
    """How something was looked for, as people call it."""
    return METHODS.get(method, clean(method.replace("-", " ")))


def label(key: str, knowledge: Knowledge) -> str:
    """The name of a component, a finding, a feature or what a course derives; the id itself where nothing has it."""
    for known in (knowledge.components, knowledge.concepts, knowledge.features):
        if key in known:
            return str(known[key].label)
    quantity, _, suffix = key.partition("/")
    if suffix in COURSE and quantity in knowledge.concepts:
        return f"{knowledge.concepts[quantity].label}, {COURSE[suffix]}"
    derived = knowledge.follow.components.get(key) or knowledge.follow.derived.get(key)
    return derived.label if derived else clean(key)


def disease(key: str, knowledge: Knowledge) -> str:
    """The name of a disease of the differential."""
    return str(knowledge.diseases[key]["label"]) if key in knowledge.diseases else clean(key)


def inside(text: str, knowledge: Knowledge) -> str:
    """A label as it stands inside a sentence: its first letter small, unless it is a name or an abbreviation.

    A word is a name if the knowledge's own prose writes it large in the middle of a sentence, and never small.
    """
    first = re.match(r"[A-Z][a-z]+(?!\w|-[A-Z]| [A-Z][a-z])", text)
    return text if first is None or first[0] in _names(knowledge) else text[0].lower() + text[1:]


def _names(knowledge: Knowledge) -> frozenset[str]:
    known: frozenset[str] | None = knowledge.__dict__.get("_names_in_prose")
    if known is None:
        prose = [text for criterion in knowledge.components.values() for text in (criterion.label, criterion.reading)]
        prose += [text for concept in knowledge.concepts.values()
                  for text in (concept.label, concept.note, *concept.synonyms)]
        prose += [text for item in knowledge.criteria.values() for text in (item.label, item.summary, *item.readings)]
        prose += [text for item in knowledge.features.values() for text in (item.label, item.note)]
        prose += [text for item in knowledge.tests.values() for text in (item.label, item.why)]
        prose += [str(value) for item in knowledge.diseases.values() for value in item.values()]
        prose += [source.title for source in knowledge.sources.values()]
        running = "\n".join(prose)
        large = set(re.findall(r"(?<=[a-z,;(] )[A-Z][a-z]+(?!\w)", running))
        small = {word.capitalize() for word in re.findall(r"(?<![\w-])[a-z]+(?!\w)", running)}
        known = knowledge.__dict__["_names_in_prose"] = frozenset(large - small)
    return known


def listed(items: Sequence[str], last: str = "or") -> str:
    """`a`, `a or b`, `a, b or c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"


def needs(ways: Sequence[Sequence[str]], knowledge: Knowledge, most: int = 3,
          excluded: Collection[str] = ()) -> list[str]:
    """The smallest sets of missing findings in words, one line per thing that is needed.

    First what all ways share, then each choice between several. most: findings or ways told of one choice; the rest
    are counted. excluded: what has to be found absent.
    """
    if not ways:
        return []
    names = {key: ("no " if key in excluded else "") + inside(label(key, knowledge), knowledge)
             for way in ways for key in way}
    always = [key for key in ways[0] if all(key in way for way in ways)]
    rest = [frozenset(way) - set(always) for way in ways]
    told = [names[key] for key in always] + (_choices(rest, names, most) if any(rest) else [])
    return [line[0].upper() + line[1:] for line in told]


def _choices(ways: Sequence[frozenset[str]], names: dict[str, str], most: int) -> list[str]:
    """Several ways as independent choices, as so many of a list, or else one by one."""
    groups = _groups(ways)
    if {frozenset(choice) for choice in product(*groups)} == set(ways):
        return [_one_of([names[key] for key in group], most) for group in groups]
    every = list(dict.fromkeys(key for way in ways for key in sorted(way)))
    size = len(ways[0])
    if set(ways) == {frozenset(choice) for choice in combinations(every, size)}:
        return [f"{_spelled(size)} of: {_some([names[key] for key in every], most, 'and')}"]
    return [_one_of([" with ".join(names[key] for key in sorted(way)) for way in ways], most)]


def _groups(ways: Iterable[frozenset[str]]) -> list[list[str]]:
    """Findings that never stand in one way together are one group: they can replace each other."""
    ways = list(ways)
    groups: list[list[str]] = []
    for key in dict.fromkeys(key for way in ways for key in sorted(way)):
        together = set().union(*(way for way in ways if key in way))
        home = next((group for group in groups if not together & set(group)), None)
        if home is None:
            groups.append([key])
        else:
            home.append(key)
    return groups


def _one_of(items: Sequence[str], most: int) -> str:
    return items[0] if len(items) == 1 else listed(items) if len(items) == 2 else f"one of: {_some(items, most, 'or')}"


def _some(items: Sequence[str], most: int, last: str) -> str:
    """The items; where they are many, the first of them and how many more there are."""
    if len(items) <= most + 1:
        return ", ".join(items)
    return f"{', '.join(items[:most])} {last} {len(items) - most} others"


def _spelled(n: int) -> str:
    return {2: "two", 3: "three", 4: "four"}.get(n, str(n))
