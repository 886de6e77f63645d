"""Optima without a discount: total reward until the end, and reward a step for ever."""
