"""Reads Cassandra's format: the preamble, the start, and the statements T, O and R in their order.

    discount: 0.95                      T: a : s : s'  p          one entry
    values: reward | cost               T: a : s  p .. p          a row [S], or uniform, or reset (the start)
    states: n | names                   T: a  p .. p              a matrix [S, S], or uniform, or identity
    actions: n | names                  O: a : s' : o  p          O: a : s'  [O]           O: a  [S, O]
    observations: n | names             R: a : s : s' : o  r      R: a : s : s'  [O]       R: a : s  [S, O]
    start: uniform | p .. p | s         start include: s ..       start exclude: s ..

`*` stands for all; later statements override earlier ones; what no statement mentions is 0; `#` opens a comment.
Without `observations:` it is a Markov decision process: no O, and R: a : s : s' r, R: a : s [S], R: a [S, S].
A. R. Cassandra, POMDP file format and POMDP file grammar, pomdp.org (1999); pomdp-solve's parser where they are
silent.  The commonest mistake with it: R depends on the state left first, and O on the state entered.
"""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..mdp import FloatArray, TabularMDP
from ..mdp.arrays import row_sums
from ..mdp.memory_limit import require_memory
from ..pomdp import TabularPOMDP
from .rewards import RewardRules
from .tokens import PREAMBLE, WHOLE, Words, is_name, is_number, value
from .transitions import TransitionEntries

#: How far a sum of probabilities may miss 1, by the format; beyond 1e-9 it is then divided out.
FORMAT_TOLERANCE = 1e-5


class CassandraModel(NamedTuple):
    """What a file holds.

    Attributes:
        model: a TabularPOMDP, or a TabularMDP where the file declares no observations.
        discount: weight of the value one step later, in [0, 1].
    """

    model: TabularMDP | TabularPOMDP
    discount: float


def read_cassandra(path: str | PathLike[str], *, normalise: bool = True) -> CassandraModel:
    """Reads a `.pomdp` or `.mdp` file.

    Costs become negative rewards.  Without `start` it begins in every state alike, as the format says.  Nothing is
    seen before the first action: `initial_observation` is uniform and tells nothing.  A reward that depends on the
    observation is averaged over what the state entered shows, which changes no expected reward.  The format has no
    terminal states: an absorbing state that pays nothing stays a state.

    Args:
        path: the file.
        normalise: divide by its sum what misses 1 by up to 1e-5, which the format allows; False refuses what
            misses it by more than 1e-9.

    Raises:
        OSError: the file cannot be read.
        CassandraError: the text breaks the grammar, ends too early, names what is not declared, or a row is no
            distribution; the message begins with file, line and column.
        ValueError: the table would not fit into memory.
    """
    text = Path(path).read_text(encoding="utf-8-sig", errors="replace")  # comments are in any encoding
    return parse_cassandra(text, name=str(path), normalise=normalise)


def parse_cassandra(text: str, *, name: str = "text", normalise: bool = True) -> CassandraModel:
    r"""Reads a model from a text; `name` is what errors call it.

    >>> model, discount = parse_cassandra(
    ...     "discount: 0.9 values: cost states: here there actions: stay go T: stay identity\n"
    ...     "T: go : here : there 1  T: go : there : here 1  R: go : * : *  2"
    ... )
    >>> model.P[0][1], discount
    ([(1.0, 1, -2.0, False)], 0.9)
    """
    return _Reader(Words(text, name), normalise).model()


