"""What `check` says of an answer: right, or the first wrong state with its sum and the likeliest mistake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["values", "q_values", "policy"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Verdict:
    """True where the answer is right; `print` shows all of it.

    Attributes:
        right: whether everything that was given is right.
        kind: what is wrong first: "values", "q_values" or "policy"; None where all is right.
        state: the first wrong state by index (with a finite horizon, of the last wrong step, because later steps
            do not depend on earlier ones); None where all is right.
        action: the wrong action of a policy or of `q_values`; None otherwise.
        step: the step, where the answer depends on it; None otherwise.
        expected: the right number there: a value, an action's value, for a policy the best action's value.
        got: the number given there; for a policy the value of what it plays, before playing optimally again.
        mistake: the likeliest mistake, one of `mistakes.MISTAKES`; None where no known one fits.
        explanation: how that mistake leads to the answer.
        others: further known mistakes that lead to the same answer.
        bellman_sum: the sum at that state, written out from the table's own outcomes.
        residual: by how much the given number misses the same sum over the answer's own numbers; None for a
            policy.
        wrong: how many numbers are wrong.
        worst: by how much the worst of them is; for a policy what the worst action loses.
        tolerance: how far a number may be from the right one, in units of reward.
        notes: what is worth knowing although it is not wrong.
    """

    right: bool
    kind: Kind | None = None
    state: int | None = None
    action: int | None = None
    step: int | None = None
    expected: float | None = None
    got: float | None = None
    mistake: str | None = None
    explanation: str = ""
    others: tuple[str, ...] = ()
    bellman_sum: str = ""
    residual: float | None = None
    wrong: int = 0
    worst: float = 0.0
    tolerance: float
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.right

    @property
    def message(self) -> str:
        """One line."""
        if self.right:
            return "right" + "".join(f"; {note}" for note in self.notes)
        where = f"state {self.state}"
        if self.step is not None:
            where = f"step {self.step}, {where}"
        if self.action is not None:
            where += f", action {self.action}"
        if self.kind == "policy":
            what = "" if self.got is None else f": worth {self.got:.6g}, the best is {self.expected:.6g}"
        else:
            what = f": expected {self.expected:.10g}, got {self.got:.10g}"
        return (
            f"wrong: {self.kind} at {where}{what}; likeliest mistake: {self.mistake or 'no known one fits'}"
        )

    def __str__(self) -> str:
        if self.right:
            return self.message
        lines = [self.message, *(f"  {line}" for line in self.bellman_sum.splitlines())]
        lines.append(f"{self.mistake or 'no known mistake fits'}: {self.explanation}")
        if self.others:
            lines.append(f"the same answer would come of: {', '.join(self.others)}")
        lines.append(f"wrong in all: {self.wrong}, the worst by {self.worst:.4g}")
        return "\n".join([*lines, *self.notes])

    def __repr__(self) -> str:
        return f"Verdict({self.message})"

    def as_dict(self) -> dict[str, object]:
        """All attributes and the message, of JSON's types; numbers that JSON lacks as text."""
        found: dict[str, object] = {}
        for name in ("message", *self.__dataclass_fields__):
            value = getattr(self, name)
            if isinstance(value, float) and value - value != 0.0:
                value = str(value)
            found[name] = list(value) if isinstance(value, tuple) else value
        return found
