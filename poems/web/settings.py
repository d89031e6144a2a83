"""What the app is told when it starts: who may reach it, and how much it takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from poems.web.accounts import Accounts

KILOBYTE = 1024
MEGABYTE = 1024 * KILOBYTE


@dataclass(frozen=True)
class Limits:
    """How much one request may bring, and how long it may take.

    text: a form or a JSON body without a file. body: one with files to import. archive: one that brings an archive,
    and unpacked: what that may unpack to. fields, files: how many of a form. rows, patients: the findings
    and the patients of one file.
    seconds: until the body is there, plus one for each `slowest` bytes of it; and for one file to be read, in a
    process that may take `memory` bytes. readers: how many files are read at the same time, and waiting: how many may
    wait for it.
    """

    text: int = 512 * KILOBYTE
    body: int = 10 * MEGABYTE
    archive: int = 200 * MEGABYTE
    unpacked: int = 2048 * MEGABYTE
    fields: int = 200
    files: int = 20
    rows: int = 100_000
    patients: int = 5_000
    seconds: float = 20.0
    slowest: int = 32 * KILOBYTE
    memory: int = 1024 * MEGABYTE
    readers: int = 2
    waiting: int = 6


@dataclass(frozen=True)
class Settings:
    """hosts: the Host headers that are answered; origins: from where a form may be sent.

    is_secure: the app speaks TLS, so that cookies are marked for it. accounts: who may log in; None on a loopback
    address, where whoever sits at the machine is the one user.
    """

    hosts: frozenset[str]
    origins: frozenset[str]
    is_secure: bool = False
    accounts: Accounts | None = None
    limits: Limits = field(default_factory=Limits)
    is_example: bool = False


LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def reachable(names: Iterable[str], port: int, *, is_secure: bool = False, accounts: Accounts | None = None,
              is_example: bool = False, limits: Limits | None = None) -> Settings:
    """The settings of an app that is called by these names on this port."""
    scheme, usual = ("https", 443) if is_secure else ("http", 80)
    called = [name.lower() for name in names]
    hosts = {f"{name}:{port}" for name in called} | ({*called} if port == usual else set())
    origins = frozenset(f"{scheme}://{host.removesuffix(f':{usual}')}" for host in hosts)
    return Settings(frozenset(hosts), origins, is_secure, accounts, limits or Limits(), is_example)
