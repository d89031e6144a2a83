"""Files that are not complete yet: made in a folder of their own, which is gone when they are, or at the next start.

Whoever is killed meanwhile leaves the folder behind, with records in it. The folder is locked while somebody works in
it, and the operating system lets go of a lock together with its process: what is not locked was left.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_PART: Final = ".part-"


@contextmanager
def workshop(path: Path) -> Iterator[Path]:
    """A new folder beside a file, for its owner alone."""
    folder = path.with_name(f".{path.name}{_PART}{secrets.token_hex(4)}")
    folder.mkdir(mode=0o700)
    held = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems cannot lock; there, nothing is swept either
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def sweep(path: Path) -> None:
    """Remove the folders that were left beside a database."""
    with suppress(OSError):
        for folder in path.parent.iterdir():
            if folder.name.startswith(f".{path.name}.") and _PART in folder.name:
                _remove(folder)


def _remove(folder: Path) -> None:
    with suppress(OSError):  # somebody works in it, or it is nothing of ours
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(held)
