"""Environments that sample from a table and from nothing else.

    reset:  u ~ U[0, 1);  s  = the first state   with cumulative_initial[s] > u
    step:   u ~ U[0, 1);  k  = the first outcome of (s, a) with cumulative_probability[k] > u

One number a reset, one a step (a partially observed environment draws one more for the observation), so that
a compiled or vectorised loop can take the very same walk (`bellglass.envs.mdp.TableWalker`).  Time limits are
not part of the table: `gymnasium.make` adds them, so `step` never truncates.  A step in a terminal state pays
0, stays there and says `terminated` again.
"""

from __future__ import annotations

import copy
import inspect
import operator
from bisect import bisect_right
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, TypedDict, TypeVar, Unpack, cast

import gymnasium as gym
import numpy as np

from .mdp import BoolArray, TabularMDP
from .rendering.cells import RENDER_MODES, Artist, RGBArray, Window
from .rendering.state_graph import default_artist

#: What an unavailable action does: the lowest available one in its place, or a ValueError.
InvalidActions = Literal["lowest", "raise"]

Observation = TypeVar("Observation")


class EnvSettings(TypedDict, total=False):
    """What every environment takes besides its own keywords, and hands on as `**settings`; told in `TabularEnv`."""

    render_mode: str | None
    invalid_actions: InvalidActions


def checked_settings(
    *, render_mode: str | None = None, invalid_actions: InvalidActions = "lowest"
) -> tuple[str | None, InvalidActions]:
    """Both settings, or a ValueError for the one that is wrong; their defaults are written here alone."""
    check_render_mode(render_mode)
    if invalid_actions not in ("lowest", "raise"):
        raise ValueError(f"invalid_actions must be 'lowest' or 'raise', got {invalid_actions!r}")
    return render_mode, invalid_actions


SETTINGS = inspect.signature(checked_settings).parameters


def _written_out(init: inspect.Signature) -> inspect.Signature:
    """The constructor's signature without `self`, and with both settings in the place of `**settings`."""
    _, *own = init.parameters.values()
    if own and EnvSettings.__name__ in str(own[-1].annotation):
        names = [parameter.name for parameter in own]
        own[-1:] = [parameter for name, parameter in SETTINGS.items() if name not in names]
    return init.replace(parameters=own)


@dataclass(frozen=True)
class EnvState:
    """Where an environment stands: its state and its generator's.  Made by `clone_state`."""

    state: int
    generator: dict[str, Any]


