"""`poems knowledge`: what is known, its sources, its corrections, and whether it is sound."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App

from poems.cli import KNOWLEDGE_HELP, PLAIN, colour, columns, complain, examples, knowledge, near, write
from poems.errors import KnowledgeError, UsageError

knowledge_app = App(name="knowledge", help=KNOWLEDGE_HELP, help_format="plaintext", default_parameter=PLAIN,
                    help_epilogue=examples("poems knowledge list criteria", "poems knowledge show mayo-2007"))


@knowledge_app.command(help_epilogue=examples(
    "poems knowledge check",
    "poems knowledge check my-knowledge/"))
def check(directory: Path | None = None, /) -> int:
    """Check the knowledge files and the guide's pages and list every fault: where, found, expected, what to do.

    Parameters
    ----------
    directory
        A directory laid out like poems/knowledge; the one that came with this program if not given.

    """
    from poems.guide.pages import read as pages_of
    from poems.knowledge.check import check as faults_of
    from poems.knowledge.files import BUNDLED

    issues = faults_of(directory or BUNDLED)
    if directory is None and not issues:
        issues = pages_of(knowledge())[1]
    complain(issues)
    faults = sum(issue.level == "fault" for issue in issues)
    if not faults:
        write("The knowledge is sound: no fault found.\n")
    return KnowledgeError.exit_code if faults else 0


@knowledge_app.command(name="list", help_epilogue=examples(
    "poems knowledge list",
    "poems knowledge list tests",
    "poems knowledge list --drafts"))
def list_(kind: str = "", /, *, drafts: bool = False) -> int:
    """List what is known: one line each, or the kinds there are.

    Parameters
    ----------
    kind
        concepts, components, criteria, diseases, settings, features, accuracies, tests, sources, errata, claims or
        numbers.
    drafts
        List what nobody has checked in its source yet. Drafts drive nothing.

    """
    from poems.render import catalogue

    known = knowledge()
    if drafts and kind:
        raise UsageError("--drafts lists the drafts of every kind; leave out the kind")
    kind = near("kind", kind, (*catalogue.KINDS, catalogue.NUMBERS)) if kind else ""
    write(catalogue.drafts(known) if drafts else catalogue.listing(known, kind))
    return 0


@knowledge_app.command(help_epilogue=examples(
    "poems knowledge show mayo-2007",
    "poems knowledge show sclerotic-bone-lesion"))
def show(id: str, /) -> int:
    """Show one thing with its citation, its place there and how sure we are of it.

    For a test's accuracy: sensitivity, specificity and likelihood ratios with
    intervals, and what a result would mean (PPV, NPV) in every setting.
    Specificity is not a predictive value.

    Parameters
    ----------
    id
        The id of a concept, component, criteria set, disease, setting, feature, accuracy, test, source or correction.

    """
    from poems.render import catalogue
    from poems.render import show as shown

    known = knowledge()
    names = {key for kind in catalogue.KINDS for key in catalogue.of_kind(known, kind)}
    write(shown.entry(near("id", id, names), known, columns(None), colour(None)))
    return 0


@knowledge_app.command(help_epilogue=examples(
    "poems knowledge errata"))
def errata() -> int:
    """List what the FAQ of 2017 gets wrong or leaves out, each with the correct statement and its source."""
    from poems.render import show as shown

    write(shown.errata(knowledge(), columns(None), colour(None)))
    return 0


@knowledge_app.command(help_epilogue=examples(
    "poems knowledge cite",
    "poems knowledge cite dispenzieri-2012 --bibtex"))
def cite(id: str = "", /, *, bibtex: bool = False) -> int:
    """Print the citations, or one of them.

    Parameters
    ----------
    id
        The id of a source; all of them if not given.
    bibtex
        Print BibTeX entries instead of lines of text.

    """
    from poems.render import catalogue

    known = knowledge()
    chosen = [known.sources[near("source", id, known.sources)]] if id else list(known.sources.values())
    write(catalogue.citations(chosen, bibtex=bibtex))
    return 0
