"""Gymnasium environments whose transition table is open to read.

Each name is imported when it is first asked for: who makes one environment need not wait for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lend
from .registration import ENVIRONMENTS
from .registration import register_envs as register_envs

if TYPE_CHECKING:
    from .cassandra import CassandraError as CassandraError
    from .cassandra import CassandraModel as CassandraModel
    from .cassandra import parse_cassandra as parse_cassandra
    from .cassandra import read_cassandra as read_cassandra
    from .courses import BoyanChain as BoyanChain
    from .courses import DiceGame as DiceGame
    from .courses import PutermanTwoState as PutermanTwoState
    from .courses import RacingCar as RacingCar
    from .courses import RandomWalk as RandomWalk
    from .courses import Student as Student
    from .courses import Tram as Tram
    from .exploration import CombinationLock as CombinationLock
    from .exploration import DeepSea as DeepSea
    from .exploration import DiscountingChain as DiscountingChain
    from .exploration import Loop as Loop
    from .exploration import NChain as NChain
    from .exploration import RiverSwim as RiverSwim
    from .exploration import SixArms as SixArms
    from .exploration import TwoStateLowerBound as TwoStateLowerBound
    from .games import Blackjack as Blackjack
    from .games import Catch as Catch
    from .games import DieStopping as DieStopping
    from .games import Hanoi as Hanoi
    from .games import Parking as Parking
    from .games import Piglet as Piglet
    from .games import RedBlackCards as RedBlackCards
    from .games import Secretary as Secretary
    from .games import SlidingPuzzle as SlidingPuzzle
    from .games import TicTacToe as TicTacToe
    from .grids import BookGrid as BookGrid
    from .grids import BridgeGrid as BridgeGrid
    from .grids import CliffWalking as CliffWalking
    from .grids import FickleTaxi as FickleTaxi
    from .grids import FourRooms as FourRooms
    from .grids import FrozenLake as FrozenLake
    from .grids import Grid4x4 as Grid4x4
    from .grids import Grid5x5 as Grid5x5
    from .grids import Map as Map
    from .grids import Maze as Maze
    from .grids import Racetrack as Racetrack
    from .grids import RussellNorvig as RussellNorvig
    from .grids import Taxi as Taxi
    from .grids import WindyGrid as WindyGrid
    from .mdp import TabularMDP as TabularMDP
    from .memory import BernoulliBandit as BernoulliBandit
    from .memory import CheeseMaze as CheeseMaze
    from .memory import CryingBaby as CryingBaby
    from .memory import LightMaze as LightMaze
    from .memory import MemoryChain as MemoryChain
    from .memory import MiniHallway as MiniHallway
    from .memory import RepeatPrevious as RepeatPrevious
    from .memory import Shuttle as Shuttle
    from .memory import Tiger as Tiger
    from .memory import TMaze as TMaze
    from .memory import UmbrellaChain as UmbrellaChain
    from .observing.aliases import AliasedObservation as AliasedObservation
    from .observing.aliases import LocalViewObservation as LocalViewObservation
    from .observing.clock import TimeObserved as TimeObserved
    from .observing.images import ImageObservation as ImageObservation
    from .observing.images import VectorImageObservation as VectorImageObservation
    from .observing.observations import CoordinatesObservation as CoordinatesObservation
    from .observing.observations import OneHotObservation as OneHotObservation
    from .observing.observations import VectorCoordinatesObservation as VectorCoordinatesObservation
    from .observing.observations import VectorOneHotObservation as VectorOneHotObservation
    from .operations import AccessControl as AccessControl
    from .operations import BusEngine as BusEngine
    from .operations import ForestManagement as ForestManagement
    from .operations import Gambler as Gambler
    from .operations import HowardTaxicab as HowardTaxicab
    from .operations import HowardToymaker as HowardToymaker
    from .operations import Inventory as Inventory
    from .operations import JacksCarRental as JacksCarRental
    from .operations import MachineMaintenance as MachineMaintenance
    from .operations import PutermanInventory as PutermanInventory
    from .operations import QueueAdmission as QueueAdmission
    from .operations import RecyclingRobot as RecyclingRobot
    from .own import register as register
    from .pomdp import TabularPOMDP as TabularPOMDP
    from .pomdp import TabularPOMDPEnv as TabularPOMDPEnv
    from .pomdp import pomdp_of as pomdp_of
    from .synthetic import FromTable as FromTable
    from .synthetic import Garnet as Garnet
    from .synthetic import Knobs as Knobs
    from .tables import table_of as table_of
    from .tabular import EnvSettings as EnvSettings
    from .tabular import TabularEnv as TabularEnv
    from .vector import TabularVectorEnv as TabularVectorEnv

__all__, __getattr__, __dir__ = lend(
    __name__,
    {
        "cassandra": ["CassandraError", "CassandraModel", "parse_cassandra", "read_cassandra"],
        "mdp": ["TabularMDP"],
        "observing.aliases": ["AliasedObservation", "LocalViewObservation"],
        "observing.clock": ["TimeObserved"],
        "observing.images": ["ImageObservation", "VectorImageObservation"],
        "observing.observations": [
            "CoordinatesObservation",
            "OneHotObservation",
            "VectorCoordinatesObservation",
            "VectorOneHotObservation",
        ],
        "own": ["register"],
        "pomdp": ["TabularPOMDP", "TabularPOMDPEnv", "pomdp_of"],
        "tables": ["table_of"],
        "tabular": ["EnvSettings", "TabularEnv"],
        "vector": ["TabularVectorEnv"],
        **{
            row.module: [other.name for other in ENVIRONMENTS if other.module == row.module]
            for row in ENVIRONMENTS
        },
    },
    "register_envs",
)
