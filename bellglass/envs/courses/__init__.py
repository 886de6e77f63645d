"""Environments of the family 'courses': the small examples of lectures, one file an environment."""

from .dice_game import DiceGame as DiceGame
from .puterman_two_state import PutermanTwoState as PutermanTwoState
from .racing_car import RacingCar as RacingCar
from .student import Student as Student
from .tram import Tram as Tram
