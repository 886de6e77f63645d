"""Layers that draw from a generator of the caller's, never from torch's global one."""

from __future__ import annotations

import math
from typing import TypeVar

import torch
from torch import Tensor, nn

Module = TypeVar("Module", bound=nn.Module)


def unset(kind: type[Module], *sizes: int) -> Module:
    """A torch module with parameters still to be filled; no generator is touched in making it."""
    return kind(*sizes, device="meta").to_empty(device="cpu")


def linear(num_inputs: int, num_outputs: int, generator: torch.Generator) -> nn.Linear:
    """A torch linear layer with torch's own distribution, U(-1, 1) / sqrt(num_inputs), from `generator`."""
    layer = unset(nn.Linear, num_inputs, num_outputs)
    bound = 1.0 / math.sqrt(num_inputs)
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        layer.bias.uniform_(-bound, bound, generator=generator)
    return layer


class Gather(nn.Module):
    """A linear layer of one-hot inputs given as integers: a row of the weights, not a product.

        y = weight[x] + bias

    Attributes:
        weight: [num_inputs, num_outputs], the transpose of a linear layer's.
        bias: [num_outputs].
    """

    def __init__(self, num_inputs: int, num_outputs: int, generator: torch.Generator) -> None:
        super().__init__()
        bound = 1.0 / math.sqrt(num_inputs)
        self.weight = nn.Parameter(
            torch.empty(num_inputs, num_outputs).uniform_(-bound, bound, generator=generator)
        )
        self.bias = nn.Parameter(torch.empty(num_outputs).uniform_(-bound, bound, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        """[...] integers to [..., num_outputs]."""
        return nn.functional.embedding(x, self.weight) + self.bias


class Dropout(nn.Module):
    """Zeroes entries with the given chance in training and scales the others by 1 / (1 - chance).

    Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, JMLR 15 (2014).
    """

    def __init__(self, chance: float, generator: torch.Generator) -> None:
        super().__init__()
        if not 0.0 <= chance < 1.0:
            raise ValueError(f"dropout must be in [0, 1), got {chance}")
        self.chance = chance
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        """The same shape; x itself in eval mode."""
        if not self.training or self.chance == 0.0:
            return x
        kept = torch.rand(x.shape, generator=self.generator) >= self.chance
        return x * kept / (1.0 - self.chance)
