"""What the statistics of a comparison cost, next to rliable where that is installed.

    python benchmarks/bootstrap.py [--rounds 5]

Two agents, six environments, twenty seeds.  Wall seconds and CPU seconds, the median of the rounds; ours and rliable's
take turns.  Ours makes 50,000 replications; rliable makes 2,000, and is scaled up to 50,000 by its replications a
second.  rliable 1.2.0 does not import beside pandas 3, so it wants an environment of its own:

    python -m venv other && other/bin/pip install "rliable==1.2.0" "pandas<3" gymnasium
    PYTHONPATH=. other/bin/python benchmarks/bootstrap.py
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bellglass.experiments.statistics.aggregate import (
    Interval,
    betting_interval,
    bootstrap,
    compare_all,
    interquartile_mean_of,
    mean_of,
)

REPLICATIONS, THEIRS = 50_000, 2_000

FloatArray = npt.NDArray[np.float64]


def two_agents() -> dict[str, FloatArray]:
    """[seeds, environments] scores."""
    generator = np.random.default_rng(0)
    return {name: generator.beta(4 + k, 1.5, (20, 6)) for k, name in enumerate(("one", "other"))}


def of_ours(
    agents: dict[str, FloatArray], statistic: Callable[[Sequence[FloatArray]], FloatArray], replications: int
) -> dict[str, Interval | None]:
    """Percentile intervals of every agent."""
    return {
        name: bootstrap(list(scores.T), statistic, seed=0, replications=replications)
        for name, scores in agents.items()
    }


def of_rliable(
    library: Any, metrics: Any, agents: dict[str, FloatArray], replications: int
) -> dict[str, Any]:
    """The same by rliable."""
    _, intervals = library.get_interval_estimates(
        agents, lambda scores: np.array([metrics.aggregate_iqm(scores)]), reps=replications
    )
    return {name: intervals[name].ravel() for name in agents}


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Prints one line for each kind of work."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    agents = two_agents()
    many = {f"agent {k}": list(np.random.default_rng(k).beta(4, 1.5, (6, 20))) for k in range(10)}
    works: dict[str, Callable[[], object]] = {
        "bootstrap of the IQM, two agents": lambda: of_ours(agents, interquartile_mean_of, REPLICATIONS),
        "bootstrap of the mean, two agents": lambda: of_ours(agents, mean_of, REPLICATIONS),
        "betting interval, two agents": lambda: [
            betting_interval(scores.mean(axis=1), 0.0, 1.0) for scores in agents.values()
        ],
        "all 45 pairs of ten agents": lambda: compare_all(many),
    }
    scale = dict.fromkeys(works, 1.0)
    try:
        from rliable import library, metrics
    except ImportError as error:
        print(f"rliable cannot be imported ({error}): ours alone")
    else:
        theirs = f"rliable, scaled from {THEIRS:,} replications"
        works[theirs] = lambda: of_rliable(library, metrics, agents, THEIRS)
        scale[theirs] = REPLICATIONS / THEIRS
        for name, interval in of_ours(agents, interquartile_mean_of, REPLICATIONS).items():
            other = of_rliable(library, metrics, {name: agents[name]}, THEIRS)[name]
            print(f"IQM of {name}: ours {interval}, rliable's {other[0]:.4f} to {other[1]:.4f}")
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            taken[name].append(seconds(work))
    for name, pairs in taken.items():
        wall, cpu = (scale[name] * statistics.median(each) for each in zip(*pairs, strict=True))
        print(f"{name:48} {wall:8.3f} s wall {cpu:8.3f} s CPU")
    print(f"most memory held: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
