"""The words of a `.pomdp` file, one after the other, and where each stands.

Only an error asks where a word stands, so positions are found again then and not kept: one `findall` takes apart
a million numbers in a fraction of a second.
"""

from __future__ import annotations

import re
from typing import NoReturn

import numpy as np

from ..mdp import FloatArray
from .cassandra_error import CassandraError

NUMBER = r"(?:[+-][ \t]*)?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"

WORD = re.compile(rf"{NUMBER}|[^\W\d][\w.'-]*|\S")

#: Whole numbers of a size that counts anything.
WHOLE = re.compile(r"[0-9]{1,18}")

#: Words that open a line of the preamble; words with a meaning, which are no names.
PREAMBLE = ("discount", "values", "states", "actions", "observations", "start")
RESERVED = frozenset(
    (*PREAMBLE, "include", "exclude", "T", "O", "R", "uniform", "identity", "reset", "reward", "cost")
)


class Words:
    """Walks over the words of a text; an empty word stands for its end.

    Attributes:
        name: what errors call the text.
        at: index of the current word.
    """

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.at = 0
        self._text = re.sub(r"#[^\n]*", "", text)  # to the end of the line: what is left keeps its place
        self._words: list[str] = WORD.findall(self._text)
        self._words.append("")

    @property
    def current(self) -> str:
        """The word to be read next; empty at the end."""
        return self._words[self.at]

    def ahead(self, steps: int) -> str:
        """The word so many places further; empty past the end."""
        return self._words[min(self.at + steps, len(self._words) - 1)]

    def next(self) -> str:
        """Takes the current word."""
        word = self._words[self.at]
        if word:
            self.at += 1
        return word

    def accept(self, word: str) -> bool:
        """Takes the current word if it is this one."""
        if self._words[self.at] == word:
            self.at += 1
            return True
        return False

    def expect(self, word: str, where: str) -> None:
        """Takes this word.

        Raises:
            CassandraError: another one stands here.
        """
        if not self.accept(word):
            self.fail(f"expected {word!r} {where}, got {self.shown()}")

    def numbers(self, most: int) -> FloatArray:
        """Takes numbers as long as they follow, `most` + 1 at most."""
        begin = self.at
        end = begin
        limit = min(len(self._words), begin + most + 1)
        while end < limit and is_number(self._words[end]):
            end += 1
        words = self._words[begin:end]
        self.at = end
        try:
            return np.array(words, dtype=np.float64)
        except ValueError:  # a blank between sign and digits
            return np.array([value(word) for word in words])

    def shown(self) -> str:
        """The current word as an error shows it."""
        return repr(self.current) if self.current else "the end of the file"

    def fail(self, problem: str, at: int | None = None) -> NoReturn:
        """Raises the error of word `at`, by default the current one."""
        wanted = self.at if at is None else at
        place = len(self._text.rstrip())
        for k, match in enumerate(WORD.finditer(self._text)):
            if k == wanted:
                place = match.start()
                break
        line = self._text.count("\n", 0, place) + 1
        column = place - (self._text.rfind("\n", 0, place) + 1) + 1
        raise CassandraError(self.name, line, column, problem)


def is_number(word: str) -> bool:
    """Whether the word is a number: it ends in a digit or a point and does not begin as a name does."""
    return word[-1:] in DIGITS and word[:1] in STARTS and word != "."


def is_name(word: str) -> bool:
    """Whether the word can name a state, an action or an observation."""
    return (word[:1].isalpha() or word[:1] == "_") and word not in RESERVED


def value(word: str) -> float:
    """The number that the word writes."""
    return float("".join(word.split()))


DIGITS = frozenset("0123456789.")
STARTS = frozenset("0123456789.+-")
