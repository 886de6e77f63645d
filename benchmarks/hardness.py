"""Seconds of `bellglass.hardness`, and of the plain method for the diameter, interleaved on the same tables.

    python benchmarks/hardness.py            a handful of tables, some minutes (the plain method takes most of them)
    python benchmarks/hardness.py --large    tables of 6,000 states beside them, without the plain method

No package that we know of computes a diameter.  The plain method solves one stochastic shortest path for each target:
value iteration for blocks of targets at once, then policy iteration with sparse factors until nothing improves.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from time import perf_counter
from typing import Any

import gymnasium as gym
import numpy as np
import scipy.sparse
import scipy.sparse.linalg

import bellglass
from bellglass.envs.mdp import FloatArray, IntArray, TabularMDP
from bellglass.planning.difficulty.diameters import Moves, diameter
from bellglass.planning.difficulty.measures import Restarting


def lake(side: int) -> list[str]:
    """An open lake without holes, from one corner to the other."""
    rows = [["F"] * side for _ in range(side)]
    rows[0][0], rows[-1][-1] = "S", "G"
    return ["".join(row) for row in rows]


SMALL: list[tuple[str, dict[str, Any]]] = [
    ("RiverSwim", {"n": 300}),
    ("Taxi", {}),
    ("Inventory", {}),
    ("FrozenLake", {"desc": lake(26)}),
    ("FickleTaxi", {}),
]
LARGE: list[tuple[str, dict[str, Any]]] = [("RiverSwim", {"n": 6_000}), ("FrozenLake", {"desc": lake(77)})]


def plain_diameter(moves: Moves) -> float:
    """One stochastic shortest path a target."""
    size = moves.matrix.shape[1]
    first = np.flatnonzero(np.diff(moves.state, prepend=-1))
    block = max(1, 2_000_000 // size)
    longest = 0.0
    for begin in range(0, size, block):
        targets = np.arange(begin, min(size, begin + block))
        steps = np.zeros((size, len(targets)))
        for _ in range(min(4 * size, 400)):
            better = 1.0 + np.minimum.reduceat(moves.matrix @ steps, first, axis=0)
            better[targets, np.arange(len(targets))] = 0.0
            moved, steps = float((better - steps).max()), better
            if moved < 1e-9:
                break
        for target, guess in zip(targets.tolist(), steps.T, strict=True):
            longest = max(longest, float(_improved(moves, first, target, guess).max()))
    return longest


def _improved(moves: Moves, first: IntArray, target: int, steps: FloatArray) -> FloatArray:
    size = len(steps)
    others = np.delete(np.arange(size), target)
    ends = np.append(first[1:], len(moves.state))
    rows = np.full(size, -1)
    settled = np.zeros(size, dtype=np.bool_)
    settled[target], rows[target] = True, first[target]
    q = moves.matrix @ steps
    while not settled.all():  # a pair for each state that may come closer
        cost = np.where((moves.matrix @ settled.astype(np.float64)) > 0, q, np.inf)
        least = np.minimum.reduceat(cost, first)
        for s in np.flatnonzero(np.isfinite(least) & ~settled).tolist():
            rows[s] = first[s] + int(cost[first[s] : ends[s]].argmin())
        settled |= np.isfinite(least)
    while True:
        chain = moves.matrix[rows[others]][:, others]
        system = scipy.sparse.eye_array(size - 1, format="csc") - chain.tocsc()
        steps = np.zeros(size)
        steps[others] = scipy.sparse.linalg.spsolve(system, np.ones(size - 1))
        q = moves.matrix @ steps
        better = np.minimum.reduceat(q, first) < q[rows] * (1.0 - 1e-12) - 1e-12
        better[target] = False
        if not better.any():
            return steps
        for s in np.flatnonzero(better).tolist():
            rows[s] = first[s] + int(q[first[s] : ends[s]].argmin())


def seconds(run: Callable[[], object]) -> tuple[float, Any]:
    """Wall clock of one call, and what it found."""
    began = perf_counter()
    found = run()
    return perf_counter() - began, found


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--large", action="store_true")
    large = parser.parse_args().large
    bellglass.hardness(table("Taxi", {}))  # machine code is compiled, or read from disk, once
    print(f"{'table':28} {'states':>6} {'hardness':>9} {'diameter':>9} {'plain':>9} {'ratio':>6}")
    for name, keywords in SMALL + (LARGE if large else []):
        mdp = table(name, keywords)
        chain = Restarting(mdp)
        states, moves = chain.states, chain.moves
        whole, _ = seconds(lambda mdp=mdp: bellglass.hardness(mdp))
        ours, (steps, _) = seconds(lambda moves=moves: diameter(moves))
        line = f"{name + ' ' + shown(keywords):28} {len(states):6} {whole:7.2f} s {ours:7.3f} s"
        if (name, keywords) in SMALL:
            theirs, expected = seconds(lambda moves=moves: plain_diameter(moves))
            assert abs(steps - expected) <= 1e-9 * expected, (steps, expected)
            line += f" {theirs:7.2f} s {theirs / ours:5.0f}x"
        print(line, flush=True)


def table(name: str, keywords: dict[str, Any]) -> TabularMDP:
    """Of a registered environment."""
    return bellglass.table_of(gym.make(f"bellglass/{name}-v0", **keywords))


def shown(keywords: dict[str, Any]) -> str:
    """Keywords in few letters."""
    words = {
        key: f"{len(value)}x{len(value)}" if key == "desc" else str(value) for key, value in keywords.items()
    }
    return ", ".join(f"{key}={value}" if key != "desc" else value for key, value in words.items())


if __name__ == "__main__":
    main()
