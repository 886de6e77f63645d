"""Sweeps whose learning is invented, over cards whose answers are exact: to test the report only."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bellglass.envs.mdp import TabularMDP
from bellglass.experiments.cards.card import Card
from bellglass.experiments.cards.card_layout import CardLayout
from bellglass.experiments.records import (
    AgentSpec,
    CurvePoint,
    EnvironmentSpec,
    FailedRun,
    RunResult,
    RunSpec,
    ScoringSpec,
    Skipped,
    Snapshot,
    Sweep,
    Timing,
)

DISCOUNT = 0.95
ARROWS = ("←", "↓", "→", "↑")
MOVES = ((0, -1), (1, 0), (0, 1), (-1, 0))


def grid_world(rows: Sequence[str], *, slip: float = 0.2) -> tuple[TabularMDP, CardLayout]:
    """A grid with walls #, start S, goal G (+1) and holes H (0)."""
    cells = [(r, c) for r, row in enumerate(rows) for c, letter in enumerate(row) if letter != "#"]
    number = {cell: s for s, cell in enumerate(cells)}

    def model(s: int, a: int) -> list[tuple[float, int, float, bool]] | None:
        r, c = cells[s]
        if rows[r][c] in "GH":
            return None
        outcomes = []
        for move, p in ((a, 1 - slip), ((a + 1) % 4, slip / 2), ((a + 3) % 4, slip / 2)):
            there = (r + MOVES[move][0], c + MOVES[move][1])
            s2 = number.get(there, s)
            letter = rows[cells[s2][0]][cells[s2][1]]
            outcomes.append((p, s2, float(letter == "G"), letter in "GH"))
        return outcomes

    start = next(s for s, (r, c) in enumerate(cells) if rows[r][c] == "S")
    initial = np.zeros(len(cells))
    initial[start] = 1.0
    mdp = TabularMDP.from_function(model, range(len(cells)), range(4), initial=initial)
    return mdp, CardLayout(background=tuple(rows), cell=tuple(cells), arrows=ARROWS)


