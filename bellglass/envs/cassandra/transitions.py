"""The statements T in their order, kept sparse: entries, and for each row the last statement that wiped it.

    an entry counts  if  no later entry has its place  and  no later statement wiped its row

A row, a matrix, `uniform`, `identity` and `reset` wipe the rows that they fill; a single entry, with or without
wildcards, only overrides its places.
"""

from __future__ import annotations

import numpy as np

from ..mdp import FloatArray, IntArray


class TransitionEntries:
    """Collects the entries; every statement tells the index of its first word, which grows from one to the next."""

    def __init__(self, num_actions: int, num_states: int) -> None:
        self.num_actions, self.num_states = num_actions, num_states
        self._wiped = np.full((num_actions, num_states), -1, dtype=np.int64)
        self._singles: list[
            tuple[int, int, int, int, float]
        ] = []  # word, action, state, next state, probability
        self._chunks: list[
            tuple[IntArray, IntArray, IntArray, FloatArray]
        ] = []  # word, pair, next, probability

    def entry(
        self, word: int, action: int | None, state: int | None, next_state: int | None, p: float
    ) -> None:
        """One place, or all places that the wildcards (None) stand for."""
        if action is not None and state is not None and next_state is not None:
            self._singles.append((word, action, state, next_state, float(p)))
        elif next_state is None:
            self.rows(word, action, state, np.full(self.num_states, float(p)))
        else:
            pair = self._pairs(action, state)
            self._add(word, pair, np.full(len(pair), next_state), np.full(len(pair), float(p)))

    def rows(self, word: int, action: int | None, state: int | None, row: FloatArray) -> None:
        """One row [S] for each pair that the wildcards (None) stand for."""
        self._wipe(word, action, state)
        pair, targets = self._pairs(action, state), np.flatnonzero(row)
        self._add(
            word, np.repeat(pair, len(targets)), np.tile(targets, len(pair)), np.tile(row[targets], len(pair))
        )

    def matrix(self, word: int, action: int | None, matrix: FloatArray) -> None:
        """[S, S] for one action, or for all."""
        self._wipe(word, action, None)
        s, targets = np.nonzero(matrix)
        for a in range(self.num_actions) if action is None else [action]:
            self._add(word, s * self.num_actions + a, targets, matrix[s, targets])

    def identity(self, word: int, action: int | None) -> None:
        """Every state stays."""
        self._wipe(word, action, None)
        pair = self._pairs(action, None)
        self._add(word, pair, pair // self.num_actions, np.ones(len(pair)))

    def last_word(self, action: int, state: int) -> int | None:
        """First word of the last statement about the row; None if there is none."""
        words = [int(self._wiped[action, state])]
        words += [single[0] for single in self._singles if single[1:3] == (action, state)]
        pair = state * self.num_actions + action
        words += [int(chunk[0].max()) for chunk in self._chunks if (chunk[1] == pair).any()]
        return max(words) if max(words) >= 0 else None

    def outcomes(self) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
        """Pair s*A + a of each outcome [N], first_outcome [S*A + 1], next_state [N], probability [N]."""
        chunks = list(self._chunks)
        if self._singles:
            word, action, state, target = (
                np.array(column) for column in list(zip(*self._singles, strict=True))[:4]
            )
            p = np.array([single[4] for single in self._singles])
            chunks.append((word, state * self.num_actions + action, target, p))
        if chunks:
            word, pair, target, p = (np.concatenate(column) for column in zip(*chunks, strict=True))
        else:
            word, pair, target, p = *(np.zeros(0, dtype=np.int64) for _ in range(3)), np.zeros(0)
        s, a = np.divmod(pair, self.num_actions)
        stands = word >= self._wiped[a, s]
        word, pair, target, p = word[stands], pair[stands], target[stands], p[stands]
        order = np.lexsort((word, target, pair))
        pair, target, p = pair[order], target[order], p[order]
        last = np.ones(len(pair), dtype=np.bool_)
        last[:-1] = (pair[1:] != pair[:-1]) | (target[1:] != target[:-1])
        last &= p != 0.0
        pair, target, p = pair[last], target[last], p[last]
        counts = np.bincount(pair, minlength=self.num_states * self.num_actions)
        return pair, np.concatenate([[0], np.cumsum(counts)]), target, p

    def _pairs(self, action: int | None, state: int | None) -> IntArray:
        states = np.arange(self.num_states) if state is None else np.array([state])
        actions = np.arange(self.num_actions) if action is None else np.array([action])
        return (states[:, None] * self.num_actions + actions).ravel()

    def _wipe(self, word: int, action: int | None, state: int | None) -> None:
        place = tuple(slice(None) if k is None else k for k in (action, state))
        self._wiped[place] = word

    def _add(self, word: int, pair: IntArray, target: IntArray, p: FloatArray) -> None:
        self._chunks.append((np.full(len(pair), word), pair, target, p))
