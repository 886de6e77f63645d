"""From the tables of a suite file to a suite: what only the environments and agents themselves can tell.

Every environment is made once and every agent is made once for it, so that a map with unequal rows or a
negative step size is a mistake in the suite, not a failed run an hour later.
"""

from __future__ import annotations

import json
import numbers
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import gymnasium as gym
from pydantic import ValidationError

from ...envs.mdp import TabularMDP
from ...envs.tables import table_of
from ..records import AgentSpec, Criterion, EnvironmentSpec, RunSpec, ScoringSpec, Skipped
from ..scoring.scores import has_memory, observations_of
from ..suite_errors import SuiteError, error_message, error_text, path_of, unknown
from .catalogue import (
    OWN_ARGUMENTS,
    USUAL_DISCOUNT,
    agent_class,
    agent_names,
    arguments,
    card_discount,
    environment_keywords,
    imported,
    make_agent,
    make_environment,
    make_environments,
    misfits,
    unknown_id,
)
from .grids import Choice, Wrong, choices, mistakes_in_grid
from .schema import Agent, Entry, Environment, Scoring, Suite, SuiteFile, mistakes_in_form

AnyEntry = TypeVar("AnyEntry", bound=Entry)


@dataclass(frozen=True)
class BuiltEnvironment:
    """An environment of the suite, made."""

    spec: EnvironmentSpec
    scoring: ScoringSpec
    env: gym.Env[Any, Any]
    mdp: TabularMDP
    #: its name, its id, and its entry's name: what agents may call it
    words: frozenset[str]

    @property
    def observed(self) -> bool:
        """Whether agents are shown the state."""
        return bool(self.env.has_wrapper_attr("observe"))


def assemble(data: Mapping[str, Any], text: str) -> Suite:
    """Checks everything, and makes a suite of it.

    Raises:
        SuiteError: every mistake, one a line.
    """
    mistakes: list[str] = []
    file: SuiteFile | None = None
    try:
        file = SuiteFile.model_validate(dict(data))
    except ValidationError as error:
        mistakes += mistakes_in_form(error)
    scoring = parse_entry(Scoring, data.get("scoring")) or Scoring()
    says = contradiction(scoring.criterion, scoring.discount, scoring.horizon)
    if says:  # once, and not for every environment again
        mistakes.append(f"scoring: {says}")
        scoring = Scoring(criterion=scoring.criterion, points=scoring.points)
    places, names, wrong = all_places(data, scoring)
    mistakes += wrong
    agents, pairs, skipped, wrong = all_agents(data, places, names)
    mistakes += wrong
    for place in places:
        place.env.close()
    if not mistakes:
        mistakes += duplicate_runs(agents, places, pairs)
    if mistakes or file is None:
        raise SuiteError(dict.fromkeys(mistakes))
    if not pairs:
        reasons = "; ".join(f"{skip.agent} in {skip.environment}: {skip.reason}" for skip in skipped)
        raise SuiteError([f"agents: none of them can play any of the environments ({reasons})"])
    return Suite(
        name=file.name,
        seeds=file.seeds,
        agents=tuple(agents),
        environments=tuple(place.spec for place in places),
        scoring={place.spec.name: place.scoring for place in places},
        pairs=frozenset(pairs),
        skipped=tuple(skipped),
        fingerprints={place.spec.name: place.mdp.fingerprint for place in places},
        limits=file.limits,
        text=text,
    )


def all_places(
    data: Mapping[str, Any], scoring: Scoring
) -> tuple[list[BuiltEnvironment], set[str], list[str]]:
    """The environments, made; every word by which agents may name them; and what is wrong."""
    places: list[BuiltEnvironment] = []
    words: set[str] = set()
    called: list[tuple[int, str]] = []
    mistakes: list[str] = []
    for i, raw in enumerate(entries(data, "environments")):
        entry = parse_entry(Environment, raw)
        if entry is None:
            continue
        words |= {entry.id} if entry.name is None else {entry.id, entry.name}
        wrong = mistakes_in_grid(entry.grid, entry.keywords, "keywords")
        for choice in [] if wrong else choices(entry.keywords, entry.grid):
            spec = EnvironmentSpec(
                id=entry.id,
                name=default_name(entry.id, choice.settings)
                if entry.name is None
                else joined(entry.name, choice),
                keywords=choice.settings,
                steps=entry.steps,
                max_episode_steps=entry.max_episode_steps,
            )
            words.add(spec.name)
            called.append((i, spec.name))
            place, found = place_of(spec, entry, scoring)
            wrong += found
            if place is not None:
                places.append(place)
        mistakes += lines_below(["environments", i], wrong)
    return places, words, mistakes + repeated("environments", called)


