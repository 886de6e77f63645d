"""Environments of the family 'memory', one file an environment."""
