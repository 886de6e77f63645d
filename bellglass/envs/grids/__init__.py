"""Environments of the family 'grids', one file an environment."""

from .cliff_walking import CliffWalking as CliffWalking
from .frozen_lake import FrozenLake as FrozenLake
from .grid_4x4 import Grid4x4 as Grid4x4
from .grid_5x5 import Grid5x5 as Grid5x5
from .russell_norvig import RussellNorvig as RussellNorvig
from .taxi import Taxi as Taxi
