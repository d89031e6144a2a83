"""One thing that is known, with its citation, place and status: `poems knowledge show`, `poems knowledge errata`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from poems.guide.forms import SPREAD, said
from poems.guide.numbers import resolve
from poems.knowledge import Concept, CriteriaSet, Criterion, Knowledge, Reference, Source
from poems.knowledge.model import Accuracy, Claim, Count, Feature, Setting, Test
from poems.models.accuracy import Estimate, likelihood_ratios, predictive_values, wilson
from poems.models.differential import pretest
from poems.render.as_text import QUIET, grid, heading, indented, printed
from poems.render.catalogue import KINDS, name, of_kind
from poems.render.cited import where
from poems.render.rules import outline
from poems.render.words import SEEN, STATUS, disease, interval, listed, method_name, number, percent, rarity, unit
from poems.rules import Rule

LADDER = (0.000003, 0.001, 0.01, 0.05, 0.10, 0.25, 0.50)
"""Probabilities before a test for which its meaning is tabulated: a scale, no patient's."""
NOT_PREDICTIVE = ("Specificity is not a predictive value: it says how many people without the disease test negative, "
                  "not how many people who test positive have it. That depends on how probable it was before the test.")
Lines = list[RenderableType]


def entry(key: str, knowledge: Knowledge, width: int, colour: bool = False) -> str:
    """Everything that goes by this id, one section per kind."""
    parts: Lines = []
    for title, kind, lines in entries(key, knowledge):
        parts += [heading(title, f"{kind} {key}"), *map(indented, lines)]
    return printed([Group(*parts)], width, colour)


def entries(key: str, knowledge: Knowledge) -> Iterator[tuple[str, str, Lines]]:
    """What goes by this id, one for each kind: its name, what it is, and what is said of it."""
    for kind in KINDS:
        found = of_kind(knowledge, kind).get(key)
        if found is not None:
            yield name(found) if kind != "sources" else key, _SINGULAR[kind], _SHOW[kind](found, knowledge)


def errata(knowledge: Knowledge, width: int, colour: bool = False) -> str:
    """Every correction of the FAQ of 2017."""
    parts: Lines = []
    for item in knowledge.errata:
        parts.append(heading(f"{item['id']}  {item['topic']}"))
        parts += [indented(line) for line in _erratum(item, knowledge)]
    return printed([Group(*parts)], width, colour)


def _rows(pairs: Iterable[tuple[str, Any]]) -> RenderableType:
    """Names and values, the empty ones left out."""
    table = grid(16, None)
    for label, value in pairs:
        if value not in ("", None, (), []):
            table.add_row(Text(label, style=QUIET), value if isinstance(value, Text) else Text(str(value)))
    return table


def _cited(reference: Reference | None, knowledge: Knowledge) -> list[tuple[str, Any]]:
    """A citation, the place in it, and what its status means."""
    if reference is None:
        return []
    source = knowledge.sources.get(reference.id)
    text = f"{source.text} {source.link}".strip() if source else reference.id
    more = reference.how or reference.because
    return [("source", f"{text} ({reference.id})"), ("place", reference.at),
            ("status", f"{reference.status}: {STATUS[reference.status]}{' - ' + more if more else ''}")]


def _rule(rule: Rule, knowledge: Knowledge) -> RenderableType:
    return Text("\n".join(f"{'   ' * depth}{'- ' if depth else ''}{text}" for depth, text in outline(rule, knowledge)))


def _concept(item: Concept, knowledge: Knowledge) -> Lines:
    codes = "; ".join(f"{system} {', '.join(values)}" for system, values in item.codes.items())
    return [_rows([
        ("for patients", item.patient), ("kind", item.kind), ("unit", unit(item.unit)), ("specimen", item.specimen),
        ("is, in general", item.of), ("other names", ", ".join(item.synonyms)), ("shown by", ", ".join(item.shown_by)),
        ("excluded by", f"absence of all of: {', '.join(item.excluded_by)}" if item.excluded_by else ""),
        ("methods", _methods(item)), ("codes", codes), ("label of", item.label_of), ("note", item.note),
        *_cited(item.source, knowledge)])]


