"""extract: what is enumerated is the table, what cannot be one is refused, and nothing is touched."""

from __future__ import annotations

import random
from collections.abc import Hashable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.toy_text.blackjack import BlackjackEnv, draw_card

import bellglass
from bellglass.envs import extraction
from bellglass.envs.extraction import ExtractionError, extract
from bellglass.envs.extraction.attributes import Reader, digest
from bellglass.envs.mdp import memory_limit as room


class Corridor(gym.Env[np.int64, np.int64]):
    """Cells 0 .. 4; left or right; reward 1 and the end in cell 4; truncates after 30 steps."""

    action_space = gym.spaces.Discrete(2)
    observation_space = gym.spaces.Discrete(5)

    def __init__(self) -> None:
        self.cell = 0
        self.steps = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        """Back to the start."""
        super().reset(seed=seed)
        self.cell, self.steps = self.first_cell(), 0
        return np.int64(self.cell), {}

    def first_cell(self) -> int:
        """Where it starts."""
        return 0

    def step(self, action: Any) -> Any:
        """One cell on."""
        self.steps += 1
        self.cell = max(0, self.cell + (1 if action else -1))
        at_end = self.cell == 4
        return np.int64(self.cell), float(at_end), at_end, self.steps >= 30, {}


def rows(mdp: bellglass.TabularMDP, label: Hashable) -> list[list[tuple[Hashable, float, bool]]]:
    """What each action does, in names."""
    return [
        [(mdp.decode(to), reward, ended) for _, to, reward, ended in outcomes]
        for outcomes in mdp.P[mdp.encode(label)].values()
    ]


# -- what an enumeration finds -----------------------------------------------------------------------------------


def test_a_corridor_is_its_five_cells_and_its_clock_is_left_out() -> None:
    found = extract(gym.wrappers.TimeLimit(Corridor(), 50))
    assert found.states == ("cell=0", "cell=1", "cell=2", "cell=3", "cell=4")
    assert rows(found.mdp, "cell=0") == [[("cell=0", 0.0, False)], [("cell=1", 0.0, False)]]
    assert rows(found.mdp, "cell=3") == [[("cell=2", 0.0, False)], [("cell=4", 1.0, True)]]
    assert found.mdp.terminal.tolist() == [False, False, False, False, True]
    assert found.mdp.initial.tolist() == [1, 0, 0, 0, 0]
    assert "steps only counts steps" in found.checks["clock"]
    assert "in step 30: pass horizon=30" in found.checks["clock"]
    assert "pass horizon=50" in found.checks["time limit"]
    assert not found.checks.notes
    assert str(found.checks).splitlines()[0].startswith("  table ")


def test_enumeration_finds_the_rows_of_a_table_that_is_known() -> None:
    env: Any = gym.make("FrozenLake-v1", is_slippery=False)
    known = bellglass.table_of(env)
    found = extract(env, state_fn=lambda lake: int(lake.s))
    assert len(found.states) == 16
    for s, cell in enumerate(found.states):
        expected = [
            [(to, reward, ended) for _, to, reward, ended in outcomes]
            for outcomes in known.P[int(str(cell))].values()
        ]
        assert rows(found.mdp, cell) == expected, s


def test_a_counter_that_the_world_depends_on_is_part_of_the_state() -> None:
    class Falling(Corridor):
        """One row down a step; only the row tells when it ends."""

        def __init__(self) -> None:
            super().__init__()
            self.row = 0

        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            self.row = 0
            return super().reset(seed=seed)

        def step(self, action: Any) -> Any:
            self.row += 1
            super().step(action)
            return np.int64(self.cell), float(self.cell), self.row == 3, False, {}

    found = extract(Falling())
    assert found.mdp.num_states == 1 + 2 + 3 + 4  # cells of each row
    assert "row counts steps, but the world depends on it" in found.checks["counter"]


def test_a_reward_that_falls_with_the_clock_is_told() -> None:
    class Hasty(Corridor):
        def step(self, action: Any) -> Any:
            observation, reward, *rest = super().step(action)
            return observation, reward * (1 - self.steps / 40), *rest

    found = extract(Hasty())
    assert found.mdp.reward.max() == 1 - 1 / 40
    (note,) = found.checks.notes
    assert (
        note.found
        == "depends on steps (0.975 in the first step, 0.25 in the last): the table pays as in the first step"
    )


