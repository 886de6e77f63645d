"""Makes the cards of environments, and keeps them beside the results of a suite."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from ...envs.documentation import source_of
from ...envs.mdp import TabularMDP
from ...envs.registration import NAMESPACE
from ...envs.tables import table_of
from ...planning import hardness, information_ladder
from ...planning.pomdp.beliefs import TooManyBeliefs, belief_table
from ..records import Criterion, EnvironmentSpec, ScoringSpec
from ..results.store import FolderError, write_whole
from ..scoring.optima import UNANSWERED, gap_of_policy
from ..scoring.scores import Reference
from ..suite.assembly import default_name
from ..suite.catalogue import card_discount, make_environment
from ..suite.schema import Suite
from ..suite_errors import SuiteError
from ..text import digest
from .card import MOST_STATES_SHOWN, Card
from .card_layout import CardLayout
from .card_pictures import policy_map, scene_fits
from .known import known_answers

__all__ = ["Card", "CardLayout", "card_of", "cards_for", "load_cards", "write_cards"]

#: Beyond this many states the loss of the cheapest mistake is left out.
MOST_STATES_FOR_GAP = 6_000

#: Hidden states times steps up to which a card looks for the best play with memory within the time limit; beyond, only
#: where so few beliefs can ever be reached.
MOST_CLOCKED_STATES, MOST_BELIEFS_ANYWAY = 5_000, 1_000

#: Scenes of best play that a card shows before the last one.
MOST_SCENES = 11

#: Characters of a file name that are the environment's own; beyond, its digest tells it apart.
LONGEST_FILE_NAME = 150

#: The measures that a card shows, in this order.
HARDNESS = (
    "diameter",
    "mixing_time",
    "bias_span",
    "min_gap",
    "sum_inverse_gaps",
    "effective_horizon",
    "laidlaw_horizon",
)

CRITERIA: tuple[Criterion, ...] = ("discounted", "finite_horizon", "total", "average")


def card_of(
    env_id: str,
    keywords: Mapping[str, object] | None = None,
    *,
    name: str | None = None,
    criterion: Criterion = "discounted",
    discount: float | None = None,
    horizon: int | None = None,
) -> Card:
    """Solves the environment under every criterion that applies, and says what is known of it.

    Args:
        env_id: registered id.
        keywords: what to make it with.
        name: what tables and pictures call it; by default made from the id and the keywords.
        criterion: the one that values, policy and gap are of.
        discount: of the discounted criterion, in [0, 1); by default the environment's own.
        horizon: steps of an episode, for the finite horizon; by default the environment's time limit.

    Raises:
        ValueError: the criterion does not apply, or there is no table.
        gymnasium.error.Error: the id or a keyword is unknown.
    """
    made_with = dict(keywords or {})
    spec = EnvironmentSpec(
        id=env_id, name=name or default_name(env_id, made_with), keywords=made_with, steps=1
    )
    env = make_environment(spec)
    try:
        table_of(env)
    except TypeError as error:
        env.close()
        raise ValueError(f"{env_id} has no card: it lays no table open") from error
    try:
        limit = env.spec.max_episode_steps if env.spec is not None else None
        if horizon is None:
            horizon = limit
        if criterion == "finite_horizon" and horizon is None:
            raise ValueError(f"{env_id} has no time limit: criterion 'finite_horizon' needs a horizon")
        own = card_discount(env)
        weight = own if discount is None or criterion != "discounted" else discount
        judged = {
            "discounted": ScoringSpec(criterion="discounted", discount=weight, horizon=None, points=1),
            "finite_horizon": ScoringSpec(
                criterion="finite_horizon",
                discount=discount if criterion == "finite_horizon" and discount is not None else 1.0,
                horizon=horizon,
                points=1,
            ),
            "total": ScoringSpec(criterion="total", discount=None, horizon=None, points=1),
            "average": ScoringSpec(criterion="average", discount=None, horizon=None, points=1),
        }
        return solved_card(env, spec, judged, criterion, weight, horizon)
    finally:
        env.close()


def solved_card(
    env: gym.Env[Any, Any],
    spec: EnvironmentSpec,
    judged: Mapping[str, ScoringSpec],
    criterion: Criterion,
    discount: float,
    horizon: int | None,
) -> Card:
    """The card of an environment that has been made."""
    main = Reference(env, judged[criterion])  # if this one has no answer, there is no card
    references: dict[str, Reference] = {criterion: main}
    for other in CRITERIA:
        if other == criterion or (other == "finite_horizon" and horizon is None):
            continue
        if other == "finite_horizon" and too_many_clocked_beliefs(main, horizon):
            continue
        if other == "average" and main.mdp.terminal.any():
            continue  # episodes end: a gain per step says nothing that a return does not
        with contextlib.suppress(*UNANSWERED):
            references[other] = Reference(env, judged[other])
    mdp = main.mdp
    labels = mdp.state_labels
    return Card(
        id=spec.id,
        name=spec.name,
        keywords=spec.keywords,
        num_states=mdp.num_states,
        num_actions=mdp.num_actions,
        num_outcomes=mdp.num_outcomes,
        fingerprint=mdp.fingerprint,
        discount=discount,
        horizon=horizon,
        criterion=criterion,
        optimum={name: references[name].optimum for name in CRITERIA if name in references},
        random={name: references[name].random for name in CRITERIA if name in references},
        values=tuple(main.values.tolist()),
        q_values=tuple(tuple(q if np.isfinite(q) else None for q in row) for row in main.q_values.tolist()),
        policy=tuple(main.policy.tolist()),
        optimal_actions=tuple(tuple(row) for row in main.optimal_actions.tolist()),
        bound=main.bound,
        hardness=hardness_numbers(mdp, discount),
        gap=gap_of(main),
        observed=main.observed,
        ladder=ladder_of(main),
        layout=card_layout(mdp),
        state_labels=tuple(str(s if labels is None else labels[s]) for s in range(mdp.num_states)),
        action_labels=tuple(mdp.action_name(a) for a in range(mdp.num_actions)),
        sources=sources_of(env),
        known=known_answers(spec.id, spec.keywords),
        threshold=None if spec.keywords or env.spec is None else env.spec.reward_threshold,
        played=best_play(env, main),
    )


def too_many_clocked_beliefs(reference: Reference, horizon: int | None) -> bool:
    """Whether the best play with memory within the horizon would take minutes to find."""
    if reference.pomdp is None or horizon is None:
        return False
    if reference.mdp.num_states * horizon <= MOST_CLOCKED_STATES:
        return False
    try:
        belief_table(reference.pomdp, max_beliefs=MOST_BELIEFS_ANYWAY)
    except TooManyBeliefs:
        return True
    return False


def gap_of(reference: Reference) -> float | None:
    """The smallest positive loss by changing the policy in one state, of tables that are small enough."""
    scoring = reference.scoring
    if reference.mdp.num_states > MOST_STATES_FOR_GAP:
        return None
    return gap_of_policy(reference.mdp, reference.best.policy, scoring)


def ladder_of(reference: Reference) -> dict[str, float]:
    """Where states are hidden: the best value without memory, with it, and of who sees the states."""
    if reference.pomdp is None:
        return {}
    ladder = {"memory": reference.optimum, "observed": float(reference.best.start_value)}
    if reference.scoring.criterion == "discounted" and reference.scoring.discount is not None:
        with contextlib.suppress(*UNANSWERED):  # too many policies without memory to tell
            rungs = information_ladder(reference.pomdp, reference.scoring.discount)
            ladder = {"reactive": rungs.reactive, **ladder}
    return ladder


def card_layout(mdp: TabularMDP) -> CardLayout | None:
    """The table's layout as plain tuples."""
    layout = mdp.layout
    if layout is None:
        return None
    return CardLayout(
        background=layout.background,
        cell=tuple((row, column) for row, column in layout.cell.tolist()),
        arrows=layout.arrows,
        row_labels=layout.row_labels,
    )


