"""Environments of the family 'exploration', one file an environment."""

from .deep_sea import DeepSea as DeepSea
from .river_swim import RiverSwim as RiverSwim