def all_agents(
    data: Mapping[str, Any], places: list[BuiltEnvironment], words: set[str]
) -> tuple[list[AgentSpec], set[tuple[str, str]], list[Skipped], list[str]]:
    """The agents; the (agent, environment) names that play; those that cannot; and what is wrong."""
    agents: list[AgentSpec] = []
    pairs: set[tuple[str, str]] = set()
    skipped: list[Skipped] = []
    called: list[tuple[int, str]] = []
    mistakes: list[str] = []
    for i, raw in enumerate(entries(data, "agents")):
        entry = parse_entry(Agent, raw)
        if entry is None:
            continue
        wrong = unknown_names(entry, words) + mistakes_in_grid(entry.grid, entry.settings, "settings")
        sound = not wrong
        mine = [place for place in places if entry.environments is None or plays(entry, place)]
        for choice in choices(entry.settings, entry.grid if sound else {}):
            spec = AgentSpec(
                name=joined(entry.name or entry.class_name.rpartition(":")[2], choice),
                class_name=entry.class_name,
                settings=choice.settings,
                num_envs=entry.num_envs,
            )
            agents.append(spec)
            called.append((i, spec.name))
            if sound:
                found, refused = try_agents(spec, mine, choice.name, entry.grid)
                wrong += found
                skipped += refused
                out = {refusal.environment for refusal in refused}
                pairs |= {(spec.name, place.spec.name) for place in mine if place.spec.name not in out}
        mistakes += lines_below(["agents", i], wrong)
    return agents, pairs, skipped, mistakes + repeated("agents", called)


def lines_below(where: list[str | int], wrong: Wrong) -> list[str]:
    """One line for each mistake below `where`."""
    return [path_of([*where, *path]) + f": {says}" for path, says in wrong]


def joined(name: str, choice: Choice) -> str:
    """The name of an entry, and of its combination where it has a grid."""
    return f"{name} {choice.name}".rstrip()


def duplicate_runs(
    agents: list[AgentSpec], places: list[BuiltEnvironment], pairs: set[tuple[str, str]]
) -> list[str]:
    """Pairs that are the same runs under two names: the second would only repeat the first's numbers."""
    first: dict[str, str] = {}
    lines = []
    for agent in agents:
        for place in places:
            if (agent.name, place.spec.name) in pairs:
                run = RunSpec(agent=agent, environment=place.spec, scoring=place.scoring, seed=0)
                here = f"{agent.name!r} in {place.spec.name!r}"
                there = first.setdefault(run.run_id, here)
                if there != here:
                    lines.append(f"agents: {here} and {there} are the same runs; leave one of them out")
    return lines


def entries(data: Mapping[str, Any], key: str) -> list[Any]:
    """The array of tables under `key`, or nothing where it is something else."""
    found = data.get(key)
    return list(found) if isinstance(found, (list, tuple)) else []


def parse_entry(kind: type[AnyEntry], raw: object) -> AnyEntry | None:
    """The entry; where it has mistakes of form (told elsewhere), what is left of it."""
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        if not isinstance(raw, Mapping):
            return None
        wrong = {found["loc"][0] for found in error.errors() if found["loc"]}
        sound = {key: value for key, value in raw.items() if key not in wrong}
    try:
        return kind.model_validate(sound if kind is not Environment else {"steps": 1, **sound})
    except ValidationError:
        return None


def repeated(key: str, called: list[tuple[int, str]]) -> list[str]:
    """Names that two entries bear: tables and pictures could not tell them apart."""
    first: dict[str, int] = {}
    lines = []
    for i, name in called:
        if name in first:
            lines.append(
                f"{key}[{i}].name: {name!r} is also the name of {key}[{first[name]}]; give each its own"
            )
        first.setdefault(name, i)
    return lines


