"""Grids of settings: every combination, readable names, every mistake."""

from __future__ import annotations

from typing import Any

import pytest

from bellglass.experiments.suite.grids import choices, mistakes_in_grid
from bellglass.experiments.suite.reading import suite_from
from bellglass.experiments.suite_errors import SuiteError

LAKE = {"id": "bellglass/FrozenLake-v0", "steps": 100}


def suite_of(*agents: dict[str, Any], environments: list[dict[str, Any]] | None = None) -> Any:
    data = {"name": "grid", "seeds": 2, "environments": environments or [LAKE], "agents": list(agents)}
    return suite_from(data)


def test_the_last_key_turns_fastest_and_shared_settings_stay() -> None:
    found = choices({"a": 1, "c": {"e": 0}}, {"b": [True, "x"], "c": {"d": [[1, 2], {"k": "v"}]}})
    assert [name for _, name in found] == [
        "b=true d=[1, 2]", 'b=true d={ k = "v" }', "b=x d=[1, 2]", 'b=x d={ k = "v" }'
    ]  # fmt: skip
    assert found[0].settings == {"a": 1, "b": True, "c": {"e": 0, "d": [1, 2]}}
    assert found[3].settings == {"a": 1, "b": "x", "c": {"e": 0, "d": {"k": "v"}}}


def test_a_value_too_long_for_a_name_is_called_by_its_place() -> None:
    (first, second) = choices({}, {"rate": [{"kind": "linear", "start": 0.002, "end": 0.0}, 0.1]})
    assert (first.name, second.name) == ("rate=#1", "rate=0.1")


def test_no_grid_is_one_choice() -> None:
    assert choices({"a": 1}, {}) == [({"a": 1}, "")]


@pytest.mark.parametrize(
    ("grid", "settings", "path", "says"),
    [
        (
            {"a": 0.1},
            {},
            ["grid", "a"],
            "must be a list of values, got 0.1; one value belongs under settings",
        ),
        ({"a": []}, {}, ["grid", "a"], "must have at least 1 value, got []"),
        ({"a": [1, 2, 1]}, {}, ["grid", "a"], "1 stands there twice"),
        ({"b": {"a": [1]}}, {"b": {"a": 2}}, ["grid", "b", "a"], "is set under settings too"),
        ({"b": {"a": [1]}}, {"b": 2}, ["grid", "b", "a"], "is set under settings too"),
    ],
)
def test_what_is_no_grid_is_told(
    grid: dict[str, Any], settings: dict[str, Any], path: list[str], says: str
) -> None:
    ((where, found),) = mistakes_in_grid(grid, settings, "settings")
    assert where == path
    assert found.startswith(says)


def test_more_combinations_than_anybody_can_wait_for_are_refused() -> None:
    many = list(range(100))
    assert mistakes_in_grid({"a": many, "b": {"c": many}}, {}, "settings") == []
    (found,) = mistakes_in_grid({"a": many, "b": {"c": many}, "d": [1, 2]}, {}, "settings")
    assert found == (["grid"], "must have at most 10,000 combinations, got 20,000")


def test_one_one_point_nought_and_true_are_three_values() -> None:
    assert mistakes_in_grid({"a": [1, 1.0, True]}, {}, "settings") == []


def test_a_grid_of_settings_makes_agents_and_the_same_runs_as_writing_them_out() -> None:
    short = suite_of(
        {"name": "Q", "class": "QLearning", "grid": {"step_size": [0.1, 0.5], "epsilon": [0.2, 0.3]}}
    )
    assert [agent.name for agent in short.agents] == [
        "Q step_size=0.1 epsilon=0.2", "Q step_size=0.1 epsilon=0.3",
        "Q step_size=0.5 epsilon=0.2", "Q step_size=0.5 epsilon=0.3",
    ]  # fmt: skip
    long = suite_of(
        *(
            {"name": f"{a} {b}", "class": "QLearning", "settings": {"step_size": a, "epsilon": b}}
            for a in (0.1, 0.5)
            for b in (0.2, 0.3)
        )
    )
    assert [run.run_id for run in short.plan()[0]] == [run.run_id for run in long.plan()[0]]
    assert len(short.plan()[0]) == 4 * 2


def test_a_grid_of_keywords_makes_environments_that_agents_may_name_together() -> None:
    mazes = {"id": "bellglass/TMaze-v0", "grid": {"N": [3, 6]}, "steps": 100}
    suite = suite_of(
        {"class": "QLearning"},
        {"class": "DoubleQLearning", "environments": ["maze"]},
        {"class": "Sarsa", "environments": ["maze N=6"]},
        environments=[LAKE, {**mazes, "name": "maze"}],
    )
    assert [place.name for place in suite.environments] == ["FrozenLake", "maze N=3", "maze N=6"]
    assert {place for agent, place in suite.pairs if agent == "DoubleQLearning"} == {"maze N=3", "maze N=6"}
    assert {place for agent, place in suite.pairs if agent == "Sarsa"} == {"maze N=6"}
    unnamed = suite_of({"class": "QLearning"}, environments=[mazes])
    assert [place.name for place in unnamed.environments] == ["TMaze N=3", "TMaze N=6"]


def test_a_suite_with_grids_survives_the_way_to_its_file_and_back() -> None:
    import tomllib

    suite = suite_of({"class": "QLearning", "grid": {"step_size": [0.1, 0.5]}})
    again = suite_from(tomllib.loads(suite.text))
    assert [run.run_id for run in again.plan()[0]] == [run.run_id for run in suite.plan()[0]]


def test_every_mistake_in_every_grid_is_told_at_once() -> None:
    with pytest.raises(SuiteError) as error:
        suite_of(
            {"name": "a", "class": "QLearning", "grid": {"step_sise": [0.1], "epsilon": 0.1, "seed": [1]}},
            {"name": "b", "class": "QLearning", "grid": {"step_size": [0.1, 2.0, 3.0]}},
            {"name": "c", "class": "QLearning", "settings": {"epsilon": 0.1}, "grid": {"epsilon": [0.1]}},
            environments=[LAKE, {"id": "bellglass/TMaze-v0", "steps": 9, "grid": {"M": [1], "N": [2, -1]}}],
        )
    starts = [
        "environments[1].grid.M: unknown keyword; allowed: N",
        "agents[0].grid.step_sise: unknown setting; did you mean 'step_size'?",
        "agents[0].grid.seed: is set by the runner",
        "agents[0].grid.epsilon: must be a list of values, got 0.1",
        "agents[1].grid: QLearning step_size=2.0 in FrozenLake: step_size",
        "agents[1].grid: QLearning step_size=3.0 in FrozenLake: step_size",
        "agents[2].grid.epsilon: is set under settings too",
    ]
    assert len(error.value.mistakes) == len(starts)
    for says, start in zip(error.value.mistakes, starts, strict=True):
        assert says.startswith(start), says


def test_the_same_runs_under_two_names_are_refused() -> None:
    with pytest.raises(SuiteError, match="'b' in 'FrozenLake' and 'a' in 'FrozenLake' are the same runs"):
        suite_of(
            {"name": "a", "class": "QLearning", "settings": {"step_size": 0.1}},
            {"name": "b", "class": "QLearning", "settings": {"step_size": 0.1}},
        )
