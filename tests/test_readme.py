"""The README's code runs from top to bottom, and its numbers are the right ones."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from helpers.pages import blocks, run
from helpers.paths import ROOT

from bellglass.cli.commands import COMMANDS
from bellglass.envs.vector import vector_maker
from bellglass.experiments.suite.reading import suite_from

README = ROOT / "README.md"
if not README.is_file():
    pytest.skip("the README is part of the checkout only", allow_module_level=True)
TEXT = README.read_text(encoding="utf-8")


def test_the_python_runs_and_its_numbers_hold(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    run(README, names)
    solve, make = names["bellglass"].solve, names["gym"].make
    lake = make("bellglass/FrozenLake-v0")
    assert solve(lake, criterion="total").start_value == pytest.approx(14 / 17)
    assert solve(lake, criterion="finite_horizon", horizon=100).start_value == pytest.approx(
        0.74419, abs=1e-5
    )
    assert names["score"].solved
    corridor = names["SlipperyCorridor"](slip=0.5)
    step = 0.5 * 0.99 / (1 - 0.5 * 0.99)  # the closed form that its docstring tells
    assert solve(corridor, discount=0.99).start_value == pytest.approx(step**5 / 0.99)
    copies = vector_maker(names["SlipperyCorridor"])(num_envs=3)
    assert copies.reset(seed=0)[0].tolist() == [0, 0, 0]
    assert "best discounted reward" in capsys.readouterr().out


def test_the_suite_it_shows_is_one() -> None:
    (suite,) = blocks(README, "toml")
    runs, skipped = suite_from(tomllib.loads(suite)).plan()
    assert (len(runs), len(skipped)) == (60, 0)


def test_the_suite_in_the_page_on_experiments_means_what_the_page_says() -> None:
    (text,) = blocks(README.parent / "docs" / "experiments.md", "toml")
    suite = suite_from(tomllib.loads(text))
    assert [place.name for place in suite.environments] == ["TMaze N=3", "TMaze N=10"]
    assert [agent.name for agent in suite.agents] == [
        "Q-learning step_size=0.1", "Q-learning step_size=0.5", "RecurrentDQN"
    ]  # fmt: skip
    assert len(suite.plan()[0]) == 2 * 3 * 20


def test_every_command_it_lists_exists_and_none_is_missing() -> None:
    assert set(re.findall(r"^\| `bellglass (\w+)", TEXT, flags=re.MULTILINE)) == set(COMMANDS)


def test_the_pictures_it_shows_are_there() -> None:
    for target in re.findall(r"!\[[^]]*\]\(([^)]+)\)", TEXT):
        assert (README.parent / target).is_file()