def best_play(env: gym.Env[Any, Any], reference: Reference) -> tuple[tuple[str, str], ...]:
    """From the likeliest start by the likeliest outcomes, where neither a map nor a list of states fits a page."""
    mdp, layout = reference.mdp, card_layout(reference.mdp)
    on_map = layout is not None and policy_map(layout, reference.policy.tolist()) is not None
    if on_map or mdp.num_states <= MOST_STATES_SHOWN:
        return ()
    artist = getattr(env.unwrapped, "artist", None)

    def scene(s: int) -> str:
        text = str(mdp.decode(s)) if artist is None else str(artist.text(s))
        return text if scene_fits(text) else str(mdp.decode(s))

    rule = np.asarray(reference.best.policy)  # [S], or [H, S] where the steps are counted
    scenes: list[tuple[str, str]] = []
    s = int(mdp.initial.argmax())
    ended = bool(mdp.terminal[s])
    while len(scenes) < MOST_SCENES and not ended:
        a = int(rule[s] if rule.ndim == 1 else rule[len(scenes), s])
        first, last = mdp.first_outcome[s * mdp.num_actions + a : s * mdp.num_actions + a + 2].tolist()
        k = first + int(mdp.probability[first:last].argmax())
        scenes.append((scene(s), mdp.action_name(a)))
        s = int(mdp.next_state[k])
        clock_ran_out = rule.ndim == 2 and len(scenes) == len(rule)
        ended = bool(mdp.terminated[k]) or bool(mdp.terminal[s]) or clock_ran_out
    return (*scenes, (scene(s), ""))


