"""Environments of the family 'courses': the small examples of lectures, one file an environment."""

from .boyan_chain import BoyanChain as BoyanChain
from .dice_game import DiceGame as DiceGame
from .puterman_two_state import PutermanTwoState as PutermanTwoState
from .racing_car import RacingCar as RacingCar
from .random_walk import RandomWalk as RandomWalk
from .student import Student as Student
from .tram import Tram as Tram
