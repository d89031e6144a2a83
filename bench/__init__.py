"""Measurements, never tests: figures of this machine, and ratios that hold on others."""
