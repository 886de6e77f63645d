"""Suites, runs, exact scores and the comparison report."""
