"""What is known, as data with sources. `load()` is the only way to it."""

from poems.knowledge.load import load
from poems.knowledge.model import Concept, CriteriaSet, Criterion, Knowledge, Level, Reference, Source

__all__ = ["Concept", "CriteriaSet", "Criterion", "Knowledge", "Level", "Reference", "Source", "load"]
