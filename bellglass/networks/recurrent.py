"""Long short-term memory, with its gates to be looked at.

    i = sigmoid(W_ii x + b_ii + W_hi h + b_hi)      input gate
    f = sigmoid(W_if x + b_if + W_hf h + b_hf)      forget gate
    g = tanh   (W_ig x + b_ig + W_hg h + b_hg)      cell gate
    o = sigmoid(W_io x + b_io + W_ho h + b_ho)      output gate
    c' = f * c + i * g          h' = o * tanh(c')

Hochreiter & Schmidhuber (1997); the forget gate is Gers, Schmidhuber & Cummins (2000).  A forget bias of +1
at the start keeps the memory open until learning has seen a use for it (Jozefowicz, Zaremba & Sutskever, ICML
2015).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .heads import DuelingHead, LinearHead
from .layers import Gather, linear, unset

#: h and c, each [B, hidden_size].
Memory = tuple[Tensor, Tensor]


class Gates(NamedTuple):
    """What the four gates did, each [T, B, hidden_size]; the cell gate in (-1, 1), the others in (0, 1)."""

    input: Tensor
    forget: Tensor
    cell: Tensor
    output: Tensor


class Recurrent(nn.Module):
    """One layer of torch's LSTM over sequences, time first.

    Args:
        num_inputs: length of the input vector at each step.
        hidden_size: length of h and of c.
        generator: initial weights come from it, U(-1, 1) / sqrt(hidden_size) as torch's own.
        forget_bias: added to the initial bias of the forget gate.
    """

    def __init__(
        self, num_inputs: int, hidden_size: int, *, generator: torch.Generator, forget_bias: float = 1.0
    ) -> None:
        super().__init__()
        if num_inputs < 1 or hidden_size < 1:
            raise ValueError(
                f"num_inputs and hidden_size must be at least 1, got {num_inputs}, {hidden_size}"
            )
        self.hidden_size = hidden_size
        self.lstm = unset(nn.LSTM, num_inputs, hidden_size)
        bound = 1.0 / math.sqrt(hidden_size)
        with torch.no_grad():
            for p in self.lstm.parameters():
                p.uniform_(-bound, bound, generator=generator)
            _, _, bias, _ = self.lstm.all_weights[0]
            bias[hidden_size : 2 * hidden_size] += forget_bias

    def initial_memory(self, batch_size: int) -> Memory:
        """Zeros, in the weights' own type."""
        zeros = next(self.lstm.parameters()).new_zeros(batch_size, self.hidden_size)
        return zeros, zeros

    def forward(self, x: Tensor, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """From x [T, B, num_inputs] to h of every step [T, B, hidden_size], and the memory after the last."""
        h, c = self.initial_memory(x.shape[1]) if memory is None else memory
        outputs, (last_h, last_c) = self.lstm(x, (h[None], c[None]))
        return outputs, (last_h[0], last_c[0])

    def gates(self, x: Tensor, memory: Memory | None = None) -> Gates:
        """What the gates did along x [T, B, num_inputs].

        Every gate depends on x and on the previous h only, and the outputs are all the h: one product, no
        loop.
        """
        h = (self.initial_memory(x.shape[1]) if memory is None else memory)[0]
        outputs, _ = self.forward(x, memory)
        before = torch.cat([h[None], outputs[:-1]])
        weight_x, weight_h, bias_x, bias_h = self.lstm.all_weights[0]
        weighed = x @ weight_x.T + bias_x + before @ weight_h.T + bias_h  # [T, B, 4 * hidden_size]
        i, f, g, o = weighed.chunk(4, dim=-1)
        return Gates(torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o))


class RecurrentValues(nn.Module):
    """Action values from what was seen and done so far: encoder, LSTM, head.

        features_t  =  relu(observation layer(o_t) + previous action layer(a_{t-1}))

    Args:
        num_inputs: length of the observation, or how many integers there are.
        num_actions: the previous action is an integer in [0, num_actions]; num_actions stands for "none yet".
        generator: initial weights come from it.
        integers: observations are integers.
        hidden_size: of the LSTM and of the features.
        forget_bias: see `Recurrent`.
        previous_action: whether the network is told what it did last.
        dueling: a value and advantages in place of one linear head.
    """

    def __init__(
        self,
        num_inputs: int,
        num_actions: int,
        *,
        generator: torch.Generator,
        integers: bool = False,
        hidden_size: int = 32,
        forget_bias: float = 1.0,
        previous_action: bool = True,
        dueling: bool = False,
    ) -> None:
        super().__init__()
        self.integers = integers
        self.observation: nn.Module
        if integers:
            self.observation = Gather(num_inputs, hidden_size, generator)
        else:
            self.observation = linear(num_inputs, hidden_size, generator)
        self.action = Gather(num_actions + 1, hidden_size, generator) if previous_action else None
        self.recurrent = Recurrent(hidden_size, hidden_size, generator=generator, forget_bias=forget_bias)
        head = DuelingHead if dueling else LinearHead
        self.head = head(hidden_size, num_actions, generator)

    def encode(self, observation: Tensor, previous_action: Tensor) -> Tensor:
        """Observations [T, B, ...] and previous actions [T, B] to features [T, B, hidden_size]."""
        seen = observation if self.integers else observation.flatten(start_dim=2)
        features: Tensor = self.observation(seen)
        if self.action is not None:
            features = features + self.action(previous_action)
        return torch.relu(features)

    def forward(
        self, observation: Tensor, previous_action: Tensor, memory: Memory | None = None
    ) -> tuple[Tensor, Memory]:
        """Action values [T, B, num_actions], and the memory after the last step."""
        outputs, memory = self.recurrent(self.encode(observation, previous_action), memory)
        q_values: Tensor = self.head(outputs)
        return q_values, memory

    def gates(self, observation: Tensor, previous_action: Tensor, memory: Memory | None = None) -> Gates:
        """What the LSTM's gates did along the sequence."""
        return self.recurrent.gates(self.encode(observation, previous_action), memory)
