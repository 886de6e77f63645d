"""Flat arrays from matrices: SciPy's sparse ones, QuantEcon's state-action pairs, MDPtoolbox's (P, R).

Whatever the form, it first becomes one sparse row for each pair (state, action), and the rows are then laid one
behind the other, without a loop over outcomes:

    outcomes of (s, a)  =  the stored entries of its row, by next state; stored zeros are dropped

Nothing given is changed: a matrix whose entries are unsorted or doubled is put in order in a copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .arrays import BoolArray, FloatArray, IntArray, locked
from .builders import as_mask, as_pairs_mask
from .memory_limit import require_memory, require_memory_for_table

#: A matrix, dense or sparse, or a list of them.
MatrixLike = Any


class Sparse(NamedTuple):
    """A matrix by rows (CSR).

    Attributes:
        shape: rows and columns.
        first: [rows + 1] where each row's entries begin.
        column: [K] column of each entry.
        data: [K] the numbers.
    """

    shape: tuple[int, int]
    first: IntArray
    column: IntArray
    data: FloatArray

    @property
    def row(self) -> IntArray:
        """[K] row of each entry."""
        rows: IntArray = np.repeat(np.arange(self.shape[0], dtype=np.int64), np.diff(self.first))
        return rows


class Rows(NamedTuple):
    """The outcomes of some pairs, not yet in the table's order.

    Attributes:
        pair: [L] the pair s*A + a of each row; each at most once.
        first: [L + 1] where each row's entries begin.
        next_state: [K] state of each entry.
        probability: [K] chance of each entry.
        reward: [K] reward of each entry.
    """

    pair: IntArray
    first: IntArray
    next_state: IntArray
    probability: FloatArray
    reward: FloatArray


# -- the forms -------------------------------------------------------------------------------------------------


def fields_from_sparse(
    transition: MatrixLike,
    reward: MatrixLike,
    initial: npt.ArrayLike | None,
    terminal: npt.ArrayLike | None,
    action_mask: npt.ArrayLike | None,
) -> dict[str, Any]:
    """The flat arrays of sparse matrices; `TabularMDP.from_sparse` tells their shapes."""
    import scipy.sparse

    if not scipy.sparse.issparse(transition):
        matrices = _one_an_action("transition", transition)
        num_states, num_actions = matrices[0].shape[1], len(matrices)
        blocks = _blocks(matrices, _reward_of_action(reward, num_states, num_actions, by_action_first=False))
        return _fields(blocks, num_states, num_actions, initial, terminal, action_mask)

    num_pairs, num_states = transition.shape
    if num_states == 0 or num_pairs == 0 or num_pairs % num_states:
        raise ValueError(
            f"a stacked transition must have shape [S*A, S] with row s*A + a, got {list(transition.shape)}"
        )
    num_actions = num_pairs // num_states
    entries = None if scipy.sparse.issparse(reward) else np.asarray(reward)
    each = None
    if entries is not None and entries.ndim == 1 and transition.format == "csr":
        each = _reward_of_each_entry(transition, entries, num_states, num_actions)
    matrix = _csr("transition", transition, whole=each is not None)
    row = matrix.row
    if each is not None:
        paid = each
    elif entries is None:
        if reward.shape != transition.shape:
            raise ValueError(
                f"a stacked reward must have the shape {list(transition.shape)} of transition, "
                f"got {list(reward.shape)}"
            )
        paid = _values_at(_csr("reward", reward), row, matrix.column)
    else:
        s, a = np.divmod(row, num_actions)
        paid = _paid(entries, num_states, num_actions)[s, a]
    rows = Rows(np.arange(num_pairs), matrix.first, matrix.column, matrix.data, paid)
    return _fields([rows], num_states, num_actions, initial, terminal, action_mask)


def fields_from_pairs(
    R: npt.ArrayLike,
    Q: MatrixLike,
    s_indices: npt.ArrayLike | None,
    a_indices: npt.ArrayLike | None,
    initial: npt.ArrayLike | None,
    terminal: npt.ArrayLike | None,
) -> dict[str, Any]:
    """The flat arrays of QuantEcon's two forms; `TabularMDP.from_state_action_pairs` tells their shapes."""
    import scipy.sparse

    if (s_indices is None) != (a_indices is None):
        raise ValueError("s_indices and a_indices belong together: give both or neither")
    rewards = np.asarray(R, dtype=np.float64)
    sparse = scipy.sparse.issparse(Q)
    chances = Q if sparse else np.asarray(Q)
    if s_indices is None or a_indices is None:
        if sparse or chances.ndim != 3 or chances.shape[0] != chances.shape[2] or not chances.size:
            raise ValueError(
                f"without s_indices and a_indices Q must be an array [S, A, S], got shape {list(chances.shape)}"
            )
        num_states, num_actions, _ = chances.shape
        if rewards.shape != (num_states, num_actions):
            raise ValueError(f"R must have shape [{num_states}, {num_actions}], got {list(rewards.shape)}")
        s, a = np.divmod(np.arange(num_states * num_actions), num_actions)
        rewards, chances = rewards.ravel(), chances.reshape(-1, num_states)
    else:
        if chances.ndim != 2 or chances.shape[1] == 0:
            raise ValueError(
                f"with s_indices and a_indices Q must have shape [L, S], got {list(chances.shape)}"
            )
        num_pairs, num_states = chances.shape
        s = _indices("s_indices", s_indices, num_pairs, num_states)
        a = _indices("a_indices", a_indices, num_pairs, None)
        num_actions = int(a.max(initial=-1)) + 1
        if num_actions == 0:
            raise ValueError("Q has no rows: there is no action in any state")
        require_memory_for_table(num_states, num_actions, num_pairs)
        if rewards.shape != (num_pairs,):
            raise ValueError(f"R must have shape [{num_pairs}] like the rows of Q, got {list(rewards.shape)}")
    pair = s * num_actions + a
    twice = np.flatnonzero(np.bincount(pair, minlength=1)[pair] > 1)
    if twice.size:
        raise ValueError(f"state {s[twice[0]]}, action {a[twice[0]]} is listed twice")
    odd = np.flatnonzero(np.isnan(rewards) | (rewards == np.inf))
    if odd.size:
        raise ValueError(
            f"state {s[odd[0]]}, action {a[odd[0]]}: the reward {rewards[odd[0]]} is neither a number nor -inf "
            "(-inf: not available)"
        )
    available = np.flatnonzero(rewards > -np.inf)
    matrix = _csr("Q", chances, rows=available if len(available) < len(rewards) else None)
    listed = np.zeros(num_states * num_actions, dtype=np.bool_)
    listed[pair[available]] = True
    rows = Rows(
        pair[available],
        matrix.first,
        matrix.column,
        matrix.data,
        np.repeat(rewards[available], np.diff(matrix.first)),
    )
    mask = listed.reshape(num_states, num_actions)
    stuck = np.flatnonzero(~mask.any(axis=1) & ~as_mask(terminal, num_states))
    if stuck.size:
        raise ValueError(f"state {stuck[0]} has no available action; if it ends there, name it in terminal")
    return _fields([rows], num_states, num_actions, initial, terminal, mask)


