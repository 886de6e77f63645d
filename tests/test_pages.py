"""The pages under docs/: what is generated is up to date, what is code runs, and what they show is there."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import gymnasium as gym
import pytest
from helpers.pages import run
from helpers.paths import ROOT

import bellglass
from bellglass.envs import TabularVectorEnv, table_of
from bellglass.envs.documentation import keywords_of, meanings, range_of
from bellglass.envs.registration import ENVIRONMENTS

DOCS = ROOT / "docs"
if not DOCS.is_dir():
    pytest.skip("the pages are part of the checkout only", allow_module_level=True)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A module in whose name a page's code runs, in an empty folder; ids that it registers are forgotten."""
    before = set(gym.registry)
    made = ModuleType("a_readers_module")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    monkeypatch.chdir(tmp_path)
    yield made
    for env_id in set(gym.registry) - before:
        del gym.registry[env_id]


def test_the_tables_of_the_environments_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    names = runpy.run_path(str(DOCS / "environments_page.py"))
    assert names["main"](["--check"]) == 0, "run python docs/environments_page.py"
    text = names["page"]()
    for row in ENVIRONMENTS:
        assert len(re.findall(rf"^\| {row.name} \|", text, flags=re.MULTILINE)) == 1
    assert "| Gambler | 101 states, 50 actions | Reach the goal before ruin." in text
    assert "`p_h=0.4` chance of winning a stake, in [0, 1]<br>`goal=100` capital to reach, at least 2" in text


def test_an_old_page_is_called_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = runpy.run_path(str(DOCS / "environments_page.py"))
    old = tmp_path / "environments.md"
    old.write_text(f"before\n{names['BEGIN']}\nlong ago\n{names['END']}\nafter\n", encoding="utf-8")
    names["main"].__globals__["PAGE"] = old
    assert names["main"](["--check"]) == 1
    assert "long ago" in old.read_text(encoding="utf-8")
    assert names["main"]([]) == 0
    text = old.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{names['BEGIN']}\n\n### grids")
    assert text.endswith(f"{names['END']}\nafter\n")
    assert names["main"](["--check"]) == 0


def test_the_code_of_the_environments_page_runs(module: ModuleType) -> None:
    run(DOCS / "environments.md", vars(module))
    sizes = {
        env_id: table_of(gym.make(env_id)).num_states
        for env_id in ("mine/Corridor-v0", "mine/SavedCorridor-v0", "mine/PlainCorridor-v0")
    }
    assert list(sizes.values()) == [6, 9, 6]
    assert isinstance(gym.make_vec("mine/PlainCorridor-v0", num_envs=2), TabularVectorEnv)
    assert table_of(module.envs).num_states == 9


def test_the_code_of_the_observations_page_runs(module: ModuleType) -> None:
    run(DOCS / "observations.md", vars(module))
    assert module.pomdp.num_observations == 5
    assert module.corridors.names[0] == ("###", "#S ", "#  ")
    assert bellglass.solve(module.env, criterion="total").start_value == pytest.approx(0.74419, abs=1e-5)
    limited = bellglass.evaluate(module.lake, module.policy, criterion="finite_horizon", horizon=100)
    assert limited.start_value == pytest.approx(0.74016, abs=1e-5)
    assert module.envs.reset(seed=0)[0].shape == (1024,)


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_what_a_page_shows_and_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (page.parent / target).is_file(), target
    for target in re.findall(r"`((?:bellglass|examples|tests|docs)/[\w/.]+\.\w+)`", text):
        assert (DOCS.parent / target).is_file() or "my_env" in target, target


def test_docstrings_are_read_word_for_word() -> None:
    told = meanings(
        "Walk.\n\nArgs:\n    a: first,\n        and more.\n    b: second: at most 3.\n\nRaises:\n    c: no.\n"
    )
    assert told == {"a": "first, and more.", "b": "second: at most 3."}
    assert meanings("Nothing to tell.") == {}
    assert range_of(told["b"]) == (None, 3.0)
    assert range_of("in [-2, 1e6]") == (-2.0, 1e6)
    assert range_of("as many as you like") == (None, None)

    def silent(length: int) -> None:
        """Says nothing."""

    with pytest.raises(ValueError, match="says nothing of length"):
        keywords_of(silent)
