"""Environments of the family 'games', one file an environment."""

from .blackjack import Blackjack as Blackjack
from .catch import Catch as Catch
from .die_stopping import DieStopping as DieStopping
from .hanoi import Hanoi as Hanoi
from .parking import Parking as Parking
from .piglet import Piglet as Piglet
from .red_black_cards import RedBlackCards as RedBlackCards
from .secretary import Secretary as Secretary
from .sliding_puzzle import SlidingPuzzle as SlidingPuzzle
from .tic_tac_toe import TicTacToe as TicTacToe
