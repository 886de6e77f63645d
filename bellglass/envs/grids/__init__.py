"""Environments of the family 'grids', one file an environment."""
