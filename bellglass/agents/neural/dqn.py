"""Deep Q-learning, with double choice and a dueling head as switches.

    target    =  r + discount * q_target(s', argmax_a' q_online(s', a'))      (r alone if terminated)
    loss      =  mean over a minibatch of  huber(q_online(s, a) - target)
    q_target  <-  (1 - tau) * q_target + tau * q_online      every `target_update_interval` environment steps

Mnih et al., Human-level control through deep reinforcement learning, Nature 518 (2015); the choice by the
online network is van Hasselt, Guez & Silver, Deep reinforcement learning with double Q-learning, AAAI 2016.

What people get wrong: a truncated episode still has a next value; the maximum runs over the
available actions only.

`QFunction` holds a network, its values and the gradient of the loss, as autograd has them; `FastQFunction` gives
the same sooner.  A changed target is a subclass with another `targets`.
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

from ...networks import ACTIVATIONS, LOSSES, ActivationName, Dense, LossName, move_towards
from ..base import Memory
from ..experience import Experience, Steps
from ..learner import FloatArray
from ..masks import greedy_values
from ..schedules import Linear
from ..settings import AnySchedule, count_or, counts, flag, number, word
from ..spaces import AnyEnv, Sizes
from .fast_tables import FastQFunction
from .neural_learner import MADE
from .paired import PairedLearner
from .replay import Minibatch, Replay

NetworkName = Literal["dense"]

#: The learning rate of the defaults.
FALLING_RATE = Linear(2e-3, 0.0)


class DQN(PairedLearner[nn.Module]):
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
    loss = word(*LOSSES)
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
        self._own = isinstance(network, nn.Module)
        if isinstance(network, nn.Module):
            module = copy.deepcopy(network)
        elif network == "dense":
            module = Dense(
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
        if any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in module.modules()):
            warnings.warn(
                "batch normalisation harms Q-learning; layer_norm does not", UserWarning, stacklevel=2
            )
        self._q, self._q_target = (
            FastQFunction(
                each,
                self.sizes.num_actions,
                num_observations=self.sizes.num_observations,
                batch_size=self.batch_size,
            )
            for each in (module, copy.deepcopy(module))
        )
        self._take_networks(self._q.parameters, self._q_target.parameters)
        self._replay = Replay(self.buffer_size, self.sizes)
        self._trained_at = 0

    # -- target and update -----------------------------------------------------------------------------------

    def targets(self, batch: Minibatch) -> npt.NDArray[np.float32]:
        """[B] r + discount * the next state's value, r alone if terminated."""
        next_value = self._q.by_state(self.state_values, batch.next_observation)
        next_value[batch.terminated] = 0.0
        return batch.reward + np.float32(self.discount) * next_value

    def state_values(self, observations: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """[n] q_target(s, argmax_a q_online(s, a)), over the available actions."""
        valued = self._q_target.values(observations)  # [n, A]
        choosing = self._q.values(observations) if self.double else valued
        return greedy_values(choosing, valued, self.masks.of(observations))

    def update(self, batch: Minibatch, learning_rate: float) -> None:
        """One gradient step on one minibatch."""
        self._q.backward(batch, self.targets(batch), LOSSES[self.loss])
        self.optimiser.step(learning_rate, self.max_grad_norm)
        self.num_updates += 1

    def update_target(self) -> None:
        """q_target <- (1 - tau) * q_target + tau * q_online; buffers are copied."""
        move_towards(self.target_parameters, self.parameters, self.tau)

    # -- values ----------------------------------------------------------------------------------------------

    @property
    def q_values(self) -> FloatArray:
        """[O, A] action values of every integer observation."""
        if not self.sizes.integers:
            raise AttributeError("q_values needs integer observations")
        return self._values(np.arange(self.sizes.num_observations)).astype(np.float64)

    def _values(self, observations: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """[n, A] of the online network."""
        return self._q.values(observations)

    def _check_network(self, module: nn.Module) -> None:
        """Refuses a module that does not give one value an action."""
        kind = torch.int64 if self.sizes.integers else torch.float32
        with torch.no_grad():
            shape = module.eval()(torch.zeros((2, *self.sizes.shape), dtype=kind)).shape
        if shape != (2, self.sizes.num_actions):
            raise ValueError(
                f"the network must give [n, {self.sizes.num_actions}] action values, got {list(shape)} for n = 2"
            )

    # -- learning --------------------------------------------------------------------------------------------

    def _begin(self, num_envs: int) -> None:
        self._trained_at = self.num_timesteps

    def _acting_values(self, experience: Experience) -> npt.NDArray[np.float32]:
        return self._q.values(experience.observations)

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
        return {**super()._settings(), "network": self._network_word("dense")}

    def _memory_arrays(self) -> dict[str, npt.NDArray[Any]]:
        trained_at = np.array(self._trained_at)
        return {**super()._memory_arrays(), "trained_at": trained_at, **self._replay.arrays()}

    def _take_memory(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        super()._take_memory(arrays)
        self._trained_at = int(arrays["trained_at"])
        self._replay.take(arrays)
