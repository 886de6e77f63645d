"""The tables that the solvers are timed on: seeded functions, vectorised, from hundreds to millions of states.

Each function says its shape; `TABLES` names the instances, their discounts, and how they are built.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bellglass.envs.exploration.river_swim import river_swim
from bellglass.envs.mdp import FloatArray, IntArray, TabularMDP


def garnet(num_states: int, *, num_actions: int = 4, num_next: int = 4, seed: int = 0) -> TabularMDP:
    """Random table: `num_next` distinct next states a pair, stick-breaking chances, rewards uniform in [0, 1).

    Archibald, McKinnon and Thomas, On the generation of Markov decision processes (1995).
    """
    rng = np.random.default_rng(seed)
    pairs = num_states * num_actions
    next_state = _distinct(rng, pairs, num_next, num_states)
    cuts = np.sort(rng.random((pairs, num_next - 1)), axis=1)
    chances = np.diff(cuts, axis=1, prepend=0.0, append=1.0)
    return TabularMDP(
        first_outcome=np.arange(pairs + 1) * num_next,
        probability=chances.ravel(),
        next_state=next_state.ravel(),
        reward=np.repeat(rng.random(pairs), num_next),
        terminated=np.zeros(pairs * num_next, dtype=np.bool_),
        initial=np.full(num_states, 1.0 / num_states),
        normalise=True,
    )


def _distinct(rng: np.random.Generator, rows: int, width: int, limit: int) -> IntArray:
    """[rows, width] integers below `limit`, distinct within each row: drawn again where they are not."""
    drawn = np.sort(rng.integers(limit, size=(rows, width)), axis=1)
    while (again := np.flatnonzero((np.diff(drawn, axis=1) == 0).any(axis=1))).size:
        drawn[again] = np.sort(rng.integers(limit, size=(again.size, width)), axis=1)
    return drawn


def slippery_grid(size: int, *, holes: float = 0.1, seed: int = 0) -> TabularMDP:
    """FrozenLake's moves on [size, size]: the chosen direction and both beside it, a third each.

    A tenth of the cells are holes; reward 1 for entering the goal in the far corner; both end the episode.
    """
    rng = np.random.default_rng(seed)
    hole = rng.random((size, size)) < holes
    hole[0, 0] = hole[-1, -1] = False
    ends = hole.copy()
    ends[-1, -1] = True
    row, column = np.divmod(np.arange(size * size), size)
    moves = ((0, -1), (1, 0), (0, 1), (-1, 0))  # left, down, right, up
    lands = np.stack(
        [np.clip(row + dr, 0, size - 1) * size + np.clip(column + dc, 0, size - 1) for dr, dc in moves],
        axis=1,
    )  # [S, 4]
    slips = np.array([[(a - 1) % 4, a, (a + 1) % 4] for a in range(4)])
    next_state = lands[:, slips]  # [S, A, 3]
    live = ~ends.ravel()
    kept = next_state[live].ravel()
    lengths = np.where(live[:, None], 3, 0) * np.ones((1, 4), dtype=np.int64)
    return TabularMDP(
        first_outcome=np.concatenate([[0], np.cumsum(lengths.ravel())]),
        probability=np.full(kept.size, 1.0 / 3.0),
        next_state=kept,
        reward=(kept == size * size - 1).astype(np.float64),
        terminated=ends.ravel()[kept],
        initial=np.eye(1, size * size)[0],
    )


def chain(length: int) -> TabularMDP:
    """RiverSwim of that length: right goes on with .35, drifts back with .05; rewards .005 left and 1 right."""
    return river_swim(length, "osband", r_left=0.005, r_right=1.0, reward_on="action")


def inventory(num_states: int, *, orders: int = 16, mean: float = 8.0) -> TabularMDP:
    """Lost sales: stock 0 .. num_states - 1, orders 0 .. 15 as the store has room, Poisson demand.

    A unit sells for 4, costs 2 to order and .05 to hold a period; every order costs 3 besides.  Demands whose
    chance is 0 in float64 are left out, so a row has up to about 190 outcomes.
    """
    from scipy.stats import poisson

    demand = poisson.pmf(np.arange(num_states + 1), mean)
    tail = poisson.sf(np.arange(-1, num_states), mean)  # [n] chance of at least n
    widest = int(np.flatnonzero(demand > 0)[-1]) + 1
    stock, order = np.divmod(np.arange(num_states * orders), orders)
    after = stock + order  # what can be sold
    rows = np.flatnonzero(after < num_states)
    reach = np.minimum(after[rows], widest) + (tail[np.minimum(after[rows], widest)] > 0)
    sold = np.arange(int(reach.sum())) - np.repeat(np.cumsum(reach) - reach, reach)
    full = np.repeat(after[rows], reach)
    chances = np.where(sold == full, tail[sold], demand[sold])
    cost = 2.0 * order[rows] + 3.0 * (order[rows] > 0)
    lengths = np.zeros(num_states * orders, dtype=np.int64)
    lengths[rows] = reach
    return TabularMDP(
        first_outcome=np.concatenate([[0], np.cumsum(lengths)]),
        probability=chances,
        next_state=full - sold,
        reward=4.0 * sold - 0.05 * (full - sold) - np.repeat(cost, reach),
        terminated=np.zeros(sold.size, dtype=np.bool_),
        initial=np.eye(1, num_states)[0],
        normalise=True,
    )


def tandem_queue(size: int) -> TabularMDP:
    """Two queues in a row, each of 0 .. size - 1 jobs; four actions: each server slow or fast.

    Uniformised: a job arrives with .2, a slow server finishes with .15 and a fast one with .3 (none where its queue
    is empty, the first one blocked where the second is full).  Holding costs 1 and 2 a job, fast servers 20 each.
    """
    first, second = np.divmod(np.arange(size * size), size)
    chances, targets, rewards = [], [], []
    for action in range(4):
        speed = (0.15, 0.3)
        serve_1 = np.where((first > 0) & (second < size - 1), speed[action // 2], 0.0)
        serve_2 = np.where(second > 0, speed[action % 2], 0.0)
        arrive = np.where(first < size - 1, 0.2, 0.0)
        events = [
            (arrive, np.minimum(first + 1, size - 1) * size + second),
            (serve_1, np.maximum(first - 1, 0) * size + np.minimum(second + 1, size - 1)),
            (serve_2, first * size + np.maximum(second - 1, 0)),
            (1.0 - arrive - serve_1 - serve_2, first * size + second),
        ]
        chances.append(np.stack([p for p, _ in events], axis=1))
        targets.append(np.stack([t for _, t in events], axis=1))
        rewards.append(-(first + 2.0 * second) - 20.0 * (action // 2 + action % 2))
    return _from_blocks(
        np.stack(chances, axis=1), np.stack(targets, axis=1), np.stack(rewards, axis=1), np.eye(1, size**2)[0]
    )


def layered(
    num_layers: int, width: int, *, num_actions: int = 4, num_next: int = 4, seed: int = 0
) -> TabularMDP:
    """No cycle: every action leads into the next layer, the last layer ends; uniform rewards."""
    rng = np.random.default_rng(seed)
    size = num_layers * width
    pairs = size * num_actions
    layer = np.arange(size) // width
    within = _distinct(rng, pairs, num_next, width).reshape(size, num_actions, num_next)
    last = layer == num_layers - 1
    targets = np.where(last[:, None, None], 0, (layer + 1)[:, None, None] * width + within)
    cuts = np.sort(rng.random((pairs, num_next - 1)), axis=1)
    chances = np.diff(cuts, axis=1, prepend=0.0, append=1.0).reshape(targets.shape)
    starts = np.zeros(size)
    starts[:width] = 1.0 / width
    ends = np.broadcast_to(last[:, None, None], targets.shape)
    return _from_blocks(chances, targets, rng.random((size, num_actions)), starts, ends)


def nearly_decomposable(num_blocks: int, size: int, *, leak: float = 1e-3, seed: int = 0) -> TabularMDP:
    """Blocks that mix fast inside and are left with chance `leak` a step; each block's rewards have its own mean.

    Courtois, Decomposability (1977).
    """
    rng = np.random.default_rng(seed)
    states = num_blocks * size
    block = np.arange(states) // size
    inside = _distinct(rng, states * 4, 4, size).reshape(states, 4, 4) + (block * size)[:, None, None]
    outside = rng.integers(states, size=(states, 4, 1))
    cuts = np.sort(rng.random((states * 4, 3)), axis=1)
    chances = np.diff(cuts, axis=1, prepend=0.0, append=1.0).reshape(states, 4, 4) * (1.0 - leak)
    rewards = 0.5 * rng.random(num_blocks)[block][:, None] + 0.5 * rng.random((states, 4))
    return _from_blocks(
        np.concatenate([chances, np.full((states, 4, 1), leak)], axis=2),
        np.concatenate([inside, outside], axis=2),
        rewards,
        np.full(states, 1.0 / states),
    )


def long_rows(num_states: int, *, num_next: int = 500, seed: int = 0) -> TabularMDP:
    """Two actions, hundreds of next states each, uniform rewards."""
    rng = np.random.default_rng(seed)
    pairs = num_states * 2
    targets = np.argsort(rng.random((pairs, num_states)), axis=1)[:, :num_next]
    targets = np.sort(targets, axis=1).reshape(num_states, 2, num_next)
    chances = rng.dirichlet(np.full(num_next, 0.2), size=pairs).reshape(targets.shape)
    return _from_blocks(chances, targets, rng.random((num_states, 2)), np.full(num_states, 1.0 / num_states))


def maintenance(levels: int, components: int) -> TabularMDP:
    """A machine of components that wear from 0 to levels - 1, each by one step with a chance of its own.

    Actions: wait, or renew one component (cost 5 and up).  A period costs the square of each wear, scaled to 1 at
    the worst level, and 20 for each component that has failed (its worst level).
    """
    size = levels**components
    wear = np.stack(np.unravel_index(np.arange(size), (levels,) * components), axis=1)  # [S, C]
    place = levels ** np.arange(components)[::-1]
    chance = 0.1 + 0.3 * np.arange(components) / components
    happens = np.stack(np.unravel_index(np.arange(2**components), (2,) * components), axis=1)  # [2^C, C]
    paid = -((wear / (levels - 1.0)) ** 2).sum(axis=1) - 20.0 * (wear == levels - 1).sum(axis=1)
    chances, targets, rewards = [], [], []
    for action in range(components + 1):
        now = wear.copy()
        if action:
            now[:, action - 1] = 0
        after = np.minimum(now[:, None, :] + happens[None], levels - 1)
        chances.append(np.broadcast_to(np.where(happens, chance, 1 - chance).prod(axis=1), after.shape[:2]))
        targets.append(after @ place)
        rewards.append(paid - (5.0 + action if action else 0.0))
    return _from_blocks(
        np.stack(chances, axis=1), np.stack(targets, axis=1), np.stack(rewards, axis=1), np.eye(1, size)[0]
    )


def routing(num_states: int, *, degree: int = 4, seed: int = 0) -> TabularMDP:
    """Deterministic: each node has roads of random length to near and far nodes; arriving at node 0 ends."""
    rng = np.random.default_rng(seed)
    here = np.arange(num_states)
    step = np.stack(
        [np.maximum(here - 1, 0), (here + 1) % num_states]
        + [rng.integers(num_states, size=num_states) for _ in range(degree - 2)],
        axis=1,
    )
    step[:, 2] = np.clip(here + rng.integers(-50, 51, size=num_states), 0, num_states - 1)
    length = 1.0 + 9.0 * rng.random((num_states, degree))
    live = np.flatnonzero(here != 0)
    lengths = np.where(here[:, None] != 0, 1, 0) * np.ones((1, degree), dtype=np.int64)
    starts = np.zeros(num_states)
    starts[live] = 1.0 / live.size
    return TabularMDP(
        first_outcome=np.concatenate([[0], np.cumsum(lengths.ravel())]),
        probability=np.ones(live.size * degree),
        next_state=step[live].ravel(),
        reward=-length[live].ravel(),
        terminated=step[live].ravel() == 0,
        initial=starts,
        normalise=True,
    )


def _from_blocks(
    chances: FloatArray,
    targets: IntArray,
    rewards: FloatArray,
    initial: FloatArray,
    ends: npt.NDArray[np.bool_] | None = None,
) -> TabularMDP:
    """Chances and targets [S, A, K], rewards [S, A]; outcomes of chance 0 are left out."""
    kept = chances > 0
    return TabularMDP(
        first_outcome=np.concatenate([[0], np.cumsum(kept.sum(axis=2).ravel())]),
        probability=chances[kept],
        next_state=targets[kept],
        reward=np.broadcast_to(rewards[..., None], chances.shape)[kept],
        terminated=np.zeros(int(kept.sum()), dtype=np.bool_) if ends is None else ends[kept],
        initial=initial,
        normalise=True,
    )


def shuffled(mdp: TabularMDP, *, seed: int = 0) -> TabularMDP:
    """The same table with its states numbered in a random order."""
    old = np.random.default_rng(seed).permutation(mdp.num_states)
    new = np.argsort(old)
    pairs = (old[:, None] * mdp.num_actions + np.arange(mdp.num_actions)).ravel()
    lengths = np.diff(mdp.first_outcome)[pairs]
    first = np.concatenate([[0], np.cumsum(lengths)])
    outcomes = np.repeat(mdp.first_outcome[pairs] - first[:-1], lengths) + np.arange(first[-1])
    return TabularMDP(
        first_outcome=first,
        probability=mdp.probability[outcomes],
        next_state=new[mdp.next_state[outcomes]],
        reward=mdp.reward[outcomes],
        terminated=mdp.terminated[outcomes],
        initial=mdp.initial[old],
    )


class Table(NamedTuple):
    """One benchmark: a name, how to build its table, and the discount it is solved at."""

    name: str
    build: Callable[[], TabularMDP]
    discount: float


TABLES = [
    Table("garnet 1e3", lambda: garnet(1_000), 0.99),
    Table("garnet 1e5", lambda: garnet(100_000), 0.99),
    Table("garnet 1e6", lambda: garnet(1_000_000), 0.99),
    Table("slippery grid 100x100", lambda: slippery_grid(100), 0.999),
    Table("slippery grid 300x300", lambda: slippery_grid(300), 0.999),
    Table("slippery grid 1000x1000", lambda: slippery_grid(1_000), 0.99),
    Table("chain 1e3", lambda: chain(1_000), 0.9999),
    Table("chain 1e4", lambda: chain(10_000), 0.999),
    Table("inventory 1e3", lambda: inventory(1_000), 0.99),
    Table("inventory 1e4", lambda: inventory(10_000), 0.99),
    Table("tandem queue 100x100", lambda: tandem_queue(100), 0.999),
    Table("layered 200x500", lambda: layered(200, 500), 0.99),
    Table("nearly decomposable 100x1000", lambda: nearly_decomposable(100, 1_000), 0.999),
    Table("long rows 2e3x500", lambda: long_rows(2_000), 0.99),
    Table("maintenance 18^4", lambda: maintenance(18, 4), 0.99),
    Table("deterministic routing 1e5", lambda: routing(100_000), 0.999),
    Table("shuffled layered 200x500", lambda: shuffled(layered(200, 500)), 0.99),
    Table("shuffled slippery grid 300x300", lambda: shuffled(slippery_grid(300)), 0.999),
]
