"""Who may log in where others can reach the app: a file of argon2id hashes, and failures that are slowed."""

from __future__ import annotations

import logging
import os
import re
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from threading import BoundedSemaphore, Lock

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import Argon2Error, InvalidHashError

from poems.errors import UsageError

log = logging.getLogger("poems.web")
ROLES = ("viewer", "editor", "admin")
"""What each may do, more with every step: read; write; remove, export everything, read the audit trail."""
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
LEAST_LENGTH, MOST_LENGTH = 12, 1024
FREE, WAIT, MOST_WAIT = 3, 2.0, 300.0   # failures without a wait; then seconds, doubled each time, to the most
FREE_TOGETHER, MOST_TOGETHER = 30, 20.0
"""The same for one name from wherever it was never right: so little that strangers who try it do not keep its owner
out, and enough that many of them together do not get far."""
REMEMBERED, FORGET = 10_000, 3600.0
TOGETHER, WAITING, PATIENCE = 2, 6, 10.0
"""How many passwords are checked at the same time, each of which takes much memory; how many may wait for that, and how
long."""


@dataclass(frozen=True)
class Account:
    """One line of the password file."""

    name: str
    role: str
    hash: str


Read = tuple[dict[str, Account], str]
"""The accounts of a file, and what is wrong with it, or nothing."""


