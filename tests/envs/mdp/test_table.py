"""The table, against Gymnasium's own, against hand-made ones, and against everything that must be refused."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs.mdp import Layout, TabularMDP
from bellglass.envs.mdp.arrays import cumulate, row_sums

#: Two live states and a terminal one.  Action 1 is not available in state 1.  Two outcomes of (0, 0) reach
#: the same state with different rewards.
SMALL: dict[str, Any] = {
    "first_outcome": [0, 3, 4, 5, 5, 5, 5],
    "probability": [0.5, 0.25, 0.25, 1.0, 1.0],
    "next_state": [1, 2, 2, 0, 2],
    "reward": [0.0, 1.0, -1.0, 0.5, 4.0],
    "terminated": [False, True, True, False, True],
    "initial": [0.75, 0.25, 0.0],
}


def small(**changes: object) -> TabularMDP:
    return TabularMDP(**(SMALL | changes))


def test_sizes_masks_and_terminal_states_follow_from_the_ranges() -> None:
    mdp = small()
    assert (mdp.num_states, mdp.num_actions, mdp.num_outcomes) == (3, 2, 5)
    np.testing.assert_array_equal(mdp.action_mask, [[True, True], [True, False], [False, False]])
    np.testing.assert_array_equal(mdp.terminal, [False, False, True])
    np.testing.assert_array_equal(mdp.row_of_outcome, [0, 0, 0, 1, 2])
    assert mdp.next_state.dtype == np.int32


def test_expected_rewards_and_transitions_by_hand() -> None:
    mdp = small()
    np.testing.assert_array_equal(mdp.expected_reward, [[0.0, 0.5], [4.0, 0.0], [0.0, 0.0]])
    expected = np.zeros((6, 3))
    expected[0, 1] = 0.5
    expected[1, 0] = 1.0
    np.testing.assert_array_equal(mdp.transition_matrix.toarray(), expected)


def test_what_can_be_reached_by_hand() -> None:
    """0 goes to 1 or, by an end, to 2; from 2 alone one could go on to 3; 4 has no chance; 5 leads in, never out."""
    P = {
        0: {0: [(0.5, 1, 0.0, False), (0.5, 2, 0.0, True), (0.0, 4, 0.0, False)]},
        1: {0: [(1.0, 0, 0.0, False)]},
        2: {0: [(1.0, 3, 0.0, False)]},
        3: {0: [(1.0, 2, 0.0, False)]},
        4: {0: [(1.0, 4, 0.0, False)]},
        5: {0: [(1.0, 0, 0.0, False)]},
    }
    mdp = TabularMDP.from_P(P, initial=[1, 0, 0, 0, 0, 0])
    assert mdp.reachable.tolist() == [True, True, True, False, False, False]
    assert TabularMDP.from_P(P, initial=[0, 0, 0.5, 0, 0, 0.5]).reachable.tolist() == [True] * 4 + [
        False,
        True,
    ]
    assert not mdp.reachable.flags.writeable


@pytest.mark.parametrize(("env_id", "count"), [("Taxi", 404), ("CliffWalking", 38)])
def test_as_many_states_are_reachable_as_the_definitions_say(env_id: str, count: int) -> None:
    """Passengers start elsewhere than they want to go; nobody stands on the cliff."""
    assert bellglass.table_of(gym.make(f"bellglass/{env_id}-v0")).reachable.sum() == count


def test_the_lowest_available_action_stands_in() -> None:
    mdp = small(first_outcome=[0, 0, 4, 5, 5, 5, 5], probability=[0.5, 0.25, 0.125, 0.125, 1.0])
    np.testing.assert_array_equal(mdp.lowest_action, [1, 0, 0])


def test_P_shows_self_loops_at_the_end_and_nothing_where_nothing_is_available() -> None:
    P = small().P
    assert P[0][0] == [(0.5, 1, 0.0, False), (0.25, 2, 1.0, True), (0.25, 2, -1.0, True)]
    assert P[1][1] == []
    assert P[2] == {0: [(1.0, 2, 0.0, True)], 1: [(1.0, 2, 0.0, True)]}


@pytest.mark.parametrize(
    ("env_id", "keywords"),
    [
        ("FrozenLake-v1", {}),
        ("FrozenLake-v1", {"map_name": "8x8", "is_slippery": False}),
        ("CliffWalking-v1", {}),
        ("CliffWalking-v1", {"is_slippery": True}),
        ("Taxi-v4", {}),
        ("Taxi-v4", {"is_rainy": True}),
    ],
)
def test_live_rows_of_gymnasiums_tables_come_back(env_id: str, keywords: dict[str, Any]) -> None:
    toy: Any = gym.make(env_id, **keywords).unwrapped
    mdp = TabularMDP.from_P(toy.P, initial=toy.initial_state_distrib)
    live = np.flatnonzero(~mdp.terminal)
    assert len(live) < mdp.num_states
    for s in live.tolist():
        for a in range(mdp.num_actions):
            assert mdp.P[s][a] == [(float(p), int(n), float(r), bool(t)) for p, n, r, t in toy.P[s][a]]
    again = TabularMDP.from_P(mdp.P, initial=mdp.initial)
    assert again.fingerprint == mdp.fingerprint


def test_equal_next_states_of_the_slippery_cliff_keep_their_rewards() -> None:
    """Six pairs reach one cell by falling and by bumping: an S x A x S' table would lose that."""
    toy: Any = gym.make("CliffWalking-v1", is_slippery=True).unwrapped
    mdp = TabularMDP.from_P(toy.P, initial=toy.initial_state_distrib)
    mixed = {
        (s, a)
        for s, actions in mdp.P.items()
        for a, rows in actions.items()
        if any(n == m and r != q for _, n, r, _ in rows for _, m, q, _ in rows)
    }
    assert len(mixed) == 6
    row = mdp.P[36][1]
    assert {(n, r) for _, n, r, _ in row} >= {(36, -100), (36, -1)}


