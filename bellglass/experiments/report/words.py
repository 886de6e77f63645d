"""Numbers as words, and the verdict in a few honest sentences; the page and the Markdown say the same."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..statistics import aggregate
from ..statistics.aggregate import CensoredMedian, Interval
from ..wording import counted
from .comparison import Comparison, Ranking, Row
from .svg import short, typeset
from .table_cells import Cell, Share

CRITERIA = {
    "discounted": "discounted return from the start",
    "finite_horizon": "return within the time limit",
    "total": "total return",
    "average": "average reward per step",
}


def score(value: float | None) -> str:
    """Three decimals, but never a rounded 1 for less than the optimum.

    >>> score(0.99961), score(1.0), score(None), score(float("-inf"))
    ('>0.999', '1.000', '–', '−∞')
    """
    if value is None:
        return "–"
    text = f"{value:.3f}"
    return ">0.999" if text == "1.000" and value < 1 - 1e-9 else typeset(text)


def percent(value: float) -> str:
    r"""A score as a manager reads it, on one line; never 100 % for less than the optimum.

    >>> [percent(value).replace("\u00a0", " ") for value in (0.9731, 1.0, 0.99999, -0.25, 0.0)]
    ['97.3 %', '100 %', 'over 99.9 %', '−25 %', '0 %']
    """
    if 0.9995 <= value < 1 - 1e-9:
        return "over 99.9\u00a0%"
    text = f"{100 * value:.1f}".removesuffix(".0")
    return typeset("0" if text == "-0" else text) + "\u00a0%"


def interval(ends: Interval | None) -> str:
    """Both ends, with as many decimals, from three on, as tell them apart; or a dash.

    >>> interval(Interval(0.25, 1.0)), interval(Interval(-1e-9, 0.5)), interval(Interval(0.99984, 1.0))
    ('[0.250, 1.000]', '[0.000, 0.500]', '[0.9998, 1.0000]')
    """
    if ends is None:
        return "–"
    for digits in range(3, 12):
        low, high = rounded(ends.low, digits), rounded(ends.high, digits)
        if low != high:
            break
    return f"[{low}, {high}]"


def rounded(value: float, digits: int) -> str:
    """So many decimals, a true minus, and no minus before 0."""
    text = f"{value:.{digits}f}"
    return typeset(text.removeprefix("-") if float(text) == 0.0 else text)


def three(value: float, *, signed: bool = False) -> str:
    """Three decimals, a true minus, and no minus before 0.

    >>> three(-0.0001), three(-0.25), three(0.25, signed=True), three(float("nan"))
    ('0.000', '−0.250', '+0.250', '–')
    """
    if math.isnan(value):
        return "–"
    text = rounded(value, 3)
    return f"+{text}" if signed and float(f"{value:.3f}") > 0 else text


def share(part: Share | None) -> str:
    """How many of how many, and the interval in percent."""
    if part is None or not part.total:
        return "–"
    ends = part.interval
    assert ends is not None
    return f"{part.count}/{part.total} [{100 * ends.low:.0f}–{100 * ends.high:.0f} %]"


def share_apart(part: Share | None) -> tuple[str, str]:
    """The same in two pieces: how many, and the interval."""
    count, _, ends = share(part).partition(" ")
    return count, ends.strip("[]")


def seconds(value: float | None) -> str:
    """A time that reads well.

    >>> seconds(0.123), seconds(75.0), seconds(7_500.0)
    ('0.12 s', '1 min 15 s', '2 h 05 min')
    """
    if value is None:
        return "–"
    if value < 60:
        return f"{value:.2g} s" if value < 10 else f"{value:.0f} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def reached(some: CensoredMedian) -> str:
    """Median steps and their interval, and how many runs never got there, in one line.

    >>> reached(CensoredMedian(3_000.0, Interval(2_500.0, math.inf), 1, 6))
    '3k [2.5k, ∞] (not reached by 1 of 6)'
    >>> reached(CensoredMedian(None, None, 4, 5))
    'not reached by 4 of 5'
    """
    first, ends, missed = reached_parts(some)
    return " ".join(part for part in (first, ends, f"({missed})" if missed else "") if part)


def reached_parts(some: CensoredMedian) -> tuple[str, str, str]:
    """The same in pieces: the headline, the interval, and who is late where the headline does not say it."""
    late = f"not reached by {some.missed} of {some.total}" if some.missed else ""
    ends = "" if some.interval is None else f"[{short(some.interval.low)}, {short(some.interval.high)}]"
    return (late, ends, "") if some.median is None else (short(some.median), ends, late)


def lost(cell: Cell) -> str:
    """How many runs failed or are missing."""
    parts = [(len(cell.failed), "failed"), (len(cell.missing), "missing")]
    return ", ".join(f"{number} {what}" for number, what in parts if number)


def sampled(cell: Cell) -> str:
    """How many scores are sampled."""
    if not cell.sampled:
        return ""
    return "sampled" if cell.sampled == len(cell.finished) else f"{cell.sampled} sampled"


def range_text(numbers: Sequence[int]) -> str:
    """A number, or from the least to the most.

    >>> range_text([5, 5]), range_text([3, 20]), range_text([])
    ('5', '3–20', '0')
    """
    least, most = min(numbers, default=0), max(numbers, default=0)
    return f"{least:,}" if least == most else f"{least:,}–{most:,}"


def listed(names: Sequence[str]) -> str:
    """Names as one says them.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def verdict(comparison: Comparison) -> tuple[str, list[str]]:
    """The headline, and what one must know beside it."""
    sweep = comparison.sweep
    if not comparison.rankings or not sweep.finished:
        return (
            "No run has finished yet, so nothing can be said.",
            [f"{counted(len(sweep.failed), 'run')} failed, {len(sweep.missing)} not tried."],
        )
    ranking = comparison.rankings[0]
    said = [*boundless(ranking), *separation(ranking)]
    known = {row.agent for row in ranking.rows}
    for other in comparison.rankings[1:]:
        said += [
            placing(other, place, row) for place, row in enumerate(other.rows, 1) if row.agent not in known
        ]
        known |= {row.agent for row in other.rows}
    kinds = {comparison.scales[name].reactive for name in ranking.environments if name in comparison.scales}
    if len(kinds) == 2:
        said.append("Where states are hidden, 0 % is the best play without memory.")
    return capital(headline(comparison, ranking)), [capital(sentence) for sentence in said]


