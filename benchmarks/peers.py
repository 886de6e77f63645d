"""Other people's solvers, each with its own form of the table and every method of it worth a try.

A form takes the rows and the discount and returns methods: label -> solve(tolerance) -> values [S].  What a form
does before it returns is conversion; only what a method does is timed.  `tolerance` is absolute, and each method
is given the loosest setting from which its own stopping rule still promises it: QuantEcon, Storm's discounted
formula and mdpsolver's Gauss-Seidel stop where the values are within epsilon / 2, so epsilon is twice the tolerance;
mdpsolver's other updates end at their lower bound, so epsilon is the tolerance; Storm's plain value iteration looks
at the last change only, so its precision is the tolerance times (1 - discount) / discount.

Terminal states get one action that stays and pays 0.  An outcome that ends the episode and enters a state that
goes on leads to one such state more, the sink, at the end.
"""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse

from bellglass.envs.mdp import FloatArray, IntArray, TabularMDP

Solve = Callable[[float], FloatArray]


@dataclass(frozen=True)
class Rows:
    """A table as rows of stochastic pairs, sorted by (state, action); made from the table's own arrays.

    Attributes:
        num_states: S of the table; states beyond are the sink.
        state: [M] of each row.
        action: [M] of each row.
        reward: [M] mean reward.
        matrix: [M, S or S + 1] CSR, every row sums to 1.
    """

    num_states: int
    state: IntArray
    action: IntArray
    reward: FloatArray
    matrix: scipy.sparse.csr_array

    @classmethod
    def of(cls, mdp: TabularMDP) -> Rows:
        """The rows of `mdp`, of p / sum(p)."""
        states, actions = mdp.num_states, mdp.num_actions
        next_state = mdp.next_state.astype(np.int64)
        astray = mdp.terminated & ~mdp.terminal[next_state]
        sink = bool(astray.any())
        next_state[astray] = states
        still = np.append(np.flatnonzero(mdp.terminal), [states] if sink else []).astype(np.int64)
        chances = mdp.normalised_probability
        mean = np.bincount(mdp.row_of_outcome, chances * mdp.reward, states * actions)
        pair = np.concatenate([np.flatnonzero(mdp.action_mask.ravel()), still * actions])
        order = np.argsort(pair, kind="stable")
        place = np.full((states + 1) * actions, -1)
        place[pair[order]] = np.arange(pair.size)
        matrix = scipy.sparse.coo_array(
            (
                np.concatenate([chances, np.ones(still.size)]),
                (
                    np.concatenate([place[mdp.row_of_outcome], place[still * actions]]),
                    np.concatenate([next_state, still]),
                ),
            ),
            shape=(pair.size, states + sink),
        ).tocsr()
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        pair = pair[order]
        return cls(states, pair // actions, pair % actions, np.append(mean, np.zeros(actions))[pair], matrix)

    @property
    def first(self) -> IntArray:
        """[S or S + 1] first row of each state."""
        return np.flatnonzero(np.diff(self.state, prepend=-1)).astype(np.int64)

    def residual(self, values: FloatArray, discount: float) -> float:
        """Greatest |max_a q - v| over (1 - discount): no value is further from the optimum, rounding aside."""
        full = np.append(values, np.zeros(self.matrix.shape[1] - values.size))
        best = np.maximum.reduceat(self.reward + discount * (self.matrix @ full), self.first)
        return float(np.abs(best - full).max() / (1.0 - discount))


def quantecon(rows: Rows, discount: float) -> dict[str, Solve]:
    """QuantEcon's state-action pairs with a sparse matrix."""
    return _quantecon(rows, discount, rows.matrix.tocsr())


def quantecon_dense(rows: Rows, discount: float) -> dict[str, Solve]:
    """QuantEcon's state-action pairs with a dense matrix, which BLAS multiplies."""
    return _quantecon(rows, discount, rows.matrix.toarray())


def _quantecon(rows: Rows, discount: float, matrix: Any) -> dict[str, Solve]:
    from quantecon.markov import DiscreteDP

    num_states = rows.num_states  # alone: what the methods close over stays in memory

    if scipy.sparse.issparse(matrix):
        matrix = scipy.sparse.csr_matrix(matrix)
    ddp = DiscreteDP(rows.reward, matrix, discount, rows.state, rows.action)
    endless = 10**9

    def solve(method: str, k: int = 20, start: FloatArray | None = None) -> Solve:
        def run(tolerance: float) -> FloatArray:
            found = ddp.solve(method, v_init=start, epsilon=2.0 * tolerance, max_iter=endless, k=k)
            return np.asarray(found.v)[:num_states]

        return run

    methods = {f"mpi k={k}": solve("mpi", k) for k in (10, 2, 5, 20, 50, 200)}
    # The default start, min r / (1 - discount), suits tables that never end; the textbook's zeros suit the rest.
    zeros = np.zeros(matrix.shape[1])
    methods |= {f"mpi k={k} from 0": solve("mpi", k, zeros) for k in (10, 50, 200)}
    return methods | {"pi": solve("pi"), "vi": solve("vi")}


def mdpsolver(rows: Rows, discount: float) -> dict[str, Solve]:
    """Nested lists, as mdpsolver wants them, of probabilities and columns."""
    import mdpsolver as package

    num_states = rows.num_states  # alone: what the methods close over stays in memory

    bounds = np.append(rows.first, rows.state.size).tolist()
    ends = rows.matrix.indptr.tolist()
    chances, columns = rows.matrix.data.tolist(), rows.matrix.indices.tolist()
    rewards = rows.reward.tolist()

    def nested(flat: list[Any]) -> list[list[list[Any]]]:
        return [
            [flat[ends[m] : ends[m + 1]] for m in range(begin, end)]
            for begin, end in itertools.pairwise(bounds)
        ]

    model = package.model()
    model.mdp(
        discount=discount,
        rewards=[rewards[begin:end] for begin, end in itertools.pairwise(bounds)],
        tranMatProbs=nested(chances),
        tranMatColumns=nested(columns),
    )

    def solve(algorithm: str, update: str = "standard", sweeps: int = 100) -> Solve:
        def run(tolerance: float) -> FloatArray:
            model.solve(
                algorithm=algorithm,
                update=update,
                parIterLim=sweeps,
                tolerance=(1.0 if update == "standard" else 2.0) * tolerance,
                parallel=False,
                makeFinalCheck=False,
            )
            return np.array(model.getValueVector())[:num_states]

        return run

    # Its own policy iteration stops only when no action changes, so it is asked last.
    return {
        "mpi 20": solve("mpi", sweeps=20),
        "mpi 100": solve("mpi"),
        "mpi 500": solve("mpi", sweeps=500),
        "mpi 100 gs": solve("mpi", "gs"),
        "mpi 20 gs": solve("mpi", "gs", 20),
        "vi": solve("vi"),
        "vi gs": solve("vi", "gs"),
        "pi": solve("pi"),
    }


def storm_discounted(rows: Rows, discount: float) -> dict[str, Solve]:
    """Storm's discounted formula, R[Cdiscount]: value iteration, whatever method its environment names."""
    import stormpy

    num_states = rows.num_states  # alone: what the methods close over stays in memory

    model = _storm_model(rows.matrix, rows.state, rows.reward, label="")
    formula = stormpy.parse_property(f'R{{"r"}}max=? [Cdiscount={discount}]')

    def run(tolerance: float) -> FloatArray:
        environment = stormpy.environments.Environment()
        solver = environment.solver().min_max()
        solver.relative_termination_criterion = False
        solver.precision = stormpy.Rational(2.0 * tolerance)
        found = stormpy.model_checking(model, formula, environment=environment)
        return np.array(found.get_value_vector())[:num_states]

    return {"Cdiscount": run}


def storm_sink(rows: Rows, discount: float) -> dict[str, Solve]:
    """Storm's reachability reward: every step ends in a sink with chance 1 - discount."""
    import stormpy

    num_states = rows.num_states  # alone: what the methods close over stays in memory

    pairs, states = rows.matrix.shape
    leak = scipy.sparse.coo_array(
        (np.full(pairs, 1.0 - discount), (np.arange(pairs), np.zeros(pairs, dtype=np.int64))), (pairs, 1)
    )
    last = scipy.sparse.coo_array(([1.0], ([0], [states])), (1, states + 1))
    matrix = scipy.sparse.vstack([scipy.sparse.hstack([rows.matrix * discount, leak]), last], format="csr")
    # Costs that are minimised where no reward is positive: Storm's bounds want one sign.
    sign = -1.0 if rows.reward.max() <= 0 else 1.0
    model = _storm_model(matrix, np.append(rows.state, states), np.append(sign * rows.reward, 0.0), "sink")
    formula = stormpy.parse_property(f'R{{"r"}}{"max" if sign > 0 else "min"}=? [F "sink"]')
    methods = stormpy.environments.MinMaxMethod
    linear = stormpy.environments.EquationSolverType

    def solve(method: Any, share: float = 1.0, sound: bool = False, equations: Any = None) -> Solve:
        def run(tolerance: float) -> FloatArray:
            environment = stormpy.environments.sound() if sound else stormpy.environments.Environment()
            solver = environment.solver().min_max()
            solver.method = method
            solver.relative_termination_criterion = False
            solver.precision = stormpy.Rational(share * tolerance)
            if equations is not None:
                environment.solver().set_linear_equation_solver_type(equations)
                inner = environment.solver().native()
                inner.relative_termination_criterion = False
                inner.precision = stormpy.Rational(share * tolerance)
            found = stormpy.model_checking(model, formula, environment=environment)
            return sign * np.array(found.get_value_vector())[:num_states]

        return run

    step = (1.0 - discount) / discount
    return {
        "ovi": solve(methods.OPTIMISTIC_VALUE_ITERATION),
        "topological, sound": solve(methods.TOPOLOGICAL, sound=True),
        "vi": solve(methods.VALUE_ITERATION, step),
        "topological": solve(methods.TOPOLOGICAL, step),
        "pi": solve(methods.POLICY_ITERATION),
        "pi gmm": solve(methods.POLICY_ITERATION, step, equations=linear.GMMXX),
        "pi eigen": solve(methods.POLICY_ITERATION, step, equations=linear.EIGEN),
        "pi native": solve(methods.POLICY_ITERATION, step, equations=linear.NATIVE),
        "pi topological": solve(methods.POLICY_ITERATION, step, equations=linear.TOPOLOGICAL),
        "interval iteration": solve(methods.INTERVAL_ITERATION),
        "sound vi": solve(methods.SOUND_VALUE_ITERATION),
    }


def _storm_model(matrix: Any, state: IntArray, reward: FloatArray, label: str) -> Any:
    from stormpy import datastructures, models

    rows, states = matrix.shape
    builder = datastructures.SparseMatrixBuilder[float](
        rows=rows, columns=states, entries=matrix.nnz, has_custom_row_grouping=True, row_groups=states
    )
    first = np.append(np.flatnonzero(np.diff(state, prepend=-1)), rows)
    # In parts of about a million outcomes, or the lists would outweigh the matrix several times.
    goals = np.arange(0, matrix.nnz + 1_000_000, 1_000_000)
    cuts = np.unique(np.append(np.searchsorted(matrix.indptr[first], goals), states).clip(0, states))
    for begin, end in itertools.pairwise(cuts):
        low, high = first[begin], first[end]
        part = slice(matrix.indptr[low], matrix.indptr[high])
        row = np.repeat(np.arange(low, high), np.diff(matrix.indptr[low : high + 1]))
        builder.add_next_values(
            row.tolist(), matrix.indices[part].tolist(), matrix.data[part].tolist(), first[begin:end].tolist()
        )
    labels = models.StateLabeling(states)
    labels.add_label("init")
    labels.add_label_to_state("init", 0)
    if label:
        labels.add_label(label)
        labels.add_label_to_state(label, states - 1)
    rewards = models.SparseRewardModel[float](optional_state_action_reward_vector=reward.tolist())
    parts = models.SparseModelComponents[float](
        transition_matrix=builder.build(), state_labeling=labels, reward_models={"r": rewards}
    )
    return models.SparseMdp[float](parts)


def pymdptoolbox(rows: Rows, discount: float) -> dict[str, Solve]:
    """A sparse matrix an action, as pymdptoolbox wants; an unavailable action does what the lowest one does.

    Its policy iterations fill a dense matrix of all states, its value iteration checks the rows in one.
    """
    from mdptoolbox import mdp as package

    num_states = rows.num_states  # alone: what the methods close over stays in memory

    actions = int(rows.action.max()) + 1
    place = np.repeat(rows.first[:, None], actions, axis=1)
    place[rows.state, rows.action] = np.arange(rows.state.size)
    transitions = [rows.matrix[place[:, a]] for a in range(actions)]
    matrices = [scipy.sparse.csr_matrix(matrix) for matrix in transitions]  # value iteration asks for .A1
    rewards = rows.reward[place]
    endless = 10**9

    def value_iteration(tolerance: float) -> FloatArray:
        solver = package.ValueIteration(matrices, rewards, discount, tolerance, endless)
        solver.run()
        return np.asarray(solver.V)[:num_states]

    def modified(tolerance: float) -> FloatArray:
        solver = package.PolicyIterationModified(transitions, rewards, discount, tolerance, endless)
        solver.run()
        return np.asarray(solver.V)[:num_states]

    def exact(tolerance: float) -> FloatArray:
        solver = package.PolicyIteration(transitions, rewards, discount, max_iter=1000)
        solver.run()
        return np.asarray(solver.V)[:num_states]

    return {"PolicyIteration": exact, "PolicyIterationModified": modified, "ValueIteration": value_iteration}


class Form(NamedTuple):
    """One way to hand a table to one peer.

    Attributes:
        peer: who.
        package: what to install.
        module: what to import.
        convert: rows, discount -> methods.
        bytes_per_outcome: rough peak of the conversion.
        bytes_per_row: the same, for each state and action.
        bytes_per_square: the same, for each pair of states.
    """

    peer: str
    package: str
    module: str
    convert: Callable[[Rows, float], dict[str, Solve]]
    bytes_per_outcome: float
    bytes_per_row: float
    bytes_per_square: float = 0.0

    @property
    def installed(self) -> bool:
        """Whether the peer is here."""
        return importlib.util.find_spec(self.module) is not None

    def size(self, states: int, pairs: int, outcomes: int) -> float:
        """Rough bytes that a table takes in this form."""
        return (
            self.bytes_per_outcome * outcomes + self.bytes_per_row * pairs + self.bytes_per_square * states**2
        )


FORMS = {
    "QuantEcon": Form("QuantEcon", "quantecon", "quantecon", quantecon, 24, 100),
    "QuantEcon dense": Form("QuantEcon", "quantecon", "quantecon", quantecon_dense, 24, 100),
    "Storm Cdiscount": Form("Storm", "stormpy", "stormpy", storm_discounted, 56, 100),
    "Storm sink": Form("Storm", "stormpy", "stormpy", storm_sink, 72, 160),
    "mdpsolver": Form("mdpsolver", "mdpsolver", "mdpsolver", mdpsolver, 90, 500),
    "pymdptoolbox": Form("pymdptoolbox", "pymdptoolbox", "mdptoolbox", pymdptoolbox, 40, 100, 8),
}
