"""Many copies of one table, stepped by array operations.

Gymnasium's three ways to go on after an episode:

    NEXT_STEP   the step after the end is a reset: its action is ignored, its reward 0; mask it in learning
    SAME_STEP   the copy is reset within the step that ends it; `final_obs` and `final_info` hold the end
    DISABLED    nothing happens by itself: call reset(options={"reset_mask": ended}) before the next step

Chance: an integer seed starts one generator for all copies, which draws n numbers a step.  A list of n seeds
starts one for each copy, and copy i then walks bit for bit as a single environment reset with seeds[i] does.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from .mdp import BoolArray, FloatArray, IntArray, TabularMDP
from .pomdp import TabularPOMDP, cumulated
from .rendering import Artist, RGBArray
from .sampling import ObservationSampler, OutcomeSampler, StartSampler
from .state_graph import default_artist
from .tabular import InvalidActions, check_render_mode, check_start, restore_generator, unavailable

VectorStep = tuple[IntArray, FloatArray, BoolArray, BoolArray, dict[str, Any]]


@dataclass(frozen=True, eq=False)
class VectorEnvState:
    """Where every copy stands.  Made by `clone_state`."""

    state: IntArray
    seen: IntArray
    elapsed: IntArray
    ended: BoolArray
    shared: bool
    generators: tuple[dict[str, Any], ...]


class TabularVectorEnv(gym.vector.VectorEnv[IntArray, IntArray, npt.NDArray[Any]]):
    """`num_envs` copies of a table, fully or partially observed.

    Args:
        mdp: the table; a TabularPOMDP shows its observations only.
        num_envs: number of copies, at least 1.
        max_episode_steps: steps after which an episode is truncated; None: never.
        autoreset_mode: what happens after an episode's end.
        infos: False leaves the info dictionaries empty but for `final_obs`, and saves their time.
        render_mode: "ansi" or "rgb_array": `render` returns one frame a copy.
        invalid_actions: "lowest" or "raise", as in TabularEnv.
        artist: who draws the frames; by default the table's layout, or a graph where it has none.

    Attributes:
        state: [n] index of each copy's state; -1 before the first reset.
        elapsed: [n] steps since each copy's last reset.

    >>> envs = gym.make_vec("bellglass/RiverSwim-v0", num_envs=3)
    >>> observations, infos = envs.reset(seed=0)
    >>> envs.step(np.ones(3, dtype=np.int64))[1]
    array([0., 0., 0.])
    """

    metadata: dict[str, Any] = {
        "render_modes": ["ansi", "rgb_array"],
        "render_fps": 4,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }
    discount: float = 0.99

    def __init__(
        self,
        mdp: TabularMDP | TabularPOMDP,
        num_envs: int,
        *,
        max_episode_steps: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        infos: bool = True,
        render_mode: str | None = None,
        invalid_actions: InvalidActions = "lowest",
        artist: Artist | None = None,
    ) -> None:
        if num_envs < 1:
            raise ValueError(f"num_envs must be at least 1, got {num_envs}")
        if max_episode_steps is not None and max_episode_steps < 1:
            raise ValueError(f"max_episode_steps must be at least 1 or None, got {max_episode_steps}")
        if render_mode == "human":
            raise ValueError(
                "render_mode of a vector environment must be None, 'ansi' or 'rgb_array', got 'human'"
            )
        check_render_mode(render_mode)
        if invalid_actions not in ("lowest", "raise"):
            raise ValueError(f"invalid_actions must be 'lowest' or 'raise', got {invalid_actions!r}")
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = type(self).metadata | {"autoreset_mode": self.autoreset_mode}
        self.num_envs = num_envs
        self.max_episode_steps = max_episode_steps
        self.infos = infos
        self.render_mode = render_mode
        self.invalid_actions: InvalidActions = invalid_actions

        self._observing: _Observing | None = None
        if isinstance(mdp, TabularPOMDP):
            self.pomdp = mdp
            self._observing = _Observing(mdp)
            self.mdp, num_observations = mdp.mdp, mdp.num_observations
        else:
            self.mdp, num_observations = mdp, mdp.num_states
        self.artist: Artist = default_artist(self.mdp) if artist is None else artist
        self.single_observation_space = gym.spaces.Discrete(num_observations)
        self.single_action_space = gym.spaces.Discrete(self.mdp.num_actions)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

        self._outcomes = OutcomeSampler(self.mdp)
        self._starts = StartSampler(self.mdp)
        self._generators: list[np.random.Generator] | None = None  # one a copy, or None: one for all
        self.state: IntArray = np.full(num_envs, -1, dtype=np.int64)
        self.elapsed: IntArray = np.zeros(num_envs, dtype=np.int64)
        self._seen: IntArray = np.zeros(num_envs, dtype=np.int64)
        self._ended: BoolArray = np.zeros(num_envs, dtype=np.bool_)
        self._any_ended = False

    # -- walking -----------------------------------------------------------------------------------------

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[IntArray, dict[str, Any]]:
        """Starts an episode in every copy, or in those of `options["reset_mask"]` [n] bool.

        Args:
            seed: one seed for all copies, a list of n (None keeps that copy's generator), or None.
            options: "reset_mask"; "state": one state for all, or [n] states, to start in instead of drawing.

        Raises:
            ValueError: wrong lengths, a state that is terminal or out of range, or an empty mask.
        """
        mask = self._reset_mask(options)
        where = np.flatnonzero(mask)
        self._reseed(seed, where)
        chosen = None if options is None else options.get("state")
        if chosen is None:
            starts = self._starts.draw(self._draw(where))
            probability = self._starts.probability[starts]
        else:
            given = np.asarray(chosen)
            if given.shape not in ((), (self.num_envs,)):
                raise ValueError(
                    f"options['state'] must be one state or {self.num_envs}, got shape {list(given.shape)}"
                )
            states = np.broadcast_to(given, self.num_envs)[where].tolist()
            starts = np.array([check_start(self.mdp, s) for s in states], dtype=np.int64)
            probability = np.ones(len(starts))
        state = self.state.copy()
        state[where] = starts
        if where.size < self.num_envs and (state < 0).any():
            raise ValueError("reset_mask must be all True in the first reset")
        self.state = state
        self.elapsed = np.where(mask, 0, self.elapsed)
        self._ended = self._ended & ~mask
        self._any_ended = bool(self._ended.any())

        self._seen = self._seen.copy()
        self._seen[where] = (
            starts if self._observing is None else self._observing.at_reset.draw(starts, self._draw(where))
        )
        infos: dict[str, Any] = {}
        if self.infos:
            chances = np.zeros(self.num_envs)
            chances[where] = probability
            infos = self._infos(state, chances, None, mask)
        return self._seen.copy(), infos

    def step(self, actions: npt.ArrayLike) -> VectorStep:
        """Draws one outcome in every copy.

        Raises:
            ValueError: actions of the wrong shape or kind, outside the space, or unavailable where
                `invalid_actions` is "raise".
            gymnasium.error.ResetNeeded: before the first reset, or, with DISABLED, in a copy that has ended.
        """
        chosen = self._checked(actions)
        state = self.state
        if state[0] < 0:
            raise gym.error.ResetNeeded("Cannot call envs.step() before calling envs.reset()")
        waiting = self._ended if self._any_ended else None  # NEXT_STEP: copies that this step resets
        if waiting is not None and self.autoreset_mode == AutoresetMode.DISABLED:
            raise gym.error.ResetNeeded(
                f"{int(waiting.sum())} copies have ended; call reset(options={{'reset_mask': ended}}) first"
            )
        outcomes = self._outcomes
        pair = state * self.mdp.num_actions
        pair += chosen
        invalid = self._invalid(pair, waiting)
        u = self._draw(None)
        k = outcomes.draw(pair, u)
        state = outcomes.next_state.take(k)
        reward: FloatArray = outcomes.reward.take(k)
        terminated: BoolArray = outcomes.terminated.take(k)
        elapsed = self.elapsed + 1
        probability = outcomes.probability.take(k) if self.infos else None

        restarted = None if waiting is None else np.flatnonzero(waiting)
        if restarted is not None:
            state[restarted] = self._starts.draw(u[restarted])
            reward[restarted] = 0.0
            terminated[restarted] = False
            elapsed[restarted] = 0
            if probability is not None:
                probability[restarted] = self._starts.probability[state[restarted]]
        truncated: BoolArray
        if self.max_episode_steps is None:
            truncated = np.zeros(self.num_envs, dtype=np.bool_)
        else:
            truncated = elapsed >= self.max_episode_steps

        self._seen = (
            state if self._observing is None else self._observed(self._observing, state, pair, restarted)
        )
        self.state, self.elapsed = state, elapsed
        self._ended = terminated | truncated
        self._any_ended = bool(self._ended.any())
        infos: dict[str, Any] = {}
        if self._any_ended and self.autoreset_mode == AutoresetMode.SAME_STEP:
            infos = self._reset_within(probability, invalid)
        elif probability is not None:
            infos = self._infos(state, probability, invalid, None)
        return self._seen.copy(), reward, terminated, truncated, infos

    def _reset_within(self, probability: FloatArray | None, invalid: BoolArray | None) -> dict[str, Any]:
        """SAME_STEP: starts the ended copies anew; the infos keep what they showed last."""
        ended, where = self._ended, np.flatnonzero(self._ended)
        final_obs = np.full(self.num_envs, None, dtype=object)
        for i in where.tolist():
            final_obs[i] = self._seen[i]
        infos: dict[str, Any] = {"final_obs": final_obs, "_final_obs": ended.copy()}
        if probability is not None:
            last = np.where(ended, probability, 0.0)
            lapse = None if invalid is None else invalid & ended
            infos["final_info"] = self._infos(self.state, last, lapse, ended)
            infos["_final_info"] = ended.copy()

        starts = self._starts.draw(self._draw(where))
        self.state = self.state.copy()
        self.state[where] = starts
        self.elapsed[where] = 0
        self._ended = np.zeros(self.num_envs, dtype=np.bool_)
        self._any_ended = False
        self._seen = self._seen.copy()
        self._seen[where] = (
            starts if self._observing is None else self._observing.at_reset.draw(starts, self._draw(where))
        )
        if probability is not None:
            probability = probability.copy()
            probability[where] = self._starts.probability[starts]
            lapse = None if invalid is None else invalid & ~ended
            infos |= self._infos(self.state, probability, lapse, None)
        return infos

    def _observed(
        self, observing: _Observing, state: IntArray, pair: IntArray, restarted: IntArray | None
    ) -> IntArray:
        """What the copies show after playing `pair` (or, where restarted, at reset)."""
        u = self._draw(None)
        row = state
        if observing.depends_on_action:
            row = self._outcomes.played_action.take(pair) * self.mdp.num_states + state
        seen = observing.after.draw(row, u)
        if restarted is not None:
            seen[restarted] = observing.at_reset.draw(state[restarted], u[restarted])
        return seen

    def _invalid(self, pair: IntArray, waiting: BoolArray | None) -> BoolArray | None:
        """[n] which copies play an action that is not available, or None if no copy does."""
        if self._outcomes.unavailable is None:
            return None
        invalid: BoolArray = self._outcomes.unavailable.take(pair)
        if waiting is not None:
            invalid &= ~waiting
        if not invalid.any():
            return None
        if self.invalid_actions == "raise":
            i = int(invalid.argmax())
            raise ValueError(
                f"copy {i}: " + unavailable(self.mdp, *divmod(int(pair[i]), self.mdp.num_actions))
            )
        return invalid

    def _checked(self, actions: npt.ArrayLike) -> IntArray:
        given = np.asarray(actions)
        if given.shape != (self.num_envs,) or given.dtype.kind not in "iu":
            raise ValueError(
                f"actions must be integers of shape [{self.num_envs}], got {given.dtype} {list(given.shape)}"
            )
        if given.min() < 0 or given.max() >= self.mdp.num_actions:
            i = int(((given < 0) | (given >= self.mdp.num_actions)).argmax())
            raise ValueError(f"actions must be in [0, {self.mdp.num_actions}), got {given[i]} for copy {i}")
        return given.astype(np.int64, copy=False)

    def _infos(
        self, state: IntArray, probability: FloatArray, invalid: BoolArray | None, mask: BoolArray | None
    ) -> dict[str, Any]:
        """Gymnasium's form: an array a key, and under `_key` which copies it speaks of (None: all)."""
        n = self.num_envs
        if mask is None:
            values = {
                "state": state.copy(),
                "probability": probability,
                "action_mask": self.mdp.action_mask[state],
            }
            infos: dict[str, Any] = {}
            for key, value in values.items():
                infos[key], infos[f"_{key}"] = value, np.ones(n, dtype=np.bool_)
        else:
            infos = {
                "state": np.where(mask, state, 0),
                "_state": mask.copy(),
                "probability": probability,
                "_probability": mask.copy(),
                "action_mask": self.mdp.action_mask[state] & mask[:, None],
                "_action_mask": mask.copy(),
            }
        if invalid is not None and invalid.any():
            infos["invalid_action"], infos["_invalid_action"] = invalid.copy(), invalid.copy()
        return infos

    # -- chance ------------------------------------------------------------------------------------------

    def _draw(self, where: IntArray | None) -> FloatArray:
        """Uniform numbers in [0, 1), for the copies `where`, or for all."""
        if self._generators is None:
            return self.np_random.random(self.num_envs if where is None else len(where))
        chosen = range(self.num_envs) if where is None else where.tolist()
        return np.array([self._generators[i].random() for i in chosen])

    def _reseed(self, seed: int | Sequence[int | None] | None, where: IntArray) -> None:
        if seed is None:
            return
        if isinstance(seed, int | np.integer):
            self._generators = None
            self._np_random, self._np_random_seed = seeding.np_random(int(seed))
            return
        if len(seed) != self.num_envs:
            raise ValueError(f"seed must be one integer or a list of {self.num_envs}, got {len(seed)}")
        if self._generators is None:
            fresh = [seeding.np_random(None)[0] if one is None else None for one in seed]
            self._generators = [seeding.np_random(0)[0] if one is None else one for one in fresh]
            where = np.arange(self.num_envs)
        for i in where.tolist():
            one = seed[i]
            if one is not None:
                self._generators[i] = seeding.np_random(int(one))[0]

    def _reset_mask(self, options: dict[str, Any] | None) -> BoolArray:
        mask = None if options is None else options.get("reset_mask")
        if mask is None:
            return np.ones(self.num_envs, dtype=np.bool_)
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
            kind = f"{mask.dtype} array" if isinstance(mask, np.ndarray) else type(mask).__name__
            raise TypeError(f"options['reset_mask'] must be a bool array, got {kind}")
        if mask.shape != (self.num_envs,) or not mask.any():
            raise ValueError(
                f"options['reset_mask'] must have shape [{self.num_envs}] and one True at least, got {mask!r}"
            )
        return mask.copy()

    # -- the open table ----------------------------------------------------------------------------------

    @property
    def P(self) -> dict[int, dict[int, list[tuple[float, int, float, bool]]]]:
        """Gymnasium's nested form of the table."""
        return self.mdp.P

    @property
    def action_mask(self) -> BoolArray:
        """[n, A] which actions are available in each copy's state, a fresh array."""
        mask: BoolArray = self.mdp.action_mask[self.state]
        return mask

    @property
    def observe(self) -> Callable[[npt.ArrayLike], IntArray]:
        """The map from states [n] to what is seen there [n]; a wrapper's `observe` shows it its way.

        Raises:
            AttributeError: partially observed: a state does not say what is seen in it.
        """
        if self._observing is not None:
            raise AttributeError("a partially observed environment has no map from states to observations")
        return _themselves

    def clone_state(self) -> VectorEnvState:
        """Everything the future depends on: states, clocks, who waits for a reset, generators."""
        generators = [self.np_random] if self._generators is None else self._generators
        return VectorEnvState(
            self.state.copy(),
            self._seen.copy(),
            self.elapsed.copy(),
            self._ended.copy(),
            self._generators is None,
            tuple(copy.deepcopy(dict(generator.bit_generator.state)) for generator in generators),
        )

    def restore_state(self, state: VectorEnvState) -> None:
        """Goes back to where `clone_state` was called, here or in an environment of that table and size."""
        if state.state.shape != (self.num_envs,):
            raise ValueError(f"the saved state is of {len(state.state)} copies, here are {self.num_envs}")
        if state.shared:
            self._generators = None
            restore_generator(self.np_random, state.generators[0])
        else:
            self._generators = [seeding.np_random(0)[0] for _ in range(self.num_envs)]
            for generator, saved in zip(self._generators, state.generators, strict=True):
                restore_generator(generator, saved)
        self.state, self._seen = state.state.copy(), state.seen.copy()
        self.elapsed, self._ended = state.elapsed.copy(), state.ended.copy()
        self._any_ended = bool(self._ended.any())

    def render(self) -> tuple[RGBArray | str, ...] | None:
        """One frame a copy, in the order of the copies."""
        if self.render_mode is None:
            gym.logger.warn(
                "render() was called without a render_mode; give one to the constructor, e.g. 'rgb_array'"
            )
            return None
        if self.state[0] < 0:
            raise gym.error.ResetNeeded("Cannot call envs.render() before calling envs.reset()")
        draw: Callable[[int], RGBArray | str] = (
            self.artist.text if self.render_mode == "ansi" else self.artist.picture
        )
        return tuple(draw(s) for s in self.state.tolist())


def _themselves(states: npt.ArrayLike) -> IntArray:
    """A state's index is what is seen in it."""
    return np.array(states, dtype=np.int64)


class _Observing:
    """How the copies of a partially observed table are seen."""

    def __init__(self, pomdp: TabularPOMDP) -> None:
        self.depends_on_action = pomdp.observation_probability.ndim == 3
        self.after = ObservationSampler(cumulated(pomdp.observation_probability))
        self.at_reset = ObservationSampler(cumulated(pomdp.initial_observation))


class _SingleEnv(Protocol):
    """What a vector environment takes over from a single one."""

    mdp: TabularMDP
    discount: float

    @property
    def artist(self) -> Artist: ...


def vector_maker(env_class: Callable[..., _SingleEnv]) -> Callable[..., TabularVectorEnv]:
    """The `vector_entry_point` of an environment class: its own keywords, and the vector ones."""

    def make(
        num_envs: int = 1,
        *,
        max_episode_steps: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        infos: bool = True,
        render_mode: str | None = None,
        invalid_actions: InvalidActions = "lowest",
        **keywords: Any,
    ) -> TabularVectorEnv:
        single = env_class(**keywords)
        envs = TabularVectorEnv(
            getattr(single, "pomdp", single.mdp),
            num_envs,
            max_episode_steps=max_episode_steps,
            autoreset_mode=autoreset_mode,
            infos=infos,
            render_mode=render_mode,
            invalid_actions=invalid_actions,
            artist=single.artist,
        )
        envs.discount = single.discount
        return envs

    return make
