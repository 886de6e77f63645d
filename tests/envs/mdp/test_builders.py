"""Sparse matrices, state-action pairs, MDPtoolbox's (P, R): each the same table as `from_arrays` makes of it."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from bellglass.envs.mdp import TabularMDP
from bellglass.envs.mdp.memory_limit import free_memory, require_memory

FORMATS = ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"]


def dense(seed: int, *, holes: bool = False) -> tuple[Any, Any]:
    """A transition [S, A, S] with many zeros and a reward [S, A, S]; with `holes`, rows of unavailable pairs."""
    rng = np.random.default_rng(seed)
    num_states, num_actions = int(rng.integers(1, 7)), int(rng.integers(1, 4))
    shape = (num_states, num_actions, num_states)
    transition = rng.random(shape) * (rng.random(shape) < 0.5)
    s, a = np.indices(shape[:2])
    transition[s, a, rng.integers(num_states, size=shape[:2])] += 0.25
    if holes:
        transition[:, 1:][rng.random((num_states, num_actions - 1)) < 0.4] = 0.0
    sums = transition.sum(axis=2, keepdims=True)
    return transition / np.where(sums > 0, sums, 1.0), rng.normal(size=shape)


def uniform(num_states: int) -> Any:
    return np.full(num_states, 1.0 / num_states)


def frozen(thing: Any) -> Any:
    """A deep copy of nested lists, arrays and sparse matrices, to compare with afterwards."""
    return copy.deepcopy(thing)


def same(one: Any, other: Any) -> bool:
    if sp.issparse(one):
        parts = {"csr": ("data", "indices", "indptr"), "coo": ("data", "row", "col")}.get(one.format, ())
        return (one != other).nnz == 0 and all(
            getattr(one, part).tobytes() == getattr(other, part).tobytes() for part in parts
        )
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray) and one.dtype == np.dtype(object):
        return same(list(one), list(other))
    return bool(np.array_equal(one, other))


@pytest.mark.parametrize("layout", FORMATS)
@pytest.mark.parametrize("seed", range(12))
def test_sparse_matrices_of_every_format_are_the_dense_table(seed: int, layout: str) -> None:
    transition, reward = dense(seed, holes=True)
    num_states, num_actions, _ = transition.shape
    mask = transition.any(axis=2)
    expected = TabularMDP.from_arrays(transition, reward, initial=uniform(num_states), action_mask=mask)
    by_action = [sp.coo_array(transition[:, a]).asformat(layout) for a in range(num_actions)]
    paid = [sp.coo_array(reward[:, a]).asformat(layout) for a in range(num_actions)]
    stacked = sp.coo_array(transition.reshape(-1, num_states)).asformat(layout)
    paid_stacked = sp.coo_array(reward.reshape(-1, num_states)).asformat(layout)
    for matrices, rewards in ((by_action, paid), (by_action, reward), (stacked, paid_stacked)):
        before = frozen((matrices, rewards))
        if not sp.issparse(matrices) or num_states > 1:  # 1 x 1 rewards could be read in several ways
            mdp = TabularMDP.from_sparse(matrices, rewards, action_mask=mask)
            assert mdp.fingerprint == expected.fingerprint
        assert same((matrices, rewards)[0], before[0])
        assert same((matrices, rewards)[1], before[1])


@pytest.mark.parametrize("form", ["state", "pair"])
@pytest.mark.parametrize("seed", range(6))
def test_the_shorter_rewards_mean_what_they_mean_for_dense_arrays(seed: int, form: str) -> None:
    transition, reward = dense(seed)
    num_states, num_actions, _ = transition.shape
    short = reward[:, 0, 0] if form == "state" else reward[:, :, 0]
    expected = TabularMDP.from_arrays(transition, short, initial=uniform(num_states)).fingerprint
    by_action = [sp.csr_array(transition[:, a]) for a in range(num_actions)]
    assert TabularMDP.from_sparse(by_action, short).fingerprint == expected
    assert TabularMDP.from_mdptoolbox(by_action, short).fingerprint == expected
    stacked = sp.coo_matrix(transition.reshape(-1, num_states))
    assert TabularMDP.from_sparse(stacked, short).fingerprint == expected


def test_terminal_states_starts_and_names_are_as_for_dense_arrays() -> None:
    transition, reward = dense(3)
    num_states, num_actions, _ = transition.shape
    keywords: dict[str, Any] = {
        "terminal": [num_states - 1],
        "initial": np.eye(num_states)[0],
        "state_labels": [f"s{s}" for s in range(num_states)],
    }
    expected = TabularMDP.from_arrays(transition, reward, **keywords)
    by_action = [sp.csr_array(transition[:, a]) for a in range(num_actions)]
    mdp = TabularMDP.from_sparse(by_action, reward, **keywords)
    assert mdp.fingerprint == expected.fingerprint
    assert mdp.state_labels == expected.state_labels
    assert mdp.terminated.any()
    toolbox = TabularMDP.from_mdptoolbox(np.moveaxis(transition, 1, 0), np.moveaxis(reward, 1, 0), **keywords)
    assert toolbox.fingerprint == expected.fingerprint
    default = TabularMDP.from_sparse(by_action, reward, terminal=[num_states - 1]).initial
    assert default.tolist() == [*[1.0 / (num_states - 1)] * (num_states - 1), 0.0]


def test_stored_zeros_are_no_outcomes_and_doubled_entries_are_added() -> None:
    untidy = sp.coo_array(([0.5, 0.25, 0.25, 0.0, 1.0], ([0, 0, 0, 1, 1], [1, 0, 0, 0, 1])), shape=(2, 2))
    expected = TabularMDP.from_arrays([[[0.5, 0.5]], [[0.0, 1.0]]], [1.0, 2.0], initial=[0.5, 0.5])
    assert TabularMDP.from_sparse([untidy], np.array([1.0, 2.0])).fingerprint == expected.fingerprint
    unsorted = sp.csr_array((np.array([0.5, 0.25, 0.25, 1.0]), np.array([1, 0, 0, 1]), np.array([0, 3, 4])))
    before = frozen(unsorted)
    assert TabularMDP.from_sparse(unsorted, [[1.0], [2.0]]).fingerprint == expected.fingerprint
    assert same(unsorted, before)


def test_a_reward_for_each_stored_entry_keeps_outcomes_whole() -> None:
    """Two entries of one row reach state 0, one pays 4 and the other -4: no [S, A, S] table can say that."""
    stacked = sp.csr_array(
        (np.array([0.25, 0.75, 0.0, 1.0]), np.array([0, 0, 1, 1]), np.array([0, 3, 4])), shape=(2, 2)
    )
    mdp = TabularMDP.from_sparse(stacked, [4.0, -4.0, 9.0, 1.0])
    assert mdp.P[0][0] == [(0.25, 0, 4.0, False), (0.75, 0, -4.0, False)]
    assert mdp.P[1][0] == [(1.0, 1, 1.0, False)]


def test_a_reward_that_could_mean_two_things_is_refused() -> None:
    twice_from_one = sp.csr_array(np.array([[0.5, 0.5], [0.0, 0.0]]))
    with pytest.raises(ValueError, match="one for each state, or one for each of 2 stored entries"):
        TabularMDP.from_sparse(twice_from_one, [1.0, 2.0], terminal=[1])
    ring = sp.csr_array(np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert TabularMDP.from_sparse(ring, [1.0, 2.0]).reward.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("kind", ["dense", "csr", "csc", "coo"])
@pytest.mark.parametrize("seed", range(8))
def test_pairs_in_any_order_are_the_dense_table(seed: int, kind: str) -> None:
    transition, reward = dense(seed, holes=True)
    num_states = len(transition)
    mask = transition.any(axis=2)
    expected = TabularMDP.from_arrays(
        transition, reward[:, :, 0], initial=uniform(num_states), action_mask=mask
    )
    listed = np.random.default_rng(seed).permutation(np.argwhere(mask))
    s, a = listed[:, 0], listed[:, 1]
    chances = transition[s, a] if kind == "dense" else sp.coo_array(transition[s, a]).asformat(kind)
    given = (reward[s, a, 0], chances, s, a)
    before = frozen(given)
    mdp = TabularMDP.from_state_action_pairs(*given)
    if mask[:, -1].any():  # else the highest action is one that nobody lists
        assert mdp.fingerprint == expected.fingerprint
    assert all(map(same, given, before))
    product = np.where(mask, reward[:, :, 0], -np.inf)
    anything = np.where(mask[:, :, None], transition, 7.0)  # rows of unavailable actions do not count
    assert TabularMDP.from_state_action_pairs(product, anything).fingerprint == expected.fingerprint


def test_a_listed_pair_of_reward_minus_infinity_is_not_available() -> None:
    mdp = TabularMDP.from_state_action_pairs(
        [1.0, -np.inf, 2.0], sp.csr_array([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]]), [0, 0, 1], [0, 1, 1]
    )
    assert mdp.action_mask.tolist() == [[True, False], [False, True]]


@pytest.mark.parametrize(
    "form", ["array", "list", "tuple", "object", "csr", "csc matrix", "np.matrix", "nested lists"]
)
@pytest.mark.parametrize("seed", range(6))
def test_mdptoolbox_takes_its_matrices_in_many_dresses(seed: int, form: str) -> None:
    transition, reward = dense(seed)
    num_states, num_actions, _ = transition.shape
    expected = TabularMDP.from_arrays(transition, reward, initial=uniform(num_states))

    def dressed(cube: Any) -> Any:
        first = np.moveaxis(cube, 1, 0)
        if form == "object":
            box = np.empty(num_actions, dtype=object)
            for a in range(num_actions):
                box[a] = first[a]
            return box
        dress: dict[str, Any] = {
            "array": lambda: first,
            "list": lambda: list(first),
            "tuple": lambda: tuple(first),
            "csr": lambda: [sp.csr_array(one) for one in first],
            "csc matrix": lambda: [sp.csc_matrix(one) for one in first],
            "np.matrix": lambda: [sp.csr_matrix(one).todense() for one in first],
            "nested lists": lambda: first.tolist(),
        }
        return dress[form]()

    P, R = dressed(transition), dressed(reward)
    before = frozen((P, R))
    assert TabularMDP.from_mdptoolbox(P, R).fingerprint == expected.fingerprint
    assert same(P, before[0])
    assert same(R, before[1])


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("form", ["S", "SA", "ASS", "list"])
def test_pymdptoolbox_sees_the_same_expected_rewards(seed: int, form: str) -> None:
    toolbox = pytest.importorskip("mdptoolbox.mdp")
    transition, reward = dense(seed)
    first = np.moveaxis(reward, 1, 0)
    R: Any = {
        "S": reward[:, 0, 0],
        "SA": reward[:, :, 0],
        "ASS": first,
        "list": list(first),
    }[form]
    P: Any = np.moveaxis(transition, 1, 0)
    mdp = TabularMDP.from_mdptoolbox(P, R)
    theirs = toolbox.MDP(P, R, 0.9, None, None).R
    np.testing.assert_allclose(mdp.expected_reward, np.stack(theirs, axis=1), atol=1e-12)


@pytest.mark.parametrize("kind", ["dense", "sparse", "product"])
def test_quantecon_finds_the_same_optimum(kind: str) -> None:
    quantecon = pytest.importorskip("quantecon.markov")
    import bellglass

    transition, reward = dense(5, holes=True)
    mask = transition.any(axis=2)
    s, a = np.nonzero(mask)
    if kind == "product":
        given: tuple[Any, ...] = (np.where(mask, reward[:, :, 0], -np.inf), transition)
    else:
        chances = transition[s, a] if kind == "dense" else sp.csr_matrix(transition[s, a])
        given = (reward[s, a, 0], chances, s, a)
    theirs = quantecon.DiscreteDP(given[0], given[1], 0.9, *given[2:]).solve(method="policy_iteration").v
    ours = bellglass.solve(TabularMDP.from_state_action_pairs(*given), 0.9)
    assert ours.values is not None
    np.testing.assert_allclose(ours.values, theirs, atol=1e-8)


EYE = sp.csr_array(np.eye(2))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TabularMDP.from_sparse([], [0.0]), "list of A matrices"),
        (
            lambda: TabularMDP.from_sparse([EYE, sp.csr_array((2, 3))], [0.0, 0.0]),
            r"transition\[1\].*\[2, 2\]",
        ),
        (lambda: TabularMDP.from_sparse(sp.csr_array((3, 2)), [0.0, 0.0]), r"\[S\*A, S\].*got \[3, 2\]"),
        (lambda: TabularMDP.from_sparse([EYE], np.zeros(3)), r"\[2\], \[2, 1\] or \[2, 1, 2\].*got \[3\]"),
        (
            lambda: TabularMDP.from_sparse([EYE], [sp.csr_array((3, 3))]),
            r"reward\[0\].*\[2, 2\], got \[3, 3\]",
        ),
        (lambda: TabularMDP.from_sparse(EYE, sp.csr_array((4, 2))), r"shape \[2, 2\] of transition, got"),
        (lambda: TabularMDP.from_sparse(EYE, np.zeros((2, 3))), r"\[2\] or \[2, 1\].*got \[2, 3\]"),
        (lambda: TabularMDP.from_sparse([EYE * 0.5], np.zeros(2)), r"state 0, action 0 sum to 0.5, not 1"),
        (lambda: TabularMDP.from_sparse([EYE, EYE * 0], np.zeros((2, 2))), "state 0, action 1 sum to 0"),
        (lambda: TabularMDP.from_sparse([EYE * np.nan], np.zeros(2)), "state 0, action 0, outcome 0: .* nan"),
        (lambda: TabularMDP.from_sparse([EYE], [[np.inf], [0.0]]), "state 0, action 0, .* reward inf"),
        (lambda: TabularMDP.from_sparse([EYE * 1j], np.zeros(2)), "must hold numbers, got complex"),
        (
            lambda: TabularMDP.from_sparse([EYE], np.zeros(2), action_mask=[[True]]),
            r"action_mask must be bool \[2, 1\]",
        ),
        (lambda: TabularMDP.from_state_action_pairs([1.0], [[1.0]], [0]), "belong together"),
        (lambda: TabularMDP.from_state_action_pairs([1.0], [[1.0]]), r"must be an array \[S, A, S\]"),
        (lambda: TabularMDP.from_state_action_pairs([1.0], [[[1.0]]]), r"R must have shape \[1, 1\]"),
        (lambda: TabularMDP.from_state_action_pairs([1.0], [1.0], [0], [0]), r"Q must have shape \[L, S\]"),
        (
            lambda: TabularMDP.from_state_action_pairs([1, 2], [[1.0], [1.0]], [0, 1], [0, 1]),
            r"s_indices\[1\] is 1, must be in \[0, 1\)",
        ),
        (
            lambda: TabularMDP.from_state_action_pairs([1, 2], [[1.0], [1.0]], [0, 0], [0, -1]),
            r"a_indices\[1\] is -1, must be at least 0",
        ),
        (
            lambda: TabularMDP.from_state_action_pairs([1, 2], [[1.0], [1.0]], [0, 0], [1, 1]),
            "state 0, action 1 is listed twice",
        ),
        (
            lambda: TabularMDP.from_state_action_pairs([1, 2], [[1.0], [1.0]], [0, 0], [0.0, 1.0]),
            "a_indices must hold 2 whole numbers",
        ),
        (
            lambda: TabularMDP.from_state_action_pairs([1, np.nan], [[1.0], [1.0]], [0, 0], [0, 1]),
            "state 0, action 1: the reward nan",
        ),
        (
            lambda: TabularMDP.from_state_action_pairs([1], [[0.0, 1.0]], [0], [0]),
            "state 1 has no available action; if it ends there, name it in terminal",
        ),
        (lambda: TabularMDP.from_mdptoolbox(np.ones((2, 3, 3)), np.zeros(2)), r"or \[2, 3, 3\].*got \[2\]"),
        (lambda: TabularMDP.from_mdptoolbox([np.eye(2)], [np.zeros((3, 3))]), r"reward\[0\] .*got \[3, 3\]"),
        (lambda: TabularMDP.from_mdptoolbox(np.zeros((2, 2)), np.zeros(2)), r"P\[0\] must have shape"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_numbers(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_table_too_large_for_memory_is_refused_with_its_size() -> None:
    """Arrays that repeat one number take no memory, whatever their shape says."""
    size = 2**15
    huge = np.broadcast_to(np.float64(0.0), (size, 64, size))  # 2 masks of 64 GiB each
    free = free_memory()
    if free is None or free >= 2**36:
        pytest.skip("nobody tells how much memory is free, or it is very much")
    with pytest.raises(
        ValueError, match=r"\[32768, 64, 32768\] would take 128\.0 GiB .* only \d+\.\d GiB are free"
    ):
        TabularMDP.from_arrays(huge, np.zeros(size), initial=np.eye(1, size)[0])
    with pytest.raises(ValueError, match="GiB are free"):
        TabularMDP.from_mdptoolbox(np.broadcast_to(np.float64(0.0), (1, 2**18, 2**18)), np.zeros(2**18))
    many = 2**34
    with pytest.raises(
        ValueError, match=rf"a table of 1 states, 1 actions and {many} outcomes would take 336"
    ):
        TabularMDP(
            first_outcome=[0, many],
            probability=np.broadcast_to(1.0, many),
            next_state=np.broadcast_to(0, many),
            reward=np.broadcast_to(0.0, many),
            terminated=np.broadcast_to(np.False_, many),
            initial=[1.0],
        )
    with pytest.raises(ValueError, match="a table of 1 states, 1000000000001 actions and 1 outcomes"):
        TabularMDP.from_state_action_pairs([1.0], [[1.0]], [0], [10**12])


def test_room_is_asked_for_in_gibibytes(monkeypatch: pytest.MonkeyPatch) -> None:
    from bellglass.envs.mdp import memory_limit as room

    monkeypatch.setattr(room, "free_memory", lambda: 3 * 2**30)
    require_memory(3 * 2**30, "this")
    with pytest.raises(ValueError, match=r"^this would take 4\.0 GiB of memory, but only 3\.0 GiB are free$"):
        require_memory(4 * 2**30, "this")
    monkeypatch.setattr(room, "free_memory", lambda: None)
    require_memory(2**60, "where nobody knows")
