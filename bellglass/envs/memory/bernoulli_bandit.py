"""BernoulliBandit: n pulls of two arms whose chances are unknown, as the table of what one knows about them.

    state (a, b, c, d)     (successes + 1, failures + 1) of arm 0, then of arm 1; uniform priors: (1, 1, 1, 1)
    action 0               arm 0: success with chance a / (a + b) pays 1, a + 1;  failure pays 0, b + 1
    action 1               arm 1: the same with c and d
                           the n-th pull ends

The chances are hidden, the counts are not: beliefs given the counts are Beta(a, b) and Beta(c, d), so the counts are
the states of a fully observed table, the Bayes-adaptive one, and its optimum is Bayes-optimal.  States are the
counts after 0, 1, .., n - 1 pulls, in order, then the end.

With endless pulls and a discount, the best arm to pull is the one of the greatest Gittins index, a function of
that arm's counts alone (`gittins_index`).

Bellman (1956); Berry & Fristedt, Bandit Problems (1985); Gittins, J. Royal Stat. Soc. B 41 (1979).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Unpack

import numpy as np

from ..keywords import real, whole
from ..mdp import FloatArray, IntArray, TabularMDP
from ..mdp.memory_limit import brief, require_memory
from ..mdp.outcomes import sorted_outcomes
from ..rendering.cells import FAINT, GOAL, INK, LINE, WHITE, Artist, RGBArray
from ..rendering.glyphs import Colour
from ..rendering.shapes import canvas, panel, words
from ..tabular import EnvSettings, TabularEnv


def counts_after(pulls: int) -> IntArray:
    """[C, 4] all (a, b, c, d) with that many pulls, in lexicographic order."""
    axis = np.arange(pulls + 1)
    a, b, c = (grid.ravel() for grid in np.meshgrid(axis, axis, axis, indexing="ij"))
    kept = a + b + c <= pulls
    d = pulls - a - b - c
    found: IntArray = np.stack([a, b, c, d], axis=1)[kept] + 1
    return found


def bernoulli_bandit(n: int) -> TabularMDP:
    """The table: counts of fewer than n pulls, and the end."""
    end = n * (n + 1) * (n + 2) * (n + 3) // 24
    require_memory(end * 700 + 80 * n**3, f"a table of {brief(end)} states", {"n": n})
    levels = [counts_after(pulls) for pulls in range(n)]
    first = np.cumsum([0, *(len(level) for level in levels)])
    codes = [level @ (n + 1) ** np.arange(3, -1, -1) for level in levels]  # ascending
    pairs, chances, targets, rewards, ends = [], [], [], [], []
    for pulls, level in enumerate(levels):
        states = first[pulls] + np.arange(len(level))
        last = pulls == n - 1
        for arm in (0, 1):
            mean = level[:, 2 * arm] / (level[:, 2 * arm] + level[:, 2 * arm + 1])
            for column, p, reward in ((2 * arm, mean, 1.0), (2 * arm + 1, 1.0 - mean, 0.0)):
                more = codes[pulls] + (n + 1) ** (3 - column)
                pairs.append(2 * states + arm)
                chances.append(p)
                targets.append(
                    np.full(len(level), end)
                    if last
                    else first[pulls + 1] + np.searchsorted(codes[pulls + 1], more)
                )
                rewards.append(np.full(len(level), reward))
                ends.append(np.full(len(level), last))
    labels: list[Hashable] = [tuple(counts) for level in levels for counts in level.tolist()]
    return TabularMDP(
        **sorted_outcomes(
            2 * (end + 1),
            pair=np.concatenate(pairs),
            probability=np.concatenate(chances),
            next_state=np.concatenate(targets),
            reward=np.concatenate(rewards),
            terminated=np.concatenate(ends),
        ),
        initial=np.arange(end + 1) == 0,
        state_labels=[*labels, "end"],
        action_labels=("arm 0", "arm 1"),
    )


def gittins_index(a: float, b: float, discount: float, *, tolerance: float = 1e-9) -> float:
    """Gittins index of an arm whose chance of success is Beta(a, b), by calibration, within `tolerance`.

    The index is the sure reward per pull, i, for which going on and retiring for ever on i are worth the same:

        w(a, b)  =  max(i / (1 - discount),  p (1 + discount * w(a + 1, b)) + (1 - p) * discount * w(a, b + 1))

    with p = a / (a + b).  What comes after n pulls is left out, which lowers the gain of going on by at most
    discount**n / (1 - discount); since that gain falls by at least 1 for each unit of i, the index errs by no more
    (derived here).

    Args:
        a: successes + 1 (any positive number).
        b: failures + 1 (any positive number).
        discount: in [0, 1).
        tolerance: in (0, 1).

    Raises:
        ValueError: an argument out of range, or a discount so near 1 that the look-ahead would be too long.

    >>> round(gittins_index(1, 1, 0.9), 4)
    0.7029
    """
    for name, number in (("a", a), ("b", b)):
        if not real(name, number, 0.0) > 0.0:
            raise ValueError(f"{name} must be positive, got {number}")
    if not 0.0 <= real("discount", discount, 0.0, 1.0) < 1.0:
        raise ValueError(f"discount must be in [0, 1), got {discount}")
    if not 0.0 < real("tolerance", tolerance, 0.0, 1.0) < 1.0:
        raise ValueError(f"tolerance must be in (0, 1), got {tolerance}")
    mean = a / (a + b)
    if discount == 0.0:
        return mean
    steps = int(
        np.ceil(np.log(tolerance / 4.0 * (1.0 - discount)) / np.log(discount))
    )  # errs by tolerance / 4
    if steps > LONGEST:
        raise ValueError(
            f"a discount of {discount} and a tolerance of {tolerance:g} look {steps} pulls ahead, {LONGEST} at most"
        )
    low, high = mean, 1.0
    while high - low > tolerance / 2.0:
        middle = (low + high) / 2.0
        low, high = (
            (middle, high) if _gain_of_going_on(a, b, discount, middle, steps) > 0.0 else (low, middle)
        )
    return (low + high) / 2.0


#: Pulls that `gittins_index` looks ahead at most: a few seconds of work.
LONGEST = 20_000


def _gain_of_going_on(a: float, b: float, discount: float, index: float, steps: int) -> float:
    """By how much one more pull, and then the best, beats retiring on `index` at once; in units of reward.

    With values counted from retirement, u = w - index / (1 - discount) >= 0, a pull is worth
    p - index + discount * (p u(a + 1, b) + (1 - p) u(a, b + 1)).
    """
    ahead: FloatArray = np.zeros(steps + 1)
    gain = 0.0
    for pulls in range(steps - 1, -1, -1):
        p = (a + np.arange(pulls + 1)) / (a + b + pulls)
        pull = p - index + discount * (p * ahead[1 : pulls + 2] + (1.0 - p) * ahead[: pulls + 1])
        gain = float(pull[0])
        ahead = np.maximum(pull, 0.0)
    return gain


ARM_COLOURS: tuple[Colour, Colour] = ((72, 110, 173), (160, 84, 180))
FAILED: Colour = (205, 92, 78)


class BernoulliBanditArtist:
    """Draws each arm's successes and failures, and the mean of its belief."""

    def __init__(self, mdp: TabularMDP, n: int) -> None:
        self._labels = mdp.state_labels or ()
        self._n = n

    def text(self, state: int) -> str:
        """A line an arm."""
        label = self._labels[state]
        if not isinstance(label, tuple):
            return "(end)"
        lines = []
        for arm in (0, 1):
            won, lost = label[2 * arm] - 1, label[2 * arm + 1] - 1
            lines.append(
                f"arm {arm}: {won} successes, {lost} failures, mean {(won + 1) / (won + lost + 2):.3f}"
            )
        return "\n".join(lines)

    def picture(self, state: int) -> RGBArray:
        """[288, 400, 3]."""
        image = canvas(288, 400)
        label = self._labels[state]
        if not isinstance(label, tuple):
            words(image, "END", FAINT, (144, 200), dot=9)
            return image
        for arm in (0, 1):
            x, unit = 110.0 + 180 * arm, 150.0 / self._n
            panel(image, LINE, (134, x + 3), (236, 148), corner=18)
            panel(image, WHITE, (130, x), (236, 148), corner=18)
            panel(image, ARM_COLOURS[arm], (38, x), (36, 116), corner=10)
            words(image, f"ARM {arm}", WHITE, (38, x), dot=3)
            for side, colour in ((0, GOAL), (1, FAILED)):
                count, left = label[2 * arm + side] - 1, x - 30 + 60 * side
                panel(image, LINE, (140, left), (150, 34), corner=6)
                if count:
                    panel(
                        image,
                        colour,
                        (215 - unit * count / 2, left),
                        (unit * count, 34),
                        corner=min(6.0, unit),
                    )
                words(image, str(count), INK, (232, left), dot=3)
            mean = label[2 * arm] / (label[2 * arm] + label[2 * arm + 1])
            words(image, f"{mean:.3f}", FAINT, (268, x), dot=3)
        return image


class BernoulliBandit(TabularEnv):
    """Pull the better of two unknown arms.

    Args:
        n: number of pulls, at least 1.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(self, n: int = 10, **settings: Unpack[EnvSettings]) -> None:
        self._n = whole("n", n, 1)
        super().__init__(bernoulli_bandit(self._n), **settings)

    @property
    def artist(self) -> Artist:
        """Draws what is known about each arm."""
        return BernoulliBanditArtist(self.mdp, self._n)
