"""What the docstrings say about ids and their keywords, read so that pages and tests can rely on it.

A class's docstring begins with what the environment is; its "Args" tell each keyword, with the range in words that
are the same everywhere:  "in [0, 1]",  "at least 2",  "at most 0";  a real number of which no range is told may be
any finite one.  Its module's docstring begins with its name, and ends with where it comes from.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, NamedTuple

#: Keywords that every id takes.
COMMON = ("render_mode", "invalid_actions")


class Keyword(NamedTuple):
    """One keyword argument of an id.

    Attributes:
        name: of the argument.
        default: its value where none is given.
        kind: the annotation, such as "int", "float", "bool" or "str | None".
        low: the least that is allowed, or None.
        high: the most that is allowed, or None where there is no bound, or one that depends on other keywords.
        meaning: what the docstring says.
    """

    name: str
    default: object
    kind: str
    low: float | None
    high: float | None
    meaning: str


def keywords_of(env_class: Callable[..., Any]) -> tuple[Keyword, ...]:
    """The keywords of an environment's class, but those that every id takes.

    Raises:
        ValueError: the docstring leaves one out.

    >>> from bellglass.envs import Gambler
    >>> [(keyword.name, keyword.low, keyword.high) for keyword in keywords_of(Gambler)]
    [('p_h', 0.0, 1.0), ('goal', 2.0, None)]
    """
    told = meanings(inspect.getdoc(env_class) or "")
    found = []
    for parameter in inspect.signature(env_class).parameters.values():
        if parameter.name in COMMON:
            continue
        if parameter.name not in told:
            raise ValueError(f"the docstring of {env_class} says nothing of {parameter.name}")
        meaning = told[parameter.name]
        low, high = range_of(meaning)
        kind = str(parameter.annotation)
        found.append(Keyword(parameter.name, parameter.default, kind, low, high, meaning))
    return tuple(found)


def meanings(docstring: str) -> dict[str, str]:
    """What the section "Args" of a docstring says of each argument, in one line each."""
    section = re.search(r"^Args:\n((?:    .*\n?|\n)*)", docstring, re.MULTILINE)
    if section is None:
        return {}
    entries = re.findall(r"^    (\w+): (.*(?:\n     .*)*)", section[1], re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}


def range_of(meaning: str) -> tuple[float | None, float | None]:
    """The least and the most that a keyword's description allows; None where it tells no number.

    >>> range_of("chance in [0, 1] of a slip"), range_of("discs, at least 1"), range_of("in [1, num_states]")
    ((0.0, 1.0), (1.0, None), (1.0, None))
    """
    number = r"(-?[\d.]*\d(?:e\d+)?)"
    both = re.search(rf"in \[{number}, ([^\]]+)\]", meaning)
    if both:
        return float(both[1]), float(both[2]) if re.fullmatch(number, both[2]) else None
    least, most = re.search(rf"at least {number}", meaning), re.search(rf"at most {number}", meaning)
    return (float(least[1]) if least else None), (float(most[1]) if most else None)


def summary_of(env_class: Callable[..., Any]) -> str:
    """The first line of the class's docstring: what is to be done.

    >>> from bellglass.envs import Gambler
    >>> summary_of(Gambler)
    'Reach the goal before ruin.'
    """
    return (inspect.getdoc(env_class) or "").partition("\n")[0]


def source_of(env_class: Callable[..., Any]) -> str:
    """The last paragraph of the module's docstring, in one line."""
    module = inspect.getmodule(env_class)
    paragraphs = (inspect.getdoc(module) or "").strip().split("\n\n") if module else [""]
    return " ".join(paragraphs[-1].split())