def capital(sentence: str) -> str:
    """With a large first letter, as sentences begin."""
    return sentence[:1].upper() + sentence[1:]


def placing(ranking: Ranking, place: int, row: Row) -> str:
    """Where an agent stands that does not play everything."""
    where = listed(list(ranking.environments))
    if len(ranking.rows) == 1:
        return f"{row.agent} is compared with nobody; on {where} it reaches {percent(row.mean)}."
    best = ranking.rows[0] if place > 1 else ranking.rows[1]
    return (
        f"{row.agent} plays {where} only and is number {place} of {len(ranking.rows)} there, with "
        f"{percent(row.mean)} ({best.agent}: {percent(best.mean)})."
    )


def headline(comparison: Comparison, ranking: Ranking) -> str:
    """Who is first, how good that is, and on what."""
    first = ranking.rows[0]
    level = level_with_first(ranking)
    number = len(ranking.environments)
    where = f"{number} environments" if number > 3 else listed(list(ranking.environments))
    averaged = f", averaged over {where}" if number > 1 else f" on {where}"
    ends = ""
    if first.interval is not None:
        ends = f" (95 % interval {percent(first.interval.low)} to {percent(first.interval.high)})"
    way = f"{percent(first.mean)} of the way from {zero_of(comparison, ranking.environments)} to the optimum{ends}"
    if math.isinf(first.mean):
        return by_middle_half(ranking, averaged, zero_of(comparison, ranking.environments))
    if first.mean < -0.0005:
        zero = zero_of(comparison, ranking.environments)
        who = (
            first.agent
            if len(ranking.rows) == 1
            else f"the best of {len(ranking.rows)} agents, {first.agent},"
        )
        return f"Nobody beats {zero}{averaged}: {who} scores {score(first.mean)}, where 0 is {zero} and 1 the optimum."
    if len(ranking.rows) == 1:
        return f"{first.agent} reaches {way}{averaged}."
    if len(level) > 1:
        return f"{listed(level)} share the first place: each reaches {way}{averaged}."
    return f"{first.agent} comes first of {len(ranking.rows)} agents: it reaches {way}{averaged}."


def by_middle_half(ranking: Ranking, averaged: str, zero: str) -> str:
    """Where even the best mean is -inf: what the interquartile mean, which comes second, says."""
    first, level, number = ranking.rows[0], level_with_first(ranking), len(ranking.rows)
    if math.isinf(first.iqm):
        return f"No score of {'any agent' if number > 1 else first.agent} has a bound{averaged}."
    way = f"by the interquartile mean {percent(first.iqm)} of the way from {zero} to the optimum{averaged}"
    if number == 1:
        return f"{first.agent} reaches {way}."
    if len(level) > 1:
        return f"{listed(level)} share the first place: each reaches {way}."
    return f"{first.agent} comes first of {number} agents: it reaches {way}."


def boundless(ranking: Ranking) -> list[str]:
    """Why even the best mean is -inf, where it is."""
    if math.isfinite(ranking.rows[0].mean):
        return []
    who = "every agent has" if len(ranking.rows) > 1 else f"{ranking.rows[0].agent} has"
    return [f"No mean has a bound: {who} runs that never end, or that failed where others never end."]


