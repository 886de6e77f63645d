"""Environments of the family 'grids', one file an environment."""

from .cliff_walking import CliffWalking as CliffWalking
from .cs188 import BookGrid as BookGrid
from .cs188 import BridgeGrid as BridgeGrid
from .fickle_taxi import FickleTaxi as FickleTaxi
from .four_rooms import FourRooms as FourRooms
from .frozen_lake import FrozenLake as FrozenLake
from .grid_4x4 import Grid4x4 as Grid4x4
from .grid_5x5 import Grid5x5 as Grid5x5
from .map import Map as Map
from .maze import Maze as Maze
from .racetrack import Racetrack as Racetrack
from .russell_norvig import RussellNorvig as RussellNorvig
from .taxi import Taxi as Taxi
from .windy_grid import WindyGrid as WindyGrid