def fields_from_mdptoolbox(
    P: MatrixLike,
    R: MatrixLike,
    initial: npt.ArrayLike | None,
    terminal: npt.ArrayLike | None,
    action_mask: npt.ArrayLike | None,
) -> dict[str, Any]:
    """The flat arrays of MDPtoolbox's (P, R); `TabularMDP.from_mdptoolbox` tells their shapes."""
    matrices = _one_an_action("P", P)
    num_states, num_actions = matrices[0].shape[1], len(matrices)
    blocks = _blocks(matrices, _reward_of_action(R, num_states, num_actions, by_action_first=True))
    return _fields(blocks, num_states, num_actions, initial, terminal, action_mask)


# -- rewards ---------------------------------------------------------------------------------------------------


def _paid(reward: npt.NDArray[Any], num_states: int, num_actions: int) -> FloatArray:
    """[S] or [S, A] as [S, A]."""
    numbers = np.asarray(reward, dtype=np.float64)
    if numbers.shape == (num_states,):
        numbers = numbers[:, None]
    elif numbers.shape != (num_states, num_actions):
        raise ValueError(
            f"reward must have shape [{num_states}] or [{num_states}, {num_actions}], or be sparse like "
            f"transition, got {list(numbers.shape)}"
        )
    return np.broadcast_to(numbers, (num_states, num_actions))


def _reward_of_each_entry(
    transition: MatrixLike, reward: npt.NDArray[Any], num_states: int, num_actions: int
) -> FloatArray | None:
    """[N] a reward for each stored entry; None where `reward` is [S], and an error where it could be either."""
    if len(reward) != transition.nnz:
        return None
    state = np.repeat(np.arange(num_states * num_actions), np.diff(transition.indptr)) // num_actions
    if len(reward) == num_states:
        if (state == np.arange(num_states)).all():
            return None  # both readings are one
        raise ValueError(
            f"a reward of length {num_states} is one for each state, or one for each of {num_states} stored "
            "entries; give it as [S, A] or as a sparse matrix"
        )
    return np.asarray(reward, dtype=np.float64)


