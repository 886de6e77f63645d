"""Adam on one flat vector, and the way of a target network.

    m  <-  b1 * m + (1 - b1) * g
    v  <-  b2 * v + (1 - b2) * g^2
    p  <-  p - learning_rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)

Kingma & Ba, Adam: a method for stochastic optimization, ICLR 2015.  The learning rate is handed in at every
step, so any schedule will do.  (Making a `torch.optim.Adam` imports torch's compiler, 1.5 s.)
"""

from __future__ import annotations

import copy
import math
from typing import Any

import torch

from .flat import FlatParameters


class Adam:
    """The moments of one flat vector of parameters; a network with other parameters begins anew.

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
        self._begin()

    def _begin(self) -> None:
        self._values = self.parameters.values
        self.mean = torch.zeros_like(self._values)
        self.square = torch.zeros_like(self._values)
        self.num_steps = 0
        self._work = torch.empty_like(self._values)

    def follow(self) -> None:
        """Begins anew if the network has other parameters than before; otherwise nothing."""
        if self.parameters.values is not self._values:
            self._begin()

    @torch.no_grad()
    def step(self, learning_rate: float, largest_norm: float | None = None) -> None:
        """Moves the parameters by the gradient that lies beside them, scaled down to `largest_norm` first.

        Frozen parameters keep their values and their moments.
        """
        self.follow()
        frozen = self.parameters.settle()
        if largest_norm is not None:
            self.parameters.clip_settled_(largest_norm)
        values, gradient, (b1, b2) = self._values, self.parameters.gradient, self.betas
        kept = [(x[part], x[part].clone()) for part in frozen for x in (values, self.mean, self.square)]
        self.num_steps += 1
        self.mean.lerp_(gradient, 1.0 - b1)
        self.square.mul_(b2).addcmul_(gradient, gradient, value=1.0 - b2)
        torch.sqrt(self.square, out=self._work)
        self._work.div_(math.sqrt(1.0 - b2**self.num_steps)).add_(self.epsilon)
        values.addcdiv_(self.mean, self._work, value=-learning_rate / (1.0 - b1**self.num_steps))
        for part, before in kept:
            part.copy_(before)

    def __getstate__(self) -> dict[str, Any]:
        self.follow()
        return {name: value for name, value in vars(self).items() if name not in ("_values", "_work")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._values = self.parameters.values
        self._work = torch.empty_like(self._values)


@torch.no_grad()
def move_towards(target: FlatParameters, online: FlatParameters, share: float) -> None:
    """q_target <- (1 - share) * q_target + share * q_online; buffers are copied.

    A target network that is made of other layers by now becomes a copy of the online network.
    """
    values, aims = target.values, online.values
    if target.kind != online.kind:
        target.module = copy.deepcopy(online.module).eval()
        return
    if share == 1.0:
        values.copy_(aims)
    else:
        values.lerp_(aims, share)
    for mine, theirs in zip(target.rest(), online.rest(), strict=True):
        mine.copy_(theirs)
