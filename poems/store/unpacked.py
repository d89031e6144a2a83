"""An archive from anywhere, opened with suspicion: names, sizes, hashes and versions are checked before any word."""

from __future__ import annotations

import hashlib
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from poems.adapters import document
from poems.adapters.document import RefusedError
from poems.store import told
from poems.store.problems import ArchiveError

SQLITE: Final = b"SQLite format 3\x00"
FORMAT: Final = "poems-archive"
VERSION: Final = 1
MANIFEST: Final = "manifest.json"
MOST_BYTES: Final = 8 << 30
MOST_MEMBERS: Final = 300_000
MOST_PARSED: Final = 64 << 20
"""Bytes of a member that is read as a whole: a manifest, or one patient's history."""
STEEPEST: Final = 200
"""How many times its packed size an archive may unpack to; ours stay under a quarter of that."""

_NAMES: Final = re.compile(r"manifest\.json|README\.txt|events\.csv|(?:history|fhir|phenopackets)/[1-9]\d{0,6}\.json",
                           re.ASCII)
_FREE: Final = 1 << 20  # too little to do harm, however steep


def histories(source: Path | str | BinaryIO, most_bytes: int = MOST_BYTES) -> Iterator[tuple[str, told.History]]:
    """Where it stands, and the history, of each patient.

    Raises: ArchiveError, where anything is not as our export writes it.
    """
    try:
        with zipfile.ZipFile(Path(source) if isinstance(source, str) else source) as archive:
            infos = _directory(archive, most_bytes)
            hashes = _manifest(archive, infos)
            seen: set[str] = set()
            for name in sorted(infos, key=lambda one: (one.partition("/")[0], len(one), one)):
                if name == MANIFEST:
                    continue
                data = _checked(archive, infos[name], hashes)
                if name.startswith("history/"):
                    history = told.read(_tree(data, name), name)
                    if history.uid in seen:
                        raise _refused(name, "a patient who stands in the archive twice")
                    seen.add(history.uid)
                    yield name, history
    except zipfile.BadZipFile as error:
        if _is_database(source):
            raise ArchiveError("this is a copy of the database and no archive. Nothing was taken in. Start the app on "
                               "it: poems serve --database FILE") from None
        raise _unreadable(error) from None
    except (zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError,
            ValueError, OverflowError) as error:
        raise _unreadable(error) from None
    except OSError as error:
        raise ArchiveError(f"the archive cannot be read ({error.strerror or type(error).__name__}). "
                           "Nothing was taken in. Check the path.") from None


def _unreadable(error: Exception) -> ArchiveError:
    return ArchiveError(f"the archive cannot be opened ({type(error).__name__}); expected a zip that poems exported. "
                        "Nothing was taken in. Check that it was copied to the end.")


def _is_database(source: Path | str | BinaryIO) -> bool:
    """Whether it begins as a SQLite file does."""
    if isinstance(source, Path | str):
        with Path(source).open("rb") as file:
            return file.read(16) == SQLITE
    source.seek(0)
    return source.read(16) == SQLITE


def _directory(archive: zipfile.ZipFile, most_bytes: int) -> dict[str, zipfile.ZipInfo]:
    """The members by name. Raises: ArchiveError, where a name, a size or a kind is not ours."""
    found: dict[str, zipfile.ZipInfo] = {}
    whole = archive.infolist()
    if len(whole) > MOST_MEMBERS:
        raise _refused("archive", "more members than any store has")
    for info in whole:
        if info.filename in found:
            raise _refused("archive", "two members of one name")
        if not _NAMES.fullmatch(info.filename) or info.orig_filename != info.filename:
            raise _refused("archive", "a member of a name that we do not write")
        if info.flag_bits & 0x1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or (
                stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG)):
            raise _refused(info.filename, "encrypted, packed in another way, or no plain file")
        found[info.filename] = info
    packed, unpacked = sum(one.compress_size for one in whole), sum(one.file_size for one in whole)
    if packed > _size(archive) or unpacked > most_bytes or unpacked > max(_FREE, STEEPEST * packed):
        raise _refused("archive", "it unpacks to more than can be meant")
    return found


def _size(archive: zipfile.ZipFile) -> int:
    """How long the file itself is: members that lie over each other add up to more."""
    assert archive.fp is not None
    return archive.fp.seek(0, 2)


def _manifest(archive: zipfile.ZipFile, infos: dict[str, zipfile.ZipInfo]) -> Mapping[str, str]:
    """Member -> its hash. Raises: ArchiveError, where the list is not that of these members, or is a newer poems'."""
    if MANIFEST not in infos:
        raise _refused("archive", "no manifest.json")
    tree = _tree(_bytes(archive, infos[MANIFEST]), MANIFEST)
    if not isinstance(tree, dict) or tree.get("format") != FORMAT:
        raise _refused(MANIFEST, "not the manifest of an archive of ours")
    version, members = tree.get("version"), tree.get("members")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise _refused(MANIFEST, "no version")
    if version > VERSION:
        raise ArchiveError(f"{MANIFEST}: written by a newer poems (version {version}; this one knows {VERSION}). "
                           "Nothing was taken in. Update poems.")
    if not isinstance(members, dict) or set(members) != set(infos) - {MANIFEST}:
        raise _refused(MANIFEST, "other members than the archive has")
    return {name: str(said.get("sha256")) if isinstance(said, dict) else "" for name, said in members.items()}


def _checked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, hashes: Mapping[str, str]) -> bytes:
    """The content of a member that is to be read, after its hash; of others nothing but the hash is looked at."""
    if info.filename.startswith("history/"):
        data = _bytes(archive, info)
        digest = hashlib.sha256(data).hexdigest()
    else:
        data, running = b"", hashlib.sha256()
        with archive.open(info) as member:
            while piece := member.read(1 << 20):
                running.update(piece)
        digest = running.hexdigest()
    if digest != hashes[info.filename]:
        raise _refused(info.filename, "not what the manifest says: it was changed, or damaged")
    return data


def _bytes(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.file_size > MOST_PARSED:
        raise _refused(info.filename, "larger than any history that we read")
    with archive.open(info) as member:
        data = member.read(MOST_PARSED + 1)
    if len(data) != info.file_size:
        raise _refused(info.filename, "of another size than it says")
    return data


def _tree(data: bytes, name: str) -> Any:
    try:
        tree = document.parse(data, "")
        for fault in document.broken(tree, ""):
            raise fault
    except RefusedError as refused:
        raise _refused(name, f"{refused.where}: {refused.found}" if refused.where else refused.found) from None
    return tree


def _refused(where: str, found: str) -> ArchiveError:
    return ArchiveError(f"{where}: {found}. Nothing was taken in. Export the archive again from its store.")
