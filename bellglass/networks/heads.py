"""What lies on the last hidden layer: one number an action."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .layers import linear


class LinearHead(nn.Module):
    """One linear layer."""

    def __init__(self, num_inputs: int, num_outputs: int, generator: torch.Generator) -> None:
        super().__init__()
        self.linear = linear(num_inputs, num_outputs, generator)

    def forward(self, features: Tensor) -> Tensor:
        """[..., num_inputs] to [..., num_outputs]."""
        out: Tensor = self.linear(features)
        return out


class DuelingHead(nn.Module):
    """A value and the advantages over it, which sum to 0.

        q(s, a) = v(s) + advantage(s, a) - mean_a' advantage(s, a')

    Wang et al., Dueling network architectures for deep reinforcement learning, ICML 2016, equation 9.
    """

    def __init__(self, num_inputs: int, num_outputs: int, generator: torch.Generator) -> None:
        super().__init__()
        self.value = linear(num_inputs, 1, generator)
        self.advantage = linear(num_inputs, num_outputs, generator)

    def forward(self, features: Tensor) -> Tensor:
        """[..., num_inputs] to [..., num_outputs]."""
        advantage: Tensor = self.advantage(features)
        q_values: Tensor = self.value(features) + advantage - advantage.mean(dim=-1, keepdim=True)
        return q_values
