"""Numbers as words, and the verdict in one honest paragraph; the page and the Markdown say the same."""

from __future__ import annotations

from collections.abc import Sequence

from .. import aggregate
from ..aggregate import Interval
from ..pictures import short
from .comparison import Comparison, Ranking, Reached, Row, Share

CRITERIA = {
    "discounted": "discounted return from the start",
    "finite_horizon": "return within the time limit",
    "total": "total return",
    "average": "average reward per step",
}


def score(value: float | None) -> str:
    """Three decimals, but never a rounded 1 for less than the optimum.

    >>> score(0.99961), score(1.0), score(None)
    ('>0.999', '1.000', '–')
    """
    if value is None:
        return "–"
    text = f"{value:.3f}"
    return ">0.999" if text == "1.000" and value < 1 - 1e-9 else text.replace("-", "−")


def interval(ends: Interval | None) -> str:
    """Both ends, or a dash.

    >>> interval(Interval(0.25, 1.0))
    '[0.250, 1.000]'
    """
    return "–" if ends is None else f"[{ends.low:.3f}, {ends.high:.3f}]".replace("-", "−")


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


def reached(some: Reached) -> str:
    """Median steps, and how many runs never got there."""
    missed = f"not reached by {some.missed} of {some.total}"
    if some.median is None:
        return missed
    return short(some.median) + (f" ({missed})" if some.missed else "")


def listed(names: Sequence[str]) -> str:
    """Names as one says them.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def counted(number: int, word: str) -> str:
    """One run, two runs.

    >>> counted(1, "run"), counted(0, "run")
    ('1 run', '0 runs')
    """
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def verdict(comparison: Comparison) -> tuple[str, list[str]]:
    """The headline, and what one must know beside it."""
    sweep = comparison.sweep
    if not comparison.rankings:
        return (
            "No run has finished yet, so nothing can be said.",
            [f"{counted(len(sweep.failed), 'run')} failed, {len(sweep.missing)} not tried."],
        )
    ranking = comparison.rankings[0]
    said = [*separation(ranking)]
    known = {row.agent for row in ranking.rows}
    for other in comparison.rankings[1:]:
        said += [
            placing(other, place, row) for place, row in enumerate(other.rows, 1) if row.agent not in known
        ]
        known |= {row.agent for row in other.rows}
    return capital(headline(ranking)), [capital(sentence) for sentence in said]


def capital(sentence: str) -> str:
    """With a large first letter, as sentences begin."""
    return sentence[:1].upper() + sentence[1:]


def placing(ranking: Ranking, place: int, row: Row) -> str:
    """Where an agent stands that does not play everything."""
    where = listed(list(ranking.environments))
    if len(ranking.rows) == 1:
        return f"{row.agent} is compared with nobody; on {where} it scores {score(row.mean)}."
    best = ranking.rows[0] if place > 1 else ranking.rows[1]
    return (
        f"{row.agent} is compared on {where} only: number {place} of {len(ranking.rows)} with {score(row.mean)} "
        f"({best.agent}: {score(best.mean)})."
    )


def headline(ranking: Ranking) -> str:
    """Who is first, by how much, on what."""
    first = ranking.rows[0]
    level = level_with_first(ranking)
    where = (
        f"all of {listed(list(ranking.environments))}"
        if len(ranking.environments) < 4
        else f"{len(ranking.environments)} environments"
    )
    ends = f" (95 % interval {first.interval.low:.3f} to {first.interval.high:.3f})" if first.interval else ""
    if len(level) > 1:
        return f"{listed(level)} share the first place with a mean score of {score(first.mean)}{ends} on {where}."
    return f"{first.agent} is first with a mean score of {score(first.mean)}{ends} on {where}."


def level_with_first(ranking: Ranking) -> list[str]:
    """Agents whose mean is the best one, but for rounding."""
    return [row.agent for row in ranking.rows if abs(row.mean - ranking.rows[0].mean) < 1e-9]


def separation(ranking: Ranking) -> list[str]:
    """Whom the first is told apart from, and whom not."""
    first, rest = ranking.rows[0], ranking.rows[1:]
    if not rest:
        return ["It is the only agent there, so nothing is compared."]
    level = level_with_first(ranking)
    apart = [row.agent for row in rest if ranking.separated(first.agent, row.agent)]
    close = [row.agent for row in rest if row.agent not in apart and row.agent not in level]
    whose, who = ("its runs", "it") if len(level) == 1 else (f"the runs of {first.agent}", first.agent)
    if not apart and not close:
        return ["Nobody is behind them."]
    said = []
    if apart and close:
        said.append(
            f"{whose} differ from those of {listed(apart)}; {counted(ranking.seeds, 'seed')} cannot tell {who} "
            f"apart from {listed(close)}."
        )
    elif apart:
        said.append(f"{whose} differ from those of every other agent ({listed(apart)}).")
    else:
        said.append(
            f"{counted(ranking.seeds, 'seed')} cannot tell {who} apart from any of the others ({listed(close)})."
        )
    return said


def warnings(comparison: Comparison) -> list[str]:
    """What weakens the numbers below."""
    sweep = comparison.sweep
    said = []
    fewest = min((ranking.seeds for ranking in comparison.rankings), default=0)
    if comparison.rankings and fewest < aggregate.FEWEST:
        said.append(
            f"Only {counted(fewest, 'seed')} somewhere: below {aggregate.FEWEST} seeds no interval is given."
        )
    elif comparison.rankings and fewest < aggregate.ADVISED:
        said.append(
            f"{counted(fewest, 'seed')} are few: intervals are wide, and a bootstrap interval of the IQM covers less "
            f"than its 95 % (plan {aggregate.ADVISED} or more; 20 by default)."
        )
    if sweep.failed:
        said.append(
            f"{counted(len(sweep.failed), 'run')} failed. A failed run counts with the worst score of any run in its "
            "environment, and never above 0, so that crashing does not pay."
        )
    if sweep.missing:
        said.append(f"{counted(len(sweep.missing), 'run')} not done yet: the numbers are of what is there.")
    if comparison.unscored:
        said.append(
            f"Random play is already optimal in {listed(list(comparison.unscored))}: there is no score to give there."
        )
    if not comparison.exact:
        said.append("Some scores are sampled, not exact; they are marked.")
    return said


def range_of(ranking: Ranking) -> str:
    """The range that betting intervals stand on."""
    low, high = ranking.score_range
    if low >= 0:
        return f"{low:.3g} to {high:.3g} (no run did worse than random play)"
    return f"{low:.3g} to {high:.3g} (its lower end is the worst run seen, averaged over environments)"