def values_of(mdp: TabularMDP, policy: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[float]:
    """[S] exact values of a policy [S, A]."""
    S, A = mdp.num_states, mdp.num_actions
    live = ~mdp.terminal
    P = np.asarray(mdp.transition_matrix.todense()).reshape(S, A, S)
    P_pi, r_pi = np.einsum("sa,sat->st", policy, P), (policy * mdp.expected_reward).sum(axis=1)
    values = np.zeros(S)
    values[live] = np.linalg.solve(np.eye(int(live.sum())) - DISCOUNT * P_pi[np.ix_(live, live)], r_pi[live])
    return [float(value) for value in values]


def card_of(name: str, rows: Sequence[str], *, slip: float = 0.2) -> tuple[Card, TabularMDP]:
    """A card with exact answers, by plain iteration."""
    mdp, place = grid_world(rows, slip=slip)
    S, A = mdp.num_states, mdp.num_actions
    P = np.asarray(mdp.transition_matrix.todense()).reshape(S, A, S)
    values = np.zeros(S)
    for _ in range(2_000):
        q = mdp.expected_reward + DISCOUNT * P @ values
        values = np.where(mdp.terminal, 0.0, q.max(axis=1))
    uniform = values_of(mdp, np.full((S, A), 1 / A))
    start = int(mdp.initial.argmax())
    best = q >= q.max(axis=1, keepdims=True) - 1e-9
    return (
        Card(
            id=f"bellglass/{name.replace(' ', '')}-v0",
            name=name,
            num_states=S,
            num_actions=A,
            num_outcomes=mdp.num_outcomes,
            fingerprint=mdp.fingerprint,
            discount=DISCOUNT,
            horizon=None,
            criterion="discounted",
            optimum={"discounted": float(values[start])},
            random={"discounted": uniform[start]},
            values=tuple(values.tolist()),
            q_values=tuple((None,) * A if mdp.terminal[s] else tuple(q[s].tolist()) for s in range(S)),
            optimal_actions=tuple(
                tuple(bool(b) and not bool(mdp.terminal[s]) for b in best[s]) for s in range(S)
            ),
            policy=tuple(-1 if mdp.terminal[s] else int(best[s].argmax()) for s in range(S)),
            observed=True,
            bound=1e-9,
            gap=0.01,
            layout=place,
            state_labels=tuple(str(cell) for cell in place.cell),
            action_labels=("left", "down", "right", "up"),
            hardness={"diameter": 24.0, "mixing_time": 9.0, "bias_span": None, "effective_horizon": 20.0},
            sources=("invented for tests",),
        ),
        mdp,
    )


WORLDS = {
    "Lake": ("S   ", " H H", "   H", "H  G"),
    "Rooms": ("S  #   ", "   #   ", "       ", "## # ##", "   #   ", "       ", "   #  G"),
    "Corridor": ("S       G",),
}


def invented_sweep(
    *,
    agents: Sequence[str] = ("Planner", "Certainty equivalence", "Q-learning", "DQN", "SB3 DQN", "Memory"),
    environments: Sequence[str] = tuple(WORLDS),
    seeds: int = 5,
    failures: bool = True,
    name: str = "Invented: nothing here was learned",
    points: int = 40,
) -> tuple[Sweep, dict[str, Card]]:
    """Agents that go from random play towards the optimum, each at its own pace; the last plays one place."""
    specs = [AgentSpec(name=a, class_name="Invented", settings={"pace": k}) for k, a in enumerate(agents)]
    places, cards, tables, scoring = [], {}, {}, {}
    for environment in environments:
        cards[environment], tables[environment] = card_of(
            environment, WORLDS.get(environment, WORLDS["Lake"])
        )
        places.append(EnvironmentSpec(id=cards[environment].id, name=environment, steps=50_000))
        scoring[environment] = ScoringSpec(
            criterion="discounted", discount=DISCOUNT, horizon=None, points=points
        )
    planned, finished, failed, missing, skipped = [], [], [], [], []
    timings = {}
    for k, agent in enumerate(specs):
        for place in places:
            if failures and k == len(specs) - 1 and place.name != environments[0]:
                skipped.append(
                    Skipped(agent=agent.name, environment=place.name, reason="needs a memory task")
                )
                continue
            for seed in range(seeds):
                spec = RunSpec(agent=agent, environment=place, scoring=scoring[place.name], seed=seed)
                planned.append(spec)
                if failures and k == 3 and seed == 1 and place.name == environments[0]:
                    failed.append(
                        FailedRun(
                            spec=spec, error="RuntimeError: <b>& it broke", traceback="Traceback\n  x < y & z"
                        )
                    )
                elif failures and k == 4 and seed == seeds - 1 and place.name == environments[-1]:
                    missing.append(spec)
                else:
                    finished.append(invented_run(spec, k, cards[place.name], tables[place.name], points))
                    timings[spec.run_id] = Timing(
                        seconds=0.5 * 2**k + 0.01 * seed, cpu_seconds=0.4 * 2**k, host="host", attempts=1
                    )
    return (
        Sweep(
            folder=Path("results") / "invented",
            name=name,
            suite_text='name = "invented"\nseeds = 5  # <not> a real suite & no result\n',
            agents=tuple(specs),
            environments=tuple(places),
            scoring=scoring,
            seeds=seeds,
            planned=tuple(planned),
            finished=tuple(finished),
            failed=tuple(failed),
            missing=tuple(missing),
            skipped=tuple(skipped),
            timings=timings,
            versions={"bellglass": "0.1.0", "python": "3.11", "numpy": "2.0"},
        ),
        cards,
    )


def invented_run(spec: RunSpec, pace: int, card: Card, mdp: TabularMDP, points: int) -> RunResult:
    """A run that errs in some states, the more the slower its agent; its final score is exact."""
    rng = np.random.default_rng((pace, spec.seed, len(card.name)))
    policy = np.array([row.index(True) if True in row else 0 for row in card.optimal_actions])
    errs = rng.random(len(policy)) < 0.05 * pace
    policy = np.where(errs, rng.integers(0, 4, len(policy)), policy)
    early = [
        np.where(rng.random(len(policy)) < part, rng.integers(0, 4, len(policy)), policy)
        for part in (0.8, 0.4)
    ]
    values = values_of(mdp, np.eye(4)[policy])
    start = int(mdp.initial.argmax())
    optimum, random, final = card.optimum["discounted"], card.random["discounted"], values[start]
    curve, regret = [], 0.0
    for k in range(1, points + 1):
        steps = round(50_000 * k / points)
        way = 1.0 if pace == 0 else -math.expm1(-steps / (2_500 * pace**1.5))
        bump = 0.03 * (final - random) * rng.standard_normal() if k < points and pace else 0.0
        value = final if k == points else min(optimum, random + (final - random) * way + bump)
        regret += (optimum - value) * 50_000 / points / 12
        curve.append(CurvePoint(steps, value, value, regret, regret, 10 * k, value, value))
    return RunResult(
        spec=spec,
        fingerprint=card.fingerprint,
        optimum=optimum,
        random=random,
        floor=0.0,
        curve=tuple(curve),
        policy=tuple(-1 if mdp.terminal[s] else int(a) for s, a in enumerate(policy)),
        exact=True,
        values=tuple(values),
        snapshots=tuple(
            Snapshot(
                curve[place].steps,
                tuple(-1 if mdp.terminal[s] else int(a) for s, a in enumerate(kept)),
                tuple(float(f"{value:.6g}") for value in values_of(mdp, np.eye(4)[kept])),
            )
            for place, kept in zip((1, points // 3), early, strict=True)
        ),
    )


def rows_of_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
