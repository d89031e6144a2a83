"""The shape of the code: imports go to lower layers only, medicine stays in the knowledge, docs name what is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "poems").rglob("*.py"))
LAYERS = {"disclosure": 0, "errors": 0, "record": 0, "rules": 0, "units": 0, "knowledge": 1, "evaluate": 2,
          "explain": 2, "engines": 2, "models": 2, "adapters": 2, "course": 2, "exports": 2,
          "guide": 3, "review": 3, "follow": 3, "intake": 3, "cohort": 3, "store": 3, "render": 4, "web": 5,
          "cli": 6, "__init__": 6, "__main__": 7}
WITHIN = {("explain", "evaluate"), ("units", "errors"), ("follow", "review"), ("cohort", "follow"),
          ("exports", "adapters")}
"""What may look sideways: settling an unknown walks the evaluator's reasons; a wrong unit is an error; a follow-up
speaks of parts and cautions as a review does; a cohort is made of follow-ups; what is written uses the readers'
words."""


def room(path: Path) -> str:
    """The part of the package a module belongs to; the files of the command line are one room."""
    return named(path.relative_to(ROOT / "poems").with_suffix("").parts[0])


def named(part: str) -> str:
    """The room of a part."""
    return "cli" if part.startswith("cli_") else part


def imported(path: Path) -> set[str]:
    """The parts of the package that a module imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else \
            [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        found |= {named(name.split(".")[1]) for name in names if name.startswith("poems.")}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_to_lower_layers_only(path: Path) -> None:
    """A module imports its own room and rooms below it; rooms of one layer do not know each other."""
    here = room(path)
    for other in imported(path):
        assert other == here or LAYERS[other] < LAYERS[here] or (here, other) in WITHIN, f"{here} imports {other}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_stays_small(path: Path) -> None:
    """No module has grown past 400 lines, no function past 60."""
    tree = ast.parse(path.read_text())
    assert len(path.read_text().splitlines()) <= 400
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno <= 60, node.name


def test_no_medicine_stands_in_code() -> None:
    """No finding, drug or cut-off of the knowledge is named in Python outside the knowledge."""
    from poems.knowledge import load

    knowledge = load()
    ids = {key for key in knowledge.concepts if "-" in key or knowledge.concepts[key].kind in ("treatment", "quantity")}
    ids -= {"birth-date", "sex-male", "sex-female", "age"}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in ids:
                raise AssertionError(f"{path.name}, line {node.lineno}: {node.value!r} belongs in the knowledge")


def test_the_docs_name_every_room_and_every_command() -> None:
    """docs/design.md names each module; README names each command and each exit code."""
    design, readme = (ROOT / "docs/design.md").read_text(), (ROOT / "README.md").read_text()
    for path in MODULES:
        if not path.name.startswith("__"):
            assert path.name in design, f"{path.name} is not in docs/design.md"
    for command in ("poems assess", "poems knowledge check", "poems knowledge list", "poems knowledge show",
                    "poems knowledge errata", "poems knowledge cite"):
        assert command in readme, command


def test_nothing_names_the_place_where_it_was_written() -> None:
    """No file holds a path of one machine."""
    pattern = re.compile(r"(?<![\w.])/(work|farm|root|home)/")
    for path in [*MODULES, *(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "Makefile"]:
        assert not pattern.search(path.read_text()), path
