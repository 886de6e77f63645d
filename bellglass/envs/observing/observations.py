"""Observations for agents that want arrays: maps over what was seen, so the table behind stays exact.

    one-hot       o in [0, O)    ->  [O] float32, 1 at o and 0 elsewhere
    coordinates   s in [0, S)    ->  [d] float32, the state's numbers (row, column, ...), scaled to [0, 1]
    image         s in [0, S)    ->  [height, width, 3] uint8, the state's picture

The wrappers' `observe(s)` shows what an agent sees in state s, so that `evaluate(env, agent)` can ask the
agent about every state at once.  Partially observed environments have no such map; one-hot shows them their
observations, and `show(o)` says how.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from ..mdp import BoolArray, TabularMDP
from ..tables import table_of

Vectors = npt.NDArray[np.float32]

#: What an agent is shown: vectors, or images.
Shown = npt.NDArray[Any]


class Encoder(Protocol):
    """A map from observations (one, or [n]) to fresh arrays ([...], or [n, ...])."""

    @property
    def space(self) -> gym.Space[Any]:
        """Where the arrays lie."""
        ...

    def __call__(self, observation: npt.ArrayLike) -> Shown:
        """The array of one observation, or one each."""
        ...


class OneHot:
    """Encodes `space`, a Discrete."""

    def __init__(self, space: gym.Space[Any]) -> None:
        if not isinstance(space, gym.spaces.Discrete):
            raise TypeError(f"one-hot observations need a Discrete space, got {space}")
        self._size, self._start = int(space.n), int(space.start)
        self.space = gym.spaces.Box(0.0, 1.0, (self._size,), dtype=np.float32)

    def __call__(self, observation: npt.ArrayLike) -> Vectors:
        """[..., O], 1 at the observation."""
        place = np.asarray(observation)[..., None] - self._start
        encoded: Vectors = np.equal(np.arange(self._size), place).astype(np.float32)
        return encoded


class Coordinates:
    """Encodes states by their numbers.

    Attributes:
        numbers: [S, d] the scaled coordinates; 0 for terminal states that have none.
    """

    def __init__(self, mdp: TabularMDP) -> None:
        raw = _numbers(mdp)
        if raw is None:
            raise ValueError(
                "coordinates need states that are named by numbers, or a layout that places them"
            )
        known: BoolArray = np.all(np.isfinite(raw), axis=1)
        low, high = raw[known].min(axis=0), raw[known].max(axis=0)
        scaled = (raw - low) / np.where(high > low, high - low, 1.0)
        self.numbers: Vectors = np.where(known[:, None], scaled, 0.0).astype(np.float32)
        live = self.numbers[~mdp.terminal]
        if len(np.unique(live, axis=0)) < len(live):
            raise ValueError(
                "two states lie at the same coordinates: the table would no longer be what is seen"
            )
        self.numbers.setflags(write=False)
        self.space = gym.spaces.Box(0.0, 1.0, (self.numbers.shape[1],), dtype=np.float32)

    def __call__(self, observation: npt.ArrayLike) -> Vectors:
        """[..., d]."""
        return np.array(self.numbers[np.asarray(observation)])


def _numbers(mdp: TabularMDP) -> npt.NDArray[np.float64] | None:
    """[S, d] what the states' names say, or else their cells; NaN for a terminal state that has none."""
    labels = [mdp.decode(s) if mdp.state_labels is not None else None for s in range(mdp.num_states)]
    tuples = [label if isinstance(label, tuple) else (label,) for label in labels]
    numeric = [all(isinstance(x, int | float | np.number) for x in label) for label in tuples]
    lengths = {len(label) for label, number in zip(tuples, numeric, strict=True) if number}
    missing = (np.nan,) * min(lengths, default=0)
    if len(lengths) == 1 and all(number or ends for number, ends in zip(numeric, mdp.terminal, strict=True)):
        rows = [label if number else missing for label, number in zip(tuples, numeric, strict=True)]
        return np.array(rows, dtype=np.float64)
    if mdp.layout is None or (mdp.layout.cell[~mdp.terminal] < 0).any():
        return None
    return np.where(mdp.layout.cell >= 0, mdp.layout.cell, np.nan).astype(np.float64)


class EncodedObservation(gym.ObservationWrapper[Shown, Any, Any]):
    """Shows `encoder` of what `env` shows."""

    def __init__(self, env: gym.Env[Any, Any], encoder: Encoder) -> None:
        super().__init__(env)
        self.encoder = encoder
        self.observation_space = encoder.space

    def observation(self, observation: Any) -> Shown:
        """The encoded observation, a fresh array."""
        return self.encoder(observation)

    @property
    def observe(self) -> Callable[[npt.ArrayLike], Shown]:
        """What is seen in a state (or in each of some states).

        Raises:
            AttributeError: the environment below is partially observed.
        """
        return _composed(self.encoder, self.env.get_wrapper_attr("observe"))

    @property
    def show(self) -> Callable[[npt.ArrayLike], Shown]:
        """How an observation of the innermost environment (or each of some) is shown."""
        inner = self.env.get_wrapper_attr("show") if self.env.has_wrapper_attr("show") else np.asarray
        return _composed(self.encoder, inner)


