"""Map: what each letter does, told by hand, maps from texts and files, and what is wrong with a bad one."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec

import bellglass
from bellglass.envs import table_of
from bellglass.envs.mdp import TabularMDP

UP, RIGHT, DOWN, LEFT = range(4)


def chart(drawing: Any = None, **keywords: Any) -> TabularMDP:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return table_of(gym.make("bellglass/Map-v0", drawing=drawing, **keywords))


def ways(mdp: TabularMDP, cell: tuple[int, int], action: int) -> dict[Any, float]:
    """(where, reward, ended) -> chance."""
    found: dict[Any, float] = {}
    for p, next_s, reward, ended in mdp.P[mdp.encode(cell)][action]:
        key = (mdp.decode(next_s), reward, ended)
        found[key] = found.get(key, 0.0) + p
    return found


def test_walls_and_edges_stop_goals_and_pits_end() -> None:
    mdp = chart(["S#G", ".H."], step_reward=-0.5)
    assert mdp.state_labels == ((0, 0), (0, 2), (1, 0), (1, 1), (1, 2))
    assert ways(mdp, (0, 0), RIGHT) == {((0, 0), -0.5, False): 1.0}
    assert ways(mdp, (0, 0), UP) == {((0, 0), -0.5, False): 1.0}
    assert ways(mdp, (0, 0), DOWN) == {((1, 0), -0.5, False): 1.0}
    assert ways(mdp, (1, 0), RIGHT) == {((1, 1), -1.0, True): 1.0}
    assert ways(mdp, (1, 2), UP) == {((0, 2), 1.0, True): 1.0}
    assert mdp.terminal.tolist() == [False, True, False, True, False]


def test_ice_slips_more_than_floor() -> None:
    mdp = chart(["...", "S~.", "...", "..G"], slip=0.2, ice_slip=0.5, step_reward=0.0)
    assert ways(mdp, (1, 1), RIGHT) == pytest.approx(
        {((1, 2), 0.0, False): 0.5, ((0, 1), 0.0, False): 0.25, ((2, 1), 0.0, False): 0.25}
    )
    assert ways(mdp, (2, 1), UP) == pytest.approx(
        {((1, 1), 0.0, False): 0.8, ((2, 0), 0.0, False): 0.1, ((2, 2), 0.0, False): 0.1}
    )


def test_the_wind_of_the_cell_that_is_left_carries_on_and_over() -> None:
    mdp = chart(["S.>H.", "G.^#v", ".<H.."], wind=0.75, step_reward=0.0)
    assert ways(mdp, (0, 2), RIGHT) == {((0, 4), 0.0, False): 0.75, ((0, 3), -1.0, True): 0.25}
    assert ways(mdp, (0, 2), LEFT) == {((0, 2), 0.0, False): 0.75, ((0, 1), 0.0, False): 0.25}
    assert ways(mdp, (1, 2), RIGHT) == {((0, 2), 0.0, False): 0.75, ((1, 2), 0.0, False): 0.25}
    assert ways(mdp, (1, 4), UP) == {((1, 4), 0.0, False): 0.75, ((0, 4), 0.0, False): 0.25}
    assert ways(mdp, (2, 1), UP) == {((1, 0), 1.0, True): 0.75, ((1, 1), 0.0, False): 0.25}
    assert ways(mdp, (2, 1), RIGHT) == {((2, 1), 0.0, False): 0.75, ((2, 2), -1.0, True): 0.25}
    assert ways(mdp, (0, 1), RIGHT) == {((0, 2), 0.0, False): 1.0}  # blown only when leaving it


def test_who_steps_into_a_portal_comes_out_of_its_other_end() -> None:
    mdp = chart(["Sab", "..#", "baG"], rewards={"a": 3.0}, step_reward=0.0)
    assert ways(mdp, (0, 0), RIGHT) == {((2, 1), 3.0, False): 1.0}
    assert ways(mdp, (1, 0), DOWN) == {((0, 2), 0.0, False): 1.0}
    assert ways(mdp, (0, 2), RIGHT) == {((0, 2), 0.0, False): 1.0}  # a bump goes through no portal
    assert ways(mdp, (2, 1), RIGHT) == {((2, 2), 1.0, True): 1.0}
    assert ways(mdp, (2, 1), LEFT) == {((0, 2), 0.0, False): 1.0}


def test_letters_may_pay_and_end() -> None:
    mdp = chart(["S$T", "G.."], rewards={"$": 2, "T": -5, "G": 7}, ends="GT", step_reward=-0.1)
    assert ways(mdp, (0, 0), RIGHT) == {((0, 1), 2.0, False): 1.0}
    assert ways(mdp, (0, 1), UP) == {((0, 1), -0.1, False): 1.0}  # staying is not entering
    assert ways(mdp, (0, 1), RIGHT) == {((0, 2), -5.0, True): 1.0}
    assert ways(mdp, (0, 0), DOWN) == {((1, 0), 7.0, True): 1.0}
    assert ways(chart(["SH", "G."], ends="G"), (0, 0), RIGHT) == {((0, 1), -1.0, False): 1.0}


def test_several_starts_are_equally_likely() -> None:
    assert chart(["S.S", "SG."]).initial.tolist() == pytest.approx([1 / 3, 0, 1 / 3, 1 / 3, 0, 0])


def test_frozen_lake_can_be_drawn() -> None:
    lake = ["S~~~", "~H~H", "~~~H", "H~~G"]
    mdp = chart(lake, rewards={"H": 0.0}, step_reward=0.0, slip=2 / 3)
    original = table_of(gym.make("bellglass/FrozenLake-v0"))
    found, expected = (bellglass.solve(table, 0.99).values for table in (mdp, original))
    assert found == pytest.approx(expected, abs=1e-8)


def test_a_text_a_list_and_a_file_draw_the_same_map(tmp_path: Path) -> None:
    text = """
        S..
        #^G
    """
    file = tmp_path / "small.txt"
    file.write_text("S  \n#↑G\n", encoding="utf-8")
    windows = tmp_path / "windows.txt"
    windows.write_bytes("\ufeffS..\r\n#^G\r\n".encode())
    same = [chart(text), chart(["S..", "#^G"]), chart(path=str(file)), chart(path=str(windows))]
    assert len({mdp.fingerprint for mdp in same}) == 1
    assert same[0].layout is not None
    assert same[0].layout.background == ("S  ", "#↑G")


def test_a_row_of_blanks_inside_a_text_is_floor() -> None:
    expected = chart(["S..", "...", "..G"]).fingerprint
    for text in ("S  \n   \n  G", "\n    S  \n       \n      G\n  "):
        assert chart(text).fingerprint == expected


def test_a_file_that_is_no_text_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "map.png"
    file.write_bytes(b"\x89PNG")
    for path in (str(file), "a\0b"):
        with pytest.raises(ValueError, match="path must be the name of a text file in UTF-8, got '") as told:
            chart(path=path)
        assert repr(path) in str(told.value)


def test_the_spec_of_a_map_survives_json() -> None:
    env = gym.make(
        "bellglass/Map-v0", drawing=["S$", ".G"], rewards={"$": 0.5}, slip=0.1, max_episode_steps=30
    )
    assert env.spec is not None
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert again.spec == env.spec
    assert table_of(again).fingerprint == table_of(env).fingerprint


def test_a_goal_out_of_reach_is_told() -> None:
    with pytest.warns(UserWarning, match="goal at row 0, column 3 of the map cannot be reached"):
        gym.make("bellglass/Map-v0", drawing=["S.#G", "..##"])
    with pytest.warns(
        UserWarning, match="row 0, column 2 of the map cannot be reached from any start, nor can 1 others"
    ):
        gym.make("bellglass/Map-v0", drawing=["S#G.G"])
    for reachable in (["Sa#G", "..#a"], ["S.>", "..G"], ["S."]):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            gym.make("bellglass/Map-v0", drawing=reachable)


def test_a_goal_that_only_the_wind_reaches_is_reached() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gym.make("bellglass/Map-v0", drawing=["SH>G"], ends="G")
        gym.make("bellglass/Map-v0", drawing=["S>HG"])
    with pytest.warns(UserWarning, match="row 0, column 3"):
        gym.make("bellglass/Map-v0", drawing=["S>HG"], wind=0.0)


@pytest.mark.parametrize(
    ("keywords", "error", "problem"),
    [
        ({"drawing": ["S..", ".G"]}, ValueError, "row 1 of the map has 2 columns, row 0 has 3: '.G'"),
        ({"drawing": ["..", ".G"]}, ValueError, "the map has no start: none of its 2 rows has an S"),
        (
            {"drawing": ["S.", "Q."]},
            ValueError,
            "row 1, column 0 of the map: unknown letter 'Q' in 'Q.'; use # wall",
        ),
        ({"drawing": ["Sa", ".G"]}, ValueError, "portal 'a' needs two ends, got 1: row 0, column 1"),
        ({"drawing": ["Sa", "aa"]}, ValueError, "portal 'a' needs two ends, got 3: row 0, column 1, row 1"),
        ({"drawing": ["." * 999]}, ValueError, r"has an S, the first is '\.{40}' \.\.\.$"),
        ({"drawing": []}, ValueError, "the map is empty"),
        ({"drawing": 7}, TypeError, "drawing must be a text or a list of rows"),
        ({"drawing": "S", "path": "a.txt"}, ValueError, "give drawing or path, not both; got path 'a.txt'"),
        ({"path": 3}, TypeError, "path must be the name of a text file, got 3"),
        ({"path": "/no/such/map.txt"}, FileNotFoundError, "/no/such/map.txt"),
        ({"rewards": [1.0]}, TypeError, "rewards must be a dictionary"),
        ({"rewards": {"GG": 1.0}}, ValueError, "keyed by letters of the map other than #, got 'GG'"),
        ({"rewards": {"G": float("nan")}}, ValueError, r"rewards\['G'\] must be finite, got nan"),
        ({"ends": "GS"}, ValueError, "any letters but #, S and portals, got 'S'"),
        ({"ends": None}, TypeError, "ends must be a text of letters such as 'GH', got None"),
        ({"slip": 1.2}, ValueError, r"slip must be in \[0, 1\], got 1.2"),
        ({"ice_slip": -1}, ValueError, r"ice_slip must be in \[0, 1\], got -1"),
        ({"wind": "strong"}, TypeError, "wind must be a number"),
    ],
)
def test_bad_maps_and_settings_are_refused(
    keywords: dict[str, Any], error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        gym.make("bellglass/Map-v0", **keywords)


def test_the_map_above_can_be_walked_to_its_goal() -> None:
    mdp = chart()
    assert (mdp.num_states, int(np.flatnonzero(mdp.initial)[0])) == (100, mdp.encode((1, 1)))
    assert bellglass.solve(mdp, criterion="total").start_value > 0.8
