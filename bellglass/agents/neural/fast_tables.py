"""The same action values and gradients as `QFunction`, sooner, where the network and the observations allow it.

Three shortcuts, each taken only where it computes what the textbook computes:

    a plain ReLU network is differentiated by hand (`PlainDense`), without autograd;
    where observations are integers, one pass values all S of them, and a table answers until the weights change;
    where, besides, S is small, the slopes of a minibatch are summed per (s, a) before one backward pass of S
    rows, whatever the batch size.

What people get wrong: a table outlives its weights.  Ours is compared with the very bytes that it was made
from whenever it is asked.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...networks import ACTIVATIONS, Dense, DuelingHead, Gather, LinearHead, Loss, PlainDense
from .q_function import FloatArray32, QFunction, Valuation
from .replay import Minibatch

#: Integer observations up to this number are valued all at once.
LARGEST_TABLE = 4096

#: What a network may be made of for its rows to be a function of the observation, in train mode, too.
_PURE = (
    Dense,
    LinearHead,
    DuelingHead,
    Gather,
    nn.Sequential,
    nn.Linear,
    nn.LayerNorm,
    *ACTIVATIONS.values(),
)


class FastQFunction(QFunction):
    """`QFunction` with the shortcuts that suit its network, whatever that is by now.

    Args:
        network: the module.
        num_actions: A.
        num_observations: S; 0 where observations are vectors.
        batch_size: slopes are summed where S is at most 4 times this.
    """

    def __init__(
        self, network: nn.Module, num_actions: int, *, num_observations: int, batch_size: int
    ) -> None:
        super().__init__(network, num_actions)
        self.num_observations = num_observations if num_observations <= LARGEST_TABLE else 0
        self.batch_size = batch_size
        self._states = np.arange(self.num_observations)
        self._choose()

    def _choose(self) -> None:
        """Which shortcuts suit the network."""
        network = self.network
        self._plain = PlainDense(self.parameters) if PlainDense.suits(network) else None
        self.modal = not (type(network) is Dense and all(type(m) in _PURE for m in network.modules()))
        self._summed = not self.modal and 0 < self.num_observations <= 4 * self.batch_size
        self._table: FloatArray32 | None = None
        self._graph: Tensor | None = None  # the table as autograd's, for a backward pass
        self._versions: list[tuple[int, bool]] = []  # of the parameters in that
        self._made_from: bytes | list[bytes] = b""
        self._generation = self.parameters.generation

    def _follow(self) -> None:
        self.parameters.sync()
        if self._generation != self.parameters.generation:
            self._choose()

    def values(self, observations: npt.NDArray[Any]) -> FloatArray32:
        """[n, A]; where observations are few, looked up."""
        if self.num_observations:
            return self.all_values().take(observations, axis=0)
        self._follow()
        if self._plain is None:
            return super().values(observations)
        return self._checked(self._plain.forward(observations, keep=False), len(observations))

    def by_state(self, function: Valuation, observations: npt.NDArray[Any]) -> FloatArray32:
        """[n]; asked once for each state, where there are fewer states than observations."""
        if 0 < self.num_observations < len(observations):
            return function(self._states).take(observations)
        return function(observations)

    def all_values(self) -> FloatArray32:
        """[S, A], not to be written to."""
        self._follow()
        return self._current_table()

    def _current_table(self) -> FloatArray32:
        """After `_follow`."""
        snapshot = self.parameters.snapshot()
        if self._table is None or snapshot != self._made_from:
            self._made_from = snapshot
            if self._plain is not None:
                table = self._plain.forward(None, keep=self._summed)
            elif self._summed:
                table = self._with_graph()
            else:
                table = super().values(self._states)
            self._table = self._checked(table, self.num_observations)
        return self._table

    def _with_graph(self) -> FloatArray32:
        with torch.enable_grad():
            self._graph = self.network(torch.arange(self.num_observations))
        self._versions = self._versions_now()
        table: FloatArray32 = self._graph.detach().numpy()
        return table

    def backward(self, batch: Minibatch, targets: FloatArray32, loss: Loss) -> None:
        """Writes the gradient of the mean loss of the minibatch beside the parameters."""
        self._follow()
        if self._summed:
            self._backward_summed(batch, targets, loss)
        elif self._plain is not None:
            rows = np.arange(len(targets))
            q_values = self._plain.forward(batch.observation)
            slope = np.zeros_like(q_values)
            slope[rows, batch.action] = _mean_slope(loss, q_values[rows, batch.action] - targets)
            self._plain.backward(slope)
        else:
            super().backward(batch, targets, loss)

    def _backward_summed(self, batch: Minibatch, targets: FloatArray32, loss: Loss) -> None:
        """On S rows: the loss depends on q(s, a) through the sum of its slopes there."""
        q_values = self._current_table()
        pair = batch.observation * q_values.shape[1] + batch.action
        slope = _mean_slope(loss, q_values.ravel()[pair] - targets)
        summed = np.bincount(pair, slope, minlength=q_values.size).astype(np.float32).reshape(q_values.shape)
        if self._plain is not None:
            self._plain.backward(summed)
            return
        self.parameters.zero_gradient()
        if self._graph is None or not self._graph.requires_grad or self._versions != self._versions_now():
            self._with_graph()
        assert self._graph is not None
        torch.autograd.backward(self._graph, torch.from_numpy(summed))
        self._graph = None

    def _versions_now(self) -> list[tuple[int, bool]]:
        """Autograd refuses a pass through parameters that were written to since, whatever was written."""
        return [(p._version, p.requires_grad) for p in self.network.parameters()]

    def __getstate__(self) -> dict[str, Any]:
        derived = {"_plain", "_table", "_graph", "_versions", "_made_from", "_generation"}
        return {name: value for name, value in vars(self).items() if name not in derived}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._choose()


def _mean_slope(loss: Loss, error: FloatArray32) -> FloatArray32:
    """[B] derivative of the mean loss by each prediction."""
    return loss.slope(error) / np.float32(len(error))