class Waits:
    """How long a name or an address has to wait after failures: none for the first, then doubling, and bounded.

    A try is counted when it begins, so that many at the same time are not looked at for the price of one.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._tries: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()

    def begin(self, *keys: str, together: str = "") -> float:
        """Count a try of all these and return 0; or the seconds to wait, where one of them has to.

        together: what many who do not know each other may have in common; it waits little.
        """
        with self._lock:
            if wait := max(*map(self._left, keys), self._left(together, FREE_TOGETHER, MOST_TOGETHER)):
                return wait
            for key in filter(None, (*keys, together)):
                times, last = self._tries.pop(key, (0, 0.0))
                self._tries[key] = (1 if self._clock() - last > FORGET else min(times + 1, 60), self._clock())
                while len(self._tries) > REMEMBERED:
                    self._tries.popitem(last=False)
        return 0.0

    def _left(self, key: str, free: int = FREE, most: float = MOST_WAIT) -> float:
        times, last = self._tries.get(key, (0, 0.0))
        if times < free or self._clock() - last > FORGET:
            return 0.0
        wait: float = min(WAIT * 2.0 ** (times - free), most)
        return max(last + wait - self._clock(), 0.0)

    def forget(self, key: str) -> None:
        """Start anew after a success, which is remembered."""
        with self._lock:
            self._tries.pop(key, None)
            self._known.pop(key, None)
            self._known[key] = None
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)

    def is_known(self, key: str) -> bool:
        """Whether it was a success before."""
        with self._lock:
            return key in self._known

    def excuse(self, *keys: str) -> None:
        """Take one try of each back that was no failure; earlier ones stay."""
        with self._lock:
            for key in keys:
                if key in self._tries:
                    times, last = self._tries[key]
                    self._tries[key] = (times - 1, last)


class Accounts:
    """The accounts of a password file. An unknown name takes as long to refuse as a wrong password.

    reread: gives the accounts anew where the file has changed, with what is wrong with it; None where it has not.
    fault: what is wrong with the file. Nobody logs in while something is. tell: a line for the audit trail.
    """

    def __init__(self, accounts: dict[str, Account], hasher: PasswordHasher | None = None,
                 reread: Callable[[], Read | None] = lambda: None) -> None:
        self._accounts, self._hasher, self._reread = accounts, hasher or _like(accounts), reread
        self.fault = ""
        self.tell: Callable[[str, str], None] = lambda who, action: None
        self._nobody = self._hasher.hash(os.urandom(16).hex())
        self._turns, self._queue, self._lock = BoundedSemaphore(TOGETHER), BoundedSemaphore(TOGETHER + WAITING), Lock()
        self.waits = Waits()

    def check(self, name: str, password: str) -> Account | None:
        """The account, where name and password are right. Raises: TimeoutError, where too many log in at once."""
        account = self.get(name)
        with self._turn(), suppress(Argon2Error, InvalidHashError, UnicodeEncodeError):
            self._hasher.verify(account.hash if account else self._nobody, normal(password)[:MOST_LENGTH])
            return None if self.fault else account
        return None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._queue.acquire(blocking=False):
            raise TimeoutError
        try:
            if not self._turns.acquire(timeout=PATIENCE):
                raise TimeoutError
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._queue.release()

    def get(self, name: str) -> Account | None:
        """The account as it is now: one that was taken out of the file, or changed in it, is so at once."""
        with self._lock:
            if (found := self._reread()) is not None:
                self._accounts, fault = found
                if fault != self.fault:
                    self.fault = fault
                    self._say()
            return self._accounts.get(name)

    def _say(self) -> None:
        """Tell the log and the audit trail that the file cannot be used, or that it can be again."""
        if self.fault:
            log.error("%s. Until then nobody can log in, and who does not stand in it is out", self.fault)
        else:
            log.warning("the password file can be used again")
        self.tell("app", f"password file {'cannot be used' if self.fault else 'can be used again'}")


def _like(accounts: dict[str, Account]) -> PasswordHasher:
    """A hasher that works as hard as the one that made the accounts."""
    with suppress(StopIteration, InvalidHashError):
        return PasswordHasher.from_parameters(extract_parameters(next(iter(accounts.values())).hash))
    return PasswordHasher()


def normal(password: str) -> str:
    """A password as it is hashed: the same letters typed on another machine are the same password."""
    return unicodedata.normalize("NFKC", password)


def network(address: str) -> str:
    """What one sender can choose from freely is one address: an IPv6 network counts as a whole."""
    with suppress(ValueError):
        given = ip_address(address)
        if isinstance(given, IPv6Address) and not given.ipv4_mapped:
            return given.exploded[:19]
    return address


def read_accounts(path: Path) -> Accounts:
    """The accounts of a file. Raises: UsageError, naming the line, for a file that cannot be used."""
    seen = _stamp(path)
    found, fault = _read(path)
    if fault:
        raise UsageError(fault)

    def reread() -> Read | None:
        nonlocal seen
        if (now := _stamp(path)) == seen != ():
            return None
        made = _read(path)
        seen = () if made[1] else now  # what cannot be used is looked at until it can
        return made

    return Accounts(found, reread=reread)


def _stamp(path: Path) -> tuple[int, ...]:
    """What differs where a file, or who may read it, has changed; nothing where there is none."""
    with suppress(OSError):
        said = path.stat()
        return said.st_mtime_ns, said.st_ctime_ns, said.st_ino, said.st_mode, said.st_size
    return ()


def _read(path: Path) -> Read:
    """The accounts that can be used; none of a file that others can read."""
    try:
        with path.open("rb") as file:
            is_open = bool(os.fstat(file.fileno()).st_mode & 0o077)
            lines = file.read().decode().splitlines()
    except (OSError, UnicodeDecodeError):
        return {}, f"{path.name}: cannot be read; make it with `poems serve --add-user NAME`"
    if is_open:
        return {}, f"{path.name}: others on this machine can read it; run: chmod 600 {path.name}"
    found: dict[str, Account] = {}
    faults, twice = [], set()
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, role, digest = (*line.strip().split(":", 2), "", "")[:3]
        if not NAME.fullmatch(name) or role not in ROLES or not _is_hash(digest):
            faults.append(f"{path.name}, line {number}: not an account; expected name:role:hash as "
                          "`poems serve --add-user` writes it")
        elif name in found:
            faults.append(f"{path.name}, line {number}: the second account of one name; expected each once")
            twice.add(name)
        else:
            found[name] = Account(name, role, digest)
    if not any(account.role == "admin" for account in found.values()):
        faults.append(f"{path.name}: no admin; add one with `poems serve --add-user NAME --role admin`")
    return {name: one for name, one in found.items() if name not in twice}, (faults or [""])[0]


def _is_hash(digest: str) -> bool:
    try:
        return digest.startswith("$argon2id$") and bool(extract_parameters(digest))
    except InvalidHashError:
        return False


def add_account(path: Path, name: str, role: str, password: str) -> None:
    """Write an account into the file, in place of one of the same name. Raises: UsageError, for what cannot be one."""
    if not NAME.fullmatch(name):
        raise UsageError("the name of an account is of small letters, digits, dot, dash and underscore")
    if role not in ROLES:
        raise UsageError(f"role {role!r} is unknown; expected one of {', '.join(ROLES)}")
    plain = normal(password)
    if not LEAST_LENGTH <= len(plain) <= MOST_LENGTH or not plain.isprintable():
        raise UsageError(f"a password has at least {LEAST_LENGTH} characters that can be typed; several words are good")
    try:
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        kept = [line for line in lines if not line.startswith(f"{name}:")]
        if any(map(_is_admin, lines)) and role != "admin" and not any(map(_is_admin, kept)):
            raise UsageError(f"{name} is the only admin, and without one the app does not start; make another account "
                             "admin first")
        _write(path, "\n".join((*kept, f"{name}:{role}:{PasswordHasher().hash(plain)}")) + "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name}: cannot be written ({getattr(error, 'strerror', 'not UTF-8')}); expected a file "
                         "in a folder of yours") from None


def _is_admin(line: str) -> bool:
    return line.split(":")[1:2] == ["admin"]


def _write(path: Path, text: str) -> None:
    """Put the text in the place of the file, readable by nobody else at any moment."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
