"""A card: everything exact about one environment, as plain numbers that go to JSON and back."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from ..records import Criterion
from ..text import canonical
from .card_layout import CardLayout, layout_from
from .card_pictures import WIDTH, legend, policy_map, strip_of

Row = tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Card:
    """The exact answers of one environment.

    Attributes:
        id: registered id.
        name: what tables and pictures call it.
        keywords: what it was made with.
        num_states: S.
        num_actions: A.
        num_outcomes: N.
        fingerprint: of the table.
        discount: of the discounted criterion, in [0, 1).
        horizon: steps of an episode, for the finite-horizon criterion; None without a time limit.
        criterion: the one that the suite scores by, and that values, policy and gap below are of.
        optimum: best start value under each criterion that applies (partially observed: with memory).
        random: start value of the uniform random policy under each of them.
        values: [S] exact values of the states (finite horizon: at the start of an episode; average: bias).
        q_values: [S][A] of the actions; None where the action is not available or bottomless.
        policy: [S] an optimal action, ties by the lowest; -1 in terminal states.
        optimal_actions: [S][A] whether the action is optimal.
        bound: width of the certified interval around `values`.
        hardness: diameter, bias_span, min_gap, ... ; None where not defined, infinity where it has no bound.
        gap: the smallest positive loss of start value by changing the policy in one state; infinity if none
            is.
        observed: False where agents see observations only; values and policy are then of the hidden states.
        ladder: partially observed: best values reactive, with memory, and observed; where they are known.
        layout: where the states lie on paper, or None.
        state_labels: [S] names of the states.
        action_labels: [A] names of the actions.
        sources: where the environment comes from.
        known: known answers, each with how it is known.
        threshold: `reward_threshold` of the id; None with other keywords than its own, or without a finite optimum.
        played: where neither a map nor a list of states fits a page: scenes of best play, each with the action that
            is taken there; the action of the last one is empty.
    """

    id: str
    name: str
    keywords: Mapping[str, object] = field(default_factory=dict)
    num_states: int
    num_actions: int
    num_outcomes: int
    fingerprint: str
    discount: float
    horizon: int | None
    criterion: Criterion
    optimum: Mapping[str, float]
    random: Mapping[str, float]
    values: Row
    q_values: tuple[tuple[float | None, ...], ...]
    policy: tuple[int, ...]
    optimal_actions: tuple[tuple[bool, ...], ...]
    bound: float
    hardness: Mapping[str, float | None]
    gap: float | None
    observed: bool
    ladder: Mapping[str, float] = field(default_factory=dict)
    layout: CardLayout | None
    state_labels: tuple[str, ...]
    action_labels: tuple[str, ...]
    sources: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    threshold: float | None = None
    played: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> str:
        """Canonical JSON: equal cards, equal bytes."""
        return canonical(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`.

        Raises:
            ValueError: the text is no card.
        """
        try:
            data = json.loads(text)
            names = {entry.name for entry in fields(cls)}
            since = {"known", "threshold", "played"}  # older cards have none of them
            if not names - since <= set(data) <= names:
                raise ValueError("its keys are not those of a card")
            layout = data["layout"]
            return cls(
                **{
                    **data,
                    "optimum": numbers(data["optimum"]),
                    "random": numbers(data["random"]),
                    "hardness": {key: number(value) for key, value in data["hardness"].items()},
                    "ladder": numbers(data["ladder"]),
                    "values": tuple(float(value) for value in data["values"]),
                    "q_values": tuple(tuple(number(q) for q in row) for row in data["q_values"]),
                    "policy": tuple(data["policy"]),
                    "optimal_actions": tuple(tuple(row) for row in data["optimal_actions"]),
                    "bound": float(data["bound"]),
                    "gap": number(data["gap"]),
                    "layout": None if layout is None else layout_from(layout),
                    "state_labels": tuple(data["state_labels"]),
                    "action_labels": tuple(data["action_labels"]),
                    "sources": tuple(data["sources"]),
                    "known": tuple(data.get("known", ())),
                    "threshold": number(data.get("threshold")),
                    "played": tuple((str(scene), str(action)) for scene, action in data.get("played", ())),
                }
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"no card: {error}") from None

    # -- reading ---------------------------------------------------------------------------------------------

    def picture(self) -> str:
        """The optimal policy as text: on the map, as a list of states, or as scenes of an episode, whichever fits."""
        if self._map is not None:
            return self._map
        if not self._fits_a_page():
            return strip_of(self.played, WIDTH - 4)
        width = max(len(label) for label in self.state_labels)
        return "\n".join(
            f"{label:<{width}}  {self._action(a)}"
            for label, a in zip(self.state_labels, self.policy, strict=True)
        )

    @property
    def _map(self) -> str | None:
        return None if self.layout is None else policy_map(self.layout, self.policy)

    def _fits_a_page(self) -> bool:
        """Whether the picture shows the action of every state."""
        return self._map is not None or self.num_states <= MOST_STATES_SHOWN

    def _about_the_picture(self) -> str:
        """Its headline."""
        said = "an optimal policy" if self.observed else "an optimal policy, if states were seen"
        if not self._fits_a_page():
            return f"{said}, from the likeliest start by the likeliest outcomes:"
        if self.layout is None or self._map is None:
            return f"{said}:"
        used = sorted({a for a in self.policy if a >= 0})
        letters = legend([self.layout.arrows[a] for a in used], [self.action_labels[a] for a in used])
        return f"{said} ({letters}):" if letters else f"{said}:"

    def _action(self, action: int) -> str:
        return "-" if action < 0 else self.action_labels[action]

    def lines(self) -> list[tuple[str, str]]:
        """What the card says, as (what, how much)."""
        keywords = ", ".join(f"{key}={value!r}" for key, value in self.keywords.items())
        rows = [
            ("environment", f"{self.id} ({keywords})" if keywords else self.id),
            (
                "table",
                f"{self.num_states:,} states, {self.num_actions} actions, {self.num_outcomes:,} outcomes"
                + ("" if self.observed else "; states are hidden"),
            ),
            ("time limit", "none" if self.horizon is None else f"{self.horizon:,} steps"),
        ]
        for criterion, optimum in self.optimum.items():
            random = self.random.get(criterion, math.nan)
            best = "optimum" if self.observed else "optimum with memory"
            rows.append(
                (self._named(criterion), f"{best} {figure(optimum)}, uniform random {figure(random)}")
            )
        rows.append(("1 % regret", self._one_percent()))
        rows.append(("certified", f"bounds at most {self.bound:.2g} apart"))
        if self.threshold is not None:
            rows.append(("reward threshold", f"{self.threshold:.10g} (mean return of 100 episodes)"))
        if self.ladder:
            rungs = ", ".join(f"{key} {figure(value)}" for key, value in self.ladder.items())
            rows.append(("information", f"{rungs} (discounted)" if self.criterion == "discounted" else rungs))
        if not self.observed:
            rows.append(("hardness", "of the hidden states, as if they were seen:"))
        rows += [(key.replace("_", " "), self._measured(key, value)) for key, value in self.hardness.items()]
        rows.append(("fingerprint", self.fingerprint[:16]))
        rows += [("source", source) for source in self.sources]
        rows += [("known answer", answer) for answer in self.known]
        return rows

    def _one_percent(self) -> str:
        best, worst = self.optimum.get(self.criterion), self.random.get(self.criterion)
        if best is None or worst is None or not math.isfinite(best - worst):
            return "not defined: the uniform random policy has no finite value"
        if best == worst:
            return "0: the uniform random policy is optimal"
        said = f"{0.01 * (best - worst):.4g} in reward"
        if self.observed and self.gap is not None and 0 < self.gap < math.inf:
            said += f", {0.01 * (best - worst) / self.gap:.4g} gaps"
        return said

    def _measured(self, key: str, value: float | None) -> str:
        """A measure of hardness with its unit, or why there is none."""
        if value is None:
            return NOT_MEASURED[key]
        if math.isinf(value):
            return ENDLESS[key]
        unit = UNITS[key].replace("steps", "step").replace("backups", "backup") if value == 1 else UNITS[key]
        return f"{figure(value, 6)} {unit}".rstrip()

    def _named(self, criterion: str) -> str:
        if criterion == "discounted":
            return f"discounted, {self.discount:g}"
        if criterion == "finite_horizon":
            return f"within {self.horizon} steps"
        return criterion

    def __str__(self) -> str:
        rows = self.lines()
        width = max(len(what) for what, _ in rows)
        text = [self.name]
        for what, how_much in rows:
            first, *more = textwrap.wrap(how_much, WIDTH - width - 4, break_long_words=False)
            text.append(f"  {what:<{width}}  {first}")
            text += [f"  {'':<{width}}  {line}" for line in more]
        if self.picture():
            text += ["", f"  {self._about_the_picture()}", ""]
            text += [f"    {line}".rstrip() for line in self.picture().splitlines()]
        if not self._fits_a_page():
            text += ["", f"  `bellglass solve {self.id} --output best.csv` writes the action of each state."]
        return "\n".join(text)


