"""Every keyword of every id: what its docstring does not allow is refused, by name, and never by a crash."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import pytest

import bellglass.envs
from bellglass.envs.documentation import Keyword, keywords_of
from bellglass.envs.mdp import TabularMDP
from bellglass.envs.registration import ENVIRONMENTS, NAMESPACE
from bellglass.envs.tables import table_of


class Case(NamedTuple):
    """A keyword of an id."""

    env_id: str
    keyword: Keyword

    def __str__(self) -> str:
        name = self.env_id.removeprefix(f"{NAMESPACE}/").removesuffix("-v0")
        return f"{name} {self.keyword.name}"


def told(name: str) -> tuple[Keyword, ...]:
    """The keywords of an id, or none where its docstring leaves one out: a test says so, not the collection of all."""
    try:
        return keywords_of(getattr(bellglass.envs, name))
    except ValueError:
        return ()


CASES = [Case(f"{NAMESPACE}/{row.name}-v0", keyword) for row in ENVIRONMENTS for keyword in told(row.name)]

#: What no keyword takes.
WRONG_TYPES = (object(), [object()], 1j, b"bytes", b"1", np.True_)

#: What only texts, and what only numbers can be.
WRONG_NUMBERS: tuple[object, ...] = ("nonsense", "10", [1], {}, True, None)
WRONG_TEXTS = (3, 1.5, True, math.nan)

#: Tables so large that no machine holds them.
ABSURD = (10**15, 10**30, 10**400)


def values_to_refuse(keyword: Keyword) -> list[object]:
    """What lies outside of the type and the range that the docstring tells."""
    bad: list[object] = list(WRONG_TYPES)
    kinds = set(keyword.kind.split(" | "))
    if kinds & {"int", "float"}:
        bad += [value for value in WRONG_NUMBERS if value is not None or "None" not in kinds]
        bad += [math.nan, math.inf, -math.inf]
        away = 1 if "int" in kinds else 1e-9
        if keyword.low is not None:
            bad += [keyword.low - away, -(10**9), -(10**30)]
        if keyword.high is not None:
            bad += [keyword.high + away, 10**9, 10**30]
        if "int" in kinds:
            bad = [int(value) if isinstance(value, float) and value.is_integer() else value for value in bad]
            bad += [1.5, 2.0]
            if keyword.high is None and keyword.name != "model_seed":
                bad += ABSURD
            if keyword.low is None:
                bad += [-size for size in ABSURD]
        else:
            bad += [10**400, -(10**400)]  # beyond all floats
    elif kinds == {"bool"}:
        bad += ["nonsense", "True", 0, 1, 1.0, [True], {}, None, math.nan]
    else:
        bad += WRONG_TEXTS
        if keyword.default is not None:
            bad += [None, "", "nonsense"] if keyword.name != "ends" else [None]
        elif keyword.name != "rewards":
            bad += ["nonsense"]
        if keyword.name != "path" and keyword.kind != "Mapping[str, float] | None":
            bad += [{}]
    return bad


@pytest.mark.parametrize("name", [row.name for row in ENVIRONMENTS])
def test_the_docstring_tells_every_keyword(name: str) -> None:
    made_by = type(gym.make(f"{NAMESPACE}/{name}-v0").unwrapped)
    assert made_by is getattr(bellglass.envs, name)
    assert told(name) == keywords_of(made_by)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_the_docstring_does_not_allow_is_refused_by_name(case: Case) -> None:
    for value in values_to_refuse(case.keyword):
        told = refusal(case, value)
        named = re.search(rf"\b{case.keyword.name}\b", told) is not None
        assert named or repr(value) in told, f"{case}: {value!r} was refused by {told!r}"
        assert "\n" not in told
        assert len(told) < 500


def refusal(case: Case, value: object) -> str:
    """What the error says."""
    try:
        made(case, value)
    except (ValueError, TypeError, MemoryError, FileNotFoundError) as error:
        return str(error)
    pytest.fail(f"{case}: {value!r} was accepted")


def made(case: Case, value: object, **others: object) -> TabularMDP:
    keywords: dict[str, Any] = {case.keyword.name: value, **others}
    return table_of(gym.make(case.env_id, disable_env_checker=True, **keywords))


#: Other keywords under which an end of a range is allowed, where their defaults forbid it.
TOGETHER: dict[str, dict[str, Any]] = {
    "TwoStateLowerBound delta": {"eps": 0.0},
    "TwoStateLowerBound eps": {"delta": 0.0},
    "Inventory lam": {"lo": 0, "hi": 1},
    "Garnet num_states": {"branching": 1},
}


@pytest.mark.parametrize(
    "case", [case for case in CASES if (case.keyword.low, case.keyword.high) != (None, None)], ids=str
)
def test_the_ends_of_a_documented_range_are_allowed(case: Case) -> None:
    for end in (case.keyword.low, case.keyword.high):
        if end is not None:
            value = int(end) if case.keyword.kind == "int" else end
            assert made(case, value, **TOGETHER.get(str(case), {})).num_states >= 1


FREE = [case for case in CASES if case.keyword.kind.startswith("float") and case.keyword[3:5] == (None, None)]


@pytest.mark.parametrize("case", FREE, ids=str)
def test_a_number_without_a_documented_range_may_be_any_finite_one(case: Case) -> None:
    for value in (-12.5, 0, 3e5):
        assert made(case, value).num_states >= 1
