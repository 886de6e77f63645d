"""Whether what an environment did agrees with what a table says: counts against chances.

Every outcome seen must be one that the table lists for its row, and the outcomes must be as frequent as it says.
That is asked twice:  of all rows together, by the sum of Pearson's

    X2 = sum_k (seen_k - n p_k)^2 / (n p_k),    E X2 = K - 1,
    Var X2 = 2 (K - 1) + (sum_k 1 / p_k - K^2 - 2 K + 2) / n      (exact for every n)

which must lie within eight standard deviations of its mean; and of each outcome alone, by the exact two-sided
chance of a binomial count so far out, times the number of outcomes asked (Bonferroni), which must not fall below
one in a million.  The first sees many small errors, the second a single large one.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping
from typing import NamedTuple

import numpy as np

#: Standard deviations by which the frequencies of all rows together may miss.
TOLERANCE = 8.0

#: The least chance, after Bonferroni, of a single outcome's count.
LEAST_CHANCE = 1e-6

#: Outcomes rarer than this are counted together in Pearson's sum, to keep its tails light.
RARE = 0.05


class Evidence(NamedTuple):
    """What a trial found.

    Attributes:
        counts: outcomes seen.
        rows: different rows that were seen at least once.
        deviations: by how many standard deviations Pearson's sum lies above its mean.
        least_chance: of the most surprising count, after Bonferroni, at most 1.
    """

    counts: int
    rows: int
    deviations: float
    least_chance: float


class FrequencyTest:
    """Counts outcomes, row by row, against their claimed chances.

    Args:
        defendant: how an error's sentence begins, such as "<TaxiEnv> does not follow its P".
    """

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self._claims: dict[Hashable, Mapping[Hashable, float]] = {}
        self._seen: dict[Hashable, Counter[Hashable]] = defaultdict(Counter)
        self._words: dict[Hashable, str] = {}

    def knows(self, row: Hashable) -> bool:
        """Whether the row's chances have been told."""
        return row in self._claims

    def claim(self, row: Hashable, chances: Mapping[Hashable, float], words: str) -> None:
        """Tells a row's chances, and how to speak of it: "action 2 in state 3"."""
        self._claims[row] = chances
        self._words[row] = words

    def see(self, row: Hashable, outcome: Hashable) -> None:
        """Counts an outcome.

        Raises:
            ValueError: the claim excludes it.
        """
        if not self._claims[row].get(outcome, 0.0) > 0:
            listed = sorted(map(str, self._claims[row]))
            more = f" and {len(listed) - 8} more" if len(listed) > 8 else ""
            raise ValueError(
                f"{self.subject}: {self._words[row]} led to {outcome}, but it lists "
                f"{', '.join(listed[:8])}{more}"
            )
        self._seen[row][outcome] += 1

    def result(self) -> Evidence:
        """All counts against their chances.

        Raises:
            ValueError: they are not as frequent as claimed.
        """
        total = sum(counts.total() for counts in self._seen.values())
        deviations = self._pearson()
        if deviations > TOLERANCE:
            raise ValueError(
                f"{self.subject}: in {total} draws the outcomes' frequencies missed its chances by "
                f"{deviations:.0f} standard deviations"
            )
        chance, words = self._most_surprising()
        if chance < LEAST_CHANCE:
            raise ValueError(f"{self.subject}: {words}, which has a chance of {chance:.1g}")
        return Evidence(total, len(self._seen), deviations, chance)

    def _pearson(self) -> float:
        excess = variance = 0.0
        for row, counts in self._seen.items():
            n = counts.total()
            cells = _pooled(self._claims[row], counts)
            k = len(cells)
            if k > 1:
                excess += sum((count - n * p) ** 2 / (n * p) for p, count in cells) - (k - 1)
                variance += 2 * (k - 1) + (sum(1 / p for p, _ in cells) - k * k - 2 * k + 2) / n
        if variance <= 1e-12:  # a fair coin tossed once always gives X2 = 1
            return 0.0 if excess < 1e-9 else math.inf
        return excess / math.sqrt(variance)

    def _most_surprising(self) -> tuple[float, str]:
        """The least chance of one outcome's count times the number of outcomes asked, and what it was."""
        from scipy.special import bdtr, bdtrc

        cells = [
            (row, outcome, counts[outcome], counts.total(), p)
            for row, counts in self._seen.items()
            for outcome, p in self._claims[row].items()
            if 0 < p < 1 - 1e-9
        ]
        if not cells:
            return 1.0, "nothing was left to chance"
        seen = np.array([cell[2] for cell in cells], dtype=np.float64)
        n = np.array([cell[3] for cell in cells])
        p = np.array([cell[4] for cell in cells])
        at_least = np.where(seen > 0, bdtrc(np.maximum(seen - 1, 0), n, p), 1.0)
        chance = np.minimum(1.0, 2 * np.minimum(bdtr(seen, n, p), at_least) * len(cells))
        worst = int(chance.argmin())
        row, outcome, count, of, p_claimed = cells[worst]
        words = (
            f"{self._words[row]} led to {outcome} {count} times in {of}, where it claims {p_claimed:.6g} each"
        )
        return float(chance[worst]), words


def _pooled(claim: Mapping[Hashable, float], counts: Counter[Hashable]) -> list[tuple[float, int]]:
    """(chance, count) of each outcome, the rare ones added to the likeliest."""
    likeliest = max(claim, key=lambda outcome: claim[outcome])
    cells = {
        outcome: (p, counts[outcome]) for outcome, p in claim.items() if p >= RARE or outcome == likeliest
    }
    rest = [(p, counts[outcome]) for outcome, p in claim.items() if outcome not in cells]
    cells[likeliest] = tuple(np.sum([cells[likeliest], *rest], axis=0))
    return [(float(p), int(count)) for p, count in cells.values()]
