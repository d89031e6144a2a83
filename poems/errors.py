"""What can be wrong, said so that a person can mend it: where, found, expected, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["fault", "caution", "note"]


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing a reader or the knowledge check has to say.

    level: `fault` (this piece was refused), `caution` (read, but mind it), `note` (left out on purpose, listed).
    where: file and row, resource id or field path; never a patient's value.
    """

    level: Level
    where: str
    found: str
    expected: str = ""
    fix: str = ""

    def __str__(self) -> str:
        expected = f"; expected {self.expected}" if self.expected else ""
        fix = f". {self.fix}" if self.fix else ""
        return f"{self.where}: {self.found}{expected}{fix}"


class PoemsError(Exception):
    """A failure that the command line turns into its exit code, with every issue listed."""

    exit_code = 5

    def __init__(self, message: str, issues: tuple[Issue, ...] = ()) -> None:
        super().__init__(message)
        self.issues = issues


class UsageError(PoemsError):
    """The command or the call was wrong: nothing was read."""

    exit_code = 2


class InputError(PoemsError):
    """The input was refused as a whole: not one usable event could be read from it."""

    exit_code = 3


class KnowledgeError(PoemsError):
    """The knowledge contradicts itself or names what does not exist."""

    exit_code = 4


class EngineError(PoemsError):
    """An engine could not run a rule."""

    exit_code = 5


class UnitError(ValueError):
    """A unit that is unknown, or that cannot become the unit asked for."""
