"""Suites, right and wrong: every mistake at once, each with its path."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest

from bellglass.experiments.records import ScoringSpec
from bellglass.experiments.suite.reading import read_suite, shipped_suites, suite_from
from bellglass.experiments.suite.schema import Suite
from bellglass.experiments.suite_errors import SuiteError

RIGHT = """
name = "small"
seeds = 2
[scoring]
points = 5
[[environments]]
id = "bellglass/FrozenLake-v0"
keywords = { map_name = "4x4" }
steps = 1_000
[[environments]]
id = "bellglass/TMaze-v0"
name = "maze"
keywords = { N = 3 }
steps = 500
max_episode_steps = 50
[[agents]]
name = "Q-learning"
class = "QLearning"
settings = { step_size = 0.1 }
[[agents]]
class = "CertaintyEquivalence"
environments = ["maze"]
"""


def small(**changes: Any) -> dict[str, Any]:
    return {
        "name": "small",
        "seeds": 2,
        "environments": [{"id": "bellglass/FrozenLake-v0", "steps": 100}],
        "agents": [{"class": "QLearning"}],
        **changes,
    }


def mistakes_of(**changes: Any) -> str:
    with pytest.raises(SuiteError) as error:
        suite_from(small(**changes))
    return str(error.value)


def written(tmp_path: Path, text: str) -> Suite:
    path = tmp_path / "suite.toml"
    path.write_text(text)
    return read_suite(path)


def test_a_suite_is_planned_seed_by_seed_with_every_default_filled_in(tmp_path: Path) -> None:
    suite = written(tmp_path, RIGHT)
    runs, skipped = suite.plan()
    assert skipped == ()
    assert [(run.agent.name, run.environment.name, run.seed) for run in runs] == [
        ("Q-learning", "FrozenLake 4x4", 0),
        ("Q-learning", "maze", 0),
        ("CertaintyEquivalence", "maze", 0),
        ("Q-learning", "FrozenLake 4x4", 1),
        ("Q-learning", "maze", 1),
        ("CertaintyEquivalence", "maze", 1),
    ]
    assert runs[0].scoring == ScoringSpec(criterion="discounted", discount=0.99, horizon=None, points=5)
    assert runs[1].scoring.discount == 0.98  # the card's
    assert runs[1].environment.max_episode_steps == 50
    assert suite.text == RIGHT


def test_the_same_suite_made_in_python_plans_the_same_runs(tmp_path: Path) -> None:
    made = suite_from(
        {
            "name": "small",
            "seeds": 2,
            "scoring": {"points": 5},
            "environments": [
                {"id": "bellglass/FrozenLake-v0", "keywords": {"map_name": "4x4"}, "steps": 1_000},
                {
                    "id": "bellglass/TMaze-v0",
                    "name": "maze",
                    "keywords": {"N": 3},
                    "steps": 500,
                    "max_episode_steps": 50,
                },
            ],
            "agents": [
                {"name": "Q-learning", "class": "QLearning", "settings": {"step_size": 0.1}},
                {"class": "CertaintyEquivalence", "environments": ["bellglass/TMaze-v0"]},
            ],
        }
    )
    ids = [run.run_id for run in written(tmp_path, RIGHT).plan()[0]]
    assert [run.run_id for run in made.plan()[0]] == ids
    again = written(tmp_path, made.text)  # the text that lies beside the results is the suite
    assert [run.run_id for run in again.plan()[0]] == ids


def test_every_mistake_is_told_at_once_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(SuiteError) as error:
        written(
            tmp_path,
            """
            name = "wrong"
            seedz = 3
            [scoring]
            criterion = "discount"
            [[environments]]
            id = "bellglass/FrozenLak-v0"
            steps = 100
            [[environments]]
            id = "bellglass/FrozenLake-v0"
            keywords = { map_nam = "4x4" }
            steps = 100.5
            [[environments]]
            id = "bellglass/FrozenLake-v0"
            keywords = { desc = ["SF", "G"] }
            [[agents]]
            class = "Qlearning"
            [[agents]]
            class = "QLearning"
            settings = { stepsize = 0.1, seed = 3, epsilon = 1979-05-27 }
            environments = ["lake"]
            """,
        )
    lines = str(error.value).splitlines()
    expected = [
        "seedz: unknown key; did you mean 'seeds'? allowed: agents, environments, limits, name",
        "scoring.criterion: must be 'discounted', 'finite_horizon', 'total' or 'average', got 'discount'",
        "environments[1].steps: must be a valid integer",
        "environments[2].steps: is missing",
        "environments[0].id: 'bellglass/FrozenLak-v0': unknown id; did you mean 'bellglass/FrozenLake-v0'?",
        "environments[1].keywords.map_nam: unknown keyword; did you mean 'map_name'?",
        "environments[2].keywords: row 1 of desc has 1 columns, row 0 has 2",
        "agents[0].class: 'Qlearning': unknown agent; did you mean 'QLearning'?",
        "agents[1].settings.stepsize: unknown setting; did you mean 'step_size'? allowed: ",
        "agents[1].settings.seed: is set by the runner",
        "agents[1].settings.epsilon: must be a number",
        "agents[1].environments[0]: 'lake': unknown environment",
    ]
    for wanted in expected:
        assert [line for line in lines if line.startswith(wanted)], (wanted, lines)
    assert len(lines) == len(expected)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"seeds": 0}, "seeds: must be greater than or equal to 1, got 0"),
        ({"seeds": 10**9}, "seeds: must be less than or equal to 100000, got 1000000000"),
        ({"seeds": "3"}, "seeds: must be a valid integer, got '3'"),
        ({"seeds": True}, "seeds: must be a valid integer, got True"),
        ({"name": ""}, "name: must have at least 1 character, got ''"),
        ({"name": 201 * "a"}, "name: must have at most 200 characters"),
        ({"name": "a\nb"}, "name: must be one line of characters that can be printed, got 'a\\nb'"),
        (
            {"agents": [{"class": "QLearning", "name": "a\u202eb"}]},
            "agents[0].name: must be one line of characters that can be printed, got 'a\\u202eb'",
        ),
        ({"environments": []}, "environments: must have at least 1 item"),
        ({"agents": "QLearning"}, "agents: must be a valid list, got 'QLearning'"),
        ({"agents": ["QLearning"]}, "agents[0]: must be a table of keys and values, got 'QLearning'"),
        ({"agents": [{"class": "QLearning", "settings": 3}]}, "agents[0].settings: must be a table of keys"),
        ({"limits": {"seconds": -1.0}}, "limits.seconds: must be greater than 0, got -1.0"),
        ({"limits": {"second": 1.0}}, "limits.second: unknown key; did you mean 'seconds'?"),
        (
            {"agents": [{"class": "QLearning", "num_envs": 10**8}]},
            "agents[0].num_envs: must be less than or equal to 100000, got 100000000",
        ),
        ({"agents": [{"class": "Agent"}]}, "agents[0].class: 'Agent': unknown agent"),
        ({"agents": [{"class": "no.such.module:Agent"}]}, "agents[0].class: No module named 'no'"),
        (
            {"agents": [{"class": "QLearning", "settings": {"step_size": 2.0}}]},
            "agents[0].settings: QLearning in FrozenLake: step_size",
        ),
        (
            {"agents": [{"class": "QLearning"}, {"class": "QLearning"}]},
            "agents[1].name: 'QLearning' is also the name of agents[0]",
        ),
        (
            {"environments": [{"id": "CartPole-v1", "steps": 10}]},
            "environments[0].id: 'CartPole-v1' lays no table open",
        ),
        (
            {"scoring": {"discount": 1.0}},
            "scoring: criterion 'discounted' needs a discount in [0, 1)",
        ),
        (
            {"scoring": {"criterion": "total", "discount": 0.9}},
            "scoring: criterion 'total' takes no discount, got 0.9",
        ),
        (
            {"scoring": {"horizon": 10}},
            "scoring: horizon = 10 goes with criterion 'finite_horizon'",
        ),
        (
            {
                "scoring": {"criterion": "finite_horizon"},
                "environments": [{"id": "bellglass/TMaze-v0", "steps": 10}],
            },
            "environments[0].scoring: criterion 'finite_horizon' needs a horizon",
        ),
    ],
)
def test_a_mistake_says_what_is_wrong_and_what_is_allowed(changes: dict[str, Any], wanted: str) -> None:
    assert wanted in mistakes_of(**changes)


def test_scoring_that_contradicts_itself_is_told_once_beside_all_else() -> None:
    environments = [
        {"id": "bellglass/FrozenLake-v0", "keywords": {"map_name": "5x5"}, "steps": 10},
        {"id": "bellglass/RiverSwim-v0", "steps": 10},
        {"id": "bellglass/Taxi-v0", "steps": 10, "scoring": {"criterion": "total", "discount": 0.5}},
    ]
    told = mistakes_of(scoring={"criterion": "average", "discount": 0.9}, environments=environments)
    assert told.splitlines() == [
        "scoring: criterion 'average' takes no discount, got 0.9",
        "environments[0].keywords: map_name must be one of '4x4', '8x8', got '5x5'",
        "environments[2].scoring: criterion 'total' takes no discount, got 0.5",
    ]


def test_a_run_that_would_end_before_its_agent_learns_is_a_mistake() -> None:
    pytest.importorskip("torch")
    told = mistakes_of(
        environments=[
            {"id": "bellglass/FrozenLake-v0", "steps": 500},
            {"id": "bellglass/RiverSwim-v0", "steps": 501},
        ],
        agents=[{"class": "DQN"}, {"class": "DQN", "name": "quick", "settings": {"learning_starts": 499.0}}],
    )
    assert told == (
        "agents[0].settings: DQN in FrozenLake: it would learn nothing: steps = 500, and its learning_starts is 500; "
        "give more steps or a smaller learning_starts"
    )


@pytest.mark.parametrize("place", ["bellglass/FrozenLake-v0", "bellglass/TMaze-v0"])
def test_a_setting_of_the_wrong_kind_is_told_by_its_annotation_wherever_the_agent_plays(place: str) -> None:
    pytest.importorskip("torch")
    told = mistakes_of(
        environments=[{"id": place, "steps": 10_000}],
        agents=[
            {"class": "QLearning", "name": "a", "settings": {"discount": "big"}},
            {"class": "DQN", "name": "b", "settings": {"hidden_sizes": ["64"], "batch_size": "x"}},
            {"class": "DQN", "name": "c", "settings": {"tau": 1.0}, "grid": {"hidden_sizes": [[8], 8]}},
        ],
    )
    assert told.splitlines() == [
        "agents[0].settings.discount: must be float, got 'big'",
        "agents[1].settings.hidden_sizes: must be Sequence[int], got ['64']",
        "agents[1].settings.batch_size: must be int, got 'x'",
        "agents[2].grid.hidden_sizes: must be Sequence[int], got 8",
    ]


def test_what_an_annotation_forbids_and_the_constructor_takes_is_no_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lenient.py").write_text(
        "from bellglass.agents import QLearning\n"
        "class Agent(QLearning):\n"
        "    def __init__(self, env, *, step: int = 1, seed=0): super().__init__(env, step_size=step, seed=seed)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert suite_from(small(agents=[{"class": "lenient:Agent", "settings": {"step": 0.5}}])).agents


@pytest.mark.parametrize("place", ["FrozenLake", "TMaze"])
@pytest.mark.parametrize(("discount", "told_as"), [("1.7", "1.7"), ("float('nan')", "nan"), ("'a'", "'a'")])
def test_an_agent_that_discounts_out_of_range_is_a_mistake_in_the_suite_not_at_the_end_of_its_runs(
    discount: str, told_as: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd_discount.py").write_text(
        "from bellglass.agents import QLearning\n"
        "class Agent(QLearning):\n"
        "    discount = 0.99  # an attribute that nobody checks\n"
        "    def __init__(self, env, *, seed=0):\n"
        "        super().__init__(env, seed=seed)\n"
        f"        self.discount = {discount}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "odd_discount", raising=False)
    told = mistakes_of(
        agents=[{"class": "odd_discount:Agent"}],
        environments=[{"id": f"bellglass/{place}-v0", "steps": 10}],
    )
    assert told == (
        f"agents[0].settings: odd_discount:Agent in {place}: its discount must be in [0, 1], got {told_as}"
    )


def test_a_map_of_several_lines_makes_a_name_of_one(tmp_path: Path) -> None:
    maps = ["S..\n..G", "S.\n.G"]
    suite = suite_from(
        small(
            environments=[
                {"id": "bellglass/Map-v0", "steps": 10, "grid": {"drawing": maps}},
                {"id": "bellglass/Map-v0", "steps": 10, "keywords": {"drawing": "S...\n...G"}},
            ]
        )
    )
    names = [environment.name for environment in suite.environments]
    assert names == ["Map drawing=S.. ..G", "Map drawing=S. .G", "Map drawing=S... ...G"]
    assert [environment.keywords["drawing"] for environment in suite.environments[:2]] == maps


def test_the_finite_horizon_is_the_time_limit_unless_the_suite_says_otherwise() -> None:
    for own, horizon in (({}, 100), ({"max_episode_steps": 7}, 7), ({"scoring": {"horizon": 9}}, 9)):
        environment = {"id": "bellglass/FrozenLake-v0", "steps": 100, **own}
        suite = suite_from(small(scoring={"criterion": "finite_horizon"}, environments=[environment]))
        judged = suite.scoring["FrozenLake"]
        assert (judged.horizon, judged.discount) == (horizon, 1.0)


def test_one_environment_may_be_judged_by_another_criterion() -> None:
    suite = suite_from(
        small(
            scoring={"discount": 0.9},
            environments=[
                {"id": "bellglass/FrozenLake-v0", "steps": 100},
                {"id": "bellglass/RiverSwim-v0", "steps": 100, "scoring": {"criterion": "average"}},
            ],
        )
    )
    assert suite.scoring["FrozenLake"].discount == 0.9
    assert suite.scoring["RiverSwim"].criterion == "average"
    assert suite.scoring["RiverSwim"].discount is None


def test_who_needs_to_see_states_is_left_out_where_they_are_hidden_and_listed() -> None:
    suite = suite_from(
        small(
            environments=[
                {"id": "bellglass/FrozenLake-v0", "steps": 100},
                {"id": "bellglass/TMaze-v0", "steps": 100},
            ],
            agents=[{"class": "ValueIteration"}, {"class": "QLearning"}],
        )
    )
    runs, (skip,) = suite.plan()
    assert (skip.agent, skip.environment) == ("ValueIteration", "TMaze")
    assert skip.reason.startswith("TMaze hides its state")
    assert len(runs) == 2 * 3
    alone = small(
        environments=[{"id": "bellglass/TMaze-v0", "steps": 9}], agents=[{"class": "ValueIteration"}]
    )
    with pytest.raises(SuiteError, match="none of them can play any of the environments"):
        suite_from(alone)
    settings = {"discount": 1.0}
    assert "agents[0].settings: ValueIteration in TMaze: discount" in mistakes_of(
        environments=[{"id": "bellglass/TMaze-v0", "steps": 9}],
        agents=[{"class": "ValueIteration", "settings": settings}],
    )


def test_an_agent_of_the_users_own_is_found_by_its_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(
        "from bellglass.agents import QLearning\nclass Mine(QLearning):\n    pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    suite = suite_from(small(agents=[{"class": "mine:Mine"}]))
    assert suite.agents[0].name == "Mine"


#: Modules of a user's own that get into trouble, and what is told of them.
TROUBLED = [
    ("def (:", "module 'troubled' cannot be imported: SyntaxError: invalid syntax (troubled.py, line 1)"),
    ("1 / 0", "module 'troubled' cannot be imported: ZeroDivisionError: division by zero"),
    ("import sys; sys.exit(3)", "module 'troubled' cannot be imported: SystemExit: 3"),
    ("import not_there", "No module named 'not_there'"),
]


@pytest.mark.parametrize(("code", "says"), TROUBLED)
def test_a_module_of_the_users_own_that_raises_is_a_mistake_in_the_suite(
    code: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "troubled.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    environments = [{"id": "troubled:Mine-v0", "steps": 1}]
    told = mistakes_of(environments=environments, agents=[{"class": "troubled:Mine"}]).splitlines()
    assert told == [f"environments[0].id: 'troubled:Mine-v0': {says}", f"agents[0].class: {says}"]


def test_an_agent_or_an_environment_that_raises_whatever_it_likes_is_a_mistake_in_the_suite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "raising.py").write_text(
        "import gymnasium\n"
        "class Agent:\n"
        "    def __init__(self, env, seed): raise KeyError('k')\n"
        "    def learn(self): ...\n"
        "class Env:\n"
        "    def __init__(self): raise LookupError('no\\nluck')\n"
        "gymnasium.register('Mine-v0', Env)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert mistakes_of(agents=[{"class": "raising:Agent"}]) == (
        "agents[0].settings: raising:Agent in FrozenLake: KeyError: 'k'"
    )
    assert mistakes_of(environments=[{"id": "raising:Mine-v0", "steps": 1}]).startswith(
        "environments[0].keywords: raising:Mine-v0 cannot be made with its defaults: LookupError: no luck"
    )
    del gym.registry["Mine-v0"]


def test_a_module_is_no_path() -> None:
    assert mistakes_of(agents=[{"class": ".troubled:Mine"}]).startswith(
        "agents[0].class: module '.troubled' cannot be imported: TypeError: "
    )


def test_a_file_that_is_no_toml_or_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    for text, wanted in (("name = ", "no valid TOML"), ('name = "a"\nname = "b"', "no valid TOML")):
        with pytest.raises(SuiteError, match=wanted) as error:
            written(tmp_path, text)
        assert len(error.value.mistakes) == 1
    with pytest.raises(SuiteError, match=r"quickstat: no such file; .*did you mean 'quickstart'"):
        read_suite("quickstat")
    (tmp_path / "latin").write_bytes(b'name = "\xff"')
    with pytest.raises(SuiteError, match="cannot be read"):
        read_suite(tmp_path / "latin")


@pytest.mark.parametrize("name", shipped_suites())
def test_every_shipped_suite_is_without_mistakes(name: str) -> None:
    pytest.importorskip("stable_baselines3")
    runs, _ = read_suite(name).plan()
    assert len({run.run_id for run in runs}) == len(runs) > 0


def test_an_agent_with_memory_plays_only_where_states_are_hidden() -> None:
    suite = suite_from(
        {
            "name": "memory",
            "seeds": 1,
            "environments": [
                {"id": "bellglass/RussellNorvig-v0", "steps": 10},
                {"id": "bellglass/TMaze-v0", "steps": 10_000},
            ],
            "agents": [{"class": "RecurrentDQN"}],
        }
    )
    runs, skipped = suite.plan()
    assert [run.environment.id for run in runs] == ["bellglass/TMaze-v0"]
    assert [(pair.environment, "remembers" in pair.reason) for pair in skipped] == [("RussellNorvig", True)]
