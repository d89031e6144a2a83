"""Engines: the same verdicts as `poems.evaluate`, for a population, in SQL."""
