"""The code on the pages under docs/ prints what the page says it does."""

from __future__ import annotations

import re

import gymnasium as gym
import pytest
from helpers.pages import check_prints
from helpers.paths import ROOT

import bellglass

PAGE = ROOT / "docs" / "partially_observed.md"
if not PAGE.is_file():
    pytest.skip("the pages are part of the checkout only", allow_module_level=True)


def test_every_number_on_the_page_of_hidden_states_is_what_the_code_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    check_prints(PAGE, capsys)


@pytest.mark.slow
def test_its_ladders_are_every_partially_observed_ids() -> None:
    """What memory and sight are worth, solved anew; the searches of the lower rungs only where they are quick."""
    rows = re.findall(
        r"^\| `(\S+)` \((\S+)\) \| (.*) \|$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    hidden = {
        env_id: env
        for env_id in gym.registry
        if env_id.startswith("bellglass/")
        for env in [gym.make(env_id)]
        if env.has_wrapper_attr("pomdp")
    }
    assert {f"bellglass/{name}" for name, _, _ in rows} == set(hidden)
    for name, discount, cells in rows:
        env = hidden[f"bellglass/{name}"]
        pomdp = bellglass.pomdp_of(env)
        reactive, stochastic, memory, observed, _ = cells.split(" | ")
        assert float(discount) == env.get_wrapper_attr("discount")
        if name in ("MemoryChain-v0", "MiniHallway-v0"):
            rungs = bellglass.information_ladder(pomdp, float(discount))
            interval = tuple(float(end) for end in stochastic.split(" .. "))
            assert (float(reactive), *interval) == pytest.approx(
                (rungs.reactive, *rungs.reactive_stochastic), abs=1e-4
            )
        for cell, model in ((memory, pomdp), (observed, pomdp.mdp)):
            best = bellglass.solve(model, float(discount)).start_value
            assert float(cell) == pytest.approx(best, abs=1e-4)
