"""States that look alike: the agent sees a name that several states may share.

    observation o = alias[s]     the state s is hidden behind it, unless no other state bears the name

What is left is a partially observed table, and an exact one:  p(o | s) = 1 for o = alias[s].  So `solve`, `evaluate`
and `information_ladder` answer for what can be seen, and with `TabularVectorEnv(pomdp_of(env), n)` thousands of copies
step by array operations.

Singh, Jaakkola & Jordan, Learning without state-estimation in partially observable Markovian decision processes, 1994.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from ..keywords import whole
from ..mdp import IntArray, Layout, TabularMDP
from ..mdp.memory_limit import require_memory
from ..pomdp import TabularPOMDP
from .observations import table_of_shown_states


class AliasedObservation(gym.ObservationWrapper[np.int64, Any, Any], gym.utils.RecordConstructorArgs):
    """Shows each state under a name that others may share.

    Args:
        env: an environment of ours that shows its state.
        alias: [S] the names, or a function from a state's label to its name.  Observations are numbered in the
            order in which the states first bear them.

    Attributes:
        pomdp: the partially observed table; `pomdp_of(env)` finds it.
        names: [O] the name behind each observation.

    Raises:
        TypeError: the environment does not show its state, or a name is not hashable.
        ValueError: not one name a state.

    >>> env = AliasedObservation(gym.make("bellglass/Grid5x5-v0"), alias=lambda cell: cell[0])
    >>> env.observation_space, env.observe(7), env.names
    (Discrete(5), np.int64(1), (0, 1, 2, 3, 4))
    """

    def __init__(
        self, env: gym.Env[Any, Any], alias: Sequence[Hashable] | Callable[[Hashable], Hashable]
    ) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, alias=alias)
        super().__init__(env)
        mdp = table_of_shown_states("aliases need", env, env.observation_space)
        self._seen, self.names = _numbered(_names(mdp, alias))
        self.pomdp = _hidden(mdp, self._seen, self.names)
        self.observation_space = gym.spaces.Discrete(len(self.names))

    def observation(self, observation: Any) -> np.int64:
        """The number of the state's name."""
        return np.int64(self._seen[observation])

    def observe(self, state: npt.ArrayLike) -> Any:
        """What is seen in a state (or in each of some states)."""
        return self._seen[np.asarray(state)]


class LocalViewObservation(AliasedObservation):
    """Shows the cells around the state on the map, as the number of that view; places that look alike are one.

    Args:
        env: an environment of ours that shows its state and has a map.
        radius: cells seen in each direction, at least 0; what lies outside of the map looks like a wall.

    Attributes:
        names: [O] each view as rows of letters, of the kind that `mdp.layout.background` has.

    Raises:
        TypeError: the environment does not show its state.
        ValueError: there is no map.

    >>> env = LocalViewObservation(gym.make("bellglass/FrozenLake-v0"))
    >>> env.observation_space, env.names[0]
    (Discrete(16), ('###', '#S ', '# H'))
    """

    def __init__(self, env: gym.Env[Any, Any], radius: int = 1) -> None:
        mdp = table_of_shown_states("local views need", env, env.observation_space)
        if mdp.layout is None:
            raise ValueError(f"local views need a map, and the table of {env} has no layout")
        gym.utils.RecordConstructorArgs.__init__(self, radius=radius)  # the first call counts
        super().__init__(env, views(mdp.layout, whole("radius", radius, 0)))


def views(layout: Layout, radius: int) -> list[tuple[str, ...]]:
    """[S] the rows of letters around each state's cell; empty for states that lie nowhere.

    >>> views(Layout(background=("S G",), cell=np.array([(0, 0), (0, 1), (-1, -1)]), arrows=()), radius=1)
    [('###', '#S ', '###'), ('###', 'S G', '###'), ()]
    """
    side = 2 * radius + 1
    require_memory(100 * len(layout.cell) * side**2, f"{len(layout.cell)} views", {"radius": radius})
    beyond = "#" * (layout.columns + 2 * radius)
    rows = [
        *[beyond] * radius,
        *("#" * radius + row.replace("∅", "#") + "#" * radius for row in layout.background),
        *[beyond] * radius,
    ]
    return [
        tuple(row[c : c + side] for row in rows[r : r + side]) if r >= 0 else ()
        for r, c in layout.cell.tolist()
    ]


def _names(mdp: TabularMDP, alias: Any) -> list[Hashable]:
    if callable(alias):
        return [alias(mdp.decode(s)) for s in range(mdp.num_states)]
    names = np.asarray(alias, dtype=object).tolist() if isinstance(alias, np.ndarray) else alias
    if not isinstance(names, Sequence) or isinstance(names, str | bytes) or len(names) != mdp.num_states:
        raise ValueError(
            f"alias must be a function or a list of {mdp.num_states} names, one a state, got {str(alias)[:80]}"
        )
    return list(names)


def _numbered(names: Sequence[Hashable]) -> tuple[IntArray, tuple[Hashable, ...]]:
    """[S] the number of each name, and [O] the names in the order in which they first occur."""
    numbers: dict[Hashable, int] = {}
    try:
        seen = [numbers.setdefault(name, len(numbers)) for name in names]
    except TypeError as error:
        raise TypeError(f"alias must consist of hashable names: {error}") from error
    return np.array(seen, dtype=np.int64), tuple(numbers)


def _hidden(mdp: TabularMDP, seen: IntArray, names: tuple[Hashable, ...]) -> TabularPOMDP:
    """The table of which only the names are seen."""
    size = f"the observations of {mdp.num_states} states under {len(names)} names"
    require_memory(4 * 8 * mdp.num_states * len(names), size)
    shown = np.zeros((mdp.num_states, len(names)))
    shown[np.arange(mdp.num_states), seen] = 1.0
    return TabularPOMDP(mdp, shown, shown, observation_labels=names)
