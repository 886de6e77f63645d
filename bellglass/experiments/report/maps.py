"""What agents learned, state by state, now and on the way: the numbers behind the maps.

An action is wrong only where that is proved: V*(s) - q*(s, a) exceeds the certified width of the values, so no rounding
and no tie can explain it.  The loss of a state is V*(s) - V^pi(s): what the policy misses from there on.

On the page a policy is a string, one letter a state; losses are three letters a state, `most * (number / FULL)**3` with
the number in base 64, so that small losses keep their digits.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..cards.card import Card
from ..cards.card_layout import CardLayout
from ..records import RunResult
from .comparison import Comparison
from .detail import Detail
from .table_cells import Cell, Scale

#: Letters of numbers in base 64; of actions, the first ones, and "~" for none.
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#: The largest number of three letters.
FULL = 64**3 - 1
#: States of an environment without a layout that are still shown, one a cell, and cells in a row.
MOST_LISTED, ROW = 64, 8


@dataclass(frozen=True)
class Moment:
    """What a run believed best after so many steps.

    Attributes:
        steps: environment steps learned from.
        score: of the policy.
        policy: [S] action, -1 in terminal states.
        loss: [S] V* - V^pi, 0 where rounding may explain it; None where values are not known.
        wrong: number of states whose action is provably wrong.
    """

    steps: int
    score: float
    policy: tuple[int, ...]
    loss: tuple[float, ...] | None
    wrong: int


@dataclass(frozen=True)
class Learned:
    """One run on the map: its moments, the final one last."""

    agent: int
    seed: int
    moments: tuple[Moment, ...]

    @property
    def final(self) -> Moment:
        """What it has come to."""
        return self.moments[-1]


@dataclass(frozen=True)
class EnvironmentMap:
    """Everything that the map of an environment shows.

    Attributes:
        environment: its name.
        card: exact answers.
        layout: where the states lie.
        labels: names written into the cells, where the layout is only a list; else empty.
        wrong: [S] actions that are proved to lose value there.
        runs: by agent, then by score, best first.
        left_out: runs that the size of the page has no room for.
        thinned: whether the way of some run is left out for the same reason.
    """

    environment: str
    card: Card
    layout: CardLayout
    labels: tuple[str, ...]
    wrong: tuple[frozenset[int], ...]
    runs: tuple[Learned, ...]
    left_out: int
    thinned: bool

    @property
    def side(self) -> int:
        """Pixels of a cell."""
        columns, rows = len(self.layout.background[0]), len(self.layout.background)
        return max(14, min(56, 552 // columns, 432 // rows))

    @property
    def shared(self) -> bool:
        """Whether some cell holds several states."""
        return any(len(states) > 1 for states in cells_of(self.layout).values())

    @property
    def steps(self) -> tuple[int, ...]:
        """Of the slider: every number of steps at which some run has a moment."""
        return tuple(sorted({moment.steps for run in self.runs for moment in run.moments}))

    @property
    def losses(self) -> tuple[float, float]:
        """The loss that has the full shade (at most the spread of V*), and the largest finite one."""
        finite = [value for value in self.card.values if math.isfinite(value)]
        spread = max(finite, default=0.0) - min(finite, default=0.0)
        found = [
            loss
            for run in self.runs
            for moment in run.moments
            for loss in moment.loss or ()
            if math.isfinite(loss)
        ]
        most = max(found, default=0.0)
        return min(most, spread or 1.0) or 1.0, most or 1.0

    def median_of(self, agent: int) -> Learned:
        """The agent's run in the middle (the worse one of two)."""
        runs = [run for run in self.runs if run.agent == agent]
        return runs[len(runs) // 2]


def cells_of(layout: CardLayout) -> dict[tuple[int, int], list[int]]:
    """States that lie in each cell."""
    places: dict[tuple[int, int], list[int]] = defaultdict(list)
    for state, (row, column) in enumerate(layout.cell):
        if row >= 0:
            places[int(row), int(column)].append(state)
    return places


@dataclass(frozen=True)
class Place:
    """An environment that can be drawn, and for each agent its runs, best first."""

    name: str
    card: Card
    layout: CardLayout
    labels: tuple[str, ...]
    scale: Scale | None
    ranked: tuple[tuple[RunResult, ...], ...]


def maps_of(comparison: Comparison, detail: Detail) -> tuple[list[EnvironmentMap], dict[str, str]]:
    """The maps that can be drawn, and why the others cannot: {environment: reason}."""
    reasons: dict[str, str] = {}
    places: list[Place] = []
    room = detail.cells
    for name in comparison.environments:
        card = comparison.cards.get(name)
        cells = [
            cell
            for agent in comparison.agents
            if (cell := comparison.cells.get((agent, name))) and any(fits(run, card) for run in cell.finished)
        ]
        layout, labels = (None, ()) if card is None else layout_of(card)
        number = 0 if layout is None else len(layout.background) * len(layout.background[0])
        if card is None:
            reasons[name] = "its card is not in the results folder"
        elif not card.observed:
            reasons[name] = "agents see observations, not states; a map of states would not be their policy"
        elif layout is None:
            reasons[name] = f"its {card.num_states:,} states have no places on a picture"
        elif number > 900:
            reasons[name] = "its picture has more than 900 cells"
        elif not cells:
            reasons[name] = "no finished run stored a policy over its states"
        elif number > room and (places or not detail.cells):
            reasons[name] = "left out to keep the page small"
        else:
            room -= number
            ranked = tuple(ranked_runs(cell, card) for cell in cells)
            places.append(Place(name, card, layout, labels, comparison.scales.get(name), ranked))
    chosen: list[list[Choice]] = []
    for most, with_way in (
        (10_000, 10_000),
        (10_000, 3),
        (10_000, 1),
        (5, 3),
        (5, 1),
        (3, 1),
        (1, 1),
        (1, 0),
    ):
        chosen = [[choose(ranked, most, with_way) for ranked in place.ranked] for place in places]
        sizes = (
            (40 + 4 * place.card.num_states)
            * (1 + len(run.snapshots) * any(run is other for other in choice.on_the_way))
            for place, choices in zip(places, chosen, strict=True)
            for choice in choices
            for run in choice.shown
        )
        if sum(sizes) <= detail.map_data:
            break
    return [environment_map(*pair, comparison) for pair in zip(places, chosen, strict=True)], reasons


def layout_of(card: Card) -> tuple[CardLayout | None, tuple[str, ...]]:
    """The card's own layout; a list of states in rows where there is none and they are few."""
    if card.layout is not None or card.num_states > MOST_LISTED:
        return card.layout, ()
    columns = min(ROW, card.num_states)
    rows = -(-card.num_states // columns)
    cell = tuple((s // columns, s % columns) for s in range(card.num_states))
    glyphs = tuple(
        (card.action_labels[a] if card.action_labels else str(a))[:5] for a in range(card.num_actions)
    )
    labels = card.state_labels or tuple(map(str, range(card.num_states)))
    return CardLayout(background=(" " * columns,) * rows, cell=cell, arrows=glyphs), labels


def fits(run: RunResult, card: Card | None) -> bool:
    """Whether the run's policy belongs to the card's table."""
    return (
        card is not None
        and run.policy is not None
        and len(run.policy) == card.num_states
        and run.fingerprint == card.fingerprint
    )


def ranked_runs(cell: Cell, card: Card) -> tuple[RunResult, ...]:
    """Best first."""
    known = [run for run in cell.finished if fits(run, card)]
    return tuple(sorted(known, key=lambda run: (-run.final.value, run.spec.seed)))


class Choice(NamedTuple):
    """The runs of an agent that are shown, best first, and those of them that show how they came there."""

    shown: tuple[RunResult, ...]
    on_the_way: tuple[RunResult, ...]
    left_out: int


def choose(ranked: Sequence[RunResult], most: int, with_way: int) -> Choice:
    """At most so many runs, from best to worst, the median always among them; it is the last to lose its way."""
    middle = len(ranked) // 2
    shown = spread(len(ranked), middle, most)
    way = spread(len(ranked), middle, with_way) & shown if with_way else set()
    return Choice(
        tuple(ranked[k] for k in sorted(shown)),
        tuple(ranked[k] for k in sorted(way)),
        len(ranked) - len(shown),
    )


def environment_map(place: Place, choices: Sequence[Choice], comparison: Comparison) -> EnvironmentMap:
    """What was chosen, compared with the card."""
    wrong = wrong_actions(place.card)
    runs = [
        learned_by(
            comparison.agents.index(run.spec.agent.name),
            run,
            place.card,
            place.scale,
            wrong,
            with_way=any(run is other for other in choice.on_the_way),
        )
        for choice in choices
        for run in choice.shown
    ]
    return EnvironmentMap(
        place.name,
        place.card,
        place.layout,
        place.labels,
        wrong,
        tuple(runs),
        sum(choice.left_out for choice in choices),
        any(run.snapshots and not any(run is o for o in c.on_the_way) for c in choices for run in c.shown),
    )


def spread(number: int, middle: int, most: int) -> set[int]:
    """At most so many of `number` places, evenly, `middle` among them."""
    if number <= most:
        return set(range(number))
    return {middle} | {round(k * (number - 1) / (most - 1)) for k in range(most) if most > 1}


def learned_by(
    agent: int,
    run: RunResult,
    card: Card,
    scale: Scale | None,
    wrong: Sequence[frozenset[int]],
    *,
    with_way: bool,
) -> Learned:
    """One run, compared with the card state by state."""
    assert run.policy is not None
    values = {point.steps: point.value for point in run.curve}
    kept = [(one.steps, one.policy, one.values, 1e-5) for one in run.snapshots if one.steps in values]
    kept = [*(kept if with_way else ()), (run.final.steps, run.policy, run.values, 1e-12)]
    moments = [
        Moment(
            steps,
            1.0 if scale is None else scale(values[steps]),
            policy,
            losses(card, state_values, rounding),
            sum(a in bad for a, bad in zip(policy, wrong, strict=True)),
        )
        for steps, policy, state_values, rounding in kept
    ]
    return Learned(agent, run.spec.seed, tuple(moments))


def losses(card: Card, values: Sequence[float] | None, rounding: float) -> tuple[float, ...] | None:
    """[S] V* - V^pi; what the certified width or relative `rounding` may explain is none."""
    if values is None or len(values) != card.num_states:
        return None
    scale = max((abs(value) for value in card.values if math.isfinite(value)), default=0.0)
    noise = card.bound + rounding * (1.0 + scale)
    return tuple(
        missed if (missed := best - value) > noise else 0.0
        for best, value in zip(card.values, values, strict=True)
    )


def wrong_actions(card: Card) -> tuple[frozenset[int], ...]:
    """[S] the actions that are proved to lose value there; none where the state is terminal."""
    slack = max(card.bound, 1e-12)
    return tuple(
        frozenset()
        if ends(card, s)
        else frozenset(a for a, q in enumerate(row) if q is None or card.values[s] - q > slack)
        for s, row in enumerate(card.q_values)
    )


def ends(card: Card, state: int) -> bool:
    """Whether the state is terminal."""
    return all(q is None for q in card.q_values[state])


def map_data(one: EnvironmentMap, comparison: Comparison) -> dict[str, object]:
    """What the page's script needs to show any moment of any run: cells in the order drawn, then a row a run."""
    card = one.card
    places = cells_of(one.layout)
    rows, columns = len(one.layout.background), len(one.layout.background[0])
    order = [(row, column) for row in range(rows) for column in range(columns)]
    live = [[s for s in places.get(place, []) if not ends(card, s)] for place in order]
    top, most = one.losses
    budget = max(
        environment.steps
        for environment in comparison.sweep.environments
        if environment.name == one.environment
    )
    return {
        "cells": live,
        "wrong": ["".join(LETTERS[a] for a in sorted(row) if a < len(LETTERS)) for row in one.wrong],
        "glyphs": list(one.layout.arrows),
        "names": [action_name(card, a) for a in range(card.num_actions)],
        "side": one.side,
        "top": float(f"{top:.6g}"),
        "most": float(f"{most:.9g}"),
        "steps": list(one.steps),
        "budget": budget,
        "runs": [
            {
                "a": run.agent,
                "s": run.seed,
                "m": [moment_data(moment, one.steps, most) for moment in run.moments],
            }
            for run in one.runs
        ],
    }


def moment_data(of: Moment, steps: Sequence[int], most: float) -> list[object]:
    """Place on the slider, score (None: -inf), number of wrong actions, policy and losses as strings."""
    policy = "".join(LETTERS[a] if 0 <= a < len(LETTERS) else "~" for a in of.policy)
    losses = None if of.loss is None else "".join(loss_text(loss, most) for loss in of.loss)
    score = float(f"{of.score:.5g}") if math.isfinite(of.score) else None
    return [steps.index(of.steps), score, of.wrong, policy, losses]


def loss_text(loss: float, most: float) -> str:
    """Three letters: see above; "~~~" for a loss without bound.

    >>> loss_text(0.0, 1.0), loss_text(1.0, 1.0), loss_text(float("inf"), 1.0)
    ('AAA', '___', '~~~')
    """
    if not math.isfinite(loss):
        return "~~~"
    number = min(FULL, round(FULL * math.cbrt(loss / most)))
    return LETTERS[number >> 12] + LETTERS[number >> 6 & 63] + LETTERS[number & 63]


def action_name(card: Card, action: int) -> str:
    """As the card names it."""
    return str(card.action_labels[action]) if card.action_labels else str(action)