def test_which_states_from_P_calls_terminal() -> None:
    go = [(1.0, 1, 0.0, True)]
    walk_in = [(1.0, 1, 0.0, False)]
    stay = [(1.0, 0, 0.0, False)]
    entered_only_by_ends = TabularMDP.from_P({0: {0: go}, 1: {0: stay}}, initial=[1, 0])
    assert entered_only_by_ends.terminal.tolist() == [False, True]
    also_a_start = TabularMDP.from_P({0: {0: go}, 1: {0: stay}}, initial=[0.5, 0.5])
    assert not also_a_start.terminal.any()
    also_walked_into = TabularMDP.from_P({0: {0: go, 1: walk_in}, 1: {0: stay}}, initial=[1, 0])
    assert not also_walked_into.terminal.any()
    walked_into_from_nowhere = TabularMDP.from_P(
        {0: {0: go}, 1: {0: stay}, 2: {0: walk_in}}, initial=[1, 0, 0]
    )
    assert walked_into_from_nowhere.terminal.tolist() == [False, True, False]
    walked_into_with_chance_zero = TabularMDP.from_P(
        {0: {0: [*go, (0.0, 1, 0.0, False)]}, 1: {0: stay}}, initial=[1, 0]
    )
    assert walked_into_with_chance_zero.terminal.tolist() == [False, True]


@pytest.mark.parametrize("form", ["state", "pair", "triple"])
def test_the_three_forms_of_reward_agree_where_they_can(form: str) -> None:
    transition = np.zeros((3, 2, 3))
    transition[0, 0] = [0.5, 0.0, 0.5]
    transition[0, 1] = transition[1, 0] = transition[1, 1] = [0.0, 1.0, 0.0]
    by_state = np.array([-1.0, 2.0, 99.0])
    reward = {
        "state": by_state,
        "pair": np.repeat(by_state[:, None], 2, axis=1),
        "triple": np.broadcast_to(by_state[:, None, None], (3, 2, 3)),
    }[form]
    mdp = TabularMDP.from_arrays(transition, reward, terminal=[2], initial=[1, 0, 0])
    assert mdp.P[0][0] == [(0.5, 0, -1.0, False), (0.5, 2, -1.0, True)]
    np.testing.assert_array_equal(mdp.expected_reward, [[-1, -1], [2, 2], [0, 0]])


