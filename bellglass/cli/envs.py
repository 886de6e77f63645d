"""Environments for the command line: made from an id with every mistake in one line, and listed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import gymnasium as gym

from ..envs.documentation import keywords_of, summary_of
from ..experiments.records import EnvironmentSpec
from ..experiments.suite.catalogue import environment_ids, full_id, make_environment


def environment_of(env_id: str, keywords: Mapping[str, object] | None = None) -> gym.Env[Any, Any]:
    """`gymnasium.make(env_id, **keywords)`, with every mistake in one line (ValueError); the id may be short."""
    made_with = dict(keywords or {})
    return make_environment(EnvironmentSpec(id=full_id(env_id), name=env_id, keywords=made_with, steps=1))


def list_environments(*, as_json: bool = False) -> str:
    """Every id of ours with its size, time limit, keywords and first line of description."""
    rows: list[dict[str, Any]] = []
    for env_id in environment_ids():
        env = gym.make(env_id)
        mdp = env.get_wrapper_attr("mdp")
        made_by = type(env.unwrapped)
        rows.append(
            {
                "id": env_id,
                "states": mdp.num_states,
                "actions": mdp.num_actions,
                "outcomes": mdp.num_outcomes,
                "max_episode_steps": gym.spec(env_id).max_episode_steps,
                "keywords": {keyword.name: keyword.default for keyword in keywords_of(made_by)},
                "about": summary_of(made_by),
            }
        )
        env.close()
    if as_json:
        return json.dumps(rows, indent=2)
    width = max(len(row["id"]) for row in rows)
    lines = [f"{'id':{width}}  {'states':>6}  {'actions':>7}  {'limit':>5}  about"]
    for row in rows:
        limit = "-" if row["max_episode_steps"] is None else row["max_episode_steps"]
        lines.append(
            f"{row['id']:{width}}  {row['states']:6}  {row['actions']:7}  {limit:>5}  {row['about']}"
        )
    return "\n".join(lines)