def default_name(env_id: str, keywords: Mapping[str, object]) -> str:
    """``FrozenLake 8x8`` for an id with a map name, ``TMaze N=30`` for other keywords."""
    name = re.sub(r"-v\d+$", "", env_id.rpartition("/")[2])
    words = [str(value) if key.endswith("name") else f"{key}={value}" for key, value in keywords.items()]
    return " ".join(" ".join([name, *words]).split())  # a map drawn on several lines is a keyword, too


def plays(agent: Agent, place: BuiltEnvironment) -> bool:
    """Whether the agent names this environment, by itself, as part of a grid, or by its id."""
    return not place.words.isdisjoint(agent.environments or [])


def place_of(
    spec: EnvironmentSpec, entry: Environment, scoring: Scoring
) -> tuple[BuiltEnvironment | None, Wrong]:
    """Makes the environment; or says what is wrong with the entry."""
    module, _, env_id = spec.id.rpartition(":")
    try:
        if module:
            imported(module)
        gym.spec(env_id)
    except ImportError as error:
        return None, [(["id"], f"{spec.id!r}: {error_message(error)}")]
    except gym.error.Error:
        return None, [(["id"], f"{spec.id!r}: {unknown_id('id', spec.id)}")]
    allowed = environment_keywords(env_id)
    wrong: Wrong = []
    for key, value in spec.keywords.items():
        where: list[str | int] = ["grid" if key in entry.grid else "keywords", key]
        if allowed is not None and key not in allowed:
            wrong.append((where, unknown("keyword", key, allowed)))
        elif (says := not_plain(value)) is not None:
            wrong.append((where, says))
    if wrong:
        return None, wrong
    try:
        env = make_environment(spec)
    except (ValueError, ImportError, MemoryError, gym.error.Error) as error:
        return None, [(["grid" if entry.grid else "keywords"], error_message(error))]
    try:
        mdp = table_of(env)
    except TypeError:
        return None, [(["id"], f"{spec.id!r} lays no table open, so nothing could be scored exactly")]
    judged, says = scoring_of(entry, scoring, env)
    if judged is None:
        return None, [(["scoring"], says)]
    words = frozenset({spec.name, spec.id, entry.name or spec.id})
    return BuiltEnvironment(spec, judged, env, mdp, words), []


def scoring_of(entry: Environment, suite: Scoring, env: gym.Env[Any, Any]) -> tuple[ScoringSpec | None, str]:
    """The criterion of one environment, or what is wrong with it."""
    own = entry.scoring
    criterion: Criterion = own.criterion or suite.criterion
    same = criterion == suite.criterion
    discount = own.discount if own.discount is not None else suite.discount if same else None
    horizon = own.horizon if own.horizon is not None else suite.horizon if same else None
    if criterion == "discounted" and discount is None:
        discount = card_discount(env)
    if says := contradiction(criterion, discount, horizon):
        return None, says
    if criterion == "finite_horizon":
        discount = 1.0 if discount is None else discount
        limit = env.spec.max_episode_steps if env.spec is not None else None
        horizon = limit if horizon is None else horizon
        if horizon is None:
            return None, "criterion 'finite_horizon' needs a horizon, since the environment has no time limit"
    elif criterion != "discounted":
        discount = None
    points = min(suite.points, entry.steps)
    return ScoringSpec(criterion=criterion, discount=discount, horizon=horizon, points=points), ""


def contradiction(criterion: Criterion, discount: float | None, horizon: int | None) -> str:
    """What does not go together in a table of scoring; empty where all does."""
    if horizon is not None and criterion != "finite_horizon":
        return f"horizon = {horizon} goes with criterion 'finite_horizon', not with {criterion!r}"
    if criterion in ("total", "average") and discount not in (None, 1.0):
        return f"criterion {criterion!r} takes no discount, got {discount}"
    if criterion == "discounted" and discount is not None and discount >= 1.0:
        return (
            f"criterion 'discounted' needs a discount in [0, 1), got {discount:g}; "
            "give one, or take criterion 'total', 'average' or 'finite_horizon'"
        )
    return ""


def discount_for_agents(scoring: ScoringSpec, env: gym.Env[Any, Any]) -> float:
    """What an agent discounts with unless its settings say it: as it is judged, else as the card does."""
    if scoring.criterion == "discounted" and scoring.discount is not None:
        return scoring.discount
    discount = card_discount(env)
    return discount if discount < 1.0 else USUAL_DISCOUNT


