"""Activations by name, for public constructors; networks themselves are handed the class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import nn

#: Makes a fresh activation module.
Activation = Callable[[], nn.Module]

ActivationName = Literal[
    "relu", "leaky_relu", "tanh", "sigmoid", "elu", "gelu", "silu", "mish", "softplus", "identity"
]

#: relu max(0, x); leaky_relu with slope .01 below 0; gelu x Phi(x); silu x sigmoid(x); mish x
#: tanh(softplus(x)).
ACTIVATIONS: dict[ActivationName, Activation] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "softplus": nn.Softplus,
    "identity": nn.Identity,
}
