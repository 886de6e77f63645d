"""Stable-Baselines3's agents behind our protocol; the only place that imports it."""

from .adapter import AlgorithmName as AlgorithmName
from .adapter import StableBaselines3 as StableBaselines3