def unknown_names(agent: Agent, names: set[str]) -> Wrong:
    """Unknown class, settings or environments."""
    wrong: Wrong = []
    for j, name in enumerate(agent.environments or []):
        if name not in names:
            wrong.append((["environments", j], f"{name!r}: {unknown('environment', name, names)}"))
    try:
        cls = agent_class(agent.class_name)
    except LookupError:
        says = f"{agent.class_name!r}: {unknown('agent', agent.class_name, agent_names())}"
        return [*wrong, (["class"], says)]
    except ImportError as error:
        return [*wrong, (["class"], error_message(error))]
    allowed = arguments(cls, OWN_ARGUMENTS)
    for table, settings in (("settings", agent.settings), ("grid", agent.grid)):
        for key, value in settings.items():
            if key in OWN_ARGUMENTS:
                wrong.append(([table, key], "is set by the runner, for each run its own"))
            elif allowed is not None and key not in allowed:
                wrong.append(([table, key], unknown("setting", key, allowed)))
            elif (says_not := not_plain(value)) is not None:
                wrong.append(([table, key], says_not))
    return wrong


def try_agents(
    spec: AgentSpec, places: list[BuiltEnvironment], choice: str, grid: Mapping[str, Any]
) -> tuple[Wrong, list[Skipped]]:
    """Makes the agent for each of its environments.

    An agent that refuses an environment with hidden states as such (TypeError) cannot play there; any other
    refusal is a mistake.  An agent with memory plays only where states are hidden: its policy is no function of
    the state, so elsewhere no linear solve could score it.

    Args:
        spec: the agent.
        places: what it is to play.
        choice: what its combination is called, where it has a grid.
        grid: the settings that the combination chooses.
    """
    wrong: Wrong = []
    skipped: list[Skipped] = []
    for place in places:
        env: gym.Env[Any, Any] | gym.vector.VectorEnv[Any, Any, Any] = place.env
        try:
            if spec.num_envs > 1:
                env = make_environments(place.spec, spec.num_envs)
            agent = make_agent(spec, env, discount=discount_for_agents(place.scoring, place.env), seed=0)
            own_discount(agent)
            if place.observed and has_memory(agent, observations_of(place.env, table_of(place.env))):
                reason = f"{spec.class_name} remembers: agents with memory are scored where states are hidden"
                skipped.append(Skipped(agent=spec.name, environment=place.spec.name, reason=reason))
            else:
                check_steps(agent, place.spec.steps)
        except Exception as error:  # whatever an agent raises
            unfit = misfits(agent_class(spec.class_name), spec.settings)
            if unfit:
                wrong += [(["grid" if key in grid else "settings", key], says) for key, says in unfit]
                break
            if place.observed or not isinstance(error, TypeError):
                who = f"{spec.class_name} {choice}".rstrip()
                plain = isinstance(error, (TypeError, ValueError, ImportError, MemoryError))
                says = f"{who} in {place.spec.name}: {error_message(error) if plain else error_text(error)}"
                wrong.append((["grid" if choice else "settings"], says))
                break
            reason = error_message(error).replace(str(env), place.spec.name)
            skipped.append(Skipped(agent=spec.name, environment=place.spec.name, reason=reason))
        finally:
            if env is not place.env:
                env.close()
    return wrong, skipped


def check_steps(agent: Any, steps: int) -> None:
    """Refuses a run that would end before its agent learns anything.

    Raises:
        ValueError: it names both numbers.
    """
    starts = getattr(agent, "learning_starts", 0)
    if isinstance(starts, numbers.Real) and 0 < steps <= float(starts):
        raise ValueError(
            f"it would learn nothing: steps = {steps}, and its learning_starts is {starts}; "
            "give more steps or a smaller learning_starts"
        )


def own_discount(agent: Any, otherwise: float = 1.0) -> float:
    """What the agent discounts with; `otherwise` where it does not say.

    Raises:
        ValueError: it says something else than a number in [0, 1].
    """
    said = getattr(agent, "discount", otherwise)
    if not isinstance(said, numbers.Real) or not 0.0 <= float(said) <= 1.0:
        raise ValueError(f"its discount must be in [0, 1], got {said!r}")
    return float(said)


def not_plain(value: object) -> str | None:
    """What is wrong with a value that JSON has no word for (TOML's dates and times, nan)."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return f"must be a number, a string, true or false, or a list or table of these, got {value!r}"
    return None
