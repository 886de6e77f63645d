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
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from ..mdp import BoolArray, FloatArray, IntArray, TabularMDP
from ..pomdp import TabularPOMDP, cumulated
from ..rendering.cells import Artist, RGBArray
from ..rendering.state_graph import default_artist
from ..tabular import InvalidActions, restore_generator
from .arguments import (
    check_settings,
    checked_actions,
    checked_seeds,
    chosen_starts,
    refuse_ended,
    refuse_unavailable,
    reset_mask,
)
from .infos import Infos
from .sampling import ObservationSampler, OutcomeSampler

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
    #: `reset(options={"reset_mask": ...})` works in every autoreset mode; agents with `max_episode_steps` ask.
    resets_in_part: bool = True

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
        self.autoreset_mode = check_settings(
            num_envs, max_episode_steps, autoreset_mode, render_mode, invalid_actions
        )
        self.metadata = type(self).metadata | {"autoreset_mode": self.autoreset_mode}
        self.num_envs = num_envs
        self.max_episode_steps = max_episode_steps
        self.infos = infos
        self.render_mode = render_mode
        self.invalid_actions: InvalidActions = invalid_actions

        self.mdp = mdp.mdp if isinstance(mdp, TabularPOMDP) else mdp
        self._outcomes = OutcomeSampler(self.mdp)
        self._observing: ObservationSampler | None = None
        num_observations = mdp.num_states
        if isinstance(mdp, TabularPOMDP):
            self.pomdp = mdp
            num_observations = mdp.num_observations
            self._observing = ObservationSampler(
                cumulated(mdp.observation_probability), cumulated(mdp.initial_observation), self._outcomes
            )
        self.artist: Artist = default_artist(self.mdp) if artist is None else artist
        self.single_observation_space = gym.spaces.Discrete(num_observations)
        self.single_action_space = gym.spaces.Discrete(self.mdp.num_actions)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

        self._infos = Infos(self.mdp, num_envs)
        #: [outcomes] first pair of the state entered; where NEXT_STEP waits for a reset, the first restarting one
        self._leads_to = self._outcomes.next_state * self.mdp.num_actions
        if self.autoreset_mode == AutoresetMode.NEXT_STEP:
            self._leads_to[self._outcomes.terminated] = self._outcomes.restart
        self._generators: list[np.random.Generator] | None = None  # one a copy, or None: one for all
        self._clock = 0  # steps of this environment
        self._state: IntArray = np.full(num_envs, -1, dtype=np.int64)
        self._seen: IntArray = np.zeros(num_envs, dtype=np.int64)
        self._ended: BoolArray = np.zeros(num_envs, dtype=np.bool_)
        self._stand(np.zeros(num_envs, dtype=np.int64))

    # -- walking -----------------------------------------------------------------------------------------

    @property
    def state(self) -> IntArray:
        """[n] index of each copy's state, a fresh array; -1 before the first reset."""
        return self._state.copy()

    @property
    def elapsed(self) -> IntArray:
        """[n] steps since each copy's last reset, a fresh array."""
        return self._clock - self._began

    def _stand(self, elapsed: IntArray) -> None:
        """Works out, from `_state` and `_ended`, all that `step` relies on."""
        self._began: IntArray = self._clock - elapsed  # [n] when each copy was reset last
        self._next_limit = self._first_limit()
        self._any_ended = bool(self._ended.any())
        self._pairs: IntArray = np.where(  # [n] first pair that each copy's next step can play
            self._ended, self._outcomes.restart, self._state * self.mdp.num_actions
        )

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
        mask = reset_mask(options, self.num_envs)
        starts = chosen_starts(self.mdp, options, mask)
        if (self._state[~mask] < 0).any():
            raise ValueError("reset_mask must be all True in the first reset")
        where = np.flatnonzero(mask)
        self._reseed(seed, where)
        chances = np.zeros(self.num_envs)
        chances[where] = 1.0
        if starts is None:
            starts = self._outcomes.starts.draw(self._draw(where))
            chances[where] = self._outcomes.starts.probability[starts]
        self._state[where] = starts
        self._seen[where] = self._seen_at_reset(starts, where)
        self._ended[where] = False
        self._stand(np.where(mask, 0, self.elapsed))
        infos = self._infos.of_some(self._state, chances, None, mask) if self.infos else {}
        return self._seen.copy(), infos

    def step(self, actions: npt.ArrayLike) -> VectorStep:
        """Draws one outcome in every copy.  Every array returned is a fresh one: no later step changes it.

        Raises:
            ValueError: actions of the wrong shape or kind, outside the space, or unavailable where
                `invalid_actions` is "raise".
            gymnasium.error.ResetNeeded: before the first reset, or, with DISABLED, in a copy that has ended.
        """
        chosen = checked_actions(actions, self.num_envs, self.mdp.num_actions)
        if self._state[0] < 0:
            raise gym.error.ResetNeeded("Cannot call envs.step() before calling envs.reset()")
        restarted = self._ended if self._any_ended else None
        if restarted is not None and self.autoreset_mode == AutoresetMode.DISABLED:
            refuse_ended(restarted)
        outcomes = self._outcomes
        pair = self._pairs + chosen
        invalid = self._invalid(pair)
        k = outcomes.draw(pair, self._draw(None), restarted)
        self._state = outcomes.next_state.take(k)
        self._pairs = self._leads_to.take(k)
        reward: FloatArray = outcomes.reward.take(k)
        terminated: BoolArray = outcomes.terminated.take(k)
        probability = outcomes.probability.take(k) if self.infos else None
        truncated = self._tick(restarted)
        self._seen = self._state
        if self._observing is not None:
            self._seen = self._observing.after(pair, self._state, self._draw(None))

        self._ended = terminated | truncated
        self._any_ended = bool(np.count_nonzero(self._ended))
        infos: dict[str, Any] = {}
        if self._any_ended and self.autoreset_mode == AutoresetMode.SAME_STEP:
            infos = self._reset_within(probability, invalid)
        elif probability is not None:
            infos = self._infos.of_all(self._state, probability, invalid)
        return self._seen.copy(), reward, terminated, truncated, infos

    def _tick(self, restarted: BoolArray | None) -> BoolArray:
        """Moves the clock on by one step; [n] whose time limit is reached."""
        self._clock += 1
        if restarted is not None:
            np.putmask(self._began, restarted, self._clock)
        if self._clock < self._next_limit:
            return np.zeros(self.num_envs, dtype=np.bool_)
        assert self.max_episode_steps is not None
        truncated: BoolArray = self._began <= self._clock - self.max_episode_steps
        np.putmask(self._pairs, truncated, self._outcomes.restart)
        self._next_limit = self._clock + 1 if np.count_nonzero(truncated) else self._first_limit()
        return truncated

    def _first_limit(self) -> float:
        """No copy reaches its time limit before the clock shows this."""
        return math.inf if self.max_episode_steps is None else int(self._began.min()) + self.max_episode_steps

    def _reset_within(self, probability: FloatArray | None, invalid: BoolArray | None) -> dict[str, Any]:
        """SAME_STEP: starts the ended copies anew; the infos keep what they showed last."""
        ended, where = self._ended, np.flatnonzero(self._ended)
        infos = self._infos.of_ends(self._seen, ended, self._state, probability, invalid)
        starts = self._outcomes.starts.draw(self._draw(where))
        self._seen = self._seen.copy()
        self._seen[where] = self._seen_at_reset(starts, where)
        self._state[where] = starts
        self._pairs[where] = starts * self.mdp.num_actions
        self._began[where] = self._clock
        self._ended = np.zeros(self.num_envs, dtype=np.bool_)
        self._any_ended = False
        if probability is not None:
            probability[where] = self._outcomes.starts.probability[starts]
            lapse = None if invalid is None else invalid & ~ended
            infos |= self._infos.of_all(self._state, probability, lapse)
        return infos

    def _seen_at_reset(self, starts: IntArray, where: IntArray) -> IntArray:
        """What the copies `where` show when they start in `starts`."""
        return starts if self._observing is None else self._observing.at_reset(starts, self._draw(where))

    def _invalid(self, pair: IntArray) -> BoolArray | None:
        """[n] which copies play an action that is not available, or None if no copy does."""
        if self._outcomes.unavailable is None:
            return None
        invalid: BoolArray = self._outcomes.unavailable.take(pair)
        if not np.count_nonzero(invalid):
            return None
        if self.invalid_actions == "raise":
            refuse_unavailable(self.mdp, pair, invalid)
        return invalid

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
        seeds = checked_seeds(seed, self.num_envs)
        if isinstance(seeds, int):
            self._generators = None
            self._np_random, self._np_random_seed = seeding.np_random(seeds)
            return
        if self._generators is None:
            self._generators = [seeding.np_random(one)[0] for one in seeds]
            return
        for i in where.tolist():
            if seeds[i] is not None:
                self._generators[i] = seeding.np_random(seeds[i])[0]

    # -- the open table ----------------------------------------------------------------------------------

    @property
    def P(self) -> dict[int, dict[int, list[tuple[float, int, float, bool]]]]:
        """Gymnasium's nested form of the table."""
        return self.mdp.P

    @property
    def action_mask(self) -> BoolArray:
        """[n, A] which actions are available in each copy's state, a fresh array."""
        return self.mdp.action_mask.take(self._state, axis=0)

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
            self.state,
            self._seen.copy(),
            self.elapsed,
            self._ended.copy(),
            self._generators is None,
            tuple(copy.deepcopy(dict(generator.bit_generator.state)) for generator in generators),
        )

    def restore_state(self, state: VectorEnvState) -> None:
        """Goes back to where `clone_state` was called, here or in an environment of that table and size."""
        if state.state.shape != (self.num_envs,):
            raise ValueError(f"the saved state is of {len(state.state)} copies, here are {self.num_envs}")
        if state.state.max() >= self.mdp.num_states:
            raise ValueError(f"state must be in [0, {self.mdp.num_states}), got {state.state.max()}")
        if state.shared:
            self._generators = None
            restore_generator(self.np_random, state.generators[0])
        else:
            self._generators = [seeding.np_random(0)[0] for _ in range(self.num_envs)]
            for generator, saved in zip(self._generators, state.generators, strict=True):
                restore_generator(generator, saved)
        self._state, self._seen = state.state.copy(), state.seen.copy()
        self._ended = state.ended.copy()
        self._stand(state.elapsed)

    def render(self) -> tuple[RGBArray | str, ...] | None:
        """One frame a copy, in the order of the copies."""
        if self.render_mode is None:
            gym.logger.warn(
                "render() was called without a render_mode; give one to the constructor, e.g. 'rgb_array'"
            )
            return None
        if self._state[0] < 0:
            raise gym.error.ResetNeeded("Cannot call envs.render() before calling envs.reset()")
        draw: Callable[[int], RGBArray | str] = (
            self.artist.text if self.render_mode == "ansi" else self.artist.picture
        )
        return tuple(draw(s) for s in self._state.tolist())


def _themselves(states: npt.ArrayLike) -> IntArray:
    """A state's index is what is seen in it."""
    return np.array(states, dtype=np.int64)


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