def test_wrappers_that_change_the_world_are_part_of_it() -> None:
    doubled = gym.wrappers.TransformReward(Corridor(), lambda reward: 2 * float(reward))
    found = extract(doubled)
    assert found.mdp.reward.max() == 2.0
    assert found.checks["wrappers kept"].startswith("TransformReward")
    assert "deep copies" in found.checks["table"]  # a lambda cannot be pickled


def test_the_state_of_another_environment_is_located() -> None:
    env = gym.wrappers.TimeLimit(Corridor(), 50)
    for found in (extract(env), extract(env, state_fn=lambda corridor: corridor.cell)):
        env.reset()
        for _ in range(2):
            env.step(1)
        assert found.locate(env) == 2
    env.unwrapped.cell = 7  # type: ignore[attr-defined]  # ours has it
    with pytest.raises(ValueError, match="is in none of the 5 states"):
        found.locate(env)


class Anywhere(Corridor):
    """Starts in cell 0 or 2, and one of two walls stands for the whole episode: actions may be swapped."""

    def first_cell(self) -> int:
        """Where it starts."""
        self.swapped = bool(self.np_random.integers(2))
        return 2 * int(self.np_random.integers(2))

    def step(self, action: Any) -> Any:
        """One cell on."""
        return super().step(1 - action if self.swapped else action)


def test_layouts_are_united_and_start_as_often_as_the_resets_do() -> None:
    seeds = range(3, 43)
    drawn = []
    for seed in seeds:
        env = Anywhere()
        env.reset(seed=seed)
        drawn.append((env.swapped, env.cell))
    found = extract(Anywhere(), layouts=40, seed=3)
    assert found.mdp.num_states == 10
    for swapped in (False, True):
        for cell in (0, 2):
            s = found.states.index(f"cell={cell}, swapped={swapped}")
            assert found.mdp.initial[s] == pytest.approx(drawn.count((swapped, cell)) / 40)
    assert "40 resets (seeds 3 to 42) led to 4 states" in found.checks["starts"]
    alone = extract(Anywhere())
    assert alone.mdp.num_states == 5
    assert "this is the table of seed 0 alone" in alone.checks["starts"]


def test_keys_of_different_layouts_are_different_states() -> None:
    found = extract(Anywhere(), state_fn=lambda env: env.cell, layouts=40)
    assert len(found.states) == 4 * 5
    assert found.mdp.initial.sum() == pytest.approx(1)
    assert {key[0] for key in found.states} == {0, 1, 2, 3}  # type: ignore[index]  # keys are pairs here
    best = bellglass.solve(found.mdp, discount=0.5)
    assert best.start_value == pytest.approx(
        bellglass.solve(extract(Anywhere(), layouts=40).mdp, discount=0.5).start_value
    )


# -- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["own", "private", "python", "numpy"])
def test_random_steps_are_found_out_whatever_they_draw_from(source: str) -> None:
    class Slippery(Corridor):
        def __init__(self) -> None:
            super().__init__()
            self.private = np.random.default_rng(0)

        def step(self, action: Any) -> Any:
            draws: dict[str, Any] = {
                "own": self.np_random.random,
                "private": self.private.random,
                "python": random.random,
                "numpy": np.random.random,
            }
            return super().step(1 - action if draws[source]() < 0.3 else action)

    with pytest.raises(ExtractionError, match=r"random: action \d in state .* got as far as"):
        extract(Slippery())


def test_a_key_that_leaves_something_out_is_found_out() -> None:
    class Locked(Corridor):
        """Cell 3 is entered only by who has been in cell 0 since the start: a hidden switch."""

        pressed = False

        def step(self, action: Any) -> Any:
            if self.cell == 0 and not action:
                self.pressed = True
            if self.cell == 2 and action and not self.pressed:
                action = 0
            return super().step(action)

    with pytest.raises(ExtractionError, match=r"same key behave differently: action 1 .*state_fn leaves out"):
        extract(Locked(), state_fn=lambda env: env.cell)
    with pytest.raises(
        ExtractionError, match=r"same key behave differently.*what was left out matters \(pressed"
    ):
        extract(Locked(), ignore="pressed")
    assert extract(Locked()).mdp.num_states == 3 + 5


