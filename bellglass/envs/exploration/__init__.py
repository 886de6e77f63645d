"""Environments of the family 'exploration', one file an environment."""