def _methods(item: Concept) -> str:
    """How it is looked for, each way once, with the ids that a record may use and what a negative means."""
    of: dict[tuple[str, bool], list[str]] = {}
    for method in item.methods:
        of.setdefault((method_name(method.id), method.excludes), []).append(method.id)
    return "; ".join(f"{name} ({', '.join(ids)}{': ' if any(ids) else ''}its negative "
                     f"{'excludes' if excludes else 'leaves it open'})" for (name, excludes), ids in of.items())


def _component(item: Criterion, knowledge: Knowledge) -> Lines:
    return [_rule(item.rule, knowledge), Text(""),
            _rows([("our reading", item.reading), ("for patients", item.patient), *_cited(item.source, knowledge)])]


def _criteria(item: CriteriaSet, knowledge: Knowledge) -> Lines:
    lines: Lines = [Text(item.summary)]
    for level in item.levels:
        if len(item.levels) > 1:
            lines.append(Text(f"\n{level.id}", style="bold"))
        lines.append(_rule(level.rule, knowledge))
    lines += [Text(""), _rows([("in use", item.years), *_cited(item.source, knowledge)])]
    for text, reference in item.footnotes:
        lines.append(_rows([("footnote", text), ("", _brief(reference, knowledge))]))
    return [*lines, *(_rows([("our reading", text)]) for text in item.readings)]


def _brief(reference: Reference, knowledge: Knowledge) -> Text:
    return Text(", ".join(filter(None, (reference.id, where(reference)))), style=QUIET)


def _disease(item: Mapping[str, Any], knowledge: Knowledge) -> Lines:
    return [_rows([("for patients", item.get("patient", "")), ("note", item.get("note", ""))])]


def _counts(counts: Sequence[Count], knowledge: Knowledge) -> RenderableType:
    """One row per count: whom, how many of how many with the interval, from where."""
    table = grid(23, 40, None)
    for count in counts:
        who = ", ".join(disease(key, knowledge) for key in count.diseases)
        table.add_row(Text(who), Text(_share(count)),
                      Text.assemble(f"{count.cohort}; " if count.cohort else "", _brief(count.source, knowledge)))
    return table


def _share(count: Count) -> str:
    if count.low is not None and count.high is not None:
        return f"{number(count.low)} to {number(count.high)} % as printed"
    if not count.n:
        return "not counted"
    shown = wilson(count.k, count.n)
    rate = percent(shown.value) if 0.001 <= shown.value < 1 else rarity(shown.value)
    if count.percent is not None:
        rate = f"{number(count.percent)} % as printed"
    elif count.k in (0, count.n):
        rate = "all" if count.k else "none"
    spread = interval(shown.low, shown.high) if shown.high >= 0.001 else f"up to {rarity(shown.high)}"
    return f"{_counted(count.k)} of {_counted(count.n)}: {rate} ({spread})"


def _counted(people: float) -> str:
    return f"{people:,.0f}" if people == round(people) else number(people)


def _setting(item: Setting, knowledge: Knowledge) -> Lines:
    given = listed([knowledge.features[key].label for key in item.given], "and") if item.given else ""
    return [Text(item.note), Text(""), _rows([("given", given)]), _counts(item.priors, knowledge)]


def _feature(item: Feature, knowledge: Knowledge) -> Lines:
    lines: Lines = [_rule(item.rule, knowledge), Text(""), _counts(item.counts, knowledge)]
    if item.background:
        lines += [Text(""), Text("Where nobody counted it:"), _counts([item.background], knowledge)]
    group = knowledge.groups.get(item.group, "") if item.group != item.id else ""
    return [*lines, Text(""), _rows([("counts once with", group), ("for patients", item.patient), ("note", item.note)])]