def figure(value: float, digits: int = 10) -> str:
    """A number as a card shows it; what is nothing but rounding is 0.

    >>> figure(2.5), figure(7.9e-16), figure(1234567.0, 6), figure(math.inf)
    ('2.5', '0', '1.23457e+06', 'inf')
    """
    return "0" if abs(value) < 1e-13 else f"{value:.{digits}g}"


#: Units of the measures of hardness; gaps and bias are in reward.
UNITS = {
    "diameter": "steps",
    "mixing_time": "steps (lazy chain of the optimal policy)",
    "bias_span": "in reward",
    "min_gap": "in reward",
    "sum_inverse_gaps": "",
    "effective_horizon": "steps",
    "laidlaw_horizon": "backups",
}

#: What it means that a measure is infinite, or that there is none.
ENDLESS = {
    "diameter": "infinite: a state that the start reaches cannot be reached from another",
    "mixing_time": "infinite: the optimal policy settles in different places, or not within 10^15 steps",
    "min_gap": "none: every action is optimal",
}
NOT_MEASURED = {
    "diameter": "not computed beyond 6,000 states",
    "mixing_time": "not computed beyond 6,000 states",
    "bias_span": "not defined: the optimal gain depends on the state",
    "laidlaw_horizon": "not found within 100,000 backups",
}

#: Longer lists of states tell nobody anything.
MOST_STATES_SHOWN = 64


def number(value: Any) -> float | None:
    """A float ("inf" and "-inf" included), or None."""
    return None if value is None else float(value)


def numbers(row: Mapping[str, Any]) -> dict[str, float]:
    """Floats by name."""
    return {key: float(value) for key, value in row.items()}
