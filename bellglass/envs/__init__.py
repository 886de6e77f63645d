"""Gymnasium environments whose transition table is open to read."""

from .cassandra import CassandraError as CassandraError
from .cassandra import CassandraModel as CassandraModel
from .cassandra import parse_cassandra as parse_cassandra
from .cassandra import read_cassandra as read_cassandra
from .exploration import DeepSea as DeepSea
from .exploration import RiverSwim as RiverSwim
from .grids import CliffWalking as CliffWalking
from .grids import FrozenLake as FrozenLake
from .grids import Grid4x4 as Grid4x4
from .grids import Grid5x5 as Grid5x5
from .grids import RussellNorvig as RussellNorvig
from .grids import Taxi as Taxi
from .mdp import TabularMDP as TabularMDP
from .mdp import table_of as table_of
from .memory import TMaze as TMaze
from .observations import CoordinatesObservation as CoordinatesObservation
from .observations import OneHotObservation as OneHotObservation
from .observations import VectorCoordinatesObservation as VectorCoordinatesObservation
from .observations import VectorOneHotObservation as VectorOneHotObservation
from .operations import Gambler as Gambler
from .pomdp import TabularPOMDP as TabularPOMDP
from .pomdp import TabularPOMDPEnv as TabularPOMDPEnv
from .pomdp import pomdp_of as pomdp_of
from .registration import register_envs as register_envs
from .tabular import TabularEnv as TabularEnv
from .vector import TabularVectorEnv as TabularVectorEnv