def _accuracy(item: Accuracy, knowledge: Knowledge) -> Lines:
    lines: Lines = [_rows([("of", knowledge.concepts[item.concept].label), ("versus", item.versus)]), Text("")]
    for word, count in (("sensitivity", item.sensitivity), ("specificity", item.specificity)):
        lines.append(_rows([(word, _share(count)), *_cited(count.source, knowledge)]))
    if item.sensitivity.n and item.specificity.n:
        positive, negative = likelihood_ratios(item)
        lines += [Text(""), _rows([("LR+", _ratio(positive)), ("LR-", _ratio(negative))]), Text(""),
                  Text(NOT_PREDICTIVE, style="bold"), Text(""), _meaning(item, knowledge)]
    return [*lines, Text(""), _rows([("note", item.note)])]


def _ratio(estimate: Estimate) -> str:
    return f"{estimate.value:.3g} ({estimate.low:.3g} to {estimate.high:.3g})"


def _meaning(item: Accuracy, knowledge: Knowledge) -> RenderableType:
    """Predictive values in every setting and along the ladder."""
    table = grid(None, 18, 20, 20)
    for head in (("", "before the test", "has it if positive", "free if negative"), ("", "", "(PPV)", "(NPV)")):
        table.add_row(*(Text(word, style=QUIET) for word in head))
    rows = [(setting.label, pretest(knowledge, setting.id)) for setting in knowledge.settings.values()]
    for label, before in [*rows, *(("", rung) for rung in LADDER)]:
        ppv, npv = predictive_values(item, before)
        table.add_row(label, _fine(before), _fine(ppv), percent(npv))
    return table


def _fine(share: float) -> str:
    """A probability down to the very small ones, which `<0.1 %` would hide."""
    return percent(share) if share >= 0.001 else f"{float(f'{100 * share:.1g}'):f}".rstrip("0") + " %"


def _test(item: Test, knowledge: Knowledge) -> Lines:
    return [_rows([("can find", ", ".join(item.finds)), ("burden", f"{item.burden} (1 harmless to 4 invasive)"),
                   ("for patients", item.patient), ("why", item.why), *_cited(item.source, knowledge)])]


def _source(item: Source, knowledge: Knowledge) -> Lines:
    return [Text(item.text), _rows([("address", item.link), ("PMID", item.pmid), ("PMCID", item.pmcid),
                                    ("seen", SEEN.get(item.seen, item.seen)), ("note", item.note)])]


def _erratum(item: Mapping[str, Any], knowledge: Knowledge) -> Lines:
    references = [item["source"]] if "source" in item else item["sources"]
    drafts = ("draft", "nobody has confirmed this in a source; it drives nothing") if item.get("draft") else ("", "")
    said = (("the FAQ says", item["faq"]), ("the problem", item["problem"]), ("correct is", item["correct"]),
            ("for patients", item.get("patient", "")))
    return [_rows([*said, drafts]), *(_rows(_cited(Reference(**reference), knowledge)) for reference in references)]


def _claim(item: Claim, knowledge: Knowledge) -> Lines:
    number = resolve(knowledge, item.id)
    return [_rows([("says", number.text), ("counted", said(number, "count") if number.k is not None else ""),
                   ("people", f"{item.n:g}" if item.n else ""), (SPREAD.get(number.spread, ""), said(number, "range")
                   if number.interval else ""), ("is a", item.stat), ("cohort", item.cohort), ("when", item.period),
                   ("note", item.note), *_cited(item.source, knowledge)])]


_SINGULAR = {"concepts": "concept", "components": "component of criteria", "criteria": "set of criteria",
             "diseases": "disease of the differential", "settings": "setting",
             "features": "finding of the differential", "accuracies": "accuracy of a test", "tests": "next test",
             "sources": "source", "errata": "correction", "claims": "number of the guide"}
_SHOW: dict[str, Callable[[Any, Knowledge], Lines]] = {
    "concepts": _concept, "components": _component, "criteria": _criteria, "diseases": _disease, "settings": _setting,
    "features": _feature, "accuracies": _accuracy, "tests": _test, "sources": _source, "errata": _erratum,
    "claims": _claim}
