"""Drawing from a table for many copies at once: flat gathers, nothing else.

A pair is s*A + a.  Three things are added to the table, so that every copy can be stepped alike:

    a terminal state's pairs have one outcome, the self-loop (1, s, 0, terminated)
    a pair that is not available points to the outcomes of the lowest available action
    A pairs more, `restart` .. `restart` + A - 1, whose outcomes are the starts: (chance, start, 0, goes on)

The outcome is the first one with  cumulative > u:  exactly what `bisect` finds for one copy.
"""

from __future__ import annotations

import numpy as np

from ..mdp import BoolArray, FloatArray, IntArray, TabularMDP

#: Rows of at most this many outcomes are looked up by counting, which takes three array operations an outcome.
SHORT_ROW = 4

#: How often the slots of a row are halved at most to have one sum in each, and how many slots a guide has then.
FINER, MANY_SLOTS = 5, 1 << 17


class RowSampler:
    """Rows of running sums of any lengths: finds in a row the first sum that exceeds u.

    Short rows are looked up by counting the sums that do not.  Long ones have a guide (Chen and Asau, On generating
    random variates from an empirical distribution, AIIE Transactions 6, 1974): of each of 2 to 4 slots an outcome, in
    which a row cuts [0, 1), the place of the first sum that some u of the slot may ask for.  Slots are a power of two,
    so that u's slot is exact.  Rows of equal sums share one guide.  Where there are few, they are cut more finely until
    no slot has two sums in it: then there is nothing to search.

    Args:
        first: [R] place of each row's first sum; rows may share places.
        length: [R] number of sums in each row, at least 1; the same for rows that begin at the same place.
        cumulative: the sums; each row's last one is 1.
    """

    def __init__(self, first: IntArray, length: IntArray, cumulative: FloatArray) -> None:
        longest = int(length.max())
        self._sums: list[FloatArray] | None = None
        if longest <= SHORT_ROW:
            self._first = first
            #: the k-th running sum of each row; 1, which no u reaches, past its end
            end = len(cumulative) - 1
            self._sums = [
                np.where(k < length, cumulative[np.minimum(first + k, end)], 1.0) for k in range(longest - 1)
            ]
        else:
            self._make_guide(first, length, cumulative)

    def _make_guide(self, first: IntArray, length: IntArray, cumulative: FloatArray) -> None:
        one, pattern = _patterns(first, length, cumulative)
        lengths = length[one]
        begins = np.cumsum(lengths) - lengths
        sums = cumulative[_places(first[one], lengths)]
        slots = 2 << np.ceil(np.log2(lengths)).astype(np.int64)
        for finer in range(FINER + 1):
            first_slot = np.cumsum(slots) - slots
            # A sum is passed by, for good, from the first slot on that begins at it or beyond.  Rounding may have
            # lifted it above 1, out of its row.
            within = np.ceil(np.minimum(sums, 1.0) * np.repeat(slots, lengths)).astype(np.int64)
            counts = np.bincount(np.repeat(first_slot, lengths) + within, minlength=int(slots.sum()) + 1)
            crowded = np.maximum.reduceat(counts[1:], first_slot) > 1
            if finer == FINER or not crowded.any() or slots.sum() + slots[crowded].sum() > MANY_SLOTS:
                break
            slots = np.where(crowded, 2 * slots, slots)
        guide = np.cumsum(counts)[:-1]
        self._guide = guide.astype(np.int32 if len(sums) < 2**31 else np.int64)
        self._cumulative = sums
        self._first_slot: IntArray = first_slot[pattern]
        self._slots: FloatArray = slots[pattern].astype(np.float64)
        self._shift: IntArray = first - begins[pattern]
        self._last: IntArray = (begins + lengths - 1)[pattern]
        #: of a search among the sums that lie in one slot; none where a slot has one sum at most
        self._strides: list[int] = []
        if crowded.any():
            self._strides = [1 << i for i in reversed(range(int(counts[1:].max()).bit_length()))]

    def draw(self, row: IntArray, u: FloatArray) -> IntArray:
        """[n] place of the sum found in each of the rows [n], for uniform numbers [n] in [0, 1)."""
        if self._sums is not None:
            k: IntArray = self._first.take(row)
            for sums in self._sums:
                k += sums.take(row) <= u
            return k
        slot = (self._slots.take(row) * u).astype(np.int64)
        slot += self._first_slot.take(row)
        place: IntArray = self._guide.take(slot).astype(np.int64)
        place += self._cumulative.take(place) <= u
        if self._strides:
            beyond = self._cumulative.take(place) <= u
            if np.count_nonzero(beyond):
                where = np.flatnonzero(beyond)
                place[where] = self._searched(place[where], self._last.take(row[where]), u[where])
        place += self._shift.take(row)
        return place

    def _searched(self, k: IntArray, last: IntArray, u: FloatArray) -> IntArray:
        """The places sought, which are `k` [n] or lie beyond, by bisection."""
        for stride in self._strides:  # the place is one of k .. k + 2 * stride - 1
            probe = np.minimum(k + (stride - 1), last)
            k += (self._cumulative.take(probe) <= u) * stride
        return k


