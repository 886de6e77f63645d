"""How often a 95 % interval holds the truth, where one seed in ten fails: the table of docs/statistics.md.

    python tests/interval_coverage.py [--trials 4000]

A run fails with chance .1 and then scores uniformly in [0, .5]; else its score is Beta(60, 3), mean .952.  The true
mean is .882, the true IQM .952 (the mean of the distribution between its quartiles, in closed form).  A row is one
interval, a column a number of seeds; "six" are six environments alike.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaincinv

from bellglass.experiments.statistics.aggregate import (
    Interval,
    betting_interval,
    bootstrap,
    improvement_interval,
    interquartile_mean_of,
    mean_of,
    percentile_interval,
)

SEEDS = (3, 5, 10, 20)
FAILING, A, B = 0.1, 60.0, 3.0
REPLICATIONS = 1_000

FloatArray = npt.NDArray[np.float64]
Strata = list[FloatArray]

MEAN = FAILING * 0.25 + (1 - FAILING) * A / (A + B)


def true_iqm() -> float:
    """Failures are all below the lower quartile, so the middle half is a stretch of the Beta distribution."""
    low, high = (betaincinv(A, B, (q - FAILING) / (1 - FAILING)) for q in (0.25, 0.75))
    within = betainc(A + 1, B, high) - betainc(
        A + 1, B, low
    )  # x times the density of Beta(A, B) is A / (A + B) ...
    return float((1 - FAILING) * A / (A + B) * within / 0.5)  # ... times that of Beta(A + 1, B)


def runs(rng: np.random.Generator, seeds: int) -> FloatArray:
    """[seeds] scores."""
    fails = rng.random(seeds) < FAILING
    return np.where(fails, 0.5 * rng.random(seeds), rng.beta(A, B, seeds))


def bootstrapped(statistic: Callable[..., FloatArray]) -> Callable[[Strata, int], Interval | None]:
    """The percentile interval; `trial` is its seed."""
    return lambda strata, trial: bootstrap(strata, statistic, seed=trial, replications=REPLICATIONS)


def betting(strata: Strata, trial: int) -> Interval | None:
    """Of the mean over environments, seed by seed."""
    return betting_interval(np.mean(strata, axis=0), 0.0, 1.0)


def against_a_steady_agent(strata: Strata, trial: int) -> Interval | None:
    """Of the chance to beat an agent whose runs all score close to .6: .9, since only failures lose."""
    rng = np.random.default_rng((trial, 1))
    return improvement_interval(strata, [0.6 + 0.01 * rng.random(len(scores)) for scores in strata])


def resampled_pairs(strata: Strata, trial: int) -> Interval | None:
    """The same by a percentile bootstrap of both agents' runs, which we do not use."""
    rng = np.random.default_rng((trial, 1))
    x, y = strata[0], 0.6 + 0.01 * rng.random(len(strata[0]))
    beats = (x[:, None] > y).astype(np.float64)
    rows, columns = (rng.multinomial(len(z), np.full(len(z), 1 / len(z)), size=REPLICATIONS) for z in (x, y))
    return percentile_interval(((rows @ beats) * columns).sum(axis=1) / beats.size)


#: {row of the table: (environments, interval, truth)}
ROWS: dict[str, tuple[int, Callable[[Strata, int], Interval | None], float]] = {
    "mean, betting": (1, betting, MEAN),
    "mean, bootstrap": (1, bootstrapped(mean_of), MEAN),
    "IQM, bootstrap": (1, bootstrapped(interquartile_mean_of), true_iqm()),
    "mean of six, betting": (6, betting, MEAN),
    "mean of six, bootstrap": (6, bootstrapped(mean_of), MEAN),
    "IQM of six, bootstrap": (6, bootstrapped(interquartile_mean_of), true_iqm()),
    "chance to beat .6, betting on pairs": (1, against_a_steady_agent, 1 - FAILING),
    "chance to beat .6, bootstrap": (1, resampled_pairs, 1 - FAILING),
}


def coverage(row: str, seeds: int, trials: int) -> float:
    """Share of simulated comparisons whose interval holds the truth; no interval holds nothing."""
    environments, interval, truth = ROWS[row]
    rng = np.random.default_rng((seeds, list(ROWS).index(row)))
    held = 0
    for trial in range(trials):
        found = interval([runs(rng, seeds) for _ in range(environments)], trial)
        held += found is not None and found.low <= truth <= found.high
    return held / trials


def main() -> None:
    """Prints the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=4_000)
    trials = parser.parse_args().trials
    print("| 95 % interval of | " + " | ".join(f"{seeds} seeds" for seeds in SEEDS) + " |")
    print("| --- |" + " --- |" * len(SEEDS))
    for row in ROWS:
        shares = [f"{coverage(row, seeds, trials):.3f}".removeprefix("0") for seeds in SEEDS]
        print(f"| {row} | " + " | ".join(shares) + " |", flush=True)


if __name__ == "__main__":
    main()
