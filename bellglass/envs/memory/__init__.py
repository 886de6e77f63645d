"""Environments of the family 'memory', one file an environment."""

from .bernoulli_bandit import BernoulliBandit as BernoulliBandit
from .bernoulli_bandit import gittins_index as gittins_index
from .cheese_maze import CheeseMaze as CheeseMaze
from .crying_baby import CryingBaby as CryingBaby
from .light_maze import LightMaze as LightMaze
from .memory_chain import MemoryChain as MemoryChain
from .mini_hallway import MiniHallway as MiniHallway
from .repeat_previous import RepeatPrevious as RepeatPrevious
from .shuttle import Shuttle as Shuttle
from .t_maze import TMaze as TMaze
from .tiger import Tiger as Tiger
from .umbrella_chain import UmbrellaChain as UmbrellaChain
