"""Many copies of an environment, stepped together in array operations."""

from .vector_env import TabularVectorEnv as TabularVectorEnv
from .vector_env import vector_maker as vector_maker