def test_dense_arrays_take_masks_and_index_lists() -> None:
    transition = np.zeros((2, 2, 2))
    transition[0, 1] = [0.0, 1.0]
    mdp = TabularMDP.from_arrays(
        transition,
        np.zeros(2),
        initial=[1, 0],
        terminal=[False, True],
        action_mask=[[False, True], [True, True]],
    )
    np.testing.assert_array_equal(mdp.action_mask, [[False, True], [False, False]])
    with pytest.raises(ValueError, match="state 0, action 0 sum to 0"):
        TabularMDP.from_arrays(transition, np.zeros(2), initial=[1, 0], terminal=[1])


def test_a_function_speaks_in_names() -> None:
    def model(state: str, action: str) -> list[tuple[float, str, float]] | None:
        if state == "home":
            return None
        return [(0.5, "home", 1.0), (0.5, "street", 0.0)] if action == "walk" else [(1.0, "street", -1.0)]

    mdp = TabularMDP.from_function(model, ["street", "home"], ["walk", "wait"], initial={"street": 1.0})
    assert mdp.P[0] == {0: [(0.5, 1, 1.0, True), (0.5, 0, 0.0, False)], 1: [(1.0, 0, -1.0, False)]}
    assert mdp.encode("home") == 1
    assert mdp.decode(0) == "street"
    assert mdp.action_name(1) == "wait"
    with pytest.raises(ValueError, match=r"no state is called 'office'.*'street'"):
        mdp.encode("office")
    with pytest.raises(ValueError, match=r"in \[0, 2\), got 2"):
        mdp.decode(2)
    with pytest.raises(ValueError, match="leads to 'moon'"):
        TabularMDP.from_function(lambda s, a: [(1.0, "moon", 0.0)], ["here"], ["go"])


def test_nothing_can_be_changed_and_nothing_given_is_changed() -> None:
    probability = np.array(SMALL["probability"])
    mdp = small(probability=probability)
    probability[0] = 7.0
    assert mdp.probability[0] == 0.5
    for name in (
        "probability",
        "reward",
        "initial",
        "action_mask",
        "expected_reward",
        "cumulative_probability",
    ):
        with pytest.raises(ValueError, match="read-only"):
            getattr(mdp, name)[0] = 0
    with pytest.raises(AttributeError):
        mdp.reward = np.zeros(5)  # type: ignore[misc]
    assert copy.deepcopy(mdp) is mdp


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"probability": [0.5, 0.25, 0.2, 1, 1]}, r"state 0, action 0 sum to 0.95, not 1"),
        ({"probability": [0.5, 0.25, 0.25, 1, 1 + 1e-8]}, r"state 1, action 0 sum to 1.00000001, not 1"),
        ({"probability": [1.5, -0.25, -0.25, 1, 1]}, r"state 0, action 0, outcome 1: the probability -0.25"),
        ({"probability": [0.5, 0.25, 0.25, np.nan, 1]}, r"state 0, action 1, outcome 0: the probability nan"),
        ({"reward": [0, 1, -1, np.inf, 4]}, r"state 0, action 1, outcome 0: the reward inf"),
        (
            {"next_state": [1, 2, 3, 0, 2]},
            r"state 0, action 0, outcome 2: the next state 3 is not in \[0, 3\)",
        ),
        ({"next_state": [1, 2, 2, -1, 2]}, r"state 0, action 1, outcome 0: the next state -1"),
        ({"next_state": [1, 2, 2, 0.5, 2]}, r"next_state must hold whole numbers"),
        ({"initial": []}, r"at least one state"),
        ({"initial": [0, 0, 0]}, r"no start"),
        ({"initial": [0.5, 0.25, 0]}, r"initial sums to 0.75"),
        ({"initial": [1.5, -0.5, 0]}, r"initial\[1\] is -0.5"),
        ({"initial": [0.5, 0, 0.5]}, r"initial\[2\] is 0.5, but state 2 is terminal"),
        ({"first_outcome": [0]}, r"A >= 1 actions, got 1"),
        ({"first_outcome": [0, 3, 4, 5, 5]}, r"S\*A \+ 1"),
        ({"first_outcome": [0, 3, 2, 5, 5, 5, 5]}, r"must not decrease"),
        ({"first_outcome": [0, 3, 4, 4, 4, 4, 4]}, r"must go from 0 to 5"),
        ({"reward": [0, 1, -1]}, r"reward has 3 entries, probability has 5"),
        ({"terminal": [False, True, True]}, r"state 1 is terminal but has outcomes"),
        ({"terminal": [False, False, False]}, r"state 2 is not terminal but has no available action"),
        ({"state_labels": ["a", "b"]}, r"state_labels has 2 entries"),
        ({"state_labels": ["a", "b", "a"]}, r"must differ"),
    ],
)
def test_a_wrong_table_is_refused_by_state_action_and_number(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**changes)


