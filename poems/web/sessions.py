"""Sessions: a signed random cookie, what it may do, and the token that a form has to bring back.

The cookie holds nothing but a random id and our signature, so that an id somebody else chose is never taken. Logging in
gives a new id. Logins live in memory: a restart asks everybody to log in again, and an open form survives it, since its
token follows from the id and the store's secret. The token also tells, by a mark, for which account the form was made:
what was typed before a session ended can be brought back to that account, and to no other.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock

from starlette.requests import Request
from starlette.responses import Response

from poems.web.accounts import ROLES, Account
from poems.web.settings import Settings

HOURS, IDLE_HOURS = 12.0, 2.0
MOST = 10_000
ALONE = "me"
SECRET = "web-secret"  # noqa: S105 - the name of a setting
FORM, MARK = 32, 48
"""Where the parts of a token end: of which session, and of which account; our signature follows."""


@dataclass(frozen=True)
class Session:
    """Who asks. who, role: empty where nobody is logged in. token: what a form of this session has to bring back."""

    id: str
    who: str
    role: str
    token: str
    is_new: bool = False

    def may(self, role: str) -> bool:
        """Whether the session has at least this role."""
        return bool(self.role) and ROLES.index(self.role) >= ROLES.index(role)


@dataclass(frozen=True)
class Login:
    """Who logged in under a session's id. until: when it ends whatever happens; seen: when it was last used."""

    account: Account
    until: float
    seen: float


class Sessions:
    """Finds, begins and ends sessions."""

    def __init__(self, settings: Settings, secret: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings, self._secret, self._clock = settings, secret.encode(), clock
        self.cookie = "__Host-poems" if settings.is_secure else "poems-session"
        self._logins: OrderedDict[str, Login] = OrderedDict()
        self._lock = Lock()

    def of(self, request: Request) -> Session:
        """The session of a request; a new one, with nobody in it, where it brings none of ours."""
        sid, _, signature = request.cookies.get(self.cookie, "").partition(".")
        if not sid or not _is_same(signature, self._sign("id", sid)):
            return self._session(secrets.token_urlsafe(24), is_new=True)
        return self._session(sid)

    def again(self, session: Session) -> Session:
        """The same session, as it is now: meanwhile somebody may have logged out, or the account may be gone."""
        return self._session(session.id, is_new=session.is_new)

    def begin(self, account: Account) -> Session:
        """A new session in which this account is logged in."""
        sid = secrets.token_urlsafe(24)
        with self._lock:
            self._logins[sid] = Login(account, self._clock() + HOURS * 3600, self._clock())
            while len(self._logins) > MOST:
                self._logins.popitem(last=False)
        return self._session(sid, is_new=True)

    def end(self, session: Session) -> None:
        """Log out."""
        with self._lock:
            self._logins.pop(session.id, None)

    def end_all(self, session: Session) -> None:
        """Log out wherever this account is logged in."""
        with self._lock:
            for sid in [sid for sid, login in self._logins.items() if login.account.name == session.who]:
                del self._logins[sid]

    def keep(self, session: Session, response: Response) -> None:
        """Give the session's cookie to the browser, if it does not have it."""
        if session.is_new:
            response.set_cookie(self.cookie, f"{session.id}.{self._sign('id', session.id)}", path="/", httponly=True,
                                samesite="strict", secure=self.settings.is_secure)

    def is_token(self, session: Session, token: object) -> bool:
        """Whether a form brought back the session's token; who was logged in when it was made does not matter."""
        return bool(self.made_for(token)) and _is_same(str(token)[:FORM], session.token[:FORM])

    def made_for(self, token: object) -> str:
        """The mark of the account for which a form of ours was made, whatever became of its session; else nothing."""
        if not isinstance(token, str) or not _is_same(token[MARK:], self._sign("token", token[:MARK])):
            return ""
        return token[FORM:MARK]

    def mark(self, who: str) -> str:
        """What stands for an account in the tokens of its forms; it tells its name to nobody."""
        return self._sign("who", who)[:MARK - FORM]

    def _session(self, sid: str, *, is_new: bool = False) -> Session:
        who, role = (ALONE, "admin") if self.settings.accounts is None else self._login(sid)
        said = self._sign("form", sid)[:FORM] + self.mark(who)
        return Session(sid, who, role, said + self._sign("token", said), is_new)

    def _login(self, sid: str) -> tuple[str, str]:
        """Name and role; nothing where the time is over, or where the account was changed or taken away meanwhile."""
        assert self.settings.accounts is not None
        with self._lock:
            login, now = self._logins.get(sid), self._clock()
            if login is None:
                return "", ""
            account = self.settings.accounts.get(login.account.name)
            if account is None and self.settings.accounts.fault:
                return "", ""  # it may be there again when the file can be used again
            if now > login.until or now > login.seen + IDLE_HOURS * 3600 or account != login.account:
                del self._logins[sid]
                return "", ""
            self._logins[sid] = replace(login, seen=now)
        return login.account.name, login.account.role

    def _sign(self, what: str, sid: str) -> str:
        return hmac.new(self._secret, f"{what}:{sid}".encode(), hashlib.sha256).hexdigest()


def _is_same(given: str, ours: str) -> bool:
    return given.isascii() and hmac.compare_digest(given, ours)
