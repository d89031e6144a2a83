"""Imported once by the process that processes which read files come from: what all of them need is there then."""

from __future__ import annotations

from poems.web.reading import knowledge

knowledge()
