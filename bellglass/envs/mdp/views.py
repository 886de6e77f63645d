"""What a table shows of itself: sizes, masks, matrices, Gymnasium's `P`, names; made when first asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .arrays import BoolArray, FloatArray, IntArray, cumulate, locked, row_sums
from .layout import Layout
from .reach import walked_through

if TYPE_CHECKING:
    import scipy.sparse


class TableViews:
    """Everything that follows from the arrays of a table; `TabularMDP` has them and says what they are."""

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

    # -- sizes ---------------------------------------------------------------------------------------------

    @property
    def num_states(self) -> int:
        """S."""
        return len(self.initial)

    @property
    def num_actions(self) -> int:
        """A."""
        return (len(self.first_outcome) - 1) // len(self.initial)

    @property
    def num_outcomes(self) -> int:
        """N."""
        return len(self.probability)

    # -- views, made when first asked for --------------------------------------------------------------------

    @cached_property
    def action_mask(self) -> BoolArray:
        """[S, A] whether the action is available in the state."""
        return locked(np.diff(self.first_outcome).reshape(self.num_states, self.num_actions) > 0)

    @cached_property
    def lowest_action(self) -> IntArray:
        """[S] the lowest available action, which an unavailable one is played as; 0 in terminal states."""
        return locked(self.action_mask.argmax(axis=1).astype(np.int64))

    @cached_property
    def row_of_outcome(self) -> IntArray:
        """[N] the pair s*A + a that each outcome belongs to."""
        rows = np.arange(len(self.first_outcome) - 1, dtype=np.int64)
        return locked(np.repeat(rows, np.diff(self.first_outcome)))

    @cached_property
    def normalised_probability(self) -> FloatArray:
        """[N] probability / (its sum over the pair): what the table means."""
        sums = row_sums(self.first_outcome, self.probability)
        if bool(((sums == 1.0) | (np.diff(self.first_outcome) == 0)).all()):
            return self.probability
        return locked(self.probability / sums[self.row_of_outcome])

    @cached_property
    def cumulative_probability(self) -> FloatArray:
        """[N] running sums of each pair's probabilities, made for one look-up with a uniform u in [0, 1).

        The outcome drawn is the first one of the pair with cumulative_probability > u.  From the last outcome of
        positive probability on the sum is exactly 1, so an outcome of probability 0 is never drawn.
        """
        return locked(cumulate(self.first_outcome, self.normalised_probability))

    @cached_property
    def cumulative_initial(self) -> FloatArray:
        """[S] running sums of `initial`, made for the same look-up."""
        return locked(cumulate(np.array([0, self.num_states]), self.initial / self.initial.sum()))

    @cached_property
    def expected_reward(self) -> FloatArray:
        """[S, A] mean reward of each pair; 0 where the action is not available."""
        weighted = row_sums(self.first_outcome, self.normalised_probability * self.reward)
        return locked(weighted.reshape(self.num_states, self.num_actions))

    @cached_property
    def transition_matrix(self) -> scipy.sparse.csr_array:
        """[S*A, S] scipy CSR of the chance to go on in each state; terminated outcomes are dropped."""
        import scipy.sparse

        going_on = ~self.terminated
        return scipy.sparse.coo_array(
            (
                self.normalised_probability[going_on],
                (self.row_of_outcome[going_on], self.next_state[going_on]),
            ),
            shape=(self.num_states * self.num_actions, self.num_states),
        ).tocsr()

    @cached_property
    def walked_through(self) -> BoolArray:
        """[S] states that an episode can go on in: the starts, and what outcomes that do not terminate enter."""
        states = self.row_of_outcome // self.num_actions
        return locked(
            walked_through(self.initial, states, self.probability, self.next_state, self.terminated)
        )

    @cached_property
    def reachable(self) -> BoolArray:
        """[S] states that an episode can show: the starts, what can follow, and where it can end."""
        walked = self.walked_through
        entered = (self.probability > 0) & walked[self.row_of_outcome // self.num_actions]
        found = walked.copy()
        found[self.next_state[entered]] = True
        return locked(found)

    @cached_property
    def P(self) -> dict[int, dict[int, list[tuple[float, int, float, bool]]]]:
        """Gymnasium's nested form: P[s][a] = [(probability, next_state, reward, terminated), ...].

        A terminal state shows one self-loop (1.0, s, 0.0, True) for each action; an action that is not available
        in a live state shows an empty list.
        """
        rows = list(
            zip(
                self.probability.tolist(),
                self.next_state.tolist(),
                self.reward.tolist(),
                self.terminated.tolist(),
                strict=True,
            )
        )
        first = self.first_outcome.tolist()
        num_actions = self.num_actions
        return {
            s: {
                a: [(1.0, s, 0.0, True)]
                if ends
                else rows[first[s * num_actions + a] : first[s * num_actions + a + 1]]
                for a in range(num_actions)
            }
            for s, ends in enumerate(self.terminal.tolist())
        }

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, as 64 hex digits, of the canonical arrays: equal exactly for equal dynamics and starts.

        Names and layout do not count.  Canonical: little-endian, 64-bit integers and floats, no negative zero.
        """
        digest = hashlib.sha256(f"bellglass table 1: {self.num_states} x {self.num_actions}\n".encode())
        for integers in (self.first_outcome, self.next_state):
            digest.update(integers.astype("<i8").tobytes())
        for numbers in (self.probability, self.reward, self.initial):
            digest.update((numbers + 0.0).astype("<f8").tobytes())  # -0.0 + 0.0 is 0.0
        digest.update(self.terminated.tobytes())
        return digest.hexdigest()

    # -- names -----------------------------------------------------------------------------------------------

    @cached_property
    def _state_of_label(self) -> dict[Hashable, int]:
        labels = range(self.num_states) if self.state_labels is None else self.state_labels
        return {label: s for s, label in enumerate(labels)}

    def encode(self, label: Hashable) -> int:
        """The state of that name (without labels, a name is the index itself).

        Raises:
            ValueError: no state bears the name.
        """
        s = self._state_of_label.get(label)
        if s is None:
            known = ", ".join(repr(name) for name in list(self._state_of_label)[:5])
            raise ValueError(f"no state is called {label!r}; the {self.num_states} names begin {known}")
        return s

    def decode(self, state: int) -> Hashable:
        """The name of the state (without labels, the index itself).

        Raises:
            ValueError: the index is not in [0, S).
        """
        if not 0 <= state < self.num_states:
            raise ValueError(f"state must be in [0, {self.num_states}), got {state}")
        return int(state) if self.state_labels is None else self.state_labels[state]

    def action_name(self, action: int) -> str:
        """The action's label, or its number."""
        return str(action) if self.action_labels is None else str(self.action_labels[action])
