"""The table of a finite Markov decision process, and how to draw one."""

from .arrays import BoolArray as BoolArray
from .arrays import FloatArray as FloatArray
from .arrays import IntArray as IntArray
from .arrays import Outcomes as Outcomes
from .layout import Layout as Layout
from .table import TabularMDP as TabularMDP
from .walk import TableWalker as TableWalker
from .walk import fingerprint_of as fingerprint_of