class TableEnv(gym.Env[Observation, np.int64], Generic[Observation]):
    """What fully and partially observed environments share: everything but the observation.

    Attributes:
        mdp: the table.
        state: index of the current state; -1 before the first reset.
        discount: what the environment's card and every "% regret" uses; no part of the dynamics.
    """

    metadata: dict[str, Any] = {"render_modes": list(RENDER_MODES), "render_fps": 4}
    discount: float = 0.99
    state: np.int64
    __signature__: ClassVar[inspect.Signature]

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Writes `**settings` out where a signature is read: by `help`, by a suite, by the page of environments."""
        super().__init_subclass__(**keywords)
        if "__init__" in vars(cls):
            cls.__signature__ = _written_out(inspect.signature(cls.__init__))

    def __init__(self, mdp: TabularMDP, **settings: Unpack[EnvSettings]) -> None:
        unknown = settings.keys() - SETTINGS.keys()
        if unknown:
            named = f"{type(self).__name__}.__init__()"
            raise TypeError(f"{named} got an unexpected keyword argument {min(unknown)!r}")
        self.mdp = mdp
        self.render_mode, self.invalid_actions = checked_settings(**settings)
        self.action_space = gym.spaces.Discrete(mdp.num_actions)
        self.state = np.int64(-1)
        self._rows = _Rows(mdp)
        self._artist: Artist | None = None
        self._window: Window | None = None

    # -- the two observations a subclass gives -----------------------------------------------------------

    def _observation_at_reset(self) -> Observation:
        raise NotImplementedError

    def _observation_after(self, action: int) -> Observation:
        """What is seen after `action` (as played) led to `state`."""
        raise NotImplementedError

    # -- walking -----------------------------------------------------------------------------------------

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Starts an episode in a state drawn from `mdp.initial`, or in `options["state"]`.

        Raises:
            ValueError: `options["state"]` is no live state of the table.
        """
        super().reset(seed=seed)
        chosen = None if options is None else options.get("state")
        if chosen is None:
            self.state = np.int64(self._rows.start(self.np_random.random()))
            probability = float(self.mdp.initial[self.state]) / self._rows.initial_sum
        else:
            self.state = np.int64(check_start(self.mdp, chosen))
            probability = 1.0
        observation = self._observation_at_reset()
        if self.render_mode == "human":
            self.render()
        return observation, self._info(probability)

    def step(self, action: int | np.int64) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Draws one outcome of `action` in the current state.

        Raises:
            ValueError: the action is outside the space, or unavailable and `invalid_actions` is "raise".
            gymnasium.error.ResetNeeded: there was no reset yet.
        """
        s, a = int(self.state), self._checked(action)
        if s < 0:
            raise gym.error.ResetNeeded("Cannot call env.step() before calling env.reset()")
        rows = self._rows
        invalid = not rows.terminal[s] and not rows.available(s, a)
        if invalid:
            if self.invalid_actions == "raise":
                raise ValueError(unavailable(self.mdp, s, a))
            a = int(self.mdp.lowest_action[s])
        u = self.np_random.random()
        if rows.terminal[s]:
            reward, terminated, probability = 0.0, True, 1.0
        else:
            k = rows.outcome(s, a, u)
            self.state = np.int64(rows.next_state[k])
            reward, terminated, probability = rows.reward[k], rows.terminated[k], rows.probability[k]
        observation = self._observation_after(a)
        info = self._info(probability)
        if invalid:
            info["invalid_action"] = True
        if self.render_mode == "human":
            self.render()
        return observation, reward, terminated, False, info

    def _checked(self, action: int | np.int64) -> int:
        try:
            a = operator.index(action)
        except TypeError:
            a = -1
        if not 0 <= a < self.mdp.num_actions:
            raise ValueError(f"action must be an integer in [0, {self.mdp.num_actions}), got {action!r}")
        return a

    def _info(self, probability: float) -> dict[str, Any]:
        return {"state": int(self.state), "probability": probability, "action_mask": self.action_mask}

    # -- the open table ----------------------------------------------------------------------------------

    @property
    def P(self) -> dict[int, dict[int, list[tuple[float, int, float, bool]]]]:
        """Gymnasium's nested form: P[s][a] = [(probability, next_state, reward, terminated), ...]."""
        return self.mdp.P

    @property
    def action_mask(self) -> BoolArray:
        """[A] which actions are available in the current state, a fresh copy; none in a terminal state."""
        mask: BoolArray = self.mdp.action_mask[self.state].copy()
        return mask

    def encode(self, label: Hashable) -> int:
        """The state of that name."""
        return self.mdp.encode(label)

    def decode(self, state: int) -> Hashable:
        """The name of the state."""
        return self.mdp.decode(state)

    def clone_state(self) -> EnvState:
        """Everything the future depends on: state and generator (not a wrapper's clock)."""
        return EnvState(int(self.state), copy.deepcopy(dict(self.np_random.bit_generator.state)))

    def restore_state(self, state: EnvState) -> None:
        """Goes back to where `clone_state` was called, here or in another copy of this environment."""
        if not -1 <= state.state < self.mdp.num_states:
            raise ValueError(f"state must be in [0, {self.mdp.num_states}), got {state.state}")
        restore_generator(self.np_random, state.generator)
        self.state = np.int64(state.state)

    # -- pictures ----------------------------------------------------------------------------------------

    @property
    def artist(self) -> Artist:
        """Draws any state, as text or as an image: on the table's layout, or as a graph where it has none."""
        if self._artist is None:
            self._artist = default_artist(self.mdp)
        return self._artist

    def render(self) -> RGBArray | str | None:
        """The current state as text ("ansi"), an image [height, width, 3] ("rgb_array"), or in a window."""
        if self.render_mode is None:
            gym.logger.warn(
                "render() was called without a render_mode; give one to the constructor, e.g. 'rgb_array'"
            )
            return None
        if self.state < 0:
            raise gym.error.ResetNeeded("Cannot call env.render() before calling env.reset()")
        if self.render_mode == "ansi":
            return self.artist.text(int(self.state))
        picture = self.artist.picture(int(self.state))
        if self.render_mode == "rgb_array":
            return picture
        if self._window is None:
            self._window = Window(type(self).__name__, self.metadata["render_fps"])
        self._window.show(picture)
        return None

    def close(self) -> None:
        """Closes the window, if there is one; calling again changes nothing."""
        if self._window is not None:
            self._window.close()
            self._window = None


