"""Gymnasium environments whose transition table is open to read.

Each name is imported when it is first asked for: who makes one environment need not wait for all.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .registration import ENVIRONMENTS
from .registration import register_envs as register_envs

if TYPE_CHECKING:
    from .aliases import AliasedObservation as AliasedObservation
    from .aliases import LocalViewObservation as LocalViewObservation
    from .cassandra import CassandraError as CassandraError
    from .cassandra import CassandraModel as CassandraModel
    from .cassandra import parse_cassandra as parse_cassandra
    from .cassandra import read_cassandra as read_cassandra
    from .clock import TimeObserved as TimeObserved
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
    from .images import ImageObservation as ImageObservation
    from .images import VectorImageObservation as VectorImageObservation
    from .mdp import TabularMDP as TabularMDP
    from .mdp import table_of as table_of
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
    from .observations import CoordinatesObservation as CoordinatesObservation
    from .observations import OneHotObservation as OneHotObservation
    from .observations import VectorCoordinatesObservation as VectorCoordinatesObservation
    from .observations import VectorOneHotObservation as VectorOneHotObservation
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
    from .tabular import EnvSettings as EnvSettings
    from .tabular import TabularEnv as TabularEnv
    from .vector import TabularVectorEnv as TabularVectorEnv

#: Where each name lives; the environments, as their rows say.
_HOMES = {
    "AliasedObservation": "aliases",
    "LocalViewObservation": "aliases",
    "CassandraError": "cassandra",
    "CassandraModel": "cassandra",
    "parse_cassandra": "cassandra",
    "read_cassandra": "cassandra",
    "TimeObserved": "clock",
    "ImageObservation": "images",
    "VectorImageObservation": "images",
    "TabularMDP": "mdp",
    "table_of": "mdp",
    "CoordinatesObservation": "observations",
    "OneHotObservation": "observations",
    "VectorCoordinatesObservation": "observations",
    "VectorOneHotObservation": "observations",
    "register": "own",
    "TabularPOMDP": "pomdp",
    "TabularPOMDPEnv": "pomdp",
    "pomdp_of": "pomdp",
    "TabularEnv": "tabular",
    "EnvSettings": "tabular",
    "TabularVectorEnv": "vector",
} | {row.name: row.module for row in ENVIRONMENTS}

__all__ = ["register_envs", *_HOMES]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'bellglass.envs' has no attribute {name!r}")
    value: object = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
