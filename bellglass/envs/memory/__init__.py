"""Environments of the family 'memory', one file an environment."""

from .t_maze import TMaze as TMaze
