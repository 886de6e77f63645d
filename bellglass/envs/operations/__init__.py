"""Environments of the family 'operations', one file an environment."""
