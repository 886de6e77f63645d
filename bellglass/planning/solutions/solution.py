"""What `solve` found: a record of numbers that prints, draws and saves itself."""

from __future__ import annotations

from os import PathLike

from .record import SolutionRecord
from .solution_files import save
from .solution_pictures import headline, html, text


class Solution(SolutionRecord):
    """The optimum of a table under one criterion, certified; its attributes are those of `SolutionRecord`."""

    def save(self, path: str | PathLike[str]) -> None:
        """Writes every number with the names of states and actions, whole or not at all, never pickle.

        `.npz`: the arrays of this record as they are, `state_labels` [S] and `action_labels` [A] as text, and
        `about`, a JSON text of all that is no array.  `.csv`: one row a state (with a finite horizon one row a step
        and state), a column `q: ACTION` for each action, numbers so that they read back bit for bit.

        Raises:
            ValueError: the path ends in neither.
        """
        save(self, path)

    def render(self) -> str:
        """The policy and the numbers as text: on the table's layout where it has one, else as a list."""
        return text(self)

    def __str__(self) -> str:
        return f"{headline(self)}\n{self.render()}"

    def __repr__(self) -> str:
        return f"Solution({headline(self)})"

    def _repr_html_(self) -> str:
        return html(self)
