"""What a reader says of a file that it cannot read: where, and what it expected there."""

from __future__ import annotations


class CassandraError(ValueError):
    """The text is no model; the message begins with its name, the line and the column.

    Attributes:
        line: where, counted from 1.
        column: where in the line, counted from 1.
    """

    def __init__(self, name: str, line: int, column: int, problem: str) -> None:
        super().__init__(f"{name}, line {line}, column {column}: {problem}")
        self.line = line
        self.column = column