def test_rounding_is_kept_and_only_normalise_renormalises() -> None:
    thirds = [0.5, 0.25, 0.25 + 5e-10, 1.0, 1.0]
    kept = small(probability=thirds)
    assert kept.probability[2] == 0.25 + 5e-10
    assert row_sums(kept.first_outcome, kept.normalised_probability)[0] == pytest.approx(1.0, abs=1e-15)
    doubled = small(probability=[1, 0.5, 0.5, 2, 2], initial=[3, 1, 0], normalise=True)
    assert doubled.fingerprint == small().fingerprint
    with pytest.raises(ValueError, match="sum to 0"):
        small(probability=[0, 0, 0, 1, 1], normalise=True)


def test_cumulated_rows_never_draw_what_cannot_happen() -> None:
    first = np.array([0, 4, 4, 6])
    running = cumulate(first, np.array([0.0, 0.25, 0.75, 0.0, 0.1, 0.9]))
    np.testing.assert_array_equal(running, [0.0, 0.25, 1.0, 1.0, 0.1, 1.0])
    tenths = cumulate(np.array([0, 10]), np.full(10, 0.1))
    assert tenths[-1] == 1.0
    assert np.all(np.diff(tenths) > 0)


def test_the_fingerprint_is_of_dynamics_and_starts_alone() -> None:
    mdp = small()
    named = small(state_labels=["a", "b", "c"], action_labels=["x", "y"])
    assert mdp.fingerprint == named.fingerprint == small(reward=[-0.0, 1, -1, 0.5, 4]).fingerprint
    assert len(mdp.fingerprint) == 64
    changed = [
        small(reward=[0, 1, -1, 0.5, 5]),
        small(initial=[0.5, 0.5, 0]),
        small(terminated=[False, True, True, False, False]),
        small(next_state=[1, 2, 2, 1, 2]),
    ]
    assert len({mdp.fingerprint, *(other.fingerprint for other in changed)}) == 5


