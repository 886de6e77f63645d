"""Cassandra's text format: every form against dense arrays, the tiger's known values, and where errors point."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bellglass
from bellglass.envs import CassandraError, TabularMDP, TabularPOMDP, parse_cassandra, read_cassandra

TIGER = """
# Kaelbling, Littman and Cassandra (1998), 5.1
discount: 0.95
values: reward
states: tiger-left tiger-right
actions: listen open-left open-right
observations: tiger-left tiger-right

T: listen
identity

T: open-left
uniform
T: open-right
uniform

O: listen
0.85 0.15   # heard right
0.15 0.85
O: open-left
uniform
O: open-right
uniform

R: listen : * : * : * -1
R: open-left : tiger-left : * : * -100
R: open-left : tiger-right : * : * 10
R: open-right : tiger-left : * : * 10
R: open-right : tiger-right : * : * -100
"""


def mdp(text: str) -> TabularMDP:
    model, _ = parse_cassandra(text)
    assert isinstance(model, TabularMDP)
    return model


def pomdp(text: str) -> TabularPOMDP:
    model, _ = parse_cassandra(text)
    assert isinstance(model, TabularPOMDP)
    return model


def test_the_tiger_is_the_tiger(tmp_path: Path) -> None:
    (tmp_path / "tiger.pomdp").write_text(TIGER, encoding="utf-8")
    model, discount = read_cassandra(tmp_path / "tiger.pomdp")
    assert discount == 0.95
    transition = np.full((2, 3, 2), 0.5)
    transition[:, 0] = np.eye(2)
    table = TabularMDP.from_arrays(transition, [[-1, -100, 10], [-1, 10, -100]], initial=[0.5, 0.5])
    heard = np.full((3, 2, 2), 0.5)
    heard[0] = [[0.85, 0.15], [0.15, 0.85]]
    assert isinstance(model, TabularPOMDP)
    assert model.fingerprint == TabularPOMDP(table, heard, np.full((2, 2), 0.5)).fingerprint
    assert model.mdp.state_labels == ("tiger-left", "tiger-right")
    assert model.mdp.action_labels == ("listen", "open-left", "open-right")
    assert model.observation_labels == ("tiger-left", "tiger-right")


@pytest.mark.parametrize(("discount", "value"), [(0.75, 1.93343898574), (0.95, 19.3713683)])
def test_the_tiger_is_worth_what_is_published(discount: float, value: float) -> None:
    """At .75: the R package pomdp and tiger.aaai.POMDP; at .95: 19.37 in the literature on point-based solvers."""
    best = bellglass.solve(pomdp(TIGER), discount)
    assert best.start_value == pytest.approx(value, abs=1e-6)


HEAD = "discount: 0.5 values: reward states: a b c actions: x y "


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ("T: x identity T: y uniform", [np.eye(3), np.full((3, 3), 1 / 3)]),
        ("T: * identity", [np.eye(3), np.eye(3)]),
        ("T: x .5 .5 0  0 1 0  1. 0 0  T: y identity", [[[0.5, 0.5, 0], [0, 1, 0], [1, 0, 0]], np.eye(3)]),
        ("T: * identity T: x : b .25 .25 .5", [[[1, 0, 0], [0.25, 0.25, 0.5], [0, 0, 1]], np.eye(3)]),
        ("T: * identity T: 1 : 2 uniform", [np.eye(3), [[1, 0, 0], [0, 1, 0], [1 / 3] * 3]]),
        ("T: * identity T: x : * 0 0 1", [[[0, 0, 1]] * 3, np.eye(3)]),
        ("T: * identity T: x : a : a 0 T: x:a:c 1.0", [[[0, 0, 1], [0, 1, 0], [0, 0, 1]], np.eye(3)]),
        ("T: x : * : b 1 T: y : * : * 0 T: y : * : 0 1e0", [[[0, 1, 0]] * 3, [[1, 0, 0]] * 3]),
        ("T: * : a : b 1 T: * : b : a 1 T: * : c : c 1", [[[0, 1, 0], [1, 0, 0], [0, 0, 1]]] * 2),
        ("T: * : a : b 1 T: * : b reset T: * : c reset", [[[0, 1, 0], [1 / 3] * 3, [1 / 3] * 3]] * 2),
        ("T: x : a : a 1 T: * identity", [np.eye(3), np.eye(3)]),  # wiped by what comes later
        ("T: * uniform T: * identity", [np.eye(3), np.eye(3)]),
        ("T: * identity T: x : a : * 0 T: x : a : b 1", [[[0, 1, 0], [0, 1, 0], [0, 0, 1]], np.eye(3)]),
    ],
)
def test_every_form_of_transitions(statements: str, expected: Any) -> None:
    table = TabularMDP.from_mdptoolbox(np.array(expected, dtype=float), np.zeros(3))
    assert mdp(HEAD + statements).fingerprint == table.fingerprint


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ("R: * : * : * 2", np.full((2, 3, 3), 2.0)),
        ("R: * : * : * : * 2", np.full((2, 3, 3), 2.0)),
        ("R: x : a 1 2 3", [[[1, 2, 3], [0] * 3, [0] * 3], np.zeros((3, 3))]),
        ("R: y 1 2 3 4 5 6 -7 +8 - 9", [np.zeros((3, 3)), [[1, 2, 3], [4, 5, 6], [-7, 8, -9]]]),
        ("R: x : * : c 5 R: x : b : c 6", [[[0, 0, 5], [0, 0, 6], [0, 0, 5]], np.zeros((3, 3))]),
        ("R: x : b : c 6 R: * : * : c 5", [[[0, 0, 5]] * 3] * 2),
        (
            "R: * : * 1 2 3 R: * : 1 : * 9 R: 0 : b : b 8",
            [[[1, 2, 3], [9, 8, 9], [1, 2, 3]], [[1, 2, 3], [9] * 3, [1, 2, 3]]],
        ),
        ("R: * : a : * 4", [[[4] * 3, [0] * 3, [0] * 3]] * 2),
        ("R: y : * : * 4", [np.zeros((3, 3)), np.full((3, 3), 4)]),
    ],
)
def test_every_form_of_rewards_without_observations(statements: str, expected: Any) -> None:
    for values, sign in (("reward", 1.0), ("cost", -1.0)):
        text = HEAD.replace("reward", values) + "T: * uniform " + statements
        table = TabularMDP.from_mdptoolbox(np.full((2, 3, 3), 1 / 3), sign * np.array(expected, dtype=float))
        assert mdp(text).fingerprint == table.fingerprint


SEEN = HEAD + "observations: p q T: * uniform "


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ("O: * uniform", np.full((2, 3, 2), 0.5)),
        ("O: * : * : q 1", [[[0, 1]] * 3] * 2),
        ("O: x 1 0 0 1 .5 .5 O: y : * .25 .75", [[[1, 0], [0, 1], [0.5, 0.5]], [[0.25, 0.75]] * 3]),
        (
            "O: * uniform O: y : b 0 1 O: 1 : c : 0 1 O: 1 : c : 1 0",
            [np.full((3, 2), 0.5), [[0.5, 0.5], [0, 1], [1, 0]]],
        ),
        ("O: * : a uniform O: * : b uniform O: * : c : * .5", np.full((2, 3, 2), 0.5)),
    ],
)
def test_every_form_of_observations(statements: str, expected: Any) -> None:
    model = pomdp(SEEN + statements)
    np.testing.assert_array_equal(model.by_action, np.array(expected, dtype=float))
    assert model.observation_probability.ndim == (
        2 if (model.by_action[0] == model.by_action[1]).all() else 3
    )
    assert model.initial_observation.tolist() == [[0.5, 0.5]] * 3


def test_rewards_of_observations_are_averaged_over_what_is_seen() -> None:
    """Each form, the later overriding the earlier, against a dense array [A, S, S, O] filled by hand."""
    text = (
        SEEN
        + """O: * : a .25 .75  O: * : b 1 0  O: * : c uniform
    R: * : * : * : * 1
    R: x : a : b : * 2
    R: x : * : c : q 3
    R: y : b  1 2  3 4  5 6
    R: y : c : a  7 8
    R: * : c : a : p 9
    R: y : c : c : * -1
    """
    )
    paid = np.ones((2, 3, 3, 2))
    paid[0, 0, 1] = 2
    paid[0, :, 2, 1] = 3
    paid[1, 1] = [[1, 2], [3, 4], [5, 6]]
    paid[1, 2, 0] = [7, 8]
    paid[:, 2, 0, 0] = 9
    paid[1, 2, 2] = -1
    seen = np.array([[0.25, 0.75], [1, 0], [0.5, 0.5]])
    table = TabularMDP.from_mdptoolbox(np.full((2, 3, 3), 1 / 3), (paid * seen).sum(axis=3))
    found = pomdp(text).mdp
    np.testing.assert_array_equal(found.next_state, table.next_state)
    np.testing.assert_allclose(found.reward, table.reward, atol=1e-15)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("", [1 / 3] * 3),
        ("start: uniform", [1 / 3] * 3),
        ("start: .25 0 .75", [0.25, 0, 0.75]),
        ("start: 1 0 0", [1, 0, 0]),
        ("start: b", [0, 1, 0]),
        ("start: 2", [0, 0, 1]),
        ("start include: a 2", [0.5, 0, 0.5]),
        ("start include: b", [0, 1, 0]),
        ("start exclude: c", [0.5, 0.5, 0]),
    ],
)
def test_every_form_of_the_start(start: str, expected: list[float]) -> None:
    for seen in ("", " observations: 2 O: * uniform"):
        model, _ = parse_cassandra(HEAD + seen.partition("O:")[0] + start + " T: * identity" + seen[16:])
        table = model.mdp if isinstance(model, TabularPOMDP) else model
        assert table.initial.tolist() == expected


def test_counts_stand_for_names_and_the_preamble_has_no_order() -> None:
    text = (
        "observations: 2 actions: 1 values: cost states: 2 discount: 1 start: 1 T: 0 : 0 : 1 1 T: 0 : 1 : 0 1"
    )
    model, discount = parse_cassandra(text + " O: * : 0 : 0 1 O: * : 1 : 1 1 R: 0 : 0 : 1 : 1 3")
    assert discount == 1.0
    assert isinstance(model, TabularPOMDP)
    assert model.mdp.P == {0: {0: [(1.0, 1, -3.0, False)]}, 1: {0: [(1.0, 0, 0.0, False)]}}
    assert model.mdp.state_labels is None
    assert model.mdp.initial.tolist() == [0, 1]


def test_a_random_table_written_out_comes_back_bit_for_bit() -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        num_states, num_actions = int(rng.integers(1, 8)), int(rng.integers(1, 4))
        chances = rng.dirichlet(np.ones(num_states), size=(num_actions, num_states))
        rewards = rng.normal(size=chances.shape)
        lines = [f"discount: 0.9\nvalues: reward\nstates: {num_states}\nactions: {num_actions}"]
        for a, s, t in rng.permutation(list(np.ndindex(chances.shape))).tolist():
            lines.append(
                f"T: {a} : {s} : {t} {chances[a, s, t]!r}\nR : {a}:{s} :{t} {rewards[a, s, t]!r}".replace(
                    "np.float64", ""
                )
            )
        text = "\r\n".join(lines).replace("(", "").replace(")", "")
        assert mdp(text).fingerprint == TabularMDP.from_mdptoolbox(chances, rewards).fingerprint


def test_six_decimals_are_divided_out_and_no_more_than_that() -> None:
    text = HEAD + "T: * identity T: x : a 0.333333 0.333333 0.333333"
    row = mdp(text).probability[:3]
    assert row.sum() == pytest.approx(1.0, abs=1e-15)
    with pytest.raises(CassandraError, match=r"T: x : a sums to 0\.999999, not 1 \(tolerance 1e-09\)"):
        parse_cassandra(text, normalise=False)
    with pytest.raises(CassandraError, match=r"sums to 0\.9999, not 1 \(tolerance 1e-05\)"):
        parse_cassandra(HEAD + "T: * identity T: x : a 0.3333 0.3333 0.3333")


GOOD = """discount: 0.9
values: reward
states: a b
actions: x y
observations: p q
start: a
T: * identity
O: * uniform
R: x : a : * : * 1
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "message"),
    [
        ("discount: 0.9", "discount 0.9", 1, 10, "expected ':' after discount, got '0.9'"),
        ("discount: 0.9", "discount: 1.5", 1, 11, r"discount: must be in \[0, 1\], got 1.5"),
        ("discount: 0.9", "discount: high", 1, 11, "must be a number in .* got 'high'"),
        ("values: reward", "values: rewards", 2, 9, "must be reward or cost, got 'rewards'"),
        ("values: reward\n", "", 6, 1, "expected values: in the preamble, got 'T'"),
        ("states: a b", "states: a a", 3, 11, "two states are called 'a'"),
        ("states: a b", "states: 0", 3, 9, "whole number, at least 1"),
        ("states: a b", "states: 2.5", 3, 9, "whole number, at least 1"),
        ("states: a b", "states: a T", 3, 11, "'T' cannot be the name of a state"),
        ("states: a b", "states: a 2nd", 3, 11, "'2' cannot be the name of a state"),
        ("states: a b", "states:", 4, 1, "must be a number or names"),
        ("actions: x y", "actions: x y\nstates: a b", 5, 1, "states: is given twice"),
        ("actions: x y", "action: x y", 4, 1, "'action' cannot be the name of a state"),
        ("start: a", "start: c", 6, 8, "no state is called 'c'; there are a, b"),
        ("start: a", "start: 2", 6, 8, r"state 2 is not in \[0, 2\)"),
        ("start: a", "start: 0.5", 7, 1, "start: needs 2 numbers here, got 1 and then 'T'"),
        ("start: a", "start: 0.5 0.4", 6, 8, "start: sums to 0.9, not 1"),
        ("start: a", "start: 1.5 -0.5", 6, 8, "start: 1.5 is no probability"),
        ("start: a", "start exclude: a b", 6, 16, "leaves no state"),
        ("T: * identity", "T: * identity\nstart: a", 8, 1, "start: must stand before the first T"),
        ("T: * identity", "T: * : a 1 0", 9, 19, "T: x : b is given nowhere"),
        ("T: * identity", "T: * identity\n  T: y : b .5 .4", 8, 3, "T: y : b sums to 0.9, not 1"),
        ("T: * identity", "T: * identity\nT: y : b : a 0.5", 8, 1, "T: y : b sums to 1.5, not 1"),
        ("T: * identity", "T: * identity\nT: z uniform", 8, 4, "no action is called 'z'; there are x, y"),
        ("T: * identity", "T: x : * 1 0 0", 7, 14, "T: a : s needs 2 numbers, got more"),
        (
            "T: * identity",
            "T: x\n1 0\n0\nT: y identity",
            10,
            1,
            "T: a needs 4 numbers here, got 3 and then 'T'",
        ),
        (
            "T: * identity",
            "T: x : a : b identity",
            7,
            14,
            "T: needs 1 number here, got 0 and then 'identity'",
        ),
        ("T: * identity", "T: x 1 0 0 nan", 7, 12, "T: a needs 4 numbers here, got 3 and then 'nan'"),
        ("T: * identity", "T: x 1 0 2 -1", 7, 10, "T: a 2 is no probability"),
        ("T: * identity", "T * identity", 7, 3, "expected ':' after T, got '\\*'"),
        ("T: * identity", "T: : a 1", 7, 4, "expected an action or '\\*', got ':'"),
        ("T: * identity", "S: * identity", 7, 1, "expected values|expected T:, O: or R:, got 'S'"),
        ("O: * uniform", "O: * : * : r 1", 8, 12, "no observation is called 'r'; there are p, q"),
        ("O: * uniform", "O: * : a uniform", 9, 19, "O: x : b is given nowhere"),
        ("O: * uniform", "O: * uniform\nO: y : b : p 0.4", 9, 1, "O: y : b sums to 0.9, not 1"),
        ("O: * uniform", "O: * identity", 8, 6, "O: a needs 4 numbers here, got 0 and then 'identity'"),
        ("R: x : a : * : * 1", "R: x 1 2 3 4", 9, 6, "expected ':' and a state after R: a, got '1'"),
        (
            "R: x : a : * : * 1",
            "R: x : a : * 1",
            9,
            15,
            "R: needs 2 numbers here, got 1 and then the end of the file",
        ),
        ("R: x : a : * : * 1", "R: x : a : * : *", 9, 17, "R: needs 1 number here, got 0 and then the end"),
        ("R: x : a : * : * 1", "R: x : a : * : * 1e999", 9, 18, "the number is too large"),
        ("R: x : a : * : * 1", "R: x : a : * : * .", 9, 18, "got 0 and then '.'"),
        ("R: x : a : * : * 1", "R: x : a : * : * 1 ; # no", 9, 20, "expected T:, O: or R:, got ';'"),
        ("observations: p q\n", "", 7, 1, "O: needs observations: in the preamble"),
    ],
)
def test_an_error_says_where(old: str, new: str, line: int, column: int, message: str) -> None:
    assert parse_cassandra(GOOD)
    with pytest.raises(CassandraError, match=message) as caught:
        parse_cassandra(GOOD.replace(old, new), name="my.pomdp")
    assert str(caught.value).startswith(f"my.pomdp, line {line}, column {column}: ")
    assert (caught.value.line, caught.value.column) == (line, column)


