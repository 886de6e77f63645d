"""Environments of the family 'exploration', one file an environment."""

from .combination_lock import CombinationLock as CombinationLock
from .deep_sea import DeepSea as DeepSea
from .discounting_chain import DiscountingChain as DiscountingChain
from .loop import Loop as Loop
from .n_chain import NChain as NChain
from .river_swim import RiverSwim as RiverSwim
from .six_arms import SixArms as SixArms
from .two_state_lower_bound import TwoStateLowerBound as TwoStateLowerBound
