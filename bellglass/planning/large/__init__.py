"""Large discounted tables: compiled kernels, the searches that use them, and their certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lazy import lend

if TYPE_CHECKING:
    from .large_solver import solve_large as solve_large

__all__, __getattr__, __dir__ = lend(
    __name__,
    {
        "large_solver": ["solve_large"],
    },
)
