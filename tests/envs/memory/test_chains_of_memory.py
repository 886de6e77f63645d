"""MemoryChain, UmbrellaChain and RepeatPrevious: rows by hand, and their closed forms."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import pytest

import bellglass
from bellglass.envs.mdp.memory_limit import TableTooLarge
from bellglass.envs.memory.repeat_previous import best_without_memory
from bellglass.envs.memory.repeat_previous import closed_form_start_value as repeat_previous_start_value
from bellglass.envs.memory.umbrella_chain import closed_form_start_value as umbrella_chain_start_value


def hidden(name: str, **keywords: Any) -> bellglass.TabularPOMDP:
    return bellglass.pomdp_of(gym.make(f"bellglass/{name}-v0", **keywords))


def umbrella(**keywords: Any) -> bellglass.TabularMDP:
    return bellglass.table_of(gym.make("bellglass/UmbrellaChain-v0", **keywords))


# -- MemoryChain


def test_bits_are_seen_first_and_the_question_last() -> None:
    pomdp = hidden("MemoryChain", N=2, bits=2)
    mdp = pomdp.mdp
    assert mdp.num_states == 3 * 4 * 2 + 1
    assert pomdp.observation_labels == ("00", "01", "10", "11", "blank", "bit 0?", "bit 1?")

    def seen(label: Any) -> Any:
        assert pomdp.observation_labels is not None
        return pomdp.observation_labels[int(pomdp.observation_probability[mdp.encode(label)].argmax())]

    assert seen((0, (1, 0), 1)) == "10"
    assert seen((1, (1, 0), 1)) == "blank"
    assert seen((2, (1, 0), 1)) == "bit 1?"
    assert mdp.P[mdp.encode((0, (1, 0), 1))][1] == [(1.0, mdp.encode((1, (1, 0), 1)), 0.0, False)]
    assert mdp.P[mdp.encode((2, (1, 0), 1))][0] == [(1.0, 24, 1.0, True)]
    assert mdp.P[mdp.encode((2, (1, 0), 0))][0] == [(1.0, 24, -1.0, True)]
    assert mdp.initial[:8] == pytest.approx([1 / 8] * 8)


@pytest.mark.parametrize(("N", "bits"), [(1, 1), (10, 1), (3, 3)])
def test_who_remembers_all_bits_is_always_right(N: int, bits: int) -> None:
    rungs = bellglass.information_ladder(hidden("MemoryChain", N=N, bits=bits), 0.9)
    assert rungs.memory == pytest.approx(0.9**N)
    assert rungs.reactive == pytest.approx(0.0, abs=1e-12)


# -- UmbrellaChain


def test_the_first_action_takes_the_umbrella_and_the_last_step_judges_it() -> None:
    mdp = umbrella(N=3)
    assert mdp.num_states == 13
    rain = mdp.encode((0, "rain", False))
    carried = mdp.encode((1, "rain", True))
    assert mdp.P[rain][1] == [(0.5, carried, 1.0, False), (0.5, carried, -1.0, False)]
    kept = mdp.encode((2, "rain", True))
    assert mdp.P[carried][0] == [(0.5, kept, 1.0, False), (0.5, kept, -1.0, False)]
    assert mdp.P[kept][0] == mdp.P[kept][1] == [(1.0, 12, 1.0, True)]
    assert mdp.P[mdp.encode((2, "sun", True))][0] == [(1.0, 12, -1.0, True)]
    assert mdp.P[mdp.encode((2, "sun", False))][1] == [(1.0, 12, 1.0, True)]
    assert mdp.initial[[mdp.encode((0, sky, False)) for sky in ("sun", "rain")]].tolist() == [0.5, 0.5]


def test_with_one_step_the_action_is_judged_at_once() -> None:
    mdp = umbrella(N=1)
    rain = mdp.P[mdp.encode((0, "rain", False))]
    assert rain == {0: [(1.0, 4, -1.0, True)], 1: [(1.0, 4, 1.0, True)]}


@pytest.mark.parametrize("N", [1, 2, 20])
def test_only_the_last_reward_can_be_chosen(N: int) -> None:
    assert bellglass.solve(umbrella(N=N), 0.9).start_value == pytest.approx(
        umbrella_chain_start_value(N, 0.9)
    )


# -- RepeatPrevious


def test_the_symbol_of_k_steps_ago_is_asked_for() -> None:
    pomdp = hidden("RepeatPrevious", m=3, k=1, L=3)
    mdp = pomdp.mdp
    assert mdp.num_states == 3 * 9 + 1
    first = mdp.P[mdp.encode((0, (0, 2)))][1]
    assert first == [(1 / 3, mdp.encode((1, (2, new))), 0.0, False) for new in range(3)]
    right = mdp.P[mdp.encode((1, (2, 0)))][2]
    assert right == [(1 / 3, mdp.encode((2, (0, new))), 1.0, False) for new in range(3)]
    assert {row[2] for row in mdp.P[mdp.encode((1, (2, 0)))][0]} == {-1.0}
    assert mdp.P[mdp.encode((2, (1, 0)))][1] == [(1.0, 27, 1.0, True)]
    assert mdp.initial[[mdp.encode((0, (0, symbol))) for symbol in range(3)]] == pytest.approx([1 / 3] * 3)
    assert pomdp.observation_probability[mdp.encode((1, (2, 0)))].tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(("m", "k", "L"), [(2, 1, 6), (4, 2, 5), (3, 0, 4), (2, 3, 2)])
def test_memory_is_always_right_and_no_memory_by_chance(m: int, k: int, L: int) -> None:
    rungs = bellglass.information_ladder(hidden("RepeatPrevious", m=m, k=k, L=L), 1.0)
    assert rungs.memory == pytest.approx(repeat_previous_start_value(k, L), abs=1e-9)
    assert rungs.reactive == pytest.approx(best_without_memory(m, k, L), abs=1e-9)
    assert rungs.reactive_stochastic == (rungs.reactive, rungs.reactive)


@pytest.mark.parametrize(
    ("name", "keywords", "error", "problem"),
    [
        ("MemoryChain", {"N": 0}, ValueError, "N must be at least 1, got 0"),
        ("MemoryChain", {"bits": 1.0}, TypeError, r"bits must be a whole number at least 1, got 1\.0"),
        ("MemoryChain", {"bits": 30}, TableTooLarge, "GiB of memory"),
        ("UmbrellaChain", {"N": 0}, ValueError, "N must be at least 1, got 0"),
        ("RepeatPrevious", {"m": 1}, ValueError, "m must be at least 2, got 1"),
        ("RepeatPrevious", {"k": -1}, ValueError, "k must be at least 0, got -1"),
        ("RepeatPrevious", {"k": 20}, TableTooLarge, "GiB of memory"),
    ],
)
def test_settings_out_of_range_are_refused(
    name: str, keywords: dict[str, Any], error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        gym.make(f"bellglass/{name}-v0", **keywords)
