"""What was typed into a form and not saved, because the session had ended: kept until its form can be shown again.

It is kept in memory alone, for a short time and little of it, under a random id that the login page carries. The token
of a form says, under our signature, for which account the form was made: nobody else is shown what stood in it, and
whoever else logs in on that page ends it. What is brought back is a form like any other: its button saves it.
"""

from __future__ import annotations

import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Final

PLACES: Final[Mapping[str, str]] = {
    "add": "/p/{uid}/", "fields": "/p/{uid}/", "rename": "/p/{uid}/", "correct": "/p/{uid}/entry/{entry}",
    "create": "/",
}
"""Of a page that takes typed words, the page on which its form stands."""
PARTS: Final[Mapping[str, str]] = {"rename": "newlabel"}
"""Where on that page, if not at the form to enter something."""
QUERY: Final[Mapping[str, str]] = {"/": "list=yes&"}
MINUTES, MOST, MOST_OF_ONE, LONGEST = 30, 200, 10, 20_000
"""How long a form is kept, how many, how many of one account, and how many signs of one."""
_PART: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Unsaved:
    """A form as it was sent. page: what should have taken it. place: where it stands. of: the mark of its account."""

    page: str
    place: str
    fields: Mapping[str, str]
    of: str
    until: float


class Drafts:
    """Keeps forms, gives them back to their account, and lets go of them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._kept: OrderedDict[str, Unsaved] = OrderedDict()

    def keep(self, page: str, parts: Mapping[str, object], fields: Mapping[str, str], of: str) -> str:
        """The id under which a form is kept; nothing where it is none of those that can be brought back."""
        words = {name: text for name, text in fields.items() if name != "again"}
        if page not in PLACES or not all(_PART.fullmatch(str(part)) for part in parts.values()) or (
                sum(len(name) + len(text) for name, text in words.items()) > LONGEST):
            return ""
        made = secrets.token_urlsafe(16)
        with self._lock:
            self._tidy()
            mine = [key for key, one in self._kept.items() if one.of == of]
            for key in mine[:max(len(mine) - MOST_OF_ONE + 1, 0)]:
                del self._kept[key]
            while len(self._kept) >= MOST:
                self._kept.popitem(last=False)
            self._kept[made] = Unsaved(page, PLACES[page].format(**parts), words, of, self._clock() + MINUTES * 60)
        return made

    def get(self, key: str, of: str) -> Unsaved | None:
        """The form, for the account that sent it."""
        with self._lock:
            self._tidy()
            found = self._kept.get(key)
        return found if found and found.of == of else None

    def is_kept(self, key: str) -> bool:
        """Whether it is still kept, whosever it is."""
        with self._lock:
            self._tidy()
            return key in self._kept

    def address(self, key: str, of: str) -> str:
        """Where the form can be seen again; nothing where it cannot. Of what was typed nothing stands in it."""
        found = self.get(key, of)
        if found is None:
            return ""
        return f"{found.place}?{QUERY.get(found.place, '')}again={key}#{PARTS.get(found.page, 'enter')}"

    def drop(self, key: str) -> None:
        """Let go of a form: it was saved, or somebody else logged in."""
        with self._lock:
            self._kept.pop(key, None)

    def forget(self, *, of: str = "", uid: str = "") -> None:
        """Let go of all forms of an account, or of a patient."""
        with self._lock:
            for key in [key for key, one in self._kept.items()
                        if (of and one.of == of) or (uid and f"{one.place}/".startswith(f"/p/{uid}/"))]:
                del self._kept[key]

    def _tidy(self) -> None:
        now = self._clock()
        for key in [key for key, one in self._kept.items() if one.until < now]:
            del self._kept[key]