class TabularEnv(TableEnv[np.int64]):
    """Walks through `mdp` and shows the index of the current state.

    Args:
        mdp: the table.
        render_mode: "ansi", "rgb_array", "human" (where pygame is installed) or None.
        invalid_actions: "lowest": an unavailable action does what the lowest available one does, and
            `info["invalid_action"]` is True; "raise": it raises ValueError.

    >>> P = {0: {0: [(1.0, 1, 2.0, True)]}, 1: {0: [(1.0, 1, 0.0, True)]}}
    >>> env = TabularEnv(TabularMDP.from_P(P, initial=[1, 0]))
    >>> env.reset(seed=0)[0], env.step(0)[:4]
    (np.int64(0), (np.int64(1), 2.0, True, False))
    """

    def __init__(self, mdp: TabularMDP, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(mdp, **settings)
        self.observation_space = gym.spaces.Discrete(mdp.num_states)

    def observe(self, state: int | np.int64) -> np.int64:
        """What is seen in `state`: its index.  A wrapper's `observe` shows it the wrapper's way."""
        return np.int64(state)

    def _observation_at_reset(self) -> np.int64:
        return self.observe(self.state)

    def _observation_after(self, action: int) -> np.int64:
        return self.observe(self.state)

    @property
    def walks_table(self) -> bool:
        """Whether a compiled loop may take `TableWalker`'s word for what `step` and `reset` do."""
        return (
            self.invalid_actions == "lowest"
            and self.render_mode != "human"
            and all(
                getattr(type(self), name) is getattr(TabularEnv, name)
                for name in (
                    "step",
                    "reset",
                    "observe",
                    "_observation_at_reset",
                    "_observation_after",
                    "_info",
                )
            )
        )


class _Rows:
    """Plain Python numbers out of the table's arrays, without copying them: what one `step` looks up."""

    __slots__ = (
        "cumulative_initial",
        "cumulative_probability",
        "first_outcome",
        "initial_sum",
        "mdp",
        "next_state",
        "num_actions",
        "probability",
        "reward",
        "terminal",
        "terminated",
    )

    def __init__(self, mdp: TabularMDP) -> None:
        self.mdp = mdp
        self.num_actions = mdp.num_actions
        self.initial_sum = float(mdp.initial.sum())
        self.first_outcome = cast("Sequence[int]", mdp.first_outcome.data)
        self.next_state = cast("Sequence[int]", mdp.next_state.data)
        self.reward = cast("Sequence[float]", mdp.reward.data)
        self.terminated = cast("Sequence[bool]", mdp.terminated.data)
        self.terminal = cast("Sequence[bool]", mdp.terminal.data)
        self.probability = cast("Sequence[float]", mdp.normalised_probability.data)
        self.cumulative_probability = cast("Sequence[float]", mdp.cumulative_probability.data)
        self.cumulative_initial = cast("Sequence[float]", mdp.cumulative_initial.data)

    def __reduce__(self) -> tuple[type[_Rows], tuple[TabularMDP]]:
        return _Rows, (self.mdp,)  # a memoryview can be neither copied nor pickled

    def start(self, u: float) -> int:
        return bisect_right(self.cumulative_initial, u)

    def available(self, s: int, a: int) -> bool:
        pair = s * self.num_actions + a
        return self.first_outcome[pair] < self.first_outcome[pair + 1]

    def outcome(self, s: int, a: int, u: float) -> int:
        pair = s * self.num_actions + a
        return bisect_right(
            self.cumulative_probability, u, self.first_outcome[pair], self.first_outcome[pair + 1]
        )


def check_render_mode(render_mode: str | None) -> None:
    """Refuses what is no render mode here."""
    if render_mode is not None and render_mode not in RENDER_MODES:
        hint = " ('human' needs pygame: pip install 'bellglass[human]')" if render_mode == "human" else ""
        raise ValueError(
            f"render_mode must be None or one of {', '.join(RENDER_MODES)}, got {render_mode!r}{hint}"
        )


def check_start(mdp: TabularMDP, state: object) -> int:
    """`state` as an index of a state in which an episode can go on.

    Raises:
        ValueError: it is not an integer, out of range, or terminal.
    """
    try:
        s = operator.index(state)  # type: ignore[arg-type]  # refused below when it is no integer
    except TypeError:
        s = -1
    if not 0 <= s < mdp.num_states:
        raise ValueError(f"options['state'] must be an integer in [0, {mdp.num_states}), got {state!r}")
    if mdp.terminal[s]:
        raise ValueError(f"options['state'] must not be terminal, but state {s} ({mdp.decode(s)!r}) is")
    return s


def unavailable(mdp: TabularMDP, s: int, a: int) -> str:
    """Says that the action is not available, and which ones are."""
    there = ", ".join(str(action) for action in np.flatnonzero(mdp.action_mask[s]).tolist())
    return f"action {a} is not available in state {s} ({mdp.decode(s)!r}); available: {there}"


def restore_generator(generator: np.random.Generator, state: dict[str, Any]) -> None:
    """Sets the generator back; it must be of the kind that the state was taken from."""
    kind = type(generator.bit_generator).__name__
    if state.get("bit_generator") != kind:
        raise ValueError(
            f"the saved generator is a {state.get('bit_generator')}, this environment's is a {kind}"
        )
    generator.bit_generator.state = copy.deepcopy(state)
