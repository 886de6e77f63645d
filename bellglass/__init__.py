"""Reinforcement learning under glass: every table is open, every optimum exact, every agent scored by it."""

__version__ = "0.1.0"

from .envs.registration import register_envs

register_envs()