def _reward_of_action(reward: Any, num_states: int, num_actions: int, *, by_action_first: bool) -> list[Any]:
    """For each action what the reward of (s, s') is read from: a sparse [S, S], or an array that spreads to it.

    A list of sparse matrices has one an action, and so has a list of dense ones if `by_action_first`.  Numbers go
    by their shape: [S], [S, A], and [A, S, S] if `by_action_first`, else [S, A, S].
    """
    import scipy.sparse

    if scipy.sparse.issparse(reward):
        reward = reward.toarray()
    listed = isinstance(reward, (list, tuple)) or (
        isinstance(reward, np.ndarray) and reward.dtype == np.dtype(object)
    )
    if listed and len(reward) == num_actions:
        sparse = any(scipy.sparse.issparse(entry) for entry in reward)
        if sparse or (by_action_first and any(np.ndim(entry) == 2 for entry in reward)):
            return [_matrix_of_action(entry, a, num_states) for a, entry in enumerate(reward)]
    numbers = np.asarray(reward, dtype=np.float64)
    if numbers.shape == (num_states,):
        return [numbers[:, None]] * num_actions
    if numbers.shape == (num_states, num_actions):
        return [numbers[:, a, None] for a in range(num_actions)]
    cube = (num_actions, num_states, num_states) if by_action_first else (num_states, num_actions, num_states)
    if numbers.shape == cube:
        return list(numbers) if by_action_first else [numbers[:, a] for a in range(num_actions)]
    raise ValueError(
        f"the reward must have shape [{num_states}], [{num_states}, {num_actions}] or {list(cube)}, or be a list "
        f"with a matrix [{num_states}, {num_states}] for each of {num_actions} actions, got {list(numbers.shape)}"
    )


def _matrix_of_action(entry: Any, action: int, num_states: int) -> Any:
    import scipy.sparse

    sparse = scipy.sparse.issparse(entry)
    matrix: Any = _csr(f"reward[{action}]", entry) if sparse else np.asarray(entry, dtype=np.float64)
    if matrix.shape != (num_states, num_states):
        raise ValueError(
            f"reward[{action}] must have shape [{num_states}, {num_states}], got {list(matrix.shape)}"
        )
    return matrix


# -- rows ------------------------------------------------------------------------------------------------------


def _one_an_action(name: str, matrices: Sequence[MatrixLike]) -> list[Sparse]:
    """The A matrices [S, S] as canonical CSR."""
    import scipy.sparse

    if scipy.sparse.issparse(matrices) or len(matrices) == 0:
        raise ValueError(f"{name} must be a list of A matrices [S, S], A at least 1")
    found: list[Sparse] = []
    for a, matrix in enumerate(matrices):
        shape = tuple(matrix.shape) if scipy.sparse.issparse(matrix) else np.shape(matrix)
        size = found[0].shape[1] if found else shape[-1] if shape else 0
        if shape != (size, size) or size == 0:
            wanted = f"[{size}, {size}]" if found else "[S, S]"
            raise ValueError(f"{name}[{a}] must have shape {wanted}, got {list(shape)}")
        found.append(_csr(f"{name}[{a}]", matrix))
    return found


def _csr(name: str, matrix: MatrixLike, *, whole: bool = False, rows: IntArray | None = None) -> Sparse:
    """`matrix` by rows, as float64, sorted and without doubles; may share the given arrays.

    Args:
        name: what errors call it.
        matrix: sparse, or an array of two dimensions.
        whole: keep entries as they are stored (the matrix is CSR).
        rows: take these rows only.
    """
    import scipy.sparse

    if not scipy.sparse.issparse(matrix):
        dense = np.asarray(matrix)
        require_memory(10 * dense.size, f"reading {name} of shape {list(dense.shape)}")
        matrix = scipy.sparse.csr_array(np.asarray(dense, dtype=np.float64))
    if matrix.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold numbers, got {matrix.dtype}")
    given = matrix.tocsr() if rows is None else matrix.tocsr()[rows]
    data = np.asarray(given.data, dtype=np.float64)
    found: Any = scipy.sparse.csr_array((data, given.indices, given.indptr), shape=given.shape, copy=False)
    if not whole and not found.has_canonical_format:
        found = found.copy()
        found.sum_duplicates()
    num_rows, num_columns = found.shape
    return Sparse((num_rows, num_columns), found.indptr.astype(np.int64), found.indices, found.data)