if TYPE_CHECKING:
    _VectorWrapper = gym.vector.VectorWrapper[Shown, Any, Any, Any, npt.NDArray[Any]]
else:  # it takes no types before Gymnasium 1.4
    _VectorWrapper = gym.vector.VectorWrapper


class EncodedVectorObservation(_VectorWrapper):
    """Shows `encoder` of what each copy in `env` shows, the last observations of ended copies included."""

    def __init__(self, env: gym.vector.VectorEnv[Any, Any, Any], encoder: Encoder) -> None:
        super().__init__(env)
        self.encoder = encoder
        self.single_observation_space = encoder.space
        self.observation_space = batch_space(encoder.space, env.num_envs)

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Shown, dict[str, Any]]:
        """Resets, and encodes [n, d]."""
        observations, infos = self.env.reset(seed=seed, options=options)
        return self.encoder(observations), infos

    def step(
        self, actions: Any
    ) -> tuple[Shown, npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], dict[str, Any]]:
        """Steps, and encodes [n, d]."""
        observations, rewards, terminations, truncations, infos = self.env.step(actions)
        if self.env.metadata.get("autoreset_mode") == AutoresetMode.SAME_STEP and "final_obs" in infos:
            final = np.full(len(infos["final_obs"]), None, dtype=object)
            for i in np.flatnonzero(infos["_final_obs"]).tolist():
                final[i] = self.encoder(infos["final_obs"][i])
            infos = infos | {"final_obs": final}
        return self.encoder(observations), rewards, terminations, truncations, infos

    @property
    def observe(self) -> Callable[[npt.ArrayLike], Shown]:
        """What is seen in each of some states; see EncodedObservation."""
        inner: Any = self.env
        while not hasattr(inner, "observe"):
            if inner is inner.unwrapped:
                raise AttributeError(f"{inner} has no map from states to observations")
            inner = inner.env
        return _composed(self.encoder, inner.observe)


def _composed(encoder: Encoder, inner: Callable[[Any], Any]) -> Callable[[npt.ArrayLike], Shown]:
    def observe(state: npt.ArrayLike) -> Shown:
        return encoder(inner(state))

    return observe


def table_of_shown_states(
    what: str, env: gym.Env[Any, Any] | gym.vector.VectorEnv[Any, Any, Any], space: gym.Space[Any]
) -> TabularMDP:
    """The table of `env`, if what is seen in it is its state.

    Raises:
        TypeError: it shows something else; the message begins with `what` needs it.
    """
    mdp, layer = table_of(env), env
    while "pomdp" not in vars(layer) and layer is not layer.unwrapped:
        layer = vars(layer)["env"]
    if "pomdp" in vars(layer) or space != gym.spaces.Discrete(mdp.num_states):
        raise TypeError(f"{what} an environment that shows its state, {env} shows {space}")
    return mdp


class OneHotObservation(EncodedObservation, gym.utils.RecordConstructorArgs):
    """One-hot vectors [O] float32 in place of indices; for any Discrete observation space.

    >>> env = OneHotObservation(gym.make("bellglass/RiverSwim-v0", n=3))
    >>> env.reset(seed=0)[0], env.observe(2)
    (array([1., 0., 0.], dtype=float32), array([0., 0., 1.], dtype=float32))
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        super().__init__(env, OneHot(env.observation_space))


class CoordinatesObservation(EncodedObservation, gym.utils.RecordConstructorArgs):
    """The numbers by which a state is named, or its cell, scaled to [0, 1], float32, in place of its index.

    Raises:
        TypeError: the environment does not show its state.
        ValueError: its states bear no numbers and lie nowhere, or two lie at one place.

    >>> env = CoordinatesObservation(gym.make("bellglass/Grid5x5-v0"))
    >>> env.observe(7)
    array([0.25, 0.5 ], dtype=float32)
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        super().__init__(
            env, Coordinates(table_of_shown_states("coordinates need", env, env.observation_space))
        )


class VectorOneHotObservation(EncodedVectorObservation):
    """OneHotObservation for vector environments: [n, O] float32."""

    def __init__(self, env: gym.vector.VectorEnv[Any, Any, Any]) -> None:
        super().__init__(env, OneHot(env.single_observation_space))


class VectorCoordinatesObservation(EncodedVectorObservation):
    """CoordinatesObservation for vector environments: [n, d] float32."""

    def __init__(self, env: gym.vector.VectorEnv[Any, Any, Any]) -> None:
        super().__init__(
            env, Coordinates(table_of_shown_states("coordinates need", env, env.single_observation_space))
        )
