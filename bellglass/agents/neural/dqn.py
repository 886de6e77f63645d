"""Deep Q-learning, with double choice and a dueling head as switches.

    target    =  r + discount * q_target(s', argmax_a' q_online(s', a'))      (r alone if terminated)
    loss      =  mean over a minibatch of  huber(q_online(s, a) - target)
    q_target  <-  (1 - tau) * q_target + tau * q_online      every `target_update_interval` environment steps

Mnih et al., Human-level control through deep reinforcement learning, Nature 518 (2015); the choice by the
online network is van Hasselt, Guez & Silver, Deep reinforcement learning with double Q-learning, AAAI 2016.

What people get wrong: a truncated episode still has a next value; the maximum runs over the
available actions only.

Where observations are integers, one pass through the network values all S of them.  So the target network is
asked once per copy, acting once per training, and the slopes of a minibatch are summed per (s, a) before one
backward pass of S rows, whatever the batch size.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ...networks import ACTIVATIONS, ActivationName, Adam, Dense, FlatParameters, PlainDense
from ..base import Memory
from ..experience import Experience, Steps
from ..learner import FloatArray
from ..masks import greedy_values
from ..schedules import Linear
from ..settings import AnySchedule, count_or, counts, flag, number, word
from ..spaces import AnyEnv, Sizes
from .learner import MADE, NeuralLearner
from .replay import Minibatch, Replay

NetworkName = Literal["dense"]
LossName = Literal["huber", "mse"]

#: Integer observations up to this number are valued all at once.
LARGEST_TABLE = 4096


#: The learning rate of the defaults.
FALLING_RATE = Linear(2e-3, 0.0)


class DQN(NeuralLearner):
    """Deep Q-network; settings bear Stable-Baselines3's names where they mean the same.

    Args:
        env: an environment, or a vector of them, with Discrete or Box observations and Discrete actions.
        discount: weight of the value one step later, in [0, 1].
        learning_rate: of Adam; a number, or a schedule of progress such as
            {"kind": "linear", "start": 2e-3, "end": 0.0}.
        buffer_size: transitions remembered.
        learning_starts: environment steps put into the memory before the first gradient step; the first ones are
            uniformly random actions.
        batch_size: transitions in a minibatch.
        train_freq: vector steps between trainings.
        gradient_steps: minibatches a training; -1: as many as environment steps since the last.
        target_update_interval: environment steps between updates of the target network.
        tau: share of the online network in an update of the target network, in (0, 1].
        exploration_fraction: share of the planned steps over which exploration falls.
        exploration_initial_eps: chance of a random action at first.
        exploration_final_eps: chance of a random action after the fall.
        max_grad_norm: gradients are scaled down to this Euclidean norm; None: never.
        double: choose the next action by the online network, value it by the target network.
        dueling: a value and advantages in place of one linear head.
        loss: "huber" (quadratic within 1) or "mse".
        network: "dense", or a module of your own from observations ([B] int64 or [B, ...] float32) to [B, A].
        hidden_sizes: widths of the dense network's hidden layers.
        activation: of the hidden layers.
        layer_norm: normalise each hidden layer over its units.
        batch_norm: over the minibatch; it harms Q-learning (a warning says so).
        dropout: chance of dropping a hidden activation in training.
        max_episode_steps: reset an episode after so many steps, as a truncation.
        seed: of everything random.

    Acting, valuing next states and the target network are always in eval mode.
    """

    gradient_steps = count_or(-1, 1)
    loss = word("huber", "mse")
    hidden_sizes = counts(1, fixed=MADE)
    activation = word(*ACTIVATIONS, fixed=MADE)
    layer_norm = flag(fixed=MADE)
    batch_norm = flag(fixed=MADE)
    dropout = number(0.0, 1.0, below=True, fixed=MADE)

    def __init__(
        self,
        env: AnyEnv | Sizes,
        *,
        discount: float = 0.99,
        learning_rate: AnySchedule = FALLING_RATE,
        buffer_size: int = 100_000,
        learning_starts: int = 500,
        batch_size: int = 256,
        train_freq: int = 4,
        gradient_steps: int = 1,
        target_update_interval: int = 200,
        tau: float = 1.0,
        exploration_fraction: float = 0.6,
        exploration_initial_eps: float = 1.0,
        exploration_final_eps: float = 0.05,
        max_grad_norm: float | None = 10.0,
        double: bool = True,
        dueling: bool = False,
        loss: LossName = "huber",
        network: NetworkName | nn.Module = "dense",
        hidden_sizes: Sequence[int] = (64, 64),
        activation: ActivationName = "relu",
        layer_norm: bool = False,
        batch_norm: bool = False,
        dropout: float = 0.0,
        max_episode_steps: int | None = None,
        seed: int | None = 0,
    ) -> None:
        super().__init__(
            env,
            discount=discount,
            learning_rate=learning_rate,
            buffer_size=buffer_size,
            learning_starts=learning_starts,
            batch_size=batch_size,
            train_freq=train_freq,
            target_update_interval=target_update_interval,
            tau=tau,
            exploration_fraction=exploration_fraction,
            exploration_initial_eps=exploration_initial_eps,
            exploration_final_eps=exploration_final_eps,
            max_grad_norm=max_grad_norm,
            double=double,
            dueling=dueling,
            max_episode_steps=max_episode_steps,
            seed=seed,
        )
        self.gradient_steps, self.loss = gradient_steps, loss
        self.hidden_sizes, self.activation = hidden_sizes, activation
        self.layer_norm, self.batch_norm, self.dropout = layer_norm, batch_norm, dropout
        if isinstance(network, nn.Module):
            self.network, self._own = copy.deepcopy(network), True
        elif network == "dense":
            self._own = False
            self.network = Dense(
                self.sizes.num_inputs,
                self.sizes.num_actions,
                generator=self._torch_rng,
                integers=self.sizes.integers,
                hidden_sizes=self.hidden_sizes,
                activation=ACTIVATIONS[self.activation],
                dropout=self.dropout,
                layer_norm=layer_norm,
                batch_norm=batch_norm,
                dueling=dueling,
            )
        else:
            raise ValueError(f"network must be 'dense' or a torch module, got {network!r}")
        if any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in self.network.modules()):
            warnings.warn(
                "batch normalisation harms Q-learning; layer_norm does not", UserWarning, stacklevel=2
            )
        self.target_network = copy.deepcopy(self.network)
        for module in (self.network, self.target_network):
            module.eval()
        self.parameters = FlatParameters(self.network)
        self.target_parameters = FlatParameters(self.target_network)
        self.optimiser = Adam(self.parameters)
        plain = PlainDense.suits(self.network)
        self._plain = PlainDense(self.network) if plain else None  # type: ignore[arg-type]  # suits: a Dense
        self._plain_target = PlainDense(self.target_network) if plain else None  # type: ignore[arg-type]
        # Rows of one state may share a pass only where the pass is a function of the state.
        pure = plain or (isinstance(self.network, Dense) and dropout == 0.0 and not batch_norm)
        self._all_states = np.arange(self.sizes.num_observations)
        self._tabular = 0 < self.sizes.num_observations <= LARGEST_TABLE
        self._summed = self._tabular and pure and self.sizes.num_observations <= 4 * self.batch_size
        self._modal = not pure
        self._table: npt.NDArray[np.float32] | None = None
        self._target_table: npt.NDArray[np.float32] | None = None
        self._replay = Replay(self.buffer_size, self.sizes)
        self._trained_at = 0

    # -- values ----------------------------------------------------------------------------------------------

    @property
    def q_values(self) -> FloatArray:
        """[O, A] action values of every integer observation."""
        if not self.sizes.integers:
            raise AttributeError("q_values needs integer observations")
        return self._values(self._all_states).astype(np.float64)

    def _values(self, observations: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """[n, A] of the online network; from one table of all observations where that is small."""
        if not self._tabular:
            return self._forward(self.network, self._plain, observations)
        if self._table is None:
            everything = None if self._plain is not None else self._all_states
            self._table = self._forward(self.network, self._plain, everything)
        rows: npt.NDArray[np.float32] = self._table[observations]
        return rows

    def _target_values(self, observations: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """[n, A] of the target network; where observations are few, remembered until its next update."""
        if not self._tabular:
            return self._forward(self.target_network, self._plain_target, observations)
        if self._target_table is None:
            everything = None if self._plain_target is not None else self._all_states
            self._target_table = self._forward(self.target_network, self._plain_target, everything)
        rows: npt.NDArray[np.float32] = self._target_table[observations]
        return rows

    def _forward(
        self, network: nn.Module, plain: PlainDense | None, observations: npt.NDArray[Any] | None
    ) -> npt.NDArray[np.float32]:
        """[n, A] without gradients, in eval mode."""
        if plain is not None:
            return plain.forward(observations, keep=False)
        assert observations is not None
        with torch.no_grad():
            values: npt.NDArray[np.float32] = network(torch.from_numpy(observations)).numpy()
        return values

    # -- learning --------------------------------------------------------------------------------------------

    def _begin(self, num_envs: int) -> None:
        self._trained_at = self.num_timesteps

    def _acting_values(self, experience: Experience) -> npt.NDArray[np.float32]:
        return self._values(experience.observations)

    def _remember(self, steps: Steps) -> None:
        self._replay.add(steps)

    def _train(self) -> None:
        updates = self.gradient_steps
        if updates == -1:
            updates = self.num_timesteps - self._trained_at
        self._trained_at = self.num_timesteps
        if self._replay.size:
            rate = float(self.learning_rate(self._progress))
            for _ in range(updates):
                self.update(self._replay.draw(self.batch_size, self._rng), rate)

    def update_target(self) -> None:
        """Moves the target network towards the online network; buffers are copied."""
        if self.tau == 1.0:
            self.target_parameters.values.copy_(self.parameters.values)
        else:
            self.target_parameters.values.lerp_(self.parameters.values, self.tau)
        for mine, theirs in zip(self.target_network.buffers(), self.network.buffers(), strict=True):
            mine.copy_(theirs)
        self._target_table = None

    def targets(self, batch: Minibatch) -> npt.NDArray[np.float32]:
        """[B] r + discount * the next value, r alone if terminated."""
        masks = self.masks.of(batch.next_observation)
        valued = self._target_values(batch.next_observation)
        choosing = self._values(batch.next_observation) if self.double else valued
        next_value = greedy_values(choosing, valued, masks)
        next_value[batch.terminated] = 0.0
        return batch.reward + np.float32(self.discount) * next_value

    def update(self, batch: Minibatch, learning_rate: float) -> None:
        """One gradient step on one minibatch."""
        if self._plain is not None:
            self._update_plain(self._plain, batch)
        elif self._summed:
            self._update_summed(batch)
        else:
            self._update_by_autograd(batch)
        if self.max_grad_norm is not None:
            self.parameters.clip_(self.max_grad_norm)
        self.optimiser.step(learning_rate)
        self._table = None
        self.num_updates += 1

    def _update_plain(self, plain: PlainDense, batch: Minibatch) -> None:
        """By hand, on S rows where that is fewer."""
        if self._summed:
            q_values = self._table = plain.forward(None)
            plain.backward(self._summed_slope(q_values, batch))
            return
        target = self.targets(batch)
        rows = np.arange(len(target))
        q_values = plain.forward(batch.observation)
        slope = np.zeros_like(q_values)
        slope[rows, batch.action] = self._slope(q_values[rows, batch.action] - target)
        plain.backward(slope)

    def _update_summed(self, batch: Minibatch) -> None:
        """By autograd on S rows."""
        self.parameters.gradient.zero_()
        q_values = self.network(torch.from_numpy(self._all_states))
        self._table = q_values.detach().numpy()
        q_values.backward(torch.from_numpy(self._summed_slope(self._table, batch)))

    def _update_by_autograd(self, batch: Minibatch) -> None:
        """On the minibatch itself: any module, dropout and batch normalisation in train mode."""
        target = torch.from_numpy(self.targets(batch))
        self.parameters.gradient.zero_()
        if self._modal:
            self.network.train()
        q_values = self.network(torch.from_numpy(batch.observation))
        taken = q_values.gather(1, torch.from_numpy(batch.action)[:, None])[:, 0]
        slope = self._slope((taken.detach() - target).numpy())
        taken.backward(torch.from_numpy(slope))
        if self._modal:
            self.network.eval()

    def _summed_slope(self, q_values: npt.NDArray[np.float32], batch: Minibatch) -> npt.NDArray[np.float32]:
        """[S, A] slope of the mean loss by every action value; `q_values` [S, A] are the online network's."""
        valued = self._target_values(self._all_states)
        masks = self.masks.of(self._all_states)
        state_values = greedy_values(q_values if self.double else valued, valued, masks)
        next_value = state_values[batch.next_observation]
        next_value[batch.terminated] = 0.0
        target = batch.reward + np.float32(self.discount) * next_value
        pair = batch.observation * q_values.shape[1] + batch.action
        slope = self._slope(q_values.ravel()[pair] - target)
        summed = np.bincount(pair, slope, minlength=q_values.size)
        return summed.astype(np.float32).reshape(q_values.shape)

    def _slope(self, error: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """[B] derivative of the mean loss by each prediction."""
        size = np.float32(len(error))
        return np.clip(error, -1.0, 1.0) / size if self.loss == "huber" else 2.0 * error / size

    # -- acting ----------------------------------------------------------------------------------------------

    def predict(
        self,
        observation: npt.ArrayLike,
        state: Memory = None,
        episode_start: npt.ArrayLike | None = None,
        deterministic: bool = False,
    ) -> tuple[Any, Memory]:
        """The action for one observation (np.int64), or for a batch (int64 [n]), and None.

        Deterministic: the best available action, ties by the lowest.  Otherwise, as in Stable-Baselines3, a
        draw from what it plays while it learns.
        """
        rows, single = self.sizes.batch(observation)
        probabilities = self._probabilities(self._values(rows), self.masks.of(rows), not deterministic)
        actions = self._draw(probabilities, deterministic)
        return (np.int64(actions[0]) if single else actions), None

    def action_probabilities(
        self, observation: npt.ArrayLike, state: Memory = None, *, exploring: bool = False
    ) -> FloatArray:
        """[A], or [n, A] for a batch: the greedy policy, ties by the lowest, or what it plays to explore."""
        rows, single = self.sizes.batch(observation)
        probabilities = self._probabilities(self._values(rows), self.masks.of(rows), exploring)
        return probabilities[0] if single else probabilities

    # -- files -----------------------------------------------------------------------------------------------

    def _settings(self) -> dict[str, object]:
        return {**super()._settings(), "network": "own" if self._own else "dense"}

    def _take_arrays(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        super()._take_arrays(arrays)
        self._table = self._target_table = None

    def _memory_arrays(self) -> dict[str, npt.NDArray[Any]]:
        trained_at = np.array(self._trained_at)
        return {**super()._memory_arrays(), "trained_at": trained_at, **self._replay.arrays()}

    def _take_memory(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        super()._take_memory(arrays)
        self._trained_at = int(arrays["trained_at"])
        self._replay.take(arrays)
