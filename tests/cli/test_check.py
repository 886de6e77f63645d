"""`bellglass check`: answers from files, exit codes that a grader can read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from bellglass import solve, table_of
from bellglass.cli.check import read_answer
from bellglass.cli.commands import main

LAKE = "bellglass/FrozenLake-v0"


def best(discount: float = 0.99) -> Any:
    return solve(gym.make(LAKE), discount)


def test_right_wrong_and_bad_input_have_three_exit_codes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "right.npy", best().values)
    np.save(tmp_path / "wrong.npy", best(0.9).values)
    np.save(tmp_path / "short.npy", best().values[1:])
    assert main(["check", LAKE, "--answer", str(tmp_path / "right.npy")]) == 0
    assert capsys.readouterr().out == "right\n"
    assert main(["check", LAKE, "--answer", str(tmp_path / "wrong.npy")]) == 1
    assert "likeliest mistake: wrong discount" in capsys.readouterr().out
    assert main(["check", LAKE, "--answer", str(tmp_path / "short.npy")]) == 2
    assert "values must have shape [16], got [15]" in capsys.readouterr().err


def test_every_form_of_file_says_the_same(tmp_path: Path) -> None:
    found = best(0.9)
    np.savez(tmp_path / "a.npz", values=found.values, q_values=found.q_values, policy=found.policy)
    q = [[None if x == -np.inf else x for x in row] for row in found.q_values.tolist()]
    (tmp_path / "a.json").write_text(
        json.dumps({"values": found.values.tolist(), "q_values": q, "policy": found.policy.tolist()})
    )
    np.savetxt(tmp_path / "a.csv", found.values, header="value", comments="")
    np.savetxt(tmp_path / "row.csv", found.values[None], delimiter=",")
    np.savetxt(tmp_path / "policy.csv", found.policy, fmt="%d")
    np.savetxt(tmp_path / "q.csv", np.nan_to_num(found.q_values, neginf=0.0), delimiter=";")
    np.save(tmp_path / "policy.npy", found.policy)
    for name in ("a.npz", "a.json", "a.csv", "row.csv", "policy.csv", "policy.npy"):
        assert main(["check", LAKE, "--answer", str(tmp_path / name), "--discount", "0.9"]) == 0, name
    arguments = ["check", LAKE, "--answer", str(tmp_path / "q.csv"), "--discount", "0.9"]
    assert main(arguments) == 2  # values of actions, or chances?
    assert main([*arguments, "--kind", "q_values"]) == 0


def test_json_for_graders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "wrong.npy", best(0.9).values)
    assert main(["check", LAKE, "--answer", str(tmp_path / "wrong.npy"), "--json"]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert (shown["right"], shown["state"], shown["mistake"]) == (False, 0, "wrong discount")


def test_saved_tables_keywords_and_horizons(tmp_path: Path) -> None:
    env = gym.make(LAKE, map_name="8x8")
    table_of(env).save(tmp_path / "lake.npz")
    found = solve(env, criterion="finite_horizon", horizon=5)
    np.savetxt(tmp_path / "policy.csv", found.policy, fmt="%d", delimiter=",")
    settings = ["--answer", str(tmp_path / "policy.csv"), "--criterion", "finite_horizon", "--horizon", "5"]
    settings += ["--kind", "policy"]
    assert main(["check", LAKE, "--keyword", "map_name=8x8", *settings]) == 0
    assert main(["check", str(tmp_path / "lake.npz"), *settings]) == 0


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", b"{", "no JSON"),
        ("a.json", b'{"value": [1]}', "must hold some of values, q_values, policy, got value"),
        ("a.json", b'{"values": [[1], [1, 2]]}', "no rectangular array"),
        ("a.json", b'{"values": ["x"]}', "must hold numbers"),
        ("a.csv", b"v\n1.0\nx\n", "line 3, column 1: 'x' is no number"),
        ("a.csv", b"1,2\n3\n", "line 2: 1 columns, 2 above"),
        ("a.csv", b"", "holds no numbers"),
        ("a.npy", b"nothing", "NumPy file"),
        ("a.npz", b"PK\x03\x04 torn", "a.npz"),
        ("a.xls", b"", "an answer file is .npz, .npy, .json or .csv"),
    ],
)
def test_damaged_files_are_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert main(["check", LAKE, "--answer", str(tmp_path / name)]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_a_folder_a_missing_file_and_hidden_states_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "a.npy", np.zeros(16))
    assert main(["check", str(tmp_path), "--answer", str(tmp_path / "a.npy")]) == 2
    assert "is a folder" in capsys.readouterr().err
    assert main(["check", LAKE, "--answer", "nowhere.npy"]) == 2
    assert "no answer file nowhere.npy" in capsys.readouterr().err
    assert main(["check", "bellglass/TMaze-v0", "--answer", str(tmp_path / "a.npy")]) == 2
    assert "hides them" in capsys.readouterr().err


def test_what_solve_writes_is_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "best.npz")
    assert main(["solve", "bellglass/FrozenLake-v0", "--discount", "0.9", "--output", path]) == 0
    assert main(["check", "bellglass/FrozenLake-v0", "--discount", "0.9", "--answer", path]) == 0
    assert main(["check", "bellglass/FrozenLake-v0", "--discount", "0.8", "--answer", path]) == 1
    assert "likeliest mistake: wrong discount" in capsys.readouterr().out


def test_a_table_in_cassandras_text_is_graded_with_its_own_discount(tmp_path: Path) -> None:
    text = """discount: 0.5
values: reward
states: 1
actions: 2
T: * : 0 : 0 1.0
R: 1 : 0 : 0 3.0
"""
    (tmp_path / "one.mdp").write_text(text, encoding="utf-8")
    np.save(tmp_path / "values.npy", np.array([6.0]))
    arguments = [
        "check",
        str(tmp_path / "one.mdp"),
        "--answer",
        str(tmp_path / "values.npy"),
        "--kind",
        "values",
    ]
    assert main(arguments) == 0
    assert main([*arguments, "--discount", "0.9"]) == 1


def test_code_in_a_file_is_never_run(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="no NumPy file"):
        read_answer(tmp_path / "a.npy")
