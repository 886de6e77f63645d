"""Adam on one flat vector.

    m  <-  b1 * m + (1 - b1) * g
    v  <-  b2 * v + (1 - b2) * g^2
    p  <-  p - learning_rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)

Kingma & Ba, Adam: a method for stochastic optimization, ICLR 2015.  The learning rate is handed in at every
step, so any schedule will do.  (Making a `torch.optim.Adam` imports torch's compiler, 1.5 s.)
"""

from __future__ import annotations

import math

import torch

from .flat import FlatParameters


class Adam:
    """The moments of one flat vector of parameters.

    Attributes:
        mean: [n] m above.
        square: [n] v above.
        num_steps: t above.
    """

    def __init__(
        self, parameters: FlatParameters, *, betas: tuple[float, float] = (0.9, 0.999), epsilon: float = 1e-8
    ) -> None:
        if not (0.0 <= betas[0] < 1.0 and 0.0 <= betas[1] < 1.0):
            raise ValueError(f"betas must be in [0, 1), got {betas}")
        if epsilon <= 0.0:
            raise ValueError(f"epsilon must be positive, got {epsilon}")
        self.parameters = parameters
        self.betas = betas
        self.epsilon = epsilon
        self.mean = torch.zeros_like(parameters.values)
        self.square = torch.zeros_like(parameters.values)
        self.num_steps = 0
        self._work = torch.empty_like(parameters.values)

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Moves the parameters by the gradient that lies beside them."""
        gradient, (b1, b2) = self.parameters.gradient, self.betas
        self.num_steps += 1
        self.mean.lerp_(gradient, 1.0 - b1)
        self.square.mul_(b2).addcmul_(gradient, gradient, value=1.0 - b2)
        torch.sqrt(self.square, out=self._work)
        self._work.div_(math.sqrt(1.0 - b2**self.num_steps)).add_(self.epsilon)
        self.parameters.values.addcdiv_(
            self.mean, self._work, value=-learning_rate / (1.0 - b1**self.num_steps)
        )