def _places(first: IntArray, length: IntArray) -> IntArray:
    """[length.sum()] first, first + 1, .. of each row, one row after another."""
    before = np.cumsum(length) - length
    places: IntArray = np.arange(length.sum()) + np.repeat(first - before, length)
    return places


def _patterns(first: IntArray, length: IntArray, cumulative: FloatArray) -> tuple[IntArray, IntArray]:
    """[P] one row of each pattern, and [R] the pattern of each row: rows of equal sums have the same.

    Rows are told apart by a 64-bit sum of their bits times random odd numbers, which is then checked.
    """
    begins, one, row = np.unique(first, return_index=True, return_inverse=True)
    lengths = length[one]
    places = _places(begins, lengths)
    position = places - np.repeat(begins, lengths)
    weights = np.random.default_rng(0).integers(2**63, size=int(lengths.max()), dtype=np.uint64) * 2 + 1
    bits = cumulative[places].view(np.uint64)
    signature = np.add.reduceat(bits * weights[position], np.cumsum(lengths) - lengths)
    _, leader, pattern = np.unique(signature, return_index=True, return_inverse=True)
    model = leader[pattern]  # [rows] the one that stands for each
    if (lengths != lengths[model]).any() or (
        cumulative[places] != cumulative[np.repeat(begins[model], lengths) + position]
    ).any():
        return one, row  # two patterns have one signature: to be expected once in 10^19 pairs of them
    return one[leader], pattern[row]


