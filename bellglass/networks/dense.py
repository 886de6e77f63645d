"""Layers one after the other: linear, normalisation, activation, dropout, and a head."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .activations import Activation
from .heads import DuelingHead, LinearHead
from .layers import Dropout, Gather, linear


class Dense(nn.Module):
    """A multi-layer perceptron of any depth, on vectors or on integers that stand for one-hot vectors.

    Args:
        num_inputs: length of the input vector, or how many integers there are.
        num_outputs: length of the output.
        generator: initial weights come from it, and dropout later on.
        integers: the input is an integer in [0, num_inputs); the first layer is a look-up.
        hidden_sizes: widths of the hidden layers; none with integers makes a plain table.
        activation: makes the activation of each hidden layer (`ACTIVATIONS` has them by name).
        dropout: chance in [0, 1) that a hidden activation is dropped in training.
        layer_norm: normalise each hidden layer over its units before the activation (Ba, Kiros & Hinton
            2016).
        batch_norm: over the batch (Ioffe & Szegedy 2015), by running statistics in eval mode.
        dueling: a value and advantages in place of one linear head.

    >>> network = Dense(16, 4, generator=torch.Generator().manual_seed(0), integers=True)
    >>> network(torch.arange(16)).shape
    torch.Size([16, 4])
    """

    def __init__(
        self,
        num_inputs: int,
        num_outputs: int,
        *,
        generator: torch.Generator,
        integers: bool = False,
        hidden_sizes: Sequence[int] = (64, 64),
        activation: Activation = nn.ReLU,
        dropout: float = 0.0,
        layer_norm: bool = False,
        batch_norm: bool = False,
        dueling: bool = False,
    ) -> None:
        super().__init__()
        for name, size in [("num_inputs", num_inputs), ("num_outputs", num_outputs)]:
            if size < 1:
                raise ValueError(f"{name} must be at least 1, got {size}")
        if any(size < 1 for size in hidden_sizes):
            raise ValueError(f"hidden_sizes must be at least 1 each, got {list(hidden_sizes)}")
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"dropout must be in [0, 1), got {dropout}")
        if dueling and integers and not hidden_sizes:
            raise ValueError("a dueling head needs a hidden layer where the inputs are integers")
        self.num_inputs = num_inputs
        self.integers = integers
        layers: list[nn.Module] = []
        width = num_inputs
        for i, size in enumerate(hidden_sizes):
            first_of_integers = integers and i == 0
            layers.append(
                Gather(width, size, generator) if first_of_integers else linear(width, size, generator)
            )
            if layer_norm:
                layers.append(nn.LayerNorm(size))
            if batch_norm:
                layers.append(nn.BatchNorm1d(size))
            layers.append(activation())
            if dropout > 0.0:
                layers.append(Dropout(dropout, generator))
            width = size
        self.torso = nn.Sequential(*layers)
        self.head: nn.Module
        if dueling:
            self.head = DuelingHead(width, num_outputs, generator)
        elif integers and not hidden_sizes:
            self.head = Gather(width, num_outputs, generator)
        else:
            self.head = LinearHead(width, num_outputs, generator)

    def forward(self, x: Tensor) -> Tensor:
        """[B, ...] floats of num_inputs entries in all, or [B] integers, to [B, num_outputs]."""
        inputs = x if self.integers else x.reshape(len(x), -1)
        out: Tensor = self.head(self.torso(inputs))
        return out
