"""The knowledge files as they stand: which they are, and YAML that is safe and says where it is broken."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from poems.errors import Issue, KnowledgeError

BUNDLED = Path(__file__).parent
CORE = ("sources.yaml", "concepts.yaml", "criteria/diagnosis.yaml", "differential.yaml", "errata.yaml")
FOLLOW = ("followup.yaml", "treatments.yaml")
"""The files that only follow-up needs: read when they are first asked for, so that `assess` never waits for them."""
GUIDE = ("claims.yaml",)
"""What only the guide needs."""
FILES = CORE + FOLLOW + GUIDE


def read_all(directory: Path = BUNDLED, names: Iterable[str] = CORE) -> dict[str, Any]:
    """The contents of these files, by name. Raises: KnowledgeError for the first that cannot be read."""
    return {name: read_yaml(directory / name) for name in names}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe YAML that refuses a key written twice instead of keeping the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = key_node.value
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)  # type: ignore[no-any-return]


def read_yaml(path: Path) -> Any:
    """The content of one file. Raises: KnowledgeError naming file and line."""
    try:
        return yaml.load(path.read_bytes(), _Loader)  # noqa: S506 (_Loader is a safe loader)
    except OSError as error:
        issue = Issue("fault", path.name, "cannot be read", "a readable file", str(error.strerror))
        raise KnowledgeError(str(issue), (issue,)) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path.name}, line {mark.line + 1}" if mark else path.name
        found = getattr(error, "problem", None) or "is not UTF-8 text"
        issue = Issue("fault", where, str(found), "valid YAML", "Correct the line.")
        raise KnowledgeError(str(issue), (issue,)) from None