class OutcomeSampler:
    """The table's outcomes, ready for look-ups by array.

    Attributes:
        restart: the first of the A pairs that start an episode anew, S*A.
        next_state: [N + T + Q] state entered, int64; after the table's N outcomes come the T self-loops of
            terminal states and the Q starts.
        reward: [N + T + Q].
        terminated: [N + T + Q].
        probability: [N + T + Q].
        played_action: [S*A + A] the action as the table plays it.
        unavailable: [S*A + A] pairs of live states that are not available, or None where there are none.
    """

    def __init__(self, mdp: TabularMDP) -> None:
        num_states, num_actions = mdp.num_states, mdp.num_actions
        ends, starts = np.flatnonzero(mdp.terminal), np.flatnonzero(mdp.initial > 0)
        loops, still = np.ones(len(ends)), np.zeros(len(starts))
        self.starts = StartSampler(mdp)
        self.restart = num_states * num_actions
        self.next_state: IntArray = np.concatenate([mdp.next_state, ends, starts]).astype(np.int64)
        self.reward: FloatArray = np.concatenate([mdp.reward, 0.0 * loops, still])
        self.terminated: BoolArray = np.concatenate([mdp.terminated, loops > 0, still > 0])
        chances = self.starts.probability[starts]
        self.probability: FloatArray = np.concatenate([mdp.normalised_probability, loops, chances])
        cumulative = np.concatenate([mdp.cumulative_probability, loops, self.starts.cumulative])

        pair = np.arange(self.restart).reshape(num_states, num_actions)
        lowest = pair[np.arange(num_states), mdp.lowest_action][:, None]
        played = np.where(mdp.action_mask | mdp.terminal[:, None], pair, lowest)
        first = mdp.first_outcome[played]
        length = mdp.first_outcome[played + 1] - first
        first[ends] = mdp.num_outcomes + np.arange(len(ends))[:, None]
        length[ends] = 1
        #: Many starts beside short rows would make every step's look-up longer: then restarts are looked up alone,
        #: and their row is the last start only.
        self._first_start = mdp.num_outcomes + len(ends)
        self._starts_apart = int(length.max()) <= SHORT_ROW < len(starts)
        skipped = len(starts) - 1 if self._starts_apart else 0
        self._rows = RowSampler(
            np.append(first.ravel(), np.full(num_actions, self._first_start + skipped)),
            np.append(length.ravel(), np.full(num_actions, len(starts) - skipped)),
            cumulative,
        )
        self.played_action: IntArray = np.append(played.ravel() % num_actions, np.arange(num_actions))
        missing = ~mdp.action_mask & ~mdp.terminal[:, None]
        self.unavailable: BoolArray | None = (
            np.append(missing.ravel(), np.zeros(num_actions, dtype=np.bool_)) if missing.any() else None
        )

    def draw(self, pair: IntArray, u: FloatArray, restarted: BoolArray | None = None) -> IntArray:
        """[n] outcomes for the pairs [n] and uniform numbers [n]; `restarted` [n] says which pairs restart."""
        k = self._rows.draw(pair, u)
        if restarted is not None and self._starts_apart:
            where = np.flatnonzero(restarted)
            k[where] = self._first_start + self.starts.place(u[where])
        return k


class StartSampler:
    """The starts of a table, ready for look-ups by array.

    Attributes:
        cumulative: [Q] running sums over the states that may start.
        probability: [S] chance of each state to start.
    """

    def __init__(self, mdp: TabularMDP) -> None:
        self._states: IntArray = np.flatnonzero(mdp.initial > 0)
        self.cumulative: FloatArray = mdp.cumulative_initial[self._states]
        self.probability: FloatArray = mdp.initial / mdp.initial.sum()

    def place(self, u: FloatArray) -> IntArray:
        """[n] which of the Q starts, for uniform numbers [n]."""
        return self.cumulative.searchsorted(u, side="right").astype(np.int64, copy=False)

    def draw(self, u: FloatArray) -> IntArray:
        """[n] states for uniform numbers [n]."""
        return self._states.take(self.place(u))


class ObservationSampler:
    """What is seen, ready for look-ups by array: first the rows of steps, then those of resets.

    Args:
        after: [S, O] or [A, S, O] running sums of the chances after a step.
        at_reset: [S, O] the same at reset.
        outcomes: of the hidden table.
    """

    def __init__(self, after: FloatArray, at_reset: FloatArray, outcomes: OutcomeSampler) -> None:
        num_states, num_observations = at_reset.shape
        sums = np.concatenate([after.reshape(-1, num_observations), at_reset])
        positive = np.diff(sums, axis=1, prepend=0.0) > 0
        length = positive.sum(axis=1)
        #: in one piece: `take` copies the whole of a column, which is what `nonzero` hands out, at every call
        self._observation: IntArray = np.ascontiguousarray(np.nonzero(positive)[1])
        self._rows = RowSampler(np.cumsum(length) - length, length, sums[positive])
        self._reset_row = len(sums) - num_states
        #: [S*A + A] of each pair: where the rows of the states entered begin
        self._base = outcomes.played_action * (num_states if after.ndim == 3 else 0)
        self._base[outcomes.restart :] = self._reset_row

    def after(self, pair: IntArray, state: IntArray, u: FloatArray) -> IntArray:
        """[n] observations in the states [n] that the pairs [n] led to."""
        return self._observation.take(self._rows.draw(self._base.take(pair) + state, u))

    def at_reset(self, state: IntArray, u: FloatArray) -> IntArray:
        """[n] observations at a reset in the states [n]."""
        return self._observation.take(self._rows.draw(state + self._reset_row, u))