class Summing(Corridor):
    """Remembers what no step depends on, without a bound."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        """Back to the start."""
        self.total = 0.0
        return super().reset(seed=seed)

    def step(self, action: Any) -> Any:
        """One cell on."""
        result = super().step(action)
        self.total += self.cell + 1
        return result


def test_limits_say_how_far_it_got_and_what_grows() -> None:
    with pytest.raises(
        ExtractionError, match=r"more than max_states=50 states; got as far as 50 states"
    ) as caught:
        extract(Summing(), max_states=50)
    assert "most varied: total (" in str(caught.value)
    assert "ignore=(name, ...)" in str(caught.value)
    assert caught.value.num_states == 50
    assert 0 < caught.value.num_expanded < 50
    with pytest.raises(
        ExtractionError, match=r"more than max_seconds=0 seconds; got as far as 1 states, 0 of them"
    ):
        extract(Summing(), max_seconds=0.0)
    assert extract(Summing(), ignore=("total",), max_states=5).mdp.num_states == 5


def test_a_table_that_memory_cannot_hold_is_refused_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction.enumeration, "MANY", 16)
    monkeypatch.setattr(room, "SMALL", 0)
    monkeypatch.setattr(room, "free_memory", lambda: 1000)
    with pytest.raises(
        ExtractionError, match=r"a table of 32 states, .* would take .* GiB .*got as far as 16 states"
    ):
        extract(Summing())


def test_bad_input_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="needs a Gymnasium environment, got str"):
        extract("FrozenLake-v1")  # type: ignore[arg-type]  # that is the point
    with pytest.raises(TypeError, match=r"so they must be Discrete; .* has Box"):
        extract(gym.make("Pendulum-v1"))
    with pytest.raises(TypeError, match=r"hashable, such as a tuple of numbers; got \[0\]"):
        extract(Corridor(), state_fn=lambda env: [env.cell])  # type: ignore[arg-type,return-value]  # that is the point
    for name, value in (("max_states", 0), ("layouts", 0), ("seed", -1), ("max_seconds", -1.0)):
        with pytest.raises(ValueError, match=f"{name} must be at least"):
            extract(Corridor(), **{name: value})  # type: ignore[arg-type]  # that is the point

    class Handle(Corridor):
        def __init__(self) -> None:
            super().__init__()
            self.chances = (p for p in (0.5, 0.5))

    with pytest.raises(TypeError, match="cannot be deep-copied"):
        extract(Handle())


def test_a_step_that_raises_says_where() -> None:
    class Broken(Corridor):
        def step(self, action: Any) -> Any:
            if self.cell == 2:
                raise KeyError("door")
            return super().step(action)

    env = Broken()
    with pytest.raises(KeyError) as caught:
        extract(env, state_fn=lambda corridor: corridor.cell)
    assert any("was trying action 0 in state 2" in note for note in caught.value.__notes__)


# -- nothing is touched --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make", [Anywhere, Summing, lambda: gym.make("Blackjack-v1"), lambda: gym.make("Taxi-v4")]
)
def test_neither_the_environment_nor_a_generator_is_moved(make: Any) -> None:
    env = make()
    env.reset(seed=5)
    env.step(1)
    reader = Reader()

    def everything() -> tuple[bytes, str, object, str]:
        drawn = str(env.unwrapped.np_random.bit_generator.state)
        return digest(reader.read(env)), drawn, random.getstate(), str(np.random.get_state())  # noqa: NPY002  # to compare

    before = everything()
    extract(env, ignore="total", layouts=2)
    assert everything() == before


# -- tables that are read ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keywords", "best"),
    [({}, -0.0431), ({"sab": False}, -0.0466), ({"sab": False, "natural": True}, -0.0257)],
)
def test_blackjack_does_not_show_the_hidden_card(keywords: dict[str, bool], best: float) -> None:
    env = gym.wrappers.RecordEpisodeStatistics(gym.make("Blackjack-v1", **keywords))
    found = extract(env)
    assert bellglass.solve(found.mdp, criterion="total").start_value == pytest.approx(best, abs=5e-5)
    assert found.mdp.fingerprint == bellglass.table_of(env).fingerprint
    assert len(found.states) == 280 + 10 + 1
    assert (21, 10, 1, "natural") in found.states
    assert "each was one that the table lists" in found.checks["sampling"]


def test_the_best_play_of_blackjack_is_suttons_and_bartos() -> None:
    mdp = bellglass.table_of(gym.make("Blackjack-v1"))
    policy = bellglass.solve(mdp, criterion="total").policy
    first_stick = [
        min(total for total in range(12, 22) if policy[mdp.encode((total, dealer, 1))] == 0)
        for dealer in range(1, 11)
    ]
    assert first_stick == [
        19,
        18,
        18,
        18,
        18,
        18,
        18,
        18,
        19,
        19,
    ]  # Figure 5.2, usable ace, dealer ace to ten


def test_a_blackjack_with_rules_of_its_own_is_refused() -> None:
    class Stacked(BlackjackEnv):
        """The player's cards are never above nine."""

        def step(self, action: Any) -> Any:
            if action:
                self.player.append(min(9, draw_card(self.np_random)))  # type: ignore[no-untyped-call]  # theirs
                bust = sum(self.player) > 21
                return self._get_obs(), -1.0 if bust else 0.0, bust, False, {}  # type: ignore[no-untyped-call]  # theirs
            return super().step(action)  # type: ignore[no-untyped-call]  # theirs

    with pytest.raises(ValueError, match="does not follow the rules of Gymnasium's Blackjack"):
        bellglass.table_of(Stacked())