def test_a_file_gives_back_the_table_with_its_names(tmp_path: Path) -> None:
    layout = Layout(background=("S #",), cell=np.array([[0, 0], [0, 1], [-1, -1]]), arrows=("←", "→"))
    mdp = small(state_labels=[(0, 0), (0, 1), "end"], action_labels=["left", "right"], layout=layout)
    mdp.save(tmp_path / "table.npz")
    again = TabularMDP.load(tmp_path / "table.npz")
    assert again.fingerprint == mdp.fingerprint
    assert again.state_labels == ((0, 0), (0, 1), "end")
    assert again.layout is not None
    assert again.layout.arrows == ("←", "→")
    np.testing.assert_array_equal(again.layout.cell, layout.cell)
    assert [path.name for path in tmp_path.iterdir()] == ["table.npz"]


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.npz"
    small().save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    with pytest.raises(ValueError, match=r"table\.npz is not a table saved by bellglass, or is damaged"):
        TabularMDP.load(path)
    np.savez(path, something=np.zeros(3))
    with pytest.raises(ValueError, match="not a table saved by bellglass"):
        TabularMDP.load(path)
    with pytest.raises(FileNotFoundError):
        TabularMDP.load(tmp_path / "nowhere.npz")


def test_a_file_whose_numbers_are_no_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "table.npz"
    small().save(path)
    arrays = dict(np.load(path))
    np.savez(path, **{**arrays, "probability": arrays["probability"] / 2})
    with pytest.raises(ValueError, match=r"table\.npz is damaged: outcomes of state 0, action 0 sum to 0.5"):
        TabularMDP.load(path)


def test_no_damage_of_a_file_is_anything_but_a_value_error(tmp_path: Path) -> None:
    """Cut after any byte, and with bytes changed anywhere: refused in one line, or (unused bytes) read whole."""
    path = tmp_path / "table.npz"
    small(state_labels=["a", "b", "c"]).save(path)
    whole, fingerprint = path.read_bytes(), small().fingerprint
    rng = np.random.default_rng(0)
    texts = [whole[:end] for end in range(0, len(whole), 7)]
    for _ in range(300):
        changed = np.frombuffer(whole, dtype=np.uint8).copy()
        changed[rng.integers(len(whole), size=3)] = rng.integers(256, size=3)
        texts.append(changed.tobytes())
    for text in texts:
        path.write_bytes(text)
        try:
            assert TabularMDP.load(path).fingerprint == fingerprint
        except ValueError as error:
            assert str(path) in str(error), str(error)  # noqa: PT017 (either outcome is right)


def test_a_file_that_would_not_fit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bellglass.envs.mdp import memory_limit as room

    monkeypatch.setattr(room, "free_memory", lambda: 100)
    monkeypatch.setattr(room, "SMALL", 0)
    path = tmp_path / "table.npz"
    with pytest.raises(ValueError, match=r"a table of 3 states, 2 actions and 5 outcomes would take"):
        small()
    monkeypatch.setattr(room, "SMALL", 10**6)
    small().save(path)
    monkeypatch.setattr(room, "SMALL", 0)
    with pytest.raises(ValueError, match=r"the table in .*table\.npz would take 0\.0 GiB"):
        TabularMDP.load(path)


def test_a_saved_file_may_be_read_by_whom_the_folder_allows(tmp_path: Path) -> None:
    path = tmp_path / "table.npz"
    small().save(path)
    (tmp_path / "plain").write_text("", encoding="utf-8")
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_failed_save_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "table.npz"
    small().save(path)
    before = path.read_bytes()
    with pytest.raises(TypeError, match="cannot be saved"):
        small(state_labels=[frozenset(), "b", "c"]).save(path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_networkx_gets_one_edge_an_outcome() -> None:
    pytest.importorskip("networkx")
    graph = small().to_networkx()
    assert graph.number_of_edges() == 5
    assert sorted(data["probability"] for _, _, data in graph.edges(data=True) if data["action"] == 0) == [
        0.25,
        0.25,
        0.5,
        1.0,
    ]


@pytest.mark.parametrize(
    ("background", "cell", "message"),
    [
        ((), [[0, 0]], "one length"),
        (("ab", "c"), [[0, 0]], "one length"),
        (("ab",), [0, 0], "shape"),
        (("ab",), [[0, 2]], "outside the 1 x 2"),
    ],
)
def test_a_layout_off_the_paper_is_refused(background: tuple[str, ...], cell: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Layout(background=background, cell=np.array(cell), arrows=("x",))
