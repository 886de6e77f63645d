"""Environments of the family 'operations', one file an environment."""

from .gambler import Gambler as Gambler
