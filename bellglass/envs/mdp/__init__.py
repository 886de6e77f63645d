"""The table of a finite Markov decision process, and how to draw one."""

from .behind import table_of as table_of
from .layout import Layout as Layout
from .table import BoolArray as BoolArray
from .table import FloatArray as FloatArray
from .table import IntArray as IntArray
from .table import Outcomes as Outcomes
from .table import TabularMDP as TabularMDP
from .walk import TableWalker as TableWalker
from .walk import fingerprint_of as fingerprint_of
