"""Mistakes in a suite, gathered and told all at once, each with its path and what was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any


class SuiteError(ValueError):
    """A suite that cannot be run.

    Attributes:
        mistakes: one line each, such as ``agents[0].settings.step_sise: unknown setting; did you mean ...``
    """

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))

    def __reduce__(self) -> tuple[type[SuiteError], tuple[tuple[str, ...]]]:
        return SuiteError, (self.mistakes,)


def path_of(parts: Iterable[str | int]) -> str:
    """``environments[1].keywords.length`` from its parts.

    >>> path_of(["environments", 1, "keywords", "length"])
    'environments[1].keywords.length'
    """
    path = ""
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else part
    return path


def closest(word: str, allowed: Iterable[str]) -> str | None:
    """What `word` may have meant, or None.

    >>> closest("TIGR", ["Tiger", "TMaze"])
    'Tiger'
    """
    lowered = {name.lower(): name for name in allowed}
    close = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.5)
    return lowered[close[0]] if close else None


def unknown(kind: str, word: str, allowed: Iterable[str], *, shown: int = 40) -> str:
    """Says that `word` is unknown, what it may have meant, and what is allowed.

    >>> unknown("keyword", "lenght", ["length", "noise"])
    "unknown keyword; did you mean 'length'? allowed: length, noise"
    """
    names = sorted(allowed)
    if not names:
        return f"unknown {kind}; none is allowed here"
    close = closest(word, names)
    hint = "" if close is None else f"did you mean {close!r}? "
    more = f", ... ({len(names)} in all)" if len(names) > shown else ""
    return f"unknown {kind}; {hint}allowed: {', '.join(names[:shown])}{more}"


def form(found: Mapping[str, Any]) -> str:
    """What one of pydantic's findings wants, in our words.

    >>> form({"type": "model_type", "msg": "Input should be a valid dictionary or instance of Agent"})
    'must be a table of keys and values'
    >>> form({"type": "greater_than", "msg": "Input should be greater than 0"})
    'must be greater than 0'
    """
    if found["type"] in ("missing", "missing_argument"):
        return "is missing"
    if found["type"] in ("model_type", "dict_type", "dataclass_type", "mapping_type"):
        return "must be a table of keys and values"
    if found["type"] == "value_error":  # of our own, and in our words
        return error_message(found["ctx"]["error"])
    message = str(found["msg"]).partition(" should ")[2].partition(" after validation")[0]
    return f"must {message or found['msg']}"


def error_message(error: BaseException) -> str:
    r"""The message without line breaks; of an error that says nothing, its kind.

    >>> error_message(ValueError("no\nluck")), error_message(MemoryError())
    ('no luck', 'MemoryError')
    """
    return " ".join(str(error).split()) or type(error).__name__


def error_text(error: BaseException) -> str:
    """Its kind and its message in one line.

    >>> error_text(KeyError("k")), error_text(MemoryError())
    ("KeyError: 'k'", 'MemoryError')
    """
    kind, message = type(error).__name__, error_message(error)
    return kind if message == kind else f"{kind}: {message}"
