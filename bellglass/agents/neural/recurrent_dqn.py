"""Deep Q-learning with a memory: an LSTM over what was seen and done since the episode began.

    v_t       =  q_target(h_t, argmax_a q_online(h_t, a))
    target_t  =  r_t + discount * ((1 - lambda_t+1) * v_t+1 + lambda_t+1 * target_t+1)     (r_t alone if
    terminated) lambda_t  =  lambda if a_t was greedy, else 0;  0 at the end of a stretch: v bootstraps there,
    truncated or not

Hausknecht & Stone, Deep recurrent Q-learning for partially observable MDPs, 2015; lambda-returns inside a
replayed stretch cut where an action was not greedy are Watkins's Q(lambda) (1989); Kapturowski et al., ICLR
2019, for the memory that is stored where a stretch begins in mid-episode.

What people get wrong: a stretch must not cross the end of an episode, and the row of a vector environment's
reset is no step.  The memory that acts is fed each observation exactly once, with the action before it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ...networks import FlatParameters, Gates, RecurrentValues, huber_slope, move_towards
from ..base import Memory
from ..experience import Experience, Steps
from ..learner import FloatArray
from ..masks import greedy, greedy_values
from ..schedules import Linear
from ..settings import AnySchedule, count, finite, flag, number
from ..spaces import AnyEnv, Sizes
from .neural_learner import MADE
from .paired import PairedLearner
from .sequence_replay import Stretches, Windows

RecurrentNetworkName = Literal["lstm"]


#: The learning rate of the defaults.
FALLING_RATE = Linear(3e-3, 0.0)


class RecurrentDQN(PairedLearner[RecurrentValues]):
    """Deep Q-network with an LSTM; settings bear Stable-Baselines3's names where they mean the same.

    Args:
        env: an environment, or a vector of them, with Discrete or Box observations and Discrete actions.
        discount: weight of the value one step later, in [0, 1].
        learning_rate: of Adam; a number, or a schedule of progress such as
            {"kind": "linear", "start": 3e-3, "end": 0.0}.
        buffer_size: steps remembered.
        learning_starts: environment steps put into the memory before the first gradient step; the first ones are
            uniformly random actions.
        batch_size: stretches in a minibatch.
        train_freq: vector steps between trainings.
        gradient_steps: minibatches a training.
        target_update_interval: environment steps between updates of the target network.
        tau: share of the online network in an update of the target network, in (0, 1].
        exploration_fraction: share of the planned steps over which exploration falls.
        exploration_initial_eps: chance of a random action at first.
        exploration_final_eps: chance of a random action after the fall.
        max_grad_norm: gradients are scaled down to this Euclidean norm; None: never.
        double: choose the next action by the online network, value it by the target network.
        dueling: a value and advantages in place of one linear head.
        trace: lambda in [0, 1]; 0 looks one step ahead, 1 to the end of the stretch or of greedy behaviour.
        cut_traces: lambda counts only where the action was greedy (Watkins); else everywhere (Peng).
        window: longest stretch replayed, in steps; longer episodes are kept in several.
        network: "lstm".
        hidden_size: of the LSTM.
        forget_bias: added to the forget gate's initial bias.
        previous_action: tell the network what it did last.
        max_episode_steps: reset an episode after so many steps, as a truncation.
        seed: of everything random.

    `predict` hands back its memory: (h [n, H], c [n, H], previous action [n]), for the next call.
    """

    gradient_steps = count(1)
    trace = number(0.0, 1.0)
    cut_traces = flag()
    window = count(1, fixed="the replay memory was made for it")
    hidden_size = count(1, fixed=MADE)
    forget_bias = finite(fixed=MADE)
    previous_action = flag(fixed=MADE)

    def __init__(
        self,
        env: AnyEnv | Sizes,
        *,
        discount: float = 0.99,
        learning_rate: AnySchedule = FALLING_RATE,
        buffer_size: int = 50_000,
        learning_starts: int = 1000,
        batch_size: int = 32,
        train_freq: int = 1,
        gradient_steps: int = 1,
        target_update_interval: int = 400,
        tau: float = 1.0,
        exploration_fraction: float = 0.3,
        exploration_initial_eps: float = 1.0,
        exploration_final_eps: float = 0.05,
        max_grad_norm: float | None = 10.0,
        double: bool = True,
        dueling: bool = False,
        trace: float = 0.9,
        cut_traces: bool = True,
        window: int = 32,
        network: RecurrentNetworkName = "lstm",
        hidden_size: int = 32,
        forget_bias: float = 1.0,
        previous_action: bool = True,
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
        self.gradient_steps, self.trace, self.cut_traces = gradient_steps, trace, cut_traces
        self.window, self.hidden_size, self.forget_bias = window, hidden_size, forget_bias
        self.previous_action = previous_action
        if network != "lstm":
            raise ValueError(f"network must be 'lstm', got {network!r}")
        if self.buffer_size <= self.window:
            raise ValueError(f"buffer_size must exceed window ({self.window}), got {self.buffer_size}")
        built = RecurrentValues(
            self.sizes.num_inputs,
            self.sizes.num_actions,
            generator=self._torch_rng,
            integers=self.sizes.integers,
            hidden_size=self.hidden_size,
            forget_bias=self.forget_bias,
            previous_action=previous_action,
            dueling=dueling,
        ).eval()
        self._take_networks(FlatParameters(built), FlatParameters(copy.deepcopy(built)))
        self._windows: Windows | None = None
        self._memory = np.zeros((2, 0, self.hidden_size), dtype=np.float32)  # before the present observation
        self._after = self._memory  # after it
        self._did = np.zeros(0, dtype=np.int64)

    # -- learning --------------------------------------------------------------------------------------------

    def _begin(self, num_envs: int) -> None:
        if self._windows is None:
            self._windows = Windows(self.buffer_size, self.window, num_envs, self.sizes, self.hidden_size)
        else:
            self._windows.open_for(num_envs)
        self._memory = np.zeros((2, num_envs, self.hidden_size), dtype=np.float32)
        self._did = np.full(num_envs, self.sizes.num_actions, dtype=np.int64)

    def _episode_began(self, copy: int) -> None:
        self._memory[:, copy] = 0.0
        self._did[copy] = self.sizes.num_actions

    def _acting_values(self, experience: Experience) -> npt.NDArray[np.float32]:
        q_values, self._after = self._look(experience.observations, self._memory, self._did)
        return q_values

    def _look(
        self, observations: npt.NDArray[Any], memory: npt.NDArray[np.float32], did: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Values [n, A] after one more observation [n, ...], and the memory [2, n, H] then."""
        self.parameters.sync()
        h, c = torch.from_numpy(memory)
        with torch.no_grad():
            q_values, after = self.network(
                torch.from_numpy(observations)[None], torch.from_numpy(did)[None], (h, c)
            )
        return q_values[0].numpy(), torch.stack(after).numpy()

    def _remember(self, steps: Steps) -> None:
        assert self._windows is not None
        self._windows.add(steps, self._did, self._memory)
        self._memory, self._did = self._after, steps.action.copy()

    def _train(self) -> None:
        assert self._windows is not None
        if self._windows.size:
            rate = float(self.learning_rate(self._progress))
            for _ in range(self.gradient_steps):
                self.update(self._windows.draw(self.batch_size, self._rng), rate)

    def update_target(self) -> None:
        """q_target <- (1 - tau) * q_target + tau * q_online."""
        move_towards(self.target_parameters, self.parameters, self.tau)

    def targets(
        self, batch: Stretches, online: npt.NDArray[np.float32], valued: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """[T, B] lambda-returns, from the values [T + 1, B, A] of the online and of the target network."""
        steps, size = batch.action.shape
        flat = batch.observation.reshape(-1, *self.sizes.shape)
        masks = self.masks.of(flat)
        rows = online.reshape(-1, self.sizes.num_actions)
        chosen = rows if self.double else valued.reshape(rows.shape)
        values = greedy_values(chosen, valued.reshape(rows.shape), masks).reshape(steps + 1, size)
        traces = np.full((steps, size), self.trace, dtype=np.float32)
        if self.cut_traces:
            traces *= greedy(rows, masks).reshape(steps + 1, size)[:-1] == batch.action
        going_on = np.float32(self.discount) * ~batch.terminated
        targets = np.zeros((steps, size), dtype=np.float32)
        later = values[steps]
        for t in range(steps - 1, -1, -1):
            # At the last step of a stretch only the value after it counts.
            last = batch.lengths == t + 1
            trace = 0.0 if t + 1 == steps else np.where(last, 0.0, traces[t + 1])
            next_value = (1.0 - trace) * values[t + 1] + trace * later
            later = targets[t] = batch.reward[t] + going_on[t] * next_value
        return targets

    def update(self, batch: Stretches, learning_rate: float) -> None:
        """One gradient step on one minibatch."""
        seen, did = torch.from_numpy(batch.observation), torch.from_numpy(batch.previous_action)
        h, c = torch.from_numpy(batch.memory)
        with torch.no_grad():
            valued = self.target_network(seen, did, (h, c))[0].numpy()
        self.parameters.zero_gradient()
        q_values, _ = self.network(seen, did, (h, c))
        target = self.targets(batch, q_values.detach().numpy(), valued)
        taken = q_values[:-1].gather(2, torch.from_numpy(batch.action)[..., None])[..., 0]
        error = taken.detach().numpy() - target
        slope = huber_slope(error) * batch.filled / np.float32(batch.filled.sum())
        taken.backward(torch.from_numpy(slope.astype(np.float32)))
        self.optimiser.step(learning_rate, self.max_grad_norm)
        self.num_updates += 1

    def _check_network(self, module: nn.Module) -> None:
        """Refuses a module of another kind, or for other sizes."""
        if not isinstance(module, RecurrentValues):
            raise TypeError(f"a recurrent learner needs RecurrentValues, got {type(module).__name__}")
        observations = torch.zeros(
            (1, 2, *self.sizes.shape), dtype=torch.int64 if self.sizes.integers else None
        )
        with torch.no_grad():
            q_values, (h, _) = module.eval()(observations, torch.zeros((1, 2), dtype=torch.int64))
        expected = (1, 2, self.sizes.num_actions), (2, self.hidden_size)
        if (tuple(q_values.shape), tuple(h.shape)) != expected:
            raise ValueError(
                f"the network must give values and memories of shapes {expected}, got "
                f"{tuple(q_values.shape)}, {tuple(h.shape)}"
            )

    # -- acting ----------------------------------------------------------------------------------------------

    def _remembered(
        self, n: int, state: Memory, episode_start: npt.ArrayLike | None
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Memory [2, n, H] and previous actions [n], blank where an episode starts."""
        memory = np.zeros((2, n, self.hidden_size), dtype=np.float32)
        did = np.full(n, self.sizes.num_actions, dtype=np.int64)
        if state is not None:
            if len(state) != 3 or any(len(part) != n for part in state):
                raise ValueError(f"state must be (h, c, previous action) with {n} rows each")
            goes_on = np.ones(n, dtype=np.bool_)
            if episode_start is not None:
                goes_on = ~np.broadcast_to(np.atleast_1d(np.asarray(episode_start, dtype=np.bool_)), (n,))
            memory[0, goes_on], memory[1, goes_on] = state[0][goes_on], state[1][goes_on]
            did[goes_on] = state[2][goes_on]
        return memory, did

    def predict(
        self,
        observation: npt.ArrayLike,
        state: Memory = None,
        episode_start: npt.ArrayLike | None = None,
        deterministic: bool = False,
    ) -> tuple[Any, Memory]:
        """The action for one observation (np.int64), or for a batch (int64 [n]), and the memory after it.

        The memory is (h [n, H], c [n, H], action [n]); an action that was not the one played may be replaced
        in it.
        Deterministic: the best available action, ties by the lowest.  Otherwise, as in Stable-Baselines3, a
        draw from what it plays while it learns.
        """
        rows, single = self.sizes.batch(observation)
        q_values, after = self._look(rows, *self._remembered(len(rows), state, episode_start))
        probabilities = self._probabilities(q_values, self.masks.of(rows), not deterministic)
        actions = self._draw(probabilities, deterministic)
        return (np.int64(actions[0]) if single else actions), (after[0], after[1], actions.copy())

    def action_probabilities(
        self, observation: npt.ArrayLike, state: Memory = None, *, exploring: bool = False
    ) -> FloatArray:
        """[A], or [n, A] for a batch: the greedy policy, ties by the lowest, or what it plays to explore.

        `state` is the memory before the observation; None: an episode starts with it.
        """
        rows, single = self.sizes.batch(observation)
        q_values, _ = self._look(rows, *self._remembered(len(rows), state, None))
        probabilities = self._probabilities(q_values, self.masks.of(rows), exploring)
        return probabilities[0] if single else probabilities

    def gates(self, observations: npt.ArrayLike, actions: npt.ArrayLike) -> Gates:
        """What the LSTM's gates did along one episode.

        Args:
            observations: [T, ...] what was seen.
            actions: [T - 1] or [T] what was done; only the first T - 1 matter.

        Returns:
            input, forget, cell and output gate, each [T, H].
        """
        seen, _ = self.sizes.batch(observations)
        did = np.concatenate([[self.sizes.num_actions], np.asarray(actions, dtype=np.int64)])[: len(seen)]
        with torch.no_grad():
            gates = self.network.gates(torch.from_numpy(seen)[:, None], torch.from_numpy(did)[:, None])
        return Gates(*(gate[:, 0] for gate in gates))

    # -- files -----------------------------------------------------------------------------------------------

    def _lstm_word(self) -> str:
        word = self._network_word("lstm")
        if word != "lstm":
            raise ValueError("layers of the network were changed: no file says how load could make it")
        return word

    def _settings(self) -> dict[str, object]:
        return {**super()._settings(), "network": self._lstm_word()}

    def _memory_arrays(self) -> dict[str, npt.NDArray[Any]]:
        if self._windows is None:
            return super()._memory_arrays()
        here: dict[str, npt.NDArray[Any]] = {"recurrent_memory": self._memory, "did": self._did}
        return {**super()._memory_arrays(), **here, **self._windows.arrays()}

    def _take_memory(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        super()._take_memory(arrays)
        if "did" in arrays:
            self._begin(len(arrays["did"]))
            self._memory, self._did = arrays["recurrent_memory"], arrays["did"]
            assert self._windows is not None
            self._windows.take(arrays)