def zero_of(comparison: Comparison, environments: Sequence[str]) -> str:
    """What a score of 0 is, in a few words."""
    reactive = [comparison.scales[name].reactive for name in environments if name in comparison.scales]
    return "the best play without memory" if reactive and all(reactive) else "random play"


def meaning(comparison: Comparison) -> str:
    """What 0 and 1 are, in whole sentences."""
    hidden = [name for name in comparison.environments if name in comparison.scales]
    hidden = [name for name in hidden if comparison.scales[name].reactive]
    rest = "0 is uniform random play, 1 the optimum."
    if not hidden:
        return rest
    special = "0 is the best policy without memory, 1 the best one with memory."
    if len(hidden) == len(comparison.environments):
        return special
    return f"{rest} Where states are hidden ({listed(hidden)}) {special}"


def level_with_first(ranking: Ranking) -> list[str]:
    """Agents whose mean is the best one, but for rounding; where it has no bound, also their interquartile mean."""
    best = ranking.rows[0]

    def same(one: float, other: float) -> bool:
        return one == other or abs(one - other) < 1e-9

    return [
        row.agent
        for row in ranking.rows
        if same(row.mean, best.mean) and (math.isfinite(best.mean) or same(row.iqm, best.iqm))
    ]


def separation(ranking: Ranking) -> list[str]:
    """Whom the first is told apart from, and whom not."""
    first, rest = ranking.rows[0], ranking.rows[1:]
    if not rest:
        return ["It is the only agent there, so nothing is compared."]
    level = level_with_first(ranking)
    others = [row.agent for row in rest if row.agent not in level]
    if not others:
        return ["Nobody is behind them."] if math.isfinite(first.mean) else []
    differ = [agent for agent in others if ranking.separated(first.agent, agent)]
    behind = [agent for agent in differ if ranking.pairs[first.agent, agent].probability > 0.5]
    odd = [agent for agent in differ if agent not in behind]
    close = [agent for agent in others if agent not in differ]
    whose, who = ("Its lead", "it") if len(level) == 1 else (f"The lead of {first.agent}", first.agent)
    said = []
    if behind:
        everyone = "all the others" if behind == others and len(behind) > 3 else listed(behind)
        said.append(f"{whose} over {everyone} is beyond chance.")
    if odd:
        said.append(
            f"A single run of {listed(odd)} mostly does better than one of {first.agent}, but the mean is lower."
        )
    if close:
        everyone = "any of the others" if close == others and len(close) > 1 else listed(close)
        said.append(f"{counted(ranking.seeds, 'seed')} cannot tell {who} apart from {everyone}.")
    return said


def warnings(comparison: Comparison) -> list[str]:
    """What weakens the numbers below."""
    sweep = comparison.sweep
    said = []
    fewest = min((ranking.seeds for ranking in comparison.rankings), default=0)
    if comparison.rankings and fewest < aggregate.FEWEST:
        said.append(
            f"Only {counted(fewest, 'seed')} somewhere: below {aggregate.FEWEST} seeds a mean has no interval."
        )
    elif comparison.rankings and fewest < aggregate.ADVISED:
        said.append(
            f"{counted(fewest, 'seed')} are few: intervals are wide, and a bootstrap interval of the IQM covers less "
            f"than its 95 % (plan {aggregate.ADVISED} or more; 20 by default)."
        )
    if sweep.failed:
        said.append(
            f"{counted(len(sweep.failed), 'run')} failed. A failed run counts with the worst score of any run in its "
            "environment, and never above 0, so that crashing does not pay; curves show finished runs only."
        )
    if sweep.missing:
        said.append(f"{counted(len(sweep.missing), 'run')} not done yet: the numbers are of what is there.")
    if comparison.unscored:
        said.append(
            f"Random play is already optimal, or its value has no bound, in {listed(list(comparison.unscored))}: there "
            "is no score to give there."
        )
    if comparison.sampled:
        owners = {cell.agent for cell in comparison.cells.values() if cell.sampled}
        whose = [agent for agent in comparison.agents if agent in owners]
        said.append(
            f"{counted(comparison.sampled, 'score')} of {listed(whose)}: sampled in episodes, not exact, where "
            "histories cannot all be followed; they are marked, and runs.csv has the 95 % interval of each."
        )
    return said


def range_of(ranking: Ranking) -> str:
    """The range that betting intervals stand on."""
    low, high = ranking.score_range
    if low >= 0:
        return f"{low:.3g} to {high:.3g} (no run scored below 0)"
    return (
        typeset(f"{low:.3g} to {high:.3g}")
        + " (its lower end is the worst run seen, averaged over environments)"
    )