def error_of(text: str) -> CassandraError | None:
    try:
        parse_cassandra(text)
    except CassandraError as error:
        return error
    return None


def test_a_file_cut_anywhere_is_an_error_with_a_line_or_a_whole_model() -> None:
    """Whatever is cut off, nothing but CassandraError comes out; few cuts leave a model (R may end early)."""
    errors = [error for end in range(len(TIGER)) if (error := error_of(TIGER[:end])) is not None]
    assert max(error.line for error in errors) <= TIGER.count("\n") + 1
    whole = len(TIGER) - len(errors)
    assert 0 < whole < len(TIGER) - TIGER.index("R: listen") + 20


def test_any_word_replaced_is_an_error_with_a_line_or_a_whole_model() -> None:
    words = TIGER.split(" ")
    for k in range(len(words)):
        for word in (":", "*", "-", ".", "1", "99", "uniform", "T", "\0", "é", "1e400", "9" * 5000):
            error = error_of(" ".join([*words[:k], word, *words[k + 1 :]]))
            assert error is None or "\n" not in str(error)


def test_counts_too_large_for_memory_are_refused_with_their_size() -> None:
    head = "discount: .9 values: reward actions: 2 "
    for size in (10**12, 10**17):
        with pytest.raises(ValueError, match=rf"a model of {size} states.* GiB are free"):
            parse_cassandra(f"{head} states: {size} T: * identity")
    with pytest.raises(ValueError, match="uniform rows of 300000 outcomes each would take"):
        parse_cassandra(f"{head} states: 300000 T: * uniform")
    with pytest.raises(CassandraError, match="whole number"):
        parse_cassandra(f"{head} states: {'9' * 5000} T: * identity")


def test_foreign_bytes_in_comments_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "old.POMDP"
    path.write_bytes(b"\xef\xbb\xbf" + ("# M\xfcnchen\r\n" + GOOD.replace("\n", "\r\n")).encode("latin-1"))
    assert read_cassandra(path).discount == 0.9
    path.write_bytes(b"PK\x03\x04\x00\xff")
    with pytest.raises(CassandraError, match=r"old\.POMDP, line 1, column 1: expected discount:"):
        read_cassandra(path)
    with pytest.raises(FileNotFoundError):
        read_cassandra(tmp_path / "nowhere.pomdp")
