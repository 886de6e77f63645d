"""Gymnasium environments whose transition table is open to read."""

from .mdp import TabularMDP as TabularMDP
from .mdp import table_of as table_of
from .pomdp import TabularPOMDP as TabularPOMDP
from .pomdp import TabularPOMDPEnv as TabularPOMDPEnv
from .pomdp import pomdp_of as pomdp_of
from .registration import register_envs as register_envs
from .tabular import TabularEnv as TabularEnv
from .vector import TabularVectorEnv as TabularVectorEnv
