"""Action values by a network, differentiated by autograd: the textbook, which every faster road must equal.

loss      =  mean over a minibatch of  loss(q(s, a) - target)
gradient  =  d loss / d weights        (for Adam to follow)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ...networks import FlatParameters, Loss
from .replay import Minibatch

FloatArray32 = npt.NDArray[np.float32]

#: From observations [n, ...] to [n] numbers, each a function of its observation.
Valuation = Callable[[npt.NDArray[Any]], FloatArray32]


class QFunction:
    """q(s, a) for all actions at once, by any module from observations to [B, A].

    Args:
        network: the module; its parameters move into one vector.
        num_actions: A.

    Attributes:
        parameters: of the network, with their gradient.
        modal: whether the network computes something else in train mode.
    """

    def __init__(self, network: nn.Module, num_actions: int) -> None:
        self.parameters = FlatParameters(network.eval())
        self.num_actions = num_actions
        self.modal = True

    @property
    def network(self) -> nn.Module:
        """The module; always in eval mode, but for the backward pass."""
        return self.parameters.module

    def values(self, observations: npt.NDArray[Any]) -> FloatArray32:
        """[n, A] in eval mode, without gradients."""
        self.parameters.sync()
        network = self.network
        if network.training:
            network.eval()
        with torch.no_grad():
            values: FloatArray32 = network(torch.from_numpy(observations)).numpy()
        return self._checked(values, len(observations))

    def by_state(self, function: Valuation, observations: npt.NDArray[Any]) -> FloatArray32:
        """[n] what `function` gives for these observations."""
        return function(observations)

    def backward(self, batch: Minibatch, targets: FloatArray32, loss: Loss) -> None:
        """Writes the gradient of the mean loss of the minibatch beside the parameters."""
        self.parameters.zero_gradient()
        if self.modal:
            self.network.train()
        q_values = self.network(torch.from_numpy(batch.observation))  # [B, A]
        taken = q_values.gather(1, torch.from_numpy(batch.action)[:, None])[:, 0]
        torch.autograd.backward(loss.mean(taken, torch.from_numpy(targets)))
        if self.modal:
            self.network.eval()

    def _checked(self, values: FloatArray32, n: int) -> FloatArray32:
        if values.shape != (n, self.num_actions):
            raise ValueError(
                f"the network must give one value an action, [{n}, {self.num_actions}], got {list(values.shape)}"
            )
        return values
