"""Solvers: the exact optimum of a table, with certified bounds."""
