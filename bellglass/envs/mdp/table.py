"""The table of a finite Markov decision process: every outcome of every action, kept whole.

Shapes: S states, A actions, N outcomes in all.  The outcomes of action a in state s are the rows

    k  in  first_outcome[s*A + a] : first_outcome[s*A + a + 1]

of four flat arrays.  An empty range means that the action is not available there; a state in which no action
is available is terminal.  Two outcomes of one pair may reach the same state with different rewards (falling off
a cliff and bumping into a wall), so they are never averaged into one.

What a table *means* is probability / (its sum over the row): sums may miss 1 by rounding, at most 1e-9.
Puterman, Markov Decision Processes (1994), section 2.1, has the model.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import numpy as np
import numpy.typing as npt

from .arrays import BoolArray, FloatArray, IntArray, Outcomes
from .builders import fields_from_arrays, fields_from_function, fields_from_P
from .layout import Layout
from .matrices import fields_from_mdptoolbox, fields_from_pairs, fields_from_sparse
from .table_files import ARRAYS, read_table, write_table
from .validation import checked_fields
from .views import TableViews

if TYPE_CHECKING:
    import networkx


class Labels(TypedDict, total=False):
    """What every way to make a table takes besides.

    Attributes:
        state_labels: [S] hashable names of the states.
        action_labels: [A] names of the actions.
        layout: where the states lie on paper.
        normalise: divide each row by its sum.
    """

    state_labels: Sequence[Hashable] | None
    action_labels: Sequence[Hashable] | None
    layout: Layout | None
    normalise: bool


@dataclass(frozen=True, eq=False, init=False, repr=False)
class TabularMDP(TableViews):
    """What can happen after each action in each state, and where it starts.

    The arrays are copied, checked and made read-only.  Nothing is ever renormalised unless asked for.

    Attributes:
        first_outcome: [S*A + 1] where the outcomes of each pair begin; not decreasing, from 0 to N.
        probability: [N] chance of the outcome; each pair's sum to 1.
        next_state: [N] state it leads to, int32 (int64 past 2**31 states).
        reward: [N] reward paid on the way, finite.
        terminated: [N] whether the episode ends there.
        initial: [S] chance of starting in each state; 0 in terminal ones.
        terminal: [S] states where no action is available and the value is 0; derived, and checked when given.
        state_labels: [S] hashable names of the states, or None.
        action_labels: [A] names of the actions, or None.
        layout: where the states lie on paper, or None.

    Raises:
        ValueError: an array of the wrong shape, a row that does not sum to 1, a negative or NaN probability, an
            infinite reward, a next state out of range, no states, no actions or no start; the message names the
            state, the action and the number.
    """

    first_outcome: IntArray
    probability: FloatArray
    next_state: npt.NDArray[np.int32] | IntArray
    reward: FloatArray
    terminated: BoolArray
    initial: FloatArray
    terminal: BoolArray
    state_labels: tuple[Hashable, ...] | None
    action_labels: tuple[Hashable, ...] | None
    layout: Layout | None

    def __init__(
        self,
        *,
        first_outcome: npt.ArrayLike,
        probability: npt.ArrayLike,
        next_state: npt.ArrayLike,
        reward: npt.ArrayLike,
        terminated: npt.ArrayLike,
        initial: npt.ArrayLike,
        terminal: npt.ArrayLike | None = None,
        state_labels: Sequence[Hashable] | None = None,
        action_labels: Sequence[Hashable] | None = None,
        layout: Layout | None = None,
        normalise: bool = False,
    ) -> None:
        fields = checked_fields(
            first_outcome=first_outcome,
            probability=probability,
            next_state=next_state,
            reward=reward,
            terminated=terminated,
            initial=initial,
            terminal=terminal,
            state_labels=state_labels,
            action_labels=action_labels,
            layout=layout,
            normalise=normalise,
        )
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    # -- other forms -------------------------------------------------------------------------------------------

    @classmethod
    def from_P(cls, P: Outcomes, *, initial: npt.ArrayLike, **labels: Unpack[Labels]) -> TabularMDP:
        """Reads Gymnasium's nested dictionaries.

        A state becomes terminal, and its own rows are dropped, if a terminated outcome enters it, if it is no
        start, and if no state reachable from the starts by unterminated outcomes enters it unterminated.  (So
        CliffWalking's goal is terminal although its rows say that one can walk on.)

        >>> coin = {0: {0: [(0.5, 0, 1.0, False), (0.5, 1, 0.0, True)]}, 1: {0: [(1.0, 1, 0.0, True)]}}
        >>> TabularMDP.from_P(coin, initial=[1, 0]).terminal
        array([False,  True])
        """
        return cls(**fields_from_P(P, initial), **labels)

    @classmethod
    def from_arrays(
        cls,
        transition: npt.ArrayLike,
        reward: npt.ArrayLike,
        *,
        initial: npt.ArrayLike,
        terminal: npt.ArrayLike | None = None,
        action_mask: npt.ArrayLike | None = None,
        **labels: Unpack[Labels],
    ) -> TabularMDP:
        """Reads dense arrays.

        Args:
            transition: [S, A, S] chance of each next state.
            reward: the textbooks' three forms: [S] (paid on leaving s), [S, A] or [S, A, S].
            initial: [S] chance of starting in each state.
            terminal: [S] bool, or the indices of the terminal states; their rows are ignored, and entering one
                terminates.
            action_mask: [S, A] bool, which actions are available; all by default, where a row of zeros is an
                error.
            labels: `state_labels`, `action_labels`, `layout` and `normalise`, as in `Labels`.

        >>> stay_or_go = [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]]
        >>> mdp = TabularMDP.from_arrays(stay_or_go, [-1.0, 0.0], terminal=[1], initial=[1, 0])
        >>> mdp.P[0][1]
        [(1.0, 1, -1.0, True)]
        """
        return cls(**fields_from_arrays(transition, reward, initial, terminal, action_mask), **labels)

    @classmethod
    def from_sparse(
        cls,
        transition: Any,
        reward: Any,
        *,
        initial: npt.ArrayLike | None = None,
        terminal: npt.ArrayLike | None = None,
        action_mask: npt.ArrayLike | None = None,
        **labels: Unpack[Labels],
    ) -> TabularMDP:
        """Reads SciPy's sparse matrices, of any format.

        Args:
            transition: a list of A matrices [S, S], or one stacked [S*A, S] with row s*A + a.  Stored zeros are
                dropped, doubled entries added up, as SciPy means them.
            reward: [S] (paid on leaving s), [S, A] or [S, A, S]; sparse in the form of `transition`, where an
                outcome that has no entry pays 0; or, for a stacked CSR, [N] one for each stored entry in the order
                of `transition.data`.  With [N], entries stay as they are stored: two of one row may reach the same
                state with different rewards.
            initial: [S] chance of starting in each state; by default the same for every state that has an action.
            terminal: [S] bool, or the indices of the terminal states; their rows are ignored, and entering one
                terminates.
            action_mask: [S, A] bool, which actions are available; all by default, where an empty row is an error.
            labels: `state_labels`, `action_labels`, `layout` and `normalise`, as in `Labels`.

        Raises:
            ValueError: shapes that do not fit, or whatever is wrong with the table.

        >>> from scipy.sparse import csr_array
        >>> stay, go = csr_array([[1.0, 0.0], [0.0, 1.0]]), csr_array([[0.0, 1.0], [1.0, 0.0]])
        >>> mdp = TabularMDP.from_sparse([stay, go], [[0.0, -1.0], [2.0, -1.0]])
        >>> mdp.P[1]
        {0: [(1.0, 1, 2.0, False)], 1: [(1.0, 0, -1.0, False)]}
        """
        return cls(**fields_from_sparse(transition, reward, initial, terminal, action_mask), **labels)

    @classmethod
    def from_state_action_pairs(
        cls,
        R: npt.ArrayLike,
        Q: Any,
        s_indices: npt.ArrayLike | None = None,
        a_indices: npt.ArrayLike | None = None,
        *,
        initial: npt.ArrayLike | None = None,
        terminal: npt.ArrayLike | None = None,
        **labels: Unpack[Labels],
    ) -> TabularMDP:
        """Reads what QuantEcon's DiscreteDP takes, in its order and under its names, less the discount.

        Args:
            R: [L] reward of each listed pair, or [S, A]; -inf where the action is not available.
            Q: [L, S] chance of each next state, dense or sparse, or dense [S, A, S].
            s_indices: [L] state of each pair, in any order; left out where R is [S, A].
            a_indices: [L] action of each pair; the highest one tells A.
            initial: [S] chance of starting in each state; by default the same for every state that has an action.
            terminal: [S] bool, or the indices of the terminal states; their pairs are ignored, and entering one
                terminates.  A state without pairs must be named here.
            labels: `state_labels`, `action_labels`, `layout` and `normalise`, as in `Labels`.

        Raises:
            ValueError: shapes that do not fit, a pair listed twice, a state without an action, or whatever is wrong
                with the table.

        >>> mdp = TabularMDP.from_state_action_pairs(  # Puterman (2005), section 3.1, as QuantEcon writes it
        ...     R=[5, 10, -1], Q=[[0.5, 0.5], [0, 1], [0, 1]], s_indices=[0, 0, 1], a_indices=[0, 1, 0]
        ... )
        >>> mdp.action_mask.tolist()
        [[True, True], [True, False]]
        """
        return cls(**fields_from_pairs(R, Q, s_indices, a_indices, initial, terminal), **labels)

    @classmethod
    def from_mdptoolbox(
        cls,
        P: Any,
        R: Any,
        *,
        initial: npt.ArrayLike | None = None,
        terminal: npt.ArrayLike | None = None,
        action_mask: npt.ArrayLike | None = None,
        **labels: Unpack[Labels],
    ) -> TabularMDP:
        """Reads MDPtoolbox's (P, R), in which the action comes first.

        Args:
            P: [A, S, S] chance of each next state; or a list, tuple or object array of A matrices [S, S], dense or
                sparse.
            R: [S], [S, A] or [A, S, S]; or a list, tuple or object array of A matrices [S, S], dense or sparse.
            initial: [S] chance of starting in each state; by default the same for every state that has an action.
            terminal: [S] bool, or the indices of the terminal states; their rows are ignored, and entering one
                terminates.
            action_mask: [S, A] bool, which actions are available; all by default, where a row of zeros is an
                error.
            labels: `state_labels`, `action_labels`, `layout` and `normalise`, as in `Labels`.

        Raises:
            ValueError: shapes that do not fit, or whatever is wrong with the table.

        >>> P = [[[0.5, 0.5], [0.8, 0.2]], [[0.0, 1.0], [0.1, 0.9]]]  # the small example of MDPtoolbox
        >>> mdp = TabularMDP.from_mdptoolbox(P, np.array([[5, 10], [-1, 2]]))
        >>> mdp.P[1][0]
        [(0.8, 0, -1.0, False), (0.2, 1, -1.0, False)]
        """
        return cls(**fields_from_mdptoolbox(P, R, initial, terminal, action_mask), **labels)

    @classmethod
    def from_function(
        cls,
        model: Callable[[Any, Any], Iterable[Sequence[Any]] | None],
        states: Iterable[Hashable],
        actions: Iterable[Hashable],
        *,
        initial: Mapping[Any, float] | npt.ArrayLike | None = None,
        layout: Layout | None = None,
        normalise: bool = False,
    ) -> TabularMDP:
        """Asks `model(state, action)` for the outcomes of every pair, by the names of states and actions.

        Args:
            model: returns (probability, next state, reward) or (probability, next state, reward, terminated)
                rows; nothing (None or no rows) where the action is not available.  With three entries an outcome
                terminates if it enters a state that has no action.
            states: names of the states, in the order of their indices.
            actions: names of the actions, in the order of their indices.
            initial: {state: probability}, or an array [S]; by default the first state.
            layout: where the states lie on paper.
            normalise: divide each row by its sum.

        >>> def walk(s, a):
        ...     return [] if s == 2 else [(1.0, max(s + a, 0), -1.0)]
        >>> TabularMDP.from_function(walk, states=range(3), actions=[-1, +1]).P[1][1]
        [(1.0, 2, -1.0, True)]
        """
        return cls(
            **fields_from_function(model, states, actions, initial), layout=layout, normalise=normalise
        )

    def save(self, path: str | PathLike[str]) -> None:
        """Writes an ``.npz`` file (arrays and JSON, never pickle), whole or not at all."""
        arrays = {name: getattr(self, name) for name in ARRAYS}
        write_table(path, arrays, self.fingerprint, self.state_labels, self.action_labels, self.layout)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> TabularMDP:
        """Reads what `save` wrote; runs no code from the file.

        Raises:
            ValueError: the file is no table of ours, damaged, or not valid.
        """
        fields, fingerprint = read_table(path)
        try:
            mdp = cls(**fields)
        except ValueError as error:
            raise ValueError(f"{path} is damaged: {error}") from error
        if mdp.fingerprint != fingerprint:
            raise ValueError(f"{path} is damaged: its arrays do not have the fingerprint it states")
        return mdp

    def to_networkx(self) -> networkx.MultiDiGraph:
        """A directed multigraph: one node a state, one edge an outcome.

        Nodes carry `label` and `terminal`; edges `action`, `probability`, `reward` and `terminated`.

        Raises:
            ImportError: networkx is not installed.
        """
        import networkx

        graph = networkx.MultiDiGraph()
        for s, ends in enumerate(self.terminal.tolist()):
            graph.add_node(s, label=self.decode(s), terminal=ends)
        for s, actions in self.P.items():
            for a, rows in actions.items():
                if self.action_mask[s, a]:
                    for p, next_s, r, ended in rows:
                        graph.add_edge(s, next_s, action=a, probability=p, reward=r, terminated=ended)
        return graph

    def __repr__(self) -> str:
        return (
            f"TabularMDP({self.num_states} states, {self.num_actions} actions, {self.num_outcomes} outcomes, "
            f"fingerprint {self.fingerprint[:12]})"
        )

    def __copy__(self) -> TabularMDP:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> TabularMDP:
        return self  # nothing in it can change
