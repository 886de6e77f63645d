"""A solution on disk: every number comes back bit for bit, names are text, and nothing is half-written."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs.mdp import TabularMDP
from bellglass.planning import solve
from bellglass.planning.solutions.solution import Solution
from bellglass.planning.solutions.solution_files import ARRAYS


def corridor() -> TabularMDP:
    """Two live states and an end; in the second one cannot wait."""

    def model(state: object, action: str) -> list[tuple[float, object, float]] | None:
        if state == "end" or (state == ("b", 2) and action == "wait"):
            return None
        if action == "wait":
            return [(1.0, state, -0.1)]
        return [(0.3, state, -1.0), (0.7, ("b", 2) if state == "a, first" else "end", 1.0 / 3.0)]

    return TabularMDP.from_function(model, ["a, first", ("b", 2), "end"], ["go", "wait"])


def best(criterion: str) -> Solution:
    mdp = corridor()
    if criterion == "discounted":
        return solve(mdp, 0.9)
    if criterion == "finite_horizon":
        return solve(mdp, criterion="finite_horizon", horizon=3)
    if criterion == "total":
        return solve(mdp, criterion="total")
    return solve(mdp, criterion="average", restart=True)


CRITERIA = ["discounted", "finite_horizon", "total", "average"]


@pytest.mark.parametrize("criterion", CRITERIA)
def test_npz_holds_every_array_and_fact(criterion: str, tmp_path: Path) -> None:
    solution = best(criterion)
    solution.save(tmp_path / "best.npz")
    with np.load(tmp_path / "best.npz", allow_pickle=False) as file:
        for name in ARRAYS:
            array: Any = getattr(solution, name)
            assert (name in file) == (array is not None)
            if array is not None:
                np.testing.assert_array_equal(file[name], array)
                assert file[name].dtype == array.dtype
        assert file["state_labels"].tolist() == ["a, first", "('b', 2)", "end"]
        assert file["action_labels"].tolist() == ["go", "wait"]
        about = json.loads(str(file["about"]))
    assert about["criterion"] == criterion
    assert about["start_value"] == solution.start_value
    assert about["fingerprint"] == corridor().fingerprint


@pytest.mark.parametrize("criterion", CRITERIA)
def test_csv_numbers_read_back_bit_for_bit(criterion: str, tmp_path: Path) -> None:
    solution = best(criterion)
    solution.save(tmp_path / "best.csv")
    with (tmp_path / "best.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    steps = 3 if criterion == "finite_horizon" else 1
    assert len(rows) == 3 * steps
    assert [row["label"] for row in rows[:3]] == ["a, first", "('b', 2)", "end"]
    q = np.array([[float(row["q: go"]), float(row["q: wait"])] for row in rows])
    np.testing.assert_array_equal(q, solution.q_values.reshape(-1, 2))
    assert q[1, 1] == -np.inf
    for column, array in (("lower", solution.lower), ("upper", solution.upper)):
        np.testing.assert_array_equal([float(row[column]) for row in rows[:3]], array)
    if criterion == "average":
        np.testing.assert_array_equal([float(row["gain"]) for row in rows], solution.gain)
        np.testing.assert_array_equal([float(row["bias"]) for row in rows], solution.bias)
    else:
        assert solution.values is not None
        np.testing.assert_array_equal(
            [float(row["value"]) for row in rows], solution.values.reshape(-1)[: 3 * steps]
        )
    assert [row["policy"] for row in rows[1:3]] == ["go", ""]
    if criterion == "finite_horizon":
        assert [row["step"] for row in rows] == [*"000111222"]
        assert rows[3]["lower"] == ""


def test_equally_good_actions_stand_side_by_side(tmp_path: Path) -> None:
    mdp = TabularMDP.from_arrays(np.ones((1, 2, 1)), [1.0], initial=[1.0], action_labels=["x", "y"])
    solve(mdp, 0.5).save(tmp_path / "best.CSV")
    assert ",x,x | y," in (tmp_path / "best.CSV").read_text(encoding="utf-8")


def test_another_ending_and_a_failure_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    solution = best("discounted")
    with pytest.raises(ValueError, match=r"ends in \.npz or \.csv, got .*best\.json"):
        solution.save(tmp_path / "best.json")
    old = tmp_path / "best.csv"
    old.write_text("old", encoding="utf-8")

    def fail(self: TabularMDP, action: int) -> str:
        raise RuntimeError("no name")

    monkeypatch.setattr(TabularMDP, "action_name", fail)
    for name in ("best.csv", "best.npz"):
        with pytest.raises(RuntimeError, match="no name"):
            solution.save(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["best.csv"]
    assert old.read_text(encoding="utf-8") == "old"


def test_the_table_names_states_bounds_and_actions() -> None:
    solution = best("discounted")
    head, first, second, end = solution.render().splitlines()
    assert head.split() == ["state", "value", "lower", "upper", "best", "actions"]
    assert first.startswith("a, first")
    assert first.endswith("go")
    assert f"{solution.lower[1]:.12g}" in second
    assert end.endswith("end")


def test_many_beliefs_are_written_sparse(tmp_path: Path) -> None:
    hidden = bellglass.pomdp_of(gym.make("bellglass/RepeatPrevious-v0", k=3, L=20))
    best = solve(hidden, criterion="total")
    best.save(tmp_path / "best.npz")
    read = np.load(tmp_path / "best.npz", allow_pickle=False)
    assert len(read["beliefs_first"]) == len(best.policy)  # one for each belief, and the end
    assert read["beliefs"].sum() == pytest.approx(len(best.policy) - 1)
    assert read["beliefs_states"].max() < hidden.num_states
