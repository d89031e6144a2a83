"""Models: what the verdicts and counts of one patient add up to."""