def sources_of(env: gym.Env[Any, Any]) -> tuple[str, ...]:
    """Where an environment of ours comes from."""
    ours = env.spec is not None and env.spec.namespace == NAMESPACE
    return (source_of(type(env.unwrapped)),) if ours else ()


def cards_for(suite: Suite, folder: str | PathLike[str] | None = None) -> dict[str, Card]:
    """The card of every environment of a suite, by its name; taken from `folder` where it lies there already.

    Raises:
        SuiteError: environments that have no exact answer in their criterion.
    """
    known = {}
    if folder is not None:
        with contextlib.suppress(ValueError):
            known = load_cards(folder)
    cards: dict[str, Card] = {}
    mistakes = []
    for i, spec in enumerate(suite.environments):
        judged = suite.scoring[spec.name]
        old = known.get(spec.name)
        if old is not None and fits(old, spec, judged, suite.fingerprints[spec.name]):
            cards[spec.name] = old
            continue
        try:
            cards[spec.name] = card_of(
                spec.id,
                spec.keywords,
                name=spec.name,
                criterion=judged.criterion,
                discount=judged.discount,
                horizon=judged.horizon,
            )
        except UNANSWERED as error:
            mistakes.append(f"environments[{i}].scoring: {' '.join(str(error).split())}")
    if mistakes:
        raise SuiteError(mistakes)
    return cards


def fits(card: Card, spec: EnvironmentSpec, judged: ScoringSpec, fingerprint: str) -> bool:
    """Whether a stored card answers the same questions."""
    return (
        (card.id, card.keywords, card.fingerprint, card.criterion)
        == (spec.id, spec.keywords, fingerprint, judged.criterion)
        and (judged.criterion != "discounted" or card.discount == judged.discount)
        and (judged.horizon is None or card.horizon == judged.horizon)
    )


def write_cards(folder: Path, cards: Mapping[str, Card]) -> None:
    """Stores cards beside the results; files that say the same already are left alone."""
    for name, card in cards.items():
        path = folder / "cards" / f"{file_name(name)}.json"
        text = card.to_json() + "\n"
        if not path.is_file() or path.read_bytes() != text.encode():
            write_whole(path, text)


def load_cards(folder: str | PathLike[str]) -> dict[str, Card]:
    """The cards that lie beside results, by the name of their environment.

    Raises:
        FolderError: one of them is damaged.
    """
    cards = {}
    for path in sorted((Path(folder) / "cards").glob("*.json")):
        try:
            card = Card.from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise FolderError(f"{path} is damaged: {error}; running the suite writes it again") from None
        cards[card.name] = card
    return cards


def file_name(name: str) -> str:
    """A name that every file system takes; different for different names.

    >>> file_name("FrozenLake 8x8"), file_name("a/b"), file_name("..")
    ('FrozenLake 8x8', 'a%2Fb', '%2E.')
    """
    whole = re.sub(
        r"[^A-Za-z0-9 ._=,()+-]|^\.",
        lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()),
        name,
    )
    return whole if len(whole) <= LONGEST_FILE_NAME else f"{whole[:LONGEST_FILE_NAME]}~{digest(name)[:16]}"


def hardness_numbers(mdp: TabularMDP, discount: float) -> dict[str, float | None]:
    """Diameter, mixing time, gaps and horizons; None where one is not defined, or the table too large for it."""
    found = hardness(mdp, discount)._asdict()
    return {name: None if found[name] is None else float(found[name]) for name in HARDNESS}