class _Reader:
    """One pass over the words."""

    def __init__(self, words: Words, normalise: bool) -> None:
        self.words = words
        self.tolerance = FORMAT_TOLERANCE if normalise else 1e-9
        self.discount: float | None = None
        self.sign: float | None = None
        self.sizes: dict[str, int] = {}
        self.names: dict[str, dict[str, int]] = {}

    def model(self) -> CassandraModel:
        """Everything, in the order of the grammar."""
        start = self.preamble()
        words, size = self.words, self.sizes
        num_states, num_actions = size["states"], size["actions"]
        num_observations = size.get("observations", 0)
        require_memory(
            8 * num_states * num_actions * (3 + num_observations),
            f"a model of {num_states} states, {num_actions} actions and {num_observations} observations",
        )
        self.start = np.full(num_states, 1.0 / num_states) if start is None else start
        self.transitions = TransitionEntries(num_actions, num_states)
        self.rewards = RewardRules(num_actions, num_states, num_observations)
        self.seen = np.zeros((num_actions, num_states, num_observations))
        self.seen_at = np.full((num_actions, num_states), -1, dtype=np.int64)
        statements: dict[str, Callable[[], None]] = {
            "T": self.transition,
            "O": self.observation,
            "R": self.reward,
        }
        while words.current:
            statement = statements.get(words.current)
            if statement is None:
                if words.current in PREAMBLE:
                    words.fail(f"{words.current}: must stand before the first T:, O: or R:")
                words.fail(f"expected T:, O: or R:, got {words.shown()}")
            statement()
        return self.built()

    # -- the preamble --------------------------------------------------------------------------------------------

    def preamble(self) -> FloatArray | None:
        """Reads up to the first statement; returns the start, or None where it is not told."""
        words, start = self.words, None
        given: set[str] = set()
        while words.current in PREAMBLE:
            word = words.current
            if word in given:
                words.fail(f"{word}: is given twice")
            given.add(word)
            words.next()
            if word == "start":
                start = self.read_start()
                continue
            words.expect(":", f"after {word}")
            if word == "discount":
                self.read_discount()
            elif word == "values":
                if words.current not in ("reward", "cost"):
                    words.fail(f"values: must be reward or cost, got {words.shown()}")
                self.sign = 1.0 if words.next() == "reward" else -1.0
            else:
                self.read_names(word)
        for word in ("discount", "values", "states", "actions"):
            if word not in given:
                words.fail(f"expected {word}: in the preamble, got {words.shown()}")
        return start

    def read_discount(self) -> None:
        if not is_number(self.words.current):
            self.words.fail(f"discount: must be a number in [0, 1], got {self.words.shown()}")
        if not 0.0 <= value(self.words.current) <= 1.0:
            self.words.fail(f"discount: must be in [0, 1], got {self.words.current}")
        self.discount = value(self.words.next())

    def read_names(self, what: str) -> None:
        words, one = self.words, what.removesuffix("s")
        if is_number(words.current):
            if not WHOLE.fullmatch(words.current) or int(words.current) < 1:
                words.fail(f"{what}: must be a whole number, at least 1, or names; got {words.shown()}")
            self.sizes[what] = int(words.next())
            self.names[what] = {}
            return
        names: dict[str, int] = {}
        while is_name(words.current) and words.ahead(1) != ":":
            if words.current in names:
                words.fail(f"two {what} are called {words.current!r}")
            names[words.next()] = len(names)
        if not names:
            words.fail(f"{what}: must be a number or names, got {words.shown()}")
        opens = words.current in (*PREAMBLE, "T", "O", "R", "")
        if not opens or (words.current and words.ahead(1) not in (":", "include", "exclude")):
            words.fail(f"{words.shown()} cannot be the name of {'an' if one[0] in 'ao' else 'a'} {one}")
        self.sizes[what], self.names[what] = len(names), names

    def read_start(self) -> FloatArray:
        words = self.words
        if "states" not in self.sizes:
            words.fail("states: must stand before start", words.at - 1)
        num_states = self.sizes["states"]
        require_memory(8 * num_states, f"a model of {num_states} states")
        if words.current in ("include", "exclude"):
            included = words.next() == "include"
            words.expect(":", "after start include" if included else "after start exclude")
            start = np.full(num_states, 0.0 if included else 1.0)
            at = words.at
            while not at < words.at or self.is_label("states"):
                start[self.one("states", "state")] = 1.0 if included else 0.0
            if not start.any():
                words.fail("start exclude: leaves no state", at)
            return np.asarray(start / start.sum())
        words.expect(":", "after start")
        if words.accept("uniform"):
            return np.full(num_states, 1.0 / num_states)
        at = words.at
        if not is_number(words.current):
            return self.only(self.one("states", "state"))
        if WHOLE.fullmatch(words.current) and num_states > 1 and not is_number(words.ahead(1)):
            return self.only(self.one("states", "state"))
        return np.asarray(self.distributions(at, num_states, 1, "start:")[0])

    def only(self, state: int) -> FloatArray:
        start = np.zeros(self.sizes["states"])
        start[state] = 1.0
        return start

    # -- statements ----------------------------------------------------------------------------------------------

    def transition(self) -> None:
        """T: in its three forms."""
        begin, words, size = self.words.at, self.words, self.sizes["states"]
        where = self.selectors("T", ("actions", "states", "states"))
        a = where[0]
        at = words.at
        if len(where) == 3:
            self.transitions.entry(begin, a, where[1], where[2], self.distributions(at, 1, 1, "T:")[0, 0])
        elif words.accept("uniform"):
            s = where[1] if len(where) == 2 else None
            self.room_for_uniform(a, s)
            self.transitions.rows(begin, a, s, np.full(size, 1.0 / size))
        elif len(where) == 2:
            row = self.start if words.accept("reset") else self.distributions(at, size, 1, "T: a : s")[0]
            self.transitions.rows(begin, a, where[1], row)
        elif words.accept("identity"):
            self.transitions.identity(begin, a)
        else:
            self.transitions.matrix(begin, a, self.distributions(at, size, size, "T: a"))

    def room_for_uniform(self, action: int | None, state: int | None) -> None:
        size, rows = self.sizes["states"], self.sizes["states"] if state is None else 1
        rows *= self.sizes["actions"] if action is None else 1
        require_memory(40 * rows * size, f"{rows} uniform rows of {size} outcomes each")

    def observation(self) -> None:
        """O: in its three forms."""
        begin, words = self.words.at, self.words
        if "observations" not in self.sizes:
            words.fail("O: needs observations: in the preamble, which has none")
        size = self.sizes["observations"]
        where = self.selectors("O", ("actions", "states", "observations"))
        place = tuple(slice(None) if k is None else k for k in where)
        at = words.at
        if len(where) == 3:
            self.seen[place] = self.distributions(at, 1, 1, "O:")[0, 0]
        elif words.accept("uniform"):
            self.seen[place] = 1.0 / size
        elif len(where) == 2:
            self.seen[place] = self.distributions(at, size, 1, "O: a : s'")[0]
        else:
            self.seen[place] = self.distributions(at, size, self.sizes["states"], "O: a")
        self.seen_at[place[:2]] = begin

    def reward(self) -> None:
        """R: in its forms, which are other ones without observations."""
        words, states = self.words, self.sizes["states"]
        size = self.sizes.get("observations")
        where = self.selectors("R", ("actions", "states", "states", "observations"))
        if size is None:
            where = where[:3]  # R: a : s : s' : * is met in files without observations
            sizes, axes = (states, states)[len(where) - 1 :], ("state", "next")[len(where) - 1 :]
        elif len(where) > 1:
            sizes, axes = (states, size)[len(where) - 2 :], ("next", "observation")[len(where) - 2 :]
        else:
            words.fail(f"expected ':' and a state after R: a, got {words.shown()}")
        numbers = self.counted(words.at, int(np.prod(sizes, dtype=np.int64)), "R:").reshape(sizes)
        a, s, target, o = [*where, None, None, None][:4]
        self.rewards.add(a, s, target, o, numbers, axes=axes)

    def selectors(self, letter: str, kinds: tuple[str, ...]) -> list[int | None]:
        """The indices between colons, None for `*`; at least one, at most one for each of `kinds`."""
        words = self.words
        words.next()
        found: list[int | None] = []
        for kind in kinds:
            if found and words.current != ":":
                break
            words.expect(":", f"after {letter}" if not found else "")
            if kind == "observations" and kind not in self.sizes:
                if not words.accept("*"):
                    words.fail(f"no observations are declared, got {words.shown()}")
                found.append(None)
            else:
                found.append(
                    None if words.accept("*") else self.one(kind, kind.removesuffix("s"), or_all=" or '*'")
                )
        return found

    def is_label(self, kind: str) -> bool:
        word = self.words.current
        return bool(WHOLE.fullmatch(word)) or is_name(word)

    def one(self, kind: str, what: str, *, or_all: str = "") -> int:
        """Takes a name or a number of that kind."""
        words = self.words
        word, names, size = words.current, self.names[kind], self.sizes[kind]
        known = names.get(word)
        if known is not None:
            words.next()
            return known
        if WHOLE.fullmatch(word):
            if int(word) >= size:
                words.fail(f"{what} {word} is not in [0, {size})")
            return int(words.next())
        if is_name(word):
            some = ", ".join(list(names)[:5]) if names else f"the numbers 0 to {size - 1}"
            words.fail(f"no {what} is called {word!r}; there are {some}{', ...' if len(names) > 5 else ''}")
        words.fail(f"expected {'an' if what[0] in 'ao' else 'a'} {what}{or_all}, got {words.shown()}")

    # -- numbers -------------------------------------------------------------------------------------------------

    def counted(self, at: int, count: int, what: str) -> FloatArray:
        """Takes exactly so many numbers."""
        numbers = self.words.numbers(count)
        if len(numbers) < count:
            self.words.fail(
                f"{what} needs {count} number{'s' if count > 1 else ''} here, got {len(numbers)} and then "
                f"{self.words.shown()}"
            )
        if len(numbers) > count:
            self.words.fail(f"{what} needs {count} number{'s' if count > 1 else ''}, got more", at + count)
        infinite = np.flatnonzero(~np.isfinite(numbers))
        if infinite.size:
            self.words.fail(f"{what} the number is too large", at + int(infinite[0]))
        return numbers

    def distributions(self, at: int, width: int, rows: int, what: str) -> FloatArray:
        """Takes `rows` x `width` probabilities; whole rows (the start) are checked where they end up."""
        numbers = self.counted(at, width * rows, what)
        bad = np.flatnonzero((numbers < 0.0) | (numbers > 1.0 + self.tolerance))
        if bad.size:
            self.words.fail(f"{what} {numbers[bad[0]]:g} is no probability", at + int(bad[0]))
        table = numbers.reshape(rows, width)
        if what == "start:":
            table = self.summed(table, lambda row: (at, "start:"))
        return table

    def summed(self, table: FloatArray, told: Callable[[int], tuple[int, str]]) -> FloatArray:
        """The rows [K, .], divided by their sums where those miss 1; `told` names word and row of a bad one."""
        sums = table.sum(axis=1)
        wrong = np.flatnonzero(~(np.abs(sums - 1.0) <= self.tolerance))
        if wrong.size:
            at, row = told(int(wrong[0]))
            self.words.fail(f"{row} sums to {sums[wrong[0]]:.9g}, not 1 (tolerance {self.tolerance:g})", at)
        off = np.abs(sums - 1.0) > 1e-9
        return np.asarray(table / np.where(off, sums, 1.0)[:, None]) if off.any() else table

    # -- the table -----------------------------------------------------------------------------------------------

    def label(self, kind: str, index: int) -> str:
        names = self.names[kind]
        return next((name for name, k in names.items() if k == index), str(index))

    def built(self) -> CassandraModel:
        """Everything that was read, as a checked table."""
        num_states, num_actions = self.sizes["states"], self.sizes["actions"]
        assert self.discount is not None
        assert self.sign is not None
        pair, first, next_state, probability = self.transitions.outcomes()
        sums = row_sums(first, probability)
        s, a = np.divmod(np.arange(num_states * num_actions), num_actions)
        wrong = np.flatnonzero(~(np.abs(sums - 1.0) <= self.tolerance))
        if wrong.size:
            k = int(wrong[0])
            row = f"T: {self.label('actions', int(a[k]))} : {self.label('states', int(s[k]))}"
            at = self.transitions.last_word(int(a[k]), int(s[k]))
            self.words.fail(
                f"{row} is given nowhere"
                if at is None
                else f"{row} sums to {sums[k]:.9g}, not 1 (tolerance {self.tolerance:g})",
                at,
            )
        off = np.abs(sums - 1.0) > 1e-9
        if off.any():
            probability = probability / np.where(off, sums, 1.0)[pair]
        if "observations" in self.sizes:
            self.check_observations()
        reward = self.rewards.of_outcomes(pair % num_actions, pair // num_actions, next_state, self.seen)
        mdp = TabularMDP(
            first_outcome=first,
            probability=probability,
            next_state=next_state,
            reward=self.sign * reward,
            terminated=np.zeros(len(next_state), dtype=np.bool_),
            initial=self.start,
            state_labels=list(self.names["states"]) or None,
            action_labels=list(self.names["actions"]) or None,
        )
        if "observations" not in self.sizes:
            return CassandraModel(mdp, self.discount)
        alike = (self.seen == self.seen[0]).all()
        blind = np.full((num_states, self.sizes["observations"]), 1.0 / self.sizes["observations"])
        labels = list(self.names["observations"]) or None
        pomdp = TabularPOMDP(mdp, self.seen[0] if alike else self.seen, blind, observation_labels=labels)
        return CassandraModel(pomdp, self.discount)

    def check_observations(self) -> None:
        num_actions, num_states, size = self.seen.shape

        def told(row: int) -> tuple[int, str]:
            a, s = divmod(row, num_states)
            name = f"O: {self.label('actions', a)} : {self.label('states', s)}"
            at = int(self.seen_at[a, s])
            if at < 0:
                self.words.fail(f"{name} is given nowhere")
            return at, name

        self.seen = self.summed(self.seen.reshape(-1, size), told).reshape(num_actions, num_states, size)
