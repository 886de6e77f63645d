"""What a solver says when it cannot keep its promise."""

from __future__ import annotations

from ..envs.mdp import FloatArray


class ToleranceError(ValueError):
    """The bounds could not be brought within the tolerance; the best ones found come with the error.

    Attributes:
        lower: [S] certified lower bounds of the optimum.
        upper: [S] certified upper bounds of the optimum.
    """

    def __init__(self, message: str, lower: FloatArray, upper: FloatArray) -> None:
        super().__init__(message)
        self.lower = lower
        self.upper = upper


class UnboundedError(ValueError):
    """The criterion has no finite optimum, or none that is well defined, from some reachable state.

    Attributes:
        state: the state that proves it.
        value: inf, -inf, or nan where the sum of rewards has no limit.
    """

    def __init__(self, message: str, state: int, value: float) -> None:
        super().__init__(message)
        self.state = state
        self.value = value
