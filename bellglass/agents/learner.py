"""What every learner shares: the calls of `learn`, the plan that schedules follow, settings, and files.

    progress  =  steps taken / steps planned,  from 0 up to 1, and never back

The plan is the call's own steps, those before it counted in when it goes on, or what `planned_timesteps` says.  One
long call, two half ones, and two with a file in between (`save(path, replay=True)`) are the same to the last bit.
`docs/decisions/0012-learning-in-pieces.md` tells why.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from os import PathLike
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from ..envs.mdp import fingerprint_of
from .base import Callback, Memory
from .environment_state import environment_state, put_environment
from .experience import Experience, NotFinite
from .files import generator_from_json, generator_to_json, read_agent, write_agent
from .masks import Masks
from .progress import Interrupts, progress_line
from .settings import count_or_none, number, seed_number, settings_of, whole
from .spaces import AnyEnv, Sizes, sizes_of

FloatArray = npt.NDArray[np.float64]


class Learner(ABC):
    """Learns action values in an environment, or in many side by side; subclasses say how.

    All chance comes from generators made from `seed`: one for learning, from which the environment's seed is drawn
    first, one for `predict`, so that looking at an agent never changes what it learns, and one seed for networks.

    Settings are checked at every assignment as in the constructor; those that cannot change say why.

    Attributes:
        env: the environment, or None after `load` without one.
        num_timesteps: environment steps learned from.
        num_episodes: episodes that ended while it learned.
        num_updates: how often it has changed what it believes.
        sizes: of the observations and actions.
        masks: the action masks that the environment has shown.
        discount: weight of the value one step later.
        max_episode_steps: an episode is cut and reset after so many steps, as a truncation; None: never.
        seed: what the generators were made from.
    """

    discount = number(0.0, 1.0)
    max_episode_steps = count_or_none(1)
    seed = seed_number(fixed="the generators were made from it")

    env: AnyEnv | None

    #: What is counted, by the names of the attributes: kept in every file.
    _COUNTED: ClassVar[tuple[str, ...]] = (
        "num_timesteps",
        "num_episodes",
        "num_updates",
        "_progress",
        "_plan",
        "_plan_given",
    )

    def __init__(
        self, env: AnyEnv | Sizes, *, discount: float, max_episode_steps: float | None, seed: int | None
    ) -> None:
        self.sizes = env if isinstance(env, Sizes) else sizes_of(env)
        self.env = None if isinstance(env, Sizes) else env
        self.discount = discount
        self.max_episode_steps = max_episode_steps
        self.seed = seed
        self.num_timesteps = 0
        self.num_episodes = 0
        self.num_updates = 0
        self.masks = Masks(self.sizes)
        streams = np.random.SeedSequence(self.seed).spawn(3)
        self._rng, self._predict_rng = (np.random.default_rng(stream) for stream in streams[:2])
        self._network_seed = int(streams[2].generate_state(1)[0])
        self._interrupts = Interrupts()
        self._experience: Experience | None = None
        self._saved: tuple[dict[str, Any], Mapping[str, npt.NDArray[Any]]] | None = (
            None  # where to go on after load
        )
        self._progress = self._progress_before = 0.0  # now, and when the call of learn began
        self._plan, self._plan_given = 1, False  # steps, and whether the user named them

    # -- what a subclass does --------------------------------------------------------------------------------------

    @abstractmethod
    def _play_until(self, timestep: int, experience: Experience) -> None:
        """Acts and learns, one (vector) step after the other, until `timestep` or Ctrl-C."""

    def _begin(self, num_envs: int) -> None:  # noqa: B027  # most keep nothing for each copy
        """The environment, of so many copies, was reset as a whole."""

    def _episode_began(self, copy: int) -> None:  # noqa: B027  # as above
        """An episode begins in a copy: its next step is the first."""

    @abstractmethod
    def _finite(self) -> bool:
        """Whether everything learned is a finite number."""

    def _why_no_update(self) -> str:
        """Why a call of `learn` may have ended without one update, and what to do."""
        return "learn longer"

    def _setting_changed(self, name: str) -> None:  # noqa: B027  # as above
        """A setting was assigned after the constructor."""

    # -- learning --------------------------------------------------------------------------------------------------

    def learn(
        self,
        total_timesteps: float,
        callback: Callback | None = None,
        *,
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
        planned_timesteps: float | None = None,
        raise_interrupt: bool = False,
    ) -> Self:
        """Learns from `total_timesteps` environment steps; what it has learned before stays.

        With n environments every step of each counts, and the last vector step may exceed the number by n - 1.

        Args:
            total_timesteps: a whole number of at least 0.
            callback: asked after every (vector) step, or when its `next_timestep` is reached; False stops.
            reset_num_timesteps: count from 0, begin a new plan and reset the environment; otherwise the count goes
                on, and so do the schedules and the episode under way.
            progress_bar: show how far it has come.
            planned_timesteps: how long the whole plan is that schedules run over, all calls together, if this call
                is only the first piece of it; kept until a call resets the count or names another.
            raise_interrupt: after Ctrl-C raise KeyboardInterrupt; otherwise return, with a warning.

        Raises:
            FloatingPointError: the environment showed or paid something that is no finite number, or what was
                learned no longer is; the message names the step.
        """
        total = whole("total_timesteps", total_timesteps, 0)
        self._check_finite()
        experience = self._started(total, planned_timesteps, reset_num_timesteps)
        first, updates, goal = self.num_timesteps, self.num_updates, self.num_timesteps + total
        stopped, playing = False, True
        with progress_line(progress_bar, total, type(self).__name__) as show, self._interrupts as interrupts:
            try:
                while self.num_timesteps < goal and not stopped and not interrupts.asked:
                    wanted = goal
                    if callback is not None:
                        wanted = getattr(callback, "next_timestep", 0)
                        wanted = min(goal, max(wanted, self.num_timesteps + 1))
                    elif progress_bar:
                        wanted = min(goal, self.num_timesteps + max(1, total // 100))
                    playing = True
                    self._play_until(wanted, experience)
                    playing = False
                    show(self.num_timesteps - first)
                    if callback is not None and self.num_timesteps >= getattr(callback, "next_timestep", 0):
                        if hasattr(callback, "next_timestep"):  # seldom, and what it sees may be written down
                            self._check_finite()
                        stopped = callback(self) is False
            except NotFinite as error:
                self._experience = None
                raise FloatingPointError(
                    f"environment step {self.num_timesteps + 1}: {error}; nothing can be learned from it"
                ) from None
            except KeyboardInterrupt:
                if playing:  # in the middle of a step, of which nothing is known
                    self._experience = None
                interrupts.asked = True
        self._check_finite()
        idle = self.num_updates == updates and not stopped
        report_end(
            total,
            self.num_timesteps - first,
            interrupted=interrupts.asked,
            raise_interrupt=raise_interrupt,
            idle=f"{type(self).__name__}: {self._why_no_update()}" if idle else "",
        )
        return self

    def _started(self, total: int, planned: float | None, anew: bool) -> Experience:
        """The experience to go on from, with the plan made."""
        if self.env is None:
            raise ValueError("no environment to learn in: give one to load(path, env)")
        count = 0 if anew else self.num_timesteps
        if planned is not None:
            planned = whole("planned_timesteps", planned, 1)
            if planned < count + total:
                raise ValueError(
                    f"planned_timesteps must be at least {count + total}, the steps taken after this call, "
                    f"got {planned}"
                )
        experience = self._experience
        if experience is None or experience.env is not self.env:
            if sizes_of(self.env) != self.sizes:
                raise ValueError(f"the environment has other sizes than the agent: {sizes_of(self.env)}")
            experience = Experience(self.env, self.sizes, self.masks, self.max_episode_steps)
            if anew or not self._put_back(experience):
                self._reset(experience)
        else:
            experience.limit = self.max_episode_steps
            if anew:
                self._reset(experience)
        self._experience, self._saved = experience, None
        self.num_timesteps = count
        self._progress_before = 0.0 if anew else self._progress
        if planned is not None:
            self._plan, self._plan_given = int(planned), True
        elif anew or not self._plan_given:
            self._plan, self._plan_given = max(count + total, 1), False
        self._count(0)
        return experience

    def _reset(self, experience: Experience) -> None:
        try:
            experience.reset(seed=int(2**31 * self._rng.random()))
        except NotFinite as error:
            raise FloatingPointError(f"reset: {error}; nothing can be learned from it") from None
        self._begin(experience.num_envs)

    def _put_back(self, experience: Experience) -> bool:
        """Goes on where a file says that it stood; False where there is none, or the environment cannot."""
        if self._saved is None:
            return False
        state, arrays = self._saved
        if len(arrays["experience_clock"]) != experience.num_envs or not put_environment(
            experience.env, state
        ):
            return False
        experience.take(arrays)
        return True

    def _count(self, steps: int) -> None:
        """So many environment steps more were learned from."""
        self.num_timesteps += steps
        progress = self.num_timesteps / self._plan
        if progress < self._progress_before:
            progress = self._progress_before
        self._progress = progress if progress < 1.0 else 1.0

    def _check_finite(self) -> None:
        """Raises FloatingPointError where what is learned is no longer finite."""
        if not self._finite():
            raise FloatingPointError(
                f"what {type(self).__name__} has learned by environment step {self.num_timesteps} is no longer "
                "finite; smaller steps or rewards may help"
            )

    # -- acting ----------------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def exploration_rate(self) -> float:
        """The chance of a uniformly random action at the next step, in [0, 1]."""

    @abstractmethod
    def predict(
        self,
        observation: npt.ArrayLike,
        state: Memory = None,
        episode_start: npt.ArrayLike | None = None,
        deterministic: bool = False,
    ) -> tuple[Any, Memory]:
        """The action for one observation (np.int64), or for a batch (int64 [n]), and the memory.

        Deterministic: the best available action, ties by the lowest.  Otherwise, as in Stable-Baselines3, a draw
        from what it plays while it learns.
        """

    @abstractmethod
    def action_probabilities(
        self, observation: npt.ArrayLike, state: Memory = None, *, exploring: bool = False
    ) -> FloatArray:
        """[A], or [n, A] for a batch: the greedy policy, ties by the lowest, or what it plays to explore."""

    def _draw(self, probabilities: FloatArray, deterministic: bool) -> npt.NDArray[np.int64]:
        """[n] one action a row: the likeliest (ties by the lowest), or a draw."""
        if deterministic:
            best: npt.NDArray[np.int64] = probabilities.argmax(axis=1)
            return best
        running = probabilities.cumsum(axis=1)
        drawn = self._predict_rng.random((len(running), 1)) * running[:, -1:]
        chosen: npt.NDArray[np.int64] = (running > drawn).argmax(axis=1)
        return chosen

    # -- files -----------------------------------------------------------------------------------------------------

    def _settings(self) -> dict[str, object]:
        """The keyword arguments of the constructor, as JSON."""
        return settings_of(self)

    @abstractmethod
    def _arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Everything learned, by name."""

    @abstractmethod
    def _take_arrays(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Puts back what `_arrays` gave."""

    def _memory_arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """What it remembers and is in the middle of, by name: all that `learn` needs to go on, and acting does not."""
        return {}

    def _take_memory(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:  # noqa: B027  # nothing by default
        """Puts back what `_memory_arrays` gave."""

    def save(self, path: str | PathLike[str], *, replay: bool = False) -> None:
        """Writes arrays and JSON, never pickle, whole or not at all.

        Args:
            path: the file, taken as it is.
            replay: keep the replay memory too, the episode under way, and where an environment of ours stands:
                `learn(..., reset_num_timesteps=False)` after `load(path, env)` then goes on to the same bits.

        Raises:
            TypeError: the agent has a schedule of the user's own.
            FloatingPointError: what it has learned is no longer finite.
        """
        self._check_finite()
        settings: dict[str, object] = {
            "keywords": self._settings(),
            "sizes": [self.sizes.num_observations, list(self.sizes.shape), self.sizes.num_actions],
            "counts": {name: getattr(self, name) for name in self._COUNTED},
            "generators": [generator_to_json(self._rng), generator_to_json(self._predict_rng)],
            "fingerprint": None if self.env is None else fingerprint_of(self.env),
            "replay": replay,
        }
        arrays = {**self.masks.arrays(), **self._arrays()}
        if replay:
            arrays |= self._memory_arrays()
            if self._experience is not None and self._experience.env is self.env:
                settings["environment"] = environment_state(self.env)
                arrays |= self._experience.arrays()
            elif self._saved is not None:
                settings["environment"] = self._saved[0]
                arrays |= self._saved[1]
        write_agent(path, type(self).__name__, settings, arrays)

    @classmethod
    def load(cls, path: str | PathLike[str], env: AnyEnv | None = None) -> Self:
        """Reads what `save` wrote.

        `learn` goes on with the same generators: from a reset environment and an empty memory, or, after
        `save(path, replay=True)` and with reset_num_timesteps=False, from where it stood.

        Args:
            path: the file.
            env: to learn in; none is needed to act.

        Raises:
            ValueError: the file is damaged, no agent of ours, another agent's, or made for other sizes.
        """
        return cls._read(path, env, {})

    @classmethod
    def _read(cls, path: str | PathLike[str], env: AnyEnv | None, given: Mapping[str, Any]) -> Self:
        """Reads a file; `given` are keywords of the constructor that it may call the user's own."""
        settings, arrays = read_agent(path, cls.__name__)
        try:
            num_observations, shape, num_actions = settings["sizes"]
            sizes = Sizes(num_observations, tuple(shape), num_actions)
            if env is not None and sizes_of(env) != sizes:
                raise ValueError(f"{path} was made for {sizes}, the environment has {sizes_of(env)}")
            keywords = dict(settings["keywords"])
            for name, own in given.items():
                if keywords.get(name) == "own":
                    if own is None:
                        raise ValueError(
                            f"{path} was saved with a {name} of your own: give one to load(..., {name}=)"
                        )
                    keywords[name] = own
            agent = cls(sizes if env is None else env, **keywords)
            agent._take(settings, arrays)
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError(f"{path} is damaged: {error!r}") from error
        if differs(path, settings["fingerprint"], env):
            agent._saved = None
        return agent

    def _take(self, settings: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Puts back what `save` wrote."""
        for name in self._COUNTED:
            setattr(self, name, settings["counts"][name])
        self._rng, self._predict_rng = map(generator_from_json, settings["generators"])
        self.masks.take(arrays)
        self._take_arrays(arrays)
        if settings["replay"]:
            self._take_memory(arrays)
            if settings.get("environment") is not None:
                names = [name for name in arrays if name.startswith("experience_")]
                self._saved = settings["environment"], {name: arrays[name] for name in names}


def report_end(total: int, taken: int, *, interrupted: bool, raise_interrupt: bool, idle: str) -> None:
    """Warns, for the caller of `learn`, of Ctrl-C, or of steps from which nothing was learned.

    Args:
        total: steps that were asked for.
        taken: steps that were taken.
        interrupted: by Ctrl-C.
        raise_interrupt: raise it instead.
        idle: why nothing was learned; empty if something was.
    """
    if interrupted and raise_interrupt:
        raise KeyboardInterrupt
    says = ""
    if interrupted:
        says = (
            f"Ctrl-C ended learn after {taken} of {total} steps; what was learned is kept, and "
            "learn(..., reset_num_timesteps=False) goes on"
        )
    elif taken and idle:
        says = f"{taken} steps were taken and nothing was learned: {idle}"
    if says:
        warnings.warn(says, UserWarning, stacklevel=3)


def differs(path: str | PathLike[str], known: str | None, env: AnyEnv | None) -> bool:
    """Whether `env` walks another table than the one of fingerprint `known`, if both are known; warns if so."""
    here = None if env is None else fingerprint_of(env)
    if known is None or here is None or known == here:
        return False
    warnings.warn(
        f"{path} learned in a table of fingerprint {known[:12]}, but this environment walks another, {here[:12]}: "
        "its values are those of the other one",
        UserWarning,
        stacklevel=4,
    )
    return True