def _values_at(matrix: Sparse, row: IntArray, column: IntArray) -> FloatArray:
    """[K] the matrix's numbers at (row, column); 0 where nothing is stored."""
    width = matrix.shape[1]
    stored = matrix.row * width + matrix.column
    wanted = row * width + column
    if stored.shape == wanted.shape and (stored == wanted).all():
        return matrix.data
    k = np.searchsorted(stored, wanted)
    k[k == len(stored)] = 0
    if not len(stored):
        return np.zeros(len(wanted))
    values: FloatArray = np.where(stored[k] == wanted, matrix.data[k], 0.0)
    return values


def _blocks(matrices: Sequence[Sparse], rewards: Sequence[Any]) -> list[Rows]:
    num_actions, blocks = len(matrices), []
    for a, (matrix, reward) in enumerate(zip(matrices, rewards, strict=True)):
        row = matrix.row
        if isinstance(reward, Sparse):
            paid = _values_at(reward, row, matrix.column)
        else:
            paid = np.broadcast_to(reward, matrix.shape)[row, matrix.column]
        pair = np.arange(matrix.shape[0], dtype=np.int64) * num_actions + a
        blocks.append(Rows(pair, matrix.first, matrix.column, matrix.data, paid))
    return blocks


def _fields(
    blocks: Sequence[Rows],
    num_states: int,
    num_actions: int,
    initial: npt.ArrayLike | None,
    terminal: npt.ArrayLike | None,
    action_mask: npt.ArrayLike | None,
) -> dict[str, Any]:
    """The flat arrays: each block's entries moved to where their pair begins."""
    require_memory_for_table(num_states, num_actions, sum(len(block.probability) for block in blocks))
    ends = as_mask(terminal, num_states)
    mask = as_pairs_mask(action_mask, num_states, num_actions) & ~ends[:, None]
    available = mask.ravel()

    counts = np.zeros(num_states * num_actions, dtype=np.int64)
    kept: list[tuple[IntArray, BoolArray | None]] = []
    for block in blocks:
        lengths = np.diff(block.first)
        stays = (block.probability != 0) & np.repeat(available[block.pair], lengths)
        if stays.all():
            counts[block.pair] = lengths
            kept.append((lengths, None))
        else:
            row = np.repeat(np.arange(len(lengths)), lengths)
            fewer = np.bincount(row[stays], minlength=len(lengths))
            counts[block.pair] = fewer
            kept.append((fewer, stays))
    _refuse_empty(counts, available, num_actions)

    first = np.concatenate([[0], np.cumsum(counts)])
    size = int(first[-1])
    probability, reward = np.empty(size), np.empty(size)
    next_state = np.empty(size, dtype=np.int32 if num_states < 2**31 else np.int64)
    for block, (lengths, stays) in zip(blocks, kept, strict=True):
        begins = np.concatenate([[0], np.cumsum(lengths)])
        place = np.repeat(first[block.pair] - begins[:-1], lengths) + np.arange(begins[-1])
        chosen = slice(None) if stays is None else stays
        probability[place] = block.probability[chosen]
        next_state[place] = block.next_state[chosen]
        reward[place] = block.reward[chosen]
    return {  # locked: the table takes them as they are, without a second copy
        "first_outcome": locked(first),
        "probability": locked(probability),
        "next_state": locked(next_state),
        "reward": locked(reward),
        "terminated": locked(ends[next_state]),
        "initial": _starts(initial, mask),
    }


def _refuse_empty(counts: IntArray, available: BoolArray, num_actions: int) -> None:
    empty = np.flatnonzero(available & (counts == 0))
    if empty.size:
        s, a = divmod(int(empty[0]), num_actions)
        raise ValueError(
            f"outcomes of state {s}, action {a} sum to 0, not 1 (name the state in terminal, or the action in "
            "action_mask, if it is not available)"
        )


def _starts(initial: npt.ArrayLike | None, mask: BoolArray) -> FloatArray:
    """[S] as given; by default equally often in every state that has an action."""
    if initial is not None:
        return np.asarray(initial, dtype=np.float64)
    live = mask.any(axis=1)
    return np.asarray(live / max(1, int(live.sum())))


def _indices(name: str, given: npt.ArrayLike, length: int, size: int | None) -> IntArray:
    array = np.asarray(given)
    if array.shape != (length,) or array.dtype.kind not in "iu":
        raise ValueError(
            f"{name} must hold {length} whole numbers like the rows of Q, got {array.dtype} of shape "
            f"{list(array.shape)}"
        )
    bad = np.flatnonzero((array < 0) | (array >= size) if size is not None else array < 0)
    if bad.size:
        allowed = f"in [0, {size})" if size is not None else "at least 0"
        raise ValueError(f"{name}[{bad[0]}] is {array[bad[0]]}, must be {allowed}")
    return array.astype(np.int64)
