"""One run: an agent learns in an environment, and is scored exactly on the way.

    grid:    points * (steps / points), ..., steps      scored when that many environment steps have been
        learned from
    seeds:   everything comes from the spec's seed: the agent's, and through the agent the environment's

The result holds only what the spec determines, so that any machine of one kind writes the same bytes.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..records import CurvePoint, RunResult, RunSpec, Snapshot
from ..scoring.meter import RegretMeter, VectorRegretMeter
from ..scoring.scores import Scorer
from ..suite.assembly import discount_for_agents, own_discount
from ..suite.catalogue import make_agent, make_environment, make_environments

#: Most policies kept on the way, and the largest table for which they are.
SNAPSHOTS, MOST_STATES = 12, 500

#: Told of every point of the curve as soon as it is known.
PointSeen = Callable[[CurvePoint], None]


def grid_of(steps: int, points: int) -> tuple[int, ...]:
    """`points` evenly spaced numbers of steps, the last one `steps`.

    >>> grid_of(10, 4)
    (2, 5, 8, 10)
    """
    return tuple(round(steps * (k + 1) / points) for k in range(points))


class ScoringCallback:
    """A callback that scores the agent at every step of the grid.

    Episodes that end between two scores are charged with the mean loss of the policies played at either.

    Attributes:
        next_timestep: of the next score; agents need not call before.
        points: the curve so far.
        snapshots: policies on the way, the final one not among them.
    """

    def __init__(
        self, grid: tuple[int, ...], scorer: Scorer, meter: RegretMeter | VectorRegretMeter, seen: PointSeen
    ) -> None:
        self.points: list[CurvePoint] = []
        self.snapshots: list[Snapshot] = []
        self.next_timestep = grid[0]
        self._grid = grid
        self._kept = snapshot_steps(grid) if scorer.mdp.num_states <= MOST_STATES else frozenset()
        self._scorer = scorer
        self._meter = meter
        self._seen = seen
        self._playing: float | None = None
        self._episodic: float | None = 0.0
        self._charged = 0

    def begin(self, agent: Any) -> None:
        """Scores what is played before anything was learned, for the episodes until the first score."""
        self._playing = self._scorer.score(agent).exploring_value

    def __call__(self, agent: Any) -> None:
        """Scores the agent if it has come to a step of the grid."""
        if agent.num_timesteps >= self.next_timestep:
            self._take(agent, agent.num_timesteps)

    def end(self, agent: Any) -> None:
        """Fills the rest of the grid (all of it, for a planner) with what the agent has come to."""
        if len(self.points) < len(self._grid):
            self._take(agent, self._grid[-1])

    def _take(self, agent: Any, timestep: int) -> None:
        score = self._scorer.score(agent)
        episodes = self._meter.episodes
        self._episodic = self._scorer.episodic_regret(
            self._episodic, (self._playing, score.exploring_value), episodes - self._charged
        )
        self._playing, self._charged = score.exploring_value, episodes
        while len(self.points) < len(self._grid) and self._grid[len(self.points)] <= timestep:
            point = CurvePoint(
                steps=self._grid[len(self.points)],
                value=score.value,
                exploring_value=score.exploring_value,
                episodic_regret=self._episodic,
                gap_regret=self._meter.total,
                episodes=episodes,
                low=score.low,
                high=score.high,
            )
            self.points.append(point)
            self._seen(point)
            if point.steps in self._kept:
                self._keep(agent, point.steps)
        done = len(self.points) == len(self._grid)
        self.next_timestep = sys.maxsize if done else self._grid[len(self.points)]

    def _keep(self, agent: Any, steps: int) -> None:
        policy = self._scorer.final_policy(agent)
        if policy is None or (self.snapshots and self.snapshots[-1].policy == policy):
            return
        values = self._scorer.final_values(agent)
        digits = None if values is None else tuple(float(f"{value:.6g}") for value in values)
        self.snapshots.append(Snapshot(steps, policy, digits))


def snapshot_steps(grid: tuple[int, ...]) -> frozenset[int]:
    """The steps of the grid at which policies are kept: evenly spread, the first among them, the last not.

    >>> sorted(snapshot_steps((10, 20, 30)))
    [10, 20]
    """
    places = np.unique(np.linspace(0, len(grid) - 1, SNAPSHOTS).round().astype(int))
    return frozenset(grid[k] for k in places.tolist() if grid[k] < grid[-1])


@dataclass(frozen=True)
class Setup:
    """All that a run needs, made and not yet begun.

    Attributes:
        scorer: knows the exact answers of the environment.
        meter: the environment in which the agent learns.
        agent: with its seed.
        discount: of an agent that says none of its own.
    """

    scorer: Scorer
    meter: RegretMeter | VectorRegretMeter
    agent: Any
    discount: float

    def close(self) -> None:
        """Closes the environments."""
        self.meter.close()
        self.scorer.env.close()


def make_setup(spec: RunSpec) -> Setup:
    """Makes the environment, its answers and the agent of a run."""
    one_thread()
    env = make_environment(spec.environment)
    discount = discount_for_agents(spec.scoring, env)
    scorer = Scorer(env, spec.scoring, seed=spec.seed)
    copies = spec.agent.num_envs
    meter: RegretMeter | VectorRegretMeter
    if copies == 1:
        meter = RegretMeter(make_environment(spec.environment), scorer.gaps)
    else:
        meter = VectorRegretMeter(make_environments(spec.environment, copies), scorer.gaps)
    agent = make_agent(spec.agent, meter, discount=discount, seed=agent_seed(spec.seed))
    return Setup(scorer, meter, agent, discount)


def run(spec: RunSpec, seen: PointSeen = lambda point: None) -> RunResult:
    """Does one run, and tells `seen` of every point of its curve.

    Raises:
        Exception: whatever the environment or the agent raises.
    """
    stage = make_setup(spec)
    scorer, agent = stage.scorer, stage.agent
    examiner = ScoringCallback(
        grid_of(spec.environment.steps, spec.scoring.points), scorer, stage.meter, seen
    )
    examiner.begin(agent)
    learn(agent, spec.environment.steps, examiner)
    examiner.end(agent)
    result = RunResult(
        spec=spec,
        fingerprint=scorer.mdp.fingerprint,
        optimum=scorer.optimum,
        random=scorer.random,
        floor=scorer.floor(own_discount(agent, stage.discount)),
        curve=tuple(examiner.points),
        policy=scorer.final_policy(agent),
        exact=scorer.exact,
        values=scorer.final_values(agent),
        snapshots=tuple(examiner.snapshots),
    )
    stage.close()
    return result


def learn(agent: Any, steps: int, callback: Any) -> None:
    """Lets the agent learn; Ctrl-C ends the run and not only its learning, where the agent knows of it."""
    if "raise_interrupt" in inspect.signature(agent.learn).parameters:
        agent.learn(steps, callback=callback, raise_interrupt=True)
    else:
        agent.learn(steps, callback=callback)


def agent_seed(seed: int) -> int:
    """The agent's seed, from which it also seeds its environment; neighbouring seeds become strangers."""
    return int(np.random.SeedSequence([seed, 0]).generate_state(1)[0] >> 1)


def one_thread() -> None:
    """Keeps torch, if anybody has loaded it, to one thread: with two, sums differ in their last bits."""
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
