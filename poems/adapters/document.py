"""JSON text to a tree that can be asked safely: what is broken is marked where it stands, and a wrong type says so."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MAX_DEPTH = 60
_MAX_DIGITS = 18  # no measurement has more; Python refuses to read integers of thousands of digits anyway


class RefusedError(Exception):
    """A piece of the input that cannot be used: where it stands, what is there, what was expected, what to do."""

    def __init__(self, where: str, found: str, expected: str = "", fix: str = "") -> None:
        super().__init__(where, found, expected, fix)
        self.where, self.found, self.expected, self.fix = where, found, expected, fix


@dataclass(frozen=True, slots=True)
class Broken:
    """What stands in the tree in place of a value that JSON allows to write but nobody can read in one way."""

    found: str
    expected: str


def parse(data: bytes, where: str) -> Any:
    """The tree of one JSON text. where: the line it stands in, if it is one of several.

    Raises: RefusedError, where the text as a whole cannot be read.
    """
    text = decode(data, where)
    if not text.strip():
        raise RefusedError(where, "empty", "JSON", "Check that the file was written to the end.")
    try:
        return json.loads(text, object_pairs_hook=_object, parse_float=_decimal, parse_int=_integer,
                          parse_constant=lambda word: Broken(f"{word} is not JSON", "a number"))
    except json.JSONDecodeError as error:
        what = "text after the end of the JSON" if error.msg == "Extra data" else "not JSON"
        place = f"column {error.colno}" if where else f"line {error.lineno}, column {error.colno}"
        raise RefusedError(_at(where, place), what, "one complete JSON text",
                           "Write the file again from its source.") from None
    except RecursionError:
        raise RefusedError(where, "nested too deeply to read", f"at most {MAX_DEPTH} levels",
                           "Write the file again from its source.") from None


def decode(data: bytes, where: str) -> str:
    """The text of UTF-8 bytes, without a byte order mark. Raises: RefusedError, naming the first byte that is not."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RefusedError(_at(where, f"byte {error.start + 1}"), "not UTF-8", "UTF-8 text",
                           "Save the file as UTF-8.") from None


def _at(where: str, place: str) -> str:
    return f"{where}, {place}" if where else place


def _object(pairs: list[tuple[str, Any]]) -> Any:
    built = dict(pairs)
    if len(built) == len(pairs):
        return built
    seen: set[str] = set()
    twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return Broken(f"the key {name(twice)} stands twice", "each key once")


def _decimal(text: str) -> Any:
    number = float(text)
    if not math.isfinite(number):
        return Broken("a number too large to read", "a finite number")
    if number == 0 and any(digit in text.lower().split("e")[0] for digit in "123456789"):
        return Broken("a number too small to read", "a number that is not rounded to zero")
    return number


def _integer(text: str) -> Any:
    if len(text) > _MAX_DIGITS:
        return Broken("a number too large to read", f"at most {_MAX_DIGITS} digits")
    return int(text)


def name(key: str) -> str:
    """A key as it may stand in a message: keys of the formats are short words, anything else is not printed."""
    return key if key.isascii() and key.replace("_", "").isalnum() and len(key) <= 40 else "(not printable)"


def broken(tree: Any, path: str) -> Iterator[RefusedError]:
    """Everything in a tree that was marked as broken, and that it nests too deeply."""
    if not _is_sound(tree):
        yield from _faults(tree, path, 0, path)


def _is_sound(tree: Any) -> bool:
    """Whether nothing is broken: the quick answer, without the places."""
    level = [tree]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
            elif isinstance(value, Broken):
                return False
        if not below:
            return True
        level = below
    return False


def _faults(tree: Any, path: str, depth: int, top: str) -> Iterator[RefusedError]:
    if isinstance(tree, Broken):
        yield RefusedError(path, tree.found, tree.expected, "Correct it at its source.")
    elif isinstance(tree, dict | list) and depth >= MAX_DEPTH:
        yield RefusedError(top, "nested too deeply", f"at most {MAX_DEPTH} levels", "Correct it at its source.")
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield from _faults(value, f"{path}.{name(key)}", depth + 1, top)
    elif isinstance(tree, list):
        for place, value in enumerate(tree):
            yield from _faults(value, f"{path}[{place}]", depth + 1, top)


class Node:
    """A place in the tree.

    Asking for what is not there gives an empty node; a wrong type raises RefusedError with its path.
    """

    __slots__ = ("path", "value")

    def __init__(self, value: Any, path: str) -> None:
        self.value, self.path = value, path

    def __bool__(self) -> bool:
        return self.value is not None

    def child(self, key: str) -> Node:
        """The value of a key of this object."""
        if self.value is None:
            return Node(None, f"{self.path}.{key}")
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        return Node(self.value.get(key), f"{self.path}.{key}")

    def either(self, camel: str, snake: str) -> Node:
        """The value of a key that may be written in two ways. Raises: RefusedError, where both are there."""
        first, second = self.child(camel), self.child(snake) if snake != camel else Node(None, "")
        if first and second:
            raise RefusedError(first.path, f"written twice, as {camel} and {snake}", "one of them", "Remove one.")
        return first if first or not second else second

    def names(self) -> list[str]:
        """The keys of this object."""
        if self.value is None:
            return []
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        return list(self.value)

    def each(self) -> list[Node]:
        """The items of this list."""
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        return [Node(value, f"{self.path}[{place}]") for place, value in enumerate(self.value)]

    def text(self) -> str:
        """The text, stripped; empty where there is none."""
        if self.value is None:
            return ""
        if not isinstance(self.value, str):
            raise self.wrong("a text")
        return self.value.strip()

    def boolean(self) -> bool | None:
        """true, false, or nothing."""
        if self.value is not None and not isinstance(self.value, bool):
            raise self.wrong("true or false")
        return self.value

    def number(self) -> float | None:
        """The number, or nothing."""
        if self.value is None:
            return None
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise self.wrong("a number")
        return self.value

    def wrong(self, expected: str) -> RefusedError:
        """The refusal of this place for its type."""
        return RefusedError(self.path, kind(self.value), expected, "Correct the type at its source.")


def kind(value: Any) -> str:
    """The type of a JSON value in words; never the value."""
    if isinstance(value, Broken):
        return value.found
    words = {dict: "an object", list: "a list", str: "a text", bool: "true or false", int: "a number",
             float: "a number"}
    return words.get(type(value), "nothing")