def test_what_has_a_table_is_read_with_a_report() -> None:
    env = gym.make("FrozenLake-v1")
    found = extract(env)
    assert found.mdp.fingerprint == bellglass.table_of(env).fingerprint
    assert "the environment's own P" in found.checks["table"]
    assert "6000 resets and steps" in found.checks["sampling"]
    assert "after Bonferroni" in found.checks["frequencies"]
    ours = gym.make("bellglass/RiverSwim-v0")
    assert extract(ours).mdp is bellglass.table_of(ours)
    with pytest.raises(ValueError, match="fickle_passenger lets the destination change inside step"):
        extract(gym.make("Taxi-v4", fickle_passenger=True))
    with pytest.raises(TypeError, match="locate needs a table that was enumerated"):
        found.locate(env)


# -- MiniGrid ------------------------------------------------------------------------------------------------------


def minigrid(name: str, **keywords: Any) -> gym.Env[Any, Any]:
    pytest.importorskip(
        "minigrid", reason="MiniGrid is no dependency of bellglass; pip install minigrid to check it"
    )
    return gym.make(f"MiniGrid-{name}-v0", **keywords)


@pytest.mark.parametrize(
    ("name", "num_states", "steps"),
    [
        ("Empty-5x5", 34, 5),
        ("DoorKey-5x5", 270, 11),
        pytest.param("Unlock", 1025, 15, marks=pytest.mark.slow),
    ],
)
def test_minigrids_tables(name: str, num_states: int, steps: int) -> None:
    found = extract(minigrid(name))
    assert found.mdp.num_states == num_states
    best = bellglass.solve(found.mdp, discount=0.9)
    paid = found.mdp.reward.max()
    assert best.start_value == pytest.approx(0.9 ** (steps - 1) * paid)
    assert found.mdp.action_labels is not None
    assert found.mdp.action_labels[2] == "forward"
    assert "depends on step_count" in found.checks["reward"]


def test_the_same_grid_by_a_key_of_the_callers() -> None:
    def key(grid: Any) -> Hashable:
        return (*map(int, grid.agent_pos), int(grid.agent_dir))

    found = extract(minigrid("Empty-5x5"), state_fn=key)
    assert found.mdp.num_states == 34
    assert found.states[0] == (1, 1, 0)
    with pytest.raises(ExtractionError, match="same key behave differently"):
        extract(minigrid("DoorKey-5x5"), state_fn=key)


def test_random_grids_are_united() -> None:
    found = extract(minigrid("Empty-Random-5x5"), layouts=30)
    assert found.mdp.num_states == 34
    assert found.mdp.initial.sum() == pytest.approx(1)
    assert (found.mdp.initial * 30).round(9).tolist() == (found.mdp.initial * 30).round().tolist()
